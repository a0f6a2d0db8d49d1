"""`seqkd-lab export`: export a Transformer to CTranslate2, and compare both models."""

from __future__ import annotations

import argparse
import sys
from argparse import Namespace
from collections.abc import Sequence

from seqkd_lab import machine
from seqkd_lab.cli.models import find_model
from seqkd_lab.cli.options import MODEL_NAME, typed_path
from seqkd_lab.cli.resolve import store_of
from seqkd_lab.corpus.reading import read_lines
from seqkd_lab.export.agreement import (
    BEAM_SIZE,
    Agreement,
    check_same_numbers,
    compare,
    made_up_sources,
)
from seqkd_lab.export.ctranslate2_format import QUANTISATIONS, check_exportable, import_ctranslate2
from seqkd_lab.export.folder import FORMAT, check_place, n_bytes, new_folder, write_export
from seqkd_lab.export.searching import ExportedModel
from seqkd_lab.models.folder import TrainedModel

N_MADE_UP = 20
N_CHECKED = 200
"""Sentences of --check that are translated: our search takes up to a minute for so many."""


def add(verbs: argparse._SubParsersAction) -> None:
    """Add the command and its options."""
    export = verbs.add_parser(
        "export",
        help="export a Transformer to CTranslate2, which translates without seqkd_lab",
        description="Writes a trained Transformer as a folder for CTranslate2 (pip install "
        "ctranslate2), a fast inference engine for CPUs. Then translates some sentences with "
        f"both, greedily and with a beam of {BEAM_SIZE}, and reports how many translations "
        "are identical, token by token. README.md in the folder explains how to use it. An "
        "LSTM cannot be exported.",
    )
    export.add_argument("model", metavar="MODEL", help=MODEL_NAME)
    export.add_argument(
        "out",
        type=typed_path,
        metavar="OUT",
        help="folder to write: a new one, or an earlier export",
    )
    export.add_argument(
        "--format",
        choices=(FORMAT,),
        default=FORMAT,
        help=f"format of the folder (default: {FORMAT})",
    )
    export.add_argument(
        "--quantisation",
        choices=QUANTISATIONS,
        default=QUANTISATIONS[0],
        help="how weights are stored: float32 unchanged, float16 in half the space, int8 as "
        "one-byte integers; all but float32 may translate slightly differently (default: "
        "float32)",
    )
    export.add_argument(
        "--check",
        metavar="FILE",
        help="compare on the source text of FILE, one sentence per line (plain or .gz), at most "
        f"the first {N_CHECKED} lines (default: {N_MADE_UP} sentences of random words from "
        "the vocabulary)",
    )
    export.set_defaults(run=run)


def run(arguments: Namespace) -> int:
    """Run `seqkd-lab export`; return the exit code."""
    import_ctranslate2()
    check_place(arguments.out)
    machine.use_threads(1)
    trained = find_model(arguments.model, store_of(arguments))
    check_exportable(trained.model)
    sources = sources_to_check(trained, arguments.check)
    with new_folder(arguments.out) as folder:
        write_export(folder, trained, arguments.quantisation)
        print(f"comparing on {len(sources)} sentences ...", file=sys.stderr)
        agreement = compare(
            trained.model, ExportedModel.load(folder, arguments.quantisation), sources
        )
        if arguments.quantisation == QUANTISATIONS[0]:
            check_same_numbers(agreement)
        after, weights = n_bytes(folder), (folder / "model.bin").stat().st_size
    print(
        f"{arguments.out}: {after:,} bytes, {weights:,} of them weights in "
        f"{arguments.quantisation} with the table of positions; before: "
        f"{n_weight_bytes(trained):,} bytes of weights in float32"
    )
    print(in_words(agreement))
    return 0


def sources_to_check(trained: TrainedModel, path: str | None) -> Sequence[Sequence[str]]:
    """Return the tokenised sentences to compare. Raise CorpusError for a file without text."""
    if path is None:
        return made_up_sources(trained.model, N_MADE_UP)
    lines = [line for line in read_lines(path) if line.strip()]
    return [trained.encode(line) for line in lines[:N_CHECKED]]


def n_weight_bytes(trained: TrainedModel) -> int:
    """Return the size of the model's weights here, in bytes."""
    return sum(
        parameter.numel() * parameter.element_size() for parameter in trained.model.parameters()
    )


def in_words(agreement: Agreement) -> str:
    """Return how many translations are the same, in words."""
    n = agreement.n_sentences
    return (
        f"the same translations as seqkd_lab's: greedy {agreement.n_greedy} of {n}, beam "
        f"{BEAM_SIZE} {agreement.n_beam} of {n}; log-probabilities differ by at most "
        f"{agreement.difference:.1e} nats a token"
    )
