"""Judge translations of the same sources again and again, as studies with many models do."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache
from typing import NamedTuple

from seqkd_lab.corpus.toy.german import Memory
from seqkd_lab.corpus.toy.language import ToyLanguage
from seqkd_lab.corpus.toy.meaning import Clause


class Endings(NamedTuple):
    """What a verifier remembers of a clause: its translations by their hash, with the memory after
    each, and the numbers of words that they have, longest first."""

    by_hash: dict[int, Memory]
    lengths: tuple[int, ...]


class Verifier:
    """Tells whether targets are valid, as `ToyLanguage.is_valid` does.

    It remembers every clause that it has seen, about 25 kB a source: a source's second translation
    is judged some hundred times as fast as its first.
    """

    def __init__(self, language: ToyLanguage) -> None:
        self.language = language
        self._endings = cache(self._endings_of)
        self._parsed = cache(language.parse)

    def __call__(self, source: Sequence[str], target: Sequence[str]) -> bool:
        """Return whether `target` is a translation of `source`. Raise ToyParseError (a ValueError)
        for a source that the language does not have."""
        rest, memory = tuple(target), Memory()
        for clause in self._parsed(tuple(source)):
            endings = self._endings(clause, memory)
            for length in endings.lengths:
                # the longest match is the only one: see ToyLanguage.path
                if (after := endings.by_hash.get(hash(rest[:length]))) is not None:
                    break
            else:
                return False
            rest, memory = rest[length:], after
        return not rest

    def _endings_of(self, clause: Clause, memory: Memory) -> Endings:
        """Return the translations of a clause after a memory, taken from the language's own list
        without keeping that."""
        variants = self.language.all_variants(clause, memory)
        return Endings(
            {hash(variant.tokens): variant.memory for variant in variants},
            tuple(sorted({len(variant.tokens) for variant in variants}, reverse=True)),
        )
