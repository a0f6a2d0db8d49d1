"""The paper's findings F1–F6 as claims on the results of Table 1, judged by the one rule of
`verdicts`.

BLEU of the toy language has another scale than the paper's: its best models reach 90, the paper's
20. So the paper's differences in BLEU are asked as they stand, and beside them what does not depend
on the scale. Models that cannot translate are not judged at all (`obstacle`).
"""

from __future__ import annotations

import math
import statistics
from collections.abc import Sequence
from dataclasses import replace
from functools import partial

from seqkd_lab.metrics import why_not_judged
from seqkd_lab.runs.recipes import (
    BASELINE,
    SEQ_KD,
    SEQ_KD_INTER,
    TABLE_ROWS,
    TEACHER,
    TEACHER_INTER,
    WORD_KD,
)
from seqkd_lab.runs.verdicts import Claim, Rows, Verdict, judge_claims

SOURCE = "(Kim & Rush 2016, Table 1)"
AIM = "an aim of this lab; the paper has no such number"


def greedy(rows: Rows, name: str) -> float:
    """Return the BLEU of greedy search."""
    return rows[name]["greedy"]["bleu"]


def beam(rows: Rows, name: str) -> float:
    """Return the BLEU of beam search."""
    return rows[name]["beam"]["bleu"]


def gap(rows: Rows, name: str) -> float:
    """Return what the beam adds: BLEU of beam search − BLEU of greedy search."""
    return beam(rows, name) - greedy(rows, name)


def greedy_gain(rows: Rows, name: str) -> float:
    """Return a row's gain over the baseline in BLEU of greedy search."""
    return greedy(rows, name) - greedy(rows, BASELINE)


def beam_gain(rows: Rows, name: str) -> float:
    """Return a row's gain over the baseline in BLEU of beam search."""
    return beam(rows, name) - beam(rows, BASELINE)


def distance(rows: Rows) -> float:
    """Return what the baseline, greedy, lacks of the teacher with a beam, in BLEU."""
    return beam(rows, TEACHER) - greedy(rows, BASELINE)


def closed_share(rows: Rows) -> float:
    """Return the share of `distance` that Seq-KD's greedy gain closes; NaN where there is no
    distance."""
    return greedy_gain(rows, SEQ_KD) / distance(rows) if distance(rows) > 0.0 else math.nan


def more_alike(rows: Rows) -> float | None:
    """Return by how many points of percent Seq-KD gives the same translation greedily and by beam
    more often than the baseline; None where the results did not count it."""
    distilled, baseline = (rows[name].get("same_translation") for name in (SEQ_KD, BASELINE))
    return None if distilled is None or baseline is None else 100.0 * (distilled - baseline)


def invalid(rows: Rows, name: str) -> float | None:
    """Return the share of greedy translations that are invalid; None where no language says so
    (real text)."""
    valid = rows[name]["greedy"].get("validity")
    return None if valid is None else 1.0 - valid


def removed_share(rows: Rows) -> float | None:
    """Return the share of the baseline's invalid greedy translations that Seq-KD does away with;
    NaN where the baseline has none, None where no language says what is valid."""
    before, after = invalid(rows, BASELINE), invalid(rows, SEQ_KD)
    if before is None or after is None:
        return None
    return 1.0 - after / before if before > 0.0 else math.nan


def times_as_peaked(rows: Rows) -> float:
    """Return p(ŷ) of Seq-KD in multiples of the baseline's; NaN where that is 0, as of a model
    that has not learned to end."""
    distilled, baseline = (rows[name]["p_mode"] for name in (SEQ_KD, BASELINE))
    return distilled / baseline if baseline > 0.0 else math.nan


def beam_share(by_seed: Sequence[Rows]) -> float:
    """Return the beam's gain for Seq-KD as a share of its gain for the baseline: a ratio of means
    over the seeds, for one seed's gain may be near 0; NaN where the beam brings the baseline
    nothing."""
    before, after = (
        statistics.fmean(gap(rows, name) for rows in by_seed) for name in (BASELINE, SEQ_KD)
    )
    return after / before if before > 0.0 else math.nan


