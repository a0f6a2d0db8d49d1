"""What a device does: training, search and labelling at three sizes, by the lab's own public path.

python -m benchmarks.device [--device auto|cpu|cuda|mps] [--precision fp32|bf16]
                            [--sizes toy multi30k wmt] [--results FILE]

One command for a person with a GPU; `seqkd-lab plan --rates FILE` turns the file into hours. Models
have random weights, and all but the toy's sentences are random words with the lengths of a corpus
(seqkd_lab/planning/made_up.py): speed depends on sizes and lengths alone. Every translation is made
to have the same length, the mean of the targets: the end of a sentence has a logit of −10,000, and
max_length ends it. Else a random model's search would end at random, and the rate would mean
nothing.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import torch

from benchmarks.results import BENCHMARKS, commit, number
from seqkd_lab import machine
from seqkd_lab.corpus.parallel import ParallelCorpus
from seqkd_lab.corpus.vocabulary import Vocabulary
from seqkd_lab.devices import AUTO, DEVICES, FP32, PRECISIONS, check_precision, choose
from seqkd_lab.estimates import is_out_of_memory, reason
from seqkd_lab.models.architectures import Spec
from seqkd_lab.models.lstm import LSTMSpec
from seqkd_lab.models.transformer import TransformerSpec
from seqkd_lab.planning import made_up
from seqkd_lab.planning.measuring import (
    Effort,
    Search,
    Subject,
    forget_peak,
    record,
    search_rate,
    similarity_rate,
    training_rate,
)
from seqkd_lab.planning.rates import Rate, Rates, Similarities, write_rates
from seqkd_lab.runs.data import load_toy
from seqkd_lab.runs.presets import TOY
from seqkd_lab.runs.recipes import ToyData

DEFAULT = BENCHMARKS / "device.json"
SEARCHES = (Search(1, 1), Search(5, 1), Search(35, 35))
"""Greedy; beam 5, which is also how Seq-KD labels; all 35 of which Seq-Inter chooses one."""
FEWER = {35: 4}
"""A large beam fills the device with fewer sentences: the batch of a search is divided by this."""
QUICK = LSTMSpec(width=8)


@dataclass(frozen=True)
class Size:
    """Models, and what they read: the toy corpus (None), or made-up sentences of these lengths with
    `n_words` words a side. cpu: what is measured of it on a CPU, so that it ends in minutes."""

    specs: tuple[Spec, ...]
    lengths: made_up.Lengths | None
    n_words: int
    cpu: Effort


SIZES = {
    "toy": Size((TOY.teacher, TOY.student), None, 0, Effort(3, 8, 128)),
    "multi30k": Size(
        (
            LSTMSpec(width=512, layers=2, dropout=0.2),
            TransformerSpec(width=256, layers=3, heads=4, hidden=1_024),
        ),
        made_up.MULTI30K,
        9_000,
        Effort(3, 2, 32),
    ),
    "wmt": Size(
        (
            LSTMSpec(width=1_000, layers=4),
            LSTMSpec(width=500, layers=2),
            TransformerSpec(width=512, layers=6, heads=8, hidden=2_048),
        ),
        made_up.WMT14,
        50_000,
        Effort(2, 1, 8),
    ),
}
"""wmt: the paper's teacher and student, with as many words as there, and a Transformer of the base
size (Vaswani et al. 2017)."""
GPU = Effort(rounds=5, n_batches=4, batch_size=1_024)


def effort(size: Size, device: torch.device, quick: bool) -> Effort:
    """Return how much is measured."""
    if quick:
        return Effort(1, 1, 4)
    return size.cpu if device.type == "cpu" else GPU


def subjects(
    name: str, n_pairs: int, device: torch.device, precision: str, quick: bool
) -> Iterator[Subject]:
    """Yield each model of a size on its device, with the pairs that it reads."""
    size = SIZES[name]
    n_words = 100 if quick and size.lengths else size.n_words
    if size.lengths is None:
        corpus = load_toy(ToyData()).train[:n_pairs]
        source, target = Vocabulary.build(corpus.source), Vocabulary.build(corpus.target)
    else:
        corpus = made_up.pairs(n_pairs, size.lengths, (n_words, n_words), seed=1)
        source = target = made_up.vocabulary(n_words)
    for spec in size.specs:
        made = made_up.model(shrunk(spec) if quick else spec, source, target)
        yield Subject(name, made.place(device, precision), corpus)


def shrunk(spec: Spec) -> Spec:
    """Return the same architecture with a width of 8 and one layer."""
    if isinstance(spec, LSTMSpec):
        return QUICK
    return replace(spec, width=8, layers=1, heads=2, hidden=16)


def measured(subject: Subject, how: Effort) -> Iterator[Rate]:
    """Yield the rates of one model: training and the searches. A job without the memory for a
    single sentence is left out, with a line that says so."""
    length = round(mean_target_length(subject.corpus))
    jobs = [lambda: training_rate(subject, how)]
    for search in SEARCHES:
        batch_size = max(1, how.batch_size // FEWER.get(search.beam, 1))
        jobs.append(
            lambda search=search, batch_size=batch_size: search_rate(
                subject, search, length, replace(how, batch_size=batch_size)
            )
        )
    for job in jobs:
        try:
            yield job()
        except (RuntimeError, MemoryError) as error:
            if not is_out_of_memory(error):
                raise
            print(f"{subject.size}: left out, {reason(error).splitlines()[0]}", file=sys.stderr)
        forget_peak(subject.model.device)


def mean_target_length(corpus: ParallelCorpus) -> float:
    """Return the mean tokens of a target, EOS included."""
    return 1 + sum(map(len, corpus.target)) / len(corpus)


def run(given: argparse.Namespace) -> Rates:
    """Measure what the options ask for, and write it after each model: what an interrupt leaves is
    whole."""
    machine.use_threads(1)
    device = choose(given.device)
    check_precision(given.precision, device)
    lab = commit()  # here, since the file of results may itself be one of the checkout's
    similarities = similarity_rate(made_up.WMT14)
    found: list[Rate] = []
    print(HEAD)
    for name in given.sizes:
        how = effort(SIZES[name], device, given.quick)
        n_pairs = max(1_280, how.batch_size * 8)
        for subject in subjects(name, n_pairs, device, given.precision, given.quick):
            for rate in measured(subject, how):
                found.append(rate)
                print("\n".join(lines(rate, similarities)), flush=True)
            if found:
                rates = record(device, given.precision, lab, similarities, found)
                write_rates(given.results, rates)
    if not found:
        raise ValueError(f"no job fits into the memory of --device {given.device}")
    return rates


HEAD = (
    f"{'size':9}{'model':20}{'job':26}{'batch':>6}{'sentences/s':>13}{'source/s':>10}{'target/s':>10}"
    f"{'GFLOP/s':>9}{'peak MiB':>10}"
)


def lines(rate: Rate, similarities: Similarities) -> list[str]:
    """Return a rate as lines of the table; of a search also the labelling that it is part of."""
    job = "train" if not rate.beam else "greedy" if rate.beam == 1 else f"beam {rate.beam}"
    shown = [line(rate, job, 1.0)]
    if rate.beam > 1:
        n_compared = 1 if rate.kept == 1 else rate.kept + 1
        searching = 1 / rate.per_second(rate.sentences)
        share = searching / (searching + n_compared / similarities.per_s)
        what = "the best" if rate.kept == 1 else "the nearest"
        shown.append(line(rate, f"label K = {rate.beam}, {what}", share))
    return shown


def line(rate: Rate, job: str, share: float) -> str:
    """Return a line of the table, where `share` of the time is the measured job's."""
    sentences, source, target = (
        number(share * rate.per_second(counted))
        for counted in (rate.sentences, rate.source_tokens, rate.target_tokens)
    )
    giga = number(share * rate.tokens_per_s * rate.operations / 1e9)
    less = "*" * bool(rate.refused)
    return (
        f"{rate.size:9}{rate.model.name:20}{job:26}{f'{rate.batch_size}{less}':>6}{sentences:>13}"
        f"{source:>10}{target:>10}{giga:>9}{number(rate.peak_mib):>10}"
    )


