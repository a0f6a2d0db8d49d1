"""What a sentencepiece model that somebody brings does to the text: whether it can be used, and
what it changes."""

from __future__ import annotations

import unicodedata
from collections.abc import Sequence

from seqkd_lab.corpus.alphabet import LEAST_COVERAGE, SPACE
from seqkd_lab.corpus.cleaning import LONGEST
from seqkd_lab.corpus.parallel import CorpusError, ParallelCorpus, fold
from seqkd_lab.corpus.subwords import SubwordTokeniser

N_SAMPLED = 10_000
"""Lines of the text on which a brought model is tried; those that are too long to learn from do not
count."""
MOST_LOST, MOST_UNKNOWN = 0.5, 1 - LEAST_COVERAGE
"""A model that loses letters of more than this share of the lines, or does not know this share of
the characters, was made for another text."""
MOST_SHOWN = 60


def try_subwords(tokeniser: SubwordTokeniser, texts: Sequence[str], name: str) -> str:
    """Return in words what the model `name` changes in `texts`: "" where each line comes back as it
    was.

    A normaliser may fold case or letter forms ("ﬁ" to "fi"), which is the model's own business and
    is only said. Raise CorpusError where most lines lose letters, or many characters are unknown
    to the model.
    """
    some = texts[:: max(1, len(texts) // N_SAMPLED)]
    short = [text for text in some if len(text) <= LONGEST]
    sample = [fold(text.replace(SPACE, " ")) for text in short]
    changed, n_lost, unknown = [], 0, 0
    for text in sample:
        tokens = tokeniser.encode(text)
        unknown += sum(len(token) for token in tokens if token not in tokeniser.pieces)
        if (back := tokeniser.decode(tokens)) != text:
            changed.append((text, back))
            n_lost += _letters(back) != _letters(text)
    example = f"{_short(changed[0][0])} as {_short(changed[0][1])}" if changed else ""
    _check_usable(
        name, len(sample), n_lost, min(1.0, unknown / max(1, sum(map(len, sample)))), example
    )
    if not changed:
        return ""
    return (
        f"{name}: {len(changed):,} of {len(sample):,} lines tried come back changed when they are "
        f"cut and joined again, for example {example}; so will the translations"
    )


def _check_usable(name: str, n_lines: int, n_lost: int, unknown: float, example: str) -> None:
    if n_lost > MOST_LOST * n_lines:
        raise CorpusError(
            f"{name}: of {n_lines:,} lines of the training text, {n_lost:,} lose letters when they "
            f"are cut and joined again ({example}); train a sentencepiece model on this text, with "
            "--normalization_rule_name=identity"
        )
    if unknown > MOST_UNKNOWN:
        raise CorpusError(
            f"{name}: {unknown:.0%} of the training text's characters are unknown to this model, "
            "which was made for another text; leave --subwords out, or train a sentencepiece "
            "model on this text"
        )


def _letters(text: str) -> str:
    """Return the letters and digits of `text`, whatever their case, form and spacing."""
    plain = unicodedata.normalize("NFKC", unicodedata.normalize("NFKC", text).casefold())
    return "".join(filter(str.isalnum, plain))


def _short(text: str) -> str:
    return repr(text if len(text) <= MOST_SHOWN else f"{text[:MOST_SHOWN]}…")


def unknown_in_words(corpus: ParallelCorpus, tokeniser: SubwordTokeniser) -> str:
    """Return in words which characters of a corpus no subword spells, "" where there are none."""
    n_characters, unknown = 0, []
    for side in (corpus.source, corpus.target):
        for tokens in side:
            n_characters += sum(map(len, tokens))
            unknown += [token for token in tokens if token not in tokeniser.pieces]
    if not unknown:
        return ""
    n_unknown, distinct = sum(map(len, unknown)), dict.fromkeys("".join(unknown))
    return (
        f"subwords: none spells {len(distinct):,} distinct characters of the {corpus.split} text, "
        f"{n_unknown / n_characters:.2%} of it; they are read as unknown: "
        f"{_short(''.join(distinct))} (--vocabulary and --character-coverage decide how many)"
    )
