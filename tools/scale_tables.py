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
from textwrap import fill

import msgspec

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))  # benchmarks/ is run from the checkout, never installed

from benchmarks import processes as shared  # noqa: E402
from benchmarks import streams as mapped  # noqa: E402
from benchmarks.results import number  # noqa: E402
from seqkd_lab.cli import main  # noqa: E402
from seqkd_lab.planning.rates import read_rates  # noqa: E402

PAGE = ROOT / "SCALE.md"
BLOCK = re.compile(r"(<!-- (\w+): made by tools/scale_tables.py -->\n).*?(<!-- end -->)", re.DOTALL)
PLAN = ("plan", "--pairs", "4000000", "--teacher", "4x1000", "--gpus", "8")


def printed() -> str:
    """Return the plan of the paper's distillation, from the rates of the CPU that was measured."""
    with contextlib.chdir(ROOT), contextlib.redirect_stdout(io.StringIO()) as said:
        main([*PLAN, "--rates", "benchmarks/device.json"])
    return said.getvalue()


def plan() -> str:
    """Return its table."""
    return fenced(printed().partition("\n\nArithmetic")[0])


def reported() -> str:
    """Return what others reported, beside it."""
    _, _, rest = printed().partition("What others reported\n")
    return fenced(rest.partition("\n\n")[0])


def fenced(text: str) -> str:
    """Return printed text as a block of code, in lines as long as the page's."""
    lines = (fill(line, 118, subsequent_indent=" " * 6) for line in text.splitlines())
    return "```\n" + "\n".join(lines) + "\n```\n"


def rates() -> str:
    """Return the target tokens a second of each model that was measured."""
    measured = read_rates(ROOT / "benchmarks" / "device.json").rates
    jobs = list(dict.fromkeys(rate.beam for rate in measured))
    rows: dict[str, dict[int, str]] = {}
    for rate in measured:
        own = rows.setdefault(f"{rate.size} {rate.model.name}", {})
        own[rate.beam] = number(rate.tokens_per_s)
    names = {0: "training", 1: "greedy"}
    head = ["model", *(names.get(beam, f"beam {beam}") for beam in jobs)]
    body = [[name, *(own.get(beam, "") for beam in jobs)] for name, own in rows.items()]
    return "".join(f"| {' | '.join(row)} |\n" for row in [head, ["---"] * len(head), *body])


def processes() -> str:
    """Return what two processes gain on the machine that was measured."""
    content = json.loads((ROOT / "benchmarks" / "processes.json").read_text(encoding="utf-8"))
    rounds = msgspec.convert(content, shared.Measured).rounds
    return f"{shared.table(rounds)}\n"


def streams() -> str:
    """Return what a corpus of a million pairs takes, and one of ten."""
    return f"{mapped.report(mapped.RESULTS)}\n"


MADE: dict[str, Callable[[], str]] = {
    each.__name__: each for each in (plan, reported, rates, processes, streams)
}


def with_tables(page: str) -> str:
    """Return the page with each block made anew."""
    return BLOCK.sub(lambda block: f"{block[1]}{MADE[block[2]]()}{block[3]}", page)


if __name__ == "__main__":
    PAGE.write_text(with_tables(PAGE.read_text(encoding="utf-8")), encoding="utf-8", newline="\n")
