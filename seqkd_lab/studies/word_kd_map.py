"""The map of Word-KD: one quick student for each α, τ and seed; its points are kept as JSON, each
when it is done.

The objective is BalancedWordKD, so that α weighs the teacher alike at every τ and the map's two
axes are apart. `seqkd-lab map` makes it; interrupted, the same command continues.
"""

from __future__ import annotations

import multiprocessing
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
from dataclasses import asdict, dataclass, field
from functools import lru_cache
from pathlib import Path

from seqkd_lab.distillation.losses import BalancedWordKD
from seqkd_lab.machine import use_threads
from seqkd_lab.runs.committed import existing_checkpoint, load_committed, results_path, weights_hash
from seqkd_lab.runs.data import load_toy
from seqkd_lab.runs.points import points_in, points_to_continue, read_points, write_points
from seqkd_lab.runs.quick_student import QuickStudent, score_student, train_student
from seqkd_lab.runs.recipes import TEACHER, ToyData
from seqkd_lab.runs.results import versions
from seqkd_lab.runs.store import identity

Place = tuple[float, float | None]
"""(α, τ). At α = 0 the teacher has no share and τ means nothing: it is None."""
HEADING = ("data", "teacher", "student", "objective", "made_with")
MADE_BY = "seqkd-lab map"


@dataclass(frozen=True)
class MapPoint:
    """A student: greedy BLEU with all references, share of valid translations, NLL of gold (nats a
    token)."""

    alpha: float
    temperature: float | None
    seed: int
    bleu: float
    valid: float
    nll: float


@dataclass(frozen=True)
class MapRun:
    """Which map to make; every point is a student of the same settings. Seeds come one after the
    other, each whole."""

    alphas: tuple[float, ...] = (0.0, 0.25, 0.5, 0.75, 1.0)
    temperatures: tuple[float, ...] = (0.5, 1.0, 2.0, 4.0)
    seeds: tuple[int, ...] = (1, 2, 3, 4, 5)
    student: QuickStudent = field(default_factory=QuickStudent)

    def places(self) -> list[Place]:
        """Every (α, τ) of the map, and (0, None) once."""
        shares = [(alpha, tau) for alpha in self.alphas if alpha > 0.0 for tau in self.temperatures]
        return [*([(0.0, None)] if 0.0 in self.alphas else []), *shares]

    def tasks(self) -> list[tuple[Place, int]]:
        """Each place with each seed."""
        return [(place, seed) for seed in self.seeds for place in self.places()]

    def heading(self) -> dict:
        """What all points of a file share: data, teacher, student, versions."""
        return {
            "data": identity(ToyData()),
            "teacher": weights_hash(existing_checkpoint(TEACHER)),
            "student": asdict(self.student),
            "objective": BalancedWordKD.__name__,
            "made_with": versions(),
        }


@lru_cache(maxsize=1)
def _loaded():
    """Corpus and committed teacher, once in each process."""
    return load_toy(ToyData()), load_committed(existing_checkpoint(TEACHER))


def make_point(student: QuickStudent, place: Place, seed: int) -> MapPoint:
    """Trains and judges the student of one place."""
    use_threads(1)
    (alpha, temperature), (data, teacher) = place, _loaded()
    objective = BalancedWordKD(alpha, 1.0 if temperature is None else temperature)
    made, history = train_student(student, data, objective, seed, teacher)
    score = score_student(student, data, made)
    return MapPoint(alpha, temperature, seed, score.bleu, score.validity, history.valid_loss[-1])


def _finished(
    student: QuickStudent, tasks: Sequence[tuple[Place, int]], n_workers: int
) -> Iterator[MapPoint]:
    """The points of `tasks` as they come, from this process or from several of one thread each."""
    if n_workers == 1:
        yield from (make_point(student, place, seed) for place, seed in tasks)
        return
    pool = ProcessPoolExecutor(n_workers, mp_context=multiprocessing.get_context("spawn"))
    try:
        for future in as_completed(
            [pool.submit(make_point, student, place, seed) for place, seed in tasks]
        ):
            yield future.result()
    finally:
        pool.shutdown(cancel_futures=True)


def make_map(
    run: MapRun, path: Path, n_workers: int = 1, report: Callable[[int, int], None] | None = None
) -> dict:
    """Makes the points that the file at `path` lacks, writes it after each, and returns it whole.

    `report` hears how many points of how many are there. Raises CheckpointError when the file's
    points were made otherwise: with another corpus, teacher, student or version.
    """
    heading = run.heading()
    points = points_to_continue(path, MapPoint, heading, MADE_BY)
    have, tasks = {((point.alpha, point.temperature), point.seed) for point in points}, run.tasks()
    missing = [task for task in tasks if task not in have]
    for n_made, point in enumerate(_finished(run.student, missing, n_workers), start=1):
        points = sorted([*points, point], key=lambda p: (p.seed, p.alpha, p.temperature or 0.0))
        write_points(path, heading, points)
        if report is not None:
            report(len(tasks) - len(missing) + n_made, len(tasks))
    return read_map(path)


def read_map(path: Path) -> dict:
    """The file that `make_map` wrote. Raises CheckpointError naming it when it holds something
    else."""
    return read_points(path, MapPoint, HEADING, MADE_BY)


def committed_map() -> dict:
    """The map that travels with the repository."""
    return read_map(results_path("word_kd_map.json"))


def map_points(results: Mapping) -> list[MapPoint]:
    """The points of a map, as read."""
    return points_in(results, MapPoint)
