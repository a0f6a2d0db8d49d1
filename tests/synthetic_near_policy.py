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
)
from seqkd_lab.distillation.rollout_sources import Schedule
from seqkd_lab.runs.recipes import TEACHER
from seqkd_lab.studies.near_policy.measures import EDGES, FATES
from seqkd_lab.studies.near_policy.recipes import ARMS, EVERY, KEPT, SYNCHRONOUS, WARM_START
from seqkd_lab.studies.near_policy.ways import LOOP, LOOP_2, MAIN, SIZES, WAYS
from seqkd_lab.studies.near_policy_clock import is_shown


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


def clock_round(number: int) -> dict:
    """A round in which two processes are 3.5 times as fast at `every 16`, and packing brings
    nothing."""
    found: dict = {}
    for size in SIZES:
        found[str(size)] = {}
        for place, way in enumerate(WAYS[size]):
            seconds = 0.1 if way.name in (LOOP, LOOP_2) else 0.1 / (1.5 + 0.5 * place)
            if way.two_processes:
                seconds = 0.1 / (3.5 if way.schedule.interval == 16 else 2.5)
            costs = {
                "trainer train": 1.0,
                **({"generator generate": 1.0, "generator wait": 0.5} if way.two_processes else {}),
            }
            found[str(size)][way.name] = {
                "seconds_per_1000": seconds * (1 + 0.01 * number),
                "seconds": 4.0,
                "tokens": 40_000,
                "updates": 80,
                "costs": costs,
            }
            if number == 1 and size == MAIN and is_shown(way):
                events = (
                    loop_events(96) if way.synchronous else two_events(way.schedule.interval, 96)
                )
                found[str(size)][way.name]["events"] = [
                    " ".join(map(str, event)) for event in events
                ]
    return found


def seed_rows(seed: int) -> dict:
    """A seed in which validity falls with staleness, and the teacher's mode is best."""
    found: dict = {
        TEACHER: {"validity": 90.0, "bleu": 95.0},
        WARM_START: {"validity": 40.0, "bleu": 70.0},
    }
    for place, name in enumerate([*(arm.name for arm in ARMS), SYNCHRONOUS]):
        validity = 60.0 - place + 0.1 * seed
        found[name] = {
            "tokens": 150_000 + place,
            "updates": 300,
            "written": 9_600,
            "kept": 9_600,
            "staleness": float(place),
            "most_stale": place,
            "last_loss": 0.4,
            "validity": validity,
            "bleu": validity + 20.0,
            "curve": [[50_000.0 * i, 40.0 + i * (validity - 40.0) / 3] for i in range(4)],
        }
    bins = {what: [seed + i % 7 for i in range(len(EDGES) - 1)] for what in ("valid", "wrong")}
    fates = {
        f"{fate} {what}": 10 * (1 + len(fate)) for fate in FATES for what in ("valid", "wrong")
    }
    found[KEPT]["delta"] = {"edges": list(EDGES), **bins, **fates}
    assert set(EVERY.values()) < set(found)
    return found
