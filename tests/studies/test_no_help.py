"""When distillation does not help: what is trained, what Table 1 has already, and a file that
continues."""

from __future__ import annotations

from dataclasses import asdict, replace

import pytest

from seqkd_lab.models.checkpoint import CheckpointError
from seqkd_lab.models.lstm import LSTMSpec
from seqkd_lab.runs.committed import checkpoint_directory, committed_seed, results_path
from seqkd_lab.runs.data import load_toy
from seqkd_lab.runs.presets import TOY
from seqkd_lab.runs.recipes import ToyData, table_recipes
from seqkd_lab.runs.store import identity
from seqkd_lab.studies import no_help
from seqkd_lab.studies.no_help import (
    AS_LARGE,
    CONTROL,
    DETERMINISTIC,
    FROM_GOLD,
    FROM_TEACHER,
    IN_TABLE,
    THE_TEACHER,
    NoHelpRun,
    Point,
)
from seqkd_lab.studies.table1.table import read_results
from seqkd_lab.training import Optimisation

SEED = committed_seed()
SHORT = Optimisation(1, 0.01, 32)
TINY = NoHelpRun(
    64,
    10,
    6,
    (1,),
    (2,),
    replace(
        TOY,
        teacher=LSTMSpec(12),
        student=LSTMSpec(8),
        teacher_training=SHORT,
        student_training=SHORT,
        beam_size=2,
    ),
    beside_table=False,
)


@pytest.fixture
def made(monkeypatch):
    """The tasks that were done, in order; made up instead of trained."""
    asked = []

    def make_point(run, condition, arm, seed):
        asked.append((condition, arm, seed))
        return Point(condition, arm, seed, 50.0 + seed, 51.0, 0.5, 0.1, 2.0)

    monkeypatch.setattr(no_help, "make_point", make_point)
    return asked


def test_what_table_1_has_is_not_trained_again():
    run = NoHelpRun()
    assert not [task for task in run.tasks() if task[:2] in IN_TABLE]
    every = replace(run, beside_table=False).tasks()
    assert {task[:2] for task in every} - {task[:2] for task in run.tasks()} == set(IN_TABLE)
    large = [seed for condition, arm, seed in every if (condition, arm) == (AS_LARGE, FROM_GOLD)]
    assert (
        len(every) == len(set(every)) == 3 + 2 * (2 * len(run.small_seeds) + len(large))
        and len(large) >= 2
    )
    assert SEED not in large, "a gold student as large as its teacher must be no copy of it"


def test_the_rows_of_the_table_are_what_the_conditions_ask_for():
    """The recipes of Table 1: a control's students are small, a large gold student is another
    seed's teacher."""
    recipes = table_recipes(ToyData(), TOY, 2)
    for (condition, arm), row in IN_TABLE.items():
        large = condition == AS_LARGE or arm == THE_TEACHER
        assert recipes[row].model == (TOY.teacher if large else TOY.student)
        assert (recipes[row].distilled is not None) == (arm == FROM_TEACHER)
    assert NoHelpRun().heading()["data"] == identity(ToyData())


def test_both_languages_share_sources_and_vocabulary_and_one_leaves_a_single_translation():
    ambiguous, fixed = (no_help.load(TINY, which) for which in (True, False))
    assert (len(fixed.train), len(fixed.valid), len(fixed.test)) == (64, 10, 6)
    for split in ("train", "valid", "test"):
        assert getattr(fixed, split).source == getattr(ambiguous, split).source
    assert fixed.target_vocabulary.words(range(50)) == ambiguous.target_vocabulary.words(range(50))
    assert fixed.test.references is None and ambiguous.test.references is not None
    for source, target in zip(fixed.train.source, fixed.train.target, strict=True):
        assert fixed.language.targets(source) == {target: pytest.approx(1.0)}
        assert load_toy(ToyData()).language.is_valid(source, target)


@pytest.mark.filterwarnings("ignore:the teacher wrote")
def test_every_arm_is_trained_and_judged_the_same_again():
    points = {task: no_help.make_point(TINY, *task) for task in TINY.tasks()}
    assert points == {(point.condition, point.arm, point.seed): point for point in points.values()}
    for point in points.values():
        assert (
            0 <= point.greedy <= 100
            and 0 <= point.valid <= 1
            and 0 <= point.p_mode <= 1
            and point.perplexity > 1
        )
    task = (DETERMINISTIC, FROM_TEACHER, 1)
    assert no_help.make_point(TINY, *task) == points[task]
    gold, teacher_logits_of, teacher = (
        points[AS_LARGE, arm, seed].perplexity
        for arm, seed in ((FROM_GOLD, 2), (FROM_TEACHER, 2), (THE_TEACHER, SEED))
    )
    assert len({gold, teacher_logits_of, teacher}) == 3


