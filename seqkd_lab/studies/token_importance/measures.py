"""What the token-importance experiment measures: the student's own tokens at the start, and what
each arm comes to."""

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
class Drawn:
    """A batch that the student wrote: its sources and outputs (B of each), and what is seen of each
    token (B, T).

    The last real token of a row is the end of the sentence, which `outputs` leaves out.
    """

    sources: tuple[Tokens, ...]
    outputs: tuple[Tokens, ...]
    seen: Importance

    def places(self, planted: Planted) -> Tensor:
        """(B, T) True where a planted mistake stands."""
        found = torch.zeros_like(self.seen.real)
        for b, (source, output) in enumerate(zip(self.sources, self.outputs, strict=True)):
            found[b, list(find_mistakes(source, output, planted.mistakes))] = True
        return found


@torch.no_grad()
def drawn_batches(
    student: Seq2Seq, teacher: Seq2Seq, corpus: ParallelCorpus, batch_size: int, seed: int
) -> Iterator[Drawn]:
    """The student's outputs for all sources of `corpus`, drawn as in training, batch by batch."""
    student.eval(), teacher.eval()
    encoded, draw = (
        encode(corpus, student.source_vocabulary, student.target_vocabulary),
        OnPolicy(1.0),
    )
    for number, batch in enumerate(batches(encoded, batch_size, shuffle_seed=seed)):
        batch = draw(student, batch, seed * 1_000_003 + number)
        seen = importance(student(batch), teacher(batch), batch.target_out != PAD)
        yield Drawn(
            tuple(corpus.source[row] for row in batch.rows.tolist()),
            tuple(tuple(student.target_vocabulary.words(ids)) for ids in batch.target_out.tolist()),
            seen,
        )


def selection_record(
    drawn: Sequence[Drawn], planted: Planted, shares: Sequence[float], seed: int
) -> dict:
    """For each selector and ρ: the share of the planted mistakes that it keeps, and of all
    tokens."""
    generator = torch.Generator().manual_seed(seed)
    found: dict[str, dict] = {selector: {} for selector in SELECTORS}
    for selector in SELECTORS:
        for share in shares:
            kept = [keep(SCORES[selector](d.seen, generator), d.seen.real, share) for d in drawn]
            mistakes = [d.places(planted) for d in drawn]
            n_found = sum(int((k & m).sum()) for k, m in zip(kept, mistakes, strict=True))
            n_tokens = sum(int(d.seen.real.sum()) for d in drawn)
            found[selector][f"{share:g}"] = {
                "recall": round(n_found / sum(int(m.sum()) for m in mistakes), 4),
                "kept": round(sum(int(k.sum()) for k in kept) / n_tokens, 4),
            }
    return found


def kinds_record(
    drawn: Sequence[Drawn], language: ToyLanguage, planted: Planted
) -> dict[str, dict]:
    """By kind of place: how many tokens there are, and the means of h, δ (nats) and Soft-OR."""
    rows: dict[str, list[tuple[float, float, float]]] = {kind: [] for kind in KINDS}
    for d in drawn:
        for kind, h, delta, s in tokens_of(d, language, planted):
            rows[kind].append((h, delta, s))
    return {
        kind: {
            "tokens": len(seen),
            **{
                name: round(fmean(column), 4)
                for name, column in zip(
                    ("h", "delta", "soft_or"), zip(*seen, strict=True), strict=True
                )
            },
        }
        for kind, seen in rows.items()
        if seen
    }


def tokens_of(
    drawn: Drawn, language: ToyLanguage, planted: Planted
) -> Iterator[tuple[str, float, float, float]]:
    """(kind, h, δ, s) of every token, sentence after sentence."""
    seen, s = drawn.seen, soft_or(drawn.seen)
    for b, (source, output) in enumerate(zip(drawn.sources, drawn.outputs, strict=True)):
        for t, kind in enumerate(kinds(language, source, output, planted)):
            yield kind, float(seen.h[b, t]), float(seen.delta[b, t]), float(s[b, t])


def outcome(student: Seq2Seq, data: Dataset, corpus: ParallelCorpus, planted: Planted) -> dict:
    """Greedy translations of `corpus` judged: validity and BLEU; mistakes: the share of the sources
    that name a planted mistake's cause whose translation still makes it; rare: validity where the
    source has a rare noun."""
    outputs = [hypotheses[0].tokens for hypotheses in search(student, corpus.source, 1)]
    score, _ = score_outputs(outputs, corpus, data.detokenise, 1.0, data.language)
    pairs = list(zip(corpus.source, outputs, strict=True))
    tempted = [pair for pair in pairs if {m.cause for m in planted.mistakes} & set(pair[0])]
    rare = [pair for pair in pairs if set(planted.rare) & set(pair[0])]
    return {
        "validity": round(score.validity, 4),
        "bleu": round(score.bleu, 3),
        "mistakes": round(
            fmean(bool(find_mistakes(*pair, planted.mistakes)) for pair in tempted), 4
        ),
        "rare": round(
            fmean(data.language.is_valid(source, tuple(output)) for source, output in rare), 4
        ),
    }
