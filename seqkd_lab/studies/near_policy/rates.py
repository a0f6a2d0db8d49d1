"""The search for the learning rates of the near-policy study, by validity on fresh sources that are
kept for choosing.

python -m seqkd_lab.studies.near_policy.rates [FOLDER OF THE STORE]

It trains with seed 11 and each rate of RATES_TRIED, from either warm start: forward and reverse KL
at every 16, forward KL on the teacher's samples, and cross-entropy on the teacher's mode.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path

from seqkd_lab.corpus.batching import encode
from seqkd_lab.corpus.toy.fresh import PILOT, fresh_sources
from seqkd_lab.machine import use_threads
from seqkd_lab.runs.recipes import ToyData
from seqkd_lab.runs.store import Store
from seqkd_lab.runs.study import PILOT_SEED
from seqkd_lab.studies.near_policy.measures import accuracy, train_arm
from seqkd_lab.studies.near_policy.recipes import (
    ARMS,
    CROSS_ENTROPY,
    EARLY,
    EVERY,
    FORWARD,
    LATE,
    REVERSE,
    SAMPLES,
    SCORED,
    TEACHER_MODE,
    Arm,
    teacher,
    warm_start,
    warm_start_name,
)

RATES_TRIED = {
    (LATE, FORWARD): (0.0001, 0.0003, 0.001),
    (LATE, REVERSE): (0.0003, 0.001, 0.003, 0.01),
    (LATE, SCORED): (0.0003, 0.001, 0.003, 0.01),
    (LATE, CROSS_ENTROPY): (0.0003, 0.001, 0.003, 0.01),
    (EARLY, FORWARD): (0.0003, 0.001, 0.003, 0.01),
    (EARLY, REVERSE): (0.001, 0.003, 0.01),
    (EARLY, SCORED): (0.001, 0.003, 0.01),
}
"""By warm start and kind of training. The best rate lies at an edge for the teacher's samples, and
for reverse KL from the early start."""


def searched(start: int, kind: str) -> Arm:
    """Return the arm whose rate is chosen for a warm start and a kind of training."""
    ways = {SCORED: SAMPLES, CROSS_ENTROPY: TEACHER_MODE}
    way = ways.get(kind, EVERY[16])
    return next(arm for arm in ARMS if (arm.start, arm.way, arm.kind) == (start, way, kind))


def validity(arm: Arm, rate: float, store: Store) -> dict[str, float]:
    """Train the arm's warm start at a learning rate; return the percentages of valid greedy
    translations and of valid samples."""
    data, student = store.dataset(ToyData()), store.model(warm_start(PILOT_SEED, arm.start))
    sources = encode(data.train, student.source_vocabulary, student.target_vocabulary)
    train_arm(arm, student, store.model(teacher(PILOT_SEED)), sources, PILOT_SEED, rate=rate)
    return accuracy(student, fresh_sources(PILOT), PILOT_SEED)


def trials(store: Store) -> Iterator[str]:
    """Yield a line for each warm start and each trial."""
    for start in (EARLY, LATE):
        model = store.model(warm_start(PILOT_SEED, start))
        yield f"{warm_start_name(start)}: {accuracy(model, fresh_sources(PILOT), PILOT_SEED)}"
    for (start, kind), rates in RATES_TRIED.items():
        arm = searched(start, kind)
        for rate in rates:
            yield f"{arm.name}: rate {rate:g}: {validity(arm, rate, store)}"


if __name__ == "__main__":
    use_threads(1)
    for line in trials(Store(Path(sys.argv[1] if len(sys.argv) > 1 else "runs"))):
        print(line, flush=True)
