"""torch.compile (TorchInductor, which needs a C++ compiler) beside the lab as it is: an update, and
a step of the search.

python -m benchmarks --only compiled    compiles each model anew, and reports the seconds of that,
how often it compiled again for another shape, and how much faster the same work is afterwards.
"""

from __future__ import annotations

import random
import shutil
import time
from collections.abc import Callable
from typing import Any

import torch

from benchmarks.results import Results, number, ratios, runs, spread
from seqkd_lab.corpus.batching import Batch
from seqkd_lab.corpus.vocabulary import Vocabulary
from seqkd_lab.distillation.losses import nll
from seqkd_lab.models.architectures import build
from seqkd_lab.models.lstm import LSTMSpec
from seqkd_lab.models.seq2seq import Seq2Seq
from seqkd_lab.models.transformer import TransformerSpec

MODELS = {
    "lstm 1x128": (LSTMSpec(128), 540),
    "lstm 2x192": (LSTMSpec(192, 2), 540),
    "transformer 1x128": (TransformerSpec(128, 1, 4, 192, 0.0), 540),
    "transformer 2x192": (TransformerSpec(192, 2, 4, 256, 0.0), 540),
    "transformer 4x256": (TransformerSpec(256, 4, 4, 512, 0.0), 8_000),
}
"""Sizes, and words in the vocabulary."""
LENGTHS = ((9, 10), (12, 13), (14, 11), (10, 14))
"""Source and target lengths of the batches: each a new shape."""
N_ROUNDS = 5
Work = Callable[[Callable[..., Any]], list[float]]


def model_of(name: str) -> Seq2Seq:
    """A model with random weights."""
    spec, n_words = MODELS[name]
    words = Vocabulary.build([[f"w{i}" for i in range(n_words)]])
    torch.manual_seed(1)
    return build(spec, words, words)


def batches(model: Seq2Seq, size: int) -> list[Batch]:
    """A batch of random words of each of LENGTHS; all sentences of a batch are equally long."""
    chance, V = torch.Generator().manual_seed(1), len(model.target_vocabulary)
    found = []
    for S, T in LENGTHS:
        source = torch.randint(4, V, (size, S), generator=chance)
        target = torch.randint(4, V, (size, T), generator=chance)
        found.append(Batch(source, torch.full((size,), S), target, target, torch.arange(size)))
    return found


def updates(model: Seq2Seq) -> Work:
    """Loss and gradients of each batch; returns the losses."""
    of_model = batches(model.train(), 64)

    def work(run: Callable[..., Any]) -> list[float]:
        losses = []
        for batch in of_model:
            model.zero_grad()
            loss = nll(run(batch), batch.target_out).mean()
            loss.backward()
            losses.append(float(loss.detach()))
        return losses

    return work


def steps(model: Seq2Seq) -> Work:
    """Eight steps of one sentence's beam of 5 from each source; returns the means of the logits."""
    of_model = batches(model.eval(), 1)

    @torch.no_grad()
    def work(run: Callable[..., Any]) -> list[float]:
        means = []
        for batch in of_model:
            state = model.start(batch.source, batch.source_lengths)
            state = state.select(torch.zeros(1, 5, dtype=torch.long))
            for t in range(8):
                logits, state = run(batch.target_in[:, t : t + 1].expand(5, 1), state)
            means.append(float(logits.mean()))
        return means

    return work


def cpu_s(work: Work, run: Callable[..., Any]) -> float:
    """CPU seconds of one pass over all batches."""
    start = time.process_time()
    work(run)
    return time.process_time() - start


def compared(work: Work, plain: Callable[..., Any]) -> dict[str, Any]:
    """Compile `plain`, check that both give the same within 1e-5 of it, and time both in turn."""
    from torch._dynamo.utils import counters  # takes seconds to import

    fast = torch.compile(plain, dynamic=True)
    wall, cpu = time.perf_counter(), time.process_time()
    made = work(fast)
    seconds = {
        "compile_wall_s": time.perf_counter() - wall,
        "compile_cpu_s": time.process_time() - cpu,
    }
    expected = work(plain)
    if not all(abs(a - b) <= 1e-5 for a, b in zip(made, expected, strict=True)):
        raise ValueError(f"compiled and plain must give the same; got {made} and {expected}")
    ways = {"plain": plain, "compiled": fast}
    times: dict[str, list[float]] = {way: [] for way in ways}
    for _ in range(N_ROUNDS):
        for way in random.sample(list(ways), len(ways)):
            times[way].append(cpu_s(work, ways[way]))
    return {**seconds, "graphs": counters["stats"]["unique_graphs"], **times}


def measure(options: dict[str, Any]) -> dict[str, Any]:
    """An update and a step of the model that `options` names. Raises RuntimeError where there is no
    compiler."""
    if not any(map(shutil.which, ("g++", "clang++", "cl"))):
        raise RuntimeError("torch.compile needs a C++ compiler (g++ or clang++); none is installed")
    model = model_of(options["model"])
    jobs = {"update": (updates, model.forward), "search": (steps, model.step)}
    work, plain = jobs[options["job"]]
    return compared(work(model), plain)


JOBS = ("update", "search")


def table(results: Results) -> str:
    """Compile time, and what it buys."""
    lines = [
        "### torch.compile, dynamic shapes: an update of 64 pairs; a step of one beam of 5",
        "",
        "| model | job | compile, wall-clock s | graphs | CPU ms plain | compiled | times faster |",
        "|---|---|---|---|---|---|---|",
    ]
    for name in MODELS:
        for job in JOBS:
            entry = f"compiled/{name}/{job}"
            refused = results.get(entry, {}).get("refused")
            if refused:
                lines.append(f"| {name} | {job} | not measured: {refused} | | | | |")
            for run in runs(results, entry):
                n = len(LENGTHS) * (1 if job == "update" else 8)
                ms = [spread(1e3 * s / n for s in run[way]) for way in ("plain", "compiled")]
                cells = [
                    name,
                    job,
                    number(run["compile_wall_s"]),
                    str(run["graphs"]),
                    *map(str, ms),
                ]
                lines.append(f"| {' | '.join(cells)} | {ratios(run['plain'], run['compiled'])} |")
    return "\n".join(lines)
