"""Runs the quick tests with the oldest, or the newest, versions that pyproject.toml allows, in an
environment of its own: `make oldest`, `make newest`.

Oldest means: each direct dependency as old as its range allows, and what those need as new as it
goes. Newest: everything as new as it goes, whatever the locks say. torch is the locked one in both:
its other versions are large, and only PyTorch's index has them for the CPU. `make check` tests the
versions that the locks pin.
"""

from __future__ import annotations

import argparse
import re
import subprocess
import sys
from pathlib import Path

from install_torch import LOCK, pinned_version
from lock import ONLY_FOR_CUDA, entries, version_of

ROOT = Path(__file__).resolve().parent.parent
RESOLUTIONS = {"oldest": "lowest-direct", "newest": "highest"}
TESTS = ["-q", "-m", "not slow", "--ignore=tests/lab", "--numprocesses=2", "--dist=loadgroup"]


def direct_names(text: str) -> set[str]:
    """Return the packages that pyproject.toml, whose text this is, names itself."""
    return set(re.findall(r'^\s+"([a-z0-9-]+)[<>=]', text, re.MULTILINE))


def resolved(which: str, folder: Path) -> dict[str, str]:
    """Return name -> version of what these tests need, resolved by uv for this Python.

    Raise CalledProcessError when there is no solution; uv has then said why.
    """
    (folder / "torch.txt").write_text(
        f"torch=={pinned_version(LOCK)}\n", encoding="utf-8", newline="\n"
    )
    output = folder / "resolved.txt"
    command = [sys.executable, "-m", "uv", "pip", "compile", "pyproject.toml", "--quiet"]
    command += ["--extra=lab", "--extra=test", f"--resolution={RESOLUTIONS[which]}", "--upgrade"]
    command += ["--no-header", "--no-annotate", "--only-binary=:all:"]
    command += [f"--constraint={folder / 'torch.txt'}", f"--output-file={output}"]
    subprocess.run(command, cwd=ROOT, check=True)
    found = entries(output.read_text(encoding="utf-8"))
    versions = {name: version_of(blocks[0]) for name, blocks in found.items()}
    return {n: v for n, v in versions.items() if n != "torch" and not ONLY_FOR_CUDA.fullmatch(n)}


def set_up(folder: Path, versions: dict[str, str]) -> Path:
    """Return the Python of a new environment in `folder` with these versions and the project.

    Raise CalledProcessError when a step fails.
    """
    environment = folder / "environment"
    python = environment / ("Scripts/python.exe" if sys.platform == "win32" else "bin/python")
    wanted = folder / "wanted.txt"
    wanted.write_text(
        "".join(f"{n}=={v}\n" for n, v in versions.items()), encoding="utf-8", newline="\n"
    )
    uv = [sys.executable, "-m", "uv", "pip", "install", "--quiet", "--python", str(python)]
    pip = [str(python), "-m", "pip", "install", "--quiet", "--no-deps"]
    for command in (
        [sys.executable, "-m", "venv", "--clear", str(environment)],
        [str(python), "tools/install_torch.py"],
        [*uv, "--no-deps", "--only-binary=:all:", "--requirement", str(wanted)],
        [*uv, "setuptools"],
        [*pip, "--no-build-isolation", "--editable", "."],
    ):
        subprocess.run(command, cwd=ROOT, check=True)
    return python


def main() -> int:
    """Return pytest's exit code, or 2 when the versions could not be resolved or installed."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n\n")[0])
    parser.add_argument("which", choices=sorted(RESOLUTIONS))
    parser.add_argument("--dry-run", action="store_true", help="only prints the versions")
    arguments, for_pytest = parser.parse_known_args()
    folder = Path(sys.prefix).parent / arguments.which
    folder.mkdir(exist_ok=True)
    try:
        versions = resolved(arguments.which, folder)
        direct = direct_names((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
        for name in sorted(direct & versions.keys()):
            print(f"{name}=={versions[name]}", flush=True)
        if arguments.dry_run:
            return 0
        python = set_up(folder, versions)
    except subprocess.CalledProcessError as error:
        print(f"{arguments.which}: '{' '.join(error.cmd[:5])} ...' failed", file=sys.stderr)
        return 2
    return subprocess.run([str(python), "-m", "pytest", *TESTS, *for_pytest], cwd=ROOT).returncode


if __name__ == "__main__":
    sys.exit(main())
