"""Greedy search with a draft: a small model proposes words, the large one checks them in one call
(speculative decoding at temperature 0, `speculative`)."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from seqkd_lab.decoding.distribution import SamplingDistribution
from seqkd_lab.decoding.limits import rows_by_length, shortened
from seqkd_lab.decoding.search import Hypothesis
from seqkd_lab.decoding.speculative import speculative_sample
from seqkd_lab.finite import NotFiniteError
from seqkd_lab.models.seq2seq import Seq2Seq

GREEDY = SamplingDistribution(temperature=0.0)


def drafted_search(
    model: Seq2Seq,
    sources: Sequence[Sequence[str]],
    draft: Seq2Seq,
    draft_length: int = 4,
    batch_size: int = 1,
    progress: Callable[[int], None] | None = None,
) -> list[list[Hypothesis]]:
    """Translate `sources` as `search` does with a beam of 1, with `draft` proposing draft_length
    words at a time: for each a list of one hypothesis.

    The translations are those of greedy search, but for ties that rounding decides: words that are
    read in one call meet other products than words that are read one by one. Long sources and
    `progress` are as in `search`. Raise ValueError for a draft_length or batch_size below 1 and for
    models of different vocabularies; NotFiniteError where the model gives no translation a finite
    probability.
    """
    if batch_size < 1:
        raise ValueError(f"batch_size must be at least 1; got {batch_size}")
    sources = shortened(sources)
    results: list[list[Hypothesis]] = [[] for _ in sources]
    for rows in rows_by_length(sources, batch_size):
        together = [sources[i] for i in rows]
        written = speculative_sample(
            model, draft, together, 0, draft_length, GREEDY, batch_size=len(rows)
        )  # at temperature 0 nothing hangs on the seed
        for i, hypothesis in zip(rows, written, strict=True):
            if hypothesis.log_prob == float("-inf"):
                raise NotFiniteError(
                    f"the model gives no translation of sentence {i + 1} a probability"
                )
            results[i] = [hypothesis]
        if progress is not None:
            progress(len(rows))
    return results
