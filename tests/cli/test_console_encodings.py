"""A console that lacks letters, as Windows's code pages do: every command prints all the same, and
no number loses its sign."""

from __future__ import annotations

import io
import os
import shlex
import subprocess
import sys
import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from seqkd_lab import cli
from seqkd_lab.cli import terminal

ENCODINGS = ("cp1252", "cp437", "ascii")
each = pytest.mark.parametrize("encoding", ENCODINGS)


@pytest.fixture
def console(monkeypatch):
    """Runs a command on a strict console of an encoding; returns what it prints, both streams."""

    def run(encoding: str, *arguments: str) -> str:
        printed = io.BytesIO()
        stream = io.TextIOWrapper(printed, encoding=encoding, errors="strict", write_through=True)
        monkeypatch.setattr(sys, "stdout", stream)
        monkeypatch.setattr(sys, "stderr", stream)
        try:
            cli.main(arguments)
        except SystemExit as stop:
            assert stop.code in (0, 2)
        finally:
            stream.flush()
            monkeypatch.undo()
        return printed.getvalue().decode(encoding)

    return run


@each
@pytest.mark.parametrize("command", [[], *([name] for name in cli.command_names())], ids=" ".join)
def test_every_help_is_printed(console, encoding, command):
    assert "usage: seqkd-lab" in console(encoding, *command, "--help")


@each
@pytest.mark.parametrize(
    ("command", "words"),
    [
        ("study list", "token-importance"),
        ("study check budget", "held"),
        ("study check paced", "undecided"),
        ("table --check", "F1"),
        ("corpus toy --show 2", "translations, entropy"),
        ("translate 「box」", "does not know"),
        ("prune --share τ --out p", "--share"),
    ],
)
def test_real_output_is_printed(console, encoding, command, words):
    assert words in console(encoding, *command.split())


@each
@given(text=st.text(st.characters(exclude_categories=["Cs"])))
def test_every_text_has_a_spelling_and_what_can_be_shown_stays(encoding, text):
    shown = text.encode(encoding, terminal.SPELT).decode(encoding)
    letters = [letter for letter in text if letter.encode(encoding, "ignore")]
    rest = iter(shown)
    assert all(letter in rest for letter in letters), "in their order"


@each
def test_a_minus_stays_a_minus_and_letters_lose_accents_only(encoding):
    shown = "−0.4 ≥ τ, ŷ 「box」 Ł".encode(encoding, terminal.SPELT).decode(encoding)
    plain = unicodedata.normalize("NFKD", shown).replace("≥", ">=").replace("τ", "tau")
    assert plain == "-0.4 >= tau, y^ ?box? ?"


@pytest.mark.slow
@pytest.mark.parametrize("encoding", ["cp1252:strict", "cp437:strict"])
def test_in_a_process_of_its_own(tmp_path, encoding):
    """As PYTHONIOENCODING sets it for real: models' German, bars and a study's table."""
    environment = {**os.environ, "PYTHONUTF8": "0", "PYTHONIOENCODING": encoding}
    for command in ("translate 'the doctor hid it .'", "study check budget", "doctor", "--help"):
        finished = subprocess.run(
            [sys.executable, "-m", "seqkd_lab", *shlex.split(command)],
            cwd=tmp_path,
            env=environment,
            capture_output=True,
        )
        assert finished.returncode in (0, 1) and b"Error" not in finished.stderr, finished.stderr
        assert finished.stdout.strip()
