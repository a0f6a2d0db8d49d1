"""What a front end knows of a kernel's widgets, and the sliders of its live views."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from benchmarks.class_server.messages import DISPLAYS, PNG, WIDGET_VIEW, Message, kind_of

REFERENCE = "IPY_MODEL_"


@dataclass(frozen=True)
class Slider:
    """A slider of a live view: which entry of its state it sets, to which values, and which widgets
    show the picture that answers."""

    model_id: str
    entry: str
    values: tuple[Any, ...]
    position: int
    image_ids: frozenset[str]

    def walk(self, n: int) -> list[Any]:
        """Return the next `n` values: up to the slider's end, then down to the other one, and so
        on; each differs from the one before it."""
        place, step, walked = self.position, 1, []
        for _ in range(n):
            if not 0 <= place + step < len(self.values):
                step = -step
            place += step
            walked.append(self.values[place])
        return walked


@dataclass
class Widgets:
    """The states of a kernel's widgets by their ids, and the live views that cells have shown."""

    states: dict[str, dict[str, Any]] = field(default_factory=dict)
    views: list[str] = field(default_factory=list)

    def hear(self, message: Message) -> None:
        """Take in what a message from the kernel says about widgets."""
        content = message["content"]
        if kind_of(message) == "comm_open":
            self.states[content["comm_id"]] = dict(content["data"].get("state", {}))
        elif kind_of(message) == "comm_msg" and content["comm_id"] in self.states:
            if content["data"].get("method") == "update":
                self.states[content["comm_id"]] |= content["data"]["state"]
        elif kind_of(message) in DISPLAYS and {PNG, WIDGET_VIEW} <= set(content["data"]):
            self.views.append(content["data"][WIDGET_VIEW]["model_id"])

    def sliders(self) -> list[Slider]:
        """Return the sliders of all live views that can be moved, in the order of the lesson."""
        return [slider for view in self.views for slider in self._sliders_of(view)]

    def _sliders_of(self, view: str) -> Iterator[Slider]:
        inside = list(self._below(view))
        images = frozenset(each for each in inside if self._model(each) == "ImageModel")
        for model_id in inside:
            state = self.states[model_id]
            entry, values = slider_values(state)
            if images and len(values) > 1 and not state.get("disabled"):
                yield Slider(model_id, entry, values, values.index(state[entry]), images)

    def _below(self, model_id: str) -> Iterator[str]:
        yield model_id
        for child in self.states.get(model_id, {}).get("children", ()):
            yield from self._below(child.removeprefix(REFERENCE))

    def _model(self, model_id: str) -> str:
        return self.states[model_id].get("_model_name", "")


def slider_values(state: dict[str, Any]) -> tuple[str, tuple[Any, ...]]:
    """Return the entry that a slider sets and its values, from the slider's state; none for another
    widget, or for a slider of fractions."""
    if state.get("_model_name") == "IntSliderModel":
        return "value", tuple(range(state["min"], state["max"] + 1, state["step"]))
    if state.get("_model_name") == "SelectionSliderModel":
        return "index", tuple(range(len(state["_options_labels"])))
    return "", ()


def changed_image(message: Message, slider: Slider) -> bool:
    """Return whether a message brings a new picture to the slider's view."""
    content = message["content"]
    is_update = kind_of(message) == "comm_msg" and content["data"].get("method") == "update"
    return is_update and content["comm_id"] in slider.image_ids
