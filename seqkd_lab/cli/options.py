"""Options that several commands share, each declared once, as a parser for `parents=[...]`."""

from __future__ import annotations

import argparse
import shlex
from argparse import ArgumentParser, Namespace
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from seqkd_lab import installation
from seqkd_lab.corpus.text_folder import files_of
from seqkd_lab.devices import AUTO, BF16, CPU, CUDA, DEVICES, FP32, MPS, PRECISIONS
from seqkd_lab.runs.committed import own_results_path
from seqkd_lab.runs.presets import PRESETS
from seqkd_lab.runs.recipes import SEQ_KD
from seqkd_lab.tokenisers import TOKENISERS

MOST_SEED = 2**31 - 1
TEXT_FILES = ("source", "target", "valid-source", "valid-target", "test-source", "test-target")
MODEL_NAME = "model folder, or row of Table 1"
OWN_TEXT = "your own text"
"""Title of the group of options for the user's text."""


def typed_path(typed: str) -> Path:
    """Return a path. Raise ArgumentTypeError for an empty one, which an unset shell variable
    leaves."""
    if not typed.strip():
        raise argparse.ArgumentTypeError("the path is empty")
    return Path(typed)


def seed_number(typed: str) -> int:
    """Return a seed. Raise ArgumentTypeError for anything but a whole number in the range of random
    generators."""
    try:
        number = int(typed)
    except ValueError as error:
        raise argparse.ArgumentTypeError(f"{typed!r} is not a whole number") from error
    if not 0 <= number <= MOST_SEED:
        raise argparse.ArgumentTypeError(f"a seed must be between 0 and {MOST_SEED:,}; got {typed}")
    return number


def parent(*names: str, group: str | None = None, **settings: Any) -> ArgumentParser:
    """Return a parser of one option, in the group of that title if there is one.

    `settings` are those of `add_argument`. Commands share the option itself, so none of them may
    change its default by `set_defaults`.
    """
    parser = ArgumentParser(add_help=False)
    container = parser if group is None else parser.add_argument_group(group)
    container.add_argument(*names, **settings)
    return parser


CHECK = parent(
    "--check", action="store_true", help="run nothing; judge the results that already exist"
)
WORKERS = parent(
    "--workers",
    type=int,
    metavar="N",
    help="number of parallel single-threaded processes (default: one per available core)",
)
MODEL = parent(
    "--model",
    default=SEQ_KD,
    metavar="MODEL",
    help=f"{MODEL_NAME} (default: {SEQ_KD}, of the toy language)",
)
MONOLINGUAL = parent(
    "--monolingual",
    group=OWN_TEXT,
    metavar="FILE",
    help="source text without targets: adds the row seq-kd+forward, whose student also learns "
    "from the teacher's translations of this text",
)
TOKENIZE = parent(
    "--tokenize",
    choices=TOKENISERS,
    metavar="NAME",
    help=f"sacreBLEU's tokeniser for BLEU: {', '.join(TOKENISERS)} (default: by the script of the "
    "references: zh for Chinese, char for other scripts without spaces, otherwise 13a)",
)


def _device() -> ArgumentParser:
    parser = ArgumentParser(add_help=False)
    group = parser.add_argument_group("where and how it computes")
    group.add_argument(
        "--device",
        choices=DEVICES,
        help=f"{AUTO} takes {CUDA} where there is such a GPU, else {MPS}, else {CPU} (default: "
        f"{AUTO} for your own text; {CPU} for the toy language, whose models are small)",
    )
    group.add_argument(
        "--precision",
        choices=PRECISIONS,
        default=FP32,
        help=f"{BF16} computes products of matrices in 16 bits, which is faster on GPUs that have "
        f"units for it; weights and files stay in 32 bits (default: {FP32})",
    )
    return parser


DEVICE = _device()
"""The options for where a model computes; `resolve.place_of` reads them."""


def seed(purpose: str) -> ArgumentParser:
    """Return --seed, described by its `purpose`."""
    return parent("--seed", type=seed_number, default=1, help=f"{purpose} (default: 1)")


def seed_range(number: str, first: str) -> ArgumentParser:
    """Return --seeds and --first-seed, whose defaults the command knows; in words they are `number`
    and `first`."""
    parser = parent("--seeds", type=int, metavar="N", help=f"number of seeds (default: {number})")
    parser.add_argument(
        "--first-seed", type=int, metavar="S", help=f"first of the seeds (default: {first})"
    )
    return parser


def out(metavar: str, description: str) -> ArgumentParser:
    """Return --out, the required path of what the command writes."""
    return parent("--out", type=typed_path, required=True, metavar=metavar, help=description)


