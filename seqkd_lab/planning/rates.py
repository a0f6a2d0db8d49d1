"""What was measured of a device, as a file: how long it took to learn from, and to translate, how
many tokens, at which size of model.

`python -m benchmarks.device` writes such a file, and `seqkd-lab plan --rates` reads it. Only what
was counted and timed stands there; rates are their quotients.
"""

from __future__ import annotations

import math
from pathlib import Path
from statistics import median
from typing import Annotated, Literal

import msgspec
from msgspec import Meta

from seqkd_lab.files import FileError, read_json, write_json
from seqkd_lab.planning.operations import Shape, forward_operations, training_operations
from seqkd_lab.runs.measured import Amount, Count, Name, Positive, Row, Size

REMEDY = "make it with `python -m benchmarks.device --results FILE` in a checkout"
TRAIN, SEARCH = "train", "search"
Rounds = Annotated[list[Positive], Meta(min_length=1)]
"""Seconds of each round: of the clock on a GPU, of the process on a CPU."""


class MeasuredShape(Row):
    """The size of a model and of its work: words of both languages, and mean tokens a sentence, EOS
    included. hidden: the Transformer's feed-forward width, 0 for the LSTM."""

    architecture: Literal["lstm", "transformer"]
    width: Size
    layers: Size
    hidden: Count
    source_words: Size
    target_words: Size
    source_length: Positive
    target_length: Positive

    def shape(self) -> Shape:
        """Return what operations are counted from."""
        return Shape(
            self.width,
            self.layers,
            self.source_words,
            self.target_words,
            self.source_length,
            self.target_length,
            self.hidden,
        )

    @property
    def name(self) -> str:
        """Return its size in short, as in "4x1000 LSTM"."""
        kind = "LSTM" if self.architecture == "lstm" else "Transformer"
        return f"{self.layers}x{self.width} {kind}"


class Rate(Row):
    """What one round of a job did, and the seconds of each. beam: hypotheses of a search (0 in
    training), of which `kept` were kept; refused: batch sizes for which there was no memory;
    peak_mib: the most memory, as `Rates.memory_of` says."""

    size: Name
    model: MeasuredShape
    job: Literal["train", "search"]
    beam: Count
    kept: Count
    batch_size: Size
    refused: list[Size]
    sentences: Size
    source_tokens: Size
    target_tokens: Size
    seconds: Rounds
    peak_mib: Amount

    def __post_init__(self) -> None:
        if (self.job == TRAIN) != (self.beam == 0) or self.kept > self.beam:
            raise ValueError(
                f"a search has a beam and training has none, and no more is kept than the beam "
                f"holds; got {self.job} with a beam of {self.beam}, {self.kept} kept"
            )

    def per_second(self, counted: int) -> float:
        """Return how many of `counted`, the number of one round, are done in a second."""
        return counted / median(self.seconds)

    @property
    def tokens_per_s(self) -> float:
        """Return target tokens a second, EOS included."""
        return self.per_second(self.target_tokens)

    @property
    def operations(self) -> float:
        """Return the operations that a target token of this job takes."""
        return operations_of(self.job, self.beam, self.model.shape())


class Similarities(Row):
    """How many sentence BLEUs were computed in a round on one core, and the seconds of each."""

    number: Size
    seconds: Rounds

    @property
    def per_s(self) -> float:
        """Return sentence BLEUs a second."""
        return self.number / median(self.seconds)


class Rates(Row):
    """All that was measured of one device on one day. threads: of the CPU; memory_mib: what the
    device has; memory_of: whether peaks are those of the device or of the whole process."""

    date: Name
    lab: Name
    device: Literal["cpu", "cuda", "mps"]
    device_name: Name
    precision: Literal["fp32", "bf16"]
    memory_mib: Amount
    memory_of: Literal["of the device", "of the process"]
    threads: Size
    machine: dict[str, str | int | float]
    similarities: Similarities
    rates: Annotated[list[Rate], Meta(min_length=1)]

    def nearest(self, job: str, beam: int, shape: Shape) -> Rate:
        """Return the measurement of `job` that is nearest to `shape` in operations a token: of the
        same architecture and the same beam, where there is one. Raise FileError without any."""
        of_job = [rate for rate in self.rates if rate.job == job]
        if not of_job:
            raise FileError(f"no rate of the job {job!r}; {REMEDY}")
        wanted = operations_of(job, beam, shape)

        def distance(rate: Rate) -> tuple[bool, bool, float]:
            another_kind = bool(rate.model.hidden) != bool(shape.inner)
            return another_kind, rate.beam != beam, abs(math.log(rate.operations / wanted))

        return min(of_job, key=distance)


def operations_of(job: str, beam: int, shape: Shape) -> float:
    """Return the operations that a target token takes in a training, or in a search of `beam`
    hypotheses."""
    return training_operations(shape) if job == TRAIN else forward_operations(shape, beam)


def read_rates(path: Path) -> Rates:
    """Return what `write_rates` wrote. Raise FileError, naming the file and the key, for anything
    else."""
    try:
        return read_json(path, Rates, REMEDY)
    except FileNotFoundError as error:
        raise FileError(f"{path}: no such file; {REMEDY}") from error


def write_rates(path: Path, rates: Rates) -> None:
    """Write rates as JSON."""
    write_json(path, msgspec.to_builtins(rates))
