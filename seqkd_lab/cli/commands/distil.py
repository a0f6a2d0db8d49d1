"""`seqkd-lab distil`: a teacher rewrites the training corpus, or translates source text that has no
targets."""

from __future__ import annotations

import argparse
import sys
from argparse import Namespace
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from tqdm import tqdm

from seqkd_lab import machine
from seqkd_lab.cli.cutters import beside, check_kind, one_cutter, write_cutter
from seqkd_lab.cli.given import data_of, store_of
from seqkd_lab.cli.models import find_teacher, trained_on
from seqkd_lab.cli.options import (
    TEXT_FILES,
    add_text_files,
    names_own_text,
    seed,
    text_options,
    typed_path,
)
from seqkd_lab.cli.runs import run_key
from seqkd_lab.cli.text_files import readable_file
from seqkd_lab.cli.writable import check_file
from seqkd_lab.corpus.parallel import ParallelCorpus
from seqkd_lab.decoding.search import Hypothesis, check_beam
from seqkd_lab.distillation.distilled import HEADER, replace_targets, write_distilled
from seqkd_lab.distillation.forward_translation import (
    STANDARD_INPUT,
    clean_sources,
    drop_failures,
    read_sources,
    translated,
    warn_of_ratio,
    write_translated,
)
from seqkd_lab.distillation.parts import PART, Kept, in_parts
from seqkd_lab.distillation.sequence_level import INTERPOLATED, MODE, SAMPLED, translations
from seqkd_lab.models.folder import TrainedModel
from seqkd_lab.runs.presets import PRESETS
from seqkd_lab.runs.recipes import TextData, ToyData

LEAST_UNKNOWN = 0.01
"""More unknown source tokens than this share are pointed out."""


def add(verbs: argparse._SubParsersAction) -> None:
    """Add the command and its options."""
    distil = verbs.add_parser(
        "distil",
        help="lets a teacher rewrite the training corpus, or translate source text without targets",
        description="Writes a TSV with source, the teacher's target, its log-probability and its "
        "similarity to gold, "
        "for `seqkd-lab train --distilled`. mode is the paper's Seq-KD, interpolated its "
        "Seq-Inter, sampled neither: "
        "a draw from the teacher. With --input, source text without targets is translated instead, "
        "for `seqkd-lab "
        "train --add`. The text is cut by the teacher's own subwords, which are written beside the "
        "TSV. What is done "
        f"is kept in TSV.unfinished, every {PART:,} sentences; the same command goes on from "
        "there.",
    )
    distil.add_argument(
        "--teacher",
        required=True,
        nargs="+",
        metavar="MODEL",
        help="a model's folder or a row of the table; of several, the probabilities are averaged "
        "at "
        "each word (an ensemble)",
    )
    distil.add_argument(
        "--out", type=typed_path, required=True, metavar="TSV", help="the file to write"
    )
    distil.add_argument(
        "--input",
        nargs="+",
        metavar="FILE",
        help="source text without targets, plain or .gz, one sentence a line; - is standard input. "
        "Empty, repeated and very long sentences are dropped, and failed translations",
    )
    distil.add_argument(
        "--method", choices=[MODE, INTERPOLATED, SAMPLED], default=MODE, help=f"default: {MODE}"
    )
    distil.add_argument("--beam", type=int, help="beam size K (default: 5, interpolated: 35)")
    distil.add_argument(
        "--length-penalty",
        type=float,
        default=0.0,
        metavar="X",
        help="0, as in the paper, compares log-probabilities; 1 their mean per token (default: 0)",
    )
    distil.add_argument("--seed", type=seed, default=1, help="of the draws of sampled (default: 1)")
    distil.add_argument(
        "--preset",
        choices=sorted(PRESETS),
        help="take as many pairs as this preset does, for example "
        "10,000 with quick (default: as many as the teacher was trained on)",
    )
    add_text_files(distil)
    distil.set_defaults(run=run)


def run(given: Namespace) -> int:
    """`seqkd-lab distil`"""
    machine.use_threads(1)
    if given.beam is None:
        given.beam = 35 if given.method == INTERPOLATED else 5
    check_beam(given.beam, 1, given.length_penalty)
    cutter = one_cutter(given.teacher)
    texts = [getattr(given, name.replace("-", "_")) for name in TEXT_FILES]
    check_file(given.out, read=[*texts, *(given.input or [])])
    check_earlier(given.out)
    if given.input is not None:
        return translate_input(given)
    check_kind(given.teacher, names_own_text(given))
    data = store_of(given).dataset(pairs_of(given, cutter))
    if data.subwords is not None:
        print(data.cleaning, file=sys.stderr)
    teacher = find_teacher(given.teacher, store_of(given))
    made = replace_targets(data.train, kept_translations(given, teacher, data.train))
    write_cutter(given.out, teacher.subwords)
    write_distilled(given.out, made)
    kept_file(given).unlink(missing_ok=True)
    print(f"{given.out}: {made.describe()}")
    written_beside(given, teacher)
    print(
        f"next: seqkd-lab train --distilled {given.out} --out runs/student{preset_option(given)} "
        f"{text_options(given)}".rstrip()
    )
    return 0


