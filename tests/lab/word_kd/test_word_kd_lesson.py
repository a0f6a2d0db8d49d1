"""What lesson 04 reads off its map: means, spreads, ranges for one more student, the picture, one's
own student."""

from __future__ import annotations

import math
import random
import statistics
from dataclasses import asdict
from itertools import product

import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import ttest_rel
from synthetic_map import map_of

from seqkd_lab.distillation.losses import BalancedWordKD
from seqkd_lab.lab.word_kd import notebook as word_kd
from seqkd_lab.lab.word_kd.map_figure import MapDrawing, Own, map_figure
from seqkd_lab.lab.word_kd.map_results import MEASURES, Cell, around, best, difference
from seqkd_lab.lab.word_kd.students import own_student
from seqkd_lab.runs.quick_student import QuickStudent, score_student, train_student
from seqkd_lab.studies.word_kd_map import MapRun, committed_map, map_points

TINY = QuickStudent(width=8, epochs=2, n_pairs=64, batch_size=16, n_valid=20, n_test=5)
values = st.lists(st.floats(0, 100), min_size=3, max_size=6)


@pytest.fixture(scope="module")
def results() -> dict:
    """A map of random numbers, three seeds everywhere and a fourth in some places."""
    chance, points = random.Random(1), []
    for seed, (alpha, tau) in product((1, 2, 3, 4), MapRun().places()):
        if seed < 4 or alpha == 0.5:
            points.append(
                {
                    "alpha": alpha,
                    "temperature": tau,
                    "seed": seed,
                    "bleu": chance.uniform(40, 70),
                    "valid": chance.random() / 4,
                    "nll": chance.uniform(0.7, 1.4),
                }
            )
    return map_of(points)


class TestMap:
    def test_a_cell_holds_its_students_of_the_seeds_that_every_place_has(self, results):
        for measure, factor in (("bleu", 1.0), ("valid", 100.0), ("nll", 1.0)):
            found = word_kd.cells(results, measure)
            assert set(found) == set(MapRun().places())
            for (alpha, tau), cell in found.items():
                mine = [
                    factor * getattr(point, measure)
                    for point in map_points(results)
                    if point.place == (alpha, tau) and point.seed < 4
                ]
                assert cell.values == tuple(mine) and cell.mean == pytest.approx(sum(mine) / 3)

    def test_the_best_is_the_highest_bleu_and_the_lowest_nll(self, results):
        bleu, nll = word_kd.cells(results), word_kd.cells(results, "nll")
        assert bleu[best(bleu)].mean == max(cell.mean for cell in bleu.values())
        assert nll[best(nll, "nll")].mean == min(cell.mean for cell in nll.values())

    @given(values, st.floats(-5, 5))
    def test_a_difference_is_clear_just_when_the_paired_t_test_says_so(self, one, shift):
        chance = random.Random(len(one))
        other = [value + shift + chance.gauss(0, 1) for value in one]
        found = difference(Cell(tuple(one)), Cell(tuple(other)))
        p_value = ttest_rel(one, other).pvalue
        if abs(p_value - 0.05) > 1e-6:
            assert found.clear == (p_value < 0.05)
        assert found.low <= found.mean <= found.high and ("undecided" in str(found)) != found.clear

    def test_the_range_for_one_more_holds_one_more_in_nineteen_of_twenty(self):
        chance = random.Random(3)
        inside, n = 0, 4000
        for _ in range(n):
            *seen, one_more = (chance.gauss(70, 3) for _ in range(6))
            low, high = Cell(tuple(seen)).one_more()
            inside += low <= one_more <= high
        assert inside / n == pytest.approx(0.95, abs=4 * math.sqrt(0.95 * 0.05 / n))
        assert Cell((70.0,)).one_more() == (-math.inf, math.inf) and Cell((70.0,)).spread == 0.0

    def test_a_place_between_cells_is_expected_within_all_of_their_ranges(self, results):
        found = word_kd.cells(results)
        assert around(found, 0.5, 2.0) == [(0.5, 2.0)]
        assert set(around(found, 0.6, 1.4)) == {(0.5, 1.0), (0.5, 2.0), (0.75, 1.0), (0.75, 2.0)}
        assert set(around(found, 0.1, 0.7)) == {(0.0, None), (0.25, 0.5), (0.25, 1.0)}
        assert around(found, 0.0, 3.0) == [(0.0, None)]
        low, high = word_kd.expected_there(found, 0.6, 1.4)
        for place in around(found, 0.6, 1.4):
            assert low <= found[place].one_more()[0] and found[place].one_more()[1] <= high
        with pytest.raises(ValueError, match="not on it"):
            around(found, 0.5, 5.6)


