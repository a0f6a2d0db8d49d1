"""The policy gradient of the reverse KL, with and without a baseline, by enumeration of all
translations."""

from __future__ import annotations

import math
from dataclasses import replace
from itertools import product

import pytest
import torch

from seqkd_lab.corpus.batching import encode, make_batch
from seqkd_lab.corpus.parallel import ParallelCorpus
from seqkd_lab.corpus.vocabulary import BOS, EOS, PAD
from seqkd_lab.decoding.scoring import token_log_probs
from seqkd_lab.distillation import policy_gradient
from seqkd_lab.distillation.on_policy import Divergence, with_targets
from seqkd_lab.distillation.policy_gradient import (
    EXPECTED,
    NO_BASELINE,
    OTHERS,
    SampledToken,
    is_drawn,
    mean_of_others,
)
from seqkd_lab.studies.on_policy.gradients import ESTIMATORS, Gradients, gradients

SOURCES = (("ant", "bee"), ("cat",), ("dog", "ant", "eel"))
TARGETS = (("ant",), ("bee", "cat", "ant", "dog"), ())
CORPUS = ParallelCorpus("n", "train", "l", SOURCES, TARGETS)
NEAR, WHOLE = list(ESTIMATORS)[:4], list(ESTIMATORS)[4:]
"""The estimators of the full sum's gradient, and those of the KL between translations."""


def batch_of(model, rows=None):
    rows = range(len(CORPUS)) if rows is None else rows
    return make_batch(encode(CORPUS, model.source_vocabulary, model.target_vocabulary), list(rows))


def short_models(make_model, more: float = 0.0):
    """Student and teacher that end soon and never write PAD or BOS: nearly all translations are
    short. `more` makes them end sooner (below 0: later)."""
    models = []
    for seed, ends in ((3, 1.5 + more), (4, 1.0 + more)):
        model = make_model(seed, n_target=1, sharpness=1.5)
        with torch.no_grad():
            model.output.bias[[PAD, BOS]] = -60.0
            model.output.bias[EOS] += ends
        models.append(model)
    return models


def enumeration(make_model, longest: int, more: float = 0.0):
    """Student, teacher, and a batch of all translations of one source of below `longest` words
    with their probabilities; the EOS after `longest` − 1 words counts as what the student says."""
    student, teacher = short_models(make_model, more)
    every = [words for length in range(longest) for words in product((3, 4), repeat=length)]
    targets = torch.tensor([[*words, EOS] + [PAD] * (longest - 1 - len(words)) for words in every])
    batch = with_targets(batch_of(student, [0] * len(every)), targets)
    with torch.no_grad():
        p = token_log_probs(student(batch), batch).sum(dim=1).exp()  # (N,)
    return student, teacher, batch, p


@pytest.fixture
def enumerated(make_model):
    found = enumeration(make_model, 10)
    assert found[3].sum() > 0.9999
    return found


def gradient(loss, model):
    return torch.cat(
        [
            g.flatten()
            for g in torch.autograd.grad(loss, list(model.parameters()), retain_graph=True)
        ]
    )


def only(batch, rows):
    """The batch of some rows, which may repeat."""
    return with_targets(
        replace(
            batch,
            source=batch.source[rows],
            source_lengths=batch.source_lengths[rows],
            rows=batch.rows[rows],
        ),
        batch.target_out[rows],
    )


def expected_estimate(enumerated, objective) -> torch.Tensor:
    """Σ_y p_S(y) · the gradient that the objective itself takes from y, every translation y alone
    in its batch; times the source's tokens, by which the objective divides."""
    student, teacher, batch, p = enumerated
    found = 0.0
    for row, probability in enumerate(p.tolist()):
        if probability > 1e-8:
            one = only(batch, [row])
            loss = objective(student(one), one, teacher(one))
            found = found + probability * gradient(loss, student)
    return int(batch.source_lengths[0]) * found


