"""PACED: pass rates, weights, the gradient's signal-to-noise, and how recipes and the store carry
them."""

from __future__ import annotations

import math
from dataclasses import replace

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import binom
from small_corpus import TINY, TWO_EPOCHS, write_text
from synthetic_paced import paced_of

from seqkd_lab.corpus.batching import encode, make_batch
from seqkd_lab.corpus.parallel import ParallelCorpus
from seqkd_lab.corpus.vocabulary import Vocabulary
from seqkd_lab.distillation.losses import NLL
from seqkd_lab.distillation.on_policy import Divergence, OnPolicy
from seqkd_lab.distillation.paced import (
    Weighted,
    draws,
    hard_filter,
    pass_rates,
    peak,
    sentence_gradients,
    shuffled,
    signal_and_noise,
    signal_to_noise,
    weights,
)
from seqkd_lab.models.lstm import LSTMSeq2Seq, LSTMSpec
from seqkd_lab.runs import making
from seqkd_lab.runs.committed import results_path
from seqkd_lab.runs.data import without
from seqkd_lab.runs.recipes import (
    BASELINE,
    HARD,
    PACED,
    SHUFFLED,
    TEACHER,
    Distillation,
    PassRates,
    Recipe,
    ToyData,
    Weighting,
    table_recipes,
)
from seqkd_lab.runs.results import rows_by_seed
from seqkd_lab.runs.schedule import Rate, Train, with_needs
from seqkd_lab.runs.store import Store, key
from seqkd_lab.runs.study import read_study
from seqkd_lab.runs.verdicts import judge_claim
from seqkd_lab.studies.paced import measures as paced_measures
from seqkd_lab.studies.paced import recipes as paced_recipes
from seqkd_lab.studies.paced import study
from seqkd_lab.studies.paced.measures import bins, counts, one_by_one, ratios
from seqkd_lab.studies.paced.recipes import (
    ARMS,
    FORWARD,
    REVERSE,
    TWO_STAGE,
    UNIFORM,
    arm,
    label,
    stages,
)
from seqkd_lab.training import Trainer

pytestmark = pytest.mark.filterwarnings("ignore:the teacher wrote")

WORDS = tuple("abcdefgh")
EIGHTHS = st.lists(st.integers(0, 8).map(lambda n: n / 8), min_size=1, max_size=40)


def small_model(seed: int = 1) -> LSTMSeq2Seq:
    torch.manual_seed(seed)
    vocabulary = Vocabulary.build([WORDS])
    return LSTMSeq2Seq(LSTMSpec(width=6), vocabulary, vocabulary).eval()


@pytest.fixture
def batch():
    """Four sentences of three lengths, in rows that are not in order."""
    sources = tuple(tuple(text) for text in ("abc", "de", "fgha", "bcd", "e"))
    pairs = ParallelCorpus("small", "train", "", sources, tuple(source[::-1] for source in sources))
    model = small_model()
    return make_batch(encode(pairs, model.source_vocabulary, model.target_vocabulary), [3, 0, 4, 2])


