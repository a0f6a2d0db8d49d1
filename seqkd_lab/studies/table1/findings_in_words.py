"""The findings on Table 1 in words: judged over the seeds, or what one seed gives."""

from __future__ import annotations

import math
from collections.abc import Sequence

from seqkd_lab.runs.recipes import BASELINE, SEQ_KD
from seqkd_lab.runs.verdicts import (
    CANNOT_BE_JUDGED,
    Rows,
    describe,
    is_measured,
    judge_claim,
    judge_claims,
    number,
    summary,
)
from seqkd_lab.studies.table1.findings import CLAIMS, GROUPS, beam_share, judge, obstacle


def in_words(by_seed: Sequence[Rows]) -> str:
    """Return the verdicts under the headings of GROUPS, what the beam still brings, and the
    summary.

    Raises ValueError without any seed.
    """
    parts = []
    for heading, claims in GROUPS.items():
        judged = judge_claims(claims, by_seed)
        if judged:
            parts.append("\n".join([f"{heading}:", *map(describe, judged)]))
    share = beam_share_in_words(by_seed)
    return "\n\n".join([*parts, *([share] if share else []), summary(judge(by_seed))])


def beam_share_in_words(by_seed: Sequence[Rows]) -> str:
    """Return what the beam still brings to Seq-KD as a sentence, empty where it cannot be told."""
    if not all({BASELINE, SEQ_KD} <= set(rows) for rows in by_seed):
        return ""
    share = beam_share(by_seed)
    if obstacle(by_seed, (BASELINE, SEQ_KD)) is not None or math.isnan(share):
        return ""
    return (
        f"The beam's gain for Seq-KD is {share:.0%} of its gain for the baseline (ratio of the "
        "means; 3% in the paper)."
    )


def of_one_seed(rows: Rows) -> str:
    """Return what each claim's quantity is in one seed, which has no interval and so decides
    nothing; and of what cannot be judged the reasons, each once."""
    verdicts = [judge_claim(claim, [rows]) for claim in CLAIMS if is_measured(claim, [rows])]
    lines = [
        f"{verdict.claim.name}  {verdict.claim.ours}: "
        f"{CANNOT_BE_JUDGED if verdict.reason else number(verdict.mean)}"
        for verdict in verdicts
    ]
    reasons = dict.fromkeys(verdict.reason for verdict in verdicts if verdict.reason)
    return "\n".join(
        [
            "What the paper's claims ask for, and what this seed gives (one seed has no interval: "
            "it decides nothing):",
            *lines,
            *(f"{CANNOT_BE_JUDGED.capitalize()}: {reason}." for reason in reasons),
        ]
    )
