"""How seqkd_lab is installed: where its committed data and its lessons are, where results and the
cache go, and how data are restored.

In a checkout (also an unpacked source archive, also an editable install) data/ and notebooks/ lie
beside the package. A wheel carries copies of these folders within the package (setup.py), since
nothing lies beside it. Nothing else in the package knows where it lies itself, and no other module
names make, git or a file of the repository without asking here (`fitting`). Only the standard
library is used: the doctor works where nothing else does.
"""

from __future__ import annotations

import os
import tempfile
from collections.abc import Mapping
from pathlib import Path

PACKAGE = Path(__file__).resolve().parent
PACKAGE_DATA, PACKAGE_LESSONS = "_data", "_lessons"
"""The folders of a wheel's copies of data/ and notebooks/, below the package; setup.py gives them
the same names."""
OWN_RESULTS = Path("runs") / "results"
"""Where results go that an installed package makes, below the current folder."""


def checkout(package: Path = PACKAGE) -> Path | None:
    """Return the project's folder where `package` lies in it, with its pyproject.toml; None for an
    installed wheel.

    Another project's pyproject.toml does not count: `pip install --target .` puts the package
    beside one.
    """
    project = package.parent / "pyproject.toml"
    try:
        return (
            package.parent if 'name = "seqkd-lab"' in project.read_text(encoding="utf-8") else None
        )
    except (OSError, UnicodeDecodeError):
        return None


def data_directory(package: Path = PACKAGE) -> Path:
    """Return the folder of the committed data (results, checkpoints, toy): the checkout's data/
    where there is a checkout, else the copy within the package. The folder may be missing; whoever
    reads from it says so."""
    project = checkout(package)
    return package / PACKAGE_DATA if project is None else project / "data"


def lessons_directory(package: Path = PACKAGE) -> Path:
    """Return the folder of the notebooks with their pictures and glossary, as the data's is found.
    It is only read: `seqkd-lab lab` copies it to where a person may change it."""
    project = checkout(package)
    return package / PACKAGE_LESSONS if project is None else project / "notebooks"


def results_directory(package: Path = PACKAGE) -> Path:
    """Return the folder for results made here: the checkout's data/results, where they replace the
    committed ones; for an installed wheel runs/results in the current folder, since nothing is ever
    written below site-packages."""
    return OWN_RESULTS if checkout(package) is None else data_directory(package) / "results"


def cache_directory() -> Path:
    """Return the user's cache of seqkd_lab; below the system's temporary folder where platformdirs
    is missing."""
    try:
        import platformdirs
    except ImportError:
        return Path(tempfile.gettempdir()) / "seqkd_lab"
    return Path(platformdirs.user_cache_dir("seqkd_lab"))


HOSTS = {"COLAB_RELEASE_TAG": "Colab", "KAGGLE_KERNEL_RUN_TYPE": "Kaggle"}
"""By an environment variable that a host of notebooks sets in its kernels, the host's name."""


def host(environment: Mapping[str, str] = os.environ) -> str | None:
    """Return the name of the host whose notebooks run here, who has installed torch and Jupyter and
    shows the notebooks itself; None on one's own machine."""
    return next((name for variable, name in HOSTS.items() if variable in environment), None)


def pip(command: str) -> str:
    """Return a command of pip as it is typed here: in a cell where a host shows the notebooks."""
    return f"python -m pip {command}" if host() is None else f"in a cell: %pip {command}"


def fitting(in_checkout: str, installed: str) -> str:
    """Return the advice that fits how the package is installed: beside a wheel lie no Makefile and
    no repository."""
    return installed if checkout() is None else in_checkout


def restore(part: str, package: Path = PACKAGE) -> str:
    """Return the advice where a part of the data or the lessons (a path in the project, as
    data/toy) is missing or damaged."""
    project = checkout(package)
    if project is None:
        return (
            f"install the package again: {pip('install --force-reinstall --no-deps')}, and its "
            "wheel"
        )
    if (project / ".git").exists():
        return f"git checkout {part}"
    return f"take {part} from the source archive again"
