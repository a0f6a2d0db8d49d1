"""Text files are the same on every system: what opens one as text says that it is UTF-8, and what
writes one says that LF ends a line."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
SOURCES = [
    ROOT / "setup.py",
    *(path for folder in ("seqkd_lab", "tools") for path in (ROOT / folder).rglob("*.py")),
]
"""Benchmarks are measured on Linux."""
PROGRAMS = {"run", "Popen", "check_output"}
BYTES = {("zipfile", "open"), ("members", "open"), ("os", "open"), ("gzip", "open")}


def unsaid(source: str) -> Iterator[str]:
    """Yield each call in a module's source that leaves encoding or ends of lines to the system."""
    for node in ast.walk(ast.parse(source)):
        if not isinstance(node, ast.Call):
            continue
        called = ast.unparse(node.func)
        owner, _, name = called.rpartition(".")
        said = {keyword.arg: keyword.value for keyword in node.keywords}
        if name in ("read_text", "write_text"):
            wanted = {"encoding"} | ({"newline"} if name == "write_text" else set())
            positional = {"encoding"} if name == "read_text" and node.args else set()
        elif (name in ("open", "fdopen") and (owner, name) not in BYTES) or name == "TextIOWrapper":
            wanted, positional = wanted_of_open(node, owner, said), set()
        elif name in PROGRAMS and ({"text", "universal_newlines"} & said.keys()):
            wanted, positional = {"encoding"}, set()
        else:
            continue
        if missing := wanted - positional - said.keys():
            yield f"line {node.lineno}: {called} without {' and '.join(sorted(missing))}"


def wanted_of_open(node: ast.Call, owner: str, said: dict) -> set[str]:
    """Return what a call of open must say: nothing for bytes, and for what opens no file."""
    place = 0 if owner and owner not in ("io", "os") else 1
    mode = said.get("mode", node.args[place] if len(node.args) > place else None)
    if owner and mode is not None and not isinstance(mode, ast.Constant):  # an opener of addresses
        return set()
    text = mode.value if isinstance(mode, ast.Constant) else "r"
    if not isinstance(text, str) or "b" in text:
        return set()
    return {"encoding"} if set(text) <= {"r", "t"} else {"encoding", "newline"}


@pytest.mark.parametrize(
    ("source", "n_found"),
    [
        ("path.read_text()", 1),
        ("path.read_text('utf-8')", 0),
        ("path.write_text(x, encoding='utf-8')", 1),
        ("path.write_text(x, encoding='utf-8', newline='\\n')", 0),
        ("open(path)", 1),
        ("open(path, 'rb')", 0),
        ("path.open('wb')", 0),
        ("path.open('w', encoding='utf-8')", 1),
        ("path.open()", 1),
        ("subprocess.run(x, text=True)", 1),
        ("subprocess.run(x, text=True, encoding='utf-8')", 0),
    ],
)
def test_what_is_left_to_the_system_is_found(source, n_found):
    assert len(list(unsaid(source))) == n_found


def test_nothing_is_left_to_the_system():
    found = {
        str(path.relative_to(ROOT)): list(unsaid(path.read_text(encoding="utf-8")))
        for path in SOURCES
    }
    assert {path: calls for path, calls in found.items() if calls} == {}
