"""Nothing in the package assumes that it lies in a checkout: only installation.py knows where it
is, and advice that only a checkout can follow is given there alone, or as the first argument of
`fitting`."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from seqkd_lab.installation import PACKAGE

ROOT = Path(__file__).resolve().parents[2]
TARGETS = re.search(r"^\.PHONY: (.*)$", (ROOT / "Makefile").read_text("utf-8"), re.MULTILINE)[1]
ONLY_IN_A_CHECKOUT = re.compile(
    rf"\bmake ({'|'.join(TARGETS.split())})\b|\bgit (checkout|clone|pull)\b|\.venv\b|"
    r"\b(OWN_TEXT|CONTRIBUTING|SECURITY)\.md|\bnotebooks/|\brequirements/|--editable|\btools/"
)
FREE = {PACKAGE / "installation.py"}


def assumptions(source: str) -> Iterator[str]:
    """Yield each place where a module's source asks where it lies, or names what only a checkout
    has."""
    tree = ast.parse(source)
    allowed = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Expr):  # a docstring, for those who develop
            allowed.add(node.value)
        if isinstance(node, ast.Call) and ast.unparse(node.func).split(".")[-1] == "fitting":
            allowed |= set(ast.walk(node.args[0]))
    for node in ast.walk(tree):
        if isinstance(node, ast.Name) and node.id == "__file__":
            yield f"line {node.lineno}: __file__"
        is_text = isinstance(node, ast.Constant) and isinstance(node.value, str)
        if is_text and node not in allowed and (found := ONLY_IN_A_CHECKOUT.search(node.value)):
            yield f"line {node.lineno}: {found[0]}"


@pytest.mark.parametrize(
    "source",
    [
        "HERE = Path(__file__).resolve().parents[3] / 'notebooks'",
        "raise ValueError('run `make tour` first')",
        "say(f'{name}: git checkout data/toy')",
        "say(fitting('pip', 'make lab'))",
        "HELP = 'see OWN_TEXT.md'",
    ],
)
def test_an_assumption_is_found(source):
    assert len(list(assumptions(source))) == 1


def test_what_is_fitting_is_none():
    assert not list(assumptions("'''make lab'''\nsay(fitting(f'make lab {x}', 'pip'), 'make up')"))


def test_no_module_assumes_a_checkout():
    found = {
        str(path.relative_to(PACKAGE)): list(assumptions(path.read_text("utf-8")))
        for path in PACKAGE.rglob("*.py")
        if path not in FREE
    }
    assert {path: places for path, places in found.items() if places} == {}
