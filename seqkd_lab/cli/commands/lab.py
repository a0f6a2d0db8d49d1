"""`seqkd-lab lab`: copy the lessons to a folder of one's own and open them in JupyterLab."""

from __future__ import annotations

import argparse
import shlex
import subprocess
import sys
from argparse import Namespace
from importlib.util import find_spec
from pathlib import Path

from seqkd_lab import installation, interrupts
from seqkd_lab.cli.options import typed_path
from seqkd_lab.cli.paths import check_folder
from seqkd_lab.lab.shared import copies

FOLDER = Path("seqkd_lab_lessons")
FIRST = "00_start_here.ipynb"


def add(verbs: argparse._SubParsersAction) -> None:
    """Add the command and its options."""
    default = installation.fitting("the notebooks of this checkout, not copied", f"./{FOLDER}")
    lab = verbs.add_parser(
        "lab",
        help="open the lessons in JupyterLab",
        description="Copies the lessons to a folder of your own and opens the first one in "
        "JupyterLab. A notebook that you have changed is never overwritten: where the package "
        "holds a newer one, that is put beside it.",
    )
    lab.add_argument(
        "folder",
        nargs="?",
        type=typed_path,
        metavar="FOLDER",
        help=f"folder of your copies, made if it does not exist (default: {default})",
    )
    lab.add_argument("--copy-only", action="store_true", help="copy, and open nothing")
    lab.add_argument(
        "--no-browser", action="store_true", help="let JupyterLab print its address only"
    )
    lab.set_defaults(run=run)


def run(arguments: Namespace) -> int:
    """Run `seqkd-lab lab`; return the exit code."""
    if not arguments.copy_only:
        check_jupyterlab()
    folder = folder_of(arguments)
    if arguments.copy_only:
        named = [] if arguments.folder is None else [str(arguments.folder)]
        print(f"Open {folder / FIRST}, or: {shlex.join(['seqkd-lab', 'lab', *named])}")
        return 0
    command = [sys.executable, "-m", "jupyterlab", str(folder / FIRST)]
    with interrupts.left_to_others():  # JupyterLab asks whether to end
        return subprocess.run(command + ["--no-browser"] * arguments.no_browser).returncode


def check_jupyterlab() -> None:
    """Raise ValueError, with what to do, where JupyterLab cannot be started."""
    if (host := installation.host()) is not None:
        raise ValueError(
            f"{host} shows notebooks itself; copy them with: seqkd-lab lab --copy-only"
        )
    if find_spec("jupyterlab") is None:
        command = installation.pip("install 'jupyterlab>=4.2,<5' 'ipywidgets>=8.1,<9'")
        how = installation.fitting(f"make lab, or {command}", command)
        raise ValueError(f"JupyterLab is not installed; install it: {how}")


def folder_of(arguments: Namespace) -> Path:
    """Return the folder with the lessons to open: the checkout's own, where none is named and there
    is a checkout, else one with copies, made here."""
    source = installation.lessons_directory()
    if arguments.folder is None and installation.checkout() is not None:
        if arguments.copy_only:
            raise ValueError(f"the lessons of this checkout lie in {source}; name a FOLDER")
        return source
    folder = arguments.folder or FOLDER
    if installation.PACKAGE in (folder.resolve(), *folder.resolve().parents):
        raise ValueError(f"FOLDER {folder}: this lies within the package; name another folder")
    if folder.resolve() == source.resolve():
        raise ValueError(f"FOLDER {folder}: these are the lessons themselves; name another folder")
    if not source.is_dir():
        raise ValueError(f"{source}: no lessons; {installation.restore('notebooks')}")
    check_folder(folder, "FOLDER")
    report(folder, copies.copy_lessons(source, folder))
    return folder


def report(folder: Path, outcomes: dict[str, str]) -> None:
    """Print how many files were copied, and what became of those that the learner has changed."""
    n_files = {kind: list(outcomes.values()).count(kind) for kind in set(outcomes.values())}
    words = {
        copies.WRITTEN: "written",
        copies.RENEWED: "renewed",
        copies.UNCHANGED: "as they were",
        copies.KEPT: "kept as you changed them",
        copies.BESIDE: "kept as you changed them, the new one beside",
    }
    counts = [f"{n_files[kind]} {said}" for kind, said in words.items() if kind in n_files]
    print(f"Lessons in {folder.absolute()}: {', '.join(counts)}")
    for name, kind in outcomes.items():
        if kind == copies.BESIDE:
            path = folder / name
            print(f"  {path}: kept; the new one is {copies.beside(path).name}")
