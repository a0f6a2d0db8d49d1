"""The token-importance study: which of the student's own tokens must teach (TIP, arXiv 2604.14084).

The student has planted weaknesses, so the truth about each of its tokens is known. What the
selectors keep is measured at the start; then each trains an arm, and what is left of the mistakes
is measured on the test set.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from itertools import islice
from pathlib import Path

import pandas

from seqkd_lab.distillation.tip import ALL, SELECTORS, SOFT_OR
from seqkd_lab.runs.committed import write_committed
from seqkd_lab.runs.presets import EARLIER
from seqkd_lab.runs.results import with_interval
from seqkd_lab.runs.schedule import Task, Train
from seqkd_lab.runs.store import Report, Store, identity
from seqkd_lab.runs.study import Study
from seqkd_lab.runs.verdicts import Rows
from seqkd_lab.studies.token_importance import memory, recipes
from seqkd_lab.studies.token_importance.claims import CLAIMS
from seqkd_lab.studies.token_importance.measures import (
    drawn_batches,
    kinds_record,
    outcome,
    selection_record,
)
from seqkd_lab.studies.token_importance.recipes import ARMS, LONG, PLANTED, SHARES, START

N_BATCHES = 16
"""Batches of the student's outputs whose tokens the selectors choose from."""
N_LABELLED = 4
"""Of these, batches whose tokens are counted by kind."""
SETTINGS = {
    "arms": list(ARMS),
    "shares": list(SHARES),
    "planted": identity(PLANTED),
    "sources": identity(LONG),
    "warming": identity(recipes.WARMING),
    "tuning": identity(recipes.TUNING),
    "batches": N_BATCHES,
    "labelled": N_LABELLED,
    "memory": {"sentences": memory.B, "tokens": memory.T, "returned_from": memory.LEAST_RETURNED},
}


def tasks(seed: int) -> list[Task]:
    """Return every arm; the planted student and the teacher come before."""
    return [Train(recipe) for recipe in recipes.arms(seed).values()]


def measure(seed: int, store: Store, report: Report) -> dict:
    """Measure what the selectors keep at the start, what the arms come to, and the memory."""
    start, teacher = (store.model(recipe) for recipe in recipes.start_and_teacher(seed))
    data = store.dataset(EARLIER)
    batches = drawn_batches(start, teacher, LONG(data.train), recipes.TUNING.batch_size, seed)
    drawn = list(islice(batches, N_BATCHES))
    ends = {START: outcome(start, data, data.test, PLANTED) | {"tokens": 0}}
    for done, (name, recipe) in enumerate(recipes.arms(seed).items(), start=1):
        measured = outcome(store.model(recipe), data, data.test, PLANTED)
        ends[name] = measured | {"tokens": store.n_tokens(recipe)}
        report(done, len(ARMS))
    return {
        "selection": selection_record(drawn, PLANTED, SHARES, seed),
        "kinds": kinds_record(drawn[:N_LABELLED], data.toy_language, PLANTED),
        "n_mistakes": sum(int(batch.mistakes(PLANTED).sum()) for batch in drawn),
        "n_tokens": sum(int(batch.importance.real.sum()) for batch in drawn),
        "memory": memory.memory_record(),
        "arms": ends,
    }


def tables(by_seed: Sequence[Rows]) -> dict[str, pandas.DataFrame]:
    """Return the arms' ends, what the selectors keep, the kinds of tokens, and the memory."""
    return {
        "arms: means over the seeds ± half of the 95% interval": arms_table(by_seed),
        "planted mistakes found at the start, %": selection_table(by_seed),
        "tokens of the student by kind of place: means of the seeds": kinds_table(by_seed),
        "memory of one loss and its gradient, MB": memory_table(by_seed),
    }


def arms_table(by_seed: Sequence[Rows]) -> pandas.DataFrame:
    """Return what every arm comes to on the test set, greedy."""
    columns = {
        "valid %": ("validity", 100.0, 1),
        "BLEU": ("bleu", 1.0, 1),
        "mistakes left %": ("mistakes", 100.0, 1),
        "valid with a rare word %": ("rare", 100.0, 1),
        "tokens drawn": ("tokens", 1.0, 0),
    }
    return pandas.DataFrame.from_dict(
        {
            name: {
                head: with_interval([scale * rows["arms"][name][key] for rows in by_seed], digits)
                for head, (key, scale, digits) in columns.items()
            }
            for name in (START, *ARMS)
        },
        orient="index",
    )


def selection_table(by_seed: Sequence[Rows]) -> pandas.DataFrame:
    """Return the mistakes kept by selector and ρ, and the share of the tokens that ⌊ρm⌋ keeps."""

    def row(selector: str, key: str) -> dict[str, str]:
        return {
            f"ρ = {share:g}": with_interval(
                [rows["selection"][selector][f"{share:g}"][key] for rows in by_seed], scale=100.0
            )
            for share in SHARES
        }

    table = {selector: row(selector, "recall") for selector in SELECTORS if selector != ALL}
    table["tokens kept by each"] = row(SOFT_OR, "kept")
    return pandas.DataFrame.from_dict(table, orient="index")


def kinds_table(by_seed: Sequence[Rows]) -> pandas.DataFrame:
    """Return means over the seeds, for the kinds that every seed has."""
    heads = {"tokens": "tokens", "h": "h", "δ, nats": "delta", "Soft-OR": "soft_or"}
    kinds = {
        kind: [rows["kinds"][kind] for rows in by_seed]
        for kind in by_seed[0]["kinds"]
        if all(kind in rows["kinds"] for rows in by_seed)
    }
    return means_table(kinds, heads).round(3)


def memory_table(by_seed: Sequence[Rows]) -> pandas.DataFrame:
    """Return means over the seeds, in MB."""
    heads = {"logits' gradient": "logits_gradient", "peak": "peak"}
    cases = {case: [rows["memory"][case] for rows in by_seed] for case in by_seed[0]["memory"]}
    return (means_table(cases, heads) / 1e6).round(2)


def means_table(
    measured: Mapping[str, Sequence[Mapping[str, float]]], heads: Mapping[str, str]
) -> pandas.DataFrame:
    """Return the mean over the seeds of each measure, with the heads of its columns."""
    return pandas.DataFrame.from_dict(
        {
            name: {head: sum(row[key] for row in rows) / len(rows) for head, key in heads.items()}
            for name, rows in measured.items()
        },
        orient="index",
    )


def write_checkpoints(store: Store, directory: Path) -> Iterator[Path]:
    """Write lesson 13's planted student of seed 1 to planted-student in `directory`; training it
    takes about a minute and a half on one core."""
    recipe, _ = recipes.start_and_teacher(1)
    data = store.dataset(EARLIER)
    yield write_committed(
        directory / "planted-student",
        store,
        recipe,
        lambda model: outcome(model, data, data.test, PLANTED),
    )


STUDY = Study(
    name="token-importance",
    question="Which of the student's own tokens must teach?",
    file="tip.json",
    settings=SETTINGS,
    tasks=tasks,
    measure=measure,
    tables=tables,
    claims=CLAIMS,
    data=EARLIER,
    aliases=("tip",),
    write_checkpoints=write_checkpoints,
)
