"""What the token-importance study measures: the student's own tokens at the start, and what each
arm comes to."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from statistics import fmean

import torch
from torch import Tensor

from seqkd_lab.corpus.batching import batches, encode
from seqkd_lab.corpus.parallel import ParallelCorpus
from seqkd_lab.corpus.toy import ToyLanguage
from seqkd_lab.corpus.toy.planted import KINDS, Planted, find_mistakes, kinds
from seqkd_lab.corpus.vocabulary import PAD
from seqkd_lab.decoding.search import search
from seqkd_lab.distillation.on_policy import OnPolicy
from seqkd_lab.distillation.tip import SCORES, SELECTORS, Importance, importance, keep, soft_or
from seqkd_lab.evaluation import score_outputs
from seqkd_lab.models.seq2seq import Seq2Seq
from seqkd_lab.runs.data import Dataset

Tokens = tuple[str, ...]


@dataclass(frozen=True)
class DrawnBatch:
    """A batch that the student drew: its sources and outputs (B of each), and the importance of
    each token (B, T).

    The last real token of a row is the end of the sentence, which `outputs` leaves out.
    """

    sources: tuple[Tokens, ...]
    outputs: tuple[Tokens, ...]
    importance: Importance

    def mistakes(self, planted: Planted) -> Tensor:
        """Return (B, T) True at the planted mistakes."""
        mask = torch.zeros_like(self.importance.real)
        for b, (source, output) in enumerate(zip(self.sources, self.outputs, strict=True)):
            mask[b, list(find_mistakes(source, output, planted.mistakes))] = True
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
    """Return for each selector and ρ the share of the planted mistakes that it keeps, and of all
    tokens."""
    generator = torch.Generator().manual_seed(seed)
    mistakes = [batch.mistakes(planted) for batch in drawn]
    n_mistakes = sum(int(mask.sum()) for mask in mistakes)
    n_tokens = sum(int(batch.importance.real.sum()) for batch in drawn)
    record: dict[str, dict] = {selector: {} for selector in SELECTORS}
    for selector in SELECTORS:
        for share in shares:
            kept = [
                keep(SCORES[selector](batch.importance, generator), batch.importance.real, share)
                for batch in drawn
            ]
            n_found = sum(int((k & m).sum()) for k, m in zip(kept, mistakes, strict=True))
            record[selector][f"{share:g}"] = {
                "recall": round(n_found / n_mistakes, 4),
                "kept": round(sum(int(mask.sum()) for mask in kept) / n_tokens, 4),
            }
    return record


def kinds_record(
    drawn: Sequence[DrawnBatch], language: ToyLanguage, planted: Planted
) -> dict[str, dict]:
    """Return by kind of token how many there are, and the means of h, δ (nats) and Soft-OR."""
    values: dict[str, list[tuple[float, float, float]]] = {kind: [] for kind in KINDS}
    for batch in drawn:
        for kind, h, delta, score in tokens_of(batch, language, planted):
            values[kind].append((h, delta, score))
    return {
        kind: {
            "tokens": len(rows),
            **{
                name: round(fmean(row[column] for row in rows), 4)
                for column, name in enumerate(("h", "delta", "soft_or"))
            },
        }
        for kind, rows in values.items()
        if rows
    }


def tokens_of(
    batch: DrawnBatch, language: ToyLanguage, planted: Planted
) -> Iterator[tuple[str, float, float, float]]:
    """Yield (kind, h, δ, Soft-OR) of every token, sentence after sentence."""
    h, delta, score = batch.importance.h, batch.importance.delta, soft_or(batch.importance)
    for b, (source, output) in enumerate(zip(batch.sources, batch.outputs, strict=True)):
        for t, kind in enumerate(kinds(language, source, output, planted)):
            yield kind, float(h[b, t]), float(delta[b, t]), float(score[b, t])


def outcome(student: Seq2Seq, data: Dataset, corpus: ParallelCorpus, planted: Planted) -> dict:
    """Judge greedy translations of `corpus`: validity and BLEU; mistakes: the share of the sources
    that name a planted mistake's cause whose translation still makes it; rare: validity where the
    source has a rare noun."""
    outputs = [hypotheses[0].tokens for hypotheses in search(student, corpus.source, 1)]
    score, _ = score_outputs(outputs, corpus, data.detokenise, 1.0, data.language)
    assert score.validity is not None, "the study's text has a language"
    pairs = list(zip(corpus.source, outputs, strict=True))
    causes, is_valid = {m.cause for m in planted.mistakes}, data.toy_language.is_valid
    tempted = [pair for pair in pairs if causes & set(pair[0])]
    rare = [pair for pair in pairs if set(planted.rare) & set(pair[0])]
    mistakes = fmean(bool(find_mistakes(*pair, planted.mistakes)) for pair in tempted)
    return {
        "validity": round(score.validity, 4),
        "bleu": round(score.bleu, 3),
        "mistakes": round(mistakes, 4),
        "rare": round(fmean(is_valid(source, tuple(output)) for source, output in rare), 4),
    }
