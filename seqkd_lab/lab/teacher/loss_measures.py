"""Measures of a teacher in lesson 02: its loss above the floor, its perplexity, a short
training."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import torch

from seqkd_lab.corpus.batching import Batch, batches, encode, make_batch
from seqkd_lab.corpus.parallel import ParallelCorpus
from seqkd_lab.corpus.toy import ToyLanguage
from seqkd_lab.decoding.scoring import corpus_log_probs
from seqkd_lab.distillation.losses import NLL, Objective
from seqkd_lab.evaluation import sentence_kl
from seqkd_lab.lab.shared.learning_curve import Curve
from seqkd_lab.models.lstm import LSTMSeq2Seq, LSTMSpec
from seqkd_lab.models.seq2seq import Seq2Seq
from seqkd_lab.optimisation import Optimisation, Progress
from seqkd_lab.runs.committed import committed_seed
from seqkd_lab.runs.recipes import TEACHER
from seqkd_lab.runs.results import rows_by_seed
from seqkd_lab.training import train


@dataclass(frozen=True)
class PerToken:
    """A mean over tokens (a sum over sentences divided by their tokens), and its standard error
    over the sentences."""

    mean: float
    error: float


def per_token(sums: Sequence[float], n_tokens: Sequence[int]) -> PerToken:
    """Return Σ sums / Σ n_tokens over sentences, with its error. Raise ValueError for fewer than
    two sentences."""
    if len(sums) != len(n_tokens) or len(sums) < 2:
        raise ValueError(
            f"need two sentences at least, a number of tokens for each; got {len(sums)}, "
            f"{len(n_tokens)}"
        )
    total, n = sum(n_tokens), len(sums)
    mean = math.fsum(sums) / total
    squares = math.fsum((s - mean * t) ** 2 for s, t in zip(sums, n_tokens, strict=True))
    # Linearised: both the sum and the tokens vary.
    return PerToken(mean, math.sqrt(squares * n / (n - 1)) / total)


def n_tokens(corpus: ParallelCorpus) -> list[int]:
    """Return the number of tokens of each target, its end counted: what a loss is divided by."""
    return [len(target) + 1 for target in corpus.target]


@dataclass(frozen=True)
class Floor:
    """The least loss that can be expected of any model, on the sentences of one corpus.

    surprise: −ln p of gold by the truth itself, per token. entropy: what it is on average over all
    gold that might have been drawn. truth: −ln p (nats) of each gold target.
    """

    surprise: PerToken
    entropy: float
    truth: tuple[float, ...]


def floor(language: ToyLanguage, corpus: ParallelCorpus) -> Floor:
    """Return the floor of a corpus that the language has drawn."""
    pairs = zip(corpus.source, corpus.target, strict=True)
    truth = tuple(-language.log_prob(*pair) for pair in pairs)
    lengths = n_tokens(corpus)
    entropy = math.fsum(map(language.entropy, corpus.source)) / sum(lengths)
    return Floor(per_token(truth, lengths), entropy, truth)


@dataclass(frozen=True)
class Gap:
    """The distance of a model's loss of gold from the floor, measured and exact.

    loss and above in nats a token; kl: KL(truth ‖ model), exact at every gold prefix, whose mean
    over many corpora `above` has. chance: the standard error of above − kl. below: the share of
    sentences in which the model gives gold more than the truth does.
    """

    loss: PerToken
    above: PerToken
    kl: float
    chance: float
    below: float


def gap(model: Seq2Seq, corpus: ParallelCorpus, language: ToyLanguage, known: Floor) -> Gap:
    """Return the Gap of a model on `corpus`, whose floor is `known`."""
    lengths = n_tokens(corpus)
    losses = [-log_prob for log_prob in corpus_log_probs(model, corpus)[0]]
    above = [loss - truth for loss, truth in zip(losses, known.truth, strict=True)]
    kl = sentence_kls(model, corpus, language)
    chance = per_token([a - k for a, k in zip(above, kl, strict=True)], lengths).error
    below = sum(a < 0.0 for a in above) / len(above)
    exact = sum(kl) / sum(lengths)
    return Gap(per_token(losses, lengths), per_token(above, lengths), exact, chance, below)


@torch.inference_mode()
def sentence_kls(model: Seq2Seq, corpus: ParallelCorpus, language: ToyLanguage) -> list[float]:
    """Return Σ_t KL(truth ‖ model) in nats of each sentence, after its gold words."""
    encoded = encode(corpus, model.source_vocabulary, model.target_vocabulary)
    kls = [0.0] * len(corpus)
    model.eval()
    for batch in batches(encoded, 64, shuffle_seed=None):
        log_p = model(batch).log_softmax(dim=2)
        for b, row in enumerate(batch.rows.tolist()):
            pair = corpus.source[row], corpus.target[row]
            kls[row] = sentence_kl(log_p[b], *pair, model.target_vocabulary, language)
    return kls


def watched_training(
    spec: LSTMSpec,
    corpus: ParallelCorpus,
    valid: ParallelCorpus,
    model_like: Seq2Seq,
    optimisation: Optimisation,
    objective: Objective | None = None,
    seed: int = 1,
    watch: Callable[[int, int], None] | None = None,
) -> tuple[LSTMSeq2Seq, Curve]:
    """Train a model from random weights on `corpus` by `objective` (default: NLL), and return it
    with its learning curve over pairs read.

    It has the vocabularies of `model_like`. `watch` is called with (done, total) updates. Equal
    arguments give an equal model on one machine with one number of threads. torch's global
    generator is set."""
    torch.manual_seed(seed)
    model = LSTMSeq2Seq(spec, model_like.source_vocabulary, model_like.target_vocabulary)
    curve = Curve()

    def listen(progress: Progress) -> None:
        curve.hear(progress, optimisation.epochs * len(corpus))
        if watch is not None:
            watch(progress.update, progress.n_updates)

    train(model, corpus, valid, objective or NLL(), optimisation, seed, callbacks=[listen])
    return model, curve


def committed_history(results: Mapping) -> dict[str, list[float]]:
    """Return the history of the committed teacher's training from the results of Table 1, one
    entry an epoch."""
    return results["by_seed"][str(committed_seed())][TEACHER]["curves"]


def batch_of(model: LSTMSeq2Seq, corpus: ParallelCorpus, n_sentences: int) -> Batch:
    """Return the first `n_sentences` pairs as one batch."""
    pairs = corpus[:n_sentences]
    return make_batch(
        encode(pairs, model.source_vocabulary, model.target_vocabulary), range(len(pairs))
    )


def perplexity_of(loss: float) -> float:
    """Return the perplexity of a mean loss in nats a token."""
    return math.exp(loss)


def perplexities(results: Mapping, loss: PerToken) -> tuple[float, float]:
    """Return the range of the teachers' perplexities on the test set over the seeds of Table 1.

    It is widened by 2 standard errors of `loss`, which other sentences gave.
    """
    seeds = [rows[TEACHER]["perplexity"] for rows in rows_by_seed(results)]
    spread = math.exp(2.0 * loss.error)
    return min(seeds) / spread, max(seeds) * spread
