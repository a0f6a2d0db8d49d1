"""What was asked: one study a module (`NAME.py`) or folder (`NAME/study.py`), which exports STUDY.

Studies are found by their modules' names, with "-" for "_"; no list of them is kept.
"""

from __future__ import annotations

import pkgutil
from collections.abc import Iterator
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from seqkd_lab.runs.study import Study


def find_studies() -> list[str]:
    """Return the names of all studies in alphabetical order, without importing one."""
    return sorted(name.replace("_", "-") for name, _ in _modules())


def _modules() -> Iterator[tuple[str, str]]:
    """The name of each module or folder here that is a study, and the module that exports it."""
    for module in pkgutil.iter_modules(__path__):
        if not module.ispkg:
            yield module.name, f"{__name__}.{module.name}"
        elif (Path(__path__[0]) / module.name / "study.py").exists():
            yield module.name, f"{__name__}.{module.name}.study"


def study(name: str) -> Study:
    """Return the study of this name or alias, importing no other for a name.

    Raises ValueError for a name that no study has.
    """
    modules = dict(_modules())
    module = modules.get(name.replace("-", "_"))
    if module is not None:
        return import_module(module).STUDY
    for path in modules.values():
        candidate: Study | None = getattr(import_module(path), "STUDY", None)
        if candidate is not None and name in candidate.aliases:
            return candidate
    raise ValueError(f"no study {name!r}: choose from {', '.join(find_studies())}")