def full_reverse(enumerated) -> torch.Tensor:
    """The gradient of the reverse KL at each prefix, averaged over the student's prefixes, which
    count as given."""
    student, teacher, batch, p = enumerated
    per_token = Divergence(1.0).per_token(student(batch), batch, teacher(batch))
    per_translation = per_token.masked_fill(batch.target_out == PAD, 0.0).sum(dim=1)
    return gradient((p * per_translation).sum(), student)


def between_translations(enumerated) -> torch.Tensor:
    """The gradient of Σ_y p_S(y) log p_S(y)/p_T(y), p_S(y) among what is differentiated.

    Σ p_S(y) is 1 and has no gradient; that of the listed ones, which has a little, is taken off.
    """
    student, teacher, batch, _ = enumerated
    log_s = token_log_probs(student(batch), batch).sum(dim=1)
    log_t = token_log_probs(teacher(batch), batch).sum(dim=1).detach()
    return gradient((log_s.exp() * (log_s - log_t - 1.0)).sum(), student)


class TestTheMeanOverDraws:
    """Of the objective as it is trained with, one sentence a batch: no bias from its divisor."""

    @pytest.mark.slow
    @pytest.mark.parametrize("baseline", [NO_BASELINE, OTHERS, EXPECTED])
    def test_with_discount_0_it_is_the_full_reverse_kl(self, enumerated, baseline):
        estimate = expected_estimate(enumerated, SampledToken(0.0, baseline))
        full = full_reverse(enumerated)
        assert (estimate - full).norm() < 2e-3 * full.norm()

    @pytest.mark.slow
    def test_with_discount_1_it_is_the_kl_between_translations(self, enumerated):
        estimate = expected_estimate(enumerated, SampledToken(1.0))
        whole = between_translations(enumerated)
        assert (estimate - whole).norm() < 2e-3 * whole.norm()

    def test_the_trap_the_two_are_not_the_same(self, enumerated):
        full, whole = full_reverse(enumerated), between_translations(enumerated)
        assert (full - whole).norm() > 0.1 * whole.norm()

    @pytest.mark.slow
    @pytest.mark.parametrize("discount", [0.0, 1.0])
    def test_the_mean_of_the_others_changes_no_mean(self, make_model, discount):
        """Two drawn translations a batch, every pair of the likely ones with its probability: the
        baseline of each comes from the other."""
        student, teacher, batch, p = enumeration(make_model, 4)
        p = p / p.sum()  # whatever is left out: the pairs are drawn independently
        found = {baseline: 0.0 for baseline in (NO_BASELINE, OTHERS)}
        for first, second in product(range(len(p)), repeat=2):
            pair = only(batch, [first, second])
            logits, teacher_logits = student(pair), teacher(pair)
            for baseline in found:
                loss = SampledToken(discount, baseline)(logits, pair, teacher_logits)
                found[baseline] = found[baseline] + p[first] * p[second] * gradient(loss, student)
        difference = found[OTHERS] - found[NO_BASELINE]
        unconditional = self.score_function(student, batch, p)
        assert difference.norm() < 0.02 * found[NO_BASELINE].norm() + unconditional

    @staticmethod
    def score_function(student, batch, p):
        """‖Σ p(y) ∇log p_S(y)‖, 0 but for the translations that are not listed."""
        log_p = token_log_probs(student(batch), batch).sum(dim=1)
        return gradient((p * log_p).sum(), student).norm()


