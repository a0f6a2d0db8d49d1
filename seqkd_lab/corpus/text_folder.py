"""A folder of one's own text: train, valid and test, each in two aligned files, `train.source` and
`train.target`."""

from __future__ import annotations

import random
from pathlib import Path

from seqkd_lab.corpus.cleaning import clean, split_by_source
from seqkd_lab.corpus.parallel import CorpusError, RawPairs
from seqkd_lab.corpus.reading import read_aligned
from seqkd_lab.files import write_atomically

SPLITS, SIDES = ("train", "valid", "test"), ("source", "target")
MOST_HELD_OUT = 0.1
"""Share of the distinct sources that validation and test may take each, unless more is asked
for."""


def split_files(
    source: str, target: str, n_valid: int | None, n_test: int | None, seed: int
) -> tuple[dict[str, RawPairs], str]:
    """Divide two aligned files into train, valid and test, and say in words what cleaning dropped.

    All pairs of one source come to the same split, so that no test sentence was trained on. valid
    and test keep the first pair of each source. train is shuffled, since texts are often sorted,
    and its first pairs are then a sample of all. n_valid and n_test count sources (None: 1,000, but
    at most a tenth of all). Raise CorpusError, naming file and line, for text that cannot be used,
    and where too little is left.
    """
    pairs, report = clean(read_aligned(source, target, split="text"))
    usual = max(1, min(1_000, int(MOST_HELD_OUT * len(set(pairs.source)))))
    n_valid = usual if n_valid is None else n_valid
    n_test = usual if n_test is None else n_test
    parts = split_by_source(pairs, n_valid, n_test, seed)
    order = list(range(len(parts[0])))
    random.Random(seed).shuffle(order)
    train, valid, test = parts[0][order], *map(first_of_each_source, parts[1:])
    return dict(zip(SPLITS, (train, valid, test), strict=True)), str(report)


def first_of_each_source(pairs: RawPairs) -> RawPairs:
    """Return the first pair of each source, in order: a sentence is scored once."""
    first_rows: dict[str, int] = {}
    for row, source in enumerate(pairs.source):
        first_rows.setdefault(source, row)
    return pairs[list(first_rows.values())]


def write_folder(folder: Path, splits: dict[str, RawPairs]) -> list[Path]:
    """Write six files and return their paths. Raise CorpusError where `folder` holds one of them
    already."""
    texts = {
        folder / f"{split}.{side}": getattr(pairs, side)
        for split, pairs in splits.items()
        for side in SIDES
    }
    for path in texts:
        if path.exists():
            raise CorpusError(
                f"{path} is there already; name another folder by --out, or delete it"
            )
    for path, lines in texts.items():
        write_atomically(path, ("\n".join(lines) + "\n").encode())
    return list(texts)


def files_of(folder: Path) -> list[str]:
    """Return the six files of a folder, plain or .gz: train, valid, test, the source before the
    target.

    Raise CorpusError, naming the file, where one is missing or there twice.
    """
    if not folder.is_dir():
        raise CorpusError(
            f"{folder}: no such folder; `seqkd-lab corpus split SOURCE TARGET --out {folder}` "
            "makes it"
        )
    return [_file_of(folder, f"{split}.{side}") for split in SPLITS for side in SIDES]


def _file_of(folder: Path, name: str) -> str:
    plain, packed = folder / name, folder / f"{name}.gz"
    if plain.exists() and packed.exists():
        raise CorpusError(f"{plain} and {packed}: which one is meant? Delete the other")
    if not plain.exists() and not packed.exists():
        raise CorpusError(
            f"{plain}: no such file, nor {packed.name}; a folder of text has six files, "
            f"{', '.join(f'{split}.{side}' for split in SPLITS for side in SIDES)}"
        )
    return str(plain if plain.exists() else packed)
