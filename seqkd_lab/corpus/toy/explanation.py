"""Why a translation is wrong: the first word that no valid translation has there, and the rule that
it breaks."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from seqkd_lab.corpus.toy.german import Word
from seqkd_lab.corpus.toy.reasons import Slot, reason_against
from seqkd_lab.corpus.toy.wordlist import kinds_of_words

Tokens = tuple[str, ...]
END = "</s>"
PHRASE = 3
"""How many words after a wrong one tell which phrase was meant: "ein praktisches Beutel" wants
*einen*, for Beutel."""


class Language(Protocol):
    """What an explanation asks of a language (language.ToyLanguage)."""

    def is_valid(self, source: Tokens, target: Tokens) -> bool:
        """Tell whether the target is one of the source's translations."""

    def continuations(
        self, source: Tokens, prefix: Tokens
    ) -> Iterable[tuple[float, str, Any, int]]:
        """Return (probability mass, next word, step or None at the end, the word's place in the
        step) for each way to go on after the prefix."""

    def words(self, step: Any) -> Sequence[Word]:
        """Return the words of a step, with their parts and reasons."""


@dataclass(frozen=True)
class Violation:
    """Where a target leaves the language.

    position  the wrong word's place, from 0 (the length of the target if it ends too early)
    found     that word, "</s>" for the end
    expected  the words that could stand there, the most probable first
    rule      the rule that it breaks, in words
    """

    position: int
    found: str
    expected: Tokens
    rule: str
    context: str = ""

    def __str__(self) -> str:
        where = f"word {self.position + 1} {self.found!r}"
        after = f"after {self.context!r}" if self.context else "at the beginning"
        return f"{where}: {after} expected {' or '.join(self.expected)}: {self.rule}"


def explain(language: Language, source: Tokens, target: Tokens) -> Violation | None:
    """Return the first word at which `target` is no longer the beginning of a translation of
    `source`; None if it is one."""
    if language.is_valid(source, target):
        return None
    target = (*target, END)
    position = _valid_length(language, source, target)
    words = _expected(language, source, target[:position])
    kinds = _kinds(target[position])
    meant = _meant(language, source, target, position)
    likely = sorted(
        words, key=lambda word: (word.kind not in kinds, -meant[word], -words[word], word.text)
    )
    ranked = sorted(
        {w.text for w in words}, key=lambda t: -sum(p for w, p in words.items() if w.text == t)
    )
    context = " ".join(target[max(0, position - 4) : position])
    rule = _reason(language, source, target, position, likely[0]) or _rule(
        target[position], likely[0]
    )
    if "verb" in kinds and likely[0].kind != "verb":
        rule = _later(language, source, target[: position + 1]) or rule
    return Violation(position, target[position], tuple(ranked), rule, context)


def _valid_length(language: Language, source: Tokens, target: Tokens) -> int:
    """Return how many words from the beginning some valid target has too."""
    for length in range(len(target)):
        if not any(
            token == target[length]
            for _, token, _, _ in language.continuations(source, target[:length])
        ):
            return length
    raise AssertionError("a target that is not valid must leave the language somewhere")


def _expected(language: Language, source: Tokens, prefix: Tokens) -> dict[Word, float]:
    """Return the words that may follow the prefix, with their reasons and probability masses."""
    masses: dict[Word, float] = {}
    for p, token, step, start in language.continuations(source, prefix):
        word = (
            language.words(step)[start]
            if step
            else Word(token, "", "end", "the translation is complete")
        )
        masses[word] = masses.get(word, 0.0) + p
    return masses


def _meant(language: Language, source: Tokens, target: Tokens, position: int) -> Counter[Word]:
    """Return, of the words that may stand at `position`, how many of the next words of `target`
    their own phrase holds, too."""
    meant: Counter[Word] = Counter()
    after = set(target[position + 1 : position + 1 + PHRASE])
    for _, _, step, start in language.continuations(source, target[:position]):
        if step:
            word, *rest = language.words(step)[start : start + 1 + PHRASE]
            meant[word] = max(meant[word], len(after & {later.text for later in rest}))
    return meant


def _reason(language: Language, source: Tokens, target: Tokens, position: int, right: Word) -> str:
    """Return why the wrong word cannot stand there, by the most probable translation with `right`
    there; "" if its own form says it."""
    before, best = target[:position], (0.0, "")
    if target[position] != END and not _kinds(target[position]):
        return ""
    for p, _, step, start in language.continuations(source, before):
        words = language.words(step)[start:] if step else []
        if words[:1] == [right] and p > best[0]:
            there = Slot(before, right, step.clause, tuple(words[1:]))
            best = (p, reason_against(target[position], there, source))
    return best[1]


def _later(language: Language, source: Tokens, target: Tokens) -> str:
    """Return the rule of a verb that stands too early: the place that the most probable
    translation gives it; "" if there is none."""
    best: tuple[float, str] = (0.0, "")
    for p, _, step, start in language.continuations(source, target[:-1]):
        if step and p > best[0]:
            later = [word for word in language.words(step)[start:] if word.text == target[-1]]
            best = (p, f"{target[-1]!r} stands too early: {later[0].reason}") if later else best
    return best[1]


def _kinds(word: str) -> set[str]:
    return {"end"} if word == END else kinds_of_words().get(word, set())


def _rule(target: str, likely: Word) -> str:
    if target != END and not _kinds(target):
        return (
            f"{target!r} is no word of the toy language; {likely.text!r} would fit: {likely.reason}"
        )
    return f"{likely.text!r} would fit: {likely.reason}"
