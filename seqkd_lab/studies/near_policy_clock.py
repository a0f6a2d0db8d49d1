"""Near-policy distillation by the clock: seconds for equal tokens, synchronous and not, and what
the factor is made of.

What other studies call a seed is a round here: in each, all ways take turns on the same warm start
(seed 21), so a busy moment of the machine touches all alike. It needs two free cores.

From the synchronous loop to near-policy training one thing after another is switched on: drawing
without waste, large batches of drawing, top-k instead of all words, packing, a process for the
generator, a share of the scoring for the trainer's process, fewer synchronisations
(near_policy/ways.py).
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence
from statistics import fmean, median
from typing import Annotated

import pandas
import torch
from msgspec import UNSET, Meta

from seqkd_lab import machine
from seqkd_lab.distillation.generation import TRAIN, WAIT, Event
from seqkd_lab.distillation.near_policy import ROW_LENGTH
from seqkd_lab.runs.measured import Amount, Maybe, Name, Positive, Row, Size, by_name
from seqkd_lab.runs.recipes import ToyData
from seqkd_lab.runs.store import Report, Store
from seqkd_lab.runs.study import Study
from seqkd_lab.runs.tasks import Task, Train
from seqkd_lab.runs.verdicts import Claim, Rows
from seqkd_lab.studies.near_policy.recipes import TOP_K, teacher, warm_start
from seqkd_lab.studies.near_policy.ways import (
    LADDER,
    LOOP,
    LOOP_2,
    MAIN,
    NEAR_POLICY,
    NOT_SHARED,
    SCORED,
    SEED,
    SIZES,
    SPARSER,
    SYNCHRONOUS,
    WAYS,
    Way,
    run_way,
)

TOKENS_PER_SENTENCE = 1_660
"""Tokens that every way learns from in a round, for each sentence of an update: so the end comes
late in the seventh job, whatever the size."""
N_SOURCES = 4_000
"""Sentences that the tokens come from."""
LEAST_FACTOR = 3.0
"""The aim."""
SHOWN = 96
"""Updates that the timeline shows, in the first round."""


def tokens_for(size: int) -> int:
    """Return the tokens of a round, equal for all ways of a size."""
    return TOKENS_PER_SENTENCE * size


SETTINGS = {
    "seed": SEED,
    "tokens": {str(size): tokens_for(size) for size in SIZES},
    "sources": N_SOURCES,
    "top_k": TOP_K,
    "scored": SCORED,
    "row_length": ROW_LENGTH,
    "ways": {str(size): [way.name for way in ways] for size, ways in WAYS.items()},
}


EventLine = Annotated[str, Meta(pattern=r"^[a-z]+ [a-z]+( -?[0-9]{1,12}\.[0-9]){2} -?[0-9]{1,12}$")]
"""What `to_lines` writes."""


class Timed(Row):
    """A way to train in one round: its seconds, what it learned from, who was at work for how many
    seconds, and the first events of the ways that lesson 14 shows."""

    seconds_per_1000: Positive
    seconds: Positive
    tokens: Size
    updates: Size
    costs: dict[Name, Amount]
    events: Maybe[Annotated[list[EventLine], Meta(min_length=1)]] = UNSET


ROWS = by_name(
    "Sizes", {str(size): by_name("Ways", {way.name: Timed for way in WAYS[size]}) for size in SIZES}
)


def costs(events: Iterable[Event], two_processes: bool) -> dict[str, float]:
    """Return seconds by who and what. In one process the trainer's waiting is the generation
    itself, and is left out."""
    seconds: dict[str, float] = defaultdict(float)
    for event in events:
        if two_processes or event.what != WAIT:
            seconds[f"{event.who} {event.what}"] += event.end - event.start
    return {name: round(total, 4) for name, total in sorted(seconds.items())}


def to_lines(events: Sequence[Event]) -> list[str]:
    """Return what began before the first SHOWN updates were done, as "who what from to update", in
    ms from the start of the first event."""
    start = min(event.start for event in events)
    end = end_of(events)
    return [
        f"{event.who} {event.what} {1000 * (event.start - start):.1f} "
        f"{1000 * (event.end - start):.1f} {event.update}"
        for event in events
        if event.start < end
    ]


def end_of(events: Iterable[Event]) -> float:
    """Return when the last of the first SHOWN updates was done (seconds)."""
    return max(event.end for event in events if event.what == TRAIN and event.update < SHOWN)


def from_lines(lines: Iterable[str]) -> list[Event]:
    """Return what `to_lines` wrote, in seconds."""
    parts = [line.split(" ") for line in lines]
    return [
        Event(who, what, float(start) / 1000, float(end) / 1000, int(update))
        for who, what, start, end, update in parts
    ]


def measure(number: int, store: Store, report: Report) -> dict:
    """Time one round: for each size and way the seconds for 1,000 tokens, tokens, updates, and who
    was at work for how long; in the first round also the events of the first updates."""
    data, recipe, scorer = store.dataset(ToyData()), warm_start(SEED), store.model(teacher(SEED))
    corpus, threads = data.train[:N_SOURCES], torch.get_num_threads()
    for size in SIZES:  # not counted: what is slow the first time
        for way in (*SYNCHRONOUS, *LADDER[1:5]):
            run_way(way, size, store.model(recipe), scorer, corpus, tokens_for(size) // 40)
    rows: dict[str, dict] = {str(size): {} for size in SIZES}
    jobs = [(size, way) for size in SIZES for way in WAYS[size]]
    for done, (size, way) in enumerate(jobs, start=1):
        run, seconds = run_way(way, size, store.model(recipe), scorer, corpus, tokens_for(size))
        rows[str(size)][way.name] = {
            "seconds_per_1000": round(1000 * seconds / run.n_tokens, 5),
            "seconds": round(seconds, 4),
            "tokens": run.n_tokens,
            "updates": run.n_updates,
            "costs": costs(run.events, way.two_processes),
        }
        if number == 1 and size == MAIN and is_shown(way):
            rows[str(size)][way.name]["events"] = to_lines(run.events)
        report(done, len(jobs))
    machine.use_threads(threads)
    return rows


def is_shown(way: Way) -> bool:
    """Return whether the timeline of lesson 14 shows this way."""
    return way.shared or way.name == LOOP


def tasks(number: int) -> list[Task]:
    """Return teacher and warm start, the same in each round."""
    return [Train(teacher(SEED)), Train(warm_start(SEED))]


def seconds_per_1000(rows: Rows, size: int, name: str) -> float:
    """Return the seconds that a way took for 1,000 tokens."""
    return rows[str(size)][name]["seconds_per_1000"]


def factor(size: int, name: str) -> Callable[[Rows], float]:
    """Return a function of a round: how many times as fast a way is as the faster of the
    synchronous loops, with one thread or two."""
    return lambda rows: (
        min(seconds_per_1000(rows, size, loop) for loop in (LOOP, LOOP_2))
        / seconds_per_1000(rows, size, name)
    )


def speeds(rounds: Sequence[Rows]) -> pandas.DataFrame:
    """Return for every size and way the seconds for 1,000 tokens (median), and how many times as
    fast as the faster synchronous loop it is."""
    table = []
    for size in SIZES:
        for name in rounds[0][str(size)]:
            factors = [factor(size, name)(rows) for rows in rounds]
            seconds = median(seconds_per_1000(rows, size, name) for rows in rounds)
            table.append(
                {
                    "sentences an update": size,
                    "way": name,
                    "s / 1,000 tokens": f"{seconds:.4f}",
                    "times as fast": f"{median(factors):.2f} "
                    f"({min(factors):.2f}–{max(factors):.2f})",
                }
            )
    return pandas.DataFrame(table).set_index(["sentences an update", "way"])


def split(rounds: Sequence[Rows], size: int = MAIN) -> pandas.DataFrame:
    """Return milliseconds for 1,000 tokens by who did what, mean over the rounds."""
    table = {}
    for name in rounds[0][str(size)]:
        timed = [rows[str(size)][name] for rows in rounds]
        table[name] = {
            cost: round(
                1e6 * fmean(row["costs"].get(cost, 0.0) / row["tokens"] for row in timed), 1
            )
            for cost in sorted({cost for row in timed for cost in row["costs"]})
        }
    return pandas.DataFrame(table).T.fillna(0.0)


def tables(rounds: Sequence[Rows]) -> dict[str, pandas.DataFrame]:
    """Return headed tables of all rounds."""
    return {
        "By the clock, two cores: median of the rounds (least–most)": speeds(rounds),
        f"Who did what, ms for 1,000 tokens, {MAIN} sentences an update": split(rounds),
    }


ORIGINAL = (
    "8.1 times faster than on-policy baselines (NPD, arXiv 2605.05940, abstract); the factor 3 is "
    "this lab's aim"
)
CLAIMS = tuple(
    Claim(
        f"C{number}",
        f"{name}, {size} sentences an update: at least {LEAST_FACTOR:g} times as fast as the "
        "faster of the synchronous loops with one thread and with two",
        factor(size, name),
        least=LEAST_FACTOR,
        original=ORIGINAL,
    )
    for number, (size, name) in enumerate(
        [
            (MAIN, NEAR_POLICY),
            (MAIN, SPARSER),
            *((size, NEAR_POLICY) for size in SIZES if size != MAIN),
        ],
        start=1,
    )
) + (
    Claim(
        "C5",
        f"{NEAR_POLICY}, {MAIN} sentences an update: at least as fast as the same without a share "
        "of the scoring for the trainer's process (times ≥ 1)",
        lambda rows: (
            seconds_per_1000(rows, MAIN, NOT_SHARED) / seconds_per_1000(rows, MAIN, NEAR_POLICY)
        ),
        least=1.0,
        original="ours: the abstract does not say who scores",
    ),
)

STUDY = Study(
    name="near-policy-clock",
    question="How much faster is near-policy training than the synchronous loop, and why?",
    file="near_policy_clock.json",
    settings=SETTINGS,
    tasks=tasks,
    measure=measure,
    tables=tables,
    claims=CLAIMS,
    repeated="rounds",
    rows=ROWS,
)
