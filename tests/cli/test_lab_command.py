"""`seqkd-lab lab`: which folder it opens, what it says, and what it refuses."""

from __future__ import annotations

import signal
import subprocess
import sys
from pathlib import Path

import pytest
from typed import assert_refused, typed

from seqkd_lab import installation
from seqkd_lab.cli.commands import lab


@pytest.fixture
def opened(monkeypatch) -> list[list[str]]:
    """The commands that would start JupyterLab."""
    commands: list[list[str]] = []

    def start(command, **_):
        assert signal.getsignal(signal.SIGINT) not in (signal.SIG_IGN, signal.default_int_handler)
        commands.append(command)
        return subprocess.CompletedProcess(command, 3)

    monkeypatch.setattr(subprocess, "run", start)
    monkeypatch.setattr(lab, "find_spec", lambda name: name)
    return commands


@pytest.fixture
def wheel(monkeypatch, tmp_path) -> Path:
    """As if the package were an installed wheel; the current folder is a fresh one."""
    source = installation.lessons_directory()
    monkeypatch.setattr(installation, "checkout", lambda package=None: None)
    monkeypatch.setattr(installation, "lessons_directory", lambda package=None: source)
    monkeypatch.chdir(tmp_path)
    return tmp_path


def test_in_a_checkout_its_own_notebooks_are_opened(capsys, opened):
    before = signal.getsignal(signal.SIGINT)
    assert typed(capsys, "lab") == (3, "", "")
    first = installation.lessons_directory() / "00_start_here.ipynb"
    assert opened == [[sys.executable, "-m", "jupyterlab", str(first)]] and first.is_file()
    assert signal.getsignal(signal.SIGINT) is before


def test_in_a_checkout_a_named_folder_gets_copies(capsys, opened, tmp_path):
    code, out, _ = typed(capsys, "lab", tmp_path / "mine", "--no-browser")
    assert code == 3 and "written" in out
    first = tmp_path / "mine" / "00_start_here.ipynb"
    assert opened[0][2:] == ["jupyterlab", str(first), "--no-browser"] and first.is_file()


def test_beside_a_wheel_the_copies_lie_in_the_current_folder(capsys, opened, wheel):
    assert typed(capsys, "lab")[0] == 3
    copied = {path.relative_to(wheel / lab.FOLDER) for path in (wheel / lab.FOLDER).rglob("*")}
    assert {Path("glossary.md"), Path("pictures/beam.png"), Path("15_meters.ipynb")} <= copied


def test_a_changed_notebook_is_said_to_be_kept(capsys, wheel):
    typed(capsys, "lab", "--copy-only")
    changed = wheel / lab.FOLDER / "01_toy_language.ipynb"
    changed.write_text("mine", encoding="utf-8")
    (wheel / lab.FOLDER / ".seqkd_lab_lessons.json").unlink()  # as if it were an earlier release's
    code, out, _ = typed(capsys, "lab", "--copy-only")
    assert code == 0 and f"{changed.relative_to(wheel)}: kept" in out
    assert changed.read_text(encoding="utf-8") == "mine"


def test_copy_only_says_how_to_open_a_folder_with_spaces(capsys, opened, wheel):
    _, out, _ = typed(capsys, "lab", "my folder", "--copy-only")
    assert "seqkd-lab lab 'my folder'" in out and opened == []


def test_without_jupyterlab_the_command_that_installs_it_is_said(capsys, monkeypatch, wheel):
    monkeypatch.setattr(lab, "find_spec", lambda name: None)
    assert_refused(typed(capsys, "lab"), "python -m pip install 'jupyterlab")
    assert list(wheel.iterdir()) == []
    assert typed(capsys, "lab", "--copy-only")[0] == 0


@pytest.mark.parametrize(("variable", "name"), installation.HOSTS.items())
def test_where_a_host_shows_notebooks_none_is_opened(capsys, monkeypatch, wheel, variable, name):
    monkeypatch.setenv(variable, "1")
    assert_refused(typed(capsys, "lab"), name, "--copy-only")
    assert typed(capsys, "lab", "--copy-only")[0] == 0


def test_folders_that_hold_something_else_are_refused(capsys, opened, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "file").write_text("kept", encoding="utf-8")
    assert_refused(typed(capsys, "lab", "file"), "FOLDER file", "this is a file")
    assert_refused(typed(capsys, "lab", installation.PACKAGE / "x"), "within the package")
    assert_refused(typed(capsys, "lab", installation.lessons_directory()), "lessons themselves")
    assert_refused(typed(capsys, "lab", "--copy-only"), "name a FOLDER")
    assert opened == [] and [path.name for path in tmp_path.iterdir()] == ["file"]
