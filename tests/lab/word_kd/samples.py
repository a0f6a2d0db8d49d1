"""How the tests of all views build those of this subject."""

from __future__ import annotations

from synthetic_map import tiny_map
from view_samples import Sample, Small

from seqkd_lab.lab.word_kd.trainer import StudentTrainer
from seqkd_lab.lab.word_kd.tries import WORD
from seqkd_lab.lab.word_kd.view import InterpolationExplorer
from seqkd_lab.runs.quick_student import QuickStudent


def student_trainer(small: Small) -> StudentTrainer:
    settings = QuickStudent(width=8, epochs=1, n_pairs=64, batch_size=16)
    return StudentTrainer(
        small.toy, small.teacher, small.toy.train, settings, objective=WORD, map_results=tiny_map()
    )


def mixing(small: Small) -> InterpolationExplorer:
    return InterpolationExplorer(small.teacher, small.students, small.toy.test, 3)


SAMPLES = {
    StudentTrainer: Sample(student_trainer, not_pressed=("train_button",), passing=("status",)),
    InterpolationExplorer: Sample(mixing),
}
