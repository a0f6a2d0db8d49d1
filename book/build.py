"""Makes the site of lessons that have run: puts the sources of all pages together, and has Sphinx
build them."""

from __future__ import annotations

import shutil
from collections.abc import Sequence
from pathlib import Path

import notebook_runs
from sphinx.cmd.build import main as sphinx_build

from book import ROOT
from book.checks import problems
from book.execute import NOTEBOOK
from book.notebook_page import as_page
from book.pages import write_pages
from book.player import VIEWS
from book.slides import SLIDES, write_slides
from seqkd_lab.lab.shared.plan import Lesson, lessons

SITE = Path(__file__).resolve().parent / "site"
LESSONS = "lessons"


class BuildError(Exception):
    """Sphinx could not make the site, or warned of something."""


def assemble(run: Path, source: Path, extra: Path, chosen: Sequence[Lesson]) -> None:
    """Write the sources of all pages to `source`, and what goes into the site as it is to
    `extra`: the views' files, and the notebooks without outputs, to be downloaded. A lesson that is
    not among the chosen ones, which have run, stands there without its outputs."""
    for folder in (source, extra):
        shutil.rmtree(folder, ignore_errors=True)
    (source / LESSONS).mkdir(parents=True)
    (extra / "notebooks").mkdir(parents=True)
    for lesson in lessons():
        stored, done = notebook_runs.NOTEBOOKS / lesson.file, run / Path(lesson.file).stem
        shutil.copy(stored, extra / "notebooks")
        notebook = notebook_runs.read(done / NOTEBOOK if lesson in chosen else stored)
        notebook_runs.write(as_page(notebook, lesson.file), source / LESSONS / lesson.file)
        if lesson in chosen and (done / VIEWS).exists():
            shutil.copytree(done / VIEWS, extra / VIEWS, dirs_exist_ok=True)
    for page in notebook_runs.NOTEBOOKS.glob("*.md"):
        shutil.copy(page, source / LESSONS)
    shutil.copytree(notebook_runs.NOTEBOOKS / "pictures", source / LESSONS / "pictures")
    shutil.copy(ROOT / "data/results/table1.png", source)
    write_pages(source)
    write_contents(source)


def write_contents(source: Path) -> None:
    """Write the first page, and the pages that lead to the lessons and to the reference, which
    holds the pages that are there."""
    reference = source / "reference"
    reference.mkdir(exist_ok=True)
    pages = sorted(path.stem for path in reference.glob("*.md"))
    rows = [lesson_row(lesson) for lesson in lessons()]
    names = [Path(lesson.file).stem for lesson in lessons()]
    fill("front.md", source / "index.md")
    fill("lessons.md", source / LESSONS / "index.md", lessons=rows, files=names)
    fill("reference.md", reference / "index.md", files=pages)


def lesson_row(lesson: Lesson) -> str:
    """Return a lesson's row in the table of all; its slides are no page of Sphinx's."""
    slides = f'<a href="../{SLIDES}/{Path(lesson.file).stem}.html">slides</a>'
    what = f"[{lesson.title}]({lesson.file}) ({slides})"
    return f"| {lesson.name[:2]} | {what} | {lesson.minutes} | {lesson.goal} |"


def fill(template: str, page: Path, **lines: Sequence[str]) -> None:
    """Write a page from a template of site/, where lines stand for {{their name}}."""
    text = (SITE / template).read_text(encoding="utf-8")
    for name, values in lines.items():
        text = text.replace(f"{{{{{name}}}}}", "\n".join(values))
    page.write_text(text, encoding="utf-8", newline="\n")


def build(source: Path, extra: Path, html: Path, doctrees: Path) -> None:
    """Build the site. Raise BuildError where Sphinx fails or warns, since a page then looks other
    than it was meant, and where a link leads nowhere."""
    shutil.rmtree(html, ignore_errors=True)
    settings = [f"--define=html_extra_path={extra}"]
    arguments = ["--fail-on-warning", "--keep-going", "--quiet", "-c", str(SITE), *settings]
    if sphinx_build([*arguments, "-d", str(doctrees), str(source), str(html)]):
        raise BuildError("Sphinx could not build the site without a warning; see above")
    write_slides(html)
    if dead_links := problems(html):
        raise BuildError("\n  ".join(["the site has links that lead nowhere:", *dead_links[:20]]))


def chosen_lessons(numbers: Sequence[str]) -> list[Lesson]:
    """Return the lessons with these numbers, all where none is given. Raise ValueError for a number
    that no lesson has."""
    known = {lesson.name[:2]: lesson for lesson in lessons()}
    if unknown := [number for number in numbers if number not in known]:
        raise ValueError(f"no lesson has the number {unknown[0]!r}; there are {', '.join(known)}")
    return [known[number] for number in sorted(numbers) or known]
