"""What lesson 11 measures on the spot, how it reads the study's results, and what it says."""

from __future__ import annotations

import copy
import math

import pytest
import synthetic_on_policy
import torch
from torch.distributions import Categorical, kl_divergence

from seqkd_lab.distillation.exposure import STUDENT, WRITERS
from seqkd_lab.distillation.on_policy import OnPolicy
from seqkd_lab.lab.on_policy import figures, measures, words
from seqkd_lab.lab.shared.lesson import png
from seqkd_lab.lab.shared.predictions import CANNOT_TELL
from seqkd_lab.lab.shared.style import OTHER
from seqkd_lab.studies.on_policy import measures as study_measures
from seqkd_lab.studies.on_policy import recipes
from seqkd_lab.studies.on_policy.claims import GRADIENT
from seqkd_lab.studies.on_policy.gradients import ESTIMATORS, FULL, WORD, gradient_record
from seqkd_lab.studies.on_policy.measures import own_reverse, percent_drawn, percent_greedy
from seqkd_lab.studies.on_policy.recipes import ARMS, FORWARD, GOLD, OWN, REVERSE, START, arm

P, Q = torch.tensor([0.7, 0.2, 0.06, 0.04]), torch.tensor([0.1, 0.3, 0.35, 0.25])


@pytest.fixture
def by_seed():
    return synthetic_on_policy.by_seed()


def changed(by_seed, name, **values):
    """The same seeds with other values of one arm: value + its seed's number · 0.0001."""
    seeds = copy.deepcopy(by_seed)
    for seed, rows in enumerate(seeds):
        rows[name] |= {key: value + 0.0001 * seed for key, value in values.items()}
    return seeds


class TestOneWord:
    def test_over_beta_the_scaled_divergence_joins_the_two_kls(self):
        curves = measures.beta_curves(P, Q, 201)
        forward, reverse = (
            float(kl_divergence(Categorical(a), Categorical(b))) for a, b in ((P, Q), (Q, P))
        )
        for name in ("plain", "scaled"):
            assert curves[name][0] == pytest.approx(forward, rel=1e-5)
            assert curves[name][-1] == pytest.approx(reverse, rel=1e-5)
        assert (
            curves["scaled"][1] == pytest.approx(forward, rel=0.02)
            and curves["plain"][1] < 0.02 * forward
        )
        steps = [abs(b - a) for a, b in zip(curves["scaled"], curves["scaled"][1:], strict=False)]
        assert max(steps) < 0.05 * max(curves["scaled"])  # nothing jumps

    def test_drawn_words_tell_the_reverse_kl_on_average(self):
        found = measures.sampled_kl(P, Q, 100_000)
        assert found.exact == pytest.approx(
            float(kl_divergence(Categorical(Q), Categorical(P))), rel=1e-5
        )
        assert abs(found.mean - found.exact) < found.margin < 0.1 * found.exact
        costs = (Q / P).log()
        assert found.spread == pytest.approx(
            float(costs[Categorical(Q).sample((200_000,))].std()), rel=0.05
        )

    def test_its_figure_says_both_ends_and_what_both_panels_measure(self):
        figure = figures.beta_figure(P, Q, ("a", "b", "c", "d"))
        texts = [text.get_text() for axes in figure.axes for text in axes.texts]
        forward = float(kl_divergence(Categorical(P), Categorical(Q)))
        assert f"forward KL: {forward:.2f}" in texts
        assert all(axes.get_xlabel() for axes in figure.axes)


class TestMeasures:
    def test_tuning_leaves_the_start_as_it_was(self, toy, toy_models):
        start = toy_models["baseline"]
        before = [weight.clone() for weight in start.parameters()]
        found = [
            measures.tune(start, toy_models["teacher"], toy, on_policy, 2, "a try")
            for on_policy in (None, OnPolicy())
        ]
        assert all(torch.equal(a, b) for a, b in zip(before, start.parameters(), strict=True))
        weights = [torch.cat([w.flatten() for w in one.model.parameters()]) for one in found]
        assert not torch.equal(*weights) and all(one.seconds > 0.0 for one in found)

    def test_the_clock_leaves_out_the_first_update(self, monkeypatch):
        moments = iter((100.0, 101.0, 104.0))
        monkeypatch.setattr(measures.time, "perf_counter", lambda: next(moments))
        clock = measures.Clock()
        for _ in range(3):
            clock.tick()
        assert clock.seconds == 2.0

    @pytest.mark.parametrize("n", [0, 1])
    def test_one_update_cannot_be_timed(self, n):
        clock = measures.Clock()
        for _ in range(n):
            clock.tick()
        with pytest.raises(ValueError, match="two updates"):
            _ = clock.seconds

    def test_leads_are_named_and_paired(self, by_seed):
        found = measures.leads(by_seed, ARMS[2], (START, ARMS[0]), percent_drawn)
        assert list(found) == [f"{ARMS[2]} − {START}", f"{ARMS[2]} − {ARMS[0]}"]
        assert list(found.values()) == [pytest.approx([3.0] * 3), pytest.approx([2.0] * 3)]

    def test_places_leave_out_what_few_reach(self, by_seed):
        curve = measures.position_curve(by_seed[0][START], STUDENT)
        assert curve == pytest.approx([0.2 + 0.01 * t for t in range(5)])


