"""The notebooks: how they are stored, what a lesson must have, and that they run, unsolved and
solved."""

from __future__ import annotations

import re
from functools import cache
from pathlib import Path

import lessons as lesson_lists
import nbformat
import notebook_runs
import pytest
from install_lines import without_install
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook

from seqkd_lab.lab.shared import exercises
from seqkd_lab.lab.shared.plan import lessons
from seqkd_lab.studies import find_studies, study

PATHS = notebook_runs.paths()
PLANNED = {lesson.file for lesson in lessons()}
MOST_CELLS, MOST_SECONDS = 35, 120
CARD = ("What you can do after it", "What you need", "Minutes to read", "Seconds to run")
LINK = re.compile(r"\]\(([^)\s]+)\)")
ARXIV_NUMBER = re.compile(r"arXiv \d{4}\.\d{5}")
MEASURED = re.compile(r"\d+\.\d+(?: BLEU)?|\d+ ?%(?!\s+interval)|\d+ BLEU")
REWRITTEN = range(9)
"""The lessons that import from few places and carry the ticket; the later ones follow."""
MOST_PLACES = 3
SAME_AS = {
    "word_kd_loss": ("def word_kd(", "def cross_entropy("),
    "mixed_target": ("def mixed_target(teacher_logits",),
    "masked_nll": ("def nll(", "def mean_over_tokens("),
    "beam_step": ("def keep_best(",),
    "seq_inter_choice": ("def nearest_to_gold(",),
    "next_word_distribution": ("def next_token(",),
    "entropy_of_translations": ("def entropy(",),
    "mean_and_interval": ("def mean_and_interval(values: ",),
}
"""By exercise, the library's functions that do the same: their source gives the answer away."""
each = pytest.mark.parametrize("path", PATHS, ids=lambda path: path.stem)
after_the_first = pytest.mark.parametrize("path", PATHS[1:], ids=lambda path: path.stem)


def cells(path: Path, kind: str) -> list[str]:
    """The sources of a stored notebook's cells of one kind."""
    return [cell.source for cell in notebook_runs.read(path).cells if cell.cell_type == kind]


@cache
def finished(path: Path, solved: bool) -> notebook_runs.Run:
    """The notebook after a run in fast mode, as it is stored or as a diligent person leaves it; run
    once."""
    notebook = notebook_runs.read(path)
    return notebook_runs.run(notebook_runs.solved(notebook) if solved else notebook)


@cache
def in_claims() -> set[str]:
    """What claims ask, and what their papers say, with numbers that prose may name, too: a paper's
    result, or a level at which something is measured."""
    claims = [claim for name in find_studies() for claim in study(name).claims]
    return {n for claim in claims for n in MEASURED.findall(f"{claim.ours} {claim.original}")}


def test_every_lesson_of_the_plan_is_there():
    assert {path.name for path in PATHS} == PLANNED


def test_what_follows_from_the_lessons_declarations_is_up_to_date():
    """Titles, minutes, navigation, README's table of lessons, the headings and the table of
    exercises in the instructors' page."""
    assert lesson_lists.outdated() == [], "python tools/lessons.py writes them"


