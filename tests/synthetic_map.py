"""Made-up maps of α and τ, for tests of what shows them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from seqkd_lab.studies.word_kd_map import place_name


def map_of(points: Iterable[Mapping]) -> dict:
    """The results of a map with these points: alpha, temperature, seed, bleu, valid, nll."""
    by_seed: dict = {}
    for point in points:
        row = {name: value for name, value in point.items() if name != "seed"}
        name = place_name((point["alpha"], point["temperature"]))
        by_seed.setdefault(str(point["seed"]), {})[name] = row
    return {"study": "word-kd-map", "settings": {}, "made_with": {}, "by_seed": by_seed}


def tiny_map(alphas=(0.0, 0.5, 1.0), temperatures=(0.5, 1.0, 2.0), seeds=(1, 2, 3)) -> dict:
    """A map of made-up numbers."""
    places = [(a, t) for a in alphas for t in (temperatures if a else (None,))]
    return map_of(
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
    )
