"""The word-level objectives against torch's own losses, and which prefix Word-KD runs along."""

from __future__ import annotations

from contextlib import nullcontext

import pytest
import torch
from torch import nn
from torch.nn.functional import cross_entropy, kl_div

from seqkd_lab.corpus.batching import Batch
from seqkd_lab.corpus.parallel import ParallelCorpus
from seqkd_lab.corpus.vocabulary import BOS, EOS, PAD
from seqkd_lab.distillation.losses import (
    NLL,
    OBJECTIVES,
    BalancedWordKD,
    Objective,
    WordKD,
    mean_over_tokens,
    mixed_target,
    nll,
    objective,
    pull,
    word_kd,
)
from seqkd_lab.distillation.on_policy import Divergence
from seqkd_lab.distillation.paced import Weighted
from seqkd_lab.distillation.tip import SOFT_OR, Selected
from seqkd_lab.models.seq2seq import Seq2Seq
from seqkd_lab.optimisation import Optimisation
from seqkd_lab.trainer import Trainer

V = 9
TARGET = torch.tensor([[4, 5, 6, EOS], [7, EOS, PAD, PAD], [EOS, PAD, PAD, PAD]])  # 7 real tokens


def random_logits(seed: int, scale: float = 2.0, target=TARGET) -> torch.Tensor:
    generator = torch.Generator().manual_seed(seed)
    return (scale * torch.randn(*target.shape, V, generator=generator)).requires_grad_()


def batch_of(target) -> Batch:
    B = len(target)
    return Batch(torch.ones(B, 1), torch.ones(B), target.roll(1, dims=1), target, torch.arange(B))


def by_torch(logits, teacher, target, temperature):
    """τ² · (KL(q ‖ p) + H(q)) by torch.nn.functional, over the real tokens only."""
    real = target != PAD
    q, log_p = (
        (teacher[real] / temperature).softmax(dim=1),
        (logits[real] / temperature).log_softmax(dim=1),
    )
    entropy = -(q * q.log()).sum()
    return temperature**2 * (kl_div(log_p, q, reduction="sum") + entropy) / real.sum()


def gradient(loss, logits):
    return torch.autograd.grad(loss, logits)[0]


@pytest.mark.parametrize("seed", range(3))
def test_nll_is_cross_entropy(seed):
    logits = random_logits(seed)
    expected = cross_entropy(logits.flatten(0, 1), TARGET.flatten(), ignore_index=PAD)
    found = nll(logits, TARGET)
    torch.testing.assert_close(found, expected)
    torch.testing.assert_close(gradient(found, logits), gradient(expected, logits))


@pytest.mark.parametrize("temperature", [0.5, 1.0, 4.0])
@pytest.mark.parametrize("seed", range(3))
def test_word_kd_is_kl_plus_the_teachers_entropy(seed, temperature):
    logits, teacher = random_logits(seed), random_logits(seed + 100)
    expected = by_torch(logits, teacher.detach(), TARGET, temperature)
    found = word_kd(logits, teacher, TARGET, temperature)
    torch.testing.assert_close(found, expected)
    torch.testing.assert_close(gradient(found, logits), gradient(expected, logits))


def test_word_kd_is_least_at_the_teacher_itself():
    teacher = random_logits(1)
    at_teacher = word_kd(teacher, teacher.detach(), TARGET)
    assert at_teacher > 0  # the entropy, not 0
    assert gradient(at_teacher, teacher).abs().max() < 1e-6
    for seed in range(2, 8):
        assert word_kd(random_logits(seed), teacher, TARGET) > at_teacher


def test_a_teacher_that_is_sure_of_gold_makes_word_kd_the_nll():
    logits, teacher = random_logits(1), torch.full((*TARGET.shape, V), -1e4)
    teacher.scatter_(2, TARGET[:, :, None], 0.0)
    torch.testing.assert_close(word_kd(logits, teacher, TARGET), nll(logits, TARGET))


