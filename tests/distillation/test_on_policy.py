"""On-policy distillation: divergences against torch's own, the drawing of targets, and training."""

from __future__ import annotations

import math
from dataclasses import replace

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import chisquare
from torch.distributions import Categorical, kl_divergence
from torch.nn import functional as F

from seqkd_lab.corpus.batching import encode, make_batch
from seqkd_lab.corpus.parallel import ParallelCorpus
from seqkd_lab.corpus.vocabulary import BOS, EOS, PAD
from seqkd_lab.decoding.distribution import SamplingDistribution
from seqkd_lab.decoding.enumeration import likely_translations
from seqkd_lab.distillation.divergences import divergence, kl
from seqkd_lab.distillation.on_policy import Divergence, OnPolicy, draw_targets, with_targets
from seqkd_lab.distillation.policy_gradient import OTHERS, SampledToken
from seqkd_lab.models.lstm import LSTMSpec
from seqkd_lab.optimisation import Optimisation
from seqkd_lab.training import train

SOURCES = (
    ("ant", "bee"),
    ("cat",),
    ("dog", "ant", "eel"),
    ("bee",),
    ("fox", "fox"),
    ("eel",),
    ("cat", "dog"),
)
TARGETS = (
    ("ant",),
    ("bee", "cat", "ant", "dog"),
    (),
    ("cat",),
    ("dog", "ant"),
    ("bee",),
    ("ant", "bee", "cat"),
)
CORPUS = ParallelCorpus("n", "train", "l", SOURCES, TARGETS)
betas = st.floats(0.01, 0.99)
seeds = st.integers(0, 1000)


def logits(seed: int, *shape: int, scale: float = 2.0) -> torch.Tensor:
    return scale * torch.randn(
        *shape, generator=torch.Generator().manual_seed(seed), dtype=torch.float64
    )


def batch_of(model, rows=None):
    rows = range(len(CORPUS)) if rows is None else rows
    return make_batch(encode(CORPUS, model.source_vocabulary, model.target_vocabulary), list(rows))


