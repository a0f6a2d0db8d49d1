"""Temperature and interpolation: numbers equal torch's, gradients autograd's; every value of every
control draws."""

from __future__ import annotations

import math
from dataclasses import replace

import pytest
import torch
import view_driver
from hypothesis import given
from hypothesis import strategies as st
from torch.distributions import Categorical, kl_divergence

from seqkd_lab.corpus.batching import encode, make_batch
from seqkd_lab.distillation.losses import WordKD
from seqkd_lab.lab.next_word.view import TemperatureExplorer
from seqkd_lab.lab.shared.bars import REST
from seqkd_lab.lab.shared.digits import shown_number
from seqkd_lab.lab.shared.next_words import (
    NextWordsDrawing,
    SentenceReading,
    divergence,
    entropy,
    soften,
    temperature_figure,
)
from seqkd_lab.lab.shared.view import NOBODY, student_chooser
from seqkd_lab.lab.word_kd.mixing import (
    MixingDrawing,
    gold_id,
    interpolation_figure,
    mix,
    shown_words,
)
from seqkd_lab.lab.word_kd.view import InterpolationExplorer

logits = st.lists(st.floats(-8, 8), min_size=5, max_size=5).map(
    lambda x: torch.tensor(x, dtype=torch.float64)
)
positive = st.floats(0.25, 8.0)


def option_values(control) -> list:
    return [option[1] if isinstance(option, tuple) else option for option in control.options]


def slider_values(control) -> list[float]:
    n = round((control.max - control.min) / control.step)
    return [type(control.value)(control.min + i * control.step) for i in range(n + 1)]


@given(logits, logits, positive)
def test_entropy_and_divergence_are_torchs(one, other, temperature):
    p, q = soften(one.log_softmax(0), temperature), soften(other.log_softmax(0), temperature)
    assert torch.allclose(p, (one / temperature).softmax(0))
    assert entropy(p) == pytest.approx(float(Categorical(p).entropy()), abs=1e-6)
    exact = [
        Categorical(logits=x / temperature) for x in (one, other)
    ]  # from probabilities torch would cut off tails
    assert divergence(p, q) == pytest.approx(float(kl_divergence(*exact)), abs=1e-6)


def test_what_a_distribution_cannot_say_is_infinitely_far():
    assert divergence(torch.tensor([0.5, 0.5]), torch.tensor([1.0, 0.0])) == math.inf
    assert entropy(torch.tensor([1.0, 0.0])) == 0.0


@given(logits, logits, st.integers(1, 4), st.floats(0, 1), positive)
def test_loss_and_gradient_are_those_of_the_objective(teacher, student, gold, alpha, temperature):
    shown = mix(teacher.log_softmax(0), student.log_softmax(0), gold, alpha, temperature)
    student = student.clone().requires_grad_()
    batch = type("Batch", (), {"target_out": torch.tensor([[gold]])})
    loss = WordKD(alpha, temperature)(student[None, None], batch, teacher[None, None])
    loss.backward()
    assert shown.loss == pytest.approx(loss.item(), abs=1e-9)
    assert torch.allclose(shown.gradient, student.grad, atol=1e-9)
    assert float(shown.mixed.sum()) == pytest.approx(1.0)
    if temperature == 1.0:
        assert torch.allclose(shown.gradient, shown.student - shown.mixed)


@pytest.mark.parametrize("alpha,temperature", [(-0.1, 1.0), (1.1, 1.0), (0.5, 0.0)])
def test_impossible_settings_are_refused(alpha, temperature):
    with pytest.raises(ValueError, match="alpha|temperature"):
        mix(torch.zeros(3), torch.zeros(3), 0, alpha, temperature)


def test_a_reading_is_the_models_softmax_and_the_languages_truth(toy, toy_models):
    source, target = toy.test.source[0], toy.test.target[0]
    reading = SentenceReading(toy_models, source, target, toy.language)
    batch = make_batch(encode(toy.test[:1], toy.source_vocabulary, toy.target_vocabulary), [0])
    with torch.no_grad():
        expected = toy_models["seq-kd"](batch)[0].double().softmax(dim=1)
    assert len(reading) == len(target) + 1 == len(expected)
    for position in range(len(reading)):
        words = reading.next_words(position, 1.0, "seq-kd")
        assert torch.allclose(words.student, expected[position])
        truth = toy.language.next_token(source, target[:position])
        assert {
            words.words[i]: float(words.truth[i]) for i in words.truth.nonzero().flatten()
        } == truth
        names, bars = words.rows(reading.order(position, ["teacher", "seq-kd"]))
        assert names[-1] == REST and all(sum(column) == pytest.approx(1.0) for column in bars)


def test_models_of_different_words_are_not_compared(toy, toy_models, make_model):
    with pytest.raises(ValueError, match="different target vocabularies"):
        SentenceReading(
            {"teacher": toy_models["teacher"], "other": make_model()}, ("ant",), ("ant",)
        )


