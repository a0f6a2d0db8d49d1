"""Two rows of Table 1 against each other: seed by seed, and their difference with its verdict."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from matplotlib.axes import Axes
from matplotlib.figure import Figure

from seqkd_lab.lab.paper_table.claims import ALLOWED, OUTCOMES, span_of
from seqkd_lab.lab.shared.picture import BlittedFigure
from seqkd_lab.lab.shared.seeds import draw_seeds
from seqkd_lab.lab.shared.style import BLUE, LIGHT_GREY, ready, role_of, styled
from seqkd_lab.runs.recipes import BASELINE, SEQ_KD
from seqkd_lab.runs.verdicts import Claim, Rows, Verdict, is_measured, judge_claim, number
from seqkd_lab.studies.table1.findings import CLAIMS


@dataclass(frozen=True)
class Measure:
    """A number of one row in one seed: its unit, and what makes it out of the row's results (None:
    not measured)."""

    name: str
    unit: str
    value: Callable[[Mapping], float | None]

    def of(self, row: Mapping) -> float:
        """Return the number. Raises ValueError where the row lacks it."""
        value = self.value(row)
        if value is None:
            raise ValueError(f"{self.name} was not measured of the row {row.get('name', '')!r}")
        return value


def _share(part: Callable[[Mapping], float | None]) -> Callable[[Mapping], float | None]:
    """Return `part` in percent."""

    def percent(row: Mapping) -> float | None:
        share = part(row)
        return None if share is None else 100.0 * share

    return percent


MEASURES = {
    measure.name: measure
    for measure in (
        Measure("BLEU, greedy", "BLEU", lambda row: row["greedy"]["bleu"]),
        Measure("BLEU, beam", "BLEU", lambda row: row["beam"]["bleu"]),
        Measure(
            "what the beam adds", "BLEU", lambda row: row["beam"]["bleu"] - row["greedy"]["bleu"]
        ),
        Measure("valid, greedy", "%", _share(lambda row: row["greedy"].get("validity"))),
        Measure("valid, beam", "%", _share(lambda row: row["beam"].get("validity"))),
        Measure("greedy = beam", "%", _share(lambda row: row.get("same_translation"))),
        Measure("p(ŷ)", "%", _share(lambda row: row["p_mode"])),
        Measure("perplexity of gold", "words", lambda row: row["perplexity"]),
    )
}


@dataclass(frozen=True)
class Comparison:
    """A row, another row and a measure: the values by seed, and the verdict on "row − other > 0",
    or on a claim."""

    row: str
    other: str
    measure: Measure
    values: tuple[float, ...]
    others: tuple[float, ...]
    verdict: Verdict

    @property
    def sentence(self) -> str:
        """Return what the comparison says, in one sentence with its numbers."""
        verdict, (low, high) = self.verdict, self.verdict.interval
        interval = "one seed, no interval"
        if math.isfinite(low):
            interval = (
                f"95% interval [{number(low)}, {number(high)}], smallest visible effect "
                f"{number(verdict.smallest_effect)}"
            )
        return (
            f"{verdict.claim.ours}: mean {number(verdict.mean)}, {interval}. "
            f"{verdict.outcome.capitalize()}."
        )


def measured(by_seed: Sequence[Rows]) -> list[str]:
    """Return the names of the measures that every row of every seed has."""
    return [
        name
        for name, measure in MEASURES.items()
        if all(measure.value(row) is not None for rows in by_seed for row in rows.values())
    ]


def claims_of(by_seed: Sequence[Rows]) -> list[Claim]:
    """Return the claims that these results measured."""
    return [claim for claim in CLAIMS if is_measured(claim, by_seed)]


def compare(
    by_seed: Sequence[Rows], row: str, other: str, measure: Measure, claim: Claim | None = None
) -> Comparison:
    """Compare two rows of Table 1 in `measure`; with `claim`, judge the claim's own quantity in its
    place.

    Raises ValueError without any seed, KeyError for a row that the table does not have.
    """
    if claim is None:
        ours = f"{measure.name}: {row} − {other} > 0 {measure.unit}"
        claim = Claim(
            "", ours, lambda rows: measure.of(rows[row]) - measure.of(rows[other]), least=0.0
        )
    values, others = (tuple(measure.of(rows[name]) for rows in by_seed) for name in (row, other))
    return Comparison(row, other, measure, values, others, judge_claim(claim, by_seed))


def compare_rows(by_seed: Sequence[Rows], row: str, other: str, measure: str) -> Comparison:
    """Compare two rows in the measure called `measure` (a key of MEASURES). Raises KeyError for an
    unknown one."""
    return compare(by_seed, row, other, MEASURES[measure])


def certain_in_words(by_seed: Sequence[Rows]) -> str:
    """Compare two differences between Seq-KD and the baseline by how many interval halves they are
    away from 0."""
    distances = []
    for measure in ("what the beam adds", "valid, greedy"):
        verdict = compare_rows(by_seed, SEQ_KD, BASELINE, measure).verdict
        low, high = verdict.interval
        half = (high - low) / 2.0
        distances.append((abs(verdict.mean) / half if half > 0.0 else math.inf, measure, verdict))
    sentences = [
        f"*{measure}*: {number(verdict.mean)} [{number(verdict.interval[0])}, "
        f"{number(verdict.interval[1])}], {times:.1f} times half of its interval away from 0"
        for times, measure, verdict in distances
    ]
    surest = max(distances, key=lambda entry: entry[0])[1]
    return (
        f"{'; '.join(sentences)}. So *{surest}* is the more certain difference: what counts is the "
        "ratio."
    )


class ComparisonDrawing:
    """On the left the two rows, a line a seed; on the right the judged quantity: seeds, mean,
    interval, bounds."""

    @styled
    def __init__(self) -> None:
        figure = Figure(figsize=(12, 4.6))
        self._rows, self._judged = figure.subplots(1, 2, width_ratios=[1.0, 1.5])
        # margins by hand: a computed layout takes longer than the drawing
        figure.subplots_adjust(left=0.08, right=0.98, bottom=0.16, top=0.91, wspace=0.36)
        self.picture = BlittedFigure(figure, [])

    @styled
    def show(self, comparison: Comparison) -> None:
        """Draw `comparison` anew: other rows have other scales, so nothing of the old picture
        stays."""
        for axes in (self._rows, self._judged):
            axes.clear()
        _draw_rows(self._rows, comparison)
        _draw_judged(self._judged, comparison)
        self.picture.renew()


def _draw_rows(axes: Axes, comparison: Comparison) -> None:
    """Draw a line a seed from the other row's value to the row's."""
    for value, other in zip(comparison.values, comparison.others, strict=True):
        axes.plot([0, 1], [other, value], "-", color=LIGHT_GREY, linewidth=1.5, zorder=1)
    names = (comparison.other, comparison.row)
    for x, name, values in zip((0, 1), names, (comparison.others, comparison.values), strict=True):
        role = role_of(name)
        axes.plot(
            [x] * len(values),
            values,
            role.marker,
            color=role.colour,
            markersize=9,
            alpha=0.75,
            linestyle="none",
        )
    axes.set(xlim=(-0.5, 1.5))
    axes.set_xticks([0, 1], [name.replace("+", "\n+ ") for name in names])
    axes.set_ylabel(f"{comparison.measure.name}, {comparison.measure.unit}")
    axes.margins(y=0.1)
    ready(axes, "y")
    axes.set_title(f"a line a seed ({len(comparison.values)})")


def _draw_judged(axes: Axes, comparison: Comparison) -> None:
    """Draw the seeds' quantities over the mean and its interval, on the ground that the claim
    allows."""
    verdict, claim = comparison.verdict, comparison.verdict.claim
    edges = span_of(verdict, 0.1)
    axes.axvspan(max(claim.least, edges[0]), min(claim.most, edges[1]), color=ALLOWED, zorder=0)
    draw_seeds(axes, 0.0, verdict.values, BLUE)
    axes.annotate(
        number(verdict.mean),
        (verdict.mean, 0.0),
        xytext=(0, -28),
        textcoords="offset points",
        ha="center",
    )
    axes.set(xlim=edges, ylim=(-0.6, 0.6), yticks=[])
    ready(axes, "")
    mark, colour = OUTCOMES[verdict.outcome]
    what = f"{claim.name} claims: the mean lies" if claim.name else "above 0? The mean lies"
    allowed = "what the claim allows" if claim.name else "above 0"
    axes.set_xlabel(f"seeds, mean and interval; green: {allowed}")
    axes.set_title(f"{what} on green: {mark} {verdict.outcome}", color=colour)


def comparison_figure(comparison: Comparison) -> Figure:
    """Return the still twin of TableExplorer: two rows seed by seed, and the verdict on their
    difference or on a claim."""
    drawing = ComparisonDrawing()
    drawing.show(comparison)
    return drawing.picture.figure