class TestPassRates:
    sources = [tuple("abc"), tuple("a"), tuple("bcde"), tuple("ab")]

    def test_the_share_of_draws_that_the_verifier_accepts(self):
        model, asked = small_model(), []

        def is_valid(source, target) -> bool:
            asked.append((source, target))
            return len(target) % 2 == 0

        found = pass_rates(model, self.sources, is_valid, n_samples=5, seed=3)
        drawn = draws(model, self.sources, n_samples=5, seed=3)
        assert found == [sum(len(target) % 2 == 0 for target in targets) / 5 for targets in drawn]
        assert len(set(asked)) == len(asked) and {source for source, _ in asked} == set(
            self.sources
        )

    def test_all_and_none_and_what_is_heard(self):
        heard = []
        assert (
            pass_rates(small_model(), self.sources, lambda *_: True, 3, report=heard.append)
            == [1.0] * 4
        )
        assert pass_rates(small_model(), self.sources, lambda *_: False, 3) == [0.0] * 4
        assert sum(heard) == 3 * 4

    def test_the_seed_decides_what_is_drawn(self):
        first, again, other = (draws(small_model(), self.sources, 4, seed) for seed in (1, 1, 2))
        assert first == again != other
        assert all(len(targets) == 4 for targets in first)

    def test_draws_are_one_the_other_independently(self):
        """Two draws of one call differ, and no draw of one seed comes back under the next."""
        sources = [tuple("abcdefgh")] * 8
        first, second = draws(small_model(), sources, 2, 0), draws(small_model(), sources, 2, 1)
        everything = [
            target for targets in (*first, *second) for target in targets if len(target) > 3
        ]
        assert len(set(everything)) == len(everything)

    def test_no_draw_is_refused(self):
        with pytest.raises(ValueError, match="n_samples"):
            pass_rates(small_model(), self.sources, lambda *_: True, 0)

    @pytest.mark.parametrize("p", [0.1, 0.37, 0.5, 0.9])
    @pytest.mark.parametrize("n", [2, 8, 64])
    def test_the_weight_of_a_few_draws_is_too_small_by_one_kth(self, p, n):
        """E[p̂(1 − p̂)] = (1 − 1/K) p (1 − p), by the binomial law itself."""
        mean = sum(binom.pmf(k, n, p) * (k / n) * (1 - k / n) for k in range(n + 1))
        assert mean == pytest.approx((1 - 1 / n) * p * (1 - p))

    def test_few_draws_are_a_hard_filter(self):
        """At p = .1 and K = 8 two in five sources get weight 0, though none of them deserves it."""
        assert binom.pmf(0, 8, 0.1) + binom.pmf(8, 8, 0.1) == pytest.approx(0.43, abs=0.005)
        drawn = torch.distributions.Binomial(8, torch.tensor(0.1))
        torch.manual_seed(1)
        values = weights((drawn.sample((20_000,)) / 8).tolist())
        assert float((values == 0).float().mean()) == pytest.approx(0.43, abs=0.02)


class TestWeights:
    @given(EIGHTHS, st.floats(0.0, 4.0), st.floats(0.0, 4.0))
    def test_they_follow_the_formula_and_have_mean_one(self, rates, a, b):
        plain = [p**a * (1.0 - p) ** b for p in rates]
        if sum(plain) < 1e-6:
            return
        found = weights(rates, a, b)
        assert float(found.mean()) == pytest.approx(1.0, rel=1e-4)
        scale = len(plain) / sum(plain)
        assert found.tolist() == pytest.approx(
            [scale * value for value in plain], rel=1e-3, abs=1e-5
        )

    @pytest.mark.parametrize(
        ("a", "b"), [(1.0, 1.0), (1.0, 3.0), (2.0, 0.5), (1.0, 0.0), (0.0, 2.0)]
    )
    def test_the_peak_is_where_the_formula_says(self, a, b):
        grid = [place / 1000 for place in range(1001)]
        assert grid[int(weights(grid, a, b).argmax())] == pytest.approx(peak(a, b), abs=2e-3)

    def test_powers_of_zero_are_uniform_and_have_no_peak(self):
        assert weights([0.0, 0.5, 1.0], 0.0, 0.0).tolist() == [1.0, 1.0, 1.0]
        with pytest.raises(ValueError, match="peak"):
            peak(0.0, 0.0)

    def test_the_hard_filter_keeps_the_middle_alone(self):
        found = hard_filter([0.0, 0.125, 0.2, 0.25, 0.5, 0.75, 0.8, 1.0])
        assert (found > 0).tolist() == [False, False, False, True, True, True, False, False]
        assert float(found.mean()) == pytest.approx(1.0) and len(set(found.tolist())) == 2

    @given(
        EIGHTHS.filter(lambda rates: any(0.0 < rate < 1.0 for rate in rates)), st.integers(0, 99)
    )
    def test_shuffled_keeps_the_values(self, rates, seed):
        values = weights(rates)
        assert sorted(shuffled(values, seed).tolist()) == sorted(values.tolist())
        assert torch.equal(shuffled(values, seed), shuffled(values, seed))

    def test_shuffled_moves_them_and_the_seed_says_how(self):
        values = torch.arange(100.0)
        assert not torch.equal(shuffled(values, 1), values)
        assert not torch.equal(shuffled(values, 1), shuffled(values, 2))

    @pytest.mark.parametrize("make", [weights, hard_filter])
    @pytest.mark.parametrize("rates", [[0.0, 1.0], [0.0, 0.0]])
    def test_nothing_that_counts_is_an_error(self, make, rates):
        with pytest.raises(ValueError, match="every weight is 0"):
            make(rates)

    @pytest.mark.parametrize("rates", [[], [-0.1, 0.5], [0.5, 1.1], [0.5, math.nan]])
    def test_what_is_no_share_is_refused(self, rates):
        with pytest.raises(ValueError, match="shares from 0 to 1"):
            weights(rates)

    def test_negative_powers_are_refused(self):
        with pytest.raises(ValueError, match="negative"):
            weights([0.5], -1.0, 1.0)


