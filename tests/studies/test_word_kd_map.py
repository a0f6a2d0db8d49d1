"""The map of Word-KD: its places, its file that continues where it was, and that the committed one
fits the code."""

from __future__ import annotations

import json
from dataclasses import asdict, replace

import pytest

from seqkd_lab import cli
from seqkd_lab.distillation.losses import BalancedWordKD
from seqkd_lab.models.checkpoint import CheckpointError
from seqkd_lab.runs.committed import (
    checkpoint_directory,
    load_committed,
    results_path,
    weights_hash,
)
from seqkd_lab.runs.data import load_toy
from seqkd_lab.runs.quick_student import QuickStudent, score_student, train_student
from seqkd_lab.runs.recipes import ToyData
from seqkd_lab.runs.store import identity
from seqkd_lab.studies import word_kd_map
from seqkd_lab.studies.word_kd_map import MapPoint, MapRun, make_map, map_points, read_map

TINY = QuickStudent(width=8, epochs=1, n_pairs=64, batch_size=32, n_valid=10, n_test=5)
SMALL = MapRun(alphas=(0.0, 1.0), temperatures=(1.0, 2.0), seeds=(1, 2), student=TINY)


@pytest.fixture
def made(monkeypatch):
    """The (place, seed) of every student that was made, in order; made up from its place instead of
    trained."""
    asked = []

    def make_point(student, place, seed):
        asked.append((place, seed))
        return MapPoint(*place, seed, bleu=10.0 * place[0] + seed, valid=0.5, nll=1.0)

    monkeypatch.setattr(word_kd_map, "make_point", make_point)
    return asked


def test_gold_alone_has_one_place_whatever_the_temperature():
    assert SMALL.places() == [(0.0, None), (1.0, 1.0), (1.0, 2.0)]
    assert len(MapRun().places()) == 1 + 4 * 4 and len(set(MapRun().tasks())) == 17 * len(
        MapRun().seeds
    )


def test_every_point_is_written_and_an_interrupted_map_continues(tmp_path, made, monkeypatch):
    path, make_point = tmp_path / "map.json", word_kd_map.make_point

    def interrupted(student, place, seed):
        if len(made) == 2:
            raise KeyboardInterrupt
        return make_point(student, place, seed)

    monkeypatch.setattr(word_kd_map, "make_point", interrupted)
    with pytest.raises(KeyboardInterrupt):
        make_map(SMALL, path)
    assert len(map_points(read_map(path))) == 2
    monkeypatch.setattr(word_kd_map, "make_point", make_point)
    heard = []
    whole = make_map(SMALL, path, report=lambda done, total: heard.append((done, total)))
    assert made == SMALL.tasks(), "each student once"
    assert heard == [(3, 6), (4, 6), (5, 6), (6, 6)]
    assert {((p.alpha, p.temperature), p.seed) for p in map_points(whole)} == set(SMALL.tasks())
    before = path.read_bytes()
    assert make_map(SMALL, path) == whole and path.read_bytes() == before and len(made) == 6


def test_more_seeds_are_added_to_what_is_there(tmp_path, made):
    make_map(SMALL, tmp_path / "map.json")
    make_map(replace(SMALL, seeds=(1, 2, 3)), tmp_path / "map.json")
    assert [seed for _, seed in made] == [1, 1, 1, 2, 2, 2, 3, 3, 3]


def test_points_of_other_students_are_never_mixed_in(tmp_path, made):
    path = tmp_path / "map.json"
    make_map(SMALL, path)
    with pytest.raises(
        CheckpointError, match=r"map\.json: its student was .*'epochs': 1.*'epochs': 2"
    ):
        make_map(replace(SMALL, student=replace(TINY, epochs=2)), path)


@pytest.mark.parametrize("content", ["[]", "{}", "3", '{"points": []}', "no JSON"])
def test_another_file_is_named_and_not_read(tmp_path, content):
    (tmp_path / "map.json").write_text(content)
    with pytest.raises(CheckpointError, match=r"map\.json"):
        read_map(tmp_path / "map.json")


def test_a_map_cut_short_is_refused(tmp_path, made):
    path = tmp_path / "map.json"
    whole = make_map(SMALL, path)
    del whole["points"][0]["nll"]
    path.write_text(json.dumps(whole))
    with pytest.raises(CheckpointError, match="not what `seqkd-lab map` makes"):
        read_map(path)


@pytest.mark.slow
def test_a_point_is_the_quick_student_that_anybody_can_train_and_processes_change_nothing(tmp_path):
    data, teacher = load_toy(ToyData()), load_committed(checkpoint_directory("teacher"))
    run = MapRun(alphas=(0.5,), temperatures=(2.0,), seeds=(1, 2), student=TINY)
    one, two = (make_map(run, tmp_path / f"{n}.json", n) for n in (1, 2))
    assert one == two
    for point in map_points(one):
        student, history = train_student(TINY, data, BalancedWordKD(0.5, 2.0), point.seed, teacher)
        score = score_student(TINY, data, student)
        assert (point.bleu, point.valid, point.nll) == (
            score.bleu,
            score.validity,
            history.valid_loss[-1],
        )


def test_the_command_makes_the_map_and_refuses_what_makes_no_sense(tmp_path, made, capsys):
    path = tmp_path / "map.json"
    assert cli.main(["map", "--seeds", "1", "--workers", "1", "--results", str(path)]) == 0
    assert made == MapRun(seeds=(1,)).tasks() and str(path) in capsys.readouterr().out
    for wrong in (["--seeds", "0"], ["--workers", "0"]):
        assert cli.main(["map", "--results", str(path), *wrong]) == 2
        assert "must be at least 1" in capsys.readouterr().err


def test_the_committed_map_is_whole_and_of_this_corpus_teacher_and_student():
    results, run = read_map(results_path("word_kd_map.json")), MapRun()
    assert results["data"] == identity(ToyData()) and results["student"] == asdict(QuickStudent())
    assert results["teacher"] == weights_hash(checkpoint_directory("teacher"))
    points = map_points(results)
    assert {((p.alpha, p.temperature), p.seed) for p in points} == set(run.tasks()) and len(
        points
    ) == len(run.tasks())
    assert all(0 <= p.bleu <= 100 and 0 <= p.valid <= 1 and p.nll > 0 for p in points)
