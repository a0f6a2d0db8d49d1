"""The on-policy study: whose translations a student learns along, and by which divergence (GKD,
arXiv 2306.13649)."""

from __future__ import annotations

from collections.abc import Sequence

import pandas

from seqkd_lab.distillation import exposure
from seqkd_lab.models.seq2seq import Seq2Seq
from seqkd_lab.runs.presets import EARLIER
from seqkd_lab.runs.recipes import Recipe
from seqkd_lab.runs.results import with_interval
from seqkd_lab.runs.schedule import Evaluate, Task
from seqkd_lab.runs.store import Report, Store
from seqkd_lab.runs.study import Study
from seqkd_lab.runs.verdicts import Rows
from seqkd_lab.studies.on_policy.claims import CLAIMS
from seqkd_lab.studies.on_policy.measures import (
    Value,
    along,
    drawn_validity,
    evaluation_record,
    exposure_record,
    gradient_record,
    greedy_bleu,
    own_entropy,
    own_reverse,
    percent_drawn,
)
from seqkd_lab.studies.on_policy.recipes import (
    ARMS,
    BATCH_SIZE,
    N_SENTENCES,
    RATES,
    REVERSE,
    START,
    arms,
    models,
)

BEAM_SIZE = 5
N_EXPOSED = 500
"""Test sentences of the exposure."""
N_GRADIENT = 64
"""Validation sentences of the gradients."""
N_DRAWS = 64
"""Draws of targets for the gradients."""
SETTINGS = {
    "sentences": N_SENTENCES,
    "batch_size": BATCH_SIZE,
    "rates": RATES,
    "beam": BEAM_SIZE,
    "exposed": N_EXPOSED,
    "gradient_sentences": N_GRADIENT,
    "draws": N_DRAWS,
    "arms": [START, *ARMS],
}


def tasks(seed: int) -> list[Task]:
    """Return every arm, the start and the teacher, each to be trained and evaluated."""
    recipes = (*models(seed), *arms(seed).values())
    return [Evaluate(recipe, BEAM_SIZE, 0.0) for recipe in recipes]


def measure(seed: int, store: Store, report: Report) -> dict:
    """Measure the arms of a seed, the gradients at its start, and the teacher's own scores."""
    teacher_recipe, start = models(seed)
    recipes = {START: start, **arms(seed)}
    teacher, valid = store.model(teacher_recipe), store.dataset(EARLIER).valid
    rows: dict[str, dict] = {}
    for n_done, (name, recipe) in enumerate(recipes.items(), start=1):
        rows[name] = measure_arm(store, recipe, teacher, seed)
        report(n_done, len(recipes) + 1)
    gradient = gradient_record(store.model(start), teacher, valid[:N_GRADIENT], N_DRAWS, seed)
    report(len(recipes) + 1, len(recipes) + 1)
    return {
        "arms": rows,
        "gradient": gradient,
        "teacher": evaluation_record(store.evaluation(teacher_recipe, BEAM_SIZE, 0.0)),
    }


def measure_arm(store: Store, recipe: Recipe, teacher: Seq2Seq, seed: int) -> dict:
    """Return an arm's scores on the test set, the validity of its samples, its exposure on the
    first test sentences, and how many tokens it learned from."""
    model, data = store.model(recipe), store.dataset(recipe.data)
    return {
        **evaluation_record(store.evaluation(recipe, BEAM_SIZE, 0.0)),
        "drawn_validity": drawn_validity(model, data.test, data.toy_language, seed),
        "exposure": exposure_record(model, teacher, data.test[:N_EXPOSED], seed),
        "tokens": 0 if recipe.start is None else store.n_tokens(recipe),
    }


COLUMNS: dict[str, Value] = {
    "greedy BLEU": greedy_bleu,
    "greedy valid %": lambda measured: 100.0 * measured["greedy"]["validity"],
    "drawn valid %": percent_drawn,
    "beam BLEU": lambda measured: measured["beam"]["bleu"],
    "p(ŷ) %": lambda measured: 100.0 * measured["p_mode"],
    "entropy": own_entropy,
    "KL(truth‖S)": lambda measured: measured["kl_to_truth"],
    "reverse KL, gold": lambda measured: along(measured, REVERSE, exposure.GOLD),
    "reverse KL, teacher": lambda measured: along(measured, REVERSE, exposure.TEACHER),
    "reverse KL, own": own_reverse,
    "tokens": lambda measured: measured["tokens"],
}


def tables(by_seed: Sequence[Rows]) -> dict[str, pandas.DataFrame]:
    """Return every arm's means with half of their 95% interval, and the estimators' gradients."""
    rows = {
        name: {
            head: with_interval([value(rows["arms"][name]) for rows in by_seed], digits(head))
            for head, value in COLUMNS.items()
        }
        for name in by_seed[0]["arms"]
    }
    gradients = {
        f"{kind}: {name}": with_interval([rows["gradient"][kind][name] for rows in by_seed], 3)
        for kind in ("cosine", "variance")
        for name in by_seed[0]["gradient"][kind]
    }
    arms_heading = "Arms (mean ± half of the 95% interval over seeds; nats a token)"
    gradients_heading = (
        "Gradients at the start (cosines of means; variance in multiples of the full one's)"
    )
    return {
        arms_heading: pandas.DataFrame.from_dict(rows, "index"),
        gradients_heading: pandas.DataFrame({"mean ± interval": gradients}),
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
    data=EARLIER,
)
