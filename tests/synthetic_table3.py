"""Results like Table 3's, made by formula: for tests that ask how they are read, drawn and
judged."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace
from pathlib import Path

from seqkd_lab.runs.recipes import BASELINE, SEQ_KD, TEACHER, ToyData
from seqkd_lab.runs.study import Study, write_study
from seqkd_lab.runs.verdicts import Rows
from seqkd_lab.studies.pruning.costs import BATCHES, DENSE, DENSE_INT8, SPARSE, SPARSE_INT8, Cost
from seqkd_lab.studies.pruning.recipes import (
    INT8,
    PRUNED,
    PRUNING,
    RETRAINED,
    TUNED,
    Place,
    class_blind,
    pruning_recipes,
)


def table3_of(
    seeds: tuple[int, ...] = (1, 2, 3),
    shares: tuple[float, ...] = (0.0, 0.5, 0.8, 0.9),
    lost: float = 3.0,
) -> list[dict[str, dict]]:
    """Return rows like Table 3's of each seed, by formula: BLEU falls with the square of the share,
    by `lost` at 100% after retraining."""
    places = list(pruning_recipes(ToyData(), replace(PRUNING, shares=shares), 1))
    places += [class_blind(SEQ_KD, share, INT8) for share in shares]
    sizes = {TEACHER: 440_000, BASELINE: 165_000, SEQ_KD: 165_000}
    by_seed: list[dict[str, dict]] = [
        {place.row: judged(place, seed, lost) for place in places} | {"parameters": sizes}
        for seed in seeds
    ]
    by_seed[0]["costs"] = {str(share): cost_of(share) for share in shares}
    by_seed[0]["examples"] = {
        source: {
            stage: {str(share): example(share, stage) for share in shares}
            for stage in (PRUNED, RETRAINED)
        }
        for source in ("one & two .", "a <b>")
    }
    return by_seed


def example(share: float, stage: str) -> dict:
    """Return a translation that must be escaped."""
    return {"text": f"{share:.0%} <b>{stage}</b>", "fault": "✗ <i>" if share > 0.5 else None}


def judged(place: Place, seed: int, lost: float) -> dict:
    """Return a model of the table, by formula."""
    size = 440_000 if place.model == TEACHER else 165_000
    worse = {PRUNED: 90.0, RETRAINED: lost, TUNED: 1.1 * lost, INT8: 1.05 * lost}[place.stage]
    worse *= 1.2 if place.model == BASELINE else 1.0
    beam = 95.0 + 0.1 * seed - worse * place.share**2
    return {
        "n_nonzero": round(size * (1 - place.share)),
        "greedy": beam - 1.0,
        "beam": beam,
        "valid": 0.9,
        "valid_beam": 0.92,
        "p_mode": 0.1,
        "perplexity": 2.0,
        "length_ratio": 1.0,
        "words_kept": [None, *(1.0 - place.share * weight for weight in (0.8, 0.5, 0.3, 0.1))],
        "zeros": {"source_embedding": 0.5 * place.share, "output": min(1.0, 1.1 * place.share)},
    }


def cost_of(share: float) -> Cost:
    """Return what a level costs, by formula."""
    size = 660_000
    file = {
        DENSE: size,
        SPARSE: round(1.5 * size * (1 - share)),
        DENSE_INT8: size // 4,
        SPARSE_INT8: round(0.75 * size * (1 - share)),
    }
    return {
        "file": file,
        "compressed": {form: round(0.9 * n) for form, n in file.items()},
        "memory": {DENSE: size, SPARSE: size // 2},
        "speed": {
            batch: {DENSE: [1000.0, 1100.0], SPARSE: [500.0, 1500.0 * share]} for batch in BATCHES
        },
    }


def write_rows(path: Path, study: Study, by_seed: Iterable[Mapping] | Iterable[Rows]) -> Path:
    """Write rows as the results of a study, and return the path."""
    write_study(path, study.heading(), {str(n): rows for n, rows in enumerate(by_seed, start=1)})
    return path
