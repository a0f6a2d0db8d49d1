"""Ranges and records that lesson 02 compares its run with."""

from __future__ import annotations

import math
from collections.abc import Mapping

from seqkd_lab.corpus.batching import Batch, encode, make_batch
from seqkd_lab.corpus.parallel import ParallelCorpus
from seqkd_lab.corpus.toy import ToyLanguage
from seqkd_lab.lab.teacher.attention import Alignment, alignments
from seqkd_lab.lab.teacher.loss_measures import PerToken
from seqkd_lab.models.lstm import LSTMSeq2Seq
from seqkd_lab.runs.committed import committed_seed
from seqkd_lab.runs.recipes import TEACHER
from seqkd_lab.runs.results import rows_by_seed


def committed_history(results: Mapping) -> dict[str, list[float]]:
    """Returns the history of the committed teacher's training from the results of Table 1, one
    entry an epoch."""
    return results["by_seed"][str(committed_seed())][TEACHER]["curves"]


def batch_of(model: LSTMSeq2Seq, corpus: ParallelCorpus, n_sentences: int) -> Batch:
    """Returns the first `n_sentences` pairs as one batch."""
    pairs = corpus[:n_sentences]
    return make_batch(
        encode(pairs, model.source_vocabulary, model.target_vocabulary), range(len(pairs))
    )


def hits_elsewhere(
    model: LSTMSeq2Seq, corpus: ParallelCorpus, language: ToyLanguage, here: Alignment
) -> tuple[float, float]:
    """Returns the range for the hits `here` that other sentences give: theirs ± 3 standard errors
    of the difference."""
    other = alignments(model, corpus, language)["all"]
    reach = 3.0 * math.hypot(other.error, here.error)
    return other.hits - reach, other.hits + reach


def perplexity_of(loss: float) -> float:
    """Returns the perplexity of a mean loss in nats a token."""
    return math.exp(loss)


def perplexities(results: Mapping, loss: PerToken) -> tuple[float, float]:
    """Returns the range of the teachers' perplexities on the test set over the seeds of Table 1.

    It is widened by 2 standard errors of `loss`, which other sentences gave.
    """
    seeds = [rows[TEACHER]["perplexity"] for rows in rows_by_seed(results)]
    spread = math.exp(2.0 * loss.error)
    return min(seeds) / spread, max(seeds) * spread
