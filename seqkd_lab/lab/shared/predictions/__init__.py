"""Predictions: ask before the run, keep the answer, score it against what the run gave, sum up at
the end.

predictions = Predictions(path)
predictions.ask("greedy gain", "How much does Seq-KD add to greedy search?", Number("BLEU",
tolerance=1.0)) predictions.answer("greedy gain", "about 3", confidence=70)    # or by the form that
`ask` shows predictions.score("greedy gain", greedy(seq_kd) - greedy(baseline))    # what the run
computed, never typed predictions.summary()
"""

from seqkd_lab.lab.shared.predictions.decided import decided, largest
from seqkd_lab.lab.shared.predictions.form import Form
from seqkd_lab.lab.shared.predictions.questions import (
    CANNOT_TELL,
    Choice,
    Judgement,
    Number,
    Ranking,
    Unreadable,
)
from seqkd_lab.lab.shared.predictions.recorder import Note, Predictions

__all__ = [
    "CANNOT_TELL",
    "Choice",
    "Form",
    "Judgement",
    "Note",
    "Number",
    "Predictions",
    "Ranking",
    "Unreadable",
    "decided",
    "largest",
]
