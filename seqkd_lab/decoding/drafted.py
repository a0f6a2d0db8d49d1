"""Greedy search with a draft: a small model proposes words, the large one checks them in one call
(speculative decoding at temperature 0, `speculative`)."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import torch

from seqkd_lab.corpus.batching import source_batch
from seqkd_lab.decoding.distribution import SamplingDistribution
from seqkd_lab.decoding.limits import longest_allowed, rows_by_length, shortened
from seqkd_lab.decoding.search import Hypothesis
from seqkd_lab.decoding.speculative import check_drafting, speculative_batch
from seqkd_lab.finite import NotFiniteError
from seqkd_lab.models.seq2seq import Seq2Seq, evaluating

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
    check_drafting(model, draft, draft_length, batch_size)
    sources = shortened(sources)
    results: list[list[Hypothesis]] = [[] for _ in sources]
    with evaluating(model, draft):
        for rows in rows_by_length(sources, batch_size):
            written = _hypotheses(model, draft, [sources[i] for i in rows], draft_length)
            for i, found in zip(rows, written, strict=True):
                if found.log_prob == float("-inf"):
                    raise NotFiniteError(
                        f"the model gives no translation of sentence {i + 1} a probability"
                    )
                results[i] = [found]
            if progress is not None:
                progress(len(rows))
    return results


def _hypotheses(
    model: Seq2Seq, draft: Seq2Seq, sources: Sequence[Sequence[str]], draft_length: int
) -> list[Hypothesis]:
    """Return the translations of one batch."""
    source, lengths = source_batch(sources, model.source_vocabulary, model.device)
    tokens, log_probs = speculative_batch(
        model,
        draft,
        source,
        lengths,
        longest_allowed(lengths),
        draft_length,
        GREEDY,
        torch.Generator(model.device),  # at temperature 0 nothing hangs on what is drawn
    )
    return [
        Hypothesis(tuple(model.target_vocabulary.words(ids)), log_prob, log_prob)
        for ids, log_prob in zip(tokens.tolist(), log_probs.tolist(), strict=True)
    ]
