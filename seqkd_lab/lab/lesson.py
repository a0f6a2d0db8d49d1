"""What every notebook needs around its subject: the plan, switches, models, pictures, expected ranges."""

from __future__ import annotations

import base64
import inspect
import io
import os
import textwrap
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from html import escape
from pathlib import Path
from typing import Any

import platformdirs
from matplotlib.figure import Figure
from tqdm import tqdm

from seqkd_lab.doctor import cache_directory
from seqkd_lab.experiments.committed import checkpoint_directory, load_committed
from seqkd_lab.experiments.presets import TOY
from seqkd_lab.experiments.recipes import Distillation, Recipe, ToyData, table_recipes
from seqkd_lab.experiments.store import Store
from seqkd_lab.lab.exercises.showing import FAILED, PASSED
from seqkd_lab.lab.predictions import Predictions
from seqkd_lab.models.seq2seq import Seq2Seq

FAST_SWITCH = "SEQKD_LAB_FAST"
"""Set to 1, this environment variable makes every notebook take less of everything: for tests, not for people."""
PREDICTIONS_FILE = "SEQKD_LAB_PREDICTIONS"
"""This environment variable names the file of a person's predictions, where the usual place will not do."""
NOTEBOOKS = Path(__file__).resolve().parents[2] / "notebooks"


@dataclass(frozen=True)
class Lesson:
    """A lesson of the plan; `minutes` are for reading and running it, without its exercises."""

    name: str
    title: str
    minutes: int
    goal: str

    @property
    def number(self) -> int:
        return int(self.name[:2])

    @property
    def file(self) -> str:
        return f"{self.name}.ipynb"


LESSONS = (
    Lesson("00_start_here", "Start here", 10, "check this machine, see the whole story with trained models"),
    Lesson("01_toy_language", "The toy language", 20, "say what makes a translation ambiguous, and measure it"),
    Lesson("02_teacher", "The teacher", 20, "train a teacher and read its curve against the entropy floor"),
    Lesson("03_teacher_distributions", "The teacher's distributions", 20,
           "read a next-word distribution beside the true one, at any temperature"),
    Lesson("04_word_level_kd", "Word-level distillation", 20,
           "mix hard and soft targets by α and τ, and train with them"),
    Lesson("05_greedy_and_beam", "Greedy and beam", 20, "say what a beam throws away, and why"),
    Lesson("06_sequence_level_kd", "Sequence-level distillation", 20,
           "distil a corpus, train three students on equal terms, and explain why greedy search then suffices"),
    Lesson("07_interpolation", "Interpolation", 20, "pick among K candidates by their closeness to gold"),
    Lesson("08_the_paper_in_one_table", "The paper in one table", 20, "judge the paper's findings on ten seeds"),
    Lesson("09_pruning", "Pruning", 20, "prune a distilled student, retrain it, and say what sparsity is worth"),
    Lesson("10_speculative_sampling", "Speculative sampling", 20,
           "let a student draft for its teacher, exactly, and say when that pays"),
    Lesson("11_on_policy", "On-policy distillation", 20,
           "let a student learn along its own words, and say which KL pulls it where"),
    Lesson("12_paced", "PACED: the student's frontier", 20,
           "weigh sources by how often the student passes, and measure what a gradient is worth"),
    Lesson("13_token_importance", "Token importance", 20,
           "find the words that a student is confidently wrong about, and train on those"),
    Lesson("14_near_policy", "Near-policy distillation", 20,
           "take generation out of the training loop, and say what is lost and what is won"),
    Lesson("15_meters", "Meters that mislead", 15,
           "say what became simpler in a distilled corpus, and why perplexity and one reference mislead"),
)


@dataclass(frozen=True)
class Markdown:
    """Markdown that a notebook renders and a terminal prints."""

    text: str

    def _repr_markdown_(self) -> str:
        return self.text

    def __repr__(self) -> str:
        return self.text


def lesson_map(folder: Path = NOTEBOOKS) -> Markdown:
    """The lessons with their minutes; a link to each whose notebook lies in `folder`."""
    lines = ["| | lesson | minutes | what you can do after it |", "|---|---|---|---|"]
    for lesson in LESSONS:
        there = (folder / lesson.file).exists()
        title = f"[{lesson.title}]({lesson.file})" if there else f"{lesson.title} (not in this copy)"
        lines.append(f"| {lesson.name[:2]} | {title} | {lesson.minutes} | {lesson.goal} |")
    return Markdown("\n".join(lines))


def is_fast() -> bool:
    """Whether the notebooks are to take less of everything (SEQKD_LAB_FAST=1)."""
    return os.environ.get(FAST_SWITCH, "") not in ("", "0")


