"""The PACED experiment (arXiv 2603.11178): are the sentences worth most that a student half knows?

A toy need not show it. In particular the collapse of the signal-to-noise ratio towards p = 0 may
not appear: a sentence that the student never gets right still holds many words that it can learn,
which a right-or-wrong answer hides. What comes out is reported, bin by bin.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from statistics import fmean

import pandas

from seqkd_lab.distillation.paced import LEAST_KEPT, MOST_KEPT, N_SAMPLES
from seqkd_lab.evaluation import score_outputs
from seqkd_lab.runs.making.train import sentence_weights
from seqkd_lab.runs.presets import EARLIER
from seqkd_lab.runs.recipes import HARD, PACED, SHUFFLED
from seqkd_lab.runs.results import with_interval
from seqkd_lab.runs.schedule import Task, Train
from seqkd_lab.runs.store import Report, Store
from seqkd_lab.runs.study import Study
from seqkd_lab.runs.verdicts import Claim, Rows
from seqkd_lab.studies.paced.measures import (
    N_BINS,
    accuracy_record,
    counts,
    has_skill,
    judged,
    noise_record,
    snapshots,
)
from seqkd_lab.studies.paced.recipes import (
    ARMS,
    EPOCHS,
    FORWARD,
    LEFT_OUT,
    RATES,
    REVERSE,
    SHARE,
    TEMPERATURE,
    TWO_STAGE,
    UNIFORM,
    arm,
    label,
    rates,
    stages,
    start,
    teacher,
)

START, TEACHER, AGAIN = "start", "teacher", "start, drawn again"
MOST_PER_BIN, N_WATCHED, WATCHED_SEED = 256, 300, 1
"""Sentences of a bin for the signal-to-noise ratio; validation sentences whose pass rates are
watched in training, for a picture, which takes one student."""
GOLD_EPOCHS = (1, 2, 3, 4, 6, 8, 10)
SETTINGS = {
    "samples": N_SAMPLES,
    "share": round(SHARE, 6),
    "left_out": list(LEFT_OUT),
    "epochs": EPOCHS,
    "rates": RATES,
    "temperature": TEMPERATURE,
    "hard_filter": [LEAST_KEPT, MOST_KEPT],
    "most_per_bin": MOST_PER_BIN,
    "watched": N_WATCHED,
    "watched_seed": WATCHED_SEED,
    "gold_epochs": list(GOLD_EPOCHS),
    "arms": [label(one) for one in ARMS],
}


def tasks(seed: int) -> list[Task]:
    """Every arm, with what it builds on."""
    return [Train(arm(seed, *one)) for one in ARMS]


def measure(seed: int, store: Store, report: Report) -> dict:
    """All arms of a seed on the test set, signal and noise at the start; of one seed two trainings
    are watched."""
    found = store.pass_rates(rates(seed), report)
    return {
        "rates": counts(found),
        "weights": weights_record(found, seed),
        "noise": noise_record(store, arm(seed, REVERSE, PACED), found, MOST_PER_BIN, seed, report),
        "arms": arms_record(seed, store, report),
        "watched": watched_record(seed, store, report) if seed == WATCHED_SEED else {},
    }


def watched_record(seed: int, store: Store, report: Report) -> dict:
    """How the pass rates of validation sentences change while the start learns from gold, and then
    by PACED."""
    valid = [source for source in store.dataset(EARLIER).valid.source if not has_skill(source)][
        :N_WATCHED
    ]
    return {
        "gold": snapshots(store, start(seed), valid, GOLD_EPOCHS, seed, report),
        "paced": snapshots(
            store, arm(seed, REVERSE, PACED), valid, range(1, EPOCHS + 1), seed, report
        ),
    }


def weights_record(found: Sequence[float], seed: int) -> dict:
    """Of each kind of weights: the largest, and the share of the sentences that count for
    nothing."""
    record = {}
    for kind in (HARD, PACED, SHUFFLED):
        values = sentence_weights(arm(seed, FORWARD, kind).weighting, found)
        record[kind] = {
            "largest": round(float(values.max()), 4),
            "share_of_zeros": round(float((values == 0.0).float().mean()), 4),
        }
    return record


def arms_record(seed: int, store: Store, report: Report) -> dict:
    """Accuracy, forgetting, BLEU and counted tokens of the teacher, the start and all arms on the
    test set.

    Bins are made by one draw of the start; the start itself is judged by another, since a bin's own
    draws say too much.
    """
    recipes = {START: start(seed), AGAIN: start(seed), TEACHER: teacher(seed)}
    recipes |= {label(one): arm(seed, *one) for one in ARMS}
    data = store.dataset(EARLIER)
    models = {name: store.model(recipe) for name, recipe in recipes.items()}
    found, greedy, right = judged(models, data.test.source, data.language, seed, report)
    initial = found.pop(START)
    record = {}
    for name, own in found.items():
        score, _ = score_outputs(greedy[name], data.test, data.detokenise, seconds=1.0)
        tokens = (
            []
            if name in (AGAIN, TEACHER)
            else [store.n_tokens(one) for one in stages(recipes[name])]
        )
        record[START if name == AGAIN else name] = {
            **accuracy_record(own, right[name], initial, data.test.source),
            "bleu": round(score.bleu, 3),
            "tokens": tokens,
        }
    left = [has_skill(source) for source in data.test.source]
    kept = [rate for rate, skill in zip(initial, left, strict=True) if not skill]
    return {"initial": counts(kept), "arms": record}


def percent(rows: Rows, arm_label: str, what: str = "kept") -> float:
    """Valid draws of an arm in percent: of sources without the left-out skill ("kept"), or with it
    ("left_out")."""
    return 100.0 * rows["arms"]["arms"][arm_label][what]


def forgetting(rows: Rows, arm_label: str) -> float:
    """What the left-out skill lost since the start, in points of valid draws."""
    return percent(rows, START, "left_out") - percent(rows, arm_label, "left_out")


def lead(loss: str, kind: str, other: str) -> Callable[[Rows], float]:
    """How many points more of the draws are valid with `kind` than with `other` weights."""
    return lambda rows: percent(rows, label((loss, kind))) - percent(rows, label((loss, other)))


def spared(loss: str) -> Callable[[Rows], float]:
    """How many points less PACED forgets than uniform weights."""
    return lambda rows: (
        forgetting(rows, label((loss, UNIFORM))) - forgetting(rows, label((loss, PACED)))
    )


def much_of_the_gain(loss: str) -> Callable[[Rows], float]:
    """The hard filter's gain less half of PACED's, in points; at most PACED's gain, so that none is
    no success."""

    def value(rows: Rows) -> float:
        """See above."""
        gain, hard = lead(loss, PACED, UNIFORM)(rows), lead(loss, HARD, UNIFORM)(rows)
        return min(gain, hard - gain / 2.0)

    return value


def ratios(rows: Rows, loss: str) -> list[float]:
    """The signal-to-noise ratio of each bin; not cut off at 0, or the mean over seeds would have a
    bias again."""
    found = rows["noise"][loss]
    return [signal / noise for signal, noise in zip(found["signal"], found["noise"], strict=True)]


def middle(rows: Rows, loss: str) -> float:
    """The mean ratio of the bins 3/8, 4/8 and 5/8."""
    return fmean(ratios(rows, loss)[N_BINS // 2 - 1 : N_BINS // 2 + 2])


def inner_maximum(loss: str) -> Callable[[Rows], float]:
    """The middle's ratio less that of the higher end."""
    return lambda rows: middle(rows, loss) - max(ratios(rows, loss)[0], ratios(rows, loss)[-1])


