"""Made-up outputs with their importance, for tests of the token explorer."""

from __future__ import annotations

import torch

from seqkd_lab.corpus.toy.planted import FAR, KINDS
from seqkd_lab.distillation.tip import Importance
from seqkd_lab.lab.token_importance.measures import LabelledBatch


def batch_of(*lengths: int, seed: int = 1) -> LabelledBatch:
    """Made-up outputs of these lengths; the first token of each is a far mistake: sure and
    far."""
    generator = torch.Generator().manual_seed(seed)
    B, T = len(lengths), max(lengths)
    h, delta, forward = (torch.rand(B, T, generator=generator) for _ in range(3))
    h[:, 0], delta[:, 0], forward[:, 0] = 0.0, 20.0, 20.0
    real = torch.arange(T) < torch.tensor(lengths)[:, None]
    kinds = tuple((FAR, *(KINDS[1 + t % (len(KINDS) - 1)] for t in range(n - 1))) for n in lengths)
    outputs = tuple(tuple(f"w{b}.{t}" for t in range(n)) for b, n in enumerate(lengths))
    return LabelledBatch(
        tuple((f"source {b}",) for b in range(B)),
        outputs,
        kinds,
        Importance(h, delta, forward, real),
    )