class TestWeighted:
    def gradients(self, objective, batch) -> torch.Tensor:
        model, teacher = small_model(1), small_model(2)
        loss = objective(model(batch), batch, teacher(batch))
        return torch.cat([g.flatten() for g in torch.autograd.grad(loss, list(model.parameters()))])

    @pytest.mark.parametrize("beta", [0.0, 0.5, 1.0])
    def test_ones_are_the_plain_objective(self, batch, beta):
        plain = Divergence(beta)
        model, teacher = small_model(1), small_model(2)
        logits, told = model(batch), teacher(batch)
        assert torch.equal(
            Weighted(plain, torch.ones(5))(logits, batch, told), plain(logits, batch, told)
        )

    @pytest.mark.parametrize("beta", [0.0, 1.0])
    def test_the_gradient_is_the_weighted_sum_of_the_sentences(self, batch, beta):
        values = torch.tensor([0.5, 9.0, 2.0, 0.0, 1.5])  # row 1 is not in the batch
        own = sentence_gradients(
            small_model(1), Divergence(beta), one_by_one(batch), small_model(2)
        )
        expected = (values[batch.rows, None] * own).sum(dim=0) / batch.n_tokens
        found = self.gradients(Weighted(Divergence(beta), values), batch)
        assert torch.allclose(found, expected, atol=1e-6)
        assert not torch.allclose(found, self.gradients(Divergence(beta), batch), atol=1e-4)

    def test_it_needs_the_teacher_that_the_objective_needs(self):
        assert Weighted(Divergence(1.0), torch.ones(2)).needs_teacher
        assert not Weighted(NLL(), torch.ones(2)).needs_teacher

    def test_measuring_gradients_leaves_the_model_as_it_was(self, batch):
        model = small_model().train()
        before = {name: tensor.clone() for name, tensor in model.state_dict().items()}
        sentence_gradients(model, Divergence(1.0), one_by_one(batch), small_model(2))
        assert model.training and all(p.grad is None for p in model.parameters())
        assert all(torch.equal(before[name], tensor) for name, tensor in model.state_dict().items())


class TestSignalToNoise:
    @pytest.mark.parametrize("strength", [0.0, 0.1, 1.0])
    def test_it_has_no_bias_on_gaussians(self, strength):
        """E g = strength in each of P places, Σ = diag(1, …, 2): the truth is P · strength² /
        trΣ."""
        P, n, rounds = 40, 16, 400
        scale = torch.linspace(1.0, 2.0, P).sqrt()
        generator = torch.Generator().manual_seed(1)
        found = [
            signal_and_noise(strength + scale * torch.randn(n, P, generator=generator))
            for _ in range(rounds)
        ]
        signal, noise = (
            torch.tensor(values, dtype=torch.float64) for values in zip(*found, strict=True)
        )
        for values, truth in ((signal, P * strength**2), (noise, float(scale.square().sum()))):
            assert float(values.mean()) == pytest.approx(
                truth, abs=4 * float(values.std()) / rounds**0.5
            )

    def test_without_the_correction_noise_would_pass_for_signal(self):
        noise = torch.randn(10, 5_000, generator=torch.Generator().manual_seed(2))
        naive = float(noise.mean(dim=0).square().sum() / noise.var(dim=0).sum())
        assert naive > 0.09 and signal_to_noise(noise) < 0.02

    @given(st.floats(0.01, 100.0))
    def test_the_scale_of_the_loss_does_not_matter(self, scale):
        gradients = 0.3 + torch.randn(6, 10, generator=torch.Generator().manual_seed(3))
        assert signal_to_noise(scale * gradients) == pytest.approx(
            signal_to_noise(gradients), rel=1e-4
        )

    def test_what_has_no_answer_is_refused(self):
        with pytest.raises(ValueError, match="at least two"):
            signal_to_noise(torch.ones(1, 3))
        with pytest.raises(ValueError, match="no noise"):
            signal_to_noise(torch.ones(3, 3))


