"""One round: a class that runs one lesson at the same moment, and what that takes."""

from __future__ import annotations

import asyncio
import os
import shutil
import time
from contextlib import suppress
from pathlib import Path

import nbformat
from nbformat import NotebookNode

from benchmarks.class_server import processes
from benchmarks.class_server.hub import Hub, HubError
from benchmarks.class_server.learner import FOLDER, Learner
from benchmarks.class_server.results import Round

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
    """Let all learners run a lesson at once; return the highest memory of their kernels."""
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
