"""What sentences and seeds decide, and what they leave open."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from scipy.stats import norm

from seqkd_lab.evaluation import reference_streams
from seqkd_lab.lab.beam.outputs import Outputs
from seqkd_lab.lab.shared.predictions import CANNOT_TELL, decided
from seqkd_lab.metrics import paired_difference
from seqkd_lab.runs.data import Dataset
from seqkd_lab.runs.results import rows_by_seed
from seqkd_lab.runs.verdicts import mean_and_interval
from seqkd_lab.studies.table1.findings import gap

NOT_TOLD = "cannot be told from these sentences"
"""The option to choose, and the value to score, where the 95% interval over the sentences contains
several answers."""

ALPHA = 0.05


@dataclass(frozen=True)
class Difference:
    """BLEU of two searches on the same sentences, and the p-value of their difference by the paired
    bootstrap."""

    before: float
    after: float
    p_value: float

    @property
    def value(self) -> float:
        """after − before."""
        return self.after - self.before

    @property
    def direction(self) -> int:
        """1 or −1 where the sentences decide (p below 0.05), else 0."""
        return (
            0 if self.p_value >= ALPHA or self.value == 0.0 else int(math.copysign(1, self.value))
        )


def bleu_difference(
    before: Outputs, after: Outputs, corpus, data: Dataset, n_samples: int = 500
) -> Difference:
    """Compares two searches of the same sentences in BLEU (Koehn 2004)."""
    texts = [
        [data.detokenise(hypothesis.tokens) for hypothesis in made.found]
        for made in (after, before)
    ]
    test = paired_difference(*texts, reference_streams(corpus, data.detokenise), n_samples)
    return Difference(float(test["other"]), float(test["system"]), float(test["p_value"]))


def share_interval(count: int, n: int) -> tuple[float, float]:
    """The 95% interval of a share by Wilson (1927), which also holds for counts near 0. Everything
    where n is 0."""
    if not n:
        return 0.0, 1.0
    z2 = float(norm.ppf(0.975)) ** 2
    centre, reach = (
        (count + z2 / 2) / (n + z2),
        math.sqrt(z2 * (count * (n - count) / n + z2 / 4)) / (n + z2),
    )
    return max(0.0, centre - reach), min(1.0, centre + reach)


def choose_by_interval(
    interval: tuple[float, float], bounds: Sequence[float], answers: Sequence[str]
) -> str:
    """The answer whose range holds the whole interval, NOT_TOLD where it crosses a bound.

    `bounds` rise, and lie between the `answers`.
    """
    low, high = (sum(edge > bound for bound in bounds) for edge in interval)
    return answers[low] if low == high else NOT_TOLD


def how_often(count: int, n: int) -> str:
    """The answer to how often K = 2 gives something less probable than greedy search, by the 95%
    interval."""
    if count == 0:
        return NOT_TOLD
    answers = ("in fewer than 5 of 100 sentences", "in more than 5 of 100 sentences")
    return choose_by_interval(share_interval(count, n), (0.05,), answers)


def bleu_course(steps: Sequence[Difference], whole: Difference, answers: Sequence[str]) -> str:
    """Which of three courses BLEU takes over three beam sizes, NOT_TOLD where the sentences do not
    decide.

    answers: rises all the way; ends below the first; rises, falls, and ends above the first.
    """
    if all(step.direction > 0 for step in steps):
        return answers[0]
    if whole.direction < 0:
        return answers[1]
    if [step.direction for step in steps] == [1, -1] and whole.direction > 0:
        return answers[2]
    return NOT_TOLD


def changed_most(results: Mapping, names: Sequence[str]) -> str:
    """The model whose greedy translation the beam changes most often by the seeds of Table 1, else
    CANNOT_TELL."""
    seeds = rows_by_seed(results)
    pairs = decided(
        {name: [1.0 - rows[name]["same_translation"] for rows in seeds] for name in names}
    )
    most = [
        name for name in names if all((name, other) in pairs for other in names if other != name)
    ]
    return most[0] if most else CANNOT_TELL


def beam_gains(results: Mapping, name: str) -> list[float]:
    """What the beam adds to one model of Table 1 in BLEU, a value a seed."""
    return [gap(rows, name) for rows in rows_by_seed(results)]


def range_of_one_more(values: Sequence[float]) -> tuple[float, float]:
    """Where one more value lies with 95%: mean ± t(n − 1) · s · √(1 + 1/n); everywhere for a single
    one."""
    if len(values) < 2:
        return -math.inf, math.inf
    mean, (low, _) = mean_and_interval(values)
    reach = (mean - low) * math.sqrt(len(values) + 1.0)  # the mean's own half-width is t · s / √n
    return mean - reach, mean + reach


def gains_in_words(
    gains: Mapping[str, Difference], by_seed: Mapping[str, Sequence[float]], beam_size: int
) -> str:
    """Says what the beam adds to each model in BLEU, here and over the seeds, and to which of the
    first two more."""
    here = ", ".join(f"{name} {gain.value:+.1f}" for name, gain in gains.items())
    (one, values), (other, others) = list(by_seed.items())[:2]
    mean, (low, high) = mean_and_interval([a - b for a, b in zip(values, others, strict=True)])
    interval = f"{mean:+.1f} BLEU, 95% interval {low:+.1f} to {high:+.1f}"
    judged = (
        f"So it adds more to the {one}"
        if low > 0.0
        else f"So it adds more to {other}"
        if high < 0.0
        else "So these seeds do not tell to which of the two it adds more"
    )
    return (
        f"**What a beam of {beam_size} adds to greedy search, in BLEU.** On these sentences: "
        f"{here}. Over {len(values)} seeds, the difference between what it adds to the {one} and "
        f"to {other} is {interval}. {judged}."
    )
