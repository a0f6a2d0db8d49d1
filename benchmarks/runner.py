"""Runs jobs in processes of their own, interleaved over the tools: A B C, A B C, ..., so that all
meet the same noise.

After every job the results are on disk, so a run that was interrupted goes on with --continue.
"""

from __future__ import annotations

import json
import os
import subprocess
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from benchmarks import results as store
from benchmarks.peers.setup import last_line, python_of, why_not
from benchmarks.tool import OURS, SIZES, TOOLS, Entry
from benchmarks.worker import MARK

ROOT = Path(__file__).resolve().parents[1]
ONE_THREAD = {name: "1" for name in ("OMP_NUM_THREADS", "MKL_NUM_THREADS", "OPENBLAS_NUM_THREADS")}
SECONDS = 1800.0
SWEEP = (32, 64, 128, 256)
ONE_BY_ONE = ("tutorial", "tutorial-prefix")
SLOW = {"joeynmt-transformer": 4}
"""Tools that get so many times fewer test sentences in batches, lest they take most of the time."""


@dataclass(frozen=True)
class Plan:
    """How much is measured: rounds, training pairs a round, test sentences in batches, in the
    search for the best batch size, and one by one; and for how long the weights are trained
    beforehand."""

    rounds: int = 3
    train_pairs: int = 3200
    test_sentences: int = 1000
    sweep_sentences: int = 512
    single_sentences: int = 100
    prepare_pairs: int = 24_000
    prepare_epochs: int = 2
    sweep: tuple[int, ...] = SWEEP
    name: str = "full"


QUICK = Plan(1, 640, 64, 64, 8, 3200, 1, (32, 64), "quick")


def name_of(size: str, tool: str, job: str) -> str:
    """The name of an entry of the results."""
    return f"{size}/{tool}/{job}"


def chosen(sizes: Sequence[str], tools: Sequence[str], job: str) -> Iterator[tuple[str, Entry]]:
    """(size, tool) of what a job is measured with."""
    for size in sizes:
        for name in tools:
            entry = TOOLS[name]
            if size in entry.sizes and job in entry.jobs:
                yield size, entry


def environment_variables(**more: str) -> dict[str, str]:
    """One thread, no hub, and the repository's root as the place to import from."""
    fixed = {"HF_HUB_OFFLINE": "1", "PYTHONPATH": str(ROOT), "PYTHONWARNINGS": "ignore"}
    return {**os.environ, **ONE_THREAD, **fixed, **more}


def run(
    command: Sequence[str], environment: dict[str, str], seconds: float = SECONDS
) -> dict[str, Any]:
    """What the last line with MARK says; or {"refused": the reason in a line}."""
    try:
        done = subprocess.run(
            command,
            cwd=ROOT,
            env=environment,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=seconds,
        )
    except subprocess.TimeoutExpired:
        return {"refused": f"did not finish within {seconds:.0f} s"}
    marked = [line for line in done.stdout.splitlines() if line.startswith(MARK)]
    if done.returncode != 0 or not marked:
        return {"refused": last_line(done.stderr)}
    return json.loads(marked[-1][len(MARK) :])


def run_worker(entry: Entry, size: str, job: str, options: dict[str, Any]) -> dict[str, Any]:
    """One job of one tool; a peer that is not there is a refusal, never an exception."""
    reason = why_not(entry.environment)
    if reason is not None:
        return {"refused": reason}
    if job == "decode" and not entry.folder(size, options["plan"]).exists():
        return {
            "refused": f"no weights of {entry.trainer} at {size}; run: python -m benchmarks "
            "--prepare"
        }
    command = [
        str(python_of(entry.environment)),
        "-m",
        "benchmarks.worker",
        entry.name,
        size,
        job,
        json.dumps(options),
    ]
    return run(command, environment_variables())


