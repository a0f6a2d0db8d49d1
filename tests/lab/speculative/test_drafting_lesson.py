"""What lesson 10 measures on the spot, how it reads the results, and its pictures."""

from __future__ import annotations

from dataclasses import replace
from statistics import median

import pytest
import torch

from seqkd_lab.decoding.distribution import SamplingDistribution
from seqkd_lab.decoding.speculative import residual
from seqkd_lab.lab.shared.lesson import png
from seqkd_lab.lab.speculative import figures, measures
from seqkd_lab.lab.speculative.measures import STANDINGS, OneWord, Shared
from seqkd_lab.models.transformer import TransformerSpec
from seqkd_lab.runs.recipes import BASELINE, SEQ_KD, TEACHER, WORD_KD
from seqkd_lab.studies.speculative.clock import OWN
from seqkd_lab.studies.speculative.exactness import Exactness
from seqkd_lab.studies.speculative.recipes import DRAFTING, DRAFTS
from seqkd_lab.studies.speculative.tokens import expected_speed_up, measure_tokens

TOKENS = ("<pad>", "<s>", "</s>", "<unk>", "a", "b")
WORD = OneWord(
    torch.tensor([0.0, 0.0, 0.1, 0.0, 0.7, 0.2]),
    torch.tensor([0.0, 0.0, 0.3, 0.0, 0.4, 0.3]),
    TOKENS,
)


@pytest.fixture
def models(toy_models):
    return toy_models["teacher"], {name: toy_models[name] for name in (BASELINE, SEQ_KD)}


class TestOneWord:
    @pytest.mark.parametrize(
        "distribution",
        [SamplingDistribution(), SamplingDistribution(0.0), SamplingDistribution(0.7, top_k=3)],
    )
    def test_it_is_the_models_own_law(self, toy, models, distribution):
        target, drafts = models
        source, prefix = toy.test.source[0], toy.test.target[0][:2]
        word = measures.one_word(target, drafts[SEQ_KD], source, prefix, distribution)
        assert word.q.sum() == pytest.approx(1.0) and word.p.sum() == pytest.approx(1.0)
        pairs = toy.test[:1].with_target((prefix,))
        (_, _, last) = measures.overlaps(target, drafts[SEQ_KD], pairs, distribution)
        assert word.stands == pytest.approx(last, abs=1e-5)
        assert torch.equal(word.residual, residual(word.p, word.q)) and word.tokens[2] == "</s>"

    def test_words_by_the_rule_follow_the_target(self):
        n = 200_000
        stood, again = measures.by_the_rule(WORD, n)
        assert (stood + again - WORD.q).abs().max() < 5 * 0.5 / n**0.5
        assert (stood - torch.minimum(WORD.p, WORD.q)).abs().max() < 5 * 0.5 / n**0.5
        assert again[4] == 0.0  # the draft has brought more than enough of it

    def test_its_figure_shows_every_law_once(self):
        figure = figures.one_word_figure(WORD, 50_000)
        texts = [[text.get_text() for text in [*axes.texts, *axes.artists]] for axes in figure.axes]
        assert (
            "0.700" in texts[0]
            and "0.400" in texts[1]
            and "0.667" in texts[2]
            and "(end)" in texts[0]
        )
        shown = [float(text) for text in texts[3] if text not in ("", "0")]
        assert sum(shown) == pytest.approx(1.0, abs=0.01)
        assert png(figure).startswith(b"\x89PNG")


class TestShared:
    found = Shared(
        {
            "a": torch.full((400,), 0.9),
            "b": torch.full((400,), 0.8),
            "c": torch.tensor([0.5, 0.9] * 200),
        }
    )

    def test_the_lead_is_over_the_best_other(self):
        assert self.found.lead("a") == (pytest.approx(0.1), pytest.approx(0.0))
        lead, error = self.found.lead("c")
        assert lead == pytest.approx(-0.2) and error == pytest.approx(0.2 / 400**0.5, rel=0.01)

    def test_where_a_draft_stands(self):
        assert [measures.standing(self.found, name) for name in "abc"] == [
            STANDINGS[2],
            STANDINGS[1],
            STANDINGS[0],
        ]
        noisy = Shared(
            {"a": torch.tensor([0.0, 1.0] * 20), "b": torch.tensor([1.0, 0.0] * 19 + [0.0, 0.0])}
        )
        assert measures.standing(noisy, "a") == STANDINGS[1]

    def test_measured_it_is_the_overlap_at_the_same_places(self, toy, models):
        found = measures.shared(*models, toy.test.source[:4], 0.0)
        lengths = {len(values) for values in found.by_place.values()}
        assert len(lengths) == 1 and set(found.by_place) == set(models[1])
        assert set(torch.cat(list(found.by_place.values())).unique().tolist()) <= {0.0, 1.0}


class TestMeasures:
    def test_a_draft_that_is_the_target_stands_at_every_temperature(self, toy, models):
        heard = []
        found = measures.by_temperature(
            models[0],
            {"itself": models[0]},
            toy.test.source[:3],
            (0.0, 1.0, 4.0),
            lambda *at: heard.append(at),
        )
        assert list(found["itself"].values()) == pytest.approx([1.0] * 3, abs=1e-5) and heard[
            -1
        ] == (3, 3)

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
        found = measures.small_speed_ups(target, drafts[SEQ_KD], toy.test.source[:1], (1, 3), 2)
        assert list(found) == [1, 3] and all(
            len(values) == 2 and min(values) > 0 for values in found.values()
        )

    def test_steps_are_those_of_a_transformer_of_the_presets_size(self, toy, models, monkeypatch):
        made, small = [], replace(DRAFTING, target=TransformerSpec(8, 1, 2, 8, 0.0))
        monkeypatch.setattr(measures, "DRAFTING", small)
        build = measures.build
        monkeypatch.setattr(
            measures, "build", lambda spec, *rest: made.append(spec) or build(spec, *rest)
        )
        target, drafts = models
        steps = measures.step_times(
            target, drafts[SEQ_KD], toy.source_vocabulary, toy.test.source[0], (1, 3), 2
        )
        assert made == [small.target] and {one.model for one in steps} == {
            TEACHER,
            BASELINE,
            measures.LARGE,
        }
        (axes,) = figures.steps_figure(steps).axes
        lines = [
            line
            for line in axes.lines
            if len(line.get_xdata()) == 2 and list(line.get_xdata()) == [1, 3]
        ]
        assert len(lines) == 3 and all(line.get_ydata()[0] == 1.0 for line in lines)


