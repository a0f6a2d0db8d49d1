"""BLEU on validation text after each epoch, where the best epoch is to be chosen by it."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from seqkd_lab.corpus.parallel import ParallelCorpus
from seqkd_lab.decoding.search import search
from seqkd_lab.evaluation import reference_streams
from seqkd_lab.metrics import bleu_metric
from seqkd_lab.models.seq2seq import Seq2Seq

MOST_SENTENCES = 500
"""A greedy search of so many takes seconds, and their BLEU ranks the epochs of one run well
enough."""


class ValidationBLEU:
    """sacreBLEU (0–100) of a model's greedy translations of the first MOST_SENTENCES of `valid`.

    decode turns tokens into text. The tokeniser follows the script of the references unless
    `tokenize` names one.
    """

    def __init__(
        self,
        valid: ParallelCorpus,
        decode: Callable[[Sequence[str]], str],
        tokenize: str | None = None,
    ) -> None:
        first = valid[:MOST_SENTENCES]
        self.sources, self.decode = first.source, decode
        self.metric = bleu_metric(reference_streams(first, decode), tokenize)

    def __call__(self, model: Seq2Seq) -> float:
        """Return BLEU of `model` as it is now."""
        texts = [
            self.decode(n_best[0].tokens) if n_best else ""
            for n_best in search(model, self.sources)
        ]
        return self.metric.corpus_score(texts, None).score
