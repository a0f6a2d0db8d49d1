"""LSTM and Transformer side by side: how the Transformer's training was found, and every objective
across both.

Decoders and objectives ask for the one interface of models, so a teacher of either kind can teach
students of both.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import product
from statistics import median
from time import perf_counter
from typing import Annotated, NamedTuple

import pandas
import torch
from msgspec import Meta

from seqkd_lab.corpus.batching import batches
from seqkd_lab.distillation.losses import NLL
from seqkd_lab.identity import settings
from seqkd_lab.models.architectures import build
from seqkd_lab.models.transformer import TransformerSpec
from seqkd_lab.runs.clock import in_turn
from seqkd_lab.runs.kept import Curves, Evaluated, Searched, read_history
from seqkd_lab.runs.measured import Amount, Share, by_name
from seqkd_lab.runs.presets import EARLIER, SHORT, TRANSFORMER
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
from seqkd_lab.runs.results import with_interval
from seqkd_lab.runs.store import Report, Store, identity, silent
from seqkd_lab.runs.study import Study
from seqkd_lab.runs.tasks import Task, Train
from seqkd_lab.runs.verdicts import Claim, Rows
from seqkd_lab.studies.table1.table import TableRun
from seqkd_lab.trainer import Trainer

KINDS = {"LSTM": SHORT, "Transformer": TRANSFORMER}
TAUGHT = (WORD_KD, SEQ_KD, SEQ_KD_INTER)
SEARCHED_SEED = 11
"""Of the runs that chose the Transformer's training: no seed of a table."""
LSTM_TEACHER = "LSTM teacher"
CHOSEN = "as chosen"
CURVES = "curves"
SECONDS = "seconds_per_epoch"


class Pairing(NamedTuple):
    """A model of the table: its teacher's kind, its own as a student ("" where there is none), and
    its row of Table 1."""

    teacher: str
    student: str
    row: str

    @property
    def name(self) -> str:
        """The name of the model's row in the results."""
        return "|".join(self)


class Judged(Searched):
    """Translations of the toy language: it is known which are valid."""

    validity: Share


class Evaluation(Evaluated):
    """A model of the table on the toy's test set."""

    greedy: Judged
    beam: Judged


def rows_of(run: ArchitecturesRun, seed: int) -> type:
    """Return the type of a seed's rows; how the training was found stands with one seed only."""
    evaluation = Evaluation if isinstance(run.data, ToyData) else Evaluated
    return by_name(
        "Architectures",
        {pairing.name: evaluation for pairing, *_ in run.models(seed)},
        {
            CURVES: by_name("Curves", dict.fromkeys(variants(run.data), Curves)),
            SECONDS: by_name(
                "Seconds", dict.fromkeys(KINDS, Annotated[list[Amount], Meta(min_length=1)])
            ),
        },
    )


def crossed(teacher: Preset, student: Preset) -> Preset:
    """Return the student of one preset with the teacher of another."""
    return replace(
        student,
        teacher=teacher.teacher,
        teacher_training=teacher.teacher_training,
        teacher_tuning=teacher.teacher_tuning,
    )


def variants(data: ToyData) -> dict[str, Recipe]:
    """Return the chosen Transformer teacher, what was tried beside it, and the LSTM teacher."""
    model, training, seed = TRANSFORMER.teacher, TRANSFORMER.teacher_training, SEARCHED_SEED
    assert isinstance(model, TransformerSpec)
    chosen = Recipe(CHOSEN, data, model, NLL(), training, seed)
    trainings = {
        "rate 0.002": replace(training, learning_rate=0.002),
        "rate 0.005": replace(training, learning_rate=0.005),
        "rate 0.02": replace(training, learning_rate=0.02),
        "no warm-up": replace(training, warmup=0.0),
        "rate 0.005, no warm-up": replace(training, learning_rate=0.005, warmup=0.0),
    }
    models = {
        "tied embeddings": replace(model, tied=True),
        "dropout 0.1": replace(model, dropout=0.1),
    }
    return {
        CHOSEN: chosen,
        **{name: replace(chosen, optimisation=tried) for name, tried in trainings.items()},
        **{name: replace(chosen, model=tried) for name, tried in models.items()},
        LSTM_TEACHER: Recipe(
            LSTM_TEACHER, data, SHORT.teacher, NLL(), SHORT.teacher_training, seed
        ),
    }


@dataclass(frozen=True)
class ArchitecturesRun:
    """The tables of both architectures; the search for the Transformer's training goes with
    them."""

    data: ToyData

    def tables(self, seed: int) -> dict[tuple[str, str], TableRun]:
        """Return for each pair of kinds, teacher and student, its rows of Table 1 for one seed."""
        return {
            (teacher, student): TableRun(
                self.data,
                crossed(KINDS[teacher], KINDS[student]),
                (seed,),
                (TEACHER, BASELINE, *TAUGHT),
            )
            for teacher, student in product(KINDS, repeat=2)
        }

    def tasks(self, seed: int) -> list[Task]:
        """Return every model and its evaluation; tables share what is equal in them."""
        tasks: list[Task] = list(map(Train, variants(self.data).values()))
        tasks += [task for table in self.tables(seed).values() for task in table.tasks()]
        return list(dict.fromkeys(tasks))

    def models(self, seed: int) -> Iterator[tuple[Pairing, Recipe, TableRun]]:
        """Yield each model of one seed with its table; a teacher has no student, a baseline no
        teacher."""
        for (teacher, student), table in self.tables(seed).items():
            for row, recipe in table.recipes(seed).items():
                pairing = Pairing(
                    "" if row == BASELINE else teacher, "" if row == TEACHER else student, row
                )
                yield pairing, recipe, table

    def evaluations(self, seed: int, store: Store) -> dict[str, dict]:
        """Return the metrics of one seed by name."""
        return {
            pairing.name: store.evaluation(recipe, table.preset.beam_size, 0.0)
            for pairing, recipe, table in self.models(seed)
        }


