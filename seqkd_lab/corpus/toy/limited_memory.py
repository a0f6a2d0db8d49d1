"""The truth with a short memory: what can be foretold of the next word from the source and the last
few words only.

A translator that remembers w words chooses its next word from the source, its place in the sentence
and the last w words, the begin symbol among them: just what a Transformer of one layer with
`memory=w` reads. The exact distribution is a sum over all valid translations, so it can be had for
sources that do not have too many.

Of all that read no more, it foretells the words of gold best: its cross-entropy is the least. It is
not the best translator: one that always gives a source the same valid translation need not remember
any of its words.
"""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

from seqkd_lab.corpus.toy.language import EOS, ToyLanguage

BEGIN = "<s>"
"""What stands before the first word, and counts as one of the words that are remembered."""
LIMIT = 5_000
"""The most translations that a source may have."""
EQUAL = 1e-12
"""Probabilities that differ by no more are equal: sums of equal ones differ by rounding."""
Tokens = tuple[str, ...]
Window = tuple[int, Tokens]
"""How many words are written, and the last of them that are remembered."""


@dataclass(frozen=True)
class LimitedTruth:
    """The true distribution over the translations of one source, as a translator knows it that
    remembers `memory` words (None: all).

    targets: every valid translation with its probability. Raise ValueError for a memory below 1.
    """

    source: Tokens
    targets: Mapping[Tokens, float]
    memory: int | None

    def __post_init__(self) -> None:
        if self.memory is not None and self.memory < 1:
            raise ValueError(f"memory must be at least 1 word, or None for all; got {self.memory}")

    @classmethod
    def of(
        cls, language: ToyLanguage, source: Sequence[str], memory: int | None, limit: int = LIMIT
    ) -> LimitedTruth:
        """Enumerate the translations of `source`.

        Raise ValueError where there are more than `limit`, for a source that the language does not
        have, and for a memory below 1.
        """
        return cls(tuple(source), language.targets(source, limit), memory)

    def window(self, prefix: Sequence[str]) -> Window:
        """Return what is known after `prefix`: how many words it has, and the last `memory` of
        them."""
        known = (BEGIN, *prefix)
        return len(prefix), known if self.memory is None else known[-self.memory :]

    def _steps(self, target: Tokens) -> Iterator[tuple[Window, str]]:
        """Return each word of `target`, its end included, with the window before it."""
        known = (BEGIN, *target, EOS)
        for position, word in enumerate(known[1:]):
            first = 0 if self.memory is None else max(0, position + 1 - self.memory)
            yield (position, known[first : position + 1]), word

    @cached_property
    def _table(self) -> dict[Window, dict[str, float]]:
        """p(next word | window), by word: Σ p(target) over the targets that have both, as shares of
        the window's."""
        mass: dict[Window, dict[str, float]] = defaultdict(lambda: defaultdict(float))
        for target, p in self.targets.items():
            for window, word in self._steps(target):
                mass[window][word] += p
        totals = {window: math.fsum(by_word.values()) for window, by_word in mass.items()}
        return {
            window: {word: p / totals[window] for word, p in sorted(by_word.items())}
            for window, by_word in mass.items()
        }

    def next_token(self, prefix: Sequence[str]) -> dict[str, float]:
        """Return p(next word | source, place, last words), "</s>" for the end, by word.

        Raise ValueError where no translation has these last words at this place.
        """
        window = self.window(tuple(prefix))
        if window not in self._table:
            position, words = window
            source, known = " ".join(self.source), " ".join(words)
            raise ValueError(
                f"no translation of {source!r} has {known!r} before its word {position + 1}"
            )
        return dict(self._table[window])

    def log_prob(self, target: Sequence[str]) -> float:
        """Return ln of the probability (nats) with which this translator writes `target`, word
        after word; minus infinity for what it cannot write."""
        p = self._probability(tuple(target))
        return math.log(p) if p > 0.0 else -math.inf

    def _probability(self, target: Tokens) -> float:
        """Return the product of its words' probabilities."""
        p = 1.0
        for window, word in self._steps(target):
            p *= self._table.get(window, {}).get(word, 0.0)
        return p

    def validity(self) -> float:
        """Return the probability (0–1) that what this translator draws, word after word, is a valid
        translation."""
        return math.fsum(map(self._probability, self.targets))

    def greedy(self) -> Tokens:
        """Return what this translator writes by taking its most probable word each time; of equals,
        the first by the alphabet.

        It is always defined: a window that was reached by a possible word occurs in some
        translation.
        """
        words: Tokens = ()
        while True:
            probabilities = self.next_token(words)
            most = max(probabilities.values())
            word = next(token for token, p in probabilities.items() if p >= most - EQUAL)
            if word == EOS:
                return words
            words = (*words, word)
