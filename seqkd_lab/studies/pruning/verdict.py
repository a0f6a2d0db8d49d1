"""Table 3 read: its rows for people, F8 judged by seeds, and where the knee lies."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from statistics import fmean, median

import pandas

from seqkd_lab.compression.pruning import CLASS_BLIND, METHODS
from seqkd_lab.runs.recipes import BASELINE, SEQ_KD, TEACHER
from seqkd_lab.runs.results import with_interval
from seqkd_lab.runs.verdicts import Claim, Verdict, judge_claims
from seqkd_lab.studies.pruning.costs import BATCHES, DENSE, DENSE_INT8, SPARSE, SPARSE_INT8, Cost
from seqkd_lab.studies.pruning.recipes import (
    AT_ONCE,
    IN_STEPS,
    INT8,
    PRUNED,
    RETRAINED,
    TUNED,
    Place,
)
from seqkd_lab.studies.pruning.table import PrunedModel

PAPER_SHARE = 0.8
"""Of the paper's claim: at 80% it has 13 times fewer parameters than its teacher, at −0.4 BLEU
against the teacher and −0.2 against the unpruned student."""
MOST_LOST = 0.4
"""BLEU."""
Row = Mapping[Place, PrunedModel]
"""One seed's models by place."""


def blind(model: str, share: float, stage: str) -> Place:
    """The place of a class-blind model."""
    return Place(model, CLASS_BLIND, share, stage)


def lost(row: Row, before: Place, after: Place) -> float:
    """BLEU by beam that is lost from one place to another."""
    return row[before].beam - row[after].beam


def loss_at(row: Row, model: str, share: float, stage: str) -> float:
    """BLEU by beam that `model` loses by pruning, against itself unpruned after the same
    training."""
    return lost(row, blind(model, 0.0, stage), blind(model, share, stage))


def times_fewer(row: Row, place: Place) -> float:
    """How many times fewer parameters than the teacher's are left."""
    return row[blind(TEACHER, 0.0, PRUNED)].n_nonzero / row[place].n_nonzero


UNPRUNED, RETRAINED_80 = blind(SEQ_KD, 0.0, PRUNED), blind(SEQ_KD, PAPER_SHARE, RETRAINED)
PAPER_TEACHER = (
    "at 80%: 13 times fewer parameters than the teacher, −0.4 BLEU against it (Kim & Rush 2016, "
    "Table 3)"
)
PAPER_STUDENT = "at 80%: −0.2 BLEU against the student before pruning (Kim & Rush 2016, Table 3)"
AIM = "an aim of this lab"
CLAIMS = (
    Claim(
        "F8",
        "the teacher has ≥ 13 times the parameters that are left of the student at 80%",
        lambda row: times_fewer(row, RETRAINED_80),
        least=13.0,
        original=PAPER_TEACHER,
    ),
    Claim(
        "F8",
        "at 80%, both after Seq-Inter (the paper's rows): ≤ 0.4 BLEU lost by beam",
        lambda row: loss_at(row, SEQ_KD, PAPER_SHARE, TUNED),
        most=MOST_LOST,
        original=PAPER_STUDENT,
    ),
    Claim(
        "F8",
        "at 80%, after Seq-Inter, against the teacher: ≤ 0.4 BLEU lost by beam",
        lambda row: lost(row, blind(TEACHER, 0.0, PRUNED), blind(SEQ_KD, PAPER_SHARE, TUNED)),
        most=MOST_LOST,
        original=PAPER_TEACHER,
    ),
    Claim(
        "F8",
        "at 80%, both retrained alike on Seq-KD's corpus: ≤ 0.4 BLEU lost by beam",
        lambda row: loss_at(row, SEQ_KD, PAPER_SHARE, RETRAINED),
        most=MOST_LOST,
        original=PAPER_STUDENT,
    ),
    Claim(
        "F8",
        "at 80%, retrained, against the student as distillation left it: ≤ 0.4 BLEU lost by beam",
        lambda row: lost(row, UNPRUNED, RETRAINED_80),
        most=MOST_LOST,
        original=PAPER_STUDENT,
    ),
    Claim(
        "F8",
        "in two steps to 80%, against the student as distillation left it: ≤ 0.4 BLEU lost by beam",
        lambda row: lost(row, UNPRUNED, Place(SEQ_KD, IN_STEPS, PAPER_SHARE, RETRAINED)),
        most=MOST_LOST,
        original=PAPER_STUDENT,
    ),
    Claim(
        "F8",
        "at 80%, retraining brings back ≥ 1 BLEU by beam",
        lambda row: lost(row, RETRAINED_80, blind(SEQ_KD, PAPER_SHARE, PRUNED)),
        least=1.0,
        original=AIM,
    ),
    Claim(
        "ours",
        "at 80%, the baseline loses more BLEU by beam than the distilled student: the difference "
        "≥ 0",
        lambda row: (
            loss_at(row, BASELINE, PAPER_SHARE, RETRAINED)
            - loss_at(row, SEQ_KD, PAPER_SHARE, RETRAINED)
        ),
        least=0.0,
        original=AIM,
    ),
)


