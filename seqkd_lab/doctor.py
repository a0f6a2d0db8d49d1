"""The doctor: examines the environment, and reports what is wrong and how to fix it.

It works where the rest may not: torch and the other dependencies are imported one by one, inside
the examinations, and what fails becomes a finding. Its own words are plain ASCII, since the
terminal's encoding is one of the things examined.
"""

from __future__ import annotations

import hashlib
import importlib
import importlib.metadata
import json
import math
import os
import shutil
import sys
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, TextIO

from seqkd_lab import installation, machine
from seqkd_lab.findings import OK, PROBLEM, WARNING, Finding, exit_code, table
from seqkd_lab.installation import cache_directory, fitting, pip

if TYPE_CHECKING:
    from packaging.requirements import Requirement

PROJECT = "seqkd-lab"
TOY_DIRECTORY = installation.data_directory() / "toy"
MEMORY_MIB = (500, 1000)
"""Below the first a run fails, below the second only small ones fit."""
DISK_MIB = (200, 1000)
CPU_TORCH = "install --index-url https://download.pytorch.org/whl/cpu 'torch"
OPTIONAL = {"torchtext": "only the bridge needs it; later releases do not fit today's torch"}


def examine() -> list[Finding]:
    """Return all findings, in the order of the printed table. This imports every dependency, which
    takes a few seconds."""
    cache = cache_directory()
    return [
        examine_python(),
        *examine_dependencies(),
        examine_torch_build(),
        examine_devices(),
        examine_threads(),
        examine_memory(machine.available_memory_mib()),
        examine_disk(cache),
        examine_cache(cache),
        *examine_stores(os.environ),
        examine_toy(TOY_DIRECTORY),
        *examine_notebooks(),
        examine_encoding(sys.stdout),
    ]


def run() -> int:
    """Print the table of all findings; return the exit code: 1 if there is a problem, else 0."""
    findings = examine()
    encoding = sys.stdout.encoding or "ascii"
    print(table(findings).encode(encoding, "replace").decode(encoding))
    return exit_code(findings)


def examine_python(
    version: tuple[int, ...] = sys.version_info[:3], largest: int = sys.maxsize
) -> Finding:
    """Examine Python: it must be 3.10 or later, and 64-bit (`largest` is its sys.maxsize), since
    torch has no other wheels."""
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
    """Return a finding for each requirement of the installed project: present, in range,
    importable."""
    try:
        return [examine_dependency(requirement) for requirement in requirements(project)]
    except importlib.metadata.PackageNotFoundError:
        advice = fitting(
            "run `make tour`, or `python -m pip install --editable .` in the repository",
            f"install the package by {pip('install')}, and its wheel",
        )
        return [Finding(project, PROBLEM, "not installed in this environment", advice)]
    except ImportError:
        detail = "not installed; without it, no other dependency can be checked"
        return [Finding("packaging", PROBLEM, detail, pip("install packaging"))]


def requirements(project: str, extra: str = "") -> list[Requirement]:
    """Return the requirements of an installed project that hold here: those of one `extra`, or
    (by default) of none.

    Raise ImportError where packaging is missing, PackageNotFoundError where the project is.
    """
    from packaging.requirements import Requirement

    parsed = [Requirement(line) for line in importlib.metadata.requires(project) or []]
    own = [r for r in parsed if r.marker is None or r.marker.evaluate({"extra": ""})]
    if not extra:
        return own
    return [r for r in parsed if r not in own and r.marker and r.marker.evaluate({"extra": extra})]


def examine_dependency(requirement: Requirement, missing: str = PROBLEM) -> Finding:
    """Examine whether `requirement` holds and its module can be imported; `missing` is the status
    otherwise.

    Only the release number counts: a pre-release is taken for its release, and a local part
    ("+cpu") is ignored.
    """
    from packaging.version import Version

    name, specifier = requirement.name, requirement.specifier
    status = WARNING if name in OPTIONAL else missing
    advice = pip(f"install '{name}{specifier}'")
    if name == "torch":
        advice = fitting(
            "remove .venv/.done/torch, then `make tour`: it installs a CPU build",
            pip(f"{CPU_TORCH}{specifier}'"),
        )
    if name in OPTIONAL:
        advice += f" ({OPTIONAL[name]})"
    try:
        version = importlib.metadata.version(name)
    except importlib.metadata.PackageNotFoundError:
        return Finding(name, status, "not installed", advice)
    if not specifier.contains(Version(version).base_version):
        return Finding(name, status, f"{version}, but {specifier} is needed", advice)
    try:
        importlib.import_module(name.replace("-", "_"))
    except Exception as error:  # OSError, for example, for a library that does not fit torch
        reason = f"{type(error).__name__}: {error}".splitlines()[0]
        return Finding(name, status, f"{version} cannot be imported: {reason}", advice)
    return Finding(name, OK, f"{version} ({specifier})")


