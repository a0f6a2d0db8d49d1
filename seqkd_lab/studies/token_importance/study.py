"""The token-importance experiment: which of the student's own tokens must teach (TIP, arXiv
2604.14084).

The student has planted weaknesses, so of each of its tokens the truth is known. At the start is
measured what the selectors find; then each trains an arm, and what is left is measured on the test
set.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from itertools import islice
from pathlib import Path

import pandas

from seqkd_lab.distillation.tip import ALL, BOTTOM, ENTROPY, Q3, SELECTORS, SOFT_OR, TOP_ENTROPY
from seqkd_lab.models.checkpoint import load_model, save_model, write_json
from seqkd_lab.runs.committed import weights_hash
from seqkd_lab.runs.presets import EARLIER
from seqkd_lab.runs.results import with_interval
from seqkd_lab.runs.schedule import Task, Train
from seqkd_lab.runs.store import Report, Store, identity
from seqkd_lab.runs.study import Study
from seqkd_lab.runs.verdicts import Claim, Rows
from seqkd_lab.studies.token_importance import memory as tip_memory
from seqkd_lab.studies.token_importance import recipes
from seqkd_lab.studies.token_importance.measures import (
    drawn_batches,
    kinds_record,
    outcome,
    selection_record,
)
from seqkd_lab.studies.token_importance.recipes import ARMS, LONG, PLANTED, SHARES, START, arm

N_BATCHES, N_LABELLED = 16, 4
"""Batches of the student's outputs whose tokens are selected from, and of those, whose kinds of
places are told."""
MEMORY_CASES: tuple[tip_memory.Case, ...] = tuple(
    (n_words, share)
    for n_words in (tip_memory.TOY_WORDS, tip_memory.MANY_WORDS)
    for share in (None, *SHARES)
)
SETTINGS = {
    "arms": list(ARMS),
    "shares": list(SHARES),
    "planted": identity(PLANTED),
    "sources": identity(LONG),
    "warming": identity(recipes.WARMING),
    "tuning": identity(recipes.TUNING),
    "batches": N_BATCHES,
    "labelled": N_LABELLED,
    "memory": {
        "sentences": tip_memory.B,
        "tokens": tip_memory.T,
        "returned_from": tip_memory.LEAST_RETURNED,
    },
}


def tasks(seed: int) -> list[Task]:
    """Every arm, after the planted student and the teacher."""
    return [Train(recipe) for recipe in recipes.arms(seed).values()]


def measure(seed: int, store: Store, report: Report) -> dict:
    """What selectors find at the start, what the arms come to, and the memory."""
    start_recipe, teacher_recipe = recipes.start_and_teacher(seed)
    start, teacher = store.model(start_recipe), store.model(teacher_recipe)
    data = store.dataset(EARLIER)
    drawn = list(
        islice(
            drawn_batches(start, teacher, LONG(data.train), recipes.TUNING.batch_size, seed),
            N_BATCHES,
        )
    )
    found = {
        "selection": selection_record(drawn, PLANTED, SHARES, seed),
        "kinds": kinds_record(drawn[:N_LABELLED], data.language, PLANTED),
        "n_mistakes": sum(int(d.places(PLANTED).sum()) for d in drawn),
        "n_tokens": sum(int(d.seen.real.sum()) for d in drawn),
        "memory": memory_record(),
        "arms": {START: outcome(start, data, data.test, PLANTED) | {"tokens": 0}},
    }
    for done, (name, recipe) in enumerate(recipes.arms(seed).items(), start=1):
        student = store.model(recipe)
        found["arms"][name] = outcome(student, data, data.test, PLANTED) | {
            "tokens": store.n_tokens(recipe)
        }
        report(done, len(ARMS))
    return found


def memory_record() -> dict[str, dict]:
    """By V and share: bytes of the logits' gradient, and of the peak above what was there
    before."""
    measured = tip_memory.measure(MEMORY_CASES)
    return {
        memory_case(*case): {"logits_gradient": found.logits_gradient, "peak": found.peak}
        for case, found in zip(MEMORY_CASES, measured, strict=True)
    }


def memory_case(n_words: int, share: float | None) -> str:
    """The name of a case in the results."""
    return f"{n_words} {ALL if share is None else f'{share:g}'}"


Value = Callable[[Rows], float]


def valid_points(name: str, other: str = ALL) -> Value:
    """Greedy validity of an arm minus that of another, in points of percent."""
    return lambda rows: 100.0 * (rows["arms"][name]["validity"] - rows["arms"][other]["validity"])


def recall(selector: str, share: float) -> Value:
    """The share of the planted mistakes that a selector keeps at the start."""
    return lambda rows: rows["selection"][selector][f"{share:g}"]["recall"]


def mistakes_left(name: str) -> Value:
    """Of the test sources that tempt to a planted mistake, the percentage whose translation makes
    it at the end."""
    return lambda rows: 100.0 * rows["arms"][name]["mistakes"]


def saved(n_words: int, share: float, what: str) -> Value:
    """By how much, in percent, `share` of the tokens takes less memory than all."""

    def value(rows: Rows) -> float:
        kept, every = (rows["memory"][memory_case(n_words, part)][what] for part in (share, None))
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
        saved(tip_memory.MANY_WORDS, 0.5, "peak"),
        least=47.0,
        original=MEMORY,
    ),
    Claim(
        "memory-fifth",
        "peak of loss and gradient at V = 32,000: ρ = .2 saves ≥ 47%",
        saved(tip_memory.MANY_WORDS, 0.2, "peak"),
        least=47.0,
        original=MEMORY,
    ),
    Claim(
        "memory-gradient",
        "bytes of the logits' gradient at V = 32,000: ρ = .5 saves ≥ 47%",
        saved(tip_memory.MANY_WORDS, 0.5, "logits_gradient"),
        least=47.0,
        original=MEMORY,
    ),
)


def tables(by_seed: Sequence[Rows]) -> dict[str, pandas.DataFrame]:
    """The arms' ends, what the selectors find, the kinds of places, and the memory."""
    return {
        "arms: means over the seeds ± half of the 95% interval": arms_table(by_seed),
        "planted mistakes found at the start, %": selection_table(by_seed),
        "tokens of the student by kind of place: means of the seeds": kinds_table(by_seed),
        "memory of one loss and its gradient, MB": memory_table(by_seed),
    }


