"""How long a view of the book takes from a key to its picture, in headless Chromium.

    make book                                      # or python -m book
    python -m benchmarks.book [runs/book/html]     # prints a table, writes book.json here

Twenty keys on each slider and list of each view, one after the other has been painted; the time
begins with the browser's own time stamp of the key, and ends after the frame that shows the
picture. The first key of a view, which may have to load a file, is listed apart. Bytes are those of
a view's files.
"""

from __future__ import annotations

import argparse
import json
import statistics
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

HERE = Path(__file__).resolve().parent
sys.path.append(str(HERE.parent / "tools"))  # its browser serves the tests as well

import jupyter_browser  # noqa: E402

N_KEYS = 20
MOVED = "input[type=range]:not([disabled]), select:not([disabled])"
WATCH = """(view) => {
    window.milliseconds = [];
    let began = 0;
    view.addEventListener("keydown", (event) => { began = event.timeStamp; }, true);
    new MutationObserver(() => requestAnimationFrame(() => {
        const after = new MessageChannel();
        after.port1.onmessage = () => {
            if (began) window.milliseconds.push(performance.now() - began);
            began = 0;
        };
        after.port2.postMessage(0);
    })).observe(view.querySelector(".seqkd-words"), { childList: true });
}"""


def measure(site: Path) -> Iterator[dict[str, Any]]:
    """Yield for each view of a site its name, bytes, the first key's milliseconds and those of the
    others."""
    with jupyter_browser.browser_page(jupyter_browser.chromium()) as page:
        for lesson in sorted((site / "lessons").glob("[0-9]*.html")):
            page.goto(lesson.as_uri())
            for view in page.query_selector_all(".seqkd-view"):
                view.evaluate(WATCH)
                for control in view.query_selector_all(MOVED):
                    press(page, control)
                first, *others = page.evaluate("window.milliseconds") or [float("nan")]
                folder = site / "views" / view.get_attribute("id")
                yield {
                    "lesson": lesson.stem,
                    "view": folder.name,
                    "bytes": sum(file.stat().st_size for file in folder.iterdir()),
                    "first_ms": round(first, 1),
                    "ms": [round(value, 1) for value in others],
                }


def press(page: Any, control: Any) -> None:
    """Press keys on a control, up to its end and back, each after the frame of the one before."""
    control.focus()
    step = 1
    for _ in range(0 if control.is_disabled() else N_KEYS):  # another one may have switched it off
        at, last = control.evaluate("c => [Number(c.value), Number(c.max ?? c.length - 1)]")
        step = -1 if at == last else 1 if at == 0 else step
        n_before = page.evaluate("window.milliseconds.length")
        page.keyboard.press("ArrowDown" if (step > 0) == is_list(control) else "ArrowUp")
        page.wait_for_function("n => window.milliseconds.length > n", arg=n_before, timeout=10_000)


def is_list(control: Any) -> bool:
    """Return whether a control is a list, in which the arrow down goes on; on a slider, up does."""
    return bool(control.evaluate("c => c.tagName === 'SELECT'"))


def quantile(values: Sequence[float], share: float) -> float:
    """Return the value that this share of `values` does not exceed."""
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(share * len(ordered)))]


def row(name: str, n_bytes: int, first: float, values: Sequence[float]) -> str:
    """Return a line of the table."""
    median, most = statistics.median(values), quantile(values, 0.95)
    return f"{name:38}{n_bytes / 1e6:8.2f}{first:8.0f}{len(values):6}{median:8.1f}{most:8.1f}"


def main(arguments: Sequence[str] | None = None) -> int:
    """Print the table; return 1 where there is no book or no browser."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.book", description=__doc__)
    parser.add_argument("site", nargs="?", type=Path, default=Path("runs/book/html"))
    site = parser.parse_args(arguments).site.resolve()
    if not (site / "views").is_dir() or not jupyter_browser.chromium():
        print(f"{site}: no book with views there (make book), or no chromium", file=sys.stderr)
        return 1
    print(f"{'view':38}{'MB':>8}{'first':>8}{'keys':>6}{'median':>8}{'95%':>8}  (ms)")
    views = []
    for view in measure(site):
        views.append(view)
        name = f"{view['lesson'][:24]} {view['view'][8:]}"
        print(row(name, view["bytes"], view["first_ms"], view["ms"]), flush=True)
    together = [value for view in views for value in view["ms"]]
    longest = max(view["first_ms"] for view in views)
    print(row("all", sum(view["bytes"] for view in views), longest, together))
    (HERE / "book.json").write_text(json.dumps(views, indent=1) + "\n", encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
