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
        """Set the folder and the six options. Raise CorpusError where the folder lacks one of
        them."""
        setattr(namespace, self.dest, folder)
        for name, file in zip(TEXT_FILES, files_of(Path(folder)), strict=True):
            setattr(namespace, name.replace("-", "_"), file)


def add_text_files(verb: argparse.ArgumentParser) -> None:
    """Add the options that name and prepare the user's own text."""
    files = verb.add_argument_group(
        "your own text",
        "a folder, or two aligned files for each split (UTF-8, plain or .gz, one sentence per "
        "line, any "
        "languages); without these options, the toy language is used",
    )
    files.add_argument(
        "--text",
        metavar="DIR",
        action=TextFolder,
        help="a folder with train.source, train.target, valid.source, ..., as `seqkd-lab corpus "
        "split` writes it; replaces the six options below",
    )
    for name in TEXT_FILES:
        files.add_argument(f"--{name}", metavar="FILE")
    files.add_argument(
        "--pairs",
        type=int,
        help="use only the first PAIRS training pairs (default: all; preset quick: 10,000)",
    )
    files.add_argument(
        "--vocabulary",
        type=int,
        metavar="N",
        help="learn at most N subwords, shared by both languages (default: 5,000; preset quick: "
        "4,000)",
    )
    files.add_argument(
        "--character-coverage",
        type=float,
        metavar="X",
        help="fraction of the training text's characters that subwords must cover, in (0, 1]; "
        "rarer ones become unknown (default: 1; use 0.9995 for Chinese or Japanese)",
    )
    files.add_argument(
        "--subwords",
        metavar="MODEL",
        help="tokenise with this sentencepiece model (BPE or unigram) instead of learning one; an "
        "existing model always keeps its own",
    )


def names_own_text(arguments: argparse.Namespace) -> bool:
    """Return whether a folder of text, or any of the six files, was named."""
    return any(getattr(arguments, name.replace("-", "_")) is not None for name in TEXT_FILES)


def text_options(arguments: argparse.Namespace) -> str:
    """Return the options for the text as the user typed them, for the suggested next command."""
    names = ("text", "pairs") if arguments.text is not None else (*TEXT_FILES, "pairs")
    named = [(f"--{name}", getattr(arguments, name.replace("-", "_"))) for name in names]
    return shlex.join(str(part) for option in named if option[1] is not None for part in option)


def add_monolingual(verb: argparse.ArgumentParser) -> None:
    """Add --monolingual, for a command that makes the table."""
    verb.add_argument(
        "--monolingual",
        metavar="FILE",
        help="source text without targets: adds the row seq-kd+forward, whose student also learns "
        "from the teacher's translations of this text",
    )


def add_tokenize(verb: argparse.ArgumentParser) -> None:
    """Add --tokenize, for a command that scores translations of the user's own text."""
    verb.add_argument(
        "--tokenize",
        choices=TOKENISERS,
        metavar="NAME",
        help=f"sacreBLEU's tokeniser for BLEU: {', '.join(TOKENISERS)} (default: by the script of "
        "the references: zh for Chinese, char for other scripts without spaces, otherwise "
        "13a)",
    )


MOST_SEED = 2**31 - 1


def typed_path(typed: str) -> Path:
    """Return a path. Raise ArgumentTypeError for an empty one, which an unset shell variable
    leaves."""
    if not typed.strip():
        raise argparse.ArgumentTypeError("the path is empty")
    return Path(typed)


def seed(typed: str) -> int:
    """Return a seed. Raise ArgumentTypeError for anything but a whole number in the range of random
    generators."""
    try:
        number = int(typed)
    except ValueError as error:
        raise argparse.ArgumentTypeError(f"{typed!r} is not a whole number") from error
    if not 0 <= number <= MOST_SEED:
        raise argparse.ArgumentTypeError(f"a seed must be between 0 and {MOST_SEED:,}; got {typed}")
    return number


def add_seeds(verb: argparse.ArgumentParser, number: int) -> None:
    """Add --seeds, starting at 1."""
    verb.add_argument(
        "--seeds",
        type=int,
        default=number,
        help=f"number of seeds, starting at 1 (default: {number})",
    )
    verb.set_defaults(first_seed=1)


def add_seed_range(verb: argparse.ArgumentParser, number: str, first: str) -> None:
    """Add --seeds and --first-seed, whose defaults the command knows; in words they are `number`
    and `first`."""
    verb.add_argument("--seeds", type=int, metavar="N", help=f"number of seeds (default: {number})")
    verb.add_argument("--first-seed", type=int, metavar="S", help=f"first seed (default: {first})")


def add_check_and_workers(verb: argparse.ArgumentParser) -> None:
    """Add --check and --workers, for a command that makes results and judges them."""
    add_check(verb)
    add_workers(verb)


def add_check(verb: argparse.ArgumentParser) -> None:
    """Add --check, for a command that judges results."""
    verb.add_argument(
        "--check", action="store_true", help="do not run anything; judge the existing results"
    )


def add_workers(verb: argparse.ArgumentParser) -> None:
    """Add --workers, for a command that runs several processes."""
    verb.add_argument(
        "--workers",
        type=int,
        help="number of parallel single-threaded processes (default: one per available core)",
    )


def add_seed(verb: argparse.ArgumentParser, purpose: str = "random seed") -> None:
    """Add --seed; `purpose` is its description."""
    verb.add_argument("--seed", type=seed, default=1, help=f"{purpose} (default: 1)")


def add_out(verb: argparse.ArgumentParser, metavar: str, description: str) -> None:
    """Add --out, the required path of what the command writes."""
    verb.add_argument("--out", type=typed_path, required=True, metavar=metavar, help=description)
