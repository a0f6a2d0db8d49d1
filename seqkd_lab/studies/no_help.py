"""When distillation does not help: a language without ambiguity, and a student as large as its
teacher.

The control, in which it should help, is Table 1 itself: data, sizes and recipes are the table's,
and one thing is changed at a time. Models that Table 1 has are not trained again. `python -m
seqkd_lab.studies.no_help` makes data/results/no_help.json; interrupted, the same command
continues.
"""

from __future__ import annotations

import random
import sys
from argparse import ArgumentParser
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from pathlib import Path

import torch

from seqkd_lab.corpus.parallel import ParallelCorpus
from seqkd_lab.corpus.toy import Ambiguity, ToyLanguage
from seqkd_lab.distillation.losses import NLL
from seqkd_lab.distillation.sequence_level import distil_mode
from seqkd_lab.evaluation import evaluate, translate_test
from seqkd_lab.identity import settings
from seqkd_lab.machine import use_threads
from seqkd_lab.models.lstm import LSTMSeq2Seq, LSTMSpec
from seqkd_lab.models.seq2seq import Seq2Seq
from seqkd_lab.runs.committed import (
    committed_seed,
    existing_checkpoint,
    load_committed,
    own_results_path,
    results_path,
)
from seqkd_lab.runs.data import Dataset, load_toy
from seqkd_lab.runs.points import points_in, points_to_continue, read_points, write_points
from seqkd_lab.runs.presets import TOY
from seqkd_lab.runs.recipes import BASELINE, SEQ_KD, TEACHER, Preset, ToyData
from seqkd_lab.runs.results import versions
from seqkd_lab.runs.store import identity
from seqkd_lab.runs.verdicts import Rows
from seqkd_lab.training import Optimisation, train

CONTROL, DETERMINISTIC, AS_LARGE = "control", "deterministic", "as large"
CONDITIONS = {
    CONTROL: "a small student, the ambiguous language",
    DETERMINISTIC: "a small student, every ambiguity off",
    AS_LARGE: "a student as large as its teacher, the ambiguous language",
}
THE_TEACHER, FROM_GOLD, FROM_TEACHER = "teacher", "gold", "seq-kd"
IN_TABLE = {
    (CONTROL, FROM_GOLD): BASELINE,
    (CONTROL, FROM_TEACHER): SEQ_KD,
    (CONTROL, THE_TEACHER): TEACHER,
    (AS_LARGE, FROM_GOLD): TEACHER,
    (AS_LARGE, THE_TEACHER): TEACHER,
}
"""The row of Table 1 that is the model of a condition and an arm: a student as large as the
teacher, from gold, is another seed's teacher."""
HEADING = ("data", "run", "made_with")
MADE_BY = "python -m seqkd_lab.studies.no_help"
Task = tuple[str, str, int]
"""Condition, arm (THE_TEACHER, FROM_GOLD or FROM_TEACHER) and seed."""


@dataclass(frozen=True)
class Point:
    """A model on the test set: BLEU greedy and by beam, share of valid greedy translations, p(ŷ),
    perplexity of gold."""

    condition: str
    arm: str
    seed: int
    greedy: float
    beam: float
    valid: float
    p_mode: float
    perplexity: float


@dataclass(frozen=True)
class NoHelpRun:
    """Sizes of the experiment, by default Table 1's, whose models then serve: then `beside_table`.

    Seeds are the students'. They have one teacher in each language, of the committed models' seed;
    only in Table 1, the control, has each seed a teacher of its own. A large student of the
    teacher's own seed would be its copy, so that seed is left out of `large_seeds`.
    """

    n_pairs: int | None = None
    n_valid: int | None = None
    n_test: int | None = None
    small_seeds: tuple[int, ...] = (21, 22, 23, 24, 25)
    large_seeds: tuple[int, ...] = (21, 22, 23, 24)
    preset: Preset = TOY
    beside_table: bool = True

    def tasks(self) -> list[Task]:
        """Every model that is wanted, and is not in the table; gold and Seq-KD of a seed one after
        the other."""
        wanted = [(condition, THE_TEACHER, committed_seed()) for condition in CONDITIONS]
        large_seeds = [seed for seed in self.large_seeds if seed != committed_seed()]
        for condition in CONDITIONS:
            for seed in large_seeds if condition == AS_LARGE else self.small_seeds:
                wanted += [(condition, arm, seed) for arm in (FROM_GOLD, FROM_TEACHER)]
        return [task for task in wanted if not (self.beside_table and task[:2] in IN_TABLE)]

    def heading(self) -> dict:
        """What all points of a file share."""
        sizes = {
            name: value for name, value in settings(self).items() if not name.endswith("seeds")
        }
        return {"data": identity(ToyData()), "run": sizes, "made_with": versions()}


def translated(corpus: ParallelCorpus, language: ToyLanguage) -> ParallelCorpus:
    """The same sources, each with a translation drawn from `language`, which is its only
    reference."""
    chance = random.Random(0)
    target = tuple(language.sample_target(source, chance) for source in corpus.source)
    return replace(corpus, references=None).with_target(target)


@lru_cache(maxsize=2)
def load(run: NoHelpRun, ambiguous: bool) -> Dataset:
    """The first pairs of the toy corpus; without ambiguity each source has the one translation that
    is left."""
    data = load_toy(ToyData(run.n_pairs))
    splits = {
        "train": data.train,
        "valid": data.valid[: run.n_valid],
        "test": data.test[: run.n_test],
    }
    if ambiguous:
        return replace(data, **splits)
    language = ToyLanguage(Ambiguity.none())
    return replace(
        data,
        language=language,
        **{name: translated(split, language) for name, split in splits.items()},
    )


