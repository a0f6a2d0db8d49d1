"""Near-policy distillation by the clock: seconds for equal tokens, synchronous and not, and what
the factor is made of.

A round is what the other experiments call a seed: in each, all ways take turns on the same warm
start (seed 1), so a busy moment of the machine touches all alike. It needs two free cores.

From the synchronous loop to near-policy training one thing after another is switched on: drawing
without waste, large batches of drawing, top-k instead of all words, packing, a process for the
generator, fewer synchronisations.
"""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from statistics import fmean, median

import pandas
import torch

from seqkd_lab import machine
from seqkd_lab.corpus.parallel import ParallelCorpus
from seqkd_lab.distillation.generation import (
    GENERATE,
    SCORE,
    TRAIN,
    TRAINER,
    WAIT,
    Diary,
    Event,
    Writing,
)
from seqkd_lab.distillation.generator_process import Separate
from seqkd_lab.distillation.near_policy import (
    ROW_LENGTH,
    InOneProcess,
    Learning,
    Run,
    Schedule,
    Writer,
    learn,
)
from seqkd_lab.distillation.on_policy import Divergence, OnPolicy
from seqkd_lab.models.seq2seq import Seq2Seq
from seqkd_lab.runs.presets import EARLIER
from seqkd_lab.runs.schedule import Task, Train
from seqkd_lab.runs.store import Report, Store
from seqkd_lab.runs.study import Study
from seqkd_lab.runs.verdicts import Claim, Rows
from seqkd_lab.studies.near_policy.measures import endless_batches
from seqkd_lab.studies.near_policy.recipes import (
    ALPHA,
    NEAR,
    RATES,
    TOP_K,
    cycle,
    empty_copy,
    teacher,
    warm_start,
)
from seqkd_lab.training import Optimisation, Trainer

SEED, TOKENS_BY_SIZE, N_SOURCES = 1, 1_660, 4_000
"""Of the models; tokens that every way learns from in a round, for each sentence of an update, so
that the end comes late in the seventh job whatever the size; and the sentences that they come
from."""
SIZES, MAIN = (16, 32, 64), 32
"""Sentences of an update; all ways are measured with MAIN of them."""
LEAST_FACTOR = 3.0
"""The aim."""
SHOWN = 96
"""Updates of which the events are kept for the timeline, in the first round."""


@dataclass(frozen=True)
class Way:
    """One way to train. loop: as the on-policy lesson does it, with `threads`. two: a process for
    the generator."""

    name: str
    loop: bool = False
    threads: int = 1
    schedule: Schedule = field(default_factory=lambda: Schedule(1, ahead=0))
    top_k: int | None = None
    row_length: int | None = None
    two: bool = False


def both(interval: int | None) -> Way:
    """Two processes with all that belongs to it."""
    name = "never" if interval is None else f"every {interval}"
    return Way(
        f"two processes, {name}",
        schedule=Schedule(interval),
        top_k=TOP_K,
        row_length=ROW_LENGTH,
        two=True,
    )


LOOP, LOOP_2 = "synchronous, 1 thread", "synchronous, 2 threads"
NEAR_POLICY, SPARSER = both(16).name, both(64).name
LADDER = (
    Way(LOOP, loop=True),
    Way("+ drawing without waste"),
    Way("+ large batches", schedule=Schedule(16)),
    Way("+ top-k", schedule=Schedule(16), top_k=TOP_K),
    Way("+ packing", schedule=Schedule(16), top_k=TOP_K, row_length=ROW_LENGTH),
    both(16),
    both(64),
)
"""Each has what those before it have, and one thing more."""
SYNCHRONOUS = (LADDER[0], Way(LOOP_2, loop=True, threads=2))
WAYS = {size: (*SYNCHRONOUS, both(16)) for size in SIZES} | {
    MAIN: (*SYNCHRONOUS, *LADDER[1:5], *(both(interval) for interval in (1, 4, 16, 64, None)))
}


