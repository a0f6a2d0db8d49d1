"""Nothing that a person types, a model holds or a corpus says reaches HTML unescaped, in any view,
output of a cell or report; and no picture reads it as mathematics."""

from __future__ import annotations

import ast
import itertools
import random
import warnings
from collections.abc import Iterator
from html import escape
from pathlib import Path
from typing import Any
from unittest.mock import patch

import hostile_outputs
import hostile_views
import ipywidgets as widgets
import pandas as pd
import pytest
import view_driver
from declared import declared
from markup import problem_of_html, problem_of_markdown
from matplotlib.figure import Figure
from payloads import LONG, mixtures, words
from soak import attempts, tally
from view_samples import Sample, Small, small_samples

import seqkd_lab.lab
from seqkd_lab.lab.paper_table.report import report_html
from seqkd_lab.lab.paper_table.view import TableExplorer
from seqkd_lab.lab.shared.models import table_results
from seqkd_lab.lab.shared.picture import BlittedFigure, add_label
from seqkd_lab.lab.shared.showing import StaticView
from seqkd_lab.lab.shared.style import styled
from seqkd_lab.lab.shared.view import View
from seqkd_lab.lab.word_kd.trainer import StudentTrainer
from seqkd_lab.lab.word_kd.tries import table_html
from seqkd_lab.studies.table1.tour import Example, Output

SAMPLES: dict[type[View], Sample] = declared("SAMPLES")
every_view = pytest.mark.parametrize(
    "kind", sorted(SAMPLES, key=lambda kind: kind.__name__), ids=lambda kind: kind.__name__
)
WORDLESS = {"FrontEndCheck", "StudentTrainer", "TableExplorer", "TimelineExplorer"}
"""Views that show no word of a text, and no name that their caller chose; two have tests below."""
N_PAINTED = 7  # one event in so many is painted, which takes most of the time


@pytest.fixture(scope="module")
def small() -> Small:
    return small_samples()


@every_view
def test_whatever_a_view_shows_is_escaped_and_drawn(kind, small):
    chance = random.Random(kind.__name__)
    with (
        tally("views: payloads as words, names and typed text") as count,
        view_driver.one_brush() as brush,
        warnings.catch_warnings(),
    ):
        warnings.filterwarnings("ignore", message="Glyph", category=UserWarning)
        n_seen = 0
        for _ in range(attempts(1, 2)):
            payloads = words()
            chance.shuffle(payloads)
            brush.wet = True
            view, renaming = hostile_views.hostile_view(kind, SAMPLES[kind], small, payloads)
            n_seen += sum(map(view_driver.words(view).__contains__, shown_forms(renaming)))
            for number, event in enumerate(events(view, SAMPLES[kind], chance)):
                brush.wet = number % N_PAINTED == 0
                count.tried(problem_after(view, event, brush))
        assert n_seen or kind.__name__ in WORDLESS, "no payload was shown: nothing was attacked"


def shown_forms(renaming: hostile_views.Renaming) -> set[str]:
    """Return the payloads as HTML shows them."""
    return {escape(payload) for payload in renaming.payload_of.values()}


def events(view: View, sample: Sample, chance: random.Random) -> Iterator[tuple[str, Any]]:
    """Yield payloads typed into every field, and random events between them."""
    n_events = attempts(10, 220)
    fields = [
        name
        for name, control in view_driver.controls(view).items()
        if isinstance(control, view_driver.FIELDS)
    ]
    typed = itertools.islice(mixtures(chance.randrange(10**6)), attempts(25, 700))
    texts = [*LONG, *typed] if fields else []
    for text in texts:
        for name in fields:
            yield name, text
            yield name, f"{text} {known_word(view)}"
    for _ in range(n_events):
        yield view_driver.random_event(view, chance, {*sample.not_pressed, *fields})


def known_word(view: Any) -> str:
    """Return a word that the view's model knows, with which a typed text is searched."""
    tokens = view.model.source_vocabulary.tokens[4:] if hasattr(view, "model") else ("the",)
    return next(filter(str.isalpha, tokens), "the")


def problem_after(view: View, event: tuple[str, Any], brush: view_driver.Brush) -> str | None:
    """Let an event happen; return what it raised, or what is wrong with what is shown then."""
    try:
        view_driver.act(view, event)
        if brush.wet:
            brush.finish(view)
    except Exception as error:
        return f"{event[0]} = {str(event[1])[:80]!r} raised {error!r:.200}"
    problem = problem_of_view(view, event[0])
    return None if problem is None else f"{event[0]} = {str(event[1])[:80]!r}: {problem}"


