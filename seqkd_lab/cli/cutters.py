"""The one subword model (cutter) of a command: it cuts whatever the model, its student and their
corpora read."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from seqkd_lab.cli.models import check_name
from seqkd_lab.corpus.subwords import SubwordTokeniser
from seqkd_lab.models.checkpoint import write_atomically
from seqkd_lab.models.folder import SUBWORDS


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