def check_earlier(out: Path) -> None:
    """Raise ValueError where the file that would be replaced is no distilled corpus, say a model's
    description."""
    if out.exists() and out.stat().st_size:
        with open(out, encoding="utf-8", errors="replace") as earlier:
            if earlier.readline(len(HEADER) + 1).rstrip("\n") != HEADER:
                raise ValueError(
                    f"--out {out}: is there already, and is no distilled corpus; name another file"
                )


def pairs_of(given: Namespace, cutter: Path | None) -> ToyData | TextData:
    """Return the pairs to rewrite: unless --pairs or --preset say otherwise, as many as the teacher
    was trained on."""
    data = data_of(given, given.preset or ("full" if names_own_text(given) else "toy"), cutter)
    known = trained_on(given.teacher)
    if given.pairs is None and given.preset is None and known.get("n_pairs") is not None:
        given.pairs = known["n_pairs"]
        data = replace(data, n_train=given.pairs)
        print(
            f"The first {given.pairs:,} pairs are rewritten, those that the teacher was trained on "
            "(--pairs changes that).",
            file=sys.stderr,
        )
    return data


def preset_option(given: Namespace) -> str:
    """Return --preset as a student of this teacher needs it, with a space before it."""
    preset = given.preset or trained_on(given.teacher).get("preset")
    return "" if preset is None else f" --preset {preset}"


def translate_input(given: Namespace) -> int:
    """Translate source text that has no targets, write it, and say what became of it."""
    check_input(given)
    lines, dropped = clean_sources(read_sources(inputs_of(given)))
    print(f"input: {dropped}", file=sys.stderr)
    teacher = find_teacher(given.teacher, store_of(given))
    sources = tuple(map(teacher.encode, lines))
    corpus = ParallelCorpus("input", "input", "unknown", sources, sources)
    made, failed = drop_failures(
        translated(sources, kept_translations(given, teacher, corpus)), teacher.decode
    )
    print(f"translations: {failed}", file=sys.stderr)
    usual = trained_on(given.teacher).get("tokens_per_source_token")
    if usual is not None:
        warn_of_ratio(made, usual)
    write_cutter(given.out, teacher.subwords)
    write_translated(given.out, made)
    kept_file(given).unlink(missing_ok=True)
    compared = "" if usual is None else f" (the teacher's training corpus: {usual:.3f})"
    print(
        f"{given.out}: {len(made):,} sentences, {made.tokens_per_source_token:.3f} tokens per "
        f"source token{compared}"
    )
    written_beside(given, teacher)
    print(
        f"next: seqkd-lab train --add {given.out} --out runs/student{preset_option(given)}, with "
        "--distilled and the six files"
    )
    return 0


def check_input(given: Namespace) -> None:
    """Raise ValueError for what has no sense where there are no targets."""
    if given.method == INTERPOLATED:
        raise ValueError(
            f"--method {INTERPOLATED} chooses by similarity to gold, which --input has not; take "
            f"{MODE}"
        )
    of_pairs = (
        "text",
        *TEXT_FILES,
        "pairs",
        "preset",
        "vocabulary",
        "character-coverage",
        "subwords",
    )
    named = [name for name in of_pairs if getattr(given, name.replace("-", "_")) is not None]
    if named:
        raise ValueError(
            f"--{named[0]} does not go with --input: the text is cut as the teacher's folder says, "
            "and all of it is translated"
        )


def inputs_of(given: Namespace) -> list[str]:
    """Return the files of --input, each checked, a pipe copied."""
    piped = store_of(given).root / "data" / "piped"
    return [name if name == STANDARD_INPUT else readable_file(name, piped) for name in given.input]


def kept_file(given: Namespace) -> Path:
    """Return where the finished parts are kept until the TSV is there."""
    return given.out.with_name(f"{given.out.name}.unfinished")


def kept_translations(
    given: Namespace, teacher: TrainedModel, corpus: ParallelCorpus
) -> list[Hypothesis]:
    """Return the teacher's translation of each source, going on from what an interrupted run has
    kept."""
    how = (given.method, given.beam, given.length_penalty, given.seed)
    warn_of_unknown(teacher, corpus.source)
    kept = Kept(
        kept_file(given), run_key(teacher.model, corpus.fingerprint, PART, *how), len(corpus)
    )
    with tqdm(total=len(corpus), desc="distil", unit=" sentences") as bar:

        def translate(first: int, last: int, report) -> list[Hypothesis]:
            seed = given.seed + first * 1_000_003  # each part has draws of its own
            return translations(teacher.model, corpus[first:last], *how[:3], seed, report)

        return in_parts(kept, translate, bar.update, lambda text: bar.write(text, file=sys.stderr))


def warn_of_unknown(teacher: TrainedModel, sources: Sequence[Sequence[str]]) -> None:
    """Say on stderr how many source tokens the teacher does not know, where they are many."""
    known = set(teacher.model.source_vocabulary.tokens)
    n_tokens = sum(map(len, sources))
    n_unknown = sum(token not in known for source in sources for token in source)
    if n_unknown > LEAST_UNKNOWN * n_tokens:
        print(
            f"{n_unknown / n_tokens:.1%} of the source tokens are unknown to the teacher; is this "
            "the kind of text that it was trained on?",
            file=sys.stderr,
        )


def written_beside(given: Namespace, teacher: TrainedModel) -> None:
    """Name the cutter that was written beside the TSV."""
    if teacher.subwords is not None:
        print(f"{beside(given.out)}: the subwords of this corpus; keep it beside the TSV")
