"""What lesson 10 measures on the spot with small models."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from statistics import fmean, stdev

import torch
from torch import Tensor

from seqkd_lab.corpus.batching import source_batch
from seqkd_lab.corpus.vocabulary import BOS, Vocabulary
from seqkd_lab.decoding.distribution import SamplingDistribution, draw
from seqkd_lab.decoding.sampling import DEFAULT_SAMPLING
from seqkd_lab.decoding.speculative import Round, accepted, residual, speculative_sample
from seqkd_lab.lab.shared.lesson import models as table_models
from seqkd_lab.models.architectures import build
from seqkd_lab.models.seq2seq import Seq2Seq
from seqkd_lab.runs.clock import in_turn
from seqkd_lab.runs.recipes import BASELINE, TEACHER
from seqkd_lab.runs.store import Report, silent
from seqkd_lab.studies.speculative.clock import (
    StepTime,
    measure_steps,
    round_by_round,
    seconds_per_token,
)
from seqkd_lab.studies.speculative.recipes import DEEP, DRAFTING, LEARNED_FROM
from seqkd_lab.studies.speculative.tokens import (
    Counter,
    Sources,
    drawn_pairs,
    expected_tokens,
    lengths_of,
    overlaps,
    with_ends,
)


def small_models(from_nothing: bool = False) -> tuple[Seq2Seq, dict[str, Seq2Seq]]:
    """Return Table 1's LSTM teacher as target, and as drafts its three students by what they
    learned from."""
    models = table_models((TEACHER, *LEARNED_FROM), from_nothing)
    return models[TEACHER], {name: models[name] for name in LEARNED_FROM}


@dataclass(frozen=True)
class OneWord:
    """The distributions of one next word by draft and target, p and q (V,); `tokens` names the
    words."""

    p: Tensor
    q: Tensor
    tokens: tuple[str, ...]

    @property
    def residual(self) -> Tensor:
        """The distribution (V,) from which a rejected proposal is replaced."""
        return residual(self.p, self.q)

    @property
    def acceptance(self) -> float:
        """Σ min(p, q): the probability that a proposal is accepted."""
        return float(torch.minimum(self.p, self.q).sum())


@torch.inference_mode()
def one_word(
    target: Seq2Seq,
    draft: Seq2Seq,
    source: Sequence[str],
    prefix: Sequence[str] = (),
    distribution: SamplingDistribution = DEFAULT_SAMPLING,
) -> OneWord:
    """Return both models' distributions of the word after `prefix`, the beginning of a translation
    of `source`."""

    def next_word(model: Seq2Seq) -> Tensor:
        state = model.start(*source_batch([source], model.source_vocabulary))
        read = torch.tensor([[BOS, *model.target_vocabulary.ids(prefix)]])
        logits, _ = model.step(read, state)
        return distribution(logits[0, -1])

    return OneWord(next_word(draft), next_word(target), tuple(target.target_vocabulary.tokens))


def by_the_rule(word: OneWord, n: int, seed: int = 1) -> tuple[Tensor, Tensor]:
    """Return shares (V,) of n words that came out: proposals that were accepted, and words drawn in
    the place of rejected ones."""
    generator = torch.Generator().manual_seed(seed)
    proposed = draw(word.p.expand(n, -1), generator)
    kept = accepted(word.p[proposed], word.q[proposed], torch.rand(n, generator=generator))
    again = draw(word.residual.expand(n, -1), generator)
    V = len(word.p)
    came, redrawn = proposed[kept], again[~kept]
    return torch.bincount(came, minlength=V) / n, torch.bincount(redrawn, minlength=V) / n


@dataclass(frozen=True)
class Shared:
    """Σ min(p, q) of each draft at the same places (N,), which are taken as independent."""

    by_place: Mapping[str, Tensor]

    def mean(self, draft: str) -> float:
        """Return α of the draft."""
        return float(self.by_place[draft].mean())

    def error(self, draft: str) -> float:
        """Return the standard error of that mean."""
        values = self.by_place[draft]
        return float(values.std()) / len(values) ** 0.5


def shared(
    target: Seq2Seq, drafts: Mapping[str, Seq2Seq], sources: Sources, temperature: float
) -> Shared:
    """Measure Σ min(p, q) of each draft, over the places of one translation of each source that the
    target drew."""
    distribution = SamplingDistribution(temperature)
    pairs = drawn_pairs(target, sources, distribution, seed=1)
    by_place = {
        name: torch.tensor(overlaps(target, draft, pairs, distribution))
        for name, draft in drafts.items()
    }
    return Shared(by_place)


@dataclass(frozen=True)
class Counted:
    """Tokens (EOS included) and calls of the target of each sentence that was drafted with K words
    a round; `count` holds those calls and the proposals together."""

    draft_length: int
    n_tokens: tuple[int, ...]
    n_calls: tuple[int, ...]
    count: Counter

    @property
    def mean(self) -> float:
        """Return tokens per call over all sentences."""
        return sum(self.n_tokens) / sum(self.n_calls)

    @property
    def error(self) -> float:
        """Return the standard error of that ratio, the sentences taken as independent: of the
        residuals tokens − ratio · calls."""
        residuals = [
            n_tokens - self.mean * n_calls
            for n_tokens, n_calls in zip(self.n_tokens, self.n_calls, strict=True)
        ]
        return stdev(residuals) / (fmean(self.n_calls) * len(residuals) ** 0.5)


def count_tokens(
    target: Seq2Seq,
    draft: Seq2Seq,
    sources: Sources,
    draft_lengths: Sequence[int],
    distribution: SamplingDistribution = DEFAULT_SAMPLING,
    report: Report = silent,
) -> list[Counted]:
    """Draft each source once with each K, and count by sentence."""
    found = []
    for done, K in enumerate(draft_lengths, start=1):
        count, n_tokens, n_calls = Counter(), list[int](), list[int]()
        for seed, source in enumerate(sources):
            before = count.n_calls
            drawn = speculative_sample(
                target, draft, [source], seed, K, distribution, observer=count
            )
            n_tokens += lengths_of(drawn)
            n_calls.append(count.n_calls - before)
        found.append(Counted(K, tuple(n_tokens), tuple(n_calls), count))
        report(done, len(draft_lengths))
    return found


def formulas(alpha: float, counted: Sequence[Counted]) -> dict[str, list[float]]:
    """Return tokens per call by the formula, without ends and with the ends of the counted
    sentences, for each K."""
    return {
        "1 + α + … + α^K": [expected_tokens(alpha, each.draft_length) for each in counted],
        "sentences end (ours)": [
            with_ends(alpha, each.draft_length, each.n_tokens) for each in counted
        ],
    }


def step_times(
    target: Seq2Seq,
    draft: Seq2Seq,
    source_vocabulary: Vocabulary,
    source: Sequence[str],
    n_tokens: Sequence[int],
    repetitions: int,
) -> list[StepTime]:
    """Time, on this machine with one thread, steps of the small target, its draft, and a
    Transformer of the deep target's size.

    Its weights are random: they do not change how long it takes.
    """
    deep = build(DRAFTING.deep, source_vocabulary, target.target_vocabulary).eval()
    models = {TEACHER: target, BASELINE: draft, DEEP: deep}
    return measure_steps(models, source, dict.fromkeys(models, n_tokens), repetitions)


def small_speed_ups(
    target: Seq2Seq,
    draft: Seq2Seq,
    sources: Sources,
    draft_lengths: Sequence[int],
    repetitions: int,
    report: Report = silent,
) -> dict[int, list[float]]:
    """Measure for each K times as fast as the target alone in each round, temperature 1, one
    sentence at a time; `sources` are dealt out to the rounds."""

    def timed(K: int) -> Callable[[], float]:
        """Return what times K (0: the target alone), round by round."""
        drafted = draft if K else None

        def measure(some: Sources, seed: int) -> float:
            return seconds_per_token(target, drafted, some, DEFAULT_SAMPLING, K, seed)

        return round_by_round(measure, sources, repetitions)

    own, *others = in_turn({K: timed(K) for K in (0, *draft_lengths)}, repetitions, report).values()
    return {
        K: [alone / seconds for alone, seconds in zip(own, rounds, strict=True)]
        for K, rounds in zip(draft_lengths, others, strict=True)
    }


def calls_saved(
    target: Seq2Seq,
    draft: Seq2Seq,
    sources: Sources,
    batch_sizes: Sequence[int],
    draft_length: int = 4,
) -> dict[int, float]:
    """Return calls of the target alone by its calls with a draft, when so many sentences share
    them: a batch of one length takes as many calls as its longest sentence has tokens, a drafted
    one as many as it has rounds."""
    saved = {}
    for batch_size in batch_sizes:
        n_alone, rounds = 0, list[Round]()
        for first in range(0, len(sources) - batch_size + 1, batch_size):
            batch, observer = sources[first : first + batch_size], rounds.append
            drawn = speculative_sample(target, draft, batch, first, draft_length, observer=observer)
            n_alone += max(lengths_of(drawn))
        saved[batch_size] = n_alone / len(rounds)
    return saved


def by_temperature(
    target: Seq2Seq,
    drafts: Mapping[str, Seq2Seq],
    sources: Sources,
    temperatures: Sequence[float],
    report: Report = silent,
) -> dict[str, dict[float, float]]:
    """Return α of each draft at each temperature."""
    alphas: dict[str, dict[float, float]] = {name: {} for name in drafts}
    for done, temperature in enumerate(temperatures, start=1):
        overlap = shared(target, drafts, sources, temperature)
        for name in drafts:
            alphas[name][temperature] = overlap.mean(name)
        report(done, len(temperatures))
    return alphas
