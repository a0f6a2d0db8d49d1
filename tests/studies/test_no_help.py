"""When distillation does not help: what is trained, what Table 1 has already, and results that
continue."""

from __future__ import annotations

import warnings
from dataclasses import replace

import pytest

from seqkd_lab.files import FileError
from seqkd_lab.models.lstm import LSTMSpec
from seqkd_lab.optimisation import Optimisation
from seqkd_lab.runs.committed import (
    committed_seed,
    existing_checkpoint,
    load_committed,
    results_path,
)
from seqkd_lab.runs.data import load_toy
from seqkd_lab.runs.presets import TOY
from seqkd_lab.runs.recipes import ToyData, table_recipes
from seqkd_lab.runs.store import Store, identity, silent
from seqkd_lab.runs.study import measure_seeds, read_study, write_study
from seqkd_lab.studies import no_help
from seqkd_lab.studies.no_help import (
    ARMS,
    AS_LARGE,
    CONTROL,
    DETERMINISTIC,
    FROM_GOLD,
    FROM_TEACHER,
    IN_TABLE,
    THE_TEACHER,
    LanguageStore,
    NoHelpRun,
    points,
    study_of,
)
from seqkd_lab.studies.table1.table import read_results

SEED = committed_seed()
SHORT = Optimisation(1, 0.01, 32)
TINY = NoHelpRun(
    64,
    10,
    6,
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


def language(tmp_path, ambiguous: bool, run: NoHelpRun = TINY) -> LanguageStore:
    return LanguageStore(tmp_path / str(ambiguous), run=run, ambiguous=ambiguous)


@pytest.fixture(scope="module")
def rows(tmp_path_factory) -> dict:
    """What a tiny run measures of seed 1, with every arm trained."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # so small a teacher writes hypotheses without an end
        return dict(TINY.measure(1, Store(tmp_path_factory.mktemp("store")), silent, {}))


def test_what_table_1_has_is_not_trained_again():
    run = NoHelpRun()
    every = [pair for seed in range(21, 26) for pair in run.arms(seed)]
    assert not set(every) & set(IN_TABLE)
    assert set(replace(run, beside_table=False).arms(21)) - set(run.arms(21)) == set(IN_TABLE)
    assert sum(pair == (AS_LARGE, FROM_TEACHER) for pair in every) == 4
    assert all(condition != AS_LARGE for condition, _ in run.arms(SEED)), (
        "a gold student as large as its teacher must be no copy of it"
    )


def test_the_rows_of_the_table_are_what_the_conditions_ask_for():
    """The recipes of Table 1: a control's students are small, a large gold student is another
    seed's teacher."""
    run = NoHelpRun()
    for (condition, arm), row in IN_TABLE.items():
        seed = SEED if arm == THE_TEACHER else 2
        own, of_table = run.recipe(condition, arm, seed), table_recipes(ToyData(), TOY, seed)[row]
        assert replace(own, distilled=None) == replace(of_table, distilled=None)
        assert (own.distilled is None) == (of_table.distilled is None)
    assert run.settings()["data"] == identity(ToyData())


@pytest.mark.slow
def test_both_languages_share_sources_and_vocabulary_and_one_leaves_a_single_translation(tmp_path):
    ambiguous, fixed = (language(tmp_path, which).dataset(ToyData()) for which in (True, False))
    assert (len(fixed.train), len(fixed.valid), len(fixed.test)) == (64, 10, 6)
    for split in ("train", "valid", "test"):
        assert getattr(fixed, split).source == getattr(ambiguous, split).source
    assert fixed.target_vocabulary.words(range(50)) == ambiguous.target_vocabulary.words(range(50))
    assert fixed.test.references is None and ambiguous.test.references is not None
    for source, target in zip(fixed.train.source, fixed.train.target, strict=True):
        assert fixed.language.targets(source) == {target: pytest.approx(1.0)}
        assert load_toy(ToyData()).language.is_valid(source, target)


def test_the_committed_teacher_serves_in_its_language_only(tmp_path):
    run = replace(TINY, beside_table=True)
    committed = load_committed(existing_checkpoint("teacher"))
    assert language(tmp_path, True, run).model(run.teacher).spec == committed.spec
    assert language(tmp_path, False, run).model(run.teacher).spec == TINY.preset.teacher


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore:the teacher wrote")
def test_every_arm_is_trained_and_judged_the_same_again(rows, tmp_path):
    assert list(rows) == [", ".join(pair) for pair in TINY.arms(1)] and len(rows) == 9
    for row in rows.values():
        assert 0 <= row["greedy"] <= 100 and 0 <= row["valid"] <= 1
        assert 0 <= row["p_mode"] <= 1 and row["perplexity"] > 1
    last = f"{AS_LARGE}, {FROM_TEACHER}"
    finished = {name: row for name, row in rows.items() if name != last}
    assert dict(TINY.measure(1, Store(tmp_path), silent, finished)) == {last: rows[last]}
    assert rows[f"{CONTROL}, {THE_TEACHER}"] == rows[f"{AS_LARGE}, {THE_TEACHER}"]
    assert len({rows[f"{AS_LARGE}, {arm}"]["perplexity"] for arm in ARMS}) == 3


def test_points_of_another_size_are_not_mixed(rows, tmp_path):
    path = tmp_path / "no_help.json"
    write_study(path, study_of(TINY).heading(), {"1": rows})
    other = study_of(replace(TINY, n_pairs=65))
    with pytest.raises(FileError, match=r"different settings \(n_pairs was 64, now it is 65"):
        measure_seeds(other, (1,), Store(tmp_path), path, lambda seed: silent)
    assert len(points(read_study(path))) == 9


def test_the_table_fills_in_its_seeds():
    by_seed = read_results(results_path("table1.json"))["by_seed"]
    filled = no_help.with_table([], by_seed)
    keys = [(point.condition, point.arm, point.seed) for point in filled]
    assert len(keys) == len(set(keys))
    seeds = set(map(int, by_seed))
    assert {seed for *pair, seed in keys if tuple(pair) == (CONTROL, FROM_TEACHER)} == seeds
    assert {seed for *pair, seed in keys if tuple(pair) == (AS_LARGE, FROM_GOLD)} == seeds - {SEED}
    assert [seed for _, arm, seed in keys if arm == THE_TEACHER] == [SEED, SEED]
    (own,) = [
        point
        for point in filled
        if (point.condition, point.arm, point.seed) == (CONTROL, FROM_TEACHER, SEED)
    ]
    seq_kd = by_seed[str(SEED)]["seq-kd"]
    assert own.greedy == seq_kd["greedy"]["bleu"] and own.p_mode == seq_kd["p_mode"]


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore:the teacher wrote")
def test_a_mini_version_trains_all_itself():
    heard = []
    measured = no_help.mini_points(40, lambda done, total: heard.append((done, total)))
    assert len(measured) == 9 and heard[-1] == (9, 9)
    assert {point.seed for point in measured} == {1}


class TestCommitted:
    def test_it_has_every_arm_that_table_1_lacks(self):
        measured = {(p.condition, p.arm, p.seed) for p in no_help.committed_points()}
        run = NoHelpRun()
        assert measured == {(*pair, seed) for seed in range(21, 26) for pair in run.arms(seed)}

    def test_its_teacher_of_the_fixed_language_knows_the_language(self):
        teachers = {
            (p.condition, p.valid) for p in no_help.committed_points() if p.arm == THE_TEACHER
        }
        ((condition, valid),) = teachers
        assert condition == DETERMINISTIC and valid > 0.9
