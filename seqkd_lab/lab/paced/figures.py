"""Figures of lesson 12: what few draws do, the bias of a gradient's length, signal-to-noise by pass
rate, and paired differences of the arms."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
from matplotlib.figure import Figure
from scipy.stats import binom

from seqkd_lab.lab.shared.digits import shown_number
from seqkd_lab.lab.shared.paired import paired_figure
from seqkd_lab.lab.shared.seeds import draw_seeds, write_beyond
from seqkd_lab.lab.shared.style import BLACK, SERIES, panels, styled
from seqkd_lab.runs.verdicts import Rows
from seqkd_lab.studies.paced.claims import NOISE, START, arm_lead, lead, ratios
from seqkd_lab.studies.paced.design import IDLE_SHARES, PACED, SHUFFLED, UNIFORM, arm_name
from seqkd_lab.studies.paced.measures import N_BINS

LINES = ("-", "--", "-.")
EIGHTHS = [f"{number}/8" for number in range(N_BINS)]
P = np.linspace(0.0, 1.0, 101)


@styled
def few_draws_figure(numbers: Sequence[int] = (4, 8, 32)) -> Figure:
    """Draw, by the binomial distribution over the true pass rate, how often K draws are all valid
    or all invalid, so that the weight is 0; and the mean of p̂(1 − p̂) beside p(1 − p)."""
    figure, (ends, weights) = panels(13, 4.2, columns=2)
    for K, (colour, _), line in zip(numbers, SERIES, LINES, strict=False):
        look = {"color": colour, "linestyle": line, "linewidth": 2.5}
        ends.plot(P, _weight_0(P, K), label=f"K = {K}", **look)
        mean = (1.0 - 1.0 / K) * P * (1.0 - P)
        weights.plot(P, mean, label=f"K = {K}: {1 - 1 / K:.3f} of it", **look)
        point = (0.1, float(_weight_0(0.1, K)))
        ends.plot(*point, "o", color=colour, markersize=8)
        ends.annotate(f"{point[1]:.2f}", point, xytext=(9, 2), textcoords="offset points")
    weights.plot(P, P * (1.0 - P), color=BLACK, linewidth=1.5, label="p(1 − p)")
    ends.set(xlabel="true pass rate p (number: at p = 0.1)", ylabel="probability of weight 0")
    ends.set_title("all K right, or all wrong")
    weights.set(xlabel="true pass rate p", ylabel="mean of p̂(1 − p̂)")
    weights.set_title("the weight's mean is (1 − 1/K) p(1 − p)")
    for axes in (ends, weights):
        axes.legend()
    return figure


def _weight_0(p: np.ndarray | float, n_draws: int) -> np.ndarray:
    return binom.pmf(0, n_draws, p) + binom.pmf(n_draws, n_draws, p)


@styled
def bias_figure(by_number: Mapping[int, tuple[float, float]]) -> Figure:
    """Draw the signal-to-noise ratio of the same gradients from n of them: with its bias, without,
    and the bias 1/n."""
    figure, axes = panels(12, 4.4)
    x = range(len(by_number))
    curves = zip(*by_number.values(), strict=True)
    names = (("‖ḡ‖² / trΣ as it is", 10), ("its bias taken off", -18))
    for values, (name, shift), (colour, marker) in zip(curves, names, SERIES[1::-1], strict=True):
        axes.plot(x, values, f"{marker}-", color=colour, markersize=9, label=name)
        for point in zip(x, values, strict=True):
            text, offset = shown_number(point[1], 3), (0, shift)
            axes.annotate(text, point, xytext=offset, textcoords="offset points", ha="center")
    axes.plot(x, [1.0 / n for n in by_number], ":", color=BLACK, label="1/n: noise alone")
    axes.set_xticks(x, [str(n) for n in by_number])
    axes.margins(x=0.06, y=0.2)
    axes.legend()
    axes.set(xlabel="n, sentences that are looked at", ylabel="signal-to-noise")
    axes.set_title("the same gradients, fewer and more of them")
    return figure


@styled
def noise_figure(by_seed: Sequence[Rows]) -> Figure:
    """Draw the signal-to-noise ratio of the start's gradient by pass rate, in thousandths: every
    seed, the mean with its number, the 95% interval."""
    figure, axes = panels(12, 5.0)
    colour, marker = SERIES[0]
    for x, column in enumerate(zip(*map(ratios, by_seed), strict=True)):
        values = [1_000.0 * value for value in column]
        mean = draw_seeds(axes, x, values, colour, marker, upright=True)
        write_beyond(axes, x, values, shown_number(mean, 1), upright=True)
    axes.plot([], [], f"{marker}-", color=colour, label="mean of the seeds, 95% interval")
    axes.plot([], [], "_", color=BLACK, label="a seed")
    axes.axhline(0.0, color=BLACK, linewidth=1)
    axes.set_xticks(range(N_BINS), EIGHTHS)
    axes.margins(y=0.12)
    sizes = sorted({rows[NOISE]["n"] for rows in by_seed})
    n = "–".join(dict.fromkeys(str(end) for end in (sizes[0], sizes[-1])))
    axes.set(
        xlabel="pass rate p̂ of the source",
        ylabel="signal-to-noise, thousandths",
        title=f"reverse KL along the student's own words, {n} sources for each pass rate",
    )
    axes.legend()
    return figure


PAIRS = ((PACED, UNIFORM), (PACED, SHUFFLED), (SHUFFLED, UNIFORM))


def weights_figure(by_seed: Sequence[Rows], of: str = "draws") -> Figure:
    """Draw PACED − uniform, PACED − shuffled and shuffled − uniform at each share of idle sources,
    in points of valid translations (`of`: as in `claims.percent`)."""
    differences = {
        f"{idle_share:.0%} idle: {kind} − {other}": [
            arm_lead(idle_share, kind, other, of)(rows) for rows in by_seed
        ]
        for idle_share in IDLE_SHARES
        for kind, other in PAIRS
    }
    return paired_figure(differences, XLABELS[of])


def start_figure(by_seed: Sequence[Rows], of: str = "draws") -> Figure:
    """Draw what uniform weights changed since the start at each share of idle sources, in points of
    valid translations (`of`: as in `claims.percent`)."""
    differences = {
        f"{idle_share:.0%} idle: {UNIFORM} − {START}": [
            lead(arm_name(idle_share, UNIFORM), START, of)(rows) for rows in by_seed
        ]
        for idle_share in IDLE_SHARES
    }
    return paired_figure(differences, XLABELS[of])


def forgetting_figure(by_seed: Sequence[Rows]) -> Figure:
    """Draw the left-out skill, in points of valid greedy translations: PACED − start and
    PACED − uniform at each share of idle sources."""
    differences = {}
    for idle_share in IDLE_SHARES:
        paced = arm_name(idle_share, PACED)
        for other, name in ((START, START), (UNIFORM, arm_name(idle_share, UNIFORM))):
            differences[f"{idle_share:.0%} idle: {PACED} − {other}"] = [
                lead(paced, name, "skill")(rows) for rows in by_seed
            ]
    return paired_figure(differences, XLABELS["skill"])


XLABELS = {
    "draws": "valid draws: points of percent",
    "greedy": "valid greedy translations: points of percent",
    "skill": "valid greedy translations of the left-out skill: points of percent",
}
