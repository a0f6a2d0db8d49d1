"""Which words a smaller model stops writing: those of its translations before, by how often
training showed them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence

from seqkd_lab.corpus.parallel import ParallelCorpus

EDGES = (100, 300, 1000, 3000)
"""Occurrences in the training set at which one class of words ends and the next, more frequent one
begins."""
FREQUENCIES = (
    f"below {EDGES[0]}",
    *(f"{low:,} to {high - 1:,}" for low, high in zip(EDGES, EDGES[1:], strict=False)),
    f"{EDGES[-1]:,} and more",
)


def training_counts(corpus: ParallelCorpus) -> Counter[str]:
    """How often each target word stands in `corpus`."""
    return Counter(word for target in corpus.target for word in target)


def frequency_class(count: int) -> int:
    """The place in FREQUENCIES of a word that training showed `count` times."""
    return sum(count >= edge for edge in EDGES)


def kept_words(
    before: Sequence[Sequence[str]], after: Sequence[Sequence[str]], counts: Mapping[str, int]
) -> tuple[float, ...]:
    """For each of FREQUENCIES, the share of the words in translations `before` that those `after`
    hold, too.

    Sentence by sentence, wherever a word stands in it, each as often as it stands there. NaN for a
    class without words. Raises ValueError for lists that are not of one length.
    """
    if len(before) != len(after):
        raise ValueError(
            f"the same sentences, please: {len(before)} translations before and {len(after)} after"
        )
    had, kept = [0] * len(FREQUENCIES), [0] * len(FREQUENCIES)
    for old, new in zip(map(Counter, before), map(Counter, after), strict=True):
        for word, n in old.items():
            place = frequency_class(counts.get(word, 0))
            had[place] += n
            kept[place] += min(n, new[word])
    return tuple(k / n if n else float("nan") for k, n in zip(kept, had, strict=True))
