"""The student trainer: one thread, a stop that stops, errors that are seen, tries that are
compared."""

from __future__ import annotations

import math
import random
import threading
from dataclasses import dataclass

import pytest
import view_driver
from synthetic_map import tiny_map

import seqkd_lab.lab.word_kd.trainer as trainer_module
from seqkd_lab.distillation.losses import NLL, OBJECTIVES, BalancedWordKD, setting
from seqkd_lab.lab.shared.learning_curve import Curve, learning_figure
from seqkd_lab.lab.word_kd.trainer import StudentTrainer
from seqkd_lab.lab.word_kd.tries import COLUMNS, GOLD, LABELS, SEQ, WORD
from seqkd_lab.runs.quick_student import QuickStudent, score_student, train_student

SECONDS = 120
SMALL = QuickStudent(width=8, epochs=1, n_pairs=64, batch_size=16, n_valid=20, n_test=5)


@pytest.fixture
def view(toy, toy_models):
    made = StudentTrainer(toy, toy_models["teacher"], toy.train, SMALL)
    yield made
    made.stop()
    assert made.wait(SECONDS)


@pytest.fixture
def gate(monkeypatch):
    """Lets the trainings under way go on one update at a time: each waits for a `release`."""

    class Gate:
        arrived, go = threading.Semaphore(0), threading.Semaphore(0)

        def __init__(self) -> None:
            self.updates = 0

        def __call__(self, progress) -> None:
            self.updates += 1
            self.arrived.release()
            assert self.go.acquire(timeout=SECONDS)

    gate, train_student = Gate(), trainer_module.train_student

    def gated(*arguments, callbacks, **named):
        return train_student(*arguments, callbacks=[gate, *callbacks], **named)

    monkeypatch.setattr(trainer_module, "train_student", gated)
    return gate


@pytest.mark.parametrize("objective", [GOLD, WORD, SEQ])
def test_a_click_trains_and_the_result_is_in_the_table(view, objective):
    view.objective.value = objective
    assert view.alpha.disabled == view.temperature.disabled == (objective != WORD)
    before = view.image.value
    view.train_button.click()
    assert view.wait(SECONDS) and view.error is None, view.status.value
    (row,) = view.results.to_dict("records")
    assert row["objective"] == objective and row["ended"] == "whole" and row["width"] == 8
    assert math.isnan(row["α"]) == (objective != WORD)
    assert (
        0 <= row["BLEU greedy"] <= 100 and row["NLL of gold"] == view.curves[0].validations[-1][1]
    )
    assert view.bar.value == view.bar.max == 4 == len(view.curves[0].updates)
    assert view.image.value != before and objective in view.text.value
    assert not view.train_button.disabled and view.stop_button.disabled and view.student is not None


def test_every_objective_of_the_registry_can_be_trained_with_its_settings(
    toy, toy_models, monkeypatch
):
    """A new one needs no line of the trainer: its name is in the list, its setting has a field."""

    @dataclass(frozen=True)
    class Smoothed(NLL):
        smoothing: float = setting(0.25, "share that is spread over all words")

    monkeypatch.setitem(OBJECTIVES, "smoothed-nll", Smoothed)
    view = StudentTrainer(toy, toy_models["teacher"], settings=SMALL, objective="smoothed-nll")
    assert set(view.objective.options) == {LABELS.get(name, name) for name in OBJECTIVES}
    assert view.alpha.disabled and not view.smoothing.disabled and view.smoothing.value == 0.25
    view.smoothing.value = 0.1
    assert view.start() and view.wait(SECONDS) and view.error is None, view.status.value
    assert view.results["objective"][0] == "smoothed-nll, smoothing 0.1" in view.plan.value


def test_two_clicks_start_one_thread(view, gate):
    before = threading.active_count()
    view.train_button.click()
    assert gate.arrived.acquire(timeout=SECONDS)
    assert view.train_button.disabled and not view.stop_button.disabled
    view.objective.value = WORD  # a change of the controls does not open the button again
    assert view.train_button.disabled and not view.stop_button.disabled
    view.train_button.click()
    assert view.start() is False and threading.active_count() == before + 1
    assert "One student at a time" in view.status.value
    gate.go.release(100)
    assert view.wait(SECONDS) and len(view.results) == 1


