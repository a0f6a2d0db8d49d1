"""Corpus lens and mode mass: differences give both sentences back, shares and masses are those of
the language."""

from __future__ import annotations

import math
import random
from itertools import islice

import pytest
from hypothesis import given
from hypothesis import strategies as st

from seqkd_lab.decoding.scoring import sentence_log_probs
from seqkd_lab.lab.seq_kd.lens import (
    SAME,
    ChoicesDrawing,
    ChoiceShares,
    compare_pair,
    differences,
    lens_figure,
    marked,
)
from seqkd_lab.lab.seq_kd.mass import STYLES, line_colours, mass_curves, mass_figure
from seqkd_lab.lab.seq_kd.views import CorpusLens, ModeMass
from seqkd_lab.lab.shared.picture import Label
from seqkd_lab.lab.shared.style import TRUTH

sentences = st.lists(st.sampled_from("abcd"), max_size=9).map(tuple)


@pytest.fixture(scope="module")
def resampled(toy):
    """The training pairs with a mode for every other target, as a teacher might write them; the
    last one is wrong."""
    rng, language = random.Random(1), toy.language
    targets = [
        language.mode(source)[0] if rng.random() < 0.5 else target
        for source, target in zip(toy.train.source, toy.train.target, strict=True)
    ]
    return toy.train.with_target([*targets[:-1], ("der", "<b>", "Haus")])


@given(sentences, sentences)
def test_differences_give_both_sentences_back(gold, distilled):
    pieces = differences(gold, distilled)
    assert tuple(word for _, words, _ in pieces for word in words) == gold
    assert tuple(word for _, _, words in pieces for word in words) == distilled
    assert all((one == other) == (kind == SAME) for kind, one, other in pieces)


def test_a_pair_is_judged_by_the_language(toy):
    source = toy.train.source[0]
    mode, p = toy.language.mode(source)
    pair = compare_pair(source, toy.train.target[0], mode, toy.language)
    assert pair.gold_fault is None and pair.distilled_fault is None
    assert pair.p_distilled == pytest.approx(p) and pair.entropy == toy.language.entropy(source)
    chosen = toy.language.choices(source, mode)
    assert {name: other for name, _, other in pair.choices if other != "–"} == chosen
    wrong = compare_pair(source, mode, ("nein",), toy.language)
    assert "no word of the toy language" in wrong.distilled_fault and wrong.p_distilled == 0.0
    assert compare_pair(("what",), ("a",), ("b",), toy.language).entropy is None


def test_shares_sum_to_one(toy, resampled):
    shares = ChoiceShares.of(toy.language, toy.train, resampled, 100)
    assert {"tense", "noun"} <= set(shares.by_choice)
    for options in shares.by_choice.values():
        assert sum(gold for _, gold, _ in options) == pytest.approx(1.0)
        assert sum(other for _, _, other in options) == pytest.approx(1.0)


@pytest.mark.slow
def test_every_control_of_the_lens_draws(toy, resampled):
    view = CorpusLens(toy.train, resampled, toy.language, n_pairs=300)
    for number in [*range(1, 20), 300]:
        view.number.value = number
        pair = view.data
        assert (pair.source, pair.gold) == (
            toy.train.source[number - 1],
            toy.train.target[number - 1],
        )
        assert ("{+" in view.text.value or "[−" in view.text.value) == (pair.gold != pair.distilled)
    assert (
        "✗ not valid" in view.text.value
        and "&lt;b&gt;" in view.text.value
        and "<b> Haus" not in view.text.value
    )
    view.only_changed.value = True
    for number in (1, view.number.max):
        view.number.value = number
        assert view.data.gold != view.data.distilled
    pictures = set()
    for choice in view.choice.options:
        view.choice.value = choice
        pictures.add(view.image.value)
    assert len(pictures) == len(view.choice.options)


@pytest.mark.slow
def test_entering_and_leaving_the_pairs_that_differ_keeps_the_pair(toy, resampled):
    lens, chance = CorpusLens(toy.train, resampled, toy.language, 40), random.Random(2)
    for _ in range(60):
        lens.only_changed.value, lens.number.value = False, chance.randint(1, lens.number.max)
        before, number = lens.data, lens.number.value
        lens.only_changed.value = True
        following = [place for place in lens._changed if place >= number - 1] or lens._changed[-1:]
        assert (
            lens.data.source == toy.train.source[following[0]]
            and lens.data.gold != lens.data.distilled
        )
        assert lens.data == before or before.gold == before.distilled
        shown = lens.data
        lens.only_changed.value = False
        assert lens.data == shown


