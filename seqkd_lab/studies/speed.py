"""Table 2: source words per second of teacher and students, greedy and by beam, measured in one run
on this machine.

Speed depends on a model's size and on how it is computed, not on what it has learned: each model is
the first seed's. F7, the paper's "ten times faster", compares the greedy student with
the teacher that searches by beam: two things change, and `factors` takes them apart. The abstract's
10 is of a GPU; the paper's own CPU column gives 8.05, so models of its sizes are judged by both.
"""

from __future__ import annotations

import random
from collections.abc import Mapping, Sequence
from functools import partial
from statistics import median
from typing import Annotated, Any, NamedTuple

import pandas
import torch
from msgspec import Meta

from seqkd_lab import machine
from seqkd_lab.compression.kernels import with_int8_output, with_sparse_output
from seqkd_lab.compression.pruning import n_nonzero
from seqkd_lab.corpus.vocabulary import Vocabulary
from seqkd_lab.models.lstm import LSTMSeq2Seq, LSTMSpec
from seqkd_lab.models.seq2seq import Seq2Seq
from seqkd_lab.runs.clock import BATCHED, ONE_BY_ONE, in_block, in_turn, words_per_second
from seqkd_lab.runs.committed import existing_checkpoint, load_committed
from seqkd_lab.runs.measured import Positive, Row, Size, by_name
from seqkd_lab.runs.recipes import SEQ_KD, TEACHER, ToyData
from seqkd_lab.runs.store import Report, Store, silent
from seqkd_lab.runs.study import Study
from seqkd_lab.runs.verdicts import Claim, Rows
from seqkd_lab.studies.pruning.measures import pruning_checkpoint

STUDENT = "student"
SMALL_STUDENT = "small student"
PRUNED_STUDENT = "student, 80% pruned"
SPARSE_STUDENT = "student, 80% pruned, sparse product"
INT8_STUDENT = "student, int8 product"
PRUNED_INT8_STUDENT = "student, 80% pruned, int8 product"
PAPER_TEACHER = "4 × 1000, random weights"
PAPER_STUDENT = "2 × 500, random weights"
GREEDY = 1
BEAM = 5
BATCHES = {ONE_BY_ONE: "one by one", BATCHED: "batched"}
N_SOURCES = {ONE_BY_ONE: 60, BATCHED: 600}
"""Test sentences, by the number of sentences at once."""
PAPER_WORDS = 50_000
PAPER_LENGTH = 20
THREADS = (1,)
SPEEDS = "words_per_second"
HEADING = "source words per second: median [slowest–fastest round]"


class Setting(NamedTuple):
    """What a speed was measured with: the model, the beam's size, the sentences at once, and the
    threads. Threads change between blocks of rounds, the rest in each round."""

    model: str
    beam_size: int
    batch_size: int
    threads: int

    @property
    def row(self) -> str:
        """The name of the setting's row in the results."""
        return "|".join(map(str, self))

    @classmethod
    def of_row(cls, row: str) -> Setting:
        """Return the setting with this row."""
        model, *numbers = row.split("|")
        return cls(model, *map(int, numbers))

    @property
    def column(self) -> str:
        """The name of the setting's column in the table."""
        search = "greedy" if self.beam_size == 1 else f"beam of {self.beam_size}"
        threads = f", {self.threads} threads" * (self.threads > 1)
        return f"{search}, {BATCHES[self.batch_size]}{threads}"


class WordsPerSecond(Row):
    """Source words per second of a setting in each round."""

    words_per_second: Annotated[list[Positive], Meta(min_length=1)]


COMMITTED = (TEACHER, STUDENT, PRUNED_STUDENT, SMALL_STUDENT)
OTHER_PRODUCTS = (SPARSE_STUDENT, INT8_STUDENT, PRUNED_INT8_STUDENT)
OF_PAPER = (PAPER_TEACHER, PAPER_STUDENT)


def settings_of(models: Sequence[str]) -> list[Setting]:
    """Return every setting of some models."""
    return [
        Setting(name, beam_size, batch_size, n_threads)
        for n_threads in THREADS
        for name in models
        for beam_size in (GREEDY, BEAM)
        for batch_size in BATCHES
    ]


def check_of_paper(rows: Mapping[str, Any]) -> None:
    """Raise ValueError where only some of the rows of the paper's sizes are there."""
    names = [setting.row for setting in settings_of(OF_PAPER)]
    missing = [name for name in names if name not in rows]
    if missing and len(missing) < len(names):
        raise ValueError(f"of the models of the paper's sizes, `{missing[0]}` is missing")


ROWS = by_name(
    "Speeds",
    {
        **{setting.row: WordsPerSecond for setting in settings_of(COMMITTED + OTHER_PRODUCTS)},
        "parameters": by_name(
            "Parameters", dict.fromkeys(COMMITTED, Size), dict.fromkeys(OF_PAPER, Size)
        ),
        "machine": dict[str, str | float | None],
    },
    {setting.row: WordsPerSecond for setting in settings_of(OF_PAPER)},
    check_of_paper,
)
Speeds = Mapping[Setting, Sequence[float]]
"""Source words per second in each round, by setting."""