class Runner:
    """Measures and keeps the results file up to date."""

    def __init__(self, path: Path, plan: Plan, say: Callable[[str], None]) -> None:
        self.path, self.plan, self.say = path, plan, say
        self.results = store.read(path)

    def keep(self, name: str, measured: dict[str, Any], threads: int = 1) -> None:
        """Adds one round and writes the file."""
        self.results = store.merge(self.results, name, measured, store.machine(threads))
        store.write(self.path, self.results)
        self.say(f"{name}: {measured.get('refused', 'measured')}")

    def forget(self, names: Sequence[str]) -> None:
        """Lets what is measured anew begin without the rounds of before."""
        self.results = {name: entry for name, entry in self.results.items() if name not in names}

    def prepare(self, sizes: Sequence[str], tools: Sequence[str], again: bool) -> None:
        """Trains the weights that decoding needs, once."""
        plan = self.plan
        options = {"n_pairs": plan.prepare_pairs, "epochs": plan.prepare_epochs, "plan": plan.name}
        for size, entry in chosen(sizes, tools, "train"):
            if entry.weights or entry.folder(size, plan.name).exists() and not again:
                continue
            name = name_of(size, entry.name, "prepare")
            self.forget([name])
            self.keep(name, run_worker(entry, size, "prepare", options))

    def measure(self, job: str, sizes: Sequence[str], tools: Sequence[str], go_on: bool) -> None:
        """All rounds of a job, interleaved; a tool that was refused once is not asked again in
        later rounds."""
        measured = list(chosen(sizes, tools, job))
        names = [name_of(size, entry.name, job) for size, entry in measured]
        if not go_on:
            self.forget(names)
        done = {name: len(store.runs(self.results, name)) for name in names}
        refused = set()
        for n_round in range(self.plan.rounds):
            for name, (size, entry) in zip(names, measured, strict=True):
                if done[name] > n_round or name in refused:
                    continue
                found = run_worker(entry, size, job, self.options(job, size, entry, go_on))
                if "refused" in found:
                    refused.add(name)
                self.keep(name, found)

    def options(self, job: str, size: str, entry: Entry, go_on: bool) -> dict[str, Any]:
        """What the worker is asked to do."""
        plan = self.plan
        if job == "train":
            return {"n_pairs": plan.train_pairs}
        single = [
            ["greedy_single", 1, plan.single_sentences, 1],
            ["beam5_single", 5, plan.single_sentences, 1],
        ]
        if entry.name in ONE_BY_ONE:
            return {"runs": single, "plan": plan.name}
        greedy, beam = self.best_batches(size, entry, go_on)
        n = plan.test_sentences // SLOW.get(entry.name, 1)
        return {
            "runs": [["greedy", 1, n, greedy], ["beam5", 5, n, beam], *single],
            "plan": plan.name,
        }

    def best_batches(self, size: str, entry: Entry, go_on: bool) -> tuple[int, int]:
        """The batch sizes at which a tool decodes fastest, greedily and with a beam; measured once
        in a run."""
        name = name_of(size, entry.name, "sweep")
        swept = getattr(self, "swept", set())
        if name not in swept and not (go_on and store.runs(self.results, name)):
            n = self.plan.sweep_sentences // SLOW.get(entry.name, 1)
            asked = [
                [f"{search} {batch}", beam, n, batch]
                for search, beam in (("greedy", 1), ("beam5", 5))
                for batch in self.plan.sweep
            ]
            self.forget([name])
            self.keep(
                name, run_worker(entry, size, "decode", {"runs": asked, "plan": self.plan.name})
            )
        self.swept = swept | {name}
        greedy, beam = (
            fastest(self.results, name, search, self.plan.sweep) for search in ("greedy", "beam5")
        )
        return greedy, beam


def fastest(results: store.Results, name: str, search: str, sweep: Sequence[int]) -> int:
    """Of a sweep the batch size with the most sentences a CPU second; 64 where nothing was
    measured."""
    measured = {
        batch: store.rates(results, name, f"{search} {batch}", "sentences") for batch in sweep
    }
    known = {batch: found[-1] for batch, found in measured.items() if found}
    return max(known, key=known.__getitem__) if known else 64


def check(sizes: Sequence[str], tools: Sequence[str]) -> None:
    """Raises ValueError, naming the choices, for a size or a tool that does not exist."""
    for given, known, what in ((sizes, SIZES, "size"), (tools, TOOLS, "tool")):
        for name in given:
            if name not in known:
                raise ValueError(f"unknown {what} {name!r}: choose {', '.join(known)}")
    if OURS not in tools:
        raise ValueError(f"ratios need {OURS}: name it among the tools, or leave --tools out")
