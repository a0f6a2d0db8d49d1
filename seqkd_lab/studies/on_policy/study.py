"""The on-policy study: whose translations a student learns along, by which divergence, and what the
sampled word alone can do (GKD, arXiv 2306.13649)."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

import pandas

from seqkd_lab.corpus.toy.fresh import JUDGE, N_FRESH, PILOT, fresh_sources
from seqkd_lab.corpus.toy.language import Tokens
from seqkd_lab.distillation import exposure
from seqkd_lab.runs.results import with_interval
from seqkd_lab.runs.store import Report, Store
from seqkd_lab.runs.study import N_PILOT, PILOT_SEED, Study
from seqkd_lab.runs.tasks import Task, Train
from seqkd_lab.runs.verdicts import Rows
from seqkd_lab.studies.on_policy.claims import CLAIMS, GRADIENT
from seqkd_lab.studies.on_policy.gradients import gradient_record
from seqkd_lab.studies.on_policy.measures import (
    Value,
    bleu_record,
    exposed,
    exposure_record,
    gold_forward,
    greedy_bleu,
    own_entropy,
    own_forward,
    own_reverse,
    percent_drawn,
    percent_greedy,
    translation_record,
    without_places,
)
from seqkd_lab.studies.on_policy.recipes import (
    ARMS,
    BATCH_SIZE,
    DATA,
    N_SENTENCES,
    RATES,
    REVERSE,
    START,
    arms,
    models,
)
from seqkd_lab.studies.on_policy.rows import ROWS

N_EXPOSED = 300
"""Test sentences of the exposure."""
N_GRADIENT, N_DRAWS = 64, 200
"""Validation sentences of the gradients, and draws of targets for them. With 40 draws, the gradient
of the KL between translations was so noisy that its length could not always be told from 0."""
SETTINGS = {
    "arms": [START, *ARMS],
    "sentences": N_SENTENCES,
    "batch_size": BATCH_SIZE,
    "rates": RATES,
    "fresh": N_FRESH,
    "exposed": N_EXPOSED,
    "gradient_sentences": N_GRADIENT,
    "draws": N_DRAWS,
}


def tasks(seed: int) -> list[Task]:
    """Return every arm of a seed; its teacher and its start come before."""
    return [Train(recipe) for recipe in arms(seed).values()]


def sources_of(seed: int) -> tuple[Tokens, ...]:
    """Return the fresh sources on which a seed is measured: those that judge, for the seeds of the
    pilot others."""
    pilot = PILOT_SEED <= seed < PILOT_SEED + N_PILOT
    return fresh_sources(PILOT if pilot else JUDGE)


def measure(
    seed: int, store: Store, report: Report, done: Mapping[str, Mapping]
) -> Iterator[tuple[str, dict]]:
    """Yield the gradients at a seed's start (row GRADIENT), then the record of the start and of
    each arm, without what is `done`."""
    teacher_recipe, start = models(seed)
    recipes = {START: start, **arms(seed)}
    teacher, data = store.model(teacher_recipe), store.dataset(DATA)
    if GRADIENT not in done:
        pairs = data.valid[:N_GRADIENT]
        yield GRADIENT, gradient_record(store.model(start), teacher, pairs, N_DRAWS, seed)
    for n_done, (name, recipe) in enumerate(recipes.items(), start=1):
        if name not in done:
            student = store.model(recipe)
            along_words = exposure_record(student, teacher, data.test[:N_EXPOSED], seed)
            record = {
                **translation_record(student, sources_of(seed), seed),
                **bleu_record(student, data),
                "exposure": without_places(along_words),
                "tokens": 0 if name == START else store.n_tokens(recipe),
            }
            yield name, record
        report(n_done, len(recipes))


COLUMNS: dict[str, Value] = {
    "greedy valid %": percent_greedy,
    "drawn valid %": percent_drawn,
    "greedy BLEU": greedy_bleu,
    "length ratio": lambda measured: measured["length_ratio"],
    "words drawn": lambda measured: measured["drawn_words"],
    "entropy": own_entropy,
    "reverse KL, own": own_reverse,
    "reverse KL, gold": lambda measured: exposed(measured, REVERSE, exposure.GOLD),
    "forward KL, own": own_forward,
    "forward KL, gold": gold_forward,
    "tokens": lambda measured: measured["tokens"],
}
"""The columns of the arms' table; words drawn are counted for each source word."""


def tables(by_seed: Sequence[Rows]) -> dict[str, pandas.DataFrame]:
    """Return every arm's means with half of their 95% interval, and the estimators' gradients."""
    rows = {
        name: {
            head: with_interval([value(rows[name]) for rows in by_seed], digits(head))
            for head, value in COLUMNS.items()
        }
        for name in (START, *ARMS)
    }
    kinds = by_seed[0][GRADIENT]
    gradients = {
        name: {
            kind: with_interval([rows[GRADIENT][kind][name] for rows in by_seed], 2)
            for kind in kinds
        }
        for name in kinds["cosine"]
    }
    return {
        "Arms (mean ± half of the 95% interval over seeds; nats a token)": (
            pandas.DataFrame.from_dict(rows, "index")
        ),
        "Gradients at the start (cosine with the full sum; variance, length in multiples of its)": (
            pandas.DataFrame.from_dict(gradients, "index")
        ),
    }


def digits(head: str) -> int:
    """Return the decimals of a column."""
    return 0 if head == "tokens" else 1 if "%" in head or "BLEU" in head else 3


STUDY = Study(
    name="on-policy",
    question="Along whose translations should a student learn, and by which divergence?",
    file="on_policy.json",
    settings=SETTINGS,
    tasks=tasks,
    measure=measure,
    tables=tables,
    claims=CLAIMS,
    first_seed=21,
    n_seeds=10,
    data=DATA,
    by_row=True,
    rows=ROWS,
)
