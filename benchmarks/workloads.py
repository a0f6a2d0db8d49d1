"""What is measured of the lab alone: distillation, scaling, a busy neighbour, the cost of its
import, and the tour.

python -m benchmarks.workloads JOB '{...}'    runs one in this process and prints a line of JSON, as
worker.py does
"""

from __future__ import annotations

import json
import os
import random
import subprocess
import sys
import tempfile
from collections.abc import Callable
from statistics import median
from typing import Any

from benchmarks import corpus as toy
from benchmarks.tool import OURS, SIZES, TOOLS, WORK
from benchmarks.worker import MARK, Clock, peak_memory_mib, versions

SCALES = (8_000, 16_000, 32_000, 64_000)
PYTHON = sys.executable


def distil(options: dict[str, Any]) -> dict[str, Any]:
    """The Seq-KD and the Seq-Inter step on the first pairs of the training corpus, similarity to
    gold included."""
    from benchmarks.ours import SeqKDLab, parallel
    from seqkd_lab.distillation.sequence_level import distil_interpolated, distil_mode

    corpus, size = toy.load(), SIZES[options["size"]]
    teacher = SeqKDLab(size, corpus, TOOLS[OURS].folder(size.name, options["plan"])).model
    result = {}
    for name, method in (("mode", distil_mode), ("inter", distil_interpolated)):
        n = options[f"n_{name}"]
        pairs = corpus.train[:n]
        clock = Clock()
        made = method(teacher, parallel(pairs))
        tokens = sum(len(target) + 1 for target in made.corpus.target)
        result[name] = {**clock.read(), "sentences": n, "tokens": tokens}
    return result


def many_pairs(n: int) -> list[toy.Pair]:
    """The first n pairs of a larger corpus of the toy language, made once and kept."""
    path = WORK / "toy-large" / "train.tsv"
    if not path.exists():
        from seqkd_lab.corpus.toy import ToyLanguage
        from seqkd_lab.corpus.toy.dataset import to_tsv

        language, chance = ToyLanguage(), random.Random(2016)
        rows = [language.sample(chance) for _ in range(max(SCALES))]
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(to_tsv(rows), encoding="utf-8")
    return toy.read_pairs("train", path.parent)[:n]


def scale(options: dict[str, Any]) -> dict[str, Any]:
    """One epoch of the teacher over n_pairs; held_mib is the memory before it, corpus in words
    included."""
    from benchmarks.ours import SeqKDLab

    pairs, size = many_pairs(options["n_pairs"]), SIZES["1x128"]
    tool = SeqKDLab(size, toy.load(), None)
    tool.train(pairs[:320], 1)
    held, clock = peak_memory_mib(), Clock()
    tool.train(pairs, 1)
    return {
        **clock.read(),
        "sentences": len(pairs),
        "tokens": toy.n_target_tokens(pairs),
        "held_mib": held,
    }


def neighbour(options: dict[str, Any]) -> dict[str, Any]:
    """Training with `threads` threads beside `busy` processes that compute without end."""
    import torch

    from benchmarks.ours import SeqKDLab

    torch.set_num_threads(options["threads"])
    corpus = toy.load()
    tool, pairs = SeqKDLab(SIZES["1x128"], corpus, None), corpus.train[: options["n_pairs"]]
    tool.train(pairs[:320], 1)
    others = [subprocess.Popen([PYTHON, "-c", "while True: pass"]) for _ in range(options["busy"])]
    try:
        clock = Clock()
        tool.train(pairs, 1)
        return {**clock.read(), "sentences": len(pairs), "tokens": toy.n_target_tokens(pairs)}
    finally:
        for other in others:
            other.kill()
            other.wait()


def importing(options: dict[str, Any]) -> dict[str, Any]:
    """CPU seconds of a fresh Python that imports torch, the lab, or all of it that computes; in
    turn, the medians."""
    code = "import time; import {}; print(time.process_time())"
    found: dict[str, list[float]] = {"torch": [], "seqkd_lab": [], "seqkd_lab.runs.store": []}
    for _ in range(options["repeats"]):
        for module, taken in found.items():
            done = subprocess.run(
                [PYTHON, "-c", code.format(module)], capture_output=True, text=True, check=True
            )
            taken.append(float(done.stdout))
    return {module: median(taken) for module, taken in found.items()}


def tour(options: dict[str, Any]) -> dict[str, Any]:
    """`seqkd-lab tour` from nothing: wall-clock and CPU seconds, and the largest process's peak
    memory."""
    with tempfile.TemporaryDirectory() as folder:
        command = [
            PYTHON,
            "-m",
            "seqkd_lab",
            "--store",
            f"{folder}/store",
            "tour",
            "--report",
            f"{folder}/report",
        ]
        clock = Clock()
        child = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        _, status, usage = os.wait4(child.pid, 0)
    if status != 0:
        raise RuntimeError(f"seqkd-lab tour ended with status {status}")
    return {
        "wall_s": clock.read()["wall_s"],
        "cpu_s": usage.ru_utime + usage.ru_stime,
        "largest_process_mib": usage.ru_maxrss / 1024,
    }


def compiled(options: dict[str, Any]) -> dict[str, Any]:
    """See benchmarks/compiled.py."""
    from benchmarks.compiled import measure

    return measure(options)


def drafted(options: dict[str, Any]) -> dict[str, Any]:
    """See benchmarks/drafted.py."""
    from benchmarks.drafted import measure

    return measure(options)


JOBS: dict[str, Callable[[dict[str, Any]], dict[str, Any]]] = {
    "distil": distil,
    "scale": scale,
    "neighbour": neighbour,
    "import": importing,
    "tour": tour,
    "compiled": compiled,
    "drafted": drafted,
}


def main(arguments: list[str]) -> None:
    """Runs one job and prints its result."""
    job, options = arguments[0], json.loads(arguments[1])
    if job in ("distil", "scale", "compiled", "drafted"):
        import torch

        torch.set_num_threads(1)
    result = JOBS[job](options)
    print(
        MARK + json.dumps({**result, "peak_mib": peak_memory_mib(), "versions": versions()}),
        flush=True,
    )


def command(job: str, options: dict[str, Any]) -> list[str]:
    """How the runner starts one."""
    return [PYTHON, "-m", "benchmarks.workloads", job, json.dumps(options)]


if __name__ == "__main__":
    main(sys.argv[1:])
