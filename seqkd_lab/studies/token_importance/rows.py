"""What the token-importance study's results hold of one seed: what the selectors keep at the start,
the kinds of tokens, and what the arms come to."""

from __future__ import annotations

from seqkd_lab.corpus.toy.planted import KINDS, PLANTED_KINDS
from seqkd_lab.distillation.tip import SELECTORS
from seqkd_lab.runs.measured import Count, Number, Percent, Row, Share, by_name, list_of
from seqkd_lab.studies.token_importance.measures import QUADRANTS
from seqkd_lab.studies.token_importance.recipes import ARMS, SHARES, START

Kept = by_name("Kept", {"kept": Share, **dict.fromkeys(PLANTED_KINDS, Share | None)})
"""The share of all tokens that a selector keeps, and that of each kind of planted word (None where
the student wrote none)."""
ByShare = by_name("ByShare", {f"{share:g}": Kept for share in SHARES})


class Kind(Row):
    """Tokens of a kind: how many, the means of their ĥ, δ and Soft-OR, and how many lie in Q1 to
    Q4."""

    tokens: Count
    h: Number
    delta: Number
    soft_or: Number
    quadrants: list_of(Count, len(QUADRANTS))  # type: ignore[valid-type]


Outcome = by_name(
    "Outcome",
    {
        "validity": Share,
        "rare": Share,
        **{f"{what}, {kind}": Share for kind in PLANTED_KINDS for what in ("left", "tempted")},
        "bleu": Percent,
        "tokens": Count,
    },
)
"""Greedy translations of an arm (outcome.py), and the tokens that it learned from."""
ROWS = by_name(
    "TokenImportance",
    {
        "selection": by_name("Selection", dict.fromkeys(SELECTORS, ByShare)),
        "kinds": by_name("KindsOfTokens", {}, dict.fromkeys(KINDS, Kind)),
        "n_planted": by_name("NumberPlanted", dict.fromkeys(PLANTED_KINDS, Count)),
        "n_tokens": Count,
        "arms": by_name("Arms", dict.fromkeys((START, *ARMS), Outcome)),
    },
)
