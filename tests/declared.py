"""What the tests of a subject declare for the tests of all subjects, found by its name.

A module in a folder of tests/lab may hold
    SAMPLES       by class of a view: a `view_samples.Sample` of it;
    WRONG, RIGHT  by exercise: answers that learners may write (see test_exercise_answers.py).
"""

from __future__ import annotations

import importlib.util
import re
from functools import cache
from pathlib import Path
from types import ModuleType
from typing import Any

LAB = Path(__file__).parent / "lab"


def declared(name: str) -> dict[Any, Any]:
    """Return the items of all dictionaries called `name` of the modules in the folders of
    tests/lab, in the order of their paths. Raise ValueError where two modules have the same key."""
    items: dict[Any, Any] = {}
    for path in sorted(LAB.glob("*/*.py")):
        if not re.search(rf"^{name}\b.*=", path.read_text(encoding="utf-8"), re.MULTILINE):
            continue
        own = getattr(_loaded(path), name)
        if twice := set(items) & set(own):
            raise ValueError(f"{path}: {name} holds {twice}, which another module holds, too")
        items |= own
    return items


@cache
def _loaded(path: Path) -> ModuleType:
    """Import `path` under a name that tells apart files of the same name in two folders."""
    spec = importlib.util.spec_from_file_location(f"{path.parent.name}_{path.stem}", path)
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module
