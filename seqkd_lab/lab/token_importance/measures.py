"""What lesson 13 looks at on the spot: a batch that the planted student wrote, token by token, and
who keeps which."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from statistics import fmean

import pandas as pd
import torch
from torch import Tensor

from seqkd_lab.corpus.toy.planted import KINDS, MISTAKE, kinds
from seqkd_lab.distillation.tip import (
    ALL,
    CLIPPED,
    SCORES,
    Importance,
    keep,
    quadrant,
    scaled,
    soft_or,
)
from seqkd_lab.lab.shared import lesson
from seqkd_lab.models.seq2seq import Seq2Seq
from seqkd_lab.runs.committed import checkpoint_directory, load_committed
from seqkd_lab.runs.data import Dataset
from seqkd_lab.runs.recipes import TEACHER
from seqkd_lab.studies.token_importance.measures import drawn_batches
from seqkd_lab.studies.token_importance.recipes import LONG, PLANTED, START, arm, start_and_teacher

CHECKPOINT = "planted-student"
H_EDGE, DELTA_EDGE = 0.5, 1.0
"""Where the quadrants meet (ours): half of the scale of ĥ, and one nat of δ."""
Words = tuple[str, ...]


def models(from_nothing: bool = False) -> tuple[Seq2Seq, Seq2Seq]:
    """The student with planted weaknesses and its teacher (seed 1), committed or trained here."""
    folder = checkpoint_directory(CHECKPOINT)
    if not from_nothing and folder is not None:
        return load_committed(folder), lesson.models((TEACHER,))[TEACHER]
    start, teacher = start_and_teacher(1, lesson.scaled(None, 400))
    return lesson.trained(start), lesson.trained(teacher)


@dataclass(frozen=True)
class Labelled:
    """A batch of B outputs: words with the end of each, the kind of each word's place, and what is
    seen of it.

    outputs and kinds have a tuple a sentence; of `seen` (B, T) the first places of a row are its
    words.
    """

    sources: tuple[Words, ...]
    outputs: tuple[Words, ...]
    kinds: tuple[Words, ...]
    seen: Importance

    @cached_property
    def h(self) -> Tensor:
        """ĥ (B, T), from 0 to 1."""
        return scaled(self.seen.h, self.seen.real, CLIPPED)

    @cached_property
    def score(self) -> Tensor:
        """Soft-OR (B, T)."""
        return soft_or(self.seen)

    @property
    def most_delta(self) -> float:
        """The greatest δ of a real token, in nats: where δ̂ is 1."""
        return float(self.seen.delta[self.seen.real].max())

    def kept(self, selector: str, share: float) -> Tensor:
        """(B, T) True for the tokens that teach; where chance decides, always the same one."""
        chance = torch.Generator().manual_seed(1)
        return keep(SCORES[selector](self.seen, chance), self.seen.real, share)

    @cached_property
    def _places(self) -> Tensor:
        """(B, T) the place in KINDS of each token's kind, −1 for padding."""
        found = torch.full(self.seen.real.shape, -1)
        for b, row in enumerate(self.kinds):
            found[b, : len(row)] = torch.tensor([KINDS.index(kind) for kind in row])
        return found

    def is_kind(self, kind: str) -> Tensor:
        """(B, T) True at the places of a kind."""
        return self._places == KINDS.index(kind)

    def quadrants(self) -> Tensor:
        """(B, T) of 1 to 4."""
        return quadrant(self.h, self.seen.delta, H_EDGE, DELTA_EDGE)

    def recall(self, selector: str, share: float) -> float:
        """The share of the planted mistakes that are kept; NaN where there are none."""
        mistakes = self.is_kind(MISTAKE)
        found, every = int((self.kept(selector, share) & mistakes).sum()), int(mistakes.sum())
        return found / every if every else float("nan")


def label(
    student: Seq2Seq, teacher: Seq2Seq, data: Dataset, n_sentences: int = 64, seed: int = 1
) -> Labelled:
    """One batch as in training, from the first `n_sentences` sources that the experiment learns
    from."""
    drawn = next(drawn_batches(student, teacher, LONG(data.train)[:n_sentences], n_sentences, seed))
    pairs = zip(drawn.sources, drawn.outputs, strict=True)
    return Labelled(
        drawn.sources,
        tuple((*output, "(end)") for output in drawn.outputs),
        tuple(tuple(kinds(data.language, source, output, PLANTED)) for source, output in pairs),
        drawn.importance,
    )


def kinds_frame(batch: Labelled) -> pd.DataFrame:
    """By kind of place: tokens, the means of h, δ and Soft-OR, and how many lie in each
    quadrant."""
    rows, quadrants = {}, batch.quadrants()
    for kind in KINDS:
        here = batch.is_kind(kind)
        if here.any():
            values = (batch.seen.h, batch.seen.delta, batch.score)
            rows[kind] = [
                int(here.sum()),
                *(f"{float(value[here].mean()):.3f}" for value in values),
                *(int((quadrants[here] == number).sum()) for number in (1, 2, 3, 4)),
            ]
    head = ("tokens", "h", "δ, nats", "Soft-OR", "Q1", "Q2", "Q3", "Q4")
    return pd.DataFrame.from_dict(rows, orient="index", columns=list(head))


def quadrant_of(batch: Labelled, kind: str) -> str:
    """The quadrant that holds most of the places of a kind, "none" where there are none."""
    found = batch.quadrants()[batch.is_kind(kind)]
    return f"Q{int(found.mode().values)}" if len(found) else "none"


def gained(rows: Mapping, selector: str, share: float) -> float:
    """Valid greedy translations in an arm minus those of all tokens, in points of percent."""
    return 100.0 * (rows["arms"][arm(selector, share)]["validity"] - rows["arms"][ALL]["validity"])


def mean_outcome(by_seed: Sequence[Mapping], name: str, key: str) -> float:
    """The mean over seeds of an arm's outcome, in percent."""
    return 100.0 * fmean(rows["arms"][name][key] for rows in by_seed)


def fixed(by_seed: Sequence[Mapping], name: str) -> float:
    """Of the planted mistakes that the start makes on the test set, the percentage that an arm
    makes no more."""
    return 100.0 * (
        1.0 - mean_outcome(by_seed, name, "mistakes") / mean_outcome(by_seed, START, "mistakes")
    )
