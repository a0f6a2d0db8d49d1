"""The tables of a measured class, in Markdown: for the terminal and for CLASS.md."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from statistics import mean, median

from benchmarks.class_server.capacity import RESERVE_MIB, Needs, needs_of
from benchmarks.class_server.results import Measured, Round

MACHINES = ((2, 8), (8, 32), (32, 128))
"""Cores, and GiB of memory."""
RAM_GIB = (4, 8, 32, 128)
SECONDS = (120, 300, 600)
"""How long a class may wait, from the moment at which all start a lesson."""


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
    seconds = [f"{each.wall_s:.0f}", f"{each.kernel_cpu_s:.1f}"]
    memory = (each.kernel_pss_mib, each.server_pss_mib, each.hub_pss_mib, each.class_pss_mib)
    return [name(each), str(each.learners), *seconds, *(f"{mib:,.0f}" for mib in memory)]


def name(each: Round) -> str:
    """Return what a round was, but for its size."""
    store = ", store filled beforehand" if each.shared_store else ""
    return f"{each.lesson} {each.mode}{store}"


def visits_table(rounds: Sequence[Round]) -> str:
    """Return the seconds of each lesson in the rounds that kept them: through the interface and in
    a browser, the median and the slowest learner."""
    head = ("round", "learners", "load", "lesson", "first picture, s", "lesson, s", "CPU, s")
    return table(head, (row for each in rounds for row in visit_rows(each)))


def visit_rows(each: Round) -> Iterator[list[str]]:
    """Yield a row for each lesson of a round, and one for each that ran in a browser."""
    kinds = sorted({(visit.lesson, visit.in_browser) for visit in each.visits})
    for lesson, in_browser in kinds:
        among = [v for v in each.visits if (v.lesson, v.in_browser) == (lesson, in_browser)]
        shown = [visit.first_picture_s for visit in among], [visit.lesson_s for visit in among]
        seconds = [f"{median(taken):.0f} ({max(taken):.0f})" for taken in shown]
        where = f"{lesson}, in a browser" if in_browser else lesson
        cpu_s = f"{mean(visit.cpu_s for visit in among):.1f}"
        yield [name(each), str(each.learners), f"{each.load:.1f}", where, *seconds, cpu_s]


def sliders_table(rounds: Sequence[Round]) -> str:
    """Return the milliseconds from a slider's move to its picture: median and 95th percentile, at
    rest and under load, a row for each lesson of a round, and for each that ran in a browser."""
    head = ("round", "learners", "lesson", "at rest, ms", "under load, ms", "moves under load")
    rows = [
        [name(each), str(each.learners), *slider_row(each, lesson, in_browser)]
        for each in rounds
        for lesson, in_browser in sorted({(m.lesson, m.in_browser) for m in each.moves})
    ]
    return table(head, rows)


def slider_row(each: Round, lesson: str, in_browser: bool) -> list[str]:
    """Return the cells of one lesson's slider; a dash where it was not moved."""
    moves = {
        m.under_load: m for m in each.moves if (m.lesson, m.in_browser) == (lesson, in_browser)
    }
    spreads = [
        f"{moves[load].median_ms:.0f} ({moves[load].p95_ms:.0f})" if load in moves else "–"
        for load in (False, True)
    ]
    where = f"{lesson}, in a browser" if in_browser else lesson
    return [where, *spreads, str(moves[True].n) if True in moves else "0"]


def memory_table(needs: Needs) -> str:
    """Return how many learners fit into a machine's memory."""
    head = ["memory", "one open lesson each", "two open lessons each"]
    rows = (
        [f"{ram} GiB", *(str(needs.by_memory(ram, kernels)) for kernels in (1, 2))]
        for ram in RAM_GIB
    )
    return table(head, rows)


def machines_table(by_lesson: Mapping[str, Needs]) -> str:
    """Return how many learners a machine carries: by its memory, with as many open lessons as there
    are here, and by its cores, for each lesson and each wait."""
    most = max(by_lesson.values(), key=lambda needs: needs.kernel_mib)
    waits = " / ".join(map(str, SECONDS))
    head = ["machine", "memory, 1 / 2 open lessons"]
    head += [f"processor, {lesson} in {waits} s" for lesson in by_lesson]
    rows = []
    for cores, ram in MACHINES:
        memory = " / ".join(str(most.by_memory(ram, kernels)) for kernels in (1, 2))
        processor = [
            " / ".join(str(needs.by_cpu(cores, seconds)) for seconds in SECONDS)
            for needs in by_lesson.values()
        ]
        rows.append([f"{cores} cores, {ram} GiB", memory, *processor])
    return table(head, rows)


def formula(needs: Needs) -> str:
    """Return the formula of the memory with its measured numbers."""
    return (
        f"({needs.hub_mib:.0f} + {RESERVE_MIB:,}) MiB + learners × "
        f"({needs.server_mib:.0f} MiB + open lessons × {needs.kernel_mib:.0f} MiB)"
    )


def report(measured: Measured) -> str:
    """Return all tables, as the command prints them."""
    timed = [each for each in measured.rounds if each.visits]
    parts = [rounds_table(measured.rounds)]
    if timed:
        parts += [visits_table(timed), sliders_table(timed)]
    for mode, store in sorted({(r.mode, r.shared_store) for r in measured.rounds}):
        rounds = [r for r in measured.rounds if (r.mode, r.shared_store) == (mode, store)]
        lessons = sorted({lesson for r in rounds for lesson in r.lesson.split("+")})
        by_lesson = {each: needs_of(rounds, each, mode, store) for each in lessons}
        parts += [f"Learners a machine, {mode} mode, extrapolated:\n", machines_table(by_lesson)]
        for lesson, needs in by_lesson.items():
            parts.append(f"Lesson {lesson}, {needs.learners} learners: {formula(needs)}\n")
    return "\n".join(parts)
