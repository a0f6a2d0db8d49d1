"""The budget study in lesson 06: what a student reaches over the updates that it is given, by
method, and whether the baseline catches up."""

from __future__ import annotations

from collections.abc import Sequence
from statistics import fmean

from matplotlib.axes import Axes
from matplotlib.figure import Figure

from seqkd_lab.lab.shared.digits import mean_in_digits, minus
from seqkd_lab.lab.shared.seeds import draw_seeds
from seqkd_lab.lab.shared.showing import Markdown
from seqkd_lab.lab.shared.style import GREY, panels, role_of, styled
from seqkd_lab.runs.recipes import BASELINE, SEQ_KD, WORD_KD
from seqkd_lab.runs.verdicts import Rows
from seqkd_lab.studies.budget.gains import BEHIND, HELPS, gain, standing, updates_at
from seqkd_lab.studies.budget.students import (
    FACTORS,
    GREEDY_BLEU,
    GREEDY_VALID,
    METHODS,
    TABLE,
    factor_key,
    factors_of,
)

APART = {BASELINE: 0.95, WORD_KD: 1.0, SEQ_KD: 1.05}
"""The methods' marks stand this factor apart on the axis of updates, so that their intervals do not
cover each other."""
PANELS = (
    (GREEDY_BLEU, 100.0, "greedy BLEU (0–100)"),
    (GREEDY_VALID, 1.0, "share of valid greedy translations"),
)
STANDINGS = {HELPS: "Seq-KD is ahead", BEHIND: "Seq-KD is behind"}


@styled
def budget_figure(by_seed: Sequence[Rows]) -> Figure:
    """Draw greedy BLEU and the share of valid greedy translations over the updates, a line a
    method, every seed with mean and interval, and the budget of Table 1 as a vertical line."""
    figure, both = panels(13, 5.6, columns=2)
    updates = [updates_at(by_seed[0], factor) for factor in FACTORS]
    for axes, (measure, most, name) in zip(both, PANELS, strict=True):
        for method in METHODS:
            _draw_method(axes, by_seed, updates, method, measure)
        _finish(axes, updates, most, name)
        _mark_table(axes, updates_at(by_seed[0], TABLE))
    handles, labels = both[0].get_legend_handles_labels()
    figure.legend(handles, labels, loc="outside lower center", ncols=len(METHODS))
    spread = (
        "one seed" if len(by_seed) == 1 else f"{len(by_seed)} seeds, their mean and 95% interval"
    )
    figure.suptitle(f"Every budget is a training of its own, with a whole schedule: {spread}")
    return figure


def _draw_method(
    axes: Axes, by_seed: Sequence[Rows], updates: Sequence[int], method: str, measure: str
) -> None:
    """Draw one method's seeds, means and intervals, joined by a line."""
    role, factors = role_of(method), factors_of(method)
    positions = [APART[method] * n for n in updates[: len(factors)]]
    means = []
    for position, factor in zip(positions, factors, strict=True):
        values = [rows[method][factor_key(factor)][measure] for rows in by_seed]
        means.append(draw_seeds(axes, position, values, role.colour, role.marker, upright=True))
    axes.plot(positions, means, markersize=10, label=method, **role.line)


def _finish(axes: Axes, updates: Sequence[int], most: float, name: str) -> None:
    """Write every budget as a plain number, and leave no room above what can be reached."""
    axes.set_xscale("log")
    axes.set_xticks(updates, [f"{n:,}" for n in updates])
    axes.set_xticks([], minor=True)
    axes.set_xlim(updates[0] / 1.25, updates[-1] * 1.25)
    axes.set_xlabel("updates of the training (log scale)")
    axes.set_ylabel(name)
    low, _ = axes.get_ylim()
    axes.set_ylim(max(0.0, low), most)


