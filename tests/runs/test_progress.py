"""The order of a tour's work, and its bars: they end at their end, say what runs, and never claim
more than all."""

from __future__ import annotations

import io
import random
import warnings

from seqkd_lab.runs.presets import TOY
from seqkd_lab.runs.progress import Bars
from seqkd_lab.runs.recipes import ToyData
from seqkd_lab.runs.tasks import Distil, most_needed_first, with_needs
from seqkd_lab.studies.table1.table import TableRun

TASKS = TableRun(ToyData(), TOY, (1,)).tasks()


class Terminal(io.StringIO):
    """A stream that says it is a terminal."""

    def isatty(self) -> bool:
        return True


def play(stream: io.StringIO) -> Bars:
    """All tasks one after the other, each in shares that do not add up evenly."""
    bars, chance = Bars(TASKS, 24_000, 1_000, stream), random.Random(1)
    for task in with_needs(TASKS):
        bars.started(task)
        total = chance.randrange(3, 40)
        for done in range(1, total + 1):
            bars.moved(task, done, total)
        bars.ended(task)
    return bars


def test_bars_reach_their_end_without_passing_it():
    """Rounded sums of shares made tqdm warn in the last minute of a real tour."""
    for stream in (io.StringIO(), Terminal()):
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            bars = play(stream)
            assert bars.whole.total * (1 - 1e-9) <= bars.whole.n <= bars.whole.total
            bars.close()


def test_a_file_names_every_task_once():
    stream = io.StringIO()
    play(stream).close()
    for task in with_needs(TASKS):
        assert stream.getvalue().count(f"  {task.label} …\n") == 1


def test_what_most_others_wait_for_comes_first_and_needs_before_those_that_need_them():
    order = most_needed_first(TASKS)
    assert sorted(map(repr, order)) == sorted(map(repr, with_needs(TASKS)))
    for place, task in enumerate(order):
        assert all(order.index(need) < place for need in task.needs())
    assert order[0].recipe.name == "teacher"
    assert all(isinstance(task, Distil) for task in order[1:3]), (
        "both corpora, for which eight rows wait"
    )
