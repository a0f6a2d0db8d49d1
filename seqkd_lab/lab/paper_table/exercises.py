"""Exercises of lesson 8, the paper in one table: speed taken apart, the paired bootstrap, an
interval over seeds."""

from __future__ import annotations

import math
import random

import numpy as np

from seqkd_lab.lab.paper_table.interval_exercise import INTERVAL
from seqkd_lab.lab.shared.exercises.exercise import Case, Exercise, mistake


def speed_up(teacher_beam, student_beam, student_greedy):
    """(total, by the smaller model, by greedy search), each a factor; arguments in source words per
    second."""
    by_size = student_beam / teacher_beam
    by_search = student_greedy / student_beam
    return by_size * by_search, by_size, by_search


@mistake(
    "these are differences in words per second, which no other machine would share. A speed-up is "
    "a ratio."
)
def _differences(teacher_beam, student_beam, student_greedy):
    return student_greedy - teacher_beam, student_beam - teacher_beam, student_greedy - student_beam


@mistake("upside down: the arguments are words per second, so more is faster.")
def _as_if_seconds(teacher_beam, student_beam, student_greedy):
    return tuple(1 / factor for factor in speed_up(teacher_beam, student_beam, student_greedy))


@mistake("the parts are added; factors multiply (twice as fast, then thrice: six times).")
def _added(teacher_beam, student_beam, student_greedy):
    _, by_size, by_search = speed_up(teacher_beam, student_beam, student_greedy)
    return by_size + by_search, by_size, by_search


@mistake("the two parts have changed places: first the smaller model, then greedy search.")
def _parts_swapped(teacher_beam, student_beam, student_greedy):
    total, by_size, by_search = speed_up(teacher_beam, student_beam, student_greedy)
    return total, by_search, by_size


@mistake("`//` cuts a factor to a whole number. Divide with `/`.")
def _as_whole_numbers(teacher_beam, student_beam, student_greedy):
    return (
        student_greedy // teacher_beam,
        student_beam // teacher_beam,
        student_greedy // student_beam,
    )


@mistake("these are the factors in per cent. Return plain factors: twice as fast is 2.")
def _per_cent(teacher_beam, student_beam, student_greedy):
    return tuple(100 * factor for factor in speed_up(teacher_beam, student_beam, student_greedy))


@mistake(
    "1 is taken away: this says by which part it is faster. A factor of 2 means twice as fast."
)
def _per_cent_faster(teacher_beam, student_beam, student_greedy):
    return tuple(factor - 1 for factor in speed_up(teacher_beam, student_beam, student_greedy))


@mistake("these are logarithms of the factors. They add up, but the task asks for the factors.")
def _logarithms(teacher_beam, student_beam, student_greedy):
    return tuple(
        math.log(factor) for factor in speed_up(teacher_beam, student_beam, student_greedy)
    )


@mistake("the total comes first, then the part of the smaller model, then that of greedy search.")
def _total_last(teacher_beam, student_beam, student_greedy):
    total, by_size, by_search = speed_up(teacher_beam, student_beam, student_greedy)
    return by_size, by_search, total


def speed_cases() -> list[Case]:
    """Return the paper's Table 2 (GPU), a student that is slower than its teacher, whole numbers,
    and random speeds; through logarithms, where factors add."""
    settings: list[tuple[str, tuple[float, ...]]] = [
        ("the paper's GPU: 4×1000 teacher, 2×500 student", (101.9, 181.9, 1051.3)),
        ("whole numbers", (100, 250, 1100)),
        ("a student that is slower with the beam", (800.0, 500.0, 900.0)),
        ("a greedy search that is slower", (300.0, 700.0, 450.0)),
    ]
    for seed in (1, 2):
        chance = random.Random(seed)
        settings.append(("random speeds", tuple(chance.uniform(50, 5000) for _ in range(3))))
    cases = []
    for name, speeds in settings:
        teacher_beam, student_beam, student_greedy = np.log(speeds)
        steps = [student_beam - teacher_beam, student_greedy - student_beam]
        cases.append(Case(name, speeds, np.exp([sum(steps), *steps])))
    return cases


SPEED_UP = Exercise(
    lesson=8,
    title="Ten times faster: two factors",
    difficulty=1,
    minutes=6,
    task="“10× faster” compares a greedy student with a beam-5 teacher: two changes at once. Write "
    "`speed_up(teacher_beam, student_beam, student_greedy)`: three speeds in source **words per "
    "second**. Return "
    "three factors: the total, the part of the smaller model (both with the beam), the part of "
    "greedy search "
    "(both the student).",
    hints=(
        "Go from teacher to student in two steps, and change one thing at each.",
        "Factors multiply: the total must be the product of the two parts.",
    ),
    solution=speed_up,
    wrong_answers=(
        _differences,
        _as_if_seconds,
        _added,
        _as_whole_numbers,
        _per_cent,
        _per_cent_faster,
        _logarithms,
        _total_last,
        _parts_swapped,
    ),
    cases=speed_cases,
    insight="Distillation does not make a model faster: it makes the fast way, greedy and small, "
    "good enough.",
)


