"""What lesson 12 measures on the spot, how it reads the results, and its pictures."""

from __future__ import annotations

import pytest
import torch
from scipy.stats import binom
from synthetic_paced import HISTOGRAM, paced_of

from seqkd_lab.distillation.paced import signal_and_noise
from seqkd_lab.lab.paced import figures, measures
from seqkd_lab.lab.paced.measures import END_0, END_1, MIDDLE, JudgedDraws
from seqkd_lab.lab.shared.lesson import png
from seqkd_lab.runs.recipes import HARD, PACED, SHUFFLED
from seqkd_lab.studies.paced.recipes import ARMS, FORWARD, REVERSE, UNIFORM, label


@pytest.fixture
def rows():
    return [paced_of(), paced_of(4.0, more=1.0)]


def drawn_by_chance(p: float, n_sources: int, n: int, seed: int = 1) -> list[JudgedDraws]:
    """Sources whose draws are right with probability p."""
    generator = torch.Generator().manual_seed(seed)
    right = torch.rand(n_sources, n, generator=generator) < p
    return [
        JudgedDraws((f"source {place}",), (("x",),) * n, tuple(row.tolist()))
        for place, row in enumerate(right)
    ]


def values_in(axes) -> list[str]:
    return [text.get_text() for text in axes.texts]


class TestDraws:
    def test_every_draw_is_judged_by_the_language(self, toy, toy_models):
        class Even:
            """Accepts translations of an even number of words."""

            def is_valid(self, source, target) -> bool:
                return len(target) % 2 == 0

        found = measures.judge_draws(
            toy_models["baseline"], toy.test.source[:5], Even(), n_samples=6
        )
        assert [one.source for one in found] == list(toy.test.source[:5])
        for one in found:
            assert (
                one.valid == tuple(len(target) % 2 == 0 for target in one.targets)
                and len(one.targets) == 6
            )
            assert one.rate == sum(one.valid) / 6

    def test_each_different_draw_is_said_once_with_its_rule(self, toy):
        source, target = toy.test.source[0], toy.test.target[0]
        wrong = target[:-2]
        one = JudgedDraws(source, (target, wrong, target), (True, False, True))
        said = measures.draws_in_words(one, toy.language).splitlines()
        assert said[0] == f"p̂ = 0.667  {' '.join(source)}" and len(said) == 3
        assert said[1].strip().startswith("2 ×") and said[1].endswith("✓")
        assert said[2].strip().startswith("1 ×") and "✗ " in said[2]

    def test_the_nearest_are_the_shortest_of_their_kind(self):
        found = [
            JudgedDraws(("a", "b"), (), (True, False)),
            JudgedDraws(("a",), (), (True, False)),
            JudgedDraws(("c",), (), (True,)),
        ]
        assert measures.nearest(found, (0.5, 0.9)) == [found[1], found[2]]
        assert measures.histogram(found) == [0, 0, 0, 0, 2, 0, 0, 0, 1]

    @pytest.mark.parametrize("p", [0.1, 0.5])
    def test_few_draws_weigh_too_little_by_one_kth(self, p):
        value, expected, room = measures.few_draws(drawn_by_chance(p, 400, 64))
        truth = 7 / 8 * p * (1 - p)
        assert abs(value - expected) <= room and expected == pytest.approx(truth, abs=0.01)
        assert 0.0 < room < 0.03

    def test_draws_that_hang_together_are_noticed(self):
        """The first eight of a source all right or all wrong: p̂(1 − p̂) is 0, which the others do
        not say."""
        found = [
            JudgedDraws(one.source, one.targets, (one.valid[0],) * 8 + one.valid[8:])
            for one in drawn_by_chance(0.5, 100, 64)
        ]
        value, expected, room = measures.few_draws(found)
        assert value == 0.0 and expected - value > room


