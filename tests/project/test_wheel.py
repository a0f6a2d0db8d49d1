"""A wheel away from the repository: it carries data and lessons, its commands find them, and it
writes only where one stands.

The wheel is built from a copy of the project, without a network, and installed by pip into an
environment of its own; torch and the rest are this environment's, which a path file names.
"""

from __future__ import annotations

import json
import os
import shlex
import shutil
import site
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
    "notebooks",
    "pyproject.toml",
    "setup.py",
    "MANIFEST.in",
    "README.md",
    "LICENSE",
    "requirements",
)
LARGEST_MB = 15
SENTENCE = "the old teacher sold the sofa because it was broken ."


def call(folder: Path, program: object, *arguments, **environment) -> subprocess.CompletedProcess:
    """Runs a program in `folder`; its standard output and error are text."""
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
        [str(program), *map(str, arguments)],
        cwd=folder,
        env={**inherited, **settings, **environment},
        capture_output=True,
        text=True,
        encoding="utf-8",
    )


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
            sys.executable,
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
def environment(wheel, tmp_path_factory) -> Path:
    """A new environment with the wheel, in a folder with a space and an umlaut; afterwards nobody
    may write below its packages (root may, so that the files are compared as well)."""
    folder = tmp_path_factory.mktemp("environment") / "für mich"
    succeed(call(wheel.parent, sys.executable, "-m", "venv", "--without-pip", folder))
    pip = ("-m", "pip", "--python", folder / "bin" / "python", "install", "--no-deps", "--no-index")
    succeed(call(wheel.parent, sys.executable, *pip, wheel))
    (packages,) = folder.glob("lib/python*/site-packages")
    (packages / "the_rest.pth").write_text("\n".join(site.getsitepackages()), encoding="utf-8")
    everything = [packages, *packages.rglob("*")]
    for path in everything:
        path.chmod(path.stat().st_mode & ~0o222)
    yield folder
    for path in everything:  # so that pytest can remove it
        path.chmod(path.stat().st_mode | 0o200)


@pytest.fixture(scope="module")
def installed(environment) -> Path:
    """The folder of the installed package."""
    (package,) = environment.glob("lib/python*/site-packages/seqkd_lab")
    return package


@pytest.fixture
def python(environment, installed, tmp_path):
    """Runs the environment's Python in a foreign folder; afterwards the installed files are as
    before."""
    before = data_files(installed.parent)

    def run(*arguments, **more) -> subprocess.CompletedProcess:
        home = str(tmp_path / "home")
        return call(tmp_path, environment / "bin" / "python", *arguments, HOME=home, **more)

    yield run
    assert data_files(installed.parent) == before


@pytest.mark.parametrize(("folder", "copy"), [("data", "_data"), ("notebooks", "_lessons")])
def test_the_wheel_carries_the_data_and_the_lessons(project, wheel, folder, copy):
    head = f"seqkd_lab/{copy}/"
    with zipfile.ZipFile(wheel) as archive:
        carried = {
            name.removeprefix(head): archive.read(name)
            for name in archive.namelist()
            if name.startswith(head)
        }
    assert carried == data_files(project / folder)


def test_the_wheel_is_small(wheel):
    megabytes = wheel.stat().st_size / 1e6
    print(f"{wheel.name}: {megabytes:.1f} MB")
    assert megabytes <= LARGEST_MB


def test_a_source_archive_holds_the_data_too(project):
    code = "from setuptools import build_meta; print(build_meta.build_sdist('dist'))"
    name = succeed(call(project, sys.executable, "-c", code)).splitlines()[-1]
    with tarfile.open(project / "dist" / name) as archive:
        names = {member.name.split("/", 1)[-1] for member in archive.getmembers()}
    assert {f"data/{file}" for file in data_files(ROOT / "data")} <= names
    assert {"setup.py", "MANIFEST.in", "requirements/core.txt"} <= names


