"""Writes the tables of CLASS.md from benchmarks/class_server.json and class_image.json.

`python tools/class_tables.py` writes them; a test compares what stands there with what this makes.
"""

from __future__ import annotations

import json
import re
import sys
from collections.abc import Callable
from pathlib import Path
from textwrap import fill

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))  # benchmarks/ is run from the checkout, never installed

from benchmarks.class_server import report, results  # noqa: E402
from benchmarks.class_server.capacity import needs_of  # noqa: E402
from benchmarks.class_server.results import Round  # noqa: E402

PAGE = ROOT / "CLASS.md"
IMAGE = ROOT / "benchmarks" / "class_image.json"
BLOCK = re.compile(r"(<!-- (\w+): made by tools/class_tables.py -->\n).*?(<!-- end -->)", re.DOTALL)
MEASURED = results.read(results.DEFAULT)
TIMED = [each for each in MEASURED.rounds if each.visits]
CLASS = max(TIMED, key=lambda each: (each.learners, each.kernel_cpu_s))
"""The largest class that ran the most."""
NEEDS = {
    lesson: needs_of(MEASURED.rounds, lesson, CLASS.mode, CLASS.shared_store)
    for lesson in CLASS.lesson.split("+")
}
MOST = max(NEEDS.values(), key=lambda needs: needs.kernel_mib)


def classes() -> str:
    """Return what each measured class took."""
    return report.rounds_table(MEASURED.rounds)


def lessons() -> str:
    """Return the seconds to the first picture and to the end of each lesson."""
    return report.visits_table(TIMED)


def sliders() -> str:
    """Return the milliseconds from a slider's move to its picture."""
    return report.sliders_table(TIMED)


def browser() -> str:
    """Return what the one real browser took of the machine of the class."""
    if CLASS.browser is None:
        return "No learner of the largest class had a browser.\n"
    return (
        f"The one real browser took {CLASS.browser.cpu_s:.0f} CPU seconds and "
        f"{CLASS.browser.pss_mib:,.0f} MiB of the same machine, which are in no table.\n"
    )


def store() -> str:
    """Return what a store that was filled beforehand saves, where that was measured both ways."""
    return "".join(map(store_in_words, pairs_with_and_without_a_store()))


def pairs_with_and_without_a_store() -> list[tuple[Round, Round]]:
    """Return the rounds that differ only in having a store, without it and with it."""
    by_key = {each.key: each for each in MEASURED.rounds}
    return [
        (by_key[lesson, mode, False, n], each)
        for (lesson, mode, has_store, n), each in by_key.items()
        if has_store and (lesson, mode, False, n) in by_key
    ]


def store_in_words(pair: tuple[Round, Round]) -> str:
    """Return two rounds, without a store and with one, in words."""
    without, with_store = pair
    return (
        f"{without.learners} learners, {without.lesson} in {without.mode} mode: without a store "
        f"they trained {without.models_trained} models and took {without.kernel_cpu_s:.1f} CPU "
        f"seconds each, with it {with_store.models_trained} and {with_store.kernel_cpu_s:.1f}.\n"
    )


def check() -> str:
    """Return what the arithmetic gives for the largest class, beside what was measured."""
    cores = int(MEASURED.machine["cores"])
    computed = CLASS.learners * CLASS.kernel_cpu_s / cores
    n = len(NEEDS)
    computed_mib = MOST.server_mib + n * MOST.kernel_mib
    return (
        f"For the {CLASS.learners} learners with {n} lessons each, the arithmetic gives "
        f"{computed:,.0f} s on {cores} processors; they took {CLASS.wall_s:,.0f} s, beside other "
        f"work (a load of {CLASS.load:.0f} when they began) and a browser. It gives "
        f"{computed_mib:,.0f} MiB a learner; they took "
        f"{CLASS.server_pss_mib + CLASS.kernel_pss_mib:,.0f}, since lesson 03 needs less than "
        "lesson 06.\n"
    )


def disk() -> str:
    """Return the most that a learner's home took, and the highest memory of a single kernel."""
    home = max(each.home_mib for each in MEASURED.rounds)
    cache = max(each.cache_mib for each in MEASURED.rounds)
    rss = max(each.kernel_rss_mib for each in MEASURED.rounds)
    return (
        f"A learner's home took {home:.1f} MiB after a lesson, of which the cache has {cache:.1f}. "
        f"The largest kernel held {rss:,.0f} MiB, shared libraries included.\n"
    )


def memory() -> str:
    """Return the formula of the memory and the table that follows from it."""
    return f"Memory = {report.formula(MOST)}\n\n{report.memory_table(MOST)}"


def machines() -> str:
    """Return how many learners a machine carries."""
    return report.machines_table(NEEDS)


def image() -> str:
    """Return the size of the image and of its parts."""
    size = json.loads(IMAGE.read_text(encoding="utf-8"))
    return (
        f"The image takes {size['whole_mib']:,} MiB on the disk, not compressed: the base "
        f"{size['base_mib']}, the environment {size['environment_mib']:,}, of which torch (CPU) "
        f"has {size['torch_mib']} and the lab {size['lab_mib']}. Measured on {size['date']} by "
        f"`{size['how'].partition(' on ')[0]}` on an image built with buildah on another base "
        f"({size['base']}).\n"
    )


MADE: dict[str, Callable[[], str]] = {
    each.__name__: each
    for each in (
        classes, lessons, sliders, browser, store, disk, memory, machines, check, image,
    )
}  # fmt: skip


def with_tables(page: str) -> str:
    """Return the page with each block made anew."""
    return BLOCK.sub(lambda block: f"{block[1]}{wrapped(MADE[block[2]]())}{block[3]}", page)


def wrapped(text: str) -> str:
    """Return a text whose lines end where the page's do; a table's rows stay as they are."""
    lines = text.splitlines()
    return "".join(f"{line if line[:1] == '|' else fill(line, 118)}\n" for line in lines)


if __name__ == "__main__":
    PAGE.write_text(with_tables(PAGE.read_text(encoding="utf-8")), encoding="utf-8", newline="\n")
