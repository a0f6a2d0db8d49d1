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
from packaging.specifiers import SpecifierSet

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib  # pytest brings it to Python 3.10

ROOT = Path(__file__).resolve().parents[2]
CONDA_NAMES = {"pytorch-cpu": "torch", "matplotlib-base": "matplotlib"}
CONDA_ONLY = {"python", "pip", "setuptools"}


def project_requirements(extras=()):
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    chosen = project["dependencies"] + [
        each for e in extras for each in project["optional-dependencies"][e]
    ]
    requirements = [Requirement(line) for line in chosen]
    return {needed.name: needed.specifier for needed in requirements}


def environment_requirements():
    """The list items of environment.yml that name packages; the file is flat enough to need no YAML
    reader."""
    requirements = {}
    for line in (ROOT / "environment.yml").read_text(encoding="utf-8").splitlines():
        item = re.match(r"\s+- ([a-z][a-z0-9-]*)([<>=][^#\s]*)", line)
        if item:
            requirements[CONDA_NAMES.get(item[1], item[1])] = SpecifierSet(
                re.sub(r"^=(?!=)", "==", item[2])
            )
    return requirements


def constraints():
    """name -> list of (version, marker) of constraints.txt."""
    pins = {}
    for line in (ROOT / "constraints.txt").read_text(encoding="utf-8").splitlines():
        if line and not line.startswith("#"):
            name, version, marker = re.fullmatch(
                r"([a-z0-9-]+)==([^\s;]+)(?:\s*;\s*(.+))?", line
            ).groups()
            pins.setdefault(name, []).append((version, marker))
    return pins


def test_environment_and_pyproject_name_the_same_dependencies_and_ranges():
    conda = environment_requirements()
    assert set(conda) >= CONDA_ONLY
    assert {
        name: spec for name, spec in conda.items() if name not in CONDA_ONLY
    } == project_requirements(["lab"])


def test_every_dependency_is_bounded_on_both_sides_and_has_a_reason():
    for file in ("pyproject.toml", "environment.yml"):
        lines = (ROOT / file).read_text(encoding="utf-8").splitlines()
        named = [line for line in lines if re.match(r"""\s+(?:- |")[a-z][a-z0-9-]*[<>=]""", line)]
        assert len(named) > 10, file
        for line in named:
            assert re.search(r"# \S+", line), f"{file}: no reason beside {line.strip()}"
    for name, specifiers in project_requirements(["lab", "test"]).items():
        bounds = {specifier.operator for specifier in specifiers}
        assert "==" in bounds or {">=", "<"} <= bounds, f"{name}{specifiers}"


def test_constraints_pin_every_dependency_within_its_range():
    pins = constraints()
    for name, specifiers in project_requirements(["lab", "test"]).items():
        assert name in pins, f"constraints.txt has no {name}"
        for version, _ in pins[name]:
            assert version in specifiers, f"{name}=={version} is not in {specifiers}"


def test_constraints_pin_what_is_named_twice_by_marker_only():
    for name, versions in constraints().items():
        markers = [marker for _, marker in versions]
        assert len(set(markers)) == len(markers) and (len(markers) == 1 or None not in markers), (
            name
        )


def test_constraints_take_the_cpu_build_of_torch_for_the_same_version():
    ((version, marker),) = constraints()["torch"]
    assert marker is None and "+" not in version
    assert f"{version}+cpu" in SpecifierSet(f"=={version}")


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
  *"[test]"*) echo extra-test >> log;;
  *--editable*) echo core >> log; test ! -e no-core;;
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
        (folder / "tools").mkdir()
        for name in ("Makefile", "pyproject.toml", "constraints.txt", "tools/install_torch.py"):
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
    assert project.make("tour")[0] == ["venv", "torch", "core", "run tour"]
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
    assert project.make("tour")[0] == ["core", "run tour"]


@pytest.mark.parametrize(
    ("name", "steps"), [("pyproject.toml", ["core"]), ("constraints.txt", ["torch", "core"])]
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
    for name in (".ci/run", "postBuild"):
        assert os.access(ROOT / name, os.X_OK), name
        assert subprocess.run(["bash", "-n", str(ROOT / name)]).returncode == 0