def test_stop_stops_at_the_update_at_hand(view, gate):
    view.epochs.value = 10
    view.train_button.click()
    for _ in range(2):
        assert gate.arrived.acquire(timeout=SECONDS)
        gate.go.release()
    assert gate.arrived.acquire(
        timeout=SECONDS
    )  # the third update is done, and waits to be reported
    view.stop_button.click()
    gate.go.release(100)
    assert view.wait(SECONDS) and gate.updates == 3
    assert list(view.results["ended"]) == ["stopped at update 3 of 40"] and view.error is None


def test_an_error_in_the_thread_is_shown_and_the_next_try_works(view, monkeypatch):
    def broken(*_, **__):
        raise RuntimeError("no <room> left")

    with monkeypatch.context() as patch:
        patch.setattr(trainer_module, "train_student", broken)
        view.train_button.click()
        assert view.wait(SECONDS)
    assert (
        isinstance(view.error, RuntimeError)
        and "RuntimeError: no &lt;room&gt; left" in view.status.value
    )
    assert not view.train_button.disabled and len(view.results) == 0
    view.train_button.click()
    assert view.wait(SECONDS) and view.error is None and len(view.results) == 1


def test_tries_are_placed_by_bleu_beside_earlier_ones(view, toy, toy_models):
    for _ in range(2):
        view.train_button.click()
        assert view.wait(SECONDS)
    assert list(view.results.columns) == list(COLUMNS)
    first, second = (view.results.drop(columns="seconds").iloc[i].to_dict() for i in (0, 1))
    assert str(first) == str(second), "the same try gives the same student"
    earlier = view.results.assign(**{"BLEU greedy": [99.0, -1.0]})
    later = StudentTrainer(toy, toy_models["teacher"], settings=SMALL, earlier=earlier)
    assert SEQ not in later.objective.options
    later.start()
    assert later.wait(SECONDS) and later.results["BLEU greedy"].is_monotonic_decreasing
    assert "place 2 of 3" in later.status.value and len(earlier) == 2


def test_every_control_is_part_of_the_try(view):
    seen = set()
    view.objective.value = WORD
    for control in (view.alpha, view.width, view.epochs):
        n = round((control.max - control.min) / control.step)
        for i in range(n + 1):
            control.value = control.min + i * control.step
            seen.add(view.chosen)
            assert view.chosen.width % 2 == 0
    for _, temperature in view.temperature.options:
        view.temperature.value = temperature
        seen.add(view.chosen)
    assert len(seen) >= 21 + 6 + 10 + 11 - 4 and f"τ {temperature:g}" in view.chosen.name


def test_buttons_agree_with_what_runs_in_any_order_of_clicks_and_choices(view, monkeypatch):
    """In the place of a training stands one that ends when it is asked to stop."""
    monkeypatch.setattr(
        StudentTrainer, "_train", lambda self, chosen, curve: self._stop.wait(SECONDS)
    )
    chance, trained = random.Random(3), 0
    for _ in range(150):
        before, event = view.running, view_driver.random_event(view, chance)
        view_driver.act(view, event)
        if event[0] == "stop_button":
            assert before and view.wait(SECONDS)
        trained += event[0] == "train_button"
        assert view.running == (event[0] == "train_button" or before and event[0] != "stop_button")
        assert view.train_button.disabled == view.running != view.stop_button.disabled
        assert view.alpha.disabled == view.temperature.disabled
        assert view.alpha.disabled == (view.objective.value in (GOLD, SEQ))
        assert view.plan.value.startswith(f"To train: {view.chosen.name}")
    assert trained > 5 and view.error is None


def values_of(control) -> list:
    """Every value of a slider of numbers."""
    n = round((control.max - control.min) / control.step)
    return [type(control.value)(control.min + i * control.step) for i in range(n + 1)]


