"""What lesson 10 measures on the spot, and its pictures."""

from __future__ import annotations

from dataclasses import replace
from statistics import fmean, median

import pytest
import torch
from synthetic_speculative import SENTENCES, seeds_of

from seqkd_lab.decoding.distribution import SamplingDistribution
from seqkd_lab.decoding.speculative import residual
from seqkd_lab.lab.shared.lesson import png
from seqkd_lab.lab.speculative import figures, measures
from seqkd_lab.lab.speculative.measures import Counted, OneWord, Shared
from seqkd_lab.models.transformer import TransformerSpec
from seqkd_lab.runs.recipes import BASELINE, SEQ_KD, TEACHER
from seqkd_lab.studies.speculative.exactness import Exactness
from seqkd_lab.studies.speculative.recipes import DEEP, DRAFTING, DRAFTS
from seqkd_lab.studies.speculative.tables import medians_by_length, refined_speed_ups
from seqkd_lab.studies.speculative.tokens import (
    Counter,
    expected_tokens,
    measure_tokens,
    overlaps,
    with_ends,
)

TOKENS = ("<pad>", "<s>", "</s>", "<unk>", "a", "b")
WORD = OneWord(
    torch.tensor([0.0, 0.0, 0.1, 0.0, 0.7, 0.2]),
    torch.tensor([0.0, 0.0, 0.3, 0.0, 0.4, 0.3]),
    TOKENS,
)


@pytest.fixture
def models(toy_models):
    return toy_models["teacher"], {name: toy_models[name] for name in (BASELINE, SEQ_KD)}


@pytest.fixture
def targets():
    return [one for one in seeds_of() if one.clock]


class TestOneWord:
    @pytest.mark.parametrize(
        "distribution",
        [SamplingDistribution(), SamplingDistribution(0.0), SamplingDistribution(0.7, top_k=3)],
    )
    def test_it_is_the_models_own_distribution(self, toy, models, distribution):
        target, drafts = models
        source, prefix = toy.test.source[0], toy.test.target[0][:2]
        word = measures.one_word(target, drafts[SEQ_KD], source, prefix, distribution)
        assert word.q.sum() == pytest.approx(1.0) and word.p.sum() == pytest.approx(1.0)
        pairs = toy.test[:1].with_target((prefix,))
        (_, _, last) = overlaps(target, drafts[SEQ_KD], pairs, distribution)
        assert word.acceptance == pytest.approx(last, abs=1e-5)
        assert torch.equal(word.residual, residual(word.p, word.q)) and word.tokens[2] == "</s>"

    def test_words_by_the_rule_follow_the_target(self):
        n = 200_000
        came, again = measures.by_the_rule(WORD, n)
        assert (came + again - WORD.q).abs().max() < 5 * 0.5 / n**0.5
        assert (came - torch.minimum(WORD.p, WORD.q)).abs().max() < 5 * 0.5 / n**0.5
        assert again[4] == 0.0  # the draft has brought more than enough of it

    def test_its_figure_shows_every_distribution_once_and_no_number_on_a_line(self):
        figure = figures.one_word_figure(WORD, 50_000)
        texts = [[text.get_text() for text in [*axes.texts, *axes.artists]] for axes in figure.axes]
        assert "0.700" in texts[0] and "0.400" in texts[1]
        assert "0.667" in texts[2] and "(end)" in texts[0]
        drawn = figure.axes[3]
        shown = [float(text.get_text()) for text in drawn.texts]
        assert sum(shown) == pytest.approx(1.0, abs=0.01)
        lines = dict((row, x) for x, row in _ends_of_lines(drawn))
        assert all(text.get_position()[0] > lines[text.get_position()[1]] for text in drawn.texts)
        assert png(figure).startswith(b"\x89PNG")


def _ends_of_lines(axes) -> list[tuple[float, float]]:
    """The place and the row of each vertical line."""
    (lines,) = axes.collections
    return [
        (float(path[0][0]), round(float(path[:, 1].mean()), 6)) for path in lines.get_segments()
    ]


class TestShared:
    def test_mean_and_error_by_hand(self):
        found = Shared({"c": torch.tensor([0.5, 0.9] * 200)})
        assert found.mean("c") == pytest.approx(0.7)
        assert found.error("c") == pytest.approx(0.2 / 400**0.5, rel=0.01)

    def test_measured_it_is_the_overlap_at_the_same_places(self, toy, models):
        found = measures.shared(*models, toy.test.source[:4], 0.0)
        lengths = {len(values) for values in found.by_place.values()}
        assert len(lengths) == 1 and set(found.by_place) == set(models[1])
        assert set(torch.cat(list(found.by_place.values())).unique().tolist()) <= {0.0, 1.0}


