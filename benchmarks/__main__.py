"""python -m benchmarks: measures the lab and its peers, prints the tables, keeps results.json up to
date."""

from __future__ import annotations

import argparse
import sys
import time
from dataclasses import replace
from pathlib import Path

import torch

from benchmarks import ceiling, compiled, drafted, levers, report, workloads
from benchmarks import results as store
from benchmarks.runner import QUICK, Plan, Runner, check, environment_variables, run
from benchmarks.tool import SIZES, TOOLS
from seqkd_lab.files import FileError
from seqkd_lab.runs.study import judging

PARTS = ("ceiling", "levers", "train", "decode", "distil", "scaling", "neighbour", "import")
OPTIONAL = ("tour", "sliders", "compiled", "drafted")


def parser() -> argparse.ArgumentParser:
    """The options, as --help explains them."""
    made = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    made.add_argument(
        "--only",
        nargs="+",
        choices=PARTS + OPTIONAL,
        metavar="PART",
        help=f"what to measure (default: {' '.join(PARTS)}; also: {' '.join(OPTIONAL)})",
    )
    made.add_argument(
        "--sizes", nargs="+", default=list(SIZES), metavar="SIZE", help=f"of {' '.join(SIZES)}"
    )
    made.add_argument(
        "--tools", nargs="+", default=list(TOOLS), metavar="TOOL", help=f"of {' '.join(TOOLS)}"
    )
    made.add_argument("--rounds", type=int, help="of everything interleaved (default: 3)")
    made.add_argument(
        "--quick", action="store_true", help="one round of very little: does it work?"
    )
    made.add_argument(
        "--prepare",
        action="store_true",
        help="first train the weights that decoding needs, where they are missing",
    )
    made.add_argument(
        "--again", action="store_true", help="with --prepare: also where they are there"
    )
    made.add_argument(
        "--continue",
        dest="go_on",
        action="store_true",
        help="measure only the rounds that are missing",
    )
    made.add_argument(
        "--report", action="store_true", help="measure nothing; print the tables of the results"
    )
    made.add_argument(
        "--results",
        type=Path,
        default=store.DEFAULT,
        metavar="FILE",
        help="default: benchmarks/results.json, with --quick benchmarks/.work/quick.json",
    )
    return made


def measure_ceiling(runner: Runner) -> None:
    """The machine's rates, before everything that is compared with them."""
    runner.forget(["ceiling"])
    for _ in range(runner.plan.rounds):
        runner.keep("ceiling", ceiling.measure(threads=1))


def measure_levers(runner: Runner) -> None:
    """The way before and the way after of each lever, in this process."""
    torch.set_num_threads(1)
    runner.forget([f"levers/{lever.name}" for lever in levers.LEVERS])
    for lever in levers.LEVERS:
        runner.keep(f"levers/{lever.name}", levers.measure(lever))


def workload(runner: Runner, name: str, job: str, options: dict, threads: int = 1) -> None:
    """One workload of the lab alone, in a process of its own."""
    variables = environment_variables(OMP_NUM_THREADS=str(threads), MKL_NUM_THREADS=str(threads))
    runner.keep(name, run(workloads.command(job, options), variables), threads)


