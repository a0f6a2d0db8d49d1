"""Attacks on the readers of results, pilots, checkpoints' records and predictions.

One value of a committed file is damaged. The command that judges the file gives its verdicts, or
one message that names the file and what is wrong in it; nothing else.
"""

from __future__ import annotations

import io
import json
import traceback
from collections.abc import Callable
from contextlib import redirect_stderr, redirect_stdout
from pathlib import Path
from random import Random

import pytest
from json_damage import Damaged, damaged
from soak import attempts, tally

import benchmarks.__main__
import benchmarks.results
from seqkd_lab import cli, studies
from seqkd_lab.cli import aliases
from seqkd_lab.files import FileError
from seqkd_lab.lab.paper_table.claims import real_results
from seqkd_lab.lab.paper_table.gain import budget_seeds
from seqkd_lab.lab.shared.models import table_results
from seqkd_lab.lab.word_kd.students import map_student
from seqkd_lab.runs import committed, kept
from seqkd_lab.runs.committed import results_path
from seqkd_lab.runs.study import committed_rows
from seqkd_lab.studies import no_help, word_kd_map
from seqkd_lab.studies.memory import reading as memory_reading

PACKAGE = committed.DATA / "results"
STUDIES = [studies.study(name) for name in studies.find_studies()]
every_study = pytest.mark.parametrize("study", STUDIES, ids=lambda study: study.name)


def failure(arguments: list[str], attack: Damaged, path: Path) -> str | None:
    """Run a command on a damaged file; return what went wrong, None where it answered as it
    should."""
    out, err = io.StringIO(), io.StringIO()
    try:
        with redirect_stdout(out), redirect_stderr(err):
            code = cli.main(arguments)
    except BaseException as error:
        trace = traceback.extract_tb(error.__traceback__)[-1]
        where = f"{Path(trace.filename).name}:{trace.lineno}"
        said = f"{type(error).__name__}: {error} ({where})"
    else:
        said = unclear(code, out.getvalue(), err.getvalue(), attack, path)
    return said and f"{' '.join(arguments[:3])}, {attack.how} at {list(attack.where)}: {said[:300]}"


def unclear(code: int, out: str, err: str, attack: Damaged, path: Path) -> str | None:
    """Return what an answer lacks: a table with code 0 or 1, else a message with file and key."""
    if code in (0, 1):
        return None if out and not err else f"exit code {code}, nothing but {err!r}"
    lines = err.splitlines()
    if code != 2 or len(lines) != 1 or not lines[0].startswith("seqkd-lab: "):
        return f"exit code {code}: {err!r}"
    if path.name not in err:
        return f"the file is not named: {err}"
    return None if names_place(err, attack) else f"the key is not named: {err}"


def names_place(message: str, attack: Damaged) -> bool:
    """Tell whether a message names the damaged place, or what holds it, or what is there instead;
    a text that is no JSON has a byte only, and the whole has no name."""
    names = [str(step) for step in attack.where if isinstance(step, str)]
    said = ("not JSON", "`$", "unknown field", "the results of", "has no row")
    return not names or any(part in message for part in (*names, *said))


@every_study
def test_a_damaged_results_file_is_judged_or_refused_by_name(study, tmp_path):
    whole = json.loads(results_path(study.file).read_text(encoding="utf-8"))
    path, random = tmp_path / study.file, Random(study.name)
    with tally("damaged results: study check") as count:
        for _ in range(attempts(6, 400)):
            attack = damaged(whole, random)
            path.write_text(attack.text, encoding="utf-8")
            arguments = ["study", "check", study.name, "--results", str(tmp_path)]
            count.tried(failure(arguments, attack, path))


ALIASES = {alias: studies.study(name) for alias, (name, *_) in aliases.ALIASES.items()}
TABLE = {"table": studies.study("table1")}


@pytest.mark.parametrize(
    ("alias", "study"), (ALIASES | TABLE).items(), ids=lambda part: getattr(part, "name", part)
)
def test_a_damaged_file_of_an_alias_is_judged_or_refused_by_name(alias, study, tmp_path):
    whole = json.loads(results_path(study.file).read_text(encoding="utf-8"))
    path, random = tmp_path / study.file, Random(alias)
    with tally("damaged results: aliases, table --check") as count:
        for _ in range(attempts(4, 250)):
            attack = damaged(whole, random)
            path.write_text(attack.text, encoding="utf-8")
            count.tried(failure([alias, "--check", "--results", str(path)], attack, path))


WITH_PILOT = [study for study in STUDIES if results_path(study.pilot().file).exists()]


@pytest.fixture
def committed_in(tmp_path, monkeypatch):
    """A folder that stands for the data of the package."""
    monkeypatch.setattr(committed, "DATA", tmp_path)
    (tmp_path / "results" / "pilots").mkdir(parents=True)
    return tmp_path


@pytest.mark.parametrize("study", WITH_PILOT, ids=lambda study: study.name)
def test_a_study_is_designed_from_a_damaged_pilot_or_says_what_is_wrong(study, committed_in):
    random, text = Random(study.name), results_path(study.pilot().file)
    pilot = json.loads((PACKAGE / study.pilot().file).read_text(encoding="utf-8"))
    with tally("damaged pilots: study design") as count:
        for _ in range(attempts(4, 250)):
            attack = damaged(pilot, random)
            text.write_text(attack.text, encoding="utf-8")
            count.tried(failure(["study", "design", study.name], attack, text))


