"""The beam's view: the tree is the trace, re-ranking is the search's own scoring, and any typed
text is answered."""

from __future__ import annotations

import math

import pytest
import view_driver

from seqkd_lab.decoding.scoring import sentence_log_probs
from seqkd_lab.decoding.search import search
from seqkd_lab.decoding.trace import PRUNED, trace_search
from seqkd_lab.lab.beam.pruned import lost_at
from seqkd_lab.lab.beam.tree import HELD, rerank, scored_translations, tree, words_of
from seqkd_lab.lab.beam.tree_picture import (
    COLUMNS,
    BeamTree,
    BeamTreeDrawing,
    beam_figure,
    names_of,
    percent_of,
    window,
)
from seqkd_lab.lab.beam.tree_view import TYPED, BeamExplorer
from seqkd_lab.lab.shared.digits import NOISE, deciding_digits, shown_number

SOURCE = ("bee", "cat", "ant")


@pytest.fixture(params=[(seed, K) for seed in (0, 1, 2) for K in (1, 3, 6)], ids=str)
def traced(request, make_model):
    seed, beam_size = request.param
    model = make_model(seed, sharpness=2.0)
    return model, trace_search(model, SOURCE, beam_size)


def test_the_tree_is_the_trace(traced):
    _, trace = traced
    columns = tree(trace, 2)
    assert len(columns) == len(trace.steps)
    for step, nodes in zip(trace.steps, columns, strict=True):
        candidates = step.candidates()
        assert [node.candidate for node in nodes] == candidates[: len(nodes)]
        assert sum(node.fate == PRUNED for node in nodes) == min(
            2, sum(c.fate == PRUNED for c in candidates)
        )
        last = [node for node in nodes if node.fate != PRUNED][-1]
        assert all(
            node.pruned_by == (last.words if node.fate == PRUNED else None) for node in nodes
        )
    for parents, nodes in zip(columns, columns[1:], strict=False):
        for node in nodes:
            parent = parents[node.parent].words
            assert node.words[: len(parent)] == parent


def test_re_ranking_scores_as_the_search_does(traced):
    model, trace = traced
    translations = scored_translations(trace)
    exact = sentence_log_probs(
        model, [SOURCE] * len(translations), [t.tokens for t in translations]
    )
    assert [t.log_prob for t in translations] == pytest.approx(exact, abs=1e-4)
    assert {t.tokens for t in translations if t.standing == HELD} == {
        h.tokens for h in trace.hypotheses
    }
    for penalty in (0.0, 0.7, 2.0):
        ranked = rerank(translations, penalty)
        expected = sorted(
            (t.log_prob / (len(t.tokens) + 1) ** penalty for t in translations), reverse=True
        )
        assert [t.score(penalty) for t in ranked] == pytest.approx(expected, abs=1e-5)
    held = [t.tokens for t in rerank(translations, 0.0) if t.standing == HELD]
    assert held == [hypothesis.tokens for hypothesis in trace.hypotheses]


def test_a_lost_translation_is_lost_at_the_step_that_pruned_it(traced):
    model, trace = traced
    everything = [h.tokens for h in search(model, [SOURCE], 40, 40, max_length=6)[0]]
    for target in everything:
        loss = lost_at(trace, target)
        fates = [
            (number, candidate)
            for number, step in enumerate(trace.steps, 1)
            for candidate in step.candidates()
            if (*target, "</s>")[:number]
            == words_of(step, candidate)[:number]
            == words_of(step, candidate)
            or candidate.carried
            and words_of(step, candidate) == (*target, "</s>")
        ]
        pruned = [(number, c) for number, c in fates if c.fate == PRUNED]
        if loss is None:
            assert not pruned
        else:
            number, candidate = pruned[0]
            assert (loss.step, loss.rank) == (number, candidate.rank + 1)
            assert loss.log_prob == candidate.log_prob <= loss.last_kept


