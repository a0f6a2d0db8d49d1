"""When distillation does not help: Seq-KD's gain without ambiguity, with a large student, and with
more training."""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from statistics import fmean
from textwrap import fill

from matplotlib.figure import Figure

from seqkd_lab.lab.shared.seeds import draw_seeds, write_beyond
from seqkd_lab.lab.shared.showing import Markdown
from seqkd_lab.lab.shared.style import BLACK, BLUE, panels, ready, styled
from seqkd_lab.runs.study import committed_rows
from seqkd_lab.runs.verdicts import Rows, mean_and_interval
from seqkd_lab.studies import no_help
from seqkd_lab.studies.budget import study as budget
from seqkd_lab.studies.budget.gains import gain, updates_at
from seqkd_lab.studies.budget.students import FACTORS, GREEDY_BLEU
from seqkd_lab.studies.no_help import (
    AS_LARGE,
    CONDITIONS,
    CONTROL,
    DETERMINISTIC,
    FROM_GOLD,
    FROM_TEACHER,
    THE_TEACHER,
    Point,
)

NO_GAIN = "the seeds cannot tell it from 0"
A_GAIN = "a clear gain"
A_LOSS = "a clear loss"


@dataclass(frozen=True)
class Gain:
    """Seq-KD minus gold in one condition, by seed: greedy BLEU, share of valid greedy translations,
    p(ŷ) as a factor."""

    condition: str
    seeds: tuple[int, ...]
    greedy: tuple[float, ...]
    beam: tuple[float, ...]
    valid: tuple[float, ...]
    p_factor: tuple[float, ...]
    gold_level: float
    teacher_level: float

    def verdict(self, of: str = "greedy") -> str:
        """Return what the interval over the seeds says of a gain: of a difference, or of the factor
        `p_factor`."""
        low, high = mean_and_interval(getattr(self, of))[1]
        nothing = 1.0 if of == "p_factor" else 0.0
        return A_GAIN if low > nothing else A_LOSS if high < nothing else NO_GAIN

    def lines(self) -> str:
        """Return the condition, and in lines of their own levels, gains with intervals and what
        they say, and p(ŷ)."""
        rows = [
            f"{CONDITIONS[self.condition]}: greedy BLEU of gold {self.gold_level:.1f}, of the "
            f"teacher {self.teacher_level:.1f}; {len(self.seeds)} seed{'s' * (len(self.seeds) > 1)}"
        ]
        for of, scale, unit in (
            ("greedy", 1.0, "BLEU, greedy"),
            ("beam", 1.0, "BLEU, beam"),
            ("valid", 100.0, "points of valid ones, greedy"),
        ):
            mean, (low, high) = mean_and_interval([scale * gain for gain in getattr(self, of)])
            rows.append(f"    {mean:+6.2f} [{low:+.2f}, {high:+.2f}] {unit}: {self.verdict(of)}")
        return "\n".join([*rows, f"    {fmean(self.p_factor):6.2f} times p(ŷ)"])


def gains(points: Sequence[Point]) -> dict[str, Gain]:
    """Return the Gain of each condition, over the seeds that have both students."""
    by_arm: dict[tuple[str, str], dict[int, Point]] = defaultdict(dict)
    for point in points:
        by_arm[point.condition, point.arm][point.seed] = point
    measured = {}
    for condition in CONDITIONS:
        gold, distilled = by_arm[condition, FROM_GOLD], by_arm[condition, FROM_TEACHER]
        seeds = tuple(sorted(gold.keys() & distilled.keys()))
        if not seeds:
            continue
        pairs = [(distilled[seed], gold[seed]) for seed in seeds]
        teachers = [point.greedy for point in by_arm[condition, THE_TEACHER].values()]
        measured[condition] = Gain(
            condition,
            seeds,
            tuple(a.greedy - b.greedy for a, b in pairs),
            tuple(a.beam - b.beam for a, b in pairs),
            tuple(a.valid - b.valid for a, b in pairs),
            tuple(a.p_mode / max(b.p_mode, 1e-12) for a, b in pairs),
            fmean(b.greedy for _, b in pairs),
            fmean(teachers) if teachers else math.nan,
        )
    return measured


def committed_gains(results: Mapping) -> dict[str, Gain]:
    """Read the gains of `seqkd-lab study run no-help`, beside them those of Table 1
    (`results`)."""
    return gains(no_help.with_table(no_help.committed_points(), results["by_seed"]))


def mini_gains(n_pairs: int, report: Callable[[int, int], None]) -> dict[str, Gain]:
    """Train a mini version of the same study here: one seed, few pairs, so that it proves
    nothing."""
    return gains(no_help.mini_points(n_pairs, report))