def measure_distil(runner: Runner, sizes: list[str]) -> None:
    n = runner.plan.train_pairs
    runner.forget([f"distil/{size}" for size in sizes])
    for _ in range(runner.plan.rounds):
        for size in sizes:
            options = {"size": size, "n_mode": n, "n_inter": n // 8, "plan": runner.plan.name}
            workload(runner, f"distil/{size}", "distil", options)


def measure_scaling(runner: Runner, quick: bool) -> None:
    for n in workloads.SCALES:
        runner.forget([f"scaling/{n}"])
        workload(runner, f"scaling/{n}", "scale", {"n_pairs": n // 32 if quick else n})


def measure_neighbour(runner: Runner) -> None:
    cases = [(threads, busy) for threads in (1, 2) for busy in (0, 1)]
    runner.forget([f"neighbour/{threads}/{busy}" for threads, busy in cases])
    for _ in range(runner.plan.rounds):
        for threads, busy in cases:
            options = {"threads": threads, "busy": busy, "n_pairs": runner.plan.train_pairs}
            workload(runner, f"neighbour/{threads}/{busy}", "neighbour", options, threads)


def measure_sliders(runner: Runner) -> None:
    """One notebook after the other, each in a browser and a server of its own."""
    runner.forget([f"sliders/{name}" for name in report.WITH_SLIDERS])
    for name in report.WITH_SLIDERS:
        runner.keep(
            f"sliders/{name}",
            run([sys.executable, "-m", "benchmarks.sliders", name], environment_variables()),
        )


def measure_compiled(runner: Runner) -> None:
    """Each model and job in a process of its own: what is compiled in one stays out of the next."""
    for name in compiled.MODELS:
        for job in compiled.JOBS:
            runner.forget([f"compiled/{name}/{job}"])
            workload(runner, f"compiled/{name}/{job}", "compiled", {"model": name, "job": job})


def measure_drafted(runner: Runner) -> None:
    """All teachers in turn, in each of the rounds; what they are made of learns in the first."""
    runner.forget([f"drafted/{name}" for name in drafted.SIZES])
    for _ in range(runner.plan.rounds):
        for name in drafted.SIZES:
            options = {"teacher": name, "plan": runner.plan.name}
            workload(runner, f"drafted/{name}", "drafted", options)


def measure(runner: Runner, given: argparse.Namespace) -> None:
    """The chosen parts, in an order in which each finds what it needs."""
    parts = given.only or PARTS
    if "ceiling" in parts:
        measure_ceiling(runner)
    if "levers" in parts:
        measure_levers(runner)
    if given.prepare:
        runner.prepare(given.sizes, given.tools, given.again)
    for job in ("train", "decode"):
        if job in parts:
            runner.measure(job, given.sizes, given.tools, given.go_on)
    if "distil" in parts:
        measure_distil(runner, given.sizes)
    if "scaling" in parts:
        measure_scaling(runner, given.quick)
    if "neighbour" in parts:
        measure_neighbour(runner)
    if "sliders" in parts:
        measure_sliders(runner)
    if "compiled" in parts:
        measure_compiled(runner)
    if "drafted" in parts:
        measure_drafted(runner)
    for name, options in (("import", {"repeats": 1 if given.quick else 5}), ("tour", {})):
        if name in parts:
            runner.forget([name])
            workload(runner, name, name, options, threads=1)


def main(arguments: list[str] | None = None) -> int:
    """Exit code 0, whatever peers refused; 2 for what cannot be asked, 130 after an interrupt."""
    given = parser().parse_args(arguments)
    try:
        check(given.sizes, given.tools)
        if given.rounds is not None and given.rounds < 1:
            raise ValueError(f"--rounds must be at least 1; got {given.rounds}")
    except ValueError as error:
        print(f"error: {error}", file=sys.stderr)
        return 2
    plan = QUICK if given.quick else Plan()
    plan = plan if given.rounds is None else replace(plan, rounds=given.rounds)
    path = given.results
    if given.quick and path == store.DEFAULT:
        path = store.BENCHMARKS / ".work" / "quick.json"
    start = time.monotonic()
    try:
        runner = Runner(
            path,
            plan,
            lambda text: print(f"[{time.monotonic() - start:5.0f} s] {text}", file=sys.stderr),
        )
        if not given.report:
            measure(runner, given)
        with judging(path):
            tables = report.everything(runner.results, given.sizes)
    except FileError as error:
        print(f"error: {error}", file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        print(
            f"interrupted; {path} holds what was measured: the same with --continue goes on",
            file=sys.stderr,
        )
        return 130
    print(tables)
    return 0


if __name__ == "__main__":
    sys.exit(main())
