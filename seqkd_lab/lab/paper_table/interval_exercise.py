"""The exercise of lesson 8 on an interval over seeds."""

from __future__ import annotations

import math
import random
import statistics

import numpy as np
from scipy import stats
from scipy.stats import t as student_t

from seqkd_lab.lab.shared.exercises.exercise import Case, Exercise, mistake


def mean_and_interval(values):
    """(mean, low, high): 95% interval of the mean over seeds by Student's t."""
    mean = statistics.fmean(values)
    standard_error = statistics.stdev(values) / math.sqrt(len(values))
    reach = student_t.ppf(0.975, len(values) - 1) * standard_error
    return mean, mean - reach, mean + reach


def _around(mean, reach):
    return mean, mean - reach, mean + reach


@mistake(
    "1.96 belongs to the normal distribution, for many values. With a handful of seeds t is "
    "larger; for two of them, 12.7."
)
def _normal_quantile(values):
    return _around(
        statistics.fmean(values), 1.96 * statistics.stdev(values) / math.sqrt(len(values))
    )


@mistake("√n is missing: this shows where single seeds lie, not how well their mean is known.")
def _spread_of_values(values):
    return _around(
        statistics.fmean(values), student_t.ppf(0.975, len(values) - 1) * statistics.stdev(values)
    )


@mistake(
    "s is divided by n instead of n − 1: the spread around one's own mean is always a little too "
    "small."
)
def _divided_by_n(values):
    reach = (
        student_t.ppf(0.975, len(values) - 1) * statistics.pstdev(values) / math.sqrt(len(values))
    )
    return _around(statistics.fmean(values), reach)


@mistake("this is the 90% interval: 95% leaves 2.5% on each side, so ask for 0.975.")
def _ninety_percent(values):
    reach = student_t.ppf(0.95, len(values) - 1) * statistics.stdev(values) / math.sqrt(len(values))
    return _around(statistics.fmean(values), reach)


@mistake("this is the variance in the place of s: take its root, or `statistics.stdev`.")
def _variance(values):
    reach = (
        student_t.ppf(0.975, len(values) - 1) * statistics.variance(values) / math.sqrt(len(values))
    )
    return _around(statistics.fmean(values), reach)


@mistake("s is divided by n: the standard error is s / √n.")
def _divided_twice(values):
    reach = student_t.ppf(0.975, len(values) - 1) * statistics.stdev(values) / len(values)
    return _around(statistics.fmean(values), reach)


@mistake("t has n − 1 degrees of freedom, not n: one value's worth went into the mean.")
def _n_degrees(values):
    reach = student_t.ppf(0.975, len(values)) * statistics.stdev(values) / math.sqrt(len(values))
    return _around(statistics.fmean(values), reach)


@mistake(
    "t is missing: mean ± one standard error holds the true mean less often than 95% of the time."
)
def _no_t(values):
    return _around(statistics.fmean(values), statistics.stdev(values) / math.sqrt(len(values)))


@mistake("the two ends have changed places: the lower end comes first.")
def _upper_first(values):
    mean, low, high = mean_and_interval(values)
    return mean, high, low


def interval_cases() -> list[Case]:
    """Gains of two to ten seeds, losses among them; by scipy's own interval."""
    cases = []
    for n_seeds, centre in ((5, 4.0), (2, 4.0), (10, 4.0), (3, -2.0), (4, 0.5)):
        chance = random.Random(n_seeds)
        values = [chance.gauss(centre, 1.5) for _ in range(n_seeds)]
        low, high = stats.t.interval(
            0.95, n_seeds - 1, loc=np.mean(values), scale=stats.sem(values)
        )
        cases.append(
            Case(f"gains of {n_seeds} seeds", (values,), (float(np.mean(values)), low, high))
        )
    return cases


INTERVAL = Exercise(
    lesson=8,
    title="An interval over seeds",
    difficulty=2,
    minutes=8,
    task="Write `mean_and_interval(values)`: a list of one value (such as a gain in BLEU) for each "
    "seed. Return the "
    "mean, and the lower and upper end of its 95% interval by **Student's t**: mean ± t · s / √n, "
    "s with n − 1.",
    hints=(
        "`student_t.ppf(0.975, n - 1)` from `scipy.stats` is the t for 95% (2.5% on each side).",
        "`statistics.stdev` divides by n − 1; the standard error is s / √n.",
    ),
    imports="import math\nimport statistics\n\nfrom scipy.stats import t as student_t",
    solution=mean_and_interval,
    wrong_answers=(
        _normal_quantile,
        _spread_of_values,
        _divided_by_n,
        _variance,
        _divided_twice,
        _n_degrees,
        _no_t,
        _upper_first,
        _ninety_percent,
    ),
    cases=interval_cases,
    insight="Where the interval of a gain contains 0, the table has not shown a gain.",
)
