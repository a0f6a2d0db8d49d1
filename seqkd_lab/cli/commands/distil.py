"""`seqkd-lab distil`: let a teacher rewrite the training corpus, or translate source text that has
no targets."""

from __future__ import annotations

import argparse
import sys
from argparse import Namespace
from dataclasses import replace
from pathlib import Path

from seqkd_lab import machine, processes
from seqkd_lab.cli import options
from seqkd_lab.cli.labelling import translated_parts
from seqkd_lab.cli.models import (
    beside,
    check_kind,
    find_teacher,
    one_cutter,
    trained_on,
    write_cutter,
)
from seqkd_lab.cli.options import TEXT_FILES, names_own_text, text_files, text_options, value_of
from seqkd_lab.cli.paths import check_file, check_one_process, readable_file
from seqkd_lab.cli.resolve import Place, copies_of_pipes, given_data, place_of, store_of
from seqkd_lab.corpus.parallel import ParallelCorpus
from seqkd_lab.decoding.search import check_beam
from seqkd_lab.distillation.distilled import HEADER, write_hypotheses
from seqkd_lab.distillation.forward_translation import (
    STANDARD_INPUT,
    clean_sources,
    drop_failures,
    read_sources,
    translated,
    warn_of_ratio,
    write_translated,
)
from seqkd_lab.distillation.parts import PART
from seqkd_lab.distillation.sequence_level import INTERPOLATED, MODE, SAMPLED
from seqkd_lab.models.folder import TrainedModel
from seqkd_lab.processes import Job
from seqkd_lab.runs.texts import Data


def add(verbs: argparse._SubParsersAction) -> None:
    """Add the command and its options."""
    distil = verbs.add_parser(
        "distil",
        parents=[
            options.out("TSV", "file to write"),
            options.search(None, "5; interpolated: 35"),
            options.seed("seed of the method sampled"),
            options.preset(
                "use as many pairs as this preset does, e.g. 10,000 with quick (default: as many "
                "as the teacher was trained on)"
            ),
            options.TEXT,
            options.CORPUS,
            options.DEVICE,
        ],
        help="let a teacher rewrite the training corpus, or translate source text without targets",
        description="Writes a TSV file with each source, the teacher's target, its "
        "log-probability and its similarity to gold, for `seqkd-lab train --distilled`. The "
        "method mode is the paper's Seq-KD, interpolated its Seq-Inter; sampled draws from "
        "the teacher's distribution. With --input, source text without targets is translated "
        "instead, for `seqkd-lab train --add`. The text is tokenised with the teacher's own "
        f"subwords, which are written beside the TSV. Finished parts of {PART:,} sentences "
        "are kept in TSV.unfinished; after an interruption, the same command continues from "
        "there. Started by torchrun, several processes share the parts, and the file is the "
        "same.",
    )
    distil.add_argument(
        "--teacher",
        required=True,
        nargs="+",
        metavar="MODEL",
        help=f"{options.MODEL_NAME}; with several, their probabilities are averaged at each word "
        "(an ensemble)",
    )
    distil.add_argument(
        "--input",
        nargs="+",
        metavar="FILE",
        help="source text without targets, one sentence per line (plain or .gz); - is standard "
        "input. Empty, repeated and very long sentences are dropped, and so are failed "
        "translations",
    )
    distil.add_argument(
        "--method",
        choices=[MODE, INTERPOLATED, SAMPLED],
        default=MODE,
        help=f"how targets are made (default: {MODE})",
    )
    distil.set_defaults(run=run, shares_work=True)


def run(arguments: Namespace) -> int:
    """Run `seqkd-lab distil`; return the exit code."""
    machine.use_threads(1)
    if arguments.beam is None:
        arguments.beam = 35 if arguments.method == INTERPOLATED else 5
    check_beam(arguments.beam, 1, arguments.length_penalty)
    cutter = one_cutter(arguments.teacher)
    place = place_of(arguments, cutter is not None, processes.own_gpu())
    check_file(arguments.out, read=[*text_files(arguments), *(arguments.input or [])])
    check_earlier(arguments.out)
    with processes.joined(place.device) as job:
        if arguments.input is None:
            rewrite_corpus(arguments, cutter, place, job)
        else:
            translate_input(arguments, place, job)
    return 0


