"""The lessons' copies in a learner's folder: new ones come, and nothing that a learner wrote is
lost."""

from __future__ import annotations

import os

import pytest
from hypothesis import given
from hypothesis import strategies as st

from seqkd_lab import files
from seqkd_lab.files import FileError
from seqkd_lab.lab.shared import copies
from seqkd_lab.lab.shared.copies import BESIDE, KEPT, RECORD, RENEWED, UNCHANGED, WRITTEN

FILES = ("00.ipynb", "pictures/beam.png")


@pytest.fixture
def source(tmp_path):
    folder = tmp_path / "package"
    (folder / "pictures").mkdir(parents=True)
    hand_out(folder, b"first")
    return folder


def hand_out(source, content: bytes) -> None:
    for name in FILES:
        (source / name).write_bytes(content + name.encode())


def test_copies_are_the_files_below_new_folders(source, tmp_path):
    folder = tmp_path / "mein Ordner" / "ü"
    assert set(copies.copy_lessons(source, folder).values()) == {WRITTEN}
    assert all((folder / name).read_bytes() == (source / name).read_bytes() for name in FILES)
    assert set(copies.copy_lessons(source, folder).values()) == {UNCHANGED}


def test_what_jupyter_left_in_the_source_is_no_lesson(source, tmp_path):
    (source / ".ipynb_checkpoints").mkdir()
    (source / ".ipynb_checkpoints" / "00.ipynb").write_bytes(b"x")
    assert set(copies.copy_lessons(source, tmp_path / "mine")) == set(FILES)


def test_an_earlier_copy_is_renewed_and_a_changed_one_kept(source, tmp_path):
    mine = tmp_path / "mine"
    copies.copy_lessons(source, mine)
    (mine / FILES[0]).write_bytes(b"my answers")
    assert copies.copy_lessons(source, mine)[FILES[0]] == KEPT
    assert not copies.beside(mine / FILES[0]).exists(), "there is no newer one yet"
    hand_out(source, b"second")
    assert copies.copy_lessons(source, mine) == {FILES[0]: BESIDE, FILES[1]: RENEWED}
    assert (mine / FILES[0]).read_bytes() == b"my answers"
    assert copies.beside(mine / FILES[0]).read_bytes() == (source / FILES[0]).read_bytes()


CHANGES = st.lists(
    st.one_of(
        st.tuples(st.just("learner"), st.binary(min_size=1, max_size=3)),
        st.tuples(st.just("release"), st.sampled_from([b"1", b"2", b"3"])),
        st.tuples(st.just("delete"), st.just(b"")),
        st.tuples(st.just("record"), st.sampled_from([b"", b"{", b"[1]", b'{"00.ipynb": 1}'])),
    ),
    max_size=8,
)


@given(changes=CHANGES)
def test_whatever_happens_nothing_that_a_learner_wrote_is_lost(tmp_path_factory, changes):
    """Whatever is written, released, deleted and damaged, each followed by a copy: the learner's
    last content is there afterwards, and so is what is newest, unless the learner changed both."""
    root = tmp_path_factory.mktemp("copies")
    source, mine, written = root / "package", root / "mine", None
    (source / "pictures").mkdir(parents=True)
    hand_out(source, b"0")
    for who, content in [("release", b"0"), *changes]:
        path = mine / FILES[0]
        if who == "learner":
            mine.mkdir(exist_ok=True)
            path.write_bytes(content)
            written = content
        elif who == "release":
            hand_out(source, content)
        elif who == "delete":
            path.unlink(missing_ok=True)
            written = None
        else:
            (mine / RECORD).write_bytes(content)
        copies.copy_lessons(source, mine)
        if written is not None:
            assert path.read_bytes() == written
        else:
            assert path.read_bytes() == (source / FILES[0]).read_bytes()


def test_an_interrupted_copy_is_continued(source, tmp_path, monkeypatch):
    mine = tmp_path / "mine"
    write = copies.write_atomically

    def interrupted(path, content):
        if path.name == "beam.png":
            raise KeyboardInterrupt
        write(path, content)

    monkeypatch.setattr(copies, "write_atomically", interrupted)
    with pytest.raises(KeyboardInterrupt):
        copies.copy_lessons(source, mine)
    monkeypatch.undo()
    assert copies.copy_lessons(source, mine) == {FILES[0]: UNCHANGED, FILES[1]: WRITTEN}


@pytest.mark.parametrize("kind", ["link", "folder"])
def test_what_is_no_file_is_refused(source, tmp_path, kind):
    mine, elsewhere = tmp_path / "mine", tmp_path / "elsewhere"
    mine.mkdir()
    elsewhere.write_bytes(b"theirs")
    path = mine / FILES[0]
    if kind == "folder":
        path.mkdir()
    else:
        path.symlink_to(tmp_path / "nowhere")
    with pytest.raises(FileError, match=FILES[0]):
        copies.copy_lessons(source, mine)
    assert os.listdir(mine) == [FILES[0]] and files.kind_of(tmp_path / "nowhere") is None
