"""Damage to JSON: one value anywhere, as a slip of an editor, another program or a merge leaves it.

The steps from the root to a value are chosen one after the other, each child as likely as the
next, so that a name near the root is damaged as often as an item of a long list.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from copy import deepcopy
from random import Random
from typing import Any, NamedTuple

NESTED = "@nested too deeply@"
ODD_VALUES: tuple[Any, ...] = (
    None,
    True,
    False,
    "",
    "many",
    "nan",
    "0.5",
    "\ud800",
    "💥" * 50,
    0,
    -1,
    0.5,
    -0.5,
    1.5,
    -3.7e5,
    10**30,
    -(10**30),
    1e300,
    -1e300,
    5e-324,
    10**400,
    float("nan"),
    float("inf"),
    [],
    {},
    [[]],
    [None],
    {"": {}},
    {"a": [1, "b", None]},
    NESTED,
)
"""What takes the place of a value."""


class Damaged(NamedTuple):
    """A damaged text of JSON: `where` are the steps to what was damaged, `how` says what was
    done."""

    text: str
    where: tuple[str | int, ...]
    how: str


def damaged(value: Any, random: Random) -> Damaged:
    """Return the JSON `value` with one damage at a random place."""
    value = deepcopy(value)
    where = _steps(value, random)
    damage = random.choice(_DAMAGES)
    if not where:
        value, how = random.choice(ODD_VALUES), "replaced the whole"
    else:
        parent = value
        for step in where[:-1]:
            parent = parent[step]
        how = damage(parent, where[-1], random)
    text = json.dumps(value).replace(f'"{NESTED}"', "[" * 20_000 + "]" * 20_000)
    return Damaged(text, where, how)


def _steps(value: Any, random: Random) -> tuple[str | int, ...]:
    """The steps to a random part of `value`; rarely none."""
    steps: list[str | int] = []
    while isinstance(value, dict | list) and value and random.random() > (0.2 if steps else 0.02):
        steps.append(
            random.choice(list(value)) if isinstance(value, dict) else _index(value, random)
        )
        value = value[steps[-1]]
    return tuple(steps)


def _index(items: list, random: Random) -> int:
    return random.randrange(len(items))


def _replace(parent: Any, step: Any, random: Random) -> str:
    parent[step] = random.choice(ODD_VALUES)
    return f"replaced by {str(parent[step])[:40]!r}"


def _remove(parent: Any, step: Any, random: Random) -> str:
    del parent[step]
    return "removed"


def _rename(parent: Any, step: Any, random: Random) -> str:
    """Give a key another name; of a list, leave the item out."""
    value = parent.pop(step)
    if isinstance(parent, dict):
        names = (f"{step} ", str(step).upper(), "", "0", f"0{step}", "seed", "\u0663", "9" * 5_000)
        parent[random.choice(names)] = value
    return "renamed"


def _repeat(parent: Any, step: Any, random: Random) -> str:
    """Give a value a second time, under another name or at the end."""
    if isinstance(parent, dict):
        parent[random.choice((f"0{step}", f"{step}'", "41", "another"))] = deepcopy(parent[step])
    else:
        parent.append(deepcopy(parent[step]))
    return "repeated"


def _empty(parent: Any, step: Any, random: Random) -> str:
    value = parent[step]
    parent[step] = type(value)() if isinstance(value, dict | list | str) else None
    return "emptied"


def _turn(parent: Any, step: Any, random: Random) -> str:
    """Make a list of a mapping, a mapping of a list, a text of a number, a list of a value."""
    value = parent[step]
    if isinstance(value, dict):
        parent[step] = list(value.values())
    elif isinstance(value, list):
        parent[step] = {str(place): item for place, item in enumerate(value)}
    else:
        parent[step] = random.choice((str(value), [value], {"value": value}))
    return "of another form"


def _scale(parent: Any, step: Any, random: Random) -> str:
    """Change a number by so much that it cannot be; anything else is replaced."""
    value = parent[step]
    if isinstance(value, bool) or not isinstance(value, int | float):
        return _replace(parent, step, random)
    parent[step] = value * random.choice((-1, 1e6, 1e-12, -1e30, 1e200))
    return f"made {parent[step]}"


_DAMAGES: tuple[Callable[[Any, Any, Random], str], ...] = (
    _replace,
    _replace,
    _remove,
    _rename,
    _repeat,
    _empty,
    _turn,
    _scale,
)
