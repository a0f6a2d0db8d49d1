"""What lesson 14 measures on the spot, how it reads the results, and its pictures."""

from __future__ import annotations

import copy
from statistics import median

import pytest
import synthetic_near_policy as synthetic
import torch

from seqkd_lab.corpus.batching import encode, make_batch
from seqkd_lab.corpus.packing import pack
from seqkd_lab.lab.near_policy import figures, measures
from seqkd_lab.lab.shared.lesson import png
from seqkd_lab.models.transformer import TransformerSeq2Seq, TransformerSpec
from seqkd_lab.studies.near_policy.recipes import EVERY, KEPT, TEACHER_MODE, warm_start
from seqkd_lab.studies.near_policy.ways import LADDER, LOOP, NEAR_POLICY

CLOCK = [synthetic.clock_round(number) for number in range(1, 6)]
SEEDS = [synthetic.seed_rows(seed) for seed in range(1, 6)]


@pytest.fixture
def student(toy):
    torch.manual_seed(1)
    return TransformerSeq2Seq(
        TransformerSpec(8, 1, 2, 8, dropout=0.0), toy.source_vocabulary, toy.target_vocabulary
    ).eval()


@pytest.fixture
def batch(toy):
    return make_batch(
        encode(toy.train[:20], toy.source_vocabulary, toy.target_vocabulary), range(20)
    )


class TestOnTheSpot:
    def test_efficiency_is_the_share_of_real_places(self, batch):
        found = measures.efficiencies(batch, (40, 64))
        assert found["padded"] == batch.n_tokens / batch.target_out.numel()
        assert found["rows of 40"] == batch.n_tokens / (len(pack(batch, 40).target_in) * 40)

    def test_packed_and_padded_loss_agree(self, student, batch):
        together, alone = measures.packed_and_padded(student, batch, 40)
        assert together == pytest.approx(alone, abs=1e-5)

    def test_more_words_see_more_of_the_divergence(self, student, batch, toy_models):
        seen = list(
            measures.seen_of_the_kl(student, toy_models["teacher"], batch, (1, 4, 16)).values()
        )
        assert seen == sorted(seen) and 0.0 < seen[0] and seen[-1] < 1.0 + 1e-4

    @pytest.mark.slow
    def test_ways_are_timed_here_and_leave_the_student_as_it_was(self, student, toy, toy_models):
        before = copy.deepcopy(student.state_dict())
        seconds = measures.time_here([LADDER[1]], 4, student, toy_models["teacher"], toy, 200)
        assert set(seconds) == {LADDER[1].name} and seconds[LADDER[1].name] > 0.0
        assert all(torch.equal(before[name], value) for name, value in student.state_dict().items())


class TestResults:
    def test_steps_multiply_up_to_the_whole(self):
        whole = 1.0
        for step in measures.steps(CLOCK).values():
            whole *= step
        found = measures.factors(CLOCK)
        assert whole == pytest.approx(median(found[LADDER[-1].name]) / median(found[LOOP]))

    def test_shares_of_valid_samples_and_the_best_arm(self):
        assert measures.valid_shares(SEEDS) == {
            "dropped low": 0.5,
            "kept": 0.5,
            "dropped high": 0.5,
        }
        assert measures.best_arm(SEEDS, [EVERY[64], EVERY[4], TEACHER_MODE]) == EVERY[4]
        counts = measures.delta_counts(SEEDS)
        assert (
            counts["valid"][0] == sum(range(1, 6))
            and len(counts["edges"]) == len(counts["valid"]) + 1
        )


class TestFigures:
    def test_packing_shows_every_sentence_once(self, batch):
        packed = pack(batch, 48)
        rows, _, bars = figures.packing_figure(packed, measures.efficiencies(batch, (48,))).axes
        assert sorted(int(text.get_text()) for text in rows.texts) == list(range(20))
        assert f"{packed.efficiency:.0%}" in [text.get_text() for text in bars.texts]

    def test_accuracy_has_every_arm_over_tokens_and_the_timed_ones_over_seconds(self):
        figure = figures.accuracy_figure(SEEDS, CLOCK)
        tokens, seconds = figure.axes
        assert len(tokens.lines) == len(figures.LOOKS)
        assert len(seconds.lines) == len(measures.seconds_by_arm(CLOCK)) == len(EVERY) + 1
        every_16 = measures.seconds_by_arm(CLOCK)[EVERY[16]]
        ends = [line.get_xdata()[-1] for line in seconds.lines]
        assert any(end == pytest.approx(150.0 * every_16) for end in ends)

    def test_arms_and_delta_and_factor_show_their_numbers(self):
        arms = figures.arms_figure(SEEDS)
        assert {f"{one:.1f}" for one in (60.3, 40.0)} <= {
            text.get_text() for text in arms.axes[0].texts
        }
        delta = figures.delta_figure(SEEDS)
        total = sum(sum(one[KEPT]["delta"]["valid"]) for one in SEEDS)
        assert f"valid: {total:,}" in [
            text.get_text() for text in delta.axes[0].get_legend().get_texts()
        ]
        ladder, _ = figures.factor_figure(CLOCK).axes
        shown = [text.get_text() for text in ladder.texts]
        assert (
            f"{median(measures.factors(CLOCK)[NEAR_POLICY]):.2f}" in shown
            and len(shown) == len(LADDER) + 1
        )
        for figure in (arms, delta, figures.seen_figure({1: 0.5, 8: 0.9})):
            assert png(figure).startswith(b"\x89PNG")


def test_the_committed_student_is_the_lessons():
    assert measures.student_before().spec == warm_start(1).model