def arms_table(by_seed: Sequence[Rows]) -> pandas.DataFrame:
    """Test set, greedy."""
    columns = {
        "valid %": ("validity", 100.0),
        "BLEU": ("bleu", 1.0),
        "mistakes left %": ("mistakes", 100.0),
        "valid with a rare word %": ("rare", 100.0),
        "tokens drawn": ("tokens", 1.0),
    }
    return pandas.DataFrame.from_dict(
        {
            name: {
                head: with_interval(
                    [scale * rows["arms"][name][key] for rows in by_seed],
                    0 if key == "tokens" else 1,
                )
                for head, (key, scale) in columns.items()
            }
            for name in (START, *ARMS)
        },
        orient="index",
    )


def selection_table(by_seed: Sequence[Rows]) -> pandas.DataFrame:
    """By selector and ρ; and the share of the tokens that ⌊ρm⌋ really keeps."""

    def row(selector: str, key: str) -> dict[str, str]:
        return {
            f"ρ = {share:g}": with_interval(
                [rows["selection"][selector][f"{share:g}"][key] for rows in by_seed], scale=100.0
            )
            for share in SHARES
        }

    found = {selector: row(selector, "recall") for selector in SELECTORS if selector != ALL}
    return pandas.DataFrame.from_dict(
        found | {"tokens kept by each": row(SOFT_OR, "kept")}, orient="index"
    )


def kinds_table(by_seed: Sequence[Rows]) -> pandas.DataFrame:
    """Means over the seeds."""
    return pandas.DataFrame.from_dict(
        {
            kind: {
                head: sum(rows["kinds"][kind][key] for rows in by_seed) / len(by_seed)
                for head, key in (
                    ("tokens", "tokens"),
                    ("h", "h"),
                    ("δ, nats", "delta"),
                    ("Soft-OR", "soft_or"),
                )
            }
            for kind in by_seed[0]["kinds"]
            if all(kind in rows["kinds"] for rows in by_seed)
        },
        orient="index",
    ).round(3)


def memory_table(by_seed: Sequence[Rows]) -> pandas.DataFrame:
    """Means over the seeds' measurements."""
    return pandas.DataFrame.from_dict(
        {
            case: {
                head: sum(rows["memory"][case][key] for rows in by_seed) / len(by_seed) / 1e6
                for head, key in (("logits' gradient", "logits_gradient"), ("peak", "peak"))
            }
            for case in by_seed[0]["memory"]
        },
        orient="index",
    ).round(2)


def write_checkpoint(store: Store, folder: Path) -> None:
    """The planted student of seed 1 with 16-bit weights, for the lesson; metrics are those of the
    model as written."""
    recipe, _ = recipes.start_and_teacher(1)
    save_model(folder, store.model(recipe), half=True)
    data = store.dataset(EARLIER)
    write_json(
        folder / "metrics.json",
        {
            "sha256": weights_hash(folder),
            "recipe": identity(recipe),
            "seed": recipe.seed,
            "metrics": outcome(load_model(folder), data, data.test, PLANTED),
        },
    )


STUDY = Study(
    "token-importance",
    "which of the student's own tokens must teach?",
    "tip.json",
    SETTINGS,
    tasks,
    measure,
    tables,
    CLAIMS,
    data=EARLIER,
    aliases=("tip",),
)
EXPERIMENT = STUDY  # until its users are renamed
