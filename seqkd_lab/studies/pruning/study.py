"""Table 3 as a study: F8 judged by seeds, pruned against dense, and its tables."""

from __future__ import annotations

from collections.abc import Sequence
from statistics import fmean

import pandas

from seqkd_lab.identity import settings
from seqkd_lab.runs.recipes import SEQ_KD, TEACHER, ToyData
from seqkd_lab.runs.results import with_interval
from seqkd_lab.runs.store import identity
from seqkd_lab.runs.study import Study
from seqkd_lab.runs.verdicts import Claim, Rows
from seqkd_lab.studies.pruning.measures import measure_models, rows_of, write_checkpoints
from seqkd_lab.studies.pruning.recipes import (
    PRUNED,
    PRUNING,
    RETRAINED,
    SMALL_LONGER,
    WIDE,
    Place,
    PruningRun,
    unpruned,
)

PAPER_SHARE = 0.8
"""Of the paper's claim: at 80% it has 13 times fewer parameters than its teacher, at −0.4 BLEU
against the teacher and −0.2 against the unpruned student."""
MOST_LOST = 0.4
"""BLEU."""
TEACHER_PLACE = unpruned(TEACHER)
STUDENT = unpruned(SEQ_KD)
PRUNED_80 = Place(SEQ_KD, PAPER_SHARE, PRUNED)
RETRAINED_80 = Place(SEQ_KD, PAPER_SHARE, RETRAINED)
LONGER = unpruned(SMALL_LONGER)


def lost(rows: Rows, before: Place, after: Place, measure: str = "beam") -> float:
    """Return the BLEU by beam (or another measure) that is lost from one place to another."""
    return rows[before.row][measure] - rows[after.row][measure]


def loss_at(rows: Rows, model: str, share: float = PAPER_SHARE) -> float:
    """Return the BLEU by beam that `model` loses by pruning, against itself unpruned after the same
    training."""
    return lost(rows, Place(model, 0.0, RETRAINED), Place(model, share, RETRAINED))


def times_fewer(rows: Rows, place: Place) -> float:
    """Return how many times fewer parameters than the teacher's are left."""
    return rows[TEACHER_PLACE.row]["n_nonzero"] / rows[place.row]["n_nonzero"]


def beam_gain(rows: Rows, place: Place) -> float:
    """Return the BLEU that the beam adds to greedy search."""
    return rows[place.row]["beam"] - rows[place.row]["greedy"]


AGAINST_TEACHER = (
    "at 80%: 13 times fewer parameters than the teacher, −0.4 BLEU against it (Kim & Rush 2016, "
    "Table 3)"
)
AGAINST_STUDENT = "at 80%: −0.2 BLEU against the student before pruning (Kim & Rush 2016, Table 3)"
CRUCIAL = "retraining is “crucial” (Kim & Rush 2016, slides)"
AIM = "a question of this lab"
CLAIMS = (
    Claim(
        "F8 size",
        "the teacher has ≥ 13 times the parameters that are left of the student at 80%",
        lambda rows: times_fewer(rows, RETRAINED_80),
        least=13.0,
        original=AGAINST_TEACHER,
    ),
    Claim(
        "F8 teacher",
        "80% pruned and retrained: ≤ 0.4 BLEU below the teacher (both by beam)",
        lambda rows: lost(rows, TEACHER_PLACE, RETRAINED_80),
        most=MOST_LOST,
        original=AGAINST_TEACHER,
    ),
    Claim(
        "F8 before",
        "80% pruned and retrained: ≤ 0.4 BLEU below the student before pruning (by beam)",
        lambda rows: lost(rows, STUDENT, RETRAINED_80),
        most=MOST_LOST,
        original=AGAINST_STUDENT,
    ),
    Claim(
        "F8 alike",
        "80% pruned and retrained: ≤ 0.4 BLEU below the unpruned student that was trained on as "
        "long (by beam)",
        lambda rows: loss_at(rows, SEQ_KD),
        most=MOST_LOST,
        original=AGAINST_STUDENT,
    ),
    Claim(
        "crucial",
        "at 80%, retraining brings back ≥ 1 BLEU (by beam)",
        lambda rows: lost(rows, RETRAINED_80, PRUNED_80),
        least=1.0,
        original=CRUCIAL,
    ),
    Claim(
        "pruned or dense",
        "80% pruned and retrained, the student is ≥ 0 BLEU above a dense student of the same "
        "teacher that has at least as many weights (by beam)",
        lambda rows: lost(rows, RETRAINED_80, LONGER),
        least=0.0,
        original=AIM,
    ),
)


