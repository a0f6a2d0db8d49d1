"""What lesson 10 measures on the spot with small models, and how it reads the results of the large
target."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from statistics import fmean, median

import pandas
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
    OWN,
    StepTime,
    check_cost,
    cost,
    measure_steps,
    seconds_per_token,
)
from seqkd_lab.studies.speculative.recipes import DRAFTING, LEARNED_FROM
from seqkd_lab.studies.speculative.results import DraftingResults
from seqkd_lab.studies.speculative.tables import speed_ups
from seqkd_lab.studies.speculative.tokens import (
    DraftedTokens,
    Sources,
    drawn_pairs,
    lengths_of,
    overlaps,
    with_ends,
)

LARGE = "Transformer, random weights"


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
        """The distribution (V,) from which a refused proposal is replaced."""
        return residual(self.p, self.q)

    @property
    def stands(self) -> float:
        """Σ min(p, q): the probability that a proposal stands."""
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
    """Return shares (V,) of n words that came out: those proposed that stood, and those drawn in
    the place of refused ones."""
    generator = torch.Generator().manual_seed(seed)
    proposed = draw(word.p.expand(n, -1), generator)
    stands = accepted(word.p[proposed], word.q[proposed], torch.rand(n, generator=generator))
    again = draw(word.residual.expand(n, -1), generator)
    V = len(word.p)
    stood, redrawn = proposed[stands], again[~stands]
    return torch.bincount(stood, minlength=V) / n, torch.bincount(redrawn, minlength=V) / n


@dataclass(frozen=True)
class Shared:
    """Σ min(p, q) of each draft at the same places (N,), which are taken as independent."""

    by_place: Mapping[str, Tensor]

    def mean(self, draft: str) -> float:
        """Return α of the draft."""
        return float(self.by_place[draft].mean())

    def lead(self, draft: str) -> tuple[float, float]:
        """Return α of `draft` minus that of the best other, and the standard error of the
        difference, place by place."""
        other = max((name for name in self.by_place if name != draft), key=self.mean)
        difference = self.by_place[draft] - self.by_place[other]
        return float(difference.mean()), float(difference.std() / len(difference) ** 0.5)


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


STANDINGS = ("still last", "level with the best other", "ahead of both others")


def standing(overlap: Shared, draft: str) -> str:
    """Say where a draft stands among the others, one of STANDINGS: level where two standard errors
    leave it open."""
    lead, error = overlap.lead(draft)
    last, level, ahead = STANDINGS
    if abs(lead) <= 2.0 * error:
        return level
    if lead > 0.0:
        return ahead
    return last if min(overlap.by_place, key=overlap.mean) == draft else level


def step_times(
    target: Seq2Seq,
    draft: Seq2Seq,
    source_vocabulary: Vocabulary,
    source: Sequence[str],
    n_tokens: Sequence[int],
    repetitions: int,
) -> list[StepTime]:
    """Time, on this machine with one thread, steps of the small target, its draft, and a
    Transformer of the large target's size.

    Its weights are random: they do not change how long it takes.
    """
    large = build(DRAFTING.target, source_vocabulary, target.target_vocabulary).eval()
    models = {TEACHER: target, BASELINE: draft, LARGE: large}
    return measure_steps(models, source, n_tokens, (1,), repetitions)


def small_speed_ups(
    target: Seq2Seq,
    draft: Seq2Seq,
    sources: Sources,
    draft_lengths: Sequence[int],
    repetitions: int,
    report: Report = silent,
) -> dict[int, list[float]]:
    """Measure for each K times as fast as the target alone in each round, temperature 1, one
    sentence at a time."""
    jobs = {0: partial(seconds_per_token, target, None, sources, DEFAULT_SAMPLING)} | {
        K: partial(seconds_per_token, target, draft, sources, DEFAULT_SAMPLING, K)
        for K in draft_lengths
    }
    own, *drafted = in_turn(jobs, repetitions, report).values()
    return {
        K: [alone / seconds for alone, seconds in zip(own, rounds, strict=True)]
        for K, rounds in zip(draft_lengths, drafted, strict=True)
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


def tokens_at(
    tokens: Sequence[DraftedTokens], draft: str, temperature: float
) -> dict[int, DraftedTokens]:
    """Return what was measured of a draft at a temperature, by K."""
    return {
        drafted.draft_length: drafted
        for drafted in tokens
        if (drafted.draft, drafted.temperature) == (draft, temperature)
    }


def refined_speed_up(drafted: DraftedTokens, steps: Sequence[StepTime], threads: int) -> float:
    """Return what the formula says with sentences that end, and with the measured price of checking
    K + 1 tokens at once (ours)."""
    K = drafted.draft_length
    drafting = K * cost(steps, drafted.draft, TEACHER, threads)
    checking = check_cost(steps, TEACHER, K, threads)
    return with_ends(drafted.overlap, K, drafted.lengths) / (drafting + checking)


def clock_of(
    results: DraftingResults, draft: str, temperature: float, threads: int
) -> dict[int, list[float]]:
    """Return by K times as fast as the target alone, in each round; those with a fixed K."""
    ways = speed_ups(results.clock, threads, temperature)
    return {
        K: values for (name, K, adaptive), values in ways.items() if name == draft and not adaptive
    }


def best_length(results: DraftingResults, draft: str, temperature: float, threads: int) -> int:
    """Return the K that is fastest by the clock (median of the rounds)."""
    clock = clock_of(results, draft, temperature, threads)
    return max(clock, key=lambda K: median(clock[K]))


def payoff_frame(results: DraftingResults, threads: int) -> pandas.DataFrame:
    """Return for each draft at each temperature: α, c, the best K by the clock, times as fast
    there, with K that adapts itself, and the largest K that still pays ("none" where it never
    does)."""

    def line(draft: str, temperature: float) -> dict[str, object]:
        """Return one row of the table: a draft at a temperature."""
        ways = speed_ups(results.clock, threads, temperature)
        changing = next(ways[way] for way in ways if way[0] == draft and way[2])
        clock = clock_of(results, draft, temperature, threads)
        best = best_length(results, draft, temperature, threads)
        counts = tokens_at(results.tokens, draft, temperature).values()
        return {
            "temperature": f"{temperature:g}",
            "draft": draft,
            "α": f"{fmean(drafted.overlap for drafted in counts):.3f}",
            "c": f"{cost(results.steps, draft, TEACHER, threads):.3f}",
            "best K": best,
            "times as fast": f"{median(clock[best]):.2f}",
            "adaptive": f"{median(changing):.2f}",
            "pays up to K": max(
                (K for K, values in clock.items() if median(values) > 1.0), default="none"
            ),
        }

    drafts = dict.fromkeys(time.draft for time in results.clock if time.draft != OWN)
    temperatures = dict.fromkeys(time.temperature for time in results.clock)
    lines = [line(draft, temperature) for temperature in temperatures for draft in drafts]
    return pandas.DataFrame(lines).set_index(["temperature", "draft"])