def test_every_control_changes_the_plan_in_words(view):
    view.objective.value = WORD
    for control in (view.alpha, view.width, view.epochs):
        plans = []
        for value in values_of(control):
            control.value = value
            plans.append(view.plan.value)
        assert len(set(plans)) == len(plans)
    assert (
        "20 updates" not in view.plan.value and f"{view.epochs.max * 4} updates" in view.plan.value
    )


@pytest.fixture
def mapped(toy, toy_models):
    made = StudentTrainer(
        toy, toy_models["teacher"], settings=SMALL, seed=3, objective=WORD, map_results=tiny_map()
    )
    yield made
    made.stop()
    assert made.wait(SECONDS)


class TestMap:
    def test_a_ring_follows_the_choice_where_the_map_has_a_place(self, mapped):
        pictures = set()
        for alpha in values_of(mapped.alpha):
            mapped.alpha.value = alpha
            assert "no place" not in mapped.plan.value
            pictures.add(mapped.map_image.value)
        assert len(pictures) == len(values_of(mapped.alpha))
        for _, temperature in mapped.temperature.options:
            mapped.temperature.value = temperature
            assert ("no place" in mapped.plan.value) == (not 0.5 <= temperature <= 2.0)
        mapped.temperature.value = 1.0
        for control, own in ((mapped.width, SMALL.width), (mapped.epochs, SMALL.epochs)):
            for value in values_of(control):
                control.value = value
                assert ("no place" in mapped.plan.value) == (value != own)
            control.value = own

    def test_a_student_of_the_maps_kind_is_placed_and_is_the_librarys(
        self, mapped, toy, toy_models
    ):
        mapped.alpha.value, before = 0.35, mapped.map_image.value
        mapped.start()
        assert mapped.wait(SECONDS) and mapped.error is None, mapped.status.value
        (own,) = mapped.own
        student, history = train_student(
            SMALL, toy, BalancedWordKD(0.35, 1.0), 3, toy_models["teacher"]
        )
        assert (own.alpha, own.temperature) == (0.35, 1.0) and mapped.map_image.value != before
        assert (
            own.value == score_student(SMALL, toy, student).bleu == mapped.results["BLEU greedy"][0]
        )
        assert mapped.results["NLL of gold"][0] == history.valid_loss[-1]

    def test_gold_alone_is_the_column_without_a_teacher(self, mapped):
        mapped.objective.value = GOLD
        mapped.start()
        assert (
            mapped.wait(SECONDS)
            and mapped.own[0].alpha == 0.0
            and mapped.own[0].temperature is None
        )

    def test_a_student_of_another_kind_or_a_stopped_one_is_not_placed(self, mapped, gate):
        mapped.width.value = 16
        gate.go.release(100)
        mapped.start()
        assert mapped.wait(SECONDS) and mapped.own == [] and len(mapped.results) == 1
        mapped.width.value = SMALL.width
        while gate.go.acquire(blocking=False):
            pass
        while gate.arrived.acquire(blocking=False):
            pass
        mapped.start()
        assert gate.arrived.acquire(timeout=SECONDS)
        mapped.stop()
        gate.go.release(100)
        assert mapped.wait(SECONDS) and mapped.own == [] and len(mapped.results) == 2


def test_the_still_twin_draws_and_smooths(tmp_path):
    curve = Curve("a try", [(i / 50, 6.0 - i / 50) for i in range(100)], [(1.0, 4.5), (2.0, 4.0)])
    learning_figure(curve, [curve]).savefig(tmp_path / "learning.png")
    x, y = curve.smoothed()[-1]
    assert x == curve.updates[-1][0] and y == pytest.approx(
        sum(loss for _, loss in curve.updates[-20:]) / 20
    )


def test_a_loss_above_the_scale_is_told_in_words():
    for loss, shown in ((6.0, []), (23.4, ["▴ its own loss: 23.4"])):
        figure = learning_figure(Curve("a try", [(0.1 * i, loss) for i in range(5)]))
        texts = [
            text.get_text() for text in figure.findobj(lambda artist: hasattr(artist, "get_text"))
        ]
        assert [text for text in texts if "own loss:" in text] == shown
