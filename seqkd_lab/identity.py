"""What counts when two frozen dataclasses are asked whether they mean the same work: sizes,
presets, recipes."""

from __future__ import annotations

from dataclasses import field, fields, is_dataclass
from typing import Any

OMITTED = "omitted when default"


def omitted_when_default(default: Any) -> Any:
    """Return a field for what a dataclass got after things had been kept under its name: it counts
    only where it differs from its default, so that whatever was made without it keeps its key."""
    return field(default=default, metadata={OMITTED: True})


def stated(thing: Any) -> dict[str, Any]:
    """Return the fields of a dataclass that count, by name: not those that are left out of
    comparisons, nor newer ones at their default."""
    return {
        f.name: getattr(thing, f.name)
        for f in fields(thing)
        if f.compare and not (f.metadata.get(OMITTED) and getattr(thing, f.name) == f.default)
    }


def settings(thing: Any) -> Any:
    """Return `thing` as plain values, dataclasses as dictionaries of what they state: settings of a
    results file."""
    if is_dataclass(thing):
        return {name: settings(value) for name, value in stated(thing).items()}
    if isinstance(thing, list | tuple):
        return [settings(part) for part in thing]
    return thing
