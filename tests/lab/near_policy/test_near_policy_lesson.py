"""What lesson 14 measures on the spot, how it reads the results, and its pictures."""

from __future__ import annotations

import copy
from statistics import fmean, median

import pytest
import synthetic_near_policy as synthetic
import torch

from seqkd_lab.corpus.batching import encode, make_batch
from seqkd_lab.corpus.packing import pack
from seqkd_lab.lab.near_policy import figures, measures, results
from seqkd_lab.lab.shared.lesson import png
from seqkd_lab.lab.shared.paired import paired_figure
from seqkd_lab.lab.shared.predictions import CANNOT_TELL, largest
from seqkd_lab.models.transformer import TransformerSeq2Seq, TransformerSpec
from seqkd_lab.studies.near_policy.recipes import FORWARD, LATE, REVERSE, warm_start
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
        for step in results.steps(CLOCK).values():
            whole *= median(step)
        found = results.factors(CLOCK)
        assert whole == pytest.approx(median(found[LADDER[-1].name]) / median(found[LOOP]))

    def test_the_largest_must_be_above_every_other(self):
        first, second = [1.0, 1.1, 0.9], [2.0, 2.1, 1.9]
        assert largest({"a": first, "b": second}) == "b"
        assert largest({"a": first, "b": second, "c": [2.2, 1.9, 2.0]}) == CANNOT_TELL

    def test_differences_are_paired_and_name_what_they_compare(self):
        found = results.staleness_differences(SEEDS)
        assert fmean(found["reverse KL: every 1 − before"]) == pytest.approx(3.0, abs=0.2)
        assert set(map(len, found.values())) == {len(SEEDS)} and len(found) == 5
        for measure in ("validity", "samples"):
            own = results.writer_differences(SEEDS, measure)
            name = f"{LATE} epochs: own sentences, forward KL − teacher's samples"
            assert len(own) == 5 and max(own[name]) < 0.0

    def test_answers_follow_the_seeds_and_are_not_told_where_they_differ(self):
        assert results.whose(SEEDS) == results.TEACHERS
        assert results.better_loss(SEEDS, "samples") == REVERSE
        split = copy.deepcopy(SEEDS)
        for number, rows in enumerate(split):
            for loss in (FORWARD, REVERSE):
                rows[results.arm_name(LATE, results.EVERY[16], loss)]["samples"] = 50.0
            if number % 2:
                rows[results.arm_name(LATE, results.EVERY[16], FORWARD)]["samples"] = 51.0
        assert results.better_loss(split, "samples") == CANNOT_TELL

    def test_lags_and_shares_of_valid_samples(self):
        found = results.lags(SEEDS)
        assert list(found)[-1] == results.TO_TEACHER and len(found) == 4
        shares = results.valid_shares(SEEDS)
        assert largest(shares) == "dropped high" and max(shares["dropped low"]) == 0.0
        counts = results.delta_counts(SEEDS)
        assert counts["valid"][0] == sum(range(1, 6))
        assert len(counts["edges"]) == len(counts["valid"]) + 1


class TestFigures:
    def test_packing_shows_every_sentence_once_and_has_a_key(self, batch):
        packed = pack(batch, 48)
        rows, mask, bars = figures.packing_figure(packed, measures.efficiencies(batch, (48,))).axes
        assert sorted(int(text.get_text()) for text in rows.texts) == list(range(20))
        assert f"{packed.efficiency:.0%}" in [text.get_text() for text in bars.texts]
        key = [text.get_text() for text in mask.get_legend().get_texts()]
        assert key == ["may look", "may not"]

    def test_curves_are_drawn_over_tokens_and_over_seconds(self):
        tokens, seconds = figures.curves_figure(SEEDS, CLOCK).axes
        assert len(tokens.lines) == len(seconds.lines) == len(figures.LOOKS)
        every_16 = results.seconds_by_way(CLOCK)["every 16"]
        ends = [line.get_xdata()[-1] for line in seconds.lines]
        assert any(end == pytest.approx(80.0 * every_16) for end in ends)

    def test_the_longest_cost_bar_ends_within_the_axes(self):
        _, costs = figures.factor_figure(CLOCK).axes
        ends = [bar.get_x() + bar.get_width() for bar in costs.patches]
        assert 0.9 * costs.get_xlim()[1] < max(ends) < costs.get_xlim()[1]

    def test_the_others_show_their_numbers(self):
        lag = figures.lag_figure(SEEDS)
        mean = fmean(results.lags(SEEDS)[results.TO_TEACHER])
        assert f"{mean:.4f}" in [text.get_text() for text in lag.axes[0].texts]
        delta = figures.delta_figure(SEEDS)
        total = sum(results.delta_counts(SEEDS)["valid"])
        assert f"valid: {total:,}" in [
            text.get_text() for text in delta.axes[0].get_legend().get_texts()
        ]
        ladder, _ = figures.factor_figure(CLOCK).axes
        shown = [text.get_text() for text in ladder.texts]
        assert f"{median(results.factors(CLOCK)[NEAR_POLICY]):.2f}" in shown
        assert len(shown) == len(LADDER) + 1
        pairs = paired_figure(results.staleness_differences(SEEDS), "points")
        for figure in (lag, delta, pairs, figures.seen_figure({1: 0.5, 8: 0.9})):
            assert png(figure).startswith(b"\x89PNG")


def test_the_committed_student_is_the_lessons():
    assert measures.student_before().spec == warm_start(21).model
