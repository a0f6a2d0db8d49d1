"""`seqkd-lab distil`: a teacher rewrites the training corpus."""

from __future__ import annotations

import argparse
from argparse import Namespace
from pathlib import Path

from tqdm import tqdm

from seqkd_lab import machine
from seqkd_lab.cli.given import data_of, store_of
from seqkd_lab.cli.models import find_model
from seqkd_lab.cli.options import add_text_files
from seqkd_lab.decoding.search import check_beam
from seqkd_lab.distillation import sequence_level
from seqkd_lab.distillation.sequence_level import INTERPOLATED, MODE, SAMPLED, write_distilled


def add(verbs: argparse._SubParsersAction) -> None:
    """Add the command and its options."""
    distil = verbs.add_parser(
        "distil", help="lets a teacher rewrite the training corpus",
        description="Writes a TSV with source, the teacher's target, its log-probability and its likeness to gold. "
        "mode is the paper's Seq-KD, interpolated its Seq-Inter, sampled neither: a draw from the teacher.",
    )
    distil.add_argument("--teacher", required=True, metavar="MODEL", help="a row of the table or a model's folder")
    distil.add_argument("--method", choices=[MODE, INTERPOLATED, SAMPLED], default=MODE)
    distil.add_argument("--beam", type=int, help="beam size K (default: 5, interpolated: 35)")
    distil.add_argument("--length-penalty", type=float, default=0.0, help="0 as in the paper; 1 divides by the length")
    distil.add_argument("--out", type=Path, required=True, metavar="TSV")
    distil.add_argument("--seed", type=int, default=1, help="for sampled")
    add_text_files(distil)
    distil.set_defaults(run=run)


def run(given: Namespace) -> int:
    """`seqkd-lab distil`"""
    machine.use_threads(1)
    store = store_of(given)
    data = store.dataset(data_of(given, "full" if given.source else "toy"))
    beam_size = (35 if given.method == INTERPOLATED else 5) if given.beam is None else given.beam
    check_beam(beam_size)
    teacher = find_model(given.teacher, store).model
    with tqdm(total=len(data.train), desc="distil", unit=" sentences") as bar:
        made = sequence_level.distil(
            teacher, data.train, given.method, beam_size, given.length_penalty, given.seed, bar.update
        )
    write_distilled(given.out, made)
    print(f"{given.out}: {made.describe()}")
    return 0
