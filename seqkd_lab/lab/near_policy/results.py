"""What lesson 14 reads from the results of the near-policy studies."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import pairwise
from statistics import fmean, median

import numpy as np

from seqkd_lab.distillation.generation import Event
from seqkd_lab.lab.near_policy.explorer import Timelines
from seqkd_lab.lab.shared.predictions import largest
from seqkd_lab.runs.verdicts import Rows
from seqkd_lab.studies import near_policy_clock
from seqkd_lab.studies.near_policy.measures import FATES, VALID, WRONG
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
from seqkd_lab.studies.near_policy.ways import INTERVALS, LADDER, LOOP, MAIN, both
from seqkd_lab.studies.near_policy_clock import from_lines

OWN, TEACHERS = "the student's own", "the teacher's"


def timelines(rounds: Sequence[Rows]) -> Timelines:
    """Return what the first round recorded, with MAIN sentences an update."""

    def events(name: str) -> list[Event]:
        return from_lines(rounds[0][str(MAIN)][name]["events"])

    return Timelines(
        events(LOOP), {interval: events(both(interval).name) for interval in INTERVALS}
    )


def factors(rounds: Sequence[Rows], size: int = MAIN) -> dict[str, list[float]]:
    """Return for each way how many times as fast as the faster of the synchronous loops it was, in
    each round."""
    return {
        name: [near_policy_clock.factor(size, name)(rows) for rows in rounds]
        for name in rounds[0][str(size)]
    }


def steps(rounds: Sequence[Rows]) -> dict[str, list[float]]:
    """Return by how much each step of the ladder multiplies the speed of those before it, in each
    round."""
    by_way = factors(rounds)
    return {
        name: [now / before for now, before in zip(by_way[name], by_way[previous], strict=True)]
        for previous, name in pairwise(way.name for way in LADDER)
    }


def paired(by_seed: Sequence[Rows], arm: str, other: str, measure: str) -> list[float]:
    """Return by seed how far an arm is above another, in points."""
    return [rows[arm][measure] - rows[other][measure] for rows in by_seed]


def of_arm(by_seed: Sequence[Rows], arm: str, measure: str) -> list[float]:
    """Return a measure of an arm by seed."""
    return [rows[arm][measure] for rows in by_seed]


def staleness_differences(by_seed: Sequence[Rows]) -> dict[str, list[float]]:
    """Return by seed what on-policy training brings, and what staleness then costs: points of
    valid translations, after LATE epochs."""
    found = {}
    for loss, intervals in ((REVERSE, (16,)), (FORWARD, (16, None))):
        on_policy = arm_name(LATE, EVERY[1], loss)
        name = f"{loss} KL: {EVERY[1]} − before"
        found[name] = paired(by_seed, on_policy, warm_start_name(LATE), "validity")
        for interval in intervals:
            arm = arm_name(LATE, EVERY[interval], loss)
            found[f"{loss} KL: {EVERY[interval]} − {EVERY[1]}"] = paired(
                by_seed, arm, on_policy, "validity"
            )
    return found


def writer_differences(by_seed: Sequence[Rows], measure: str) -> dict[str, list[float]]:
    """Return by seed how far training on the student's own sentences, at every 16, is above
    training on the teacher's."""
    rows = (
        (LATE, FORWARD, SAMPLES, FORWARD),
        (LATE, REVERSE, SAMPLES, FORWARD),
        (LATE, REVERSE, TEACHER_MODE, CROSS_ENTROPY),
        (EARLY, FORWARD, SAMPLES, FORWARD),
        (EARLY, REVERSE, SAMPLES, FORWARD),
    )
    return {
        f"{start} epochs: own sentences, {loss} KL − {way}": paired(
            by_seed, arm_name(start, EVERY[16], loss), arm_name(start, way, other), measure
        )
        for start, loss, way, other in rows
    }


