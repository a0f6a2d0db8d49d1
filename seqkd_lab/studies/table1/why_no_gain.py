"""Why Seq-KD did not help on somebody's text, in sentences made from what was measured."""

from __future__ import annotations

import math
import statistics
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from seqkd_lab.distillation.distilled import ACCEPTED_LENGTH_RATIO
from seqkd_lab.runs.recipes import BASELINE, SEQ_KD, TEACHER
from seqkd_lab.runs.results import rows_by_seed
from seqkd_lab.studies.table1.findings import beam, greedy, obstacle

LEAST_LEAD = 3.0
"""BLEU that a teacher with a beam should be above the greedy baseline (4.8 in the paper's Table
1)."""
LEAST_TEACHER = 10.0
"""BLEU of a teacher with a beam."""
LEAST_SHARE = 0.5
"""Of its teacher's BLEU: a student below it has not learned enough for the choice of its targets to
matter."""
LEAST_SIMILARITY = 20.0
"""Sentence BLEU of the distilled targets against gold."""


@dataclass(frozen=True)
class Measured:
    """Means over the seeds: BLEU of the teacher with a beam, of baseline and Seq-KD by greedy
    search; of the distilled corpus its pairs, tokens per gold token and sentence BLEU against gold;
    updates of the student (None: not known)."""

    teacher: float
    baseline: float
    seq_kd: float
    n_pairs: int | None = None
    n_updates: int | None = None
    length_ratio: float | None = None
    similarity: float | None = None

    @property
    def amount(self) -> str:
        """Return "10,000 training pairs and 940 updates of the student", as far as known."""
        known = ((self.n_pairs, "training pair", ""), (self.n_updates, "update", " of the student"))
        return " and ".join(
            f"{n:,} {of}{'' if n == 1 else 's'}{whose}" for n, of, whose in known if n is not None
        )


def why_no_gain(results: Mapping) -> str | None:
    """Return why distillation did not help in the results of a table, in two or three sentences;
    None where it did, and where the results lack teacher, baseline or Seq-KD.

    It did not help where Seq-KD's greedy BLEU, in the mean over the seeds, is below the baseline's,
    or where the models have not learned enough to be judged at all.
    """
    by_seed = rows_by_seed(results)
    if not all({TEACHER, BASELINE, SEQ_KD} <= set(rows) for rows in by_seed):
        return None
    measured, reason = measured_in(results), obstacle(by_seed, (BASELINE, SEQ_KD))
    if reason is not None:
        amount = f" It was tried with {measured.amount}." if measured.amount else ""
        return f"Whether distillation helps here cannot be judged: {reason}.{amount}"
    return explain(measured) if measured.seq_kd < measured.baseline else None


def explain(measured: Measured) -> str:
    """Return by how much Seq-KD is below the baseline, and the first two causes that the numbers
    show."""
    below = measured.baseline - measured.seq_kd
    amount = f", after {measured.amount}" if measured.amount else ""
    difference = f"{below:.1f} BLEU" if below >= 0.05 else "less than 0.1 BLEU"
    causes = causes_in(measured)[:2] or [
        "Nothing that was measured explains it: more seeds would show whether it is chance."
    ]
    return " ".join(
        [
            f"Distillation did not help here: Seq-KD is {difference} below the baseline by greedy "
            f"search{amount}.",
            *causes,
        ]
    )


def causes_in(measured: Measured) -> list[str]:
    """Return a sentence for each cause that the numbers show, with its number and what to do, the
    weightiest first."""
    teacher, baseline = measured.teacher, measured.baseline
    lead = teacher - baseline
    ratio, similarity = measured.length_ratio, measured.similarity
    shortest, longest = ACCEPTED_LENGTH_RATIO
    causes = []
    if baseline < LEAST_SHARE * teacher:
        causes.append(
            f"The baseline reaches {baseline:.1f} of its teacher's {teacher:.1f} BLEU: the "
            "students have not learned enough yet; give them more epochs or smaller batches."
        )
    if lead < LEAST_LEAD:
        better = (
            f"only {lead:.1f} BLEU above the baseline" if lead >= 0.05 else "not above the baseline"
        )
        causes.append(
            f"The teacher with a beam is {better}, so it has little to teach; give it more text, "
            "more epochs or a larger model."
        )
    if ratio is not None and not shortest <= ratio <= longest:
        causes.append(
            f"The distilled targets have {ratio:.2f} tokens for each token of gold, and the "
            "student learns this length; train the teacher longer, or distil with a length "
            "penalty of 1."
        )
    if teacher < LEAST_TEACHER:
        causes.append(
            f"The teacher's own BLEU is {teacher:.1f}, so much of what it writes is wrong; give it "
            "more text or more epochs."
        )
    if similarity is not None and similarity < LEAST_SIMILARITY:
        causes.append(
            f"The distilled targets are far from gold (sentence BLEU {similarity:.0f}); train the "
            "teacher longer."
        )
    return causes


def measured_in(results: Mapping) -> Measured:
    """Return what the results of a table say about teacher, baseline, Seq-KD and the distilled
    corpus."""
    by_seed = rows_by_seed(results)
    modes = [rows[SEQ_KD]["distilled"] for rows in by_seed if "distilled" in rows[SEQ_KD]]
    n_pairs = round(statistics.fmean(mode["sentences"] for mode in modes)) if modes else None
    return Measured(
        teacher=statistics.fmean(beam(rows, TEACHER) for rows in by_seed),
        baseline=statistics.fmean(greedy(rows, BASELINE) for rows in by_seed),
        seq_kd=statistics.fmean(greedy(rows, SEQ_KD) for rows in by_seed),
        n_pairs=n_pairs,
        n_updates=_updates(results, n_pairs),
        length_ratio=_mean(mode.get("length_ratio") for mode in modes),
        similarity=_mean(mode.get("similarity") for mode in modes),
    )


def _mean(values) -> float | None:
    """Return the mean of what is known, None of nothing."""
    known: Sequence[float] = [value for value in values if value is not None]
    return statistics.fmean(known) if known else None


def _updates(results: Mapping, n_pairs: int | None) -> int | None:
    """Return the updates of Seq-KD's training (mean over the seeds), None where the results do not
    tell."""
    preset = results.get("settings", {}).get("preset", {})
    batch_size = preset.get("student_training", {}).get("batch_size")
    epochs = [
        len(rows[SEQ_KD]["curves"]["train_loss"])
        for rows in rows_by_seed(results)
        if "curves" in rows[SEQ_KD]
    ]
    if not batch_size or n_pairs is None or not epochs:
        return None
    return round(statistics.fmean(epochs) * math.ceil(n_pairs / batch_size))
