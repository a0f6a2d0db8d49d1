"""Answers to the exercises of lesson 08: speed taken apart, the paired bootstrap, an interval over
seeds."""

from __future__ import annotations

import math
import statistics

import numpy as np
import torch
from scipy import stats

t = stats.t


# speed_up(teacher_beam, student_beam, student_greedy): wrong


def speed_total_only(teacher_beam, student_beam, student_greedy):
    return student_greedy / teacher_beam


def speed_search_first(teacher_beam, student_beam, student_greedy):
    return student_greedy / teacher_beam, student_greedy / student_beam, student_beam / teacher_beam


def speed_upside_down(teacher_beam, student_beam, student_greedy):
    return teacher_beam / student_greedy, teacher_beam / student_beam, student_beam / student_greedy


def speed_whole_numbers(teacher_beam, student_beam, student_greedy):
    return (
        student_greedy // teacher_beam,
        student_beam // teacher_beam,
        student_greedy // student_beam,
    )


def speed_rounded(teacher_beam, student_beam, student_greedy):
    total, size, search = (
        student_greedy / teacher_beam,
        student_beam / teacher_beam,
        student_greedy / student_beam,
    )
    return round(total, 1), round(size, 1), round(search, 1)


def speed_percent(teacher_beam, student_beam, student_greedy):
    total, size, search = (
        student_greedy / teacher_beam,
        student_beam / teacher_beam,
        student_greedy / student_beam,
    )
    return 100 * total, 100 * size, 100 * search


def speed_percent_faster(teacher_beam, student_beam, student_greedy):
    return (
        student_greedy / teacher_beam - 1,
        student_beam / teacher_beam - 1,
        student_greedy / student_beam - 1,
    )


def speed_sum(teacher_beam, student_beam, student_greedy):
    size, search = student_beam / teacher_beam, student_greedy / student_beam
    return size + search, size, search


def speed_mean(teacher_beam, student_beam, student_greedy):
    size, search = student_beam / teacher_beam, student_greedy / student_beam
    return (size + search) / 2, size, search


def speed_differences(teacher_beam, student_beam, student_greedy):
    return student_greedy - teacher_beam, student_beam - teacher_beam, student_greedy - student_beam


def speed_logs(teacher_beam, student_beam, student_greedy):
    size, search = math.log(student_beam / teacher_beam), math.log(student_greedy / student_beam)
    return size + search, size, search


def speed_search_against_the_teacher(teacher_beam, student_beam, student_greedy):
    return student_greedy / teacher_beam, student_beam / teacher_beam, student_greedy / teacher_beam


def speed_total_last(teacher_beam, student_beam, student_greedy):
    return student_beam / teacher_beam, student_greedy / student_beam, student_greedy / teacher_beam


def speed_total_of_the_student(teacher_beam, student_beam, student_greedy):
    return student_greedy / student_beam, student_beam / teacher_beam, student_greedy / student_beam


def speed_not_below_one(teacher_beam, student_beam, student_greedy):
    size, search = max(1.0, student_beam / teacher_beam), max(1.0, student_greedy / student_beam)
    return size * search, size, search


def speed_largest_first(teacher_beam, student_beam, student_greedy):
    size, search = student_beam / teacher_beam, student_greedy / student_beam
    return size * search, max(size, search), min(size, search)


def speed_dictionary(teacher_beam, student_beam, student_greedy):
    return {"total": student_greedy / teacher_beam}


def speed_no_return(teacher_beam, student_beam, student_greedy):
    student_greedy / teacher_beam, student_beam / teacher_beam  # noqa: B018


# right


def speed_direct(teacher_beam, student_beam, student_greedy):
    return [
        student_greedy / teacher_beam,
        student_beam / teacher_beam,
        student_greedy / student_beam,
    ]