@styled
def gains_figure(gains: Mapping[str, Gain]) -> Figure:
    """Draw what Seq-KD gains in each condition: greedy BLEU and valid translations, every seed,
    mean, 95% interval."""
    figure, axes = panels(13, 1.6 + 0.95 * len(gains), columns=2, sharey=True)
    measures = {
        "greedy": (1.0, "greedy BLEU"),
        "valid": (100.0, "valid translations, percentage points"),
    }
    for panel, (measure, (scale, label)) in zip(axes, measures.items(), strict=True):
        for row, condition_gain in enumerate(gains.values()):
            values = [scale * value for value in getattr(condition_gain, measure)]
            mean = draw_seeds(panel, row, values, BLUE)
            write_beyond(panel, row, values, f"{mean:+.1f}".replace("-", "−"))
        panel.axvline(0.0, color=BLACK, linewidth=1.5)
        panel.margins(x=0.22)
        panel.set_xlabel(f"Seq-KD − gold, {label}")
        panel.grid(False)
        ready(panel, "x")
    axes[0].set_yticks(range(len(gains)), [fill(CONDITIONS[name], 26) for name in gains])
    axes[0].set_ylim(len(gains) - 0.4, -0.6)
    return figure


def no_help_in_words(gains: Mapping[str, Gain]) -> Markdown:
    """Say in which condition Seq-KD gains, by the interval over the seeds, and what becomes of
    mistakes and p(ŷ)."""
    conditions = (CONTROL, DETERMINISTIC, AS_LARGE)
    return Markdown("\n\n".join(_condition(gains[name]) for name in conditions if name in gains))


def _condition(condition_gain: Gain) -> str:
    n = len(condition_gain.seeds)
    text = (
        f"**{CONDITIONS[condition_gain.condition].capitalize()}** ({n} seed{'s' * (n > 1)}). "
        f"Greedy BLEU: {_measure(condition_gain, 'greedy', 1.0)}. Valid translations, in points: "
        f"{_measure(condition_gain, 'valid', 100.0)}. p(ŷ) is "
        f"{fmean(condition_gain.p_factor):.1f} times as large."
    )
    return f"{text} {_why(condition_gain)}".rstrip()


def _measure(condition_gain: Gain, measure: str, scale: float) -> str:
    values = [scale * value for value in getattr(condition_gain, measure)]
    mean, (low, high) = mean_and_interval(values)
    if len(values) < 2:
        return f"{mean:+.1f} in one seed, which decides nothing"
    return f"{mean:+.1f} [{low:+.1f}, {high:+.1f}], {condition_gain.verdict(measure)}"


def _why(condition_gain: Gain) -> str:
    """One sentence that explains what was seen, where the explanation fits what was seen."""
    greedy, valid = condition_gain.verdict("greedy"), condition_gain.verdict("valid")
    if len(condition_gain.seeds) < 2:
        return ""
    if condition_gain.condition == DETERMINISTIC and greedy not in (A_GAIN, A_LOSS):
        levels = (
            f"{condition_gain.gold_level:.1f} BLEU, its teacher {condition_gain.teacher_level:.1f}"
        )
        return (
            f"Gold's student reaches {levels}: the student still makes mistakes, but the teacher's "
            "sentences are almost gold's own, so they cannot spare it any."
        )
    if condition_gain.condition == AS_LARGE and valid == A_LOSS:
        return (
            "A student that can remember its own choices has little to gain, and it learns the "
            "teacher's errors with the teacher's sentences."
        )
    if condition_gain.condition == AS_LARGE and greedy == A_GAIN:
        return (
            "The gain is small beside the small student's, since this student can remember its "
            "own choices."
        )
    return ""


def budget_seeds() -> list[Rows]:
    """Read the committed budget study, a seed after the other."""
    return committed_rows(budget.STUDY)


def budget_answer(by_seed: Sequence[Rows]) -> str:
    """Say how the gain of the largest budget compares with the largest gain, in BLEU, and what the
    seeds decide."""
    gains = {factor: [gain(rows, factor, GREEDY_BLEU) for rows in by_seed] for factor in FACTORS}
    largest = max(gains, key=lambda factor: fmean(gains[factor]))
    mean, (low, high) = mean_and_interval(gains[FACTORS[-1]])
    text = (
        f"The mean gain is largest at {updates_at(by_seed[0], largest):,} updates, "
        f"{fmean(gains[largest]):+.1f} BLEU. At {updates_at(by_seed[0], FACTORS[-1]):,} "
        f"updates it is {mean:+.1f} [{low:+.1f}, {high:+.1f}]."
    )
    decided = "is still above 0" if low > 0.0 else "cannot be told from 0"
    return f"{text} With {len(by_seed)} seeds, the gain of the largest budget {decided}."