def whose(by_seed: Sequence[Rows], measure: str = "validity") -> str:
    """Return whose sentences teach more with the same loss, from the late warm start: OWN, TEACHERS
    or CANNOT_TELL."""
    return largest(
        {
            OWN: of_arm(by_seed, arm_name(LATE, EVERY[16], FORWARD), measure),
            TEACHERS: of_arm(by_seed, arm_name(LATE, SAMPLES, FORWARD), measure),
        }
    )


def better_loss(by_seed: Sequence[Rows], measure: str) -> str:
    """Return which KL along the student's own sentences leads, from the late warm start: FORWARD,
    REVERSE or CANNOT_TELL."""
    return largest(
        {
            loss: of_arm(by_seed, arm_name(LATE, EVERY[16], loss), measure)
            for loss in (FORWARD, REVERSE)
        }
    )


def lags(by_seed: Sequence[Rows]) -> dict[str, list[float]]:
    """Return by seed how far the student was from the one that wrote its sentences (nats a token),
    and last how far it was from its teacher before training."""
    arms = {
        f"{EVERY[16]}, {REVERSE} KL": arm_name(LATE, EVERY[16], REVERSE),
        f"{EVERY[16]}, {FORWARD} KL": arm_name(LATE, EVERY[16], FORWARD),
        f"{EVERY[None]}, {FORWARD} KL": arm_name(LATE, EVERY[None], FORWARD),
    }
    start = arm_name(LATE, EVERY[1], FORWARD)
    found = {name: of_arm(by_seed, arm, "lag") for name, arm in arms.items()}
    return {**found, TO_TEACHER: of_arm(by_seed, start, "first_loss")}


TO_TEACHER = "student to teacher, at the start"


def curve(by_seed: Sequence[Rows], arm: str) -> tuple[np.ndarray, np.ndarray]:
    """Return the tokens learned from and the validity (percent), means over the seeds."""
    points = np.array([rows[arm]["curve"] for rows in by_seed]).mean(axis=0)  # (points, 2)
    return points[:, 0], points[:, 1]


def seconds_by_way(rounds: Sequence[Rows]) -> dict[str, float]:
    """Return the seconds for 1,000 tokens (median over the rounds) of the two schedules with a
    curve: every 1 is the loop that draws without waste, every 16 two processes."""
    names = {EVERY[1]: LADDER[1].name, EVERY[16]: both(16).name}
    return {
        way: median(near_policy_clock.seconds_per_1000(rows, MAIN, name) for rows in rounds)
        for way, name in names.items()
    }


def delta_counts(by_seed: Sequence[Rows], epochs: int = LATE) -> Mapping[str, np.ndarray]:
    """Return the edges of the bins of Δ-IFD, and how many valid and wrong rollouts each holds, all
    seeds together."""
    deltas = [rows[warm_start_name(epochs)]["delta"] for rows in by_seed]
    counts = {name: np.sum([delta[name] for delta in deltas], axis=0) for name in (VALID, WRONG)}
    return {"edges": np.array(deltas[0]["edges"]), **counts}


def valid_shares(by_seed: Sequence[Rows], epochs: int = LATE) -> dict[str, list[float]]:
    """Return by seed the share of valid ones among the rollouts of each fate."""
    deltas = [rows[warm_start_name(epochs)]["delta"] for rows in by_seed]
    return {
        fate: [
            delta[f"{fate} {VALID}"] / max(1, delta[f"{fate} {VALID}"] + delta[f"{fate} {WRONG}"])
            for delta in deltas
        ]
        for fate in FATES
    }


def mean_costs(rounds: Sequence[Rows], name: str, size: int = MAIN) -> dict[str, float]:
    """Return milliseconds for 1,000 tokens by who did what, mean over the rounds."""
    timed = [rows[str(size)][name] for rows in rounds]
    return {
        cost: 1e6 * fmean(row["costs"].get(cost, 0.0) / row["tokens"] for row in timed)
        for cost in sorted({cost for row in timed for cost in row["costs"]})
    }
