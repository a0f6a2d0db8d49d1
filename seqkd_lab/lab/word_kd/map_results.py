"""What the map of α and τ says: cells, differences by seed, which places are better, and what the
seeds leave undecided."""

from __future__ import annotations

import statistics
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from seqkd_lab.lab.shared.digits import minus, signed
from seqkd_lab.lab.shared.lesson import Markdown
from seqkd_lab.lab.shared.predictions import CANNOT_TELL
from seqkd_lab.lab.shared.seeds import range_of_one_more
from seqkd_lab.runs.verdicts import UNDECIDED, mean_and_interval
from seqkd_lab.studies.word_kd_map import Place, map_points, place_name


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


GOLD_ALONE: Place = (0.0, None)
SHARPEST: Place = (1.0, 0.5)
CANDIDATES: tuple[Place, ...] = (GOLD_ALONE, (0.5, 1.0), SHARPEST, (1.0, 1.0), (1.0, 4.0))
LOWER = "lower than gold alone's"
HIGHER = "higher than gold alone's"
ALL_TEACHER = "α = 1 is better"
HALF = "α = 0.5 is better"


def best_place(bleu: Mapping[Place, Cell]) -> str:
    """Return the name of the candidate that is best in BLEU; CANNOT_TELL where the seeds leave
    another one open."""
    tested = {place: bleu[place] for place in CANDIDATES}
    top = best(tested)
    others = (cell for place, cell in tested.items() if place != top)
    if all(difference(tested[top], cell).clear for cell in others):
        return place_name(top)
    return CANNOT_TELL


def which_side(gap: Difference, above: str, below: str) -> str:
    """Return `above` or `below` where the whole interval lies on one side of 0, else
    CANNOT_TELL."""
    if not gap.clear:
        return CANNOT_TELL
    return above if gap.mean > 0.0 else below


def all_teacher(bleu: Mapping[Place, Cell]) -> str:
    """Return the option that is right: α = 1 or α = 0.5, at τ = 1, by BLEU."""
    return which_side(difference(bleu[1.0, 1.0], bleu[0.5, 1.0]), ALL_TEACHER, HALF)


def likelihood_there(nll: Mapping[Place, Cell]) -> str:
    """Return the option that is right: the NLL of gold at α = 1 and τ = 0.5, beside that of gold
    alone."""
    return which_side(difference(nll[SHARPEST], nll[GOLD_ALONE]), HIGHER, LOWER)


def bleu_in_words(bleu: Mapping[Place, Cell]) -> Markdown:
    """Say which place is best, and whether the teacher alone differs from half and half at τ =
    1."""
    top, more = best(bleu), difference(bleu[1.0, 1.0], bleu[0.5, 1.0])
    gain = difference(bleu[top], bleu[GOLD_ALONE])
    end = "." if more.clear else ": with so many seeds the two cannot be told apart."
    return Markdown(
        f"The best place is **{place_name(top)}**: {bleu[top].mean:.1f} BLEU, "
        f"{with_interval(gain)} against gold alone. At τ = 1, α = 1 minus α = 0.5 is "
        f"{with_interval(more)}{end}"
    )


def nll_in_words(bleu: Mapping[Place, Cell], nll: Mapping[Place, Cell]) -> Markdown:
    """Say whether the place that is best for translating is also the best for predicting gold."""
    top, likeliest = best(bleu), best(nll, "nll")
    worse = difference(nll[top], nll[GOLD_ALONE])
    if top == likeliest:
        verdict = "So here the same place is the best for both."
    elif which_side(worse, HIGHER, LOWER) == HIGHER:
        verdict = (
            "So the best translator is **not** the best predictor of gold. A low τ makes it surer "
            "of one translation, and gold is often another one. Lesson 06 returns to this."
        )
    else:
        verdict = (
            "So the two maps have different best places; the seeds do not show that the best "
            "translator predicts gold worse than gold alone does."
        )
    return Markdown(
        f"The best place for BLEU, {place_name(top)}, has an NLL of gold of {nll[top].mean:.2f}; "
        f"gold alone has {nll[GOLD_ALONE].mean:.2f}. The difference is "
        f"{with_interval(worse, 2, 'nats')}. The lowest NLL stands at {place_name(likeliest)}, "
        f"with {nll[likeliest].mean:.2f}. {verdict}"
    )


def differences_table(bleu: Mapping[Place, Cell]) -> Markdown:
    """Show each place minus gold alone, paired by seed, with the 95% interval and the verdict; and
    sum up τ = 1."""
    head = "| place | BLEU minus gold alone | 95% interval | verdict |\n|---|---|---|---|\n"
    gaps = {
        place: difference(cell, bleu[GOLD_ALONE])
        for place, cell in bleu.items()
        if place != GOLD_ALONE
    }
    rows = [
        f"| {place_name(place)} | {signed(gap.mean, 1)} | {signed(gap.low, 1)} to "
        f"{signed(gap.high, 1)} | {verdict(gap)} |"
        for place, gap in gaps.items()
    ]
    return Markdown(head + "\n".join(rows) + "\n\n" + _reproduced(gaps))


def verdict(gap: Difference) -> str:
    """Return "better", "worse" or "undecided", by the lab's one rule."""
    if not gap.clear:
        return UNDECIDED
    return "better" if gap.mean > 0.0 else "worse"


def _reproduced(gaps: Mapping[Place, Difference]) -> str:
    """Sum up what the map says of the paper's own objective, τ = 1."""
    faithful = {place: gap for place, gap in gaps.items() if place[1] == 1.0}
    better = [place_name(place) for place, gap in faithful.items() if verdict(gap) == "better"]
    if better:
        return (
            "**Reproduced**: at τ = 1, which is the paper's objective, Word-KD is better than "
            f"gold alone at {'; '.join(better)}."
        )
    return (
        "**Not reproduced**: the paper reports a small gain from Word-KD. At τ = 1, which is the "
        "paper's objective, these students show no gain that the seeds decide, at any α."
    )


def with_interval(gap: Difference, digits: int = 1, unit: str = "BLEU") -> str:
    """Return "+1.9 BLEU (95% interval −3.3 to +7.2)"."""
    return (
        f"{signed(gap.mean, digits)} {unit} (95% interval {signed(gap.low, digits)} to "
        f"{signed(gap.high, digits)})"
    )
