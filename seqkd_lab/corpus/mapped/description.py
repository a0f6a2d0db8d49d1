"""What a folder of an encoded corpus holds, in words and numbers: its file corpus.json."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal

import msgspec

from seqkd_lab.corpus.mapped.sentences import WrittenSentences
from seqkd_lab.files import read_json, write_json

DESCRIPTION, SUBWORDS = "corpus.json", "subwords.model"
REVISION: Literal[1] = 1
"""Of the folder's format; another one is not read."""
REMEDY = "delete the folder, and `seqkd-lab corpus encode` makes it again"


class Pairs(msgspec.Struct, frozen=True):
    """The two sides of the N training pairs."""

    source: WrittenSentences
    target: WrittenSentences


class Description(msgspec.Struct, frozen=True):
    """The file. text: the fingerprint of the six files and of how they were taken and cut. read:
    training pairs before cleaning. files: the sha256 of the small ones, by name."""

    revision: Literal[1]
    text: Annotated[str, msgspec.Meta(pattern="^[0-9a-f]{64}$")]
    read: Annotated[int, msgspec.Meta(ge=1)]
    pairs: Annotated[int, msgspec.Meta(ge=1)]
    train: Pairs
    files: dict[str, str]
    cleaning: list[str]


def write_description(folder: Path, description: Description) -> None:
    """Write the file, which comes last: a folder without it is not whole."""
    write_json(folder / DESCRIPTION, msgspec.to_builtins(description))


def read_description(folder: Path) -> Description:
    """Read the file. Raise FileError, naming it, where it holds anything else; OSError where it
    cannot be read."""
    return read_json(folder / DESCRIPTION, Description, REMEDY)
