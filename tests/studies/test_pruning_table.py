"""Table 3 from recipes to verdict: a small run end to end, and the judgement on results made by
formula."""

from __future__ import annotations

from dataclasses import replace

import pytest
import torch
from small_corpus import ONE_EPOCH, TINY, write_text
from synthetic_table3 import table3_of

from seqkd_lab.compression.pruning import n_nonzero
from seqkd_lab.files import read_json
from seqkd_lab.models.checkpoint import load_model
from seqkd_lab.models.lstm import LSTMSpec
from seqkd_lab.runs.presets import TOY
from seqkd_lab.runs.recipes import BASELINE, SEQ_KD, TEACHER, ToyData, table_recipes
from seqkd_lab.runs.results import rows_by_seed
from seqkd_lab.runs.schedule import Watcher, run_all
from seqkd_lab.runs.store import Store, identity, key
from seqkd_lab.runs.study import measure_seeds
from seqkd_lab.runs.verdicts import HELD, NOT_HELD, all_held
from seqkd_lab.studies.pruning.measures import measure_models, write_checkpoints
from seqkd_lab.studies.pruning.recipes import (
    DENSE,
    INT8,
    PRUNED,
    PRUNING,
    RETRAINED,
    SMALL,
    SMALL_LONGER,
    Place,
    PruningPreset,
    PruningRun,
    pruning_recipes,
    unpruned,
)
from seqkd_lab.studies.pruning.study import STUDY, differences, product_in_words, study_of

pytestmark = pytest.mark.filterwarnings("ignore:the teacher wrote")
SMALL_RUN = PruningPreset(
    table=TINY,
    student=LSTMSpec(width=6),
    training=ONE_EPOCH,
    retraining=ONE_EPOCH,
    longer=replace(ONE_EPOCH, epochs=2),
    embedding_scale=0.5,
    shares=(0.0, 0.5, 0.8),
)
SEEDS = (1, 2)


@pytest.fixture(scope="module")
def run(tmp_path_factory) -> PruningRun:
    return PruningRun(write_text(tmp_path_factory.mktemp("corpus") / "text"), SMALL_RUN)


@pytest.fixture(scope="module")
def store(run, tmp_path_factory) -> Store:
    """A finished run."""
    root = tmp_path_factory.mktemp("store")
    run_all([task for seed in SEEDS for task in run.tasks(seed)], Store(root), 1, Watcher())
    return Store(root)


@pytest.fixture(scope="module")
def models(run, store) -> dict[str, dict]:
    """What is reported of the models of the first seed, by row."""
    return dict(measure_models(run, store, 1, {}, lambda *now: None))


class TestRecipes:
    recipes = pruning_recipes(ToyData(), PRUNING, 1)

    def test_all_levels_are_there(self):
        for share in PRUNING.shares:
            assert Place(SEQ_KD, share, PRUNED) in self.recipes
        for share in PRUNING.retrained:
            assert Place(SEQ_KD, share, RETRAINED) in self.recipes
        assert {unpruned(name) for name in (TEACHER, BASELINE, SEQ_KD, *DENSE)} <= set(self.recipes)

    def test_what_a_model_learns_again_from_is_what_it_had_learned_from(self):
        for place, recipe in self.recipes.items():
            if recipe.start is not None:
                assert recipe.pruning.share == place.share
                assert recipe.start == self.recipes[unpruned(place.model)]
                assert recipe.distilled == recipe.start.distilled

    def test_the_control_is_trained_as_long_as_the_pruned_student(self):
        control, pruned = (self.recipes[Place(SEQ_KD, share, RETRAINED)] for share in (0.0, 0.8))
        assert control.optimisation == pruned.optimisation and control.seed == pruned.seed

    def test_teacher_and_small_students_are_those_of_table_1_and_learn_from_the_same_corpus(self):
        rows = table_recipes(ToyData(), TOY, 1)
        assert self.recipes[unpruned(TEACHER)] == rows[TEACHER]
        assert self.recipes[unpruned(SMALL)] == rows[SEQ_KD]
        corpora = {self.recipes[unpruned(name)].distilled for name in (SEQ_KD, *DENSE)}
        assert len(corpora) == 1

    def test_the_dense_student_is_given_more_updates_than_the_pruned_one(self):
        def updates(*trainings) -> float:
            return sum(training.epochs / training.batch_size for training in trainings)

        longer = self.recipes[unpruned(SMALL_LONGER)].optimisation
        assert updates(longer) >= updates(PRUNING.training, PRUNING.retraining)

    def test_pruning_and_the_embeddings_size_count_for_the_key(self):
        base = self.recipes[unpruned(SEQ_KD)]
        assert "pruning" not in identity(base)
        changed = [replace(base, embedding_scale=1.0), *self.recipes.values()]
        assert len({key(recipe) for recipe in changed}) == len(set(changed)) == len(changed)

    def test_the_student_is_of_a_size_that_makes_the_claim_a_fair_question(self):
        """13 times must come from both steps: the student alone, or pruning alone, is far from
        it."""
        assert 1.5 < PRUNING.table.teacher.width / PRUNING.student.width < 2.0


