"""The token-importance study: which of the student's own tokens must teach (TIP, arXiv 2604.14084).

The student has planted weaknesses, so the truth about each of its tokens is known. What the
selectors keep is measured at the start; then some of them train an arm each, and its translations
of fresh sources are judged. What a selection saves is measured apart (token_memory.py).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from itertools import islice
from pathlib import Path

import pandas

from seqkd_lab.corpus.toy.planted import PLANTED_KINDS
from seqkd_lab.distillation.tip import ALL, SELECTORS, SOFT_OR
from seqkd_lab.runs.committed import committed_seed, write_committed
from seqkd_lab.runs.results import with_interval
from seqkd_lab.runs.store import Report, Store, identity
from seqkd_lab.runs.study import Study
from seqkd_lab.runs.tasks import Task, Train
from seqkd_lab.runs.verdicts import Rows
from seqkd_lab.studies.token_importance import recipes
from seqkd_lab.studies.token_importance.claims import CLAIMS
from seqkd_lab.studies.token_importance.measures import (
    DELTA_EDGE,
    H_EDGE,
    drawn_batches,
    kinds_record,
    selection_record,
)
from seqkd_lab.studies.token_importance.outcome import (
    N_FRESH,
    N_POOL,
    N_TEMPTED,
    outcome,
    questions,
)
from seqkd_lab.studies.token_importance.recipes import ARMS, DATA, LONG, PLANTED, SHARES, START
from seqkd_lab.studies.token_importance.rows import ROWS

N_BATCHES = 32
"""Batches of the student's outputs whose tokens the selectors choose from."""
N_LABELLED = 4
"""Of these, batches whose tokens are counted by kind."""
RECORDED = (1_000, 4_000)
"""Fresh sources, and the pool of the tempting ones, by which the committed student is described."""
SETTINGS = {
    "arms": list(ARMS),
    "shares": list(SHARES),
    "planted": identity(PLANTED),
    "sources": identity(LONG),
    "warming": identity(recipes.WARMING),
    "tuning": identity(recipes.TUNING),
    "batches": N_BATCHES,
    "labelled": N_LABELLED,
    "edges": {"h": H_EDGE, "delta": DELTA_EDGE},
    "fresh": {"sources": N_FRESH, "tempted": N_TEMPTED, "pool": N_POOL},
}


def tasks(seed: int) -> list[Task]:
    """Return every arm; the planted student and the teacher come before."""
    return [Train(recipe) for recipe in recipes.arms(seed).values()]


def measure(seed: int, store: Store, report: Report) -> dict:
    """Measure what the selectors keep at the start, and what the arms come to."""
    start, teacher = (store.model(recipe) for recipe in recipes.start_and_teacher(seed))
    data, asked = store.dataset(DATA), questions(seed, PLANTED)
    batches = drawn_batches(start, teacher, LONG(data.train), recipes.TUNING.batch_size, seed)
    drawn = list(islice(batches, N_BATCHES))
    ends = {START: outcome(start, data, asked, PLANTED) | {"tokens": 0}}
    for done, (name, recipe) in enumerate(recipes.arms(seed).items(), start=1):
        measured = outcome(store.model(recipe), data, asked, PLANTED)
        ends[name] = measured | {"tokens": store.n_tokens(recipe)}
        report(done, len(ARMS))
    return {
        "selection": selection_record(drawn, PLANTED, SHARES, seed),
        "kinds": kinds_record(drawn[:N_LABELLED], data.toy_language, PLANTED),
        "n_planted": {
            kind: sum(int(batch.planted(PLANTED, kind).sum()) for batch in drawn)
            for kind in PLANTED_KINDS
        },
        "n_tokens": sum(int(batch.importance.real.sum()) for batch in drawn),
        "arms": ends,
    }


def tables(by_seed: Sequence[Rows]) -> dict[str, pandas.DataFrame]:
    """Return the arms' ends, what the selectors keep, and the kinds of tokens."""
    return {
        "arms: means over the seeds ± half of the 95% interval": arms_table(by_seed),
        "planted words kept at the start, %": selection_table(by_seed),
        "tokens of the student by kind: means of the seeds": kinds_table(by_seed),
    }


COLUMNS = {
    "valid %": ("validity", 100.0, 1),
    "BLEU": ("bleu", 1.0, 1),
    **{f"{kind}s left %": (f"left, {kind}", 100.0, 1) for kind in PLANTED_KINDS},
    **{f"valid, tempted to a {kind} %": (f"tempted, {kind}", 100.0, 1) for kind in PLANTED_KINDS},
    "valid with a rare word %": ("rare", 100.0, 1),
    "tokens drawn": ("tokens", 1.0, 0),
}
"""Head of a column: the measure, its scale, and the digits after the point."""


def arms_table(by_seed: Sequence[Rows]) -> pandas.DataFrame:
    """Return what every arm comes to, greedy."""
    return pandas.DataFrame.from_dict(
        {
            name: {
                head: with_interval([scale * rows["arms"][name][key] for rows in by_seed], digits)
                for head, (key, scale, digits) in COLUMNS.items()
            }
            for name in (START, *ARMS)
        },
        orient="index",
    )


def selection_table(by_seed: Sequence[Rows]) -> pandas.DataFrame:
    """Return the planted words kept by selector, kind and ρ, and the share of the tokens that ⌊ρm⌋
    keeps."""

    def row(selector: str, key: str) -> dict[str, str]:
        """Return the shares that a selector keeps, in percent by ρ; "–" where a seed has none."""
        values = {
            share: [rows["selection"][selector][f"{share:g}"][key] for rows in by_seed]
            for share in SHARES
        }
        return {
            f"ρ = {share:g}": "–" if None in shares else with_interval(shares, scale=100.0)
            for share, shares in values.items()
        }

    table = {
        f"{selector}: {kind}s": row(selector, kind)
        for kind in PLANTED_KINDS
        for selector in SELECTORS
        if selector != ALL
    }
    table["tokens kept by each"] = row(SOFT_OR, "kept")
    return pandas.DataFrame.from_dict(table, orient="index")


def kinds_table(by_seed: Sequence[Rows]) -> pandas.DataFrame:
    """Return means over the seeds, for the kinds that every seed has."""
    heads = {"tokens": "tokens", "ĥ": "h", "δ, nats": "delta", "Soft-OR": "soft_or"}
    kinds = {
        kind: [rows["kinds"][kind] for rows in by_seed]
        for kind in by_seed[0]["kinds"]
        if all(kind in rows["kinds"] for rows in by_seed)
    }
    return means_table(kinds, heads).round(3)


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
    """Write lesson 13's planted student to planted-student in `directory`: that of the committed
    teacher's seed, for δ is the distance from this teacher."""
    seed = committed_seed()
    recipe, _ = recipes.start_and_teacher(seed)
    data, asked = store.dataset(DATA), questions(seed, PLANTED, *RECORDED)
    yield write_committed(
        directory / "planted-student",
        store,
        recipe,
        lambda model: outcome(model, data, asked, PLANTED),
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
    first_seed=21,
    n_seeds=10,
    data=DATA,
    aliases=("tip",),
    write_checkpoints=write_checkpoints,
    rows=ROWS,
)
