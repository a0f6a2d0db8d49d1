"""Table 3 as a study: F8 judged by seeds, where the knee lies, and its tables."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from statistics import fmean, median

import pandas

from seqkd_lab.compression.pruning import CLASS_BLIND, METHODS
from seqkd_lab.identity import settings
from seqkd_lab.runs.presets import EARLIER
from seqkd_lab.runs.recipes import BASELINE, SEQ_KD, TEACHER
from seqkd_lab.runs.results import with_interval
from seqkd_lab.runs.store import Report, Store, identity
from seqkd_lab.runs.study import Study
from seqkd_lab.runs.verdicts import Claim, Rows
from seqkd_lab.studies.pruning.costs import (
    BATCHES,
    DENSE,
    FORMS,
    SPARSE,
    SPARSE_INT8,
    Cost,
    student_costs,
)
from seqkd_lab.studies.pruning.measures import examples, judged_models, sizes, write_checkpoints
from seqkd_lab.studies.pruning.recipes import (
    AT_ONCE,
    IN_STEPS,
    INT8,
    PRUNED,
    PRUNING,
    RETRAINED,
    TUNED,
    Place,
    PruningRun,
    class_blind,
)

PAPER_SHARE = 0.8
"""Of the paper's claim: at 80% it has 13 times fewer parameters than its teacher, at −0.4 BLEU
against the teacher and −0.2 against the unpruned student."""
MOST_LOST = 0.4
"""BLEU."""
UNPRUNED_TEACHER = class_blind(TEACHER, 0.0, PRUNED)
UNPRUNED = class_blind(SEQ_KD, 0.0, PRUNED)
RETRAINED_80 = class_blind(SEQ_KD, PAPER_SHARE, RETRAINED)
TUNED_80 = class_blind(SEQ_KD, PAPER_SHARE, TUNED)


def lost(rows: Rows, before: Place, after: Place) -> float:
    """Return the BLEU by beam that is lost from one place to another."""
    return rows[before.row]["beam"] - rows[after.row]["beam"]


def loss_at(rows: Rows, model: str, share: float, stage: str) -> float:
    """Return the BLEU by beam that `model` loses by pruning, against itself unpruned after the same
    training."""
    return lost(rows, class_blind(model, 0.0, stage), class_blind(model, share, stage))


def times_fewer(rows: Rows, place: Place) -> float:
    """Return how many times fewer parameters than the teacher's are left."""
    return rows[UNPRUNED_TEACHER.row]["n_nonzero"] / rows[place.row]["n_nonzero"]


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
        lambda rows: times_fewer(rows, RETRAINED_80),
        least=13.0,
        original=PAPER_TEACHER,
    ),
    Claim(
        "F8",
        "at 80%, both after Seq-Inter (the paper's rows): ≤ 0.4 BLEU lost by beam",
        lambda rows: loss_at(rows, SEQ_KD, PAPER_SHARE, TUNED),
        most=MOST_LOST,
        original=PAPER_STUDENT,
    ),
    Claim(
        "F8",
        "at 80%, after Seq-Inter, against the teacher: ≤ 0.4 BLEU lost by beam",
        lambda rows: lost(rows, UNPRUNED_TEACHER, TUNED_80),
        most=MOST_LOST,
        original=PAPER_TEACHER,
    ),
    Claim(
        "F8",
        "at 80%, both retrained alike on Seq-KD's corpus: ≤ 0.4 BLEU lost by beam",
        lambda rows: loss_at(rows, SEQ_KD, PAPER_SHARE, RETRAINED),
        most=MOST_LOST,
        original=PAPER_STUDENT,
    ),
    Claim(
        "F8",
        "at 80%, retrained, against the student as distillation left it: ≤ 0.4 BLEU lost by beam",
        lambda rows: lost(rows, UNPRUNED, RETRAINED_80),
        most=MOST_LOST,
        original=PAPER_STUDENT,
    ),
    Claim(
        "F8",
        "in two steps to 80%, against the student as distillation left it: ≤ 0.4 BLEU lost by beam",
        lambda rows: lost(rows, UNPRUNED, Place(SEQ_KD, IN_STEPS, PAPER_SHARE, RETRAINED)),
        most=MOST_LOST,
        original=PAPER_STUDENT,
    ),
    Claim(
        "F8",
        "at 80%, retraining brings back ≥ 1 BLEU by beam",
        lambda rows: lost(rows, RETRAINED_80, class_blind(SEQ_KD, PAPER_SHARE, PRUNED)),
        least=1.0,
        original=AIM,
    ),
    Claim(
        "ours",
        "at 80%, the baseline loses more BLEU by beam than the distilled student: the difference "
        "≥ 0",
        lambda rows: (
            loss_at(rows, BASELINE, PAPER_SHARE, RETRAINED)
            - loss_at(rows, SEQ_KD, PAPER_SHARE, RETRAINED)
        ),
        least=0.0,
        original=AIM,
    ),
)


def shares(by_seed: Sequence[Rows]) -> list[float]:
    """Return the levels of the table, in their order."""
    places = [Place.of_row(row) for row in by_seed[0] if row.startswith(f"{SEQ_KD}|{CLASS_BLIND}|")]
    return sorted({place.share for place in places})


def costs_of(by_seed: Sequence[Rows]) -> dict[float, Cost]:
    """Return what each level of the first seed's distilled student costs."""
    return {float(share): cost for share, cost in by_seed[0]["costs"].items()}


def knee(by_seed: Sequence[Rows], model: str, stage: str, most: float = MOST_LOST) -> float:
    """Return the largest share up to which no level loses more than `most` BLEU by beam in the mean
    of the seeds."""
    reached = 0.0
    for share in shares(by_seed):
        if fmean(loss_at(rows, model, share, stage) for rows in by_seed) > most:
            return reached
        reached = share
    return reached


