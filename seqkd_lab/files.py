"""Files that other people, other programs and interrupted runs also touch: read with a schema,
written at once or not at all, and swept when their writer is gone.

A reader never trusts what lies on disk: it may be a pipe, a device, half a file, or something that
somebody else wrote. JSON is decoded by msgspec, which checks types while it reads, names the key
that is wrong, and takes neither NaN nor infinity for a number.
"""

from __future__ import annotations

import errno
import hashlib
import json
import math
import os
import re
import shutil
import socket
import stat
import tempfile
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any, BinaryIO, TypeVar

import msgspec

from seqkd_lab import system

T = TypeVar("T")
MAKE_AGAIN = "delete the file to make it again"
PART = 2**20
LARGEST_JSON = 2**26
"""Bytes: the largest file of results has a hundredth of it."""
LEFT_OVER_AGE = 24 * 3600
"""Seconds after which a temporary file is nobody's, whoever wrote it."""


class FileError(ValueError):
    """A file that is not there, or not what it should be; the message names it, what was expected
    and what to do."""


def check_regular(path: Path, remedy: str = MAKE_AGAIN) -> None:
    """Raise FileError where `path` is a folder, a device, a pipe or a socket: none of them
    is read. A missing file is left to whoever opens it."""
    kind = kind_of(path)
    if kind not in (None, "file"):
        raise FileError(f"{path}: this is a {kind}, not a file; {remedy}")


def kind_of(path: Path) -> str | None:
    """Return what `path` is, after links: "file", "folder", "device", "pipe" or "socket"; None
    where there is nothing."""
    try:
        mode = os.stat(path).st_mode
    except OSError:
        return None
    kinds = {
        stat.S_IFREG: "file",
        stat.S_IFDIR: "folder",
        stat.S_IFIFO: "pipe",
        stat.S_IFSOCK: "socket",
    }
    return kinds.get(stat.S_IFMT(mode), "device")


def read_bytes(path: Path, most: int, remedy: str = MAKE_AGAIN) -> bytes:
    """Return what a regular file of at most `most` bytes holds.

    Raise FileError for anything else, OSError where it cannot be read.
    """
    check_regular(path, remedy)
    with path.open("rb") as file:
        content = read_at_most(file, most + 1)
    if len(content) > most:
        raise FileError(f"{path}: larger than {most / 2**20:,.0f} MiB; {remedy}")
    return content


def read_at_most(file: BinaryIO, most: int) -> bytes:
    """Return what is left of an open file or pipe, up to `most` bytes, a number that may be far
    beyond the memory: file.read(most) would ask for all of it at once."""
    parts = []
    while most > 0 and (part := file.read(min(most, PART))):
        parts.append(part)
        most -= len(part)
    return b"".join(parts)


def sha256_of(path: Path, remedy: str = "give the path of a file") -> str:
    """Return the sha256 (hex) of a regular file of any size. Raise FileError for anything else,
    OSError where it cannot be read."""
    check_regular(path, remedy)
    digest = hashlib.sha256()
    with path.open("rb") as file:
        while part := file.read(PART):
            digest.update(part)
    return digest.hexdigest()


def read_json(path: Path, schema: type[T] | Any = Any, remedy: str = MAKE_AGAIN) -> T | Any:
    """Read JSON and check it against `schema`, any type that msgspec knows.

    Raise FileError, naming the file, the key, what was expected and the `remedy`, where it
    holds anything else; OSError where it cannot be read.
    """
    content = read_bytes(path, LARGEST_JSON, remedy)
    try:
        return msgspec.json.decode(content, type=schema)
    except msgspec.ValidationError as error:
        raise FileError(f"{path}: not as expected ({_in_short(error)}); {remedy}") from error
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise FileError(f"{path}: not JSON ({error}); {remedy}") from error
    except RecursionError as error:
        raise FileError(f"{path}: not JSON (nested too deeply); {remedy}") from error


def checked(value: Any, schema: type[T], where: str, remedy: str = MAKE_AGAIN) -> T:
    """Return JSON values that were read already as `schema`; raise FileError as `read_json`
    does, with `where` in front."""
    try:
        return msgspec.convert(value, schema)
    except msgspec.ValidationError as error:
        raise FileError(f"{where}: not as expected ({_in_short(error)}); {remedy}") from error


def _in_short(error: Exception) -> str:
    """Return a message in one line of at most 300 characters: it may quote a key of any length."""
    line = " ".join(str(error).split())
    return line if len(line) <= 300 else f"{line[:299]}…"


def write_json(path: Path, content: Any) -> None:
    """Write JSON that a person can read, atomically. Raise FileError, naming the key, for NaN and
    infinity, which JSON does not have and no result may be."""
    wrong = not_finite(content)
    if wrong is not None:
        raise FileError(
            f"{path}: not written, since {wrong} is no finite number, as after a training that "
            "diverged; train with a smaller learning rate"
        )
    text = json.dumps(content, indent=1, ensure_ascii=False, allow_nan=False)
    # half a character, as a path of bytes may hold, has no place in UTF-8
    write_atomically(path, (text + "\n").encode("utf-8", "replace"))


def not_finite(content: Any, key: str = "$") -> str | None:
    """Return the key of the first number in `content`, plain values, that is NaN or infinite, as
    in "$.history.valid_loss[2]"; None where there is none."""
    if isinstance(content, float):
        return None if math.isfinite(content) else key
    parts: Iterable[tuple[str, Any]] = ()
    if isinstance(content, Mapping):
        parts = ((f"{key}.{name}", part) for name, part in content.items())
    elif isinstance(content, (list, tuple)):
        parts = ((f"{key}[{place}]", part) for place, part in enumerate(content))
    return next(filter(None, (not_finite(part, name) for name, part in parts)), None)


