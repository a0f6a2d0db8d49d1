"""The views of lesson 04: the interpolation explorer with the ticket first, and the student trainer
beside the map."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from seqkd_lab.corpus.parallel import ParallelCorpus
from seqkd_lab.lab.shared.lesson import TICKET, TICKET_GOLD, scaled
from seqkd_lab.lab.shared.next_words import SentenceReading
from seqkd_lab.lab.word_kd.map_figure import Own
from seqkd_lab.models.seq2seq import Seq2Seq
from seqkd_lab.runs.data import Dataset
from seqkd_lab.runs.quick_student import QuickStudent
from seqkd_lab.runs.recipes import TEACHER

N_SENTENCES = 30


def ticket_first(corpus: ParallelCorpus, n_sentences: int = N_SENTENCES) -> ParallelCorpus:
    """Returns the ticket with its gold translation, then the first sentences of `corpus`."""
    some = corpus[: n_sentences - 1]
    return replace(
        some, source=(TICKET, *some.source), target=(TICKET_GOLD, *some.target), references=None
    )


def ticket_reading(models: Mapping[str, Seq2Seq]) -> SentenceReading:
    """Returns what the models say along the ticket's gold translation."""
    return SentenceReading(models, TICKET, TICKET_GOLD)


def make_explorer(models: Mapping[str, Seq2Seq], corpus: ParallelCorpus, position: int) -> Any:
    """Returns the InterpolationExplorer of teacher and students, opened before the ticket's target
    word `position`."""
    from seqkd_lab.lab.word_kd.mixing_view import InterpolationExplorer

    students = {name: model for name, model in models.items() if name != TEACHER}
    explorer = InterpolationExplorer(models[TEACHER], students, ticket_first(corpus), N_SENTENCES)
    explorer.position.value = position
    return explorer


def map_student(results: Mapping) -> QuickStudent:
    """Returns the settings of the map's students, much smaller ones in the tests' fast mode."""
    settings = QuickStudent(**results["student"])
    return scaled(
        settings,
        replace(settings, width=8, epochs=2, n_pairs=320, batch_size=16, n_valid=20, n_test=20),
    )


def make_trainer(
    data: Dataset,
    models: Mapping[str, Seq2Seq],
    settings: QuickStudent,
    seed: int,
    results: Mapping,
    own: Sequence[Own],
) -> Any:
    """Returns the StudentTrainer of Word-KD beside the map `results`, with the reader's students so
    far."""
    from seqkd_lab.lab.word_kd.trainer import StudentTrainer

    return StudentTrainer(
        data,
        models[TEACHER],
        settings=settings,
        seed=seed,
        objective="Word-KD",
        map_results=results,
        own=own,
    )