def verdict_in_words(by_seed: Sequence[Rows]) -> str:
    """Say the two factors of the 13 times, and the knees."""
    distilled, both = (
        fmean(times_fewer(rows, place) for rows in by_seed) for place in (UNPRUNED, RETRAINED_80)
    )
    trained = ((TEACHER, RETRAINED), (BASELINE, RETRAINED), (SEQ_KD, RETRAINED), (SEQ_KD, TUNED))
    lines = [
        f"{both:.1f} times fewer parameters: {distilled:.2f} times by the smaller student × "
        f"{both / distilled:.2f} times by pruning",
        *(
            f"knee of the {model}, {stage}: {knee(by_seed, model, stage):.0%} (the last level "
            f"before the mean loss by beam exceeds {MOST_LOST} BLEU)"
            for model, stage in trained
        ),
    ]
    return "\n".join(lines)


def table3_frame(by_seed: Sequence[Rows], model: str) -> pandas.DataFrame:
    """Return the class-blind levels of one model: mean ± reach of the 95% interval over the
    seeds."""
    lines = {}
    for share in shares(by_seed):
        retrained = class_blind(model, share, RETRAINED)
        line = {
            "not 0": f"{by_seed[0][retrained.row]['n_nonzero']:,}",
            "times fewer than the teacher's": f"{times_fewer(by_seed[0], retrained):.1f}",
        }
        for stage in (PRUNED, RETRAINED, TUNED, INT8):
            row = class_blind(model, share, stage).row
            if row in by_seed[0]:
                line |= _stage_cells([rows[row] for rows in by_seed], stage)
        lines[f"{share:.0%}"] = line
    return pandas.DataFrame.from_dict(lines, orient="index")


def _stage_cells(metrics: Sequence[Mapping], stage: str) -> dict[str, str]:
    def cell(measure: str, scale: float = 1.0) -> str:
        return with_interval([one_seed[measure] for one_seed in metrics], scale=scale)

    cells = {f"K=1, {stage}": cell("greedy"), f"K=5, {stage}": cell("beam")}
    if stage == RETRAINED and metrics[0]["valid"] is not None:
        cells["valid K=1, %"] = cell("valid", 100.0)
    if stage == RETRAINED:
        cells["p(ŷ), %"] = cell("p_mode", 100.0)
    return cells


def methods_frame(by_seed: Sequence[Rows]) -> pandas.DataFrame:
    """Return the distilled student by the three methods without retraining; and what was retrained
    at some levels: BLEU by beam, mean ± reach of the 95% interval."""
    columns = [(method, PRUNED) for method in METHODS]
    columns += [(method, RETRAINED) for method in (*METHODS, IN_STEPS, AT_ONCE)]
    lines = {
        f"{share:.0%}": {
            f"{method}, {stage}": with_interval([rows[row]["beam"] for rows in by_seed])
            for method, stage in columns
            if (row := Place(SEQ_KD, method, share, stage).row) in by_seed[0]
        }
        for share in shares(by_seed)
    }
    return pandas.DataFrame.from_dict(lines, orient="index").fillna("")


def costs_frame(costs: Mapping[float, Cost]) -> pandas.DataFrame:
    """Return bytes in thousands, by form and compressed; words a second (median) with the dense and
    the sparse product."""

    def thousands(n_bytes: int) -> str:
        return f"{n_bytes / 1000:,.0f}"

    kernels = (DENSE, SPARSE)
    lines = {
        f"{share:.0%}": {f"{form}, kB": thousands(cost["file"][form]) for form in FORMS}
        | {
            f"{form}, zlib": thousands(cost["compressed"][form])
            for form in (DENSE, SPARSE, SPARSE_INT8)
        }
        | {f"memory {kernel}, kB": thousands(cost["memory"][kernel]) for kernel in kernels}
        | {
            f"words/s {batch}, {kernel}": f"{median(cost['speed'][batch][kernel]):,.0f}"
            for batch in BATCHES
            for kernel in kernels
        }
        for share, cost in costs.items()
    }
    return pandas.DataFrame.from_dict(lines, orient="index")


def tables(by_seed: Sequence[Rows]) -> dict[str, pandas.DataFrame]:
    """Return the tables of the study, by heading."""
    levels = {
        f"{model}, class-blind": table3_frame(by_seed, model)
        for model in (SEQ_KD, BASELINE, TEACHER)
    }
    return levels | {
        f"{SEQ_KD}, BLEU by beam, other ways": methods_frame(by_seed),
        f"{SEQ_KD}, retrained: what it costs": costs_frame(costs_of(by_seed)),
    }


def study_of(run: PruningRun) -> Study:
    """Return the study of these models; costs and examples are those of its first seed."""

    def measure(seed: int, store: Store, report: Report) -> Rows:
        rows: dict[str, Mapping] = {**judged_models(run, store, seed)}
        rows["parameters"] = sizes(run, store, seed)
        if seed == Study.first_seed:
            rows["costs"] = student_costs(run, store, seed, report=report)
            rows["examples"] = examples(run, store, seed)
        return rows

    return Study(
        name="pruning",
        question="What do pruning, retraining and 8 bits leave of a distilled student?",
        file="table3.json",
        settings=lambda: {"data": identity(run.data), "preset": settings(run.preset)},
        tasks=run.tasks,
        measure=measure,
        tables=tables,
        claims=CLAIMS,
        in_words=verdict_in_words,
        data=run.data,
        aliases=("table3",),
        write_checkpoints=lambda store, directory: write_checkpoints(
            run, store, Study.first_seed, directory
        ),
    )


STUDY = study_of(PruningRun(EARLIER, PRUNING))
