"""The reader's own Word-KD student, with the settings of the map's, trained with a bar."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

import msgspec

from seqkd_lab.distillation.losses import BalancedWordKD
from seqkd_lab.evaluation import OutputScore
from seqkd_lab.lab.shared.learning_curve import Curve
from seqkd_lab.lab.shared.lesson import Bar, scaled
from seqkd_lab.lab.word_kd.map_figure import Own
from seqkd_lab.models.lstm import LSTMSeq2Seq
from seqkd_lab.models.seq2seq import Seq2Seq
from seqkd_lab.optimisation import Progress
from seqkd_lab.runs.data import Dataset
from seqkd_lab.runs.quick_student import QuickStudent, score_student, train_student
from seqkd_lab.studies.word_kd_map import MapPoint


def map_student(results: Mapping) -> QuickStudent:
    """Return the settings of the map's students, much smaller ones in the tests' fast mode."""
    settings = msgspec.convert(results["settings"]["student"], QuickStudent)
    return scaled(
        settings,
        replace(settings, width=8, epochs=2, n_pairs=320, batch_size=16, n_valid=20, n_test=20),
    )


@dataclass(frozen=True)
class OwnStudent:
    """The student, its learning curve, what its translations are worth, and it as a point of the
    map."""

    model: LSTMSeq2Seq
    curve: Curve
    score: OutputScore
    point: MapPoint

    @property
    def own(self) -> Own:
        """Its mark on the map of BLEU."""
        return Own(self.point.alpha, self.point.temperature, self.point.bleu)


def own_student(
    settings: QuickStudent,
    data: Dataset,
    teacher: Seq2Seq,
    alpha: float,
    temperature: float,
    seed: int,
) -> OwnStudent:
    """Train one student as the map's are, with a bar, and judge it."""
    curve = Curve(
        f"Word-KD, α {alpha:g}, τ {temperature:g}, width {settings.width}, {settings.epochs} epochs"
    )
    with Bar("training your student") as bar:

        def watch(progress: Progress) -> None:
            bar.move(progress.update, progress.n_updates)
            curve.hear(progress, settings.epochs)

        model, history = train_student(
            settings, data, BalancedWordKD(alpha, temperature), seed, teacher, [watch]
        )
    score = score_student(settings, data, model)
    if score.validity is None:
        raise ValueError("a student of the map needs the toy corpus, whose language judges it")
    place = (alpha, temperature if alpha > 0.0 else None)
    point = MapPoint(*place, seed, score.bleu, score.validity, history.valid_loss[-1])
    return OwnStudent(model, curve, score, point)
