"""Say before a study runs what it will be able to see: power from the scatter of its pilot.

A pilot measures the same quantities on the seeds that are kept for choosing. From the standard
deviation s of a claim's (paired) quantity over its seeds, n seeds can tell a true difference from
the claim's bound with a probability of 80% when it is at least (t(0.975) + t(0.8)) · s / √n.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from seqkd_lab.runs.committed import results_path
from seqkd_lab.runs.results import rows_by_seed
from seqkd_lab.runs.study import Study, read_study
from seqkd_lab.runs.verdicts import Claim, Rows, number, smallest_effect

MOST_SEEDS = 1_000
"""Beyond which a number of seeds is given as "more"."""


@dataclass(frozen=True)
class Plan:
    """What `n` seeds can see of a claim: standard_deviation is the pilot's, effect the smallest
    true difference from the bound that they tell with a probability of 80%."""

    claim: Claim
    standard_deviation: float
    n: int

    @property
    def effect(self) -> float:
        """Return the smallest effect that can be seen."""
        return smallest_effect(self.standard_deviation, self.n)

    def __str__(self) -> str:
        return (
            f"{self.claim.name}: standard deviation of the pilot "
            f"{number(self.standard_deviation)}; {self.n} seeds see {number(self.effect)}  "
            f"({self.claim.ours})"
        )


def seeds_for(standard_deviation: float, effect: float) -> int:
    """Return the least number of seeds that see `effect`, at most MOST_SEEDS.

    Raise ValueError for an effect that is not above 0.
    """
    if not effect > 0.0:
        raise ValueError(f"an effect to be seen is larger than 0; got {effect}")
    enough = (n for n in range(2, MOST_SEEDS) if smallest_effect(standard_deviation, n) <= effect)
    return next(enough, MOST_SEEDS)


def pilot_rows(study: Study) -> list[Rows]:
    """Return the committed results of the study's pilot, none where it has none."""
    pilot = study.pilot()
    path = results_path(pilot.file)
    return rows_by_seed(read_study(path, study)) if path.exists() else []


def plans(study: Study, n: int | None = None) -> list[Plan]:
    """Return for each claim that the pilot measured what `n` seeds (None: the study's own number)
    can see; nothing without a pilot."""
    rows = pilot_rows(study)
    if not rows:
        return []
    n = study.n_seeds if n is None else n
    return [Plan(verdict.claim, verdict.standard_deviation, n) for verdict in study.judge(rows)]


def planned_effects(study: Study, by_seed: Sequence[Rows]) -> dict[str, float]:
    """Return by a claim's name the smallest effect that so many seeds were planned to see."""
    return {plan.claim.name: plan.effect for plan in plans(study, len(by_seed))}
