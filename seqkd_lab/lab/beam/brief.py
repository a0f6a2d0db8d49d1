"""A baseline that was trained far too briefly, to show what a wide beam does to a model that ends
too early."""

from __future__ import annotations

from seqkd_lab.distillation.losses import NLL
from seqkd_lab.lab.shared import lesson
from seqkd_lab.models.seq2seq import Seq2Seq
from seqkd_lab.runs.data import Dataset
from seqkd_lab.runs.quick_student import QuickStudent, train_student


def train_brief(data: Dataset) -> tuple[str, Seq2Seq]:
    """Trains it within seconds; returns its name, which says on how much, and the model."""
    settings = lesson.scaled(QuickStudent(epochs=2), QuickStudent(8, 1, 320, n_valid=20))
    model, _ = train_student(settings, data, NLL(), seed=1)
    return f"trained on {settings.n_pairs:,} pairs, {settings.epochs} times each", model