@pytest.mark.parametrize("temperature", [5.0, 20.0])
def test_temperature_squared_keeps_the_gradients_size(temperature):
    """For logits that are small against τ the gradient tends to (z − v) / V, whatever τ is (Hinton
    et al., eq. 4)."""
    logits, teacher = random_logits(1, 0.05), random_logits(2, 0.05)
    difference = (logits - teacher).detach()
    expected = (difference - difference.mean(dim=2, keepdim=True)) / V / 7
    expected[TARGET == PAD] = 0.0
    found = gradient(word_kd(logits, teacher, TARGET, temperature), logits)
    torch.testing.assert_close(found, expected, atol=0.02 * expected.abs().max().item(), rtol=0.0)


def test_the_teacher_gets_no_gradient():
    logits, teacher = random_logits(1), random_logits(2)
    word_kd(logits, teacher, TARGET).backward()
    assert teacher.grad is None
    assert logits.grad.abs().sum() > 0


@pytest.mark.parametrize("temperature", [1.0, 2.0])
@pytest.mark.parametrize("alpha", [0.0, 0.3, 1.0])
def test_alpha_mixes_both_losses(alpha, temperature):
    """The value and the gradient; at temperature 1 they come from one cross-entropy with the mixed
    target."""
    logits, teacher, batch = random_logits(1), random_logits(2), batch_of(TARGET)
    found = WordKD(alpha, temperature)(logits, batch, teacher)
    expected = alpha * word_kd(logits, teacher, TARGET, temperature) + (1 - alpha) * nll(
        logits, TARGET
    )
    torch.testing.assert_close(found, expected)
    torch.testing.assert_close(
        torch.autograd.grad(found, logits), torch.autograd.grad(expected, logits)
    )


def test_the_mixed_target_is_a_distribution_between_gold_and_teacher():
    teacher = random_logits(2)
    mixed = mixed_target(teacher, TARGET, 0.3)
    hard = torch.nn.functional.one_hot(TARGET, teacher.shape[2])
    torch.testing.assert_close(mixed, 0.3 * teacher.detach().softmax(dim=2) + 0.7 * hard)


EVERY = [
    *(kind() for kind in OBJECTIVES.values()),
    WordKD(0.3, 3.0),
    BalancedWordKD(0.3, 3.0),
    Divergence(0.5, scaled=True),
    Selected(SOFT_OR, 0.5),
    Weighted(WordKD(0.3, 3.0), torch.tensor([0.5, 2.0, 1.0])),
]


@pytest.mark.parametrize("objective", EVERY, ids=repr)
class TestEveryObjective:
    def test_it_is_the_mean_of_its_loss_per_token(self, objective):
        logits, teacher, batch = random_logits(1), random_logits(2), batch_of(TARGET)
        per_token = objective.per_token(logits, batch, teacher)
        assert per_token.shape == TARGET.shape
        expected = mean_over_tokens(per_token, TARGET)
        found = objective(logits, batch, teacher)
        torch.testing.assert_close(found, expected)
        torch.testing.assert_close(gradient(found, logits), gradient(expected, logits))

    def test_its_sentences_can_be_weighted(self, objective):
        logits, teacher, batch = random_logits(1), random_logits(2), batch_of(TARGET)
        weights = torch.tensor([2.0, 0.0, 0.0])
        found = gradient(Weighted(objective, weights)(logits, batch, teacher), logits)
        per_token = objective.per_token(logits, batch, teacher)
        expected = 2 * gradient(per_token[0].sum() / 7, logits)
        torch.testing.assert_close(found, expected)

    def test_it_refuses_a_teacher_that_does_not_fit_just_where_it_needs_one(self, objective):
        logits, batch = random_logits(1), batch_of(TARGET)
        for teacher in (None, torch.zeros(3, 4, V + 1)):
            with pytest.raises(ValueError) if objective.needs_teacher else nullcontext():
                objective(logits, batch, teacher)
        with pytest.raises(ValueError, match="target"):
            objective(logits, batch_of(TARGET[:, :2]), random_logits(2))