class TestDivergence:
    @given(seeds)
    def test_the_ends_are_torchs_kls(self, seed):
        student, teacher = logits(seed, 3, 5, 7), logits(seed + 1, 3, 5, 7)
        log_s, log_t = student.log_softmax(-1), teacher.log_softmax(-1)
        forward = F.kl_div(log_s, log_t, log_target=True, reduction="none").sum(
            -1
        )  # kl_div(input, target): KL(t‖i)
        reverse = F.kl_div(log_t, log_s, log_target=True, reduction="none").sum(-1)
        assert torch.allclose(divergence(student, teacher, 0.0), forward)
        assert torch.allclose(divergence(student, teacher, 1.0), reverse)
        assert torch.allclose(
            forward, kl_divergence(Categorical(logits=teacher), Categorical(logits=student))
        )
        assert torch.allclose(kl(log_t, log_s), forward) and not torch.allclose(forward, reverse)

    @given(seeds, betas)
    def test_between_them_it_is_the_mixtures_definition(self, seed, beta):
        student, teacher = logits(seed, 4, 6), logits(seed + 1, 4, 6)
        p, q = teacher.softmax(-1), student.softmax(-1)
        m = Categorical(probs=beta * p + (1.0 - beta) * q)
        expected = beta * kl_divergence(Categorical(probs=p), m) + (1.0 - beta) * kl_divergence(
            Categorical(probs=q), m
        )
        assert torch.allclose(divergence(student, teacher, beta), expected)

    @given(seeds, betas)
    def test_symmetric_in_beta_and_bounded(self, seed, beta):
        student, teacher = logits(seed, 5, 6, scale=8.0), logits(seed + 1, 5, 6, scale=8.0)
        found = divergence(student, teacher, beta)
        assert torch.allclose(found, divergence(teacher, student, 1.0 - beta))
        entropy = -(
            beta * math.log(beta) + (1.0 - beta) * math.log(1.0 - beta)
        )  # of which distribution a word was drawn from
        assert (found >= -1e-12).all() and (found <= entropy + 1e-12).all()
        assert torch.allclose(
            divergence(student, student, beta), torch.zeros(5, dtype=torch.float64), atol=1e-12
        )

    @pytest.mark.parametrize(("near", "end"), [(1e-4, 0.0), (1.0 - 1e-4, 1.0)])
    def test_scaled_it_goes_over_into_the_ends_and_plain_to_nothing(self, make_model, near, end):
        batch = batch_of(make_model())
        shape = (*batch.target_out.shape, 9)
        student, teacher = logits(1, *shape), logits(2, *shape)
        at_end = Divergence(end)(student, batch, teacher)
        assert Divergence(near, scaled=True)(student, batch, teacher) == pytest.approx(
            at_end.item(), rel=5e-3
        )
        assert Divergence(near)(student, batch, teacher) < 1e-3 * at_end
        assert Divergence(end, scaled=True)(student, batch, teacher) == at_end

    @pytest.mark.parametrize("beta", [0.0, 0.3, 1.0])
    def test_gradients_are_finite_for_extreme_logits_and_none_goes_to_the_teacher(self, beta):
        student = torch.tensor([[500.0, -500.0, 0.0]], requires_grad=True)
        teacher = torch.tensor([[-500.0, 500.0, 0.0]], requires_grad=True)
        divergence(student, teacher, beta).sum().backward()
        assert student.grad.isfinite().all() and teacher.grad is None

    @pytest.mark.parametrize(
        "objective", [Divergence(0.0), Divergence(1.0), Divergence(0.4, True), SampledToken(0.5)]
    )
    def test_what_stands_at_padding_counts_nothing(self, make_model, objective):
        model, batch = make_model(), batch_of(make_model())
        V, padded = len(model.target_vocabulary), batch.target_out == PAD
        student, teacher = (
            logits(1, *batch.target_out.shape, V),
            logits(2, *batch.target_out.shape, V),
        )
        assert padded.any()
        noisy = teacher + 9.0 * padded[..., None] * logits(3, *teacher.shape)
        assert torch.equal(objective(student, batch, teacher), objective(student, batch, noisy))
        student.requires_grad_(True)
        objective(student, batch, teacher).backward()
        assert (student.grad[padded] == 0.0).all() and (student.grad[~padded] != 0.0).any()

    def test_by_hand(self, make_model):
        """Two places: p_T = (1/2, 1/2) and p_S = (1/4, 3/4) at the first, equal at the second."""
        model = make_model(n_target=1)
        batch = with_targets(batch_of(model, [1]), torch.tensor([[3, EOS]]))
        student = torch.tensor([[[0.25, 0.75], [0.5, 0.5]]]).log()
        teacher = torch.full((1, 2, 2), 0.5).log()
        forward = 0.5 * math.log(0.5 / 0.25) + 0.5 * math.log(0.5 / 0.75)
        assert Divergence(0.0)(student, batch, teacher).item() == pytest.approx(forward / 2)

    @pytest.mark.parametrize("beta", [-0.1, 1.1, math.nan])
    def test_a_beta_outside_is_refused(self, beta):
        with pytest.raises(ValueError, match="beta"):
            Divergence(beta)

    @pytest.mark.parametrize("objective", [Divergence(), SampledToken()])
    def test_wrong_shapes_are_refused(self, make_model, objective):
        batch = batch_of(make_model())
        right = logits(1, *batch.target_out.shape, 8)
        for student, teacher in (
            (right[:, :-1], right[:, :-1]),
            (right, right[:, :, :-1]),
            (right, None),
        ):
            with pytest.raises(ValueError, match="logits"):
                objective(student, batch, teacher)


