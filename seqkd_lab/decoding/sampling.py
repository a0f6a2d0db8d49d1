"""Ancestral sampling: a translation drawn token by token from the model's own distribution.

Sampling from the teacher is NOT the paper's sequence-level distillation, which takes the mode;
later systems that say "SeqKD" often mean this (design note in distillation/sequence_level.py).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import torch
from torch import Tensor

from seqkd_lab.corpus.batching import source_batch
from seqkd_lab.corpus.vocabulary import BOS, EOS, PAD
from seqkd_lab.decoding.distribution import SamplingDistribution, draw
from seqkd_lab.decoding.limits import longest_allowed, shortened
from seqkd_lab.decoding.search import Hypothesis
from seqkd_lab.models.seq2seq import Seq2Seq, evaluating

DEFAULT_SAMPLING = SamplingDistribution()
"""The model's own distribution."""


@torch.inference_mode()
def sample_batch(
    model: Seq2Seq,
    source: Tensor,
    source_lengths: Tensor,
    max_length: Tensor,
    distribution: SamplingDistribution,
    generator: torch.Generator,
) -> tuple[Tensor, Tensor]:
    """Return one draw for each source (B, S): tokens (B, T), PAD after EOS, and log_prob (B,) at
    temperature 1.

    At its last position a sentence ends, as in search; the probability of that EOS counts.
    """
    state, token = model.start(source, source_lengths), torch.full_like(source_lengths, BOS)
    finished = torch.zeros_like(token, dtype=torch.bool)
    drawn, log_prob = [], torch.zeros(len(source), device=source.device)
    for t in range(1, int(max_length.max()) + 1):
        logits, state = model.step(token[:, None], state)  # (B, 1, V)
        logits = logits[:, 0]
        token = draw(distribution(logits), generator).masked_fill(max_length == t, EOS)  # (B,)
        step_log_prob = logits.log_softmax(dim=1).gather(1, token[:, None])[:, 0]
        log_prob = log_prob + step_log_prob.masked_fill(finished, 0.0)
        token = token.masked_fill(finished, PAD)
        drawn.append(token)
        finished = finished | (token == EOS)
        if finished.all():
            break
    return torch.stack(drawn, dim=1), log_prob


def sample(
    model: Seq2Seq,
    sources: Sequence[Sequence[str]],
    seed: int,
    distribution: SamplingDistribution = DEFAULT_SAMPLING,
    max_length: int | None = None,
    batch_size: int = 256,
    progress: Callable[[int], None] | None = None,
) -> list[Hypothesis]:
    """Return one translation of each source, its words drawn by `distribution` from the model's
    logits.

    log_prob is the model's own (temperature 1, no word cut off). Of a source of more than
    LONGEST_SOURCE tokens only the beginning is read, with a warning. Raise ValueError for a
    batch_size below 1, and NotFiniteError where the model's probabilities are not finite.
    """
    if batch_size < 1:
        raise ValueError(f"batch_size must be at least 1; got {batch_size}")
    generator, sources = torch.Generator(model.device).manual_seed(seed), shortened(sources)
    results: list[Hypothesis] = []
    with evaluating(model):
        for first in range(0, len(sources), batch_size):
            source, lengths = source_batch(
                sources[first : first + batch_size], model.source_vocabulary, model.device
            )
            longest = longest_allowed(lengths, max_length)
            tokens, log_probs = sample_batch(
                model, source, lengths, longest, distribution, generator
            )
            for ids, log_prob in zip(tokens.tolist(), log_probs.tolist(), strict=True):
                results.append(
                    Hypothesis(tuple(model.target_vocabulary.words(ids)), log_prob, log_prob)
                )
            if progress is not None:
                progress(len(lengths))
    return results
