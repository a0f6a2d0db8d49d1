"""Installs the torch of requirements/torch.txt, as a CPU build, for the Python that runs it.

Plain pip on Linux brings the CUDA build of torch: gigabytes that a machine without a GPU cannot
use. So, in this order:

1. the version is there already (in any build: install a CUDA one beforehand to keep it): nothing to
   do;
2. a wheel at hand, in the places that pip's own configuration names (find-links), without asking
   any index;
3. on Linux, PyTorch's public CPU index, if it answers within seconds; it is asked for torch only;
4. the ordinary index, with a word about size where it is large.

Every file is compared with its sha256 in the lock before it is installed, wherever it comes from.
What torch itself needs comes with the project's other dependencies (core.txt), and what only a CUDA
build needs with way 4 (cuda.txt). Only the standard library is used, as nothing else is installed
yet.
"""

from __future__ import annotations

import importlib.metadata
import re
import ssl
import subprocess
import sys
import threading
import urllib.error
import urllib.request
from pathlib import Path

CPU_INDEX = "https://download.pytorch.org/whl/cpu"
CONNECTION_SECONDS = 5.0
LOCKS = Path(__file__).resolve().parent.parent / "requirements"
LOCK, CUDA_LOCK = LOCKS / "torch.txt", LOCKS / "cuda.txt"


def pinned_version(lock: Path) -> str:
    """The version X of the line "torch==X" in a lock; ValueError if there is none."""
    pin = re.search(r"^torch==([0-9][0-9.]*)", lock.read_text(encoding="utf-8"), re.MULTILINE)
    if pin is None:
        raise ValueError(f"{lock}: no line 'torch==VERSION'; `make lock` writes it")
    return pin.group(1)


def installed_version() -> str | None:
    """The version of torch in this environment, "2.13.0+cpu" for example; None without torch."""
    try:
        return importlib.metadata.version("torch")
    except importlib.metadata.PackageNotFoundError:
        return None


def pip_installs(arguments: list[str], quiet: bool = False) -> bool:
    """Whether pip installs torch's lock with these further arguments; `quiet` hides what it prints.

    Wheels only, each with the sha256 that the lock has.
    """
    command = [sys.executable, "-m", "pip", "install", "--no-deps", "--only-binary", ":all:"]
    command += ["--require-hashes", "--requirement", str(LOCK), *arguments]
    hidden = subprocess.DEVNULL if quiet else None
    return (
        subprocess.run(command, stdin=subprocess.DEVNULL, stdout=hidden, stderr=hidden).returncode
        == 0
    )


def answers(url: str, seconds: float) -> bool:
    """Whether a server answers at `url` in time, whatever it says; one try.

    In a thread, since a name look-up obeys no timeout. A refused certificate or status counts as an
    answer: pip brings its own certificates and may do better.
    """
    answered = threading.Event()

    def ask() -> None:
        try:
            urllib.request.urlopen(
                urllib.request.Request(url, method="HEAD"), timeout=seconds
            ).close()
        except (OSError, ValueError) as error:
            reason = getattr(error, "reason", error)
            if not isinstance(error, urllib.error.HTTPError) and not isinstance(
                reason, ssl.SSLError
            ):
                return
        answered.set()

    thread = threading.Thread(target=ask, daemon=True)
    thread.start()
    thread.join(seconds)
    return answered.is_set()


def install(version: str, platform: str = sys.platform) -> str | None:
    """Installs torch `version`; returns where from, in words, or None if every way failed."""
    if pip_installs(["--no-index"], quiet=True):
        return "a wheel at hand"
    if platform == "linux":
        if answers(f"{CPU_INDEX}/torch/", CONNECTION_SECONDS):
            print(f"torch {version}: a CPU build from {CPU_INDEX}", flush=True)
            if pip_installs(["--retries", "1", "--index-url", CPU_INDEX]):
                return "PyTorch's CPU index"
        print(
            f"torch {version}: {CPU_INDEX} cannot be used from here, so the ordinary index is "
            "asked. Its build for Linux brings CUDA: several gigabytes to fetch and to keep. "
            "Ctrl-C stops.",
            flush=True,
        )
    if pip_installs(["--requirement", str(CUDA_LOCK)]):
        return "the ordinary index"
    return None


def main() -> int:
    """Exit code 0 when the torch of the lock is installed, 1 when it cannot be had."""
    version, present = pinned_version(LOCK), installed_version()
    if present is not None and present.partition("+")[0] == version:
        print(f"torch {present} is there already")
        return 0
    origin = install(version)
    if origin is None:
        print(
            f"torch {version} could not be installed: see pip's message above. Without a network, "
            "put its wheel into a folder and name that in PIP_FIND_LINKS. torch has wheels for "
            "CPython 3.10 and later, on 64-bit machines only.",
            file=sys.stderr,
        )
        return 1
    print(f"torch {version} installed from {origin}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
