"""What a model thinks of given translations: log p(target | source), per token and per sentence."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import torch
from torch import Tensor

from seqkd_lab.corpus.batching import Batch, encode, limited_batches
from seqkd_lab.corpus.parallel import ParallelCorpus
from seqkd_lab.corpus.vocabulary import PAD
from seqkd_lab.devices import CPU
from seqkd_lab.finite import check_log_probs
from seqkd_lab.models.seq2seq import Seq2Seq, evaluating


def token_log_probs(logits: Tensor, batch: Batch) -> Tensor:
    """log p(y_t | s, y_<t) (B, T) of the batch's own target tokens, 0 where a sentence is
    padded."""
    log_prob = logits.log_softmax(dim=2).gather(2, batch.target_out[:, :, None]).squeeze(2)
    return log_prob.masked_fill(batch.target_out == PAD, 0.0)


def corpus_log_probs(
    model: Seq2Seq, corpus: ParallelCorpus, batch_size: int = 128
) -> tuple[list[float], int]:
    """Return log p(target, EOS | source) in nats for each sentence pair, in corpus order, and the
    number of target tokens. Raise NotFiniteError where one is NaN."""
    encoded = encode(corpus, model.source_vocabulary, model.target_vocabulary)
    log_probs, n_tokens = [0.0] * len(corpus), 0
    with evaluating(model):
        for batch in limited_batches(encoded, batch_size):
            batch = batch.to(model.device)
            sums = token_log_probs(model(batch), batch).sum(dim=1)
            for row, log_prob in zip(batch.rows.tolist(), sums.tolist(), strict=True):
                log_probs[row] = log_prob
            n_tokens += batch.n_tokens
        check_log_probs(torch.tensor(log_probs, device=CPU), "sentence pair")
    return log_probs, n_tokens


def sentence_log_probs(
    model: Seq2Seq, sources: Iterable[Sequence[str]], targets: Iterable[Sequence[str]]
) -> list[float]:
    """Return log p(target, EOS | source) in nats for each pair. Raise ValueError when the two
    differ in number, and NotFiniteError where a probability is NaN."""
    source, target = tuple(map(tuple, sources)), tuple(map(tuple, targets))
    if len(source) != len(target):
        raise ValueError(f"{len(source)} sources and {len(target)} targets: every pair needs both")
    if not source:
        return []
    pairs = ParallelCorpus(name="pairs", split="scored", licence="", source=source, target=target)
    return corpus_log_probs(model, pairs)[0]
