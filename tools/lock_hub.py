"""Writes class_image/hub.txt: what the class image needs beside requirements/lab.txt, so that a
JupyterHub can start it. `.venv/maintain/bin/python tools/lock_hub.py 6.1.1` (`make lock` makes that
environment) takes the version of your hub: both must have the same major version.

It is apart from requirements/, which everybody installs: the version is the hub's choice, not the
lab's, and changes nothing of what the lab needs.
"""

from __future__ import annotations

import argparse
import subprocess
import sys
import tempfile
from pathlib import Path

from lock import HEADER, OLDEST_PYTHON, ROOT, LockError, entries, present

HUB_LOCK = ROOT / "class_image" / "hub.txt"
TITLE = "What the class image needs beside requirements/lab.txt: JupyterHub, for its server."
MAKER = {"`make lock` from pyproject.toml": "tools/lock_hub.py"}


def resolve(version: str, folder: Path) -> dict[str, list[str]]:
    """Return the packages of JupyterHub `version`, each as the lab's locks have it where they do.

    Raise LockError with uv's own words when it finds no solution.
    """
    constraints, output = folder / "constraints.txt", folder / "hub.txt"
    locked = entries(present("core", "lab", "torch"))
    pins = [entry.splitlines()[0].rstrip(" \\") for each in locked.values() for entry in each]
    constraints.write_text("\n".join(pins) + "\n", encoding="utf-8", newline="\n")
    command = [sys.executable, "-m", "uv", "pip", "compile", "-", "--universal", "--quiet"]
    command += ["--constraint", str(constraints), "--generate-hashes", "--only-binary", ":all:"]
    command += ["--python-version", OLDEST_PYTHON, "--no-python-downloads", "--no-header"]
    command += ["--annotation-style", "line", "--output-file", str(output)]
    asked = f"jupyterhub=={version}\n"
    run = subprocess.run(command, cwd=ROOT, input=asked, capture_output=True, encoding="utf-8")
    if run.returncode:
        raise LockError(f"jupyterhub {version}: uv could not resolve it\n{run.stderr}")
    resolved = entries(output.read_text(encoding="utf-8"))
    return {name: resolved[name] for name in sorted(resolved.keys() - locked.keys())}


def main() -> int:
    """Return 0 when the lock is written, 1 when it could not be made."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n\n")[0])
    parser.add_argument("version", help="the version of JupyterHub that your hub runs")
    try:
        with tempfile.TemporaryDirectory() as folder:
            packages = resolve(parser.parse_args().version, Path(folder))
    except LockError as error:
        print(f"lock_hub: {error}", file=sys.stderr)
        return 1
    text = HEADER.format(title=TITLE)
    for said, ours in MAKER.items():
        text = text.replace(said, ours)
    lines = [entry for each in packages.values() for entry in each]
    HUB_LOCK.write_text(text + "\n".join(lines) + "\n", encoding="utf-8", newline="\n")
    print(f"{HUB_LOCK.relative_to(ROOT)}: {len(lines)} packages")
    return 0


if __name__ == "__main__":
    sys.exit(main())
