"""What the near-policy study measures of an arm: how well it translates, from how many tokens it
learned, how stale they were, and how far the student had moved meanwhile."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import lru_cache
from statistics import fmean

import numpy
import torch
from torch import Tensor

from seqkd_lab.corpus.batching import Batch, EncodedCorpus, encode, make_batch
from seqkd_lab.corpus.parallel import ParallelCorpus
from seqkd_lab.corpus.toy import ToyLanguage
from seqkd_lab.corpus.toy.language import Tokens
from seqkd_lab.corpus.toy.verifier import Verifier
from seqkd_lab.corpus.vocabulary import PAD
from seqkd_lab.decoding.search import search
from seqkd_lab.distillation.divergences import kl
from seqkd_lab.distillation.generation import (
    DELTA_IFD,
    RolloutConfig,
    Rollouts,
    Timeline,
    draw_translations,
    generate_rollouts,
)
from seqkd_lab.distillation.near_policy import Run, learn
from seqkd_lab.models.seq2seq import Seq2Seq, evaluating
from seqkd_lab.runs.data import Dataset
from seqkd_lab.studies.near_policy.recipes import N_TOKENS, TOP_K, Arm, learning_of, source_of

CURVE = (0.0, 0.1, 0.3, 0.6)
"""Shares of the training after which validation sentences are translated."""
N_WATCHED = 500
"""Validation sentences that are translated for a point of the curve."""
LAG_EVERY = 5
"""Of so many updates one is asked how far the student has moved since it wrote the sentences."""
N_FILTERED = 1_000
"""Rollouts of a warm start whose Δ-IFD is measured."""
DRAWN_TOGETHER = 512
"""Sources for which translations are drawn in one batch."""
EDGES = tuple(round(float(edge), 3) for edge in numpy.linspace(-1.0, 1.0, 41))
"""Of the bins of Δ-IFD; values outside are counted in the outermost."""
VALID = "valid"
WRONG = "wrong"
FATES = ("dropped low", "kept", "dropped high")


@lru_cache(maxsize=1)
def verifier() -> Verifier:
    """Return the one verifier of this process, which remembers every source."""
    return Verifier(ToyLanguage())


def share_valid(sources: Sequence[Tokens], targets: Sequence[Sequence[str]]) -> float:
    """Return the percentage of valid translations."""
    is_valid = verifier()
    pairs = zip(sources, targets, strict=True)
    return round(100.0 * fmean(is_valid(source, target) for source, target in pairs), 2)


def greedy_validity(model: Seq2Seq, sources: Sequence[Tokens]) -> float:
    """Return the percentage of sources whose greedy translation is valid."""
    return share_valid(sources, [best[0].tokens for best in search(model, sources, 1)])


def sampled_validity(model: Seq2Seq, sources: Sequence[Tokens], seed: int) -> float:
    """Return the percentage of sources of which one drawn translation is valid."""
    corpus = ParallelCorpus("", "", "", tuple(sources), tuple(sources))
    encoded = encode(corpus, model.source_vocabulary, model.target_vocabulary)
    generator, drawn = torch.Generator().manual_seed(seed), []
    for rows in torch.arange(len(sources)).split(DRAWN_TOGETHER):
        batch = make_batch(encoded, rows)
        drawn += words_of(model, draw_translations(model, batch, 1.0, generator))
    return share_valid(sources, drawn)


def words_of(model: Seq2Seq, targets: Tensor) -> list[list[str]]:
    """Return the words of targets (B, T)."""
    return [model.target_vocabulary.words(target) for target in targets.tolist()]


def accuracy(model: Seq2Seq, sources: Sequence[Tokens], seed: int) -> dict[str, float]:
    """Return the percentages of valid greedy translations and of valid samples."""
    return {
        "validity": greedy_validity(model, sources),
        "samples": sampled_validity(model, sources, seed),
    }


class Watch:
    """The validity of validation sentences during training, over the tokens learned from."""

    def __init__(self, student: Seq2Seq, data: Dataset, n_tokens: int) -> None:
        self.student, self.sources = student, data.valid.source[:N_WATCHED]
        self.points: list[list[float]] = []
        self._left = [share * n_tokens for share in CURVE]

    def __call__(self, n_tokens: int) -> None:
        """Measure when the next share of CURVE is reached."""
        if self._left and n_tokens >= self._left[0]:
            self._left = [tokens for tokens in self._left if tokens > n_tokens]
            self.points.append([n_tokens, greedy_validity(self.student, self.sources)])

    def end(self, n_tokens: int) -> list[list[float]]:
        """Return all points, (tokens, percent), and the last one."""
        return [*self.points, [n_tokens, greedy_validity(self.student, self.sources)]]


@torch.no_grad()
def lag(writer: Seq2Seq, student: Seq2Seq, batch: Batch) -> float:
    """Return KL(writer‖student) along the batch's targets, mean over tokens in nats: how far the
    student is now from the one that wrote them."""
    with evaluating(writer, student):
        written, now = (model(batch).log_softmax(dim=2) for model in (writer, student))
    return float(kl(written, now)[batch.target_out != PAD].mean())


def measure_delta(
    student: Seq2Seq, teacher: Seq2Seq, sources: EncodedCorpus, data: Dataset, seed: int
) -> dict:
    """Draw N_FILTERED rollouts from `student`, and return how many of each bin of Δ-IFD, and of
    each fate in the filter, are valid and how many wrong."""
    n = min(N_FILTERED, len(sources))
    config, batch = RolloutConfig(1.0, TOP_K, DELTA_IFD), make_batch(sources, range(n))
    rollouts = generate_rollouts(student, teacher, batch, config, seed, Timeline(""))
    return counts_by_delta(
        rollouts, data.train.source, words_of(student, rollouts.batch.target_out)
    )


def counts_by_delta(
    rollouts: Rollouts, sources: Sequence[Tokens], targets: Sequence[Sequence[str]]
) -> dict:
    """Return the counts of `measure_delta`. Raise ValueError without Δ-IFD."""
    if rollouts.delta is None:
        raise ValueError("these rollouts were drawn without measuring Δ-IFD")
    delta, is_valid = rollouts.delta.numpy(), verifier()
    valid = numpy.array(
        [
            is_valid(sources[row], target)
            for row, target in zip(rollouts.batch.rows.tolist(), targets, strict=True)
        ]
    )
    places = numpy.clip(numpy.searchsorted(EDGES, delta, side="right") - 1, 0, len(EDGES) - 2)
    kept = rollouts.kept.numpy()
    low = ~kept & (delta <= numpy.median(delta))
    fates = dict(zip(FATES, (low, kept, ~kept & ~low), strict=True))
    bins = {
        name: numpy.bincount(places[which], minlength=len(EDGES) - 1).tolist()
        for name, which in ((VALID, valid), (WRONG, ~valid))
    }
    counted = {
        f"{fate} {name}": int((which & right).sum())
        for fate, which in fates.items()
        for name, right in ((VALID, valid), (WRONG, ~valid))
    }
    return {"edges": list(EDGES), **bins, **counted}


def run_record(run: Run) -> dict:
    """Return what a training took, as plain JSON."""
    return {
        "tokens": run.n_tokens,
        "updates": run.n_updates,
        "staleness": round(fmean(run.staleness), 2),
        "first_loss": round(fmean(run.loss[:10]), 4),
        "last_loss": round(fmean(run.loss[-20:]), 4),
    }


def train_arm(
    arm: Arm,
    student: Seq2Seq,
    teacher: Seq2Seq,
    sources: EncodedCorpus,
    seed: int,
    watch: Callable[[int], None] = lambda n_tokens: None,
    rate: float | None = None,
    n_tokens: int = N_TOKENS,
) -> dict:
    """Train `student` in place as the arm does; return what it took, and the lag (nats a token):
    its mean, and its mean over the last quarter of the updates asked."""
    source, lags = source_of(arm, student, teacher, sources, seed), []
    n_updates = 0

    def observe(rollouts: Rollouts, n_done: int) -> None:
        nonlocal n_updates
        watch(n_done)
        if not arm.by_teacher and n_updates % LAG_EVERY == 0:
            lags.append(lag(source.worker.student, student, rollouts.batch))
        n_updates += 1

    run = learn(student, source, arm.schedule, learning_of(arm, rate, n_tokens), observe)
    last = lags[-max(1, len(lags) // 4) :]
    how_far = {"lag": round(fmean(lags), 5), "last_lag": round(fmean(last), 5)} if lags else {}
    return {**run_record(run), **how_far}


def measure_arm(
    arm: Arm,
    student: Seq2Seq,
    teacher: Seq2Seq,
    data: Dataset,
    sources: EncodedCorpus,
    fresh: Sequence[Tokens],
    seed: int,
    n_tokens: int = N_TOKENS,
) -> dict:
    """Train `student` in place as the arm does; return its accuracy on `fresh` sources, its curve,
    its lag, and what it took."""
    watch = Watch(student, data, n_tokens)
    taken = train_arm(arm, student, teacher, sources, seed, watch, n_tokens=n_tokens)
    return {**taken, "curve": watch.end(taken["tokens"]), **accuracy(student, fresh, seed)}
