"""The map of Word-KD: one quick student for each α and τ, over several seeds.

The objective is BalancedWordKD, so that α weighs the teacher alike at every τ and the map's two
axes are apart. Lesson 04 shows the map (`seqkd-lab study run word-kd-map`).
"""

from __future__ import annotations

import multiprocessing
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import asdict, dataclass, field
from functools import lru_cache
from itertools import repeat

import msgspec
import pandas
from msgspec import Struct

from seqkd_lab.distillation.losses import BalancedWordKD
from seqkd_lab.files import checked
from seqkd_lab.interrupts import postponed
from seqkd_lab.machine import use_threads
from seqkd_lab.models.seq2seq import Seq2Seq
from seqkd_lab.runs.committed import existing_checkpoint, load_committed, results_path, weights_hash
from seqkd_lab.runs.data import Dataset, load_toy
from seqkd_lab.runs.measured import Amount, Percent, Row, Share, by_name, exactly
from seqkd_lab.runs.quick_student import QuickStudent, score_student, train_student
from seqkd_lab.runs.recipes import TEACHER, ToyData
from seqkd_lab.runs.results import with_interval
from seqkd_lab.runs.store import Report, Store, identity
from seqkd_lab.runs.study import REMEDY, Study, read_study
from seqkd_lab.runs.verdicts import Rows

Place = tuple[float, float | None]
"""(α, τ). At α = 0 the teacher has no share and τ means nothing: it is None."""
MEASURES = {
    "bleu": "greedy BLEU",
    "valid": "valid translations",
    "nll": "NLL of gold, nats a token",
}


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

    @property
    def place(self) -> Place:
        """Return (α, τ)."""
        return self.alpha, self.temperature


@dataclass(frozen=True)
class MapRun:
    """Which map to make; every point is a student of the same settings."""

    alphas: tuple[float, ...] = (0.0, 0.25, 0.5, 0.75, 1.0)
    temperatures: tuple[float, ...] = (0.5, 1.0, 2.0, 4.0)
    student: QuickStudent = field(default_factory=QuickStudent)

    def places(self) -> list[Place]:
        """Return every (α, τ) of the map, and (0, None) once."""
        shares = [(alpha, tau) for alpha in self.alphas if alpha > 0.0 for tau in self.temperatures]
        return [*([(0.0, None)] if 0.0 in self.alphas else []), *shares]

    def rows(self) -> type:
        """Return the type of a seed's rows: each place has its own α and τ."""
        return by_name("Places", {place_name(place): _row_at(*place) for place in self.places()})

    def measure(
        self, seed: int, store: Store, report: Report, finished: Rows, n_workers: int = 1
    ) -> Iterator[tuple[str, dict]]:
        """Yield each place's name and student, in this process or in several of one thread each."""
        missing = [place for place in self.places() if place_name(place) not in finished]
        points = _points(self.student, missing, seed, n_workers)
        for n_done, point in enumerate(points, start=len(finished) + 1):
            row = asdict(point)
            del row["seed"]
            yield place_name(point.place), row
            report(n_done, len(self.places()))

    def settings(self) -> dict:
        """Return everything that decides the numbers of the map, as plain JSON."""
        return {
            "data": identity(ToyData()),
            "teacher": weights_hash(existing_checkpoint(TEACHER)),
            "student": asdict(self.student),
            "objective": BalancedWordKD.__name__,
            "alphas": self.alphas,
            "temperatures": self.temperatures,
        }


class MapSettings(Struct):
    """What is read of the map's settings."""

    student: QuickStudent


class Student(Row):
    """What is measured of a place's student."""

    bleu: Percent
    valid: Share
    nll: Amount


def _row_at(alpha: float, temperature: float | None) -> type:
    tau = None if temperature is None else exactly(temperature)
    fields: list = [("alpha", exactly(alpha)), ("temperature", tau)]
    return msgspec.defstruct("Place", fields, bases=(Student,), module=__name__)


def place_name(place: Place) -> str:
    """Return the name of a place in the results: "α = 0.5, τ = 1", or "α = 0"."""
    alpha, temperature = place
    return f"α = {alpha:g}" if temperature is None else f"α = {alpha:g}, τ = {temperature:g}"


def _points(
    student: QuickStudent, places: Sequence[Place], seed: int, n_workers: int
) -> Iterator[MapPoint]:
    arguments = (repeat(student), places, repeat(seed))
    if n_workers == 1 or not places:
        yield from map(make_point, *arguments)
        return
    pool = ProcessPoolExecutor(n_workers, mp_context=multiprocessing.get_context("spawn"))
    try:
        with postponed():  # no worker hears the interrupt of a terminal: this process answers it
            points = pool.map(make_point, *arguments)
        yield from points
    finally:
        pool.shutdown(cancel_futures=True)


def make_point(student: QuickStudent, place: Place, seed: int) -> MapPoint:
    """Train and judge the student of one place."""
    use_threads(1)
    (alpha, temperature), (data, teacher) = place, _loaded()
    objective = BalancedWordKD(alpha, 1.0 if temperature is None else temperature)
    model, history = train_student(student, data, objective, seed, teacher)
    score = score_student(student, data, model)
    assert score.validity is not None, "the toy language says what is valid"
    return MapPoint(alpha, temperature, seed, score.bleu, score.validity, history.valid_loss[-1])


@lru_cache(maxsize=1)
def _loaded() -> tuple[Dataset, Seq2Seq]:
    """Corpus and committed teacher, once in each process."""
    return load_toy(ToyData()), load_committed(existing_checkpoint(TEACHER))


def map_points(results: Mapping) -> list[MapPoint]:
    """Return the points of a map, seed after seed."""
    return [
        MapPoint(seed=int(seed), **row)
        for seed, rows in sorted(results["by_seed"].items(), key=lambda entry: int(entry[0]))
        for row in rows.values()
    ]


def map_tables(by_seed: Sequence[Rows]) -> dict[str, pandas.DataFrame]:
    """Return each measure by α (lines) and τ (columns), mean ± half of the 95% interval."""
    return {
        title: pandas.DataFrame(
            [
                {
                    "α": row["alpha"],
                    "τ": row["temperature"],
                    "value": with_interval([rows[name][measure] for rows in by_seed], digits=2),
                }
                for name, row in by_seed[0].items()
            ]
        )
        .pivot(index="α", columns="τ", values="value")
        .fillna("")
        for measure, title in MEASURES.items()
    }


def committed_map() -> dict:
    """Return the map that travels with the repository."""
    path = results_path(STUDY.file)
    results = read_study(path, STUDY)
    checked(results["settings"], MapSettings, f"{path}: settings", REMEDY)
    return results


def study_of(run: MapRun) -> Study:
    """Return the study of this map."""
    return Study(
        "word-kd-map",
        "How do a student's BLEU, validity and likelihood depend on Word-KD's α and τ?",
        "word_kd_map.json",
        run.settings,
        lambda seed: [],
        run.measure,
        map_tables,
        aliases=("map",),
        by_row=True,
        in_parallel=True,
        rows=run.rows(),
    )


STUDY = study_of(MapRun())