def _mark_table(axes: Axes, n_updates: int) -> None:
    """Draw a thin vertical line at the budget of Table 1, named at its foot."""
    axes.axvline(n_updates, color=GREY, linewidth=1.2, zorder=1)
    axes.annotate(
        "Table 1",
        (n_updates, 0.02),
        xycoords=("data", "axes fraction"),
        xytext=(6, 0),
        textcoords="offset points",
        color=GREY,
    )


def budget_table(by_seed: Sequence[Rows]) -> Markdown:
    """Return a table of Seq-KD's gain over the baseline at each budget, with its interval and
    what it decides."""
    lines = [
        "| updates | BLEU, Seq-KD − baseline | valid translations, in points | by the interval |",
        "|---:|---:|---:|---|",
    ]
    for factor in FACTORS:
        bleu, valid = (_gains(by_seed, factor, measure) for measure in (GREEDY_BLEU, GREEDY_VALID))
        verdicts = [STANDINGS.get(standing(values), "not decided") for values in (bleu, valid)]
        verdict = (
            verdicts[0]
            if verdicts[0] == verdicts[1]
            else f"BLEU: {verdicts[0]}; valid: {verdicts[1]}"
        )
        lines.append(
            f"| {updates_at(by_seed[0], factor):,} | {mean_in_digits(bleu)} "
            f"| {mean_in_digits(valid)} | {verdict} |"
        )
    lines += ["", f"Means of {len(by_seed)} seeds with 95% intervals, greedy search."]
    return Markdown("\n".join(lines))


def budget_in_words(by_seed: Sequence[Rows], table: Sequence[Rows]) -> str:
    """State at which budgets Seq-KD is ahead, what `table`, which has more seeds, shows at its
    budget, and whether the baseline catches up."""
    ahead = [
        f"{updates_at(by_seed[0], factor):,}"
        for factor in FACTORS
        if standing(_gains(by_seed, factor, GREEDY_BLEU)) == HELPS
    ]
    first = (
        f"In greedy BLEU, Seq-KD is ahead at {' and at '.join(ahead)} updates."
        if ahead
        else "In greedy BLEU, the seeds decide at none of these budgets that Seq-KD is ahead."
    )
    return f"{first} {_at_the_table(by_seed, table)} {_at_the_end(by_seed)}"


def _gains(by_seed: Sequence[Rows], factor: float, measure: str) -> list[float]:
    return [gain(rows, factor, measure) for rows in by_seed]


def _at_the_table(by_seed: Sequence[Rows], table: Sequence[Rows]) -> str:
    """State what the more numerous seeds of Table 1 show at its budget."""
    valid = [
        100.0 * (rows[SEQ_KD]["greedy"]["validity"] - rows[BASELINE]["greedy"]["validity"])
        for rows in table
    ]
    bleu = [rows[SEQ_KD]["greedy"]["bleu"] - rows[BASELINE]["greedy"]["bleu"] for rows in table]
    return (
        f"Few seeds give wide intervals. Table 1 has {len(table)} seeds, at "
        f"{updates_at(by_seed[0], TABLE):,} updates: Seq-KD gains {mean_in_digits(bleu)} BLEU and "
        f"{mean_in_digits(valid)} points of valid translations."
    )


def _at_the_end(by_seed: Sequence[Rows]) -> str:
    """State whether the baseline has caught up at the largest budget."""
    table, last = (fmean(_gains(by_seed, factor, GREEDY_BLEU)) for factor in (TABLE, FACTORS[-1]))
    nearer = minus(
        f"In the {len(by_seed)} seeds of the picture, the mean difference goes from {table:+.1f} "
        f"BLEU there to {last:+.1f} at {updates_at(by_seed[0], FACTORS[-1]):,} updates."
    )
    if all(
        standing(_gains(by_seed, FACTORS[-1], measure)) == HELPS
        for measure in (GREEDY_BLEU, GREEDY_VALID)
    ):
        return f"{nearer} Seq-KD is still ahead at the largest budget."
    return f"{nearer} Whether the baseline has caught up, these seeds do not decide."
