"""Lesson 08 in sentences that quote what was measured, with a branch for each way in which it can
come out."""

from __future__ import annotations

import math
import statistics
from collections import Counter
from collections.abc import Mapping, Sequence

import numpy as np

from seqkd_lab.lab.paper_table.measures import (
    A_GAIN,
    A_LOSS,
    Gain,
    Speeds,
    middle,
    middle_95,
    p_value,
)
from seqkd_lab.lab.paper_table.rows import compare_rows
from seqkd_lab.lab.shared.comparison import Comparison
from seqkd_lab.lab.shared.exercises.showing import Folded
from seqkd_lab.lab.shared.predictions import CANNOT_TELL
from seqkd_lab.lab.shared.showing import Markdown
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
from seqkd_lab.studies.budget import FACTORS, GREEDY_BLEU, gain, updates_at
from seqkd_lab.studies.no_help import AS_LARGE, CONDITIONS, CONTROL, DETERMINISTIC
from seqkd_lab.studies.table1.findings import judge
from seqkd_lab.studies.table1.table import said_of_teacher

NOUNS = ("Fahrkarte", "Ticket", "Fahrschein")
SMALLER, GREEDY_SEARCH = "the smaller model", "greedy search"


def ticket_in_words(comparison: Comparison) -> Markdown:
    """Say how many rows translate the ticket without a mistake, which nouns they chose, and what
    that proves."""
    greedy = [row for row in comparison.rows if row.search == "greedy"]
    valid = [row.model for row in greedy if row.fault is None]
    nouns = Counter(noun for row in greedy for noun in NOUNS if noun in row.text)
    chosen = ", ".join(f"*{noun}* {count} times" for noun, count in nouns.most_common())
    changed = len({row.model for row in comparison.rows}) - len(_unchanged(comparison))
    return Markdown(
        f"Greedily, {len(valid)} of {len(greedy)} rows write a valid translation of the "
        f"ticket{': ' + ', '.join(valid) if valid else ''}. The noun is {chosen}. The beam changes "
        f"the translation of {changed} of {len(greedy)} rows. One sentence is an example, not a "
        "result: it says nothing about the other sentences. The table does."
    )


def _unchanged(comparison: Comparison) -> set[str]:
    """Return the models that write the same by both searches."""
    texts: dict[str, set[str]] = {}
    for row in comparison.rows:
        texts.setdefault(row.model, set()).add(row.text)
    return {model for model, written in texts.items() if len(written) == 1}


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
        (_width_without(verdict, place) / _width(verdict), verdict, place)
        for verdict in verdicts
        if len(verdict.values) > 2 and _width(verdict) > 0.0
        for place in range(len(verdict.values))
    ]
    if not shrunk:
        return "There are too few seeds to leave one out."
    share, verdict, place = min(shrunk, key=lambda entry: entry[0])
    return (
        f"{verdict.claim.name}, “{verdict.claim.ours}”: seed {seeds[place]} has "
        f"{number(verdict.values[place])}, where the mean is {number(verdict.mean)}. Without this "
        f"seed the interval would be {1.0 - share:.0%} narrower. (It must not be left out for that "
        "reason: the rule counts every seed.)"
    )


def _width(verdict: Verdict) -> float:
    low, high = verdict.interval
    return high - low if math.isfinite(high - low) else 0.0


def _width_without(verdict: Verdict, place: int) -> float:
    low, high = mean_and_interval([value for i, value in enumerate(verdict.values) if i != place])[
        1
    ]
    return high - low


def every_claim(by_seed: Sequence[Rows]) -> Folded:
    """Fold away every claim with its mean, interval, seeds and the paper's own number."""
    return Folded("Every claim with its numbers", in_words(judge(by_seed)), is_code=True)


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


def larger_factor(rounds: Sequence[Speeds]) -> str:
    """Return which factor is the larger one, the model first; CANNOT_TELL where the rounds'
    interval holds both."""
    logs = [
        math.log(size / search) for size, search in (speeds.size_then_search for speeds in rounds)
    ]
    low, high = mean_and_interval(logs)[1]
    return SMALLER if low > 0.0 else GREEDY_SEARCH if high < 0.0 else CANNOT_TELL


