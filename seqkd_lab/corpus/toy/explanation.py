"""Why a translation is wrong: the first word that no valid translation has there, and the rule that
it breaks."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING

from seqkd_lab.corpus.toy.german import Word
from seqkd_lab.corpus.toy.reasons import Place, reason_against
from seqkd_lab.corpus.toy.wordlist import kinds_of_words

if TYPE_CHECKING:
    from seqkd_lab.corpus.toy.language import ToyLanguage

END = "</s>"
PHRASE = 3
"""How many words after a wrong one tell which phrase was meant: "ein praktisches Beutel" wants
*einen*, for Beutel."""


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
    expected: tuple[str, ...]
    rule: str
    context: str = ""

    def __str__(self) -> str:
        where = f"word {self.position + 1} {self.found!r}"
        after = f"after {self.context!r}" if self.context else "at the beginning"
        return f"{where}: {after} expected {' or '.join(self.expected)}: {self.rule}"


def explain(
    language: ToyLanguage, source: tuple[str, ...], target: tuple[str, ...]
) -> Violation | None:
    """The first word at which `target` is no longer the beginning of a translation of `source`;
    None if it is one."""
    if language.is_valid(source, target):
        return None
    found = (*target, END)
    position = _valid_length(language, source, found)
    words = _expected(language, source, found[:position])
    kinds = _kinds(found[position])
    meant = _meant(language, source, found, position)
    likely = sorted(
        words, key=lambda word: (word.kind not in kinds, -meant[word], -words[word], word.text)
    )
    ranked = sorted(
        {w.text for w in words}, key=lambda t: -sum(p for w, p in words.items() if w.text == t)
    )
    context = " ".join(found[max(0, position - 4) : position])
    rule = _reason(language, source, found, position, likely[0]) or _rule(
        found[position], likely[0]
    )
    if "verb" in kinds and likely[0].kind != "verb":
        rule = _later(language, source, found[: position + 1]) or rule
    return Violation(position, found[position], tuple(ranked), rule, context)


def _valid_length(language: ToyLanguage, source: tuple[str, ...], found: tuple[str, ...]) -> int:
    """How many words from the beginning some valid target has too."""
    for length in range(len(found)):
        if not any(
            token == found[length]
            for _, token, _, _ in language.continuations(source, found[:length])
        ):
            return length
    raise AssertionError("a target that is not valid must leave the language somewhere")


def _expected(
    language: ToyLanguage, source: tuple[str, ...], prefix: tuple[str, ...]
) -> dict[Word, float]:
    """The words that may follow the prefix, with their reasons and probability masses."""
    masses: dict[Word, float] = {}
    for p, token, step, place in language.continuations(source, prefix):
        word = (
            language.words(step)[place]
            if step
            else Word(token, "", "end", "the translation is complete")
        )
        masses[word] = masses.get(word, 0.0) + p
    return masses


def _meant(
    language: ToyLanguage, source: tuple[str, ...], found: tuple[str, ...], position: int
) -> Counter[Word]:
    """Of the words that may stand at `position`, how many of the next words of `found` their own
    phrase holds, too."""
    meant: Counter[Word] = Counter()
    after = set(found[position + 1 : position + 1 + PHRASE])
    for _, _, step, place in language.continuations(source, found[:position]):
        if step:
            word, *rest = language.words(step)[place : place + 1 + PHRASE]
            meant[word] = max(meant[word], len(after & {later.text for later in rest}))
    return meant


def _reason(
    language: ToyLanguage,
    source: tuple[str, ...],
    found: tuple[str, ...],
    position: int,
    right: Word,
) -> str:
    """Why the wrong word cannot stand there, by the most probable translation that has `right`
    there; "" if `right`'s own form says it."""
    before, best = found[:position], (0.0, "")
    if found[position] != END and not _kinds(found[position]):
        return ""
    for p, _, step, start in language.continuations(source, before):
        words = language.words(step)[start:] if step else []
        if words[:1] == [right] and p > best[0]:
            best = (
                p,
                reason_against(
                    found[position], Place(before, right, step.clause, tuple(words[1:])), source
                ),
            )
    return best[1]


def _later(language: ToyLanguage, source: tuple[str, ...], found: tuple[str, ...]) -> str:
    """The rule of a verb that stands too early: the place that the most probable translation gives
    it; "" if none."""
    best: tuple[float, str] = (0.0, "")
    for p, _, step, place in language.continuations(source, found[:-1]):
        if step and p > best[0]:
            later = [word for word in language.words(step)[place:] if word.text == found[-1]]
            best = (p, f"{found[-1]!r} stands too early: {later[0].reason}") if later else best
    return best[1]


def _kinds(word: str) -> set[str]:
    return {"end"} if word == END else kinds_of_words().get(word, set())


def _rule(found: str, likely: Word) -> str:
    if found != END and not _kinds(found):
        return (
            f"{found!r} is no word of the toy language; {likely.text!r} would fit: {likely.reason}"
        )
    return f"{likely.text!r} would fit: {likely.reason}"
