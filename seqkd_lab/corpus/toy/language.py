"""The toy language: English sources, German targets, and the exact probability of every target.

p(target | source) = Π_i p(segment_i | clause_i, memory_{i-1}): a Markov chain of clauses. A segment
is a clause with the comma and connective before it; the memory holds what an earlier clause chose
and a later one must agree with. Each factor is a finite distribution, found by asking the renderer
for all its answers, so that everything here is exact.
"""

from __future__ import annotations

import math
import random
from collections import Counter
from collections.abc import Iterator, Sequence
from functools import lru_cache
from typing import NamedTuple

from seqkd_lab.corpus.toy import explanation, wordlist
from seqkd_lab.corpus.toy.choices import Ambiguity, Drawing, Following, every_script
from seqkd_lab.corpus.toy.clauses import render
from seqkd_lab.corpus.toy.german import Memory, Word
from seqkd_lab.corpus.toy.meaning import Clause, Sentence, positions, source_words
from seqkd_lab.corpus.toy.parsing import parse
from seqkd_lab.corpus.toy.sources import draw_sentence

EOS = "</s>"
FULL = Ambiguity()
Tokens = tuple[str, ...]


class Variant(NamedTuple):
    """One translation of a clause: its words, their probability, what to remember, the script that
    renders it."""

    tokens: Tokens
    probability: float
    memory: Memory
    script: tuple[int, ...]


class Step(NamedTuple):
    """A clause on the way through a target: which variant, and the memory before it."""

    clause: Clause
    memory: Memory
    variant: Variant


def linked(part: str, source_positions: Sequence[int], n_words: int) -> list[int]:
    """Return which of a part's source places each of its `n_words` German words translates.

    All words of a verb (auxiliary, reflexive pronoun, prefix) belong to the English verb, which
    stands first: "looked at" is "sah … an". An adverbial ends in its head in both languages: "in
    the garden" is "im Garten". The words before the head follow each other.
    """
    if part == "verb":
        return [source_positions[0]] * n_words
    return [
        source_positions[min(turn, len(source_positions) - 1)] for turn in range(n_words - 1)
    ] + [source_positions[-1]]


