"""The tables of a measured class, in Markdown: for the terminal and for CLASS.md."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from benchmarks.class_server.capacity import RESERVE_MIB, Needs, needs_of
from benchmarks.class_server.results import Measured, Round

CORES = (2, 8, 32)
RAM_GIB = (4, 8, 32, 128)
SECONDS = (120, 300)


def table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """Return a table in Markdown."""
    lines = [head, ["---"] * len(head), *rows]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines) + "\n"


def rounds_table(rounds: Sequence[Round]) -> str:
    """Return what each class took, a row a round."""
    head = ("lesson", "learners", "wall s", "kernel: CPU s", "kernel: MiB", "server: MiB",
            "hub and proxy: MiB", "whole class: MiB")  # fmt: skip
    return table(head, (round_row(each) for each in rounds))


def round_row(each: Round) -> list[str]:
    """Return a round as the cells of a row."""
    store = ", store filled beforehand" if each.shared_store else ""
    seconds = [f"{each.wall_s:.0f}", f"{each.kernel_cpu_s:.1f}"]
    memory = (each.kernel_pss_mib, each.server_pss_mib, each.hub_pss_mib, each.class_pss_mib)
    name = f"{each.lesson} {each.mode}{store}"
    return [name, str(each.learners), *seconds, *(f"{mib:,.0f}" for mib in memory)]


def memory_table(needs: Needs) -> str:
    """Return how many learners fit into a machine's memory."""
    head = ["memory", "one open lesson each", "two open lessons each"]
    rows = (
        [f"{ram} GiB", *(str(needs.by_memory(ram, kernels)) for kernels in (1, 2))]
        for ram in RAM_GIB
    )
    return table(head, rows)


def machines_table(needs: Needs) -> str:
    """Return how many learners a machine carries, by cores and memory, for each patience."""
    head = ["cores", *(f"{ram} GiB" for ram in RAM_GIB)]
    rows = []
    for cores in CORES:
        cells = [
            " / ".join(str(needs.learners_on(cores, ram, seconds)) for seconds in SECONDS)
            for ram in RAM_GIB
        ]
        rows.append([str(cores), *cells])
    return table(head, rows)


def formula(needs: Needs) -> str:
    """Return the formula of the memory with its measured numbers."""
    return (
        f"({needs.hub_mib:.0f} + {RESERVE_MIB:,}) MiB + learners × "
        f"({needs.server_mib:.0f} MiB + open lessons × {needs.kernel_mib:.0f} MiB)"
    )


def report(measured: Measured) -> str:
    """Return all tables, as the command prints them."""
    parts = [rounds_table(measured.rounds)]
    for lesson, mode in sorted({(r.lesson, r.mode) for r in measured.rounds if not r.shared_store}):
        needs = needs_of(measured.rounds, lesson, mode)
        waits = " / ".join(str(seconds) for seconds in SECONDS)
        parts += [
            f"Lesson {lesson} in {mode} mode, extrapolated from {needs.learners} learners.\n"
            f"Memory: {formula(needs)}\n",
            memory_table(needs),
            f"Learners a machine, where all start at once and wait at most {waits} s:\n",
            machines_table(needs),
        ]
    return "\n".join(parts)