class TestForcedEnd:
    """What was not drawn: the EOS at the last position that a translation may have."""

    LONGEST = 4

    @pytest.fixture
    def capped(self, make_model, monkeypatch):
        monkeypatch.setattr(
            policy_gradient, "longest_allowed", lambda lengths: torch.full_like(lengths, 4)
        )
        student, teacher, batch, _ = enumeration(make_model, self.LONGEST, -2.5)
        with torch.no_grad():
            drawn = is_drawn(batch)
            p = token_log_probs(student(batch), batch).masked_fill(~drawn, 0.0).sum(dim=1).exp()
        assert p.sum().item() == pytest.approx(1.0, abs=1e-4)  # but for PAD and BOS
        assert 0.05 < p[(batch.target_out != PAD).sum(dim=1) == self.LONGEST].sum() < 0.95
        return student, teacher, batch, p

    @pytest.mark.parametrize("baseline", [NO_BASELINE, EXPECTED])
    def test_with_discount_0_the_mean_is_the_full_sum_over_what_was_drawn(self, capped, baseline):
        student, teacher, batch, p = capped
        estimate = expected_estimate(capped, SampledToken(0.0, baseline))
        per_token = Divergence(1.0).per_token(student(batch), batch, teacher(batch))
        per_translation = per_token.masked_fill(~is_drawn(batch), 0.0).sum(dim=1)
        full = gradient((p * per_translation).sum(), student)
        assert (estimate - full).norm() < 2e-3 * full.norm()

    def test_with_discount_1_it_is_the_kl_between_what_both_would_write(self, capped):
        student, teacher, batch, _ = capped
        drawn = is_drawn(batch)
        log_s, log_t = (
            token_log_probs(model(batch), batch).masked_fill(~drawn, 0.0).sum(dim=1)
            for model in (student, teacher)
        )
        whole = gradient((log_s.exp() * (log_s - log_t.detach() - 1.0)).sum(), student)
        estimate = expected_estimate(capped, SampledToken(1.0))
        assert (estimate - whole).norm() < 2e-3 * whole.norm()

    def test_at_the_last_position_nothing_is_drawn(self, make_model):
        """A source of one word and its EOS: 14 tokens are allowed."""
        batch = with_targets(
            batch_of(make_model(), [1, 1]), torch.tensor([[4] * 13 + [EOS], [4, EOS] + [PAD] * 12])
        )
        assert is_drawn(batch).sum(dim=1).tolist() == [13, 2]


class TestSampledToken:
    def test_by_hand(self, make_model):
        """Costs 1, 2, 3 at three places: at discount γ the first word answers for 1 + 2γ + 3γ²; the
        sum is divided by the two words of the source and its EOS."""
        model = make_model()
        batch = with_targets(batch_of(model, [0]), torch.tensor([[4, 5, EOS]]))
        n_source = int(batch.source_lengths.sum())
        student = torch.zeros(1, 3, 8, dtype=torch.float64)
        teacher = torch.zeros(1, 3, 8, dtype=torch.float64)
        for t, (word, cost) in enumerate(((4, 1.0), (5, 2.0), (EOS, 3.0))):
            teacher[0, t, word] = -math.log(
                (8 * math.exp(cost) - 1) / 7
            )  # so that log p_S − log p_T is the cost
        student.requires_grad_(True)
        for discount in (0.0, 0.5, 1.0):
            (found,) = torch.autograd.grad(SampledToken(discount)(student, batch, teacher), student)
            weights = [1 + 2 * discount + 3 * discount**2, 2 + 3 * discount, 3.0]
            for t, (word, weight) in enumerate(zip((4, 5, EOS), weights, strict=True)):
                assert found[0, t, word].item() == pytest.approx(weight / n_source * (1 - 1 / 8))
                assert found[0, t, 6].item() == pytest.approx(-weight / n_source / 8)

    def test_the_mean_of_others_by_hand(self):
        values = torch.tensor([[1.0, 10.0, 5.0], [2.0, 20.0, 9.0], [6.0, 9.0, 9.0]])
        drawn = torch.tensor([[True, True, True], [True, True, False], [True, False, False]])
        expected = [[4.0, 20.0, 0.0], [3.5, 10.0, 5.0], [1.5, 15.0, 5.0]]
        assert mean_of_others(values, drawn).tolist() == expected

    def test_alone_in_a_batch_there_are_no_others(self, make_model):
        model, teacher = make_model(1), make_model(2)
        batch = batch_of(model, [1])
        plain, against = (
            SampledToken(1.0, baseline)(model(batch), batch, teacher(batch))
            for baseline in (NO_BASELINE, OTHERS)
        )
        assert torch.equal(plain, against)

    @pytest.mark.parametrize("discount", [-0.1, 1.1, math.nan])
    def test_a_discount_outside_is_refused(self, discount):
        with pytest.raises(ValueError, match="discount"):
            SampledToken(discount)

    def test_a_baseline_that_is_not_known_is_refused(self):
        with pytest.raises(ValueError, match="baseline"):
            SampledToken(0.0, "mean")
        with pytest.raises(ValueError, match="discount 0"):
            SampledToken(0.5, EXPECTED)

    @pytest.mark.parametrize("baseline", [NO_BASELINE, OTHERS, EXPECTED])
    def test_no_gradient_goes_to_the_teacher_or_through_the_advantage(self, make_model, baseline):
        """The gradient in the logits is A_t (p − onehot): its row sums are 0, and it scales with
        the advantage alone."""
        model, teacher = make_model(1), make_model(2)
        batch = batch_of(model)
        logits = model(batch).detach().requires_grad_(True)
        SampledToken(0.0, baseline)(logits, batch, teacher(batch)).backward()
        assert all(weight.grad is None for weight in teacher.parameters())
        drawn = is_drawn(batch)
        advantage = SampledToken(0.0, baseline).per_token(
            logits.detach(), batch, teacher(batch).detach()
        ) / token_log_probs(logits.detach(), batch)
        one_hot = torch.nn.functional.one_hot(batch.target_out, logits.shape[-1])
        expected = advantage[..., None] * (one_hot - logits.detach().softmax(dim=-1))
        expected = expected / batch.source_lengths.sum()
        assert torch.allclose(logits.grad[drawn], expected[drawn], atol=1e-6)