def problem_of_view(view: View, typed_into: str = "") -> str | None:
    """Return what a browser would do beyond showing text; None where it only shows."""
    for widget in view_driver.descendants(view):
        if isinstance(widget, (widgets.HTML, widgets.HTMLMath)):
            if problem := problem_of_html(widget.value):
                return f"{problem} in {widget.value[:300]!r}"
        if getattr(widget, "description_allow_html", False):
            return f"the description of {type(widget).__name__} is read as HTML"
        if widget is not view.named.get(typed_into):
            if problem := unsendable(widget):
                return problem
    return None


def unsendable(widget: widgets.Widget) -> str | None:
    """Return the text of a widget that cannot be sent to a browser: halves of characters."""
    for name in ("value", "description", "_options_labels", "placeholder", "tooltip"):
        is_sent = name != "value" or not isinstance(widget, view_driver.LISTS)  # the index is
        text = str(getattr(widget, name, "")) if is_sent else ""
        try:
            text.encode()
        except UnicodeEncodeError as error:
            return f"{type(widget).__name__}.{name} cannot be sent: {error}"
    return None


def test_a_row_of_a_table_of_results_may_have_any_name(monkeypatch):
    results = table_results()
    with tally("views: names of rows in a table of results") as count:
        for name in itertools.islice(mixtures(5), attempts(3, 60)):
            rows = {s: {name: row["seq-kd"], **row} for s, row in results["by_seed"].items()}
            view = TableExplorer(rows)
            for control in (view.other, view.row):
                control.value = name
                count.tried(problem_of_view(view))


def test_an_error_of_a_training_is_shown_as_text(small):
    view = SAMPLES[StudentTrainer].build(small)
    with tally("views: a training that fails, and its rows") as count:
        for text in itertools.islice(mixtures(6), attempts(30, 1_000)):
            with patch.object(view, "_train", side_effect=ValueError(text)):
                view._work(view.chosen)
            count.tried(problem_of_view(view))
            count.tried(problem_of_html(table_html(pd.DataFrame([{text: text, "BLEU": 1.0}]))))


def test_whatever_a_cell_shows_is_escaped():
    with tally("outputs of cells: HTML and markdown") as count:
        for text in itertools.islice(mixtures(7), attempts(45, 1_500)):
            for output in hostile_outputs.outputs_of(text):
                count.tried(problem_of_output(output, text))


def problem_of_output(output: Any, text: str) -> str | None:
    """Return what is wrong with a shown form of `output`; None where nothing is."""
    try:
        repr(output)
        problem = None
        if hasattr(output, "_repr_html_"):
            problem = problem_of_html(output._repr_html_())
        if hasattr(output, "_repr_markdown_"):
            problem = problem or problem_of_markdown(output._repr_markdown_())
    except Exception as error:
        problem = repr(error)
    return None if problem is None else f"{type(output).__name__} of {text[:80]!r}: {problem}"


def test_every_kind_of_output_is_among_them():
    """Of a class that shows HTML or markdown: a Task holds nothing but what its author wrote, a
    StaticView a picture (below)."""
    known = {
        "Task",
        "StaticView",
        *(type(output).__name__ for output in hostile_outputs.outputs_of("x")),
    }
    for path in Path(seqkd_lab.lab.__file__).parent.rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.ClassDef):
                methods = (item.name for item in node.body if isinstance(item, ast.FunctionDef))
                shows = any(name.startswith("_repr_") for name in methods)
                assert not shows or node.name in known, f"{path}: {node.name} is not attacked"


def test_a_report_shows_texts_and_loads_nothing():
    results = table_results()
    with tally("reports: sentences, outputs, titles") as count:
        for text in itertools.islice(mixtures(8), attempts(1, 60)):
            output = Output(text, text, text, text, None)
            page = report_html(results, [Example(text, text, (output, output))], text)
            count.tried(problem_of_html(page, is_page=True))


def test_a_picture_of_a_text_is_drawn_as_it_stands():
    with (
        tally("pictures: texts drawn, none read as mathematics") as count,
        warnings.catch_warnings(),
    ):
        warnings.filterwarnings("ignore", message="Glyph", category=UserWarning)
        for text in itertools.islice(mixtures(9), attempts(6, 120)):
            count.tried(problem_of_picture(text))


@styled
def problem_of_picture(text: str) -> str | None:
    """Draw `text` wherever a picture may hold one; return what that raised."""
    figure = Figure(figsize=(3, 2), layout="constrained")
    axes = figure.subplots()
    axes.plot([0, 1], label=text[:200])
    axes.set(title=text[:200], xlabel=text[:90], ylabel=text[:90])
    axes.annotate(text[:200], (0, 0))
    axes.set_xticks([0, 1], labels=[text[:50], "x"])
    add_label(axes, 0.5, 0.5, text)
    figure.suptitle(text[:200])
    try:
        StaticView(figure, text)._repr_mimebundle_()
        BlittedFigure(figure, ()).png()
    except Exception as error:
        return f"{text[:80]!r}: {error!r:.300}"
    return None
