"""Measures a class on a JupyterHub on this machine, on loopback: what N learners take who run a
lesson at the same moment.

python -m benchmarks.class_server --lessons 03 06 --modes fast full --learners 1 2 4
python -m benchmarks.class_server --lessons 03+06 --modes full --learners 8 --browser

It starts a hub, a server and a kernel for each learner, runs the lesson through the kernels'
websockets as a browser does (with --browser the first learner has a real one), moves a slider of
each lesson, prints the tables of CLASS.md, and stops everything. SEQKD_LAB_SHARED names a store
that learners read. It needs, beside the lab and JupyterLab (requirements/lab.txt), two things that
no lock of the lab has, and playwright and chromium for --browser:

  pip install jupyterhub                       in the same environment (measured with 6.1.1)
  npm install --global configurable-http-proxy or --proxy PATH/TO/configurable-http-proxy

Wall times mean something on a machine that does nothing else; CPU seconds and memory do anyway.
"""

from __future__ import annotations

import argparse
import importlib.metadata
import importlib.util
import os
import shutil
import signal
import sys
import tempfile
from collections.abc import Iterator
from datetime import date
from itertools import product
from pathlib import Path

from benchmarks.class_server import report, results, shared_store
from benchmarks.class_server.hub import Hub, HubError
from benchmarks.class_server.lessons import FAST, FULL, MODES, lessons_of
from benchmarks.class_server.measuring import Plan, measure
from benchmarks.class_server.results import Measured, Round
from benchmarks.results import machine


def plans(arguments: argparse.Namespace) -> list[Plan]:
    """Return the round of each lesson (or lessons, as 03+06), mode and size of the class. Raise
    SystemExit for a lesson that is not there."""
    every = product(arguments.lessons, arguments.modes, arguments.learners)
    return [
        Plan(lessons_of(lesson), mode, n, arguments.browser, arguments.seconds)
        for lesson, mode, n in every
    ]


def all_rounds(hub: Hub, planned: list[Plan]) -> Iterator[Round]:
    """Yield the rounds, one after the other."""
    for plan in planned:
        print(f"{plan} ...", file=sys.stderr, flush=True)
        yield measure(hub, plan)


def with_rounds(path: Path, rounds: list[Round]) -> Measured:
    """Return what the file holds, with these rounds in the place of earlier ones of their kind."""
    earlier = results.read(path).rounds if path.exists() else []
    kept = {each.key: each for each in [*earlier, *rounds]}
    packages = ("jupyterhub", "jupyterlab", "torch", "ipykernel")
    versions = {name: importlib.metadata.version(name) for name in packages}
    return Measured(date.today().isoformat(), machine(), versions, list(kept.values()))


def proxy_command(given: str) -> list[str]:
    """Return the command of the proxy. Raise SystemExit where it, or JupyterHub, is missing."""
    if importlib.util.find_spec("jupyterhub") is None:
        raise SystemExit("JupyterHub is missing here: pip install jupyterhub (its own environment)")
    found = shutil.which(given)
    if found is None:
        raise SystemExit(
            f"--proxy {given}: no such program; npm install --global configurable-http-proxy"
        )
    return [str(Path(found).absolute())]


def handed_on_to_learners() -> dict[str, str]:
    """Return the environment of all servers: the store that a teacher filled, where there is one.
    Raise SystemExit where learners could write to it."""
    shared = os.environ.get(shared_store.SHARED)
    if not shared:
        return {}
    try:
        shared_store.require_read_only(Path(shared))
    except HubError as error:
        raise SystemExit(str(error)) from error
    return {shared_store.SHARED: str(Path(shared).absolute())}


def options() -> argparse.ArgumentParser:
    """Return the parser of the command line."""
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.class_server", description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )  # fmt: skip
    parser.add_argument(
        "--lessons",
        nargs="+",
        default=["03", "06"],
        help="two digits each; 03+06: each learner runs both, and half of them begin with each",
    )
    parser.add_argument("--modes", nargs="+", default=[FAST, FULL], choices=MODES)
    parser.add_argument("--learners", nargs="+", type=int, default=[1, 2, 4])
    parser.add_argument(
        "--browser", action="store_true", help="the first learner has a real browser (playwright)"
    )
    parser.add_argument("--seconds", type=float, default=2400, help="the most a round may take")
    parser.add_argument("--proxy", default="configurable-http-proxy", metavar="PROGRAM")
    parser.add_argument(
        "--results", type=Path, default=results.DEFAULT, help="where rounds are kept"
    )
    parser.add_argument("--report", action="store_true", help="print the results, measure nothing")
    return parser


def main() -> int:
    """Return 0 when all was measured, 1 when a round failed; earlier rounds are kept then."""
    arguments = options().parse_args()
    if arguments.report:
        print(report.report(results.read(arguments.results)))
        return 0
    if min(arguments.learners) < 1:
        raise SystemExit(f"--learners {min(arguments.learners)}: a class has 1 learner or more")
    proxy = proxy_command(arguments.proxy)
    planned = plans(arguments)
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))  # so that no hub is left behind
    with tempfile.TemporaryDirectory() as folder:
        hub = Hub(Path(folder), proxy, handed_on_to_learners())
        try:
            with hub:
                for round_ in all_rounds(hub, planned):
                    results.write(arguments.results, with_rounds(arguments.results, [round_]))
        except HubError as error:
            print(f"{error}; the hub's last lines:\n{hub.last_lines()}", file=sys.stderr)
            return 1
    print(report.report(results.read(arguments.results)))
    return 0


if __name__ == "__main__":
    sys.exit(main())
