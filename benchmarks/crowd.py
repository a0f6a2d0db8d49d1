"""A class that wants the same student from one store, beside a learner who is alone.

Each learner is a process of its own, as a kernel is. The table says how many trainings there were
(the student and its teacher make two), and after how many seconds the first and the last learner
had the student.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

from seqkd_lab.machine import peak_memory_mib, use_threads
from seqkd_lab.runs import store as store_module
from seqkd_lab.runs.presets import PRESETS
from seqkd_lab.runs.recipes import SEQ_KD, ToyData, table_recipes
from seqkd_lab.runs.store import Store


def learn(root: Path, pairs: int) -> dict[str, float]:
    """Do what a learner does, and return the seconds that it took and the memory in MiB."""
    use_threads(1)
    n_trained, train = 0, store_module.train_recipe

    def counted(*arguments: Any) -> Any:
        nonlocal n_trained
        n_trained += 1
        return train(*arguments)

    store_module.train_recipe = counted
    began = time.monotonic()
    Store(root).model(table_recipes(ToyData(pairs), PRESETS["toy"], seed=1)[SEQ_KD])
    seconds = time.monotonic() - began
    return {"seconds": seconds, "mib": peak_memory_mib(), "trained": n_trained}


def crowd(n: int, pairs: int) -> dict[str, float]:
    """Let `n` learners begin at once with an empty store, and return what was measured."""
    with tempfile.TemporaryDirectory() as folder:
        command = [sys.executable, "-m", "benchmarks.crowd", "--learn", folder, "--pairs"]
        began = time.monotonic()
        learners = [
            subprocess.Popen([*command, str(pairs)], stdout=subprocess.PIPE, text=True)
            for _ in range(n)
        ]
        outputs = [learner.communicate()[0] for learner in learners]
        seconds = time.monotonic() - began
        if any(learner.returncode for learner in learners):
            raise SystemExit("a learner ended with an error; see above")
        measured = [json.loads(output) for output in outputs]
    return {
        "learners": n,
        "trainings": sum(learner["trained"] for learner in measured),
        "first": min(learner["seconds"] for learner in measured),
        "last": max(learner["seconds"] for learner in measured),
        "whole": seconds,
        "mib": max(learner["mib"] for learner in measured),
    }


def main() -> None:
    """Print a line for a learner alone, and one for the class."""
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--learners", type=int, default=30)
    options.add_argument("--pairs", type=int, default=6_000, help="of the toy's training set")
    options.add_argument("--learn", type=Path, help=argparse.SUPPRESS)
    arguments = options.parse_args()
    if arguments.learn:
        print(json.dumps(learn(arguments.learn, arguments.pairs)))
        return
    print("learners trainings  first s   last s  whole s  MiB each")
    for n in (1, arguments.learners):
        row = crowd(n, arguments.pairs)
        print(
            f"{row['learners']:8} {row['trainings']:9} {row['first']:8.1f} {row['last']:8.1f} "
            f"{row['whole']:8.1f} {row['mib']:9.0f}",
            flush=True,
        )


if __name__ == "__main__":
    main()