def speed_by_numpy(teacher_beam, student_beam, student_greedy):
    by_size, by_search = np.array([student_beam, student_greedy]) / np.array(
        [teacher_beam, student_beam]
    )
    return np.array([by_size * by_search, by_size, by_search])


def speed_by_seconds(teacher_beam, student_beam, student_greedy):
    before, between, after = 1 / teacher_beam, 1 / student_beam, 1 / student_greedy
    return before / after, before / between, between / after


def speed_by_torch(teacher_beam, student_beam, student_greedy):
    steps = torch.tensor(
        [student_beam / teacher_beam, student_greedy / student_beam], dtype=torch.float64
    )
    return steps.prod(), *steps


# bootstrap_p_value(scores, other_scores, resamples): wrong


def bootstrap_two_sided(scores, other_scores, resamples):
    gains = [sum(scores[i] - other_scores[i] for i in rows) for rows in resamples]
    share = sum(gain <= 0 for gain in gains) / len(gains)
    return 2 * min(share, 1 - share)


def bootstrap_won(scores, other_scores, resamples):
    return sum(
        sum(scores[i] for i in r) > sum(other_scores[i] for i in r) for r in resamples
    ) / len(resamples)


def bootstrap_strictly_worse(scores, other_scores, resamples):
    return sum(
        sum(scores[i] for i in r) < sum(other_scores[i] for i in r) for r in resamples
    ) / len(resamples)


def bootstrap_other_way(scores, other_scores, resamples):
    return sum(
        sum(other_scores[i] for i in r) <= sum(scores[i] for i in r) for r in resamples
    ) / len(resamples)


def bootstrap_count(scores, other_scores, resamples):
    return sum(sum(scores[i] - other_scores[i] for i in rows) <= 0 for rows in resamples)


def bootstrap_percent(scores, other_scores, resamples):
    return 100 * bootstrap_count(scores, other_scores, resamples) / len(resamples)


def bootstrap_divided_by_sentences(scores, other_scores, resamples):
    return bootstrap_count(scores, other_scores, resamples) / len(scores)


def bootstrap_counted_from_one(scores, other_scores, resamples):
    return sum(
        sum(scores[i - 1] - other_scores[i - 1] for i in rows) <= 0 for rows in resamples
    ) / len(resamples)


def bootstrap_each_sentence_once(scores, other_scores, resamples):
    return sum(
        sum(scores[i] - other_scores[i] for i in set(rows)) <= 0 for rows in resamples
    ) / len(resamples)


def bootstrap_medians(scores, other_scores, resamples):
    return sum(
        statistics.median(scores[i] for i in rows)
        <= statistics.median(other_scores[i] for i in rows)
        for rows in resamples
    ) / len(resamples)


def bootstrap_median_of_differences(scores, other_scores, resamples):
    return sum(
        statistics.median(scores[i] - other_scores[i] for i in rows) <= 0 for rows in resamples
    ) / len(resamples)


def bootstrap_sentences_won(scores, other_scores, resamples):
    return statistics.fmean(
        sum(scores[i] <= other_scores[i] for i in rows) / len(rows) for rows in resamples
    )


def bootstrap_majority_of_sentences(scores, other_scores, resamples):
    return sum(sum(scores[i] <= other_scores[i] for i in r) >= len(r) / 2 for r in resamples) / len(
        resamples
    )


def bootstrap_first_resample(scores, other_scores, resamples):
    return float(sum(scores[i] - other_scores[i] for i in resamples[0]) <= 0)


def bootstrap_without_resamples(scores, other_scores, resamples):
    return float(sum(scores) <= sum(other_scores))


def bootstrap_other_on_all_sentences(scores, other_scores, resamples):
    level = statistics.fmean(other_scores)
    return sum(statistics.fmean(scores[i] for i in rows) <= level for rows in resamples) / len(
        resamples
    )


def bootstrap_plus_one(scores, other_scores, resamples):
    return (1 + bootstrap_count(scores, other_scores, resamples)) / (1 + len(resamples))