class TestCounted:
    def test_tokens_per_call_are_those_of_all_sentences_together(self):
        counted = Counted(2, (6, 3), (2, 3), Counter())
        assert counted.mean == 9 / 5
        residuals = (6 - 1.8 * 2, 3 - 1.8 * 3)
        spread = ((residuals[0] - residuals[1]) ** 2 / 2) ** 0.5
        assert counted.error == pytest.approx(spread / (2.5 * 2**0.5))

    def test_sentences_that_are_alike_leave_no_error(self):
        assert Counted(1, (4, 4, 4), (2, 2, 2), Counter()).error == 0.0

    def test_the_error_is_about_the_scatter_of_repeated_counts(self, toy, models):
        target, drafts = models
        (counted,) = measures.count_tokens(target, drafts[SEQ_KD], [toy.test.source[0]] * 60, (2,))
        halves = [
            Counted(2, counted.n_tokens[i::6], counted.n_calls[i::6], Counter()) for i in range(6)
        ]
        scatter = torch.tensor([half.mean for half in halves]).std().item()
        assert counted.error * 6**0.5 == pytest.approx(scatter, rel=0.8)

    def test_what_is_counted_by_sentence_adds_up(self, toy, models):
        target, drafts = models
        heard = []
        found = measures.count_tokens(
            target,
            drafts[SEQ_KD],
            toy.test.source[:3],
            (1, 3),
            SamplingDistribution(0.0),
            lambda *at: heard.append(at),
        )
        assert heard == [(1, 2), (2, 2)] and [one.draft_length for one in found] == [1, 3]
        for one in found:
            assert sum(one.n_calls) == one.count.n_calls and len(one.n_tokens) == 3
        again = measure_tokens(target, {"d": drafts[SEQ_KD]}, toy.test.source[:3], (0.0,), (1, 3))
        assert [one.mean for one in found] == [one.tokens_per_call for one in again]


class TestMeasures:
    def test_a_draft_that_is_the_target_is_accepted_at_every_temperature(self, toy, models):
        heard = []
        found = measures.by_temperature(
            models[0],
            {"itself": models[0]},
            toy.test.source[:3],
            (0.0, 1.0, 4.0),
            lambda *at: heard.append(at),
        )
        assert list(found["itself"].values()) == pytest.approx([1.0] * 3, abs=1e-5)
        assert heard[-1] == (3, 3)

    def test_sentences_that_share_their_calls_save_fewer(self, toy, models):
        target, drafts = models
        found = measures.calls_saved(target, drafts[SEQ_KD], toy.test.source[:8], (1, 8), 4)
        assert found[1] > found[8] >= 1.0
        (alone,) = measure_tokens(
            target, {SEQ_KD: drafts[SEQ_KD]}, toy.test.source[:1], (1.0,), (4,), seed=0
        )
        assert measures.calls_saved(target, drafts[SEQ_KD], toy.test.source[:1], (1,), 4) == {
            1: alone.tokens_per_call
        }

    def test_the_small_target_is_timed_in_every_round(self, toy, models):
        target, drafts = models
        found = measures.small_speed_ups(target, drafts[SEQ_KD], toy.test.source[:3], (1, 3), 2)
        assert list(found) == [1, 3]
        assert all(len(values) == 2 and min(values) > 0 for values in found.values())

    def test_steps_are_those_of_a_transformer_of_the_presets_size(self, toy, models, monkeypatch):
        made, small = [], replace(DRAFTING, deep=TransformerSpec(8, 1, 2, 8, 0.0))
        monkeypatch.setattr(measures, "DRAFTING", small)
        build = measures.build
        monkeypatch.setattr(
            measures, "build", lambda spec, *rest: made.append(spec) or build(spec, *rest)
        )
        target, drafts = models
        steps = measures.step_times(
            target, drafts[SEQ_KD], toy.source_vocabulary, toy.test.source[0], (1, 3), 2
        )
        assert made == [small.deep]
        assert {one.model for one in steps} == {TEACHER, BASELINE, DEEP}
        (axes,) = figures.steps_figure(steps).axes
        lines = [line for line in axes.lines if list(line.get_xdata()) == [1, 3]]
        assert len(lines) == 3 and all(line.get_ydata()[0] == 1.0 for line in lines)


