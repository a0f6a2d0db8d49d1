"""Results as the near-policy experiments write them, with invented numbers: for tests of figures,
tables and claims."""

from __future__ import annotations

from seqkd_lab.distillation.generation import (
    GENERATE,
    GENERATOR,
    SCORE,
    SYNCHRONISE,
    TRAIN,
    TRAINER,
    WAIT,
    Event,
)
from seqkd_lab.distillation.rollout_sources import Schedule
from seqkd_lab.studies.near_policy.measures import EDGES, FATES
from seqkd_lab.studies.near_policy.recipes import (
    ARMS,
    EARLY,
    EVERY,
    FORWARD,
    LATE,
    REVERSE,
    arm_name,
    warm_start_name,
)
from seqkd_lab.studies.near_policy.ways import LOOP, LOOP_2, MAIN, NOT_SHARED, SIZES, WAYS
from seqkd_lab.studies.near_policy_clock import SHOWN, is_shown, to_lines

VALIDITY = {
    arm_name(LATE, EVERY[1], FORWARD): 80.0,
    arm_name(LATE, EVERY[16], FORWARD): 79.5,
    arm_name(LATE, EVERY[1], REVERSE): 85.0,
    arm_name(LATE, EVERY[16], REVERSE): 84.8,
}
"""Of the arms that the sentences of the lesson are about; the others follow their order."""


def loop_events(n: int) -> list[list]:
    """One process: 20 ms to generate, 8 to score, 7 to train."""
    found = []
    for update in range(n):
        zero = 35.0 * update
        for what, start, end in ((GENERATE, 0, 20), (SCORE, 20, 28), (TRAIN, 28, 35)):
            found.append([TRAINER, what, zero + start, zero + end, update])
    return found


def two_events(interval: int | None, n: int) -> list[list]:
    """Two processes: the generator takes 5 + n ms to write and 3 n to score for n updates, the
    trainer 7 an update."""
    schedule, found, sent, ready, clock = Schedule(interval), [], {0: 0.0}, 0.0, 0.0
    for job in schedule.jobs():
        if job.update >= n:
            return found
        start = max(ready, sent[job.version])
        found.append([GENERATOR, WAIT, ready, start, job.update])
        written = start + 5.0 + job.n_updates
        ready = written + 3.0 * job.n_updates
        found += [
            [GENERATOR, GENERATE, start, written, job.update],
            [GENERATOR, SCORE, written, ready, job.update],
        ]
        found.append([TRAINER, WAIT, clock, max(clock, ready), job.update])
        clock = max(clock, ready)
        for update in range(job.update, job.update + job.n_updates):
            found.append([TRAINER, TRAIN, clock, clock + 7.0, update])
            clock += 7.0
            if schedule.is_due(update + 1):
                found.append([TRAINER, SYNCHRONISE, clock, clock + 0.5, update + 1])
                clock += 0.5
                sent[update + 1] = clock
    return found


def events_of(way) -> list[Event]:
    """More than are shown, as a real run has them."""
    n = SHOWN + 40
    found = loop_events(n) if way.synchronous else two_events(way.schedule.interval, n)
    return [
        Event(who, what, start / 1000, end / 1000, update)
        for who, what, start, end, update in found
    ]


def clock_round(number: int) -> dict:
    """A round in which two processes are 3.5 times as fast at `every 16`, and packing brings
    nothing."""
    found: dict = {}
    for size in SIZES:
        found[str(size)] = {}
        for place, way in enumerate(WAYS[size]):
            seconds = 0.1 if way.name in (LOOP, LOOP_2) else 0.1 / (1.5 + 0.5 * min(place, 4))
            if way.two_processes:
                seconds = 0.1 / (3.5 if way.schedule.interval == 16 else 2.5)
            if way.name == NOT_SHARED:
                seconds = 0.1 / 2.9
            costs = {"trainer train": 1.0}
            if way.two_processes:
                costs |= {"generator generate": 1.0, "generator score": 1.5, "trainer wait": 0.5}
            found[str(size)][way.name] = {
                "seconds_per_1000": seconds * (1 + 0.01 * number),
                "seconds": 4.0,
                "tokens": 40_000,
                "updates": 80,
                "costs": costs,
            }
            if number == 1 and size == MAIN and is_shown(way):
                found[str(size)][way.name]["events"] = to_lines(events_of(way))
    return found


def delta_record(seed: int) -> dict:
    """Rollouts of which those dropped at the high end are valid most often."""
    bins = {what: [seed + i % 7 for i in range(len(EDGES) - 1)] for what in ("valid", "wrong")}
    shares = dict(zip(FATES, (0, 50 + seed, 80 + seed), strict=True))
    fates = {}
    for fate, n_valid in shares.items():
        fates |= {f"{fate} valid": n_valid, f"{fate} wrong": 100 - n_valid}
    return {"edges": list(EDGES), **bins, **fates}


def seed_rows(seed: int) -> dict:
    """A seed in which reverse KL gains, forward KL loses, and the teacher's mode is best."""
    found: dict = {
        warm_start_name(EARLY): {"validity": 40.0, "samples": 15.0, "delta": delta_record(seed)},
        warm_start_name(LATE): {"validity": 82.0, "samples": 56.0, "delta": delta_record(seed)},
    }
    for place, arm in enumerate(ARMS):
        start = found[warm_start_name(arm.start)]["validity"]
        scatter = 0.1 * ((seed * (place + 3)) % 5 - 2)
        validity = VALIDITY.get(arm.name, start + 1.0 + 0.5 * place) + scatter
        lag = {} if arm.by_teacher else {"lag": 0.001 * place, "last_lag": 0.002 * place}
        found[arm.name] = {
            "tokens": 80_000 + place,
            "updates": 160,
            "staleness": float(place),
            "first_loss": 0.2,
            "last_loss": 0.15,
            **lag,
            "validity": validity,
            "samples": validity - 30.0,
            "curve": [[20_000.0 * i, start + i * (validity - start) / 4] for i in range(5)],
        }
    return found
