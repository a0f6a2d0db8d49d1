"""Results that come point by point: a JSON file with a heading, which all points share, and the
points so far.

It is written after each point, so an interrupt loses one at most; a file whose heading differs is
never continued.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import TypeVar

from seqkd_lab.models.checkpoint import CheckpointError, read_json, write_json

Point = TypeVar("Point")
"""A dataclass of plain values."""
POINTS = "points"


def read_points(path: Path, kind: type[Point], heading: Sequence[str], made_by: str) -> dict:
    """The file's content: the parts that `heading` names, and its points, one at least.

    Raises CheckpointError naming it, and the command that makes it, when it holds something else.
    """
    results = read_json(path)
    try:
        if set(results) != {*heading, POINTS} or not points_in(results, kind):
            raise ValueError("parts are missing")
    except (KeyError, TypeError, ValueError) as error:
        raise CheckpointError(
            f"{path}: not what `{made_by}` makes; delete the file to make it again"
        ) from error
    return results


def points_in(results: Mapping, kind: type[Point]) -> list[Point]:
    """The points of such a file as objects of `kind`. Raises TypeError for points of another
    kind."""
    return [kind(**point) for point in results[POINTS]]


def points_to_continue(
    path: Path, kind: type[Point], heading: Mapping, made_by: str
) -> list[Point]:
    """The points that a run with this heading finds at `path`; none where there is no file.

    Raises CheckpointError when they were made otherwise: with another corpus, other settings or
    versions.
    """
    if not path.exists():
        return []
    kept = read_points(path, kind, list(heading), made_by)
    for part, now in heading.items():
        if kept[part] != now:
            said = f"its {part} was {kept[part]}, now it is {now}"
            raise CheckpointError(
                f"{path}: {said}; delete the file to make it again, or name another"
            )
    return points_in(kept, kind)


def write_points(path: Path, heading: Mapping, points: Sequence[Point]) -> None:
    """Writes the file anew, at once or not at all."""
    write_json(path, {**heading, POINTS: [asdict(point) for point in points]})
