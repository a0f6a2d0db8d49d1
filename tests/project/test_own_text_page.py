"""OWN_TEXT.md: its tables are those of today's code and results, and its commands are commands."""

from __future__ import annotations

import re
import shlex

import pytest
from own_text_tables import BLOCK, PAGE, for_text, with_tables

from seqkd_lab import cli

TEXT = PAGE.read_text(encoding="utf-8")
COMMANDS = [
    line.split("#")[0].strip()
    for block in re.findall(r"```\n(.*?)```", TEXT, re.DOTALL)
    for line in block.splitlines()
    if line.startswith("seqkd-lab ")
]


def test_its_tables_are_made_of_the_code_and_the_results():
    assert len(BLOCK.findall(TEXT)) == 2
    assert with_tables(TEXT) == TEXT, "run tools/own_text_tables.py"


def test_every_preset_of_text_is_in_it():
    assert all(f"`{name}`" in TEXT for name in for_text())


@pytest.mark.parametrize("command", COMMANDS)
def test_its_commands_can_be_typed(command, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "text").mkdir()
    for split in ("train", "valid", "test"):
        for side in ("source", "target"):
            (tmp_path / "text" / f"{split}.{side}").write_text("a\n")
    assert cli.parser().parse_args(shlex.split(command)[1:]).run


def test_the_pictures_and_pages_that_it_names_are_there():
    names = re.findall(r"\]\(([^)#:]+)\)", TEXT)
    assert names and all((PAGE.parent / name).exists() for name in names)
