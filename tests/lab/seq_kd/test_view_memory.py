"""The memory dial: whatever order the controls are moved in, it shows what they say."""

from __future__ import annotations

import random
from statistics import fmean

import pytest
import synthetic_memory
from matplotlib.figure import Figure

from seqkd_lab.lab.seq_kd.memory import (
    DOTS_PER_INCH,
    ELLIPSIS,
    NEXT,
    PREDICTORS,
    MemoryDrawing,
    in_digits,
    is_remembered,
    memory_figure,
    shown_words,
)
from seqkd_lab.lab.seq_kd.views import MemoryDial
from seqkd_lab.lab.shared import lesson
from seqkd_lab.lab.shared.style import BLUE, GREEN, GREY, PURPLE
from seqkd_lab.runs.study import by_seed
from seqkd_lab.studies.live import GOLD, MODE, SAMPLES
from seqkd_lab.studies.memory.examples import N_WORDS
from seqkd_lab.studies.memory.students import EXAMPLES, MEMORIES, TRUTH, memory_key

RESULTS = synthetic_memory.results()
LABELS = [memory_key(memory) for memory in MEMORIES]


@pytest.fixture
def dial() -> MemoryDial:
    return MemoryDial(RESULTS)


def state(view: MemoryDial) -> tuple:
    return view.memory.value, view.sentence.value, view.place.value


def set_to(view: MemoryDial, memory, sentence, place) -> None:
    view.sentence.value = sentence
    view.memory.value, view.place.value = memory, place


def lit(drawing: MemoryDrawing) -> list[str]:
    """The words whose boxes are filled with the colour of what is remembered."""
    shown = [
        (box, label.get_text())
        for box, label in zip(drawing._boxes, drawing._words, strict=True)
        if box.get_visible()
    ]
    return [word for box, word in shown if box.get_facecolor()[2] < 0.8]


@pytest.mark.parametrize("seed", range(3))
def test_after_any_events_picture_and_text_are_those_of_a_fresh_view_in_that_state(dial, seed):
    chance = random.Random(seed)
    for _ in range(12):
        control = chance.choice(("memory", "sentence", "place"))
        if control == "memory":
            dial.memory.value = chance.choice(LABELS)
        elif control == "sentence":
            dial.sentence.value = chance.randrange(len(dial.examples))
        else:
            dial.place.value = chance.randint(0, dial.place.max)
        assert dial.place.max == len(dial.examples[dial.sentence.value]["target"])
    fresh = MemoryDial(RESULTS)
    set_to(fresh, *state(dial))
    assert state(fresh) == state(dial) and fresh.data == dial.data
    assert dial.text.value == fresh.text.value and bytes(dial.image.value) == bytes(
        fresh.image.value
    )


def test_it_begins_where_a_short_memory_tells_and_so_does_each_sentence(dial):
    assert state(dial) == ("3", 0, 7)
    for sentence, example in enumerate(dial.examples):
        dial.sentence.value = sentence
        assert dial.place.value == example["telling"]


def test_each_memory_moves_bars_mark_and_words(dial):
    pictures = set()
    for number, label in enumerate(LABELS):
        dial.memory.value = label
        pictures.add(bytes(dial.image.value))
        assert list(dial._drawing._mark.get_xdata()) == [number] * 2
    assert len(pictures) == len(MEMORIES)


def test_looking_at_the_data_draws_nothing(dial):
    before = bytes(dial.image.value)
    dial.memory.unobserve_all()
    dial.memory.value = "1"
    widths = [bar.get_width() for bar in dial._drawing._bars.values()]
    assert dial.data and widths == [bar.get_width() for bar in dial._drawing._bars.values()]
    assert bytes(dial.image.value) == before


@pytest.mark.parametrize(
    ("memory", "seen"),
    [
        ("1", ["versteckte"]),
        ("2", ["er", "versteckte"]),
        ("8", ["<s>", "mein", "Ticket", "war", "neu", "und", "er", "versteckte"][-8:]),
    ],
)
def test_the_text_and_the_boxes_say_what_is_remembered_and_every_number(dial, memory, seen):
    dial.memory.value = memory
    said = " ".join(seen).replace("<", "&lt;").replace(">", "&gt;")
    assert f"<b>{said}</b>" in dial.text.value and lit(dial._drawing) == seen
    assert "next in this translation: <b>es</b>" in dial.text.value
    for distribution in dial.data.values():
        for p in distribution.values():
            assert f"{p:.2f}" in dial.text.value


def test_at_the_beginning_only_the_begin_symbol_is_seen_and_at_the_end_the_end_is_next(dial):
    dial.place.value = 0
    assert lit(dial._drawing) == ["<s>"] and "written: (nothing)" in dial.text.value
    dial.place.value = dial.place.max
    assert "next in this translation: <b>the end</b>" in dial.text.value


def test_what_stands_in_a_sentence_is_text_and_nothing_else(dial):
    dial.sentence.value = 1
    assert (
        "<script>" not in dial.text.value
        and "<i>" not in dial.text.value
        and "&lt;script&gt;" in dial.text.value
    )


def test_the_last_words_are_remembered_the_begin_symbol_among_them():
    assert [is_remembered(place, 4, 2) for place in range(-1, 6)] == [
        False,
        False,
        False,
        True,
        True,
        False,
        False,
    ]
    assert [is_remembered(place, 2, None) for place in range(-1, 3)] == [True, True, True, False]
    assert is_remembered(-1, 0, 1) and is_remembered(-1, 1, 2) and not is_remembered(-1, 1, 1)


