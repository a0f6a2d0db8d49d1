"""Measurements like those of the PACED study, made by formula, for the tests of claims, tables,
sentences and figures."""

from __future__ import annotations

from seqkd_lab.studies.paced.claims import NOISE, POOL, START
from seqkd_lab.studies.paced.design import ARMS, IDLE_SHARES, PACED, SHUFFLED, UNIFORM

HISTOGRAM = [30, 20, 15, 10, 8, 6, 5, 4, 2]


def paced_of(
    gain: float = 3.0,
    ends: float = 0.1,
    more: float = 0.0,
    learned: float = 5.0,
    forgotten: float = 4.0,
    spared: float = 1.0,
    random: float = 0.0,
    risen: float = 3.0,
    one_edit: float = 0.2,
) -> dict:
    """One seed's, in points of percent: uniform weights gain `learned` and forget `forgotten`,
    PACED is `gain` better and keeps `spared` more of the left-out skill, shuffled weights are
    `random` better than uniform ones. Where more is idle every lead of PACED is `more` larger a
    step. Both ends have `ends` times the middle's ratio (1/2)."""
    arms = {}
    for name, (idle, kind) in ARMS.items():
        step = more * IDLE_SHARES.index(idle)
        better = {UNIFORM: 0.0, PACED: gain + step, SHUFFLED: random}[kind]
        kept = {UNIFORM: 0.0, PACED: spared, SHUFFLED: 0.0}[kind]
        arms[name] = {
            **_scores(30.0 + learned + better, 50.0 - forgotten + kept),
            "never": (2.0 + risen) / 100,
            "largest_weight": 1.0 if kind == UNIFORM else 3.0,
            "weights_of_0": 0.0 if kind == UNIFORM else idle,
        }
        if kind == PACED:
            arms[name] |= {"before": HISTOGRAM, "after": HISTOGRAM[::-1]}
    failures = {"n": 100, "one_edit": one_edit, "many_edits": 0.1, "words_wrong": one_edit}
    return {
        POOL: {"histogram": HISTOGRAM, "failures": {"never": failures, "sometimes": failures}},
        NOISE: {"n": 5, "signal": [ends, *[1.0] * 7, ends], "noise": [2.0] * 9},
        START: {**_scores(30.0, 50.0), "never_at": {f"{idle:.0%}": 0.02 for idle in IDLE_SHARES}},
        **arms,
    }


def _scores(draws: float, skill: float) -> dict[str, float]:
    return {"draws": draws / 100, "greedy": draws / 100 + 0.1, "skill": skill / 100}


def seeds(**changes: float) -> list[dict]:
    """Three seeds whose leads differ a little, so that intervals are narrow and not empty."""
    return [
        paced_of(**{name: value + wobble for name, value in changes.items()})
        for wobble in (-0.01, 0.0, 0.01)
    ]
