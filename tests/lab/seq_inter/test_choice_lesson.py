"""Lesson 7's way from the mode to gold: its ends are Seq-KD's corpus and gold, and the picture
shows what was found."""

from __future__ import annotations

import math

import pytest
import torch

from seqkd_lab.lab.meters.measures import meters
from seqkd_lab.lab.meters.reading import read_corpus
from seqkd_lab.lab.seq_inter import tuning
from seqkd_lab.lab.seq_inter.choice import read_candidates
from seqkd_lab.lab.seq_inter.tuning import chosen_corpus, fine_tuned
from seqkd_lab.lab.shared.scores import Score, scores

N = 30


@pytest.fixture(scope="module")
def gold(toy):
    return toy.train[:N]


@pytest.fixture(scope="module")
def read(toy_models, gold):
    return read_candidates(toy_models["teacher"], gold, K=4)


def test_the_last_stage_is_gold_and_every_stage_starts_from_the_same_student(
    toy, toy_models, gold, read
):
    student = toy_models["baseline"]
    before = {name: tensor.clone() for name, tensor in student.state_dict().items()}
    stages = tuning.path_to_gold(student, gold, read, toy, (1, 4), 0.01, 4)
    assert [stage.name for stage in stages] == ["K = 1", "K = 4", tuning.GOLD]
    own = read_corpus(toy.language, gold)
    assert stages[-1].dependence == meters(own, own).all_history
    for stage, corpus in ((stages[0], chosen_corpus(gold, read, 1)), (stages[-1], gold)):
        tuned = fine_tuned("again", student, corpus, toy.valid[:200], 0.01)
        assert scores({"it": tuned}, toy, 4)["it"] == stage.score
    assert all(torch.equal(before[name], tensor) for name, tensor in student.state_dict().items())


def test_the_picture_holds_every_number_and_the_student_before(tmp_path):
    def score(x: float) -> Score:
        return Score(9, (80.0 + x, 90.0 + x), (0.5, 0.6), 0.1 + x / 100, 0.01, 0.5)

    stages = [tuning.Stage("K = 1", 0.71, score(1.0)), tuning.Stage("gold", math.nan, score(2.0))]
    figure = tuning.path_figure(score(0.0), stages)
    figure.savefig(tmp_path / "path.png")
    left, middle, right = figure.axes
    assert "0.71" in [text.get_text() for text in left.texts]
    assert [text.get_text() for text in middle.texts] == ["81.0", "82.0", "91.0", "92.0"]
    assert [text.get_text() for text in right.texts] == ["0.110", "0.120"]
    assert {
        line.get_ydata()[0] for line in middle.lines if line.get_linestyle() in (":", "-.")
    } == {80.0, 90.0}
    assert middle.get_ylim()[1] <= 100.0
