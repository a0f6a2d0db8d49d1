"""The claims of the token-importance study, and the quantities that they are about."""

from __future__ import annotations

from collections.abc import Callable

from seqkd_lab.distillation.tip import ALL, BOTTOM, ENTROPY, Q3, SOFT_OR, TOP_ENTROPY
from seqkd_lab.runs.verdicts import Claim, Rows
from seqkd_lab.studies.token_importance.memory import MANY_WORDS, memory_case
from seqkd_lab.studies.token_importance.recipes import arm

Value = Callable[[Rows], float]


def valid_points(name: str, other: str = ALL) -> Value:
    """Return greedy validity of an arm minus that of another, in points of percent."""
    return lambda rows: 100.0 * (rows["arms"][name]["validity"] - rows["arms"][other]["validity"])


def recall(selector: str, share: float) -> Value:
    """Return the share of the planted mistakes that a selector keeps at the start."""
    return lambda rows: rows["selection"][selector][f"{share:g}"]["recall"]


def mistakes_left(name: str) -> Value:
    """Return of the test sources that tempt to a planted mistake the percentage whose translation
    makes it at the end."""
    return lambda rows: 100.0 * rows["arms"][name]["mistakes"]


def saved(n_words: int, share: float, measure: str) -> Value:
    """Return by how much, in percent, `share` of the tokens takes less memory than all."""

    def value(rows: Rows) -> float:
        cases = (memory_case(n_words, share), memory_case(n_words, None))
        kept, every = (rows["memory"][case][measure] for case in cases)
        return 100.0 * (1.0 - kept / every)

    return value


TIP = "TIP (Qwen3-8B to 4B, MATH-500/AIME24/AIME25): "
HALF = TIP + "Soft-OR 50% 79.1/25.7/21.9, all tokens 76.7/21.9/19.4"
TENTH = (
    TIP
    + "Q3 10% 76.1/21.5/17.1, all tokens 76.7/21.9/19.4; under 10% of the tokens nearly match all "
    "of them"
)
LAST = TIP + "bottom 50% 72.3/15.5/12.8, all tokens 76.7/21.9/19.4"
MEMORY = "TIP: peak memory falls by 47 to 58% on the Qwen pairs"
BLIND = "TIP: any score f(h) with f(0) = 0 is blind to Q3"
AIM = "an aim of this lab: "
NEARLY = 2.0
"""Points of percent of validity that still are “nearly”: set before any of the judged seeds was
measured."""

CLAIMS = (
    Claim(
        "soft-or-half",
        "valid greedy translations: Soft-OR 50% ≥ all tokens (points of percent)",
        valid_points(arm(SOFT_OR, 0.5)),
        least=0.0,
        original=HALF,
    ),
    Claim(
        "soft-or-fifth",
        f"valid greedy translations: Soft-OR 20% at most {NEARLY:g} points below all tokens",
        valid_points(arm(SOFT_OR, 0.2)),
        least=-NEARLY,
        original=AIM + "Soft-OR at ρ ≤ .2 reaches the accuracy of all tokens within the interval",
    ),
    Claim(
        "soft-or-tenth",
        f"valid greedy translations: Soft-OR 10% at most {NEARLY:g} points below all tokens",
        valid_points(arm(SOFT_OR, 0.1)),
        least=-NEARLY,
        original=AIM + "Soft-OR at ρ ≤ .2 reaches the accuracy of all tokens within the interval",
    ),
    Claim(
        "q3-tenth",
        f"valid: Q3 10% at most {NEARLY:g} points below all tokens",
        valid_points(arm(Q3, 0.1)),
        least=-NEARLY,
        original=TENTH,
    ),
    Claim(
        "bottom-half",
        f"valid: bottom 50% {NEARLY:g} points or more below all tokens",
        valid_points(arm(BOTTOM, 0.5)),
        most=-NEARLY,
        original=LAST,
    ),
    Claim(
        "finds-q3",
        "share of planted mistakes that Q3 keeps at ρ = .1 ≥ .8",
        recall(Q3, 0.1),
        least=0.8,
        original=AIM + "at ρ = .1 Q3 finds ≥ 80% of the planted confident errors",
    ),
    Claim(
        "finds-soft-or",
        "share of planted mistakes that Soft-OR keeps at ρ = .1 ≥ .8",
        recall(SOFT_OR, 0.1),
        least=0.8,
        original=AIM + "at ρ = .1 Soft-OR finds ≥ 80% of the planted confident errors",
    ),
    Claim(
        "finds-soft-or-fifth",
        "share of planted mistakes that Soft-OR keeps at ρ = .2 ≥ .8",
        recall(SOFT_OR, 0.2),
        least=0.8,
        original=AIM + "the same with twice as many tokens",
    ),
    Claim(
        "blind",
        "share of planted mistakes that sampling by entropy keeps at ρ = .1 ≤ .2",
        recall(ENTROPY, 0.1),
        most=0.2,
        original=BLIND,
    ),
    Claim(
        "blind-top",
        "share of planted mistakes that the greatest entropies keep at ρ = .1 ≤ .2",
        recall(TOP_ENTROPY, 0.1),
        most=0.2,
        original=BLIND,
    ),
    Claim(
        "unlearnt",
        "planted mistakes left after training: entropy 50% minus Q3 10% ≥ 10 points of percent",
        lambda rows: mistakes_left(arm(ENTROPY, 0.5))(rows) - mistakes_left(arm(Q3, 0.1))(rows),
        least=10.0,
        original=BLIND,
    ),
    Claim(
        "memory-half",
        "peak of loss and gradient at V = 32,000: ρ = .5 saves ≥ 47%",
        saved(MANY_WORDS, 0.5, "peak"),
        least=47.0,
        original=MEMORY,
    ),
    Claim(
        "memory-fifth",
        "peak of loss and gradient at V = 32,000: ρ = .2 saves ≥ 47%",
        saved(MANY_WORDS, 0.2, "peak"),
        least=47.0,
        original=MEMORY,
    ),
    Claim(
        "memory-gradient",
        "bytes of the logits' gradient at V = 32,000: ρ = .5 saves ≥ 47%",
        saved(MANY_WORDS, 0.5, "logits_gradient"),
        least=47.0,
        original=MEMORY,
    ),
)
