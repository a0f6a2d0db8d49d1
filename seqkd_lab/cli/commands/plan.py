"""`seqkd-lab plan`: what a distillation of this size takes, from measured rates."""

from __future__ import annotations

import argparse
import math
import re
import sys
from argparse import Namespace
from collections.abc import Callable

from seqkd_lab import machine
from seqkd_lab.cli.options import typed_path
from seqkd_lab.devices import CPU, DEVICES, FP32, PRECISIONS, choose
from seqkd_lab.models.lstm import LSTMSpec
from seqkd_lab.planning import here
from seqkd_lab.planning.made_up import WMT14
from seqkd_lab.planning.plan import Corpus, Devices, Epochs, Order, steps
from seqkd_lab.planning.rates import Rates, read_rates
from seqkd_lab.planning.tables import plan_in_words

MOST = 10**9
DESCRIPTION = """Says what it takes to train a teacher, to let it label the corpus (K = 5 for
Seq-KD, K = 35 for Seq-Inter) and to train its students: tokens, operations, hours, memory, disk,
and with --price cost; how each number comes about, and what others reported.

Rates are measured: in the file of --rates, or now on this machine in a minute or two."""
EPILOG = """examples:
  seqkd-lab plan --pairs 4000000 --teacher 4x1000 --gpus 8
  python -m benchmarks.device --sizes wmt --results h100.json     on the GPU, in a checkout
  seqkd-lab plan --pairs 4000000 --gpus 8 --rates h100.json --price 2.5 --efficiency 0.9
"""