def judge(rows: Sequence[Row]) -> list[Verdict]:
    """Judge every claim over the seeds. Raises ValueError without any seed."""
    return judge_claims(CLAIMS, rows)


def shares(rows: Sequence[Row]) -> list[float]:
    """The levels of the table, in their order."""
    return sorted(
        {place.share for place in rows[0] if place.method == CLASS_BLIND and place.model == SEQ_KD}
    )


def knee(rows: Sequence[Row], model: str, stage: str, most: float = MOST_LOST) -> float:
    """The largest share up to which no level loses more than `most` BLEU by beam in the mean of the
    seeds."""
    reached = 0.0
    for share in shares(rows):
        if fmean(loss_at(row, model, share, stage) for row in rows) > most:
            return reached
        reached = share
    return reached


def verdict_in_words(rows: Sequence[Row]) -> list[str]:
    """The two factors of the 13 times, and the knees."""
    distilled = fmean(times_fewer(row, blind(SEQ_KD, 0.0, PRUNED)) for row in rows)
    both = fmean(times_fewer(row, blind(SEQ_KD, PAPER_SHARE, RETRAINED)) for row in rows)
    lines = [
        f"{both:.1f} times fewer parameters: {distilled:.2f} times by the smaller student × "
        f"{both / distilled:.2f} times by pruning"
    ]
    for model, stage in (
        (TEACHER, RETRAINED),
        (BASELINE, RETRAINED),
        (SEQ_KD, RETRAINED),
        (SEQ_KD, TUNED),
    ):
        lines.append(
            f"knee of the {model}, {stage}: {knee(rows, model, stage):.0%} (the last level before "
            f"the mean loss by beam exceeds {MOST_LOST} BLEU)"
        )
    return lines


def table3_frame(rows: Sequence[Row], model: str) -> pandas.DataFrame:
    """The class-blind levels of one model: mean ± reach of the 95% interval over the seeds."""
    lines = {}
    for share in shares(rows):
        line: dict[str, str] = {}
        for stage in (PRUNED, RETRAINED, TUNED, INT8):
            cells = [
                row[blind(model, share, stage)] for row in rows if blind(model, share, stage) in row
            ]
            if cells:
                line |= _line(cells, stage)
        first = [row[blind(model, share, RETRAINED)] for row in rows]
        size = {
            "not 0": f"{first[0].n_nonzero:,}",
            "times fewer than the teacher's": f"{times_fewer(rows[0], first[0].place):.1f}",
        }
        lines[f"{share:.0%}"] = size | line
    return pandas.DataFrame.from_dict(lines, orient="index")


def _line(cells: Sequence[PrunedModel], stage: str) -> dict[str, str]:
    line = {
        f"K=1, {stage}": with_interval([cell.greedy for cell in cells]),
        f"K=5, {stage}": with_interval([cell.beam for cell in cells]),
    }
    if stage == RETRAINED:
        if cells[0].valid is not None:
            line["valid K=1, %"] = with_interval([cell.valid for cell in cells], scale=100.0)
        line["p(ŷ), %"] = with_interval([cell.p_mode for cell in cells], scale=100.0)
    return line


def methods_frame(rows: Sequence[Row]) -> pandas.DataFrame:
    """The distilled student by the three methods without retraining; and what was retrained at some
    levels: BLEU by beam, mean ± reach of the 95% interval."""
    columns = [(method, PRUNED) for method in METHODS] + [
        (method, RETRAINED) for method in (*METHODS, IN_STEPS, AT_ONCE)
    ]
    lines = {}
    for share in shares(rows):
        cells = {
            f"{method}, {stage}": [row[place].beam for row in rows]
            for method, stage in columns
            if (place := Place(SEQ_KD, method, share, stage)) in rows[0]
        }
        lines[f"{share:.0%}"] = {name: with_interval(values) for name, values in cells.items()}
    return pandas.DataFrame.from_dict(lines, orient="index").fillna("")


def costs_frame(costs: Sequence[Cost]) -> pandas.DataFrame:
    """Bytes in thousands, by form and compressed; words a second (median) with the dense and the
    sparse product."""
    lines = {}
    for cost in costs:
        line = {
            f"{form}, kB": f"{cost.file[form] / 1000:,.0f}"
            for form in (DENSE, SPARSE, DENSE_INT8, SPARSE_INT8)
        }
        line |= {
            f"{form}, zlib": f"{cost.compressed[form] / 1000:,.0f}"
            for form in (DENSE, SPARSE, SPARSE_INT8)
        }
        line |= {
            f"memory {kernel}, kB": f"{cost.memory[kernel] / 1000:,.0f}"
            for kernel in (DENSE, SPARSE)
        }
        line |= {
            f"words/s {batch}, {kernel}": f"{median(cost.speed[batch][kernel]):,.0f}"
            for batch in BATCHES
            for kernel in (DENSE, SPARSE)
        }
        lines[f"{cost.share:.0%}"] = line
    return pandas.DataFrame.from_dict(lines, orient="index")
