"""The map of Word-KD: its places, runs that continue, and that anybody can train a point."""

from __future__ import annotations

import pytest

from seqkd_lab import cli
from seqkd_lab.distillation.losses import BalancedWordKD
from seqkd_lab.files import FileError, read_json
from seqkd_lab.runs.committed import checkpoint_directory, load_committed
from seqkd_lab.runs.data import load_toy
from seqkd_lab.runs.quick_student import QuickStudent, score_student, train_student
from seqkd_lab.runs.recipes import ToyData
from seqkd_lab.runs.store import Store, silent
from seqkd_lab.runs.study import measure_seeds, read_study
from seqkd_lab.studies import word_kd_map
from seqkd_lab.studies.word_kd_map import (
    MapPoint,
    MapRun,
    committed_map,
    map_points,
    place_name,
    study_of,
)

TINY = QuickStudent(width=8, epochs=1, n_pairs=64, batch_size=32, n_valid=10, n_test=5)
SMALL = MapRun(alphas=(0.0, 1.0), temperatures=(1.0, 2.0), student=TINY)


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


def make(run: MapRun, path, seeds=(1, 2), n_workers=1, report=lambda seed: silent) -> dict:
    return measure_seeds(study_of(run), seeds, Store(path.parent), path, report, n_workers)


def test_gold_alone_has_one_place_whatever_the_temperature():
    assert SMALL.places() == [(0.0, None), (1.0, 1.0), (1.0, 2.0)]
    assert len(MapRun().places()) == 1 + 4 * 4
    assert [place_name(place) for place in SMALL.places()[:2]] == ["α = 0", "α = 1, τ = 1"]


def test_every_point_is_written_and_an_interrupted_map_continues(tmp_path, made, monkeypatch):
    path, make_point = tmp_path / "map.json", word_kd_map.make_point

    def interrupted(student, place, seed):
        if len(made) == 4:
            raise KeyboardInterrupt
        return make_point(student, place, seed)

    monkeypatch.setattr(word_kd_map, "make_point", interrupted)
    with pytest.raises(KeyboardInterrupt):
        make(SMALL, path)
    assert len(map_points(read_study(path))) == 3
    assert list(read_json(path)["unfinished"]["2"]) == ["α = 0"]
    monkeypatch.setattr(word_kd_map, "make_point", make_point)
    heard = []
    whole = make(SMALL, path, report=lambda seed: lambda *done: heard.append((seed, *done)))
    assert made == [(place, seed) for seed in (1, 2) for place in SMALL.places()]
    assert heard == [(2, 2, 3), (2, 3, 3)]
    assert [(point.place, point.seed) for point in map_points(whole)] == made
    before = path.read_bytes()
    assert make(SMALL, path) == whole and path.read_bytes() == before and len(made) == 6


def test_a_map_cut_short_is_refused(tmp_path):
    with pytest.raises(FileError, match=r"map\.json: not as expected .*`points`"):
        path = tmp_path / "map.json"
        path.write_text('{"points": []}')
        read_study(path)


@pytest.mark.slow
def test_a_point_is_the_quick_student_that_anybody_can_train_and_processes_change_nothing(tmp_path):
    data, teacher = load_toy(ToyData()), load_committed(checkpoint_directory("teacher"))
    run = MapRun(alphas=(0.5,), temperatures=(2.0, 4.0), student=TINY)
    one, two = (make(run, tmp_path / f"{n}.json", (1,), n) for n in (1, 2))
    assert one == two
    point = map_points(one)[0]
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
    assert made == [(place, 1) for place in MapRun().places()]
    captured = capsys.readouterr()
    assert str(path) in captured.err and "greedy BLEU" in captured.out
    for wrong in (["--seeds", "0"], ["--workers", "0", "--seeds", "2"]):
        assert cli.main(["map", "--results", str(path), *wrong]) == 2
        assert "must be at least 1" in capsys.readouterr().err


def test_the_committed_map_is_whole():
    points = map_points(committed_map())
    places = [(place, seed) for seed in range(1, 6) for place in MapRun().places()]
    assert sorted(places, key=str) == sorted(((p.place, p.seed) for p in points), key=str)
    assert all(0 <= p.bleu <= 100 and 0 <= p.valid <= 1 and p.nll > 0 for p in points)
