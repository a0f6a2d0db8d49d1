"""A corpus of a hundred pairs and the sizes of models that learn it in a second, for tests of
recipes and tables."""

from __future__ import annotations

import random
from dataclasses import replace

from seqkd_lab.models.lstm import LSTMSpec
from seqkd_lab.optimisation import Optimisation
from seqkd_lab.runs.recipes import Preset, TextData

TWO_EPOCHS = Optimisation(epochs=2, learning_rate=0.01, batch_size=25)
ONE_EPOCH = replace(TWO_EPOCHS, epochs=1)
TINY = Preset(
    teacher=LSTMSpec(8, dropout=0.1),
    student=LSTMSpec(4),
    teacher_training=TWO_EPOCHS,
    student_training=ONE_EPOCH,
    teacher_tuning=ONE_EPOCH,
    student_tuning=ONE_EPOCH,
    beam_size=2,
    inter_beam_size=3,
)
ENGLISH = "the a cat dog bird sees hears finds red small old house tree".split()
GERMAN = "die eine Katze Hündin Amsel sieht hört findet rote kleine alte Hütte Tanne".split()


def write_text(folder) -> TextData:
    """Six small files: every word is translated by its counterpart."""
    rng, paths = random.Random(1), []
    folder.mkdir()
    for split, n in (("train", 100), ("valid", 10), ("test", 10)):
        rows = [rng.choices(range(len(ENGLISH)), k=rng.randint(3, 8)) for _ in range(n)]
        for side, words in (("en", ENGLISH), ("de", GERMAN)):
            paths.append(folder / f"{split}.{side}")
            paths[-1].write_text(
                "".join(" ".join(words[i] for i in row) + "\n" for row in rows), encoding="utf-8"
            )
    return TextData(*map(str, paths), vocabulary_size=60)
