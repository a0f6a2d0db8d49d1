"""The one rule by which every study here judges a claim: by the 95% interval of a quantity's mean
over the seeds.

Held where the whole interval lies within the claim's bounds, not held where all of it lies outside
on one side, undecided where it crosses a bound. The mean alone decides nothing. Where the models
have not learned enough for their numbers to say anything, the claim cannot be judged, and the
verdict says why.
"""

from __future__ import annotations

import math
import statistics
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType

from scipy.special import stdtrit

HELD = "held"
NOT_HELD = "not held"
UNDECIDED = "undecided"
CANNOT_BE_ASKED = "cannot be asked here"
CANNOT_BE_JUDGED = "cannot be judged"
LEVEL = 0.95
"""Of the intervals."""
POWER = 0.8
"""The probability with which a true difference of the smallest effect is told from the bound."""
Rows = Mapping[str, Mapping]
"""What was measured of one seed (or round), by name."""


@dataclass(frozen=True)
class Claim:
    """A claim, and the quantity of one seed's measurements that must lie in [least, most].

    name: for short, "F1". ours: what is asked here, in words, with its unit. value: the quantity,
    None where these results did not measure it. original: the paper's wording or number, with its
    source. needs: names of rows that must be there. check: whether these results can answer at all
    (say, whether there is anything to gain). obstacle: why these results cannot be judged (say, the
    models cannot translate), None where they can. measure: the measure of a row that the claim is
    about, by its name in lesson 08's table. repetitions: makes the rows of what the values are of
    from those of the seeds, where it is not the seeds themselves; repeated: what that is
    ("drafts").
    """

    name: str
    ours: str
    value: Callable[[Rows], float | None]
    least: float = -math.inf
    most: float = math.inf
    original: str = ""
    needs: tuple[str, ...] = ()
    check: Callable[[Sequence[Rows]], bool] | None = None
    manipulation: Claim | None = None
    measure: str = ""
    obstacle: Callable[[Sequence[Rows]], str | None] | None = None
    repetitions: Callable[[Sequence[Rows]], Sequence[Rows]] | None = None
    repeated: str = ""

    def over(self, by_seed: Sequence[Rows]) -> Sequence[Rows]:
        """Return the rows of what is repeated: of the seeds, or what `repetitions` makes of
        them."""
        return by_seed if self.repetitions is None else self.repetitions(by_seed)


@dataclass(frozen=True)
class Verdict:
    """A claim judged: its value in each seed, their mean, the 95% interval of the mean, and one of
    the outcomes; of CANNOT_BE_JUDGED also the reason."""

    claim: Claim
    values: tuple[float, ...]
    mean: float
    interval: tuple[float, float]
    outcome: str
    reason: str = ""

    @property
    def standard_deviation(self) -> float:
        """Return that of the values; NaN for a single value, and where one is not finite."""
        return _deviation(self.values) if len(self.values) > 1 else math.nan

    @property
    def smallest_effect(self) -> float:
        """Return the smallest true difference from a bound that so many values, with this standard
        deviation, would have told from it with a probability of 80%: (t(0.975) + t(0.8)) · s / √n;
        infinite for a single value."""
        n = len(self.values)
        return math.inf if n < 2 else smallest_effect(self.standard_deviation, n)


def smallest_effect(standard_deviation: float, n: int) -> float:
    """Return the smallest true difference from a bound that `n` values with this standard deviation
    tell from it with a probability of 80%: (t(0.975) + t(0.8)) · s / √n, with Student's t of n − 1
    degrees of freedom; infinite for fewer than two values."""
    if n < 2:
        return math.inf
    quantiles = _quantile((1.0 + LEVEL) / 2.0, n) + _quantile(POWER, n)
    return quantiles * standard_deviation / math.sqrt(n)


def _quantile(probability: float, n: int) -> float:
    """Of Student's t for the mean of `n` values (scipy.special has it without the half a
    second that scipy.stats takes to import)."""
    return float(stdtrit(n - 1, probability))


def _deviation(values: Sequence[float]) -> float:
    """Return the standard deviation of at least two values; NaN where one is not finite."""
    return statistics.stdev(values) if all(map(math.isfinite, values)) else math.nan


def mean_and_interval(values: Sequence[float]) -> tuple[float, tuple[float, float]]:
    """Return the mean and its 95% interval by Student's t; the interval of a single value is
    unbounded.

    Raises ValueError without any value.
    """
    if not values:
        raise ValueError("no value: the mean of nothing is not defined")
    mean = sum(values) / len(values) if any(map(math.isinf, values)) else statistics.fmean(values)
    if len(values) < 2:
        return mean, (-math.inf, math.inf)
    reach = (
        _quantile((1.0 + LEVEL) / 2.0, len(values)) * _deviation(values) / math.sqrt(len(values))
    )
    return mean, (mean - reach, mean + reach)


def outcome_of(interval: tuple[float, float], least: float, most: float) -> str:
    """Return HELD where the whole interval lies in [least, most], NOT_HELD where all of it lies
    below `least` or above `most`, else UNDECIDED (an end that is NaN decides nothing)."""
    low, high = interval
    if least <= low and high <= most:
        return HELD
    return NOT_HELD if high < least or low > most else UNDECIDED


