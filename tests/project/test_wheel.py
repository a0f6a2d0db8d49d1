"""A wheel away from the repository: it carries its data, its commands find them, and it writes only
where one stands.

The wheel is built from a copy of the project, without a network, and unpacked by pip into a folder
of its own; torch and the rest come from this environment.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import tarfile
import zipfile
from pathlib import Path

import pytest

pytest.importorskip("setuptools", minversion="77")
pytestmark = pytest.mark.slow

ROOT = Path(__file__).resolve().parents[2]
PARTS = (
    "seqkd_lab",
    "data",
    "pyproject.toml",
    "setup.py",
    "MANIFEST.in",
    "README.md",
    "LICENSE",
    "requirements",
)
LARGEST_MB = 15
SENTENCE = "the old teacher sold the sofa because it was broken ."


def call(folder: Path, *arguments, **environment) -> subprocess.CompletedProcess:
    """Runs this Python in `folder`; its standard output and error are text."""
    inherited = {
        name: value
        for name, value in os.environ.items()
        if not name.startswith(("PYTHON", "SEQKD_LAB"))
    }
    settings = {
        "PYTHONDONTWRITEBYTECODE": "1",
        "PYTHONUTF8": "1",
        "PIP_DISABLE_PIP_VERSION_CHECK": "1",
    }
    return subprocess.run(
        [sys.executable, *map(str, arguments)], cwd=folder, env={**inherited, **settings, **environment},  # noqa: E501
        capture_output=True, text=True, encoding="utf-8",
    )  # fmt: skip


def succeed(finished: subprocess.CompletedProcess) -> str:
    assert finished.returncode == 0, finished.stderr
    return finished.stdout


def data_files(folder: Path) -> dict[str, bytes]:
    return {
        path.relative_to(folder).as_posix(): path.read_bytes()
        for path in folder.rglob("*")
        if path.is_file()
    }


@pytest.fixture(scope="module")
def project(tmp_path_factory) -> Path:
    """A copy of what a build reads: building leaves folders behind, and the repository is no place
    for them."""
    folder = tmp_path_factory.mktemp("project")
    for part in PARTS:
        if (ROOT / part).is_dir():
            shutil.copytree(
                ROOT / part, folder / part, ignore=shutil.ignore_patterns("__pycache__")
            )
        else:
            shutil.copy(ROOT / part, folder / part)
    return folder


@pytest.fixture(scope="module")
def wheel(project) -> Path:
    succeed(
        call(
            project,
            "-m",
            "pip",
            "wheel",
            "--quiet",
            "--no-deps",
            "--no-build-isolation",
            "--no-index",
            "--wheel-dir",
            "dist",
            ".",
        )
    )
    (built,) = (project / "dist").glob("*.whl")
    return built


@pytest.fixture(scope="module")
def installed(wheel, tmp_path_factory) -> Path:
    """The folder of the installed wheel, as site-packages would be."""
    folder = tmp_path_factory.mktemp("site") / "packages"
    succeed(
        call(
            wheel.parent,
            "-m",
            "pip",
            "install",
            "--quiet",
            "--no-deps",
            "--no-index",
            "--target",
            folder,
            wheel,
        )
    )
    return folder


@pytest.fixture
def python(installed, tmp_path):
    """Runs this Python with the installed wheel in a foreign folder; afterwards the installed files
    are as before."""
    before = data_files(installed)

    def run(*arguments) -> subprocess.CompletedProcess:
        return call(tmp_path, *arguments, PYTHONPATH=str(installed), HOME=str(tmp_path / "home"))

    yield run
    assert data_files(installed) == before


def test_the_wheel_carries_the_data_and_is_small(wheel):
    committed = data_files(ROOT / "data")
    with zipfile.ZipFile(wheel) as archive:
        head = "seqkd_lab/_data/"
        carried = {
            name.removeprefix(head): archive.read(name)
            for name in archive.namelist()
            if name.startswith(head)
        }
    assert carried == committed
    megabytes = wheel.stat().st_size / 1e6
    print(f"{wheel.name}: {megabytes:.1f} MB")
    assert megabytes <= LARGEST_MB


def test_a_source_archive_holds_the_data_too(project):
    code = "from setuptools import build_meta; print(build_meta.build_sdist('dist'))"
    name = succeed(call(project, "-c", code)).splitlines()[-1]
    with tarfile.open(project / "dist" / name) as archive:
        names = {member.name.split("/", 1)[-1] for member in archive.getmembers()}
    assert {f"data/{file}" for file in data_files(ROOT / "data")} <= names
    assert {"setup.py", "MANIFEST.in", "requirements/core.txt"} <= names


def test_an_editable_build_copies_nothing(project, tmp_path):
    code = (
        "import sys; from setuptools import build_meta; "
        "print(build_meta.build_editable(sys.argv[1]))"
    )
    name = succeed(call(project, "-c", code, tmp_path)).splitlines()[-1]
    with zipfile.ZipFile(tmp_path / name) as archive:
        assert not [file for file in archive.namelist() if "_data" in file]
    assert not (project / "seqkd_lab" / "_data").exists()


def test_it_is_the_wheel_that_runs(python, installed):
    code = (
        "import seqkd_lab; from seqkd_lab import installation as i; from seqkd_lab.corpus.toy "
        "import dataset; print(seqkd_lab.__file__, i.checkout(), i.data_directory(), "
        "dataset.toy_directory(), sep='\\n')"
    )
    package = installed / "seqkd_lab"
    expected = (package / "__init__.py", None, package / "_data", package / "_data" / "toy")
    assert succeed(python("-c", code)).split() == [str(path) for path in expected]


def test_translate_finds_its_model(python):
    assert "valid" in succeed(python("-m", "seqkd_lab", "translate", SENTENCE))


def test_the_results_that_came_with_it_are_judged(python, installed):
    commands = ["table", "table2", "table3", "cross", "speculative", "study memory", "later tip"]
    code = (
        "from seqkd_lab import cli; print([cli.main([*command.split(), '--check']) for command in "
        f"{commands}])"
    )
    finished = python("-c", code)
    codes = json.loads(succeed(finished).splitlines()[-1])
    assert len(codes) == len(commands) and set(codes) <= {0, 1}, finished.stderr
    assert finished.stderr.count(f"Judging {installed / 'seqkd_lab' / '_data' / 'results'}") == len(
        commands
    )


def test_the_doctor_is_content_and_knows_no_repository(python, installed):
    said = " ".join(python("-m", "seqkd_lab", "doctor").stdout.split())
    assert f"4 files in {installed / 'seqkd_lab' / '_data' / 'toy'} as recorded" in said.replace(
        "- ", "-"
    ), said
    assert "make " not in said and "git checkout" not in said


def test_a_table_is_written_here_and_said_beforehand(python, tmp_path):
    """Own text of five pairs: a table of one row is made within seconds."""
    files = []
    for split in ("source", "target", "valid-source", "valid-target", "test-source", "test-target"):
        lines = "a b c\nb c a\nc a\na a b\nb\n"
        (tmp_path / split).write_text(
            lines.upper() if "target" in split else lines, encoding="utf-8"
        )
        files += [f"--{split}", split]
    finished = python(
        "-m",
        "seqkd_lab",
        "table",
        "--preset",
        "quick",
        "--rows",
        "baseline",
        "--seeds",
        "1",
        "--workers",
        "1",
        *files,
    )
    succeed(finished)
    assert finished.stderr.splitlines()[0] == "Results will be written to runs/results/table1.json"
    results = json.loads(
        (tmp_path / "runs" / "results" / "table1.json").read_text(encoding="utf-8")
    )
    assert list(results["by_seed"]["1"]) == ["baseline"]


def test_the_toy_corpus_is_written_here(python, tmp_path):
    code = (
        "from seqkd_lab import cli; from seqkd_lab.corpus.toy import dataset; dataset.make = "
        "lambda *_: {'valid': [(('a',), ('b',))]}; cli.main(['corpus', 'toy', '--write'])"
    )
    succeed(python("-c", code))
    assert (tmp_path / "data" / "toy" / "valid.tsv").read_text(encoding="utf-8") == "a\tb\n"


def test_a_lesson_finds_its_models(python):
    code = (
        "from seqkd_lab.lab.near_policy.measures import student_before; "
        "from seqkd_lab.lab.shared import lesson; "
        "from seqkd_lab.lab.token_importance.measures import models; "
        "print(sorted(lesson.models(('teacher', 'seq-kd'))), "
        "len(lesson.table_results()['by_seed'])); student_before(), models(), lesson.lesson_map()"
    )
    assert "['seq-kd', 'teacher'] 10" in succeed(python("-c", code))
