"""What lesson 13 looks at on the spot, how it reads the results, and its pictures."""

from __future__ import annotations

from dataclasses import replace

import pytest
import torch
from synthetic_tip import rows_of

from seqkd_lab.corpus.toy.planted import BEYOND, KINDS, MISTAKE, SETTLED, find_mistakes
from seqkd_lab.distillation.tip import BOTTOM, Q3, SOFT_OR
from seqkd_lab.lab.token_importance import figures, measures
from seqkd_lab.runs.data import load_toy
from seqkd_lab.runs.recipes import ToyData
from seqkd_lab.studies.token_importance.recipes import PLANTED, SHARES, START, arm


@pytest.fixture(scope="module")
def batch():
    """What the committed student writes."""
    return measures.label(*measures.models(), load_toy(ToyData()), n_sentences=24)


@pytest.fixture(scope="module")
def results():
    return [rows_of(seed) for seed in (1, 2, 3)]


class TestBatch:
    def test_words_kinds_and_places_go_together(self, batch):
        for b, (source, output, kinds) in enumerate(
            zip(batch.sources, batch.outputs, batch.kinds, strict=True)
        ):
            assert len(output) == len(kinds) == int(batch.real[b].sum()) and output[-1] == "(end)"
            assert sorted(find_mistakes(source, output, PLANTED.mistakes)) == [
                t for t, kind in enumerate(kinds) if kind == MISTAKE
            ]
        counted = sum(batch.is_kind(kind).long() for kind in KINDS)
        assert torch.equal(counted == 1, batch.real)

    def test_the_committed_student_is_confidently_wrong_where_it_should_be(self, batch):
        mistakes = batch.is_kind(MISTAKE)
        assert mistakes.any() and measures.quadrant_of(batch, MISTAKE) == "Q3"
        assert float(batch.importance.delta[mistakes].mean()) > 10 * float(
            batch.importance.delta[batch.is_kind(SETTLED)].mean()
        )
        q3, bottom = (
            float(batch.kept(selector, 0.2)[mistakes].float().mean()) for selector in (Q3, BOTTOM)
        )
        assert q3 > 0.8 > 0.2 > bottom

    def test_a_kind_that_is_not_there_has_no_quadrant(self, batch):
        kinds = tuple(tuple(BEYOND for _ in row) for row in batch.kinds)
        assert measures.quadrant_of(replace(batch, kinds=kinds), MISTAKE) == "none"

    def test_the_frame_counts_every_token_once(self, batch):
        frame = measures.kinds_frame(batch)
        assert frame["tokens"].sum() == int(batch.real.sum())
        assert (frame[["Q1", "Q2", "Q3", "Q4"]].sum(axis=1) == frame["tokens"]).all()


def drawn_means(axes, selector: str) -> list[float]:
    """The means of a selector in a figure: single marks of its look."""
    colour, marker = figures.LOOKS[selector]
    looks = {line: (line.get_color(), line.get_marker()) for line in axes.lines}
    marks = [line for line, look in looks.items() if look == (colour, marker)]
    return [float(line.get_ydata()[0]) for line in marks if len(line.get_ydata()) == 1]


class TestResults:
    def test_what_is_read_from_them(self, results):
        assert measures.gained(results[0], BOTTOM, 0.5) == pytest.approx(-15.0)
        assert measures.fixed(results, arm(Q3, 0.1)) == pytest.approx(90.0)
        assert measures.fixed(results, START) == 0.0
        assert measures.mean_outcome(results, START, "validity") == pytest.approx(50.2)

    def test_recall_is_drawn_for_each_selector_and_share(self, results):
        axes = figures.recall_figure(results).axes[0]
        assert drawn_means(axes, SOFT_OR) == pytest.approx([90.0] * len(SHARES))
        assert drawn_means(axes, BOTTOM) == pytest.approx([100.0 * share for share in SHARES])

    def test_outcomes_are_differences_seed_by_seed(self, results):
        left, right = figures.outcome_figure(results).axes[:2]
        assert drawn_means(left, BOTTOM) == pytest.approx([-15.0] * len(SHARES))
        assert drawn_means(left, SOFT_OR) == pytest.approx([share for share in SHARES])
        assert len(right.lines) > len(SHARES)

    def test_memory_shows_megabytes(self, results):
        texts = [
            text.get_text().strip()
            for axes in figures.memory_figure(results).axes
            for text in axes.texts
        ]
        assert "81.9" in texts and "41" in texts and "640" in texts

    def test_one_seed_is_drawn_too(self, results):
        for figure in (figures.recall_figure, figures.outcome_figure, figures.memory_figure):
            assert figure(results[:1]).axes