def parser() -> argparse.ArgumentParser:
    """Return the options."""
    made = argparse.ArgumentParser(prog="python -m benchmarks.device", description=__doc__)
    made.formatter_class = argparse.RawDescriptionHelpFormatter
    made.add_argument(
        "--device", choices=DEVICES, default=AUTO, help=f"where to compute (default: {AUTO})"
    )
    made.add_argument(
        "--precision", choices=PRECISIONS, default=FP32, help=f"in which (default: {FP32})"
    )
    made.add_argument(
        "--sizes", nargs="+", choices=SIZES, default=list(SIZES), help="which (default: all)"
    )
    made.add_argument(
        "--results", type=Path, default=DEFAULT, metavar="FILE", help=f"default: {DEFAULT.name}"
    )
    made.add_argument(
        "--quick", action="store_true", help="everything once with tiny models: does it work?"
    )
    return made


def main(arguments: list[str] | None = None) -> int:
    """Exit code 0 when all was measured, 2 for what cannot be."""
    given = parser().parse_args(arguments)
    try:
        rates = run(given)
    except (ValueError, OSError) as error:
        print(f"error: {error}", file=sys.stderr)
        return 2
    print(said_of(rates))
    print(f"{given.results}: for seqkd-lab plan --rates")
    return 0


def said_of(rates: Rates) -> str:
    """Return what must be known beside the table."""
    clock = "of the process (one thread)" if rates.device == "cpu" else "of the clock"
    return (
        f"{rates.device_name}, {rates.precision}, {rates.date}, lab {rates.lab}. Seconds are those "
        f"{clock}, the median of the rounds; peaks are {rates.memory_of}. Tokens count the end of "
        f"a sentence. Sentence BLEUs, on one core: {number(rates.similarities.per_s)} a second. "
        "*: there was no memory for a larger batch."
    )


if __name__ == "__main__":
    sys.exit(main())
