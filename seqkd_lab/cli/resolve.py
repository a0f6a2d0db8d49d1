"""What the options refer to: the store, the data, the seeds and the number of processes."""

from __future__ import annotations

import math
import sys
from argparse import Namespace
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

import torch

from seqkd_lab import estimates, machine
from seqkd_lab.cli.options import MOST_SEED, TEXT_FILES, text_files
from seqkd_lab.cli.paths import readable_file
from seqkd_lab.corpus.mapped.description import DESCRIPTION, SUBWORDS
from seqkd_lab.corpus.subwords import SubwordTokeniser
from seqkd_lab.corpus.text_folder import files_of
from seqkd_lab.devices import AUTO, CPU, FP32, check_precision, choose
from seqkd_lab.estimates import WORKER_MIB
from seqkd_lab.metrics import bleu_metric
from seqkd_lab.runs.presets import PRESETS
from seqkd_lab.runs.recipes import SourceText, TextData, ToyData
from seqkd_lab.runs.store import Store, from_environment
from seqkd_lab.runs.texts import Data, EncodedText
from seqkd_lab.studies.table1.table import TableRun

MOST_SUBWORDS = 1_000_000
"""Far more than any model has; sentencepiece counts them in 32 bits."""


def store_of(arguments: Namespace) -> Store:
    """Return the store of --store, or of the environment, or runs/ in the current folder, with the
    shared one beside it that the environment may name."""
    return from_environment(arguments.store)


class Place(NamedTuple):
    """Where a command's models compute and how: the arguments of `Seq2Seq.place`."""

    device: torch.device
    precision: str

    @property
    def key(self) -> list[str]:
        """Return what a run's key states of it: the precision, unless it is that of runs before
        there was a choice. A run may go on on another device, as on another machine."""
        return [] if self.precision == FP32 else [self.precision]


def place_of(arguments: Namespace, own_text: bool, index: int | None = None) -> Place:
    """Return the place that --device and --precision name, which is named on stderr unless it is
    the usual one; `index`: which of several GPUs. Raise ValueError for one that cannot be used."""
    place = Place(
        choose(arguments.device or (AUTO if own_text else CPU), index), arguments.precision
    )
    check_precision(place.precision, place.device)
    if place.device.type != CPU or place.precision != FP32:
        print(f"device: {place.device}, {place.precision}", file=sys.stderr)
    return place


def data_of(arguments: Namespace, preset: str, cutter: Path | None = None) -> ToyData | TextData:
    """Return the user's six files, or the toy language.

    cutter: a model's own subwords (its `subwords.model`), the only ones for text that the model
    reads; preset and --vocabulary are then ignored. Every path is checked here, before the work.
    Raise ValueError where some of the six are missing, a path or a number cannot be used, there is
    a cutter but no text, or --subwords is not `cutter`.
    """
    check_at_least_1("--pairs", arguments.pairs)
    files = text_files(arguments)
    if not any(files):
        _check_toy(arguments, cutter)
        return ToyData(arguments.pairs)
    if arguments.text is not None and files != files_of(Path(arguments.text)):
        raise ValueError(
            f"--text {arguments.text} names all six files; omit --source, --target and so on"
        )
    missing = [f"--{name}" for name, file in zip(TEXT_FILES, files, strict=True) if file is None]
    if missing:
        raise ValueError(
            f"your own text needs --text DIR, or six files; missing: {', '.join(missing)}"
        )
    piped = copies_of_pipes(arguments)
    subwords, size, coverage = cutting_of(arguments, preset, cutter)
    source, target, valid_source, valid_target, test_source, test_target = (
        readable_file(file, piped) for file in files if file is not None
    )
    tokenize = getattr(arguments, "tokenize", None)  # of the commands that score
    if tokenize is not None:
        bleu_metric([[]], tokenize)  # raises ValueError by name
    return TextData(
        source,
        target,
        valid_source,
        valid_target,
        test_source,
        test_target,
        n_train=arguments.pairs or PRESETS[preset].n_pairs,
        vocabulary_size=size,
        subwords=subwords,
        character_coverage=coverage,
        tokenize=tokenize,
    )


def given_data(arguments: Namespace, preset: str, cutter: Path | None = None) -> Data:
    """Return the folder of --corpus, or what `data_of` returns. Raise ValueError for options that
    cannot stand beside --corpus, and where `cutter` is not what cut that corpus."""
    folder = arguments.corpus
    if folder is None:
        return data_of(arguments, preset, cutter)
    check_at_least_1("--pairs", arguments.pairs)
    for name in ("text", *TEXT_FILES, "vocabulary", "character-coverage", "subwords"):
        if getattr(arguments, name.replace("-", "_")) is not None:
            raise ValueError(
                f"--{name} cannot be combined with --corpus {folder}, whose text is cleaned and "
                "cut already; `seqkd-lab corpus encode` takes that option"
            )
    if not (folder / DESCRIPTION).is_file():
        raise ValueError(
            f"--corpus {folder}: no encoded corpus (it has no {DESCRIPTION}); `seqkd-lab corpus "
            "encode` makes one"
        )
    if cutter is not None and cutter.read_bytes() != (folder / SUBWORDS).read_bytes():
        raise ValueError(
            f"{folder / SUBWORDS} and {cutter} are different subword models, and a model reads "
            f"only its own; encode the text again with --subwords {cutter}"
        )
    return EncodedText(str(folder), arguments.pairs)


