"""The lines with which a lesson installs the lab: the same everywhere, from one address that names
one version, and harmless where the lab is installed."""

from __future__ import annotations

import ast
import re
import sys
from pathlib import Path

import install_lines
import lessons
import notebook_runs
import pytest
from packaging.requirements import Requirement

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib

ROOT = Path(__file__).resolve().parents[2]
ADDRESSES = (
    install_lines.LOCAL,
    "https://example.org/a/seqkd_lab-0.1.0-py3-none-any.whl#sha256=" + "0" * 64,
    "git+https://example.org/owner/repository@" + "a" * 40,
    "seqkd-lab==0.1.0",
)
REPLACED = {"filelock"}
"""What Colab has in a version that is too old for the lab: nothing is imported from it before."""


def first_code(path: Path) -> str:
    cells = notebook_runs.read(path).cells
    return next(cell.source for cell in cells if cell.cell_type == "code")


@pytest.mark.parametrize("path", notebook_runs.paths(), ids=lambda path: path.stem)
def test_every_lesson_begins_with_these_lines(path):
    assert first_code(path).startswith(install_lines.install_lines())
    assert "pip" not in install_lines.without_install(first_code(path))


@pytest.fixture
def address(tmp_path, monkeypatch):
    """The file of the address, as a copy."""
    copy = tmp_path / "install_from.txt"
    copy.write_bytes(install_lines.ADDRESS.read_bytes())
    monkeypatch.setattr(install_lines, "ADDRESS", copy)
    return copy


@pytest.mark.parametrize("new", ADDRESSES)
def test_another_address_reaches_the_lines_and_they_are_replaced_whole(address, new):
    before = install_lines.with_install("x = 1\n\ny = 2")
    install_lines.write_address(new)
    assert install_lines.read_address() == new
    after = install_lines.with_install(before)
    assert after == install_lines.with_install(after) and after.count(new) == 1
    assert install_lines.without_install(after) == "x = 1\n\ny = 2"
    assert address.read_text(encoding="utf-8").startswith("# What the first code cell")


@pytest.mark.parametrize(
    "wrong",
    [
        "seqkd-lab",
        "seqkd_lab",
        "seqkd-lab>=0.1",
        "http://example.org/seqkd_lab-0.1.0-py3-none-any.whl",
        "https://example.org/seqkd_lab-0.1.0-py3-none-any.whl",
        "git+https://example.org/owner/repository",
        "git+https://example.org/owner/repository@main",
        "./seqkd_lab-*.whl; rm -r ~",
        "seqkd-lab==0.1.0\n--index-url https://example.org",
        "",
    ],
)
def test_an_address_that_does_not_name_one_version_is_refused(address, capsys, wrong):
    before = address.read_bytes()
    with pytest.raises(SystemExit) as end:
        lessons.main(["--install-from", wrong])
    assert end.value.code == 2 and "names one version" in capsys.readouterr().err
    assert address.read_bytes() == before


def test_no_lesson_asks_an_index_for_a_name_that_is_not_taken_yet():
    assert install_lines.read_address() != "seqkd-lab"
    assert not install_lines.read_address().startswith("seqkd-lab==") or "[project.urls]" in (
        ROOT / "pyproject.toml"
    ).read_text(encoding="utf-8"), "publish the project before lessons install it by its name"


BARE_NAME = re.compile(r"pip install[^`\n]*seqkd[-_]lab(?!==|[\w.*-]*\.whl)", re.IGNORECASE)
PAGES = [path for path in ROOT.rglob("*.md") if not {".venv", "runs"} & set(path.parts)]
CODE = [path for folder in ("seqkd_lab", "tools") for path in (ROOT / folder).rglob("*.py")]


def test_nobody_is_told_to_install_a_name_that_is_not_taken_yet():
    texts = {path: path.read_text(encoding="utf-8") for path in [*PAGES, *CODE]}
    assert [str(path) for path, text in texts.items() if BARE_NAME.search(text)] == []
    for told in ("pip install 'seqkd-lab[lab]'", "%pip install seqkd_lab"):
        assert BARE_NAME.search(told)
    assert not BARE_NAME.search("pip install ./seqkd_lab-*.whl")


def test_what_advice_tells_to_install_are_the_ranges_of_the_project():
    project = (ROOT / "pyproject.toml").read_text(encoding="utf-8")
    advice = re.compile(r"'([a-z0-9_]+[<>=]=?\d[^']+)'")
    told = {each for path in CODE for each in advice.findall(path.read_text(encoding="utf-8"))}
    assert {name.partition(">")[0] for name in told} >= {"ctranslate2", "ipywidgets", "jupyterlab"}
    assert [each for each in told if f'"{each}"' not in project] == []


@pytest.mark.parametrize("new", ADDRESSES)
def test_the_lines_install_only_where_the_lab_is_missing(address, capsys, monkeypatch, new):
    install_lines.write_address(new)
    code = compile(ast.parse(install_lines.install_lines()), "<cell>", "exec")
    calls: list[tuple[str, str]] = []

    class Shell:
        def run_line_magic(self, *call):
            calls.append(call)

    names = {"get_ipython": Shell}
    exec(code, names)
    assert calls == [] and capsys.readouterr().out == ""
    monkeypatch.setitem(sys.modules, "seqkd_lab", None)
    exec(code, names)
    assert calls == [("pip", f"install --quiet {new}")]
    said = capsys.readouterr().out
    assert install_lines.SECONDS in said and "torch stays" in said


def test_what_colab_has_is_not_replaced():
    """pip leaves what is installed and within the range: torch above all, which may be imported
    already."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    ranges = {each.name: each.specifier for each in map(Requirement, project["dependencies"])}
    lines = Path(__file__).with_name("colab-versions.txt").read_text(encoding="utf-8").splitlines()
    there = dict(line.split("==") for line in lines if not line.startswith("#"))
    assert {"torch", "numpy", "scipy", "pandas", "matplotlib"} <= there.keys() & ranges.keys()
    replaced = {n for n, version in there.items() if n in ranges and version not in ranges[n]}
    assert replaced == REPLACED
