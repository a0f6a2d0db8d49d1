"""The paper's findings F1–F6 as criteria on a table's results, judged by mean, interval and seed."""

from __future__ import annotations

import math
import statistics
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from scipy.stats import t as student_t

from seqkd_lab.experiments.recipes import BASELINE, SEQ_KD, TEACHER_INTER, WORD_KD

Rows = Mapping[str, Mapping]
"""The metrics of one seed's rows, by name of the row."""


@dataclass(frozen=True)
class Criterion:
    """A quantity of one seed's rows that must lie in [least, most] for the mean; in_each_seed asks it of every seed."""

    finding: str
    claim: str
    value: Callable[[Rows], float]
    needs: tuple[str, ...]
    least: float = -math.inf
    most: float = math.inf
    in_each_seed: bool = False


@dataclass(frozen=True)
class Verdict:
    """A criterion judged: values by seed, their mean, the 95% interval of the mean, and whether it is held.

    clear: the whole interval satisfies the criterion, not only the mean.
    """

    criterion: Criterion
    values: tuple[float, ...]
    mean: float
    interval: tuple[float, float]
    held: bool
    clear: bool


def greedy(rows: Rows, name: str) -> float:
    return rows[name]["greedy"]["bleu"]


def beam(rows: Rows, name: str) -> float:
    return rows[name]["beam"]["bleu"]


def gap(rows: Rows, name: str) -> float:
    """What the beam adds: BLEU of beam search − BLEU of greedy search."""
    return beam(rows, name) - greedy(rows, name)


CRITERIA = (
    Criterion("F1", "Seq-KD's greedy gain over the baseline ≥ 4.2 BLEU",
              lambda rows: greedy(rows, SEQ_KD) - greedy(rows, BASELINE), (SEQ_KD, BASELINE), least=4.2),
    Criterion("F1", "Seq-KD's beam gain over the baseline ≥ 1.7 BLEU",
              lambda rows: beam(rows, SEQ_KD) - beam(rows, BASELINE), (SEQ_KD, BASELINE), least=1.7),
    Criterion("F1", "Seq-KD's greedy gain > 0 in each seed",
              lambda rows: greedy(rows, SEQ_KD) - greedy(rows, BASELINE), (SEQ_KD, BASELINE),
              least=math.ulp(0.0), in_each_seed=True),
    Criterion("F2", "beam − greedy ≥ 1.0 BLEU for the baseline",
              lambda rows: gap(rows, BASELINE), (BASELINE,), least=1.0),
    Criterion("F2", "beam − greedy ≤ 0.3 BLEU for Seq-KD", lambda rows: gap(rows, SEQ_KD), (SEQ_KD,), most=0.3),
    Criterion("F3", "Word-KD's greedy BLEU ≥ the baseline's",
              lambda rows: greedy(rows, WORD_KD) - greedy(rows, BASELINE), (WORD_KD, BASELINE), least=0.0),
    Criterion("F3", "Word-KD's greedy BLEU ≤ Seq-KD's",
              lambda rows: greedy(rows, SEQ_KD) - greedy(rows, WORD_KD), (WORD_KD, SEQ_KD), least=0.0),
    Criterion("F4", "p(ŷ) of Seq-KD ≥ 8 times the baseline's",
              lambda rows: rows[SEQ_KD]["p_mode"] / rows[BASELINE]["p_mode"], (SEQ_KD, BASELINE), least=8.0),
    Criterion("F5", "perplexity of gold under Seq-KD ≥ 1.5 times the baseline's",
              lambda rows: rows[SEQ_KD]["perplexity"] / rows[BASELINE]["perplexity"], (SEQ_KD, BASELINE), least=1.5),
    Criterion("F6", "|beam − greedy| ≤ 0.3 BLEU for the teacher after Seq-Inter",
              lambda rows: abs(gap(rows, TEACHER_INTER)), (TEACHER_INTER,), most=0.3),
)


def mean_and_interval(values: Sequence[float]) -> tuple[float, tuple[float, float]]:
    """The mean and its 95% interval by Student's t; the interval of a single value is unbounded."""
    mean = statistics.fmean(values)
    if len(values) < 2:
        return mean, (-math.inf, math.inf)
    reach = student_t.ppf(0.975, len(values) - 1) * statistics.stdev(values) / math.sqrt(len(values))
    return mean, (mean - reach, mean + reach)


def judge_one(criterion: Criterion, by_seed: Sequence[Rows]) -> Verdict:
    """Judges one criterion over the seeds' rows."""
    values = tuple(criterion.value(rows) for rows in by_seed)
    mean, (low, high) = mean_and_interval(values)

    def within(value: float) -> bool:
        return criterion.least <= value <= criterion.most

    held = all(map(within, values)) if criterion.in_each_seed else within(mean)
    return Verdict(criterion, values, mean, (low, high), held, clear=within(low) and within(high))


def judge(by_seed: Sequence[Rows]) -> list[Verdict]:
    """Every criterion whose rows are there. Raises ValueError without any seed."""
    if not by_seed:
        raise ValueError("no seed to judge: the results hold no finished run")
    present = set.intersection(*(set(rows) for rows in by_seed))
    return [judge_one(criterion, by_seed) for criterion in CRITERIA if set(criterion.needs) <= present]


def describe(verdict: Verdict, each: str = "seeds") -> str:
    """One line: finding, held or not, claim, mean, interval, values by seed (or whatever was repeated: `each`)."""
    low, high = verdict.interval
    interval = f"[{low:.2f}, {high:.2f}]" if math.isfinite(low) else "(one seed)"
    values = " ".join(f"{value:.2f}" for value in verdict.values)
    mark = "held    " if verdict.held else "NOT HELD"
    criterion = verdict.criterion
    return f"{criterion.finding}  {mark}  {criterion.claim}: {verdict.mean:.2f} {interval}; {each}: {values}"