class ToyLanguage:
    """English to German with known truth. `ambiguity` sets the strength of each source of choice.

    Sources and targets are sequences of tokens, probabilities are exact, logarithms natural. Every
    method that takes a source raises ToyParseError (a ValueError) for a sentence that the language
    does not have.
    """

    def __init__(self, ambiguity: Ambiguity = FULL):
        self.ambiguity = ambiguity
        # Bounded: a clause has up to some thousand variants.
        self.variants = lru_cache(maxsize=8192)(self.all_variants)
        self._parse = lru_cache(maxsize=4096)(parse)

    source_vocabulary: Tokens = wordlist.source_words()
    target_vocabulary: Tokens = wordlist.target_words()

    # Drawing

    def sample_source(self, rng: random.Random) -> Tokens:
        """A source sentence by Zipf's law; uses `rng.random()` only."""
        return source_words(draw_sentence(rng))

    def sample(self, rng: random.Random) -> tuple[Tokens, Tokens]:
        """A source and one of its targets, drawn from the truth."""
        source = self.sample_source(rng)
        return source, self.sample_target(source, rng)

    def sample_target(self, source: Sequence[str], rng: random.Random) -> Tokens:
        """A target drawn from p(target | source)."""
        memory, words = Memory(), []
        translator = Drawing(self.ambiguity, rng)
        for clause in self.parse(source):
            rendered, memory = render(clause, memory, translator)
            words += [word.text for word in rendered]
        return tuple(words)

    # The whole distribution

    def targets(self, source: Sequence[str], limit: int = 200_000) -> dict[Tokens, float]:
        """Return every valid target with its probability; raises ValueError where there are more
        than `limit`."""
        number = self.count_targets(source)
        if number > limit:
            raise ValueError(
                f"{' '.join(source)!r} has {number} targets, more than the limit of {limit}: raise "
                "it"
            )
        beginnings: dict[tuple[Tokens, Memory], float] = {((), Memory()): 1.0}
        for clause in self.parse(source):
            longer: dict[tuple[Tokens, Memory], float] = {}
            for (tokens, memory), p in beginnings.items():
                for v in self.variants(clause, memory):
                    longer[tokens + v.tokens, v.memory] = p * v.probability
            beginnings = longer
        return {tokens: p for (tokens, _), p in beginnings.items()}

    def count_targets(self, source: Sequence[str]) -> int:
        """Return the number of valid targets."""
        counts = self._backwards(
            source, lambda variants, rest: sum(rest[v.memory] for v in variants), 1
        )
        return int(counts)

    def entropy(self, source: Sequence[str]) -> float:
        """H(target | source) in nats, by the chain rule: H = Σ p(v) (-ln p(v) + H(rest | memory
        after v))."""
        return self._backwards(
            source,
            lambda variants, rest: math.fsum(
                v.probability * (rest[v.memory] - math.log(v.probability)) for v in variants
            ),
            0.0,
        )

    def mode(self, source: Sequence[str]) -> tuple[Tokens, float]:
        """Return the most probable target and its probability, by dynamic programming (Viterbi)
        over the clauses."""

        def best(variants: Sequence[Variant], rest: dict) -> tuple[float, Tokens]:
            return max(
                (v.probability * rest[v.memory][0], v.tokens + rest[v.memory][1]) for v in variants
            )

        probability, tokens = self._backwards(source, best, (1.0, ()))
        return tokens, probability

    # One target

    def log_prob(self, source: Sequence[str], target: Sequence[str]) -> float:
        """ln p(target | source); minus infinity for a target that is not valid."""
        steps = self.path(source, target)
        return (
            math.fsum(math.log(step.variant.probability) for step in steps) if steps else -math.inf
        )

    def is_valid(self, source: Sequence[str], target: Sequence[str]) -> bool:
        """True when the target is one of the source's translations."""
        return bool(self.path(source, target))

    def next_token(self, source: Sequence[str], prefix: Sequence[str]) -> dict[str, float]:
        """p(next token | source, prefix), "</s>" for the end; raises ValueError when no valid
        target starts so."""
        mass: dict[str, float] = {}
        for p, token, _, _ in self.continuations(source, tuple(prefix)):
            mass[token] = mass.get(token, 0.0) + p
        if not mass:
            raise ValueError(
                f"no translation of {' '.join(source)!r} starts with {' '.join(prefix)!r}; see "
                "explain()"
            )
        total = math.fsum(mass.values())
        return {token: p / total for token, p in sorted(mass.items())}

    def alignment(self, source: Sequence[str], target: Sequence[str]) -> tuple[int, ...]:
        """For each target word the place of the source word that it translates, -1 for none (see
        `linked`)."""
        source_positions = positions(self.parse(source))
        aligned: list[int] = []
        for number, step in enumerate(self._need_path(source, target)):
            words = self.words(step)
            links = {
                part: iter(linked(part, source_positions.get((number, part), [-1]), n_words))
                for part, n_words in Counter(word.part for word in words).items()
            }
            aligned += [next(links[word.part]) for word in words]
        return tuple(aligned)

    def choices(self, source: Sequence[str], target: Sequence[str]) -> dict[str, str]:
        """Return what the translator of a valid target chose, by the name of the ambiguity.

        A second choice of one name is called "noun 2", and so on, in the order in which the clauses
        ask. Raise ValueError for a target that is not valid.
        """
        chosen: dict[str, str] = {}
        for step in self._need_path(source, target):
            translator = Following(self.ambiguity, step.variant.script)
            render(step.clause, step.memory, translator)
            for name, label in translator.names:
                number = 1 + sum(known.split()[0] == name for known in chosen)
                chosen[name if number == 1 else f"{name} {number}"] = label
        return chosen

    def explain(self, source: Sequence[str], target: Sequence[str]) -> explanation.Violation | None:
        """Return the first word at which the target leaves every valid translation, and the rule;
        None if it is valid."""
        return explanation.explain(self, tuple(source), tuple(target))

    # The chain

    def parse(self, source: Sequence[str]) -> Sentence:
        """Return the meaning of a source sentence (see `parsing.parse`)."""
        return self._parse(tuple(source))

    def words(self, step: Step) -> list[Word]:
        """Return the words of a variant with their parts and reasons."""
        return render(step.clause, step.memory, Following(self.ambiguity, step.variant.script))[0]

    def path(self, source: Sequence[str], target: Sequence[str]) -> list[Step]:
        """Return the clauses' variants that make up the target, [] where it is not valid. There is
        at most one path."""
        rest, memory, steps = tuple(target), Memory(), []
        for clause in self.parse(source):
            fitting = [
                v for v in self.variants(clause, memory) if rest[: len(v.tokens)] == v.tokens
            ]
            # A clause's end is marked by the next one's comma or connective, so the longest match
            # is the only one.
            if not fitting:
                return []
            variant = max(fitting, key=lambda v: len(v.tokens))
            steps.append(Step(clause, memory, variant))
            rest, memory = rest[len(variant.tokens) :], variant.memory
        return [] if rest else steps

    def continuations(
        self, source: Sequence[str], prefix: Tokens
    ) -> Iterator[tuple[float, str, Step | None, int]]:
        """(mass, next token, step, place in its variant) for every variant that continues the
        prefix."""
        sentence = self.parse(source)
        beginnings = [(0, Memory(), 1.0, 0)]
        while beginnings:
            number, memory, p, read = beginnings.pop()
            rest = prefix[read:]
            if number == len(sentence):
                if not rest:
                    yield p, EOS, None, 0
                continue
            for v in self.variants(sentence[number], memory):
                if len(v.tokens) > len(rest) and v.tokens[: len(rest)] == rest:
                    yield (
                        p * v.probability,
                        v.tokens[len(rest)],
                        Step(sentence[number], memory, v),
                        len(rest),
                    )
                elif v.tokens == rest[: len(v.tokens)]:
                    beginnings.append(
                        (number + 1, v.memory, p * v.probability, read + len(v.tokens))
                    )

    def all_variants(self, clause: Clause, memory: Memory) -> tuple[Variant, ...]:
        """Return all translations of a clause after a memory; those with the same words are one."""
        merged: dict[tuple[Tokens, Memory], Variant] = {}
        for (words, after), p, script in every_script(
            self.ambiguity, lambda t: render(clause, memory, t)
        ):
            key = (tuple(word.text for word in words), after)
            known = merged.get(key)
            merged[key] = Variant(
                *key[:1], p + (known.probability if known else 0.0), after, script
            )
        return tuple(merged.values())

    def _backwards(self, source: Sequence[str], combine, end):
        """Dynamic programming from the last clause: value(i, memory) = combine(variants, value(i +
        1, ·))."""
        sentence = self.parse(source)

        def value(number: int, memory: Memory):
            if number == len(sentence):
                return end
            if (number, memory) not in known:
                variants = self.variants(sentence[number], memory)
                rest = {v.memory: value(number + 1, v.memory) for v in variants}
                known[number, memory] = combine(variants, rest)
            return known[number, memory]

        known: dict = {}
        return value(0, Memory())

    def _need_path(self, source: Sequence[str], target: Sequence[str]) -> list[Step]:
        steps = self.path(source, target)
        if not steps:
            raise ValueError(
                f"not a translation of {' '.join(source)!r}: {self.explain(source, target)}"
            )
        return steps