class TestFigures:
    def test_tokens_stand_beside_both_formulas_with_their_errors(self):
        counted = [
            Counted(K, SENTENCES, tuple(n // 2 for n in SENTENCES), Counter()) for K in (1, 4)
        ]
        axes = figures.tokens_figure(counted, 0.8, "d").axes[0]
        formula, ends = (list(line.get_ydata()) for line in axes.lines[:2])
        assert formula == [expected_tokens(0.8, 1), expected_tokens(0.8, 4)]
        assert ends == [with_ends(0.8, 1, SENTENCES), with_ends(0.8, 4, SENTENCES)]
        (bars,) = axes.containers
        assert list(bars[0].get_ydata()) == [one.mean for one in counted]
        low, high = bars[2][0].get_segments()[1][:, 1]
        assert high - low == pytest.approx(4 * counted[1].error)

    def test_the_clock_has_a_panel_a_temperature_and_a_line_a_draft(self, targets):
        figure = figures.clock_figure(targets, (1.0, 0.0))
        assert [axes.get_title() for axes in figure.axes] == ["temperature 1", "greedy"]
        assert len({axes.get_ylim() for axes in figure.axes}) == 1
        for axes, temperature in zip(figure.axes, (1.0, 0.0), strict=True):
            for line, draft in zip(axes.lines[: len(DRAFTS)], DRAFTS, strict=True):
                found = medians_by_length(targets, draft, temperature)
                assert line.get_label() == draft
                assert list(line.get_ydata()) == [fmean(values) for values in found.values()]
        assert png(figure)

    def test_drafts_are_told_apart_by_mark_and_colour(self, targets):
        lines = figures.clock_figure(targets, (1.0,)).axes[0].lines[: len(DRAFTS)]
        assert len({(line.get_color(), line.get_marker()) for line in lines}) == len(DRAFTS)

    def test_the_gap_has_the_formula_what_is_added_and_the_clock(self, targets):
        axes = figures.gap_figure(targets, SEQ_KD, 1.0).axes[0]
        for line, values in zip(
            axes.lines[:3], refined_speed_ups(targets, SEQ_KD, 1.0).values(), strict=True
        ):
            assert list(line.get_ydata()) == list(values.values())
        clock = medians_by_length(targets, SEQ_KD, 1.0)
        assert list(axes.containers[0][0].get_ydata()) == [fmean(v) for v in clock.values()]

    def test_exactness_has_a_row_for_each_draft_and_rule(self, targets):
        tests = [test for one in targets for test in one.exactness]
        (axes,) = figures.exactness_figure(tests).axes
        labels = [label.get_text() for label in axes.get_yticklabels()]
        assert len(labels) == 4 and f"{SEQ_KD}: redrawn from q" in labels
        drawn = [x for line in axes.lines[:-1] for x in line.get_xdata()]
        assert len(drawn) == len(tests) and min(drawn) == figures.LEAST_SHOWN
        assert any("3 of 3 below" in text.get_text() for text in axes.texts)
        certain = Exactness("a", "exact", 1.0, 4, 1, 100, 3, 0.0)  # too small to be drawn
        assert png(figures.exactness_figure([certain]))

    def test_limits_show_both(self):
        figure = figures.limits_figure(
            {1: 3.0, 8: 2.0}, {BASELINE: {0.0: 0.9, 8.0: 0.8}, "other": {0.0: 0.5, 8.0: 0.4}}
        )
        batch, heat = figure.axes
        assert [label.get_text() for label in batch.get_xticklabels()] == ["1", "8"]
        assert "3.00" in [text.get_text() for text in batch.texts]
        assert [label.get_text() for label in heat.get_xticklabels()] == ["0", "8"]
        assert len(heat.lines) == 2 and png(figure)


def test_medians_are_of_a_targets_own_rounds(targets):
    (first, *_) = targets
    own = next(time for time in first.clock if time.draft_length == 0)
    drafted = next(time for time in first.clock if (time.draft, time.draft_length) == (SEQ_KD, 4))
    expected = median(
        a / b for a, b in zip(own.seconds_per_token, drafted.seconds_per_token, strict=True)
    )
    assert medians_by_length([first], SEQ_KD, 1.0)[4] == [pytest.approx(expected)]