def test_a_word_that_the_model_has_not_cannot_be_lost(traced):
    with pytest.raises(ValueError, match="no word 'Haus'"):
        lost_at(traced[1], ("Haus",))


@pytest.mark.slow
def test_every_control_draws(toy, toy_models):
    short = sorted(range(len(toy.test)), key=lambda i: len(toy.test.source[i]))[:2]
    view = BeamExplorer(toy_models["teacher"], toy.test[short], toy.language)
    for beam_size in range(view.beam_size.min, view.beam_size.max + 1):
        view.beam_size.value = beam_size
        assert view.data.trace.beam_size == beam_size
        assert view.step.max == len(view.data.columns)
    pictures = set()
    for step in range(1, view.step.max + 1):
        view.step.value = step
        assert f"Step {step}:" in view.text.value
        pictures.add(view.image.value)
    assert len(pictures) > view.step.max // 2
    tree_before = view.data
    for penalty in [i / 10 for i in range(21)]:
        view.length_penalty.value = penalty
        assert view.data is tree_before, "a penalty searches nothing"
        assert f"length penalty {penalty:.1f}" in view.text.value
    view.sentence.value = 1
    assert view.source == toy.test.source[short[1]]


def test_the_ranking_shown_is_the_ranking_computed(toy, toy_models):
    view = BeamExplorer(toy_models["baseline"], toy.test, toy.language, n_sentences=1)
    view.length_penalty.value = 1.0
    scores = [translation.score(1.0) for translation in rerank(view.data.translations, 1.0)[:6]]
    assert f">{shown_number(scores[0], deciding_digits(scores))}<" in view.text.value
    assert "cannot bring back" in view.text.value


@pytest.mark.parametrize(
    "text",
    [
        "",
        "   ",
        "…",
        "<script>alert(1)</script>",
        "x" * 10_000,
        "the " * 2_500,
        "😀 $x$ _",
        "the qqq <b>saw</b> & 'the' \"cat\"",
        "\x00\x1f",
        "<unk> </s> <pad>",
    ],
)
def test_any_text_gets_an_answer(toy, toy_models, text):
    view = BeamExplorer(toy_models["teacher"], toy.test, toy.language, n_sentences=1)
    view.typed.value = text
    if text:
        assert view.answer.value
    assert "<script" not in view.answer.value + view.text.value and "<b>saw" not in view.text.value
    assert len(view.answer.value) < 2_000
    view.step.value = view.step.max
    assert bytes(view.image.value[:4]) == b"\x89PNG"


def test_a_typed_sentence_is_searched_and_unknown_words_are_named(toy, toy_models):
    view = BeamExplorer(toy_models["teacher"], toy.test, toy.language, n_sentences=1)
    view.typed.value = "The parcel was new"
    assert view.source == ("the", "parcel", "was", "new", ".") and view.answer.value == ""
    assert view.data.mode is not None and "★" in view.text.value
    view.typed.value = "the <i>parsel</i> was new"
    assert "&lt;" in view.answer.value and "parcel" in view.answer.value and view.data.mode is None
    view.typed.value = ""
    assert "Type a sentence" in view.answer.value and "parsel" in view.answer.value, (
        "the last sentence stays"
    )


def test_the_window_and_the_still_twin(toy, toy_models, tmp_path):
    assert list(window(2)) == [0, 1] and list(window(9)) == list(range(9 - COLUMNS, 9))
    trace = trace_search(toy_models["teacher"], toy.test.source[0], 4)
    beam_tree = BeamTree.of(trace, mode=toy.language.mode(toy.test.source[0])[0])
    beam_figure(beam_tree, len(trace.steps)).savefig(tmp_path / "beam.png")
    with pytest.raises(ValueError, match="steps 1 to"):
        beam_figure(beam_tree, 0)


