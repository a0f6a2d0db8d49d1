"""The files around the library: they must agree with each other, and the set-up must do each step
once."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
import time
from pathlib import Path

import pytest
from packaging.requirements import Requirement

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib  # pytest brings it to Python 3.10

ROOT = Path(__file__).resolve().parents[2]


def project_requirements(extras=()):
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    chosen = project["dependencies"] + [
        each for e in extras for each in project["optional-dependencies"][e]
    ]
    requirements = [Requirement(line) for line in chosen]
    return {needed.name: needed.specifier for needed in requirements}


def test_every_dependency_is_bounded_on_both_sides_and_has_a_reason():
    for file, number in (("pyproject.toml", 20), ("environment.yml", 2)):
        lines = (ROOT / file).read_text(encoding="utf-8").splitlines()
        named = [line for line in lines if re.match(r"""\s+(?:- |")[a-z][a-z0-9-]*[<>=]""", line)]
        assert len(named) >= number, file
        for line in named:
            assert re.search(r"# \S+", line), f"{file}: no reason beside {line.strip()}"
    for name, specifiers in project_requirements(["lab", "test"]).items():
        bounds = {specifier.operator for specifier in specifiers}
        assert "==" in bounds or {">=", "<"} <= bounds, f"{name}{specifiers}"


def test_make_help_lists_every_target_and_is_the_default():
    phony = re.search(
        r"^\.PHONY: (.*)$", (ROOT / "Makefile").read_text(encoding="utf-8"), re.MULTILINE
    )[1]
    for arguments in ([], ["help"]):
        listed = run_make(ROOT, *arguments).stdout
        assert set(re.findall(r"^make ([a-z]+) ", listed, re.MULTILINE)) == set(phony.split())


def run_make(folder, *arguments):
    """Runs make as from a fresh shell: a make around the tests hands its variables and flags on."""
    inherited = {"MAKEFLAGS", "MAKELEVEL", "MAKEOVERRIDES", "MFLAGS", "ARGS", "SEEDS", "PYTHON"}
    environment = {name: value for name, value in os.environ.items() if name not in inherited}
    return subprocess.run(
        ["make", "--directory", str(folder), "--no-print-directory", *arguments],
        capture_output=True, text=True, env=environment,
    )  # fmt: skip


PYTHON_STUB = """#!/bin/sh
case "$*" in
  *"-m venv"*) echo venv >> log; mkdir -p .venv/bin; cp "$0" .venv/bin/python
               printf '#!/bin/sh\\necho run "$@" >> log\\n' > .venv/bin/seqkd-lab; chmod +x .venv/bin/seqkd-lab;;
  *install_torch.py*) echo torch >> log; test ! -e no-torch;;
  *test.txt*) echo extra-test >> log;;
  *core.txt*) echo core >> log; test ! -e no-core;;
  *--editable*) echo project >> log;;
  *pytest*|*ruff*|*mypy*) echo check >> log;;
  *check_prose.py*) echo prose >> log;;
  *ensurepip*) test ! -e no-ensurepip;;
  *version_info\\ \\<*) test ! -e old-python;;
  *%d.%d*) echo 3.99;;
  *) echo "unexpected: $*" >> log; exit 9;;
esac
"""  # noqa: E501


class Project:
    """A folder with our Makefile and a Python that only writes down what it was asked to do."""

    def __init__(self, folder):
        self.folder = folder
        for folder_name in ("tools", "requirements"):
            (folder / folder_name).mkdir()
        locks = [f"requirements/{name}.txt" for name in ("torch", "core", "lab", "book", "test")]
        for name in ("Makefile", "pyproject.toml", "tools/install_torch.py", *locks):
            shutil.copy(ROOT / name, folder / name)
        (folder / "stub").write_text(PYTHON_STUB)
        (folder / "stub").chmod(0o755)

    def make(self, *arguments):
        """Runs make; returns what it did and the finished process."""
        (self.folder / "log").write_text("")
        finished = run_make(self.folder, "PYTHON=./stub", *arguments)
        return (self.folder / "log").read_text().splitlines(), finished

    def edit(self, name):
        """Makes a file younger than every stamp, as an edit later on does."""
        later = time.time() + 10
        os.utime(self.folder / name, (later, later))


@pytest.fixture
def project(tmp_path):
    if shutil.which("make") is None:
        pytest.skip("make is not installed")
    folder = tmp_path / "with a space"
    folder.mkdir()
    return Project(folder)


def test_set_up_runs_each_step_once_and_then_never_again(project):
    assert project.make("tour")[0] == ["venv", "torch", "core", "project", "run tour"]
    assert project.make("tour", "ARGS=--preset quick")[0] == ["run tour --preset quick"]
    assert project.make("table")[0] == ["run table --seeds 10"]
    assert project.make("test")[0] == ["extra-test", "check"]
    assert project.make("lint")[0] == ["check"] * 3 + ["prose"]


def test_a_failed_step_leaves_no_stamp_and_is_done_again(project):
    for obstacle, step in (("no-torch", "torch"), ("no-core", "core")):
        (project.folder / obstacle).write_text("")
        done, finished = project.make("tour")
        assert finished.returncode != 0 and done[-1] == step
        (project.folder / obstacle).unlink()
    assert project.make("tour")[0] == ["core", "project", "run tour"]


@pytest.mark.parametrize(
    ("name", "steps"),
    [
        ("pyproject.toml", ["core", "project"]),
        ("requirements/core.txt", ["core", "project"]),
        ("requirements/torch.txt", ["torch", "core", "project"]),
        ("requirements/test.txt", []),
        ("requirements/book.txt", []),
    ],
)
def test_changed_requirements_install_anew(project, name, steps):
    project.make("tour")
    project.edit(name)
    assert project.make("tour")[0] == [*steps, "run tour"]


def test_python_without_venv_names_the_debian_package_and_makes_nothing(project):
    (project.folder / "no-ensurepip").write_text("")
    done, finished = project.make("tour")
    assert finished.returncode != 0 and done == []
    assert "sudo apt install python3.99-venv" in finished.stderr
    assert not (project.folder / ".venv").exists()


@pytest.mark.parametrize("python", ["./stub", "no-such-python"])
def test_python_too_old_or_missing_is_said(project, python):
    (project.folder / "old-python").write_text("")
    done, finished = project.make("tour", f"PYTHON={python}")
    assert finished.returncode != 0 and done == []
    assert "Python 3.10 or later" in finished.stderr and python in finished.stderr


def test_clean_removes_the_environment_and_keeps_runs(project):
    project.make("tour")
    (project.folder / "runs").mkdir()
    (project.folder / "part" / "__pycache__").mkdir(parents=True)
    assert project.make("clean")[1].returncode == 0
    assert (
        not (project.folder / ".venv").exists()
        and not (project.folder / "part" / "__pycache__").exists()
    )
    assert (project.folder / "runs").exists() and (project.folder / "pyproject.toml").exists()


def test_scripts_are_executable_bash():
    for name in (".ci/run", "postBuild", "tools/install_lab.sh", "class_image/start.sh"):
        assert os.access(ROOT / name, os.X_OK), name
        assert subprocess.run(["bash", "-n", str(ROOT / name)]).returncode == 0
