"""The terms of notebooks/glossary.md: how to recognise their use and their definition in a lesson's
text."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import prose_text
from prose_text import Block

ASSUMED = "assumed"
"""In the last column: the lessons use the word without explaining it."""
ROW = re.compile(r"^\|([^|]+)\|([^|]*)\|([^|]+)\|([^|]+)\|$")
LESSON = re.compile(r"\]\((\d\d)_")
NOT_BEFORE = {"entropy": r"(?<!cross-)(?<!cross )", "distillation": r"(?<!level )(?<!policy )"}
EVERYDAY = {  # what is not the term, though it is written like it
    "attention": re.compile(r"\bpay(s|ing)? attention\b", re.IGNORECASE),
    "mode": re.compile(r"\b(fast|slow|training|full) mode\b", re.IGNORECASE),
    "confidence interval": re.compile(r"\bsynchroni[sz]ation interval\b", re.IGNORECASE),
}


@dataclass(frozen=True)
class Term:
    """A term, its other spellings, the sentence that explains it, and the lesson's number (-1 if it
    is assumed)."""

    name: str
    others: tuple[str, ...]
    meaning: str
    lesson: int

    @property
    def is_assumed(self) -> bool:
        return self.lesson < 0

    @cached_property
    def pattern(self) -> re.Pattern:
        """Matches the term in any of its spellings and in the plural; small letters matter in
        abbreviations only."""
        return re.compile(
            "|".join(map(self._spelling, sorted((self.name, *self.others), key=len, reverse=True)))
        )

    def _spelling(self, form: str) -> str:
        words = r"[\s-]+".join(_plural(part) for part in re.split(r"\s+", form))
        case = "" if form.isupper() else "i"
        body = rf"(?{case}:{words})" if case else words
        return rf"{NOT_BEFORE.get(form, '')}(?<!\w){body}(?!\w)"

    def is_defined_by(self, marked: str) -> bool:
        """Whether text in bold is the term itself, with or without an article, a plural or a note
        in brackets."""
        outside = re.sub(r"\([^)]*\)", " ", marked)
        candidates = [outside, *re.findall(r"\(([^)]*)\)", marked)]
        bare = [
            re.sub(r"^(a|an|the)\s+", "", part.strip(" .,:;“”\"'"), flags=re.IGNORECASE)
            for part in candidates
        ]
        return any(self.pattern.fullmatch(part) for part in bare)

    def used_in(self, block: Block) -> str | None:
        """The words around the term's first use in the block, or None."""
        text = prose_text.unmarked(block.text)
        if self.name in EVERYDAY:
            text = EVERYDAY[self.name].sub(prose_text.HOLE, text)
        match = self.pattern.search(text)
        return prose_text.context(text, match) if match else None


def _plural(word: str) -> str:
    """A pattern for a word and its plural."""
    if word.isupper():
        return re.escape(word)
    if word.endswith("is"):
        return re.escape(word[:-2]) + "[ie]s"
    if word.endswith("y"):
        return re.escape(word[:-1]) + "(?:y|ies)"
    return re.escape(word) + "(?:es|s)?"


def read_glossary(path: Path) -> list[Term]:
    """Reads the table of the page; raises ValueError for a row whose lesson cannot be read."""
    rows = [
        match for match in map(ROW.match, path.read_text(encoding="utf-8").splitlines()) if match
    ]
    return [
        _term(*(cell.strip() for cell in row.groups())) for row in rows[2:]
    ]  # after the head and its dashes


def _term(name: str, others: str, meaning: str, lesson: str) -> Term:
    number = LESSON.search(lesson)
    if number is None and lesson != ASSUMED:
        raise ValueError(f"{name}: expected a link to a lesson or '{ASSUMED}', got {lesson!r}")
    spelled = tuple(other.strip() for other in others.split(",") if other.strip())
    return Term(name, spelled, meaning, int(number[1]) if number else -1)


def update_glossary(path: Path, files: Mapping[str, str]) -> None:
    """Writes, for each term in `files`, the lesson's file as the place that introduces it; leaves
    'assumed' alone."""
    lines = path.read_text(encoding="utf-8").splitlines()
    for number, line in enumerate(lines):
        match = ROW.match(line)
        file = files.get(match[1].strip()) if match else None
        if file and match[4].strip() != ASSUMED:
            lines[number] = f"|{match[1]}|{match[2]}|{match[3]}| [{file[:2]}]({file}) |"
    path.write_text("\n".join(lines) + "\n", encoding="utf-8", newline="\n")
