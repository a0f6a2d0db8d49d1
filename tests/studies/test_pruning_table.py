"""Table 3 from recipes to verdict: a small run end to end, and the judgement on results made by
formula."""

from __future__ import annotations

from dataclasses import replace

import pytest
import torch
from small_corpus import ONE_EPOCH, TINY, write_text

from seqkd_lab.compression.pruning import CLASS_BLIND, METHODS, n_nonzero, prune
from seqkd_lab.corpus.vocabulary import Vocabulary
from seqkd_lab.models.checkpoint import load_model, read_json
from seqkd_lab.models.lstm import LSTMSeq2Seq, LSTMSpec
from seqkd_lab.runs.recipes import BASELINE, SEQ_KD, TEACHER, ToyData
from seqkd_lab.runs.results import rows_by_seed
from seqkd_lab.runs.schedule import Watcher, run_all
from seqkd_lab.runs.store import Store, identity, key
from seqkd_lab.runs.study import measure_seeds
from seqkd_lab.runs.verdicts import NOT_HELD, all_held
from seqkd_lab.studies.pruning import costs as pruning_costs
from seqkd_lab.studies.pruning.costs import DENSE, DENSE_INT8, SPARSE, SPARSE_INT8
from seqkd_lab.studies.pruning.measures import judged_models, write_checkpoints
from seqkd_lab.studies.pruning.recipes import (
    AT_ONCE,
    IN_STEPS,
    INT8,
    MODELS,
    PRUNED,
    PRUNING,
    RETRAINED,
    TUNED,
    Place,
    PruningPreset,
    PruningRun,
    class_blind,
    pruning_recipes,
)
from seqkd_lab.studies.pruning.study import CLAIMS, STUDY, knee, study_of

pytestmark = pytest.mark.filterwarnings("ignore:the teacher wrote")
SMALL = PruningPreset(TINY, ONE_EPOCH, ONE_EPOCH, 0.5, (0.0, 0.5, 0.8), (0.8,), (0.5, 0.8))


SEEDS = (1, 2)


@pytest.fixture(scope="module")
def run(tmp_path_factory) -> PruningRun:
    return PruningRun(write_text(tmp_path_factory.mktemp("corpus") / "text"), SMALL)


@pytest.fixture(scope="module")
def store(run, tmp_path_factory) -> Store:
    """A finished run."""
    root = tmp_path_factory.mktemp("store")
    run_all([task for seed in SEEDS for task in run.tasks(seed)], root, 1, Watcher())
    return Store(root)


@pytest.fixture(scope="module")
def models(run, store) -> list[dict[Place, dict]]:
    """What is reported of the models of each seed, by place."""
    by_seed = [judged_models(run, store, seed) for seed in SEEDS]
    return [{Place.of_row(row): model for row, model in rows.items()} for rows in by_seed]


class TestRecipes:
    def test_all_levels_of_all_models_and_what_is_compared(self):
        places = set(pruning_recipes(ToyData(), PRUNING, 1))
        for share in PRUNING.shares:
            for model in MODELS:
                assert {
                    Place(model, CLASS_BLIND, share, stage) for stage in (PRUNED, RETRAINED)
                } <= places
            assert Place(SEQ_KD, CLASS_BLIND, share, TUNED) in places
            assert {Place(SEQ_KD, method, share, PRUNED) for method in METHODS} <= places
        assert {share for _, method, share, _ in places if method == IN_STEPS} == set(
            PRUNING.steps[1:]
        )

    def test_what_a_model_learns_again_from_is_what_it_had_learned_from(self):
        recipes = pruning_recipes(ToyData(), PRUNING, 1)
        for place, recipe in recipes.items():
            base = recipe
            while base.start is not None:
                base = base.start
            assert base.name == place.model and recipe.pruning.share == place.share
            if place.stage != TUNED:
                assert recipe.distilled == base.distilled
        tuned = recipes[Place(SEQ_KD, CLASS_BLIND, 0.8, TUNED)]
        assert (
            tuned.start == recipes[Place(SEQ_KD, CLASS_BLIND, 0.8, RETRAINED)]
            and tuned.distilled.beam_size == 35
        )

    def test_in_steps_and_at_once_train_equally_long(self):
        recipes = pruning_recipes(ToyData(), PRUNING, 1)
        for share in PRUNING.steps[1:]:
            stepwise, at_once = (
                recipes[Place(SEQ_KD, how, share, RETRAINED)] for how in (IN_STEPS, AT_ONCE)
            )
            epochs = 0
            while stepwise.pruning is not None:
                epochs, stepwise = epochs + stepwise.optimisation.epochs, stepwise.start
            assert epochs == at_once.optimisation.epochs and stepwise == at_once.start

    def test_pruning_and_the_embeddings_size_count_for_the_key_and_their_absence_does_not(self):
        recipes = pruning_recipes(ToyData(), PRUNING, 1)
        base = recipes[Place(SEQ_KD, CLASS_BLIND, 0.0, PRUNED)].start
        assert "pruning" not in identity(base)
        changed = [base, replace(base, embedding_scale=1.0), *recipes.values()]
        assert len({key(recipe) for recipe in changed}) == len(set(changed)) == len(changed)

    def test_the_student_is_of_a_size_that_makes_the_claim_a_fair_question(self):
        """13 times must come from both steps: the student alone, or pruning alone, is far from
        it."""
        recipe = pruning_recipes(ToyData(), PRUNING, 1)[Place(SEQ_KD, CLASS_BLIND, 0.8, PRUNED)]
        assert (
            1.5 < recipe.distilled.teacher.model.width / recipe.model.width < 2.0
            and recipe.pruning.share == 0.8
        )