def examine_torch_build() -> Finding:
    """Examine torch's build: CUDA without a GPU works, but holds gigabytes that nothing uses."""
    try:
        import torch

        cuda, usable = torch.version.cuda, torch.cuda.is_available()
    except Exception:  # the finding "torch" says why
        return Finding("torch build", PROBLEM, "torch cannot be examined: see torch above")
    if cuda is None or usable:
        return Finding("torch build", OK, "CPU" if cuda is None else f"CUDA {cuda}, with a GPU")
    if (by := installation.host()) is not None:
        return Finding("torch build", OK, f"CUDA {cuda} without a GPU, as {by} has installed it")
    gigabytes = installed_bytes(("torch", "nvidia-", "triton", "cuda-")) / 1e9
    advice = fitting(
        "make clean; make tour  (it prefers a CPU build, a tenth of the size)",
        f"{pip('uninstall torch')}; {pip(CPU_TORCH)}'  (a CPU build, a tenth of the size)",
    )
    detail = f"CUDA {cuda} without a usable GPU: {gigabytes:.1f} GB on disk"
    return Finding("torch build", WARNING, detail, advice)


def examine_devices() -> Finding:
    """Name the devices that --device can name here."""
    try:
        from seqkd_lab.devices import seen

        return Finding("devices", OK, seen())
    except Exception:  # the finding "torch" says why
        return Finding("devices", PROBLEM, "torch cannot be examined: see torch above")


def installed_bytes(prefixes: tuple[str, ...]) -> int:
    """Return the size of all installed distributions whose names begin with one of `prefixes`, in
    bytes, by their own records."""
    return sum(
        file.size or 0
        for distribution in importlib.metadata.distributions()
        if (distribution.metadata["Name"] or "").startswith(prefixes)
        for file in distribution.files or ()
    )


def examine_threads() -> Finding:
    """Compare torch's threads with the cores that the container grants: too many wait for each
    other."""
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
    """Examine the memory that is free for this process within the container's limit, in MiB."""
    if math.isnan(available_mib):
        return Finding("memory", OK, "this system does not report how much is available")
    advice = "close other programs and notebooks' kernels, or raise the container's limit"
    return _enough("memory", available_mib, MEMORY_MIB, "available", advice)


def examine_disk(cache: Path) -> Finding:
    """Examine the free space where the cache is, or will be."""
    folder = next(path for path in (cache, *cache.parents) if path.exists())
    advice = "free some space, or set XDG_CACHE_HOME to a folder on a larger disk"
    free_mib = shutil.disk_usage(folder).free / machine.MIB
    return _enough("disk", free_mib, DISK_MIB, f"free at {folder}", advice)


def _enough(name: str, mib: float, bounds: tuple[int, int], what: str, advice: str) -> Finding:
    """Compare `mib` with the bounds for a problem and for a warning."""
    status = PROBLEM if mib < bounds[0] else WARNING if mib < bounds[1] else OK
    detail = f"{mib:,.0f} MiB {what}"
    if status == OK:
        return Finding(name, OK, detail)
    return Finding(name, status, f"{detail}; {bounds[status == WARNING]} are needed", advice)


def examine_cache(cache: Path) -> Finding:
    """Examine whether a file can be written to the cache; make the folder if it is missing."""
    try:
        cache.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=cache) as trial:
            trial.write(b"seqkd_lab")
    except OSError as error:
        advice = "make the folder writable, or set XDG_CACHE_HOME to one that is"
        return Finding("cache", PROBLEM, f"cannot write to {cache}: {error.strerror}", advice)
    return Finding("cache", OK, f"{cache} can be written")


