"""Lesson 06's three students: alike but for their corpus; and, slowly, that the mode's student
wins."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest

from seqkd_lab.runs.committed import results_path
from seqkd_lab.runs.data import load_toy
from seqkd_lab.runs.recipes import ToyData
from seqkd_lab.runs.results import rows_by_seed
from seqkd_lab.runs.store import Store
from seqkd_lab.runs.study import read_study
from seqkd_lab.runs.verdicts import HELD, judge_claims
from seqkd_lab.studies import live as live_students
from seqkd_lab.studies.live import (
    CLAIMS,
    CORPORA,
    GOLD,
    LIVE,
    MODE,
    SAMPLES,
    STUDY,
    committed_teacher,
    fast,
    score_student,
    teacher_corpora,
    train_student,
)

DATA = load_toy(ToyData())


def rows(gold: float, samples: float, mode: float) -> dict:
    shares = dict(zip(CORPORA, (gold, samples, mode), strict=True))
    return {
        name: {
            "greedy": 80 + 20 * share,
            "beam": 80 + 20 * share + (0.5 if name == MODE else 2.0),
            "valid": share,
            "valid_beam": share,
        }
        for name, share in shares.items()
    }


class TestCorpora:
    def test_three_corpora_share_their_sources_and_heard_is_the_whole(self):
        heard = []
        gold = DATA.train[:40]
        made = teacher_corpora(
            committed_teacher(), gold, DATA.language.is_valid, 3, lambda *how: heard.append(how)
        )
        assert set(made) == set(CORPORA) and made[GOLD] is gold and heard[-1] == (80, 80)
        assert all(corpus.source == gold.source for corpus in made.values())
        assert len({corpus.target for corpus in made.values()}) == 3
        pairs = zip(made[SAMPLES].source, made[SAMPLES].target, strict=True)
        assert all(DATA.language.is_valid(source, target) for source, target in pairs)

    def test_equal_arguments_give_equal_students_and_another_corpus_another(self):
        small, gold = fast(LIVE), DATA.train[:60]
        one, again = (train_student(small, DATA, gold, 1) for _ in range(2))
        other = train_student(small, DATA, gold.with_target(reversed(gold.target)), 1)
        weights = [
            dict(student.named_parameters())["output.weight"] for student in (one, again, other)
        ]
        assert weights[0].equal(weights[1]) and not weights[0].equal(weights[2])
        assert one.spec == LIVE.model and one.spec.memory == 3
        assert 0.0 <= score_student(small, DATA, one).validity <= 1.0


class TestJudged:
    def test_every_claim_is_held_where_the_lesson_is_right_and_each_can_fail(self):
        good = [rows(0.25, 0.30, 0.65), rows(0.27, 0.30, 0.66), rows(0.24, 0.28, 0.64)]
        assert [verdict.outcome for verdict in judge_claims(CLAIMS, good)] == [HELD] * len(CLAIMS)
        for wrong, name in (
            (rows(0.6, 0.3, 0.65), "L1"),
            (rows(0.25, 0.6, 0.65), "L2"),
            (rows(0.25, 0.5, 0.65), "L3"),
            (rows(0.65, 0.6, 0.25), "L4"),
        ):
            outcomes = {
                verdict.claim.name: verdict.outcome for verdict in judge_claims(CLAIMS, [wrong] * 3)
            }
            assert outcomes[name] != HELD
        swapped = json.loads(json.dumps(good))
        for seed in swapped:
            seed[MODE]["beam"] += 5
        outcomes = {
            verdict.claim.name: verdict.outcome for verdict in judge_claims(CLAIMS, swapped)
        }
        assert outcomes["L5"] != HELD

    def test_the_tables_show_every_seed(self):
        scores, seeds = STUDY.tables([rows(0.25, 0.30, 0.65)] * 2).values()
        assert (
            list(scores.index) == list(CORPORA)
            and len(seeds) == 2
            and list(seeds[MODE]) == ["65", "65"]
        )

    @pytest.mark.slow
    def test_a_small_run(self, tmp_path, monkeypatch):
        monkeypatch.setattr(live_students, "LIVE", fast(LIVE))
        heard = []
        measured = live_students.measure(
            21, Store(tmp_path), lambda done, total: heard.append((done, total))
        )
        assert set(measured) == set(CORPORA) and heard[-1] == (3, 3)
        assert all(
            0.0 <= student["valid"] <= 1.0 and student["beam"] >= 0.0
            for student in measured.values()
        )


class TestCommitted:
    def test_the_mode_wins_in_nine_of_ten_seeds(self):
        seeds = rows_by_seed(read_study(results_path("live.json"), STUDY))
        above = [
            seed[MODE]["valid"] - max(seed[GOLD]["valid"], seed[SAMPLES]["valid"]) for seed in seeds
        ]
        assert (
            len(seeds) >= 10
            and sum(points > 0.0 for points in above) >= 9
            and sum(above) / len(above) >= 0.10
        )


@pytest.mark.slow
def test_trained_here_and_now_the_modes_student_wins_with_three_seeds():
    """What a reader of lesson 06 sees: the guard of the lesson's claim. (The seeds share the
    teacher's corpora.)"""
    settings, gains = replace(LIVE, n_test=400), []
    corpora = teacher_corpora(
        committed_teacher(), DATA.train[: settings.n_pairs], DATA.language.is_valid, seed=1
    )
    for seed in (1, 2, 3):
        valid = {
            name: score_student(
                settings, DATA, train_student(settings, DATA, corpus, seed)
            ).validity
            for name, corpus in corpora.items()
        }
        gains.append(valid[MODE] - max(valid[GOLD], valid[SAMPLES]))
    assert min(gains) > 0.0 and sum(gains) / 3 >= 0.10
