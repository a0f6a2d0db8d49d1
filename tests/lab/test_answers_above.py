"""The library's answer never stands above the exercise: not in the cells of a lesson or of its
assignment, and not in what they put out when the assignment is run as a class runs it."""

from __future__ import annotations

import ast
import importlib
import inspect
import operator
import re
from collections.abc import Callable, Iterator
from pathlib import Path

import nbformat
import notebook_runs
import pytest

from seqkd_lab.distillation import tip
from seqkd_lab.lab.shared import exercises

make_assignment = pytest.importorskip("make_assignment")

LESSONS = [
    path for path in notebook_runs.paths() if notebook_runs.exercise_keys(notebook_runs.read(path))
]
each = pytest.mark.parametrize("path", LESSONS, ids=lambda path: path.stem)
ANSWERS = {
    "greedy_search": "decoding.search:search_batch decoding.search:keep_best",
    "entropy_of_translations": "corpus.toy.language:ToyLanguage.entropy",
    "next_word_distribution": "corpus.toy.language:ToyLanguage.next_token",
    "masked_nll": "distillation.losses:nll distillation.losses:mean_over_tokens "
    "distillation.losses:nll_per_token",
    "softmax_with_temperature": "decoding.distribution:SamplingDistribution.__call__",
    "kl_from_truth": "distillation.divergences:kl evaluation:sentence_kl",
    "mixed_target": "distillation.losses:mixed_target",
    "word_kd_loss": "distillation.losses:word_kd distillation.losses:cross_entropy "
    "distillation.losses:word_kd_per_token",
    "word_gradient": "distillation.losses:pull",
    "beam_step": "decoding.search:keep_best",
    "rank_with_penalty": "decoding.search:normalised decoding.search:candidates",
    "seq_inter_choice": "distillation.sequence_level:nearest_to_gold",
    "mean_and_interval": "runs.verdicts:mean_and_interval",
    "global_threshold": "compression.pruning:threshold compression.pruning:prune_masks",
    "prune_and_hold": "compression.pruning:apply_masks compression.pruning:keep_pruned",
    "accepted": "decoding.speculative:accepted",
    "residual": "decoding.speculative:residual",
    "pay_off": "studies.speculative.tokens:expected_tokens "
    "studies.speculative.tokens:expected_speed_up",
    "generalised_jsd": "distillation.divergences:divergence distillation.divergences:log_mixture "
    "distillation.divergences:kl",
    "advantages": "distillation.policy_gradient:discounted",
    "paced_weights": "distillation.paced:weights",
    "signal_to_noise": "distillation.paced:signal_to_noise distillation.paced:signal_and_noise",
    "soft_or": "distillation.tip:soft_or distillation.tip:scaled",
    "kept_tokens": "distillation.tip:keep distillation.tip:n_kept",
    "written_after": "distillation.rollout_sources:Schedule.version",
    "packed_mask": "corpus.packing:PackedBatch",
    "remainder_kl": "distillation.top_k:top_k_kl distillation.top_k:merged",
}
"""By exercise, the library's functions that do the same, or all but its last step."""
OTHERWISE_NAMED = {
    "perplexity", "length_ratio", "mode_mass", "clipped_precision", "speed_up", "bootstrap_p_value",
    "conditional_entropy", "history_dependence",
}  # fmt: skip
"""Exercises that no function of the library answers as a whole."""
TELLING = 24
"""Letters of a line that two functions do not share by chance."""


def body(function: Callable) -> set[str]:
    """The statements of a function, one a line as Python writes them, without its docstring: those
    that are long enough to be told again."""
    return {line for line in statements(inspect.getsource(function)) if len(line) >= TELLING}


def statements(source: str) -> Iterator[str]:
    for node in ast.walk(ast.parse(inspect.cleandoc(f"\n{source}"))):
        if isinstance(node, ast.Return | ast.Assign | ast.AugAssign | ast.Expr):
            if not (isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant)):
                yield squeezed(ast.unparse(node))


def squeezed(text: str) -> str:
    """Without spaces, and with one kind of quotation marks: however the code is laid out."""
    return re.sub(r"\s+", "", text).replace('"', "'")


def given_away(key: str, text: str) -> list[str]:
    """What `text` tells of the answer to an exercise: the head of a function that answers it, and
    lines of the solution."""
    plain = squeezed(text)
    telling = {squeezed(head(function)) for function in answers(key)}
    return sorted(line for line in telling | body(exercises.find(key).solution) if line in plain)


def answers(key: str) -> list[Callable]:
    """The library's functions that answer an exercise."""
    return [function_named(named) for named in ANSWERS.get(key, "").split()]


def function_named(named: str) -> Callable:
    module, name = named.split(":")
    return operator.attrgetter(name)(importlib.import_module(f"seqkd_lab.{module}"))


def head(function: Callable) -> str:
    """The first lines of a function up to its body, or a class's."""
    source = inspect.getsource(function)
    source = source[re.search(r"^ *(def|class) ", source, re.MULTILINE).start() :]
    return source[: source.index(":\n") + 1]


def all_put_out(cell: nbformat.NotebookNode) -> str:
    """Everything that a cell shows: text, markdown and HTML."""
    texts = []
    for output in cell.get("outputs", ()):
        texts += [output.get("text", ""), *map(str, output.get("data", {}).values())]
        texts += output.get("traceback", ())
    return "\n".join(texts)