def bootstrap_t_test(scores, other_scores, resamples):
    return float(stats.ttest_rel(scores, other_scores, alternative="greater").pvalue)


def bootstrap_mean_gain(scores, other_scores, resamples):
    return statistics.fmean(
        sum(scores[i] - other_scores[i] for i in rows) / len(rows) for rows in resamples
    )


# right


def bootstrap_by_numpy(scores, other_scores, resamples):
    gains = (np.array(scores) - np.array(other_scores))[np.array(resamples)]
    return np.mean(gains.mean(axis=1) <= 0)


def bootstrap_by_means(scores, other_scores, resamples):
    lost = 0
    for rows in resamples:
        lost += sum(scores[i] for i in rows) / len(rows) <= sum(
            other_scores[i] for i in rows
        ) / len(rows)
    return lost / len(resamples)


def bootstrap_by_torch(scores, other_scores, resamples):
    a, b = torch.tensor(scores).double(), torch.tensor(other_scores).double()
    rows = torch.tensor(resamples)
    return (a[rows].sum(1) <= b[rows].sum(1)).double().mean()


def bootstrap_as_one_minus_wins(scores, other_scores, resamples):
    return 1 - bootstrap_won(scores, other_scores, resamples)


# mean_and_interval(values): wrong


def _reach(values, quantile=0.975, spread=statistics.stdev, n=None, freedom=1):
    return t.ppf(quantile, len(values) - freedom) * spread(values) / math.sqrt(n or len(values))


def _around(mean, reach):
    return mean, mean - reach, mean + reach


def interval_normal(values):
    return _around(
        statistics.fmean(values), 1.96 * statistics.stdev(values) / math.sqrt(len(values))
    )


def interval_two(values):
    return _around(statistics.fmean(values), 2 * statistics.stdev(values) / math.sqrt(len(values)))


def interval_ninety(values):
    return _around(statistics.fmean(values), _reach(values, 0.95))


def interval_ninety_nine(values):
    return _around(statistics.fmean(values), _reach(values, 0.995))


def interval_of_values(values):
    return _around(
        statistics.fmean(values), t.ppf(0.975, len(values) - 1) * statistics.stdev(values)
    )


def interval_pstdev(values):
    return _around(statistics.fmean(values), _reach(values, spread=statistics.pstdev))


def interval_numpy_default(values):
    return _around(
        np.mean(values), t.ppf(0.975, len(values) - 1) * np.std(values) / len(values) ** 0.5
    )


def interval_variance(values):
    return _around(statistics.fmean(values), _reach(values, spread=statistics.variance))


def interval_divided_by_n(values):
    return _around(statistics.fmean(values), _reach(values, n=len(values) ** 2))


def interval_root_of_n_minus_one(values):
    return _around(statistics.fmean(values), _reach(values, n=len(values) - 1))


def interval_n_degrees(values):
    return _around(statistics.fmean(values), _reach(values, freedom=0))


def interval_standard_error(values):
    return _around(statistics.fmean(values), statistics.stdev(values) / math.sqrt(len(values)))


def interval_median(values):
    return _around(statistics.median(values), _reach(values))


def interval_turned_round(values):
    mean, low, high = _around(statistics.fmean(values), _reach(values))
    return mean, high, low


def interval_as_reach(values):
    return statistics.fmean(values), _reach(values)


def interval_nested(values):
    mean, low, high = _around(statistics.fmean(values), _reach(values))
    return mean, (low, high)


def interval_without_mean(values):
    return _around(statistics.fmean(values), _reach(values))[1:]


def interval_extremes(values):
    return statistics.fmean(values), min(values), max(values)


def interval_quantiles(values):
    return float(np.mean(values)), *np.quantile(values, [0.025, 0.975])


def interval_never_below_zero(values):
    mean, low, high = _around(statistics.fmean(values), _reach(values))
    return mean, max(0.0, low), high