def seconds_per_epoch(
    data: ToyData, store: Store, repetitions: int, report: Report = silent
) -> dict[str, list[float]]:
    """Measure what an epoch of each kind's teacher takes, from twenty updates of each in turn, in
    the threads torch has."""
    loaded = store.dataset(data)

    def job(preset: Preset) -> Callable[[], float]:
        """Return what measures the seconds of an epoch of this preset's teacher, each time anew."""
        model = build(preset.teacher, loaded.source_vocabulary, loaded.target_vocabulary)
        training = preset.teacher_training
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


def pairings_in(rows: Rows) -> list[Pairing]:
    """Return the models of a seed's rows."""
    return [Pairing(*name.split("|")) for name in rows if name.count("|") == 2]


def architectures_frame(by_seed: Sequence[Rows]) -> pandas.DataFrame:
    """Return the one table: every objective, teacher and student of either kind; mean ± reach of
    the 95% interval."""
    lines = []
    for pairing in pairings_in(by_seed[0]):
        metrics = [rows[pairing.name] for rows in by_seed]

        def cell(search: str, measure: str, scale: float, metrics: list = metrics) -> str:
            return with_interval([of_seed[search][measure] for of_seed in metrics], scale=scale)

        lines.append(
            {
                "row": pairing.row,
                "teacher": pairing.teacher,
                "student": pairing.student,
                "parameters": f"{metrics[0]['n_parameters']:,}",
                "BLEU K=1": cell("greedy", "bleu", 1.0),
                "BLEU K=5": cell("beam", "bleu", 1.0),
                "valid K=1, %": cell("greedy", "validity", 100.0),
                "valid K=5, %": cell("beam", "validity", 100.0),
                "p(ŷ) in %": with_interval([m["p_mode"] for m in metrics], scale=100.0),
            }
        )
    order = (TEACHER, BASELINE, *TAUGHT)
    lines.sort(key=lambda line: order.index(line["row"]))
    return pandas.DataFrame(lines).set_index("row")


def _valid(rows: Rows, kind: str) -> float:
    return 100.0 * rows[Pairing(kind, "", TEACHER).name]["greedy"]["validity"]


def _gain(rows: Rows, teacher: str, student: str) -> float:
    distilled, baseline = Pairing(teacher, student, SEQ_KD), Pairing("", student, BASELINE)
    return rows[distilled.name]["greedy"]["bleu"] - rows[baseline.name]["greedy"]["bleu"]


def _gain_claim(teacher: str, student: str) -> Claim:
    return Claim(
        "A2",
        f"Seq-KD's greedy gain ≥ 0 BLEU, {teacher} teaches {student}",
        lambda rows: _gain(rows, teacher, student),
        least=0.0,
        original="an aim of this lab; the paper has LSTMs only, and gains 4.2",
    )


CLAIMS = (
    Claim(
        "A1",
        "a Transformer teacher's valid translations, K = 1: at most 1 point below an LSTM's",
        lambda rows: _valid(rows, "Transformer") - _valid(rows, "LSTM"),
        least=-1.0,
        original="an aim of this lab",
    ),
    *(_gain_claim(teacher, student) for teacher, student in product(KINDS, repeat=2)),
)


def search_in_words(by_seed: Sequence[Rows]) -> str:
    """Say how the losses of what was tried fell, what an epoch of each teacher took, and how many
    there are."""
    lines = []
    shown = next((rows for rows in by_seed if CURVES in rows and SECONDS in rows), None)
    if shown is None:
        return "how the training was found was measured with another seed"
    for name, history in shown[CURVES].items():
        losses = " ".join(f"{loss:.3f}" for loss in history["valid_loss"])
        lines.append(f"{name:24} validation nats a token by epoch: {losses}")
    times = [
        f"{kind} {median(seconds):.0f} s × {KINDS[kind].teacher_training.epochs}"
        for kind, seconds in shown[SECONDS].items()
    ]
    return "\n".join([*lines, "", f"an epoch of the teacher, one thread: {', '.join(times)}"])


def study_of(run: ArchitecturesRun, repetitions: int = 5) -> Study:
    """Return the study of these models; how the training was found, and the seconds of an epoch,
    stand with its first seed."""

    def measure(seed: int, store: Store, report: Report) -> dict[str, Mapping]:
        """Return the evaluations of one seed; for the first seed also the curves of training."""
        rows: dict[str, Mapping] = {**run.evaluations(seed, store)}
        if seed == Study.first_seed:
            rows[CURVES] = {
                name: read_history(store.kept(recipe, "history.json"))
                for name, recipe in variants(run.data).items()
            }
            rows[SECONDS] = seconds_per_epoch(run.data, store, repetitions, report)
        return rows

    return Study(
        name="architectures",
        question="Do LSTM and Transformer teach each other as they teach their own kind?",
        file="architectures.json",
        settings=lambda: {
            "data": identity(run.data),
            "presets": {kind: settings(preset) for kind, preset in KINDS.items()},
        },
        tasks=run.tasks,
        measure=measure,
        tables=lambda by_seed: {
            "LSTM and Transformer, teacher and student": architectures_frame(by_seed)
        },
        claims=CLAIMS,
        n_seeds=3,
        in_words=search_in_words,
        data=run.data,
        aliases=("cross",),
        rows=rows_of(run, Study.first_seed),
    )


STUDY = study_of(ArchitecturesRun(EARLIER))