def write_atomically(path: Path, content: bytes) -> None:
    """Write `content` beside `path` and move it into place, as `written_atomically` does."""
    with written_atomically(path) as file:
        file.write(content)


@contextmanager
def written_atomically(path: Path) -> Iterator[BinaryIO]:
    """Give an open file beside `path`, and move it into place at the end of the body: a reader sees
    the old file or the new one, whole.

    Folders that are missing are made, writable for whom the folder around them is. Raise OSError
    (with the path) when the disk is full or not writable: what stood there before stays. Raise
    FileError where a device, a pipe, a folder or a link stands there, which a file would
    replace.
    """
    check_replaceable(path)
    with named(path):
        make_folder(path.parent)
        sweep(path.parent)
        descriptor, temporary = tempfile.mkstemp(
            dir=path.parent, prefix=temporary_prefix(path.name)
        )
        try:
            with os.fdopen(descriptor, "wb") as file:
                yield file
                file.flush()
                os.fsync(file.fileno())
            os.chmod(temporary, 0o644)
            os.replace(temporary, path)
        finally:
            Path(temporary).unlink(missing_ok=True)


def check_replaceable(path: Path) -> None:
    """Raise FileError unless `path` is a regular file or nothing: to move a file onto a
    link, a device or a pipe would replace it."""
    if path.is_symlink():
        raise FileError(
            f"{path}: this is a link, to {os.readlink(path)}; name that file itself, or delete the "
            "link"
        )
    kind = kind_of(path)
    if kind not in (None, "file"):
        raise FileError(f"{path}: this is a {kind}; name a file")


@contextmanager
def named(path: Path) -> Iterator[None]:
    """Let an OSError of the body name `path`, and say what to do about it."""
    try:
        yield
    except OSError as error:
        why = f"{error.strerror or error}; could not write{_remedy(error, path)}"
        raise OSError(error.errno, why, str(path)) from error


NOT_ALLOWED = (errno.EACCES, errno.EPERM, errno.EROFS)
FULL = (errno.ENOSPC, errno.EDQUOT)


def _remedy(error: OSError, path: Path) -> str:
    """Return what to do about an error in writing `path`, with the folder and its owner where they
    are the cause; nothing where no more is known."""
    folder = next((part for part in path.absolute().parents if part.is_dir()), Path.cwd())
    if error.errno in FULL:
        return (
            f": {shutil.disk_usage(folder).free / 2**20:,.0f} MiB are free in {folder}; make room, "
            "or choose another folder"
        )
    if error.errno in NOT_ALLOWED:
        return (
            f": {folder} belongs to {owner(folder)} ({stat.filemode(folder.stat().st_mode)}), and "
            f"you are {system.own_name()}; "
            "choose another folder (for trained models: --store DIR, or SEQKD_LAB_STORE), or let "
            f"the owner share it: chmod -R g+rwX {folder}"
        )
    return ""


def owner(folder: Path) -> str:
    """Return the name of the user whom `folder` belongs to."""
    return system.user_name(folder.stat().st_uid)


def make_folder(folder: Path) -> None:
    """Make `folder` and its parents, each as writable for group and others as the folder around it.

    So a class shares a store by the permissions of its outermost folder alone, whatever each
    member's umask says. In a folder with the sticky bit, as /tmp, everybody may write by design:
    what is made there is the maker's own.
    """
    if folder.is_dir():
        return
    make_folder(folder.parent)
    try:
        folder.mkdir()
    except FileExistsError:
        if folder.is_dir():  # another process was first
            return
        raise
    around = folder.parent.stat().st_mode
    if not around & stat.S_ISVTX:
        folder.chmod(stat.S_IMODE(folder.stat().st_mode) | around & (stat.S_IWGRP | stat.S_IWOTH))


TEMPORARY = re.compile(r"^\..*\.writer-(?P<host>.+)-(?P<pid>\d+)-[^-]+$")


def temporary_prefix(name: str) -> str:
    """Return how a temporary file for `name` begins: it says which process on which host writes
    it."""
    return f".{name[:80]}.writer-{_host()}-{os.getpid()}-"


def _host() -> str:
    """Return the name of this host and of its processes' namespace, where there is one."""
    namespace = system.process_namespace()
    host = re.sub(r"[^\w.]", "_", socket.gethostname())[:60]
    return f"{host}.{namespace}" if namespace else host


def sweep(folder: Path) -> None:
    """Remove the temporary files and folders that lie in `folder` and whose writer is gone.

    A writer of this host is asked for; of another host's nothing is known, so what it began stays
    for a day, by the clock of the disk.
    """
    for left_over in folder.glob(".*.writer-*"):
        match = TEMPORARY.match(left_over.name)
        if match is not None and _is_left_over(left_over, match["host"], int(match["pid"])):
            if left_over.is_dir():
                shutil.rmtree(left_over, ignore_errors=True)
            else:
                _unlink(left_over)


def _is_left_over(file: Path, host: str, pid: int) -> bool:
    if host == _host() and not system.is_running(pid):
        return True
    try:
        modified = file.stat().st_mtime
        with tempfile.TemporaryFile(dir=file.parent) as now:
            return os.fstat(now.fileno()).st_mtime - modified > LEFT_OVER_AGE
    except OSError:
        return False


def _unlink(file: Path) -> None:
    try:
        file.unlink(missing_ok=True)
    except OSError:  # another user's, in a folder with the sticky bit
        pass
