"""Folders of encoded corpora that are damaged, cut short, or were made by somebody else: used as
they were written, or refused by the file's name."""

from __future__ import annotations

import hashlib
import json
import os
import random
import shutil
from pathlib import Path

import numpy as np
import pytest
import torch
from encoded_text import encoded_here, files_in
from own_text import PLAIN
from soak import attempts, tally

from seqkd_lab.corpus.batching import batches
from seqkd_lab.corpus.mapped.stored import StoredCorpus, open_corpus
from seqkd_lab.corpus.parallel import CorpusError


@pytest.fixture(scope="module")
def good(tmp_path_factory) -> Path:
    folder = tmp_path_factory.mktemp("good")
    PLAIN.write(folder / "text")
    encoded_here(files_in(folder / "text"), folder / "corpus")
    return folder / "corpus"


@pytest.fixture
def folder(good, tmp_path) -> Path:
    return Path(shutil.copytree(good, tmp_path / "corpus"))


NAMES = [
    "corpus.json",
    "source.vocabulary.json",
    "subwords.model",
    "train.source.ids.npy",
    "train.target.starts.npy",
    "train.target.lengths.npy",
    "valid.target",
]


def damaged(content: bytes, chance: random.Random) -> bytes:
    """A byte changed, the end lost, something behind it, nothing at all, or something else."""
    kind, at = chance.randrange(6), chance.randrange(len(content))
    if kind == 0:
        return content[:at] + bytes([content[at] ^ 1 << chance.randrange(8)]) + content[at + 1 :]
    return [content[:at], content + content[: at + 1], b"", b"\x93NUMPY", content[at:] + b"\n"][
        kind - 1
    ]


def as_written(stored: StoredCorpus, good: Path) -> bool:
    """Whether all that a training takes is what was written."""
    own, other = stored.train.encoded, open_corpus(good).train.encoded
    arrays = (
        torch.equal(getattr(getattr(own, side), part), getattr(getattr(other, side), part))
        for side in ("source", "target")
        for part in ("ids", "starts", "lengths")
    )
    return all(arrays) and stored.valid.target == open_corpus(good).valid.target


@pytest.mark.parametrize("name", NAMES)
def test_a_damaged_file_is_refused_by_name_or_harmless(folder, good, name):
    """corpus.json may name another file that it no longer fits; bytes behind an array do not
    count."""
    content, chance = (good / name).read_bytes(), random.Random(name)
    named = folder if name == "corpus.json" else folder / name
    with tally(f"encoded corpus: damaged {name}") as count:
        for _ in range(attempts(25, 1_500)):
            (folder / name).write_bytes(damaged(content, chance))
            try:
                stored = open_corpus(folder)
            except CorpusError as error:
                count.tried(None if str(named) in str(error) else f"names no file: {error}")
            except Exception as error:
                count.tried(f"{error!r}"[:300])
            else:
                count.tried(None if as_written(stored, good) else "was taken for good")


@pytest.mark.parametrize("name", NAMES)
def test_what_is_no_file_is_refused_by_name(folder, name):
    (folder / name).unlink()
    with pytest.raises(CorpusError, match=name if name != "corpus.json" else "no corpus.json"):
        open_corpus(folder)
    os.mkfifo(folder / name)
    with pytest.raises(CorpusError, match=f"{name}: this is a pipe"):
        open_corpus(folder)
    (folder / name).unlink()
    (folder / name).mkdir()
    with pytest.raises(CorpusError, match=f"{name}: this is a folder"):
        open_corpus(folder)


def written_anew(folder: Path, name: str, change) -> None:
    """Change an array and say so in corpus.json, as somebody might who wants harm."""
    array = np.load(folder / f"{name}.npy")
    change(array)
    np.save(folder / f"{name}.npy", array)
    description = json.loads((folder / "corpus.json").read_text())
    split, side, part = name.split(".")
    written = description[split][side][part]
    written["sha256"] = hashlib.sha256(array.tobytes()).hexdigest()
    (folder / "corpus.json").write_text(json.dumps(description))


def to(place: int, value: int):
    def change(array) -> None:
        array[place] = value

    return change


@pytest.mark.parametrize(
    ("name", "change"),
    [
        ("train.source.ids", to(3, 10_000)),
        ("train.target.ids", to(0, -1)),
        ("train.source.starts", to(2, 10**12)),
        ("train.source.starts", to(0, -5)),
        ("train.target.lengths", to(1, 10**9)),
        ("train.target.lengths", to(1, 0)),
        ("train.source.lengths", to(-1, 2)),
    ],
)
def test_numbers_that_cannot_be_are_refused_though_their_hash_is_right(folder, name, change):
    """An id beyond the vocabulary, a sentence beyond the file: each would reach into memory that is
    somebody else's."""
    written_anew(folder, name, change)
    with pytest.raises(CorpusError, match=name.rpartition(".")[0]):
        open_corpus(folder)


def test_arrays_that_carry_python_objects_are_not_loaded(folder):
    class Harm:
        def __reduce__(self):
            return os.mkdir, (str(folder / "harm"),)

    np.save(folder / "train.source.ids.npy", np.array([Harm()], dtype=object), allow_pickle=True)
    with pytest.raises(CorpusError, match=r"train\.source\.ids\.npy"):
        open_corpus(folder)
    assert not (folder / "harm").exists()


def test_a_name_of_a_file_elsewhere_is_refused(folder):
    description = json.loads((folder / "corpus.json").read_text())
    description["files"]["../secret"] = "0" * 64
    (folder / "corpus.json").write_text(json.dumps(description))
    with pytest.raises(CorpusError, match="no name of a file"):
        open_corpus(folder)


def test_what_is_mapped_cannot_be_written_to(folder):
    """A write would end the process: there is no memory behind it. So nothing in a training may."""
    encoded = open_corpus(folder).train.encoded
    before = encoded.source.ids.clone()
    for batch in batches(encoded, 3, 1):
        batch.source.fill_(1)
        batch.target_in.fill_(1)
    assert (encoded.source.ids == before).all()


def test_a_read_only_folder_is_read(folder):
    for path in folder.iterdir():
        path.chmod(0o400)
    folder.chmod(0o500)
    try:
        assert len(open_corpus(folder).train) == len(PLAIN.train)
    finally:
        folder.chmod(0o700)