def collapse(loss: str, end: int) -> Callable[[Rows], float]:
    """Half of the middle's ratio less that of an end (0 or -1): not below 0 where the end has half
    of it at most."""
    return lambda rows: middle(rows, loss) / 2.0 - ratios(rows, loss)[end]


BELL = (
    "PACED: the signal-to-noise ratio of the distillation gradient over the pass rate is "
    "bell-shaped and collapses at both ends (as our notes have it)"
)
GAIN = "PACED: gains up to +8.2 over unweighted distillation (as our notes have it)"
FORGETS = "PACED: less forgetting than unweighted distillation (as our notes have it)"
FILTER = "PACED: a hard filter 0.2 < p̂ < 0.8 gets much of the gain (as our notes have it)"
CONTROL = "an aim of this lab: the same weights on sentences at random must not do as well"
ENDS = {"p = 0": 0, "p = 1": -1}
SHORT = {FORWARD: "fkl", REVERSE: "rkl", TWO_STAGE: "two"}


def _noise_claims(loss: str) -> list[Claim]:
    of = f"signal-to-noise, {loss}"
    falls = [
        Claim(
            f"{SHORT[loss]}-{name.replace(' ', '')}",
            f"{of}: at {name} at most half of the middle (half of the middle − end ≥ 0)",
            collapse(loss, end),
            least=0.0,
            original=BELL,
        )
        for name, end in ENDS.items()
    ]
    return [
        Claim(
            f"{SHORT[loss]}-inner",
            f"{of}: the middle (3/8–5/8) above both ends (middle − higher end ≥ 0)",
            inner_maximum(loss),
            least=0.0,
            original=BELL,
        ),
        *falls,
    ]