def interval_of_absolutes(values):
    return _around(statistics.fmean(map(abs, values)), _reach([abs(value) for value in values]))


# right


def interval_by_scipy(values):
    low, high = t.interval(0.95, len(values) - 1, loc=np.mean(values), scale=stats.sem(values))
    return np.mean(values), low, high


def interval_by_numpy(values):
    reach = t.ppf(0.975, len(values) - 1) * np.std(values, ddof=1) / np.sqrt(len(values))
    return np.array([np.mean(values), np.mean(values) - reach, np.mean(values) + reach])


def interval_by_hand(values):
    n = len(values)
    mean = sum(values) / n
    s = (sum((value - mean) ** 2 for value in values) / (n - 1)) ** 0.5
    reach = -t.ppf(0.025, n - 1) * s / n**0.5
    return [mean, mean - reach, mean + reach]


def interval_by_torch(values):
    data = torch.tensor(values, dtype=torch.float64)
    reach = t.ppf(0.975, len(values) - 1) * data.std() / len(values) ** 0.5
    return torch.stack([data.mean(), data.mean() - reach, data.mean() + reach])


WRONG = {
    "speed_up": {
        speed_total_only: None,
        speed_search_first: "changed places",
        speed_upside_down: "upside down",
        speed_whole_numbers: "whole",
        speed_rounded: None,
        speed_percent: "per cent",
        speed_percent_faster: "1 is taken away",
        speed_sum: "added",
        speed_mean: None,
        speed_differences: "differences",
        speed_logs: "logarithms",
        speed_search_against_the_teacher: None,
        speed_total_last: "total comes first",
        speed_total_of_the_student: None,
        speed_not_below_one: None,
        speed_largest_first: None,
        speed_dictionary: None,
        speed_no_return: None,
    },
    "bootstrap_p_value": {
        bootstrap_two_sided: "both sides",
        bootstrap_won: "won",
        bootstrap_strictly_worse: "tie",
        bootstrap_other_way: "changed places",
        bootstrap_count: "number of resamples",
        bootstrap_percent: None,
        bootstrap_divided_by_sentences: None,
        bootstrap_counted_from_one: None,
        bootstrap_each_sentence_once: "once",
        bootstrap_medians: None,
        bootstrap_median_of_differences: None,
        bootstrap_sentences_won: None,
        bootstrap_majority_of_sentences: None,
        bootstrap_first_resample: None,
        bootstrap_without_resamples: None,
        bootstrap_other_on_all_sentences: None,
        bootstrap_plus_one: None,
        bootstrap_t_test: None,
        bootstrap_mean_gain: None,
    },
    "mean_and_interval": {
        interval_normal: "1.96",
        interval_two: None,
        interval_ninety: "90%",
        interval_ninety_nine: None,
        interval_of_values: "√n is missing",
        interval_pstdev: "n − 1",
        interval_numpy_default: "n − 1",
        interval_variance: "variance",
        interval_divided_by_n: "divided by n",
        interval_root_of_n_minus_one: None,
        interval_n_degrees: "degrees of freedom",
        interval_standard_error: "t is missing",
        interval_median: None,
        interval_turned_round: "lower end",
        interval_as_reach: None,
        interval_nested: None,
        interval_without_mean: None,
        interval_extremes: None,
        interval_quantiles: None,
        interval_never_below_zero: None,
        interval_of_absolutes: None,
    },
}
RIGHT = {
    "speed_up": [speed_direct, speed_by_numpy, speed_by_seconds, speed_by_torch],
    "bootstrap_p_value": [
        bootstrap_by_numpy,
        bootstrap_by_means,
        bootstrap_by_torch,
        bootstrap_as_one_minus_wins,
    ],
    "mean_and_interval": [
        interval_by_scipy,
        interval_by_numpy,
        interval_by_hand,
        interval_by_torch,
    ],
}
