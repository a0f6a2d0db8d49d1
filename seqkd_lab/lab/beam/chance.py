"""What sentences and seeds decide, and what they leave open."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from seqkd_lab.corpus.parallel import ParallelCorpus
from seqkd_lab.evaluation import reference_streams
from seqkd_lab.lab.beam.outputs import Outputs
from seqkd_lab.lab.shared.predictions import largest
from seqkd_lab.lab.shared.seeds import share_interval
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
        if self.p_value >= ALPHA or self.value == 0.0:
            return 0
        return 1 if self.value > 0.0 else -1


def bleu_difference(
    before: Outputs, after: Outputs, corpus: ParallelCorpus, data: Dataset, n_samples: int = 500
) -> Difference:
    """Compare two searches of the same sentences in BLEU (Koehn 2004)."""
    references = reference_streams(corpus, data.detokenise)
    texts_after, texts_before = (
        [data.detokenise(hypothesis.tokens) for hypothesis in outputs.hypotheses]
        for outputs in (after, before)
    )
    test = paired_difference(texts_after, texts_before, references, n_samples)
    return Difference(test["other"], test["system"], test["p_value"])


def choose_by_interval(
    interval: tuple[float, float], bounds: Sequence[float], answers: Sequence[str]
) -> str:
    """Return the answer whose range holds the whole interval, NOT_TOLD where it crosses a bound.

    `bounds` rise, and lie between the `answers`.
    """
    low, high = (sum(edge > bound for bound in bounds) for edge in interval)
    return answers[low] if low == high else NOT_TOLD


def how_often(count: int, n: int) -> str:
    """Return the answer to how often K = 2 gives something less probable than greedy search, by the
    95% interval."""
    if count == 0:
        return NOT_TOLD
    answers = ("in fewer than 5 of 100 sentences", "in more than 5 of 100 sentences")
    return choose_by_interval(share_interval(count, n), (0.05,), answers)


def bleu_course(steps: Sequence[Difference], whole: Difference, answers: Sequence[str]) -> str:
    """Return which of three courses BLEU takes over three beam sizes, NOT_TOLD where the sentences
    do not decide.

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
    """Return the model whose greedy translation the beam changes most often by the seeds of Table
    1, else CANNOT_TELL."""
    seeds = rows_by_seed(results)
    shares = {name: [1.0 - rows[name]["same_translation"] for rows in seeds] for name in names}
    return largest(shares)


def beam_gains(results: Mapping, name: str) -> list[float]:
    """Return what the beam adds to one model of Table 1 in BLEU, a value a seed."""
    return [gap(rows, name) for rows in rows_by_seed(results)]


def gains_in_words(
    gains: Mapping[str, Difference], by_seed: Mapping[str, Sequence[float]], beam_size: int
) -> str:
    """Say what the beam adds to each model in BLEU, here and over the seeds, and to which of the
    first two more."""
    here = ", ".join(f"{name} {gain.value:+.1f}" for name, gain in gains.items())
    (first, values), (second, others) = list(by_seed.items())[:2]
    mean, (low, high) = mean_and_interval([a - b for a, b in zip(values, others, strict=True)])
    verdict = (
        f"So it adds more to the {first}"
        if low > 0.0
        else f"So it adds more to {second}"
        if high < 0.0
        else "So these seeds do not tell to which of the two it adds more"
    )
    return (
        f"**What a beam of {beam_size} adds to greedy search, in BLEU.** On these sentences: "
        f"{here}. Over {len(values)} seeds, the difference between what it adds to the {first} and "
        f"to {second} is {mean:+.1f} BLEU, 95% interval {low:+.1f} to {high:+.1f}. {verdict}."
    )
