"""What a selection of tokens saves: the memory of one loss and its gradient, by ρ and V.

The numbers are the same in every run, so there is one measurement and no interval. Two things save:
the lean loss, which computes the logits in two passes, and the selection itself. All shares are
measured with the lean loss, ρ = 1 too, so that the two parts can be told apart.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import pandas

from seqkd_lab.runs.measured import Row, Size, by_name
from seqkd_lab.runs.store import Report, Store
from seqkd_lab.runs.study import Study
from seqkd_lab.runs.tasks import Task
from seqkd_lab.runs.verdicts import Rows
from seqkd_lab.studies.token_importance import memory
from seqkd_lab.studies.token_importance.memory import CASES, LEAN, MANY_WORDS, Case, saved

SETTINGS = {
    "cases": [case.name for case in CASES],
    "sentences": memory.B,
    "tokens": memory.T,
    "returned_from": memory.LEAST_RETURNED,
}
USUAL_LOSS, LEAN_LOSS = Case(MANY_WORDS, None), Case(MANY_WORDS, 1.0)
ORIGINAL = "TIP: peak memory falls by 47 to 58% on the Qwen pairs"
LEAST, MOST = 47.0, 58.0


class Bytes(Row):
    """Memory of a case (memory.Bytes)."""

    logits_gradient: Size
    peak: Size


def tasks(number: int) -> list[Task]:
    """Return nothing: the models are untrained."""
    return []


def measure(number: int, store: Store, report: Report) -> dict:
    """Measure every case, each in a process of its own."""
    return memory.memory_record()


def parts(rows: Mapping) -> dict[str, float]:
    """Return at MANY_WORDS what the peak shrinks by, in percent: by the two passes alone, by the
    selection alone at each ρ, and by both."""
    record: dict[str, float] = {"two passes": saved(rows, LEAN_LOSS, USUAL_LOSS, "peak")}
    for share in LEAN:
        case = Case(MANY_WORDS, share)
        record[f"selection {share:g}"] = saved(rows, case, LEAN_LOSS, "peak")
        record[f"both {share:g}"] = saved(rows, case, USUAL_LOSS, "peak")
    return record


def in_words(by_run: Sequence[Rows]) -> str:
    """State at ρ = .5 what the two passes and the selection save, beside the paper's range."""
    saves = parts(by_run[0])
    selection = saves["selection 0.5"]
    place = "within" if LEAST <= selection <= MOST else "below" if selection < LEAST else "above"
    return (
        f"At V = {MANY_WORDS:,} and ρ = .5 the selection takes {selection:.0f}% off the peak of "
        f"the lean loss, {place} the {LEAST:g} to {MOST:g}% of the paper. The two passes take "
        f"{saves['two passes']:.0f}% off the peak of the usual loss before any token is left out. "
        f"Both together take {saves['both 0.5']:.0f}%."
    )


def tables(by_run: Sequence[Rows]) -> dict[str, pandas.DataFrame]:
    """Return megabytes of every case."""
    heads = {"logits' gradient": "logits_gradient", "peak": "peak"}
    cases = {
        case.name: {head: by_run[0][case.name][key] / 1e6 for head, key in heads.items()}
        for case in CASES
    }
    return {
        "memory of one loss and its gradient, MB": pandas.DataFrame.from_dict(
            cases, orient="index"
        ).round(2)
    }


STUDY = Study(
    name="token-memory",
    question="What does a selection of tokens save?",
    file="tip_memory.json",
    settings=SETTINGS,
    tasks=tasks,
    measure=measure,
    tables=tables,
    repeated="measurements",
    n_seeds=1,
    in_words=in_words,
    rows=by_name("Cases", {case.name: Bytes for case in CASES}),
)
