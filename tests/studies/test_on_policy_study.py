"""The on-policy study: its arms, its rates, what it measures, its claims, and its committed
results."""

from __future__ import annotations

import json

import pytest
import synthetic_on_policy

from seqkd_lab.corpus.toy.fresh import JUDGE, PILOT, fresh_sources
from seqkd_lab.distillation.on_policy import OnPolicy
from seqkd_lab.runs.committed import results_path
from seqkd_lab.runs.data import load_toy
from seqkd_lab.runs.power import pilot_rows
from seqkd_lab.runs.recipes import ToyData
from seqkd_lab.runs.store import key
from seqkd_lab.runs.study import read_study
from seqkd_lab.runs.verdicts import CANNOT_BE_ASKED, HELD, NOT_HELD
from seqkd_lab.studies.on_policy import rates, recipes, study
from seqkd_lab.studies.on_policy.claims import GRADIENT
from seqkd_lab.studies.on_policy.gradients import ESTIMATORS
from seqkd_lab.studies.on_policy.recipes import ARMS, FORWARD, GOLD, OWN, REVERSE, START, arm


@pytest.fixture
def by_seed():
    return synthetic_on_policy.by_seed()


class TestArms:
    def test_all_have_one_start_one_length_and_the_same_sources(self):
        teacher, start = recipes.models(3)
        found = recipes.arms(3)
        assert tuple(found) == ARMS
        for recipe in found.values():
            assert recipe.start == start and recipe.seed == 3 and recipe.teacher in (None, teacher)
            assert recipe.data.n_train == recipes.N_SENTENCES and recipe.optimisation.epochs == 1
            assert recipe.distilled is None or (
                recipe.distilled.teacher == teacher
                and round(recipes.N_TRAIN * recipe.distilled.share) == recipes.N_SENTENCES
            )
        assert len({key(recipe) for recipe in found.values()}) == len(found)
        assert len(load_toy(recipes.DATA).train) == recipes.N_TRAIN

    def test_own_words_and_gold_differ_in_whose_words_alone(self):
        found = recipes.arms(3)
        for loss in recipes.LOSSES:
            own, gold = found[arm(OWN, loss)], found[arm(GOLD, loss)]
            assert own.batch_transform == OnPolicy(1.0) and gold.batch_transform is None
            assert (own.objective, own.optimisation) == (gold.objective, gold.optimisation)

    def test_rates_are_among_those_tried(self):
        assert set(recipes.RATES.values()) <= set(recipes.RATES_TRIED)
        assert rates.at_rate(recipes.arms(1)[ARMS[0]], 0.5).optimisation.learning_rate == 0.5

    def test_a_rate_is_tried_on_every_arm_that_has_it_and_judged_by_both(self, monkeypatch):
        asked = []

        def validity(store, recipe):
            asked.append((recipe.name, recipe.optimisation.learning_rate, recipe.seed))
            return (0.4, 0.2) if recipe.batch_transform is None else (0.6, 0.3)

        monkeypatch.setattr(rates, "validity", validity)
        frame = rates.try_rates(store=None)
        assert {seed for *_, seed in asked} == {11}
        assert len(set(asked)) == len(asked) == len(recipes.RATES_TRIED) * 9
        means = frame[["greedy", "drawn", "both"]]
        assert means.loc[(REVERSE, 0.004)].tolist() == pytest.approx([0.5, 0.25, 0.375])
        assert means.loc[(recipes.WORD, 0.001)].tolist() == pytest.approx([0.6, 0.3, 0.45])
        error = (0.6 * 0.4 / 500 + 0.3 * 0.7 / 500) ** 0.5 / 2
        assert frame.loc[(recipes.WHOLE, 0.001), "error"] == pytest.approx(error)
        assert frame.loc[(recipes.WORD, 0.001), "error"] == pytest.approx(error / 2**0.5)
        assert set(frame.index.get_level_values("loss")) == set(recipes.RATES)
        assert list(frame.index[frame["chosen"]]) == [(loss, 0.001) for loss in recipes.RATES]

    def test_of_rates_within_an_error_of_the_best_the_lowest_is_chosen(self, monkeypatch):
        both = {0.001: 0.30, 0.002: 0.385, 0.004: 0.39, 0.008: 0.39}

        def validity(store, recipe):
            return (both[recipe.optimisation.learning_rate],) * 2

        monkeypatch.setattr(rates, "validity", validity)
        frame = rates.try_rates(store=None)
        assert set(frame.index[frame["chosen"]].get_level_values("rate")) == {0.002}