@pytest.mark.slow
class TestRun:
    def test_every_place_is_judged_once_with_the_share_of_zeros_that_it_says(self, run, models):
        for seed, by_place in zip(SEEDS, models, strict=True):
            wanted = set(run.recipes(seed))
            wanted |= {Place(SEQ_KD, CLASS_BLIND, share, INT8) for share in SMALL.shares}
            assert set(by_place) == wanted
            for place, model in by_place.items():
                unpruned = by_place[class_blind(place.model, 0.0, PRUNED)]["n_nonzero"]
                assert model["n_nonzero"] <= (1 - place.share) * unpruned * 1.15

    def test_zeros_stay_through_both_retrainings(self, run, store):
        recipes = run.recipes(1)
        for share in (0.5, 0.8):
            pruned, retrained, tuned = (
                store.model(recipes[Place(SEQ_KD, CLASS_BLIND, share, stage)])
                for stage in (PRUNED, RETRAINED, TUNED)
            )
            for name, parameter in pruned.named_parameters():
                gone = parameter == 0
                assert (
                    not retrained.get_parameter(name)[gone].any()
                    and not tuned.get_parameter(name)[gone].any()
                )
            assert any(
                not torch.equal(a, b)
                for a, b in zip(pruned.parameters(), retrained.parameters(), strict=True)
            )

    def test_unpruned_and_not_retrained_is_the_model_itself(self, run, store):
        recipe = run.recipes(1)[Place(BASELINE, CLASS_BLIND, 0.0, PRUNED)]
        own, base = store.model(recipe).state_dict(), store.model(recipe.start).state_dict()
        assert all(torch.equal(own[name], base[name]) for name in own)
        assert read_json(store.directory(recipe) / "history.json")["valid_loss"] == []

    def test_the_unpruned_model_keeps_all_of_its_words(self, models):
        for by_place in models:
            for place, model in by_place.items():
                if place.share == 0.0 and place.stage == PRUNED:
                    assert all(kept in (None, 1.0) for kept in model["words_kept"])

    @pytest.mark.slow
    def test_results_are_written_read_and_judged(self, run, store, models, tmp_path):
        study = study_of(run)
        path = tmp_path / "table3.json"
        results = measure_seeds(study, SEEDS, store, path, lambda seed: lambda *now: None)
        rows = rows_by_seed(results)
        assert [Place.of_row(row) for row in rows[1] if "|" in row] == list(models[1])
        assert len(study.judge(rows)) == len(CLAIMS)
        tables = study.tables(rows)
        assert list(tables["teacher, class-blind"].index) == ["0%", "50%", "80%"]
        assert "knee of the teacher" in study.in_words(rows)
        assert len(rows[0]["examples"]) <= 10 and "examples" not in rows[1]
        for stages in rows[0]["examples"].values():
            assert {len(by_share) for by_share in stages.values()} == {len(SMALL.shares)}

    def test_what_travels_is_read_back_pruned(self, run, store, tmp_path):
        folders = {folder.name: folder for folder in write_checkpoints(run, store, 1, tmp_path)}
        recipes = run.recipes(1)
        whole, pruned = (load_model(folders[name]) for name in ("student", "student-80"))
        assert n_nonzero(pruned) == n_nonzero(
            store.model(recipes[Place(SEQ_KD, CLASS_BLIND, 0.8, RETRAINED)])
        )
        assert whole.n_parameters() == pruned.n_parameters()