class TestStudysMeasures:
    def test_the_exposure_holds_every_writer_and_place(self, toy, toy_models):
        student, teacher = toy_models["baseline"], toy_models["teacher"]
        found = study_measures.exposure_record(student, teacher, toy.test[:4], 1)
        assert tuple(found) == WRITERS
        for one in found.values():
            assert len(one["n"]) == len(one["by_place"]) and one["n"][0] == 4
            mean = sum(n * v for n, v in zip(one["n"], one["by_place"], strict=True)) / sum(
                one["n"]
            )
            assert one["per_token"][REVERSE] == pytest.approx(mean, abs=1e-3)
        ratio = study_measures.mismatch({"exposure": found})
        assert ratio == pytest.approx(
            found[STUDENT]["per_token"][REVERSE] / found["gold"]["per_token"][REVERSE]
        )

    def test_of_a_random_students_translations_none_is_valid(self, toy, toy_models):
        sources = toy.test.source[:5]
        found = study_measures.translation_record(toy_models["baseline"], sources, 1)
        assert found["greedy_validity"] == found["drawn_validity"] == 0.0
        assert study_measures.drawn_validity(toy_models["baseline"], sources, 1) == 0.0

    def test_gold_is_valid_and_has_its_words(self, toy):
        pairs = toy.test[:20]
        assert study_measures.validity(pairs.source, pairs.target) == 1.0
        assert study_measures.validity(pairs.source, [(), *pairs.target[1:]]) == 0.95
        words = study_measures.words_per_source_word(
            [("a", "b"), ("c",)], [("x",), ("y", "z", "z", "z")]
        )
        assert words == pytest.approx(5 / 3)

    def test_gradients_of_a_real_batch(self, toy, toy_models):
        found = gradient_record(
            toy_models["baseline"], toy_models["teacher"], toy.valid[:16], 40, 1
        )
        assert set(found) == {"cosine", "variance", "norm"}
        assert all(set(row) == set(ESTIMATORS) for row in found.values())
        assert found["variance"][FULL] == found["norm"][FULL] == 1.0 < found["variance"][WORD]
        assert all(math.isfinite(value) for row in found.values() for value in row.values())


class TestFigures:
    def test_positions_show_the_mean_that_is_scored(self):
        curves = {f"along {writer}": [0.1, 0.2, 0.3] for writer in WRITERS}
        means = dict.fromkeys(curves, 0.17)
        axes = figures.positions_figure(curves, means, "title").axes[0]
        labels = [text.get_text() for text in axes.get_legend().get_texts()]
        assert labels == [f"along {writer}: 0.17" for writer in WRITERS]

    def test_each_arm_has_the_colour_of_its_words_and_the_mark_of_its_loss(self):
        looks = {name: (figures.role_of_arm(name), figures.mark_of_arm(name)) for name in ARMS}
        assert OTHER not in [role for role, _ in looks.values()]
        assert figures.role_of_arm(START) == OTHER and figures.mark_of_arm(START) == "*"
        assert looks[arm(OWN, REVERSE)][0] == looks[recipes.WORD][0]
        assert looks[arm(OWN, REVERSE)][1] != looks[recipes.WORD][1]
        assert looks[recipes.NLL_GOLD][0] == looks[arm(GOLD, FORWARD)][0]
        assert figures.role_of_arm("along student") == figures.role_of_arm(arm(OWN, FORWARD))
        assert len({(role.colour, mark) for role, mark in looks.values()}) == len(ARMS)

    def test_the_rest_draws(self, by_seed):
        assert png(figures.kinds_figure(by_seed))
        cosines, variances = figures.estimators_figure(by_seed).axes
        assert len(cosines.texts) == len(variances.texts) == len(ESTIMATORS)
        assert variances.get_xscale() == "log"


