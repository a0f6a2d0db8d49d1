"""What a benchmark asks of a translation tool, ours or a peer's, and the list of those that are
measured."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from typing import Protocol

from benchmarks.corpus import Corpus, Pair, Sentence

BENCHMARKS = Path(__file__).resolve().parent
WORK = BENCHMARKS / ".work"
"""Trained weights and logs: made once by --prepare, ignored by git."""

BATCH_SIZE, CLIP_NORM, WARMUP = 64, 1.0, 0.1
"""Training is the same for all: sentences a batch, gradient clipping, share of the one-cycle
schedule that rises."""


@dataclass(frozen=True)
class Size:
    """`layers` LSTM layers of `width`; the Transformers of this size have as many parameters
    (`inner`: their feed- forward width). rates are the peak learning rates of the LSTMs and of the
    Transformers."""

    name: str
    layers: int
    width: int
    inner: int
    heads: int = 4
    rates: tuple[float, float] = (0.005, 0.002)


SIZES = {
    size.name: size
    for size in (Size("1x128", 1, 128, 192), Size("2x192", 2, 192, 256, rates=(0.003, 0.002)))
}


class Tool(Protocol):
    """A tool at one size. `folder` holds trained weights; None means random ones."""

    def __init__(self, size: Size, corpus: Corpus, folder: Path | None) -> None: ...

    def n_parameters(self) -> int:
        """The number of trainable numbers."""

    def train(
        self, pairs: Sequence[Pair], epochs: int, seen: Callable[[int], None] | None = None
    ) -> None:
        """Trains on `pairs` by Adam and one-cycle; `seen` hears of each epoch's end (from 1)."""

    def validation_loss(self, pairs: Sequence[Pair]) -> float:
        """NLL in nats a target token, EOS included."""

    def translate(
        self, sources: Sequence[Sentence], beam_size: int, batch_size: int
    ) -> list[list[str]]:
        """The best translation of each source, in order."""

    def save(self, folder: Path) -> None:
        """Writes what a later `Tool(size, corpus, folder)` reads."""


@dataclass(frozen=True)
class Entry:
    """A tool in the list: the environment it runs in ("" is the lab's own), where its class lies,
    whose weights it decodes with (its own unless it has none), and which sizes and jobs it is
    measured at."""

    name: str
    environment: str
    target: str
    weights: str = ""
    sizes: tuple[str, ...] = ("1x128", "2x192")
    jobs: tuple[str, ...] = ("train", "decode")
    transformer: bool = False

    def load(self) -> type[Tool]:
        """The class; only the tool's own environment can import it."""
        module, name = self.target.split(":")
        return getattr(import_module(f"benchmarks.{module}"), name)

    @property
    def trainer(self) -> str:
        """The name of the tool whose weights this one uses."""
        return self.weights or self.name

    def folder(self, size: str, plan: str) -> Path:
        """Where the weights lie that a plan's training made; those of --quick are not taken for the
        full ones."""
        return WORK / plan / size / self.trainer


BIG = ("2x192",)
OURS = "seqkd_lab"
DECODE, TRAIN = ("decode",), ("train",)
TOOLS = {
    entry.name: entry
    for entry in (
        Entry(OURS, "", "ours:SeqKDLab"),
        Entry("joeynmt-rnn", "joeynmt", "peers.joey:JoeyRNN"),
        Entry("opennmt-rnn", "opennmt", "peers.opennmt:OpenNMT"),
        Entry("tutorial", "", "peers.tutorial:Tutorial", OURS),
        Entry("tutorial-prefix", "", "peers.tutorial:Prefix", OURS, jobs=DECODE),
        Entry(
            "joeynmt-transformer",
            "joeynmt",
            "peers.joey:JoeyTransformer",
            sizes=BIG,
            transformer=True,
        ),
        Entry("marian", "transformers", "peers.marian:Marian", sizes=BIG, transformer=True),
        Entry("ct2-fp32", "transformers", "peers.ct2:Float", "marian", BIG, DECODE, True),
        Entry("ct2-int8", "transformers", "peers.ct2:Int8", "marian", BIG, DECODE, True),
    )
}


def one_cycle(progress: float) -> float:
    """The share of the peak learning rate at `progress` in [0, 1]: seqkd_lab.training.one_cycle,
    for the peers."""
    from math import cos, pi

    return (
        progress / WARMUP
        if progress < WARMUP
        else 0.5 * (1 + cos(pi * (progress - WARMUP) / (1 - WARMUP)))
    )
