"""The toy corpus and small random models that can read it, for the tests of figures and views."""

from __future__ import annotations

from dataclasses import asdict, replace

import pytest
import torch

from seqkd_lab.compression.pruning import CLASS_BLIND
from seqkd_lab.experiments.data import Dataset, load_toy
from seqkd_lab.experiments.presets import PRUNING
from seqkd_lab.experiments.pruning_costs import BATCHES, DENSE, DENSE_INT8, SPARSE, SPARSE_INT8, Cost
from seqkd_lab.experiments.pruning_recipes import INT8, PRUNED, RETRAINED, TUNED, Place, pruning_recipes
from seqkd_lab.experiments.pruning_table import Example, PrunedModel
from seqkd_lab.experiments.recipes import BASELINE, SEQ_KD, TEACHER, ToyData
from seqkd_lab.models.lstm import LSTMSeq2Seq, LSTMSpec


@pytest.fixture(scope="session")
def toy() -> Dataset:
    """The toy corpus with 300 pairs to train on, and its language."""
    return load_toy(ToyData(300))


@pytest.fixture(scope="session")
def toy_models(toy: Dataset) -> dict[str, LSTMSeq2Seq]:
    """A teacher and two students with random weights, their distributions uneven."""
    models = {}
    for seed, name in enumerate(("teacher", "baseline", "seq-kd")):
        torch.manual_seed(seed)
        model = LSTMSeq2Seq(LSTMSpec(width=8), toy.source_vocabulary, toy.target_vocabulary)
        with torch.no_grad():
            for parameter in model.parameters():
                parameter.mul_(2.5)
        models[name] = model.eval()
    return models


def table3_of(seeds: tuple[int, ...] = (1, 2, 3), shares: tuple[float, ...] = (0.0, 0.5, 0.8, 0.9)) -> dict:
    """Results like Table 3's, by formula: BLEU falls with the share, less after retraining, least for the teacher."""
    preset = replace(PRUNING, shares=shares, steps=(0.5, 0.8, 0.9))
    points = [judged(place, seed) for seed in seeds for place in pruning_recipes(ToyData(), preset, seed)]
    points += [judged(place._replace(stage=INT8), seed) for seed in seeds for share in shares
               for place in [Place(SEQ_KD, CLASS_BLIND, share, RETRAINED)]]
    costs = [asdict(cost_of(share)) for share in shares]
    examples = [asdict(Example(source, share, stage, f"{share:.0%} <b>{stage}</b>", "✗ <i>" if share > 0.5 else None))
                for source in ("one & two .", "a <b>") for share in shares for stage in (PRUNED, RETRAINED)]
    sizes = {TEACHER: 440_000, BASELINE: 165_000, SEQ_KD: 165_000}
    return {"data": "", "preset": {}, "parameters": sizes, "costs": costs, "examples": examples, "made_with": {},
            "points": [asdict(point) for point in points]}


def judged(place: Place, seed: int) -> PrunedModel:
    """A model of the table, by formula."""
    size = 440_000 if place.model == TEACHER else 165_000
    worse = {PRUNED: 90.0, RETRAINED: 3.0, TUNED: 3.5, INT8: 3.2}[place.stage] * (1.2 if place.model == BASELINE else 1)
    beam = 95.0 + 0.1 * seed - worse * place.share**2
    zeros = {"source_embedding": 0.5 * place.share, "output": min(1.0, 1.1 * place.share)}
    kept = (None, *(1.0 - place.share * weight for weight in (0.8, 0.5, 0.3, 0.1)))
    return PrunedModel(*place, seed, round(size * (1 - place.share)), beam - 1.0, beam, 0.9, 0.92, 0.1, 2.0, 1.0, kept,
                       zeros)


def cost_of(share: float) -> Cost:
    """What a level costs, by formula."""
    size = 660_000
    file = {DENSE: size, SPARSE: round(1.5 * size * (1 - share)), DENSE_INT8: size // 4,
            SPARSE_INT8: round(0.75 * size * (1 - share))}
    speed = {batch: {DENSE: [1000.0, 1100.0], SPARSE: [500.0, 1500.0 * share]} for batch in BATCHES}
    compressed = {form: round(0.9 * n) for form, n in file.items()}
    return Cost(share, file, compressed, {DENSE: size, SPARSE: size // 2}, speed)


@pytest.fixture(scope="session")
def table3() -> dict:
    """Results like Table 3's, made by formula."""
    return table3_of()