def examine_stores(environment: Mapping[str, str]) -> list[Finding]:
    """Examine whether one's own store of trained models can be written, and whether the shared one
    can be read, where there is one."""
    store, shared = (environment.get(name, "") for name in ("SEQKD_LAB_STORE", "SEQKD_LAB_SHARED"))
    folder = Path(store or "runs").absolute()
    around = next(part for part in (folder, *folder.parents) if part.exists())
    findings = [Finding("store", OK, f"trained models are kept in {folder}")]
    if not around.is_dir() or not os.access(around, os.W_OK | os.X_OK):
        advice = "name another folder by SEQKD_LAB_STORE, or let its owner share it: chmod g+rwX"
        findings = [Finding("store", PROBLEM, f"{around} cannot be written", advice)]
    if shared and not os.access(Path(shared, "models"), os.R_OK | os.X_OK):
        advice = "name the store that was filled for you, or unset SEQKD_LAB_SHARED"
        findings += [Finding("shared store", PROBLEM, f"{shared} holds no models to read", advice)]
    elif shared:
        findings += [Finding("shared store", OK, f"{shared} is looked up first")]
    return findings


def examine_toy(directory: Path) -> Finding:
    """Compare the files of the toy corpus with the hashes in fingerprint.json."""
    again = installation.restore("data/toy")
    again = fitting(f"{again}, or make them again: seqkd-lab corpus toy --write", again)
    try:
        expected = recorded_hashes(directory / "fingerprint.json")
        actual = {name: hashlib.sha256(_content(directory / name)).hexdigest() for name in expected}
    except FileNotFoundError as error:
        missing = Path(error.filename).name
        detail = f"{directory}: {missing} is missing; it is made in memory when needed"
        return Finding("toy corpus", WARNING, detail, again)
    except (OSError, ValueError, KeyError, TypeError, RecursionError) as error:
        return Finding("toy corpus", PROBLEM, f"{directory} cannot be read: {error}", again)
    changed = [name for name, digest in expected.items() if actual[name] != digest]
    if changed:
        detail = f"{', '.join(changed)}: not as fingerprint.json says"
        return Finding("toy corpus", PROBLEM, detail, again)
    return Finding("toy corpus", OK, f"{len(expected)} files in {directory} as recorded")


def recorded_hashes(record: Path) -> dict[str, str]:
    """Return the sha256 (hex) of each file that the record names. Raise ValueError, KeyError,
    TypeError or RecursionError where it is another file, or names a file of another folder."""
    hashes = json.loads(_content(record))["sha256"]
    for name in dict(hashes):
        if Path(name).name != name:
            raise ValueError(f"{record.name} names {name[:80]!r}, which is no file of this folder")
    return dict(hashes)


def _content(path: Path) -> bytes:
    """Return what a file holds. Raise ValueError for a device or a pipe, which may never end."""
    if path.exists() and not path.is_file():
        raise ValueError(f"{path.name} is no regular file")
    return path.read_bytes()


def examine_notebooks(project: str = PROJECT) -> list[Finding]:
    """Examine JupyterLab and its widgets: only the notebooks need them, so their absence is no
    fault, and where a host shows the notebooks, their versions are its own choice."""
    if (by := installation.host()) is not None:
        return [Finding("notebooks", OK, f"{by} shows them itself, with the widgets that it has")]
    try:
        needed = requirements(project, "lab")
    except ImportError:  # the findings of the dependencies say what to do
        return []
    findings = []
    for requirement in needed:
        finding = examine_dependency(requirement, missing=WARNING)
        if finding.detail == "not installed":
            detail = "not installed; only the notebooks need it"
            advice = fitting("`make lab` installs it", finding.advice)
            finding = Finding(finding.name, OK, detail, advice)
        findings.append(finding)
    return findings


def examine_encoding(stream: TextIO) -> Finding:
    """Examine the encoding of `stream`: German words need one that has their letters."""
    encoding = stream.encoding or "ascii"
    try:
        "äöüßÄÖÜ“→".encode(encoding)
    except (UnicodeEncodeError, LookupError):
        advice = "export PYTHONUTF8=1 (or LANG=C.UTF-8)"
        return Finding(
            "encoding", WARNING, f"{encoding} cannot show all letters of the corpora", advice
        )
    return Finding("encoding", OK, encoding)
