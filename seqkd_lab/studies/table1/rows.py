"""What a results file of Table 1 holds: its settings, as far as they are read, and its rows."""

from __future__ import annotations

from msgspec import UNSET, Struct

from seqkd_lab.runs.kept import Curves, Evaluated
from seqkd_lab.runs.measured import Amount, Count, Maybe, Name, Percent, Row, Size


class Distilled(Row):
    """A corpus that a teacher rewrote: its pairs, those that equal gold, tokens per gold token, and
    sentence BLEU against gold."""

    sentences: Size
    length_ratio: Amount
    exact_matches: Maybe[Count] = UNSET
    similarity: Maybe[Percent] = UNSET


class TableRow(Evaluated):
    """A row of Table 1: the evaluation of its model, its training, and its distilled corpus."""

    curves: Maybe[Curves] = UNSET
    distilled: Maybe[Distilled] = UNSET


ROWS = dict[Name, TableRow]


class Training(Struct):
    """Of a preset."""

    batch_size: Maybe[Size] = UNSET


class SizesUsed(Struct):
    """The preset that a table was made with, as far as it is read."""

    student_training: Maybe[Training] = UNSET


class TableSettings(Struct):
    """What is read of a table's settings: its rows, the seed of a shared teacher, the preset."""

    rows: list[Name]
    teacher_seed: Maybe[Count] = UNSET
    preset: Maybe[SizesUsed] = UNSET