@pytest.mark.slow
class TestRun:
    def test_every_place_is_judged_once_with_the_share_of_zeros_that_it_says(self, run, models):
        wanted = set(run.recipes(1))
        wanted |= {Place(SEQ_KD, share, INT8) for share in SMALL_RUN.retrained}
        assert {Place.of_row(row) for row in models if "|" in row} == wanted
        for place in wanted:
            full = models[unpruned(place.model).row]["n_nonzero"]
            assert models[place.row]["n_nonzero"] <= (1 - place.share) * full * 1.15

    def test_zeros_stay_through_retraining(self, run, store):
        recipes = run.recipes(1)
        pruned, retrained = (
            store.model(recipes[Place(SEQ_KD, 0.8, stage)]) for stage in (PRUNED, RETRAINED)
        )
        for name, parameter in pruned.named_parameters():
            assert not retrained.get_parameter(name)[parameter == 0].any()
        assert any(
            not torch.equal(a, b)
            for a, b in zip(pruned.parameters(), retrained.parameters(), strict=True)
        )

    def test_the_unpruned_model_keeps_all_of_its_words(self, models):
        kept = models[unpruned(SEQ_KD).row]["words_kept"]
        assert set(kept) <= {None, 1.0} and "words_kept" not in models[unpruned(TEACHER).row]

    def test_what_is_done_is_not_measured_again(self, run, store, models):
        done = {row: {} for row in list(models)[:-2]}
        rest = dict(measure_models(run, store, 1, done, lambda *now: None))
        assert list(rest) == list(models)[-2:]

    def test_results_are_written_read_and_judged(self, run, store, models, tmp_path):
        study, path = study_of(run), tmp_path / "table3.json"
        results = measure_seeds(study, SEEDS, store, path, lambda seed: lambda *now: None)
        rows = rows_by_seed(results)
        assert list(rows[0]) == list(models)
        assert len(study.judge(rows)) == len(study.claims)
        (table,) = study.tables(rows).values()
        assert len(table) == len(models) - 1 and "times by pruning" in study.in_words(rows)

    def test_what_travels_is_read_back_pruned(self, run, store, tmp_path):
        folders = {folder.name: folder for folder in write_checkpoints(run, store, 1, tmp_path)}
        recipe = run.recipes(1)[Place(SEQ_KD, 0.8, RETRAINED)]
        whole, pruned = (load_model(folders[name]) for name in ("student", "student-80"))
        assert n_nonzero(pruned) == n_nonzero(store.model(recipe))
        assert whole.n_parameters() == pruned.n_parameters()
        recorded = read_json(folders["student-80"] / "metrics.json")
        assert recorded["recipe"] == identity(recipe)


GOOD = {"lost": 0.2, "dense": 92.0}


class TestVerdict:
    def test_all_hold_where_pruning_costs_little(self):
        assert all_held(STUDY.judge(table3_of(**GOOD)))

    @pytest.mark.parametrize(
        ("changed", "missed"),
        [
            ({"lost": 3.0}, {"F8 teacher", "F8 before", "F8 alike", "pruned or dense"}),
            ({"dense": 95.0}, {"pruned or dense"}),
        ],
    )
    def test_each_can_fail(self, changed, missed):
        verdicts = STUDY.judge(table3_of(**{**GOOD, "dense": 93.0, **changed}))
        assert {v.claim.name for v in verdicts if v.outcome == NOT_HELD} == missed
        assert {v.outcome for v in verdicts} == {HELD, NOT_HELD}

    def test_too_large_a_student_fails_the_size(self):
        by_seed = table3_of(**GOOD)
        for rows in by_seed:
            for name, row in rows.items():
                if name.startswith(f"{SEQ_KD}|"):
                    row["n_nonzero"] *= 2
        missed = [v.claim.name for v in STUDY.judge(by_seed) if v.outcome == NOT_HELD]
        assert missed == ["F8 size"]

    def test_claims_have_names_of_their_own(self):
        names = [claim.name for claim in STUDY.claims]
        assert len(set(names)) == len(names)

    def test_no_seed_is_no_verdict(self):
        with pytest.raises(ValueError, match="no seed"):
            STUDY.judge([])

    def test_what_is_drawn_is_what_is_judged(self):
        by_seed = table3_of(**GOOD)
        drawn = list(differences(by_seed).values())
        judged = {v.claim.name: v.values for v in STUDY.judge(by_seed)}
        for name, values in zip(("F8 teacher", "F8 before", "F8 alike"), drawn, strict=False):
            assert values == pytest.approx([-value for value in judged[name]])
        assert drawn[-1] == pytest.approx(judged["pruned or dense"])

    def test_the_product_of_both_steps(self):
        assert product_in_words(table3_of()).startswith("13.3 times fewer parameters: 2.67 times")
