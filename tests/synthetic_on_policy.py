"""Results like those of the on-policy study, made by formula: each arm a little better than
the one before."""

from __future__ import annotations

from seqkd_lab.distillation.exposure import WRITERS
from seqkd_lab.studies.on_policy.claims import GRADIENT
from seqkd_lab.studies.on_policy.gradients import ESTIMATORS
from seqkd_lab.studies.on_policy.measures import ENTROPY
from seqkd_lab.studies.on_policy.recipes import ARMS, FORWARD, REVERSE, START

COSINES = (1.0, 0.99, 0.99, 1.0, 0.6, 0.58)
VARIANCES = (1.0, 8.0, 6.0, 4.0, 60.0, 30.0)
NORMS = (1.0, 1.0, 1.01, 0.99, 2.0, 2.1)


def measured(place: int, seed: int) -> dict:
    """Arm number `place` of a seed."""
    exposure = {
        writer: {
            "per_token": {
                FORWARD: 0.2 + 0.1 * row - 0.003 * place,
                REVERSE: 0.3 + 0.1 * row - 0.01 * place - 0.0001 * seed * place,
                ENTROPY: 0.9 - 0.03 * place - 0.001 * seed,
            },
            "by_place": [0.1 * row + 0.01 * t for t in range(6)],
            "n": [300, 300, 250, 100, 30 + seed, 5],
        }
        for row, writer in enumerate(WRITERS)
    }
    return {
        "greedy_validity": 0.5 + 0.01 * place + 0.001 * seed * (place % 2),
        "greedy_words": 1.1,
        "drawn_validity": 0.2 + 0.01 * place,
        "drawn_words": 1.1 - 0.001 * place,
        "bleu": 80.0 + place + 0.1 * seed,
        "length_ratio": 1.0,
        "exposure": exposure,
        "tokens": 100_000 * (place > 0),
    }


def gradient(seed: int) -> dict:
    """The estimators of a seed."""
    parts = {"cosine": COSINES, "variance": VARIANCES, "norm": NORMS}
    return {
        kind: {
            name: value * (1.0 + 0.001 * seed)
            for name, value in zip(ESTIMATORS, values, strict=True)
        }
        for kind, values in parts.items()
    }


def by_seed(n_seeds: int = 3) -> list[dict]:
    """The measurements of some seeds, as a results file has them."""
    return [
        {GRADIENT: gradient(seed)}
        | {name: measured(place, seed) for place, name in enumerate((START, *ARMS))}
        for seed in range(1, n_seeds + 1)
    ]