def test_one_pair_alone_switches_the_slider_off(toy):
    """A browser cannot draw a slider of one place: noUiSlider refuses a range without a length."""
    gold = toy.train[:2]
    lens = CorpusLens(gold, gold.with_target([gold.target[0], ("nein",)]), toy.language)
    lens.only_changed.value = True
    for slider in (lens.number, CorpusLens(gold[:1], gold[:1]).number):
        assert slider.disabled and slider.value == slider.min < slider.max
    assert "nein" in lens.text.value
    lens.only_changed.value = False
    assert not lens.number.disabled and lens.number.max == 2


def test_the_lens_works_without_a_language_and_refuses_other_sources(toy, resampled):
    view = CorpusLens(toy.train, resampled)
    assert view.choice.options == ("(none)",) and "valid" not in view.text.value
    with pytest.raises(ValueError, match="different sources"):
        CorpusLens(toy.valid, resampled)


@pytest.fixture(scope="module")
def few(toy):
    """Two sentences with few translations."""
    short = sorted(toy.test.source, key=len)
    return list(
        islice((source for source in short if 3 < toy.language.count_targets(source) < 60), 2)
    )


def test_curves_are_the_languages_and_the_models(toy, toy_models, few):
    curves = mass_curves(toy_models, toy.language, few[0], n_best=4)
    truth, valid = curves[TRUTH], toy.language.targets(few[0])
    assert dict(zip(truth.translations, truth.probabilities, strict=True)) == valid
    assert truth.cumulative[-1] == pytest.approx(1.0) and truth.top(10**6) == truth.cumulative[-1]
    assert truth.translations[0] == toy.language.mode(few[0])[0]
    curve = curves["teacher"]
    exact = sentence_log_probs(
        toy_models["teacher"], [few[0]] * len(curve.translations), curve.translations
    )
    assert curve.probabilities == pytest.approx([math.exp(x) for x in exact], rel=1e-3)
    assert set(valid) <= set(curve.translations) and curve.cumulative[-1] <= 1.0 + 1e-9
    assert curve.valid_mass <= curve.cumulative[-1] + 1e-12  # two ways to add up the same numbers
    assert list(curve.probabilities) == sorted(curve.probabilities, reverse=True)


def test_every_control_of_the_mode_mass_draws(toy, toy_models, few):
    view = ModeMass(toy_models, toy.language, few)
    for place in (0, 1):
        view.sentence.value = place
        for n in view.rank.options:
            view.rank.value = n
            assert (
                f"n = <b>{n}</b>" in view.text.value
                and f"{view.data['teacher'].top(n):.3f}" in view.text.value
            )
    pictures = set()
    for n in view.rank.options:
        view.rank.value = n
        pictures.add(view.image.value)
    assert len(pictures) == len(view.rank.options)


def test_a_sentence_with_too_many_translations_is_refused(toy, toy_models, few):
    with pytest.raises(ValueError, match="limit"):
        ModeMass(toy_models, toy.language, few, limit=2)


def test_every_distribution_has_a_line_of_its_own_and_its_number_beside_its_name(
    toy, toy_models, few
):
    names = [TRUTH, *toy_models]
    assert (
        len(set(zip(line_colours(names), STYLES, strict=False)))
        == len(names)
        == len(set(line_colours(names)))
    )
    curves = mass_curves(toy_models, toy.language, few[0], 4)
    axes = mass_figure(curves, 5, few[0]).axes[0]
    numbers = [text.get_text() for text in [*axes.texts, *axes.artists] if isinstance(text, Label)]
    assert [f"{curves[name].top(5):.3f}" for name in names] == numbers[:-1] and numbers[
        -1
    ] == "top 5:"
    assert axes.get_ylim() == (0.0, 1.0)


@pytest.mark.parametrize("n_options", [1, 2, 5, 12])
def test_the_bars_fill_the_axes_and_end_at_one(n_options):
    drawing = ChoicesDrawing()
    drawing.show([(str(n), 1 / n_options, 1 / n_options) for n in range(n_options)])
    axes = drawing.picture.figure.axes[0]
    assert axes.get_xlim() == (0.0, 1.0) and axes.get_ylim()[0] == max(3, min(8, n_options)) - 0.5


def test_the_still_twins_draw(toy, toy_models, few, resampled, tmp_path):
    mass_figure(mass_curves(toy_models, toy.language, few[0], 4), 5, few[0]).savefig(
        tmp_path / "mass.png"
    )
    pair = compare_pair(
        toy.train.source[-1], toy.train.target[-1], resampled.target[-1], toy.language
    )
    assert any(changed for _, changed in marked(pair, "gold"))
    shares = ChoiceShares.of(toy.language, toy.train, resampled, 50)
    lens_figure(pair, shares.by_choice["tense"], "tense").savefig(tmp_path / "lens.png")
