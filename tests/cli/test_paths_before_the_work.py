"""What a study, a table or a tour is to write is checked before the work: a device, a folder, a
link, a file in a folder's place."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from seqkd_lab import cli
from seqkd_lab.cli import studies as shared
from seqkd_lab.cli.commands import table, tour


def worked(*_, **__):
    raise AssertionError("the work began")


@pytest.fixture(autouse=True)
def no_work(monkeypatch):
    for module in (shared, table, tour):
        for name in ("make_models", "measure_study", "collect"):
            monkeypatch.setattr(module, name, worked, raising=False)


def place(kind: str, path: Path) -> Path:
    """Let something of this `kind` stand at `path`."""
    path.parent.mkdir(parents=True, exist_ok=True)
    if kind == "folder":
        path.mkdir()
    elif kind == "link":
        path.symlink_to(path.with_name("elsewhere"))
    elif kind == "pipe":
        os.mkfifo(path)
    else:
        path.write_text("{}")
    return path


def refused(capsys, *arguments) -> str:
    code = cli.main([str(argument) for argument in arguments])
    captured = capsys.readouterr()
    lines = captured.err.splitlines()
    assert code == 2 and len(lines) == 1 and lines[0].startswith("seqkd-lab: "), captured.err
    assert not captured.out
    return lines[0]


RESULTS = ["table", "table2", "table3", "cross", "map"]


@pytest.mark.parametrize("kind", ["folder", "link", "pipe"])
@pytest.mark.parametrize("command", RESULTS)
def test_results_that_cannot_be_a_file(command, kind, tmp_path, capsys):
    path = place(kind, tmp_path / "results.json")
    said = refused(capsys, command, "--results", path)
    assert str(path) in said and kind in said and ("name" in said)
    assert not (tmp_path / "elsewhere").exists()


@pytest.mark.parametrize("kind", ["folder", "link", "pipe"])
def test_a_results_file_of_a_study_that_cannot_be_written(kind, tmp_path, capsys):
    path = place(kind, tmp_path / "live.json")
    assert str(path) in refused(capsys, "study", "run", "live", "--results", tmp_path)


@pytest.mark.parametrize("verb", ["run", "check"])
def test_results_of_a_study_are_a_folder(verb, tmp_path, capsys):
    path = place("file", tmp_path / "live.json")
    said = refused(capsys, "study", verb, "live", "--results", path)
    assert f"--results {path}: this is a file; name the folder" in said


@pytest.mark.parametrize("kind", ["folder", "link", "pipe"])
@pytest.mark.parametrize("command", ["table", "table3", "cross"])
def test_pictures_beside_the_results(command, kind, tmp_path, capsys):
    picture = place(kind, tmp_path / "results.png")
    assert str(picture) in refused(capsys, command, "--results", tmp_path / "results.json")


@pytest.mark.parametrize(
    "command", [["table"], ["table3"], ["study", "run", "near-policy"], ["tour"]], ids=" ".join
)
def test_a_folder_that_is_a_file(command, tmp_path, capsys):
    path = place("file", tmp_path / "taken")
    option = "--report" if command == ["tour"] else "--checkpoints"
    results = [] if command == ["tour"] else ["--results", tmp_path / "results"]
    said = refused(capsys, *command, *results, option, path)
    assert f"{option} {path}: this is a file; name a folder" in said


@pytest.mark.parametrize("kind", ["folder", "pipe"])
@pytest.mark.parametrize("command", ["table", "table3", "map"])
def test_what_is_judged_is_a_file(command, kind, tmp_path, capsys):
    path = place(kind, tmp_path / "results.json")
    said = refused(capsys, command, "--check", "--results", path)
    assert f"{path}: this is a {kind}, not a file" in said
