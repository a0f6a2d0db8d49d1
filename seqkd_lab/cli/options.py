"""Options that several commands of `seqkd-lab` share."""

from __future__ import annotations

import argparse
import shlex
from pathlib import Path

from seqkd_lab.corpus.text_folder import files_of
from seqkd_lab.metrics import TOKENISERS

TEXT_FILES = ("source", "target", "valid-source", "valid-target", "test-source", "test-target")


class TextFolder(argparse.Action):
    """--text DIR: the six files of a folder, as if each had been named."""

    def __call__(
        self, parser: argparse.ArgumentParser, namespace: argparse.Namespace, folder, option=None
    ) -> None:
        """Set the folder and the six options. Raises CorpusError where the folder lacks one of
        them."""
        setattr(namespace, self.dest, folder)
        for name, file in zip(TEXT_FILES, files_of(Path(folder)), strict=True):
            setattr(namespace, name.replace("-", "_"), file)


def add_text_files(verb: argparse.ArgumentParser) -> None:
    """Add --text, the six files of anybody's own text, and --pairs."""
    files = verb.add_argument_group(
        "your own text",
        "a folder, or two aligned files for each split, plain or .gz, UTF-8, one sentence a line, "
        "any languages; without them the toy language is used",
    )
    files.add_argument(
        "--text",
        metavar="DIR",
        action=TextFolder,
        help="a folder with train.source, train.target, valid.source and so on, as `seqkd-lab "
        "corpus "
        "split` writes it; stands for the six options below",
    )
    for name in TEXT_FILES:
        files.add_argument(f"--{name}", metavar="FILE")
    files.add_argument(
        "--pairs", type=int, help="take only the first PAIRS training pairs (quick: 10,000)"
    )
    files.add_argument(
        "--vocabulary",
        type=int,
        metavar="N",
        help="learn at most N subwords, for both languages together (default: 5,000; quick: 4,000)",
    )
    files.add_argument(
        "--character-coverage",
        type=float,
        metavar="X",
        help="share of the training text's characters that subwords must spell, in (0, 1]; rarer "
        "ones "
        "are read as unknown (default: 1; 0.9995 for Chinese or Japanese)",
    )
    files.add_argument(
        "--subwords",
        metavar="MODEL",
        help="cut the text by this sentencepiece model (BPE or unigram) instead of learning one; a "
        "model that is there already always keeps its own",
    )


def names_own_text(given: argparse.Namespace) -> bool:
    """Whether a folder of text, or any of the six files, was named."""
    return any(getattr(given, name.replace("-", "_")) is not None for name in TEXT_FILES)


def text_options(given: argparse.Namespace) -> str:
    """Return the six files and --pairs as they were typed, for the command that a person may type
    next."""
    names = ("text", "pairs") if given.text is not None else (*TEXT_FILES, "pairs")
    named = [(f"--{name}", getattr(given, name.replace("-", "_"))) for name in names]
    return shlex.join(str(part) for option in named if option[1] is not None for part in option)


def add_monolingual(verb: argparse.ArgumentParser) -> None:
    """Add --monolingual, for a command that makes the table."""
    verb.add_argument(
        "--monolingual",
        metavar="FILE",
        help="source text without targets: adds the row seq-kd+forward, whose student also learns "
        "from "
        "the teacher's translations of it",
    )


def add_tokenize(verb: argparse.ArgumentParser) -> None:
    """Add --tokenize, for a command that scores translations of the user's own text."""
    verb.add_argument(
        "--tokenize",
        choices=TOKENISERS,
        metavar="NAME",
        help=f"sacreBLEU's tokeniser for BLEU: {', '.join(TOKENISERS)} (default: by the script of "
        "the "
        "references: zh for Chinese, char for other scripts without spaces, else 13a)",
    )


MOST_SEED = 2**31 - 1


def typed_path(typed: str) -> Path:
    """Return a path. Raises ArgumentTypeError for an empty one, as a variable leaves it that a
    shell does not know."""
    if not typed.strip():
        raise argparse.ArgumentTypeError("the path is empty")
    return Path(typed)


def seed(typed: str) -> int:
    """Return a seed. Raises ArgumentTypeError for what is none: generators take no number below 0,
    nor any beyond their range."""
    try:
        number = int(typed)
    except ValueError as error:
        raise argparse.ArgumentTypeError(f"{typed!r} is not a whole number") from error
    if not 0 <= number <= MOST_SEED:
        raise argparse.ArgumentTypeError(f"a seed lies between 0 and {MOST_SEED:,}; got {typed}")
    return number


def add_seeds(verb: argparse.ArgumentParser, number: int) -> None:
    """Add --seeds, counted from 1."""
    verb.add_argument(
        "--seeds",
        type=int,
        default=number,
        help=f"how many seeds, counted from 1 (default: {number})",
    )
    verb.set_defaults(first_seed=1)


def add_seed_range(verb: argparse.ArgumentParser, number: str, first: str) -> None:
    """Add --seeds and --first-seed, whose defaults the command knows; in words they are `number`
    and `first`."""
    verb.add_argument("--seeds", type=int, metavar="N", help=f"how many seeds (default: {number})")
    verb.add_argument(
        "--first-seed", type=int, metavar="S", help=f"the first of them (default: {first})"
    )


def add_check_and_workers(verb: argparse.ArgumentParser) -> None:
    """Add --check and --workers, which every command has that makes results or judges them."""
    verb.add_argument("--check", action="store_true", help="only judge what the JSON file holds")
    verb.add_argument(
        "--workers", type=int, help="processes of one thread each (default: the cores allowed)"
    )
