"""An encoding that is killed at any moment, or meets a full disk, ends with the bytes of one that
was not, by the same command."""

from __future__ import annotations

import random
import resource
import signal
import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path

import pytest
from encoded_text import as_text, files_in, silent
from own_text import PLAIN, sentences
from soak import attempts, tally
from typed import contents

from seqkd_lab.corpus.mapped import text as text_parts
from seqkd_lab.corpus.mapped import workers
from seqkd_lab.corpus.mapped.encoding import encode_text
from seqkd_lab.corpus.parallel import CorpusError

ENCODE = """
import sys
from pathlib import Path
sys.path[:0] = {folders!r}
from seqkd_lab.corpus.mapped import text
text.PART_LINES = 40
from encoded_text import as_text, files_in, silent
from seqkd_lab.corpus.mapped.encoding import encode_text
if __name__ == "__main__":
    encode_text(as_text(files_in(Path(sys.argv[1]))), Path(sys.argv[2]), int(sys.argv[3]), silent,
                silent)
"""
N_LINES = 600


@pytest.fixture(scope="module")
def text(tmp_path_factory) -> Path:
    folder = tmp_path_factory.mktemp("text") / "six"
    replace(PLAIN, train=sentences(N_LINES, 3)).write(folder)
    return folder


@pytest.fixture
def small_parts(monkeypatch):
    monkeypatch.setattr(text_parts, "PART_LINES", 40)


@pytest.fixture
def undisturbed(text, tmp_path, small_parts) -> dict[str, bytes]:
    return encode_here(text, tmp_path / "undisturbed")


def encode_here(text: Path, folder: Path, say=silent) -> dict[str, bytes]:
    encode_text(as_text(files_in(text)), folder, 1, silent, say)
    assert not folder.with_name(f"{folder.name}.unfinished").exists()
    return contents(folder)


@pytest.mark.slow
@pytest.mark.parametrize("n_workers", [1, 2])
def test_a_killed_run_ends_with_the_same_bytes(text, tmp_path, undisturbed, n_workers):
    script = tmp_path / "encode.py"
    tests = Path(__file__).parents[2]
    script.write_text(ENCODE.format(folders=[str(tests), str(tests.parent)]))
    chance = random.Random(n_workers)
    with tally(f"encoding: killed at random moments, {n_workers} workers") as count:
        for attempt in range(attempts(2, 40)):
            out = tmp_path / f"out {attempt}"
            command = [sys.executable, script, text, out, str(n_workers)]
            unfinished = out.with_name(f"{out.name}.unfinished")
            process = subprocess.Popen(command)
            while process.poll() is None and not unfinished.exists():
                time.sleep(0.01)
            time.sleep(chance.random() * attempts(1.0, 3.0))
            process.send_signal(signal.SIGKILL)
            process.wait()
            assert not out.exists() or contents(out) == undisturbed, "half a folder"
            time.sleep(0.3)  # its workers notice, and end
            same = encode_here(text, out) == undisturbed
            count.tried(None if same else f"attempt {attempt}: other bytes")


def test_what_is_finished_is_not_cut_again(text, tmp_path, undisturbed, monkeypatch):
    out, cut = tmp_path / "out", []

    def breaks(part, files, subwords, path):
        if len(cut) == 5:
            raise KeyboardInterrupt
        cut.append(part.number)
        return real(part, files, subwords, path)

    real = workers.cut_to_file
    monkeypatch.setattr(workers, "cut_to_file", breaks)
    with pytest.raises(KeyboardInterrupt):
        encode_here(text, out)
    said: list[str] = []
    cut_before, cut[:] = list(cut), [0] * 6
    assert encode_here(text, out, said.append) == undisturbed
    assert cut_before == list(range(5)) and cut[6:] == list(range(5, N_LINES // 40))
    assert any("continuing" in told for told in said)


def test_parts_of_another_text_are_not_used(text, tmp_path, undisturbed, monkeypatch):
    out = tmp_path / "out"
    monkeypatch.setattr(workers, "cut_to_file", _interrupt)
    with pytest.raises(KeyboardInterrupt):
        encode_text(as_text(files_in(text), "1" * 64), out, 1, silent, silent)
    monkeypatch.undo()
    monkeypatch.setattr(text_parts, "PART_LINES", 40)
    said: list[str] = []
    assert encode_here(text, out, said.append) == undisturbed
    assert any("other work" in told for told in said)


def _interrupt(*work):
    raise KeyboardInterrupt


def test_a_file_of_somebody_else_is_not_removed(text, tmp_path):
    unfinished = tmp_path / "out.unfinished"
    unfinished.mkdir()
    (unfinished / "thesis.docx").write_text("mine")
    with pytest.raises(CorpusError, match="thesis.docx"):
        encode_here(text, tmp_path / "out")
    assert (unfinished / "thesis.docx").read_text() == "mine"


def test_a_damaged_part_is_named(text, tmp_path, small_parts, monkeypatch):
    out, real = tmp_path / "out", workers.cut_to_file

    def damages(part, files, subwords, path):
        n = real(part, files, subwords, path)
        if part.number == 3:
            path.write_bytes(path.read_bytes()[:-70])
        return n

    monkeypatch.setattr(workers, "cut_to_file", damages)
    with pytest.raises(CorpusError, match=r"part-000003\.npz: a damaged part.*delete it"):
        encode_here(text, out)
    (tmp_path / "out.unfinished" / "part-000003.npz").unlink()
    monkeypatch.setattr(workers, "cut_to_file", real)
    assert encode_here(text, out)


def test_two_at_once_are_not_let_in(text, tmp_path, small_parts, monkeypatch):
    refused: list[str] = []
    out, real = tmp_path / "out", workers.cut_to_file

    def begins_another(*work):
        monkeypatch.setattr(workers, "cut_to_file", real)
        with pytest.raises(CorpusError) as other:
            encode_here(text, out)
        refused.append(str(other.value))
        return real(*work)

    monkeypatch.setattr(workers, "cut_to_file", begins_another)
    encode_here(text, out)
    assert len(refused) == 1 and "another process" in refused[0]


@pytest.mark.parametrize("kib", [1, 3, 9, 14])
def test_a_full_disk_is_said_with_a_path_and_the_same_command_goes_on(
    text, tmp_path, undisturbed, kib
):
    """No file may have more bytes, as on a full disk: another error number, the same path."""
    out = tmp_path / "out"
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (kib * 1024, before[1]))
    try:
        with pytest.raises(OSError) as error:
            encode_here(text, out)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
    assert str(tmp_path) in str(error.value.filename)
    assert not out.exists() and encode_here(text, out) == undisturbed