class TestRegistry:
    def test_a_class_and_a_line_offer_an_objective_by_name(self, monkeypatch):
        monkeypatch.setattr("seqkd_lab.distillation.losses.OBJECTIVES", offered := {})

        @objective("confidence-penalty")
        class ConfidencePenalty(Objective):
            needs_teacher = False

            def per_token(self, logits, batch, teacher_logits):
                return (logits.softmax(dim=2) * logits.log_softmax(dim=2)).sum(dim=2)

        assert offered == {"confidence-penalty": ConfidencePenalty}
        assert ConfidencePenalty()(random_logits(1), batch_of(TARGET)) < 0

    def test_a_name_is_given_once(self):
        with pytest.raises(ValueError, match="nll.*NLL"):
            objective("nll")(WordKD)


@pytest.mark.parametrize("objective", [NLL(), WordKD(0.5), WordKD(1.0, 3.0)])
class TestNormalisation:
    def test_padding_contributes_nothing(self, objective):
        logits, teacher, batch = random_logits(1), random_logits(2), batch_of(TARGET)
        padded = TARGET == PAD
        found = objective(logits, batch, teacher)
        assert (gradient(found, logits)[padded] == 0).all()
        assert (
            gradient(objective(logits, batch, teacher), logits)[~padded].abs().sum(dim=1) > 0
        ).all()
        other = torch.where(padded[:, :, None], random_logits(3) * 50, logits)
        other_teacher = torch.where(padded[:, :, None], random_logits(4) * 50, teacher)
        assert objective(other, batch, other_teacher) == found

    def test_a_batch_is_the_mean_of_its_parts_weighted_by_tokens(self, objective):
        logits, teacher = random_logits(1), random_logits(2)
        whole = objective(logits, batch_of(TARGET), teacher)
        parts = [
            objective(logits[b : b + 1], batch_of(TARGET[b : b + 1]), teacher[b : b + 1])
            for b in range(3)
        ]
        n_tokens = [batch_of(TARGET[b : b + 1]).n_tokens for b in range(3)]
        assert n_tokens == [4, 2, 1]
        torch.testing.assert_close(
            whole, sum(n * part for n, part in zip(n_tokens, parts, strict=True)) / 7
        )


class RecordingTeacher(Seq2Seq):
    """A teacher that writes down which sentences and prefixes it was asked about."""

    def __init__(self, n_tokens: int) -> None:
        super().__init__()
        self.output, self.asked = nn.Linear(3, n_tokens), {}

    def vectors(self, batch: Batch) -> torch.Tensor:
        assert not self.training
        for row, prefix in zip(batch.rows.tolist(), batch.target_in.tolist(), strict=True):
            self.asked[row] = [token for token in prefix if token not in (PAD, BOS)]
        return torch.zeros(*batch.target_in.shape, 3)

    def start(self, source, source_lengths):
        raise NotImplementedError

    def read(self, tokens, state):
        raise NotImplementedError


GOLD = ParallelCorpus(
    "n", "train", "l", (("ant",), ("bee", "cat"), ("dog",)), (("ant",), ("bee", "cat"), ("dog",))
)
TEACHERS = GOLD.with_target((("cat", "cat"), ("ant",), ("bee", "dog", "ant")))


@pytest.mark.parametrize(
    "corpus", [GOLD, TEACHERS], ids=["Word-KD: gold", "Seq-KD + Word-KD: the teacher's ŷ"]
)
def test_word_kd_runs_along_the_prefixes_of_the_corpus_it_trains_on(make_model, corpus):
    student = make_model()
    teacher = RecordingTeacher(len(student.target_vocabulary)).train()
    Trainer(student, corpus, GOLD, WordKD(), Optimisation(1, batch_size=2), 1, teacher).run_epoch()
    assert teacher.asked == {
        row: student.target_vocabulary.ids(words) for row, words in enumerate(corpus.target)
    }