def shares(by_seed: Sequence[Rows], stage: str = PRUNED) -> list[float]:
    """Return the levels at which the distilled student was measured after a stage, in their
    order."""
    places = [Place.of_row(row) for row in by_seed[0] if row.startswith(f"{SEQ_KD}|")]
    return sorted({place.share for place in places if place.stage == stage})


def differences(by_seed: Sequence[Rows]) -> dict[str, list[float]]:
    """Return the paired differences in BLEU by beam that the lesson draws, a value for each seed,
    by "arm − arm"."""
    pairs = {
        "pruned by 80% − teacher": (RETRAINED_80, TEACHER_PLACE),
        "pruned by 80% − before pruning": (RETRAINED_80, STUDENT),
        "pruned by 80% − unpruned, trained as long": (RETRAINED_80, Place(SEQ_KD, 0.0, RETRAINED)),
        "pruned by 80% − small dense student": (RETRAINED_80, LONGER),
    }
    return {
        name: [lost(rows, arm, other) for rows in by_seed] for name, (arm, other) in pairs.items()
    }


def product_in_words(by_seed: Sequence[Rows]) -> str:
    """Say the two factors of the 13 times."""
    distilled, both = (
        fmean(times_fewer(rows, place) for rows in by_seed) for place in (STUDENT, RETRAINED_80)
    )
    return (
        f"{both:.1f} times fewer parameters: {distilled:.2f} times by the smaller student × "
        f"{both / distilled:.2f} times by pruning."
    )


def table3_frame(by_seed: Sequence[Rows]) -> pandas.DataFrame:
    """Return every model: weights that are left, BLEU and valid translations, mean ± reach of the
    95% interval over the seeds."""
    lines = {}
    for row, first in by_seed[0].items():
        if "|" not in row:
            continue
        place = Place.of_row(row)
        measured = [rows[row] for rows in by_seed]
        lines[_title(place)] = {
            "not 0": f"{first['n_nonzero']:,}",
            "times fewer": f"{times_fewer(by_seed[0], place):.1f}",
            "K=1": with_interval([record["greedy"] for record in measured]),
            "K=5": with_interval([record["beam"] for record in measured]),
        }
        if all(record["valid"] is not None for record in measured):
            valid = with_interval([record["valid"] for record in measured], scale=100.0)
            lines[_title(place)]["valid K=1, %"] = valid
    return pandas.DataFrame.from_dict(lines, orient="index")


def _title(place: Place) -> str:
    if place == unpruned(place.model):
        return f"{place.model}, {'wide' if place.model in WIDE else 'dense'}"
    return f"{place.model}, {place.share:.0%} {place.stage}"


def study_of(run: PruningRun) -> Study:
    """Return the study of these models."""
    return Study(
        name="pruning",
        question="What do pruning, retraining and 8 bits leave of a distilled student?",
        file="table3.json",
        settings=lambda: {"data": identity(run.data), "preset": settings(run.preset)},
        tasks=run.tasks,
        measure=lambda seed, store, report, done: measure_models(run, store, seed, done, report),
        tables=lambda by_seed: {"BLEU and valid translations": table3_frame(by_seed)},
        claims=CLAIMS,
        first_seed=FIRST_SEED,
        in_words=product_in_words,
        data=run.data,
        aliases=("table3",),
        write_checkpoints=lambda store, directory: write_checkpoints(
            run, store, FIRST_SEED, directory
        ),
        by_row=True,
        rows=rows_of(run, FIRST_SEED),
    )


FIRST_SEED = 21
STUDY = study_of(PruningRun(ToyData(), PRUNING))