def test_every_control_of_the_temperature_explorer_draws(toy, toy_models):
    students = {name: toy_models[name] for name in ("baseline", "seq-kd")}
    view = TemperatureExplorer(
        toy_models["teacher"], toy.test, toy.language, students, n_sentences=3
    )
    pictures, entropies = set(), []
    for temperature in option_values(view.temperature):
        view.temperature.value = temperature
        pictures.add(view.image.value)
        entropies.append(view.data.entropies()["teacher"])
    assert len(pictures) == len(entropies) and entropies == sorted(entropies)
    assert f"teacher <b>{entropies[-1]:.2f}</b>" in view.text.value
    for control in (view.student, view.sentence):
        for value in option_values(control)[1:]:
            control.value = value
            assert view.image.value not in pictures
    for position in slider_values(view.position):
        view.position.value = position
        assert view.data.truth is not None and bytes(view.image.value[:4]) == b"\x89PNG"


def test_a_shorter_sentence_moves_the_position_to_its_end(toy, toy_models):
    short = min(range(len(toy.test)), key=lambda i: len(toy.test.target[i]))
    view = TemperatureExplorer(toy_models["teacher"], toy.test[[0, short]], toy.language)
    view.position.value = view.position.max
    view.sentence.value = 1
    assert view.position.value == view.position.max == len(toy.test.target[short])
    assert view.data.truth.max() == 1.0  # the end is certain there


def test_without_a_language_there_is_no_truth(toy, toy_models):
    view = TemperatureExplorer(toy_models["teacher"], toy.test, n_sentences=2)
    assert view.data.truth is None and "not known" in view.text.value


def test_every_control_of_the_interpolation_explorer_draws(toy, toy_models):
    view = InterpolationExplorer(
        toy_models["teacher"], {"baseline": toy_models["baseline"]}, toy.test, n_sentences=3
    )
    for control, values in (
        (view.alpha, slider_values(view.alpha)),
        (view.temperature, option_values(view.temperature)),
    ):
        pictures = set()
        for value in values:
            control.value = value
            pictures.add(view.image.value)
            assert f"<b>{view.data.loss:.3f}</b>" in view.text.value
        assert len(pictures) >= len(values) - 1
    for control, values in (
        (view.position, slider_values(view.position)),
        (view.sentence, option_values(view.sentence)),
    ):
        for value in values:
            control.value = value
            assert float(view.data.gradient.sum()) == pytest.approx(0.0, abs=1e-9)


def test_gold_is_among_the_shown_words_and_a_student_is_needed(toy, toy_models):
    reading = SentenceReading(toy_models, toy.test.source[0], toy.test.target[0])
    for position in range(len(reading)):
        assert shown_words(reading, position, "baseline")[0] == gold_id(reading, position)
    with pytest.raises(ValueError, match="student"):
        InterpolationExplorer(toy_models["teacher"], {}, toy.test)


def test_the_still_twins_draw(toy, toy_models, tmp_path):
    reading = SentenceReading(toy_models, toy.test.source[0], toy.test.target[0], toy.language)
    temperature_figure(reading, 2, 2.0, "baseline").savefig(tmp_path / "temperature.png")
    interpolation_figure(reading, 2, "baseline", 0.5, 2.0).savefig(tmp_path / "interpolation.png")


def test_nobody_is_a_choice_with_a_name():
    chooser = student_chooser(["baseline"], nobody=True)
    assert (chooser.index, chooser.value, chooser.label) == (0, NOBODY, "none")
    assert student_chooser(["baseline"], nobody=False).value == "baseline"


def test_a_target_without_words_switches_the_position_off(toy, toy_models):
    pairs = replace(toy.test[:2], target=((), toy.test.target[1]), references=None)
    view = TemperatureExplorer(toy_models["teacher"], pairs, toy.language)
    assert view.position.disabled and view.position.value == 0 < view.position.max
    view.sentence.value = 1
    assert not view.position.disabled and view.position.max == len(toy.test.target[1])


@pytest.mark.parametrize("make", [NextWordsDrawing, MixingDrawing])
def test_the_longest_word_of_the_language_stands_in_the_picture(toy, make):
    drawing = make()
    drawing.picture.png()  # which lays the figure out
    bars = drawing._bars if make is NextWordsDrawing else drawing._targets
    bars._words[0].set_text(max(toy.target_vocabulary.tokens, key=len))
    assert bars._words[0].get_window_extent().x0 >= 0.0


def test_a_number_that_rounds_to_zero_has_no_sign(toy, toy_models):
    certain = torch.tensor([1.0 + 1e-9, 0.0], dtype=torch.float64)  # as sums of floats may be
    assert (
        entropy(certain) < 0.0
        and shown_number(entropy(certain), 2) == "0.00"
        and shown_number(-1.5, 2) == "−1.50"
    )
    view = TemperatureExplorer(toy_models["teacher"], toy.test, toy.language, n_sentences=1)
    view.reading._truth[0] = torch.zeros(
        len(toy.target_vocabulary), dtype=torch.float64
    ).index_fill(0, torch.tensor([5]), 1.0 + 1e-9)
    view.redraw()
    assert "truth <b>0.00</b>" in view.text.value


def test_what_counts_as_a_signed_zero():
    for text in ("-0.00", "−0", "+0.0", "log p −0.000 nats"):
        assert view_driver.SIGNED_ZERO.search(text)
    for text in ("−0.01", "+0.10", "[−gold−]", "10-0", "2026-01", "0.00", "-0.001", "−0.05"):
        assert view_driver.SIGNED_ZERO.search(text) is None