def results(file: str | None = None) -> ArgumentParser:
    """Return --results: the JSON file, `file` by default, or (None) the folder of several."""
    what = "folder of the JSON files" if file is None else "JSON file of the results"
    default = f"data/results{'' if file is None else f'/{file}'}"
    if installation.checkout() is None:
        default = (
            f"{own_results_path(file or '')} in the current folder; without such results, --check "
            "judges those of the package"
        )
    metavar = "DIR" if file is None else "FILE"
    return parent(
        "--results", type=typed_path, metavar=metavar, help=f"{what} (default: {default})"
    )


def of_studies(
    file: str | None = None, seeds: str = "the study's own", first_seed: str = "the study's own"
) -> list[ArgumentParser]:
    """Return the options of every study; `file` as in `results`, the defaults in words."""
    return [seed_range(seeds, first_seed), results(file), CHECK, WORKERS]


def checkpoints(which: str) -> ArgumentParser:
    """Return --checkpoints, a folder for the models that `which` describes."""
    return parent(
        "--checkpoints", type=typed_path, metavar="DIR", help=f"also write {which} to this folder"
    )


def preset(description: str) -> ArgumentParser:
    """Return --preset, the name of sizes and epochs."""
    return parent("--preset", choices=sorted(PRESETS), help=description)


def distilled(description: str, group: str | None = None) -> ArgumentParser:
    """Return --distilled, a corpus to learn from instead of gold."""
    return parent("--distilled", group=group, type=typed_path, metavar="TSV", help=description)


def search(beam: int | None, default: str) -> ArgumentParser:
    """Return --beam, by default `beam` (None: the command decides), in words `default`, and
    --length-penalty."""
    parser = parent(
        "--beam",
        type=int,
        default=beam,
        metavar="K",
        help=f"beam size; 1 is greedy search (default: {default})",
    )
    parser.add_argument(
        "--length-penalty",
        type=float,
        default=0.0,
        metavar="A",
        help="divide log-probabilities by length**A before comparing hypotheses: 0, as in the "
        "paper, compares probabilities; 1 compares their mean per token, which allows longer "
        "translations (default: 0)",
    )
    return parser


class TextFolder(argparse.Action):
    """--text DIR: the six files of a folder, as if each had been named."""

    def __call__(
        self, parser: ArgumentParser, namespace: Namespace, folder: Any, option: Any = None
    ) -> None:
        """Set the folder and the six options. Raise CorpusError where the folder lacks one of
        them."""
        setattr(namespace, self.dest, folder)
        for name, file in zip(TEXT_FILES, files_of(Path(folder)), strict=True):
            setattr(namespace, name.replace("-", "_"), file)


def _own_text() -> ArgumentParser:
    parser = ArgumentParser(add_help=False)
    files = parser.add_argument_group(
        OWN_TEXT,
        "a folder, or two aligned files for each split (UTF-8, plain or .gz, one sentence per "
        "line, any languages); without these options, the toy language is used",
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
        metavar="N",
        help="use only the first N training pairs (default: all; preset quick: 10,000)",
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
    return parser


CORPUS = parent(
    "--corpus",
    group=OWN_TEXT,
    type=typed_path,
    metavar="FOLDER",
    help="a text that `seqkd-lab corpus encode` has cleaned and cut, instead of all options for "
    "the text but --pairs, which then counts pairs after cleaning; it may be larger than memory",
)

TEXT = _own_text()
"""The options that name and prepare the user's own text."""


@contextmanager
def naming(arguments: Namespace, name: str) -> Iterator[None]:
    """Put the option `name` and its value before the message of a ValueError of the body."""
    try:
        yield
    except ValueError as error:
        raise ValueError(f"--{name} {value_of(arguments, name)}: {error}") from error


def value_of(arguments: Namespace, option: str) -> Any:
    """Return the value of an option by its name without the dashes in front."""
    return getattr(arguments, option.replace("-", "_"))


def text_files(arguments: Namespace) -> list[str | None]:
    """Return the paths of the six files, in the order of TEXT_FILES."""
    return [value_of(arguments, name) for name in TEXT_FILES]


def names_own_text(arguments: Namespace) -> bool:
    """Return whether a folder of text, any of the six files, or an encoded corpus was named."""
    files = (*text_files(arguments), getattr(arguments, "corpus", None))
    return any(file is not None for file in files)


def text_options(arguments: Namespace) -> str:
    """Return the options for the text as the user typed them, for the suggested next command."""
    folder = "corpus" if getattr(arguments, "corpus", None) is not None else "text"
    is_folder = getattr(arguments, folder) is not None
    names = (folder, "pairs") if is_folder else (*TEXT_FILES, "pairs")
    values = {name: value_of(arguments, name) for name in names}
    return " ".join(
        shlex.join([f"--{name}", str(value)]) for name, value in values.items() if value is not None
    )