def tokens_for(size: int) -> int:
    """Equal for all ways of a size."""
    return TOKENS_BY_SIZE * size


SETTINGS = {
    "seed": SEED,
    "tokens": {str(size): tokens_for(size) for size in SIZES},
    "sources": N_SOURCES,
    "top_k": TOP_K,
    "alpha": ALPHA,
    "row_length": ROW_LENGTH,
    "ways": {str(size): [way.name for way in ways] for size, ways in WAYS.items()},
}


def run_loop(trainer: Trainer, n_tokens: int) -> Run:
    """The synchronous loop, with a diary: the same calls as training with `OnPolicy` makes."""
    run, diary = Run(), Diary(TRAINER)
    trainer.model.train()
    for batch in endless_batches(trainer, SEED):
        n = run.n_updates
        with diary.note(GENERATE, n):
            batch = trainer.batch_transform(trainer.model, batch, n)
        with diary.note(SCORE, n), torch.no_grad():
            said = trainer.teacher(batch)
        with diary.note(TRAIN, n):
            run.loss.append(trainer.step(batch, said))
        run.n_tokens += batch.n_tokens
        if run.n_tokens >= n_tokens:
            run.events = diary.events
            return run
    raise AssertionError("the batches have no end")


def run_way(
    way: Way, size: int, student: Seq2Seq, teacher: Seq2Seq, corpus: ParallelCorpus, n_tokens: int
) -> tuple[Run, float]:
    """Trains `student` in place; what it took, and its seconds. The corpus is encoded and a process
    started before."""
    machine.use_threads(way.threads)
    plan = Optimisation(epochs=1, learning_rate=RATES[NEAR], batch_size=size)
    trainer = Trainer(
        student, corpus, corpus[:1], Divergence(0.0), plan, SEED, teacher, OnPolicy(1.0)
    )
    if way.loop:
        return clocked(lambda: run_loop(trainer, n_tokens))
    learning = Learning(n_tokens, cycle(RATES[NEAR]), ALPHA, way.row_length)
    writer = Writer(
        empty_copy(student), teacher, trainer.encoded, Writing(top_k=way.top_k), size, SEED
    )
    if not way.two:
        return clocked(lambda: learn(student, InOneProcess(writer), way.schedule, learning))
    with Separate(writer, way.schedule) as source:
        source.wait_until_ready()
        return clocked(lambda: learn(student, source, way.schedule, learning))


def clocked(job: Callable[[], Run]) -> tuple[Run, float]:
    """What a job gave, and its seconds."""
    start = time.monotonic()
    run = job()
    return run, time.monotonic() - start


def costs(events: Iterable[Event], two: bool) -> dict[str, float]:
    """Seconds by who and what; in one process the trainer's waiting is the writing itself, and left
    out."""
    found: Counter[str] = Counter()
    for event in events:
        if event.what == WAIT and not two:
            continue
        found[f"{event.who} {event.what}"] += event.end - event.start
    return {name: round(seconds, 4) for name, seconds in sorted(found.items())}


def timeline(events: Sequence[Event]) -> list[str]:
    """The events of the first updates as "who what from to update", in ms; the clock begins with
    the first."""
    zero = min(event.start for event in events)
    return [
        f"{event.who} {event.what} {1000 * (event.start - zero):.1f} "
        f"{1000 * (event.end - zero):.1f} {event.update}"
        for event in events
        if event.update < SHOWN
    ]


def events_of(lines: Iterable[str]) -> list[Event]:
    """What `timeline` wrote, in seconds."""
    parts = [line.split(" ") for line in lines]
    return [
        Event(who, what, float(start) / 1000, float(end) / 1000, int(update))
        for who, what, start, end, update in parts
    ]