class TestResults:
    def test_the_best_k_and_the_last_that_pays(self, drafting_results):
        clock = tuple(
            replace(
                one,
                seconds_per_token=[
                    0.01
                    / {0: 1.0, 3: 2.0}.get(one.draft_length, 0.5 if one.draft_length > 5 else 1.5)
                ]
                * 2,
            )
            for one in drafting_results.clock
        )
        results = replace(drafting_results, clock=clock)
        assert measures.best_length(results, WORD_KD, 1.0, 1) == 3
        frame = measures.payoff_frame(results, 1)
        assert (
            len(frame) == 2 * len(DRAFTS)
            and set(frame["best K"]) == {3}
            and set(frame["pays up to K"]) == {5}
        )
        assert set(frame["times as fast"]) == {"2.00"} and set(frame["adaptive"]) == {"1.50"}
        never = replace(
            results,
            clock=tuple(
                replace(one, seconds_per_token=[1.0 + (one.draft != OWN)] * 2) for one in clock
            ),
        )
        assert set(measures.payoff_frame(never, 2)["pays up to K"]) == {"none"}

    def test_ends_and_the_checks_price_make_the_formula_smaller(self, drafting_results):
        for draft in DRAFTS:
            for K, one in measures.tokens_at(drafting_results.tokens, draft, 1.0).items():
                assert measures.refined_speed_up(
                    one, drafting_results.steps, 1
                ) < expected_speed_up(
                    one.overlap, K, measures.cost(drafting_results.steps, draft, TEACHER, 1)
                )

    def test_the_clock_has_every_k_once_and_no_adaptive_one(self, drafting_results):
        found = measures.clock_of(drafting_results, SEQ_KD, 0.0, 2)
        assert list(found) == list(range(1, 9)) and all(
            len(values) == 3 for values in found.values()
        )


class TestFigures:
    def test_tokens_have_a_panel_for_each_draft_and_temperature(self, drafting_results):
        figure = figures.tokens_figure(drafting_results.tokens)
        assert (
            len(figure.axes) == 2 * len(DRAFTS)
            and len({axes.get_ylim() for axes in figure.axes}) == 1
        )
        for axes, (temperature, draft) in zip(
            figure.axes, [(tau, d) for tau in (1.0, 0.0) for d in DRAFTS], strict=True
        ):
            formula, ends, measured = (list(line.get_ydata()) for line in axes.lines)
            found = measures.tokens_at(drafting_results.tokens, draft, temperature)
            assert measured == [one.tokens_per_call for one in found.values()]
            assert all(low < high for low, high in zip(ends, formula, strict=True))
            assert axes.get_title().startswith(draft)

    def test_the_clock_is_drawn_for_each_number_of_threads(self, drafting_results):
        for threads in (1, 2):
            figure = figures.clock_figure(drafting_results, threads)
            panels = [axes for axes in figure.axes if axes.lines]
            assert len(panels) == 2 * len(DRAFTS) and len({axes.get_ylim() for axes in panels}) == 1
            clock = measures.clock_of(drafting_results, DRAFTS[0], 1.0, threads)
            assert list(panels[0].lines[3].get_ydata()) == [
                median(values) for values in clock.values()
            ]
            assert f"{threads} thread" in figure.get_suptitle() and png(figure)

    def test_exactness_has_a_row_for_each_draft_and_rule(self, drafting_results):
        (axes,) = figures.exactness_figure(drafting_results.exactness).axes
        labels = [label.get_text() for label in axes.get_yticklabels()]
        assert (
            len(labels) == 6
            and f"{BASELINE}: exact" in labels
            and f"{SEQ_KD}: redrawn from q" in labels
        )
        drawn = [x for line in axes.lines[:-1] for x in line.get_xdata()]
        assert len(drawn) == len(drafting_results.exactness) and min(drawn) == figures.LEAST_SHOWN
        assert any("3 of 5 below" in text.get_text() for text in axes.texts)
        certain = Exactness(
            "a", "exact", 1.0, 4, 1, 100, 3, 0.0
        )  # no p-value is too small to be drawn
        assert png(figures.exactness_figure([certain]))

    def test_limits_show_all_three(self):
        times, batches = {1: [0.5, 0.6], 4: [0.4, 0.7]}, {1: 3.0, 8: 2.0}
        figure = figures.limits_figure(
            times, batches, {BASELINE: {0.0: 0.9, 8.0: 0.8}, "other": {0.0: 0.5, 8.0: 0.4}}
        )
        clock, batch, heat = figure.axes
        assert "0.55" in [text.get_text() for text in clock.texts] and clock.get_ylim()[0] == 0.0
        assert [label.get_text() for label in batch.get_xticklabels()] == ["1", "8"]
        assert [label.get_text() for label in heat.get_xticklabels()] == ["0", "8"] and len(
            heat.lines
        ) == 2
        assert png(figure)
