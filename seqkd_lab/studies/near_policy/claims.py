"""The claims of the near-policy study."""

from __future__ import annotations

from collections.abc import Callable

from seqkd_lab.runs.verdicts import Claim, Rows
from seqkd_lab.studies.near_policy.recipes import (
    CROSS_ENTROPY,
    EARLY,
    EVERY,
    FORWARD,
    LATE,
    REVERSE,
    SAMPLES,
    TEACHER_MODE,
    arm_name,
    warm_start_name,
)

PAPER = "NPD, arXiv 2605.05940, abstract and introduction"
AHEAD_OF_DATA = f"+8.09% over fine-tuning on teacher data ({PAPER})"
SPARSE = (
    f"the student is synchronised to the generator only sparsely ({PAPER}); what that may cost is "
    "ours"
)
OURS = f"ours: the paper learns by forward KL ({PAPER})"
LEAST = -1.0
"""Points of validity that staleness may cost."""


def lead(arm: str, other: str, measure: str = "validity") -> Callable[[Rows], float]:
    """Return a function of a seed's rows: how far an arm is above another, in points."""
    return lambda rows: rows[arm][measure] - rows[other][measure]


def gain(start: int, loss: str) -> Claim:
    """Return the manipulation check: on-policy training must bring something, or staleness has
    nothing to spoil."""
    on_policy = arm_name(start, EVERY[1], loss)
    return Claim(
        "gain",
        f"{on_policy}: valid translations above its warm start, ≥ 0 points",
        lead(on_policy, warm_start_name(start)),
        least=0.0,
    )


def ahead(
    name: str, start: int, loss: str, other: str, original: str, measure: str = "validity"
) -> Claim:
    """Return the claim that every 16 has at least as many valid translations as another arm."""
    arm = arm_name(start, EVERY[16], loss)
    what = {"validity": "valid translations", "samples": "valid samples"}[measure]
    ours = f"{arm}: {what} above those of “{other}”, ≥ 0 points"
    return Claim(name, ours, lead(arm, other, measure), least=0.0, original=original)


def stale(name: str, start: int, loss: str, interval: int | None) -> Claim:
    """Return the claim that an interval costs at most a point of on-policy training's validity."""
    arm, on_policy = (arm_name(start, EVERY[each], loss) for each in (interval, 1))
    ours = f"{arm}: valid translations at most {-LEAST:g} point below “{on_policy}”"
    return Claim(
        name,
        ours,
        lead(arm, on_policy),
        least=LEAST,
        original=SPARSE,
        manipulation=gain(start, loss),
    )


def later_is_better(rows: Rows) -> float:
    """Return by how many points the lead over the teacher's samples is larger from the late warm
    start than from the early one."""
    late, early = (
        lead(arm_name(start, EVERY[16], FORWARD), arm_name(start, SAMPLES, FORWARD))(rows)
        for start in (LATE, EARLY)
    )
    return late - early


CLAIMS = (
    ahead("N1", LATE, FORWARD, arm_name(LATE, SAMPLES, FORWARD), AHEAD_OF_DATA),
    ahead("N2", LATE, FORWARD, arm_name(LATE, SAMPLES, FORWARD), AHEAD_OF_DATA, "samples"),
    ahead("N3", LATE, FORWARD, arm_name(LATE, TEACHER_MODE, CROSS_ENTROPY), AHEAD_OF_DATA),
    ahead("N4", EARLY, FORWARD, arm_name(EARLY, SAMPLES, FORWARD), AHEAD_OF_DATA),
    Claim(
        "N5",
        "every 16's lead over the teacher's samples in valid translations is larger after "
        f"{LATE} epochs than after {EARLY}, by ≥ 0 points",
        later_is_better,
        least=0.0,
        original="ours: how good the paper's students are at the start, its abstract does not say",
    ),
    stale("N6", LATE, FORWARD, 16),
    stale("N7", LATE, FORWARD, None),
    stale("N8", LATE, REVERSE, 16),
    stale("N9", EARLY, FORWARD, 16),
    ahead("N10", LATE, REVERSE, arm_name(LATE, EVERY[16], FORWARD), OURS),
    ahead("N11", LATE, REVERSE, arm_name(LATE, EVERY[16], FORWARD), OURS, "samples"),
    ahead("N12", LATE, REVERSE, arm_name(LATE, SAMPLES, FORWARD), OURS),
    ahead("N13", EARLY, REVERSE, arm_name(EARLY, EVERY[16], FORWARD), OURS),
)
