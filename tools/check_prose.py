"""Reads the lessons' prose and lists what a reader may stumble over. A help, not a judge.

    python tools/check_prose.py                 the findings of all lessons
    python tools/check_prose.py 04 05           of these, with the terms that the lessons before
    them define python tools/check_prose.py --summary       only the counts of each lesson
    python tools/check_prose.py --strict 04     exit code 1 if lesson 04 has findings
    python tools/check_prose.py --python        private words in docstrings and texts of
    seqkd_lab/lab, too python tools/check_prose.py --update-glossary   writes into
    notebooks/glossary.md which lesson introduces a term

Four kinds of findings. *term*: a term of notebooks/glossary.md is used before the cell that has it
in bold; lessons are taken in the order of their numbers. The card at the top of a lesson is exempt.
So are lessons after the one that the glossary names: if the term is in bold nowhere, that lesson
must define it. *question*: no `lesson.answer(` and no <details> follows before the next ## heading.
*sentence*: more than 30 words. *word*: see tools/private_words.py. Terms, sentences and words are
looked for in the texts of code cells as well: their answers and captions are read, too.
"""

from __future__ import annotations

import argparse
import json
import re
import sys
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import prose_text
from glossary import Term, read_glossary, update_glossary
from private_words import PRIVATE_WORDS
from prose_text import Block

ROOT = Path(__file__).resolve().parent.parent
NOTEBOOKS = ROOT / "notebooks"
GLOSSARY = NOTEBOOKS / "glossary.md"
TERM, QUESTION, SENTENCE, WORD = KINDS = ("term", "question", "sentence", "word")
MOST_WORDS = 30
SECTION_LEVEL = 2
CARD = "**What you can do after it**"
ANSWER = re.compile(r"\blesson\.answer\(")


@dataclass(frozen=True)
class Finding:
    """One thing to look at: the lesson ("04"), the cell's id, one of KINDS, and what it is in
    words."""

    lesson: str
    cell: str
    kind: str
    text: str


@dataclass(frozen=True)
class Cell:
    """A cell of a lesson: its text in blocks. The blocks of a code cell are its longer string
    literals."""

    id: str
    is_code: bool
    is_card: bool
    answers: bool
    blocks: tuple[Block, ...] = ()


@dataclass(frozen=True)
class Lesson:
    """A notebook's number, its file's name and its cells."""

    number: str
    file: str
    cells: tuple[Cell, ...]


@dataclass(frozen=True)
class Definitions:
    """The first (lesson, cell) of `lessons` that has each term in bold, and the numbers of all
    lessons that do."""

    first: dict[str, tuple[int, int]] = field(default_factory=dict)
    lessons: dict[str, set[int]] = field(default_factory=dict)


def read_lessons(folder: Path = NOTEBOOKS) -> list[Lesson]:
    """Reads the lessons' notebooks in `folder`, in the order of their numbers."""
    return [
        parse(path.name, json.loads(path.read_text(encoding="utf-8")))
        for path in sorted(folder.glob("[0-9][0-9]_*.ipynb"))
    ]


def parse(file: str, notebook: dict) -> Lesson:
    """Makes a lesson of a notebook's JSON."""
    cells = []
    for number, cell in enumerate(notebook["cells"]):
        source, is_code = "".join(cell["source"]), cell["cell_type"] == "code"
        texts = [text for _, text in prose_text.literals(source)] if is_code else [source]
        parts = tuple(block for text in texts for block in prose_text.blocks(text))
        answers = bool(ANSWER.search(source)) if is_code else prose_text.FOLD in source
        cells.append(
            Cell(
                cell.get("id", str(number)), is_code, not is_code and CARD in source, answers, parts
            )
        )
    return Lesson(file[:2], file, tuple(cells))


def definitions(lessons: Sequence[Lesson], terms: Iterable[Term]) -> Definitions:
    """Finds the markdown cells that have a term in bold, cards excepted."""
    result, terms = Definitions(), list(terms)
    for lesson_index, lesson in enumerate(lessons):
        for cell_index, cell in enumerate(lesson.cells):
            for term in (
                term for text in _bold(cell) for term in terms if term.is_defined_by(text)
            ):
                result.first.setdefault(term.name, (lesson_index, cell_index))
                result.lessons.setdefault(term.name, set()).add(int(lesson.number))
    return result


def _bold(cell: Cell) -> list[str]:
    """The words in bold of a markdown cell that is no card."""
    return (
        []
        if cell.is_code or cell.is_card
        else [text for block in cell.blocks for text in prose_text.bold(block)]
    )


