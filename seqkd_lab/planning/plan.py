"""The steps of a distillation in the order of the paper, what each has to do, and how long that
takes: tokens divided by the tokens a second that were measured.

A rate that was measured at another size is scaled by the operations that a token takes: the device
is taken to compute as many operations a second at both. How far that holds, the table shows by how
far apart the two counts are.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from seqkd_lab.models.lstm import LSTMSpec
from seqkd_lab.planning.operations import Shape
from seqkd_lab.planning.rates import SEARCH, TRAIN, Rate, Rates, operations_of

HOUR = 3600


@dataclass(frozen=True)
class Corpus:
    """The pairs to learn from: how many, the mean tokens of source and target (EOS included), and
    the words of either vocabulary."""

    n_pairs: int
    source_length: float
    target_length: float
    n_words: int

    @property
    def n_target_tokens(self) -> float:
        """Return the target tokens of one pass."""
        return self.n_pairs * self.target_length

    def shape(self, spec: LSTMSpec) -> Shape:
        """Return what the operations of a model on this corpus are counted from."""
        return Shape.of(
            spec, (self.n_words, self.n_words), (self.source_length, self.target_length)
        )


@dataclass(frozen=True)
class Epochs:
    """Passes over the corpus: of the teacher, of each student on ŷ, and on ỹ afterwards."""

    teacher: int
    student: int
    tuning: int


@dataclass(frozen=True)
class Devices:
    """How many there are, and which share of `n` times the speed of one they reach together in
    training, where they exchange gradients."""

    n: int
    efficiency: float


@dataclass(frozen=True)
class Order:
    """What is to be planned; beams: of Seq-KD and of Seq-Inter."""

    corpus: Corpus
    teacher: LSTMSpec
    students: tuple[LSTMSpec, ...]
    epochs: Epochs
    beams: tuple[int, int]
    devices: Devices


@dataclass(frozen=True)
class Step:
    """A step: its units of work (target tokens, or sentence BLEUs), how many of them one device
    does in a second, and how many times as fast all devices are. operations: of a unit, 0 where
    they are not counted. beam: 0 in training."""

    name: str
    work: float
    work_in_numbers: str
    unit: str
    per_s: float
    rate_in_numbers: str
    speed_up: float
    operations: float = 0.0
    beam: int = 0
    batch_size: int = 0
    shape: Shape | None = None

    @property
    def hours(self) -> float:
        """Return the hours of one device."""
        return self.work / self.per_s / HOUR

    @property
    def hours_together(self) -> float:
        """Return the hours of all devices together."""
        return self.hours / self.speed_up


def steps(order: Order, rates: Rates) -> list[Step]:
    """Return the steps of `order` at the rates of one device."""
    return list(_steps(order, rates))


def _steps(order: Order, rates: Rates) -> Iterator[Step]:
    teacher, epochs = order.teacher, order.epochs
    yield _training(order, rates, teacher, f"teacher {size(teacher)}", epochs.teacher)
    mode, inter = order.beams
    yield _search(order, rates, mode, f"label ŷ, K = {mode}")
    yield _similarities(order, rates, 1, "compare ŷ with gold")
    yield _search(order, rates, inter, f"label ỹ, K = {inter}")
    yield _similarities(order, rates, inter + 1, f"choose ỹ of {inter}, compare it")
    for student in order.students:
        name = f"student {size(student)}"
        yield _training(order, rates, student, f"{name} on ŷ", epochs.student)
        yield _training(order, rates, student, f"{name} on ỹ", epochs.tuning)


def size(spec: LSTMSpec) -> str:
    """Return the size as it is typed, LAYERSxWIDTH."""
    return f"{spec.layers}x{spec.width}"


def _training(order: Order, rates: Rates, spec: LSTMSpec, name: str, epochs: int) -> Step:
    corpus = order.corpus
    work = epochs * corpus.n_target_tokens
    passes = f"{epochs:,} epoch{'s' * (epochs != 1)}"
    in_numbers = f"{passes} × {corpus.n_pairs:,} pairs × {corpus.target_length:.1f} tokens"
    devices = order.devices
    return _of_model(
        corpus.shape(spec), rates, f"{name}, {passes}", work, in_numbers, 0,
        devices.n * devices.efficiency if devices.n > 1 else 1.0,
    )  # fmt: skip


def _search(order: Order, rates: Rates, beam: int, name: str) -> Step:
    corpus = order.corpus
    in_numbers = f"{corpus.n_pairs:,} pairs × {corpus.target_length:.1f} tokens"
    return _of_model(
        corpus.shape(order.teacher), rates, name, corpus.n_target_tokens, in_numbers, beam,
        order.devices.n,
    )  # fmt: skip


def _of_model(
    shape: Shape, rates: Rates, name: str, work: float, in_numbers: str, beam: int, speed_up: float
) -> Step:
    job = SEARCH if beam else TRAIN
    rate, operations = rates.nearest(job, beam, shape), operations_of(job, beam, shape)
    per_s = rate.tokens_per_s * rate.operations / operations
    return Step(
        name,
        work,
        in_numbers,
        "tokens",
        per_s,
        scaled_in_numbers(rate, operations),
        speed_up,
        operations,
        beam,
        rate.batch_size,
        shape,
    )


def scaled_in_numbers(rate: Rate, operations: float) -> str:
    """Return the rate that was measured and how it was scaled, in numbers."""
    beam = f", K = {rate.beam}" if rate.beam else ""
    measured = f"{rate.tokens_per_s:,.1f} ({rate.model.name}{beam}, batch {rate.batch_size})"
    return f"{measured} × {rate.operations / 1e9:.4g}/{operations / 1e9:.4g} GFLOP"


def _similarities(order: Order, rates: Rates, per_pair: int, name: str) -> Step:
    n_pairs, similarities = order.corpus.n_pairs, rates.similarities
    return Step(
        name,
        float(n_pairs * per_pair),
        f"{n_pairs:,} pairs × {per_pair:,} sentence BLEU{'s' * (per_pair != 1)}",
        "sentence BLEUs",
        similarities.per_s,
        f"{similarities.per_s:,.0f} on one core",
        order.devices.n,
    )
