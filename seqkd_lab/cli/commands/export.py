"""`seqkd-lab export`: a Transformer as a model of CTranslate2, compared with the model that it was
made from."""

from __future__ import annotations

import argparse
import sys
from argparse import Namespace
from collections.abc import Sequence

from seqkd_lab import machine
from seqkd_lab.cli.given import store_of
from seqkd_lab.cli.models import find_model
from seqkd_lab.cli.options import typed_path
from seqkd_lab.corpus.parallel import read_lines
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
"""Sentences of --check that are translated: our search needs up to a minute for so many."""


def add(verbs: argparse._SubParsersAction) -> None:
    """Add the command and its options."""
    export = verbs.add_parser(
        "export",
        help="writes a Transformer for CTranslate2, which translates without seqkd_lab",
        description="Writes a trained Transformer as a folder for CTranslate2 (pip install "
        "ctranslate2), a fast "
        "translation program for CPUs. Then translates some sentences with both, greedily and with "
        "a beam of "
        f"{BEAM_SIZE}, and says how many translations are the same, token by token. README.md in "
        "the folder says how "
        "to use it. An LSTM cannot be exported.",
    )
    export.add_argument("model", metavar="MODEL", help="a model's folder or a row of the table")
    export.add_argument(
        "out",
        type=typed_path,
        metavar="OUT",
        help="the folder to write: a new one, or an earlier export",
    )
    export.add_argument(
        "--format", choices=(FORMAT,), default=FORMAT, help=f"of the folder (default: {FORMAT})"
    )
    export.add_argument(
        "--quantisation",
        choices=QUANTISATIONS,
        default=QUANTISATIONS[0],
        help="how weights are stored: float32 as they are, float16 in half the bytes, int8 as "
        "integers of one byte; "
        "what is not float32 translates a little differently (default: float32)",
    )
    export.add_argument(
        "--check",
        metavar="FILE",
        help="compare on the source text of FILE, one sentence a line, plain or .gz, at "
        f"most the first {N_CHECKED} lines (default: {N_MADE_UP} sentences of random words of the "
        "vocabulary)",
    )
    export.set_defaults(run=run)


def run(given: Namespace) -> int:
    """`seqkd-lab export`"""
    import_ctranslate2()
    check_place(given.out)
    machine.use_threads(1)
    trained = find_model(given.model, store_of(given))
    check_exportable(trained.model)
    sources = sources_to_check(trained, given.check)
    with new_folder(given.out) as folder:
        write_export(folder, trained, given.quantisation)
        print(f"comparing on {len(sources)} sentences ...", file=sys.stderr)
        agreement = compare(trained.model, ExportedModel.load(folder, given.quantisation), sources)
        if given.quantisation == QUANTISATIONS[0]:
            check_same_numbers(agreement)
        after, weights = n_bytes(folder), (folder / "model.bin").stat().st_size
    print(
        f"{given.out}: {after:,} bytes, {weights:,} of them weights in {given.quantisation} with "
        f"the table of positions; before: {n_weight_bytes(trained):,} bytes of weights in float32"
    )
    print(in_words(agreement))
    return 0


def sources_to_check(trained: TrainedModel, path: str | None) -> Sequence[Sequence[str]]:
    """Return the tokens of what is translated for the comparison. Raises CorpusError for a file
    that has no text."""
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
    """Say how many translations are the same."""
    n = agreement.n_sentences
    return (
        f"the same translations as seqkd_lab's: greedy {agreement.n_greedy} of {n}, beam "
        f"{BEAM_SIZE} {agreement.n_beam} of {n}; log-probabilities differ by at most "
        f"{agreement.difference:.1e} nats a token"
    )