class TestOnPolicy:
    @pytest.mark.parametrize(("share", "n_own"), [(0.01, 1), (0.3, 3), (0.5, 4), (1.0, 7)])
    def test_the_share_is_the_students_and_the_rest_stays(self, make_model, share, n_own):
        model, batch = make_model(3, sharpness=1.0), batch_of(make_model())
        changed = set()
        for seed in range(30):
            new = OnPolicy(share)(model, batch, seed)
            assert torch.equal(new.source, batch.source) and torch.equal(new.rows, batch.rows)
            length = min(new.target_out.shape[1], batch.target_out.shape[1])
            rows = [
                b
                for b in range(len(batch))
                if not torch.equal(
                    new.target_out[b][new.target_out[b] != PAD],
                    batch.target_out[b][batch.target_out[b] != PAD],
                )
            ]
            assert len(rows) <= n_own
            same = [b for b in range(len(batch)) if b not in rows]
            assert torch.equal(new.target_out[same, :length], batch.target_out[same, :length])
            assert torch.equal(new.target_in[same, :length], batch.target_in[same, :length])
            changed.update(rows)
        if share >= 0.3:
            assert changed == set(range(len(batch)))  # every sentence has its turn

    @pytest.mark.parametrize(
        ("share", "n"), [(0.1, 4), (0.5, 1), (0.5, 3), (0.5, 5), (0.3, 7), (0.7, 10), (1.0, 3)]
    )
    def test_the_share_holds_in_expectation_for_small_batches(self, share, n):
        """As many draws as seeds: the mean lies within four standard errors of share · n, and each
        batch within one sentence of it."""
        draw, seeds = OnPolicy(share), 4000
        counts = [
            len(draw._drawn_rows(n, torch.Generator().manual_seed(seed))) for seed in range(seeds)
        ]
        expected, fraction = share * n, share * n % 1.0
        margin = 4.0 * math.sqrt(fraction * (1.0 - fraction) / seeds) + 1e-9
        assert abs(sum(counts) / seeds - expected) <= margin
        assert all(abs(count - expected) < 1.0 for count in counts)
        assert len(set(counts)) == (1 if fraction < 1e-9 else 2)

    def test_targets_have_the_batchs_form(self, make_model):
        model = make_model(2, sharpness=1.0)
        for seed in range(5):
            for share in (0.5, 1.0):
                new = OnPolicy(share)(model, batch_of(model), seed)
                assert (
                    new.target_in.shape == new.target_out.shape
                    and (new.target_in[:, 0] == BOS).all()
                )
                for read, written in zip(
                    new.target_in.tolist(), new.target_out.tolist(), strict=True
                ):
                    n = written.index(EOS) + 1
                    assert written[n:] == [PAD] * (len(written) - n) == read[n:]
                    assert read[1:n] == written[: n - 1] and not {PAD, BOS, EOS} & set(
                        written[: n - 1]
                    )
                assert (new.target_out != PAD).any(dim=0).all()  # no column of padding alone

    def test_equal_seeds_equal_targets(self, make_model):
        model, batch = make_model(sharpness=1.0), batch_of(make_model())
        drawn = []
        for state in (1, 2):
            torch.manual_seed(state)  # the global generator has no say
            drawn.append(OnPolicy(0.5)(model, batch, 7).target_out)
        other = OnPolicy(0.5)(model, batch, 8).target_out
        assert torch.equal(*drawn)
        assert other.shape != drawn[0].shape or not torch.equal(other, drawn[0])

    @pytest.mark.parametrize("temperature", [1.0, 0.6])
    def test_what_is_drawn_follows_the_models_distribution(self, make_model, temperature):
        model = make_model(2, n_target=2, sharpness=2.0)
        distribution = likely_translations(
            model, SOURCES[0], SamplingDistribution(temperature), least=0.01
        )
        batch = batch_of(model, [0] * 500)
        counts = dict.fromkeys(distribution, 0)
        other = n = 0
        for seed in range(8):
            for ids in OnPolicy(1.0, temperature)(model, batch, seed).target_out.tolist():
                words, n = tuple(model.target_vocabulary.words(ids)), n + 1
                counts[words] = counts.get(words, 0) + 1 if words in distribution else 0
                other += words not in distribution
        seen = [counts[words] for words in distribution] + [other]
        wanted = [n * p for p in distribution.values()] + [n * (1.0 - sum(distribution.values()))]
        assert len(distribution) > 3 and chisquare(seen, wanted).pvalue > 1e-4

    @pytest.mark.parametrize("training", [True, False])
    def test_no_gradient_no_dropout_and_the_mode_is_restored(self, make_model, training):
        model = make_model(1, spec=LSTMSpec(width=8, dropout=0.9)).train(training)
        batch = batch_of(model)
        first = OnPolicy()(model, batch, 3)
        torch.manual_seed(99)
        assert (
            torch.equal(OnPolicy()(model, batch, 3).target_out, first.target_out)
            and model.training == training
        )
        assert torch.equal(OnPolicy()(model.eval(), batch, 3).target_out, first.target_out)
        assert not first.target_out.is_inference() and not first.target_out.requires_grad
        assert all(weight.grad is None for weight in model.parameters())
        Divergence()(
            model(first), first, torch.zeros(*first.target_out.shape, len(model.target_vocabulary))
        ).backward()

    @pytest.mark.parametrize("share", [0.0, -0.5, 1.5, math.nan])
    def test_a_share_outside_is_refused(self, share):
        with pytest.raises(ValueError, match="share"):
            OnPolicy(share)
        with pytest.raises(ValueError, match="temperature"):
            OnPolicy(1.0, -1.0)


