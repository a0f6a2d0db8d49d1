"""Writes requirements/*.txt, the locks: exact versions of everything that is installed, each with
the sha256 of its files. `make lock` runs it; `make lock ARGS=--upgrade` takes newer versions.

A set's lock (core, lab, book, test, maintain) serves CPython 3.10 to 3.14 on every system: a marker
follows where they differ. uv resolves them from pyproject.toml, against the index that uv is set up
for. A version that a lock has already is kept while the ranges allow it.

torch has two builds of one version: PyPI's, which on Linux is for CUDA, and the CPU build of
PyTorch's own index. torch.txt lists the hashes of both, so that either can be installed and nothing
else; cuda.txt has what only the CUDA build needs. PyTorch's index is read for its hashes when it
answers. When it does not, those of the present torch.txt are kept, and a new version of torch
cannot be locked.
"""

from __future__ import annotations

import argparse
import re
import subprocess
import sys
import tempfile
import urllib.request
from pathlib import Path

from install_torch import CONNECTION_SECONDS, CPU_INDEX

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib

ROOT = Path(__file__).resolve().parent.parent
LOCKS = ROOT / "requirements"
SETS = {
    "test": ["pyproject.toml", "-", "--extra=lab", "--extra=book", "--extra=test"],
    "book": ["pyproject.toml", "-", "--extra=lab", "--extra=book"],
    "lab": ["pyproject.toml", "-", "--extra=lab"],
    "core": ["pyproject.toml", "-"],
    "maintain": ["--group=maintain"],
}
"""What uv resolves for each set; "-" is the build backend."""
TITLES = {
    "core": "What the library needs, and setuptools, which builds it; torch stands in torch.txt.",
    "lab": "What the notebooks need beside core.txt.",
    "book": "What the book needs beside lab.txt.",
    "test": "What the tests need beside book.txt.",
    "maintain": "What `make lock` and `make audit` run, in an environment of its own.",
    "torch": "torch, in PyPI's builds and in the CPU builds of PyTorch's index.",
    "cuda": "What torch's CUDA build needs beside core.txt, on Linux.",
}
HEADER = """\
# {title}
# Made by `make lock` from pyproject.toml, not to be edited. Only files with these sha256 are installed.
--require-hashes
--only-binary :all:
"""  # noqa: E501
SMALLER = {"test": "book", "book": "lab", "lab": "core"}
"""Set -> the one that it contains, whose packages its lock does not name again."""
OLDEST_PYTHON = "3.10"
ONLY_FOR_CUDA = re.compile(r"triton|(nvidia|cuda)-.*")


class LockError(Exception):
    """The locks could not be made; the message says why."""


def entries(text: str) -> dict[str, list[str]]:
    """Return name -> its requirements in a lock's text, each with its hashes and comments."""
    blocks: list[str] = []
    for line in text.splitlines():
        if re.match(r"[A-Za-z0-9]", line):
            blocks.append(line)
        elif line.startswith(" ") and blocks:
            blocks[-1] += "\n" + line
    by_name: dict[str, list[str]] = {}
    for block in blocks:
        by_name.setdefault(block.partition("==")[0].strip(), []).append(block)
    return by_name


def version_of(entry: str) -> str:
    """Return the version that an entry of a lock pins."""
    return re.split(r"[\s;\\]", entry.partition("==")[2], maxsplit=1)[0]


def hashes_of(entry: str) -> list[str]:
    """Return the sha256 that an entry of a lock allows, in hexadecimal digits."""
    return re.findall(r"--hash=sha256:([0-9a-f]{64})", entry)


def present(*names: str) -> str:
    """Return the requirements of the locks with these names, as far as they are there."""
    paths = [LOCKS / f"{name}.txt" for name in names]
    text = "".join(path.read_text(encoding="utf-8") for path in paths if path.exists())
    return "".join(line for line in text.splitlines(keepends=True) if not line.startswith("-"))


