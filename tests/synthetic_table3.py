"""Results like Table 3's, made by formula: for tests that ask how they are read, drawn and
judged."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace
from pathlib import Path

from seqkd_lab.runs.recipes import BASELINE, SEQ_KD, TEACHER, ToyData
from seqkd_lab.runs.study import Study, write_study
from seqkd_lab.runs.verdicts import Rows
from seqkd_lab.studies.pruning.recipes import (
    DENSE,
    INT8,
    PRUNED,
    PRUNING,
    RETRAINED,
    Place,
    pruning_recipes,
)

SIZES = {TEACHER: 440_000, BASELINE: 165_000, SEQ_KD: 165_000, **dict.fromkeys(DENSE, 33_000)}
SHARES = (0.0, 0.5, 0.8)


def table3_of(
    seeds: tuple[int, ...] = (1, 2, 3),
    lost: float = 3.0,
    dense: float = 91.0,
    shares: tuple[float, ...] = SHARES,
) -> list[dict[str, dict]]:
    """Return rows like Table 3's of each seed, by formula: BLEU falls with the square of the share,
    by `lost` at 80% after retraining; the small dense students have `dense` BLEU."""
    preset = replace(PRUNING, shares=shares, retrained=(0.0, 0.8))
    places = list(pruning_recipes(ToyData(), preset, 1))
    places += [Place(SEQ_KD, share, INT8) for share in preset.retrained]
    return [
        {place.row: judged(place, seed, lost, dense) for place in places} | {"parameters": SIZES}
        for seed in seeds
    ]


def judged(place: Place, seed: int, lost: float, dense: float) -> dict:
    """Return a model of the table, by formula."""
    worse = {PRUNED: 90.0, RETRAINED: lost, INT8: 1.05 * lost}[place.stage]
    worse *= 1.2 if place.model == BASELINE else 1.0
    best = dense if place.model in DENSE else 95.0
    beam = best + 0.1 * seed - worse * (place.share / 0.8) ** 2
    kept = [None, *(1.0 - place.share * weight for weight in (0.8, 0.5, 0.3, 0.1))]
    beside = {"words_kept": kept} if place.model == SEQ_KD else {}
    return {
        **beside,
        "n_nonzero": round(SIZES[place.model] * (1 - place.share)),
        "greedy": beam - 1.0 - 0.1 * (place.model == BASELINE),
        "beam": beam,
        "valid": 0.9,
        "valid_beam": 0.92,
        "p_mode": 0.1,
    }


def write_rows(path: Path, study: Study, by_seed: Iterable[Mapping] | Iterable[Rows]) -> Path:
    """Write rows as the results of a study, and return the path."""
    write_study(path, study.heading(), {str(n): rows for n, rows in enumerate(by_seed, start=1)})
    return path
