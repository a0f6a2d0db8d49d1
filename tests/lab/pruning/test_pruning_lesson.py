"""What lesson 09 measures on the spot, and its pictures: every point of the results is drawn where
it belongs."""

from __future__ import annotations

import torch

from seqkd_lab.compression.pruning import METHODS, n_nonzero
from seqkd_lab.lab.pruning import figures, measures
from seqkd_lab.lab.shared.showing import png
from seqkd_lab.studies.pruning.recipes import MODELS
from seqkd_lab.studies.pruning.study import costs_of, shares
from seqkd_lab.training import Optimisation


class TestMeasures:
    def test_methods_prune_copies_by_the_same_number_in_all(self, toy, toy_models):
        model = toy_models["teacher"]
        before = n_nonzero(model)
        zeros, valid = measures.by_method(model, 0.5, toy.language, toy.test.source[:3])
        assert list(zeros) == list(valid) == list(METHODS) and n_nonzero(model) == before
        uniform = list(zeros["class-uniform"].values())
        assert (
            max(uniform) - min(uniform)
            < 0.06
            < max(zeros["class-blind"].values()) - min(zeros["class-blind"].values())
        )

    def test_held_zeros_stay_and_free_ones_come_back(self, toy, toy_models):
        model = toy_models["seq-kd"]
        before = {name: tensor.clone() for name, tensor in model.state_dict().items()}
        held, free = (
            measures.retrain(
                model, 0.6, toy.train[:40], toy.valid[:5], hold, Optimisation(1, 0.01, 32)
            )
            for hold in (True, False)
        )
        assert held.n_nonzero <= round(0.4 * model.n_parameters()) < free.n_nonzero
        assert len(held.valid_loss) == 1 and n_nonzero(held.model) == held.n_nonzero
        assert all(torch.equal(tensor, before[name]) for name, tensor in model.state_dict().items())

    def test_own_translations_keep_the_sources(self, toy, toy_models):
        corpus = measures.own_translations(toy_models["seq-kd"], toy.train[:3])
        assert corpus.source == toy.train.source[:3] and corpus.target != toy.train.target[:3]

    def test_products_are_ratios_for_each_size_and_share(self):
        heard = []
        sizes = {"tiny": (4, 6)}
        found = measures.sparse_products(
            (0.5, 0.9), sizes, repetitions=1, report=lambda *at: heard.append(at)
        )
        assert heard == [(1, 2), (2, 2)]
        assert (
            list(found) == ["tiny"]
            and list(found["tiny"]) == [0.5, 0.9]
            and min(found["tiny"].values()) > 0
        )


class TestFigures:
    def test_table_3_has_a_panel_for_each_model_on_one_scale(self, table3):
        figure = figures.table3_figure(table3)
        assert [axes.get_title() for axes in figure.axes] == list(MODELS)
        assert len({axes.get_ylim() for axes in figure.axes}) == 1
        for axes, n_stages in zip(figure.axes, (2, 2, 3), strict=True):
            lines = [line for line in axes.lines if len(line.get_xdata()) == len(shares(table3))]
            assert len(lines) == n_stages

    def test_losses_begin_at_0(self, table3):
        (axes,) = figures.losses_figure(table3).axes
        drawn = [line for line in axes.lines if len(line.get_xdata()) == len(shares(table3))]
        assert len(drawn) == 2 and all(
            line.get_ydata()[0] == 0 and line.get_ydata()[-1] > 0 for line in drawn
        )

    def test_words_leave_out_a_class_that_no_translation_has(self, table3):
        figure = figures.words_figure(table3)
        for axes in figure.axes:
            assert len(axes.lines) == 4  # the rarest class of the made-up results has no word

    def test_all_others_can_be_drawn(self, table3):
        scales = {method: {"output": 0.5, "decoder": 0.4} for method in METHODS}
        made = [
            figures.ways_figure(table3),
            figures.classes_figure(table3),
            figures.costs_figure(costs_of(table3)),
            figures.products_figure({"a": {0.5: 0.4, 0.9: 3.0}}),
            figures.scales_figure(scales, dict.fromkeys(METHODS, 0.5), 0.5),
        ]
        assert all(png(figure).startswith(b"\x89PNG") for figure in made)
        assert "output" in [text.get_text() for text in made[1].axes[0].get_legend().get_texts()]

    def test_one_seed_has_no_band_and_is_drawn_all_the_same(self, table3):
        (axes,) = figures.losses_figure(table3[:1]).axes
        assert not axes.collections and png(axes.figure)
