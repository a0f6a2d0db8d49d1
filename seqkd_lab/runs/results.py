"""What results of any study say besides their numbers: versions, rows by seed, a mean with its
interval."""

from __future__ import annotations

import platform
from collections.abc import Mapping, Sequence

import numpy
import sacrebleu
import torch

from seqkd_lab.runs.verdicts import Rows, mean_and_interval


def versions() -> dict[str, str]:
    """What the numbers were made with."""
    return {
        "python": platform.python_version(),
        "torch": torch.__version__,
        "numpy": numpy.__version__,
        "sacrebleu": sacrebleu.__version__,
        "machine": platform.machine(),
        "system": platform.system(),
    }


def rows_by_seed(results: Mapping) -> list[Rows]:
    """The metrics of each seed's rows, in the order of the seeds."""
    return [results["by_seed"][seed] for seed in sorted(results["by_seed"], key=int)]


def with_interval(values: Sequence[float], digits: int = 1, scale: float = 1.0) -> str:
    """ "mean ± reach of the 95% interval" of `values` times `scale`; the mean alone for a single
    value."""
    mean, (_, high) = mean_and_interval([value * scale for value in values])
    return (
        f"{mean:.{digits}f}" if len(values) < 2 else f"{mean:.{digits}f} ± {high - mean:.{digits}f}"
    )
