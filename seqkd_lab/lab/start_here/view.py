"""The check of the front end as a view; imports ipywidgets when it is built, not before."""

from __future__ import annotations

from typing import Any


def front_end_check() -> Any:
    """Makes the slider with the picture that follows it. Raises ImportError where ipywidgets is not
    installed."""
    from seqkd_lab.lab.language.panel import FrontEndCheck

    return FrontEndCheck()
