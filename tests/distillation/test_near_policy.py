"""Near-policy distillation: the teacher's k words, the loss by other ways, and the learner."""

from __future__ import annotations

import math

import pytest
import torch
from small_rollouts import (
    ALL_WORDS,
    ENCODED,
    SOURCES,
    THREE_WORDS,
    VOCABULARY,
    learning,
    make_student,
    make_teacher,
    make_worker,
    rollouts_of,
    weights,
)

from seqkd_lab.corpus.vocabulary import PAD
from seqkd_lab.decoding.scoring import token_log_probs
from seqkd_lab.decoding.search import search
from seqkd_lab.distillation.divergences import divergence
from seqkd_lab.distillation.generation import SCORE, TRAIN, RolloutConfig, Rollouts
from seqkd_lab.distillation.near_policy import NearPolicyLoss, RealTokenLogits, ScoredTokens, learn
from seqkd_lab.distillation.rollout_sources import (
    FixedPolicySource,
    LocalSource,
    RolloutWorker,
    Schedule,
)
from seqkd_lab.distillation.top_k import TopK, merged, top_k, top_k_kl


def over_outcomes(log_p, log_q, reverse: bool) -> torch.Tensor:
    """The KL over the first two words and the rest, by its definition."""
    p, q = (
        torch.cat([log[:, :2].exp(), log[:, 2:].exp().sum(1, keepdim=True)], dim=1)
        for log in (log_p.log_softmax(1), log_q.log_softmax(1))
    )
    first, second = (p, q) if reverse else (q, p)
    return (first * (first / second).log()).sum(1)


class TestTopK:
    log_p = torch.randn(50, 12, generator=torch.Generator().manual_seed(1)).mul(2).log_softmax(1)
    log_q = torch.randn(50, 12, generator=torch.Generator().manual_seed(2)).mul(2).log_softmax(1)

    def test_it_grows_with_k_up_to_the_full_divergence(self):
        full = divergence(self.log_p, self.log_q, beta=0.0)
        before = torch.zeros(50)
        for k in range(1, 12):
            now = top_k_kl(self.log_p, top_k(self.log_q, k))
            assert bool((now >= before - 1e-5).all()) and bool((now <= full + 1e-5).all())
            before = now
        assert torch.allclose(before, full, atol=1e-4)  # the bucket holds one word
        assert torch.allclose(top_k_kl(self.log_p, top_k(self.log_q, None)), full, atol=1e-5)

    def test_outcomes_counted_by_hand(self):
        teacher, student = (
            torch.tensor([[0.5, 0.3, 0.1, 0.1]]),
            torch.tensor([[0.2, 0.2, 0.3, 0.3]]),
        )
        found = top_k_kl(student.log(), top_k(teacher.log(), 2))
        p, q = torch.tensor([0.5, 0.3, 0.2]), torch.tensor([0.2, 0.2, 0.6])
        assert found.item() == pytest.approx(float((p * (p / q).log()).sum()), abs=1e-6)
        assert merged(teacher.log(), torch.tensor([[0, 1]])).exp()[0, 2].item() == pytest.approx(
            0.2
        )
        turned = top_k_kl(student.log(), top_k(teacher.log(), 2), reverse=True)
        assert turned.item() == pytest.approx(float((q * (q / p).log()).sum()), abs=1e-6)

    @pytest.mark.parametrize("low", [-8.0, -14.0, -20.0, -60.0])
    @pytest.mark.parametrize("reverse", [False, True])
    def test_a_small_rest_is_exact_as_in_float64(self, low, reverse):
        """1 − Σ of the k words would be 0 or noise here, in float32, and have no gradient."""
        teacher = torch.tensor([[0.35, 0.35, *[0.0375] * 8]]).log()
        logits = torch.tensor([[0.0, 0.0, *[low] * 8]], requires_grad=True)
        exact = logits.detach().double().requires_grad_()
        found = top_k_kl(logits, top_k(teacher, 2), reverse)
        expected = over_outcomes(exact, teacher.double(), reverse)
        assert found.item() == pytest.approx(expected.item(), rel=1e-5)
        found.sum().backward()
        expected.sum().backward()
        assert torch.allclose(logits.grad.double(), exact.grad, rtol=1e-4, atol=1e-7)

    def test_a_teachers_small_rest_is_exact_too(self):
        logits = torch.tensor([[30.0, 29.0, *[0.0] * 10]])
        sent = top_k(logits, 2).log_probs[0, 2]
        assert sent.item() == pytest.approx(
            float(logits.double().log_softmax(1)[0, 2:].logsumexp(0)), rel=1e-5
        )

    def test_a_sure_teacher_gives_finite_gradients(self):
        logits = torch.tensor([[80.0, 0.0, 0.0, 0.0]])
        student = torch.tensor([[60.0, 0.0, 1.0, 0.0]], requires_grad=True)
        top_k_kl(student.log_softmax(1), top_k(logits, 2)).sum().backward()
        assert student.grad.isfinite().all()

    @pytest.mark.parametrize("k", [0, 12, 13])
    def test_a_k_outside_the_vocabulary_is_refused(self, k):
        with pytest.raises(ValueError, match="1..11"):
            top_k(self.log_q, k)

    def test_top_k_of_tokens_is_that_of_those_tokens(self):
        whole = TopK(torch.arange(12).view(4, 3), torch.randn(4, 4))
        joined = TopK.joined([whole[:1], whole[1:]])
        assert torch.equal(joined.words, whole.words)
        assert torch.equal(joined.log_probs, whole.log_probs)
        part = whole[torch.tensor([3, 1])]
        assert part.words.tolist() == [[9, 10, 11], [3, 4, 5]] and torch.equal(
            part.log_probs, whole.log_probs[[3, 1]]
        )


