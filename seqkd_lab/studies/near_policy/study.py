"""The near-policy experiment (NPD, arXiv 2605.05940): what stale sentences cost, and what Δ-IFD
brings.

All arms start from one warm start and learn from the same number of tokens, in one process: the
schedule alone decides which weights write for which update, so what two processes would learn is
the same, bit for bit. What they save by the clock is measured apart (near_policy_clock.py).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import pandas

from seqkd_lab.corpus.batching import encode
from seqkd_lab.distillation.near_policy import ROW_LENGTH
from seqkd_lab.runs.presets import EARLIER
from seqkd_lab.runs.recipes import TEACHER
from seqkd_lab.runs.schedule import Task, Train
from seqkd_lab.runs.store import Report, Store
from seqkd_lab.runs.study import Study
from seqkd_lab.runs.verdicts import Claim, Rows, mean_and_interval
from seqkd_lab.studies.near_policy.measures import (
    CURVE,
    EDGES,
    JUDGED_JOBS,
    N_WATCHED,
    accuracy,
    measure_arm,
    measure_synchronous,
)
from seqkd_lab.studies.near_policy.recipes import (
    ALPHA,
    ARMS,
    DROPPED,
    EVERY,
    KEPT,
    N_TOKENS,
    OWN_WORDS,
    PER_UPDATE,
    RATES,
    SYNCHRONOUS,
    TEACHER_MODE,
    TEACHER_SAMPLES,
    TEACHER_SCORED,
    TOP_K,
    WARM_START,
    WARMUP,
    WITH_CROSS_ENTROPY,
    teacher,
    warm_start,
)

SETTINGS = {
    "tokens": N_TOKENS,
    "sentences_an_update": PER_UPDATE,
    "top_k": TOP_K,
    "alpha": [ALPHA, WITH_CROSS_ENTROPY],
    "rates": RATES,
    "warmup": WARMUP,
    "row_length": ROW_LENGTH,
    "arms": [arm.name for arm in ARMS] + [SYNCHRONOUS],
    "curve": list(CURVE),
    "watched": N_WATCHED,
    "bins": len(EDGES) - 1,
    "judged_jobs": JUDGED_JOBS,
}
PAPER = "NPD, arXiv 2605.05940, abstract and introduction"


def tasks(seed: int) -> list[Task]:
    """Teacher and warm start of a seed."""
    return [Train(teacher(seed)), Train(warm_start(seed))]


def measure(seed: int, store: Store, report: Report) -> dict:
    """Accuracy of teacher and warm start, and every arm."""
    data, master, start = store.dataset(EARLIER), store.model(teacher(seed)), warm_start(seed)
    sources = encode(data.train, master.source_vocabulary, master.target_vocabulary)
    found: dict[str, dict] = {
        TEACHER: accuracy(master, data.test, data),
        WARM_START: accuracy(store.model(start), data.test, data),
    }
    for done, arm in enumerate(ARMS, start=1):
        found[arm.name] = measure_arm(arm, store.model(start), master, data, sources, seed)
        report(done, len(ARMS) + 1)
    found[SYNCHRONOUS] = measure_synchronous(store.model(start), master, data, seed)
    report(len(ARMS) + 1, len(ARMS) + 1)
    return found


def lead(arm: str, other: str, what: str = "validity") -> Callable[[Rows], float]:
    """How far an arm is above another, in points."""
    return lambda rows: rows[arm][what] - rows[other][what]


def accuracies(by_seed: Sequence[Rows]) -> pandas.DataFrame:
    """Every arm: validity and BLEU with intervals, tokens learned from, updates, and how stale the
    sentences were."""
    rows = []
    for name in by_seed[0]:
        validity, (low, high) = mean_and_interval([one[name]["validity"] for one in by_seed])
        bleu, (bleu_low, bleu_high) = mean_and_interval([one[name]["bleu"] for one in by_seed])
        row = {
            "arm": name,
            "valid %": f"{validity:.1f} [{low:.1f}, {high:.1f}]",
            "BLEU": f"{bleu:.1f} [{bleu_low:.1f}, {bleu_high:.1f}]",
        }
        for what in ("tokens", "updates", "written", "staleness"):
            values = [one[name][what] for one in by_seed if what in one[name]]
            row[what] = f"{sum(values) / len(values):,.0f}" if values else ""
        rows.append(row)
    return pandas.DataFrame(rows).set_index("arm")


def filtered(by_seed: Sequence[Rows]) -> pandas.DataFrame:
    """Of the samples that Δ-IFD keeps and drops at either end: how many there were, and which share
    is valid."""
    rows = []
    for fate in ("kept", "dropped low", "dropped high"):
        valid, wrong = (
            sum(one[KEPT]["delta"][f"{fate} {what}"] for one in by_seed)
            for what in ("valid", "wrong")
        )
        rows.append(
            {
                "samples": fate,
                "number": valid + wrong,
                "valid %": f"{100 * valid / max(1, valid + wrong):.1f}",
            }
        )
    return pandas.DataFrame(rows).set_index("samples")


def tables(by_seed: Sequence[Rows]) -> dict[str, pandas.DataFrame]:
    """Headed tables of all seeds."""
    return {
        "Near-policy distillation: test set, greedy, mean [95% interval]": accuracies(by_seed),
        "What Δ-IFD (ours) keeps": filtered(by_seed),
    }


AHEAD_OF_DATA = f"+8.09% over fine-tuning on teacher data ({PAPER})"
SPARSE = (
    f"the student is synchronised to the generator only sparsely ({PAPER}); what that may cost is "
    "ours"
)
FILTER = (
    f"Δ-IFD drops extreme samples, to keep training in a “safe proximal learning zone” ({PAPER})"
)
LOSS = (
    f"trained on with cross-entropy plus forward KL ({PAPER}); without cross-entropy is ours, by "
    "validation"
)
CLAIMS = (
    Claim(
        "N1",
        "every 16: valid translations above fine-tuning on the teacher's samples, ≥ 0 points",
        lead(EVERY[16], TEACHER_SAMPLES),
        least=0.0,
        original=AHEAD_OF_DATA,
    ),
    Claim(
        "N2",
        "every 16: above fine-tuning on the teacher's greedy translations (Seq-KD), ≥ 0 points",
        lead(EVERY[16], TEACHER_MODE),
        least=0.0,
        original=AHEAD_OF_DATA,
    ),
    Claim(
        "N3",
        "every 16: above the teacher's samples with the same loss, ≥ 0 points",
        lead(EVERY[16], TEACHER_SCORED),
        least=0.0,
        original=AHEAD_OF_DATA,
    ),
    *(
        Claim(
            f"N{number}",
            f"{EVERY[interval]}: at most 1 point of validity below synchronising at every update",
            lead(EVERY[interval], EVERY[1]),
            least=-1.0,
            original=SPARSE,
        )
        for number, interval in ((4, 4), (5, 16), (6, 64), (7, None))
    ),
    Claim(
        "N8",
        "every 16: at most 1 point of validity below the synchronous loop (GKD, all words)",
        lead(EVERY[16], SYNCHRONOUS),
        least=-1.0,
        original=SPARSE,
    ),
    Claim(
        "N9",
        "every 16: validity above the same with the cross-entropy of the student's own words, ≥ 0 "
        "points",
        lead(EVERY[16], OWN_WORDS),
        least=0.0,
        original=LOSS,
    ),
    Claim(
        "N10",
        "Δ-IFD (ours): validity above dropping as many at random, ≥ 0 points",
        lead(KEPT, DROPPED),
        least=0.0,
        original=FILTER,
    ),
    Claim(
        "N11",
        "Δ-IFD (ours): validity above dropping none, ≥ 0 points",
        lead(KEPT, EVERY[16]),
        least=0.0,
        original=FILTER,
    ),
)

STUDY = Study(
    "near-policy",
    "what do stale sentences cost, and what does Δ-IFD bring?",
    "near_policy.json",
    SETTINGS,
    tasks,
    measure,
    tables,
    CLAIMS,
    data=EARLIER,
)
EXPERIMENT = STUDY  # until its users are renamed