def test_the_numbers_of_a_column_tell_neighbours_apart(traced):
    """At the border of pruning above all: what was kept and what was not must not read the same."""
    drawing, beam_tree = BeamTreeDrawing(), BeamTree.of(traced[1])
    for step in range(1, len(beam_tree.columns) + 1):
        drawing.show(beam_tree, step)
        nodes, column = beam_tree.columns[step - 1], min(step, COLUMNS) - 1
        shown = [drawing._numbers[column, row].get_text() for row in range(len(nodes))]
        for row in range(len(nodes) - 1):
            far = nodes[row].candidate.log_prob - nodes[row + 1].candidate.log_prob > NOISE
            assert not far or shown[row] != shown[row + 1]
        assert all(drawing._numbers[column, row].get_text() == "" for row in range(len(nodes), 13))


def test_hypotheses_that_end_alike_are_told_apart_by_an_earlier_word(toy, toy_models):
    trace = trace_search(toy_models["baseline"], toy.test.source[0], 6)
    for nodes in BeamTree.of(trace).columns[:6]:
        names = names_of(nodes, [60] * len(nodes))
        for node, name in zip(nodes, names, strict=True):
            alike = [other for other in nodes if other.words[-1] == node.words[-1]]
            assert (" " in name) == (len(alike) > 1)


def test_percentages_keep_two_digits():
    shown = [percent_of(math.log(p)) for p in (1.0, 0.123, 0.0234, 0.00346, 1e-7)]
    assert shown == ["100%", "12%", "2.3%", "0.35%", "<0.01%"]


class TestListAndField:
    """The list and the field are two ways to one sentence: in any order of events both name the one
    that is shown."""

    TYPED_TEXT = "The parcel was new"

    @pytest.fixture
    def view(self, toy, toy_models):
        return BeamExplorer(toy_models["teacher"], toy.test, toy.language, n_sentences=3)

    def test_a_typed_sentence_is_the_choice_of_the_list(self, view):
        view.typed.value = self.TYPED_TEXT
        assert view.sentence.value == TYPED and view.sentence.label == f"typed: {self.TYPED_TEXT}"
        view.typed.value = "the parcel was old"
        assert (
            view.sentence.label == "typed: the parcel was old" and len(view.sentence.options) == 4
        )

    def test_the_sentence_that_was_chosen_before_can_be_chosen_again(self, view, toy):
        view.sentence.value = 1
        picture = view.image.value
        view.typed.value = self.TYPED_TEXT
        assert view.image.value != picture
        view.sentence.value = 1
        assert view.source == toy.test.source[1] and view.image.value == picture
        assert view.typed.value == view.answer.value == "" and len(view.sentence.options) == 3

    def test_the_same_text_can_be_typed_again(self, view):
        for _ in range(2):
            view.typed.value = self.TYPED_TEXT
            assert view.source == ("the", "parcel", "was", "new", ".")
            view.sentence.value = 2

    @pytest.mark.parametrize("text", ["", "zzz", "the " * 50, "!?"])
    @pytest.mark.parametrize("before", ["", TYPED_TEXT])
    def test_what_is_refused_changes_neither_list_nor_field(self, view, text, before):
        view.typed.value = before
        state = (
            view.typed.value,
            view.sentence.options,
            view.sentence.value,
            view.image.value,
            view.text.value,
        )
        for _ in range(2):
            view.typed.value = text
            after = (
                view.typed.value,
                view.sentence.options,
                view.sentence.value,
                view.image.value,
                view.text.value,
            )
            assert after == state
            assert text == before or "Still shown" in view.answer.value

    def test_a_step_beyond_a_shorter_search_becomes_its_last_one_and_is_drawn_once(self, view):
        with view_driver.one_brush() as brush:
            for sentence in (1, 2, 0) * 2:
                view.step.value = view.step.max
                brush.counts.clear()
                view.sentence.value = sentence
                assert list(brush.counts.values()) == [1]
                assert view.step.value <= view.step.max == len(view.data.columns)
                assert f"Step {view.step.value}:" in view.text.value
