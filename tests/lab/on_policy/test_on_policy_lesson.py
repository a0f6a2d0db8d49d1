"""What lesson 11 measures on the spot, how it reads the results, the study's own arms, claims and
tables."""

from __future__ import annotations

import json
import math

import pytest
import synthetic_on_policy
import torch
from torch.distributions import Categorical, kl_divergence

from seqkd_lab.distillation.exposure import STUDENT, WRITERS
from seqkd_lab.distillation.on_policy import OnPolicy
from seqkd_lab.lab.on_policy import figures, measures
from seqkd_lab.lab.shared.lesson import png
from seqkd_lab.lab.shared.style import OTHER
from seqkd_lab.runs.committed import results_path
from seqkd_lab.runs.data import load_toy
from seqkd_lab.runs.recipes import ToyData
from seqkd_lab.runs.store import key
from seqkd_lab.runs.study import read_study
from seqkd_lab.runs.verdicts import HELD, NOT_HELD
from seqkd_lab.studies.on_policy import rates, recipes, study
from seqkd_lab.studies.on_policy.measures import (
    DISCOUNT_0,
    DISCOUNT_1,
    FULL,
    drawn_validity,
    exposure_record,
    gradient_record,
    mismatch,
)
from seqkd_lab.studies.on_policy.recipes import ARMS, FORWARD, GRID, OWN, REVERSE, START, arm

P, Q = torch.tensor([0.7, 0.2, 0.06, 0.04]), torch.tensor([0.1, 0.3, 0.35, 0.25])


@pytest.fixture
def by_seed():
    return synthetic_on_policy.by_seed()


class TestOneWord:
    def test_over_beta_the_scaled_divergence_joins_the_two_kls(self):
        curves = measures.beta_curves(P, Q, 201)
        forward, reverse = (
            float(kl_divergence(Categorical(a), Categorical(b))) for a, b in ((P, Q), (Q, P))
        )
        for name in ("plain", "scaled"):
            assert curves[name][0] == pytest.approx(forward, rel=1e-5)
            assert curves[name][-1] == pytest.approx(reverse, rel=1e-5)
        assert (
            curves["scaled"][1] == pytest.approx(forward, rel=0.02)
            and curves["plain"][1] < 0.02 * forward
        )
        steps = [abs(b - a) for a, b in zip(curves["scaled"], curves["scaled"][1:], strict=False)]
        assert max(steps) < 0.05 * max(curves["scaled"])  # nothing jumps

    def test_drawn_words_tell_the_reverse_kl_in_the_mean(self):
        found = measures.sampled_kl(P, Q, 100_000)
        assert found.exact == pytest.approx(
            float(kl_divergence(Categorical(Q), Categorical(P))), rel=1e-5
        )
        assert abs(found.mean - found.exact) < found.margin < 0.1 * found.exact
        costs = (Q / P).log()
        assert found.spread == pytest.approx(
            float(costs[Categorical(Q).sample((200_000,))].std()), rel=0.05
        )

    def test_its_figure_says_both_ends(self):
        figure = figures.beta_figure(P, Q, ("a", "b", "c", "d"))
        texts = [text.get_text() for axes in figure.axes for text in axes.texts]
        forward = float(kl_divergence(Categorical(P), Categorical(Q)))
        assert f"forward KL: {forward:.2f}" in texts