def committed_models() -> dict[str, Seq2Seq]:
    """Return the committed teacher and students (the first seed's), by the table's names."""
    folders = {
        TEACHER: existing_checkpoint(TEACHER),
        STUDENT: pruning_checkpoint("student"),
        PRUNED_STUDENT: pruning_checkpoint("student-80"),
        SMALL_STUDENT: existing_checkpoint(SEQ_KD),
    }
    return {name: load_committed(folder) for name, folder in folders.items()}


def other_products(models: Mapping[str, Seq2Seq]) -> dict[str, Seq2Seq]:
    """Return the students again, with torch's sparse and int8 products in their output layers."""
    student, pruned = models[STUDENT], models[PRUNED_STUDENT]
    return {
        SPARSE_STUDENT: with_sparse_output(pruned),
        INT8_STUDENT: with_int8_output(student),
        PRUNED_INT8_STUDENT: with_int8_output(pruned),
    }


def paper_models() -> dict[str, Seq2Seq]:
    """Return models of the paper's sizes with random weights; with their tables of input gates they
    take 2.7 GB of memory."""
    words = Vocabulary.build([[f"w{number}" for number in range(PAPER_WORDS)]])
    torch.manual_seed(0)
    return {
        name: LSTMSeq2Seq(LSTMSpec(width, layers, input_feeding=True), words, words).eval()
        for name, width, layers in ((PAPER_TEACHER, 1000, 4), (PAPER_STUDENT, 500, 2))
    }


def random_sources(models: Mapping[str, Seq2Seq]) -> dict[int, list[list[str]]]:
    """Return sentences of PAPER_LENGTH random known words, by the number of sentences at once."""
    words = next(iter(models.values())).source_vocabulary.tokens[4:]
    chance = random.Random(0)
    return {
        size: [chance.choices(words, k=PAPER_LENGTH) for _ in range(n)]
        for size, n in ((ONE_BY_ONE, 2), (BATCHED, 16))
    }


def measure_speeds(
    models: Mapping[str, Seq2Seq],
    sources: Mapping[int, Sequence[Sequence[str]]],
    threads: Sequence[int],
    repetitions: int,
    max_length: int | None = None,
    report: Report = silent,
) -> dict[Setting, list[float]]:
    """Measure each model in every setting; `sources` by the number of sentences at once. max_length
    counts EOS, for models that have not learned to end."""
    speeds: dict[Setting, list[float]] = {}
    before = torch.get_num_threads()
    for block, n_threads in enumerate(threads):
        machine.use_threads(n_threads)
        jobs = {
            Setting(name, beam_size, batch_size, n_threads): partial(
                words_per_second, model, lines, beam_size, batch_size, max_length
            )
            for name, model in models.items()
            for beam_size in (GREEDY, BEAM)
            for batch_size, lines in sources.items()
        }
        speeds |= in_turn(jobs, repetitions, in_block(report, block, len(threads)))
    machine.use_threads(before)
    return speeds


def as_rows(speeds: Speeds) -> dict[str, dict]:
    """Return speeds as the rows of a results file."""
    return {setting.row: {SPEEDS: list(values)} for setting, values in speeds.items()}


def speeds_in(rows: Rows) -> dict[Setting, Sequence[float]]:
    """Return the speeds of the rows of a results file."""
    return {Setting.of_row(name): row[SPEEDS] for name, row in rows.items() if SPEEDS in row}


def rounds(by_seed: Sequence[Rows], threads: int = 1) -> list[Rows]:
    """Return for each round the speeds of every setting with so many threads, as rows: what F7 is
    judged over."""
    speeds = [
        (setting.row, values)
        for setting, values in speeds_in(by_seed[0]).items()
        if setting.threads == threads
    ]
    n_rounds = min((len(values) for _, values in speeds), default=0)
    return [{row: {SPEEDS: values[number]} for row, values in speeds} for number in range(n_rounds)]


class Pair(NamedTuple):
    """Teacher and student of a speed-up, and the sentences at once."""

    teacher: str
    student: str
    batch_size: int

    @property
    def rows(self) -> tuple[str, ...]:
        """The rows of the teacher by beam, the student by beam and the greedy student, with one
        thread."""
        models = ((self.teacher, BEAM), (self.student, BEAM), (self.student, GREEDY))
        return tuple(Setting(*model, self.batch_size, 1).row for model in models)


PAIRS = tuple(
    Pair(*models, batch_size)
    for models in ((TEACHER, STUDENT), (TEACHER, SMALL_STUDENT), (PAPER_TEACHER, PAPER_STUDENT))
    for batch_size in BATCHES
)


class Factors(NamedTuple):
    """F7's speed-up as a product: first the smaller model (both by beam), then greedy search (both
    the student)."""

    smaller: float
    greedy: float

    @property
    def total(self) -> float:
        """The whole speed-up."""
        return self.smaller * self.greedy


