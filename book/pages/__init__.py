"""Pages that are made from code and data: one module a page, found by its name.

A page exports `title`, `name` (its path below the site's source, without ".md") and `markdown()`,
which returns the page as MyST Markdown; or `name` (a folder) and `write(source)`, which writes
several. A module without `name` is no page.
"""

from __future__ import annotations

import pkgutil
from collections.abc import Iterator
from importlib import import_module
from pathlib import Path
from types import ModuleType


def find_pages() -> Iterator[ModuleType]:
    """Yield the modules of all pages, in the order of their names."""
    for module in pkgutil.iter_modules(__path__):
        page = import_module(f"{__name__}.{module.name}")
        if hasattr(page, "name"):
            yield page


def write_pages(source: Path) -> None:
    """Write every page below `source`."""
    for page in find_pages():
        path = source / f"{page.name}.md"
        path.parent.mkdir(parents=True, exist_ok=True)
        if hasattr(page, "write"):
            (source / page.name).mkdir(exist_ok=True)
            page.write(source)
        else:
            text = f"# {page.title}\n\n{page.markdown()}\n"
            path.write_text(text, encoding="utf-8", newline="\n")
