"""The near-policy study (NPD, arXiv 2605.05940): what stale sentences cost, and what Δ-IFD brings.

All arms start from one warm start and learn from the same number of tokens, in one process: the
schedule alone decides which weights draw the rollouts of which update, so two processes would learn
the same, bit for bit. What they save by the clock is measured apart (near_policy_clock.py).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import pandas

from seqkd_lab.corpus.batching import encode
from seqkd_lab.distillation.near_policy import ROW_LENGTH
from seqkd_lab.runs.committed import write_committed
from seqkd_lab.runs.presets import EARLIER
from seqkd_lab.runs.recipes import TEACHER
from seqkd_lab.runs.schedule import Task, Train
from seqkd_lab.runs.store import Report, Store
from seqkd_lab.runs.study import Study
from seqkd_lab.runs.verdicts import Claim, Rows, mean_and_interval
from seqkd_lab.studies.near_policy.measures import (
    CURVE,
    EDGES,
    FATES,
    JUDGED_JOBS,
    N_WATCHED,
    VALID,
    WRONG,
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
    """Return teacher and warm start of a seed."""
    return [Train(teacher(seed)), Train(warm_start(seed))]


def measure(seed: int, store: Store, report: Report) -> dict:
    """Measure teacher, warm start and every arm."""
    data, scorer, start = store.dataset(EARLIER), store.model(teacher(seed)), warm_start(seed)
    sources = encode(data.train, scorer.source_vocabulary, scorer.target_vocabulary)
    rows: dict[str, dict] = {
        TEACHER: accuracy(scorer, data.test, data),
        WARM_START: accuracy(store.model(start), data.test, data),
    }
    for done, arm in enumerate(ARMS, start=1):
        rows[arm.name] = measure_arm(arm, store.model(start), scorer, data, sources, seed)
        report(done, len(ARMS) + 1)
    rows[SYNCHRONOUS] = measure_synchronous(store.model(start), scorer, data, seed)
    report(len(ARMS) + 1, len(ARMS) + 1)
    return rows


def write_checkpoints(store: Store, directory: Path) -> Iterator[Path]:
    """Write lesson 14's warm start of seed 1 to near-policy/warm-start in `directory`; training it
    takes about half a minute on one core."""
    data = store.dataset(EARLIER)
    folder = directory / "near-policy" / "warm-start"
    yield write_committed(
        folder, store, warm_start(1), lambda model: accuracy(model, data.test, data)
    )


def lead(arm: str, other: str, measure: str = "validity") -> Callable[[Rows], float]:
    """Return a function of a seed's rows: how far an arm is above another, in points."""
    return lambda rows: rows[arm][measure] - rows[other][measure]


def accuracies(by_seed: Sequence[Rows]) -> pandas.DataFrame:
    """Return for every arm validity and BLEU with intervals, tokens learned from, updates, and how
    stale the sentences were."""
    table = []
    for name in by_seed[0]:
        validity, bleu = ([rows[name][key] for rows in by_seed] for key in ("validity", "bleu"))
        row = {"arm": name, "valid %": in_interval(validity), "BLEU": in_interval(bleu)}
        for key in ("tokens", "updates", "written", "staleness"):
            values = [rows[name][key] for rows in by_seed if key in rows[name]]
            row[key] = f"{sum(values) / len(values):,.0f}" if values else ""
        table.append(row)
    return pandas.DataFrame(table).set_index("arm")


def in_interval(values: Sequence[float]) -> str:
    """Return the mean and its 95% interval in words."""
    mean, (low, high) = mean_and_interval(values)
    return f"{mean:.1f} [{low:.1f}, {high:.1f}]"


def filtered(by_seed: Sequence[Rows]) -> pandas.DataFrame:
    """Return how many rollouts Δ-IFD keeps and drops at either end, and which share is valid."""
    table = []
    for fate in FATES:
        n_valid, n = counted(by_seed, fate)
        share = f"{100 * n_valid / max(1, n):.1f}"
        table.append({"samples": fate, "number": n, "valid %": share})
    return pandas.DataFrame(table).set_index("samples")


def counted(by_seed: Sequence[Rows], fate: str) -> tuple[int, int]:
    """Return how many rollouts of a fate are valid, and how many there are, over all seeds."""
    n_valid, n_wrong = (
        sum(rows[KEPT]["delta"][f"{fate} {name}"] for rows in by_seed) for name in (VALID, WRONG)
    )
    return n_valid, n_valid + n_wrong


def tables(by_seed: Sequence[Rows]) -> dict[str, pandas.DataFrame]:
    """Return headed tables of all seeds."""
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
    name="near-policy",
    question="What do stale sentences cost, and what does Δ-IFD bring?",
    file="near_policy.json",
    settings=SETTINGS,
    tasks=tasks,
    measure=measure,
    tables=tables,
    claims=CLAIMS,
    data=EARLIER,
    write_checkpoints=write_checkpoints,
)
