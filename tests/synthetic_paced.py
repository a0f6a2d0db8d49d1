"""Measurements like those of the PACED study, made by formula, for the tests of claims, tables
and figures."""

from __future__ import annotations

from seqkd_lab.runs.recipes import HARD, PACED, SHUFFLED
from seqkd_lab.studies.paced.recipes import ARMS, FORWARD, REVERSE, UNIFORM, label

HISTOGRAM = [30, 20, 15, 10, 8, 6, 5, 4, 2]


def paced_of(gain: float = 3.0, ends: float = 0.1, more: float = 0.0) -> dict:
    """One seed's: PACED is `gain` points better than uniform weights and forgets as much less, both
    ends have `ends` times the middle's ratio (1/2), and every arm is `more` points better than
    that."""
    better = {UNIFORM: 0.0, HARD: 0.8 * gain, PACED: gain, SHUFFLED: 0.0}
    arms = {
        label(loss, kind): _arm(40.0 + better[kind] + more, 20.0 + better[kind])
        for loss, kind in ARMS
    }
    signal = [ends, *[1.0] * 7, ends]
    return {
        "rates": HISTOGRAM,
        "weights": {kind: {"largest": 3.0, "share_of_zeros": 0.3} for kind in (HARD, PACED)},
        "noise": {
            loss: {"n": 5, "signal": signal, "noise": [2.0] * 9} for loss in (FORWARD, REVERSE)
        },
        "arms": {
            "initial": HISTOGRAM,
            "arms": {"start": _arm(30.0, 25.0), "teacher": _arm(80.0, 80.0), **arms},
        },
        "watched": {
            "gold": {"1": [100, *[0] * 8], "10": HISTOGRAM},
            "paced": {"4": HISTOGRAM[::-1]},
        },
    }


def _arm(kept: float, left_out: float) -> dict:
    """An arm with these percents of valid draws, everywhere the same; no source had 8/8 at the
    start."""
    return {
        "kept": kept / 100,
        "left_out": left_out / 100,
        "kept_greedy": 0.5,
        "left_out_greedy": 0.5,
        "by_initial": [*[kept / 100] * 8, None],
        "histogram": HISTOGRAM,
        "bleu": 80.0,
        "tokens": [100, 200],
    }
