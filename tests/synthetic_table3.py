"""Results like Table 3's, made by formula: for tests that ask how they are read, drawn and
judged."""

from __future__ import annotations

from dataclasses import asdict, replace

from seqkd_lab.compression.pruning import CLASS_BLIND
from seqkd_lab.runs.recipes import BASELINE, SEQ_KD, TEACHER, ToyData
from seqkd_lab.studies.pruning.costs import BATCHES, DENSE, DENSE_INT8, SPARSE, SPARSE_INT8, Cost
from seqkd_lab.studies.pruning.recipes import (
    INT8,
    PRUNED,
    PRUNING,
    RETRAINED,
    TUNED,
    Place,
    pruning_recipes,
)
from seqkd_lab.studies.pruning.table import Example, PrunedModel


def table3_of(
    seeds: tuple[int, ...] = (1, 2, 3),
    shares: tuple[float, ...] = (0.0, 0.5, 0.8, 0.9),
    lost: float = 3.0,
) -> dict:
    """Results like Table 3's, by formula: BLEU falls with the square of the share, by `lost` at
    100% after retraining."""
    preset = replace(PRUNING, shares=shares)
    points = [
        judged(place, seed, lost)
        for seed in seeds
        for place in pruning_recipes(ToyData(), preset, seed)
    ]
    points += [
        judged(place._replace(stage=INT8), seed, lost)
        for seed in seeds
        for share in shares
        for place in [Place(SEQ_KD, CLASS_BLIND, share, RETRAINED)]
    ]
    costs = [asdict(cost_of(share)) for share in shares]
    examples = [
        asdict(
            Example(
                source,
                share,
                stage,
                f"{share:.0%} <b>{stage}</b>",
                "✗ <i>" if share > 0.5 else None,
            )
        )
        for source in ("one & two .", "a <b>")
        for share in shares
        for stage in (PRUNED, RETRAINED)
    ]
    sizes = {TEACHER: 440_000, BASELINE: 165_000, SEQ_KD: 165_000}
    return {
        "data": "",
        "preset": {},
        "parameters": sizes,
        "costs": costs,
        "examples": examples,
        "made_with": {},
        "points": [asdict(point) for point in points],
    }


def judged(place: Place, seed: int, lost: float) -> PrunedModel:
    """A model of the table, by formula."""
    size = 440_000 if place.model == TEACHER else 165_000
    worse = {PRUNED: 90.0, RETRAINED: lost, TUNED: 1.1 * lost, INT8: 1.05 * lost}[place.stage]
    worse *= 1.2 if place.model == BASELINE else 1.0
    beam = 95.0 + 0.1 * seed - worse * place.share**2
    zeros = {"source_embedding": 0.5 * place.share, "output": min(1.0, 1.1 * place.share)}
    kept = (None, *(1.0 - place.share * weight for weight in (0.8, 0.5, 0.3, 0.1)))
    return PrunedModel(
        *place,
        seed,
        round(size * (1 - place.share)),
        beam - 1.0,
        beam,
        0.9,
        0.92,
        0.1,
        2.0,
        1.0,
        kept,
        zeros,
    )


def cost_of(share: float) -> Cost:
    """What a level costs, by formula."""
    size = 660_000
    file = {
        DENSE: size,
        SPARSE: round(1.5 * size * (1 - share)),
        DENSE_INT8: size // 4,
        SPARSE_INT8: round(0.75 * size * (1 - share)),
    }
    speed = {batch: {DENSE: [1000.0, 1100.0], SPARSE: [500.0, 1500.0 * share]} for batch in BATCHES}
    compressed = {form: round(0.9 * n) for form, n in file.items()}
    return Cost(share, file, compressed, {DENSE: size, SPARSE: size // 2}, speed)
