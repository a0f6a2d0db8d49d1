"""Results like those of the on-policy study, made by formula: each arm a little better than
the one before."""

from __future__ import annotations

from seqkd_lab.distillation.exposure import WRITERS
from seqkd_lab.studies.on_policy.measures import DISCOUNT_0, DISCOUNT_1, ENTROPY, FULL
from seqkd_lab.studies.on_policy.recipes import ARMS, FORWARD, REVERSE, START


def measured(place: int, seed: int) -> dict:
    """Arm number `place` of a seed."""
    search = {
        "bleu": 80.0 + place + 0.1 * seed,
        "validity": 0.3 + 0.02 * place,
        "length_ratio": 1.0,
    }
    exposure = {
        writer: {
            "per_token": {
                FORWARD: 0.2 + 0.1 * row,
                REVERSE: 0.3 + 0.1 * row - 0.01 * place,
                ENTROPY: 0.9 - 0.03 * place,
            },
            "by_place": [0.1 * row + 0.01 * t for t in range(6)],
            "n": [500, 400, 300, 100, 30 + seed, 5],
        }
        for row, writer in enumerate(WRITERS)
    }
    return {
        "greedy": search,
        "beam": search,
        "perplexity": 3.0,
        "p_mode": 0.01,
        "kl_to_truth": 0.1 + 0.01 * place,
        "drawn_validity": 0.2 + 0.01 * place,
        "exposure": exposure,
        "tokens": 100_000 * (place > 0),
    }


def by_seed(n_seeds: int = 3) -> list[dict]:
    """The measurements of some seeds, as a results file has them."""
    pairs = {
        f"{FULL} / {DISCOUNT_0}": 0.99,
        f"{FULL} / {DISCOUNT_1}": 0.6,
        f"{DISCOUNT_0} / {DISCOUNT_1}": 0.59,
    }
    variance = {FULL: 1.0, DISCOUNT_0: 5.0, DISCOUNT_1: 40.0}
    return [
        {
            "arms": {name: measured(place, seed) for place, name in enumerate((START, *ARMS))},
            "teacher": {},
            "gradient": {"cosine": pairs, "variance": variance, "norm": variance},
        }
        for seed in range(1, n_seeds + 1)
    ]
