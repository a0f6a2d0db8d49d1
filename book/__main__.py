"""`python -m book` runs the lessons and writes the site; `make book` calls it."""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Sequence
from pathlib import Path

import notebook_runs

from book import figures
from book.build import BuildError, assemble, build, chosen_lessons
from book.execute import LessonError, run_lessons


def main(arguments: Sequence[str] | None = None) -> int:
    """Make the book; return 1 with one line that says why where it cannot be made."""
    parser = argparse.ArgumentParser(prog="python -m book", description=__doc__)
    parser.add_argument("numbers", nargs="*", help="the lessons, such as 00 (default: all)")
    parser.add_argument("--output", type=Path, default=Path("runs/book"), help="(%(default)s)")
    parser.add_argument("--fast", action="store_true", help="as the tests do: less of everything")
    parser.add_argument("--jobs", type=int, default=2, help="lessons at once (%(default)s)")
    parser.add_argument("--figures", action="store_true", help="the figure pack, not the site")
    given = parser.parse_args(arguments)
    folder = given.output.resolve()
    try:
        chosen = chosen_lessons(given.numbers)
        notebooks = [notebook_runs.NOTEBOOKS / lesson.file for lesson in chosen]
        start = time.perf_counter()
        for name, seconds in run_lessons(notebooks, folder / "run", given.fast, given.jobs):
            print(f"{name:32}{f'{seconds:6.0f} s' if seconds else 'kept':>10}", flush=True)
        if given.figures:
            pack = folder.parent / figures.FIGURES
            n_figures = figures.collect(folder / "run", [n.stem for n in notebooks], pack)
            print(f"{n_figures} figures: {pack / 'index.html'}")
            return 0
        source, extra = folder / "source", folder / "extra"
        assemble(folder / "run", source, extra, chosen)
        build(source, extra, folder / "html", folder / "doctrees")
    except (LessonError, BuildError, ValueError, OSError) as error:
        print(f"book: {error}", file=sys.stderr)
        return 1
    size = sum(path.stat().st_size for path in (folder / "html").rglob("*") if path.is_file())
    seconds = time.perf_counter() - start
    print(f"{seconds:.0f} s, {size / 1e6:.1f} MB: {folder / 'html' / 'index.html'}")
    return 0


if __name__ == "__main__":
    try:
        sys.exit(main())
    except KeyboardInterrupt:
        print("\nStopped. What has run is kept; the same command goes on.", file=sys.stderr)
        sys.exit(130)
