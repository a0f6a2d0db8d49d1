"""The near-policy study (NPD, arXiv 2605.05940): what stale sentences cost, and whether the
student's own sentences teach more than the teacher's.

All arms of a warm start learn from the same number of tokens, in one process: the schedule alone
decides which weights draw the rollouts of which update, so two processes would learn the same, bit
for bit. What they save by the clock is measured apart (near_policy_clock.py).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from statistics import fmean

import pandas

from seqkd_lab.corpus.batching import encode
from seqkd_lab.corpus.toy.fresh import JUDGE, N_FRESH, PILOT, fresh_sources
from seqkd_lab.corpus.toy.language import Tokens
from seqkd_lab.distillation.near_policy import ROW_LENGTH
from seqkd_lab.runs.committed import write_committed
from seqkd_lab.runs.recipes import ToyData
from seqkd_lab.runs.store import Report, Store
from seqkd_lab.runs.study import N_PILOT, PILOT_SEED, Study
from seqkd_lab.runs.tasks import Task, Train
from seqkd_lab.runs.verdicts import Rows, mean_and_interval
from seqkd_lab.studies.near_policy.claims import CLAIMS
from seqkd_lab.studies.near_policy.measures import (
    CURVE,
    FATES,
    LAG_EVERY,
    N_FILTERED,
    N_WATCHED,
    VALID,
    WRONG,
    accuracy,
    measure_arm,
    measure_delta,
)
from seqkd_lab.studies.near_policy.recipes import (
    ARMS,
    EARLY,
    LATE,
    N_TOKENS,
    PER_UPDATE,
    RATES,
    TOP_K,
    WARMUP,
    teacher,
    warm_start,
    warm_start_name,
)
from seqkd_lab.studies.near_policy.rows import ROWS

FIRST_SEED = 21
SETTINGS = {
    "tokens": N_TOKENS,
    "sentences_an_update": PER_UPDATE,
    "top_k": TOP_K,
    "rates": {str(epochs): rates for epochs, rates in RATES.items()},
    "warmup": WARMUP,
    "row_length": ROW_LENGTH,
    "arms": [arm.name for arm in ARMS],
    "fresh": N_FRESH,
    "curve": list(CURVE),
    "watched": N_WATCHED,
    "lag_every": LAG_EVERY,
    "filtered": N_FILTERED,
}


def tasks(seed: int) -> list[Task]:
    """Return teacher and warm starts of a seed."""
    return [Train(teacher(seed)), *(Train(warm_start(seed, epochs)) for epochs in (EARLY, LATE))]


def fresh_of(seed: int) -> tuple[Tokens, ...]:
    """Return the fresh sources of a seed: PILOT's for the seeds that choose, else JUDGE's."""
    chooses = PILOT_SEED <= seed < PILOT_SEED + N_PILOT
    return fresh_sources(PILOT if chooses else JUDGE, N_FRESH)


def measure(
    seed: int, store: Store, report: Report, done: Mapping[str, Mapping]
) -> Iterator[tuple[str, dict]]:
    """Yield the row of each warm start, and of every arm, that is not `done`."""
    data, scorer, fresh = store.dataset(ToyData()), store.model(teacher(seed)), fresh_of(seed)
    sources = encode(data.train, scorer.source_vocabulary, scorer.target_vocabulary)
    total = len(ARMS) + 2
    for number, epochs in enumerate((EARLY, LATE)):
        if (name := warm_start_name(epochs)) not in done:
            start = store.model(warm_start(seed, epochs))
            delta = measure_delta(start, scorer, sources, data, seed)
            yield name, {**accuracy(start, fresh, seed), "delta": delta}
        report(number + 1, total)
    for number, arm in enumerate(ARMS, start=3):
        if arm.name not in done:
            start = store.model(warm_start(seed, arm.start))
            yield arm.name, measure_arm(arm, start, scorer, data, sources, fresh, seed)
        report(number, total)


def write_checkpoints(store: Store, directory: Path) -> Iterator[Path]:
    """Write lesson 14's warm start of the first seed to near-policy/warm-start in `directory`;
    training it takes about a minute on one core."""
    data = store.dataset(ToyData())
    folder = directory / "near-policy" / "warm-start"
    yield write_committed(
        folder,
        store,
        warm_start(FIRST_SEED),
        lambda model: accuracy(model, data.test.source, FIRST_SEED),
    )


def accuracies(by_seed: Sequence[Rows]) -> pandas.DataFrame:
    """Return for every arm the valid greedy translations and the valid samples with intervals, how
    stale its sentences were, and how far the student had moved."""
    table = []
    for name in by_seed[0]:
        row = {"arm": name}
        for key, heading in (("validity", "valid %"), ("samples", "valid samples %")):
            row[heading] = in_interval([rows[name][key] for rows in by_seed])
        row |= {
            key: mean_of(by_seed, name, key, form)
            for key, form in (("updates", ".0f"), ("staleness", ".1f"), ("lag", ".4f"))
        }
        table.append(row)
    return pandas.DataFrame(table).set_index("arm")


def mean_of(by_seed: Sequence[Rows], name: str, key: str, form: str) -> str:
    """Return the mean over the seeds as text, nothing where it was not measured."""
    values = [rows[name][key] for rows in by_seed if key in rows[name]]
    return format(fmean(values), form) if values else ""


def in_interval(values: Sequence[float]) -> str:
    """Return the mean and its 95% interval in words."""
    mean, (low, high) = mean_and_interval(values)
    return f"{mean:.1f} [{low:.1f}, {high:.1f}]"


def filtered(by_seed: Sequence[Rows]) -> pandas.DataFrame:
    """Return how many rollouts of each warm start Δ-IFD keeps and drops at either end, and which
    share is valid."""
    table = []
    for epochs in (EARLY, LATE):
        for fate in FATES:
            n_valid, n = counted(by_seed, epochs, fate)
            share = f"{100 * n_valid / max(1, n):.1f}"
            row = {"start": warm_start_name(epochs), "samples": fate, "number": n, "valid %": share}
            table.append(row)
    return pandas.DataFrame(table).set_index(["start", "samples"])


def counted(by_seed: Sequence[Rows], epochs: int, fate: str) -> tuple[int, int]:
    """Return how many rollouts of a fate are valid, and how many there are, over all seeds."""
    deltas = [rows[warm_start_name(epochs)]["delta"] for rows in by_seed]
    n_valid, n_wrong = (sum(delta[f"{fate} {name}"] for delta in deltas) for name in (VALID, WRONG))
    return n_valid, n_valid + n_wrong


def tables(by_seed: Sequence[Rows]) -> dict[str, pandas.DataFrame]:
    """Return headed tables of all seeds."""
    return {
        f"Near-policy distillation: {N_FRESH:,} fresh sources, mean [95% interval]": accuracies(
            by_seed
        ),
        "What Δ-IFD (ours) keeps of a warm start's samples": filtered(by_seed),
    }


STUDY = Study(
    name="near-policy",
    question="What do stale sentences cost, and whose sentences teach more?",
    file="near_policy.json",
    settings=SETTINGS,
    tasks=tasks,
    measure=measure,
    tables=tables,
    claims=CLAIMS,
    first_seed=FIRST_SEED,
    n_seeds=10,
    write_checkpoints=write_checkpoints,
    by_row=True,
    rows=ROWS,
)
