"""Commands as a person types them, on six small files of text that a tiny model can learn."""

from __future__ import annotations

from pathlib import Path

from small_corpus import write_text

from seqkd_lab.cli import main
from seqkd_lab.runs.data import text_files
from seqkd_lab.runs.recipes import TextData

SPLITS = (
    "--source",
    "--target",
    "--valid-source",
    "--valid-target",
    "--test-source",
    "--test-target",
)
SMALL = ("--preset", "quick", "--width", "8", "--epochs", "2", "--batch-size", "25")


def typed(capsys, *arguments) -> tuple[int, str, str]:
    """Exit code, stdout and stderr of a command line."""
    try:
        code = main([str(argument) for argument in arguments])
    except SystemExit as stop:  # argparse
        code = stop.code
    return code, *capsys.readouterr()


def options_of(text: TextData) -> tuple[str, ...]:
    """The six options that name the files of `text`."""
    return tuple(part for option in zip(SPLITS, text_files(text), strict=True) for part in option)


def own_text(folder: Path) -> tuple[str, ...]:
    """Six small files below `folder`, as options."""
    return options_of(write_text(folder))


def assert_refused(outcome: tuple[int, str, str], *words: str) -> None:
    """Exit code 2, nothing on stdout, and one line on stderr that has all `words`."""
    code, out, err = outcome
    assert (code, out) == (2, "") and "Traceback" not in err, err
    last = err.strip().splitlines()[-1]
    assert last.startswith("seqkd-lab") and all(str(word) in last for word in words), err


def contents(folder: Path) -> dict[str, bytes]:
    """The files directly in `folder`, by name."""
    return {file.name: file.read_bytes() for file in folder.iterdir() if file.is_file()}
