"""Our search beside the export to CTranslate2, on the same model and text, with one thread.

python -m benchmarks.exported [--model DIR --input FILE] [--sentences 1000] [--rounds 5] [--results
FILE]

Without --model, a Transformer of 2 layers of 64 learns the toy language for a moment, and
translates its test sentences. All ways translate in turn, in each of the rounds, and the first
round does not count.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from dataclasses import asdict
from datetime import date
from pathlib import Path
from typing import Any

import pandas
import torch

from benchmarks.results import machine, ratios, spread, write
from seqkd_lab.corpus.reading import read_lines
from seqkd_lab.decoding.search import Hypothesis, search
from seqkd_lab.distillation.losses import NLL
from seqkd_lab.export.ctranslate2_format import import_ctranslate2, write_ctranslate2
from seqkd_lab.export.searching import ExportedModel
from seqkd_lab.models.folder import TrainedModel, load_folder
from seqkd_lab.models.transformer import TransformerSeq2Seq, TransformerSpec
from seqkd_lab.optimisation import Optimisation
from seqkd_lab.runs.data import load_toy
from seqkd_lab.runs.recipes import ToyData
from seqkd_lab.training import train

SPEC = TransformerSpec(width=64, layers=2, heads=4, hidden=128, tied=True)
LEARNING = Optimisation(epochs=4, learning_rate=0.005, batch_size=64)
N_PAIRS = 8_000
OURS = "seqkd_lab"
QUANTISATIONS = ("float32", "int8")
BEAMS = {"greedy": 1, "beam 5": 5}
ONE_BY_ONE = ", one by one"
Sources = Sequence[Sequence[str]]
Way = Callable[[Sources, int, int], list[Hypothesis]]


def toy_model() -> TrainedModel:
    """A Transformer of SPEC that has learnt the first N_PAIRS toy pairs."""
    data = load_toy(ToyData(N_PAIRS))
    torch.manual_seed(1)
    model = TransformerSeq2Seq(SPEC, data.source_vocabulary, data.target_vocabulary)
    train(model, data.train, data.valid, NLL(), LEARNING, seed=1)
    return TrainedModel(model)


def model_and_lines(given: argparse.Namespace) -> tuple[TrainedModel, list[str]]:
    """The model, and the lines to translate. Raises ValueError where the options do not fit each
    other."""
    if (given.model is None) != (given.input is None):
        raise ValueError(
            "--model and --input belong together: a model's folder, and a text in its source "
            "language"
        )
    for name in ("sentences", "batch", "rounds"):
        if getattr(given, name) < 1:
            raise ValueError(f"--{name} must be at least 1; got {getattr(given, name)}")
    if given.model is None:
        lines = [" ".join(source) for source in load_toy(ToyData()).test.source]
        return toy_model(), lines[: given.sentences]
    lines = [line for line in read_lines(given.input) if line.strip()]
    return load_folder(given.model), lines[: given.sentences]


def ways(model: TransformerSeq2Seq, folder: Path) -> dict[str, Way]:
    """Our search, and the export in each quantisation, which is written to `folder`."""
    found: dict[str, Way] = {
        OURS: lambda sources, beam_size, batch_size: [
            best[0] for best in search(model, sources, beam_size, batch_size=batch_size)
        ]
    }
    for quantisation in QUANTISATIONS:
        directory = folder / quantisation
        directory.mkdir()
        write_ctranslate2(model, directory, quantisation)
        exported = ExportedModel.load(directory, quantisation)
        found[f"CTranslate2 {quantisation}"] = (
            lambda sources, beam_size, batch_size, exported=exported: exported.search(
                sources, beam_size, batch_size=batch_size
            )
        )
    return found


def searches(batch_size: int) -> dict[str, tuple[int, int]]:
    """The beam and the batch size of each search that is measured."""
    together = {name: (beam_size, batch_size) for name, beam_size in BEAMS.items()}
    return together | {name + ONE_BY_ONE: (beam_size, 1) for name, beam_size in BEAMS.items()}


def measure(
    ways: dict[str, Way], sources: Sources, batch_size: int, rounds: int
) -> tuple[dict[str, Any], dict[str, Any]]:
    """CPU seconds of each way, round by round, and how many of its translations are ours; both
    {search: {way: …}}."""
    asked = searches(batch_size)
    seconds: dict[str, Any] = {name: {way: [] for way in ways} for name in asked}
    same: dict[str, Any] = {name: {} for name in asked}
    for n_round in range(rounds + 1):
        for name, (beam_size, together) in asked.items():
            ours: list[tuple[str, ...]] = []
            for way, translate in ways.items():
                begin = time.process_time()
                written = [
                    hypothesis.tokens for hypothesis in translate(sources, beam_size, together)
                ]
                if n_round:
                    seconds[name][way].append(time.process_time() - begin)
                ours = ours or written
                same[name][way] = sum(a == b for a, b in zip(ours, written, strict=True))
    return seconds, same


def lines_of(seconds: dict[str, Any], same: dict[str, Any], n_words: int) -> list[dict[str, Any]]:
    """A line for each search and way: medians over the rounds; ratios to our search, made round by
    round."""
    return [
        {"search": name, "way": way, "words_a_cpu_s": spread(n_words / second for second in measured).median,  # noqa: E501
         **{f"times_faster{suffix}": getattr(ratios(of_ways[OURS], measured), kind)
            for suffix, kind in (("", "median"), ("_least", "least"), ("_most", "most"))},
         "same": same[name][way]}
        for name, of_ways in seconds.items() for way, measured in of_ways.items()
    ]  # fmt: skip


def table(results: dict[str, Any]) -> str:
    """The medians, as a person reads them."""
    names = {
        "words_a_cpu_s": "source words/CPU s",
        "times_faster": "times faster",
        "times_faster_least": "(least",
        "times_faster_most": "most)",
        "same": f"same of {results['sentences']}",
    }
    frame = (
        pandas.DataFrame(results["medians"])
        .set_index(["search", "way"])[list(names)]
        .rename(columns=names)
    )
    return frame.to_string(
        formatters={names["words_a_cpu_s"]: "{:,.0f}".format}, float_format="{:.2f}".format
    )


def parser() -> argparse.ArgumentParser:
    """The options, as --help explains them."""
    made = argparse.ArgumentParser(
        prog="python -m benchmarks.exported", description=__doc__.splitlines()[0]
    )
    made.add_argument(
        "--model", type=Path, metavar="DIR", help="a Transformer's folder (default: one of the toy)"
    )
    made.add_argument(
        "--input",
        type=Path,
        metavar="FILE",
        help="with --model: what is translated, a sentence a line",
    )
    made.add_argument(
        "--sentences", type=int, default=1000, help="at most so many of them (default: 1000)"
    )
    made.add_argument(
        "--batch", type=int, default=64, help="sentences translated together (default: 64)"
    )
    made.add_argument(
        "--rounds", type=int, default=5, help="after one that does not count (default: 5)"
    )
    made.add_argument(
        "--results", type=Path, metavar="FILE", help="write everything measured there, as JSON"
    )
    return made


def run(given: argparse.Namespace) -> dict[str, Any]:
    """Measure what the options ask for. Raises ValueError for what cannot be measured."""
    torch.set_num_threads(1)
    version = import_ctranslate2().__version__
    trained, texts = model_and_lines(given)
    sources = [trained.encode(text) for text in texts]
    with tempfile.TemporaryDirectory() as folder:
        seconds, same = measure(
            ways(trained.model, Path(folder)), sources, given.batch, given.rounds
        )
    n_words = sum(len(text.split()) for text in texts)
    return {
        "date": date.today().isoformat(), "machine": machine(threads=1),
        "versions": {"torch": torch.__version__, "ctranslate2": version}, "spec": asdict(trained.model.spec),  # noqa: E501
        "n_parameters": trained.model.n_parameters(), "sentences": len(texts), "source_words": n_words,  # noqa: E501
        "batch_size": given.batch, "medians": lines_of(seconds, same, n_words), "cpu_s": seconds,
    }  # fmt: skip


def main(arguments: list[str] | None = None) -> int:
    """Exit code 0 when all was measured, 2 for what cannot be."""
    given = parser().parse_args(arguments)
    try:
        results = run(given)
    except (ValueError, OSError) as error:
        print(f"error: {error}", file=sys.stderr)
        return 2
    print(table(results))
    if given.results is not None:
        write(given.results, results)
    return 0


if __name__ == "__main__":
    sys.exit(main())
