"""What lesson 09 measures on the spot, and its pictures: every point of the results is drawn where
it belongs."""

from __future__ import annotations

import torch

from seqkd_lab.compression.pruning import METHODS, n_nonzero, prune
from seqkd_lab.compression.storage import (
    DENSE,
    DENSE_INT8,
    FORMS,
    SPARSE,
    SPARSE_INT8,
    ZIPPED_INT8,
    file_sizes,
)
from seqkd_lab.corpus.vocabulary import Vocabulary
from seqkd_lab.lab.pruning import figures, measures
from seqkd_lab.lab.shared.showing import png
from seqkd_lab.models.lstm import LSTMSeq2Seq, LSTMSpec
from seqkd_lab.optimisation import Optimisation
from seqkd_lab.studies.pruning.recipes import PRUNED, RETRAINED
from seqkd_lab.studies.pruning.study import shares


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
    def test_table_3_draws_both_stages_and_all_that_is_compared(self, table3):
        levels, others = figures.table3_figure(table3).axes
        drawn = [len(line.get_xdata()) for line in levels.lines[:2]]
        assert drawn == [len(shares(table3, stage)) for stage in (PRUNED, RETRAINED)]
        names = [label.get_text() for label in others.get_yticklabels()]
        assert len(names) == len(figures.COMPARED) and names[0].startswith("small dense student")
        assert "33,000 weights" in names[0] and "440,000 weights" in names[-1]

    def test_words_leave_out_a_class_that_no_translation_has(self, table3):
        (axes,) = figures.words_figure(table3).axes
        assert len(axes.lines) == 4  # the rarest class of the made-up results has no word

    def test_all_others_can_be_drawn(self):
        scales = {method: {"output": 0.5, "decoder": 0.4} for method in METHODS}
        made = [
            figures.files_figure({0.0: dict.fromkeys(FORMS, 9), 0.8: dict.fromkeys(FORMS, 3)}),
            figures.ratios_figure({"a": [0.5, 0.6], "b": [1.5]}),
            figures.products_figure({"a": {0.5: 0.4, 0.9: 3.0}}),
            figures.scales_figure(scales, dict.fromkeys(METHODS, 0.5), 0.5),
        ]
        assert all(png(figure).startswith(b"\x89PNG") for figure in made)

    def test_one_seed_is_drawn_all_the_same(self, table3):
        assert png(figures.table3_figure(table3[:1]))


class TestFiles:
    def test_a_file_without_zeros_is_smaller_and_a_full_one_is_not(self):
        words = Vocabulary.build([[f"w{number}" for number in range(400)]])
        model = LSTMSeq2Seq(LSTMSpec(32), words, words)
        full = file_sizes(model)
        prune(model, 0.9)
        pruned = file_sizes(model)
        assert pruned[DENSE] == full[DENSE] and full[SPARSE] > full[DENSE] > 3 * pruned[SPARSE]
        assert full[DENSE_INT8] < full[DENSE] / 3 and pruned[SPARSE_INT8] < pruned[SPARSE]
        assert pruned[ZIPPED_INT8] < pruned[DENSE_INT8] / 2

    def test_only_what_is_asked_for_is_made(self, make_model):
        assert list(file_sizes(make_model(), (SPARSE,))) == [SPARSE]
