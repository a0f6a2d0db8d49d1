"""Attacks on the readers of results, pilots, checkpoints' records and predictions.

One value of a committed file is damaged. The command that judges the file gives its verdicts, or
one message that names the file and what is wrong in it; nothing else.
"""

from __future__ import annotations

import io
import json
import traceback
from contextlib import redirect_stderr, redirect_stdout
from pathlib import Path
from random import Random

import pytest

from seqkd_lab import cli, studies
from seqkd_lab.runs.committed import results_path
from tests.attacks.json_damage import Damaged, damaged
from tests.attacks.soak import attempts, tally

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
    committed = json.loads(results_path(study.file).read_text(encoding="utf-8"))
    path, random = tmp_path / study.file, Random(study.name)
    with tally("damaged results: study check") as count:
        for _ in range(attempts(6, 400)):
            attack = damaged(committed, random)
            path.write_text(attack.text, encoding="utf-8")
            arguments = ["study", "check", study.name, "--results", str(tmp_path)]
            count.tried(failure(arguments, attack, path))
