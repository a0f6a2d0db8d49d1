"""The models that names on the command line refer to, and the subword model (cutter) that the
models and corpora of a command share."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Annotated

import msgspec

from seqkd_lab.corpus.subwords import SubwordTokeniser
from seqkd_lab.files import checked, read_json, write_atomically
from seqkd_lab.models.ensemble import Ensemble
from seqkd_lab.models.folder import HISTORY, SUBWORDS, TRAINED_ON, TrainedModel, load_folder
from seqkd_lab.runs import committed
from seqkd_lab.runs.presets import PRESETS
from seqkd_lab.runs.recipes import TABLE_ROWS, ToyData
from seqkd_lab.runs.store import Store
from seqkd_lab.studies.table1.table import TableRun


def find_model(name: str, store: Store) -> TrainedModel:
    """Return a model by its folder, or by its row of Table 1: from the store, where `seqkd-lab
    tour` trained it there (toy, seed 1), else the committed checkpoint (the representative seed).

    Raise ValueError for a name that is neither, FileError and CorpusError for a damaged
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
    """Raise ValueError for a name that is neither a folder nor a row of the table; an empty one,
    which an unset shell variable leaves, is no folder."""
    if not name.strip() or (not Path(name).is_dir() and name not in TABLE_ROWS):
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


class TrainedOn(msgspec.Struct):
    """What a model of real text learnt from: pairs, target tokens per source token, and the preset
    of its sizes; None where the record does not say it."""

    n_pairs: Annotated[int, msgspec.Meta(ge=1, lt=2**53)] | None = None
    tokens_per_source_token: Annotated[float, msgspec.Meta(ge=0)] | None = None
    preset: Annotated[str, msgspec.Meta(pattern="^[a-z0-9-]+$")] | None = None


class _Record(msgspec.Struct):
    trained_on: TrainedOn | None = msgspec.field(name=TRAINED_ON, default=None)


def trained_on(names: Sequence[str]) -> TrainedOn:
    """Return what the first of `names` with a record was trained on; nothing is known of rows of
    the table and older folders. Raise FileError for a record that is damaged."""
    for name in names:
        try:
            content = read_json(Path(name) / HISTORY)
        except OSError:
            continue
        if isinstance(content, dict):  # a list is the history of a pruning
            record = checked(content, _Record, f"{Path(name) / HISTORY}").trained_on
            if record is not None:
                return record
    return TrainedOn()


def beside(table: Path) -> Path:
    """Return the file that holds the cutter of the corpus `table`: x.subwords.model for x.tsv."""
    return table.with_suffix(f".{SUBWORDS}")


def write_cutter(table: Path, subwords: SubwordTokeniser | None) -> None:
    """Write the cutter beside a corpus; the toy language has none, and that of an earlier corpus is
    removed."""
    if subwords is None:
        beside(table).unlink(missing_ok=True)
    else:
        write_atomically(beside(table), subwords.model)


def cutter_of_model(name: str) -> Path | None:
    """Return the cutter in a model's folder; None for a row of the table and for a folder of the
    toy language.

    Raise ValueError for a name that is neither."""
    check_name(name)
    file = Path(name) / SUBWORDS
    return file if file.is_file() else None


def one_cutter(models: Sequence[str], tables: Sequence[Path] = ()) -> Path | None:
    """Return the cutter that all `models` (folders or rows of the table) and corpora `tables`
    share; None where none has one.

    Raise ValueError, naming two files, when they cut text in different ways, or when a model of
    the toy language is among models or corpora of real text.
    """
    of_models = {name: cutter_of_model(name) for name in models}
    files = [
        file
        for file in (*of_models.values(), *map(beside, tables))
        if file is not None and file.is_file()
    ]
    for other in files[1:]:
        if other.read_bytes() != files[0].read_bytes():
            raise ValueError(
                f"{files[0]} and {other} are different subword models; a teacher, its student and "
                "their corpora need the same one: derive them from one another, or train again "
                f"with --subwords {files[0]}"
            )
    toys = [name for name, file in of_models.items() if file is None]
    if files and toys:
        raise ValueError(
            f"{toys[0]} reads the toy language (it has no {SUBWORDS}), but {files[0]} is for real "
            "text"
        )
    return files[0] if files else None


def check_kind(models: Sequence[str], has_own_text: bool) -> None:
    """Raise ValueError where a model of the toy language would read real text, or vice versa."""
    for name in models:
        cutter = cutter_of_model(name)
        if has_own_text and cutter is None:
            raise ValueError(
                f"{name} reads the toy language (it has no {SUBWORDS}), not your own text; omit "
                "that text, or train a model on it"
            )
        if not has_own_text and cutter is not None:
            raise ValueError(
                f"{name} reads real text (subwords: {cutter}); give that text with --text, or with "
                "--source and the other five options"
            )
