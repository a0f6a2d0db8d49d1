"""Measures of lesson 01: the ticket's draws and choices, and the cost of forgetting each kind of
choice."""

from __future__ import annotations

import math
import random
from collections import Counter, defaultdict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from statistics import fmean, stdev

from seqkd_lab.corpus.toy import ToyLanguage
from seqkd_lab.lab.language.ambiguity import SOURCES, Tokens, cost_of_forgetting, entropy
from seqkd_lab.lab.language.kinds import alone
from seqkd_lab.lab.shared.predictions import CANNOT_TELL, decided
from seqkd_lab.lab.shared.showing import Expectation, should_see

SIZES = ("fewer than 10", "10 to 49", "50 to 199", "200 or more")


def size_of(n_translations: int) -> str:
    """Return the one of SIZES that a number of translations belongs to."""
    return SIZES[sum(n_translations >= least for least in (10, 50, 200))]


def draws(language: ToyLanguage, source: Tokens, n: int, seed: int = 7) -> list[Tokens]:
    """Draw `n` translations of `source`, as a corpus would have them."""
    chance = random.Random(seed)
    return [language.sample_target(source, chance) for _ in range(n)]


def expected_share(drawn: Sequence[Tokens], probability_of: Mapping[Tokens, float]) -> Expectation:
    """Compare the mode's share of the draws with its probability."""
    mode = max(probability_of, key=probability_of.__getitem__)
    p = probability_of[mode]
    error = math.sqrt(p * (1.0 - p) / len(drawn))
    return should_see(
        "the mode's share of the draws",
        Counter(drawn)[mode] / len(drawn),
        p - 3.0 * error,
        p + 3.0 * error,
        f"p(mode) ± 3 standard errors of {len(drawn):,} draws",
    )


def expected_surprise(
    drawn: Sequence[Tokens], probability_of: Mapping[Tokens, float]
) -> Expectation:
    """Compare the mean surprise of the draws with the entropy."""
    surprises = [-math.log(probability_of[translation]) for translation in drawn]
    H, error = entropy(probability_of), stdev(surprises) / math.sqrt(len(surprises))
    return should_see(
        "the mean surprise of the draws",
        fmean(surprises),
        H - 3.0 * error,
        H + 3.0 * error,
        f"the entropy ± 3 standard errors of {len(drawn):,} draws",
    )


@dataclass(frozen=True)
class Cost:
    """One kind of choice alone: entropy and cost of forgetting (nats) of each sentence."""

    entropy: tuple[float, ...]
    forgetting: tuple[float, ...]

    @property
    def n_sentences_with(self) -> int:
        """The number of sentences that have such a choice."""
        return sum(value > 0.0 for value in self.entropy)


@dataclass(frozen=True)
class Costs:
    """Every kind alone, and all of them together, over the same sentences."""

    of: Mapping[str, Cost]
    together: Cost

    @property
    def n_sentences(self) -> int:
        return len(self.together.entropy)

    def mean(self, name: str, measure: str) -> float:
        """Return the mean of "entropy" or "forgetting" over the sentences."""
        return fmean(getattr(self.of[name], measure))

    def total(self, measure: str) -> float:
        """Return the mean of a measure where all kinds are at work together."""
        return fmean(getattr(self.together, measure))

    def largest(self, names: Sequence[str], measure: str) -> str:
        """Return the kind of `names` that has the most of a measure; CANNOT_TELL where the
        sentences do not decide."""
        pairs = decided({name: getattr(self.of[name], measure) for name in names})
        larger = Counter(name for name, _ in pairs)
        return next((name for name in names if larger[name] == len(names) - 1), CANNOT_TELL)


def cost(language: ToyLanguage, sources: Sequence[Tokens]) -> Cost:
    """Measure a language over some source sentences."""
    targets = [language.targets(source) for source in sources]
    return Cost(tuple(map(entropy, targets)), tuple(map(cost_of_forgetting, targets)))


def costs(
    sources: Sequence[Tokens], watch: Callable[[int, int], None] = lambda done, total: None
) -> Costs:
    """Measure every kind alone, then all together; call `watch` with (done, total) languages."""
    of = {}
    for name in SOURCES:
        of[name] = cost(ToyLanguage(alone(name)), sources)
        watch(len(of), len(SOURCES) + 1)
    together = cost(ToyLanguage(), sources)
    watch(len(SOURCES) + 1, len(SOURCES) + 1)
    return Costs(of, together)


def next_of_the_forgetful(
    probability_of: Mapping[Tokens, float], n: int, before: str
) -> dict[str, float]:
    """Return the distribution of word `n` (from 0) for a translator who remembers only the word
    before; "</s>" is the end."""
    mass: dict[str, float] = defaultdict(float)
    for translation, p in probability_of.items():
        if len(translation) >= n and translation[n - 1] == before:
            mass[(*translation, "</s>")[n]] += p
    total = sum(mass.values())
    ranked = sorted(mass.items(), key=lambda item: -item[1])
    return {word: p / total for word, p in ranked}