def obstacle(by_seed: Sequence[Rows], names: Sequence[str]) -> str | None:
    """Return why these rows cannot be compared, by the rule of `metrics.why_not_judged`; None where
    they can.

    The teacher is looked at, too, where every seed has it: from a teacher that cannot translate
    there is nothing to learn. The rows are taken in the table's order. One seed and either search
    suffice, so that nothing is held on zeros.
    """
    others = [name for name in names if name not in TABLE_ROWS]
    for name in [*(row for row in TABLE_ROWS if row in (TEACHER, *names)), *others]:
        if not all(name in rows for rows in by_seed):
            continue
        who = f"the {name}" if name in (TEACHER, BASELINE) else name
        where = f" in one of {len(by_seed)} seeds" if len(by_seed) > 1 else ""
        scores = [rows[name][search] for rows in by_seed for search in ("greedy", "beam")]
        for score in sorted(scores, key=lambda score: score["bleu"]):
            reason = why_not_judged(
                who, score["bleu"], score.get("distinct"), score.get("repeated"), where
            )
            if reason is not None:
                return reason
    return None


def on_translations(*claims: Claim) -> tuple[Claim, ...]:
    """Return the claims with `obstacle` as theirs, for the rows that each needs."""
    return tuple(replace(claim, obstacle=partial(obstacle, names=claim.needs)) for claim in claims)