def scaled(full: Any, fast: Any) -> Any:
    """`full` for people, `fast` when the notebooks run in the tests' fast mode."""
    return fast if is_fast() else full


def predictions() -> Predictions:
    """This person's recorder, the same in every notebook: its file lies among the user's own data."""
    default = Path(platformdirs.user_data_dir("seqkd_lab", appauthor=False)) / "predictions.json"
    return Predictions(Path(os.environ.get(PREDICTIONS_FILE) or default))


def models(rows: Sequence[str], from_nothing: bool = False, seed: int = 1) -> dict[str, Seq2Seq]:
    """The trained models of some rows of Table 1 on the toy language, by name, ready to translate.

    From the committed checkpoints (the representative seed), or trained here with `seed`; what was trained is kept in
    the user's cache, so a second call finds it. In fast mode training takes a few hundred pairs.
    """
    if not from_nothing:
        folders = {row: checkpoint_directory(row) for row in rows}
        missing = [row for row, folder in folders.items() if folder is None]
        if missing:
            raise FileNotFoundError(f"no committed model of {', '.join(missing)}: take from_nothing=True to train")
        return {row: load_committed(folder) for row, folder in folders.items()}
    recipes = table_recipes(ToyData(scaled(None, 400)), TOY, seed)
    return {row: trained(recipes[row]) for row in rows}


def trained(recipe: Recipe, store: Store | None = None) -> Seq2Seq:
    """The model of `recipe`, after what it builds on, each with a bar of its own; kept in the user's cache."""
    store = store or Store(cache_directory() / "lessons")
    distilled = recipe.distilled if isinstance(recipe.distilled, Distillation) else None
    for needed in filter(None, (recipe.teacher, recipe.start, distilled.teacher if distilled else None)):
        trained(needed, store)
    if distilled is not None and not store.distilled_path(distilled).exists():
        with Bar(f"the teacher writes the corpus for {recipe.name}") as bar:
            store.distilled(distilled, bar.move)
    if store.has_model(recipe):
        return store.model(recipe)
    with Bar(f"training {recipe.name}") as bar:
        return store.model(recipe, bar.move)


class Bar:
    """A progress bar that hears (done, total), as the store reports it."""

    def __init__(self, label: str) -> None:
        self.bar = tqdm(desc=label, mininterval=0.5)

    def move(self, done: int, total: int) -> None:
        self.bar.total = total
        self.bar.update(done - self.bar.n)

    def __enter__(self) -> Bar:
        return self

    def __exit__(self, *exception: Any) -> None:
        self.bar.close()


@dataclass(frozen=True)
class Expectation:
    """What one should see: a range that was computed, and the value of this run beside it."""

    what: str
    value: float
    low: float
    high: float
    why: str

    @property
    def held(self) -> bool:
        return self.low <= self.value <= self.high

    def _repr_html_(self) -> str:
        style = f"border-left: 4px solid {PASSED if self.held else FAILED}; padding: .3em .8em"
        return f'<div role="status" style="{style}">{escape(repr(self))}</div>'

    def __repr__(self) -> str:
        found = "inside" if self.held else "OUTSIDE: chance, or something in this run is not as it should be"
        return (f"You should see {self.what} between {self.low:.4g} and {self.high:.4g} ({self.why}). "
                f"This run: {self.value:.4g}, {found}.")


def should_see(what: str, value: float, low: float, high: float, why: str) -> Expectation:
    """A computed range beside the run's value; `why` says what the range was computed from."""
    return Expectation(what, float(value), float(low), float(high), why)


def png(figure: Figure, dots_per_inch: int = 80) -> bytes:
    """The figure as a PNG file."""
    buffer = io.BytesIO()
    figure.savefig(buffer, format="png", dpi=dots_per_inch)
    return buffer.getvalue()


class Still:
    """A picture of a figure, with words for whoever cannot see it; with `view`, the still twin of that widget.

    A front end shows the richest form that it can: the widget, else the picture, else the words.
    """

    def __init__(self, figure: Figure, words: str, view: Any = None) -> None:
        self.figure, self.words, self.view = figure, words, view

    def _repr_mimebundle_(self, include: Any = None, exclude: Any = None) -> tuple[dict, dict]:
        bundle = {} if self.view is None else dict(self.view._repr_mimebundle_())
        picture = base64.b64encode(png(self.figure)).decode()
        return bundle | {"image/png": picture, "text/plain": self.words}, {"image/png": {"alt": self.words}}

    def __repr__(self) -> str:
        return self.words


def source_of(function: Callable) -> Markdown:
    """The source of the one library function that a lesson explains."""
    return Markdown(f"```python\n{textwrap.dedent(inspect.getsource(function)).rstrip()}\n```")