def test_words_are_ranked_by_the_most_that_anyone_gives_them():
    assert shown_words({"a": {"x": 0.2, "y": 0.8}, "b": {"x": 0.9, "z": 0.1}}) == ["x", "y", "z"]


def test_a_probability_that_was_not_kept_is_bounded_and_never_called_nothing():
    kept = {str(number): p for number, p in enumerate((0.3, *[0.08] * (N_WORDS - 1)))}
    assert in_digits(kept, "0") == "0.30" and in_digits(kept, "x") == "≤0.08"
    assert in_digits({**kept, "0": 0.435}, "x") == "<0.01"
    assert in_digits({"a": 1.0}, "x") == "0" and in_digits({"a": 0.001}, "a") == "<0.01"


class TestPicture:
    @pytest.fixture
    def drawing(self) -> MemoryDrawing:
        return MemoryDrawing(RESULTS)

    def test_curves_are_the_means_in_the_colours_of_the_bars(self, drawing):
        rows = by_seed(RESULTS)
        lines = [
            line
            for line in drawing.picture.figure.axes[2].lines
            if len(line.get_xdata()) == len(MEMORIES)
        ]
        found = [
            (line.get_color(), line.get_linestyle(), pytest.approx(list(line.get_ydata())))
            for line in lines
        ]
        expected = [
            (GREY, "-", [100 * rows[0][TRUTH][label]["greedy"] for label in LABELS]),
            (GREY, "--", [100 * rows[0][TRUTH][label]["draws"] for label in LABELS]),
        ]
        expected += [
            (
                colour,
                "-",
                [
                    100 * fmean(seed[name][label]["valid_as_truth"] for seed in rows)
                    for label in LABELS
                ],
            )
            for name, colour in ((GOLD, BLUE), (SAMPLES, PURPLE), (MODE, GREEN))
        ]
        assert found == expected
        assert list(PREDICTORS.values())[1:] == [GREY, BLUE, GREEN]

    def test_bars_are_the_distributions(self, drawing):
        by_role = drawing.show(3, 0, 7)
        names = shown_words(by_role)
        for (row, role), bar in drawing._bars.items():
            expected = by_role[role].get(names[row], 0.0) if row < len(names) else 0.0
            assert bar.get_width() == expected

    def test_boxes_hold_their_words_side_by_side_within_the_picture(self):
        long = (
            "gestern hat die nette Krankenschwester eine praktische Umhängetasche weggeworfen , "
            "weil sie alt war"
        )
        results = synthetic_memory.results()
        results["by_seed"]["21"][EXAMPLES][0] = synthetic_memory.example("a .", long, 3)
        drawing = MemoryDrawing(results)
        drawing.show(None, 0, len(long.split()))
        boxes = [box for box in drawing._boxes if box.get_visible()]
        words = [label.get_text() for label in drawing._words[: len(boxes)]]
        assert words == [ELLIPSIS, *long.split()[2 - len(boxes) :], NEXT]
        for box, label, following in zip(boxes, drawing._words, [*boxes[1:], None], strict=False):
            png_width = label.get_window_extent(drawing.picture._canvas.get_renderer()).width
            assert png_width <= box.get_width()
            right = box.get_x() + box.get_width()
            assert right <= (
                following.get_x() if following else drawing._boxes[0].axes.get_xlim()[1]
            )

    def test_it_can_be_read_from_the_back_row_and_its_scales_stand_still(self, drawing):
        figure, limits = drawing.picture.figure, []
        for memory in MEMORIES:
            drawing.show(memory, 0, 4)
            drawing.picture.png()
            limits.append([(axes.get_xlim(), axes.get_ylim()) for axes in figure.axes])
        assert all(one == limits[0] for one in limits)
        labels = [
            text
            for axes in figure.axes[1:]
            for text in (
                axes.xaxis.label,
                axes.yaxis.label,
                *axes.get_xticklabels(),
                *axes.get_yticklabels(),
            )
        ]
        texts = [
            *labels,
            *drawing._words,
            *drawing._headings,
            *drawing._names,
            *drawing._numbers.values(),
            *figure.legends[0].get_texts(),
        ]
        assert min(text.get_fontsize() for text in texts) >= 13
        legend = figure.legends[0].get_window_extent(drawing.picture._canvas.get_renderer())
        assert legend.x0 >= 0 and legend.x1 <= figure.get_figwidth() * DOTS_PER_INCH

    def test_results_without_examples_are_refused(self):
        results = synthetic_memory.results()
        del results["by_seed"]["21"][EXAMPLES]
        for make in (MemoryDrawing, MemoryDial):
            with pytest.raises(ValueError, match="no sentences to show"):
                make(results)

    @pytest.mark.parametrize("place", [None, 0, 5])
    def test_the_still_twin_shows_the_same(self, drawing, place):
        figure = memory_figure(RESULTS, 3, 0, place)
        assert isinstance(figure, Figure) and lesson.png(figure).startswith(b"\x89PNG")
        drawing.show(3, 0, 7 if place is None else place)
        twin = [bar.get_width() for bar in drawing._bars.values()]
        axes = next(
            axes for axes in figure.axes if axes.get_xlabel() == "probability of the next word"
        )
        assert [patch.get_width() for patch in axes.patches] == twin