def judge_claim(claim: Claim, by_seed: Sequence[Rows]) -> Verdict:
    """Judge one claim over the seeds: by `outcome_of` its values' 95% interval; cannot be asked
    where its check fails, cannot be judged where there is an obstacle.

    Values that are NaN decide nothing. Raises ValueError without any seed, and where a seed lacks
    the measurement.
    """
    by_seed = claim.over(by_seed)
    values = [value for rows in by_seed if (value := claim.value(rows)) is not None]
    if len(values) < len(by_seed):
        raise ValueError(f"{claim.name} cannot be judged: not measured in each seed: {claim.ours}")
    mean, interval = mean_and_interval(values)
    outcome = outcome_of(interval, claim.least, claim.most)
    if any(map(math.isnan, values)):
        outcome = UNDECIDED
    reason = None if claim.manipulation is None else _failed(claim.manipulation, by_seed)
    if reason is not None or (claim.check is not None and not claim.check(by_seed)):
        outcome = CANNOT_BE_ASKED
    if claim.obstacle is not None and (obstacle := claim.obstacle(by_seed)) is not None:
        outcome, reason = CANNOT_BE_JUDGED, obstacle
    return Verdict(claim, tuple(values), mean, interval, outcome, reason or "")


def _failed(manipulation: Claim, by_seed: Sequence[Rows]) -> str | None:
    """Return why a manipulation check is not passed, with its numbers; None where it is held."""
    verdict = judge_claim(manipulation, by_seed)
    if verdict.outcome == HELD:
        return None
    return f"the manipulation check is {verdict.outcome} ({manipulation.ours}: {numbers(verdict)})"


def is_measured(claim: Claim, by_seed: Sequence[Rows]) -> bool:
    """Tell whether every seed has the rows that the claim needs, and its value in them."""
    measured = all(
        set(claim.needs) <= set(rows) and claim.value(rows) is not None
        for rows in claim.over(by_seed)
    )
    return measured and (claim.manipulation is None or is_measured(claim.manipulation, by_seed))


def judge_claims(claims: Iterable[Claim], by_seed: Sequence[Rows]) -> list[Verdict]:
    """Judge every claim that these results measured. Raises ValueError without any seed, and where
    a claim's quantity cannot be computed."""
    if not by_seed:
        raise ValueError("no seed to judge: the results hold no finished run")
    verdicts = []
    for claim in claims:
        try:
            if is_measured(claim, by_seed):
                verdicts.append(judge_claim(claim, by_seed))
        except (ArithmeticError, LookupError, TypeError) as error:
            why = f"{type(error).__name__}: {error}"
            raise ValueError(f"{claim.name} cannot be judged ({why}): {claim.ours}") from error
    return verdicts


def all_held(verdicts: Iterable[Verdict]) -> bool:
    """Tell whether every claim is held."""
    return all(verdict.outcome == HELD for verdict in verdicts)


def number(value: float) -> str:
    """Return a number for people: three digits, or whole thousands."""
    return f"{value:,.0f}" if 1000.0 <= abs(value) < math.inf else f"{value:.3g}"


def numbers(verdict: Verdict) -> str:
    """Return "mean [interval]" of a verdict; of a single value the mean alone."""
    low, high = verdict.interval
    mean = number(verdict.mean)
    return mean if len(verdict.values) < 2 else f"{mean} [{number(low)}, {number(high)}]"


def describe(verdict: Verdict, repeated: str = "seeds", planned: float | None = None) -> str:
    """Return the verdict in some lines: name, outcome and claim; mean [interval], the smallest
    effect that could have been seen (and the one that the pilot let expect, `planned`) and the
    values, by seed or what was `repeated` instead; why it cannot be asked; the original wording.
    Where the claim cannot be judged, the reason stands in the place of the numbers."""
    claim = verdict.claim
    interval = " (one value: no interval)"
    if len(verdict.values) > 1:
        interval = f"; smallest visible effect {number(verdict.smallest_effect)}"
        interval += "" if planned is None else f" (planned {number(planned)})"
    values = f"{claim.repeated or repeated}: {' '.join(map(number, verdict.values))}"
    lines = [f"{claim.name}  {verdict.outcome.upper():9}  {claim.ours}"]
    if verdict.outcome != CANNOT_BE_JUDGED:
        lines.append(f"    {numbers(verdict)}{interval}; {values}")
    lines += [f"    {line}" for line in (verdict.reason, _quoted(claim)) if line]
    return "\n".join(lines)


def _quoted(claim: Claim) -> str:
    return f"original: {claim.original}" if claim.original else ""


def summary(verdicts: Sequence[Verdict]) -> str:
    """Return one sentence: how many claims are held, undecided and not held, and which were not
    reproduced."""
    count = Counter(verdict.outcome for verdict in verdicts)
    verb = "is" if 1 in (count[HELD], len(verdicts)) else "are"
    counts = (
        f"{count[HELD]} of {len(verdicts)} {'claim' if len(verdicts) == 1 else 'claims'} {verb} "
        f"held, {count[UNDECIDED]} undecided, {count[NOT_HELD]} not held"
    )
    if count[CANNOT_BE_ASKED]:
        counts += f", {count[CANNOT_BE_ASKED]} cannot be asked here"
    if count[CANNOT_BE_JUDGED]:
        reasons = dict.fromkeys(
            verdict.reason for verdict in verdicts if verdict.outcome == CANNOT_BE_JUDGED
        )
        counts += f", {count[CANNOT_BE_JUDGED]} cannot be judged ({'; '.join(reasons)})"
    missed = [
        f"{verdict.claim.name} ({verdict.claim.ours})"
        for verdict in verdicts
        if verdict.outcome == NOT_HELD
    ]
    return counts + (f"; not reproduced: {'; '.join(missed)}." if missed else ".")


def in_words(
    verdicts: Sequence[Verdict],
    repeated: str = "seeds",
    planned: Mapping[str, float] = MappingProxyType({}),
) -> str:
    """Return every verdict as `describe` words it, with the effects that were `planned` by the
    names of the claims, and the summary in a last line."""
    described = [
        describe(verdict, repeated, planned.get(verdict.claim.name)) for verdict in verdicts
    ]
    return "\n".join([*described, summary(verdicts)])