class TestMeasures:
    def test_tuning_leaves_the_start_as_it_was(self, toy, toy_models):
        start = toy_models["baseline"]
        before = [weight.clone() for weight in start.parameters()]
        found = [
            measures.tune(start, toy_models["teacher"], toy, on_policy, 2, "a try")
            for on_policy in (None, OnPolicy())
        ]
        assert all(torch.equal(a, b) for a, b in zip(before, start.parameters(), strict=True))
        weights = [torch.cat([w.flatten() for w in one.model.parameters()]) for one in found]
        assert not torch.equal(*weights) and all(one.seconds > 0.0 for one in found)

    def test_the_record_holds_every_writer_and_place(self, toy, toy_models):
        student, teacher = toy_models["baseline"], toy_models["teacher"]
        found = exposure_record(student, teacher, toy.test[:4], 1)
        assert tuple(found) == WRITERS
        for one in found.values():
            assert len(one["n"]) == len(one["by_place"]) and one["n"][0] == 4
            mean = sum(n * v for n, v in zip(one["n"], one["by_place"], strict=True)) / sum(
                one["n"]
            )
            assert one["per_token"][REVERSE] == pytest.approx(mean, abs=1e-3)
        ratio = mismatch({"exposure": found})
        assert ratio == pytest.approx(
            found[STUDENT]["per_token"][REVERSE] / found["gold"]["per_token"][REVERSE]
        )

    def test_of_a_random_students_samples_none_is_valid(self, toy, toy_models):
        assert drawn_validity(toy_models["baseline"], toy.test[:5], toy.language, 1) == 0.0

    def test_gradients_of_a_real_batch(self, toy, toy_models):
        found = gradient_record(toy_models["baseline"], toy_models["teacher"], toy.valid[:4], 6, 1)
        assert found["variance"][FULL] == 1.0 and found["variance"][DISCOUNT_0] > 1.0
        assert len(found["cosine"]) == 3 and all(
            math.isfinite(value) for value in found["cosine"].values()
        )
        assert set(found["norm"]) == {FULL, DISCOUNT_0, DISCOUNT_1}


class TestArms:
    def test_all_have_one_start_one_length_and_the_same_sources(self):
        teacher, start = recipes.models(3)
        found = recipes.arms(3)
        assert tuple(found) == ARMS and set(GRID) <= set(ARMS) and len(GRID) == 12
        for recipe in found.values():
            assert recipe.start == start and recipe.seed == 3 and recipe.teacher in (None, teacher)
            assert recipe.data.n_train == recipes.N_SENTENCES and recipe.optimisation.epochs == 1
            assert recipe.distilled is None or recipe.distilled.teacher == teacher
            assert (
                recipe.distilled is None
                or round(24_000 * recipe.distilled.share) == recipes.N_SENTENCES
            )
        assert len({key(recipe) for recipe in found.values()}) == len(found)

    def test_in_a_row_of_the_grid_the_loss_alone_differs(self):
        found = recipes.arms(3)
        for targets in recipes.TARGETS:
            row = [found[arm(targets, loss)] for loss in recipes.LOSSES]
            assert len({(recipe.batch_transform, recipe.distilled) for recipe in row}) == 1
        assert found[arm(OWN, REVERSE)].batch_transform == OnPolicy(1.0)
        assert found[arm(recipes.HALF, REVERSE)].batch_transform == OnPolicy(0.5)

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
        assert {seed for *_, seed in asked} == {11} and len(set(asked)) == len(asked) == len(
            recipes.RATES_TRIED
        ) * 10
        assert frame.loc[(REVERSE, 0.004)].tolist() == pytest.approx([0.5, 0.25, 0.375])
        assert frame.loc[(recipes.TOKEN, 0.001)].tolist() == pytest.approx([0.6, 0.3, 0.45])
        assert set(frame.index.get_level_values("loss")) == set(recipes.RATES)


class TestExperiment:
    def test_every_claim_gets_its_verdict_by_hand(self, by_seed):
        found = {one.claim.name: one for one in study.STUDY.judge(by_seed)}
        assert len(found) == len(study.STUDY.claims)
        place = {name: number for number, name in enumerate((START, *ARMS))}
        lead = (
            sum(place[arm(OWN, loss)] - place[arm(recipes.GOLD, loss)] for loss in recipes.LOSSES)
            / 3
        )
        assert found["bleu-gold"].mean == pytest.approx(lead) and found["bleu-gold"].outcome == HELD
        assert (
            found["shrinks"].mean == pytest.approx(-0.01 * lead)
            and found["shrinks"].outcome == HELD
        )
        reverse = -0.01 * (place[arm(OWN, REVERSE)] - place[arm(recipes.GOLD, REVERSE)])
        assert found["shrinks-own-loss"].mean == pytest.approx(
            (0.0 + reverse) / 2
        )  # forward: the same everywhere
        assert (
            found["mismatch"].mean == pytest.approx(0.5 / 0.3) and found["mismatch"].outcome == HELD
        )
        assert found["seeks-valid"].mean == pytest.approx(
            place[arm(OWN, REVERSE)] - place[arm(OWN, FORWARD)]
        )
        assert found["bias"].outcome == HELD and found["noise"].mean == 5.0
        assert found["full-better"].outcome == NOT_HELD  # here later arms are better

    def test_tables_have_every_arm(self, by_seed):
        arms, gradients = study.tables(by_seed).values()
        assert list(arms.index) == [START, *ARMS] and "± " in arms.loc[START, "greedy BLEU"]
        assert len(gradients) == 6 and arms.loc[START, "tokens"].startswith("0")
        alone, _ = study.tables(by_seed[:1]).values()
        assert "±" not in alone.loc[START, "greedy BLEU"]


