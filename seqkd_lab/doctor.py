"""The doctor: looks at the environment and says what is wrong and what to do.

It works where the rest may not: torch and the other dependencies are imported one by one, inside
the examinations, and what fails becomes a finding. Its own words are plain ASCII, since the
terminal's encoding is one of the things examined.
"""

from __future__ import annotations

import hashlib
import importlib
import importlib.metadata
import json
import os
import re
import shutil
import sys
import tempfile
import textwrap
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TextIO

from seqkd_lab import installation, machine
from seqkd_lab.installation import cache_directory, fitting

OK, WARNING, PROBLEM = "ok", "warning", "problem"
PROJECT = "seqkd-lab"
TOY_DIRECTORY = installation.data_directory() / "toy"
MEMORY_MIB = (500, 1000)  # below the first a run fails, below the second only small ones fit
DISK_MIB = (200, 1000)
CPU_TORCH = "python -m pip install --index-url https://download.pytorch.org/whl/cpu 'torch"
OPTIONAL = {"torchtext": "only the bridge needs it; later releases do not fit today's torch"}
COMPARISONS = {
    ">=": lambda a, b: a >= b, "<=": lambda a, b: a <= b, "==": lambda a, b: a == b,
    "!=": lambda a, b: a != b, "<": lambda a, b: a < b, ">": lambda a, b: a > b,
}  # fmt: skip


@dataclass(frozen=True)
class Finding:
    """One thing examined: its name, "ok", "warning" or "problem", what was seen, what to do about
    it."""

    name: str
    status: str
    detail: str
    advice: str = ""


def examine() -> list[Finding]:
    """All findings, in the order of the printed table. Imports every dependency: takes a few
    seconds."""
    cache = cache_directory()
    return [
        examine_python(),
        *examine_dependencies(),
        examine_torch_build(),
        examine_threads(),
        examine_memory(machine.available_memory_mib()),
        examine_disk(cache),
        examine_cache(cache),
        examine_toy(TOY_DIRECTORY),
        *examine_notebooks(),
        examine_encoding(sys.stdout),
    ]


def run() -> int:
    """Prints the table of all findings; returns the exit code: 1 if there is a problem, else 0."""
    findings = examine()
    encoding = sys.stdout.encoding or "ascii"
    print(table(findings).encode(encoding, "replace").decode(encoding))
    return exit_code(findings)


def exit_code(findings: Sequence[Finding]) -> int:
    """1 if any of the findings is a problem, else 0; warnings do not count."""
    return int(any(finding.status == PROBLEM for finding in findings))


def table(findings: Sequence[Finding], width: int = 100) -> str:
    """The findings as text: status, name, detail, advice below its finding, and a last line that
    sums up."""
    column = max(len(finding.name) for finding in findings) + 2
    lines = []
    for finding in findings:
        head, margin = f"{finding.status:<9}{finding.name:<{column}}", " " * (9 + column)
        lines.append(
            textwrap.fill(finding.detail, width, initial_indent=head, subsequent_indent=margin)
        )
        if finding.advice:
            advice = textwrap.fill(
                finding.advice, width, initial_indent=margin + "-> ", subsequent_indent=margin + "   ",  # noqa: E501
                # a command must stay whole for copying
                break_long_words=False, break_on_hyphens=False,
            )  # fmt: skip
            lines.append(advice)
    counts = {
        status: sum(finding.status == status for finding in findings)
        for status in (PROBLEM, WARNING)
    }
    lines.append(f"\n{counts[PROBLEM]} problem(s), {counts[WARNING]} warning(s)")
    return "\n".join(lines)


def examine_python(
    version: tuple[int, ...] = sys.version_info[:3], largest: int = sys.maxsize
) -> Finding:
    """Python must be 3.10 or later, and 64-bit (`largest`: its sys.maxsize): torch has no other
    wheels."""
    shown = ".".join(map(str, version))
    if version < (3, 10):
        advice = fitting(
            "make clean; make tour PYTHON=python3.12",
            "install the package in an environment of a later Python",
        )
        return Finding("python", PROBLEM, f"{shown}, but 3.10 is needed", advice)
    if largest < 2**32:
        advice = "install a 64-bit Python: torch has no other wheels"
        return Finding("python", PROBLEM, f"{shown}, 32-bit", advice)
    return Finding("python", OK, f"{shown} in {sys.prefix}")