def test_every_point_is_written_and_an_interrupted_run_continues(tmp_path, made, monkeypatch):
    path, make_point = tmp_path / "no_help.json", no_help.make_point

    def interrupted(run, *task):
        if len(made) == 2:
            raise KeyboardInterrupt
        return make_point(run, *task)

    monkeypatch.setattr(no_help, "make_point", interrupted)
    with pytest.raises(KeyboardInterrupt):
        no_help.make(TINY, path)
    assert len(no_help.points(no_help.read(path))) == 2
    monkeypatch.setattr(no_help, "make_point", make_point)
    heard = []
    whole = no_help.make(TINY, path, lambda done, total: heard.append((done, total)))
    assert made == TINY.tasks(), "each model once" and heard[0] == (3, 9) and heard[-1] == (9, 9)
    before = path.read_bytes()
    assert no_help.make(TINY, path) == whole and path.read_bytes() == before and len(made) == 9
    more = replace(TINY, small_seeds=(1, 2))
    assert len(no_help.points(no_help.make(more, path))) == 13 and len(made) == 13, (
        "more seeds are added"
    )


def test_points_made_otherwise_are_not_mixed_and_other_files_are_refused(tmp_path, made):
    path = tmp_path / "no_help.json"
    no_help.make(TINY, path)
    with pytest.raises(CheckpointError, match="its run was"):
        no_help.make(replace(TINY, n_pairs=65), path)
    path.write_text('{"points": []}')
    with pytest.raises(CheckpointError, match="experiments.no_help"):
        no_help.read(path)


def test_the_table_fills_in_its_seeds(made):
    by_seed = read_results(results_path("table1.json"))["by_seed"]
    found = no_help.with_table([], by_seed)
    places = [(point.condition, point.arm, point.seed) for point in found]
    assert len(places) == len(set(places))
    seeds = set(map(int, by_seed))
    assert {
        seed for condition, arm, seed in places if (condition, arm) == (CONTROL, FROM_TEACHER)
    } == seeds
    assert {
        seed for condition, arm, seed in places if (condition, arm) == (AS_LARGE, FROM_GOLD)
    } == seeds - {SEED}
    assert [seed for _, arm, seed in places if arm == THE_TEACHER] == [SEED, SEED]
    (own,) = [
        point
        for point in found
        if (point.condition, point.arm, point.seed) == (CONTROL, FROM_TEACHER, SEED)
    ]
    seq_kd = by_seed[str(SEED)]["seq-kd"]
    assert own.greedy == seq_kd["greedy"]["bleu"] and own.p_mode == seq_kd["p_mode"]


def test_the_command_writes_the_file(tmp_path, made, capsys):
    path = tmp_path / "made.json"
    assert no_help.main(["--results", str(path)]) == 0
    assert {(p.condition, p.arm, p.seed) for p in no_help.points(no_help.read(path))} == set(
        NoHelpRun().tasks()
    )
    n_tasks = len(NoHelpRun().tasks())
    assert f"{n_tasks} of {n_tasks}" in capsys.readouterr().err


def test_a_mini_version_trains_all_itself(made):
    run = no_help.mini(50)
    assert run.n_pairs == 50 and not run.beside_table
    heard = []
    points = no_help.make_all(run, lambda done, total: heard.append((done, total)))
    assert made == run.tasks() and len(points) == 9 and heard[-1] == (9, 9)


class TestCommitted:
    def test_it_is_what_the_command_makes_today(self):
        kept = no_help.committed()
        assert {part: kept[part] for part in ("data", "run")} == {
            part: NoHelpRun().heading()[part] for part in ("data", "run")
        }
        assert {(p.condition, p.arm, p.seed) for p in no_help.points(kept)} == set(
            NoHelpRun().tasks()
        )

    def test_its_teacher_of_the_fixed_language_knows_the_language(self):
        (teacher,) = [
            asdict(p) for p in no_help.points(no_help.committed()) if p.arm == THE_TEACHER
        ]
        assert teacher["condition"] == DETERMINISTIC and teacher["valid"] > 0.9
        assert checkpoint_directory("teacher") is not None
