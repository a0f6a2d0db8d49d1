"""Damaged files before the readers of corpora, models and unfinished runs: each is used, or refused
by name."""

from __future__ import annotations

import gzip
import json
import os
import subprocess
import sys
import warnings
from pathlib import Path
from random import Random

import pytest
from core_readers import LINES, Reader, all_readers
from soak import attempts, tally

from seqkd_lab.corpus import opening, tatoeba
from seqkd_lab.corpus.reading import read_lines
from seqkd_lab.corpus.subwords import SubwordTokeniser

N_READERS = 22


@pytest.fixture(scope="module")
def readers(tmp_path_factory) -> list[Reader]:
    return all_readers(tmp_path_factory.mktemp("readers"))


def failure(reader: Reader, good: bytes, seed: int) -> str | None:
    """Damage the reader's file, which was `good`, by `seed`, and read it; say what went wrong."""
    chance = Random(seed)
    reader.file.write_bytes(chance.choice(reader.damages)(good, chance))
    reader.repair(reader.file)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            reader.read(reader.file)
    except (ValueError, OSError) as error:
        where = str(reader.file if reader.names_file else reader.file.parent)
        if where in str(error) and not isinstance(error, UnicodeError):
            return None
        return f"{reader.name}, seed {seed}: no file in {error!r}"[:400]
    except Exception as error:
        return f"{reader.name}, seed {seed}: {error!r}"[:400]
    return None


@pytest.mark.parametrize("number", range(N_READERS))
def test_a_damaged_file_is_read_or_refused_by_name(readers, monkeypatch, number):
    assert len(readers) == N_READERS
    monkeypatch.setattr(tatoeba, "SHA256", tatoeba.hashlib.sha256(LINES.encode()).hexdigest())
    reader = readers[number]
    good = reader.file.read_bytes()
    with tally(f"damaged file: {reader.name}") as count:
        for seed in range(attempts(40, 3_600)):
            count.tried(failure(reader, good, seed))
    reader.file.write_bytes(good)
    reader.repair(reader.file)
    reader.read(reader.file)


BOMBS = """
import json, sys
from pathlib import Path
from seqkd_lab import machine
from seqkd_lab.files import FileError
from seqkd_lab.models.checkpoint import load_model
before, changes = machine.peak_memory_mib(), json.loads(sys.argv[1])
for folder in map(Path, sys.argv[2:]):
    good = (folder / "model.json").read_text(encoding="utf-8")
    for change in changes:
        described = json.loads(good)
        described["spec"] |= change
        (folder / "model.json").write_text(json.dumps(described), encoding="utf-8")
        try:
            load_model(folder)
            print("read:", folder.name, change)
        except FileError as error:
            if str(folder) not in str(error):
                print("not named:", folder.name, change, error)
    (folder / "model.json").write_text(good, encoding="utf-8")
print(f"{machine.peak_memory_mib() - before:.0f} MiB")
"""
SIZES = (3, 4_000, 10**6, 2**30, 2**31 - 2, 2**40, 2**62, 10**30)


def test_a_description_of_another_size_costs_nothing(readers):
    folders = [str(reader.file.parent) for reader in readers if "description" in reader.name]
    changes = [{name: size} for size in SIZES for name in ("width", "layers", "hidden", "heads")]
    command = [sys.executable, "-c", BOMBS, json.dumps(changes), *folders]
    run = subprocess.run(command, capture_output=True, text=True, check=False)
    assert not run.stderr
    *wrong, grown = run.stdout.splitlines()
    with tally("a description that claims another size") as count:
        for change in changes:
            for folder in folders:
                of_both = f"{Path(folder).name} {change}"
                count.tried(next((line for line in wrong if of_both in line), None))
    assert int(grown.split()[0]) < 100


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (gzip.compress(b"\n" * 75_000_000, 1), "again and again"),
        (gzip.compress(b"ant bee\n" * 9_000_000, 1), "again and again"),
        (gzip.compress(b"x" * 2**26, 1), "without a line end"),
        (b"ok\n" + b"x" * 2**21, "without a line end"),
        (b"\nok" + "\u0301\u0323".encode() * 100_000, "marks on one letter"),
    ],
    ids=["lines", "sentences", "packed line", "line", "marks"],
)
def test_a_text_that_is_a_bomb_is_refused_by_file_and_line(tmp_path, content, words):
    path = tmp_path / "bomb"
    path.write_bytes(content)
    with tally("text that is a bomb") as count, pytest.raises(ValueError, match=words) as raised:
        count.tried()
        read_lines(path)
    assert f"{path}:" in str(raised.value)


def test_a_text_larger_than_half_of_the_memory_is_refused(tmp_path, monkeypatch):
    path = tmp_path / "text"
    path.write_text("the ant sees a bee\n" * 1_000, encoding="utf-8")
    monkeypatch.setattr("seqkd_lab.machine.available_memory_mib", lambda: 0.1)
    with pytest.raises(ValueError, match=rf"{path}:\d+: .* MiB, .* half of the memory"):
        read_lines(path)
    monkeypatch.setattr("seqkd_lab.machine.available_memory_mib", lambda: float("nan"))
    assert len(read_lines(path)) == 1_000


def special(kind: str, path: Path) -> None:
    """Put something at `path` that is no file."""
    if kind == "pipe":
        os.mkfifo(path)
    elif kind == "folder":
        path.mkdir()
    elif kind == "socket":
        import socket

        with socket.socket(socket.AF_UNIX) as opened:
            os.chdir(path.parent)  # a socket's path is short
            opened.bind(path.name)
    else:
        path.symlink_to(f"/dev/{kind}")


@pytest.mark.parametrize("kind", ["pipe", "folder", "socket", "zero", "null", "urandom"])
def test_what_is_no_file_is_refused_before_it_is_read(readers, tmp_path, monkeypatch, kind):
    monkeypatch.setattr(opening, "WRITER_SECONDS", 0.05)
    monkeypatch.chdir(tmp_path)
    with tally(f"no file: {kind}") as count:
        for number, reader in enumerate(readers):
            path = tmp_path / str(number) / reader.file.name
            path.parent.mkdir()
            for beside in reader.file.parent.iterdir():
                if beside.is_file() and beside != reader.file:
                    (path.parent / beside.name).write_bytes(beside.read_bytes())
            special(kind, path)
            count.tried(refusal(reader, path))


def refusal(reader: Reader, path: Path) -> str | None:
    """Say what went wrong where `path`, which is no file, is read."""
    try:
        reader.read(path)
    except (ValueError, OSError) as error:
        return None if str(path.parent) in str(error) else f"{reader.name}: {error!r}"
    except Exception as error:
        return f"{reader.name}: {error!r}"
    told = ("fingerprint.json", "export.json")  # a finding says it, and a place that is taken
    return None if reader.name in told else f"{reader.name}: read without a word"


def test_a_surrogate_in_a_sentence_is_refused(readers):
    cutter = SubwordTokeniser.load(next(r.file for r in readers if r.name == "cutter.model"))
    for text in ("the \udcff", "\ud800", "a\udc80b" * 100):
        with pytest.raises(ValueError, match="no Unicode character"):
            cutter.encode(text)
