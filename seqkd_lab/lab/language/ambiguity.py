"""The ambiguity of a toy language, and what a translator must remember of its own translation.

Everything is exact, from the whole distribution over the translations of a sentence.
"""

from __future__ import annotations

import math
import random
from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, fields, replace
from statistics import fmean

from seqkd_lab.corpus.toy import Ambiguity, ToyLanguage
from seqkd_lab.corpus.toy.dataset import detokenise

Tokens = tuple[str, ...]
ALL = "all kinds"
SOURCES = tuple(field.name for field in fields(Ambiguity))
FAMILIES = {
    "free choices": ("word", "adverb"),
    "words with agreement": ("noun", "person", "verb", "prefix"),
    "decisions about the clause": ("tense", "voice", "address", "order", "connective"),
}
"""The sources of ambiguity by what follows from a choice: nothing; later words agree with it; the
whole clause or sentence is built in another way."""


def entropy(probability_of: Mapping[Tokens, float]) -> float:
    """Return H in nats of a distribution over translations."""
    return -math.fsum(p * math.log(p) for p in probability_of.values() if p > 0.0)


def surprises(
    probability_of: Mapping[Tokens, float], translation: Tokens
) -> tuple[list[float], list[float]]:
    """Return −ln p (nats) of each word of a possible translation, for a translator who remembers
    and for one who forgets.

    The first knows all words before; the second only the place in the sentence and the one word
    before. Both know the source and choose by the true probabilities.
    """
    remembering, forgetting = [], []
    for n, word in enumerate(translation):
        last = slice(max(0, n - 1), n)  # the one word before
        alike = {
            t: p for t, p in probability_of.items() if len(t) > n and t[last] == translation[last]
        }
        same = {t: p for t, p in alike.items() if t[:n] == translation[:n]}
        remembering.append(_surprise(same, n, word))
        forgetting.append(_surprise(alike, n, word))
    return remembering, forgetting


def _surprise(possible: Mapping[Tokens, float], n: int, word: str) -> float:
    """Return −ln of the share of the translations whose word `n` is `word`."""
    mass = math.fsum(p for t, p in possible.items() if t[n] == word)
    return max(0.0, math.log(math.fsum(possible.values()) / mass))


def cost_of_forgetting(probability_of: Mapping[Tokens, float]) -> float:
    """Return the nats a sentence that a translator loses who forgets its choices: its cross-entropy
    − H, ≥ 0.

    The end counts as a word. 0 where every word follows from the source, its place and the word
    before.
    """
    after: dict[tuple, float] = defaultdict(float)
    both: dict[tuple, float] = defaultdict(float)
    for translation, p in probability_of.items():
        steps = zip(("<s>", *translation), (*translation, "</s>"), strict=True)
        for n, (before, word) in enumerate(steps):
            after[n, before] += p
            both[n, before, word] += p
    cross_entropy = -math.fsum(
        p * math.log(p / after[n, before]) for (n, before, _), p in both.items()
    )
    return max(0.0, cross_entropy - entropy(probability_of))


@dataclass(frozen=True)
class Measures:
    """Means over sentences: entropy and cost of forgetting (nats), number of translations,
    probability of the mode."""

    entropy: float
    forgetting: float
    n_translations: float
    p_mode: float


def measure(language: ToyLanguage, sources: Sequence[Tokens]) -> Measures:
    """Return the Measures of the language over some source sentences."""
    distributions = [language.targets(source) for source in sources]
    return Measures(
        fmean(map(entropy, distributions)),
        fmean(map(cost_of_forgetting, distributions)),
        fmean(map(len, distributions)),
        fmean(max(targets.values()) for targets in distributions),
    )


def with_strength(name: str, strength: float) -> Ambiguity:
    """Return the full ambiguity with one source (or ALL) at `strength`. Raise ValueError for a name
    that is no source."""
    if name == ALL:
        return Ambiguity(**dict.fromkeys(SOURCES, strength))
    if name not in SOURCES:
        raise ValueError(
            f"{name!r} is no source of ambiguity; choose {ALL} or one of {', '.join(SOURCES)}"
        )
    return replace(Ambiguity(), **{name: strength})


@dataclass(frozen=True)
class Setting:
    """A language with one source at some strength: its measures, and targets of the shown sentence.

    likely: the most probable translations, each with its probability; drawn: as a corpus would have
    them.
    """

    measures: Measures
    likely: tuple[tuple[str, float], ...]
    drawn: tuple[str, ...]


@dataclass(frozen=True)
class Sweep:
    """Every source of ambiguity (and ALL together) at every strength, the others full."""

    shown: Tokens
    n_sentences: int
    strengths: tuple[float, ...]
    settings: Mapping[tuple[str, float], Setting]

    @property
    def names(self) -> tuple[str, ...]:
        return tuple(dict.fromkeys(name for name, _ in self.settings))

    def values(self, name: str, of: str) -> list[float]:
        """Return one measure of a source at each strength."""
        return [getattr(self.settings[name, strength].measures, of) for strength in self.strengths]

    def saved(self, name: str, of: str) -> float:
        """Return how much of a measure goes when the source is switched off."""
        values = self.values(name, of)
        return values[-1] - values[0]


def sweep(
    shown: Tokens,
    sources: Sequence[Tokens],
    strengths: Sequence[float] = (0.0, 0.25, 0.5, 0.75, 1.0),
    n_likely: int = 6,
    n_drawn: int = 5,
    watch: Callable[[int, int], None] | None = None,
) -> Sweep:
    """Measure the language at every setting over `sources`; call `watch` with (done, total)
    settings.

    Raise ValueError unless the strengths rise from 0 to 1.
    """
    strengths = tuple(strengths)
    if (strengths[0], strengths[-1]) != (0.0, 1.0) or list(strengths) != sorted(set(strengths)):
        raise ValueError(f"strengths must rise from 0 to 1; got {strengths}")
    full = _setting(ToyLanguage(), shown, sources, n_likely, n_drawn)  # the same for every source
    wanted = [(name, strength) for name in (ALL, *SOURCES) for strength in strengths]
    settings = {}
    for done, (name, strength) in enumerate(wanted, start=1):
        language = ToyLanguage(with_strength(name, strength))
        settings[name, strength] = (
            full if strength == 1.0 else _setting(language, shown, sources, n_likely, n_drawn)
        )
        if watch is not None:
            watch(done, len(wanted))
    return Sweep(tuple(shown), len(sources), strengths, settings)


def _setting(
    language: ToyLanguage, shown: Tokens, sources: Sequence[Tokens], n_likely: int, n_drawn: int
) -> Setting:
    """Measure one language."""
    targets = language.targets(shown)
    likely = sorted(targets.items(), key=lambda item: (-item[1], item[0]))[:n_likely]
    drawn = [
        detokenise(language.sample_target(shown, random.Random(seed))) for seed in range(n_drawn)
    ]
    return Setting(
        measure(language, sources), tuple((detokenise(t), p) for t, p in likely), tuple(drawn)
    )


def some_sources(n: int, seed: int = 1) -> list[Tokens]:
    """Draw `n` source sentences of the language, as the corpus does."""
    language, chance = ToyLanguage(), random.Random(seed)
    return [language.sample_source(chance) for _ in range(n)]
