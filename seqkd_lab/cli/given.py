"""What the options mean: the store, the data, the seeds and the processes that a person asked
for."""

from __future__ import annotations

import os
from argparse import Namespace
from collections.abc import Sequence
from pathlib import Path

from seqkd_lab import machine
from seqkd_lab.cli.options import MOST_SEED, TEXT_FILES
from seqkd_lab.cli.text_files import readable_file
from seqkd_lab.corpus.subwords import SubwordTokeniser
from seqkd_lab.corpus.text_folder import files_of
from seqkd_lab.metrics import bleu_metric
from seqkd_lab.runs.presets import PRESETS
from seqkd_lab.runs.recipes import SourceText, TextData, ToyData
from seqkd_lab.runs.store import Store
from seqkd_lab.studies.table1.table import TableRun

MOST_SUBWORDS = 1_000_000
"""Far more than anybody's model has; sentencepiece counts them in 32 bits."""


def store_of(given: Namespace) -> Store:
    """The store that the user named, or that the environment names, or runs/ in the current
    folder."""
    return Store(given.store or Path(os.environ.get("SEQKD_LAB_STORE", "runs")))


def data_of(given: Namespace, preset: str, cutter: Path | None = None) -> ToyData | TextData:
    """Return the user's six files, or the toy.

    cutter: a model's own subwords (its `subwords.model`), which alone may cut what the model reads;
    neither the preset nor --vocabulary counts then. Every path is checked here, before the work.
    Raises ValueError when some of the six are missing, when a path or a number cannot be used, when
    a cutter has no text to cut, and when --subwords names another one than `cutter`.
    """
    if given.pairs is not None and given.pairs < 1:
        raise ValueError(f"--pairs must be at least 1; got {given.pairs}")
    files = [
        given.source,
        given.target,
        given.valid_source,
        given.valid_target,
        given.test_source,
        given.test_target,
    ]
    if not any(files):
        _refuse_for_toy(given, cutter)
        return ToyData(given.pairs)
    if given.text is not None and files != files_of(Path(given.text)):
        raise ValueError(
            f"--text {given.text} names all six files; leave --source, --target and so on out"
        )
    missing = [f"--{name}" for name, file in zip(TEXT_FILES, files, strict=True) if file is None]
    if missing:
        raise ValueError(
            f"your own text needs --text DIR, or six files; missing: {', '.join(missing)}"
        )
    piped = store_of(given).root / "data" / "piped"
    subwords, size, coverage = cutting_of(given, preset, cutter, piped)
    n_train = given.pairs or PRESETS[preset].n_pairs
    readable = [readable_file(file, piped) for file in files]
    tokenize = getattr(given, "tokenize", None)  # of the commands that score
    if tokenize is not None:
        bleu_metric([[]], tokenize)  # raises ValueError by name
    return TextData(
        *readable,
        n_train=n_train,
        vocabulary_size=size,
        subwords=subwords,
        character_coverage=coverage,
        tokenize=tokenize,
    )


def _refuse_for_toy(given: Namespace, cutter: Path | None) -> None:
    """Raises ValueError for what says how text is cut, where there is none: the toy language has
    whole words."""
    if cutter is not None:
        raise ValueError(
            f"the model reads text that {cutter} cuts; name that text with --source, --target and "
            "so on"
        )
    options = {
        "--subwords": given.subwords,
        "--vocabulary": given.vocabulary,
        "--character-coverage": given.character_coverage,
    }
    for name, value in options.items():
        if value is not None:
            raise ValueError(
                f"{name} {value}: only your own text is cut into subwords; name it by --source and "
                "so on"
            )
    if getattr(given, "tokenize", None) is not None:
        raise ValueError(
            f"--tokenize {given.tokenize}: scores of the toy language always have 13a; name your "
            "own text by --source and so on"
        )


def cutting_of(
    given: Namespace, preset: str, cutter: Path | None, piped: Path
) -> tuple[str | None, int, float]:
    """Return the sentencepiece model that cuts the text (None: one is learnt), the size and the
    coverage to learn.

    Raises ValueError or CorpusError for what cannot be used, naming option and value.
    """
    size = PRESETS[preset].vocabulary_size
    if given.vocabulary is not None and given.vocabulary < 1:
        raise ValueError(f"--vocabulary must be at least 1 subword; got {given.vocabulary}")
    if given.vocabulary is not None and given.vocabulary > MOST_SUBWORDS:
        raise ValueError(
            f"--vocabulary must be at most {MOST_SUBWORDS:,} subwords; got {given.vocabulary}"
        )
    coverage = 1.0 if given.character_coverage is None else given.character_coverage
    if not 0.0 < coverage <= 1.0:
        raise ValueError(
            f"--character-coverage must lie in (0, 1], as in 0.9995; got {given.character_coverage}"
        )
    subwords = given.subwords and readable_file(given.subwords, piped)
    if subwords is not None and (
        given.vocabulary is not None or given.character_coverage is not None
    ):
        raise ValueError(
            f"--subwords {given.subwords} is used as it is; leave --vocabulary and "
            "--character-coverage out"
        )
    if subwords is not None and cutter is not None:
        check_same_cutter(Path(subwords), cutter)
    chosen = subwords if cutter is None else str(cutter)
    if chosen is not None:
        SubwordTokeniser.load(chosen)  # raises CorpusError by name
        return chosen, size, 1.0
    return None, given.vocabulary or size, coverage


def check_same_cutter(subwords: Path, cutter: Path) -> None:
    """Raises ValueError, naming both files, unless two sentencepiece models are the same, byte by
    byte."""
    if subwords.read_bytes() != cutter.read_bytes():
        raise ValueError(
            f"{subwords} and {cutter} cut text in different ways, and a model reads only its own "
            f"subwords; take --subwords {cutter}, or leave --subwords out"
        )


def table_run(
    given: Namespace, seeds: tuple[int, ...], rows: Sequence[str], text_preset: str
) -> TableRun:
    """The table that the arguments ask for; the preset follows the data unless it is named."""
    preset = given.preset or (text_preset if given.source else "toy")
    data, monolingual = data_of(given, preset), None
    if given.monolingual is not None:
        if isinstance(data, ToyData):
            raise ValueError(
                f"--monolingual {given.monolingual}: source text without targets goes with your "
                "own text; name that by --source and so on"
            )
        piped = store_of(given).root / "data" / "piped"
        monolingual = SourceText(str(readable_file(given.monolingual, piped)))
    return TableRun(
        data, PRESETS[preset], seeds, tuple(rows), monolingual, getattr(given, "one_teacher", False)
    )


def n_workers_of(asked: int | None) -> int:
    """The processes that the user asked for, or one for each core allowed."""
    if asked is not None and asked < 1:
        raise ValueError(f"--workers must be at least 1; got {asked}")
    return machine.available_cpus() if asked is None else asked


def seeds_of(given: Namespace, first: int = 1, number: int = 5) -> tuple[int, ...]:
    """Return --seeds seeds from --first-seed on; `number` and `first` where the user gives none.

    Raises ValueError for fewer than one seed, and for one below 0 or beyond MOST_SEED.
    """
    number = number if given.seeds is None else given.seeds
    first = first if given.first_seed is None else given.first_seed
    if number < 1:
        raise ValueError(f"--seeds must be at least 1; got {number}")
    if first < 0:
        raise ValueError(f"--first-seed must be at least 0; got {first}")
    if first + number - 1 > MOST_SEED:
        raise ValueError(
            f"--first-seed and --seeds ask for seeds beyond {MOST_SEED:,}; got {first} and {number}"
        )
    return tuple(range(first, first + number))
