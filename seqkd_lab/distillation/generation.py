"""Rollouts for near-policy distillation: translations that the student draws in large batches, with
the teacher's likeliest words at each of their tokens."""

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
from seqkd_lab.decoding.limits import longest_allowed
from seqkd_lab.distillation.delta_ifd import delta_ifd, keep_middle, keep_random
from seqkd_lab.distillation.on_policy import with_targets
from seqkd_lab.distillation.top_k import TopK, top_k
from seqkd_lab.finite import check_next_words
from seqkd_lab.models.seq2seq import Seq2Seq, evaluating

GENERATE = "generate"
SCORE = "score"
FILTER = "filter"
WAIT = "wait"
TRAIN = "train"
SYNCHRONISE = "synchronise"
GENERATOR = "generator"
TRAINER = "trainer"
DELTA_IFD = "delta-ifd"
RANDOM = "random"
SCORED_TOGETHER = 128
"""Sentences of similar length that the teacher reads at once: more would gain nothing on a core,
and pad more."""


@dataclass(frozen=True)
class Event:
    """A span of work: who did what from `start` to `end` (seconds of one clock that all processes
    share), for the updates from `update` on."""

    who: str
    what: str
    start: float
    end: float
    update: int


class Timeline:
    """The events of one process, in the order in which they ended."""

    def __init__(self, who: str) -> None:
        self.who = who
        self.events: list[Event] = []

    @contextmanager
    def record(self, what: str, update: int) -> Iterator[None]:
        """Record the time that the body of a `with` statement takes."""
        start = time.monotonic()
        yield
        self.events.append(Event(self.who, what, start, time.monotonic(), update))


@dataclass(frozen=True)
class Rollouts:
    """N translations with the teacher's distribution at each of their n tokens, one sentence after
    the other.

    kept (N,): False where the filter dropped a sentence. delta (N,): Δ-IFD, where it was measured.
    Where a share of the scoring is left to the trainer, `teacher` ends before the last sentences.
    """

    batch: Batch
    teacher: TopK
    kept: Tensor
    delta: Tensor | None = None

    def __len__(self) -> int:
        """N."""
        return len(self.batch)

    def to(self, device: torch.device) -> Rollouts:
        """Return the same on `device`."""
        delta = None if self.delta is None else self.delta.to(device)
        return Rollouts(self.batch.to(device), self.teacher.to(device), self.kept.to(device), delta)

    @property
    def lengths(self) -> Tensor:
        """(N,) target tokens, EOS included."""
        return (self.batch.target_out != PAD).sum(dim=1)

    def __getitem__(self, sentences: Tensor) -> Rollouts:
        """Return the rollouts at `sentences` (N',), padded no further than they need."""
        teacher = self.teacher[token_indices(self.lengths, sentences)]
        delta = None if self.delta is None else self.delta[sentences]
        return Rollouts(sentences_of(self.batch, sentences), teacher, self.kept[sentences], delta)

    def scored_by(self, teacher: Seq2Seq) -> Rollouts:
        """Return the same with the scores of the sentences that had none yet, as `teacher_top_k`
        gives them."""
        n_scored = int((self.lengths.cumsum(0) <= len(self.teacher.log_probs)).sum())
        if n_scored == len(self):
            return self
        words = self.teacher.words
        unscored = torch.arange(n_scored, len(self), device=self.kept.device)
        left = sentences_of(self.batch, unscored)
        scored = teacher_top_k(teacher, left, None if words is None else words.shape[1])
        return replace(self, teacher=TopK.joined([self.teacher, scored]))

    def parts(self, n: int) -> list[Rollouts]:
        """Split the kept sentences into n parts of nearly equal size, in the order in which they
        were drawn."""
        return [self[part] for part in self.kept.nonzero()[:, 0].tensor_split(n)]


def sentences_of(batch: Batch, sentences: Tensor) -> Batch:
    """Return `sentences` (N',) of a batch, padded no further than they need."""
    source_lengths = batch.source_lengths[sentences]
    longest = int((batch.target_out[sentences] != PAD).sum(dim=1).max())
    return Batch(
        batch.source[sentences, : int(source_lengths.max())],
        source_lengths,
        batch.target_in[sentences, :longest],
        batch.target_out[sentences, :longest],
        batch.rows[sentences],
    )


def token_indices(lengths: Tensor, sentences: Tensor) -> Tensor:
    """Return the indices (n,) of the tokens of `sentences` where N sentences of `lengths` (N,)
    stand one behind the other."""
    first = lengths.cumsum(0) - lengths
    n = lengths[sentences]
    token = torch.arange(int(n.sum()), device=n.device)
    within = token - (n.cumsum(0) - n).repeat_interleave(n)
    return first[sentences].repeat_interleave(n) + within


