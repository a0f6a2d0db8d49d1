"""LSTM and Transformer side by side: how the Transformer's training was found, and every objective
across both.

Decoders and objectives ask for the one interface of models, so a teacher of either kind can teach
students of both.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import product
from pathlib import Path
from statistics import median
from time import perf_counter

import pandas
import torch

from seqkd_lab.corpus.batching import batches
from seqkd_lab.distillation.losses import NLL
from seqkd_lab.identity import settings
from seqkd_lab.models.architectures import build
from seqkd_lab.models.checkpoint import CheckpointError, read_json, write_json
from seqkd_lab.runs.clock import in_turn
from seqkd_lab.runs.presets import SHORT, TRANSFORMER
from seqkd_lab.runs.recipes import (
    BASELINE,
    SEQ_KD,
    SEQ_KD_INTER,
    TEACHER,
    WORD_KD,
    Preset,
    Recipe,
    ToyData,
)
from seqkd_lab.runs.results import rows_by_seed, versions, with_interval
from seqkd_lab.runs.schedule import Task, Train
from seqkd_lab.runs.store import Store, identity
from seqkd_lab.runs.verdicts import Claim, Rows, Verdict, judge_claim
from seqkd_lab.studies.table1.table import TableRun
from seqkd_lab.training import Optimisation, Trainer

KINDS = {"LSTM": SHORT, "Transformer": TRANSFORMER}
TAUGHT = (WORD_KD, SEQ_KD, SEQ_KD_INTER)
SEARCHED_SEED = 11
"""Of the runs that chose the Transformer's training: no seed of a table."""
LSTM_TEACHER, CHOSEN = "LSTM teacher", "as chosen"
Name = tuple[str, str, str]
"""Teacher's kind, student's kind ("" for a teacher, or none), and the row of Table 1."""


def crossed(teacher: Preset, student: Preset) -> Preset:
    """The student of one preset with the teacher of another."""
    return replace(
        student,
        teacher=teacher.teacher,
        teacher_training=teacher.teacher_training,
        teacher_tuning=teacher.teacher_tuning,
    )


def variants(data: ToyData) -> dict[str, Recipe]:
    """The chosen Transformer teacher, what was tried beside it, and the LSTM teacher."""
    preset, seed = TRANSFORMER, SEARCHED_SEED
    chosen = Recipe(CHOSEN, data, preset.teacher, NLL(), preset.teacher_training, seed)

    def trained(**changes: float) -> Recipe:
        return replace(chosen, optimisation=replace(preset.teacher_training, **changes))

    return {
        CHOSEN: chosen,
        "rate 0.002": trained(learning_rate=0.002),
        "rate 0.005": trained(learning_rate=0.005),
        "rate 0.02": trained(learning_rate=0.02),
        "no warm-up": trained(warmup=0.0),
        "rate 0.005, no warm-up": trained(learning_rate=0.005, warmup=0.0),
        "tied embeddings": replace(chosen, model=replace(preset.teacher, tied=True)),
        "dropout 0.1": replace(chosen, model=replace(preset.teacher, dropout=0.1)),
        LSTM_TEACHER: Recipe(
            LSTM_TEACHER, data, SHORT.teacher, NLL(), SHORT.teacher_training, seed
        ),
    }


@dataclass(frozen=True)
class ArchitecturesRun:
    """Which table to make; the search for the Transformer's training goes with it."""

    data: ToyData
    seeds: tuple[int, ...]

    def tables(self) -> dict[tuple[str, str], TableRun]:
        """For each pair of kinds, teacher and student, its rows of Table 1."""
        return {
            (teacher, student): TableRun(
                self.data,
                crossed(KINDS[teacher], KINDS[student]),
                self.seeds,
                (TEACHER, BASELINE, *TAUGHT),
            )
            for teacher, student in product(KINDS, repeat=2)
        }

    def tasks(self) -> list[Task]:
        """Every model and its evaluation; tables share what is equal in them."""
        every = [task for run in self.tables().values() for task in run.tasks()]
        return list(dict.fromkeys([*map(Train, variants(self.data).values()), *every]))


def seconds_per_epoch(
    data: ToyData, store: Store, repetitions: int, report: Callable[[int, int], None] | None = None
) -> dict[str, list[float]]:
    """What an epoch of each kind's teacher takes, from twenty updates of each in turn, in the
    threads torch has."""
    loaded = store.dataset(data)

    def job(preset: Preset) -> Callable[[], float]:
        """What gives the seconds of an epoch of this preset's teacher, each time anew."""
        model = build(preset.teacher, loaded.source_vocabulary, loaded.target_vocabulary)
        training: Optimisation = preset.teacher_training
        trainer = Trainer(model, loaded.train, loaded.valid, NLL(), training, 1)
        some = list(batches(trainer.encoded, training.batch_size, shuffle_seed=1))[:20]

        def seconds() -> float:
            model.train()
            start = perf_counter()
            for n_done, batch in enumerate(some):
                trainer.update(batch, n_done)
            return (perf_counter() - start) / len(some) * trainer.updates_per_epoch

        return seconds

    torch.manual_seed(1)
    return in_turn({kind: job(preset) for kind, preset in KINDS.items()}, repetitions, report)


