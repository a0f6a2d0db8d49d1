"""Define a study: a question, the models and measurements that answer it, and its judged claims.

A study measures one seed at a time into a JSON file, which is written after each seed (after each
row where a seed takes long). An interrupted run continues from that file; a file that was made
with other settings is never continued.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import msgspec
from msgspec import Struct

from seqkd_lab.files import FileError, checked, read_json, write_json
from seqkd_lab.runs.committed import results_path
from seqkd_lab.runs.measured import Name
from seqkd_lab.runs.recipes import TextData, ToyData
from seqkd_lab.runs.results import rows_by_seed, versions
from seqkd_lab.runs.store import Report, Store
from seqkd_lab.runs.tasks import Task
from seqkd_lab.runs.verdicts import Claim, Rows, Verdict, judge_claims

if TYPE_CHECKING:
    import pandas

PARTS = ("study", "settings", "made_with", "by_seed")
"""The parts of a whole results file."""
UNFINISHED = "unfinished"
"""The part of a results file that is there while a seed is being measured row by row."""
PILOT_SEED, N_PILOT = 11, 3
"""Seeds 11 to 13 choose and plan; no table has them."""
REMEDY = "delete the file and measure again, or pass --results with another one"
SEED = re.compile(r"0|[1-9][0-9]{0,18}")
ANY_ROWS = dict[str, Any]
"""The rows of a study that has not declared any."""


class Results(Struct, forbid_unknown_fields=True):
    """The outer form of a results file; what a seed holds is the study's own (`Study.rows`)."""

    study: Name
    settings: dict[str, Any]
    made_with: dict[str, str]
    by_seed: dict[str, Any]
    unfinished: dict[str, Any] = {}

    def as_json(self) -> dict[str, Any]:
        """Return the parts as a results file has them."""
        parts = msgspec.structs.asdict(self)
        if not self.unfinished:
            del parts[UNFINISHED]
        return parts


@dataclass(frozen=True)
class Study:
    """A question about distillation, with everything that answers it.

    name: as in `seqkd-lab study run NAME`. question: in one sentence. file: the name of its results
    file. settings: everything that decides its numbers, as plain JSON, or a function that returns
    it. tasks: the models of one seed, for the store. measure: (seed, store, report) -> one seed's
    measurements as plain JSON, {row: {measure: value}}; with `by_row` a generator of (row,
    measurements), called with the rows that the file has of this seed as a fourth argument: it
    leaves these out, and the file is written after each row that it yields; with `in_parallel` it
    also takes n_workers, the processes that it may use. tables: headed tables
    from the measurements of all seeds. claims: what is judged. repeated: what the seeds are in
    words ("rounds" of a clock). first_seed, n_seeds: the seeds that are measured by default.
    in_words: sentences computed from the measurements of all seeds. data: what the models learn
    from. aliases: other names that commands accept. write_checkpoints: (store, directory) -> the
    folders in it that the function writes one after the other: the study's models that travel with
    the repository, trained as far as the store lacks them. claims_of: further claims, whose wording
    depends on what was measured (say, on what was fastest). rows: the type of what a results file
    holds of one seed, as msgspec checks it; measured.py has the numbers for it.
    """

    name: str
    question: str
    file: str
    settings: Mapping[str, Any] | Callable[[], Mapping[str, Any]]
    tasks: Callable[[int], Sequence[Task]]
    measure: Callable[..., Any]
    tables: Callable[[Sequence[Rows]], Mapping[str, pandas.DataFrame]]
    claims: tuple[Claim, ...] = ()
    repeated: str = "seeds"
    first_seed: int = 1
    n_seeds: int = 5
    in_words: Callable[[Sequence[Rows]], str] | None = None
    data: ToyData | TextData = ToyData()
    aliases: tuple[str, ...] = ()
    write_checkpoints: Callable[[Store, Path], Iterator[Path]] | None = None
    by_row: bool = False
    claims_of: Callable[[Sequence[Rows]], Sequence[Claim]] | None = None
    in_parallel: bool = False
    rows: Any = ANY_ROWS

    def judge(self, by_seed: Sequence[Rows]) -> list[Verdict]:
        """Judge every claim that was measured. Raises ValueError without any seed."""
        named = self.claims_of(by_seed) if self.claims_of is not None else ()
        return judge_claims((*self.claims, *named), by_seed)

    def pilot(self) -> Study:
        """Return the same study of the seeds that are kept for choosing, with a results file of
        its own: its scatter says how many seeds the judged run needs."""
        return replace(self, file=f"pilots/{self.file}", first_seed=PILOT_SEED, n_seeds=N_PILOT)

    def heading(self) -> dict[str, Any]:
        """Return what a results file of this study starts with: name, settings and versions, as
        JSON gives them back (tuples are lists there)."""
        settings = self.settings() if callable(self.settings) else self.settings
        stated = {"study": self.name, "settings": dict(settings), "made_with": versions()}
        return json.loads(json.dumps(stated))


def read_study(path: Path, study: Study | str | None = None) -> dict[str, Any]:
    """Return the results of a study, with one finished seed at least; of a `Study` (not its name
    alone) with its rows.

    Raises FileError naming the file and the key when it holds something else, or the results of
    another study than `study`.
    """
    results = _read_results(path)
    name = study.name if isinstance(study, Study) else study
    if name is not None and results["study"] != name:
        is_of = results["study"][:60]
        raise FileError(f"{path}: the results of {is_of!r}, not of {name!r}; {REMEDY}")
    if not results["by_seed"]:
        raise FileError(f"{path}: by_seed: no seed is finished; {REMEDY}")
    if isinstance(study, Study):
        check_rows(results, study.rows, path)
    return results


