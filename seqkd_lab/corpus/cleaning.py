"""What is dropped from raw text before training, and why: counted by reason, never silent."""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, replace

from seqkd_lab.corpus.parallel import CorpusError, RawPairs

LONGEST = 400
"""Characters of a training sentence."""


@dataclass(frozen=True)
class CleaningRules:
    """What a pair must satisfy to be kept; None and False switch a rule off. Empty sides are always
    dropped.

    max_characters  the longest sentence, on either side (characters, since not all languages write
    spaces) max_ratio       how much longer or shorter than usual a target may be (see length_ratio)
    identical       drop pairs whose target is the source, untranslated
    duplicates      keep each pair once
    """

    max_characters: int | None = LONGEST
    max_ratio: float | None = 3.0
    identical: bool = True
    duplicates: bool = True


TRAINING = CleaningRules()
# Scores compare only where all translate the same sentences: held-out text loses nothing but empty
# pairs, and what is a document rather than a sentence. A model that learnt from sentences says
# nothing of it, and one such line may take more time and memory than all others together: both grow
# with the square of its length.
HELD_OUT = CleaningRules(
    max_characters=10 * LONGEST, max_ratio=None, identical=False, duplicates=False
)


@dataclass(frozen=True)
class CleaningReport:
    """read pairs = kept + the sum of dropped, which counts pairs by the first rule they broke."""

    split: str
    read: int
    kept: int
    dropped: Mapping[str, int]

    def __str__(self) -> str:
        reasons = ", ".join(f"{count:,} {reason}" for reason, count in self.dropped.items())
        return (
            f"{self.split}: {self.read:,} pairs read, {self.kept:,} kept; dropped: "
            f"{reasons or 'none'}"
        )


def clean(pairs: RawPairs, rules: CleaningRules = TRAINING) -> tuple[RawPairs, CleaningReport]:
    """Return the pairs that satisfy `rules`, in order, and the count of the others by reason.

    Raise CorpusError when nothing is left.
    """
    usual = usual_ratio(pairs)
    kept: list[int] = []
    dropped: Counter[str] = Counter()
    seen: set[tuple[str, str]] = set()
    for row, (source, target) in enumerate(zip(pairs.source, pairs.target, strict=True)):
        reason = reason_to_drop(source, target, rules, usual)
        if reason is None and rules.duplicates and (source, target) in seen:
            reason = "duplicate pair"
        if reason is None:
            kept.append(row)
            seen.add((source, target))
        else:
            dropped[reason] += 1
    report = CleaningReport(pairs.split, len(pairs), len(kept), dict(dropped.most_common()))
    if not kept:
        raise CorpusError(
            f"{pairs.name} {report}; nothing is left; check that both sides are the right text"
        )
    return pairs[kept], report


def reason_to_drop(source: str, target: str, rules: CleaningRules, usual: float) -> str | None:
    """Return the first rule that a pair breaks, whatever stands around it; None when it is fine."""
    return reason_by_lengths(len(source), len(target), source == target, rules, usual)


def reason_by_lengths(
    n_source: int, n_target: int, identical: bool, rules: CleaningRules, usual: float
) -> str | None:
    """Return what reason_to_drop does, for a pair of which the numbers of characters are known,
    and whether both sides are the same."""
    if not n_source:
        return "empty source"
    if not n_target:
        return "empty target"
    if rules.max_characters is not None and n_source > rules.max_characters:
        return f"source longer than {rules.max_characters} characters"
    if rules.max_characters is not None and n_target > rules.max_characters:
        return f"target longer than {rules.max_characters} characters"
    if rules.max_ratio is not None and length_ratio(n_source, n_target, usual) > rules.max_ratio:
        return f"length ratio over {rules.max_ratio:g}"
    if rules.identical and identical:
        return "target identical to source"
    return None


def smoothed_ratio(n_source: int, n_target: int) -> float:
    """Target characters per source character, (n_target + 10) / (n_source + 10).

    The tens are there because short sentences differ in length without being wrong ("Hi." –
    "¡Hola!").
    """
    return (n_target + 10) / (n_source + 10)


def usual_ratio(pairs: RawPairs) -> float:
    """Return the median of smoothed_ratio over the pairs that have both sides, 1 where there are
    none.

    Languages differ in how many characters they need; and a median forgives the lines that are not
    sentences.
    """
    lengths = zip(map(len, pairs.source), map(len, pairs.target), strict=True)
    return median_ratio(Counter(lengths))


def median_ratio(counts: Mapping[tuple[int, int], int]) -> float:
    """Return usual_ratio where it is only known how many pairs have so many characters in source
    and target: of two in the middle the lower one."""
    weighted = sorted(
        (smoothed_ratio(*lengths), n) for lengths, n in counts.items() if all(lengths)
    )
    n_before, n_pairs = 0, sum(n for _, n in weighted)
    for ratio, n in weighted:
        n_before += n
        if 2 * n_before >= n_pairs:
            return ratio
    return 1.0


def length_ratio(n_source: int, n_target: int, usual: float) -> float:
    """Return how many times longer or shorter than usual the target is: max(r, 1/r), r =
    smoothed_ratio / usual."""
    ratio = smoothed_ratio(n_source, n_target) / usual
    return max(ratio, 1 / ratio)


def split_by_source(
    pairs: RawPairs, n_valid: int, n_test: int, seed: int
) -> tuple[RawPairs, RawPairs, RawPairs]:
    """Train, valid and test of a text that comes in one piece; all pairs of one source go to the
    same split.

    n_valid and n_test count distinct sources, drawn by `seed`; pairs keep their order. Raises
    CorpusError when no source is left to train on.
    """
    sources = sorted(set(pairs.source))
    if min(n_valid, n_test) < 1 or n_valid + n_test >= len(sources):
        raise CorpusError(
            f"{pairs.name}: {n_valid} valid (--valid) and {n_test} test (--test) sources wanted of "
            f"{len(sources)} distinct: take at least 1 of each, and leave some for training"
        )
    random.Random(seed).shuffle(sources)
    split_of = dict.fromkeys(sources, "train")
    split_of.update(dict.fromkeys(sources[:n_test], "test"))
    split_of.update(dict.fromkeys(sources[n_test : n_test + n_valid], "valid"))
    rows_of: dict[str, list[int]] = {"train": [], "valid": [], "test": []}
    for row, source in enumerate(pairs.source):
        rows_of[split_of[source]].append(row)
    train, valid, test = (replace(pairs[rows], split=split) for split, rows in rows_of.items())
    return train, valid, test
