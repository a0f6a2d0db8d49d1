"""What lesson 04 measures on trained models: Word-KD losses, the size of the pull over τ, and what
softening wastes."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from seqkd_lab.corpus.batching import Batch, encode, make_batch
from seqkd_lab.corpus.parallel import ParallelCorpus
from seqkd_lab.corpus.toy import ToyLanguage
from seqkd_lab.corpus.vocabulary import EOS, PAD, Vocabulary
from seqkd_lab.distillation.losses import BalancedWordKD, mean_over_tokens, pull, word_kd
from seqkd_lab.lab.shared.next_words import SentenceReading
from seqkd_lab.lab.word_kd.mixing import gold_id, mixture_at
from seqkd_lab.models.seq2seq import Seq2Seq
from seqkd_lab.runs.recipes import BASELINE, TEACHER

TEMPERATURES = (0.25, 0.35, 0.5, 0.7, 1.0, 1.4, 2.0, 2.8, 4.0, 5.6, 8.0)


def whole_batch(
    models: Mapping[str, Seq2Seq], corpus: ParallelCorpus
) -> tuple[Batch, dict[str, Tensor]]:
    """Returns all of `corpus` as one batch, and each model's logits (B, T, V) along its targets."""
    teacher = models[TEACHER]
    encoded = encode(corpus, teacher.source_vocabulary, teacher.target_vocabulary)
    batch = make_batch(encoded, list(range(len(corpus))))
    with torch.no_grad():
        return batch, {name: model(batch) for name, model in models.items()}


def word_kd_losses(models: Mapping[str, Seq2Seq], corpus: ParallelCorpus) -> dict[str, float]:
    """Returns each model's Word-KD loss along gold at τ = 1, in nats a token; the teacher's own is
    its entropy."""
    batch, logits = whole_batch(models, corpus)
    return {
        name: word_kd(logits[name], logits[TEACHER], batch.target_out).item() for name in models
    }


@dataclass(frozen=True)
class Pulls:
    """The size of Word-KD's gradient, the mean over tokens of Σ_k |∂/∂z_k|, at each of
    `temperatures`.

    with_factor: of `word_kd`, which has the factor τ². without: of the same without τ². balanced:
    of BalancedWordKD at α = 1. limit: what `with_factor` tends to as τ grows, the mean over tokens
    of Σ_k |z_k − v_k| / V with centred logits z and v (Hinton et al. 2015, section 2.1).
    """

    temperatures: tuple[float, ...]
    with_factor: tuple[float, ...]
    without: tuple[float, ...]
    balanced: tuple[float, ...]
    limit: float

    def ratio(self, tau: float) -> float:
        """Returns how many times the pull at `tau` is that at τ = 1, with the factor τ²."""
        return self.at(tau) / self.at(1.0)

    def at(self, tau: float) -> float:
        """Returns the pull at `tau`, with the factor τ²."""
        return self.with_factor[self.temperatures.index(tau)]


def pulls(
    models: Mapping[str, Seq2Seq],
    corpus: ParallelCorpus,
    student: str = BASELINE,
    temperatures: Sequence[float] = TEMPERATURES,
) -> Pulls:
    """Measures the pull of the teacher on one student along the targets of `corpus`, over τ."""
    batch, logits = whole_batch({name: models[name] for name in (TEACHER, student)}, corpus)
    z, v, target = logits[student], logits[TEACHER], batch.target_out
    sizes = [float(pull(z, v, target, tau)) for tau in temperatures]
    balanced = tuple(
        _size_by_autograd(BalancedWordKD(1.0, tau), z, batch, v) for tau in temperatures
    )
    apart = (z - z.mean(dim=2, keepdim=True)) - (v - v.mean(dim=2, keepdim=True))
    limit = float(mean_over_tokens(apart.abs().mean(dim=2), target))
    without = tuple(size / tau**2 for size, tau in zip(sizes, temperatures, strict=True))
    return Pulls(tuple(temperatures), tuple(sizes), without, balanced, limit)


def pull_by_autograd(
    models: Mapping[str, Seq2Seq], corpus: ParallelCorpus, tau: float, student: str = BASELINE
) -> float:
    """Returns the pull that autograd finds for `word_kd` at `tau`: a check of the formula τ Σ_k
    |p_τ(k) − q_τ(k)|."""
    batch, logits = whole_batch({name: models[name] for name in (TEACHER, student)}, corpus)
    return _size_by_autograd(
        lambda z, batch, v: word_kd(z, v, batch.target_out, tau),
        logits[student],
        batch,
        logits[TEACHER],
    )


