"""The search for the learning rates and α of the near-policy study, by validity on the validation
set.

python -m seqkd_lab.studies.near_policy.rates [FOLDER OF THE STORE]

It trains with each rate of RATES_TRIED, and near-policy training with each α of ALPHAS_TRIED: 19
trainings of N_TOKENS tokens.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
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

RATES_TRIED = (0.001, 0.003, 0.01, 0.03)
ALPHAS_TRIED = (0.5, 0.9, 1.0)


def validity(arm: Arm | None, rate: float, store: Store, n_tokens: int = N_TOKENS) -> float:
    """Train the warm start as `arm` does (None: by the synchronous loop) at a learning rate; return
    the percentage of valid greedy translations of the validation set."""
    seed = SEARCHED_SEED
    data, student = store.dataset(EARLIER), store.model(warm_start(seed))
    scorer = store.model(teacher(seed))
    if arm is None:
        measure_synchronous(student, scorer, data, seed, rate, n_tokens)
    else:
        sources = encode(data.train, student.source_vocabulary, student.target_vocabulary)
        source = source_of(arm, student, scorer, sources, seed)
        learn(student, source, arm.schedule, learning_of(arm, rate, n_tokens))
    return accuracy(student, data.valid, data)["validity"]


def trials(store: Store, n_tokens: int = N_TOKENS) -> Iterator[str]:
    """Yield a line for each trial: the rates at the study's α, then other α at the chosen rate."""
    arms = {arm.name: arm for arm in ARMS}
    near = arms[EVERY[16]]
    families = {NEAR: near, SAMPLES: arms[TEACHER_SAMPLES], MODE: arms[TEACHER_MODE]}
    for rate in RATES_TRIED:
        for family in (*families, ON_POLICY):
            score = validity(families.get(family), rate, store, n_tokens)
            yield f"{family}: rate {rate:g}: {score:.1f}"
    for alpha in ALPHAS_TRIED:
        score = validity(replace(near, alpha=alpha), RATES[NEAR], store, n_tokens)
        yield f"{NEAR}: rate {RATES[NEAR]:g}, α {alpha:g}: {score:.1f}"


if __name__ == "__main__":
    use_threads(1)
    for line in trials(Store(Path(sys.argv[1] if len(sys.argv) > 1 else "runs"))):
        print(line, flush=True)
