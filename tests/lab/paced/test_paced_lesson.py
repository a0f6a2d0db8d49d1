"""What lesson 12 measures on the spot, how it reads the results, and its pictures."""

from __future__ import annotations

import pytest
import torch
from scipy.stats import binom
from synthetic_paced import HISTOGRAM, paced_of, seeds

from seqkd_lab.distillation.paced import signal_and_noise
from seqkd_lab.lab.paced import figures, measures
from seqkd_lab.lab.paced.measures import END_0, END_1, FEWER, MIDDLE, MORE, JudgedDraws
from seqkd_lab.lab.shared.lesson import png
from seqkd_lab.lab.shared.predictions import CANNOT_TELL
from seqkd_lab.studies.paced.claims import NOISE
from seqkd_lab.studies.paced.design import PACED, SHUFFLED, UNIFORM


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
        def even(source, target) -> bool:
            """Accepts translations of an even number of words."""
            return len(target) % 2 == 0

        found = measures.judge_draws(toy_models["baseline"], toy.test.source[:5], even, 6)
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
    @pytest.mark.parametrize(
        "signal, region",
        [
            ([9.0, *[1.0] * 8], END_0),
            ([*[1.0] * 8, 9.0], END_1),
            ([1.0, 1.0, 1.0, 5.0, 5.0, 5.0, 1.0, 1.0, 1.0], MIDDLE),
            ([1.0, 1.0, 1.0, 1.0, 9.0, 1.0, 1.0, 1.0, 1.0], MIDDLE),
            ([1.0, 9.0, 9.0, 1.0, 1.0, 1.0, 9.0, 9.0, 1.0], CANNOT_TELL),  # no place that is asked
        ],
    )
    def test_where_the_ratio_is_largest_is_decided_by_all_seeds(self, signal, region):
        rows = seeds(gain=1.0)
        for number, one in enumerate(rows):
            one[NOISE]["signal"] = [value + 0.01 * number for value in signal]
        assert measures.where_largest(rows) == region

    def test_seeds_that_disagree_tell_nothing(self):
        rows = [paced_of(ends=ends) for ends in (0.2, 1.8, 0.5, 1.6)]
        assert measures.where_largest(rows) == CANNOT_TELL

    @pytest.mark.parametrize("gain, said", [(3.0, MORE), (-3.0, FEWER), (0.0, CANNOT_TELL)])
    def test_the_side_of_a_difference(self, gain, said):
        assert measures.side(seeds(gain=gain), 0.8, PACED, UNIFORM) == said

    def test_no_side_is_told_where_uniform_weights_did_not_gain(self):
        assert measures.side(seeds(gain=3.0, learned=-1.0), 0.8, PACED, UNIFORM) == CANNOT_TELL

    def test_moments_come_in_their_order(self):
        found = measures.moments(paced_of())
        assert list(found)[:3] == ["the pool", "15% idle", "15% idle, after PACED"]
        assert len(found) == 7 and found["80% idle, after PACED"] == HISTOGRAM[::-1]


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

    def test_noise_has_every_bin(self):
        figure = figures.noise_figure(seeds(gain=3.0))
        (axes,) = figure.axes
        assert values_in(axes) == ["50.0", *["500.0"] * 7, "50.0"]
        assert png(figure) and png(figures.noise_figure([paced_of()]))

    def test_every_paired_difference_has_its_row(self):
        figure = figures.weights_figure(seeds(gain=3.0, random=-1.0))
        (axes,) = figure.axes
        names = [text.get_text() for text in axes.get_yticklabels()][::-1]
        assert names[:3] == [
            f"15% idle: {one} − {other}"
            for one, other in ((PACED, UNIFORM), (PACED, SHUFFLED), (SHUFFLED, UNIFORM))
        ]
        shown = values_in(axes)[::-1]
        assert len(names) == len(shown) == 9
        assert [text.split()[0] for text in shown[:3]] == ["+3.0", "+4.0", "−1.0"]
        assert png(figure)

    def test_what_was_learned_and_forgotten(self):
        (learned,) = figures.start_figure(seeds(learned=5.0)).axes
        assert [text.split()[0] for text in values_in(learned)] == ["+5.0"] * 3
        (forgotten,) = figures.forgetting_figure(seeds(forgotten=4.0, spared=1.0)).axes
        assert [text.split()[0] for text in values_in(forgotten)[::-1]] == ["−3.0", "+1.0"] * 3