def draw_translations(
    model: Seq2Seq, batch: Batch, temperature: float, generator: torch.Generator
) -> Tensor:
    """Draw one translation of each source in a large batch: (B, T), EOS, then PAD.

    The distribution is that of sampling.sample_batch, the draws are not: there each word takes V
    random numbers and a finished sentence stays in the batch; here a word takes one number, and
    finished sentences leave. So the two cannot be one function without other draws, which the
    committed models and results of either depend on.
    """
    longest, distribution = longest_allowed(batch.source_lengths), SamplingDistribution(temperature)
    drawn = batch.source.new_full((len(batch), int(longest.max())), PAD)
    token = torch.full_like(longest, BOS)
    open_rows = torch.arange(len(batch), device=token.device)
    with evaluating(model):
        state = model.start(batch.source, batch.source_lengths)
        for t in range(drawn.shape[1]):
            logits, state = model.step(token[:, None], state)  # (B', 1, V) of the B' open rows
            token = next_words(distribution(logits[:, 0]), generator).masked_fill(
                longest[open_rows] == t + 1, EOS
            )
            drawn[open_rows, t] = token
            still_open = (token != EOS).nonzero()[:, 0]
            if not len(still_open):
                break
            if len(still_open) < len(open_rows):
                open_rows, token = open_rows[still_open], token[still_open]
                state = state.select(still_open[:, None])
    return drawn


def next_words(p: Tensor, generator: torch.Generator) -> Tensor:
    """Draw a word (B,) from each of the distributions p (B, V): the one at which the cumulative sum
    passes a uniform random number."""
    cumulative = p.cumsum(dim=1)
    uniform = torch.rand(len(p), 1, generator=generator, device=p.device) * cumulative[:, -1:]
    return torch.searchsorted(cumulative, uniform, right=True)[:, 0].clamp(max=p.shape[1] - 1)


def teacher_top_k(teacher: Seq2Seq, batch: Batch, k: int | None) -> TopK:
    """Return the teacher's k likeliest words at each real token of `batch`, one sentence behind the
    other.

    All tokens of a sentence are known, so they are scored in parallel; only real ones reach the
    last layer. Raise NotFiniteError where the teacher's logits are not finite.
    """
    lengths = (batch.target_out != PAD).sum(dim=1)
    n, width = int(lengths.sum()), len(teacher.target_vocabulary) if k is None else k + 1
    log_probs = torch.zeros(n, width, device=lengths.device)
    words = None if k is None else lengths.new_zeros(n, k)
    for sentences in lengths.argsort(stable=True).split(SCORED_TOGETHER):
        part = sentences_of(batch, sentences)
        with evaluating(teacher):
            likeliest = top_k(teacher.logits(teacher.vectors(part)[part.target_out != PAD]), k)
            check_next_words(likeliest.log_probs.amax(dim=1))
        tokens = token_indices(lengths, sentences)
        log_probs[tokens] = likeliest.log_probs
        if words is not None and likeliest.words is not None:
            words[tokens] = likeliest.words
    return TopK(words, log_probs)


@dataclass(frozen=True)
class RolloutConfig:
    """How rollouts are drawn, scored and filtered.

    temperature: of the drawing; 0 takes the likeliest word. top_k: words that the teacher sends for
    each token (None: all V). filter: "" keeps every sentence, DELTA_IFD the middle `share` by
    Δ-IFD, RANDOM as many at random. scored: share of the sentences that the generator's process has
    scored; the others are left to the trainer's. Raise ValueError for other values.
    """

    temperature: float = 1.0
    top_k: int | None = 8
    filter: str = ""
    share: float = 0.9
    scored: float = 1.0

    def __post_init__(self) -> None:
        if self.filter not in ("", DELTA_IFD, RANDOM):
            raise ValueError(
                f"filter must be {DELTA_IFD!r}, {RANDOM!r} or empty; got {self.filter!r}"
            )
        if not self.temperature >= 0.0 or not 0.0 < self.share <= 1.0:
            raise ValueError(
                f"temperature must not be negative and share must lie in (0, 1]; got {self}"
            )
        if not 0.0 < self.scored <= 1.0:
            raise ValueError(f"scored must lie in (0, 1]; got {self.scored}")


def generate_rollouts(
    student: Seq2Seq,
    teacher: Seq2Seq,
    sources: Batch,
    config: RolloutConfig,
    seed: int,
    timeline: Timeline,
    update: int = 0,
) -> Rollouts:
    """Draw translations of `sources` from the student, score them by the teacher, and filter
    them."""
    sources = sources.to(student.device)
    generator = torch.Generator(student.device).manual_seed(seed)
    with timeline.record(GENERATE, update):
        drawn = draw_translations(student, sources, config.temperature, generator)
        batch = with_targets(sources, drawn)
    with timeline.record(SCORE, update):
        n_scored = max(1, round(config.scored * len(batch)))
        first = torch.arange(n_scored, device=student.device)
        scored = teacher_top_k(teacher, sentences_of(batch, first), config.top_k)
    rollouts = Rollouts(batch, scored, torch.ones_like(batch.rows, dtype=torch.bool))
    if config.filter == RANDOM:
        return replace(rollouts, kept=keep_random(len(batch), config.share, generator))
    if config.filter == DELTA_IFD:
        with timeline.record(FILTER, update):
            delta = delta_ifd(student.eval(), teacher, batch)
            return replace(rollouts, delta=delta, kept=keep_middle(delta, config.share))
    return rollouts
