"""The model that a name on the command line refers to."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from seqkd_lab.models.checkpoint import CheckpointError, read_json
from seqkd_lab.models.ensemble import Ensemble
from seqkd_lab.models.folder import HISTORY, TRAINED_ON, TrainedModel, load_folder
from seqkd_lab.runs import committed
from seqkd_lab.runs.presets import PRESETS
from seqkd_lab.runs.recipes import TABLE_ROWS, ToyData
from seqkd_lab.runs.store import Store
from seqkd_lab.studies.table1.table import TableRun


def find_model(name: str, store: Store) -> TrainedModel:
    """Return a model by its folder, or by its row of Table 1: from the store, where `seqkd-lab
    tour` trained it there (toy, seed 1), else the committed checkpoint (the representative seed).

    Raise ValueError for a name that is neither, CheckpointError and CorpusError for a damaged
    folder.
    """
    check_name(name)
    if Path(name).is_dir():
        return load_folder(Path(name))
    recipe = TableRun(ToyData(), PRESETS["toy"], (1,)).recipes(1)[name]
    if store.has_model(recipe):
        return TrainedModel(store.model(recipe))
    directory = committed.checkpoint_directory(name)
    if directory is None:
        raise ValueError(f"model {name!r} is not trained yet; run `seqkd-lab tour` to train it")
    return TrainedModel(committed.load_committed(directory))


def check_name(name: str) -> None:
    """Raise ValueError for a name that is neither a folder nor a row of the table."""
    if not Path(name).is_dir() and name not in TABLE_ROWS:
        raise ValueError(
            f"{name!r} is neither a model folder nor a row of the table: {', '.join(TABLE_ROWS)}"
        )


def find_teacher(names: Sequence[str], store: Store) -> TrainedModel:
    """Return the model of `names`; of several, their ensemble, whose probabilities are averaged.

    Raise ValueError, naming two of them, when several do not have the same vocabularies, and as
    `find_model` does.
    """
    members = [find_model(name, store) for name in names]
    if len(members) == 1:
        return members[0]
    return TrainedModel(
        Ensemble([trained.model for trained in members], names).eval(), members[0].subwords
    )


def trained_on(names: Sequence[str]) -> dict[str, Any]:
    """Return what the first of `names` with a record was trained on; an empty dictionary for rows
    of the table and older folders."""
    for name in names:
        try:
            history = read_json(Path(name) / HISTORY)
        except (OSError, CheckpointError):
            continue
        if isinstance(history, dict) and isinstance(history.get(TRAINED_ON), dict):
            return history[TRAINED_ON]
    return {}
