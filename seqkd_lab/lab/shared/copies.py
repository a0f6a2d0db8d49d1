"""The lessons, as they travel with the package, copied to a folder of the learner's.

A learner writes into notebooks: nothing that was changed is ever overwritten. A record in the
folder says what was handed out, so that a copy which nobody has touched since can be renewed.
"""

from __future__ import annotations

import hashlib
import re
from pathlib import Path

from seqkd_lab import __version__
from seqkd_lab.files import FileError, kind_of, read_bytes, read_json, write_atomically, write_json

RECORD = ".seqkd_lab_lessons.json"
"""The file in the learner's folder that says the sha256 of every file that was handed out."""
WRITTEN, RENEWED, UNCHANGED, KEPT, BESIDE = "written", "renewed", "unchanged", "kept", "beside"
"""What became of a file: it was missing; it was an earlier one, untouched; it is the same; it was
changed, and is the newest that was handed out; it was changed, and a newer one lies beside it."""
LARGEST = 2**26
HIDDEN = re.compile(r"(^|/)\.")
REMEDY = "move it away, or name another folder"


def copy_lessons(source: Path, folder: Path) -> dict[str, str]:
    """Copy the files of `source` to `folder`, each whole or not at all; return what became of each,
    by its path below both.

    Raise FileError where a link, a folder or a device has the name of a file; OSError, naming the
    path, where nothing can be written.
    """
    recorded = _recorded(folder / RECORD)
    outcomes = {}
    for path in sorted(file for file in source.rglob("*") if file.is_file()):
        name, content = path.relative_to(source).as_posix(), path.read_bytes()
        if HIDDEN.search(name):  # what Jupyter leaves in a checkout
            continue
        outcomes[name] = _copy(content, folder / name, recorded.get(name))
        recorded[name] = _sha256(content)
    write_json(folder / RECORD, recorded)
    return outcomes


def beside(path: Path) -> Path:
    """Return where this version's file lies beside a changed one."""
    return path.with_name(f"{path.stem}.{__version__}{path.suffix}")


def _copy(content: bytes, path: Path, recorded: str | None) -> str:
    """Write one file, unless the learner has changed it; return what became of it. `recorded` is
    the sha256 of the one that was handed out last."""
    if kind_of(path) is None:
        write_atomically(path, content)
        return WRITTEN
    present = read_bytes(path, LARGEST, REMEDY)
    if present == content:
        return UNCHANGED
    if _sha256(present) == recorded:
        write_atomically(path, content)
        return RENEWED
    if _sha256(content) == recorded:
        return KEPT
    if kind_of(beside(path)) is None:  # else it is there already, and may have been changed, too
        write_atomically(beside(path), content)
    return BESIDE


def _recorded(record: Path) -> dict[str, str]:
    """Return what was handed out; nothing where that is not known, so that all that is there counts
    as changed."""
    try:
        return read_json(record, dict[str, str])
    except (FileNotFoundError, FileError):
        return {}


def _sha256(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()