def add(verbs: argparse._SubParsersAction) -> None:
    """Add the command and its options."""
    plan = verbs.add_parser(
        "plan",
        help="time, memory and cost of a large distillation, from measured rates",
        description=DESCRIPTION,
        epilog=EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    _add_work(plan.add_argument_group("the work"))
    _add_devices(plan.add_argument_group("the devices"))
    plan.set_defaults(run=run)


def _add_work(group: argparse._ArgumentGroup) -> None:
    group.add_argument("--pairs", type=whole(1), required=True, metavar="N", help="sentence pairs")
    group.add_argument(
        "--teacher",
        type=lstm_size,
        default=LSTMSpec(1000, 4),
        metavar="LxD",
        help="layers and width of the teacher, an LSTM (default: 4x1000, as in the paper)",
    )
    group.add_argument(
        "--student",
        type=lstm_size,
        nargs="+",
        default=[LSTMSpec(500, 2)],
        metavar="LxD",
        help="the same of one or more students (default: 2x500, as in the paper)",
    )
    group.add_argument(
        "--vocabulary",
        type=whole(10),
        default=50_000,
        metavar="N",
        help="words of either language (default: 50,000, as in the paper)",
    )
    group.add_argument(
        "--tokens",
        type=real(1, 1_000),
        nargs=2,
        default=[WMT14.source, WMT14.target],
        metavar=("SOURCE", "TARGET"),
        help="mean tokens of a source and of a target, without the end of sentence (default: "
        f"{WMT14.source:.1f} {WMT14.target:.1f}, words of WMT'14 English-German as Luong et al. "
        "2015 counted them)",
    )
    for name, default, what in (
        ("epochs", 13, "of the teacher"),
        ("student-epochs", 13, "of each student on the K = 5 corpus"),
        ("tuning-epochs", 1, "of each student on the K = 35 corpus afterwards"),
    ):
        group.add_argument(
            f"--{name}",
            type=whole(1),
            default=default,
            metavar="N",
            help=f"passes {what} (default: {default}, our assumption)",
        )
    for name, beam, what in (("beam", 5, "Seq-KD"), ("inter-beam", 35, "Seq-Inter")):
        group.add_argument(
            f"--{name}",
            type=whole(1, 1_000),
            default=beam,
            metavar="K",
            help=f"hypotheses of the search for {what} (default: {beam}, as in the paper)",
        )


def _add_devices(group: argparse._ArgumentGroup) -> None:
    group.add_argument(
        "--gpus", type=whole(1, 100_000), default=1, metavar="N", help="devices (default: 1)"
    )
    group.add_argument(
        "--efficiency",
        type=real(0.01, 1),
        default=1.0,
        metavar="E",
        help="share of N times the speed of one device that N reach together in training, above 0 "
        "and at most 1 (default: 1, the least time that is possible; we have not measured it)",
    )
    group.add_argument(
        "--price",
        type=real(0.0001, 1e6),
        metavar="X",
        help="what an hour of one device costs, in any currency (default: no cost is said)",
    )
    group.add_argument(
        "--rates",
        type=typed_path,
        metavar="FILE",
        help="rates that `python -m benchmarks.device` has measured on your device (default: "
        "measure now, on --device)",
    )
    group.add_argument(
        "--device",
        choices=DEVICES,
        help=f"where to measure, without --rates (default: {CPU}, with one thread)",
    )
    group.add_argument(
        "--precision",
        choices=PRECISIONS,
        help=f"in which to measure, without --rates (default: {FP32})",
    )


def whole(least: int, most: int = MOST) -> Callable[[str], int]:
    """Return a reader of whole numbers from `least` to `most`; argparse puts the option's name
    before what it refuses."""

    def read(typed: str) -> int:
        """Return the number that was typed. Raise ArgumentTypeError for another one."""
        try:
            number = int(typed)
        except ValueError as error:
            raise argparse.ArgumentTypeError(f"{typed!r} is not a whole number") from error
        if not least <= number <= most:
            raise argparse.ArgumentTypeError(
                f"must be from {least:,} to {most:,}; got {typed[:40]}"
            )
        return number

    return read


def real(least: float, most: float) -> Callable[[str], float]:
    """Return a reader of numbers from `least` to `most`."""

    def read(typed: str) -> float:
        """Return the number that was typed. Raise ArgumentTypeError for another one."""
        try:
            number = float(typed)
        except ValueError as error:
            raise argparse.ArgumentTypeError(f"{typed!r} is not a number") from error
        if not math.isfinite(number) or not least <= number <= most:
            raise argparse.ArgumentTypeError(
                f"must be from {least:g} to {most:g}; got {typed[:40]}"
            )
        return number

    return read


def lstm_size(typed: str) -> LSTMSpec:
    """Return the size that LAYERSxWIDTH names. Raise ArgumentTypeError for anything else."""
    match = re.fullmatch(r"(\d{1,3})[x×](\d{1,5})", typed)
    if match is None:
        raise argparse.ArgumentTypeError(
            f"{typed[:40]!r} is not LAYERSxWIDTH, such as 4x1000 (up to 999 and 99,999)"
        )
    try:
        return LSTMSpec(width=int(match[2]), layers=int(match[1]))
    except ValueError as error:
        raise argparse.ArgumentTypeError(f"{typed}: {error}") from error


def run(arguments: Namespace) -> int:
    """Run `seqkd-lab plan`; return the exit code."""
    order = order_of(arguments)
    rates, source = rates_of(arguments, order)
    print(plan_in_words(order, steps(order, rates), rates, source, arguments.price))
    return 0


def order_of(arguments: Namespace) -> Order:
    """Return what is to be planned."""
    source, target = arguments.tokens
    return Order(
        Corpus(arguments.pairs, source + 1, target + 1, arguments.vocabulary),
        arguments.teacher,
        tuple(dict.fromkeys(arguments.student)),
        Epochs(arguments.epochs, arguments.student_epochs, arguments.tuning_epochs),
        (arguments.beam, arguments.inter_beam),
        Devices(arguments.gpus, arguments.efficiency),
    )


def rates_of(arguments: Namespace, order: Order) -> tuple[Rates, str]:
    """Return the rates, and where they are from. Raise ValueError for options that say how to
    measure where nothing is measured."""
    if arguments.rates is not None:
        for name in ("device", "precision"):
            if getattr(arguments, name) is not None:
                raise ValueError(f"--{name} says how to measure, but --rates has been measured")
        rates = read_rates(arguments.rates)
        return rates, f"measured on {rates.date} ({arguments.rates})"
    machine.use_threads(1)
    device = choose(arguments.device or CPU)
    precision = arguments.precision or FP32
    return here.measure(order, device, precision, _say), "measured now"


def _say(text: str) -> None:
    print(text, file=sys.stderr, flush=True)
