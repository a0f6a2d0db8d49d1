"""Measures a class on a JupyterHub on this machine, on loopback: what N learners take who run a
lesson at the same moment.

python -m benchmarks.class_server --lessons 03 06 --modes fast full --learners 1 2 4

It starts a hub, a server and a kernel for each learner, runs the lesson through the kernels'
websockets as a browser does, prints the tables of CLASS.md, and stops everything. It needs, beside
the lab and JupyterLab (requirements/lab.txt), two things that no lock of the lab has:

  pip install jupyterhub                       in the same environment (measured with 6.1.1)
  npm install --global configurable-http-proxy or --proxy PATH/TO/configurable-http-proxy

Wall times mean something on a machine that does nothing else; CPU seconds and memory do anyway.
"""

from __future__ import annotations

import argparse
import asyncio
import importlib.metadata
import importlib.util
import os
import shutil
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import suppress
from datetime import date
from itertools import product
from pathlib import Path

import nbformat
from nbformat import NotebookNode

from benchmarks.class_server import processes, report, results
from benchmarks.class_server.hub import Hub, HubError
from benchmarks.class_server.learner import FOLDER, Learner
from benchmarks.class_server.results import Measured, Round
from benchmarks.results import machine

NOTEBOOKS = Path(__file__).resolve().parents[2] / "notebooks"
FAST, FULL, TRAINED = "fast", "full", "trained"
FAST_CELL = 'import os\nos.environ["SEQKD_LAB_FAST"] = "1"'
SWITCH = "FROM_NOTHING = "


def lesson_path(number: str) -> Path:
    """Return the notebook of a lesson. Raise SystemExit where there is none."""
    found = sorted(NOTEBOOKS.glob(f"{number}_*.ipynb"))
    if len(number) != 2 or not found:
        raise SystemExit(f"--lessons {number}: no such lesson; give two digits, as 03")
    return found[0]


def in_mode(notebook: NotebookNode, mode: str) -> NotebookNode:
    """Return the notebook for a mode: fast does less of everything, full is what learners get, and
    trained is fast with the lesson's switch on, so that models are trained rather than read."""
    if mode != FULL:
        notebook.cells.insert(0, nbformat.v4.new_code_cell(FAST_CELL))
    for cell in notebook.cells:
        if mode == TRAINED and cell.cell_type == "code":
            cell.source = cell.source.replace(f"{SWITCH}False", f"{SWITCH}True")
    return notebook


async def run_lesson(hub: Hub, learners: list[Learner], path: Path, mode: str) -> processes.Peak:
    """Let all learners run a lesson at the same moment; return the highest memory of the kernels."""
    peak = processes.Peak()
    watching = asyncio.create_task(peak.watch(hub.process.pid))
    lessons = [
        learner.run(in_mode(nbformat.read(path, as_version=4), mode), path.name)
        for learner in learners
    ]
    try:
        await asyncio.gather(*lessons)
    finally:
        watching.cancel()
        with suppress(asyncio.CancelledError):
            await watching
    peak.look(processes.below(hub.process.pid).kernels)
    return peak


def measure(hub: Hub, lesson: str, mode: str, n: int, seconds: float) -> Round:
    """Return what a class of `n` takes for a lesson. Raise HubError where a cell failed, or where
    the class is not done within `seconds`."""
    learners = [Learner(hub, f"learner-{i + 1}") for i in range(n)]
    names = [learner.name for learner in learners]
    began = time.monotonic()
    hub.start_servers(names)
    spawned = time.monotonic()
    for learner in learners:
        ignored = shutil.ignore_patterns(".ipynb_checkpoints")
        shutil.copytree(NOTEBOOKS, learner.home / FOLDER, ignore=ignored)
    work = run_lesson(hub, learners, lesson_path(lesson), mode)
    started = time.monotonic()
    try:
        peak = asyncio.run(asyncio.wait_for(work, seconds))
    except asyncio.TimeoutError:
        raise HubError(
            f"lesson {lesson}: not done after {seconds:.0f} s; raise --seconds"
        ) from None
    ended = time.monotonic()
    if wrong := [f"{learner.name}, {error}" for learner in learners for error in learner.errors]:
        raise HubError(f"lesson {lesson}, {mode}: {'; '.join(wrong[:3])}")
    round_ = summed_up(hub, learners, peak, (lesson, mode, spawned - began, ended - started))
    hub.remove(names)
    shutil.rmtree(hub.folder / "homes")
    return round_


def summed_up(
    hub: Hub, learners: list[Learner], peak: processes.Peak, said: tuple[str, str, float, float]
) -> Round:
    """Return the round of a class whose kernels are still there."""
    lesson, mode, spawn_s, wall_s = said
    n, running = len(learners), processes.below(hub.process.pid)
    return Round(
        lesson=lesson, mode=mode, learners=n, spawn_s=round(spawn_s, 1), wall_s=round(wall_s, 1),
        kernel_cpu_s=round(sum(map(processes.cpu_seconds, running.kernels)) / n, 2),
        kernel_pss_mib=round(peak.pss_mib / n, 1),
        kernel_rss_mib=round(peak.rss_mib, 1),
        server_pss_mib=round(processes.pss_mib(running.servers) / n, 1),
        hub_pss_mib=round(processes.pss_mib(running.hub), 1),
        home_mib=round(sum(processes.disk_mib(each.home) for each in learners) / n, 2),
        cache_mib=round(sum(processes.disk_mib(each.home / ".cache") for each in learners) / n, 2),
        shared_store="SEQKD_LAB_SHARED" in os.environ,
    )  # fmt: skip


def all_rounds(hub: Hub, arguments: argparse.Namespace) -> Iterator[Round]:
    """Yield the round of each lesson, mode and size of the class."""
    for lesson, mode, n in product(arguments.lessons, arguments.modes, arguments.learners):
        print(f"lesson {lesson}, {mode}, {n} learners ...", file=sys.stderr, flush=True)
        yield measure(hub, lesson, mode, n, arguments.seconds)


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


def options() -> argparse.ArgumentParser:
    """Return the parser of the command line."""
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.class_server", description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )  # fmt: skip
    parser.add_argument("--lessons", nargs="+", default=["03", "06"], help="two digits each")
    parser.add_argument("--modes", nargs="+", default=[FAST, FULL], choices=(FAST, FULL, TRAINED))
    parser.add_argument("--learners", nargs="+", type=int, default=[1, 2, 4])
    parser.add_argument("--seconds", type=float, default=900, help="the most that a round may take")
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
    proxy = proxy_command(arguments.proxy)
    for lesson in arguments.lessons:
        lesson_path(lesson)
    shared = os.environ.get("SEQKD_LAB_SHARED")
    handed_on = {"SEQKD_LAB_SHARED": str(Path(shared).absolute())} if shared else {}
    with tempfile.TemporaryDirectory() as folder:
        hub = Hub(Path(folder), proxy, handed_on)
        try:
            with hub:
                for round_ in all_rounds(hub, arguments):
                    results.write(arguments.results, with_rounds(arguments.results, [round_]))
        except HubError as error:
            print(f"{error}; the hub's last lines:\n{hub.last_lines()}", file=sys.stderr)
            return 1
    print(report.report(results.read(arguments.results)))
    return 0


if __name__ == "__main__":
    sys.exit(main())
