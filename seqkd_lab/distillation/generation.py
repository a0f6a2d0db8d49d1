"""What the generator of near-policy distillation does: many translations at once, and what the
teacher says of them."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace

import torch
from torch import Tensor

from seqkd_lab.corpus.batching import Batch
from seqkd_lab.corpus.vocabulary import BOS, EOS, PAD
from seqkd_lab.decoding.distribution import SamplingDistribution
from seqkd_lab.decoding.search import longest_allowed
from seqkd_lab.distillation.delta_ifd import at_random, delta_ifd, middle
from seqkd_lab.distillation.on_policy import with_targets
from seqkd_lab.distillation.top_k import TopK, top_k
from seqkd_lab.models.seq2seq import Seq2Seq, evaluating

GENERATE, SCORE, FILTER, WAIT, TRAIN, SYNCHRONISE = (
    "generate",
    "score",
    "filter",
    "wait",
    "train",
    "synchronise",
)
GENERATOR, TRAINER = "generator", "trainer"
DELTA_IFD, RANDOM = "delta-ifd", "random"
SCORED_TOGETHER = 64
"""Sentences of similar length that the teacher reads at once: more would gain nothing on a core,
and pad more."""


@dataclass(frozen=True)
class Event:
    """Who did what from `start` to `end` (seconds of one clock that all processes share), from
    which update on."""

    who: str
    what: str
    start: float
    end: float
    update: int


class Diary:
    """Events as they happen."""

    def __init__(self, who: str) -> None:
        self.who, self.events = who, []

    @contextmanager
    def note(self, what: str, update: int) -> Iterator[None]:
        """Keeps the time of what happens inside."""
        start = time.monotonic()
        yield
        self.events.append(Event(self.who, what, start, time.monotonic(), update))


def flat_places(lengths: Tensor, sentences: Tensor) -> Tensor:
    """Where the tokens of `sentences` stand when N sentences of `lengths` (N,) stand one behind the
    other."""
    first = lengths.cumsum(0) - lengths
    n = lengths[sentences]
    behind = torch.arange(int(n.sum())) - (n.cumsum(0) - n).repeat_interleave(n)
    return first[sentences].repeat_interleave(n) + behind


@dataclass(frozen=True)
class Written:
    """N translations with the teacher's word on each of their tokens, one sentence behind the
    other.

    delta: Δ-IFD (N,), where it was asked for. kept: (N,) False where a sentence was dropped.
    """

    batch: Batch
    teacher: TopK
    kept: Tensor
    delta: Tensor | None = None

    def __len__(self) -> int:
        """N."""
        return len(self.batch)

    @property
    def lengths(self) -> Tensor:
        """(N,) target tokens, EOS included."""
        return (self.batch.target_out != PAD).sum(dim=1)

    def __getitem__(self, sentences: Tensor) -> Written:
        """Those at `sentences` (N',), padded no further than they need."""
        batch, longest = self.batch, int(self.lengths[sentences].max())
        source_lengths = batch.source_lengths[sentences]
        some = Batch(
            batch.source[sentences, : int(source_lengths.max())],
            source_lengths,
            batch.target_in[sentences, :longest],
            batch.target_out[sentences, :longest],
            batch.rows[sentences],
        )
        delta = None if self.delta is None else self.delta[sentences]
        return Written(
            some, self.teacher[flat_places(self.lengths, sentences)], self.kept[sentences], delta
        )

    def parts(self, n: int) -> list[Written]:
        """The kept sentences in n parts, as equal as they can be, in the order in which they were
        drawn."""
        return [self[part] for part in self.kept.nonzero()[:, 0].tensor_split(n)]


def draw_many(
    model: Seq2Seq, batch: Batch, temperature: float, generator: torch.Generator
) -> Tensor:
    """As on_policy.draw_targets, for large batches: (B, T), EOS, then PAD.

    A sentence that has ended leaves the batch, and a word costs one random number instead of V. The
    law is the same, the draws are not.
    """
    longest, distribution = longest_allowed(batch.source_lengths), SamplingDistribution(temperature)
    drawn = torch.full((len(batch), int(longest.max())), PAD)
    going, token = torch.arange(len(batch)), torch.full((len(batch),), BOS)
    with evaluating(model):
        state = model.start(batch.source, batch.source_lengths)
        for t in range(drawn.shape[1]):
            logits, state = model.step(token[:, None], state)
            token = next_words(distribution(logits[:, 0]), generator).masked_fill(
                longest[going] == t + 1, EOS
            )
            drawn[going, t] = token
            left = (token != EOS).nonzero()[:, 0]
            if not len(left):
                break
            if len(left) < len(going):
                going, token, state = going[left], token[left], state.select(left[:, None])
    return drawn


def next_words(p: Tensor, generator: torch.Generator) -> Tensor:
    """A word for each of the laws p (B, V): the one at which their sum passes a random number,
    (B,)."""
    up_to = p.cumsum(dim=1)
    chance = torch.rand(len(p), 1, generator=generator) * up_to[:, -1:]
    return torch.searchsorted(up_to, chance, right=True)[:, 0].clamp(max=p.shape[1] - 1)


@torch.no_grad()
def teacher_top_k(teacher: Seq2Seq, batch: Batch, k: int | None) -> TopK:
    """The teacher's k likeliest words at each real token of `batch`, one sentence behind the other.

    Parallel over all tokens of a sentence, which are known; only real ones reach the last layer.
    """
    lengths = (batch.target_out != PAD).sum(dim=1)
    log_probs = torch.zeros(int(lengths.sum()), len(teacher.target_vocabulary) if k is None else k)
    words = None if k is None else torch.zeros_like(log_probs, dtype=torch.int64)
    whole = Written(batch, TopK(words, log_probs), lengths > 0)
    for some in lengths.argsort(stable=True).split(SCORED_TOGETHER):
        part = whole[some].batch
        found = top_k(teacher.output(teacher.vectors(part)[part.target_out != PAD]), k)
        places = flat_places(lengths, some)
        log_probs[places] = found.log_probs
        if words is not None:
            words[places] = found.words
    return whole.teacher


@dataclass(frozen=True)
class Writing:
    """How translations are written and chosen.

    temperature: of the drawing; 0 takes the likeliest word. top_k: words that the teacher says of
    each token (None: all V). filter: "" keeps every sentence, DELTA_IFD the middle `share` by
    Δ-IFD, RANDOM as many by chance.
    """

    temperature: float = 1.0
    top_k: int | None = 8
    filter: str = ""
    share: float = 0.9

    def __post_init__(self) -> None:
        if self.filter not in ("", DELTA_IFD, RANDOM):
            raise ValueError(
                f"filter must be {DELTA_IFD!r}, {RANDOM!r} or empty; got {self.filter!r}"
            )
        if not self.temperature >= 0.0 or not 0.0 < self.share <= 1.0:
            raise ValueError(
                f"temperature must not be negative and share lie in (0, 1]; got {self}"
            )


def write(
    student: Seq2Seq,
    teacher: Seq2Seq,
    sources: Batch,
    how: Writing,
    seed: int,
    diary: Diary,
    update: int = 0,
) -> Written:
    """Translations of `sources` by the student, scored by the teacher, chosen by the filter."""
    generator = torch.Generator().manual_seed(seed)
    with diary.note(GENERATE, update):
        batch = with_targets(sources, draw_many(student, sources, how.temperature, generator))
    with diary.note(SCORE, update):
        said = teacher_top_k(teacher, batch, how.top_k)
    found = Written(batch, said, torch.ones(len(batch), dtype=torch.bool))
    if how.filter == RANDOM:
        return replace(found, kept=at_random(len(batch), how.share, generator))
    if how.filter == DELTA_IFD:
        with diary.note(FILTER, update):
            delta = delta_ifd(student.eval(), teacher, batch)
            return replace(found, delta=delta, kept=middle(delta, how.share))
    return found