class TestTraining:
    SHORT = Optimisation(epochs=3, learning_rate=0.05, batch_size=3)

    @pytest.mark.parametrize("objective", [Divergence(1.0), SampledToken(1.0, OTHERS)])
    @pytest.mark.parametrize("update", [2, 5, 8])
    def test_an_interrupted_run_ends_as_if_nothing_had_been(
        self, make_model, tmp_path, objective, update
    ):
        spec = LSTMSpec(width=8, dropout=0.2)
        arguments = (CORPUS, CORPUS[:3], objective, self.SHORT, 5, make_model(9, spec=spec))
        whole, broken, resumed = (make_model(spec=spec, sharpness=1.0) for _ in range(3))
        expected = train(whole, *arguments, batch_transform=OnPolicy(0.5))

        def interrupt(progress):
            if progress.update == update:
                raise KeyboardInterrupt

        with pytest.raises(KeyboardInterrupt):
            train(
                broken,
                *arguments,
                callbacks=[interrupt],
                resume_from=tmp_path,
                batch_transform=OnPolicy(0.5),
            )
        torch.manual_seed(1)
        assert (
            train(resumed, *arguments, resume_from=tmp_path, batch_transform=OnPolicy(0.5))
            == expected
        )
        assert all(
            torch.equal(a, b) for a, b in zip(whole.parameters(), resumed.parameters(), strict=True)
        )

    @pytest.mark.slow
    def test_reverse_kl_on_own_samples_brings_the_student_to_its_teacher(self, make_model):
        student, teacher = make_model(1, sharpness=1.0), make_model(2, sharpness=2.0)
        batch = OnPolicy()(student, batch_of(student), 1)
        before = Divergence()(student(batch), batch, teacher(batch)).item()
        history = train(
            student,
            CORPUS,
            CORPUS,
            Divergence(),
            replace(self.SHORT, epochs=30),
            5,
            teacher,
            batch_transform=OnPolicy(),
        )
        batch = OnPolicy()(student, batch_of(student), 1)
        assert Divergence()(student(batch), batch, teacher(batch)).item() < 0.5 * before
        assert (
            len(history.n_tokens) == 30 and len(set(history.n_tokens)) > 5
        )  # the student's own, at each pass others

    def test_tokens_of_a_fixed_set_are_counted(self, make_model):
        history = train(make_model(), CORPUS, CORPUS, Divergence(), self.SHORT, 5, make_model(2))
        assert history.n_tokens == [sum(len(target) + 1 for target in TARGETS)] * 3


def test_drawn_targets_are_one_for_each_source(make_model):
    model = make_model(sharpness=1.0)
    batch = batch_of(model)
    drawn = draw_targets(model, batch, 1.0, torch.Generator().manual_seed(1))
    assert len(drawn) == len(batch) and (drawn == EOS).sum(dim=1).eq(1).all()
