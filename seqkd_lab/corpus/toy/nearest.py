"""How far a translation is from the nearest valid one: the words that somebody would have to
change."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from seqkd_lab.corpus.toy.german import Memory
from seqkd_lab.corpus.toy.language import ToyLanguage
from seqkd_lab.corpus.toy.meaning import Clause


def edits_to_valid(language: ToyLanguage, source: Sequence[str], target: Sequence[str]) -> int:
    """Return the smallest number of words to insert, delete or replace that makes `target` a valid
    translation of `source` (Levenshtein distance; 0 for a valid one).

    Exact, clause after clause: among the beginnings with the same memory only the least number of
    edits for each part of the target counts. Raise ToyParseError (a ValueError) for a source that
    the language does not have.
    """
    words = np.array(target, dtype=object)
    rows = {Memory(): np.arange(len(words) + 1)}
    for clause in language.parse(source):
        after: dict[Memory, np.ndarray] = {}
        for memory, row in rows.items():
            for ending, edits in _after_clause(language, clause, memory, row, words).items():
                after[ending] = np.minimum(after.get(ending, edits), edits)
        rows = after
    return int(min(row[-1] for row in rows.values()))


def _after_clause(
    language: ToyLanguage, clause: Clause, memory: Memory, row: np.ndarray, words: np.ndarray
) -> dict[Memory, np.ndarray]:
    """Return for each memory after a clause the edits (T + 1,) that turn the first 0, 1, …, T
    `words` into a beginning, where `row` are those before the clause."""
    variants = language.variants(clause, memory)
    edits = np.tile(row, (len(variants), 1))  # (V, T + 1)
    lengths = np.array([len(variant.tokens) for variant in variants])
    for place in range(lengths.max()):
        some = np.flatnonzero(lengths > place)
        written = np.array([variants[v].tokens[place] for v in some], dtype=object)
        edits[some] = _after_word(edits[some], written[:, None] != words[None, :])
    best: dict[Memory, np.ndarray] = {}
    for variant, of_variant in zip(variants, edits, strict=True):
        known = best.get(variant.memory)
        best[variant.memory] = of_variant if known is None else np.minimum(known, of_variant)
    return best


def _after_word(edits: np.ndarray, differs: np.ndarray) -> np.ndarray:
    """Return the edits (V, T + 1) after one more word of each of V variants; `differs` (V, T) says
    where it is not the target's word."""
    longer = edits + 1  # the word is inserted
    longer[:, 1:] = np.minimum(longer[:, 1:], edits[:, :-1] + differs)
    places = np.arange(edits.shape[1])
    return np.minimum.accumulate(longer - places, axis=1) + places  # or words of the target go
