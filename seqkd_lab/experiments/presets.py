"""The sizes that were found to work: for the toy in a classroom, and for real text on two cores."""

from __future__ import annotations

from seqkd_lab.experiments.recipes import Preset
from seqkd_lab.models.lstm import LSTMSpec
from seqkd_lab.training import Optimisation

TOY = Preset(
    teacher=LSTMSpec(width=128, dropout=0.1),
    student=LSTMSpec(width=24),
    teacher_training=Optimisation(epochs=6, learning_rate=0.008, batch_size=128),
    student_training=Optimisation(epochs=10, learning_rate=0.016, batch_size=128),
    teacher_tuning=Optimisation(epochs=2, learning_rate=0.0015, batch_size=128),
    student_tuning=Optimisation(epochs=3, learning_rate=0.004, batch_size=128),
)

QUICK = Preset(
    teacher=LSTMSpec(width=192, dropout=0.3, input_feeding=True),
    student=LSTMSpec(width=48, dropout=0.1, input_feeding=True),
    teacher_training=Optimisation(epochs=8, learning_rate=0.004),
    student_training=Optimisation(epochs=6, learning_rate=0.006),
    teacher_tuning=Optimisation(epochs=1, learning_rate=0.0005),
    student_tuning=Optimisation(epochs=1, learning_rate=0.001),
    inter_beam_size=10,
    inter_share=0.25,
    length_penalty=1.0,
)

FULL = Preset(
    teacher=LSTMSpec(width=256, dropout=0.3, input_feeding=True),
    student=LSTMSpec(width=64, dropout=0.1, input_feeding=True),
    teacher_training=Optimisation(epochs=10, learning_rate=0.003),
    student_training=Optimisation(epochs=6, learning_rate=0.006),
    teacher_tuning=Optimisation(epochs=2, learning_rate=0.0005),
    student_tuning=Optimisation(epochs=2, learning_rate=0.0015),
    inter_share=0.25,
    length_penalty=1.0,
)

PRESETS = {"toy": TOY, "quick": QUICK, "full": FULL}
QUICK_PAIRS = 10_000
QUICK_VOCABULARY, FULL_VOCABULARY = 4000, 5000
