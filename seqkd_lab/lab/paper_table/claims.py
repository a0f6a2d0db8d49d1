"""The paper's claims, judged: in a picture, in words, and on real text."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from textwrap import fill

from matplotlib.axes import Axes
from matplotlib.figure import Figure

from seqkd_lab.lab.shared.exercises.showing import Folded
from seqkd_lab.lab.shared.seeds import draw_seeds
from seqkd_lab.lab.shared.showing import Markdown
from seqkd_lab.lab.shared.style import BLUE, panels, styled
from seqkd_lab.lab.shared.verdict_table import OUTCOMES
from seqkd_lab.runs.committed import results_path
from seqkd_lab.runs.recipes import BASELINE, SEQ_KD
from seqkd_lab.runs.results import rows_by_seed
from seqkd_lab.runs.verdicts import (
    HELD,
    NOT_HELD,
    UNDECIDED,
    Rows,
    Verdict,
    in_words,
    mean_and_interval,
    number,
    summary,
)
from seqkd_lab.studies.table1.findings import judge
from seqkd_lab.studies.table1.table import read_results, said_of_teacher

ALLOWED = "#d9efe6"


def settled(verdict: Verdict) -> bool:
    """Tell whether the seeds decide the claim, one way or the other."""
    return verdict.outcome in (HELD, NOT_HELD)


@styled
def findings_figure(verdicts: Sequence[Verdict]) -> Figure:
    """Draw a row a claim: what it allows (green ground), every seed (strokes), mean (dot) and its
    95% interval."""
    figure, rows = panels(13, 1.0 * len(verdicts) + 0.4, rows=len(verdicts), squeeze=False)
    for axes, verdict in zip(rows[:, 0], verdicts, strict=True):
        _draw_verdict(axes, verdict)
    return figure


def _draw_verdict(axes: Axes, verdict: Verdict) -> None:
    claim = verdict.claim
    edges = span_of(verdict, 0.12)
    axes.axvspan(max(claim.least, edges[0]), min(claim.most, edges[1]), color=ALLOWED)
    draw_seeds(axes, 0.0, verdict.values, BLUE)
    axes.set(xlim=edges, ylim=(-1.0, 1.0), yticks=[])
    axes.grid(False)
    title = fill(f"{claim.name}  {claim.ours}", 46)
    axes.set_ylabel(title, rotation=0, ha="left", va="center", labelpad=330)
    mark, colour = OUTCOMES[verdict.outcome]
    axes.annotate(
        f"{number(verdict.mean)}  {mark} {verdict.outcome}",
        (1.0, 0.5),
        xycoords="axes fraction",
        xytext=(10, -5),
        textcoords="offset points",
        color=colour,
    )


def span_of(verdict: Verdict, margin: float) -> tuple[float, float]:
    """Return the ends of an axis that shows a verdict's values, its interval and its bounds, with
    `margin` of their span at either side."""
    numbers = (*verdict.values, *verdict.interval, verdict.claim.least, verdict.claim.most)
    finite = [value for value in numbers if math.isfinite(value)] or [0.0]
    room = margin * (max(finite) - min(finite) or 1.0)
    return min(finite) - room, max(finite) + room


def nearest_in_words(verdicts: Sequence[Verdict]) -> str:
    """Say which undecided claim the least change of its interval would decide."""
    undecided = [
        verdict
        for verdict in verdicts
        if verdict.outcome == UNDECIDED and math.isfinite(verdict.interval[0])
    ]
    if not undecided:
        return "No claim is undecided."
    nearest = min(undecided, key=_missing_part)
    (low, high), claim = nearest.interval, nearest.claim
    bound = claim.least if math.isfinite(claim.least) else claim.most
    return (
        f"{claim.name}, “{claim.ours}”. Its interval goes from {number(low)} to {number(high)}, "
        f"and the bound is {number(bound)}: {_missing_part(nearest):.0%} of the interval lies on "
        "the smaller side of the bound."
    )


def _missing_part(verdict: Verdict) -> float:
    """Return the smaller of the two parts into which a bound cuts the interval."""
    (low, high), claim = verdict.interval, verdict.claim
    parts = [
        (bound - low) / (high - low) for bound in (claim.least, claim.most) if low <= bound <= high
    ]
    return min(min(part, 1.0 - part) for part in parts) if parts and high > low else 1.0


def widest_in_words(verdicts: Sequence[Verdict], seeds: Sequence[str]) -> str:
    """Say which single seed widens an interval the most: left out, how much narrower would the
    interval be."""
    shrunk = [
        (_width_without(verdict, position) / _width(verdict), verdict, position)
        for verdict in verdicts
        if len(verdict.values) > 2 and _width(verdict) > 0.0
        for position in range(len(verdict.values))
    ]
    if not shrunk:
        return "There are too few seeds to leave one out."
    share, verdict, position = min(shrunk, key=lambda entry: entry[0])
    return (
        f"{verdict.claim.name}, “{verdict.claim.ours}”: seed {seeds[position]} has "
        f"{number(verdict.values[position])}, where the mean is {number(verdict.mean)}. Without "
        f"this seed the interval would be {1.0 - share:.0%} narrower. (It must not be left out for "
        "that reason: the rule counts every seed.)"
    )


def _width(verdict: Verdict) -> float:
    low, high = verdict.interval
    return high - low if math.isfinite(high - low) else 0.0


def _width_without(verdict: Verdict, position: int) -> float:
    others = (*verdict.values[:position], *verdict.values[position + 1 :])
    low, high = mean_and_interval(others)[1]
    return high - low


def every_claim(by_seed: Sequence[Rows]) -> Folded:
    """Fold away every claim with its mean, interval, seeds and the paper's own number."""
    return Folded("Every claim with its numbers", in_words(judge(by_seed)), is_code=True)


def real_results() -> dict:
    """Read the committed table of Multi30k, English to German."""
    return read_results(results_path("multi30k.json"))


def real_text_in_words(results: Mapping) -> Markdown:
    """Say what the seeds on real text decide of the paper's claims, and what so few seeds cannot
    decide.

    results: a table as `real_results` reads it. Whether all its students share one teacher is said,
    too.
    """
    by_seed = rows_by_seed(results)
    judged = judge(by_seed)
    names = {
        outcome: [
            f"{verdict.claim.name} ({verdict.claim.ours})"
            for verdict in judged
            if verdict.outcome == outcome
        ]
        for outcome in (HELD, NOT_HELD, UNDECIDED)
    }
    gains = [rows[SEQ_KD]["greedy"]["bleu"] - rows[BASELINE]["greedy"]["bleu"] for rows in by_seed]
    mean, (low, high) = mean_and_interval(gains)
    return Markdown(
        "\n\n".join(
            (
                f"**Multi30k, English to German, {len(by_seed)} seeds.** {summary(judged)}",
                f"Held: {'; '.join(names[HELD]) or 'none'}.",
                f"Seq-KD gains {mean:+.1f} BLEU over the baseline for greedy search, 95% interval "
                f"[{low:.1f}, {high:.1f}]. With {len(by_seed)} seeds the interval is wide, and "
                f"{len(names[UNDECIDED])} claims stay undecided. "
                + (
                    "Seq-KD does gain on this real text; how much, more seeds would have to tell."
                    if low > 0.0
                    else "Whether Seq-KD gains on this real text, more seeds would have to tell."
                ),
                *said_of_teacher(results),
            )
        )
    )
