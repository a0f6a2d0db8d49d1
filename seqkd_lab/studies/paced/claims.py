"""The claims of the PACED study, and the quantities of one seed that they are judged by."""

from __future__ import annotations

from collections.abc import Callable
from statistics import fmean

from seqkd_lab.runs.verdicts import Claim, Rows
from seqkd_lab.studies.paced.design import IDLE_SHARES, PACED, SHUFFLED, UNIFORM, arm_name
from seqkd_lab.studies.paced.measures import N_BINS

Quantity = Callable[[Rows], float]
START, POOL, NOISE = "start", "pool", "noise"
"""Rows of a seed besides its arms."""


def percent(rows: Rows, name: str, of: str = "draws") -> float:
    """Return the valid translations of an arm in percent: of draws, greedy ones, greedy ones of the
    left-out "skill", or draws of the training sources that "never" passed."""
    return 100.0 * rows[name][of]


def lead(name: str, other: str, of: str = "draws") -> Quantity:
    """Return by how many points arm `name` is above `other`."""
    return lambda rows: percent(rows, name, of) - percent(rows, other, of)


def arm_lead(idle_share: float, kind: str, other: str, of: str = "draws") -> Quantity:
    """Return by how many points one kind of weights is above another at a share of idle
    sources."""
    return lead(arm_name(idle_share, kind), arm_name(idle_share, other), of)


def dose(rows: Rows) -> float:
    """Return by how many points PACED's lead on uniform weights is larger where most sources are
    idle than where few are."""
    few, *_, most = (arm_lead(idle, PACED, UNIFORM)(rows) for idle in IDLE_SHARES)
    return most - few


def ratios(rows: Rows) -> list[float]:
    """Return the signal-to-noise ratio of each bin; not cut off at 0, or the mean over seeds would
    have a bias again."""
    noise = rows[NOISE]
    return [signal / noise for signal, noise in zip(noise["signal"], noise["noise"], strict=True)]


def middle(rows: Rows) -> float:
    """Return the mean ratio of the bins 3/8, 4/8 and 5/8."""
    return fmean(ratios(rows)[N_BINS // 2 - 1 : N_BINS // 2 + 2])


def inner_maximum(rows: Rows) -> float:
    """Return the middle's ratio less that of the higher end, in thousandths."""
    return 1_000.0 * (middle(rows) - max(ratios(rows)[0], ratios(rows)[-1]))


def collapse(end: int) -> Quantity:
    """Return half of the middle's ratio less that of an end (0 or -1), in thousandths: not below 0
    where the end has half of it at most."""
    return lambda rows: 1_000.0 * (middle(rows) / 2.0 - ratios(rows)[end])


BELL = (
    "PACED: the signal-to-noise ratio of the distillation gradient over the pass rate is "
    "bell-shaped and collapses at both ends (as this lab's notes report it)"
)
GAIN = "PACED: gains up to +8.2 over unweighted distillation (as this lab's notes report it)"
FORGETS = "PACED: less forgetting than unweighted distillation (as this lab's notes report it)"
CONTROL = "an aim of this lab: the same weights on sources at random must not do as well"
DOSE = "an aim of this lab: a weight that leaves sources out must do more where more are left out"


def not_negative(
    name: str, ours: str, value: Quantity, original: str, manipulation: Claim | None = None
) -> Claim:
    """Return the claim that a quantity is 0 or more."""
    return Claim(name, ours, value, least=0.0, original=original, manipulation=manipulation)


def gains(idle_share: float) -> Claim:
    """Return the check that uniform weights gain over the start at a share of idle sources."""
    arm = arm_name(idle_share, UNIFORM)
    said = f"{idle_share:.0%} idle: valid draws, uniform − start ≥ 0 points"
    return not_negative(f"learns-{100 * idle_share:.0f}", said, lead(arm, START), "")


def forgets(idle_share: float) -> Claim:
    """Return the check that uniform weights forget at a share of idle sources."""
    arm = arm_name(idle_share, UNIFORM)
    said = f"{idle_share:.0%} idle: left-out skill, start − uniform ≥ 0 points"
    return not_negative(f"forgets-{100 * idle_share:.0f}", said, lead(START, arm, "skill"), "")


def weight_claims(idle_share: float) -> list[Claim]:
    """Return the claims on PACED beside uniform and shuffled weights at a share of idle sources."""
    learns, at = gains(idle_share), f"{idle_share:.0%} idle"
    number = f"{100 * idle_share:.0f}"
    return [
        not_negative(
            f"gain-{number}",
            f"{at}: valid draws, PACED − uniform ≥ 0 points",
            arm_lead(idle_share, PACED, UNIFORM),
            GAIN,
            learns,
        ),
        not_negative(
            f"control-{number}",
            f"{at}: valid draws, PACED − shuffled ≥ 0 points",
            arm_lead(idle_share, PACED, SHUFFLED),
            CONTROL,
            learns,
        ),
        not_negative(
            f"forget-{number}",
            f"{at}: greedy translations of the left-out skill, PACED − uniform ≥ 0 points",
            arm_lead(idle_share, PACED, UNIFORM, "skill"),
            FORGETS,
            forgets(idle_share),
        ),
    ]


NOISE_CLAIMS = (
    not_negative(
        "bell",
        "signal-to-noise: the middle (3/8–5/8) − the higher end ≥ 0 thousandths",
        inner_maximum,
        BELL,
    ),
    not_negative(
        "end-0",
        "signal-to-noise: half of the middle − the end at p̂ = 0 ≥ 0 thousandths",
        collapse(0),
        BELL,
    ),
    not_negative(
        "end-1",
        "signal-to-noise: half of the middle − the end at p̂ = 1 ≥ 0 thousandths",
        collapse(-1),
        BELL,
    ),
)
CLAIMS = (
    *NOISE_CLAIMS,
    *(claim for idle_share in IDLE_SHARES for claim in weight_claims(idle_share)),
    not_negative(
        "dose",
        "valid draws: (PACED − uniform) at 80% idle − the same at 15% ≥ 0 points",
        dose,
        DOSE,
        gains(IDLE_SHARES[-1]),
    ),
)