def examine_dependencies(project: str = PROJECT) -> list[Finding]:
    """One finding for each requirement of the installed project: present, in range, importable."""
    try:
        requirements = importlib.metadata.requires(project) or []
    except importlib.metadata.PackageNotFoundError:
        advice = fitting(
            "run `make tour`, or `python -m pip install --editable .` in the repository",
            "install the package by `python -m pip install`, and its wheel",
        )
        return [Finding(project, PROBLEM, "not installed in this environment", advice)]
    return [examine_dependency(each) for each in requirements if "extra ==" not in each]


def examine_dependency(requirement: str, missing: str = PROBLEM) -> Finding:
    """Whether `requirement` ("numpy<3,>=1.26") holds and its module can be imported; if not:
    `missing`."""
    name, specifiers = parse_requirement(requirement)
    status = WARNING if name in OPTIONAL else missing
    advice = f"python -m pip install '{name}{specifiers}'"
    if name == "torch":
        advice = fitting(
            "remove .venv/.done/torch, then `make tour`: it installs a CPU build",
            f"{CPU_TORCH}{specifiers}'",
        )
    if name in OPTIONAL:
        advice += f" ({OPTIONAL[name]})"
    try:
        version = importlib.metadata.version(name)
    except importlib.metadata.PackageNotFoundError:
        return Finding(name, status, "not installed", advice)
    if not in_range(version, specifiers):
        return Finding(name, status, f"{version}, but {specifiers} is needed", advice)
    try:
        importlib.import_module(name.replace("-", "_"))
    except Exception as error:  # OSError, for example, for a library that does not fit torch
        reason = f"{type(error).__name__}: {error}".splitlines()[0]
        return Finding(name, status, f"{version} cannot be imported: {reason}", advice)
    return Finding(name, OK, f"{version} ({specifiers})")


def parse_requirement(requirement: str) -> tuple[str, str]:
    """Name and version specifiers of a requirement; the marker behind ";" is left out."""
    name, specifiers = re.match(r"\s*([A-Za-z0-9._-]+)\s*([^;]*)", requirement).groups()
    return name, specifiers.strip(" ()")


def in_range(version: str, specifiers: str) -> bool:
    """Whether the release number of `version` satisfies all of `specifiers`, as ">=1.26,<3".

    Only numbers count: a pre-release is taken for its release, and a local part ("+cpu") for
    nothing.
    """
    for specifier in filter(None, specifiers.replace(" ", "").split(",")):
        operator, bound = re.match(r"([<>=!]+)(.+)", specifier).groups()
        if not COMPARISONS[operator](release(version), release(bound)):
            return False
    return True


def release(version: str) -> tuple[int, ...]:
    """The release number of a version, without zeros at its end: "2.10.0+cpu" is (2, 10)."""
    numbers = [int(number) for number in re.match(r"\d+(?:\.\d+)*", version)[0].split(".")]
    while numbers and numbers[-1] == 0:
        numbers.pop()
    return tuple(numbers)


def examine_torch_build() -> Finding:
    """A CUDA build without a GPU works, but holds gigabytes that nothing uses."""
    try:
        import torch

        cuda, usable = torch.version.cuda, torch.cuda.is_available()
    except Exception:  # the finding "torch" says why
        return Finding("torch build", PROBLEM, "torch cannot be examined: see torch above")
    if cuda is None or usable:
        return Finding("torch build", OK, "CPU" if cuda is None else f"CUDA {cuda}, with a GPU")
    gigabytes = installed_bytes(("torch", "nvidia-", "triton", "cuda-")) / 1e9
    advice = fitting(
        "make clean; make tour  (it prefers a CPU build, a tenth of the size)",
        f"python -m pip uninstall torch; {CPU_TORCH}'  (a CPU build, a tenth of the size)",
    )
    detail = f"CUDA {cuda} without a usable GPU: {gigabytes:.1f} GB on disk"
    return Finding("torch build", WARNING, detail, advice)


def installed_bytes(prefixes: tuple[str, ...]) -> int:
    """The size of all installed distributions whose names begin so, in bytes, by their own
    records."""
    every = importlib.metadata.distributions()
    chosen = (each for each in every if (each.metadata["Name"] or "").startswith(prefixes))
    return sum(file.size or 0 for distribution in chosen for file in distribution.files or ())


def examine_threads() -> Finding:
    """torch's threads against the cores that the container grants: too many wait for each other."""
    quota, visible = machine.cpu_quota(), os.cpu_count() or 1
    shown = f"{quota:g} of {visible} visible cores may be used"
    if quota < 1:
        return Finding(
            "threads", WARNING, shown, "runs take longer than stated: they are meant for 2 cores"
        )
    try:
        import torch

        threads = torch.get_num_threads()
    except Exception:
        return Finding("threads", OK, shown)
    if threads > quota:
        advice = (
            f"seqkd-lab limits its own; for other programs: export OMP_NUM_THREADS={int(quota)}"
        )
        return Finding("threads", WARNING, f"{shown}, but torch starts {threads} threads", advice)
    return Finding("threads", OK, f"{shown}; torch uses {threads}")