@each
class TestStored:
    def test_its_name_is_in_the_plan(self, path):
        assert path.name in PLANNED

    def test_without_outputs_and_widget_state(self, path):
        """Byte for byte what `stripped` leaves, so that a saved run never slips into the
        repository."""
        notebook = notebook_runs.read(path)
        bare = nbformat.writes(notebook_runs.stripped(notebook)).rstrip("\n") + "\n"
        assert path.read_text(encoding="utf-8") == bare, (
            "python tools/run_notebooks.py --strip makes it so"
        )

    def test_it_is_short_and_every_cell_has_a_name_of_its_own(self, path):
        notebook = notebook_runs.read(path)
        assert len(notebook.cells) <= MOST_CELLS
        assert len({cell.id for cell in notebook.cells}) == len(notebook.cells)

    def test_a_switch_at_the_top_trains_from_nothing(self, path):
        """Lesson 01 has no model: there is nothing to train."""
        first = cells(path, "code")[0]
        assert "FROM_NOTHING = False" in first or path.stem.startswith("01")

    def test_the_card_is_on_top_and_whole(self, path):
        card = cells(path, "markdown")[0]
        assert notebook_runs.read(path).cells[0].source == card
        for label in CARD:
            assert re.search(rf"\*\*{label}\*\*[^|]*\| *\S", card), label
        assert int(re.search(r"\*\*Seconds to run\*\*[^|]*\| *(\d+)", card)[1]) <= MOST_SECONDS

    def test_every_link_leads_somewhere(self, path):
        """A lesson of the plan that is not written yet may be linked to; the test of the plan is
        for that."""
        for link in LINK.findall("\n".join(cells(path, "markdown"))):
            if link.startswith(("http://", "https://")):
                continue
            target, _, _ = link.partition("#")
            assert (path.parent / target).exists() or target in PLANNED, link

    def test_it_imports_from_few_places_and_only_at_the_top(self, path):
        if int(path.stem[:2]) not in REWRITTEN:
            return
        code = [
            without_install(cell.source)
            for cell in notebook_runs.read(path).cells
            if cell.cell_type == "code"
            and notebook_runs.EXERCISE not in cell.metadata.get("tags", ())
        ]
        imports = re.compile(r"^\s*(?:from|import) (\S+)", re.MULTILINE)
        importing = [place for place, source in enumerate(code) if imports.search(source)]
        places = [name.removesuffix(".notebook") for name in imports.findall("\n".join(code))]
        assert len(set(places)) <= MOST_PLACES and len(importing) == 1 and importing[0] <= 1

    def test_it_carries_the_ticket(self, path):
        assert int(path.stem[:2]) not in REWRITTEN or "TICKET" in "\n".join(cells(path, "code"))

    def test_it_holds_no_model_code_and_no_global_figures(self, path):
        for source in cells(path, "code"):
            is_exercise = "exercises.check(" in source
            assert not re.search(r"^\s*class |pyplot|torch\.nn|\bnn\.", source, re.MULTILINE), (
                source
            )
            assert is_exercise or not re.search(r"^\s*def ", source, re.MULTILINE), source

    def test_prose_holds_no_measured_number(self, path):
        for source in cells(path, "markdown"):
            found = MEASURED.findall(ARXIV_NUMBER.sub("", source))
            assert set(found) <= in_claims(), set(found) - in_claims()


@each
@pytest.mark.slow
class TestRun:
    def test_as_stored_it_runs_through_in_order(self, path, record_property):
        done = finished(path, solved=False)
        record_property("seconds", done.seconds)
        record_property("peak_mib", done.peak_mib)
        assert done.errors == ()
        counts = [cell.execution_count for cell in done.notebook.cells if cell.cell_type == "code"]
        assert counts == list(range(1, len(counts) + 1))

    def test_unwritten_exercises_and_open_predictions_are_said_and_do_no_harm(self, path):
        notebook, text = (
            notebook_runs.read(path),
            notebook_runs.printed(finished(path, solved=False).notebook),
        )
        assert text.count("This is still the stub") == len(notebook_runs.exercise_keys(notebook))
        assert text.count("Predict first: no answer has been recorded.") >= 1

    def test_solved_it_passes_every_check_and_scores_every_prediction(self, path):
        done = finished(path, solved=True)
        assert done.errors == ()
        text, keys = (
            notebook_runs.printed(done.notebook),
            notebook_runs.exercise_keys(notebook_runs.read(path)),
        )
        assert [key for key in keys if f"✓ {key}: passed" not in text] == []
        assert text.count(": passed") >= len(keys) and "not yet." not in text
        summary = re.search(r"(\d+) predictions scored", text)
        asked = sum(source.count("predictions.ask(") for source in cells(path, "code"))
        undecided = re.search(r"(\d+) not scored, since the run does not decide", text)
        assert (
            int(summary[1]) + (int(undecided[1]) if undecided else 0) >= asked
            and "not scored yet" not in text
        )
        assert int(summary[1]) >= 1

    def test_no_ranking_lists_its_items_in_the_right_order(self, path):
        """The diligent person of these runs ranks in the order of the list."""
        text = notebook_runs.printed(finished(path, solved=True).notebook)
        assert not re.search(r"Right: [^.\n]* > [^\n]*", text)

    def test_nothing_is_printed_where_jupyter_paints_it_as_an_error(self, path):
        for solved in (False, True):
            outputs = [
                output
                for cell in finished(path, solved).notebook.cells
                for output in cell.get("outputs", ())
            ]
            assert [output.text for output in outputs if output.get("name") == "stderr"] == []

    def test_no_solution_is_printed_above_its_exercise(self, path):
        above = ""
        for cell in finished(path, solved=False).notebook.cells:
            key = notebook_runs.CHECK.search(cell.source) if cell.cell_type == "code" else None
            if key and notebook_runs.EXERCISE in cell.metadata.get("tags", ()):
                told = [head for head in SAME_AS.get(key[1], ()) if head in above]
                assert not told, f"{key[1]}: {told}"
            above += (
                notebook_runs.printed(new_notebook(cells=[cell]))
                if cell.cell_type == "code"
                else cell.source
            )


