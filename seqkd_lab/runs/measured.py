"""Types of what is measured: numbers with the range that they can have, and rows by their names.

A study declares with them what a results file holds of one seed (`Study.rows`), so that a reader
learns from the type what is measured, and a damaged file is refused by the name of its key. Floats
are finite: JSON has neither NaN nor infinity.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Annotated, Any, TypeAlias, TypeVar

import msgspec
from msgspec import UNSET, Meta, Struct, UnsetType

T = TypeVar("T")
ROUNDING = 1e-6
"""By which a sum of floats may pass the end of its range."""
MOST = 1e12
LEAST = 1e-12
Number = Annotated[float, Meta(ge=-MOST, le=MOST)]
Share = Annotated[float, Meta(ge=0.0, le=1.0 + ROUNDING)]
Percent = Annotated[float, Meta(ge=0.0, le=100.0 + ROUNDING)]
"""BLEU and chrF, too."""
Amount = Annotated[float, Meta(ge=0.0, le=MOST)]
Positive = Annotated[float, Meta(ge=LEAST, le=MOST)]
"""What others are divided by: seconds, speeds, perplexity."""
Count = Annotated[int, Meta(ge=0, le=10**15)]
Size = Annotated[int, Meta(ge=1, le=10**15)]
Name = Annotated[str, Meta(min_length=1, max_length=1_000)]
Maybe: TypeAlias = T | UnsetType
"""What some results lack; UNSET is its default."""


class Row(Struct, forbid_unknown_fields=True):
    """Measures by name, all of them declared."""


def exactly(value: float) -> Any:
    """Return the type of this one number."""
    return Annotated[float, Meta(ge=value, le=value)]


def list_of(kind: Any, length: int) -> Any:
    """Return the type of a list of `length` items."""
    return Annotated[list[kind], Meta(min_length=length, max_length=length)]


def by_name(
    name: str,
    needed: Mapping[str, Any],
    optional: Mapping[str, Any] | None = None,
    check: Callable[[Mapping[str, Any]], None] | None = None,
) -> type[Struct]:
    """Return the type of an object with these keys, whatever characters they have, each with its
    type; the `optional` ones may be missing, and there are no others. `check` raises ValueError for
    values, by key, that do not belong together."""
    types = {**needed, **(optional or {})}
    names = {f"part_{number}": key for number, key in enumerate(types)}
    fields: list[Any] = [
        (field, types[key]) if key in needed else (field, types[key] | UnsetType, UNSET)
        for field, key in names.items()
    ]

    def check_together(self: Struct) -> None:
        values = {key: getattr(self, field) for field, key in names.items()}
        if check is not None:
            check({key: value for key, value in values.items() if value is not UNSET})

    return msgspec.defstruct(
        name,
        fields,
        rename=names.__getitem__,
        forbid_unknown_fields=True,
        module=__name__,
        namespace={"__post_init__": check_together},
    )


def same_length(**lists: Any) -> None:
    """Raise ValueError where lists that belong together have different lengths."""
    lengths = {name: len(values) for name, values in lists.items()}
    if len(set(lengths.values())) > 1:
        said = ", ".join(f"{name} {length}" for name, length in lengths.items())
        raise ValueError(f"lists of one length are expected; there are {said} items")