def released(path: Path) -> nbformat.NotebookNode:
    """The assignment as a class gets it: nbgrader cuts out what stands between the marks."""
    made = make_assignment.assignment(notebook_runs.read(path))
    cut = re.compile(r" *### BEGIN SOLUTION.*### END SOLUTION", re.DOTALL)
    for cell in made.cells:
        cell.source = cut.sub(
            '    raise NotImplementedError("write your answer here")', cell.source
        )
    return made


def leaks(notebook: nbformat.NotebookNode, shown: Callable = all_put_out) -> list[str]:
    """The answers that are given away above their exercises, by what each cell holds and shows."""
    found: list[str] = []
    above = ""
    keys = {key: f'"{key}"' for key in map(str, exercises.all_exercises())}
    for place, cell in enumerate(notebook.cells):
        key = cell.metadata.get("nbgrader", {}).get("grade_id") or tagged(cell)
        if key in keys:
            found += [f"cell {place}, {key}: {told}" for told in given_away(key, above)]
        above += f"\n{'' if key in keys else cell.source}\n{shown(cell)}"
    return found


def tagged(cell: nbformat.NotebookNode) -> str | None:
    check = notebook_runs.CHECK.search(cell.source)
    is_exercise = notebook_runs.EXERCISE in cell.metadata.get("tags", ())
    return check[1] if is_exercise and check else None


def sources_shown(cell: nbformat.NotebookNode, names: dict[str, object]) -> str:
    """The sources of the library's functions that `lesson.source_of` shows in a code cell."""
    if cell.cell_type != "code":
        return ""
    return "\n".join(
        inspect.getsource(function_shown(shown, names))
        for shown in re.findall(r"source_of\(([\w.]+)\)", cell.source)
    )


def function_shown(shown: str, names: dict[str, object]) -> Callable:
    first, *rest = shown.split(".")
    return operator.attrgetter(".".join(rest))(names[first]) if rest else names[first]


def imported(notebook: nbformat.NotebookNode) -> dict[str, object]:
    """What the notebook's `from … import …` lines name."""
    names: dict[str, object] = {}
    for cell in notebook.cells:
        for node in ast.walk(ast.parse(cell.source)) if cell.cell_type == "code" else ():
            if isinstance(node, ast.ImportFrom) and str(node.module).startswith("seqkd_lab"):
                for alias in node.names:
                    names[alias.asname or alias.name] = one_of(str(node.module), alias.name)
    return names


def one_of(module: str, name: str) -> object:
    found = importlib.import_module(module)
    below = f"{module}.{name}"
    return getattr(found, name) if hasattr(found, name) else importlib.import_module(below)


@each
def test_each_exercise_is_known_here(path):
    """Whoever writes a new one says which functions of the library answer it."""
    keys = set(notebook_runs.exercise_keys(notebook_runs.read(path)))
    assert keys <= ANSWERS.keys() | OTHERWISE_NAMED
    assert all(callable(function) for key in keys for function in answers(key))


@each
def test_no_source_that_is_shown_above_an_exercise_answers_it(path):
    """Of the assignment too: its cells are those of the lesson, but for the exercises."""
    for notebook in (notebook_runs.read(path), released(path)):
        names = imported(notebook)
        assert leaks(notebook, lambda cell, names=names: sources_shown(cell, names)) == []


@each
@pytest.mark.slow
def test_no_output_of_the_assignment_answers_an_exercise_below(path):
    notebook = released(path)
    done = notebook_runs.run(notebook)
    n_unwritten = len(notebook_runs.exercise_keys(notebook_runs.read(path)))
    assert len(done.errors) == n_unwritten  # the check of each, and nothing else
    assert "This is still the stub" in notebook_runs.printed(done.notebook)
    assert leaks(done.notebook) == []


class TestWhatIsFound:
    KEY = "soft_or"

    def notebook(self, *above):
        exercise = nbformat.v4.new_code_cell("", metadata={"nbgrader": {"grade_id": self.KEY}})
        return nbformat.v4.new_notebook(cells=[*above, exercise])

    @staticmethod
    def cell(source="", output=None):
        cell = nbformat.v4.new_code_cell(source)
        if output is not None:
            data = {"text/markdown": output}
            cell.outputs = [nbformat.v4.new_output("display_data", data)]
        return cell

    @pytest.mark.parametrize(
        "output",
        [
            f"```python\n{inspect.getsource(tip.soft_or)}```",
            inspect.getsource(exercises.find(KEY).solution),
            "delta = (delta - delta.min())\n   / (delta.max() - delta.min())".replace("\n   ", " "),
        ],
        ids=["the library's", "the solution", "a line of it"],
    )
    def test_an_output_that_tells(self, output):
        assert leaks(self.notebook(self.cell(output=output)))
        assert leaks(self.notebook(self.cell(source=output.strip("`").removeprefix("python"))))

    def test_what_stands_below_or_tells_something_else(self):
        harmless = self.cell(output=inspect.getsource(tip.quadrant))
        below = self.notebook(harmless)
        below.cells.append(self.cell(output=inspect.getsource(tip.soft_or)))
        assert leaks(below) == []