def trained(
    data: Dataset, corpus: ParallelCorpus, spec: LSTMSpec, optimisation: Optimisation, seed: int
) -> LSTMSeq2Seq:
    """A model of size `spec` from random weights, by NLL of `corpus`."""
    torch.manual_seed(seed)
    model = LSTMSeq2Seq(spec, data.source_vocabulary, data.target_vocabulary)
    train(model, corpus, data.valid, NLL(), optimisation, seed)
    return model


@lru_cache(maxsize=2)
def teacher_of(run: NoHelpRun, ambiguous: bool) -> Seq2Seq:
    """The teacher: Table 1's, as it is committed, or one that is trained here by the same
    recipe."""
    if ambiguous and run.beside_table:
        return load_committed(existing_checkpoint(TEACHER))
    data, preset = load(run, ambiguous), run.preset
    return trained(data, data.train, preset.teacher, preset.teacher_training, committed_seed())


@lru_cache(maxsize=2)
def distilled(run: NoHelpRun, ambiguous: bool) -> ParallelCorpus:
    """The training set as the teacher rewrites it."""
    train_set, preset = load(run, ambiguous).train, run.preset
    return distil_mode(
        teacher_of(run, ambiguous), train_set, preset.beam_size, preset.length_penalty
    ).corpus


def make_point(run: NoHelpRun, condition: str, arm: str, seed: int) -> Point:
    """Trains and judges one model. (One teacher serves for both conditions of the ambiguous
    language.)"""
    ambiguous, preset = condition != DETERMINISTIC, run.preset
    data = load(run, ambiguous)
    if arm == THE_TEACHER:
        model = teacher_of(run, ambiguous)
    else:
        corpus = data.train if arm == FROM_GOLD else distilled(run, ambiguous)
        size = (preset.teacher, preset.teacher_training)
        spec, optimisation = (
            size if condition == AS_LARGE else (preset.student, preset.student_training)
        )
        model = trained(data, corpus, spec, optimisation, seed)
    made = translate_test(model, data.test, preset.beam_size, preset.length_penalty)
    found = evaluate(model, data.test, data.detokenise, made, preset.beam_size, data.language)
    return Point(
        condition,
        arm,
        seed,
        found.greedy.bleu,
        found.beam.bleu,
        found.greedy.validity,
        found.p_mode,
        found.perplexity,
    )


def mini(n_pairs: int) -> NoHelpRun:
    """A run for people who wait: nothing of it is in the table, few pairs, one seed each, so that
    it proves nothing."""
    short = replace(
        TOY,
        teacher=LSTMSpec(64, dropout=0.1),
        teacher_training=Optimisation(6, 0.008, 32),
        student_training=Optimisation(6, 0.016, 32),
    )
    return NoHelpRun(n_pairs, 100, 100, (1,), (2,), short, beside_table=False)


def make_all(run: NoHelpRun, report: Callable[[int, int], None]) -> list[Point]:
    """Every point, kept nowhere. `report` hears (done, total)."""
    found, tasks = [], run.tasks()
    for task in tasks:
        found.append(make_point(run, *task))
        report(len(found), len(tasks))
    return found


def make(run: NoHelpRun, path: Path, report: Callable[[int, int], None] | None = None) -> dict:
    """Makes the points that the file at `path` lacks, writes it after each, and returns it whole.

    `report` hears how many points of how many are there. Raises CheckpointError when the file's
    points were made otherwise: with another corpus, other sizes or versions.
    """
    heading = run.heading()
    found = points_to_continue(path, Point, heading, MADE_BY)
    have = {(point.condition, point.arm, point.seed) for point in found}
    missing = [task for task in run.tasks() if task not in have]
    for n_made, task in enumerate(missing, start=1):
        found = [*found, make_point(run, *task)]
        write_points(path, heading, found)
        if report is not None:
            report(len(run.tasks()) - len(missing) + n_made, len(run.tasks()))
    return read(path)


def read(path: Path) -> dict:
    """The file that `make` wrote. Raises CheckpointError naming it when it holds something else."""
    return read_points(path, Point, HEADING, MADE_BY)


def committed() -> dict:
    """The results that travel with the repository."""
    return read(results_path("no_help.json"))


def points(results: Mapping) -> list[Point]:
    """The points of the results, as read."""
    return points_in(results, Point)


def with_table(found: Sequence[Point], by_seed: Mapping[str, Rows]) -> list[Point]:
    """`found`, and beside them the models that Table 1 has: `by_seed` holds its rows by seed, as
    results do."""
    kept = list(found)
    for seed, rows in by_seed.items():
        for (condition, arm), row in IN_TABLE.items():
            is_teacher = int(seed) == committed_seed()
            if is_teacher == (arm == THE_TEACHER) or condition == CONTROL and arm != THE_TEACHER:
                cell = rows[row]
                kept.append(
                    Point(
                        condition,
                        arm,
                        int(seed),
                        cell["greedy"]["bleu"],
                        cell["beam"]["bleu"],
                        cell["greedy"]["validity"],
                        cell["p_mode"],
                        cell["perplexity"],
                    )
                )
    return kept


def main(arguments: Sequence[str] | None = None) -> int:
    """`python -m seqkd_lab.studies.no_help`: some forty minutes on one core."""
    parser = ArgumentParser(
        prog="python -m seqkd_lab.studies.no_help", description=__doc__.splitlines()[0]
    )
    parser.add_argument(
        "--results",
        type=Path,
        default=own_results_path("no_help.json"),
        help="the JSON file (default: %(default)s)",
    )
    given = parser.parse_args(arguments)
    use_threads(1)
    make(
        NoHelpRun(),
        given.results,
        lambda done, total: print(f"{done} of {total}", file=sys.stderr, flush=True),
    )
    return 0


if __name__ == "__main__":
    sys.exit(main())
