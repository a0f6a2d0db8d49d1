"""Writes the tables of SCALE.md from benchmarks/device.json, processes.json and streams.json.

`python tools/scale_tables.py` writes them; a test compares what stands there with what this makes.
"""

from __future__ import annotations

import contextlib
import io
import json
import re
import sys
from collections.abc import Callable
from pathlib import Path

import msgspec

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))  # benchmarks/ is run from the checkout, never installed

from benchmarks import processes as shared  # noqa: E402
from benchmarks import streams as mapped  # noqa: E402
from seqkd_lab.cli import main  # noqa: E402

PAGE = ROOT / "SCALE.md"
BLOCK = re.compile(r"(<!-- (\w+): made by tools/scale_tables.py -->\n).*?(<!-- end -->)", re.DOTALL)
PLAN = ("plan", "--pairs", "4000000", "--teacher", "4x1000", "--gpus", "8")


def plan() -> str:
    """Return the table of the paper's distillation, from the rates of the CPU that was measured."""
    with contextlib.chdir(ROOT), contextlib.redirect_stdout(io.StringIO()) as printed:
        main([*PLAN, "--rates", "benchmarks/device.json"])
    table = printed.getvalue().partition("\n\nArithmetic")[0]
    return f"```\n{table}\n```\n"


def processes() -> str:
    """Return what two processes gain on the machine that was measured."""
    content = json.loads((ROOT / "benchmarks" / "processes.json").read_text(encoding="utf-8"))
    rounds = msgspec.convert(content, shared.Measured).rounds
    return f"{shared.table(rounds)}\n"


def streams() -> str:
    """Return what a corpus of a million pairs takes, and one of ten."""
    return mapped.report()


MADE: dict[str, Callable[[], str]] = {each.__name__: each for each in (plan, processes, streams)}


def with_tables(page: str) -> str:
    """Return the page with each block made anew."""
    return BLOCK.sub(lambda block: f"{block[1]}{MADE[block[2]]()}{block[3]}", page)


if __name__ == "__main__":
    PAGE.write_text(with_tables(PAGE.read_text(encoding="utf-8")), encoding="utf-8", newline="\n")