class TestGradients:
    def test_one_line_for_each_source(self, toy, toy_models):
        student = toy_models["baseline"]
        found = measures.own_gradients(student, toy_models["teacher"], toy.test[:4])
        assert found.shape == (4, sum(p.numel() for p in student.parameters()))
        assert torch.equal(
            found, measures.own_gradients(student, toy_models["teacher"], toy.test[:4])
        )
        assert len({tuple(line[:50].tolist()) for line in found}) == 4

    def test_the_bias_goes_with_n_and_the_corrected_ratio_stays(self):
        gradients = 0.2 + torch.randn(96, 50, generator=torch.Generator().manual_seed(4))
        found = measures.ratios_by_number(gradients, (4, 16, 96))
        signal, noise = signal_and_noise(gradients)
        assert found[96][1] == pytest.approx(signal / noise)
        for n, (plain, corrected) in found.items():
            assert plain - corrected == pytest.approx(1 / n)
            assert corrected == pytest.approx(found[96][1], abs=0.03)


class TestResults:
    def test_where_the_ratio_is_largest(self):
        def at(place: int) -> list[dict]:
            rows = paced_of()
            rows["noise"][FORWARD]["signal"] = [1.0 + (place == other) for other in range(9)]
            return [rows]

        assert [measures.where_largest(at(place), FORWARD) for place in (0, 2, 3, 5, 6, 8)] == [
            END_0,
            END_0,
            MIDDLE,
            MIDDLE,
            END_1,
            END_1,
        ]

    def test_means_are_over_the_seeds(self):
        found = measures.mean_ratios([paced_of(ends=0.2), paced_of(ends=0.4)], REVERSE)
        assert found == pytest.approx([0.15, *[0.5] * 7, 0.15])

    def test_the_kind_with_most_valid_draws(self, rows):
        assert measures.most_valid(rows, REVERSE, (UNIFORM, HARD, SHUFFLED)) == HARD
        assert measures.most_valid([paced_of(-2.0)], REVERSE, (UNIFORM, PACED)) == UNIFORM

    def test_moments_come_in_their_order(self):
        found = measures.moments(paced_of())
        assert list(found) == ["gold, epoch 1", "gold, epoch 10", "PACED, epoch 4"]
        assert found["gold, epoch 10"] == HISTOGRAM


class TestFigures:
    def test_few_draws(self):
        figure = figures.few_draws_figure((4, 8))
        ends, weights = figure.axes
        assert values_in(ends) == [
            f"{binom.pmf(0, K, 0.1) + binom.pmf(K, K, 0.1):.2f}" for K in (4, 8)
        ]
        heights = [max(line.get_ydata()) for line in weights.lines]
        assert heights == pytest.approx([3 / 16, 7 / 32, 1 / 4]) and png(figure)

    def test_bias(self):
        figure = figures.bias_figure({4: (0.3, 0.05), 16: (0.11, 0.05)})
        (axes,) = figure.axes
        assert values_in(axes) == ["0.300", "0.110", "0.050", "0.050"]
        assert list(axes.lines[2].get_ydata()) == [0.25, 0.0625] and png(figure)

    def test_noise_has_every_bin_of_both_losses(self, rows):
        figure = figures.noise_figure(rows)
        for axes, loss in zip(figure.axes, (FORWARD, REVERSE), strict=True):
            assert values_in(axes) == [
                "50.0",
                *["500.0"] * 7,
                "50.0",
            ] and axes.get_title().startswith(loss)
        assert png(figure) and png(figures.noise_figure(rows[:1]))

    def test_every_arm_has_a_line_and_a_missing_bin_none(self, rows):
        figure = figures.initial_figure(rows)
        drawn = [
            line for axes in figure.axes for line in axes.lines if line.get_label() in figures.LOOKS
        ]
        assert len(drawn) == len(ARMS) and all(len(line.get_xdata()) == 8 for line in drawn)
        (paced,) = [line for line in figure.axes[0].lines if line.get_label() == PACED]
        assert list(paced.get_ydata()) == pytest.approx([14.0] * 8)  # 43 and 45, from 30
        assert png(figure) and png(figures.initial_figure(rows[:1]))

    def test_every_arm_has_a_row_with_gain_and_loss(self, rows):
        figure = figures.arms_figure(rows)
        kept, left = figure.axes
        assert [text.get_text() for text in kept.get_yticklabels()] == [label(*arm) for arm in ARMS]
        row = [label(*arm) for arm in ARMS].index(label(FORWARD, PACED))
        assert (
            values_in(kept)[row] == "+14.0" and values_in(left)[row] == "−1.5"
        )  # 23 and 24, from 25
        assert png(figure) and png(figures.arms_figure(rows[:1]))