def examine_memory(available_mib: float) -> Finding:
    """The memory that is free for this process, within the container's limit, in MiB."""
    if available_mib != available_mib:  # NaN
        return Finding("memory", OK, "this system does not tell how much is available")
    advice = "close other programs and notebooks' kernels, or raise the container's limit"
    return _enough("memory", available_mib, MEMORY_MIB, "available", advice)


def examine_disk(cache: Path) -> Finding:
    """The free space where the cache lies, or will lie."""
    folder = next(each for each in (cache, *cache.parents) if each.exists())
    advice = "free some space, or set XDG_CACHE_HOME to a folder on a larger disk"
    free_mib = shutil.disk_usage(folder).free / machine.MIB
    return _enough("disk", free_mib, DISK_MIB, f"free at {folder}", advice)


def _enough(name: str, mib: float, bounds: tuple[int, int], what: str, advice: str) -> Finding:
    """Compares `mib` with the bounds for a problem and for a warning."""
    status = PROBLEM if mib < bounds[0] else WARNING if mib < bounds[1] else OK
    detail = f"{mib:,.0f} MiB {what}"
    if status == OK:
        return Finding(name, OK, detail)
    return Finding(name, status, f"{detail}; {bounds[status == WARNING]} are needed", advice)


def examine_cache(cache: Path) -> Finding:
    """Whether a file can be written to the cache; makes the folder if it is not there."""
    try:
        cache.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=cache) as trial:
            trial.write(b"seqkd_lab")
    except OSError as error:
        advice = "make the folder writable, or set XDG_CACHE_HOME to one that is"
        return Finding("cache", PROBLEM, f"cannot write to {cache}: {error.strerror}", advice)
    return Finding("cache", OK, f"{cache} can be written")


def examine_toy(directory: Path) -> Finding:
    """The files of the toy corpus against the hashes in fingerprint.json."""
    again = installation.restore("toy")
    again = fitting(f"{again}, or make them again: seqkd-lab corpus toy --write", again)
    try:
        expected = json.loads((directory / "fingerprint.json").read_text(encoding="utf-8"))[
            "sha256"
        ]
        found = {
            name: hashlib.sha256((directory / name).read_bytes()).hexdigest() for name in expected
        }
    except FileNotFoundError as error:
        missing = Path(error.filename).name
        detail = f"{directory}: {missing} is missing; made in memory at need"
        return Finding("toy corpus", WARNING, detail, again)
    except (OSError, ValueError, KeyError, TypeError) as error:
        return Finding("toy corpus", PROBLEM, f"{directory} cannot be read: {error}", again)
    changed = [name for name, digest in expected.items() if found[name] != digest]
    if changed:
        return Finding(
            "toy corpus", PROBLEM, f"{', '.join(changed)}: not as fingerprint.json says", again
        )
    return Finding("toy corpus", OK, f"{len(expected)} files in {directory} as recorded")


def examine_notebooks(project: str = PROJECT) -> list[Finding]:
    """JupyterLab and its widgets: nothing but the notebooks needs them, so their absence is no
    fault."""
    try:
        requirements = importlib.metadata.requires(project) or []
    except importlib.metadata.PackageNotFoundError:
        return []  # the finding of the project itself says what to do
    findings = []
    for requirement in requirements:
        if re.search(r"extra == [\"']lab[\"']", requirement):
            finding = examine_dependency(requirement, missing=WARNING)
            if finding.detail == "not installed":
                detail = "not installed; only the notebooks need it"
                finding = Finding(
                    finding.name, OK, detail, fitting("`make lab` installs it", finding.advice)
                )
            findings.append(finding)
    return findings


def examine_encoding(stream: TextIO) -> Finding:
    """German words need an encoding that has their letters."""
    encoding = stream.encoding or "ascii"
    try:
        "äöüßÄÖÜ“→".encode(encoding)
    except (UnicodeEncodeError, LookupError):
        advice = "export PYTHONUTF8=1 (or LANG=C.UTF-8)"
        return Finding(
            "encoding", WARNING, f"{encoding} cannot show all letters of the corpora", advice
        )
    return Finding("encoding", OK, encoding)