class TestCosts:
    def test_forms_are_what_they_say(self, make_model):
        costs = pruning_costs.measure_costs(
            {0.0: make_model(), 0.5: make_model(1)}, [("ant", "bee")] * 3, 2
        )
        assert list(costs) == [0.0, 0.5]
        for cost in costs.values():
            assert set(cost["file"]) == set(cost["compressed"]) == set(pruning_costs.FORMS)
            assert all(
                len(values) == 2 and min(values) > 0
                for by_kernel in cost["speed"].values()
                for values in by_kernel.values()
            )

    def test_a_file_without_zeros_is_smaller_and_a_full_one_is_not(self):
        words = Vocabulary.build([[f"w{number}" for number in range(400)]])
        model = LSTMSeq2Seq(LSTMSpec(32), words, words)
        full = {form: len(data) for form, data in pruning_costs.stored_forms(model).items()}
        prune(model, 0.9)
        pruned = {form: len(data) for form, data in pruning_costs.stored_forms(model).items()}
        assert pruned[DENSE] == full[DENSE] and full[SPARSE] > full[DENSE] > 3 * pruned[SPARSE]
        assert full[DENSE_INT8] < full[DENSE] / 3 and pruned[SPARSE_INT8] < pruned[SPARSE]
        assert pruning_costs.memory(model)[SPARSE] < pruning_costs.memory(model)[DENSE]


SHORT = {PRUNED: "pruned", RETRAINED: "retrained", TUNED: "tuned"}


def row(**changed: float) -> dict[str, dict]:
    """A seed in which every claim is held; `changed` sets the BLEU of a place, as in
    seq_kd_80_pruned."""
    sizes, rows = {TEACHER: 440, BASELINE: 165, SEQ_KD: 165}, {}
    for model, size in sizes.items():
        for share in (0.0, 0.8):
            for stage in (PRUNED, RETRAINED, TUNED):
                beam = 95.0 if share == 0.0 else {PRUNED: 10.0, RETRAINED: 94.8, TUNED: 94.8}[stage]
                beam -= 1.0 if model == BASELINE and share else 0.0
                name = f"{model.replace('-', '_')}_{round(100 * share)}_{SHORT[stage]}"
                rows[class_blind(model, share, stage).row] = {
                    "beam": changed.get(name, beam),
                    "n_nonzero": round(size * (1 - share)),
                }
    steps = {"beam": changed.get("steps", 94.9), "n_nonzero": 33}
    return rows | {Place(SEQ_KD, IN_STEPS, 0.8, RETRAINED).row: steps}


class TestVerdict:
    def test_all_hold_where_pruning_costs_little(self):
        assert all_held(STUDY.judge([row(), row()]))

    @pytest.mark.parametrize(
        ("changed", "failing"),
        [
            ({"seq_kd_80_tuned": 94.5}, {1, 2}),
            ({"teacher_0_pruned": 95.3}, {2}),
            ({"seq_kd_80_retrained": 94.5}, {3, 4}),
            ({"seq_kd_0_pruned": 95.25}, {4}),
            ({"steps": 94.5}, {5}),
            ({"seq_kd_80_pruned": 94.0}, {6}),
            ({"baseline_80_retrained": 94.9}, {7}),
        ],
    )
    def test_each_can_fail(self, changed, failing):
        verdicts = STUDY.judge([row(**changed)] * 2)
        missed = {n for n, verdict in enumerate(verdicts) if verdict.outcome == NOT_HELD}
        assert missed == failing

    def test_too_large_a_student_fails_the_size(self):
        larger = {
            name: {**model, "n_nonzero": (1 + name.startswith(SEQ_KD)) * model["n_nonzero"]}
            for name, model in row().items()
        }
        assert STUDY.judge([larger] * 2)[0].outcome == NOT_HELD

    def test_no_seed_is_no_verdict(self):
        with pytest.raises(ValueError, match="no seed"):
            STUDY.judge([])

    def test_the_knee_is_the_last_level_before_the_first_that_loses_too_much(self):
        """A later level that happens to lose little does not move it."""
        losses = {0.0: 0.0, 0.2: -0.1, 0.5: 0.3, 0.8: 0.5, 0.9: 0.1}
        rows = {
            class_blind(SEQ_KD, share, RETRAINED).row: {"beam": 95.0 - lost}
            for share, lost in losses.items()
        }
        assert knee([rows], SEQ_KD, RETRAINED) == 0.5
        assert knee([rows], SEQ_KD, RETRAINED, most=0.2) == 0.2
        assert knee([rows], SEQ_KD, RETRAINED, most=1.0) == 0.9
