"""The documents for those who carry on say what is there: commands that parse, every committed
artefact, the version."""

from __future__ import annotations

import re
import shlex
from itertools import product
from pathlib import Path

import pytest

from seqkd_lab.cli import parser
from seqkd_lab.studies import study

ROOT = Path(__file__).resolve().parents[2]
README = (ROOT / "README.md").read_text(encoding="utf-8")
CONTRIBUTING = (ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8")
PAGES = (
    "README.md",
    "CONTRIBUTING.md",
    "OWN_TEXT.md",
    "CLASS.md",
    "SCALE.md",
    "notebooks/instructors.md",
)
TORCHRUN = re.compile(r"torchrun .*-m seqkd_lab ")


def commands_of(page: str) -> list[str]:
    """Return the `seqkd-lab` commands of a page, those in code and those in backticks; those that
    torchrun starts, too."""
    text = (ROOT / page).read_text(encoding="utf-8")
    blocks = "\n".join(re.findall(r"^```(?:bash)?\n(.*?)^```", text, re.MULTILINE | re.DOTALL))
    blocks = TORCHRUN.sub("seqkd-lab ", blocks.replace("\\\n", " "))
    lines = [re.split(r"  +|\s#", line.strip())[0] for line in blocks.splitlines()]
    quoted = [" ".join(part.split()) for part in re.findall(r"`(seqkd-lab [^`]+)`", text)]
    return [line for line in [*lines, *quoted] if line.startswith("seqkd-lab ")]


def arguments_of(command: str) -> list[str]:
    """Return the arguments of a command, with a name where the page has a placeholder."""
    arguments = shlex.split(command)[1:]
    placeholders = {"NAME": "budget", "COMMAND": "tour", "…": ""}
    return [placeholders.get(argument, argument) for argument in arguments if argument != "…"]


@pytest.mark.parametrize(
    ("page", "command"), [(page, command) for page in PAGES for command in commands_of(page)]
)
def test_every_command_parses(page, command, tmp_path, monkeypatch):
    (tmp_path / "text").mkdir()
    for split, side in product(("train", "valid", "test"), ("source", "target")):
        (tmp_path / "text" / f"{split}.{side}").write_text("a word\n")
    monkeypatch.chdir(tmp_path)
    arguments = arguments_of(command)
    if arguments in (["budget"], []) or "--help" in arguments:
        return
    if len(arguments) == 1:  # a command that is only named
        arguments += ["--help"]
    try:
        parser().parse_args(arguments)
    except SystemExit as end:
        assert end.code == 0, f"{page}: {command}"


def test_every_committed_artefact_has_a_command_that_makes_it_again():
    results = {path.name for path in (ROOT / "data" / "results").glob("*.json")}
    folders = {path.name for path in (ROOT / "data" / "checkpoints").iterdir()}
    table = CONTRIBUTING.partition("## Make a committed artefact again")[2].partition("\n## ")[0]
    assert [
        name for name in sorted(results) if f"`{name}`" not in table and f"{name}`" not in table
    ] == []
    named = set(re.findall(r"data/checkpoints/([a-z+-]+)", table))
    rows = {
        name
        for name in folders
        if "+" in name or name in ("teacher", "baseline", "word-kd", "seq-kd")
    }
    assert folders - rows <= named


def test_studies_that_are_named_are_there():
    named = re.findall(r"seqkd-lab study (?:run|check) ([a-z0-9-]+)", README + CONTRIBUTING)
    assert named
    assert all(study(name).question for name in named)


def test_the_glossary_is_short():
    rows = CONTRIBUTING.partition("| word | meaning |")[2].partition("\n\n")[0].splitlines()
    words = [row for row in rows if row.startswith("| ") and not row.startswith("|---")]
    assert 5 <= len(words) <= 40


def test_the_citation_has_the_version_of_the_package():
    project = (ROOT / "pyproject.toml").read_text(encoding="utf-8")
    version = re.search(r'^version = "(.+)"$', project, re.MULTILINE)[1]
    citation = (ROOT / "CITATION.cff").read_text(encoding="utf-8")
    assert f"\nversion: {version}\n" in citation
    assert "1606.07947" in citation
    assert "## Unreleased" in (ROOT / "CHANGELOG.md").read_text(encoding="utf-8")
