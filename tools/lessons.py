"""Write what follows from the lessons' declarations wherever it stands, so that no list is kept by
hand.

From LESSON of each subject and from its exercises follow: in each notebook the title and the
minutes of its card, the lines of navigation in its first and last cell, and the lines that install
the lab where it is missing (install_lines.py); the table of lessons
in README.md; the headings and the table of exercises in notebooks/instructors.md, and there what
came out of each study that a lesson shows: its verdicts, from the committed results.

    python tools/lessons.py            write the files
    python tools/lessons.py --check    name the files that differ; exit code 1 if there are any
    python tools/lessons.py --install-from ADDRESS    let lessons install the lab from there
"""

from __future__ import annotations

import argparse
import json
import re
import sys
from collections.abc import Sequence
from importlib import import_module
from pathlib import Path

from install_lines import FORMS, with_install, write_address

from seqkd_lab.installation import lessons_directory
from seqkd_lab.lab.shared.exercises import Exercise, of_lesson
from seqkd_lab.lab.shared.plan import PACKAGE, Lesson, lessons, subjects
from seqkd_lab.runs.committed import results_path
from seqkd_lab.runs.study import Study, committed_rows
from seqkd_lab.runs.verdicts import (
    CANNOT_BE_ASKED,
    CANNOT_BE_JUDGED,
    HELD,
    NOT_HELD,
    UNDECIDED,
    numbers,
)

NOTEBOOKS = lessons_directory()
README = NOTEBOOKS.parent / "README.md"
INSTRUCTORS = NOTEBOOKS / "instructors.md"
NAVIGATION = re.compile(r"^(?:\[← |\[index\]\(|next: \[).*$", re.MULTILINE)
MINUTES = re.compile(r"^\| \*\*Minutes to read\*\* \|.*$", re.MULTILINE)
TITLE = re.compile(r"\A# .*$", re.MULTILINE)
LESSONS_TABLE = ("| | lesson | minutes | what you can do after it |", "|---|---|---|---|")
EXERCISES_TABLE = ("| lesson | exercise | minutes | difficulty | hints |", "|---|---|---|---|---|")
HEADING = re.compile(r"^### (\d\d)(?!\d| minutes).*$", re.MULTILINE)
CAME_OUT = "- **What came out**"
OUTCOMES = (HELD, UNDECIDED, NOT_HELD, CANNOT_BE_ASKED, CANNOT_BE_JUDGED)
GENERATED = (CAME_OUT, *(f"  - *{outcome}*" for outcome in OUTCOMES))
"""How the lines begin that `with_outcomes` writes."""
AFTER_SECTIONS = "## All exercises\n"


def documents() -> dict[Path, str]:
    """Return the text that each generated file should have."""
    plan = lessons()
    texts = {
        NOTEBOOKS / lesson.file: notebook_text(lesson, plan)
        for lesson in plan
        if (NOTEBOOKS / lesson.file).exists()
    }
    instructors = with_table(INSTRUCTORS, EXERCISES_TABLE, exercise_rows(plan))
    texts[INSTRUCTORS] = with_outcomes(with_headings(instructors, plan))
    texts[README] = with_table(README, LESSONS_TABLE, lesson_rows(plan))
    return texts


def notebook_text(lesson: Lesson, plan: Sequence[Lesson]) -> str:
    """Return the lesson's notebook with its title, minutes and navigation."""
    path = NOTEBOOKS / lesson.file
    notebook = json.loads(path.read_text(encoding="utf-8"))
    first, last = notebook["cells"][0], notebook["cells"][-1]
    for cell in (first, last):
        replace_in(cell, NAVIGATION, navigation(lesson, plan), path)
    replace_in(first, TITLE, f"# {label(lesson)}", path)
    replace_in(first, MINUTES, minutes_row(lesson), path)
    code = next(cell for cell in notebook["cells"] if cell["cell_type"] == "code")
    code["source"] = with_install("".join(code["source"])).splitlines(keepends=True)
    return json.dumps(notebook, indent=1, ensure_ascii=False) + "\n"


def replace_in(cell: dict, pattern: re.Pattern, line: str, path: Path) -> None:
    """Replace the one line of `cell` that matches. Raise ValueError unless there is just one."""
    text, n_lines = pattern.subn(lambda _: line, "".join(cell["source"]))
    if n_lines != 1:
        raise ValueError(f"{path.name}, cell {cell['id']}: {n_lines} lines match {pattern.pattern}")
    cell["source"] = text.splitlines(keepends=True)


def label(lesson: Lesson) -> str:
    """Return the lesson's number and title."""
    return f"{lesson.name[:2]} · {lesson.title}"


def navigation(lesson: Lesson, plan: Sequence[Lesson]) -> str:
    """Return the links to the previous lesson, to the index and to the next lesson."""
    place = plan.index(lesson)
    links = [f"[← {label(other)}]({other.file})" for other in plan[:place][-1:]]
    links.append(f"[index]({plan[0].file})")
    links += [f"next: [{label(other)} →]({other.file})" for other in plan[place + 1 :][:1]]
    return " · ".join(links)


def minutes_row(lesson: Lesson) -> str:
    """Return the row of the card: minutes to read, and for the exercises that stand in the
    notebook."""
    minutes = [
        exercise.minutes for exercise in of_lesson(lesson.number) if is_in_notebook(exercise)
    ]
    noun = "exercise" if len(minutes) == 1 else "exercises"
    rest = f", and {sum(minutes)} for the {noun}" if minutes else ""
    return f"| **Minutes to read** | {lesson.minutes}{rest} |"