def _size_by_autograd(objective: Callable, z: Tensor, batch: Batch, v: Tensor) -> float:
    """The mean over real tokens of Σ_k |∂ objective / ∂ z_k|; z and v are the student's and the
    teacher's logits."""
    z = z.clone().requires_grad_()
    (gradient,) = torch.autograd.grad(objective(z, batch, v) * batch.n_tokens, z)
    return float(mean_over_tokens(gradient.abs().sum(dim=2), batch.target_out))


@dataclass(frozen=True)
class Waste:
    """What goes to next words that the language rules out at one τ, mean over positions after
    gold's words.

    target: their probability in the teacher's soft target. pull: their share of Σ_k |∂/∂z_k| on a
    student.
    """

    target: float
    pull: float


def softening_waste(
    models: Mapping[str, Seq2Seq],
    corpus: ParallelCorpus,
    language: ToyLanguage,
    temperatures: Sequence[float],
    student: str = BASELINE,
) -> dict[float, Waste]:
    """Measures, by τ, what softening gives to impossible next words, in the soft target and in the
    gradient."""
    batch, logits = whole_batch({name: models[name] for name in (TEACHER, student)}, corpus)
    real = batch.target_out != PAD
    possible = possible_words(
        corpus, language, models[TEACHER].target_vocabulary, batch.target_out.shape[1]
    )[real]
    z, v = logits[student][real], logits[TEACHER][real]
    wasted = {}
    for tau in temperatures:
        p, q = (z / tau).softmax(dim=1), (v / tau).softmax(dim=1)
        gradient = (p - q).abs()
        on_impossible = float(gradient.masked_fill(possible, 0.0).sum() / gradient.sum())
        wasted[tau] = Waste(float(q.masked_fill(possible, 0.0).sum(dim=1).mean()), on_impossible)
    return wasted


def possible_words(
    corpus: ParallelCorpus, language: ToyLanguage, vocabulary: Vocabulary, n_positions: int
) -> Tensor:
    """Returns (B, T, V): whether the language allows word k after gold's first t words; nothing
    after the end."""
    allowed = torch.zeros(len(corpus), n_positions, len(vocabulary), dtype=torch.bool)
    for b, (source, gold) in enumerate(zip(corpus.source, corpus.target, strict=True)):
        for t in range(len(gold) + 1):
            words = language.next_token(source, gold[:t])
            allowed[
                b, t, [EOS if word == "</s>" else vocabulary.ids([word])[0] for word in words]
            ] = True
    return allowed


@dataclass(frozen=True)
class WordGradient:
    """One word at one position: the teacher's and the student's probability of it, and its gradient
    at α = 0 and 1."""

    word: str
    teacher: float
    student: float
    at_gold_alone: float
    at_teacher_alone: float

    @property
    def turns_at(self) -> float | None:
        """The α at which the gradient is 0; None where it keeps its sign from 0 to 1."""
        if self.at_gold_alone * self.at_teacher_alone >= 0.0:
            return None
        return self.at_gold_alone / (self.at_gold_alone - self.at_teacher_alone)


def word_gradient_at(
    reading: SentenceReading, position: int, word: str, student: str = BASELINE
) -> WordGradient:
    """Returns what happens to the logit of `word` before target word `position`, at τ = 1."""
    word_id = EOS if word == "</s>" else reading.vocabulary.ids([word])[0]
    gold_alone, teacher_alone = (
        mixture_at(reading, position, student, alpha, 1.0) for alpha in (0.0, 1.0)
    )
    return WordGradient(
        word,
        float(teacher_alone.soft[word_id]),
        float(gold_alone.student[word_id]),
        float(gold_alone.gradient[word_id]),
        float(teacher_alone.gradient[word_id]),
    )


def turning_words(
    reading: SentenceReading, student: str = BASELINE, least: float = 0.05
) -> list[tuple[int, WordGradient]]:
    """Returns (position, word) of the words other than gold whose gradient turns between α = 0 and
    α = 1.

    Only words to which the teacher gives at least `least` count.
    """
    turning = []
    for position in range(len(reading)):
        likely = (reading.log_prob[TEACHER][position].exp() >= least).nonzero().flatten().tolist()
        for word_id in likely:
            if word_id != gold_id(reading, position):
                gradient = word_gradient_at(
                    reading, position, reading.vocabulary.tokens[word_id], student
                )
                turning += [(position, gradient)] if gradient.turns_at is not None else []
    return turning
