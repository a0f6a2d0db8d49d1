"""How the learning rates of the near-policy experiment were chosen: by validity on the validation
set, with seed 11.

python -m seqkd_lab.studies.near_policy.rates [FOLDER OF THE STORE]
"""

from __future__ import annotations

import sys
from dataclasses import replace
from pathlib import Path

from seqkd_lab.corpus.batching import encode
from seqkd_lab.distillation.near_policy import learn
from seqkd_lab.machine import use_threads
from seqkd_lab.runs.presets import EARLIER
from seqkd_lab.runs.store import Store
from seqkd_lab.studies.architectures import SEARCHED_SEED
from seqkd_lab.studies.near_policy.measures import accuracy, measure_synchronous
from seqkd_lab.studies.near_policy.recipes import (
    ARMS,
    EVERY,
    MODE,
    N_TOKENS,
    NEAR,
    ON_POLICY,
    RATES,
    SAMPLES,
    TEACHER_MODE,
    TEACHER_SAMPLES,
    Arm,
    learning_of,
    source_of,
    teacher,
    warm_start,
)

TRIED = (0.001, 0.003, 0.01, 0.03)
ALPHAS = (0.5, 0.9, 1.0)
"""Shares of the teacher in the loss that were tried."""


def validity(arm: Arm, rate: float, store: Store, seed: int = SEARCHED_SEED) -> float:
    """Of greedy translations of the validation set, in percent, after an arm's whole training."""
    data, student = store.dataset(EARLIER), store.model(warm_start(seed))
    sources = encode(data.train, student.source_vocabulary, student.target_vocabulary)
    source = source_of(arm, student, store.model(teacher(seed)), sources, seed)
    learn(student, source, arm.schedule, learning_of(arm, rate))
    return accuracy(student, data.valid, data)["validity"]


def synchronous_validity(rate: float, store: Store, seed: int = SEARCHED_SEED) -> float:
    """The same of the synchronous loop."""
    data, student = store.dataset(EARLIER), store.model(warm_start(seed))
    measure_synchronous(student, store.model(teacher(seed)), data, seed, rate, N_TOKENS)
    return accuracy(student, data.valid, data)["validity"]


def search(store: Store) -> None:
    """Prints every trial, near-policy training with α as it is chosen; other α last, at the rate as
    it is chosen."""
    arms = {arm.name: arm for arm in ARMS}
    tried = {NEAR: arms[EVERY[16]], SAMPLES: arms[TEACHER_SAMPLES], MODE: arms[TEACHER_MODE]}
    for rate in TRIED:
        for family, arm in tried.items():
            print(f"{family}: rate {rate:g}: {validity(arm, rate, store):.1f}", flush=True)
        print(f"{ON_POLICY}: rate {rate:g}: {synchronous_validity(rate, store):.1f}", flush=True)
    for alpha in ALPHAS:
        found = validity(replace(tried[NEAR], alpha=alpha), RATES[NEAR], store)
        print(f"{NEAR}: rate {RATES[NEAR]:g}, α {alpha:g}: {found:.1f}", flush=True)


if __name__ == "__main__":
    use_threads(1)
    search(Store(Path(sys.argv[1] if len(sys.argv) > 1 else "runs")))
