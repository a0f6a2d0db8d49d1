"""The truth with a short memory: the best that anyone can do who sees the source and the last few words only.

A translator that remembers w words chooses its next word from the source, its place in the sentence and the last w
words, the begin symbol among them: just what a Transformer of one layer with `memory=w` reads. The exact distribution
is a sum over all valid translations, so it can be had for sources that do not have too many.
"""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

from seqkd_lab.corpus.toy.language import EOS, ToyLanguage

BEGIN = "<s>"
"""What stands before the first word, and counts as one of the words that are remembered."""
LIMIT = 5_000
"""The most translations that a source may have."""
Tokens = tuple[str, ...]
Window = tuple[int, Tokens]
"""How many words are written, and the last of them that are remembered."""


@dataclass(frozen=True)
class LimitedTruth:
    """The true distribution over the translations of one source, as a translator knows it that remembers `memory` words
    (None: all).

    targets: every valid translation with its probability.
    """

    source: Tokens
    targets: dict[Tokens, float]
    memory: int | None

    @classmethod
    def of(
        cls, language: ToyLanguage, source: Sequence[str], memory: int | None, limit: int = LIMIT
    ) -> LimitedTruth:
        """Enumerate the translations of `source`.

        Raises ValueError where there are more than `limit`, for a source that the language does not have, and for a
        memory below 1.
        """
        if memory is not None and memory < 1:
            raise ValueError(f"memory must be at least 1 word, or None for all; got {memory}")
        return cls(tuple(source), language.targets(source, limit), memory)

    def window(self, prefix: Sequence[str]) -> Window:
        """Return what is known after `prefix`: how many words it has, and the last `memory` of them."""
        known = (BEGIN, *prefix)
        return len(prefix), known if self.memory is None else known[-self.memory :]

    @cached_property
    def _mass(self) -> dict[Window, dict[str, float]]:
        """The probability of each next word together with the window before it: Σ p(target) over the targets that have
        both."""
        mass: dict[Window, dict[str, float]] = defaultdict(lambda: defaultdict(float))
        for target, p in self.targets.items():
            for place, word in enumerate((*target, EOS)):
                mass[self.window(target[:place])][word] += p
        return mass

    def next_token(self, prefix: Sequence[str]) -> dict[str, float]:
        """Return p(next word | source, place, last words), "</s>" for the end, by word.

        Raises ValueError where no translation has these last words at this place.
        """
        window = self.window(tuple(prefix))
        if window not in self._mass:
            place, words = window
            source, known = " ".join(self.source), " ".join(words)
            raise ValueError(f"no translation of {source!r} has {known!r} before its word {place + 1}")
        mass = self._mass[window]
        total = math.fsum(mass.values())
        return {word: p / total for word, p in sorted(mass.items())}

    def log_prob(self, target: Sequence[str]) -> float:
        """Return ln of the probability (nats) with which this translator writes `target`, word after word; minus
        infinity for what it cannot write."""
        total, target = 0.0, tuple(target)
        for place, word in enumerate((*target, EOS)):
            mass = self._mass.get(self.window(target[:place]), {})
            if word not in mass:
                return -math.inf
            total += math.log(mass[word] / math.fsum(mass.values()))
        return total

    def validity(self) -> float:
        """Return the probability that what this translator draws, word after word, is a valid translation."""
        return math.fsum(math.exp(self.log_prob(target)) for target in self.targets)

    def greedy(self) -> Tokens:
        """Return what this translator writes by taking its most probable word each time; of equals, the first.

        It is always defined: a window that was reached by a possible word occurs in some translation.
        """
        words: Tokens = ()
        while True:
            probabilities = self.next_token(words)
            word = max(probabilities, key=lambda token: probabilities[token])
            if word == EOS:
                return words
            words = (*words, word)