TINY_TOY = replace(TINY, student=LSTMSpec(6))


@pytest.fixture
def recipes():
    """Tiny teacher and student on the first 60 pairs of the toy corpus, and the student's
    distillation in three ways."""
    rows = table_recipes(ToyData(60), TINY_TOY, 1)
    rates = PassRates(rows[BASELINE], n_samples=4, without=("but",), seed=5)
    return {
        kind: Recipe(
            kind,
            ToyData(60),
            rows[BASELINE].model,
            Divergence(1.0),
            TWO_EPOCHS,
            1,
            distilled=Distillation(rows[TEACHER], "sampled"),
            teacher=rows[TEACHER],
            start=rows[BASELINE],
            batch_transform=OnPolicy(),
            without=("but",),
            weighting=Weighting(rates, kind),
        )
        for kind in (PACED, HARD, SHUFFLED)
    }


@pytest.fixture
def store(tmp_path, recipes):
    """A store whose pass rates are given: a student of one update gets nothing right."""
    store = Store(tmp_path)
    rates = recipes[PACED].weighting.rates
    n = len(without(store.dataset(ToyData(60)).train, ("but",)))
    path = store.root / "pass_rates" / f"{key(rates)}.json"
    path.parent.mkdir()
    path.write_text(str([place % 5 / 4 for place in range(n)]), encoding="utf-8")
    return store


class TestRecipes:
    def test_weights_count_for_identity_and_nothing_when_there_are_none(self, recipes):
        plain = replace(recipes[PACED], weighting=None)
        other = [
            replace(recipes[PACED], weighting=replace(recipes[PACED].weighting, **change))
            for change in (
                {"a": 2.0},
                {"b": 0.0},
                {"rates": replace(recipes[PACED].weighting.rates, seed=6)},
            )
        ]
        assert len({key(recipe) for recipe in (plain, *recipes.values(), *other)}) == 7

    def test_pass_rates_of_other_sentences_are_refused(self, recipes):
        for change in (
            {"without": ()},
            {"data": ToyData(50)},
            {"distilled": replace(recipes[PACED].distilled, share=0.5)},
        ):
            with pytest.raises(ValueError, match="other sentences"):
                replace(recipes[PACED], **change)
        with pytest.raises(ValueError, match="kind"):
            Weighting(recipes[PACED].weighting.rates, "hardly")

    def test_the_schedule_makes_the_pass_rates_between_the_student_and_its_distillation(
        self, recipes
    ):
        recipe = recipes[PACED]
        tasks = with_needs([Train(recipe)])
        rate = Rate(recipe.weighting.rates)
        assert tasks.index(Train(recipe.start)) < tasks.index(rate) < tasks.index(Train(recipe))
        assert "pass rates" in rate.label

    def test_the_store_keeps_pass_rates_of_the_sentences_that_are_learned_from(
        self, tmp_path, recipes, monkeypatch
    ):
        store, asked = Store(tmp_path), []
        rates = replace(recipes[PACED].weighting.rates, share=0.5)
        monkeypatch.setattr(
            making,
            "pass_rates",
            lambda model, sources, *rest, **more: asked.append(sources) or ([0.5] * len(sources)),
        )
        store.model(rates.student)
        found = store.pass_rates(rates)
        assert store.pass_rates(rates) == found and len(asked) == 1
        train_set = store.dataset(ToyData(60)).train
        assert list(asked[0]) == [source for source in train_set.source[:30] if "but" not in source]
        assert len(found) == len(asked[0]) < 30

    def test_a_language_without_truth_has_no_pass_rates(self, tmp_path):
        text = write_text(tmp_path / "text")
        student = table_recipes(text, TINY, 1)[BASELINE]
        with pytest.raises(ValueError, match="toy corpus"):
            Store(tmp_path / "store").pass_rates(PassRates(student))

    def test_the_weights_reach_the_right_sentences(self, store, recipes):
        recipe = recipes[PACED]
        objective, corpus = store.objective(recipe), without(store.corpus(recipe), recipe.without)
        rates = store.pass_rates(recipe.weighting.rates)
        assert len(objective.weights) == len(corpus) == len(rates)
        assert (
            torch.equal(objective.weights, weights(rates))
            and objective.objective == recipe.objective
        )
        assert torch.equal(store.objective(recipes[HARD]).weights, hard_filter(rates))
        mixed = store.objective(recipes[SHUFFLED]).weights
        assert sorted(mixed.tolist()) == sorted(weights(rates).tolist()) and not torch.equal(
            mixed, weights(rates)
        )
        assert store.objective(replace(recipe, weighting=None)) == recipe.objective

    def test_interrupted_and_resumed_it_is_the_same_training(self, store, recipes, tmp_path):
        recipe = recipes[PACED]
        whole = store.model(recipe)
        data, teacher = store.dataset(recipe.data), store.model(recipe.teacher)
        corpus = without(store.corpus(recipe), recipe.without)

        def trainer(model) -> Trainer:
            return Trainer(
                model,
                corpus,
                data.valid,
                store.objective(recipe),
                recipe.optimisation,
                recipe.seed,
                teacher,
                recipe.batch_transform,
            )

        first = trainer(store.beginning(recipe))
        first.run_epoch()
        first.save(tmp_path / "half")
        second = trainer(store.beginning(recipe))
        assert second.resume(tmp_path / "half")
        second.run_epoch()
        own = second.model.state_dict()
        assert all(torch.equal(own[name], tensor) for name, tensor in whole.state_dict().items())
        unweighted = store.model(replace(recipe, weighting=None))
        assert any(
            not torch.equal(own[name], tensor) for name, tensor in unweighted.state_dict().items()
        )


