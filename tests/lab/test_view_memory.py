"""The memory dial: whatever order the controls are moved in, it shows what they say."""

from __future__ import annotations

import random

import pytest
import synthetic_memory
from matplotlib.figure import Figure

from seqkd_lab.lab import lesson
from seqkd_lab.lab.figures.memory import MemoryDrawing, is_remembered, memory_figure, shown_words
from seqkd_lab.lab.widgets import MemoryDial

RESULTS = synthetic_memory.results()
KEYS = ("1", "2", "3", "5", "8", "all")


@pytest.fixture
def dial() -> MemoryDial:
    return MemoryDial(RESULTS)


def state(view: MemoryDial) -> tuple:
    return view.memory.value, view.sentence.value, view.place.value


def set_to(view: MemoryDial, memory, sentence, place) -> None:
    view.sentence.value = sentence
    view.memory.value, view.place.value = memory, place


@pytest.mark.parametrize("seed", range(3))
def test_after_any_events_picture_and_text_are_those_of_a_fresh_view_in_that_state(dial, seed):
    chance = random.Random(seed)
    for _ in range(12):
        control = chance.choice(("memory", "sentence", "place"))
        if control == "memory":
            dial.memory.value = chance.choice(KEYS)
        elif control == "sentence":
            dial.sentence.value = chance.randrange(len(dial.examples))
        else:
            dial.place.value = chance.randint(0, dial.place.max)
        assert dial.place.max == len(dial.examples[dial.sentence.value]["target"])
    fresh = MemoryDial(RESULTS)
    set_to(fresh, *state(dial))
    assert state(fresh) == state(dial)
    assert dial.text.value == fresh.text.value and bytes(dial.image.value) == bytes(fresh.image.value)


def test_it_begins_where_a_short_memory_tells_and_so_does_each_sentence(dial):
    assert state(dial) == ("3", 0, 7)
    for sentence, example in enumerate(dial.examples):
        dial.sentence.value = sentence
        assert dial.place.value == example["telling"]


def test_each_memory_moves_bars_mark_and_words(dial):
    pictures = set()
    for memory in KEYS:
        dial.memory.value = memory
        pictures.add(bytes(dial.image.value))
    assert len(pictures) == len(KEYS)


def test_the_text_says_what_is_remembered_and_every_number(dial):
    dial.memory.value = "2"
    assert "remembered: <b>er versteckte</b>" in dial.text.value
    assert "next in this translation: <b>es</b>" in dial.text.value
    for distribution in dial.data.values():
        for p in distribution.values():
            assert f"{p:.2f}" in dial.text.value


def test_what_stands_in_a_sentence_is_text_and_nothing_else(dial):
    dial.sentence.value = 1
    assert "<script>" not in dial.text.value and "<i>" not in dial.text.value and "&lt;script&gt;" in dial.text.value


def test_the_last_words_are_remembered():
    assert [is_remembered(place, 4, 2) for place in range(6)] == [False, False, True, True, False, False]
    assert [is_remembered(place, 2, None) for place in range(3)] == [True, True, False]


def test_words_are_ranked_by_the_most_that_anyone_gives_them():
    assert shown_words({"a": {"x": 0.2, "y": 0.8}, "b": {"x": 0.9, "z": 0.1}}) == ["x", "y", "z"]


@pytest.mark.parametrize("place", [None, 0, 5])
def test_the_still_twin_shows_the_same(place):
    figure = memory_figure(RESULTS, 3, 0, place)
    assert isinstance(figure, Figure) and lesson.png(figure).startswith(b"\x89PNG")
    drawing = MemoryDrawing(RESULTS)
    drawing.show(3, 0, 7 if place is None else place)
    twin = [bar.get_width() for bar in drawing._bars.values()]
    axes = next(axes for axes in figure.axes if axes.get_xlabel() == "probability of the next word")
    widths = [patch.get_width() for patch in axes.patches]
    assert widths[: len(twin)] == twin