PAPER_SCALE = on_translations(
    Claim(
        "F1",
        "Seq-KD's greedy gain over the baseline ≥ 4.2 BLEU",
        lambda rows: greedy_gain(rows, SEQ_KD),
        least=4.2,
        needs=(SEQ_KD, BASELINE),
        original=f"18.9 − 14.7 = 4.2 {SOURCE}",
        measure="BLEU, greedy",
    ),
    Claim(
        "F1",
        "Seq-KD's beam gain over the baseline ≥ 1.4 BLEU",
        lambda rows: beam_gain(rows, SEQ_KD),
        least=1.4,
        needs=(SEQ_KD, BASELINE),
        original=f"19.0 − 17.6 = 1.4 {SOURCE}",
        measure="BLEU, beam",
    ),
    Claim(
        "F1",
        "the beam gain of Seq-KD + Seq-Inter over the baseline ≥ 1.7 BLEU",
        lambda rows: beam_gain(rows, SEQ_KD_INTER),
        least=1.7,
        needs=(SEQ_KD_INTER, BASELINE),
        original=f"19.3 − 17.6 = 1.7 {SOURCE}",
        measure="BLEU, beam",
    ),
    Claim(
        "F2",
        "beam − greedy ≥ 1.0 BLEU for the baseline",
        lambda rows: gap(rows, BASELINE),
        least=1.0,
        needs=(BASELINE,),
        original=f"17.6 − 14.7 = 2.9 {SOURCE}",
        measure="what the beam adds",
    ),
    Claim(
        "F2",
        "beam − greedy ≤ 0.3 BLEU for Seq-KD",
        lambda rows: gap(rows, SEQ_KD),
        most=0.3,
        needs=(SEQ_KD,),
        original=f"19.0 − 18.9 = 0.1 {SOURCE}",
        measure="what the beam adds",
    ),
    Claim(
        "F6",
        "|beam − greedy| ≤ 0.3 BLEU for the teacher after Seq-Inter",
        lambda rows: abs(gap(rows, TEACHER_INTER)),
        most=0.3,
        needs=(TEACHER_INTER,),
        original=f"19.8 − 19.6 = 0.2 {SOURCE}",
        measure="what the beam adds",
    ),
)
SCALE_FREE = on_translations(
    Claim(
        "F1",
        "Seq-KD gains more for greedy search than for the beam: the difference ≥ 0 BLEU",
        lambda rows: greedy_gain(rows, SEQ_KD) - beam_gain(rows, SEQ_KD),
        least=0.0,
        needs=(SEQ_KD, BASELINE),
        original=f"4.2 − 1.4 = 2.8 {SOURCE}",
        measure="BLEU, greedy",
    ),
    Claim(
        "F1",
        "Seq-KD, greedy, closes ≥ 0.5 of the distance from the greedy baseline to the teacher "
        "with a beam",
        closed_share,
        least=0.5,
        needs=(SEQ_KD, BASELINE, TEACHER),
        original=f"(18.9 − 14.7) / (19.5 − 14.7) = 0.88 {SOURCE}",
        check=lambda by_seed: all(distance(rows) > 0.0 for rows in by_seed),
        measure="BLEU, greedy",
    ),
    Claim(
        "F1",
        "Seq-KD removes ≥ 0.25 of the baseline's invalid greedy translations",
        removed_share,
        least=0.25,
        needs=(SEQ_KD, BASELINE),
        original=AIM,
        check=lambda by_seed: all(invalid(rows, BASELINE) for rows in by_seed),
        measure="valid, greedy",
    ),
    Claim(
        "F2",
        "the beam's gain for Seq-KD is at most half of its gain for the baseline: half of the "
        "baseline's − Seq-KD's ≥ 0 BLEU",
        lambda rows: gap(rows, BASELINE) / 2.0 - gap(rows, SEQ_KD),
        least=0.0,
        needs=(SEQ_KD, BASELINE),
        original=f"0.1 of 2.9 BLEU, 3% {SOURCE}; 2.9 / 2 − 0.1 = 1.35",
        check=lambda by_seed: not math.isnan(beam_share(by_seed)),
        measure="what the beam adds",
    ),
    Claim(
        "F2",
        "greedy and beam search agree in more sentences after Seq-KD: ≥ 0 points of percent",
        more_alike,
        least=0.0,
        needs=(SEQ_KD, BASELINE),
        original=AIM,
        measure="greedy = beam",
    ),
    Claim(
        "F3",
        "Word-KD's greedy BLEU ≥ the baseline's: the difference ≥ 0",
        lambda rows: greedy_gain(rows, WORD_KD),
        least=0.0,
        needs=(WORD_KD, BASELINE),
        original=f"15.4 − 14.7 = 0.7 {SOURCE}",
        measure="BLEU, greedy",
    ),
    Claim(
        "F3",
        "Word-KD's greedy BLEU ≤ Seq-KD's: the difference ≥ 0",
        lambda rows: greedy(rows, SEQ_KD) - greedy(rows, WORD_KD),
        least=0.0,
        needs=(WORD_KD, SEQ_KD),
        original=f"18.9 − 15.4 = 3.5 {SOURCE}",
        measure="BLEU, greedy",
    ),
    Claim(
        "F4",
        "p(ŷ) of Seq-KD ≥ 8 times the baseline's",
        times_as_peaked,
        least=8.0,
        needs=(SEQ_KD, BASELINE),
        original=f"16.9% / 0.9% = 19 {SOURCE}",
        measure="p(ŷ)",
    ),
    Claim(
        "F5",
        "perplexity of gold under Seq-KD ≥ 1.5 times the baseline's",
        lambda rows: rows[SEQ_KD]["perplexity"] / rows[BASELINE]["perplexity"],
        least=1.5,
        needs=(SEQ_KD, BASELINE),
        original=f"22.7 / 8.2 = 2.8 {SOURCE}",
        measure="perplexity of gold",
    ),
)
CLAIMS = PAPER_SCALE + SCALE_FREE
GROUPS = {"on the paper's scale of BLEU": PAPER_SCALE, "free of the scale of BLEU": SCALE_FREE}


def judge(by_seed: Sequence[Rows]) -> list[Verdict]:
    """Judge every claim whose rows and measurements are there. Raises ValueError without any
    seed."""
    return judge_claims(CLAIMS, by_seed)