def write_architectures(
    path: Path, run: ArchitecturesRun, store: Store, seconds: Mapping[str, list[float]]
) -> None:
    """Writes the results of a finished run as JSON: by seed and name the metrics, the curves,
    seconds per epoch."""
    curves = {
        name: read_json(store.directory(recipe) / "history.json")
        for name, recipe in variants(run.data).items()
    }
    write_json(
        path,
        {
            "data": identity(run.data),
            "presets": {kind: settings(preset) for kind, preset in KINDS.items()},
            "by_seed": {str(seed): evaluations(run, seed, store) for seed in run.seeds},
            "curves": curves,
            "seconds_per_epoch": dict(seconds),
            "made_with": versions(),
        },
    )


def evaluations(run: ArchitecturesRun, seed: int, store: Store) -> dict[str, dict]:
    """The metrics of one seed by name ("teacher|student|row"); a teacher has no student, a baseline
    no teacher."""
    found = {}
    for (teacher, student), table in run.tables().items():
        for row, recipe in table.recipes(seed).items():
            name = {TEACHER: (teacher, "", row), BASELINE: ("", student, row)}.get(
                row, (teacher, student, row)
            )
            found["|".join(name)] = store.evaluation(recipe, table.preset.beam_size, 0.0)
    return found


def read_architectures(path: Path) -> dict:
    """What `write_architectures` wrote. Raises CheckpointError naming the file when it holds
    something else."""
    results = read_json(path)
    try:
        complete = all(
            results[part]
            for part in ("by_seed", "curves", "seconds_per_epoch", "presets", "made_with")
        )
        names = [name for cells in results["by_seed"].values() for name in cells]
        if not complete or not all(len(name.split("|")) == 3 for name in names):
            raise ValueError("parts are missing")
    except (KeyError, TypeError, AttributeError, ValueError) as error:
        raise CheckpointError(f"{path}: not what `seqkd-lab cross` makes; make it again") from error
    return results


def named(cells: Rows) -> dict[Name, Mapping]:
    """One seed's metrics by (teacher's kind, student's kind, row)."""
    return {tuple(name.split("|")): metrics for name, metrics in cells.items()}


def architectures_frame(results: Mapping) -> pandas.DataFrame:
    """The one table: every objective, teacher and student of either kind; mean ± reach of the 95%
    interval."""
    seeds = [named(cells) for cells in rows_by_seed(results)]
    lines = []
    for teacher, student, row in seeds[0]:
        cells = [seed[teacher, student, row] for seed in seeds]
        lines.append(
            {
                "row": row,
                "teacher": teacher,
                "student": student,
                "parameters": f"{cells[0]['n_parameters']:,}",
                "BLEU K=1": with_interval([c["greedy"]["bleu"] for c in cells]),
                "BLEU K=5": with_interval([c["beam"]["bleu"] for c in cells]),
                "valid K=1, %": with_interval(
                    [c["greedy"]["validity"] for c in cells], scale=100.0
                ),
                "valid K=5, %": with_interval([c["beam"]["validity"] for c in cells], scale=100.0),
                "p(ŷ) in %": with_interval([c["p_mode"] for c in cells], scale=100.0),
            }
        )
    order = {row: place for place, row in enumerate((TEACHER, BASELINE, *TAUGHT))}
    lines.sort(key=lambda line: order[line["row"]])
    return pandas.DataFrame(lines).set_index("row")


def judge(results: Mapping) -> list[Verdict]:
    """Judge whether the Transformer is as good a teacher, and whether distillation gains in every
    pairing."""
    by_seed = [named(cells) for cells in rows_by_seed(results)]

    def valid(rows: Mapping, *name: str) -> float:
        return 100.0 * rows[name]["greedy"]["validity"]

    def gain(rows: Mapping, teacher: str, student: str) -> float:
        return (
            rows[teacher, student, SEQ_KD]["greedy"]["bleu"]
            - rows["", student, BASELINE]["greedy"]["bleu"]
        )

    lstm, transformer = KINDS
    claims = [
        Claim(
            "A1",
            "a Transformer teacher's valid translations, K = 1: at most 1 point below an LSTM's",
            lambda rows: valid(rows, transformer, "", TEACHER) - valid(rows, lstm, "", TEACHER),
            least=-1.0,
            original="an aim of this lab",
        )
    ]
    for teacher, student in product(KINDS, repeat=2):
        claims.append(
            Claim(
                "A2",
                f"Seq-KD's greedy gain ≥ 0 BLEU, {teacher} teaches {student}",
                lambda rows, pair=(teacher, student): gain(rows, *pair),
                least=0.0,
                original="an aim of this lab; the paper has LSTMs only, and gains 4.2",
            )
        )
    return [judge_claim(claim, by_seed) for claim in claims]


def time_in_words(seconds: Mapping[str, Sequence[float]]) -> str:
    """What an epoch of each teacher took, and how many there are."""
    said = [
        f"{kind} {median(times):.0f} s × {KINDS[kind].teacher_training.epochs}"
        for kind, times in seconds.items()
    ]
    return "an epoch of the teacher, one thread: " + ", ".join(said)
