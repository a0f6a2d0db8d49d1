"""What is measured on validation text after each epoch: the loss, and BLEU where the best epoch is
to be chosen by it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from itertools import islice

from seqkd_lab.corpus.batching import EncodedCorpus, limited_batches
from seqkd_lab.corpus.parallel import ParallelCorpus
from seqkd_lab.decoding.search import search
from seqkd_lab.distillation.losses import nll
from seqkd_lab.evaluation import reference_streams
from seqkd_lab.finite import check_loss
from seqkd_lab.metrics import bleu_metric
from seqkd_lab.models.seq2seq import Seq2Seq, evaluating
from seqkd_lab.processes import ALONE, Job


def validation_loss(
    model: Seq2Seq, encoded: EncodedCorpus, batch_size: int = 128, job: Job = ALONE
) -> float:
    """Return NLL of gold in nats a token, teacher forcing, dropout off; the processes of `job`
    share the batches.

    Batches have at most `batch_size` sentences, and fewer where they are long (limited_batches).
    Raise DivergenceError where the loss is not finite.
    """
    total, n_tokens = 0.0, 0
    with evaluating(model):
        for batch in islice(limited_batches(encoded, batch_size), job.rank, None, job.size):
            batch = batch.to(model.device)
            logits = model(batch)
            loss = nll(logits, batch.target_out)
            check_loss(loss, logits)
            total += loss.item() * batch.n_tokens
            n_tokens += batch.n_tokens
    return job.total(total) / job.total(n_tokens)


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
