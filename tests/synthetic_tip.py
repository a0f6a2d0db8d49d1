"""Results like those of `seqkd-lab study run token-importance`, made by formula, for tests of
tables, claims, figures and sentences."""

from __future__ import annotations

from seqkd_lab.corpus.toy.planted import FAR, HABIT, KINDS, MIDDLE, PLANTED_KINDS
from seqkd_lab.distillation.tip import ALL, DELTA, Q3, RANDOM, SELECTORS, SOFT_OR
from seqkd_lab.studies.token_importance.claims import (
    BOTTOM_HALF,
    ENTROPY_HALF,
    Q3_TENTH,
    RANDOM_HALF,
    RANDOM_TENTH,
    SOFT_OR_HALF,
)
from seqkd_lab.studies.token_importance.memory import CASES
from seqkd_lab.studies.token_importance.recipes import SHARES, START

VALID = {
    START: 0.40,
    ALL: 0.55,
    RANDOM_HALF: 0.53,
    ENTROPY_HALF: 0.52,
    SOFT_OR_HALF: 0.57,
    BOTTOM_HALF: 0.44,
    RANDOM_TENTH: 0.46,
    Q3_TENTH: 0.56,
}
LEFT = {
    START: 1.0,
    ALL: 0.2,
    RANDOM_HALF: 0.3,
    ENTROPY_HALF: 0.6,
    SOFT_OR_HALF: 0.1,
    BOTTOM_HALF: 0.9,
    RANDOM_TENTH: 0.8,
    Q3_TENTH: 0.1,
}
FOUND = {Q3: 0.95, DELTA: 0.95, SOFT_OR: 0.85, RANDOM: 0.1}


def recall_of(selector: str, share: float, kind: str) -> float:
    """Who looks at δ finds most, of habits less; chance finds ρ, and who looks at h half of it."""
    less = 0.5 if kind == HABIT else 1.0
    if selector == RANDOM:
        return share
    return less * FOUND[selector] if selector in FOUND else share / 2


def rows_of(seed: int, gain: float = 1.0) -> dict:
    """One seed, with a scatter of its own; `gain` scales what every arm does to validity."""
    noise = 0.001 * seed
    return {
        "selection": {
            selector: {
                f"{share:g}": {kind: recall_of(selector, share, kind) for kind in PLANTED_KINDS}
                | {"kept": 0.8 * share if selector != RANDOM else share}
                for share in SHARES
            }
            for selector in SELECTORS
        },
        "kinds": {
            kind: {
                "tokens": 20,
                "h": 0.1 * n,
                "delta": {FAR: 17.0, MIDDLE: 8.0, HABIT: 2.0}.get(kind, 0.5),
                "soft_or": 0.5,
                "quadrants": [1, 1, 17 - seed, 1 + seed] if n < 3 else [1, 17 - seed, 1, 1 + seed],
            }
            for n, kind in enumerate(KINDS)
        },
        "n_planted": dict.fromkeys(PLANTED_KINDS, 100),
        "n_tokens": 10_000,
        "arms": {
            name: {
                "validity": 0.4 + gain * (VALID[name] - 0.4) + noise * (n % 3),
                "bleu": 80.0 + 20 * VALID[name] + noise * n,
                "rare": VALID[name] / 2 + noise * (n % 2),
                "tokens": 0 if name == START else 74_000,
            }
            | {f"left, {kind}": LEFT[name] - noise for kind in PLANTED_KINDS}
            | {f"tempted, {kind}": VALID[name] / 2 for kind in PLANTED_KINDS}
            for n, name in enumerate(VALID)
        },
    }


def memory_rows(at_half: float = 0.5) -> dict:
    """One measurement, in which ρ = .5 takes `at_half` of what all tokens take by the lean loss."""
    parts = {None: 1.25, 1.0: 1.0, 0.5: at_half, 0.2: 0.2, 0.1: 0.1}
    return {
        case.name: {
            "logits_gradient": int(2560 * case.n_words * (case.share or 1.0)),
            "peak": int(20_000 * case.n_words * parts[case.share]),
        }
        for case in CASES
    }