class TestStudy:
    def test_the_pilot_has_sources_of_its_own(self):
        assert study.sources_of(12) == fresh_sources(PILOT)
        assert study.sources_of(21) == fresh_sources(JUDGE)
        assert study.STUDY.first_seed > 13

    def test_rows_that_are_there_are_not_measured_again(self, monkeypatch):
        class Shelf:
            def model(self, recipe):
                return recipe.name

            def dataset(self, data):
                return type("Data", (), {"test": [], "valid": []})

            def n_tokens(self, recipe):
                return 7

        for name in ("translation_record", "bleu_record"):
            monkeypatch.setattr(study, name, lambda student, *_: {"student": student})
        exposed = {"gold": {"per_token": {}, "by_place": [1.0], "n": [2]}}
        monkeypatch.setattr(study, "exposure_record", lambda *_: exposed)
        monkeypatch.setattr(study, "gradient_record", lambda *_: {})
        monkeypatch.setattr(study, "sources_of", lambda seed: ())
        moved = []
        measured = list(study.measure(21, Shelf(), lambda *done: moved.append(done), {}))
        assert [name for name, _ in measured] == [GRADIENT, START, *ARMS]
        assert dict(measured)[START]["exposure"] == {"gold": {"per_token": {}}}
        assert dict(measured)[START]["tokens"] == 0 and dict(measured)[ARMS[0]]["tokens"] == 7
        done = dict(measured[:4])
        again = list(study.measure(21, Shelf(), lambda *done: None, done))
        assert [name for name, _ in again] == [name for name, _ in measured[4:]]
        assert moved[-1] == (len(ARMS) + 1, len(ARMS) + 1)


class TestClaims:
    def test_every_claim_gets_its_verdict_by_hand(self, by_seed):
        found = {one.claim.name: one for one in study.STUDY.judge(by_seed)}
        assert len(found) == len(study.STUDY.claims)
        place = {name: number for number, name in enumerate((START, *ARMS))}
        lead = place[arm(OWN, REVERSE)] - place[arm(GOLD, REVERSE)]
        assert found["drawn-gold"].mean == pytest.approx(lead)
        assert found["drawn-gold"].outcome == found["greedy-gold"].outcome == HELD
        assert found["bleu-gold"].mean == pytest.approx(lead)
        assert found["shrinks-reverse"].mean == pytest.approx(-0.0102 * lead)
        assert found["shrinks-reverse"].outcome == HELD
        forward = place[arm(OWN, FORWARD)] - place[arm(GOLD, FORWARD)]
        assert found["shrinks-forward"].mean == pytest.approx(-0.003 * forward)
        assert found["mismatch"].mean == pytest.approx(0.5 / 0.3, rel=1e-3)
        assert found["noise"].mean == pytest.approx(6.0, rel=0.01)
        assert found["baseline"].mean == pytest.approx(0.75) and found["baseline"].outcome == HELD
        assert found["full-better"].outcome == NOT_HELD  # here later arms are better

    def test_where_training_helps_nothing_no_translations_are_compared(self, by_seed):
        for rows in by_seed:
            rows[START] |= {"greedy_validity": 0.99}
        found = {one.claim.name: one.outcome for one in study.STUDY.judge(by_seed)}
        assert found["greedy-gold"] == found["full-better"] == CANNOT_BE_ASKED
        assert found["shrinks-reverse"] == HELD  # that is another check

    def test_tables_have_every_arm(self, by_seed):
        arms, gradients = study.tables(by_seed).values()
        assert list(arms.index) == [START, *ARMS] and "± " in arms.loc[START, "greedy BLEU"]
        assert list(gradients.index) == list(ESTIMATORS)
        assert arms.loc[START, "tokens"].startswith("0")
        alone, _ = study.tables(by_seed[:1]).values()
        assert "±" not in alone.loc[START, "greedy BLEU"]


@pytest.fixture(scope="module")
def results():
    return read_study(results_path("on_policy.json"), study.STUDY)


class TestCommittedResults:
    def test_they_were_made_as_the_study_is_today(self, results):
        assert results["settings"] == json.loads(json.dumps(study.SETTINGS))
        seeds = list(map(int, results["by_seed"]))
        assert seeds == list(range(21, 21 + len(seeds))) and len(seeds) >= 5
        assert all(list(rows) == [GRADIENT, START, *ARMS] for rows in results["by_seed"].values())

    def test_its_pilot_is_there(self):
        assert len(pilot_rows(study.STUDY)) == 3

    def test_tokens_learned_from_are_those_of_the_targets(self, results):
        """Counted from the corpus for gold; the student's own are other ones, in nearly the same
        number."""
        targets = load_toy(ToyData(recipes.N_SENTENCES)).train.target
        gold = sum(len(target) + 1 for target in targets)
        for rows in results["by_seed"].values():
            found = {name: rows[name]["tokens"] for name in (START, *ARMS)}
            assert found[START] == 0
            assert {found[arm(GOLD, loss)] for loss in recipes.LOSSES} == {gold}
            assert found[recipes.NLL_GOLD] == gold
            assert all(abs(n / gold - 1.0) < 0.08 for name, n in found.items() if name != START)

    def test_reverse_kl_along_gold_lowers_itself_there(self, results):
        for rows in results["by_seed"].values():
            start, after = (
                rows[name]["exposure"]["gold"]["per_token"][REVERSE]
                for name in (START, arm(GOLD, REVERSE))
            )
            assert 0.0 < after < start
