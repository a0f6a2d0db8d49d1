"""Which characters of a text get subwords, where there are more characters than subwords."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable

from seqkd_lab.corpus.parallel import CorpusError

SPACE = "▁"  # U+2581, how sentencepiece writes a space inside a token
N_SPECIALS = 3  # sentencepiece's own: <unk>, <s>, </s>
ALPHABET_SHARE = 0.75
"""Of the subwords, where not all characters fit: the rest is room for subwords of several
characters."""
LEAST_COVERAGE = 0.5
"""A text of which less than half the characters are spelt teaches nothing."""


def rare_characters(
    texts: Iterable[str], vocabulary_size: int, character_coverage: float = 1.0
) -> frozenset[str]:
    """Return the characters of `texts` (folded) that get no subword of their own, and are read as
    unknown.

    They are the rarest, beyond the share `character_coverage` of all characters. Where what is left
    does not fit into vocabulary_size subwords, coverage is lowered until the alphabet takes
    ALPHABET_SHARE of them. Raise CorpusError where that leaves more than half of the text unknown,
    and for a text without characters; ValueError unless 0 < character_coverage ≤ 1.
    """
    if not 0.0 < character_coverage <= 1.0:
        raise ValueError(f"character_coverage must lie in (0, 1]; got {character_coverage}")
    counts: Counter[str] = Counter()
    for text in texts:
        counts.update(text)
    for whitespace in (" ", SPACE):
        counts.pop(whitespace, None)
    if not counts:
        raise CorpusError(
            f"no {vocabulary_size} subwords can be learnt from an empty text; give more text"
        )
    ordered = sorted(counts, key=lambda character: (-counts[character], character))
    n_kept = _n_covering([counts[character] for character in ordered], character_coverage)
    room = vocabulary_size - N_SPECIALS - len(SPACE)
    if n_kept > room:
        n_kept = int(ALPHABET_SHARE * max(room, 0))
        _check_coverage(
            sum(counts[character] for character in ordered[:n_kept]) / counts.total(),
            vocabulary_size,
            len(ordered),
        )
    return frozenset(ordered[n_kept:])


def _n_covering(counts: list[int], coverage: float) -> int:
    """Return how many of the most frequent characters make up `coverage` of the text; counts
    fall."""
    needed, covered = coverage * sum(counts), 0
    for n, count in enumerate(counts, start=1):
        covered += count
        if covered >= needed:
            return n
    return len(counts)  # rounding


def _check_coverage(coverage: float, vocabulary_size: int, n_characters: int) -> None:
    if coverage < LEAST_COVERAGE:
        raise CorpusError(
            f"no {vocabulary_size} subwords can be learnt from this text: it has {n_characters:,} "
            f"distinct characters, and so few subwords would spell only {coverage:.0%} of it; give "
            f"a --vocabulary well above {n_characters + N_SPECIALS + len(SPACE):,}"
        )
