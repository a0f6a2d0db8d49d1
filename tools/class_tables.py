"""Writes the tables of CLASS.md from benchmarks/class_server.json and class_image.json.

`python tools/class_tables.py` writes them; a test compares what stands there with what this makes.
"""

from __future__ import annotations

import json
import re
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))  # benchmarks/ is run from the checkout, never installed

from benchmarks.class_server import report, results  # noqa: E402
from benchmarks.class_server.capacity import needs_of  # noqa: E402

PAGE = ROOT / "CLASS.md"
IMAGE = ROOT / "benchmarks" / "class_image.json"
BLOCK = re.compile(r"(<!-- (\w+): made by tools/class_tables.py -->\n).*?(<!-- end -->)", re.DOTALL)
MEASURED = results.read(results.DEFAULT)
NEEDS = needs_of(MEASURED.rounds, "06", "full")


def classes() -> str:
    """Return what each measured class took."""
    return report.rounds_table(MEASURED.rounds)


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
    return f"Memory = {report.formula(NEEDS)}\n\n{report.memory_table(NEEDS)}"


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


MADE = {"classes": classes, "disk": disk, "memory": memory, "machines": machines, "image": image}


def with_tables(page: str) -> str:
    """Return the page with each block made anew."""
    return BLOCK.sub(lambda block: f"{block[1]}{MADE[block[2]]()}{block[3]}", page)


if __name__ == "__main__":
    PAGE.write_text(with_tables(PAGE.read_text(encoding="utf-8")), encoding="utf-8", newline="\n")
