"""The map of Word-KD in numbers: cells, differences by seed, the range for one more student."""

from __future__ import annotations

import statistics
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from seqkd_lab.lab.shared.digits import minus
from seqkd_lab.lab.shared.seeds import range_of_one_more
from seqkd_lab.runs.verdicts import UNDECIDED, mean_and_interval
from seqkd_lab.studies.word_kd_map import Place, map_points


@dataclass(frozen=True)
class Measure:
    """One of the map's numbers: its name, its unit's factor, its digits, and the fixed scale of its
    colours."""

    name: str
    label: str
    factor: float
    digits: int
    scale: tuple[float, float]
    more_is_better: bool = True


MEASURES = {
    "bleu": Measure("bleu", "greedy BLEU, all references", 1.0, 1, (20.0, 90.0)),
    "valid": Measure("valid", "greedy translations without a mistake, %", 100.0, 0, (0.0, 35.0)),
    "nll": Measure("nll", "NLL of gold, nats a token", 1.0, 2, (0.7, 2.0), more_is_better=False),
}


@dataclass(frozen=True)
class Cell:
    """One place of the map: its students' values in the order of their seeds."""

    values: tuple[float, ...]

    @property
    def mean(self) -> float:
        return statistics.fmean(self.values)

    @property
    def spread(self) -> float:
        """The standard deviation between seeds (n − 1 below); 0 for a single one."""
        return statistics.stdev(self.values) if len(self.values) > 1 else 0.0

    def one_more(self) -> tuple[float, float]:
        """Return where one more student lies with 95%; everywhere, for a single seed."""
        return range_of_one_more(self.values)


def cells(results: Mapping, measure: str = "bleu") -> dict[Place, Cell]:
    """Return the map by place; `measure` is a key of MEASURES. Only seeds that every place has
    count."""
    values: dict[Place, dict[int, float]] = {}
    for point in map_points(results):
        value = MEASURES[measure].factor * getattr(point, measure)
        values.setdefault((point.alpha, point.temperature), {})[point.seed] = value
    seeds = sorted(set.intersection(*map(set, values.values()))) if values else []
    places = sorted(values, key=lambda place: (place[0], place[1] or 0.0))
    return {place: Cell(tuple(values[place][seed] for seed in seeds)) for place in places}


def best(cells: Mapping[Place, Cell], measure: str = "bleu") -> Place:
    """Return the place of the best mean."""
    sign = 1.0 if MEASURES[measure].more_is_better else -1.0
    return max(cells, key=lambda place: sign * cells[place].mean)


def place_name(place: Place) -> str:
    """Return "α = 0.5, τ = 1", or "α = 0", for people."""
    alpha, temperature = place
    return f"α = {alpha:g}" if temperature is None else f"α = {alpha:g}, τ = {temperature:g}"


@dataclass(frozen=True)
class Difference:
    """One place minus another, seed by seed: the mean and its 95% interval. `clear`: the interval
    is without 0."""

    mean: float
    low: float
    high: float

    @property
    def clear(self) -> bool:
        return self.low > 0.0 or self.high < 0.0

    def __str__(self) -> str:
        verdict = "" if self.clear else f", {UNDECIDED}"
        return minus(f"{self.mean:+.1f} [{self.low:+.1f}, {self.high:+.1f}]{verdict}")


def difference(first: Cell, second: Cell) -> Difference:
    """Return first − second, paired: students of one seed began with equal weights and read the
    pairs in equal order."""
    differences = [a - b for a, b in zip(first.values, second.values, strict=True)]
    mean, (low, high) = mean_and_interval(differences)
    return Difference(mean, low, high)


def around(cells: Mapping[Place, Cell], alpha: float, temperature: float) -> list[Place]:
    """Return the places next to (α, τ), one to four; at a place of the map that place alone.

    The column α = 0 has one place for every τ. Raise ValueError outside of the map.
    """
    columns = _beside(sorted({a for a, _ in cells}), alpha)
    rows = _beside(sorted({t for _, t in cells if t is not None}), temperature)
    places: list[Place] = [(a, t) if (a, t) in cells else (a, None) for a in columns for t in rows]
    return list(dict.fromkeys(places))


def _beside(known: Sequence[float], value: float) -> list[float]:
    """Return the known value itself, or the nearest below and above it."""
    if not known or not known[0] <= value <= known[-1]:
        raise ValueError(
            f"the map reaches from {known[0]:g} to {known[-1]:g}; {value:g} is not on it"
        )
    return sorted({max(k for k in known if k <= value), min(k for k in known if k >= value)})


def expected_there(
    cells: Mapping[Place, Cell], alpha: float, temperature: float
) -> tuple[float, float]:
    """Return the range for one more student at (α, τ): of the places around it, the lowest and the
    highest of their ranges."""
    lows, highs = zip(
        *(cells[place].one_more() for place in around(cells, alpha, temperature)), strict=True
    )
    return min(lows), max(highs)