def resolve(name: str, output: Path, preferred: str) -> str:
    """Return a set as uv resolves it into `output`, with versions of the lock `preferred` where the
    ranges allow them.

    Raise LockError with uv's own words when it finds no solution.
    """
    output.write_text(preferred, encoding="utf-8", newline="\n")
    command = [sys.executable, "-m", "uv", "pip", "compile", *SETS[name], "--universal"]
    command += ["--generate-hashes", "--python-version", OLDEST_PYTHON, "--only-binary", ":all:"]
    command += [
        "--no-python-downloads",
        "--no-header",
        "--annotation-style",
        "line",
        "--output-file",
        str(output),
    ]
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    build = "\n".join(project["build-system"]["requires"])
    run = subprocess.run(command, cwd=ROOT, input=build, capture_output=True, encoding="utf-8")
    if run.returncode:
        raise LockError(f"{name}: uv could not resolve it\n{run.stderr}")
    return output.read_text(encoding="utf-8")


def cpu_hashes(version: str) -> list[str] | None:
    """Return the sha256 of torch's CPU builds, as PyTorch's index lists them; None if it does not
    answer."""
    try:
        with urllib.request.urlopen(f"{CPU_INDEX}/torch/", timeout=CONNECTION_SECONDS) as page:
            text = page.read().decode("utf-8")
    except (OSError, ValueError):
        return None
    files = rf"torch-{re.escape(version)}(?:(?:%2B|\+)cpu)?-[^\"#]*\.whl#sha256=([0-9a-f]{{64}})"
    return re.findall(files, text)


def torch_entry(ordinary: str, listed: list[str] | None, before: str) -> str:
    """Return the entry of torch: the version of `ordinary`, PyPI's entry, with the hashes of the
    CPU builds as well.

    Those are `listed`, or else what the entry `before` has. Raise LockError when neither knows
    this version.
    """
    version = version_of(ordinary)
    if listed is None and before and version_of(before) == version:
        listed = hashes_of(before)
    if not listed:
        raise LockError(
            f"torch {version}: {CPU_INDEX} could not be read, and the hashes of its CPU builds "
            "are not in requirements/torch.txt; run this where that index can be reached"
        )
    hashes = sorted({*hashes_of(ordinary), *listed})
    return " \\\n".join([f"torch=={version}", *(f"    --hash=sha256:{each}" for each in hashes)])


def write(name: str, chosen: dict[str, list[str]]) -> None:
    """Write the lock requirements/NAME.txt."""
    lines = [line for blocks in chosen.values() for line in blocks]
    text = HEADER.format(title=TITLES[name])
    text += f"--requirement {SMALLER[name]}.txt\n" if name in SMALLER else ""
    (LOCKS / f"{name}.txt").write_text(
        text + "\n".join(lines) + "\n", encoding="utf-8", newline="\n"
    )
    print(f"requirements/{name}.txt: {len(lines)} packages", flush=True)


def make_locks(folder: Path, upgrade: bool) -> None:
    """Write all locks; `folder` is for uv's output. Raise LockError before any is written.

    The smaller sets only say which packages are theirs; the versions are those of the whole, test.
    """
    before = "".join(entries(present("torch")).get("torch", [""]))
    pin = f"torch=={version_of(before)}\n" if before else ""  # uv would take its hashes as they are
    output = folder / "uv.txt"
    preferred = "" if upgrade else pin + present("core", "lab", "book", "test", "cuda")
    all_of_them = resolve("test", output, preferred)
    core, lab, book = (
        entries(resolve(name, output, all_of_them)) for name in ("core", "lab", "book")
    )
    maintain = entries(resolve("maintain", output, "" if upgrade else present("maintain")))
    largest = entries(all_of_them)
    cuda = {name for name in largest if ONLY_FOR_CUDA.fullmatch(name)}
    (ordinary,) = largest["torch"]
    torch = torch_entry(ordinary, cpu_hashes(version_of(ordinary)), before)
    own = {
        "core": core.keys(),
        "lab": lab.keys() - core.keys(),
        "book": book.keys() - lab.keys(),
        "test": largest.keys() - book.keys(),
    }
    for name, packages in own.items():
        write(name, {key: largest[key] for key in sorted(packages - cuda - {"torch"})})
    write("maintain", maintain)
    write("torch", {"torch": [torch]})
    write("cuda", {key: largest[key] for key in sorted(cuda)})


def main() -> int:
    """Return 0 when the locks are written, 1 when they could not be made."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n\n")[0])
    parser.add_argument("--upgrade", action="store_true", help="take newer versions")
    upgrade = parser.parse_args().upgrade
    LOCKS.mkdir(exist_ok=True)
    try:
        with tempfile.TemporaryDirectory() as folder:
            make_locks(Path(folder), upgrade)
    except LockError as error:
        print(f"lock: {error}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