def test_a_teacher_is_left_alone_by_an_objective_without_one(make_model):
    teacher = RecordingTeacher(8)
    Trainer(make_model(), GOLD, GOLD, NLL(), Optimisation(1), 1, teacher).run_epoch()
    assert teacher.asked == {}


class TestErrors:
    @pytest.mark.parametrize("alpha", [-0.1, 1.1, float("nan")])
    def test_alpha_outside_its_range(self, alpha):
        with pytest.raises(ValueError, match="alpha"):
            WordKD(alpha)

    @pytest.mark.parametrize("temperature", [0.0, -1.0, float("nan")])
    def test_temperature_that_is_not_positive(self, temperature):
        with pytest.raises(ValueError, match="temperature"):
            WordKD(0.5, temperature)

    @pytest.mark.parametrize("teacher", [None, torch.zeros(3, 4, V + 1), torch.zeros(3, 3, V)])
    def test_teacher_logits_that_do_not_fit(self, teacher):
        with pytest.raises(ValueError, match="teacher logits"):
            WordKD()(random_logits(1), batch_of(TARGET), teacher)

    @pytest.mark.parametrize("target", [TARGET[:, :2], TARGET[:2], TARGET[0]])
    def test_a_target_that_does_not_fit_the_logits(self, target):
        with pytest.raises(ValueError, match="target"):
            nll(random_logits(1), target)
        with pytest.raises(ValueError, match="target"):
            word_kd(random_logits(1), random_logits(2), target)

    def test_word_kd_without_a_teacher(self, make_model):
        with pytest.raises(ValueError, match="teacher"):
            Trainer(make_model(), GOLD, GOLD, WordKD(), Optimisation(1), 1)


class TestBalancedWordKD:
    def gradient(self, objective, logits, teacher, target):
        batch = batch_of(target)
        return torch.autograd.grad(objective(logits, batch, teacher), logits)[0]

    @pytest.mark.parametrize("temperature", [0.25, 0.5, 2.0, 4.0, 8.0])
    def test_the_pull_is_autograds_and_alike_at_every_temperature(self, temperature):
        logits, teacher = 3.0 * random_logits(1), 3.0 * random_logits(2)
        logits.requires_grad_()
        soft = (
            torch.autograd.grad(word_kd(logits, teacher, TARGET, temperature), logits)[0]
            .abs()
            .sum()
        )
        assert torch.allclose(soft, pull(logits, teacher, TARGET, temperature), rtol=1e-4)
        here, at_one = (
            self.gradient(BalancedWordKD(1.0, tau), logits, teacher, TARGET)
            for tau in (temperature, 1.0)
        )
        assert torch.allclose(here.abs().sum(), at_one.abs().sum(), rtol=1e-4)
        assert not torch.allclose(here, at_one, rtol=1e-2)

    @pytest.mark.parametrize("alpha", [0.0, 0.3, 1.0])
    def test_at_temperature_one_it_is_the_papers_objective(self, alpha):
        logits, teacher, batch = random_logits(1), random_logits(2), batch_of(TARGET)
        assert BalancedWordKD(alpha)(logits, batch, teacher) == WordKD(alpha)(
            logits, batch, teacher
        )

    def test_a_student_that_equals_its_teacher_has_a_finite_loss(self):
        logits = random_logits(1).requires_grad_()
        gradient = self.gradient(BalancedWordKD(1.0, 3.0), logits, logits.detach(), TARGET)
        assert gradient.isfinite().all()

    def test_what_no_objective_can_have_is_refused(self):
        for settings in ({"alpha": -0.1}, {"alpha": 1.1}, {"temperature": 0.0}):
            with pytest.raises(ValueError, match="must"):
                BalancedWordKD(**settings)
