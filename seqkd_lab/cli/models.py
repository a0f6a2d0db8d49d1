"""Which model a name on the command line means."""

from __future__ import annotations

from pathlib import Path

from seqkd_lab.experiments import committed
from seqkd_lab.experiments.presets import PRESETS
from seqkd_lab.experiments.recipes import TABLE_ROWS, ToyData
from seqkd_lab.experiments.store import Store
from seqkd_lab.experiments.table import TableRun
from seqkd_lab.models.folder import TrainedModel, load_folder


def find_model(name: str, store: Store) -> TrainedModel:
    """Return a model by its folder, or by its row of Table 1: from the store, where `seqkd-lab tour` trained it there
    (toy, seed 1), else the committed checkpoint (the representative seed).

    Raises ValueError for a name that is neither, CheckpointError and CorpusError for a damaged folder.
    """
    if Path(name).is_dir():
        return load_folder(Path(name))
    if name not in TABLE_ROWS:
        raise ValueError(f"{name!r} is neither a model's folder nor a row of the table: {', '.join(TABLE_ROWS)}")
    recipe = TableRun(ToyData(), PRESETS["toy"], (1,)).recipes(1)[name]
    if store.has_model(recipe):
        return TrainedModel(store.model(recipe))
    directory = committed.checkpoint_directory(name)
    if directory is None:
        raise ValueError(f"model {name!r} is not trained yet; `seqkd-lab tour` trains it")
    return TrainedModel(committed.load_committed(directory))
