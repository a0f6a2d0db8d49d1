"""The pruning explorer: what it shows is pruned and translated at that moment, by the method and at
the level that its controls say."""

from __future__ import annotations

import numpy
import pytest
import torch

from seqkd_lab.compression.pruning import METHODS, n_nonzero, prune, pruned_by_class, threshold
from seqkd_lab.compression.storage import SPARSE, file_sizes
from seqkd_lab.corpus.toy.dataset import detokenise
from seqkd_lab.decoding.search import search
from seqkd_lab.lab.pruning.live import (
    N_BINS,
    WIDEST,
    LivePruning,
    class_levels,
    histogram,
    in_classes,
)
from seqkd_lab.lab.pruning.measures import pruned_copy
from seqkd_lab.lab.pruning.notebook import curves_of
from seqkd_lab.lab.pruning.picture import pruning_figure
from seqkd_lab.lab.pruning.view import PruningExplorer
from seqkd_lab.studies.pruning.recipes import PRUNED, Place


@pytest.fixture
def live(toy, toy_models) -> LivePruning:
    return LivePruning(toy_models["seq-kd"], toy_models["baseline"], toy.language)


@pytest.fixture
def view(live, toy, table3) -> PruningExplorer:
    return PruningExplorer(live, toy.test.source[:2], curves_of(table3), 442_399)


class TestLive:
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

    def test_a_histogram_holds_every_weight_once(self):
        heights = histogram(numpy.array([0.0, 0.99 * WIDEST, 99.0]))
        assert len(heights) == N_BINS and heights.sum() == pytest.approx(1.0)
        assert list(heights.nonzero()[0]) == [0, N_BINS - 1]

    def test_a_level_is_the_pruned_student_and_the_student_stays(self, live):
        before = {name: tensor.clone() for name, tensor in live.student.state_dict().items()}
        level = live.at(0.8)
        assert level.n_left == n_nonzero(pruned_copy(live.student, 0.8)) < n_nonzero(live.student)
        assert level.files[SPARSE] == file_sizes(level.model)[SPARSE]
        after = live.student.state_dict()
        assert all(torch.equal(tensor, after[name]) for name, tensor in before.items())

    def test_a_sentence_breaks_at_the_first_level_with_a_fault(self, live, toy):
        is_valid = toy.language.is_valid
        for source in toy.test.source[:3]:
            level = live.breaks_at(source)
            assert level is not None, "at 95% this student writes nonsense"
            for share in (level, level - 0.05):
                model = pruned_copy(live.student, max(share, 0.0))
                (best,) = search(model, [source])[0]
                assert is_valid(source, best.tokens) == (share < level) or level == 0.0


@pytest.mark.parametrize("method", METHODS)
def test_what_stands_there_is_what_the_student_of_that_moment_writes(view, live, method):
    view.method.value = method
    for percent in (0, 37, 80, 95):
        view.level.value = percent
        model = pruned_copy(live.student, percent / 100, method)
        (best,) = search(model, [view.source])[0]
        written = view.data[f"pruned by {percent}%, {method}"]
        assert written.text == detokenise(best.tokens)
        assert (written.fault is None) == live.language.is_valid(view.source, best.tokens)
        assert f"<b>{percent}%</b> pruned: {n_nonzero(model):,} weights" in view.text.value


def test_each_level_has_a_picture_of_its_own_and_each_sentence_its_words(view):
    pictures = set()
    for percent in (0, 20, 50, 80, 95):
        view.level.value = percent
        pictures.add(view.image.value)
    assert len(pictures) == 5
    before = view.text.value
    view.sentence.value = 1
    assert view.text.value != before and view.source == view.sources[1]


def test_faults_are_escaped(view):
    view.level.value = 95
    assert "&#x27;" in view.text.value and "'krank'" not in view.text.value


def test_the_still_twin_shows_the_same_level(view, live, table3):
    view.level.value = 80
    figure = pruning_figure(live, curves_of(table3), 0.8)
    texts = [text.get_text() for axes in figure.axes for text in [*axes.texts, *axes.artists]]
    assert [text for text in texts if text.endswith(" go")] == [
        f"{level.pruned:.0%} go" for level in live.at(0.8).classes.values()
    ]
    assert f"{live.at(0.8).files[SPARSE] / 1000:,.0f}" in texts


def test_curves_are_means_of_the_seeds(table3):
    for stage, curve in curves_of(table3).items():
        for share, mean in curve.items():
            scores = [rows[Place("seq-kd", share, stage).row]["beam"] for rows in table3]
            assert mean == pytest.approx(sum(scores) / len(scores))
    assert len(curves_of(table3)[PRUNED]) == 3


def test_no_sentence_is_refused(live, table3):
    with pytest.raises(ValueError, match="sentence"):
        PruningExplorer(live, [], curves_of(table3), 442_399)
