"""One job of one tool in this process, which is fresh and in the tool's own environment; prints a
line of JSON.

python -m benchmarks.worker TOOL SIZE JOB '{"option": ...}'    (the runner calls this; a person may,
too)

Times are CPU seconds of the whole process, all threads (`cpu_s`), and wall-clock seconds
(`wall_s`). On a shared machine the first is what compares.
"""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Callable
from importlib import metadata
from typing import Any

from benchmarks import corpus as toy
from benchmarks.tool import SIZES, TOOLS, Entry, Size, Tool
from seqkd_lab.machine import peak_memory_mib

MARK = "RESULT "
PACKAGES = ("torch", "numpy", "seqkd-lab", "joeynmt", "OpenNMT-py", "transformers", "ctranslate2")


class Clock:
    """CPU and wall-clock seconds since it was made."""

    def __init__(self) -> None:
        self.cpu, self.wall = time.process_time(), time.perf_counter()

    def read(self) -> dict[str, float]:
        return {"cpu_s": time.process_time() - self.cpu, "wall_s": time.perf_counter() - self.wall}


def versions() -> dict[str, str]:
    """Of the packages that matter and are installed here."""
    found = {}
    for name in PACKAGES:
        try:
            found[name] = metadata.version(name)
        except metadata.PackageNotFoundError:
            continue
    return found


def prepare(
    entry: Entry, size: Size, corpus: toy.Corpus, options: dict[str, Any]
) -> dict[str, Any]:
    """Trains on `n_pairs` for `epochs`; after each, CPU seconds of training so far and validation
    loss."""
    tool = entry.load()(size, corpus, None)
    pairs, epochs, history = corpus.train[: options["n_pairs"]], options["epochs"], []
    validating, clock = 0.0, Clock()

    def seen(epoch: int) -> None:
        nonlocal validating
        so_far = clock.read()["cpu_s"] - validating
        before = time.process_time()
        loss = tool.validation_loss(corpus.valid)
        validating += time.process_time() - before
        history.append({"epoch": epoch, "cpu_s": so_far, "valid_loss": loss})

    tool.train(pairs, epochs, seen)
    tool.save(entry.folder(size.name, options["plan"]))
    return {
        "n_parameters": tool.n_parameters(),
        "tokens": toy.n_target_tokens(pairs) * epochs,
        "sentences": len(pairs) * epochs,
        "history": history,
    }


def train(entry: Entry, size: Size, corpus: toy.Corpus, options: dict[str, Any]) -> dict[str, Any]:
    """One epoch over `n_pairs`, after a short one that warms up."""
    tool = entry.load()(size, corpus, None)
    tool.train(corpus.train[-320:], 1)
    pairs = corpus.train[: options["n_pairs"]]
    clock = Clock()
    tool.train(pairs, 1)
    return {
        **clock.read(),
        "sentences": len(pairs),
        "tokens": toy.n_target_tokens(pairs),
        "n_parameters": tool.n_parameters(),
    }


def timed(
    tool: Tool, sources: list[toy.Sentence], beam_size: int, batch_size: int
) -> dict[str, Any]:
    """A translation of `sources`, with its tokens (EOS included) and their number per sentence."""
    clock = Clock()
    found = tool.translate(sources, beam_size, batch_size)
    time_taken = clock.read()
    tokens = sum(len(words) + 1 for words in found)
    return {**time_taken, "sentences": len(found), "tokens": tokens, "batch_size": batch_size}


def decode(entry: Entry, size: Size, corpus: toy.Corpus, options: dict[str, Any]) -> dict[str, Any]:
    """Greedy and beam on the test set, in batches of the tool's best size, and one by one; and the
    time to start."""
    imported = time.process_time()
    tool = entry.load()(size, corpus, entry.folder(size.name, options["plan"]))
    sources = [source for source, _ in corpus.test]
    tool.translate(sources[:1], 1, 1)
    result: dict[str, Any] = {"start": {"cpu_s": time.process_time(), "imported_cpu_s": imported}}
    for name, beam_size, n, batch_size in options["runs"]:
        tool.translate(sources[-8:], beam_size, 1 if batch_size == 1 else 8)  # warm-up
        result[name] = timed(tool, sources[:n], beam_size, batch_size)
    return result


JOBS: dict[str, Callable[[Entry, Size, toy.Corpus, dict[str, Any]], dict[str, Any]]] = {
    "prepare": prepare,
    "train": train,
    "decode": decode,
}


def one_thread() -> None:
    """Tools that compute with torch get one thread; CTranslate2's environment is not made to load
    it."""
    if "torch" in sys.modules:
        sys.modules["torch"].set_num_threads(1)


def main(arguments: list[str]) -> None:
    """Runs one job and prints its result."""
    name, size, job, options = arguments
    entry = TOOLS[name]
    entry.load()
    one_thread()
    result = JOBS[job](entry, SIZES[size], toy.load(), json.loads(options))
    print(
        MARK + json.dumps({**result, "peak_mib": peak_memory_mib(), "versions": versions()}),
        flush=True,
    )


if __name__ == "__main__":
    main(sys.argv[1:])