class TestExperiment:
    def test_all_arms_have_equal_updates_and_start_from_the_same_model(self):
        for one in ARMS:
            parts = stages(arm(1, *one))
            assert sum(part.optimisation.epochs for part in parts) == paced_recipes.EPOCHS
            assert parts[0].start == paced_recipes.start(1) and len(parts) == 1 + (
                one[0] == TWO_STAGE
            )
            assert {part.optimisation.batch_size for part in parts} == {64}
            assert {(part.distilled, part.without) for part in parts} == {
                (parts[0].distilled, paced_recipes.LEFT_OUT)
            }
            weightings = {part.weighting for part in parts}  # of the warm start, in both stages
            assert weightings == {
                None if one[1] == UNIFORM else Weighting(paced_recipes.rates(1), one[1])
            }
        assert len({key(arm(1, *one)) for one in ARMS}) == len(ARMS)

    def test_two_stages_are_forward_then_reverse(self):
        first, second = stages(arm(2, TWO_STAGE, PACED))
        assert (first.objective, first.batch_transform) == (Divergence(0.0), None)
        assert (second.objective, second.batch_transform) == (Divergence(1.0), OnPolicy(1.0, 0.7))

    def test_bins_hold_every_place_once(self):
        rates = [0.0, 0.125, 1.0, 0.5, 1.0]
        assert bins(rates)[8] == [2, 4] and counts(rates) == [1, 1, 0, 0, 1, 0, 0, 0, 2]

    def test_sentences_one_by_one_have_no_padding(self, batch):
        alone = list(one_by_one(batch))
        assert sum(one.n_tokens for one in alone) == batch.n_tokens
        assert all(
            one.target_out.numel() == one.n_tokens
            and one.source.numel() == int(one.source_lengths[0])
            for one in alone
        )
        assert [int(one.rows[0]) for one in alone] == batch.rows.tolist()

    def test_accuracy_splits_by_skill_and_by_the_rate_before(self):
        sources = [("a",), ("a", "because"), ("b",), ("c",)]
        record = paced_measures.accuracy_record(
            [0.5, 0.25, 1.0, 0.0], [True, False, True, False], [0.125, 0.125, 0.125, 1.0], sources
        )
        assert (record["kept"], record["left_out"]) == (0.5, 0.25)
        assert (
            record["kept_greedy"] == pytest.approx(2 / 3, abs=1e-5)
            and record["left_out_greedy"] == 0.0
        )
        assert record["by_initial"] == [None, 0.75, *[None] * 6, 0.0]
        assert record["histogram"] == [1, 0, 0, 0, 1, 0, 0, 0, 1]

    def test_noise_takes_as_many_sentences_from_every_bin(self, store, recipes):
        recipe = recipes[PACED]
        rates = [
            place % 9 / 8 for place in range(len(without(store.corpus(recipe), recipe.without)))
        ]
        found = paced_measures.noise_record(store, recipe, rates, 3, 1, lambda *_: None)
        for loss in (FORWARD, REVERSE):
            assert (
                found[loss]["n"] == 3
                and len(found[loss]["signal"]) == len(found[loss]["noise"]) == 9
            )
            assert min(found[loss]["noise"]) > 0.0

    def test_to_watch_a_training_does_not_change_it(self, store, recipes, monkeypatch):
        recipe, seen = recipes[PACED], []
        real = paced_measures.train
        monkeypatch.setattr(
            paced_measures,
            "train",
            lambda model, *rest, **more: seen.append(model) or real(model, *rest, **more),
        )
        sources = store.dataset(recipe.data).valid.source[:6]
        found = paced_measures.snapshots(store, recipe, sources, (2,), 1, lambda *_: None)
        assert list(found) == ["2"] and sum(found["2"]) == 6
        kept = store.model(recipe).state_dict()
        assert all(torch.equal(kept[name], tensor) for name, tensor in seen[0].state_dict().items())


