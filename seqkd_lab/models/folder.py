"""The folder of a trained model: weights, description, the cutter of its text, its history."""

from __future__ import annotations

import filecmp
import os
import shutil
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from seqkd_lab.corpus.subwords import SubwordTokeniser
from seqkd_lab.corpus.toy.dataset import detokenise
from seqkd_lab.corpus.toy.text import tokenise
from seqkd_lab.files import (
    FileError,
    make_folder,
    named,
    sweep,
    temporary_prefix,
    write_atomically,
    write_json,
)
from seqkd_lab.models.checkpoint import load_model, save_model
from seqkd_lab.models.seq2seq import Seq2Seq

SUBWORDS = "subwords.model"
"""Beside a model of real text: how its words were cut, so that the folder alone can translate."""
HISTORY, DESCRIPTION = "history.json", "model.json"
TRAINED_ON = "trained_on"
"""In the history of a model of real text: how many pairs it was given, and target tokens per source
token."""
OF_A_MODEL = (SUBWORDS, HISTORY, "recipe.json", "translations.tsv", "metrics-*.json")
"""What may lie beside weights and description, and is wrong beside those of another model."""


@dataclass(frozen=True)
class TrainedModel:
    """A model and the cutter of all text that it reads and writes; `subwords` is None for the toy
    language."""

    model: Seq2Seq
    subwords: SubwordTokeniser | None = None

    def encode(self, text: str) -> tuple[str, ...]:
        """Return the tokens of a source sentence, as the model reads them."""
        return tuple(tokenise(text)) if self.subwords is None else self.subwords.encode(text)

    def decode(self, tokens: Sequence[str]) -> str:
        """Return the text of a translation in tokens."""
        return detokenise(tokens) if self.subwords is None else self.subwords.decode(tokens)


def save_folder(directory: Path, trained: TrainedModel, history: Any, sparse: bool = False) -> None:
    """Write a trained model to `directory` and remove what lay there of an earlier one.

    history: what `history.json` is to hold. sparse: store only weights that are not 0. All files
    are written beside first, so that a full disk leaves the earlier model as it was. Then the
    earlier description goes, the new files come, and the new description last: whoever is
    interrupted between leaves a folder that says it is not whole. The very same model again takes
    nothing away, since another process may be reading it. Raise OSError, with the path, where
    nothing can be written.
    """
    with named(directory / DESCRIPTION):
        make_folder(directory)
        sweep(directory)
        beside = Path(tempfile.mkdtemp(dir=directory, prefix=temporary_prefix("new")))
    try:
        save_model(beside, trained.model, sparse=sparse)
        write_json(beside / HISTORY, history)
        if trained.subwords is not None:
            write_atomically(beside / SUBWORDS, trained.subwords.model)
        if not _same_model(beside, directory):
            _remove_earlier(directory)
        elif trained.subwords is None:
            (directory / SUBWORDS).unlink(missing_ok=True)
        for file in sorted(beside.iterdir(), key=lambda file: file.name == DESCRIPTION):
            with named(directory / file.name):
                os.replace(file, directory / file.name)
    finally:
        shutil.rmtree(beside, ignore_errors=True)


def _same_model(beside: Path, directory: Path) -> bool:
    """Tell whether weights and description are, byte by byte, those that lie in `directory`."""
    names = [file.name for file in beside.iterdir() if file.name.startswith("model.")]
    return all(
        (directory / name).is_file() and filecmp.cmp(beside / name, directory / name, False)
        for name in names
    )


def _remove_earlier(directory: Path) -> None:
    """Remove what belongs to the model that lay in `directory`, its description first; its weights
    are replaced."""
    for pattern in (DESCRIPTION, *OF_A_MODEL):
        for file in directory.glob(pattern):
            file.unlink(missing_ok=True)


def load_folder(directory: Path) -> TrainedModel:
    """Read what `save_folder` wrote. Raise FileError or CorpusError, naming the file, where
    it is damaged or where saving it was interrupted."""
    try:
        model = load_model(directory)
    except FileNotFoundError as error:
        raise FileError(
            f"{error.filename}: no such file, so that {directory} holds no whole model; a model's "
            "folder is what `seqkd-lab train --out` writes, and an interrupted saving is made "
            "good by the same command again"
        ) from error
    subwords = directory / SUBWORDS
    return TrainedModel(model, SubwordTokeniser.load(subwords) if subwords.exists() else None)