def rewrite_corpus(arguments: Namespace, cutter: Path | None, place: Place, job: Job) -> None:
    """Put the teacher's translations in the place of the corpus's targets, write it, and print a
    summary. Several processes translate; the first writes."""
    check_kind(arguments.teacher, names_own_text(arguments))
    store = store_of(arguments)
    with job.first_alone():
        data = store.dataset(pairs_of(arguments, cutter))
    if data.subwords is not None:
        print(data.cleaning, file=sys.stderr)
    teacher = find_teacher(arguments.teacher, store)
    parts = translated_parts(arguments, teacher, data.train, place, job)
    if not job.is_first:
        return
    write_cutter(arguments.out, teacher.subwords)
    compared = write_hypotheses(arguments.out, data.train, parts.in_order())
    parts.forget()
    print(f"{arguments.out}: {compared.describe()}")
    written_beside(arguments, teacher)
    print(
        f"next: seqkd-lab train --distilled {arguments.out} --out "
        f"runs/student{preset_option(arguments)} "
        f"{text_options(arguments)}".rstrip()
    )


def check_earlier(out: Path) -> None:
    """Raise ValueError where the file to replace is not a distilled corpus."""
    if out.is_file() and out.stat().st_size:
        with open(out, encoding="utf-8", errors="replace") as earlier:
            if earlier.readline(len(HEADER) + 1).rstrip("\n") != HEADER:
                raise ValueError(
                    f"--out {out}: this file exists and is not a distilled corpus; choose another "
                    "path"
                )


def pairs_of(arguments: Namespace, cutter: Path | None) -> Data:
    """Return the pairs to rewrite: by default, as many as the teacher was trained on."""
    data = given_data(
        arguments, arguments.preset or ("full" if names_own_text(arguments) else "toy"), cutter
    )
    known = trained_on(arguments.teacher)
    if arguments.pairs is None and arguments.preset is None and known.n_pairs is not None:
        arguments.pairs = known.n_pairs
        data = replace(data, n_train=arguments.pairs)
        print(
            f"Rewriting the first {arguments.pairs:,} pairs, on which the teacher was trained "
            "(use --pairs to change this).",
            file=sys.stderr,
        )
    return data


def preset_option(arguments: Namespace) -> str:
    """Return the option --preset that a student of this teacher needs, after a space."""
    preset = arguments.preset or trained_on(arguments.teacher).preset
    return "" if preset is None else f" --preset {preset}"


def translate_input(arguments: Namespace, place: Place, job: Job) -> None:
    """Translate source text that has no targets, write the translations, and print a summary."""
    check_input(arguments)
    lines, dropped = clean_sources(read_sources(inputs_of(arguments)))
    print(f"input: {dropped}", file=sys.stderr)
    teacher = find_teacher(arguments.teacher, store_of(arguments))
    sources = tuple(map(teacher.encode, lines))
    corpus = ParallelCorpus("input", "input", "unknown", sources, sources)
    parts = translated_parts(arguments, teacher, corpus, place, job)
    if not job.is_first:
        return
    kept, failed = drop_failures(translated(sources, list(parts.in_order())), teacher.decode)
    print(f"translations: {failed}", file=sys.stderr)
    usual = trained_on(arguments.teacher).tokens_per_source_token
    if usual is not None:
        warn_of_ratio(kept, usual)
    write_cutter(arguments.out, teacher.subwords)
    write_translated(arguments.out, kept)
    parts.forget()
    compared = "" if usual is None else f" (the teacher's training corpus: {usual:.3f})"
    print(
        f"{arguments.out}: {len(kept):,} sentences, {kept.tokens_per_source_token:.3f} tokens per "
        f"source token{compared}"
    )
    written_beside(arguments, teacher)
    print(
        f"next: seqkd-lab train --add {arguments.out} --out "
        f"runs/student{preset_option(arguments)}, with "
        "--distilled and the six files"
    )


def check_input(arguments: Namespace) -> None:
    """Raise ValueError for options that make no sense without targets."""
    if arguments.method == INTERPOLATED:
        raise ValueError(
            f"--method {INTERPOLATED} chooses by similarity to gold, which --input does not have; "
            f"use {MODE}"
        )
    of_cutting = ("vocabulary", "character-coverage", "subwords")
    of_pairs = ("corpus", "text", *TEXT_FILES, "pairs", "preset", *of_cutting)
    for name in of_pairs:
        if value_of(arguments, name) is not None:
            raise ValueError(
                f"--{name} cannot be combined with --input: that text is tokenised with the "
                "teacher's own subwords, and all of it is translated"
            )


def inputs_of(arguments: Namespace) -> list[str]:
    """Return the files of --input; each is checked, and a pipe is copied."""
    copies = copies_of_pipes(arguments)
    if STANDARD_INPUT in arguments.input:
        check_one_process("standard input")
    return [
        name if name == STANDARD_INPUT else readable_file(name, copies) for name in arguments.input
    ]


def written_beside(arguments: Namespace, teacher: TrainedModel) -> None:
    """Print the path of the subword model that was written beside the TSV."""
    if teacher.subwords is not None:
        print(f"{beside(arguments.out)}: the subwords of this corpus; keep it beside the TSV")
