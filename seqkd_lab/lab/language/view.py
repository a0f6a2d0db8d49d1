"""The view of the strengths; imports ipywidgets when it is built, not before."""

from __future__ import annotations

from typing import Any

from seqkd_lab.lab.language.ambiguity import Sweep


def strength_panel(sweep: Sweep) -> Any:
    """Makes the panel of sources and strengths. Raises ImportError where ipywidgets is not
    installed."""
    from seqkd_lab.lab.language.panel import StrengthPanel

    return StrengthPanel(sweep)
