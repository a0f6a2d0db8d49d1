"""Read the results of any study: rows by seed, a tidy frame, a mean with its interval, and the
versions that they were made with."""

from __future__ import annotations

import platform
from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from seqkd_lab.runs.verdicts import Rows, mean_and_interval

if TYPE_CHECKING:
    import pandas

COLUMNS = ("study", "seed", "arm", "measure", "value")
"""Of the tidy frame."""


def versions() -> dict[str, str]:
    """Return the versions of everything that decides the last digits of a measurement."""
    import numpy  # imported here, as a check of results needs none of them
    import sacrebleu
    import torch

    return {
        "python": platform.python_version(),
        "torch": torch.__version__,
        "numpy": numpy.__version__,
        "sacrebleu": sacrebleu.__version__,
        "machine": platform.machine(),
        "system": platform.system(),
    }


def rows_by_seed(results: Mapping) -> list[Rows]:
    """Return the rows of each seed, in the order of the seeds."""
    return [results["by_seed"][seed] for seed in sorted(results["by_seed"], key=int)]


def frame(results: Mapping) -> pandas.DataFrame:
    """Return the results of a study as a tidy frame, one measured value a line.

    Its columns are COLUMNS: the study's name, the seed, the row (`arm`), the measure, whose parts
    are joined by "." where measurements are nested (items of a list by their position), and the
    value.
    """
    import pandas

    return pandas.DataFrame(lines(results), columns=list(COLUMNS))


def lines(results: Mapping) -> list[tuple[str, int, str, str, Any]]:
    """Return the lines of the tidy frame, with every value as the file has it."""
    return [
        (results["study"], int(seed), arm, measure, value)
        for seed in sorted(results["by_seed"], key=int)
        for arm, row in results["by_seed"][seed].items()
        for measure, value in _leaves(row)
    ]


def _leaves(value: Any, name: str = "") -> Iterator[tuple[str, Any]]:
    """Yield (name, value) of everything in nested mappings and lists that is neither of them."""
    if not isinstance(value, Mapping | list):
        yield name, value
        return
    parts = value.items() if isinstance(value, Mapping) else enumerate(value)
    for key, part in parts:
        yield from _leaves(part, f"{name}.{key}" if name else str(key))


def with_interval(values: Sequence[float], digits: int = 1, scale: float = 1.0) -> str:
    """Return "mean ± reach of the 95% interval" of `values` times `scale`; the mean alone for a
    single value."""
    mean, (_, high) = mean_and_interval([value * scale for value in values])
    return (
        f"{mean:.{digits}f}" if len(values) < 2 else f"{mean:.{digits}f} ± {high - mean:.{digits}f}"
    )
