"""What counts when two frozen dataclasses are asked whether they mean the same work: sizes,
presets, recipes."""

from __future__ import annotations

from dataclasses import field, fields, is_dataclass
from typing import Any

OMITTED = "omitted when default"
KEY_NAME = "name in keys"


def omitted_when_default(default: Any, key_name: str | None = None) -> Any:
    """Return a field that dataclasses got after things had been kept under their keys.

    It counts only where it differs from its default, so that whatever was made without it keeps its
    key. A field that was renamed since gives its first name as `key_name`, for the same reason.
    """
    return field(default=default, metadata={OMITTED: True, KEY_NAME: key_name})


def stated(thing: Any) -> dict[str, Any]:
    """Return the fields of a dataclass that count for its identity, by their names in keys.

    Fields that are left out of comparisons do not count, nor do newer ones at their default.
    """
    return {
        f.metadata.get(KEY_NAME) or f.name: getattr(thing, f.name)
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
