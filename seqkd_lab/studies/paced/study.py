"""The PACED study (arXiv 2603.11178): are the sources worth most that a student half knows?

Three kinds of weights at three shares of idle sources, one loss, paired by seed. A toy need not
show what the paper found: in particular, a source that the student never gets right still holds
many words that it can learn, which a right-or-wrong answer hides. What comes out is reported, bin
by bin.
"""

from __future__ import annotations

import copy
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from statistics import fmean

import pandas

from seqkd_lab.corpus.parallel import ParallelCorpus
from seqkd_lab.distillation.paced import N_SAMPLES
from seqkd_lab.models.seq2seq import Seq2Seq
from seqkd_lab.runs.keys import identity, key
from seqkd_lab.runs.measured import Share, list_of
from seqkd_lab.runs.results import with_interval
from seqkd_lab.runs.store import Report, Store
from seqkd_lab.runs.study import Study
from seqkd_lab.runs.tasks import Task, Train
from seqkd_lab.runs.verdicts import Rows
from seqkd_lab.studies.paced.claims import CLAIMS, NOISE, POOL, START, percent, ratios
from seqkd_lab.studies.paced.design import (
    ARMS,
    DATA,
    FIRST_SEED,
    IDLE_SHARES,
    LEFT_OUT,
    N_POOL,
    N_SEEDS,
    N_SOURCES,
    OWN_WORDS,
    PACED,
    TEMPERATURE,
    TRAINING,
    arm_weights,
    compose,
    objective,
    pool_of,
    recipes,
)
from seqkd_lab.studies.paced.measures import (
    accuracy_record,
    counts,
    failures_record,
    noise_record,
    share,
    valid_rates,
)
from seqkd_lab.studies.paced.rows import ROWS
from seqkd_lab.training import train

MOST_PER_BIN = 96
"""Sources of a bin for the signal-to-noise ratio."""
N_FAILING = 40
"""Sources that never passed whose failed draws are looked at."""
N_AGAIN = 2
"""Draws of each training source that never passed, after an arm's training."""
N_WATCHED = 300
"""Training sources whose pass rates are measured again after PACED's training."""
N_VALID = 64
"""Validation pairs: no epoch is chosen by them."""
SETTINGS = {
    "start": "Table 1's baseline",
    "loss": "reverse KL along own words",
    "samples": N_SAMPLES,
    "temperature": TEMPERATURE,
    "left_out": list(LEFT_OUT),
    "pool": N_POOL,
    "sources": N_SOURCES,
    "training": identity(TRAINING),
    "most_per_bin": MOST_PER_BIN,
    "failing": N_FAILING,
    "again": N_AGAIN,
    "watched": N_WATCHED,
    "arms": list(ARMS),
}


def tasks(seed: int) -> list[Task]:
    """Return the warm start and its teacher; the arms are short, and trained where they are
    measured."""
    return [Train(recipe) for recipe in recipes(seed)]


@dataclass(frozen=True)
class Setting:
    """What the arms of a seed have in common: the start, its teacher, the pool of sources and the
    start's pass rate of each."""

    seed: int
    start: Seq2Seq
    teacher: Seq2Seq
    pool: ParallelCorpus
    valid: ParallelCorpus
    rates: Sequence[float]

    def chosen(self, idle_share: float) -> list[int]:
        """Return the pool's rows that are trained on at a share of idle sources."""
        return compose(self.rates, idle_share, N_SOURCES, self.seed)


def setting(seed: int, store: Store) -> Setting:
    """Return what the arms of a seed have in common."""
    start, teacher = (store.model(recipe) for recipe in recipes(seed))
    data = store.dataset(DATA)
    pool = pool_of(data.train)
    return Setting(seed, start, teacher, pool, data.valid[:N_VALID], pool_rates(seed, store, pool))


def pool_rates(seed: int, store: Store, pool: ParallelCorpus) -> list[float]:
    """Return the start's pass rate of each source of the pool, measured once and kept in the
    store."""
    recipe, _ = recipes(seed)
    name = f"{key(recipe)}-{len(pool)}-{N_SAMPLES}-{TEMPERATURE}-{seed}.json"
    return store.measured(
        f"pass_rates/{name}",
        f"pass rates (seed {seed})",
        lambda: valid_rates(store.model(recipe), pool.source, N_SAMPLES, seed),
        list_of(Share, len(pool)),
    )


def measure(
    seed: int, store: Store, report: Report, known: Mapping[str, Mapping]
) -> Iterator[tuple[str, dict]]:
    """Yield each row of a seed that is not `known`: the pool, signal and noise, the start, and
    each arm once it is trained."""
    common = setting(seed, store)
    makers = {
        POOL: lambda: pool_record(common),
        NOISE: lambda: noise_record(
            common.start, common.teacher, common.pool, common.rates, MOST_PER_BIN, seed
        ),
        START: lambda: start_record(common),
    } | {name: lambda name=name: arm_record(common, *ARMS[name]) for name in ARMS}
    for number, (name, make) in enumerate(makers.items()):
        if name not in known:
            yield name, make()
        report(number + 1, len(makers))


