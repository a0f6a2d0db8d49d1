"""What lesson 10 measures on the spot with small models, and how it reads the results of the large
target."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from statistics import fmean, median

import pandas as pd
import torch
from torch import Tensor

from seqkd_lab.corpus.batching import source_batch
from seqkd_lab.corpus.vocabulary import BOS, Vocabulary
from seqkd_lab.decoding.distribution import SamplingDistribution, draw
from seqkd_lab.decoding.sampling import DEFAULT_SAMPLING
from seqkd_lab.decoding.speculative import accepted, residual, speculative_sample
from seqkd_lab.lab.shared.lesson import models as table_models
from seqkd_lab.models.architectures import build
from seqkd_lab.models.seq2seq import Seq2Seq
from seqkd_lab.runs.clock import in_turn
from seqkd_lab.runs.recipes import BASELINE, TEACHER
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
from seqkd_lab.studies.speculative.tokens import (
    DraftedTokens,
    Sources,
    drawn_pairs,
    lengths_of,
    overlaps,
    with_ends,
)
from seqkd_lab.studies.speculative.verdict import speed_ups

LARGE = "Transformer, random weights"
Watch = Callable[[int, int], None]
"""Hears (done, total)."""


def small_models(from_nothing: bool = False) -> tuple[Seq2Seq, dict[str, Seq2Seq]]:
    """Table 1's LSTM teacher as target, and as drafts its three students by what they learned
    from."""
    models = table_models((TEACHER, *LEARNED_FROM), from_nothing)
    return models[TEACHER], {name: models[name] for name in LEARNED_FROM}


@dataclass(frozen=True)
class OneWord:
    """The law of one next word by draft and target, p and q (V,); `tokens` names the words."""

    p: Tensor
    q: Tensor
    tokens: tuple[str, ...]

    @property
    def residual(self) -> Tensor:
        """(V,) what a refused proposal is replaced from."""
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
    """What both say of the word after `prefix`, the beginning of a translation of `source`."""
    distributions = []
    for model in (draft, target):
        state = model.start(*source_batch([source], model.source_vocabulary))
        read = torch.tensor([[BOS, *model.target_vocabulary.ids(prefix)]])
        logits, _ = model.step(read, state)
        distributions.append(distribution(logits[0, -1]))
    return OneWord(*distributions, tuple(target.target_vocabulary.tokens))


def by_the_rule(word: OneWord, n: int, seed: int = 1) -> tuple[Tensor, Tensor]:
    """Shares (V,) of n words that came out, those proposed that stood, and those drawn in the place
    of refused ones."""
    generator = torch.Generator().manual_seed(seed)
    proposed = draw(word.p.expand(n, -1), generator)
    stands = accepted(word.p[proposed], word.q[proposed], torch.rand(n, generator=generator))
    again = draw(word.residual.expand(n, -1), generator)
    V = len(word.p)
    return (
        torch.bincount(proposed[stands], minlength=V) / n,
        torch.bincount(again[~stands], minlength=V) / n,
    )


@dataclass(frozen=True)
class Shared:
    """Σ min(p, q) of each draft at the same places (N,), which are taken as independent."""

    by_place: Mapping[str, Tensor]

    def mean(self, draft: str) -> float:
        """α of the draft."""
        return float(self.by_place[draft].mean())

    def lead(self, draft: str) -> tuple[float, float]:
        """α of `draft` minus that of the best other, and the standard error of the difference,
        place by place."""
        other = max((name for name in self.by_place if name != draft), key=self.mean)
        difference = self.by_place[draft] - self.by_place[other]
        return float(difference.mean()), float(difference.std() / len(difference) ** 0.5)


def shared(
    target: Seq2Seq, drafts: Mapping[str, Seq2Seq], sources: Sources, temperature: float
) -> Shared:
    """Of each draft, over the places of one translation of each source that the target drew."""
    distribution = SamplingDistribution(temperature)
    pairs = drawn_pairs(target, sources, distribution, seed=1)
    return Shared(
        {
            name: torch.tensor(overlaps(target, draft, pairs, distribution))
            for name, draft in drafts.items()
        }
    )


STANDINGS = ("still last", "level with the best other", "ahead of both others")


def standing(found: Shared, draft: str) -> str:
    """Where a draft stands among the others, one of STANDINGS: level where two standard errors
    leave it open."""
    lead, error = found.lead(draft)
    if abs(lead) <= 2.0 * error:
        return STANDINGS[1]
    if lead > 0.0:
        return STANDINGS[2]
    return STANDINGS[0] if min(found.by_place, key=found.mean) == draft else STANDINGS[1]


def step_times(
    target: Seq2Seq,
    draft: Seq2Seq,
    source_vocabulary: Vocabulary,
    source: Sequence[str],
    n_tokens: Sequence[int],
    repetitions: int,
) -> list[StepTime]:
    """On this machine, one thread: steps of the small target, its draft, and a Transformer of the
    large target's size.

    Its weights are random: the clock does not ask what they are.
    """
    large = build(DRAFTING.target, source_vocabulary, target.target_vocabulary).eval()
    return measure_steps(
        {TEACHER: target, BASELINE: draft, LARGE: large}, source, n_tokens, (1,), repetitions
    )


def small_speed_ups(
    target: Seq2Seq,
    draft: Seq2Seq,
    sources: Sources,
    draft_lengths: Sequence[int],
    repetitions: int,
    watch: Watch | None = None,
) -> dict[int, list[float]]:
    """For each K: times as fast as the target alone in each round, temperature 1, one sentence at a
    time."""
    jobs = {0: partial(seconds_per_token, target, None, sources, DEFAULT_SAMPLING)} | {
        K: partial(seconds_per_token, target, draft, sources, DEFAULT_SAMPLING, K, False)
        for K in draft_lengths
    }
    seconds = in_turn(jobs, repetitions, watch)
    return {
        K: [own / drafted for own, drafted in zip(seconds[0], seconds[K], strict=True)]
        for K in draft_lengths
    }


def calls_saved(
    target: Seq2Seq,
    draft: Seq2Seq,
    sources: Sources,
    batch_sizes: Sequence[int],
    draft_length: int = 4,
) -> dict[int, float]:
    """Calls of the target alone by its calls with a draft, when so many sentences share them: a
    batch of one length takes as many calls as its longest sentence has tokens, a drafted one as
    many as it has rounds."""
    found = {}
    for batch_size in batch_sizes:
        alone, rounds = 0, []
        for first in range(0, len(sources) - batch_size + 1, batch_size):
            batch = sources[first : first + batch_size]
            drawn = speculative_sample(
                target, draft, batch, first, draft_length, observer=rounds.append
            )
            alone += max(lengths_of(drawn))
        found[batch_size] = alone / len(rounds)
    return found


def by_temperature(
    target: Seq2Seq,
    drafts: Mapping[str, Seq2Seq],
    sources: Sources,
    temperatures: Sequence[float],
    watch: Watch | None = None,
) -> dict[str, dict[float, float]]:
    """α of each draft at each temperature."""
    found: dict[str, dict[float, float]] = {name: {} for name in drafts}
    for done, temperature in enumerate(temperatures, start=1):
        here = shared(target, drafts, sources, temperature)
        for name in drafts:
            found[name][temperature] = here.mean(name)
        if watch is not None:
            watch(done, len(temperatures))
    return found


def tokens_at(
    results: Sequence[DraftedTokens], draft: str, temperature: float
) -> dict[int, DraftedTokens]:
    """What was measured of a draft at a temperature, by K."""
    return {
        one.draft_length: one
        for one in results
        if (one.draft, one.temperature) == (draft, temperature)
    }


def refined_speed_up(one: DraftedTokens, steps: Sequence[StepTime], threads: int) -> float:
    """Ours: the formula with sentences that end, and with the measured price of checking K + 1
    tokens at once."""
    price = one.draft_length * cost(steps, one.draft, TEACHER, threads)
    return with_ends(one.overlap, one.draft_length, one.lengths) / (
        price + check_cost(steps, TEACHER, one.draft_length, threads)
    )


def clock_of(
    results: DraftingResults, draft: str, temperature: float, threads: int
) -> dict[int, list[float]]:
    """By K: times as fast as the target alone, in each round; those with a fixed K."""
    found = speed_ups(results.clock, threads, temperature)
    return {
        K: values for (name, K, adaptive), values in found.items() if name == draft and not adaptive
    }


def best_length(results: DraftingResults, draft: str, temperature: float, threads: int) -> int:
    """The K that is fastest by the clock (median of the rounds)."""
    found = clock_of(results, draft, temperature, threads)
    return max(found, key=lambda K: median(found[K]))


def payoff_frame(results: DraftingResults, threads: int) -> pd.DataFrame:
    """Each draft at each temperature: α, c, the best K by the clock, times as fast there, with K
    that adapts itself, and the largest K that still pays ("none" where it never does)."""
    rows = []
    for temperature in dict.fromkeys(one.temperature for one in results.clock):
        changing = {
            name: values
            for (name, _, adaptive), values in speed_ups(
                results.clock, threads, temperature
            ).items()
            if adaptive
        }
        for draft in dict.fromkeys(one.draft for one in results.clock if one.draft != OWN):
            clock = clock_of(results, draft, temperature, threads)
            paying = [K for K, values in clock.items() if median(values) > 1.0]
            best = best_length(results, draft, temperature, threads)
            alpha = fmean(
                one.overlap for one in tokens_at(results.tokens, draft, temperature).values()
            )
            rows.append(
                {
                    "temperature": f"{temperature:g}",
                    "draft": draft,
                    "α": f"{alpha:.3f}",
                    "c": f"{cost(results.steps, draft, TEACHER, threads):.3f}",
                    "best K": best,
                    "times as fast": f"{median(clock[best]):.2f}",
                    "adaptive": f"{median(changing[draft]):.2f}",
                    "pays up to K": max(paying, default="none"),
                }
            )
    return pd.DataFrame(rows).set_index(["temperature", "draft"])
