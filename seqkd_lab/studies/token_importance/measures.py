"""What the token-importance study measures before training: the student's own tokens, and which of
them each selector keeps."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from statistics import fmean
from typing import NamedTuple

import torch
from torch import Tensor

from seqkd_lab.corpus.batching import batches, encode
from seqkd_lab.corpus.parallel import ParallelCorpus
from seqkd_lab.corpus.toy import ToyLanguage
from seqkd_lab.corpus.toy.planted import KINDS, PLANTED_KINDS, Planted, find_planted, kinds
from seqkd_lab.corpus.vocabulary import PAD
from seqkd_lab.distillation.on_policy import OnPolicy
from seqkd_lab.distillation.tip import (
    CLIPPED,
    SCORES,
    SELECTORS,
    Importance,
    importance,
    keep,
    quadrant,
    scaled,
    soft_or,
)
from seqkd_lab.models.seq2seq import Seq2Seq

Tokens = tuple[str, ...]
H_EDGE = 0.5
"""Where the quadrants meet (ours): half of the scale of ĥ."""
DELTA_EDGE = 1.0
"""And one nat of δ."""
QUADRANTS = (1, 2, 3, 4)


@dataclass(frozen=True)
class DrawnBatch:
    """A batch that the student drew: its sources and outputs (B of each), and the importance of
    each token (B, T).

    The last real token of a row is the end of the sentence, which `outputs` leaves out.
    """

    sources: tuple[Tokens, ...]
    outputs: tuple[Tokens, ...]
    importance: Importance

    def planted(self, planted: Planted, kind: str) -> Tensor:
        """Return (B, T) True at the planted words of a kind."""
        mask = torch.zeros_like(self.importance.real)
        for b, (source, output) in enumerate(zip(self.sources, self.outputs, strict=True)):
            found = find_planted(source, output, planted.words)
            mask[b, [t for t, word in found.items() if word.kind == kind]] = True
        return mask


@torch.no_grad()
def drawn_batches(
    student: Seq2Seq, teacher: Seq2Seq, corpus: ParallelCorpus, batch_size: int, seed: int
) -> Iterator[DrawnBatch]:
    """Yield the student's outputs for all sources of `corpus`, drawn as in training, batch by
    batch."""
    student.eval()
    teacher.eval()
    encoded = encode(corpus, student.source_vocabulary, student.target_vocabulary)
    draw, words = OnPolicy(1.0), student.target_vocabulary.words
    for number, batch in enumerate(batches(encoded, batch_size, shuffle_seed=seed)):
        batch = draw(student, batch, seed * 1_000_003 + number)
        yield DrawnBatch(
            tuple(corpus.source[row] for row in batch.rows.tolist()),
            tuple(tuple(words(ids)) for ids in batch.target_out.tolist()),
            importance(student(batch), teacher(batch), batch.target_out != PAD),
        )


def selection_record(
    drawn: Sequence[DrawnBatch], planted: Planted, shares: Sequence[float], seed: int
) -> dict[str, dict]:
    """Return for each selector and ρ "kept": the share of all tokens that it keeps, and by kind of
    planted word that of its tokens (None where the student wrote none)."""
    generator = torch.Generator().manual_seed(seed)
    masks = {kind: [batch.planted(planted, kind) for batch in drawn] for kind in PLANTED_KINDS}
    masks["kept"] = [batch.importance.real for batch in drawn]
    record: dict[str, dict] = {selector: {} for selector in SELECTORS}
    for selector in SELECTORS:
        for share in shares:
            kept = [
                keep(SCORES[selector](batch.importance, generator), batch.importance.real, share)
                for batch in drawn
            ]
            record[selector][f"{share:g}"] = {
                name: share_kept(kept, of) for name, of in masks.items()
            }
    return record


def share_kept(kept: Sequence[Tensor], of: Sequence[Tensor]) -> float | None:
    """Return the share of the places `of` that are `kept`, both masks (B, T) by batch; None where
    there are none."""
    n = sum(int(mask.sum()) for mask in of)
    n_kept = sum(int((k & mask).sum()) for k, mask in zip(kept, of, strict=True))
    return round(n_kept / n, 4) if n else None


def kinds_record(
    drawn: Sequence[DrawnBatch], language: ToyLanguage, planted: Planted
) -> dict[str, dict]:
    """Return by kind of token how many there are, the means of ĥ, δ (nats) and Soft-OR, and how
    many lie in Q1 to Q4 ("quadrants")."""
    tokens: dict[str, list[LabelledToken]] = {kind: [] for kind in KINDS}
    for batch in drawn:
        for kind, token in tokens_of(batch, language, planted):
            tokens[kind].append(token)
    return {
        kind: {
            "tokens": len(rows),
            "h": round(fmean(token.h for token in rows), 4),
            "delta": round(fmean(token.delta for token in rows), 4),
            "soft_or": round(fmean(token.soft_or for token in rows), 4),
            "quadrants": [sum(token.quadrant == q for token in rows) for q in QUADRANTS],
        }
        for kind, rows in tokens.items()
        if rows
    }


class LabelledToken(NamedTuple):
    """A token's ĥ (0 to 1), δ (nats), Soft-OR (0 to 1) and quadrant (1 to 4)."""

    h: float
    delta: float
    soft_or: float
    quadrant: int


def tokens_of(
    batch: DrawnBatch, language: ToyLanguage, planted: Planted
) -> Iterator[tuple[str, LabelledToken]]:
    """Yield every token with its kind, sentence after sentence."""
    seen = batch.importance
    h, quadrants = scaled_entropy(seen), quadrants_of(seen)
    columns = [x.tolist() for x in (h, seen.delta, soft_or(seen), quadrants)]
    for b, (source, output) in enumerate(zip(batch.sources, batch.outputs, strict=True)):
        for t, kind in enumerate(kinds(language, source, output, planted)):
            yield kind, LabelledToken(*(column[b][t] for column in columns))


def scaled_entropy(seen: Importance) -> Tensor:
    """Return ĥ (B, T), from 0 to 1 over the batch."""
    return scaled(seen.h, seen.real, CLIPPED)


def quadrants_of(seen: Importance) -> Tensor:
    """Return the quadrant (B, T), 1 to 4, of every place."""
    return quadrant(scaled_entropy(seen), seen.delta, H_EDGE, DELTA_EDGE)
