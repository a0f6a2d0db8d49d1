"""Runs lessons for the book, two at once, each in a kernel of its own; what has run is kept until
the lesson, the library or the results change.

`python -m book.execute NAME` runs one lesson.
"""

from __future__ import annotations

import argparse
import hashlib
import os
import shutil
import subprocess
import sys
import time
from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import notebook_runs

from book import FOLDER, LESSON, ROOT

KEY = "key.txt"
NOTEBOOK = "notebook.ipynb"
DECIDE = ("seqkd_lab/**/*.py", "book/*.py", "data/**/*", "requirements/*.txt")
"""What decides a lesson's outputs beside the notebook itself."""


class LessonError(Exception):
    """A lesson did not run; the message says which, and why."""


def shared_key(root: Path = ROOT) -> str:
    """Return a hash of all that the lessons share: the library, the data, the versions."""
    digest = hashlib.sha256(sys.version.encode())
    for pattern in DECIDE:
        for path in sorted(root.glob(pattern)):
            if path.is_file() and "__pycache__" not in path.parts:
                digest.update(f"{path.relative_to(root)}\0".encode())
                digest.update(hashlib.sha256(path.read_bytes()).digest())
    return digest.hexdigest()


def key_of(notebook: Path, shared: str, fast: bool) -> str:
    """Return the hash of a lesson's run."""
    return hashlib.sha256(notebook.read_bytes() + f"{shared}{fast}".encode()).hexdigest()


def run_lesson(notebook: Path, folder: Path, fast: bool, key: str) -> None:
    """Run a notebook and write it, executed, with its views to `folder`. Raise LessonError."""
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    os.environ[FOLDER], os.environ[LESSON] = str(folder), notebook.stem
    os.environ["PYTHONPATH"] = os.pathsep.join([str(ROOT), os.environ.get("PYTHONPATH", "")])
    done = notebook_runs.run(
        notebook_runs.read(notebook), fast=fast, extensions=["book.kernel"], timeout=1800
    )
    if done.errors:
        raise LessonError(f"{notebook.name}: {done.errors[0]}")
    notebook_runs.write(done.notebook, folder / NOTEBOOK)
    (folder / KEY).write_text(key, encoding="utf-8")


def run_lessons(
    notebooks: Sequence[Path], folder: Path, fast: bool = False, n_workers: int = 2
) -> Iterator[tuple[str, float]]:
    """Run those of the lessons that are not there, or not as they would be now; yield name and
    seconds of each as it ends, 0 for one that was there. Raise LessonError at the first that
    fails."""
    shared = shared_key()
    keys = {notebook: key_of(notebook, shared, fast) for notebook in notebooks}

    def run(notebook: Path) -> tuple[str, float]:
        into = folder / notebook.stem
        if is_kept(into, keys[notebook]):
            return notebook.stem, 0.0
        start = time.perf_counter()
        command = [sys.executable, "-m", "book.execute", str(notebook), str(into)]
        command += ["--key", keys[notebook], *["--fast"] * fast]
        finished = subprocess.run(command, cwd=ROOT, capture_output=True, text=True)
        if finished.returncode:
            raise LessonError(
                (finished.stderr.splitlines() or [f"{notebook.name} did not run"])[-1]
            )
        return notebook.stem, time.perf_counter() - start

    with ThreadPoolExecutor(n_workers) as pool:
        yield from pool.map(run, longest_first(notebooks))


def is_kept(folder: Path, key: str) -> bool:
    """Return whether a folder holds the whole run with this key: the key is written last."""
    try:
        return (folder / KEY).read_text(encoding="utf-8") == key
    except OSError:
        return False


def longest_first(notebooks: Iterable[Path]) -> list[Path]:
    """Return notebooks by their size, the largest first: so that no long one is left at the
    end."""
    return sorted(notebooks, key=lambda path: path.stat().st_size, reverse=True)


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one lesson; return 1, with one line that says why, where it fails."""
    parser = argparse.ArgumentParser(description=run_lesson.__doc__)
    parser.add_argument("notebook", type=Path)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--key", default="")
    parser.add_argument("--fast", action="store_true")
    given = parser.parse_args(arguments)
    try:
        run_lesson(given.notebook, given.folder, given.fast, given.key)
    except (LessonError, OSError) as error:
        print(error, file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