def check_at_least_1(option: str, number: int | None, unit: str = "") -> None:
    """Raise ValueError, naming the option and its unit, for a number below 1."""
    if number is not None and number < 1:
        raise ValueError(f"{option} must be at least 1{unit}; got {number}")


def copies_of_pipes(arguments: Namespace) -> Path:
    """Return the folder to which the text of a pipe is copied, as it can be read only once."""
    return store_of(arguments).root / "data" / "piped"


def _check_toy(arguments: Namespace, cutter: Path | None) -> None:
    """Raise ValueError for options of subwords and scores beside the toy language, which has whole
    words."""
    if cutter is not None:
        raise ValueError(
            f"the model reads real text (subwords: {cutter}); give that text with --text, or with "
            "--source, --target and so on"
        )
    of_cutting = dict.fromkeys(
        ("subwords", "vocabulary", "character-coverage"),
        "only your own text is split into subwords; give it with --text, or with --source and so "
        "on",
    )
    of_scores = "the toy language is always scored with 13a; give your own text with --text, or "
    for name, reason in {**of_cutting, "tokenize": of_scores + "with --source and so on"}.items():
        value = getattr(arguments, name.replace("-", "_"), None)
        if value is not None:
            raise ValueError(f"--{name} {value}: {reason}")


def cutting_of(
    arguments: Namespace, preset: str, cutter: Path | None
) -> tuple[str | None, int, float]:
    """Return the sentencepiece model for the text (None: one is learned), the size and the coverage
    to learn.

    Raise ValueError or CorpusError for unusable values, naming option and value.
    """
    size = PRESETS[preset].vocabulary_size
    check_at_least_1("--vocabulary", arguments.vocabulary, " subword")
    if arguments.vocabulary is not None and arguments.vocabulary > MOST_SUBWORDS:
        raise ValueError(
            f"--vocabulary must be at most {MOST_SUBWORDS:,} subwords; got {arguments.vocabulary}"
        )
    coverage = 1.0 if arguments.character_coverage is None else arguments.character_coverage
    if not 0.0 < coverage <= 1.0:
        raise ValueError(
            "--character-coverage must be in (0, 1], e.g. 0.9995; got "
            f"{arguments.character_coverage}"
        )
    subwords = arguments.subwords and readable_file(arguments.subwords, copies_of_pipes(arguments))
    if subwords is not None and (
        arguments.vocabulary is not None or arguments.character_coverage is not None
    ):
        raise ValueError(
            f"--subwords {arguments.subwords} is used unchanged; omit --vocabulary and "
            "--character-coverage"
        )
    if subwords is not None and cutter is not None:
        check_same_cutter(Path(subwords), cutter)
    chosen = subwords if cutter is None else str(cutter)
    if chosen is not None:
        SubwordTokeniser.load(chosen)  # raises CorpusError by name
        return chosen, size, 1.0
    return None, arguments.vocabulary or size, coverage


def check_same_cutter(subwords: Path, cutter: Path) -> None:
    """Raise ValueError, naming both files, unless two sentencepiece models are identical."""
    if subwords.read_bytes() != cutter.read_bytes():
        raise ValueError(
            f"{subwords} and {cutter} are different subword models, and a model reads only its "
            f"own; use --subwords {cutter}, or omit --subwords"
        )


def table_run(
    arguments: Namespace, seeds: tuple[int, ...], rows: Sequence[str], text_preset: str
) -> TableRun:
    """Return the run of Table 1; by default, the preset follows the data."""
    preset = arguments.preset or (text_preset if arguments.source else "toy")
    data, monolingual = data_of(arguments, preset), None
    if arguments.monolingual is not None:
        if isinstance(data, ToyData):
            raise ValueError(
                f"--monolingual {arguments.monolingual} needs your own text; give it with --text, "
                "or with --source and so on"
            )
        copies = copies_of_pipes(arguments)
        monolingual = SourceText(readable_file(arguments.monolingual, copies))
    return TableRun(
        data,
        PRESETS[preset],
        seeds,
        tuple(rows),
        monolingual,
        getattr(arguments, "one_teacher", False),
    )


def n_workers_of(workers: int | None, needed_mib: float = WORKER_MIB) -> int:
    """Return the number of processes, each of `needed_mib` or a little more, and print to stderr
    why: by default one per available core, and never more than memory has room for."""
    check_at_least_1("--workers", workers)
    needed = WORKER_MIB if math.isnan(needed_mib) else max(WORKER_MIB, needed_mib)
    number, why = estimates.workers(workers, machine.available_cpus(), needed)
    print(why, file=sys.stderr)
    return number


def seeds_of(arguments: Namespace, first: int = 1, number: int = 5) -> tuple[int, ...]:
    """Return --seeds seeds from --first-seed on; `number` and `first` are the defaults.

    Raise ValueError for fewer than one seed, and for one below 0 or beyond MOST_SEED.
    """
    number = number if arguments.seeds is None else arguments.seeds
    first = first if arguments.first_seed is None else arguments.first_seed
    check_at_least_1("--seeds", number)
    estimates.check_seeds(number)
    if first < 0:
        raise ValueError(f"--first-seed must be at least 0; got {first}")
    if first + number - 1 > MOST_SEED:
        raise ValueError(
            f"--first-seed {first} and --seeds {number} exceed the largest seed, {MOST_SEED:,}"
        )
    return tuple(range(first, first + number))
