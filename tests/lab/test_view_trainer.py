"""The student trainer: one thread, a stop that stops, errors that are seen, tries that are compared."""

from __future__ import annotations

import math
import threading

import pytest

import seqkd_lab.lab.widgets.trainer as trainer_module
from seqkd_lab.lab.figures import learning_figure
from seqkd_lab.lab.figures.learning import Curve
from seqkd_lab.lab.widgets import StudentTrainer
from seqkd_lab.lab.widgets.trainer import COLUMNS, GOLD, SEQ, WORD

SECONDS = 120


@pytest.fixture
def view(toy, toy_models):
    made = StudentTrainer(toy, toy_models["teacher"], toy.train, n_pairs=64, n_test=5, batch_size=16)
    made.width.value, made.epochs.value = 8, 1
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

    gate, train = Gate(), trainer_module.train

    def gated(*arguments, callbacks=()):
        return train(*arguments, callbacks=[gate, *callbacks])

    monkeypatch.setattr(trainer_module, "train", gated)
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
    assert 0 <= row["BLEU greedy"] <= 100 and row["NLL of gold"] == view.curves[0].validations[-1][1]
    assert view.bar.value == view.bar.max == 4 == len(view.curves[0].updates)
    assert view.image.value != before and objective in view.text.value
    assert not view.train_button.disabled and view.stop_button.disabled and view.student is not None


def test_two_clicks_start_one_thread(view, gate):
    before = threading.active_count()
    view.train_button.click()
    assert gate.arrived.acquire(timeout=SECONDS)
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
    assert gate.arrived.acquire(timeout=SECONDS)  # the third update is done, and waits to be reported
    view.stop_button.click()
    gate.go.release(100)
    assert view.wait(SECONDS) and gate.updates == 3
    assert list(view.results["ended"]) == ["stopped at update 3 of 40"] and view.error is None


def test_an_error_in_the_thread_is_shown_and_the_next_try_works(view, monkeypatch):
    def broken(*_, **__):
        raise RuntimeError("no <room> left")

    with monkeypatch.context() as patch:
        patch.setattr(trainer_module, "train", broken)
        view.train_button.click()
        assert view.wait(SECONDS)
    assert isinstance(view.error, RuntimeError) and "RuntimeError: no &lt;room&gt; left" in view.status.value
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
    later = StudentTrainer(toy, toy_models["teacher"], n_pairs=16, n_test=5, earlier=earlier)
    assert SEQ not in later.objective.options
    later.epochs.value = 1
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


def test_the_still_twin_draws_and_smooths(tmp_path):
    curve = Curve("a try", [(i / 50, 6.0 - i / 50) for i in range(100)], [(1.0, 4.5), (2.0, 4.0)])
    learning_figure(curve, [curve]).savefig(tmp_path / "learning.png")
    x, y = curve.smoothed()[-1]
    assert x == curve.updates[-1][0] and y == pytest.approx(sum(loss for _, loss in curve.updates[-20:]) / 20)
