"""How an output says that a widget is shown in its place, whichever ipywidgets is installed:
version 7, which Colab has, knows no `_repr_mimebundle_`."""

from __future__ import annotations

from typing import Any

WIDGET_VIEW = "application/vnd.jupyter.widget-view+json"


def widget_bundle(view: Any) -> dict[str, Any]:
    """Return the part of a mimebundle that shows `view`, a widget; nothing for None."""
    if view is None:
        return {}
    return {WIDGET_VIEW: {"version_major": 2, "version_minor": 0, "model_id": view.model_id}}
