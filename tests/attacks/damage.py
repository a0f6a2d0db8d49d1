"""Damage to a good file: what a full disk, a bad copy, an editor or an enemy makes of it.

Every damage is drawn from a seed, so that a failure can be repeated by its number.
"""

from __future__ import annotations

import json
import struct
from collections.abc import Callable
from random import Random
from typing import Any

Damage = Callable[[bytes, Random], bytes]

HOSTILE = (
    *(b"\xff", b"\0", b"\r", b"\n", b"\t", b"\n\n\n", b"\xef\xbb\xbf", b"\x1d", b"\xc2\x85"),
    *(b"\xe2\x80\xa8", b"\xed\xa0\x80", b"\xf4\x90\x80\x80", b"\xe2\x96\x81", b"<s> </s>", b'"'),
    *(b"nan", b"-inf", b"1e999", b"1" * 5000, b"-1", b" ", b"{", b"]", b"../", b"\x1b[2J"),
    *("e\u0301\u0323".encode() * 600, b"A" * 70_000, b"\x1f\x8b\x08\x00", b"PK\x03\x04"),
)
"""What is written into a file: bytes that are no text, or mean something to somebody."""

STRANGE: tuple[Any, ...] = (
    *(None, True, False, 0, 1, -1, 2, 3, 0.5, 2**31, 2**63, 2**64, 10**30, -(10**30), 1e308),
    *(float("nan"), float("inf"), "", "x", "\ud800", "../outside", "/dev/zero", "1", "\0", "a b"),
    *([], [[]], {}, {"": None}, [None] * 3, ["x"] * 1000, "x" * 100_000, [1.5], 10**400),
)
"""Values that may stand where JSON should have another."""
DEEP = "a value that is nested deeply"
N_DEEP = 100_000


def bytes_damaged(content: bytes, chance: Random) -> bytes:
    """Change one to three places of a file: flip a bit, delete, insert, cut off or repeat a part,
    or write something hostile."""
    changed = bytearray(content)
    for _ in range(chance.choice((1, 1, 1, 2, 3))):
        first = chance.randrange(len(changed) + 1)
        last = min(len(changed), first + chance.choice((1, 1, 2, 8, 64, len(changed))))
        kind = chance.choice(("flip", "flip", "delete", "insert", "cut", "repeat", "hostile"))
        if kind == "flip" and first < len(changed):
            changed[first] ^= 1 << chance.randrange(8)
        elif kind == "delete":
            del changed[first:last]
        elif kind == "insert":
            changed[first:first] = chance.randbytes(chance.choice((1, 1, 4, 40)))
        elif kind == "cut":
            del changed[first:]
        elif kind == "repeat":
            changed[first:first] = changed[first:last]
        else:
            changed[first:first] = chance.choice(HOSTILE)
    return bytes(changed)


def json_damaged(content: bytes, chance: Random) -> bytes:
    """Remove, replace or add a value of JSON at any depth; sometimes also a second one."""
    changed = json.loads(content)
    for _ in range(chance.choice((1, 1, 1, 2))):
        changed = _changed(changed, chance)
    text = json.dumps(changed)
    return text.replace(json.dumps(DEEP), "[" * N_DEEP + "]" * N_DEEP).encode()


def _changed(value: Any, chance: Random) -> Any:
    """Return `value` with a change somewhere in it."""
    if not isinstance(value, dict | list) or not value or chance.random() < 0.15:
        return chance.choice((*STRANGE, DEEP))
    key = chance.choice(list(value) if isinstance(value, dict) else range(len(value)))
    changed: Any = value.copy()
    kind = chance.choice(("inside", "inside", "inside", "remove", "replace", "add"))
    if kind == "remove":
        del changed[key]
    elif kind == "replace":
        changed[key] = chance.choice((*STRANGE, DEEP))
    elif kind == "inside":
        changed[key] = _changed(value[key], chance)
    elif isinstance(changed, dict):
        changed[chance.choice(("x", "", "\ud800", "epoch", key + "s"))] = chance.choice(STRANGE)
    else:
        changed.insert(key, chance.choice((*STRANGE, value[key])))
    return changed


def head_damaged(content: bytes, chance: Random) -> bytes:
    """Change the head of a safetensors file, and state its new length, so that the file is one that
    a program might have written."""
    length = struct.unpack("<Q", content[:8])[0]
    head, numbers = content[8 : 8 + length], content[8 + length :]
    changed = json_damaged(head, chance)
    if chance.random() < 0.2:
        numbers += bytes(chance.choice((4, 64)))
    return struct.pack("<Q", len(changed)) + changed + numbers


def numbers_damaged(content: bytes, chance: Random) -> bytes:
    """Change numbers of a safetensors file, whose head stays as it is."""
    length = 8 + struct.unpack("<Q", content[:8])[0]
    changed = bytearray(content)
    for _ in range(chance.choice((1, 2, 20))):
        first = chance.randrange(length, len(changed) - 4)
        number = chance.choice((b"\0\0\xc0\x7f", b"\0\0\x80\x7f", b"\xff\xff\x7f\x7f", b"\xff" * 4))
        changed[first : first + 4] = chance.choice((number, chance.randbytes(4)))
    return bytes(changed)
