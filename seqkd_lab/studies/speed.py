"""Table 2: source words per second of teacher and students, greedy and by beam, measured in one run
on this machine.

Speed does not depend on what a model has learned, only on its size and on how it is computed; so
each model is the first seed's. F7, the paper's "ten times faster", compares the greedy student with
the teacher that searches by beam: two things change, and `factors` takes them apart.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from statistics import median
from typing import NamedTuple

import pandas
import torch

from seqkd_lab import machine
from seqkd_lab.compression.kernels import with_int8_output, with_sparse_output
from seqkd_lab.corpus.vocabulary import Vocabulary
from seqkd_lab.models.lstm import LSTMSeq2Seq, LSTMSpec
from seqkd_lab.models.seq2seq import Seq2Seq
from seqkd_lab.runs.clock import BATCHED, ONE_BY_ONE, in_turn, words_per_second
from seqkd_lab.runs.committed import existing_checkpoint, load_committed
from seqkd_lab.runs.points import points_in, read_points, write_points
from seqkd_lab.runs.recipes import SEQ_KD, TEACHER
from seqkd_lab.runs.results import versions
from seqkd_lab.runs.verdicts import Claim, Verdict, judge_claim
from seqkd_lab.studies.pruning.table import pruning_checkpoint

STUDENT, SMALL_STUDENT = "student", "small student"
PRUNED_STUDENT, SPARSE_STUDENT = "student, 80% pruned", "student, 80% pruned, sparse product"
INT8_STUDENT, PRUNED_INT8_STUDENT = "student, int8 product", "student, 80% pruned, int8 product"
PAPER_TEACHER, PAPER_STUDENT = "4 × 1000, random weights", "2 × 500, random weights"
GREEDY, BEAM = 1, 5
BATCHES = {ONE_BY_ONE: "one by one", BATCHED: "batched"}
PAPER_WORDS, PAPER_LENGTH = 50_000, 20
HEADING = ("machine", "parameters", "made_with")
MADE_BY = "seqkd-lab table2"


@dataclass(frozen=True)
class Speed:
    """Source words per second of a model in each round, by the beam's size, the sentences at once
    and the threads."""

    model: str
    beam_size: int
    batch_size: int
    threads: int
    words_per_second: Sequence[float]


class Setting(NamedTuple):
    """What a speed was measured with; threads change between blocks of rounds, the rest in each
    round."""

    model: str
    beam_size: int
    batch_size: int


def committed_models() -> dict[str, Seq2Seq]:
    """Teacher and students that travel with the repository (the first seed's), by the names of the
    table."""
    folders = {
        TEACHER: existing_checkpoint(TEACHER),
        STUDENT: pruning_checkpoint("student"),
        PRUNED_STUDENT: pruning_checkpoint("student-80"),
        SMALL_STUDENT: existing_checkpoint(SEQ_KD),
    }
    return {name: load_committed(folder) for name, folder in folders.items()}


def other_products(models: Mapping[str, Seq2Seq]) -> dict[str, Seq2Seq]:
    """The students again, with torch's sparse and int8 products in their output layers."""
    student, pruned = models[STUDENT], models[PRUNED_STUDENT]
    return {
        SPARSE_STUDENT: with_sparse_output(pruned),
        INT8_STUDENT: with_int8_output(student),
        PRUNED_INT8_STUDENT: with_int8_output(pruned),
    }


def paper_models() -> dict[str, Seq2Seq]:
    """Models of the paper's sizes with random weights; with their tables of input gates they take
    2.7 GB of memory."""
    words = Vocabulary.build([[f"w{number}" for number in range(PAPER_WORDS)]])
    torch.manual_seed(0)
    return {
        name: LSTMSeq2Seq(LSTMSpec(width, layers, input_feeding=True), words, words).eval()
        for name, width, layers in ((PAPER_TEACHER, 1000, 4), (PAPER_STUDENT, 500, 2))
    }


def random_sources(models: Mapping[str, Seq2Seq]) -> dict[int, list[list[str]]]:
    """Sentences of PAPER_LENGTH random words that the models know, by the number of sentences at
    once."""
    words = next(iter(models.values())).source_vocabulary.tokens[4:]
    chance = random.Random(0)
    return {
        size: [chance.choices(words, k=PAPER_LENGTH) for _ in range(n)]
        for size, n in ((ONE_BY_ONE, 2), (BATCHED, 16))
    }


def measure(
    models: Mapping[str, Seq2Seq],
    sources: Mapping[int, Sequence[Sequence[str]]],
    threads: Sequence[int],
    repetitions: int,
    max_length: int | None = None,
    report: Callable[[int, int], None] | None = None,
) -> list[Speed]:
    """The Speed of each model in every setting; `sources` by the number of sentences at once.
    max_length counts EOS, for models that have not learned to end."""
    found, before = [], torch.get_num_threads()
    jobs = {
        Setting(name, beam_size, batch_size): partial(
            words_per_second, model, lines, beam_size, batch_size, max_length
        )
        for name, model in models.items()
        for beam_size in (GREEDY, BEAM)
        for batch_size, lines in sources.items()
    }
    for block, n_threads in enumerate(threads):
        machine.use_threads(n_threads)

        def so_far(done: int, total: int, block: int = block) -> None:
            if report is not None:
                report(block * total + done, len(threads) * total)

        speeds = in_turn(jobs, repetitions, so_far)
        found += [Speed(*setting, n_threads, values) for setting, values in speeds.items()]
    machine.use_threads(before)
    return found


def write_table2(path: Path, speeds: Sequence[Speed], parameters: Mapping[str, int]) -> None:
    """Writes the results as JSON, with the machine that they belong to; `parameters`: those that
    are not 0, by model."""
    write_points(
        path,
        {"machine": machine.describe(), "parameters": dict(parameters), "made_with": versions()},
        speeds,
    )


def read_table2(path: Path) -> dict:
    """What `write_table2` wrote. Raises CheckpointError naming the file when it holds something
    else."""
    return read_points(path, Speed, HEADING, MADE_BY)


def speeds_in(results: Mapping) -> list[Speed]:
    """The speeds of a Table 2, as read."""
    return points_in(results, Speed)


Round = Mapping[Setting, float]


def rounds(speeds: Sequence[Speed], threads: int) -> list[Round]:
    """For each round the speed of every setting measured with so many threads."""
    here = [one for one in speeds if one.threads == threads]
    counts = [len(one.words_per_second) for one in here]
    return [
        {
            Setting(one.model, one.beam_size, one.batch_size): one.words_per_second[number]
            for one in here
            if number < len(one.words_per_second)
        }
        for number in range(min(counts, default=0))
    ]


@dataclass(frozen=True)
class Factors:
    """F7's speed-up as a product: first the smaller model (both by beam), then greedy search (both
    the student)."""

    smaller: float
    greedy: float

    @property
    def total(self) -> float:
        return self.smaller * self.greedy


def factors(one_round: Round, teacher: str, student: str, batch_size: int) -> Factors:
    """What the student's size and greedy search bring, in one round."""
    teacher_beam, student_beam, student_greedy = (
        one_round[Setting(*which, batch_size)]
        for which in ((teacher, BEAM), (student, BEAM), (student, GREEDY))
    )
    return Factors(student_beam / teacher_beam, student_greedy / student_beam)


ORIGINAL = (
    "“our best student model runs 10 times faster than its state-of-the-art teacher” (Kim & Rush "
    "2016, abstract)"
)
PAIRS = ((TEACHER, STUDENT), (TEACHER, SMALL_STUDENT), (PAPER_TEACHER, PAPER_STUDENT))


def compared(one_round: Round) -> list[tuple[str, str, int]]:
    """Teacher, student and sentences at once of each speed-up that was measured."""
    return [
        (teacher, student, batch_size)
        for teacher, student in PAIRS
        for batch_size in BATCHES
        if all(
            Setting(*which, batch_size) in one_round
            for which in ((teacher, BEAM), (student, GREEDY))
        )
    ]


def judge(speeds: Sequence[Speed]) -> list[Verdict]:
    """Judge F7 for each pair of models, batched and one by one, over the rounds with one thread."""
    verdicts, measured = [], rounds(speeds, 1)
    for pair in compared(measured[0]) if measured else ():
        teacher, student, batch_size = pair
        claim = Claim(
            "F7",
            f"greedy {student} ≥ 10 times as fast as {teacher} by beam, {BATCHES[batch_size]}",
            lambda one_round, pair=pair: factors(one_round, *pair).total,
            least=10.0,
            original=ORIGINAL,
        )
        verdicts.append(judge_claim(claim, measured))
    return verdicts


def table2_frame(speeds: Sequence[Speed]) -> pandas.DataFrame:
    """The table for people: median source words per second, and in brackets the slowest and the
    fastest round."""
    lines: dict[str, dict[str, str]] = {}
    for one in speeds:
        column = (
            f"{'greedy' if one.beam_size == 1 else f'K = {one.beam_size}'}, "
            f"{BATCHES[one.batch_size]}, "
        )
        column += f"{one.threads} thread{'s' * (one.threads > 1)}"
        values = one.words_per_second
        lines.setdefault(one.model, {})[column] = (
            f"{median(values):,.0f} [{min(values):,.0f}–{max(values):,.0f}]"
        )
    return pandas.DataFrame.from_dict(lines, orient="index")


def factors_in_words(speeds: Sequence[Speed]) -> list[str]:
    """For each pair and way to translate: the two factors of F7, medians over the rounds with one
    thread."""
    lines, measured = [], rounds(speeds, 1)
    for pair in compared(measured[0]) if measured else ():
        found = [factors(one, *pair) for one in measured]
        smaller, greedy = (
            median(getattr(each, name) for each in found) for name in ("smaller", "greedy")
        )
        lines.append(
            f"{pair[1]}, {BATCHES[pair[2]]}: {smaller:.1f} times by the smaller model × "
            f"{greedy:.1f} times by greedy search"
        )
    return lines
