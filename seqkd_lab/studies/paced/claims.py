"""The claims of the PACED study, and the quantities of one seed that they are judged by."""

from __future__ import annotations

from collections.abc import Callable
from statistics import fmean

from seqkd_lab.runs.recipes import HARD, PACED, SHUFFLED
from seqkd_lab.runs.verdicts import Claim, Rows
from seqkd_lab.studies.paced.measures import N_BINS, forgetting, percent_valid, ratios
from seqkd_lab.studies.paced.recipes import FORWARD, REVERSE, TWO_STAGE, UNIFORM, label

Quantity = Callable[[Rows], float]


def lead(name: str, other: str) -> Quantity:
    """Return how many points more of the draws are valid in arm `name` than in `other`."""
    return lambda rows: percent_valid(rows, name) - percent_valid(rows, other)


def spared(loss: str) -> Quantity:
    """Return how many points less PACED forgets than uniform weights."""
    uniform, paced = label(loss, UNIFORM), label(loss, PACED)
    return lambda rows: forgetting(rows, uniform) - forgetting(rows, paced)


def much_of_the_gain(loss: str) -> Quantity:
    """Return the hard filter's gain less half of PACED's, in points; at most PACED's gain, so that
    none is no success."""
    paced_gain = lead(label(loss, PACED), label(loss, UNIFORM))
    hard_gain = lead(label(loss, HARD), label(loss, UNIFORM))
    return lambda rows: min(paced_gain(rows), hard_gain(rows) - paced_gain(rows) / 2.0)


def middle(rows: Rows, loss: str) -> float:
    """Return the mean ratio of the bins 3/8, 4/8 and 5/8."""
    return fmean(ratios(rows, loss)[N_BINS // 2 - 1 : N_BINS // 2 + 2])


def inner_maximum(loss: str) -> Quantity:
    """Return the middle's ratio less that of the higher end."""
    return lambda rows: middle(rows, loss) - max(ratios(rows, loss)[0], ratios(rows, loss)[-1])


def collapse(loss: str, end: int) -> Quantity:
    """Return half of the middle's ratio less that of an end (0 or -1): not below 0 where the end
    has half of it at most."""
    return lambda rows: middle(rows, loss) / 2.0 - ratios(rows, loss)[end]


BELL = (
    "PACED: the signal-to-noise ratio of the distillation gradient over the pass rate is "
    "bell-shaped and collapses at both ends (as our notes have it)"
)
GAIN = "PACED: gains up to +8.2 over unweighted distillation (as our notes have it)"
FORGETS = "PACED: less forgetting than unweighted distillation (as our notes have it)"
FILTER = "PACED: a hard filter 0.2 < p̂ < 0.8 gets much of the gain (as our notes have it)"
CONTROL = "an aim of this lab: the same weights on sentences at random must not do as well"
SHORT = {FORWARD: "fkl", REVERSE: "rkl", TWO_STAGE: "two"}


def noise_claims(loss: str) -> list[Claim]:
    """Return the claims on the signal-to-noise ratio over the pass rate."""
    of = f"signal-to-noise, {loss}"
    inner = "the middle (3/8–5/8) above both ends (middle − higher end ≥ 0)"
    low = "at p = 0 at most half of the middle (half of the middle − end ≥ 0)"
    high = "at p = 1 at most half of the middle (half of the middle − end ≥ 0)"
    return [
        not_negative(f"{SHORT[loss]}-inner", f"{of}: {inner}", inner_maximum(loss), BELL),
        not_negative(f"{SHORT[loss]}-p=0", f"{of}: {low}", collapse(loss, 0), BELL),
        not_negative(f"{SHORT[loss]}-p=1", f"{of}: {high}", collapse(loss, -1), BELL),
    ]


def arm_claims(loss: str) -> list[Claim]:
    """Return the claims on what PACED gains, and what it spares from being forgotten."""
    gain = f"{loss}: valid draws, PACED − uniform ≥ 0 points"
    forget = f"{loss}: points of the left-out skill lost, uniform − PACED ≥ 0"
    paced, uniform = label(loss, PACED), label(loss, UNIFORM)
    return [
        not_negative(f"{SHORT[loss]}-gain", gain, lead(paced, uniform), GAIN),
        not_negative(f"{SHORT[loss]}-forget", forget, spared(loss), FORGETS),
    ]


def control_claims(loss: str) -> list[Claim]:
    """Return the claims on the hard filter and the shuffled weights."""
    hard = f"{loss}: the hard filter has half of PACED's gain or more, and PACED has one"
    shuffled = f"{loss}: valid draws, PACED − shuffled weights ≥ 0 points"
    to_shuffled = lead(label(loss, PACED), label(loss, SHUFFLED))
    return [
        not_negative(f"{SHORT[loss]}-hard", hard, much_of_the_gain(loss), FILTER),
        not_negative(f"{SHORT[loss]}-shuffled", shuffled, to_shuffled, CONTROL),
    ]


def not_negative(name: str, ours: str, value: Quantity, original: str) -> Claim:
    """Return the claim that a quantity is 0 or more."""
    return Claim(name, ours, value, least=0.0, original=original)


CLAIMS = (
    *(
        claim
        for loss in (FORWARD, REVERSE)
        for claim in (*noise_claims(loss), *arm_claims(loss), *control_claims(loss))
    ),
    *arm_claims(TWO_STAGE),
    not_negative(
        "two-forward",
        "valid draws, PACED two-stage − uniform forward KL ≥ 0 points (stages and weights in one)",
        lead(label(TWO_STAGE, PACED), label(FORWARD, UNIFORM)),
        GAIN,
    ),
)
