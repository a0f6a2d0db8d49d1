"""Corpora larger than memory: what it takes to encode one, to go through it, to train from it, and
to write and read its distilled form, at a million pairs and at ten.

python -m benchmarks.streams [--pairs 1000000 10000000] [--data DIR] [--results FILE] [--report]

Each step runs in a process of its own. A step that is in the results is left out, so that an
interrupted benchmark continues. The text is made up (benchmarks.made_up_text); there is no teacher:
the hypotheses of the distilled corpus are the references.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from typing import Any

from benchmarks.made_up_text import write_text
from benchmarks.results import BENCHMARKS
from seqkd_lab import machine
from seqkd_lab.files import FileError, read_json, write_json

RESULTS = BENCHMARKS / "streams.json"
LOOK_SECONDS = 0.25
GROUP = Path("/sys/fs/cgroup/memory")
GROUP_MIB = 512
"""What a control group grants to the process that goes through a corpus, page cache included."""
MOST_IN_MEMORY = 1_000_000
STEPS = ("in memory", "encode", "pass", "limited pass", "train", "write", "read")
MIB = 2**20


@dataclass
class Peak:
    """The most that a process and all that it started held, in MiB, summed over them at a moment:
    memory of their own (RssAnon), and pages of files (RssFile), which the system may drop."""

    anon_mib: float = 0.0
    file_mib: float = 0.0

    def look(self, pid: int) -> None:
        """Look once."""
        own = [memory_of(process) for process in tree(pid)]
        self.anon_mib = max(self.anon_mib, sum(anon for anon, _ in own))
        self.file_mib = max(self.file_mib, sum(file for _, file in own))


def tree(pid: int) -> list[int]:
    """Return a process and all below it."""
    found = [pid]
    for parent in found:
        try:
            for task in Path(f"/proc/{parent}/task").iterdir():
                found += map(int, (task / "children").read_text().split())
        except OSError:  # it has ended
            continue
    return found


def memory_of(pid: int) -> tuple[float, float]:
    """Return RssAnon and RssFile of a process in MiB."""
    try:
        lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    except OSError:
        return 0.0, 0.0
    kib = {name: value for name, _, value in (line.partition(":") for line in lines)}
    return tuple(int(kib.get(name, "0").split()[0]) / 1024 for name in ("RssAnon", "RssFile"))


def measured(command: Sequence[str | Path]) -> tuple[str, dict[str, float]]:
    """Run a command; return what it prints, and its seconds and peaks."""
    started, peak = time.perf_counter(), Peak()
    before = os.times()
    process = subprocess.Popen(list(map(str, command)), stdout=subprocess.PIPE, text=True)
    while process.poll() is None:
        peak.look(process.pid)
        time.sleep(LOOK_SECONDS)
    after = os.times()
    if process.returncode:
        raise SystemExit(f"{command}: exit code {process.returncode}")
    cpu = (after.children_user - before.children_user) + (
        after.children_system - before.children_system
    )
    assert process.stdout is not None
    seconds = {"wall_s": time.perf_counter() - started, "cpu_s": cpu}
    return process.stdout.read(), {**seconds, **vars(peak)}


def step(*arguments: str | Path) -> dict[str, Any]:
    """Run one of benchmarks.stream_steps."""
    out, seen = measured([sys.executable, "-m", "benchmarks.stream_steps", *arguments])
    return {**json.loads(out), **seen}


def encoded(text: Path, corpus: Path) -> dict[str, Any]:
    """Encode a text with one process a core."""
    command = [sys.executable, "-m", "seqkd_lab", "corpus", "encode", "--text", text]
    _, seen = measured([*command, "--out", corpus])
    size = sum(file.stat().st_size for file in corpus.iterdir())
    return {**seen, "workers": machine.available_cpus(), "bytes": size}


def in_memory(n: int, text: Path, corpus: Path) -> dict[str, Any]:
    """Read a text as a training without --corpus does, with the subwords of the encoded corpus, in
    one process; a text that is too large for that is left out."""
    if n > MOST_IN_MEMORY:
        return {"refused": f"more than {MOST_IN_MEMORY:,} pairs are not read into memory here"}
    return step("load", text, corpus / "subwords.model")


def limited_pass(corpus: Path) -> dict[str, Any]:
    """Go through a corpus in a control group that has less memory than the corpus has bytes."""
    folder = GROUP / f"streams-{os.getpid()}"
    try:
        folder.mkdir()
        (folder / "memory.limit_in_bytes").write_text(str(GROUP_MIB * MIB))
    except OSError as error:
        return {"refused": f"no control group can be made here: {error}"}
    for file in corpus.iterdir():
        dropped_from_cache(file)  # else its pages would count for who has read them before
    try:
        command = [sys.executable, "-m", "benchmarks.stream_steps", "pass", corpus]
        into = f'echo $$ > {folder / "tasks"}; exec "$@"'
        joined = ["sh", "-c", into, "sh", *command]
        out, seen = measured(joined)
        used = int((folder / "memory.max_usage_in_bytes").read_text()) / MIB
        return {**json.loads(out), **seen, "limit_mib": GROUP_MIB, "group_mib": used}
    finally:
        for _ in range(50):
            try:
                folder.rmdir()
                break
            except OSError:
                time.sleep(0.1)


def dropped_from_cache(file: Path) -> None:
    """Let the system forget the pages of a file."""
    descriptor = os.open(file, os.O_RDONLY)
    os.fsync(descriptor)
    os.posix_fadvise(descriptor, 0, 0, os.POSIX_FADV_DONTNEED)
    os.close(descriptor)


def run(sizes: Sequence[int], data: Path, path: Path) -> None:
    """Run every step that is not in the results yet."""
    try:
        results: dict[str, Any] = read_json(path)
    except (OSError, FileError):
        results = {}
    for n in sizes:
        text, corpus, table = (data / f"{kind}-{n}" for kind in ("text", "corpus", "table"))
        table = table.with_suffix(".tsv")
        steps = {
            "encode": lambda text=text, corpus=corpus: encoded(text, corpus),
            "in memory": lambda n=n, text=text, corpus=corpus: in_memory(n, text, corpus),
            "pass": lambda corpus=corpus: step("pass", corpus),
            "limited pass": lambda corpus=corpus: limited_pass(corpus),
            "train": lambda corpus=corpus: step("train", corpus),
            "write": lambda corpus=corpus, table=table: step("write", corpus, table),
            "read": lambda corpus=corpus, table=table: step("read", corpus, table),
        }
        for name, measure in steps.items():
            if f"{n}/{name}" in results:
                continue
            write_text(text, n)
            results[f"{n}/{name}"] = {key: _short(value) for key, value in measure().items()}
            results["machine"] = machine.describe()
            write_json(path, results)
            print(f"{n:,} pairs, {name}: {results[f'{n}/{name}']}", file=sys.stderr)


def _short(value: Any) -> Any:
    return round(value, 3) if isinstance(value, float) else value


def _order(entry: tuple[str, Any]) -> tuple[int, int]:
    """Return the place of an entry: by the number of pairs, then as the steps are taken."""
    n, _, name = entry[0].partition("/")
    return (int(n), STEPS.index(name)) if name else (0, 0)


def report(path: Path) -> str:
    """Return the table of benchmarks/README.md."""
    results = dict(sorted(read_json(path).items(), key=_order))
    lines = [
        "| pairs | step | seconds | CPU seconds | pairs a CPU second | own memory, MiB | "
        "mapped pages, MiB |",
        "|---|---|---|---|---|---|---|",
    ]
    for key, found in results.items():
        n, _, name = key.partition("/")
        if not name or "refused" in found or name == "train":
            continue
        if name == "limited pass":
            name = f"pass, in a control group of {found['limit_mib']} MiB"
        lines.append(
            f"| {int(n):,} | {name} | {found['wall_s']:,.0f} | {found['cpu_s']:,.0f} | "
            f"{int(n) / found['cpu_s']:,.0f} | {found['anon_mib']:,.0f} | "
            f"{found['file_mib']:,.0f} |"
        )
    for key, found in results.items():
        if key.endswith("/train"):
            each = found["tokens_per_cpu_s"]
            ratios = [a / b for a, b in zip(each["mapped"], each["memory"], strict=True)]
            n = int(key.split("/")[0])
            lines.append(
                f"\nTraining from {n:,} mapped pairs: {median(ratios):.2f} "
                f"({min(ratios):.2f}–{max(ratios):.2f}) times the target tokens a CPU second of "
                "the same pairs in memory, and the same losses."
            )
    return "\n".join(lines)


def main() -> None:
    """Read the options and run."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--pairs", type=int, nargs="+", default=[1_000_000, 10_000_000])
    parser.add_argument("--data", type=Path, default=Path("runs/streams"))
    parser.add_argument("--results", type=Path, default=RESULTS)
    parser.add_argument("--report", action="store_true")
    options = parser.parse_args()
    if not options.report:
        run(options.pairs, options.data, options.results)
    print(report(options.results))


if __name__ == "__main__":
    main()
