"""Lists the licence of every installed package, and asks for known vulnerabilities of what the
locks pin. `make audit` runs it.

It fails (exit code 1) when

- a licence is unknown or is a GNU licence (GPL, LGPL, AGPL), by the package's metadata, by a
  licence file in it or by a runtime library that it brings, and tools/licences.txt gives no reason
  why that is right; or
- pip-audit finds a known vulnerability.

A database of vulnerabilities that cannot be reached is no failure. It is said, with the number of
packages that were not checked, so that silence is never taken for safety.
"""

from __future__ import annotations

import argparse
import json
import re
import subprocess
import sys
from importlib import metadata
from pathlib import Path
from typing import NamedTuple

ROOT = Path(__file__).resolve().parent.parent
REASONS = ROOT / "tools" / "licences.txt"
LOCKS = [ROOT / "requirements" / f"{name}.txt" for name in ("test", "torch", "maintain")]
OWN = "seqkd-lab"
UNKNOWN = "UNKNOWN"
GNU = re.compile(r"\b[AL]?GPL|\bGNU\b|General Public License", re.IGNORECASE)
LICENCE_FILE = re.compile(r"(licen[cs]es?|copying|notices?)[^/]*$", re.IGNORECASE)
GNU_RUNTIME = re.compile(r"lib(gomp|gfortran|quadmath)\b")
CODE = (".py", ".pyc", ".js", ".so", ".h")
LONGEST_LICENCE = 60
AUDIT_SECONDS = 600


class Package(NamedTuple):
    """An installed package: what its metadata says, and where GNU licences are named in it."""

    name: str
    version: str
    licence: str
    gnu: tuple[str, ...]


def licence_of(fields: metadata.PackageMetadata) -> str:
    """Return the licence by a package's metadata, or UNKNOWN.

    The SPDX expression counts first, then the classifiers, then the first line of the free text,
    where some packages put the whole licence.
    """
    expression = fields.get("License-Expression")
    named = [line for line in fields.get_all("Classifier") or [] if line.startswith("License ::")]
    classified = " AND ".join(line.rpartition(" :: ")[2] for line in named)
    free = next(iter((fields.get("License") or "").strip().splitlines()), "")
    usable = free if len(free) <= LONGEST_LICENCE and free.upper() != UNKNOWN else ""
    return expression or classified or usable or UNKNOWN


def gnu_in(distribution: metadata.Distribution) -> tuple[str, ...]:
    """Return the files of a package that are, or name, something under a GNU licence."""
    hits = set()
    for file in distribution.files or []:
        if GNU_RUNTIME.match(file.name):
            hits.add(file.name)
        elif LICENCE_FILE.search(str(file)) and not file.name.endswith(CODE):
            path = Path(str(file.locate()))
            if path.is_file() and GNU.search(path.read_text(encoding="utf-8", errors="replace")):
                hits.add(file.name)
    return tuple(sorted(hits))


def installed() -> list[Package]:
    """Return the packages of this environment by name, without the project itself."""
    packages = {
        (name := re.sub(r"[-_.]+", "-", each.metadata["Name"]).lower()): Package(
            name, each.version, licence_of(each.metadata), gnu_in(each)
        )
        for each in metadata.distributions()
    }
    return [packages[name] for name in sorted(packages) if name != OWN]


def reasons(path: Path = REASONS) -> dict[str, str]:
    """Return package -> why its licence is right, from the list's lines "NAME: REASON".

    Raise ValueError with file and line where a line is something else.
    """
    explained = {}
    for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), 1):
        name, colon, reason = line.partition(": ")
        if line.startswith("#") or not line.strip():
            continue
        if not (re.fullmatch(r"[a-z0-9-]+", name) and colon and len(reason.split()) >= 3):
            raise ValueError(f"{path}:{number}: 'NAME: REASON' is expected, not '{line}'")
        explained[name] = reason
    return explained


def doubt(package: Package) -> str | None:
    """Return what about a package's licence needs a reason, or None."""
    if package.licence == UNKNOWN:
        return "licence unknown"
    if GNU.search(package.licence):
        return f"licence {package.licence}"
    return f"GNU licence in {', '.join(package.gnu)}" if package.gnu else None


def licence_problems(packages: list[Package], explained: dict[str, str]) -> list[str]:
    """Print the table of licences; return the doubts that nothing explains."""
    problems = []
    for package in packages:
        question = doubt(package)
        remark = f"  [{explained.get(package.name, question)}]" if question else ""
        print(f"{package.name:28} {package.version:18} {package.licence}{remark}")
        if question and package.name not in explained:
            problems.append(
                f"{package.name}: {question}; if it is right, tools/licences.txt says why"
            )
    return problems


def vulnerabilities(report: str) -> tuple[list[str], int, int]:
    """Return the findings of pip-audit's JSON, and how many packages were checked and were not."""
    dependencies = json.loads(report)["dependencies"]
    checked = [each for each in dependencies if "vulns" in each]
    findings = [
        f"{each['name']} {each['version']}: {vulnerability['id']}, mended in "
        f"{', '.join(vulnerability['fix_versions']) or 'no version yet'}"
        for each in checked
        for vulnerability in each["vulns"]
    ]
    return findings, len(checked), len(dependencies) - len(checked)


def vulnerability_problems(program: str) -> list[str]:
    """Print how many packages of the locks were checked by pip-audit; return what was found."""
    findings, checked, unchecked, cause = [], 0, 0, ""
    for lock in LOCKS:
        command = [program, "--requirement", str(lock), "--disable-pip", "--require-hashes"]
        command += ["--format", "json", "--progress-spinner", "off"]
        try:
            run = subprocess.run(
                command, capture_output=True, encoding="utf-8", timeout=AUDIT_SECONDS
            )
            more, yes, no = vulnerabilities(run.stdout)
            findings, checked, unchecked = findings + more, checked + yes, unchecked + no
        except (OSError, ValueError, KeyError, subprocess.TimeoutExpired) as error:
            cause = f" ({type(error).__name__} with {lock.name})"
    print(f"\nKnown vulnerabilities: {len(findings)} in {checked} packages of the locks.")
    if not checked:
        print("NOTHING WAS CHECKED: the database of vulnerabilities could not be reached" + cause)
    elif unchecked or cause:
        print(f"NOT CHECKED: {unchecked} packages that the database does not have{cause}")
    return findings


def main() -> int:
    """Return 1 when a licence needs a reason or a vulnerability is known, else 0."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n\n")[0])
    parser.add_argument("--pip-audit", default="pip-audit", help="the program")
    program = parser.parse_args().pip_audit
    problems = licence_problems(installed(), reasons()) + vulnerability_problems(program)
    for problem in problems:
        print(problem, file=sys.stderr)
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main())
