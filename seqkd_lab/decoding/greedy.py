"""Greedy search in a loop of its own: what beam search does with K = 1, number for number, without
places of a beam to keep. For a single sentence those cost more than the model's products."""

from __future__ import annotations

import torch
from torch import Tensor

from seqkd_lab.corpus.vocabulary import BOS, EOS
from seqkd_lab.models.seq2seq import Seq2Seq

Written = tuple[Tensor, Tensor]
"""A finished translation: BOS, its tokens and EOS (T + 2,), and its log-probability, a number."""


def next_log_prob(logits: Tensor, last: Tensor | None) -> Tensor:
    """Return log p (B, V) of the next token, given logits (B, V). PAD and BOS are never written;
    where `last` (B,), only EOS is."""
    never, log_prob = float("-inf"), logits.log_softmax(dim=1)
    log_prob[:, :EOS] = never  # PAD and BOS are the ids before EOS
    if last is not None:
        token = torch.arange(log_prob.shape[1], device=last.device)
        log_prob.masked_fill_(last[:, None] & (token != EOS), never)
    return log_prob


@torch.inference_mode()
def greedy_batch(
    model: Seq2Seq, source: Tensor, source_lengths: Tensor, max_length: Tensor
) -> list[Written]:
    """Translate `source` (B, S), always going on with the likeliest token. `max_length` (B,) bounds
    each sentence's own translation, EOS included. Finished sentences leave the batch."""
    B, device = len(source), source.device
    state, sentences = model.start(source, source_lengths), torch.arange(B, device=device)
    tokens, log_prob = torch.full((B, 1), BOS, device=device), torch.zeros(B, 1, device=device)
    results: dict[int, Written] = {}
    shortest, longest = int(max_length.min()), int(max_length.max())
    for t in range(1, longest + 1):
        logits, state = model.step(tokens[:, -1:], state)  # (B, 1, V)
        last = max_length[sentences] == t if t >= shortest else None
        log_prob, token = next_log_prob(logits[:, 0], last).add_(log_prob).topk(1)  # (B, 1)
        tokens = torch.cat([tokens, token], dim=1)
        ended = token[:, 0] == EOS
        if last is not None:
            ended |= last
        if not ended.any():
            continue
        finished = zip(tokens[ended], log_prob[ended, 0], strict=True)
        results.update(zip(sentences[ended].tolist(), finished, strict=True))
        if len(results) == B:
            break
        stay = (~ended).nonzero()  # (B', 1)
        tokens, log_prob, sentences = (of[stay[:, 0]] for of in (tokens, log_prob, sentences))
        state = state.select(stay)
    return [results[b] for b in range(B)]