class TestFigures:
    def test_arms_are_rows_with_every_seed(self, by_seed):
        figure = figures.arms_figure(by_seed, (START, *ARMS))
        assert len(figure.axes) == len(figures.PANELS)
        labels = [label.get_text() for label in figure.axes[0].get_yticklabels()]
        assert labels == [START, *ARMS] and png(figure)
        strokes = [line for line in figure.axes[0].lines if line.get_marker() == "|"]
        assert [len(line.get_xdata()) for line in strokes] == [3] * (1 + len(ARMS))

    def test_each_arm_has_the_look_of_its_targets(self):
        assert figures.role_of_arm(arm(OWN, REVERSE)) != figures.role_of_arm(
            arm(recipes.HALF, REVERSE)
        )
        assert figures.role_of_arm(recipes.TOKEN) == figures.role_of_arm(arm(OWN, FORWARD))
        assert figures.role_of_arm(recipes.NLL_GOLD) == figures.role_of_arm(
            arm(recipes.GOLD, FORWARD)
        )
        assert figures.role_of_arm("along student") == figures.role_of_arm(arm(OWN, FORWARD))
        looks = [figures.role_of_arm(name) for name in ARMS]
        assert OTHER not in looks and figures.role_of_arm(START) == OTHER

    @pytest.mark.slow
    def test_places_leave_out_what_few_reach(self, by_seed):
        curve = measures.position_curve(by_seed, START, STUDENT)
        assert curve == pytest.approx([0.2 + 0.01 * t for t in range(5)])
        figure = figures.positions_figure({"start": curve, "other": curve[:3]}, "title")
        assert len(figure.axes[0].lines) == 2 and png(figure)

    def test_the_rest_draws(self, by_seed):
        assert png(figures.kinds_figure(by_seed)) and png(figures.estimators_figure(by_seed))
        cosines, variances = figures.estimators_figure(by_seed).axes
        assert (
            "0.99" in [text.get_text() for text in cosines.texts]
            and variances.get_xscale() == "log"
        )


@pytest.fixture(scope="module")
def results():
    return read_study(results_path("on_policy.json"), study.STUDY)


class TestCommittedResults:
    def test_they_were_made_as_the_experiment_is_today_on_five_seeds(self, results):
        assert results["settings"] == json.loads(json.dumps(study.SETTINGS))
        assert list(results["by_seed"]) == ["1", "2", "3", "4", "5"]
        assert all(list(rows["arms"]) == [START, *ARMS] for rows in results["by_seed"].values())

    def test_tokens_learned_from_are_those_of_the_targets(self, results):
        """Counted from the corpus for gold; the student's own are other ones, in nearly the same
        number."""
        targets = load_toy(ToyData(recipes.N_SENTENCES)).train.target
        gold = sum(len(target) + 1 for target in targets)
        for rows in results["by_seed"].values():
            found = {name: one["tokens"] for name, one in rows["arms"].items()}
            assert found[START] == 0
            assert (
                {found[arm(recipes.GOLD, loss)] for loss in recipes.LOSSES}
                == {found[recipes.NLL_GOLD]}
                == {gold}
            )
            assert len({found[arm(recipes.TEACHER_DRAWN, loss)] for loss in recipes.LOSSES}) == 1
            assert all(abs(n / gold - 1.0) < 0.05 for name, n in found.items() if name != START)

    def test_every_writer_writes_for_the_same_sources(self, results):
        for rows in results["by_seed"].values():
            for one in rows["arms"].values():
                assert {found["n"][0] for found in one["exposure"].values()} == {study.N_EXPOSED}