class TestMapPicture:
    def texts(self, drawing: MapDrawing) -> list[str]:
        return [
            text.get_text()
            for text in drawing.picture.figure.axes[0].findobj(lambda a: hasattr(a, "get_text"))
        ]

    @pytest.mark.parametrize("measure", MEASURES)
    def test_every_cell_has_its_number_and_its_spread_and_one_is_best(
        self, results, measure, tmp_path
    ):
        drawing = MapDrawing(results, measure)
        shown, digits = self.texts(drawing), MEASURES[measure].digits
        for cell in word_kd.cells(results, measure).values():
            assert (
                f"{cell.mean:.{digits}f}" in shown
                and f"± {statistics.stdev(cell.values):.{digits}f}" in shown
            )
        assert shown.count("best") == 1
        map_figure(results, [Own(0.3, 1.4, 60.0)], measure).savefig(tmp_path / "map.png")

    def test_colours_have_a_fixed_scale_whatever_the_values(self, results):
        other = map_of({**asdict(point), "bleu": point.bleu / 2} for point in map_points(results))
        scales = {(d._norm.vmin, d._norm.vmax) for d in (MapDrawing(results), MapDrawing(other))}
        assert scales == {MEASURES["bleu"].scale}

    def test_the_readers_students_stand_in_their_cells_and_nowhere_off_the_map(self, results):
        drawing = MapDrawing(results)
        for column, alpha in enumerate(drawing.alphas):
            for row, tau in enumerate(drawing.temperatures):
                x, y = drawing.at(alpha, tau)
                assert round(x) == column and (alpha == 0.0 or round(y) == row)
        assert drawing.at(0.0, 8.0) == drawing.at(0.0, None) is not None
        assert drawing.at(0.5, 8.0) is None and drawing.at(0.5, 0.25) is None
        x, y = drawing.at(0.6, math.sqrt(2.0))
        assert 2.0 < x < 3.0 and drawing.at(0.5, 1.0)[1] < y < drawing.at(0.5, 2.0)[1]

    def test_the_newest_is_marked_and_a_place_shows_its_latest_number(self, results):
        drawing = MapDrawing(results)
        drawing.show(
            [Own(0.5, 1.0, 61.0), Own(0.25, 2.0, 62.0), Own(0.5, 8.0, 99.0), Own(0.5, 1.0, 63.0)],
            (0.75, 1.0),
        )
        shown = [number.get_text() for number in drawing._numbers]
        assert sorted(filter(None, shown)) == ["62.0", "63.0"]
        assert tuple(drawing._new.get_xydata()[0]) == drawing.at(0.5, 1.0)
        assert tuple(drawing._old.get_xydata()[0]) == drawing.at(0.25, 2.0)
        assert tuple(drawing._ring.get_xydata()[0]) == drawing.at(0.75, 1.0)
        before = drawing.picture.png()
        drawing.show(
            [Own(alpha / 40, 1.0, 60.0) for alpha in range(41)]
        )  # more than there are labels
        assert drawing.picture.png() != before and len(drawing._ring.get_xydata()) == 0


def test_the_committed_map_can_be_read_and_drawn():
    results = committed_map()
    found = word_kd.cells(results)
    assert all(len(cell.values) == 5 for cell in found.values())
    map_figure(results)


def test_ones_own_student_is_the_quick_student_and_a_point_of_the_map(toy, toy_models):
    own = own_student(TINY, toy, toy_models["teacher"], 0.5, 2.0, seed=5)
    student, history = train_student(TINY, toy, BalancedWordKD(0.5, 2.0), 5, toy_models["teacher"])
    score = score_student(TINY, toy, student)
    assert (own.point.bleu, own.point.valid, own.point.nll) == (
        score.bleu,
        score.validity,
        history.valid_loss[-1],
    )
    assert (own.own.alpha, own.own.temperature, own.own.value) == (0.5, 2.0, score.bleu)
    assert (
        len(own.curve.updates) == 8
        and [loss for _, loss in own.curve.validations] == history.valid_loss
    )
    assert own.curve.validations[-1][0] == own.curve.updates[-1][0] == TINY.epochs
    assert own_student(TINY, toy, toy_models["teacher"], 0.0, 2.0, seed=5).point.temperature is None