class TestClaims:
    def verdicts(self, *seeds: dict) -> dict[str, str]:
        return {claim.name: judge_claim(claim, seeds).outcome for claim in study.STUDY.claims}

    def test_where_everything_is_as_the_paper_has_it_all_hold(self):
        assert set(self.verdicts(paced_of(), paced_of(3.1)).values()) == {"held"}

    def test_where_nothing_is_none_holds(self):
        assert set(self.verdicts(paced_of(-3.0, ends=2.0), paced_of(-3.1, ends=2.0)).values()) == {
            "not held"
        }

    def test_a_hard_filter_has_no_share_of_a_gain_that_is_not_there(self):
        verdicts = self.verdicts(paced_of(-3.0), paced_of(-3.1))
        assert verdicts["fkl-hard"] == "not held" and verdicts["fkl-inner"] == "held"

    def test_an_end_of_two_thirds_is_below_but_no_collapse(self):
        verdicts = self.verdicts(paced_of(ends=0.66), paced_of(ends=0.67))
        assert (
            verdicts["rkl-inner"] == "held"
            and verdicts["rkl-p=0"] == verdicts["rkl-p=1"] == "not held"
        )

    def test_a_ratio_below_zero_stays_below(self):
        """Cut off at 0 in each seed, pure noise would have a mean above 0."""
        rows = paced_of(ends=-5.0)
        assert ratios(rows, FORWARD) == [-2.5, *[0.5] * 7, -2.5]

    def test_every_claim_has_a_name_of_its_own_and_the_original_beside_it(self):
        names = [claim.name for claim in study.STUDY.claims]
        assert len(set(names)) == len(names)
        assert all(
            claim.original.startswith(("PACED", "an aim of this lab"))
            for claim in study.STUDY.claims
        )

    def test_tables_have_every_arm_and_every_bin(self):
        arms, initial, noise = study.tables([paced_of(), paced_of(3.5, more=1.0)]).values()
        assert list(arms.index) == ["start", "teacher", *[label(*arm) for arm in ARMS]] and list(
            initial.index
        ) == list(arms.index)
        assert (
            list(noise.columns) == [f"{place}/8" for place in range(9)]
            and initial.loc["start", "8/8"] == "–"
        )
        assert "±" in arms.loc[label(*ARMS[0]), "valid draws %"]


def test_the_committed_results_are_the_experiments_own():
    results = read_study(results_path(study.STUDY.file))
    assert results["settings"] == study.SETTINGS
    assert sorted(results["by_seed"]) == ["1", "2", "3", "4", "5"]
    for rows in rows_by_seed(results):
        assert list(rows["arms"]["arms"]) == ["start", "teacher", *[label(*arm) for arm in ARMS]]
        assert sum(rows["rates"]) == 5_887
        assert all(len(rows["noise"][loss]["signal"]) == 9 for loss in (FORWARD, REVERSE))
