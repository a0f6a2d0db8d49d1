"""Table 2: speeds measured in turn, F7 judged by rounds, its two causes as a product."""

from __future__ import annotations

import pytest
import torch
from synthetic_speed import speeds

from seqkd_lab.models.lstm import LSTMSpec
from seqkd_lab.runs import clock
from seqkd_lab.runs.clock import BATCHED, ONE_BY_ONE, in_turn, words_per_second
from seqkd_lab.runs.recipes import TEACHER
from seqkd_lab.runs.verdicts import HELD, NOT_HELD, UNDECIDED, describe
from seqkd_lab.studies import speed
from seqkd_lab.studies.speed import (
    BEAM,
    GREEDY,
    SMALL_STUDENT,
    SPEEDS,
    STUDENT,
    STUDY,
    Pair,
    Setting,
    factors,
    factors_in_words,
    measure_speeds,
    rounds,
    speeds_in,
    table2_frame,
)

SOURCES = [("ant", "bee", "cat")] * 4


class TestInTurn:
    def test_all_take_turns_and_the_first_round_is_not_counted(self):
        called, ticks, reported = [], iter(range(100)), []

        def job(name: str):
            return lambda: (called.append(name), float(next(ticks)))[1]

        values = in_turn({"a": job("a"), "b": job("b")}, 2, lambda *now: reported.append(now))
        assert called == ["a", "b"] * 3
        assert values == {"a": [2.0, 4.0], "b": [3.0, 5.0]}
        assert reported == [(n, 6) for n in range(1, 7)]

    def test_no_round_is_refused(self):
        with pytest.raises(ValueError, match="got 0"):
            in_turn({}, 0)

    def test_words_are_the_sources_and_every_search_is_asked_as_it_says(
        self, make_model, monkeypatch
    ):
        ticks, asked = iter((10.0, 12.0)), []
        monkeypatch.setattr(clock.time, "perf_counter", lambda: next(ticks))
        monkeypatch.setattr(clock, "search", lambda *given, **named: asked.append((given, named)))
        model = make_model()
        assert words_per_second(model, SOURCES, 5, 2, 7) == 12 / 2.0
        assert asked == [((model, SOURCES, 5), {"batch_size": 2, "max_length": 7})]


class TestMeasure:
    @pytest.mark.slow
    def test_every_setting_is_there_and_the_threads_are_put_back(self, make_model):
        models = {TEACHER: make_model(), STUDENT: make_model(1)}
        sources, reported = {ONE_BY_ONE: SOURCES[:1], BATCHED: SOURCES}, []
        measured = measure_speeds(
            models, sources, (1, 2), 2, report=lambda *now: reported.append(now)
        )
        assert torch.get_num_threads() == 1
        assert len(measured) == 2 * 2 * 2 * 2 and {len(v) for v in measured.values()} == {2}
        assert reported[-1][0] == reported[-1][1] and sorted(reported) == reported

    def test_models_of_the_papers_shape_search_as_long_as_they_are_told(self, monkeypatch):
        monkeypatch.setattr(speed, "PAPER_WORDS", 30)
        monkeypatch.setattr(
            speed, "LSTMSpec", lambda width, layers, **_: LSTMSpec(width // 100 * 2, layers)
        )
        models = speed.paper_models()
        sources = speed.random_sources(models)
        assert {len(line) for lines in sources.values() for line in lines} == {speed.PAPER_LENGTH}
        measured = measure_speeds(models, {1: sources[ONE_BY_ONE]}, (1,), 1, max_length=3)
        assert {setting.model for setting in measured} == {speed.PAPER_TEACHER, speed.PAPER_STUDENT}


class TestJudgement:
    def test_ten_times_is_judged_by_the_interval_over_the_rounds_with_one_thread(self):
        verdicts = STUDY.judge([{**speeds([120.0, 300.0]), **speeds([1.0, 1.0], threads=2)}])
        assert [verdict.values for verdict in verdicts] == [(12.0, 15.0)] * 2
        assert {verdict.outcome for verdict in verdicts} == {UNDECIDED}
        assert {verdict.outcome for verdict in STUDY.judge([speeds([120.0, 240.0])])} == {HELD}
        verdicts = STUDY.judge([speeds([60.0, 120.0])])
        assert {verdict.outcome for verdict in verdicts} == {NOT_HELD}
        assert "NOT HELD" in describe(verdicts[0]) and "; rounds: " in describe(verdicts[0])

    def test_the_factors_multiply_to_the_whole(self):
        (first, _) = rounds([speeds([120.0, 300.0])])
        parts = factors(first, Pair(TEACHER, STUDENT, BATCHED))
        assert (parts.smaller, parts.greedy) == (5.0, 2.4)
        fast, slow = (
            first[Setting(*search, BATCHED, 1).row][SPEEDS]
            for search in ((STUDENT, GREEDY), (TEACHER, BEAM))
        )
        assert parts.total == pytest.approx(fast / slow)

    def test_models_that_were_not_measured_are_not_judged(self):
        verdicts = STUDY.judge([speeds([1.0, 1.0])])
        assert all(SMALL_STUDENT not in verdict.claim.ours for verdict in verdicts)
        assert factors_in_words([{}]) == ""

    def test_models_of_the_papers_sizes_are_judged_by_the_abstract_and_by_the_cpu_column(self):
        bounds = {claim.name: set() for claim in STUDY.claims}
        for claim in STUDY.claims:
            bounds[claim.name].add(claim.least)
            assert claim.name == "F7 (abstract)" or speed.PAPER_STUDENT in claim.ours
        assert bounds == {"F7 (abstract)": {10.0}, "F7 (CPU column)": {8.05}}

    def test_ratios_are_taken_round_by_round(self):
        by_seed = [speeds([120.0, 300.0])]
        assert speed.ratios(by_seed, STUDENT, TEACHER, BATCHED) == [3.0, 7.5]

    def test_rows_are_read_back_and_shown(self):
        rows = speeds([120.0, 300.0])
        assert speeds_in(rows)[Setting(STUDENT, GREEDY, ONE_BY_ONE, 1)] == [120.0, 300.0]
        shown = table2_frame(rows).loc[STUDENT, "greedy, one by one"]
        assert shown == "210 [120–300]"
