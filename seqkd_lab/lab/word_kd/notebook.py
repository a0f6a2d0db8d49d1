"""Word-level distillation, the subject of lesson 04: targets, loss, gradient, the map of α and τ,
and own words."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from seqkd_lab.corpus.parallel import ParallelCorpus
from seqkd_lab.distillation.losses import word_kd
from seqkd_lab.lab.shared.learning_curve import learning_figure
from seqkd_lab.lab.shared.lesson import TICKET, TICKET_GOLD
from seqkd_lab.lab.shared.next_words import SentenceReading, with_ticket
from seqkd_lab.lab.word_kd.loss import (
    floor_answer,
    losses_table,
    softening_waste,
    waste_answer,
    word_kd_losses,
)
from seqkd_lab.lab.word_kd.map_figure import Own, map_figure
from seqkd_lab.lab.word_kd.map_results import (
    ALL_TEACHER,
    CANDIDATES,
    HALF,
    HIGHER,
    LOWER,
    all_teacher,
    best_place,
    bleu_in_words,
    cells,
    differences_table,
    expected_there,
    likelihood_there,
    nll_in_words,
)
from seqkd_lab.lab.word_kd.mixing import (
    AS_BEFORE,
    LESS,
    MORE,
    UP,
    interpolation_figure,
    mixing_in_words,
    rest_answer,
    shown_words,
    turning_answer,
    turning_words,
    what_happens,
    word_gradient_at,
)
from seqkd_lab.lab.word_kd.paths import path_answer, walks, walks_figure, walks_in_words
from seqkd_lab.lab.word_kd.pulls import (
    GROWS,
    SAME,
    SHRINKS,
    pull_by_autograd,
    pull_change,
    pulls,
    pulls_figure,
    pulls_in_words,
    tau_squared_answer,
)
from seqkd_lab.lab.word_kd.students import map_student, own_student
from seqkd_lab.models.seq2seq import Seq2Seq
from seqkd_lab.runs.data import Dataset
from seqkd_lab.runs.quick_student import QuickStudent
from seqkd_lab.runs.recipes import BASELINE, SEQ_KD, TEACHER, WORD_KD
from seqkd_lab.studies.word_kd_map import committed_map, place_name

STUDENTS = (BASELINE, WORD_KD, SEQ_KD)
ROWS = (TEACHER, *STUDENTS)

N_SENTENCES = 30

if TYPE_CHECKING:  # the widgets need ipywidgets, which may be missing
    from seqkd_lab.lab.word_kd.trainer import StudentTrainer
    from seqkd_lab.lab.word_kd.view import InterpolationExplorer


def ticket_reading(models: Mapping[str, Seq2Seq]) -> SentenceReading:
    """Return what the models predict along the ticket's gold translation."""
    return SentenceReading(models, TICKET, TICKET_GOLD)


def make_explorer(
    models: Mapping[str, Seq2Seq], corpus: ParallelCorpus, position: int
) -> InterpolationExplorer:
    """Build the explorer of teacher and students, opened before the ticket's word `position`."""
    from seqkd_lab.lab.word_kd.view import InterpolationExplorer

    students = {name: model for name, model in models.items() if name != TEACHER}
    shown = with_ticket(corpus, N_SENTENCES - 1)
    explorer = InterpolationExplorer(models[TEACHER], students, shown, N_SENTENCES)
    explorer.position.value = position
    return explorer


def make_trainer(
    data: Dataset,
    models: Mapping[str, Seq2Seq],
    settings: QuickStudent,
    seed: int,
    results: Mapping,
    own: Sequence[Own],
) -> StudentTrainer:
    """Build the trainer of Word-KD beside the map `results`, with the reader's students so far."""
    from seqkd_lab.lab.word_kd.trainer import StudentTrainer
    from seqkd_lab.lab.word_kd.tries import WORD

    return StudentTrainer(
        data,
        models[TEACHER],
        settings=settings,
        seed=seed,
        objective=WORD,
        map_results=results,
        own=own,
    )