@each
@pytest.mark.slow
def test_trained_from_nothing_and_without_widgets_it_runs_through_too(path):
    """Both at once, since a run takes time: models of few updates, and still pictures in the place
    of views."""
    notebook = notebook_runs.from_nothing(notebook_runs.read(path))
    done = notebook_runs.run(notebook_runs.without_widgets(notebook))
    assert done.errors == ()
    assert not notebook_runs.widget_models(done.notebook)


@after_the_first
class TestLesson:
    def test_it_asks_at_least_two_predictions_before_it_scores_them(self, path):
        code = cells(path, "code")
        asked = [
            place
            for place, source in enumerate(code)
            for _ in range(source.count("predictions.ask("))
        ]
        scored = [
            place
            for place, source in enumerate(code)
            for _ in range(source.count("predictions.score("))
        ]
        assert len(asked) >= 2 and scored and min(scored) > min(asked) and max(scored) > max(asked)
        assert any("predictions.summary()" in source for source in code)

    def test_its_exercises_are_whole(self, path):
        """The task, the stub as the library has it with its check below, then folded hints and
        solution."""
        notebook = notebook_runs.read(path)
        code = re.sub(r"\s", "", "".join(cells(path, "code")))
        keys = notebook_runs.exercise_keys(notebook)
        assert len(keys) >= 2 and len(set(keys)) == len(keys)
        for key in keys:
            exercise = exercises.find(key)
            assert exercise.lesson == int(path.stem[:2])
            stub = f'{exercise.stub.rstrip()}\n\n\nexercises.check("{key}", {key})'
            assert stub in cells(path, "code"), key
            hints = [f'hint("{key}",{n}' for n in range(1, len(exercise.hints) + 1)]
            if (all_hints := f'hints("{key}")') in code:
                hints = [all_hints]
            for call in (f'task("{key}")', *hints, f'solution("{key}")'):
                assert f"exercises.{call}" in code, call

    @pytest.mark.slow
    def test_it_says_what_one_should_see_as_a_computed_range(self, path):
        assert "You should see" in notebook_runs.printed(finished(path, solved=False).notebook)


CALLBACK = """
import ipywidgets as widgets
slider = widgets.IntSlider(value=3, max=5)
def callback(value):
    1 / {divisor}
out = widgets.interactive_output(callback, {{"value": slider}})
widgets.VBox([slider, out])
"""


class TestScan:
    """The trap: what a widget's callback raises leaves the cells without any error."""

    def run(self, *sources: str) -> notebook_runs.Run:
        made = [new_code_cell(source) for source in sources]
        return notebook_runs.run(new_notebook(cells=made), timeout=120)

    def test_a_callback_that_raises_is_found_in_the_widget_state(self):
        done = self.run(
            CALLBACK.format(divisor="(value - 3)"), "print('the next cell runs all the same')"
        )
        outputs = [output for cell in done.notebook.cells for output in cell.outputs]
        assert not any(
            output.output_type == "error" for output in outputs
        )  # the cells show nothing
        (error,) = done.errors
        assert "widget OutputModel" in error and "ZeroDivisionError" in error

    def test_a_sound_callback_and_a_failing_cell_are_told_apart(self):
        done = self.run(CALLBACK.format(divisor="1"), "raise KeyError('in a cell')", "2 + 2")
        assert (
            len(done.errors) == 1
            and done.errors[0].startswith("cell 1 ")
            and "KeyError" in done.errors[0]
        )
        assert "4" in notebook_runs.printed(done.notebook) and done.peak_mib > 10

    def test_stripping_takes_all_that_a_run_leaves(self):
        done = self.run(CALLBACK.format(divisor="1"))
        assert notebook_runs.widget_models(done.notebook)
        bare = notebook_runs.stripped(done.notebook)
        assert not notebook_runs.widget_models(bare)
        assert all(cell.outputs == [] and cell.execution_count is None for cell in bare.cells)


def test_solving_touches_exercises_and_questions_only():
    key = "entropy_of_translations"
    check = f'exercises.check("{key}", {key})'
    stub = new_code_cell(f"{exercises.find(key).stub}\n{check}", metadata={"tags": ["exercise"]})
    asking = new_code_cell('predictions.ask("a", "b", kind)')
    notebook = new_notebook(
        cells=[new_markdown_cell("# text"), asking, stub, new_code_cell("1 + 1")]
    )
    solved = notebook_runs.solved(notebook)
    sources = [cell.source for cell in solved.cells]
    assert sources[:2] == ["# text", asking.source] and sources[2] == notebook_runs.ANSWER_ALL
    assert "NotImplementedError" not in sources[3] and sources[3].endswith(check)
    assert sources[4:] == ["1 + 1"] and "NotImplementedError" in stub.source
