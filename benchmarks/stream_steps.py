"""The steps of `benchmarks.streams` that compute, each in a process of its own, so that its memory
is its own: python -m benchmarks.stream_steps STEP CORPUS [TSV]. A line of JSON says what was
done."""

from __future__ import annotations

import json
import sys
import time
import warnings
from collections.abc import Iterator
from itertools import cycle, islice
from pathlib import Path
from typing import Any

import numpy as np
import torch

from seqkd_lab import machine
from seqkd_lab.corpus.batching import Batch, EncodedCorpus, Sentences, batches, encode
from seqkd_lab.corpus.mapped.stored import open_corpus
from seqkd_lab.corpus.text_folder import SIDES, SPLITS
from seqkd_lab.distillation.distilled import write_rows
from seqkd_lab.distillation.losses import NLL
from seqkd_lab.distillation.mapped_targets import map_distilled
from seqkd_lab.models.lstm import LSTMSeq2Seq, LSTMSpec
from seqkd_lab.optimisation import training_step
from seqkd_lab.runs.data import load_text
from seqkd_lab.runs.texts import TextData

BATCH, UPDATES, ROUNDS = 64, 12, 5


def one_pass(corpus: Path) -> dict[str, Any]:
    """Open the folder, and make every batch of an epoch."""
    started = time.perf_counter()
    encoded = open_corpus(corpus).train.encoded
    opened = time.perf_counter()
    n_tokens = n_batches = 0
    for batch in batches(encoded, BATCH, shuffle_seed=1):
        n_tokens, n_batches = n_tokens + int(batch.target_out.numel()), n_batches + 1
    return {
        "open_s": opened - started,
        "pass_s": time.perf_counter() - opened,
        "pairs": len(encoded),
        "batches": n_batches,
        "places": n_tokens,
    }


def training(corpus: Path) -> dict[str, Any]:
    """Train one small student on the mapped pairs and its twin on the same pairs in memory, some
    updates of each in turn: CPU seconds a target token."""
    stored = open_corpus(corpus).train
    vocabularies = tuple(side.vocabulary for side in stored.sides)
    ways = {"mapped": stored.encoded, "memory": in_memory(stored.encoded)}
    students, streams = {}, {}
    for name, encoded in ways.items():
        torch.manual_seed(1)
        students[name] = LSTMSeq2Seq(LSTMSpec(width=48), *vocabularies)
        streams[name] = epochs(encoded)
    optimisers = {
        name: torch.optim.Adam(model.parameters(), fused=True) for name, model in students.items()
    }
    rounds: dict[str, list[float]] = {name: [] for name in ways}
    losses: dict[str, list[float]] = {name: [] for name in ways}
    for _ in range(ROUNDS + 1):
        for name, model in students.items():
            started, n_tokens = time.process_time(), 0
            for batch in islice(streams[name], UPDATES):
                losses[name].append(training_step(model, batch, NLL(), optimisers[name], 1.0, None))
                n_tokens += batch.n_tokens
            rounds[name].append(n_tokens / (time.process_time() - started))
    assert losses["mapped"] == losses["memory"], "both ways must learn the same"
    return {"tokens_per_cpu_s": {name: each[1:] for name, each in rounds.items()}}


def epochs(encoded: EncodedCorpus) -> Iterator[Batch]:
    """Yield batches for ever."""
    for seed in cycle(range(1_000)):
        yield from batches(encoded, BATCH, seed)


def in_memory(encoded: EncodedCorpus) -> EncodedCorpus:
    """Return a copy in memory of what is mapped, as `batching.encode` makes it from words."""

    def copied(side: Sentences) -> Sentences:
        return Sentences(*(tensor.clone() for tensor in (side.ids, side.starts, side.lengths)))

    return EncodedCorpus(copied(encoded.source), copied(encoded.target))


def load(text: Path, subwords: Path) -> dict[str, Any]:
    """Read, clean, cut and look up a text in memory."""
    files = [str(text / f"{split}.{side}") for split in SPLITS for side in SIDES]
    data = load_text(TextData(*files, subwords=str(subwords)), text)
    pairs = encode(data.train, data.source_vocabulary, data.target_vocabulary)
    return {"pairs": len(pairs)}


def write_table(corpus: Path, table: Path) -> dict[str, Any]:
    """Write a distilled corpus with gold for the teacher's translations, and made-up scores."""
    pairs = open_corpus(corpus).train
    chance = np.random.default_rng(1)
    log_probs = (-value for _ in range(0, len(pairs), 4096) for value in chance.random(4096))
    similarities = (
        f"{100 * x:.2f}" for _ in range(0, len(pairs), 4096) for x in chance.random(4096)
    )
    started, n = time.perf_counter(), len(pairs)
    write_rows(table, pairs.source, pairs.target, islice(log_probs, n), islice(similarities, n))
    return {"write_s": time.perf_counter() - started, "bytes": table.stat().st_size}


def read_table(corpus: Path, table: Path) -> dict[str, Any]:
    """Read that file into mapped ids, with every row checked; then open it once more."""
    gold, seconds = open_corpus(corpus).train, []
    for _ in range(2):
        started = time.perf_counter()
        read = map_distilled(table, gold)
        seconds.append(time.perf_counter() - started)
    return {"read_s": seconds[0], "again_s": seconds[1], "rows": len(read.corpus)}


STEPS = {
    "pass": one_pass,
    "train": training,
    "load": load,
    "write": write_table,
    "read": read_table,
}


def main() -> None:
    """Run one step."""
    warnings.simplefilter("ignore")
    machine.use_threads(1)
    name, *paths = sys.argv[1:]
    print(json.dumps(STEPS[name](*map(Path, paths))))


if __name__ == "__main__":
    main()