def _arm_claims(loss: str) -> list[Claim]:
    short = SHORT[loss]
    return [
        Claim(
            f"{short}-gain",
            f"{loss}: valid draws, PACED − uniform ≥ 0 points",
            lead(loss, PACED, UNIFORM),
            least=0.0,
            original=GAIN,
        ),
        Claim(
            f"{short}-forget",
            f"{loss}: points of the left-out skill lost, uniform − PACED ≥ 0",
            spared(loss),
            least=0.0,
            original=FORGETS,
        ),
    ]


def _control_claims(loss: str) -> list[Claim]:
    short = SHORT[loss]
    return [
        Claim(
            f"{short}-hard",
            f"{loss}: the hard filter has half of PACED's gain or more, and PACED has one",
            much_of_the_gain(loss),
            least=0.0,
            original=FILTER,
        ),
        Claim(
            f"{short}-shuffled",
            f"{loss}: valid draws, PACED − shuffled weights ≥ 0 points",
            lead(loss, PACED, SHUFFLED),
            least=0.0,
            original=CONTROL,
        ),
    ]


CLAIMS = tuple(
    claim
    for loss in (FORWARD, REVERSE)
    for claim in (*_noise_claims(loss), *_arm_claims(loss), *_control_claims(loss))
) + (
    *_arm_claims(TWO_STAGE),
    Claim(
        "two-forward",
        "valid draws, PACED two-stage − uniform forward KL ≥ 0 points (stages and weights in one)",
        lambda rows: (
            percent(rows, label((TWO_STAGE, PACED))) - percent(rows, label((FORWARD, UNIFORM)))
        ),
        least=0.0,
        original=GAIN,
    ),
)


NOISE_TABLE = "Signal-to-noise, thousandths"


def tables(by_seed: Sequence[Rows]) -> dict[str, pandas.DataFrame]:
    """Arms, accuracy by initial pass rate, and signal-to-noise by pass rate: means of the seeds, ±
    half of the 95% interval."""
    names = list(by_seed[0]["arms"]["arms"])
    arms = {
        name: {
            "valid draws %": _said([percent(rows, name) for rows in by_seed]),
            "left-out skill %": _said([percent(rows, name, "left_out") for rows in by_seed]),
            "forgotten": _said([forgetting(rows, name) for rows in by_seed]),
            "greedy valid %": _said([percent(rows, name, "kept_greedy") for rows in by_seed]),
            "BLEU greedy": _said([rows["arms"]["arms"][name]["bleu"] for rows in by_seed]),
            "tokens": f"{fmean(sum(rows['arms']['arms'][name]['tokens']) for rows in by_seed):,.0f}",  # noqa: E501
        }
        for name in names
    }
    initial = {
        name: {f"{place}/8": _said(_there(by_seed, name, place), 100.0) for place in range(N_BINS)}
        for name in names
    }
    noise = {
        loss: {
            f"{place}/8": _said([ratios(rows, loss)[place] for rows in by_seed], 1_000.0, 2)
            for place in range(N_BINS)
        }
        for loss in (FORWARD, REVERSE)
    }
    frames = {
        "Arms, test set": arms,
        "Valid draws % by the start's pass rate": initial,
        NOISE_TABLE: noise,
    }
    return {
        heading: pandas.DataFrame.from_dict(lines, orient="index")
        for heading, lines in frames.items()
    }


def _there(by_seed: Sequence[Rows], name: str, place: int) -> list[float]:
    """An arm's valid draws of a bin in the seeds that have the bin."""
    values = (rows["arms"]["arms"][name]["by_initial"][place] for rows in by_seed)
    return [value for value in values if value is not None]


def _said(values: Sequence[float], scale: float = 1.0, digits: int = 1) -> str:
    return with_interval(values, digits, scale) if values else "–"


STUDY = Study(
    "paced",
    "are the sentences worth most that a student half knows?",
    "paced.json",
    SETTINGS,
    tasks,
    measure,
    tables,
    CLAIMS,
    data=EARLIER,
)
EXPERIMENT = STUDY  # until its users are renamed