def is_in_notebook(exercise: Exercise) -> bool:
    """Return whether the notebook of the exercise's lesson shows its task."""
    (lesson,) = [lesson for lesson in lessons() if lesson.number == exercise.lesson]
    text = (NOTEBOOKS / lesson.file).read_text(encoding="utf-8")
    return f'exercises.task(\\"{exercise.key}\\")' in text


def lesson_rows(plan: Sequence[Lesson]) -> list[str]:
    """Return the rows of README's table of lessons."""
    return [
        f"| [{lesson.name[:2]}](notebooks/{lesson.file}) | {lesson.title} | {lesson.minutes} | "
        f"{lesson.goal} |"
        for lesson in plan
    ]


def exercise_rows(plan: Sequence[Lesson]) -> list[str]:
    """Return the rows of the table of exercises; one that stands in no notebook is an extra one."""
    return [
        f"| [{lesson.name[:2]}]({lesson.file}){'' if is_in_notebook(exercise) else ', extra'} | "
        f"`{exercise.key}` | {exercise.minutes} | "
        f"{'●' * exercise.difficulty}{'○' * (3 - exercise.difficulty)} | {len(exercise.hints)} |"
        for lesson in plan
        for exercise in of_lesson(lesson.number)
    ]


def with_table(path: Path, head: Sequence[str], rows: Sequence[str]) -> str:
    """Return the file's text with these rows below the table's head. Raise ValueError without the
    head."""
    lines = path.read_text(encoding="utf-8").splitlines()
    start = next((n for n, line in enumerate(lines) if line == head[0]), None)
    if start is None:
        raise ValueError(f"{path.name}: no table begins with {head[0]!r}")
    end = start
    while end < len(lines) and lines[end].startswith("|"):
        end += 1
    return "\n".join([*lines[:start], *head, *rows, *lines[end:]]) + "\n"


def with_headings(text: str, plan: Sequence[Lesson]) -> str:
    """Return the text with each lesson's heading, which begins with its number; a lesson without a
    section gets one that names its exercises."""
    titles = {lesson.name[:2]: lesson.title for lesson in plan}
    for number in sorted(set(titles) - set(HEADING.findall(text))):
        keys = ", ".join(f"`{exercise.key}`" for exercise in of_lesson(int(number)))
        section = f"### {number}\n- **Exercises.** {keys}\n\n"
        text = text.replace(AFTER_SECTIONS, section + AFTER_SECTIONS)
    return HEADING.sub(lambda match: f"### {match[1]} {titles.get(match[1], '?')}", text)


def with_outcomes(text: str) -> str:
    """Return the text with what came out of each lesson's studies at the end of its section, in
    place of what stood there."""
    lines = [line for line in text.splitlines() if not line.startswith(GENERATED)]
    for subject, lesson in subjects().items():
        heading = f"### {lesson.name[:2]} {lesson.title}"
        outcomes = [line for study in studies_of(subject) for line in outcome_lines(study)]
        if not outcomes:
            continue
        end = lines.index(heading) + 1
        while not lines[end].startswith("#"):
            end += 1
        while not lines[end - 1]:
            end -= 1
        lines[end:end] = outcomes
    return "\n".join(lines) + "\n"


def studies_of(subject: str) -> list[Study]:
    """Return the studies that a lesson's notebook shows and that have claims and committed
    results."""
    surface = vars(import_module(f"{PACKAGE}.{subject}.notebook"))
    shown = {value.name: value for value in surface.values() if isinstance(value, Study)}
    return [
        study
        for study in shown.values()
        if results_path(study.file).exists() and study.judge(committed_rows(study))
    ]


def outcome_lines(study: Study) -> list[str]:
    """Return the verdicts on a study's committed results for instructors.md: how many of each
    outcome, then a line for each outcome with its claims and their effects."""
    rows = committed_rows(study)
    repeated = study.repeated if len(rows) > 1 else study.repeated.removesuffix("s")
    by_outcome: dict[str, list[str]] = {}
    for verdict in study.judge(rows):
        unjudged = verdict.outcome in (CANNOT_BE_ASKED, CANNOT_BE_JUDGED)
        effect = "" if unjudged else f" ({numbers(verdict)})"
        by_outcome.setdefault(verdict.outcome, []).append(f"{verdict.claim.ours}{effect}")
    reached = [outcome for outcome in OUTCOMES if outcome in by_outcome]
    counts = ", ".join(f"{len(by_outcome[outcome])} {outcome}" for outcome in reached)
    return [
        f"{CAME_OUT} (`seqkd-lab study check {study.name}`, {len(rows)} {repeated}): {counts}.",
        *(f"  - *{outcome}*: {'; '.join(by_outcome[outcome])}." for outcome in reached),
    ]


def outdated() -> list[Path]:
    """Return the files whose text is not what the declarations say."""
    return [path for path, text in documents().items() if path.read_text(encoding="utf-8") != text]


def main(arguments: Sequence[str] | None = None) -> int:
    """Write the files, or with --check name those that differ; return the exit code."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--check", action="store_true", help="write nothing; exit 1 on differences")
    parser.add_argument(
        "--install-from", metavar="ADDRESS", help=f"what pip installs a missing lab from: {FORMS}"
    )
    given = parser.parse_args(arguments)
    if given.install_from is not None:
        try:
            write_address(given.install_from)
        except ValueError as error:
            parser.error(str(error))
    is_check, texts = given.check, documents()
    for path in (differing := outdated()):
        print(f"{'differs' if is_check else 'written'}: {path.relative_to(NOTEBOOKS.parent)}")
        if not is_check:
            path.write_text(texts[path], encoding="utf-8", newline="\n")
    return int(is_check and bool(differing))


if __name__ == "__main__":
    sys.exit(main())
