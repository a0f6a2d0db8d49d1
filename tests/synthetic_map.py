"""A made-up map of α and τ, for tests of the trainer beside it."""

from __future__ import annotations


def tiny_map(alphas=(0.0, 0.5, 1.0), temperatures=(0.5, 1.0, 2.0), seeds=(1, 2, 3)) -> dict:
    """A map of made-up numbers."""
    places = [(a, t) for a in alphas for t in (temperatures if a else (None,))]
    points = [
        {
            "alpha": a,
            "temperature": t,
            "seed": seed,
            "bleu": 60.0 + 10 * a + seed,
            "valid": 0.1,
            "nll": 1.0,
        }
        for a, t in places
        for seed in seeds
    ]
    return {"points": points}