def pool_record(common: Setting) -> dict:
    """Return the histogram of the pool's pass rates, and what failed draws look like of sources
    that never passed, and of sources that passed now and then."""
    kinds: dict[str, list[Sequence[str]]] = {"never": [], "sometimes": []}
    for source, rate in zip(common.pool.source, common.rates, strict=True):
        if rate < 1.0:
            kinds["sometimes" if rate else "never"].append(source)
    return {
        "histogram": counts(common.rates),
        "failures": {
            name: failures_record(common.start, sources[:N_FAILING], common.seed)
            for name, sources in kinds.items()
        },
    }


def start_record(common: Setting) -> dict:
    """Return the start's accuracy; its "never" is by new draws of training sources that never
    passed, by share of idle sources."""
    never = {f"{idle:.0%}": never_passed(common, idle, common.start) for idle in IDLE_SHARES}
    return {**accuracy_record(common.start, common.seed), "never_at": never}


def never_passed(common: Setting, idle_share: float, model: Seq2Seq) -> float:
    """Return the share of valid ones among new draws of `model` for the training sources that never
    passed at the start."""
    sources = [
        common.pool.source[row] for row in common.chosen(idle_share) if not common.rates[row]
    ]
    return share(valid_rates(model, sources, N_AGAIN, common.seed + 1_000))


def arm_record(common: Setting, idle_share: float, kind: str) -> dict:
    """Train an arm, and return its accuracy, the largest weight and the share of weights that are
    0; of PACED also histograms of pass rates before and after it."""
    model, rows = trained(common, idle_share, kind), common.chosen(idle_share)
    rates = [common.rates[row] for row in rows]
    weights = arm_weights(rates, kind, common.seed)
    record: dict[str, float | list[int]] = {
        **accuracy_record(model, common.seed),
        "never": never_passed(common, idle_share, model),
        "largest_weight": round(float(weights.max()), 3),
        "weights_of_0": share((weights == 0.0).tolist()),
    }
    if kind == PACED:
        watched = [common.pool.source[row] for row in rows[:N_WATCHED]]
        after = valid_rates(model, watched, N_SAMPLES, common.seed + 2_000)
        record |= {"before": counts(rates[:N_WATCHED]), "after": counts(after)}
    return record


def trained(common: Setting, idle_share: float, kind: str) -> Seq2Seq:
    """Return the start trained on by one kind of weights; equal sources and updates in every arm
    of a share."""
    rows, model = common.chosen(idle_share), copy.deepcopy(common.start)
    rates = [common.rates[row] for row in rows]
    train(
        model,
        common.pool[rows],
        common.valid,
        objective(rates, kind, common.seed),
        TRAINING,
        common.seed,
        common.teacher,
        batch_transform=OWN_WORDS,
    )
    return model


ARMS_TABLE = "Arms, fresh sources"
NOISE_TABLE = "Signal-to-noise, thousandths"


def tables(by_seed: Sequence[Rows]) -> dict[str, pandas.DataFrame]:
    """Return the arms, and signal-to-noise by pass rate: means of the seeds, ± half of the 95%
    interval."""
    columns = zip(*(ratios(rows) for rows in by_seed), strict=True)
    noise = {
        f"{number}/{N_SAMPLES}": with_interval(values, 2, 1_000.0)
        for number, values in enumerate(columns)
    }
    frames = {
        ARMS_TABLE: {name: _arm_row(by_seed, name) for name in (START, *ARMS)},
        NOISE_TABLE: {"reverse KL": noise},
    }
    return {
        heading: pandas.DataFrame.from_dict(rows, orient="index")
        for heading, rows in frames.items()
    }


HEADS = {
    "valid draws %": "draws",
    "greedy valid %": "greedy",
    "left-out skill, greedy %": "skill",
    "never passed, valid draws %": "never",
}


def _arm_row(by_seed: Sequence[Rows], name: str) -> dict[str, str]:
    measured = {head: of for head, of in HEADS.items() if of in by_seed[0][name]}
    row = {
        head: with_interval([percent(rows, name, of) for rows in by_seed])
        if head in measured
        else "–"
        for head, of in HEADS.items()
    }
    if name in ARMS:
        left_out = fmean(percent(rows, name, "weights_of_0") for rows in by_seed)
        row["weights of 0 %"] = f"{left_out:.0f}"
    return {"weights of 0 %": "–", **row}


STUDY = Study(
    name="paced",
    question="Are the sources worth most that a student half knows?",
    file="paced.json",
    settings=SETTINGS,
    tasks=tasks,
    measure=measure,
    tables=tables,
    claims=CLAIMS,
    first_seed=FIRST_SEED,
    n_seeds=N_SEEDS,
    data=DATA,
    by_row=True,
    rows=ROWS,
)
