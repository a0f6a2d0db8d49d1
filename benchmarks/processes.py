"""One process beside several that share its work, as `torchrun` starts them.

python -m benchmarks.processes [--processes 2] [--rounds 3] [--results benchmarks/processes.json]

A training of the toy's teacher and a labelling of the toy corpus, each in a short and in a long
form: the difference of the two is free of the start, which takes seconds (torch, data, joining).
One process learns from whole batches; several divide each of them.
"""

from __future__ import annotations

import argparse
import os
import resource
import subprocess
import sys
import tempfile
import time
from datetime import date
from pathlib import Path
from statistics import median

from msgspec import Struct, to_builtins

from benchmarks.results import BENCHMARKS, machine
from seqkd_lab.files import write_json

TRAIN, LABEL = "train", "distil"
COMMANDS = {
    TRAIN: ("train", "--as-teacher", "--pairs", "8000", "--out", "model", "--epochs"),
    LABEL: ("distil", "--teacher", "teacher", "--out", "distilled.tsv", "--pairs"),
}
"""Each lacks its last number, which says how much there is to do."""
SHORT_AND_LONG = {TRAIN: (1, 4), LABEL: (2_560, 15_360)}


class Round(Struct):
    """What the work took between its short and its long form, in seconds, by the number of
    processes (as text, as JSON wants it)."""

    work: str
    wall_s: dict[str, float]
    cpu_s: dict[str, float]


class Measured(Struct):
    """The content of the file of results."""

    date: str
    machine: dict[str, str | float]
    rounds: list[Round]


def seconds(work: str, amount: int, n_processes: int) -> tuple[float, float]:
    """Return wall and CPU seconds of one command, in a folder of its own. Raise SystemExit where it
    fails."""
    launcher = ["-m", "torch.distributed.run", "--standalone", "--nproc-per-node", str(n_processes)]
    command = [*(launcher if n_processes > 1 else []), "-m", "seqkd_lab", *COMMANDS[work]]
    environment = os.environ | {"PYTHONPATH": str(BENCHMARKS.parent), "OMP_NUM_THREADS": "1"}
    with tempfile.TemporaryDirectory() as folder:
        began, before = time.monotonic(), resource.getrusage(resource.RUSAGE_CHILDREN)
        ended = subprocess.run(
            [sys.executable, *command, str(amount)],
            cwd=folder, env=environment, capture_output=True, text=True,
        )  # fmt: skip
        after = resource.getrusage(resource.RUSAGE_CHILDREN)
    if ended.returncode:
        raise SystemExit(f"{' '.join(command)} failed:\n{ended.stderr[-2000:]}")
    cpu = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    return time.monotonic() - began, cpu


def measure(work: str, several: int) -> Round:
    """Return one round: one process and several, in turn."""
    wall, cpu = {}, {}
    for n in (1, several):
        short, long = (seconds(work, amount, n) for amount in SHORT_AND_LONG[work])
        wall[str(n)], cpu[str(n)] = long[0] - short[0], long[1] - short[1]
    return Round(work, wall, cpu)


def table(rounds: list[Round]) -> str:
    """Return the table of medians."""
    rows = [
        "| work | processes | wall s | CPU s | times faster |",
        "| --- | --- | --- | --- | --- |",
    ]
    for work in dict.fromkeys(each.work for each in rounds):
        own = [each for each in rounds if each.work == work]
        for n in own[0].wall_s:
            faster = median(each.wall_s["1"] / each.wall_s[n] for each in own)
            wall, cpu = (median(getattr(r, name)[n] for r in own) for name in ("wall_s", "cpu_s"))
            rows.append(f"| {work} | {n} | {wall:.1f} | {cpu:.1f} | {faster:.2f} |")
    return "\n".join(rows)


def main() -> None:
    """Measure, print the table, and keep the rounds."""
    options = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    options.add_argument("--processes", type=int, default=2)
    options.add_argument("--rounds", type=int, default=3)
    options.add_argument("--results", type=Path, default=BENCHMARKS / "processes.json")
    arguments = options.parse_args()
    if arguments.processes < 2 or arguments.rounds < 1:
        raise SystemExit("--processes must be at least 2 and --rounds at least 1")
    rounds: list[Round] = []
    for _ in range(arguments.rounds):
        rounds += [measure(work, arguments.processes) for work in COMMANDS]
        measured = Measured(date.today().isoformat(), machine(), rounds)
        write_json(arguments.results, to_builtins(measured))
    print(table(rounds))


if __name__ == "__main__":
    main()
