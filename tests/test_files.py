"""Files: JSON with a schema, writes that are whole, folders that a class can share, and what a
killed writer left."""

from __future__ import annotations

import io
import os
import re
import socket
import stat
import time
from pathlib import Path

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from seqkd_lab import files
from seqkd_lab.files import (
    FileError,
    check_regular,
    kind_of,
    make_folder,
    read_json,
    sweep,
    temporary_prefix,
    write_atomically,
    write_json,
)

JSON = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(st.characters(exclude_categories=["Cs"])),
    lambda inner: st.lists(inner) | st.dictionaries(st.text("abc"), inner),
    max_leaves=20,
)


class Row(msgspec.Struct):
    """A row of a file, for these tests."""

    bleu: float
    n: int


@given(JSON)
def test_json_comes_back_as_it_was_written(tmp_path_factory, content):
    path = tmp_path_factory.mktemp("json") / "results.json"
    write_json(path, content)
    assert read_json(path) == content


def test_half_a_character_is_written_as_a_question_mark(tmp_path):
    write_json(tmp_path / "results.json", {"name": "a\udcffb"})
    assert read_json(tmp_path / "results.json") == {"name": "a?b"}


@pytest.mark.parametrize("content", [float("nan"), [float("inf")], {"a": -float("inf")}])
def test_what_is_not_a_number_is_never_written(tmp_path, content):
    with pytest.raises(ValueError):
        write_json(tmp_path / "results.json", content)
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize(
    "content, said",
    [
        (b"", "not JSON"),
        (b'{"a": NaN}', "not JSON"),
        (b"[1e999]", "not as expected"),
        (b"[" * 100_000, "nested too deeply"),
        (b'{"n": "\xff"}', "not JSON"),
        (b'{"n": "\\ud800"}', "not JSON"),
        (b"{} {}", "not JSON"),
    ],
)
def test_what_is_no_json_is_said_with_the_files_name_and_a_remedy(tmp_path, content, said):
    path = tmp_path / "results.json"
    path.write_bytes(content)
    with pytest.raises(FileError, match=rf"results\.json: .*{said}.*; delete the file"):
        read_json(path)


@pytest.mark.parametrize(
    "content, key", [('[{"bleu": 1}]', r"\$\[0\]"), ('[{"bleu": "1", "n": 2}]', r"\$\[0\]\.bleu")]
)
def test_a_schema_names_the_key_that_is_wrong(tmp_path, content, key):
    path = tmp_path / "results.json"
    path.write_text(content, encoding="utf-8")
    with pytest.raises(FileError, match=f"results.json: not as expected.*{key}"):
        read_json(path, list[Row])


@pytest.mark.parametrize("most", [0, 1, files.PART, files.PART + 1, 3 * files.PART, 2**70])
def test_no_more_is_read_than_asked_for_however_much_that_is(most):
    content = bytes(range(256)) * (2 * files.PART // 256) + b"end"
    assert files.read_at_most(io.BytesIO(content), most) == content[:most]


def test_a_file_that_is_too_large_is_not_read(tmp_path, monkeypatch):
    monkeypatch.setattr(files, "LARGEST_JSON", 10)
    (tmp_path / "results.json").write_text("[1, 2, 3, 4, 5]", encoding="utf-8")
    with pytest.raises(FileError, match="larger than"):
        read_json(tmp_path / "results.json")


def things(folder: Path) -> dict[str, Path]:
    """Make a folder, a pipe, a socket and links, and name a device."""
    (folder / "folder").mkdir()
    os.mkfifo(folder / "pipe")
    (folder / "file").write_text("kept", encoding="utf-8")
    (folder / "link").symlink_to(folder / "file")
    (folder / "dangling").symlink_to(folder / "nothing")
    server = socket.socket(socket.AF_UNIX)
    server.bind(str(folder / "socket"))
    server.close()
    names = ("folder", "pipe", "socket", "link", "dangling")
    return {"device": Path("/dev/full")} | {name: folder / name for name in names}


@pytest.mark.parametrize("kind", ["device", "folder", "pipe", "socket", "link", "dangling"])
def test_nothing_but_a_file_is_replaced(tmp_path, kind):
    path = things(tmp_path)[kind]
    before = path.lstat()
    with pytest.raises(FileError, match=re.escape(str(path))):
        write_atomically(path, b"new")
    assert path.lstat().st_mode == before.st_mode and path.lstat().st_ino == before.st_ino
    assert (tmp_path / "file").read_text(encoding="utf-8") == "kept"


@pytest.mark.parametrize("kind", ["device", "folder", "pipe", "socket"])
def test_nothing_but_a_file_is_read(tmp_path, kind):
    path = things(tmp_path)[kind]
    assert kind_of(path) == kind
    with pytest.raises(FileError, match=f"{re.escape(str(path))}: this is a {kind}"):
        read_json(path)
    with pytest.raises(FileError, match=kind):
        check_regular(path)


def mode(path: Path) -> int:
    """Return the permission bits."""
    return stat.S_IMODE(path.stat().st_mode)


@pytest.mark.parametrize("outer", [0o755, 0o775, 0o777, 0o2775])
def test_folders_are_as_writable_as_the_one_around_them_whatever_the_umask_says(tmp_path, outer):
    root = tmp_path / "store"
    root.mkdir()
    root.chmod(outer)
    before = os.umask(0o077)
    try:
        write_atomically(root / "models" / "key" / "model.json", b"{}")
    finally:
        os.umask(before)
    for folder in (root / "models", root / "models" / "key"):
        assert mode(folder) & 0o022 == outer & 0o022
        assert mode(folder) & 0o2000 == outer & 0o2000
    assert mode(root / "models" / "key" / "model.json") == 0o644


def test_a_folder_below_a_sticky_one_is_the_makers_own(tmp_path):
    tmp_path.chmod(0o1777)
    make_folder(tmp_path / "store")
    assert not mode(tmp_path / "store") & 0o022


def test_what_a_dead_writer_left_is_swept_and_what_others_write_stays(tmp_path):
    mine = tmp_path / f"{temporary_prefix('model.json')}abc"
    dead = tmp_path / re.sub(r"-\d+-", "-999999999-", mine.name)
    elsewhere = tmp_path / ".model.json.writer-another.host-1-abc"
    long_ago = tmp_path / ".model.json.writer-another.host-2-abc"
    strange = tmp_path / ".vimrc"
    for file in (mine, dead, elsewhere, long_ago, strange):
        file.write_text("half", encoding="utf-8")
    os.utime(long_ago, (time.time() - 2 * files.LEFT_OVER_AGE,) * 2)
    sweep(tmp_path)
    assert set(tmp_path.iterdir()) == {mine, elsewhere, strange}


def test_names_of_any_length_can_be_written(tmp_path):
    write_atomically(tmp_path / ("n" * 255), b"x")
    assert [path.name for path in tmp_path.iterdir()] == ["n" * 255]


def test_an_error_in_writing_names_the_path_and_what_is_free(tmp_path, monkeypatch):
    def full(descriptor):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(files.os, "fsync", full)
    path = tmp_path / "results.json"
    with pytest.raises(OSError, match=r"could not write: [\d,]+ MiB are free in .*make room"):
        write_atomically(path, b"x")
    assert not list(tmp_path.iterdir())
