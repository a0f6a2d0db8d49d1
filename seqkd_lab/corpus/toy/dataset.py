"""The toy corpus: its splits as files that anybody can open, made again byte by byte from a seed.

There are two test sets. `devtest` is the older one: settings of Table 1 were once chosen while it
was in view, so it judges only the studies that were measured on it. `test` was drawn after that,
from sources that occur in no other split; nothing is ever chosen on it.
"""

from __future__ import annotations

import hashlib
import json
import random
from collections.abc import Iterable
from functools import lru_cache
from pathlib import Path

from seqkd_lab import installation
from seqkd_lab.corpus.opening import open_text
from seqkd_lab.corpus.parallel import CorpusError, ParallelCorpus
from seqkd_lab.corpus.reading import lines_of
from seqkd_lab.corpus.toy.choices import Ambiguity
from seqkd_lab.corpus.toy.language import ToyLanguage

VERSION = 2
SIZES = {"train": 24_000, "valid": 1_000, "devtest": 1_000, "test": 1_000}
TEST_SETS = ("devtest", "test")
SEED = 2016
REFERENCES = 24
LICENCE = "CC0-1.0"
LICENCE_TEXT = """The toy corpus of seqkd_lab (train.tsv, valid.tsv, devtest.tsv, test.tsv)

These sentences were made by a program, seqkd_lab/corpus/toy. They are dedicated to the public domain under
CC0 1.0 Universal: https://creativecommons.org/publicdomain/zero/1.0/
"""  # noqa: E501
Tokens = tuple[str, ...]
Row = tuple[Tokens, ...]  # source, target, further references


def make(
    language: ToyLanguage, sizes: dict[str, int] = SIZES, seed: int = SEED
) -> dict[str, list[Row]]:
    """Draw the rows of each split: source and target, and for the test sets 24 further references
    from the truth.

    The sources of all splits but train are unique and occur in no other split; train may repeat a
    source. "test" is drawn last, from a seed of its own, so that it changed nothing of the others.
    The same language, sizes and seed give the same rows on every version of Python.
    """
    rng = random.Random(seed)
    taken: set[Tokens] = set()
    splits: dict[str, list[Row]] = {}
    for split in ("valid", "devtest", "train", "test"):
        if split in sizes:
            chance = random.Random(seed + 1) if split == "test" else rng
            splits[split] = _draw(language, split, sizes[split], taken, chance)
            taken |= {source for source, *_ in splits[split]}
    return splits


def _draw(
    language: ToyLanguage, split: str, size: int, taken: set[Tokens], rng: random.Random
) -> list[Row]:
    """`size` rows whose sources are not among `taken`; only a training set repeats one of its own
    sources."""
    rows: list[Row] = []
    own: set[Tokens] = set()
    while len(rows) < size:
        source = language.sample_source(rng)
        if source not in taken and (split == "train" or source not in own):
            references = REFERENCES if split in TEST_SETS else 0
            rows.append(
                (source, *(language.sample_target(source, rng) for _ in range(1 + references)))
            )
            own.add(source)
    return rows


def to_tsv(rows: Iterable[Row]) -> str:
    """Return one line for each row: the sentences, tokens joined by spaces, with tabs between
    them."""
    return "".join("\t".join(" ".join(sentence) for sentence in row) + "\n" for row in rows)


def write(
    directory: Path,
    language: ToyLanguage | None = None,
    sizes: dict[str, int] = SIZES,
    seed: int = SEED,
) -> dict[str, str]:
    """Write the corpus, its licence and its fingerprint; returns the sha256 of each TSV file."""
    language = language or ToyLanguage()
    directory.mkdir(parents=True, exist_ok=True)
    hashes = {}
    for split, rows in make(language, sizes, seed).items():
        content = to_tsv(rows).encode()
        (directory / f"{split}.tsv").write_bytes(content)
        hashes[f"{split}.tsv"] = hashlib.sha256(content).hexdigest()
    fingerprint = {
        "version": VERSION,
        "seed": seed,
        "sizes": sizes,
        "references": REFERENCES,
        "ambiguity": vars(language.ambiguity),
        "sha256": hashes,
    }
    (directory / "fingerprint.json").write_bytes(
        (json.dumps(fingerprint, indent=2, sort_keys=True) + "\n").encode()
    )
    (directory / "LICENCE.txt").write_bytes(LICENCE_TEXT.encode())
    return hashes


def load(directory: Path | None, split: str) -> ParallelCorpus:
    """A split of the toy corpus. Without the files (directory None) it is made in memory, the same
    to the byte.

    Raise ValueError for an unknown split, and CorpusError, with file and line, for a line that is
    not a row.
    """
    if split not in SIZES:
        raise ValueError(f"unknown split {split!r} of the toy corpus: choose {', '.join(SIZES)}")
    rows = _made_rows()[split] if directory is None else _read(directory / f"{split}.tsv")
    references = None
    if split in TEST_SETS:
        references = tuple(tuple(detokenise(target) for target in row[1:]) for row in rows)
    return ParallelCorpus(
        name="toy",
        split=split,
        licence=LICENCE,
        source=tuple(row[0] for row in rows),
        target=tuple(row[1] for row in rows),
        references=references,
    )


def toy_directory() -> Path | None:
    """Return the committed toy corpus's folder, None where a split is missing (then `load` makes
    the corpus)."""
    directory = installation.data_directory() / "toy"
    return directory if all((directory / f"{split}.tsv").is_file() for split in SIZES) else None


def detokenise(tokens: Iterable[str]) -> str:
    """Return the written sentence: a capital first, no space before comma and full stop."""
    text = " ".join(tokens).replace(" ,", ",").replace(" .", ".")
    return text[:1].upper() + text[1:]


@lru_cache(maxsize=1)
def _made_rows() -> dict[str, list[Row]]:
    return make(ToyLanguage(Ambiguity()))


def _read(path: Path) -> list[Row]:
    with open_text(path) as file:
        rows = [_row(path, number, line) for number, line in enumerate(lines_of(file, path), 1)]
    if not rows:
        raise CorpusError(f"{path}:1: the file is empty; {AGAIN}")
    return rows


AGAIN = "delete the file: the corpus is then made again in memory"


def _row(path: Path, number: int, line: str) -> Row:
    """Return the sentences of a line. Raise CorpusError, naming file and line, unless there are two
    or more, of words with single spaces between them."""
    texts = line.split("\t")
    row = tuple(tuple(text.split()) for text in texts)
    if len(row) < 2 or any(
        not words or " ".join(words) != text for words, text in zip(row, texts, strict=True)
    ):
        raise CorpusError(
            f"{path}:{number}: expected source, tab, target, found {line[:60]!r}; {AGAIN}"
        )
    return row
