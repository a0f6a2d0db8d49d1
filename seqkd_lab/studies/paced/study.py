"""The PACED study (arXiv 2603.11178): are the sentences worth most that a student half knows?

A toy need not show it. In particular the collapse of the signal-to-noise ratio towards p = 0 may
not appear: a sentence that the student never gets right still holds many words that it can learn,
which a right-or-wrong answer hides. What comes out is reported, bin by bin.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from statistics import fmean

import pandas

from seqkd_lab.distillation.paced import LEAST_KEPT, MOST_KEPT, N_SAMPLES
from seqkd_lab.evaluation import score_outputs
from seqkd_lab.runs.making import sentence_weights
from seqkd_lab.runs.presets import EARLIER
from seqkd_lab.runs.recipes import HARD, PACED, SHUFFLED, Weighting
from seqkd_lab.runs.results import with_interval
from seqkd_lab.runs.schedule import Task, Train
from seqkd_lab.runs.store import Report, Store
from seqkd_lab.runs.study import Study
from seqkd_lab.runs.verdicts import Rows
from seqkd_lab.studies.paced.claims import CLAIMS
from seqkd_lab.studies.paced.measures import (
    START,
    accuracy_record,
    counts,
    forgetting,
    has_skill,
    judge_models,
    noise_record,
    percent_valid,
    ratios,
    snapshots,
)
from seqkd_lab.studies.paced.recipes import (
    ARMS,
    EPOCHS,
    FORWARD,
    LEFT_OUT,
    RATES,
    REVERSE,
    SHARE,
    TEMPERATURE,
    arm,
    label,
    rates,
    stages,
    start,
    teacher,
)

TEACHER = "teacher"
AGAIN = "start, drawn again"
MOST_PER_BIN = 256
"""Sentences of a bin for the signal-to-noise ratio."""
N_WATCHED = 300
"""Validation sentences whose pass rates are watched in training, for a picture."""
WATCHED_SEED = 1
"""The picture takes one student."""
GOLD_EPOCHS = (1, 2, 3, 4, 6, 8, 10)
SETTINGS = {
    "samples": N_SAMPLES,
    "share": round(SHARE, 6),
    "left_out": list(LEFT_OUT),
    "epochs": EPOCHS,
    "rates": RATES,
    "temperature": TEMPERATURE,
    "hard_filter": [LEAST_KEPT, MOST_KEPT],
    "most_per_bin": MOST_PER_BIN,
    "watched": N_WATCHED,
    "watched_seed": WATCHED_SEED,
    "gold_epochs": list(GOLD_EPOCHS),
    "arms": [label(*choices) for choices in ARMS],
}


def tasks(seed: int) -> list[Task]:
    """Return every arm to be trained, with what it builds on."""
    return [Train(arm(seed, *choices)) for choices in ARMS]


def measure(seed: int, store: Store, report: Report) -> dict:
    """Measure all arms of a seed on the test set, and signal and noise at the start; of one seed,
    watch two trainings."""
    pass_rates = store.pass_rates(rates(seed), report)
    paced = arm(seed, REVERSE, PACED)
    return {
        "rates": counts(pass_rates),
        "weights": weights_record(pass_rates, seed),
        "noise": noise_record(store, paced, pass_rates, MOST_PER_BIN, seed, report),
        "arms": arms_record(seed, store, report),
        "watched": watched_record(seed, store, report) if seed == WATCHED_SEED else {},
    }


def weights_record(pass_rates: Sequence[float], seed: int) -> dict:
    """Return of each kind of weights the largest, and the share of the sentences whose weight is
    0."""
    record = {}
    for kind in (HARD, PACED, SHUFFLED):
        values = sentence_weights(Weighting(rates(seed), kind), pass_rates)
        share_of_zeros = float((values == 0.0).float().mean())
        record[kind] = {
            "largest": round(float(values.max()), 4),
            "share_of_zeros": round(share_of_zeros, 4),
        }
    return record


def arms_record(seed: int, store: Store, report: Report) -> dict:
    """Return accuracy, forgetting, BLEU and counted tokens of the teacher, the start and all arms
    on the test set.

    Bins are made by one draw of the start. The start itself is judged by another: a bin's own draws
    say too much.
    """
    arms = {label(*choices): arm(seed, *choices) for choices in ARMS}
    recipes = {START: start(seed), AGAIN: start(seed), TEACHER: teacher(seed), **arms}
    data = store.dataset(EARLIER)
    models = {name: store.model(recipe) for name, recipe in recipes.items()}
    judged = judge_models(models, data.test.source, data.toy_language, seed, report)
    initial = judged.pop(START).rates
    record = {}
    for name, model in judged.items():
        score, _ = score_outputs(model.greedy, data.test, data.detokenise, seconds=1.0)
        trainings = stages(recipes[name]) if name in arms else []
        record[START if name == AGAIN else name] = {
            **accuracy_record(model.rates, model.valid, initial, data.test.source),
            "bleu": round(score.bleu, 3),
            "tokens": [store.n_tokens(recipe) for recipe in trainings],
        }
    pairs = zip(initial, data.test.source, strict=True)
    kept = [rate for rate, source in pairs if not has_skill(source)]
    return {"initial": counts(kept), "arms": record}


def watched_record(seed: int, store: Store, report: Report) -> dict:
    """Return how the pass rates of validation sentences change while the start learns from gold,
    and then by PACED."""
    all_sources = store.dataset(EARLIER).valid.source
    sources = [source for source in all_sources if not has_skill(source)][:N_WATCHED]
    paced, paced_epochs = arm(seed, REVERSE, PACED), range(1, EPOCHS + 1)
    return {
        "gold": snapshots(store, start(seed), sources, GOLD_EPOCHS, seed, report),
        "paced": snapshots(store, paced, sources, paced_epochs, seed, report),
    }


ARMS_TABLE = "Arms, test set"
INITIAL_TABLE = "Valid draws % by the start's pass rate"
NOISE_TABLE = "Signal-to-noise, thousandths"


def tables(by_seed: Sequence[Rows]) -> dict[str, pandas.DataFrame]:
    """Return arms, accuracy by initial pass rate, and signal-to-noise by pass rate: means of the
    seeds, ± half of the 95% interval."""
    names = list(by_seed[0]["arms"]["arms"])
    initial = {name: _by_bin(initial_columns(by_seed, name), 1, 100.0) for name in names}
    columns = {
        loss: zip(*(ratios(rows, loss) for rows in by_seed), strict=True)
        for loss in (FORWARD, REVERSE)
    }
    frames = {
        ARMS_TABLE: {name: _arm_row(by_seed, name) for name in names},
        INITIAL_TABLE: initial,
        NOISE_TABLE: {loss: _by_bin(bins, 2, 1_000.0) for loss, bins in columns.items()},
    }
    return {
        heading: pandas.DataFrame.from_dict(rows, orient="index")
        for heading, rows in frames.items()
    }


def _arm_row(by_seed: Sequence[Rows], name: str) -> dict[str, str]:
    arms = [rows["arms"]["arms"][name] for rows in by_seed]
    values = {
        "valid draws %": [percent_valid(rows, name) for rows in by_seed],
        "left-out skill %": [percent_valid(rows, name, "left_out") for rows in by_seed],
        "forgotten": [forgetting(rows, name) for rows in by_seed],
        "greedy valid %": [percent_valid(rows, name, "kept_greedy") for rows in by_seed],
        "BLEU greedy": [record["bleu"] for record in arms],
    }
    tokens = fmean(sum(record["tokens"]) for record in arms)
    return {head: with_interval(column) for head, column in values.items()} | {
        "tokens": f"{tokens:,.0f}"
    }


def initial_columns(by_seed: Sequence[Rows], name: str) -> list[list[float]]:
    """Return an arm's shares of valid draws for each initial pass rate, in the seeds that have
    it."""
    columns = zip(*(rows["arms"]["arms"][name]["by_initial"] for rows in by_seed), strict=True)
    return [[value for value in column if value is not None] for column in columns]


def _by_bin(columns: Iterable[Sequence[float]], digits: int, scale: float) -> dict[str, str]:
    return {
        f"{number}/{N_SAMPLES}": with_interval(values, digits, scale) if values else "–"
        for number, values in enumerate(columns)
    }


STUDY = Study(
    name="paced",
    question="Are the sentences worth most that a student half knows?",
    file="paced.json",
    settings=SETTINGS,
    tasks=tasks,
    measure=measure,
    tables=tables,
    claims=CLAIMS,
    data=EARLIER,
)
