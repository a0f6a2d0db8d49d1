"""The pruning explorer: every value of every control draws, cuts where the masks cut, and escapes
what it shows."""

from __future__ import annotations

import pytest

from seqkd_lab.compression.pruning import METHODS, prune, pruned_by_class, threshold
from seqkd_lab.lab.pruning.levels import (
    N_BINS,
    WIDEST,
    class_levels,
    histogram,
    in_classes,
    pruning_levels,
)
from seqkd_lab.lab.pruning.picture import pruning_figure
from seqkd_lab.lab.pruning.view import PruningExplorer
from seqkd_lab.studies.pruning.recipes import PRUNED, RETRAINED, class_blind


@pytest.fixture
def levels(toy_models, table3):
    return pruning_levels(toy_models["seq-kd"], table3)


class TestLevels:
    @pytest.mark.parametrize("method", METHODS)
    def test_the_classes_lose_what_pruning_takes(self, make_model, method):
        model = make_model()
        found = class_levels(model, 0.6, method)
        edges = {name: level.threshold for name, level in found.items()}
        assert method != METHODS[0] or max(edges.values()) == pytest.approx(threshold(model, 0.6))
        prune(model, 0.6, method)
        assert {name: level.pruned for name, level in found.items()} == pytest.approx(
            pruned_by_class(model), abs=0.02
        )
        weights = in_classes(
            model, {name: p.detach().abs() for name, p in model.named_parameters()}
        )
        assert all(
            weights[name][weights[name] > 0].min() >= edges[name]
            for name in edges
            if weights[name].any()
        )

    def test_a_histogram_holds_every_weight_once(self, levels):
        for heights in levels.histograms.values():
            assert len(heights) == N_BINS and heights.sum() == pytest.approx(1.0)
        assert list(histogram(in_classes_of(0.0, 0.99 * WIDEST, 99.0)).nonzero()[0]) == [
            0,
            N_BINS - 1,
        ]

    def test_curves_are_means_of_the_seeds(self, levels, table3):
        for stage in (PRUNED, RETRAINED):
            for share, mean in levels.curves[METHODS[0], stage].items():
                row = class_blind("seq-kd", share, stage).row
                scores = [rows[row]["beam"] for rows in table3]
                assert mean == pytest.approx(sum(scores) / len(scores))


def in_classes_of(*values: float):
    import numpy

    return numpy.array(values)


def test_every_control_draws_through_its_whole_range(levels):
    view = PruningExplorer(levels)
    for method in METHODS:
        view.method.value = method
        pictures = set()
        for share in levels.shares:
            view.level.value = share
            pictures.add(view.image.value)
            assert (
                f"<b>{share:.0%}</b> pruned: {levels.left[share]:,} parameters" in view.text.value
            )
        assert len(pictures) == len(levels.shares)  # each level has a picture of its own
    before = view.text.value
    view.sentence.value = 1
    assert view.text.value != before and view.source == list(levels.examples)[1]


def test_what_a_file_says_is_escaped(levels):
    view = PruningExplorer(levels)
    view.level.value = 0.8
    for sentence in range(len(levels.examples)):
        view.sentence.value = sentence
        assert "<b>pruned</b>" not in view.text.value and "&lt;b&gt;pruned" in view.text.value
        assert "<i>" not in view.text.value and "a <b>" not in view.text.value


def test_the_still_twin_shows_the_same_numbers(levels):
    figure = pruning_figure(levels, 0.8)
    texts = [text.get_text() for axes in figure.axes for text in [*axes.texts, *axes.artists]]
    assert f"{levels.curves[METHODS[0], RETRAINED][0.8]:.1f}" in texts
    assert [text for text in texts if text.endswith(" go")] == [
        f"{level.pruned:.0%} go" for level in levels.cuts[METHODS[0], 0.8].values()
    ]


def test_no_sentence_is_refused(toy_models, table3):
    with pytest.raises(ValueError, match="sentence"):
        PruningExplorer(pruning_levels(toy_models["seq-kd"], [{**table3[0], "examples": {}}]))
