"""How seqkd_lab is installed: where its committed data are, where results and the cache go, and how
data are restored.

In a checkout (also an unpacked source archive, also an editable install) the data lie in data/
beside the package. A wheel carries a copy of that folder within the package (setup.py), since
nothing lies beside it. Only the standard library is used: the doctor works where nothing else does.
"""

from __future__ import annotations

import tempfile
from pathlib import Path

PACKAGE = Path(__file__).resolve().parent
PACKAGE_DATA = "_data"
"""The folder of a wheel's copy of data/, below the package; setup.py gives it the same name."""
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


def fitting(in_checkout: str, installed: str) -> str:
    """Return the advice that fits how the package is installed: beside a wheel lie no Makefile and
    no repository."""
    return installed if checkout() is None else in_checkout


def restore(part: str, package: Path = PACKAGE) -> str:
    """Return the advice where a part of the data (a path below data/) is missing or damaged."""
    project = checkout(package)
    if project is None:
        return (
            "install the package again: python -m pip install --force-reinstall --no-deps, and "
            "its wheel"
        )
    if (project / ".git").exists():
        return f"git checkout data/{part}"
    return f"take data/{part} from the source archive again"
