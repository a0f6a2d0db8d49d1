"""Sets up the peers, each in an environment of its own: python -m benchmarks.peers.setup [NAME ...]

An environment holds the torch that the lab pins, and the packages of requirements/NAME.txt,
installed without looking at what those ask for (why, README.md says). One that is complete is left
as it is; one that fails is reported, with the last line that pip said, and does not keep the others
from being tried.
"""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

HERE = Path(__file__).resolve().parent
ENVIRONMENTS = HERE / ".envs"
REQUIREMENTS = HERE / "requirements"
ROOT = HERE.parents[1]
TRIALS = {
    "joeynmt": "import joeynmt.model, joeynmt.search, joeynmt.vocabulary",
    "opennmt": "import onmt.model_builder, onmt.translate, onmt.utils.loss, pyonmttok",
    "transformers": "import transformers, ctranslate2; from transformers import MarianMTModel",
}
"""What must import in each environment before it counts as installed."""


def python_of(environment: str) -> Path:
    """The Python of an environment; the lab's own for ""."""
    folder = "Scripts" if os.name == "nt" else "bin"
    return ENVIRONMENTS / environment / folder / "python" if environment else Path(sys.executable)


def record_path(environment: str) -> Path:
    """Where the outcome of an installation lies."""
    return ENVIRONMENTS / f"{environment}.json"


def fingerprint(environment: str) -> str:
    """Of what an environment is made from: its requirements and the lab's pins."""
    parts = (
        (REQUIREMENTS / f"{environment}.txt").read_bytes(),
        (ROOT / "requirements" / "torch.txt").read_bytes(),
    )
    return hashlib.sha256(b"".join(parts)).hexdigest()


def why_not(environment: str) -> str | None:
    """None when an environment can be used, else the reason in one line."""
    if not environment:
        return None
    if not record_path(environment).exists():
        return f"not set up; run: python -m benchmarks.peers.setup {environment}"
    return json.loads(record_path(environment).read_text(encoding="utf-8"))["reason"]


def last_line(text: str) -> str:
    """The last line that says something; of pip, the last that is an error, if there is one."""
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    errors = [line for line in lines if line.startswith("ERROR") or "Error:" in line]
    return (errors or lines or ["no message"])[-1]


def steps(environment: str) -> list[list[str]]:
    """The commands that make an environment, in order."""
    python, requirements = str(python_of(environment)), str(REQUIREMENTS / f"{environment}.txt")
    return [
        [sys.executable, "-m", "venv", str(ENVIRONMENTS / environment)],
        [python, str(ROOT / "tools" / "install_torch.py")],
        [python, "-m", "pip", "install", "--quiet", "--no-deps", "--requirement", requirements],
        [python, "-W", "ignore", "-c", TRIALS[environment]],
    ]


def install(environment: str) -> str | None:
    """Makes an environment anew; returns None, or the reason why it does not work."""
    shutil.rmtree(ENVIRONMENTS / environment, ignore_errors=True)
    for command in steps(environment):
        done = subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True, text=True)
        if done.returncode != 0:
            return last_line(done.stderr or done.stdout)
    return None


def set_up(environment: str) -> str | None:
    """Installs what is not there yet and records the outcome; None, or why it does not work."""
    path, wanted = record_path(environment), fingerprint(environment)
    if path.exists():
        record = json.loads(path.read_text(encoding="utf-8"))
        if record["fingerprint"] == wanted and record["reason"] is None:
            return None
    ENVIRONMENTS.mkdir(exist_ok=True)
    reason = install(environment)
    path.write_text(json.dumps({"fingerprint": wanted, "reason": reason}) + "\n", encoding="utf-8")
    return reason


def main(names: list[str]) -> int:
    """Sets up the named environments, or all; exit code 0 even when a peer fails, 2 for an unknown
    name."""
    unknown = sorted(set(names) - set(TRIALS))
    if unknown:
        print(f"unknown peer {', '.join(unknown)}: choose {', '.join(TRIALS)}", file=sys.stderr)
        return 2
    for name in names or list(TRIALS):
        print(f"{name}: setting up ...", flush=True)
        reason = set_up(name)
        print(f"{name}: {'ready' if reason is None else 'does not install: ' + reason}", flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