def token_losses(student, rollouts: Rollouts, alpha: float, row_length: int | None) -> torch.Tensor:
    tokens = ScoredTokens.of(rollouts, row_length)
    return NearPolicyLoss(alpha).per_token(RealTokenLogits(student)(tokens), tokens)


class TestLoss:
    @pytest.mark.parametrize("alpha", [0.0, 0.4, 1.0])
    def test_packed_is_padded(self, alpha):
        student, rollouts = make_student(), rollouts_of(20)
        padded, packed = (token_losses(student, rollouts, alpha, n) for n in (None, 16))
        assert len(padded) == int(rollouts.lengths.sum())
        assert torch.allclose(padded.sort().values, packed.sort().values, atol=1e-5)

    def test_without_the_teacher_it_is_cross_entropy_and_with_all_words_the_full_kl(self):
        student, rollouts = make_student(), rollouts_of(20, ALL_WORDS)
        batch = rollouts.batch
        with torch.no_grad():
            logits, real = student(batch), batch.target_out != PAD
            kl = divergence(logits, make_teacher()(batch), 0.0)[real]
            assert torch.allclose(token_losses(student, rollouts, 1.0, None), kl, atol=1e-5)
            nll = -token_log_probs(logits, batch)[real]
            assert torch.allclose(token_losses(student, rollouts, 0.0, None), nll, atol=1e-5)

    def test_reverse_kl_over_all_words(self):
        student, rollouts = make_student(), rollouts_of(20, ALL_WORDS)
        batch = rollouts.batch
        with torch.no_grad():
            kl = divergence(student(batch), make_teacher()(batch), 1.0)[batch.target_out != PAD]
            tokens = ScoredTokens.of(rollouts, None)
            logits = RealTokenLogits(student)(tokens)
            found = NearPolicyLoss(1.0, reverse=True).per_token(logits, tokens)
        assert torch.allclose(found, kl, atol=1e-5)

    def test_a_student_without_masks_cannot_be_packed(self):
        with pytest.raises(ValueError, match="Transformer"):
            token_losses(make_teacher(), rollouts_of(4), 0.5, 16)
        assert token_losses(make_teacher(), rollouts_of(4), 0.5, None).isfinite().all()