def bootstrap_p_value(scores, other_scores, resamples):
    """Share of the resamples (lists of sentence numbers) in which `scores` has no better mean than
    `other_scores`."""
    losses = 0
    for rows in resamples:
        difference = sum(
            scores[i] - other_scores[i] for i in rows
        )  # both systems on the same sentences
        losses += difference <= 0
    return losses / len(resamples)


@mistake(
    "this is the share of resamples that are *won*. A p-value is small when the system wins "
    "nearly always."
)
def _wins(scores, other_scores, resamples):
    return 1 - bootstrap_p_value(scores, other_scores, resamples)


@mistake(
    "the systems are scored on different resamples: hard sentences make more noise than the "
    "systems differ. Paired means the same sentences for both."
)
def _not_paired(scores, other_scores, resamples):
    shifted = [*resamples[1:], resamples[0]]
    pairs = zip(resamples, shifted, strict=True)
    lost = sum(sum(scores[i] for i in a) <= sum(other_scores[i] for i in b) for a, b in pairs)
    return lost / len(resamples)


@mistake(
    "this is the share of single sentences that are not better: the resamples are not used. A "
    "small gain on most sentences and a large loss on few may turn the mean."
)
def _sentence_by_sentence(scores, other_scores, resamples):
    return sum(a <= b for a, b in zip(scores, other_scores, strict=True)) / len(scores)


@mistake("a tie is counted as a win: two equal systems would differ “significantly”.")
def _ties_are_wins(scores, other_scores, resamples):
    return sum(sum(scores[i] - other_scores[i] for i in rows) < 0 for rows in resamples) / len(
        resamples
    )


@mistake(
    "this counts both sides, as a two-sided test does. The task asks for one side: not better."
)
def _both_sides(scores, other_scores, resamples):
    share = bootstrap_p_value(scores, other_scores, resamples)
    return 2 * min(share, 1 - share)


@mistake("the two systems have changed places: the question is whether the *first* is not better.")
def _systems_swapped(scores, other_scores, resamples):
    return bootstrap_p_value(other_scores, scores, resamples)


@mistake("this is the number of resamples. Divide by how many there are.")
def _counted(scores, other_scores, resamples):
    return bootstrap_p_value(scores, other_scores, resamples) * len(resamples)


@mistake(
    "a sentence that was drawn twice counts once here. A resample holds it twice, and so must the "
    "mean."
)
def _each_sentence_once(scores, other_scores, resamples):
    return bootstrap_p_value(scores, other_scores, [sorted(set(rows)) for rows in resamples])


def bootstrap_cases() -> list[Case]:
    """Return a system clearly better, slightly better, equal, somewhat worse; one that gains little
    often and loses much rarely; and one whose means differ by quarters. Whole scores and quarters,
    so that sums are exact in any order."""
    cases = []
    for seed, (gain, noise, name) in enumerate(
        [
            (20, 5, "clearly better"),
            (3, 12, "hardly better"),
            (0, 0, "equal"),
            (-3, 14, "somewhat worse"),
        ]
    ):
        generator = np.random.default_rng(seed)
        other = generator.integers(20, 80, 30)
        scores = other + gain + (generator.integers(-noise, noise + 1, 30) if noise else 0)
        rows = generator.integers(0, 30, (200, 30))
        expected = float(((scores - other)[rows].mean(axis=1) <= 0).mean())
        cases.append(
            Case(
                f"a system that is {name}",
                (scores.tolist(), other.tolist(), rows.tolist()),
                expected,
            )
        )
    generator = np.random.default_rng(9)
    other = generator.integers(20, 80, 25)
    scores = other + np.where(np.arange(25) % 8 == 7, -13, 2)
    rows = generator.integers(0, 25, (150, 25))
    expected = float(((scores - other)[rows].sum(axis=1) <= 0).mean())
    arguments = (scores.tolist(), other.tolist(), rows.tolist())
    rare = Case("a system that often gains little and rarely loses much", arguments, expected)
    quarters = np.array([0.25, -0.25, 0.5, 0.0, 0.25, -0.5])
    rows = generator.integers(0, 6, (40, 6))
    arguments = ((20.0 + quarters).tolist(), [20.0] * 6, rows.tolist())
    expected = float((quarters[rows].sum(axis=1) <= 0).mean())
    return [*cases, rare, Case("less than a point apart", arguments, expected)]


BOOTSTRAP = Exercise(
    lesson=8,
    title="Is it better, or was it the test set?",
    difficulty=3,
    minutes=12,
    task="Write `bootstrap_p_value(scores, other_scores, resamples)`: two lists with one score for "
    "each sentence, and "
    "a list of resamples, each a list of sentence numbers (0-based, drawn with replacement). "
    "Return the share of "
    "resamples in which the first system's mean is **not better** (worse or equal) than the "
    "other's **on the same "
    "sentences**.",
    hints=(
        "One resample is a test set that might have been: score both systems on its sentences.",
        "Equal systems are never better: their p-value is 1.",
    ),
    solution=bootstrap_p_value,
    wrong_answers=(
        _wins,
        _not_paired,
        _sentence_by_sentence,
        _both_sides,
        _systems_swapped,
        _counted,
        _each_sentence_once,
        _ties_are_wins,
    ),
    cases=bootstrap_cases,
    insight="It judges the choice of test sentences, not the seed of the training: for that one "
    "needs several seeds.",
)


EXERCISES = (SPEED_UP, BOOTSTRAP, INTERVAL)