class TestWords:
    def test_sides(self):
        assert words.which_side([1.0, 1.1, 1.2], "up", "down") == "up"
        assert words.which_side([-1.0, -1.1, -1.2], "up", "down") == "down"
        assert words.which_side([-1.0, 1.1, 0.2], "up", "down") == CANNOT_TELL

    def test_compared_says_the_side(self):
        assert words.compared([1.0, 1.1, 1.2], "points", 1, "more", "fewer").endswith("(more)")
        assert words.compared([-1.0, -1.1], "points", 1, "more", "fewer").endswith("(fewer)")
        assert "contains 0" in words.compared([-1.0, 1.1], "points", 1, "more", "fewer")

    @pytest.mark.parametrize(
        ("own", "said"), [(0.6, "further"), (0.2, "nearer"), (0.31, "little difference")]
    )
    def test_the_mismatch(self, by_seed, own, said):
        record = copy.deepcopy(by_seed[0][START])
        record["exposure"][STUDENT]["per_token"][REVERSE] = own
        found = words.mismatch_in_words(record)
        assert said in found and f"{own:.2f} along its own" in found
        assert f"{own / 0.3:.2f} times" in found

    @pytest.mark.parametrize(("q", "said"), [(0.5, "more than chance"), (0.26, "Chance alone")])
    def test_the_live_run_says_what_so_few_sentences_tell(self, q, said):
        own, valid = {"on gold": 0.5, "on own words": 0.4}, {"on gold": 0.25, "on own words": q}
        found = repr(words.live_in_words(own, valid, 300))
        assert said in found and "from 300 sentences" in found and "0.400" in found

    def test_nearer_and_further(self, by_seed):
        found = words.nearer_in_words(by_seed)
        assert found.count("own words end nearer") == 4 and "Reverse kl" not in found
        turned = copy.deepcopy(by_seed)
        for rows in turned:
            rows[arm(OWN, REVERSE)], rows[arm(GOLD, REVERSE)] = (
                rows[arm(GOLD, REVERSE)],
                rows[arm(OWN, REVERSE)],
            )
        assert words.nearer_in_words(turned).count("gold words end nearer") == 2

    def test_translations_and_controls(self, by_seed):
        found = words.translations_in_words(by_seed)
        assert found.count("(more)") == 6
        fewer = changed(by_seed, arm(OWN, REVERSE), greedy_validity=0.1, drawn_validity=0.1)
        assert words.translations_in_words(fewer).count("(fewer)") == 4
        assert words.controls_in_words(by_seed).count("(more)") == 3
        assert words.controls_in_words(fewer).count("(fewer)") == 3

    def test_losses_seek_and_cover_only_where_all_three_say_so(self, by_seed):
        forward = arm(OWN, FORWARD)
        found = repr(words.losses_in_words(by_seed))
        assert "surer" in found and "Not all three" in found  # here it covers more, too
        seeking = copy.deepcopy(by_seed)
        for rows in seeking:
            rows[forward]["exposure"]["gold"]["per_token"][FORWARD] = 0.1
        assert "seeks modes" in repr(words.losses_in_words(seeking))

    def test_lengths(self, by_seed):
        assert "−" in words.length_in_words(by_seed) and "%" in words.length_in_words(by_seed)

    def test_gradients_say_what_a_baseline_does(self, by_seed):
        found = repr(words.gradients_in_words(by_seed))
        assert "takes away 25 [25, 25] percent" in found and "8.0 times the variance" in found
        larger, open_ = copy.deepcopy(by_seed), copy.deepcopy(by_seed)
        name = list(ESTIMATORS)[2]
        for factor, rows, other in zip((0.9, 1.1, 1.0), larger, open_, strict=True):
            rows[GRADIENT]["variance"][name] = 10.0
            other[GRADIENT]["variance"][name] = 8.0 * factor
        assert "makes it larger" in repr(words.gradients_in_words(larger))
        assert "may leave it" in repr(words.gradients_in_words(open_))

    def test_the_answers_of_the_gradients(self, by_seed):
        noise, less, bias = words.gradient_answers(by_seed)
        assert noise == pytest.approx([8.008, 8.016, 8.024])
        assert less == pytest.approx([25.0] * 3) and bias[0] == pytest.approx(0.58, abs=0.001)

    def test_word_arms_and_what_is_left(self, by_seed):
        assert words.word_arms_in_words(by_seed).count("(") == 4
        assert "at the start 1.67" in words.exposure_after_in_words(by_seed)

    def test_differences_are_paired(self, by_seed):
        found = words.differences(by_seed, ARMS[1], ARMS[0], percent_greedy)
        assert found == pytest.approx([0.9, 0.8, 0.7])
        assert words.differences(by_seed, ARMS[0], ARMS[0], own_reverse) == [0.0] * 3