class TestLearning:
    def test_it_ends_when_the_tokens_are_reached_and_counts_what_it_took(self):
        seen, student, schedule = [], make_student(), Schedule(4)
        run = learn(
            student,
            LocalSource(make_worker()),
            schedule,
            learning(),
            observe=lambda rollouts, _: seen.append(rollouts),
        )
        assert 400 <= run.n_tokens < 400 + 4 * 20 and run.n_updates == len(run.staleness)
        assert run.n_drawn == run.n_kept >= sum(map(len, seen)) and len(seen) == run.n_updates
        trained = [event for event in run.events if event.what == TRAIN]
        updates = range(run.n_updates)
        assert [event.update for event in trained] == list(updates)
        assert run.staleness == [update - schedule.version(update) for update in updates]
        assert not torch.equal(weights(student), weights(make_student()))

    @pytest.mark.parametrize("schedule", [Schedule(1, 0), Schedule(None)])
    def test_rollouts_are_drawn_by_the_student_as_the_schedule_has_it(self, schedule):
        """Synchronised at each update they are the student's own, and never, those of the start."""
        student, worker, same = make_student(), make_worker(), []

        def observe(rollouts, n_done):
            drawer = student if schedule.interval else make_student()
            same.append(torch.equal(weights(drawer), weights(worker.student)))

        learn(student, LocalSource(worker), schedule, learning(200), observe)
        assert all(same) and len(same) > (3 if schedule.interval else 0)

    def test_the_teachers_own_data_do_not_change_as_the_student_learns(self):
        drawn: list[Rollouts] = []
        config = RolloutConfig(0.0, 3)
        worker = RolloutWorker(make_teacher(), make_teacher(), ENCODED, config, 20, seed=1)
        learn(
            make_student(),
            FixedPolicySource(worker),
            Schedule(1, 0),
            learning(3000, loss=NearPolicyLoss(0.0)),
            observe=lambda rollouts, _: drawn.append(rollouts),
        )
        by_row = {}
        for batch in (rollouts.batch for rollouts in drawn):
            for row, target in zip(batch.rows.tolist(), batch.target_out.tolist(), strict=True):
                sentence = tuple(word for word in target if word != PAD)
                assert by_row.setdefault(row, sentence) == sentence
        assert len(by_row) == len(ENCODED) and len(drawn) > 4  # every source, and more than once
        greedy = search(make_teacher(), SOURCES[:5], 1)
        for row in range(5):
            assert VOCABULARY.words(by_row[row]) == list(greedy[row][0].tokens)

    def test_what_the_trainer_scores_is_what_the_generator_would_have_scored(self):
        whole = rollouts_of(9)
        part = rollouts_of(9, RolloutConfig(top_k=3, scored=0.6))
        assert len(part.teacher.log_probs) == int(whole.lengths[:5].sum())
        done = part.scored_by(make_teacher())
        assert torch.equal(done.teacher.words, whole.teacher.words)
        assert torch.allclose(done.teacher.log_probs, whole.teacher.log_probs, atol=1e-5)
        assert done.scored_by(make_teacher()) is done

    def test_a_trainer_that_scores_records_it(self):
        worker = make_worker(RolloutConfig(top_k=3, scored=0.5))
        run = learn(
            make_student(), LocalSource(worker), Schedule(4), learning(), teacher=make_teacher()
        )
        who = {event.who for event in run.events if event.what == SCORE}
        assert who == {"generator", "trainer"} and all(map(math.isfinite, run.loss))

    def test_the_student_comes_nearer_to_its_teacher(self):
        student, teacher = make_student(), make_teacher()
        for parameter in teacher.parameters():
            parameter.data.mul_(2.0)
        worker = RolloutWorker(make_student(), teacher, ENCODED, THREE_WORDS, 16, 1)
        run = learn(
            student, LocalSource(worker), Schedule(4), learning(8000, loss=NearPolicyLoss(1.0))
        )
        assert sum(run.loss[-5:]) < 0.5 * sum(run.loss[:5])
