"""Table 2: speeds measured in turn, F7 judged by rounds, its two causes as a product."""

from __future__ import annotations

import pytest
import torch
from synthetic_speed import speeds

from seqkd_lab.models.checkpoint import CheckpointError
from seqkd_lab.models.lstm import LSTMSpec
from seqkd_lab.runs import clock as speed
from seqkd_lab.runs.clock import BATCHED, ONE_BY_ONE, in_turn, words_per_second
from seqkd_lab.runs.recipes import TEACHER
from seqkd_lab.runs.verdicts import HELD, NOT_HELD, UNDECIDED, describe
from seqkd_lab.studies import speed as speed_table
from seqkd_lab.studies.speed import (
    BEAM,
    GREEDY,
    SMALL_STUDENT,
    STUDENT,
    Setting,
    factors,
    judge,
    measure,
    read_table2,
    rounds,
    speeds_in,
    table2_frame,
    write_table2,
)

SOURCES = [("ant", "bee", "cat")] * 4


class TestInTurn:
    def test_all_take_turns_and_the_first_round_is_not_counted(self):
        asked, clock, heard = [], iter(range(100)), []

        def job(name: str):
            return lambda: (asked.append(name), float(next(clock)))[1]

        found = in_turn({"a": job("a"), "b": job("b")}, 2, lambda *now: heard.append(now))
        assert asked == ["a", "b"] * 3
        assert found == {"a": [2.0, 4.0], "b": [3.0, 5.0]}
        assert heard == [(n, 6) for n in range(1, 7)]

    def test_no_round_is_refused(self):
        with pytest.raises(ValueError, match="got 0"):
            in_turn({}, 0)

    def test_words_are_the_sources_and_every_search_is_asked_as_it_says(
        self, make_model, monkeypatch
    ):
        clock, asked = iter((10.0, 12.0)), []
        monkeypatch.setattr(speed.time, "perf_counter", lambda: next(clock))
        monkeypatch.setattr(speed, "search", lambda *given, **named: asked.append((given, named)))
        model = make_model()
        assert words_per_second(model, SOURCES, 5, 2, 7) == 12 / 2.0
        assert asked == [((model, SOURCES, 5), {"batch_size": 2, "max_length": 7})]


class TestMeasure:
    def test_every_setting_is_there_and_the_threads_are_put_back(self, make_model):
        models = {TEACHER: make_model(), STUDENT: make_model(1)}
        heard = []
        found = measure(
            models,
            {ONE_BY_ONE: SOURCES[:1], BATCHED: SOURCES},
            (1, 1),
            2,
            report=lambda *now: heard.append(now),
        )
        assert torch.get_num_threads() == 1
        assert len(found) == 2 * 2 * 2 * 2 and all(len(one.words_per_second) == 2 for one in found)
        assert heard[-1][0] == heard[-1][1] and sorted(heard) == heard

    def test_models_of_the_papers_shape_search_as_long_as_they_are_told(self, monkeypatch):
        monkeypatch.setattr(speed_table, "PAPER_WORDS", 30)
        monkeypatch.setattr(
            speed_table, "LSTMSpec", lambda width, layers, **_: LSTMSpec(width // 100 * 2, layers)
        )
        models = speed_table.paper_models()
        sources = speed_table.random_sources(models)
        assert all(
            len(line) == speed_table.PAPER_LENGTH for lines in sources.values() for line in lines
        )
        found = measure(models, {1: sources[ONE_BY_ONE]}, (1,), 1, max_length=3)
        assert {one.model for one in found} == {
            speed_table.PAPER_TEACHER,
            speed_table.PAPER_STUDENT,
        }


class TestJudgement:
    def test_ten_times_is_judged_by_the_interval_over_the_rounds_with_one_thread(self):
        verdicts = judge(speeds([120.0, 300.0]) + speeds([1.0, 1.0], threads=2))
        assert [verdict.values for verdict in verdicts] == [(12.0, 15.0)] * 2
        assert {verdict.outcome for verdict in verdicts} == {UNDECIDED}
        assert {verdict.outcome for verdict in judge(speeds([120.0, 240.0]))} == {HELD}
        verdicts = judge(speeds([60.0, 120.0]))
        assert {verdict.outcome for verdict in verdicts} == {NOT_HELD} and "NOT HELD" in describe(
            verdicts[0]
        )

    def test_the_factors_multiply_to_the_whole(self):
        (first, _) = rounds(speeds([120.0, 300.0]), 1)
        parts = factors(first, TEACHER, STUDENT, BATCHED)
        assert (parts.smaller, parts.greedy) == (5.0, 2.4)
        fast, slow = (
            first[Setting(STUDENT, GREEDY, BATCHED)],
            first[Setting(TEACHER, BEAM, BATCHED)],
        )
        assert parts.total == pytest.approx(fast / slow)

    def test_models_that_were_not_measured_are_not_judged(self):
        assert all(SMALL_STUDENT not in verdict.claim.ours for verdict in judge(speeds([1.0, 1.0])))
        assert judge([]) == [] and speed_table.factors_in_words([]) == []

    def test_written_read_and_shown(self, tmp_path):
        found = speeds([120.0, 300.0])
        write_table2(tmp_path / "table2.json", found, {TEACHER: 440})
        assert speeds_in(read_table2(tmp_path / "table2.json")) == found
        frame = table2_frame(found)
        assert frame.loc[STUDENT, "greedy, one by one, 1 thread"] == "210 [120–300]"
        (tmp_path / "other.json").write_text("[]", encoding="utf-8")
        with pytest.raises(CheckpointError, match="other.json.*table2"):
            read_table2(tmp_path / "other.json")