def factors(one_round: Rows, pair: Pair) -> Factors:
    """Return what the student's size and greedy search bring, in one round."""
    teacher_beam, student_beam, student_greedy = (one_round[row][SPEEDS] for row in pair.rows)
    return Factors(student_beam / teacher_beam, student_greedy / student_beam)


ABSTRACT = 10.0
ABSTRACT_SOURCE = (
    "“our best student model runs 10 times faster than its state-of-the-art teacher” (Kim & Rush "
    "2016, abstract; on a GPU, 1,051.3 / 101.9 words a second, Table 2)"
)
CPU_COLUMN = 8.05
CPU_SOURCE = "on a CPU 63.6 / 7.9 = 8.05 times (Kim & Rush 2016, Table 2, as in the slides)"


def claim_of(pair: Pair, name: str, least: float, original: str) -> Claim:
    """Return F7 for a pair, over the rounds with one thread: at least `least` times as fast."""
    teacher, student, batch_size = pair
    return Claim(
        name,
        f"greedy {student} ≥ {least:g} times as fast as {teacher} by beam, {BATCHES[batch_size]}",
        lambda one_round: factors(one_round, pair).total,
        least=least,
        original=original,
        needs=pair.rows,
        repetitions=rounds,
        repeated="rounds",
    )


JUDGED_PAIRS = tuple(pair for pair in PAIRS if pair.student != SMALL_STUDENT)
CLAIMS = tuple(
    claim_of(pair, "F7 (abstract)", ABSTRACT, ABSTRACT_SOURCE) for pair in JUDGED_PAIRS
) + tuple(
    claim_of(pair, "F7 (CPU column)", CPU_COLUMN, CPU_SOURCE)
    for pair in JUDGED_PAIRS
    if pair.student == PAPER_STUDENT
)


def ratios(by_seed: Sequence[Rows], fast: str, slow: str, batch_size: int) -> list[float]:
    """Return in each round with one thread how many times as fast the model `fast` searches
    greedily as `slow`."""
    first, second = (Setting(name, GREEDY, batch_size, 1).row for name in (fast, slow))
    return [one_round[first][SPEEDS] / one_round[second][SPEEDS] for one_round in rounds(by_seed)]


def table2_frame(rows: Rows) -> pandas.DataFrame:
    """Return the median source words per second with one thread, and in brackets the slowest and
    fastest round."""
    lines: dict[str, dict[str, str]] = {}
    for setting, values in speeds_in(rows).items():
        if setting.threads > 1:
            continue
        lines.setdefault(setting.model, {})[setting.column] = (
            f"{median(values):,.0f} [{min(values):,.0f}–{max(values):,.0f}]"
        )
    return pandas.DataFrame.from_dict(lines, orient="index")


def factors_in_words(by_seed: Sequence[Rows]) -> str:
    """Say for each pair the two factors of F7, medians over the rounds with one thread."""
    lines = []
    for pair in PAIRS:
        by_round = [factors(rows, pair) for rows in rounds(by_seed) if set(pair.rows) <= set(rows)]
        if not by_round:
            continue
        smaller, greedy = map(median, zip(*by_round, strict=True))
        lines.append(
            f"{pair.student}, {BATCHES[pair.batch_size]}: {smaller:.1f} times by the smaller "
            f"model × {greedy:.1f} times by greedy search"
        )
    return "\n".join(lines)


def study_of(repetitions: int = 7, paper_sizes: bool = True) -> Study:
    """Return the study of the committed models in so many rounds; with `paper_sizes` also of models
    of the paper's sizes, which takes minutes and 3 GB of memory."""

    def measure(seed: int, store: Store, report: Report) -> Rows:
        """Return the speeds of all models in one run of the clock."""
        models = committed_models()
        sizes = {name: n_nonzero(model) for name, model in models.items()}
        test = store.dataset(ToyData()).test.source
        sources = {size: test[:n] for size, n in N_SOURCES.items()}
        every = models | other_products(models)
        speeds = measure_speeds(every, sources, THREADS, repetitions, None, report)
        if paper_sizes:
            large = paper_models()
            sizes |= {name: model.n_parameters() for name, model in large.items()}
            words = random_sources(large)
            speeds |= measure_speeds(large, words, THREADS, repetitions, PAPER_LENGTH, report)
        return as_rows(speeds) | {"parameters": sizes, "machine": machine.describe()}

    return Study(
        name="speed",
        question="Is the student ten times as fast as its teacher, and why?",
        file="table2.json",
        settings={"repetitions": repetitions, "paper_sizes": paper_sizes},
        tasks=lambda seed: [],
        measure=measure,
        tables=lambda by_seed: {HEADING: table2_frame(by_seed[0])},
        claims=CLAIMS,
        n_seeds=1,
        in_words=factors_in_words,
        aliases=("table2",),
        rows=ROWS,
    )


STUDY = study_of()
