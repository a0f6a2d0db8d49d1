"""The distribution of a model's translations, one by one: the oracle that whatever samples from it
must agree with."""

from __future__ import annotations

from collections.abc import Sequence

import torch

from seqkd_lab.corpus.batching import source_batch
from seqkd_lab.corpus.vocabulary import BOS, EOS
from seqkd_lab.decoding.distribution import SamplingDistribution
from seqkd_lab.decoding.limits import longest_allowed
from seqkd_lab.models.seq2seq import Seq2Seq


@torch.inference_mode()
def likely_translations(
    model: Seq2Seq,
    source: Sequence[str],
    distribution: SamplingDistribution,
    least: float,
    max_length: int | None = None,
) -> dict[tuple[str, ...], float]:
    """Return every translation of `source` whose probability under `distribution` is at least
    `least`, with it.

    Prefixes grow together, and one less likely than `least` grows no further: what continues it is
    less likely still. As in sampling, a translation ends at max_length. Raise ValueError unless 0
    < least ≤ 1.
    """
    if not 0.0 < least <= 1.0:
        raise ValueError(
            f"least must lie in (0, 1], or there is no end to the translations; got {least}"
        )
    ids, lengths = source_batch([source], model.source_vocabulary, model.device)
    state, prefixes = model.start(ids, lengths), torch.full_like(ids[:, :1], BOS)
    p = torch.ones(1, dtype=torch.float64, device=ids.device)
    likely: dict[tuple[str, ...], float] = {}
    most = int(longest_allowed(lengths, max_length)[0])
    for length in range(1, most + 1):
        logits, state = model.step(prefixes[:, -1:], state)
        joint = p[:, None] * distribution(logits[:, -1]).double()  # (N, V)
        ends = joint[:, EOS] if length < most else p
        for row in (ends >= least).nonzero()[:, 0].tolist():
            likely[tuple(model.target_vocabulary.words(prefixes[row].tolist()))] = float(ends[row])
        joint[:, EOS] = 0.0
        rows, words = (joint >= least).nonzero(as_tuple=True)
        if not len(rows) or length == most:
            return likely
        prefixes, p = torch.cat([prefixes[rows], words[:, None]], dim=1), joint[rows, words]
        state = state.select(rows[None])
    return likely
