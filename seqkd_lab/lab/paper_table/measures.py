"""What lesson 08 measures: speed with its two causes apart, gains with their chance, and when
distillation helps."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from statistics import fmean, median

import numpy as np

from seqkd_lab.models.seq2seq import Seq2Seq
from seqkd_lab.runs.clock import in_turn, words_per_second
from seqkd_lab.runs.recipes import TEACHER
from seqkd_lab.runs.verdicts import HELD, NOT_HELD, Rows, Verdict, mean_and_interval
from seqkd_lab.studies.no_help import CONDITIONS, FROM_GOLD, FROM_TEACHER, THE_TEACHER, Point

Tokens = tuple[str, ...]
GREEDY, BEAM = "greedy", "beam"
NO_GAIN, A_GAIN, A_LOSS = "the seeds cannot tell it from 0", "a clear gain", "a clear loss"


def settled(verdict: Verdict) -> bool:
    """Tell whether the seeds decide the claim, one way or the other."""
    return verdict.outcome in (HELD, NOT_HELD)


@dataclass(frozen=True)
class Speeds:
    """Source words per second of teacher and student, by beam and greedily. Larger is faster."""

    teacher_beam: float
    teacher_greedy: float
    student_beam: float
    student_greedy: float

    @property
    def total(self) -> float:
        """The greedy student against the teacher with a beam."""
        return self.student_greedy / self.teacher_beam

    @property
    def size_then_search(self) -> tuple[float, float]:
        """First the smaller model (both with the beam), then greedy search (both the student):
        their product is total."""
        return self.student_beam / self.teacher_beam, self.student_greedy / self.student_beam

    @property
    def search_then_size(self) -> tuple[float, float]:
        """First greedy search (both the teacher), then the smaller model (both greedy): the same
        product."""
        return self.teacher_greedy / self.teacher_beam, self.student_greedy / self.teacher_greedy


PAPER_SPEEDS = {
    "paper, GPU": Speeds(101.9, 425.5, 181.9, 1051.3),
    "paper, CPU": Speeds(7.9, 15.0, 22.1, 63.6),
}
"""Kim & Rush 2016, Table 2: teacher 4×1000, student 2×500, beam 5; source words per second."""


def measure_speeds(
    teacher: Seq2Seq,
    student: Seq2Seq,
    sources: Sequence[Tokens],
    beam_size: int = 5,
    repetitions: int = 5,
    watch: Callable[[int, int], None] | None = None,
) -> list[Speeds]:
    """The Speeds of each repetition, in the threads that torch has; all four in turn, so that a
    busy moment of the machine touches all alike. One more round before them is not counted. `watch`
    hears (done, total) rounds.
    """
    jobs = {
        (model, size): partial(words_per_second, model, sources, size)
        for model in (teacher, student)
        for size in (beam_size, 1)
    }

    def whole_rounds(done: int, total: int) -> None:
        if watch is not None and done % len(jobs) == 0:
            watch(done // len(jobs), total // len(jobs))

    return [
        Speeds(*each)
        for each in zip(*in_turn(jobs, repetitions, whole_rounds).values(), strict=True)
    ]


def middle(rounds: Sequence[Speeds]) -> Speeds:
    """The median of each speed."""
    return Speeds(
        *(median(getattr(each, name) for each in rounds) for name in Speeds.__dataclass_fields__)
    )


def table_speeds(by_seed: Sequence[Rows], student: str) -> list[Speeds]:
    """The Speeds that a table's evaluations noted, seed by seed, on the machine that made it."""
    return [
        Speeds(
            *(
                rows[name][how]["words_per_second"]
                for name in (TEACHER, student)
                for how in (BEAM, GREEDY)
            )
        )
        for rows in by_seed
    ]


def resamples(n: int, n_samples: int = 2000, seed: int = 0) -> np.ndarray:
    """(n_samples, n) sentence numbers, drawn with replacement: test sets that might have been."""
    return np.random.default_rng(seed).integers(0, n, (n_samples, n))


def bootstrap_gains(
    scores: Sequence[float], other_scores: Sequence[float], rows: np.ndarray
) -> np.ndarray:
    """(n_samples,) mean of `scores` − mean of `other_scores` on the same sentences, for each row of
    resamples.

    Raises ValueError for lists that are not of one length.
    """
    if len(scores) != len(other_scores):
        raise ValueError(
            f"paired means the same sentences: {len(scores)} scores and {len(other_scores)}"
        )
    return (np.asarray(scores, float) - np.asarray(other_scores, float))[rows].mean(axis=1)


def p_value(gains: np.ndarray) -> float:
    """The share of resamples without a gain."""
    return float((gains <= 0.0).mean())


def middle_95(gains: np.ndarray) -> tuple[float, float]:
    """The range that holds 95% of the resamples."""
    low, high = np.quantile(gains, [0.025, 0.975])
    return float(low), float(high)


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
        """What the interval over the seeds says of a gain: of a difference, or of the factor
        `p_factor`."""
        low, high = mean_and_interval(getattr(self, of))[1]
        nothing = 1.0 if of == "p_factor" else 0.0
        return A_GAIN if low > nothing else A_LOSS if high < nothing else NO_GAIN

    def lines(self) -> str:
        """The condition, and in lines of their own: levels, gains with intervals and what they say,
        p(ŷ)."""
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
    """The Gain of each condition, over the seeds that have both students."""
    by_place: dict[tuple[str, str], dict[int, Point]] = defaultdict(dict)
    for point in points:
        by_place[point.condition, point.arm][point.seed] = point
    found = {}
    for condition in CONDITIONS:
        gold, teacher_logits_of = by_place[condition, FROM_GOLD], by_place[condition, FROM_TEACHER]
        seeds = tuple(sorted(gold.keys() & teacher_logits_of.keys()))
        if not seeds:
            continue
        pairs = [(teacher_logits_of[seed], gold[seed]) for seed in seeds]
        teachers = [
            point.greedy
            for point in points
            if (point.condition, point.arm) == (condition, THE_TEACHER)
        ]
        found[condition] = Gain(
            condition,
            seeds,
            tuple(a.greedy - b.greedy for a, b in pairs),
            tuple(a.beam - b.beam for a, b in pairs),
            tuple(a.valid - b.valid for a, b in pairs),
            tuple(a.p_mode / max(b.p_mode, 1e-12) for a, b in pairs),
            fmean(b.greedy for _, b in pairs),
            fmean(teachers) if teachers else float("nan"),
        )
    return found