def early_terms(lessons: Sequence[Lesson], terms: Iterable[Term]) -> Iterator[Finding]:
    """Yields the first use of each term in each lesson, if it comes before the cell that defines
    the term.

    Lessons after the one that the glossary names are left out: a definition that is missing is
    missing in that one.
    """
    cells = [cell for lesson in lessons for cell in lesson.cells]
    terms = [
        term
        for term in terms
        if not term.is_assumed and any(_first_use(term, cell) for cell in cells)
    ]
    first = definitions(lessons, terms).first
    for index, lesson in enumerate(lessons):
        waiting = [
            term
            for term in terms
            if int(lesson.number) <= term.lesson
            and first.get(term.name, (len(lessons), 0)) > (index, 0)
        ]
        yield from _early_in(
            lesson, waiting, {term.name: _where(term, first, lessons) for term in waiting}
        )


def _early_in(lesson: Lesson, waiting: list[Term], where: dict[str, str]) -> Iterator[Finding]:
    """Yields the first use of each of the terms that are `waiting` for a definition when the lesson
    begins."""
    for cell in lesson.cells:
        marked = _bold(cell)
        waiting = [term for term in waiting if not any(map(term.is_defined_by, marked))]
        contexts = {term: _first_use(term, cell) for term in waiting}
        for term, context in contexts.items():
            if context:
                yield Finding(
                    lesson.number, cell.id, TERM, f"{term.name}: {where[term.name]} | {context}"
                )
        waiting = [term for term in waiting if not contexts.get(term)]
    for term in waiting:
        if term.lesson == int(lesson.number):
            yield Finding(
                lesson.number,
                "-",
                TERM,
                f"{term.name}: not in bold, though glossary.md names this lesson",
            )


def _first_use(term: Term, cell: Cell) -> str | None:
    """The words around the first use of the term in the cell, or None; a card uses no terms."""
    return None if cell.is_card else next(filter(None, map(term.used_in, cell.blocks)), None)


def _where(term: Term, first: dict[str, tuple[int, int]], lessons: Sequence[Lesson]) -> str:
    """Where the term is defined, in words."""
    if term.name not in first:
        return f"in bold in no lesson (glossary.md: {term.lesson:02})"
    lesson, cell = first[term.name]
    return f"defined later, in {lessons[lesson].number} `{lessons[lesson].cells[cell].id}`"


def glossary_faults(lessons: Sequence[Lesson], terms: Iterable[Term]) -> list[str]:
    """Lists the terms that are not in bold in the lesson which the glossary names."""
    lessons_of = definitions(lessons, terms := list(terms)).lessons
    return [
        f"{term.name}: lesson {term.lesson:02}, not in bold there"
        for term in terms
        if not term.is_assumed and term.lesson not in lessons_of.get(term.name, ())
    ]


def open_questions(lesson: Lesson) -> Iterator[Finding]:
    """Yields the questions of the markdown that no answer follows before the next heading of level
    1 or 2."""
    waiting: list[Finding] = []
    for cell in lesson.cells:
        if cell.is_code:
            waiting = [] if cell.answers else waiting
            continue
        for block in cell.blocks:
            if 0 < block.level <= SECTION_LEVEL:
                yield from waiting
            if block.folded or 0 < block.level <= SECTION_LEVEL:
                waiting = []
            elif not block.level and not cell.is_card:
                waiting += [
                    Finding(lesson.number, cell.id, QUESTION, text) for text in _questions(block)
                ]
    yield from waiting


def _questions(block: Block) -> list[str]:
    """The sentences of the block that ask something, quoted questions excepted."""
    return [text for text in prose_text.sentences(prose_text.without_quotes(block)) if "?" in text]


def long_sentences(lesson: Lesson) -> Iterator[Finding]:
    """Yields the sentences of more than MOST_WORDS words."""
    for cell in lesson.cells:
        for sentence in (
            sentence for block in cell.blocks for sentence in prose_text.sentences(block)
        ):
            n = prose_text.n_words(sentence)
            if n > MOST_WORDS:
                yield Finding(lesson.number, cell.id, SENTENCE, f"{n} words: {sentence}")


