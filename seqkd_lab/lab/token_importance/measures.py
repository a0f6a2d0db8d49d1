"""What lesson 13 looks at while it runs: a batch that the planted student drew, token by token, and
which tokens a selector keeps."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import pandas as pd
import torch
from torch import Tensor

from seqkd_lab.corpus.toy.planted import BEYOND, KINDS, kinds
from seqkd_lab.distillation.tip import SCORES, Importance, keep, soft_or
from seqkd_lab.lab.shared import lesson
from seqkd_lab.models.seq2seq import Seq2Seq
from seqkd_lab.runs.committed import checkpoint_directory, load_committed
from seqkd_lab.runs.data import Dataset
from seqkd_lab.runs.recipes import TEACHER
from seqkd_lab.studies.token_importance.measures import (
    QUADRANTS,
    Tokens,
    drawn_batches,
    quadrants_of,
    scaled_entropy,
)
from seqkd_lab.studies.token_importance.recipes import LONG, PLANTED, start_and_teacher

END = "(end)"


def models(from_scratch: bool = False) -> tuple[Seq2Seq, Seq2Seq]:
    """Return the student with planted weaknesses and its teacher, committed or trained here."""
    folder = checkpoint_directory("planted-student")
    if not from_scratch and folder is not None:
        return load_committed(folder), lesson.models((TEACHER,))[TEACHER]
    start, teacher = start_and_teacher(1, lesson.scaled(None, 400))
    return lesson.trained(start), lesson.trained(teacher)


@dataclass(frozen=True)
class LabelledBatch:
    """A batch of B outputs: the tokens with the end of each, the kind of each token, and its
    importance (B, T), where the first positions of a row are the output's tokens."""

    sources: tuple[Tokens, ...]
    outputs: tuple[Tokens, ...]
    kinds: tuple[Tokens, ...]
    importance: Importance

    @property
    def real(self) -> Tensor:
        """(B, T) True at tokens."""
        return self.importance.real

    @cached_property
    def h(self) -> Tensor:
        """ĥ (B, T), from 0 to 1."""
        return scaled_entropy(self.importance)

    @cached_property
    def score(self) -> Tensor:
        """Soft-OR (B, T)."""
        return soft_or(self.importance)

    @property
    def most_delta(self) -> float:
        """The greatest δ of a token, in nats: where δ̂ is 1."""
        return float(self.importance.delta[self.real].max())

    def kept(self, selector: str, share: float) -> Tensor:
        """Return (B, T) True at the tokens that teach; a random choice is always the same one."""
        generator = torch.Generator().manual_seed(1)
        return keep(SCORES[selector](self.importance, generator), self.real, share)

    @cached_property
    def _kind_numbers(self) -> Tensor:
        """(B, T) the number in KINDS of each token's kind, −1 at padding."""
        numbers = torch.full(self.real.shape, -1)
        for b, row in enumerate(self.kinds):
            numbers[b, : len(row)] = torch.tensor([KINDS.index(kind) for kind in row])
        return numbers

    def is_kind(self, kind: str) -> Tensor:
        """Return (B, T) True at the tokens of a kind."""
        return self._kind_numbers == KINDS.index(kind)

    def quadrants(self) -> Tensor:
        """Return (B, T) of 1 to 4."""
        return quadrants_of(self.importance)

    def share_beyond(self) -> float:
        """Return the share of the tokens that stand after an error."""
        return int(self.is_kind(BEYOND).sum()) / int(self.real.sum())


def label(
    student: Seq2Seq, teacher: Seq2Seq, data: Dataset, n_sentences: int = 64, seed: int = 1
) -> LabelledBatch:
    """Draw one batch as in training, from the first `n_sentences` sources that the study learns
    from, and label its tokens."""
    sources = LONG(data.train)[:n_sentences]
    drawn = next(drawn_batches(student, teacher, sources, n_sentences, seed))
    pairs, language = zip(drawn.sources, drawn.outputs, strict=True), data.toy_language
    return LabelledBatch(
        drawn.sources,
        tuple((*output, END) for output in drawn.outputs),
        tuple(tuple(kinds(language, source, output, PLANTED)) for source, output in pairs),
        drawn.importance,
    )


def kinds_frame(batch: LabelledBatch) -> pd.DataFrame:
    """Return by kind of token how many there are, the means of ĥ and δ, and how many lie in each
    quadrant."""
    rows, quadrants = {}, batch.quadrants()
    columns = {"ĥ (0 to 1)": batch.h, "δ, nats": batch.importance.delta}
    for kind in KINDS:
        mask = batch.is_kind(kind)
        if mask.any():
            means = {name: f"{float(values[mask].mean()):.2f}" for name, values in columns.items()}
            counts = {f"Q{q}": int((quadrants[mask] == q).sum()) for q in QUADRANTS}
            rows[kind] = {"tokens": int(mask.sum()), **means, **counts}
    return pd.DataFrame.from_dict(rows, orient="index")