def _read_results(path: Path) -> dict[str, Any]:
    """Return a results file whose outer form is checked."""
    results = read_json(path, Results, REMEDY).as_json()
    for part in ("by_seed", UNFINISHED):
        for seed, rows in results.get(part, {}).items():
            if SEED.fullmatch(seed) is None:
                raise FileError(f"{path}: {part}: {seed[:60]!r} is not a seed; {REMEDY}")
            checked(rows, dict[str, Any], f"{path}: {part}: seed {seed}", REMEDY)
    return results


def check_rows(results: Mapping[str, Any], rows: Any, path: Path) -> None:
    """Raise FileError, naming the file, the seed and the key, where what a seed holds is not of the
    type `rows`. Where that names no rows, all seeds must have the same."""
    names = _rows_by_name(rows)
    for seed, measured in results["by_seed"].items():
        checked(measured, rows, f"{path}: seed {seed}", REMEDY)
    for seed, measured in results.get(UNFINISHED, {}).items():
        for name, row in measured.items():
            where = f"{path}: {UNFINISHED}: seed {seed}, {name[:60]}"
            if names and name not in names:
                raise FileError(f"{where}: no row of this study; {REMEDY}")
            checked(row, names.get(name, Any), where, REMEDY)
    if not names:
        _check_same_names(results["by_seed"], path)


def _rows_by_name(rows: Any) -> dict[str, Any]:
    """Return the type of each row where `rows` names them, else nothing."""
    if not (isinstance(rows, type) and issubclass(rows, Struct)):
        return {}
    return {field.encode_name: field.type for field in msgspec.structs.fields(rows)}


def _check_same_names(by_seed: Mapping[str, Mapping], path: Path) -> None:
    names = dict.fromkeys(name for rows in by_seed.values() for name in rows)
    for seed, rows in by_seed.items():
        missing = next((name for name in names if name not in rows), None)
        if missing is not None:
            raise FileError(
                f"{path}: seed {seed} has no row {missing[:60]!r}, as other seeds have; {REMEDY}"
            )


@contextmanager
def judging(path: Path) -> Iterator[None]:
    """Let errors of the body, which judges or draws the results at `path`, name the file: numbers
    that are each in their range may still not fit together. Raise FileError."""
    try:
        yield
    except FileError:
        raise
    except (ArithmeticError, LookupError, TypeError, ValueError) as error:
        why = f"{type(error).__name__}: {error}"
        raise FileError(f"{path}: its numbers do not fit together ({why}); {REMEDY}") from error


def committed_rows(study: Study) -> list[Rows]:
    """Return the committed results of a study, seed after seed. Raises FileError where they
    are missing, damaged or another study's."""
    return rows_by_seed(read_study(results_path(study.file), study))


def write_study(
    path: Path,
    heading: Mapping[str, Any],
    by_seed: Mapping[str, Rows],
    unfinished: Mapping[str, Rows] | None = None,
) -> None:
    """Write a results file at once or not at all; `unfinished` holds rows of a seed that is not
    whole yet."""
    parts = {**heading, "by_seed": by_seed, **({UNFINISHED: unfinished} if unfinished else {})}
    write_json(path, parts)


def missing_seeds(study: Study, seeds: Sequence[int], path: Path) -> list[int]:
    """Return the `seeds` that the results file at `path` lacks, all of them where there is no file.

    Raises FileError when the file was made with other settings.
    """
    by_seed, _ = _finished(study, path)
    return [seed for seed in seeds if str(seed) not in by_seed]


def measure_seeds(
    study: Study,
    seeds: Sequence[int],
    store: Store,
    path: Path,
    report: Callable[[int], Report],
    n_workers: int = 1,
) -> dict[str, Any]:
    """Measure the `seeds` that the file at `path` lacks, write it after each, and return all
    results; `report(seed)` returns what is called with (done, total) of the work.

    Raises FileError when the file was made with other settings.
    """
    heading = study.heading()
    by_seed, unfinished = _finished(study, path)
    for seed in missing_seeds(study, seeds, path):
        if study.by_row:
            rows = unfinished.setdefault(str(seed), {})
            workers = {"n_workers": n_workers} if study.in_parallel else {}
            for name, row in study.measure(seed, store, report(seed), dict(rows), **workers):
                rows[name] = row
                write_study(path, heading, by_seed, unfinished)
            by_seed[str(seed)] = unfinished.pop(str(seed))
        else:
            by_seed[str(seed)] = study.measure(seed, store, report(seed))
        write_study(path, heading, by_seed, unfinished)
    return read_study(path, study)


def _finished(study: Study, path: Path) -> tuple[dict, dict]:
    """The seeds that the file at `path` has whole, and the rows of those that it has in part."""
    if not path.exists():
        return {}, {}
    results = _read_results(path)
    changes = [
        change
        for part, now in study.heading().items()
        for change in _changes(part, results[part], now)
    ]
    if changes:
        raise FileError(f"{path}: created with different settings ({'; '.join(changes)}); {REMEDY}")
    check_rows(results, study.rows, path)
    return results["by_seed"], results.get(UNFINISHED, {})


def _changes(name: str, before: Any, now: Any) -> list[str]:
    """What differs between two values of plain JSON, each as "name was …, now it is …"."""
    if isinstance(before, dict) and isinstance(now, dict):
        return [
            change
            for part in dict.fromkeys((*before, *now))
            for change in _changes(part, before.get(part), now.get(part))
        ]
    return [] if before == now else [f"{name} was {before}, now it is {now}"]


# Earlier names, which some lessons still use.
by_seed = rows_by_seed
read_later = read_study