def private_words(text: str) -> Iterator[str]:
    """Yields each private word of a text, with what to say instead and its context; of two that
    overlap, the first."""
    matches = [(match, entry) for entry in PRIVATE_WORDS for match in entry.regex.finditer(text)]
    end = 0
    for match, entry in sorted(matches, key=lambda pair: (pair[0].start(), -pair[0].end())):
        if match.start() >= end:
            end = match.end()
            yield (
                f"{match[0]} → {entry.instead} ({entry.reason}) | {prose_text.context(text, match)}"
            )


def dialect(lesson: Lesson) -> Iterator[Finding]:
    """Yields the private words of a lesson."""
    for cell in lesson.cells:
        for block in cell.blocks:
            for text in private_words(prose_text.unmarked(block.text)):
                yield Finding(lesson.number, cell.id, WORD, text)


def check(lessons: Sequence[Lesson], terms: Iterable[Term]) -> list[Finding]:
    """Lists all findings of the lessons, lesson by lesson and kind by kind."""
    findings = list(early_terms(lessons, terms))
    for lesson in lessons:
        findings += [*open_questions(lesson), *long_sentences(lesson), *dialect(lesson)]
    return sorted(findings, key=lambda finding: (finding.lesson, KINDS.index(finding.kind)))


def check_python(folder: Path) -> list[Finding]:
    """Lists the private words in the docstrings and longer texts of the Python files below
    `folder`."""
    return [
        Finding(str(path.relative_to(ROOT)), str(line), WORD, word)
        for path in sorted(folder.rglob("*.py"))
        for line, text in prose_text.literals(path.read_text(encoding="utf-8"))
        for word in private_words(
            prose_text.unmarked(" ".join(prose_text.without_code(text).split()))
        )
    ]


def report(findings: Iterable[Finding]) -> str:
    """Writes the findings, grouped by lesson and kind."""
    lines, group = [], None
    for finding in findings:
        if (finding.lesson, finding.kind) != group:
            group = (finding.lesson, finding.kind)
            lines.append(f"\n{finding.lesson}  {finding.kind}")
        lines.append(f"  {finding.cell}: {finding.text}")
    return "\n".join(lines)


def summary(findings: Iterable[Finding], names: Iterable[str]) -> str:
    """Writes one line for each of `names`: how many findings of which kind."""
    counts = Counter((finding.lesson, finding.kind) for finding in findings)
    lines = ["  ".join(["lesson", *(f"{kind}s" for kind in KINDS)])]
    for name in names:
        lines.append(
            "  ".join([f"{name:6}", *(f"{counts[name, kind]:{len(kind) + 1}}" for kind in KINDS)])
        )
    return "\n".join(lines)


def main(arguments: Sequence[str] | None = None) -> int:
    """Prints the report; exit code 1 only with --strict and findings in the lessons that were asked
    for."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument(
        "numbers", nargs="*", help="the lessons to report, such as 04 (default: all)"
    )
    parser.add_argument(
        "--strict", action="store_true", help="exit code 1 if a reported lesson has findings"
    )
    parser.add_argument("--summary", action="store_true", help="only the counts")
    parser.add_argument("--python", action="store_true", help="private words of seqkd_lab/lab, too")
    parser.add_argument(
        "--update-glossary", action="store_true", help="writes the lessons of the terms, and ends"
    )
    given = parser.parse_args(arguments)
    lessons, terms = read_lessons(), read_glossary(GLOSSARY)
    names = [
        lesson.number for lesson in lessons if not given.numbers or lesson.number in given.numbers
    ]
    if set(given.numbers) - set(names):
        parser.error(f"no such lesson; there are {', '.join(lesson.number for lesson in lessons)}")
    if given.update_glossary:
        first = definitions(lessons, terms).first
        update_glossary(
            GLOSSARY, {name: lessons[lesson].file for name, (lesson, _) in first.items()}
        )
        return 0
    findings = [finding for finding in check(lessons, terms) if finding.lesson in names]
    in_python = check_python(ROOT / "seqkd_lab" / "lab") if given.python else []
    if not given.summary:
        print(report([*findings, *in_python]), end="\n\n")
    print(summary(findings, names))
    faults = glossary_faults(lessons, terms)
    if faults and not given.numbers:
        listed = [] if given.summary else faults
        print("\n  ".join([f"glossary.md: {len(faults)} terms name a wrong lesson", *listed]))
    if given.python:
        print(f"seqkd_lab/lab: {len(in_python)} private words")
    if given.summary and findings:
        print("python tools/check_prose.py NUMBER lists a lesson's findings; see its --help.")
    return int(given.strict and bool(findings))


if __name__ == "__main__":
    sys.exit(main())