class TestGradients:
    def test_products_and_variances_are_without_bias(self):
        """Lines drawn around known means: the plain product of two means of the same draws would be
        too large."""
        generator = torch.Generator().manual_seed(0)
        mean = torch.tensor([1.0, 0.0]), torch.tensor([1.0, 1.0])
        dots, variances, cosines = [], [], []
        for _ in range(2000):
            noise = torch.randn(5, 2, generator=generator)
            one, other = Gradients(mean[0] + noise), Gradients(mean[1] + noise)
            dots.append(one.dot(other))
            variances.append(one.variance)
        many = torch.randn(20_000, 2, generator=generator)
        cosines = Gradients(mean[0] + many).cosine(Gradients(mean[1] + many))
        assert sum(dots) / 2000 == pytest.approx(1.0, abs=0.1)
        assert sum(variances) / 2000 == pytest.approx(2.0, rel=0.05)
        assert cosines == pytest.approx(1.0 / 2.0**0.5, abs=0.03)

    def test_a_cosine_with_a_gradient_that_noise_hides_is_refused(self):
        """Opposite draws: the squared length of the mean, without bias, is below 0."""
        hidden = Gradients(torch.tensor([[1.0, 0.0], [-1.0, 0.0]]))
        known = Gradients(torch.tensor([[1.0, 0.1], [1.0, -0.1]]))
        assert hidden.norm == 0.0 < known.norm
        for one, other in ((hidden, known), (known, hidden)):
            with pytest.raises(ValueError, match="2 draws are too few"):
                one.cosine(other)

    def test_on_the_same_draws_a_baseline_keeps_the_mean(self, make_model):
        """40 draws of 60 sentences: the estimators of one mean agree in direction and length."""
        student, teacher = short_models(make_model)
        pairs = ParallelCorpus("n", "train", "l", SOURCES[:1] * 60, TARGETS[:1] * 60)
        found = gradients(student, teacher, pairs, 40, 1)
        assert set(found) == set(ESTIMATORS)
        for first, *others in (NEAR, WHOLE):
            for other in others:
                assert found[first].cosine(found[other]) == pytest.approx(1.0, abs=0.1)
                assert found[other].norm == pytest.approx(found[first].norm, rel=0.15)