def readers_of(study) -> list[Callable[[], object]]:
    """What the lessons read of a study's committed results."""
    readers = {
        "table1": [table_results, real_results],
        "memory": [lambda: memory_reading.read(results_path(study.file))],
        "no-help": [no_help.committed_points],
        "word-kd-map": [lambda: map_student(word_kd_map.committed_map())],
        "budget": [budget_seeds],
    }
    return [lambda: committed_rows(study), *readers.get(study.name, [])]


@every_study
def test_a_lesson_reads_damaged_results_or_names_file_and_key(study, committed_in):
    content, random = (PACKAGE / study.file).read_bytes(), Random(study.name)
    whole, path = json.loads(content), results_path(study.file)
    with tally("damaged results: lessons") as count:
        for _ in range(attempts(4, 300)):
            attack = damaged(whole, random)
            for name in (study.file, *(["multi30k.json"] if study.name == "table1" else [])):
                results_path(name).write_text(attack.text, encoding="utf-8")
            for read in readers_of(study):
                count.tried(refusal(read, attack, path))


def refusal(read: Callable[[], object], attack: Damaged, path: Path) -> str | None:
    """Return what went wrong where a reader neither reads nor raises FileError with file and
    key."""
    try:
        read()
    except FileError as error:
        named = path.stem in str(error) or "multi30k" in str(error)
        if named and names_place(str(error), attack):
            return None
        return f"{path.name}, {attack.how} at {list(attack.where)}: not named: {str(error)[:200]}"
    except Exception as error:
        return f"{path.name}, {attack.how} at {list(attack.where)}: {type(error).__name__}: {error}"
    return None


CHECKPOINTS = sorted((committed.DATA / "checkpoints").glob("**/metrics.json"))
KEPT: dict[str, tuple[Callable[[Path], object], object]] = {
    "history.json": (
        kept.read_history,
        {
            "train_loss": [3.0, 2.0],
            "valid_loss": [3.1, 2.2],
            "learning_rate": [0.1, 0.2],
            "n_tokens": [100, 100],
            "trained_on": {"n_pairs": 10},
        },
    ),
    "n_tokens": (kept.read_n_tokens, {"n_tokens": [100, 100], "train_loss": []}),
    "recipe.json": (
        kept.read_recipe,
        {"name": "x", "n_parameters": 10, "recipe": {"type": "Recipe", "seed": 1}},
    ),
    "metrics.json": (
        kept.read_metrics,
        json.loads(results_path("table1.json").read_text())["by_seed"]["21"]["teacher"],
    ),
    "checkpoint": (kept.read_committed, json.loads(CHECKPOINTS[0].read_text())),
}


@pytest.mark.parametrize("name", KEPT)
def test_what_the_store_keeps_is_read_or_refused_by_name(name, tmp_path):
    (read, content), random = KEPT[name], Random(name)
    path = tmp_path / f"{name}.json"
    with tally("damaged files of the store and of checkpoints") as count:
        for _ in range(attempts(40, 1_500)):
            attack = damaged(content, random)
            path.write_text(attack.text, encoding="utf-8")
            count.tried(refusal(lambda: read(path), attack, path))


def test_damaged_translations_are_read_or_refused_by_line(tmp_path):
    random, path = Random(7), tmp_path / "translations.tsv"
    lines = ["\t".join(kept.COLUMNS), *("\t".join(["a b"] * 5) for _ in range(6))]
    whole = ("\n".join(lines) + "\n").encode()
    with tally("damaged translations.tsv") as count:
        for _ in range(attempts(100, 3_000)):
            place, cut = random.randrange(len(whole)), random.randrange(len(whole))
            odd = random.choice(
                (b"", b"\t", b"\n", b"\xff", b"\x00", b"\r", "\x85".encode(), b"\n\n")
            )
            path.write_bytes(whole[:place] + odd + whole[min(place, cut) : cut or None])
            try:
                rows = kept.read_translations(path)
            except FileError as error:
                count.tried(None if str(error).startswith(f"{path}:") else str(error))
            else:
                count.tried(None if all(len(row) == 5 for row in rows) else f"{rows}")


def test_a_damaged_file_of_the_benchmarks_is_reported_or_refused_by_name(tmp_path):
    whole = json.loads(benchmarks.results.DEFAULT.read_text(encoding="utf-8"))
    path, random = tmp_path / "results.json", Random(5)
    with tally("damaged results of the benchmarks: --report") as count:
        for _ in range(attempts(10, 400)):
            attack = damaged(whole, random)
            path.write_text(attack.text, encoding="utf-8")
            out, err = io.StringIO(), io.StringIO()
            try:
                with redirect_stdout(out), redirect_stderr(err):
                    code = benchmarks.__main__.main(["--report", "--results", str(path)])
            except Exception as error:
                said = f"{type(error).__name__}: {error}"
            else:
                said = None if code == 0 else err.getvalue().replace("error: ", "", 1)
                said = None if code == 0 or said.startswith(str(path)) else said
            count.tried(said and f"{attack.how} at {list(attack.where)}: {said[:300]}")
