"""Runs every notebook as a person does, and prints its seconds and peak memory beside the budgets.

python tools/run_notebooks.py              all of them, in full
python tools/run_notebooks.py 00 01        these
python tools/run_notebooks.py --strip      runs nothing: takes outputs and widget state out of the
stored files
"""

from __future__ import annotations

import argparse
import re
import sys
from collections.abc import Sequence

import notebook_runs
from nbformat import NotebookNode

BUDGET_SECONDS, BUDGET_MIB = 120, 1024
"""On two cores, and with one kernel: what Binder's smallest machine bears."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Exit code 1 when a notebook fails, shows an unexpected value, or exceeds a budget."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("numbers", nargs="*", help="the lessons to run, such as 00 (default: all)")
    parser.add_argument("--fast", action="store_true", help="as the tests do: less of everything")
    parser.add_argument(
        "--strip", action="store_true", help="only take out what is not to be stored"
    )
    given = parser.parse_args(arguments)
    chosen = [
        path
        for path in notebook_runs.paths()
        if not given.numbers or path.name[:2] in given.numbers
    ]
    if not chosen:
        parser.error(
            f"no notebook is called so; there are {[path.name for path in notebook_runs.paths()]}"
        )
    if given.strip:
        for path in chosen:
            notebook_runs.write(notebook_runs.stripped(notebook_runs.read(path)), path)
        return 0
    print(
        f"{'notebook':32}{'seconds':>9}{'card':>6}{'budget':>8}{'MiB':>7}{'budget':>8}", flush=True
    )
    return max(run_one(path, given.fast) for path in chosen)


def run_one(path, fast: bool) -> int:
    """Runs one notebook, prints its line and what is wrong; returns 1 if anything is."""
    notebook = notebook_runs.read(path)
    done = notebook_runs.run(notebook, fast=fast)
    print(
        f"{path.name:32}{done.seconds:9.1f}{seconds_on_card(notebook):>6}{BUDGET_SECONDS:8}{done.peak_mib:7.0f}{BUDGET_MIB:8}",
        flush=True,
    )
    problems = list(done.errors)
    if not fast:  # a range is computed for a whole run
        problems += re.findall(r"You should see.*OUTSIDE.*", notebook_runs.printed(done.notebook))
    if done.seconds > BUDGET_SECONDS or not done.peak_mib <= BUDGET_MIB:
        problems.append("over its budget")
    for problem in problems:
        print(f"    {problem}", file=sys.stderr)
    return 1 if problems else 0


def seconds_on_card(notebook: NotebookNode) -> str:
    """What the card promises, "?" where it says nothing."""
    promised = re.search(r"\*\*Seconds to run\*\*[^|]*\|\s*(\d+)", notebook.cells[0].source)
    return promised[1] if promised else "?"


if __name__ == "__main__":
    sys.exit(main())
