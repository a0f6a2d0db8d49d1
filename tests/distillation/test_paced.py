"""PACED: pass rates, weights, and the gradient's signal-to-noise."""

from __future__ import annotations

import math

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import binom

from seqkd_lab.corpus.batching import encode, make_batch
from seqkd_lab.corpus.parallel import ParallelCorpus
from seqkd_lab.corpus.vocabulary import Vocabulary
from seqkd_lab.distillation.losses import NLL
from seqkd_lab.distillation.on_policy import Divergence
from seqkd_lab.distillation.paced import (
    Weighted,
    draws,
    pass_rates,
    peak,
    sentence_gradients,
    shuffled,
    signal_and_noise,
    signal_to_noise,
    weights,
)
from seqkd_lab.models.lstm import LSTMSeq2Seq, LSTMSpec
from seqkd_lab.studies.paced.measures import one_by_one

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
        """E[p̂(1 − p̂)] = (1 − 1/K) p (1 − p), by the binomial distribution itself."""
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

    @pytest.mark.parametrize("rates", [[0.0, 1.0], [0.0, 0.0]])
    def test_nothing_that_counts_is_an_error(self, rates):
        with pytest.raises(ValueError, match="every weight is 0"):
            weights(rates)

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
