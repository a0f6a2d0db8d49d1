"""The folder of a trained model: weights, description, the cutter of its text, its history."""

from __future__ import annotations

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
from seqkd_lab.models.checkpoint import load_model, save_model, write_json
from seqkd_lab.models.seq2seq import Seq2Seq

SUBWORDS = "subwords.model"
"""Beside a model of real text: how its words were cut, so that the folder alone can translate."""
HISTORY = "history.json"
OF_A_MODEL = (SUBWORDS, HISTORY, "recipe.json", "translations.tsv", "metrics-*.json")
"""What may lie beside weights and description, and is wrong beside those of another model."""


@dataclass(frozen=True)
class TrainedModel:
    """A model and the cutter of all text that it reads and writes; `subwords` is None for the toy language."""

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

    history: what `history.json` is to hold. sparse: store only weights that are not 0. All files are written beside
    first and then moved, the description last, so that a full disk leaves the earlier model as it was.
    Raises OSError, with the path, where nothing can be written.
    """
    directory.mkdir(parents=True, exist_ok=True)
    beside = Path(tempfile.mkdtemp(dir=directory, prefix=".new-"))
    try:
        save_model(beside, trained.model, sparse=sparse)
        write_json(beside / HISTORY, history)
        if trained.subwords is not None:
            trained.subwords.save(beside / SUBWORDS)
        _remove_earlier(directory)
        for file in sorted(beside.iterdir(), key=lambda file: file.name == "model.json"):
            os.replace(file, directory / file.name)
    finally:
        shutil.rmtree(beside, ignore_errors=True)


def _remove_earlier(directory: Path) -> None:
    """Remove what belongs to the model that lay in `directory`, except its weights, which are replaced."""
    for pattern in ("model.json", *OF_A_MODEL):
        for file in directory.glob(pattern):
            file.unlink(missing_ok=True)


def load_folder(directory: Path) -> TrainedModel:
    """Read what `save_folder` wrote. Raises CheckpointError or CorpusError, naming the file, where it is damaged."""
    subwords = directory / SUBWORDS
    return TrainedModel(load_model(directory), SubwordTokeniser.load(subwords) if subwords.exists() else None)