def measure(number: int, store: Store, report: Report) -> dict:
    """One round: of each size and way the seconds for 1,000 tokens, tokens, updates, and who was at
    work for how long.

    The first round keeps the events of its first updates, too."""
    data, master, start = store.dataset(EARLIER), store.model(teacher(SEED)), warm_start(SEED)
    corpus = data.train[:N_SOURCES]
    jobs = [(size, way) for size in SIZES for way in WAYS[size]]
    before, found = torch.get_num_threads(), {str(size): {} for size in SIZES}
    for size in SIZES:  # not counted: what is slow the first time
        for way in (*SYNCHRONOUS, *LADDER[1:5]):
            run_way(way, size, store.model(start), master, corpus, tokens_for(size) // 40)
    for done, (size, way) in enumerate(jobs, start=1):
        run, seconds = run_way(way, size, store.model(start), master, corpus, tokens_for(size))
        found[str(size)][way.name] = {
            "seconds_per_1000": round(1000 * seconds / run.n_tokens, 5),
            "seconds": round(seconds, 4),
            "tokens": run.n_tokens,
            "updates": run.n_updates,
            "costs": costs(run.events, way.two),
            **(
                {"events": timeline(run.events)}
                if number == 1 and size == MAIN and shown(way)
                else {}
            ),
        }
        report(done, len(jobs))
    machine.use_threads(before)
    return found


def shown(way: Way) -> bool:
    """Whether the view shows it."""
    return way.two or way.name == LOOP


def tasks(number: int) -> list[Task]:
    """Teacher and warm start, the same in each round."""
    return [Train(teacher(SEED)), Train(warm_start(SEED))]


def best_loop(rows: Rows, size: int) -> float:
    """Seconds for 1,000 tokens of the synchronous loop, with one thread or two, whichever is
    faster."""
    return min(rows[str(size)][name]["seconds_per_1000"] for name in (LOOP, LOOP_2))


def factor(size: int, name: str) -> Callable[[Rows], float]:
    """How many times as fast as the faster synchronous loop."""
    return lambda rows: best_loop(rows, size) / rows[str(size)][name]["seconds_per_1000"]


def speeds(rounds: Sequence[Rows]) -> pandas.DataFrame:
    """Every size and way: seconds for 1,000 tokens (median), and times as fast as the faster
    synchronous loop."""
    rows = []
    for size in SIZES:
        for name in rounds[0][str(size)]:
            factors = [factor(size, name)(one) for one in rounds]
            rows.append(
                {
                    "sentences an update": size,
                    "way": name,
                    "s / 1,000 "
                    "tokens": f"{median(one[str(size)][name]['seconds_per_1000'] for one in rounds):.4f}",  # noqa: E501
                    "times as fast": f"{median(factors):.2f} "
                    f"({min(factors):.2f}–{max(factors):.2f})",
                }
            )
    return pandas.DataFrame(rows).set_index(["sentences an update", "way"])


def split(rounds: Sequence[Rows], size: int = MAIN) -> pandas.DataFrame:
    """Milliseconds for 1,000 tokens by who did what, mean over the rounds."""
    rows = {}
    for name in rounds[0][str(size)]:
        each = [one[str(size)][name] for one in rounds]
        names = sorted({what for one in each for what in one["costs"]})
        rows[name] = {
            what: round(1e6 * fmean(one["costs"].get(what, 0.0) / one["tokens"] for one in each), 1)
            for what in names
        }
    return pandas.DataFrame(rows).T.fillna(0.0)


def tables(rounds: Sequence[Rows]) -> dict[str, pandas.DataFrame]:
    """Headed tables of all rounds."""
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
)

STUDY = Study(
    "near-policy-clock",
    "how much faster is near-policy training than the synchronous loop, and why?",
    "near_policy_clock.json",
    SETTINGS,
    tasks,
    measure,
    tables,
    CLAIMS,
    repeated="rounds",
    data=EARLIER,
)
EXPERIMENT = STUDY  # until its users are renamed
