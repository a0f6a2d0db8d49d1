"""Where the time goes: torch.profiler over some training updates and over a batched beam search.

python -m benchmarks.profile [--size 2x192] [--write]    --write puts the tables into README.md,
between its markers
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable
from datetime import date
from pathlib import Path

import torch
from torch.profiler import ProfilerActivity, profile

from benchmarks import corpus as toy
from benchmarks import results as store
from benchmarks.ours import SeqKDLab
from benchmarks.runner import Plan
from benchmarks.tool import OURS, SIZES, TOOLS, Size

README = Path(__file__).resolve().parent / "README.md"
BEGIN, END = (
    "<!-- profile: written by python -m benchmarks.profile --write -->",
    "<!-- end of the profile -->",
)
TOP = 14


def profiled(work: Callable[[], object]) -> list[tuple[str, int, float]]:
    """(operation, calls, own CPU seconds) of one `work()`, most costly first; a run beforehand
    warms up."""
    work()
    with profile(activities=[ProfilerActivity.CPU]) as seen:
        work()
    rows = [
        (event.key, event.count, event.self_cpu_time_total * 1e-6) for event in seen.key_averages()
    ]
    return sorted(rows, key=lambda row: -row[2])


def table(rows: list[tuple[str, int, float]], top: int = TOP) -> str:
    """The most costly operations as markdown: share of the time, calls, mean microseconds of a
    call."""
    total = sum(seconds for _, _, seconds in rows)
    lines = ["| operation | share | calls | µs a call |", "|---|---|---|---|"]
    for name, calls, seconds in rows[:top]:
        lines.append(
            f"| `{name}` | {100 * seconds / total:.1f}% | {calls:,} | {1e6 * seconds / calls:.1f} |"
        )
    rest = sum(seconds for _, _, seconds in rows[top:])
    lines.append(f"| {len(rows[top:])} others | {100 * rest / total:.1f}% | | |")
    return "\n".join(lines)


def sections(size: Size, n_pairs: int, n_sentences: int) -> str:
    """Both tables under headings. Trained weights are used where --prepare has made them."""
    corpus, folder = toy.load(), TOOLS[OURS].folder(size.name, Plan().name)
    trained = folder if folder.exists() else None
    learner, translator = SeqKDLab(size, corpus, None), SeqKDLab(size, corpus, trained)
    pairs, sources = corpus.train[:n_pairs], [source for source, _ in corpus.test[:n_sentences]]
    training = profiled(lambda: learner.train(pairs, 1))
    beam = profiled(lambda: translator.translate(sources, 5, 64))
    said = (
        "trained weights"
        if trained
        else "random weights: run python -m benchmarks --prepare for real lengths"
    )
    return "\n\n".join(
        [
            f"{size.name}, {date.today().isoformat()}, lab {store.commit()}, torch "
            f"{torch.__version__}, one thread. Own time of each operation, without that of the "
            "operations it calls; the profiler itself makes short ones longer.",
            f"**Training**, {len(pairs):,} pairs in batches of 64:",
            table(training),
            f"**Beam search**, K = 5, {len(sources):,} sentences in batches of 64, {said}:",
            table(beam),
        ]
    )


def between_markers(text: str, content: str) -> str:
    """`text` with what stands between the markers replaced. Raises ValueError when they are not
    there."""
    if BEGIN not in text or END not in text:
        raise ValueError(f"README.md needs the lines {BEGIN!r} and {END!r}; put them back")
    before, rest = text.split(BEGIN, 1)
    return f"{before}{BEGIN}\n\n{content}\n\n{END}{rest.split(END, 1)[1]}"


def main(arguments: list[str] | None = None) -> int:
    """Prints the tables, or writes them into README.md."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.profile", description=__doc__)
    parser.add_argument("--size", choices=sorted(SIZES), default="2x192")
    parser.add_argument("--pairs", type=int, default=1280, help="training pairs (default: 1280)")
    parser.add_argument("--sentences", type=int, default=256, help="test sentences (default: 256)")
    parser.add_argument(
        "--write", action="store_true", help="into benchmarks/README.md instead of printing"
    )
    given = parser.parse_args(arguments)
    torch.set_num_threads(1)
    content = sections(SIZES[given.size], given.pairs, given.sentences)
    if given.write:
        README.write_text(
            between_markers(README.read_text(encoding="utf-8"), content), encoding="utf-8"
        )
    else:
        print(content)
    return 0


if __name__ == "__main__":
    sys.exit(main())