def test_an_editable_build_copies_nothing(project, tmp_path):
    code = (
        "import sys; from setuptools import build_meta; "
        "print(build_meta.build_editable(sys.argv[1]))"
    )
    name = succeed(call(project, sys.executable, "-c", code, tmp_path)).splitlines()[-1]
    with zipfile.ZipFile(tmp_path / name) as archive:
        assert not [file for file in archive.namelist() if "_data" in file or "_lessons" in file]
    assert not (project / "seqkd_lab" / "_data").exists()


def test_it_is_the_wheel_that_runs(python, installed):
    code = (
        "import seqkd_lab; from seqkd_lab import installation as i; from seqkd_lab.corpus.toy "
        "import dataset; print(seqkd_lab.__file__, i.checkout(), i.data_directory(), "
        "dataset.toy_directory(), sep='\\n')"
    )
    data = installed / "_data"
    expected = (installed / "__init__.py", None, data, data / "toy")
    assert succeed(python("-c", code)).splitlines() == [str(path) for path in expected]


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
    assert finished.stderr.count(f"Judging {installed / '_data' / 'results'}") == len(commands)


def test_the_doctor_is_content_and_knows_no_repository(python, installed):
    """Neither on one's own machine nor on Colab, whose notebooks are its own."""
    for more in ({}, {"COLAB_RELEASE_TAG": "release"}):
        said = " ".join(python("-m", "seqkd_lab", "doctor", **more).stdout.split())
        toy = " ".join(f"4 files in {installed / '_data' / 'toy'} as recorded".split())
        assert toy in said.replace("- ", "-"), said
        assert "make " not in said and "git checkout" not in said
        assert ("Colab shows them itself" in said) is bool(more)


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


def test_every_command_answers(python):
    code = (
        "import sys\nfrom seqkd_lab import cli\nfor name in cli.command_names():\n"
        "    try:\n        cli.main([name, '--help'])\n"
        "    except SystemExit as end:\n        assert end.code == 0, name\n"
        "print(*cli.command_names(), sep='\\n')"
    )
    said = succeed(python("-c", code))
    for path in (ROOT / "seqkd_lab" / "cli" / "commands").glob("[a-z]*.py"):
        assert f"usage: seqkd-lab {path.stem} " in said


SCRIPT = """
corpus toy --show 2
corpus check source target
distil --teacher teacher --out distilled.tsv --pairs 8
train --out student --width 8 --epochs 1 --pairs 64
translate "the old teacher sold the sofa ." --model student
prune --model student --share 0.5 --out pruned --epochs 0
score source source
study list
study check budget
table --check
lab --copy-only
"""
"""A short real use of every command that is quick; the others have tests of their own."""


def test_the_quick_commands_do_their_work(environment, python, tmp_path):
    """One after the other, since later ones read what earlier ones have written."""
    for side in ("source", "target"):
        (tmp_path / side).write_text("a b c\nb c a\nc a\na a b\nb\n", encoding="utf-8")
    for command in SCRIPT.strip().splitlines():
        finished = python(environment / "bin" / "seqkd-lab", *shlex.split(command))
        assert finished.returncode in (0, 1), f"{command}: {finished.stderr}"
        assert finished.stdout.strip() and "Traceback" not in finished.stderr, command


RUN_LESSON = """
import sys
from pathlib import Path
sys.path.insert(0, sys.argv[1])
import nbformat, notebook_runs
notebook = notebook_runs.read(Path(sys.argv[2]))
notebook.cells.append(nbformat.v4.new_code_cell("import seqkd_lab; print(seqkd_lab.__file__)"))
done = notebook_runs.run(notebook, Path(sys.argv[2]).parent)
assert done.errors == (), done.errors
print(notebook_runs.printed(done.notebook).strip())
"""


@pytest.mark.parametrize("name", ["00_start_here", "06_sequence_level_kd"])
def test_a_copied_lesson_runs_through(python, installed, tmp_path, name):
    succeed(python("-m", "seqkd_lab", "lab", "meine Lektionen", "--copy-only"))
    path = tmp_path / "meine Lektionen" / f"{name}.ipynb"
    said = succeed(python("-c", RUN_LESSON, ROOT / "tools", path))
    assert said.splitlines()[-1] == str(installed / "__init__.py"), "another package ran"
    assert "not in this copy" not in said