def speed_in_words(rounds: Sequence[Speeds]) -> Markdown:
    """Say the product in both orders, and that distillation itself makes nothing faster."""
    here = middle(rounds)
    (size, search), (search_first, size_second) = here.size_then_search, here.search_then_size
    totals = [speeds.total for speeds in rounds]
    return Markdown(
        f"The greedy student is {here.total:.1f} times as fast as the teacher with a beam (rounds: "
        f"{min(totals):.1f} to {max(totals):.1f}). Changing the model first, the factors are "
        f"{size:.1f} for the smaller model and {search:.1f} for greedy search; changing the search "
        f"first, {search_first:.1f} for greedy search and {size_second:.1f} for the smaller model. "
        "The product is the same, its parts depend on the order.\n\n**Distillation itself makes "
        "nothing faster.** A small model is fast with or without it, and greedy search is fast "
        "for the teacher, too. Distillation makes the fast way *good enough*."
    )


def chance_in_words(
    resampled: np.ndarray, own: float, others: Sequence[float], seed: int
) -> Markdown:
    """Say what the resampled test sentences allow for this seed's gain, and where the other seeds'
    gains lie."""
    low, high = middle_95(100.0 * resampled)
    p, inside = p_value(resampled), sum(low <= 100.0 * gain <= high for gain in others)
    least = f"below 1 in {len(resampled):,}" if p == 0.0 else f"{p:.3f}"
    decides = (
        "the gain of these two models is not an accident of the test sentences"
        if p < 0.025
        else ("another test set might show no gain at all")
    )
    return Markdown(
        f"Seed {seed} gains {100.0 * own:+.1f} points. In the middle 95% of the resampled test "
        f"sets the gain lies between {low:+.1f} and {high:+.1f} points. The share of resamples "
        f"*without* a gain, the one-sided p-value, is {least}: {decides}. Of the other "
        f"{len(others)} seeds, {inside} have a gain in that range; their gains go from "
        f"{100.0 * min(others):+.1f} to {100.0 * max(others):+.1f} points. The bootstrap of "
        "sentences cannot show what another training would give."
    )


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
        f"{statistics.fmean(condition_gain.p_factor):.1f} times as large."
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


def certain_in_words(by_seed: Sequence[Rows]) -> str:
    """Compare two differences between Seq-KD and the baseline by how many interval halves they are
    away from 0."""
    told = []
    for measure in ("what the beam adds", "valid, greedy"):
        verdict = compare_rows(by_seed, SEQ_KD, BASELINE, measure).verdict
        low, high = verdict.interval
        half = (high - low) / 2.0
        told.append((abs(verdict.mean) / half if half > 0.0 else math.inf, measure, verdict))
    sentences = [
        f"*{measure}*: {number(verdict.mean)} [{number(verdict.interval[0])}, "
        f"{number(verdict.interval[1])}], {times:.1f} times half of its interval away from 0"
        for times, measure, verdict in told
    ]
    surest = max(told, key=lambda entry: entry[0])[1]
    return (
        f"{'; '.join(sentences)}. So *{surest}* is the more certain difference: what counts is the "
        "ratio."
    )


def budget_answer(by_seed: Sequence[Rows]) -> str:
    """Say how the gain of the largest budget compares with the largest gain, in BLEU, and what the
    seeds decide."""
    gains = {factor: [gain(rows, factor, GREEDY_BLEU) for rows in by_seed] for factor in FACTORS}
    largest = max(gains, key=lambda factor: statistics.fmean(gains[factor]))
    mean, (low, high) = mean_and_interval(gains[FACTORS[-1]])
    text = (
        f"The mean gain is largest at {updates_at(by_seed[0], largest):,} updates, "
        f"{statistics.fmean(gains[largest]):+.1f} BLEU. At {updates_at(by_seed[0], FACTORS[-1]):,} "
        f"updates it is {mean:+.1f} [{low:+.1f}, {high:+.1f}]."
    )
    decided = "is still above 0" if low > 0.0 else "cannot be told from 0"
    return f"{text} With {len(by_seed)} seeds, the gain of the largest budget {decided}."
