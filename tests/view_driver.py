"""Drives an interactive view as a browser does, and reads what it shows: for the test of all
views."""

from __future__ import annotations

import importlib
import pkgutil
import random
import re
from collections import Counter
from collections.abc import Collection, Iterator, Sequence
from contextlib import contextmanager
from typing import Any
from unittest.mock import patch

import ipywidgets as widgets
from matplotlib.text import Text

import seqkd_lab.lab
from seqkd_lab.lab.shared.picture import BlittedFigure
from seqkd_lab.lab.shared.view import View

LISTS = (
    widgets.Dropdown,
    widgets.RadioButtons,
    widgets.Select,
    widgets.SelectionSlider,
    widgets.ToggleButtons,
)
SLIDERS = (widgets.IntSlider, widgets.FloatSlider, widgets.BoundedIntText, widgets.BoundedFloatText)
SWITCHES = (widgets.Checkbox, widgets.ToggleButton)
FIELDS = (widgets.Text, widgets.Textarea)
WORDS = (widgets.HTML, widgets.HTMLMath, widgets.Label)
SHOWN = (*WORDS, widgets.Image, widgets.IntProgress, widgets.FloatProgress)
MARK = "hacked"
"""A word that the typed texts hold, inside tags or just after one."""
TAGS = (f"<script>{MARK}", f"<b>{MARK}", f"<img src=x onerror={MARK}", f"<i title={MARK}")
SIGNED_ZERO = re.compile(r"(?<![\w.,])[-−+]0(\.0+)?(?![\d.,]*\d)")
TEXTS = (
    "",
    "   ",
    "…",
    "x",
    "😀 $x$ _",
    "the zebra slept",
    "The parcel was new",
    "my ticket was new .",
    "zebra quagga",
    f"<script>{MARK}</script>",
    f"the parcel <b>{MARK}</b> & <img src=x onerror={MARK}>",
    f"'the' \"<i title={MARK}>\"",
    "the " * 80,
    "x" * 5_000,
    "the\tparcel\nwas new",
    "\x00\x1f",
    "<unk> </s> <pad>",
    "&lt;b&gt; the",
    "der Apfel",
)


def view_classes() -> list[type[View]]:
    """Every subclass of View below seqkd_lab, in the order of their names; all modules of the lab
    are imported."""
    for module in pkgutil.walk_packages(seqkd_lab.lab.__path__, "seqkd_lab.lab."):
        importlib.import_module(module.name)
    classes, queue = set(), [View]
    while queue:
        below = [
            kind
            for kind in queue.pop().__subclasses__()
            if kind.__module__.startswith("seqkd_lab.")
        ]
        classes.update(below)
        queue += below
    return sorted(classes, key=lambda kind: kind.__qualname__)


def descendants(widget: widgets.Widget) -> Iterator[widgets.Widget]:
    """The widget and all that it holds, from top to bottom."""
    yield widget
    for child in getattr(widget, "children", ()):
        yield from descendants(child)


def controls(view: View) -> dict[str, widgets.Widget]:
    """What a person can move or press, by the view's name for it."""
    names = {id(value): name for name, value in vars(view).items()}
    found = {}
    for number, widget in enumerate(descendants(view)):
        if not isinstance(widget, (*SHOWN, widgets.Box)):
            found[names.get(id(widget), f"{type(widget).__name__} {number}")] = widget
    return found


def values_of(control: widgets.Widget) -> list[Any]:
    """All that a person can set `control` to; of a field, texts of many kinds."""
    if isinstance(control, LISTS):
        return [option[1] if isinstance(option, tuple) else option for option in control.options]
    if isinstance(control, SLIDERS):
        n_steps = int((control.max - control.min) / control.step + 1e-6)
        return [type(control.value)(control.min + i * control.step) for i in range(n_steps + 1)]
    if isinstance(control, SWITCHES):
        return [False, True]
    if isinstance(control, FIELDS):
        return list(TEXTS)
    raise TypeError(
        f"tests/view_driver.py has no values for a {type(control).__name__}: add them to values_of"
    )


def impossible(control: widgets.Widget) -> Any:
    """Return a value that `control` cannot have."""
    return control.max + 1 if isinstance(control, SLIDERS) else object()


def send(control: widgets.Widget, value: Any) -> None:
    """Sets `control` as a browser does: by the message that it sends."""
    if isinstance(control, LISTS):
        control.set_state({"index": values_of(control).index(value)})
    else:
        control.set_state({"value": value})


def state(view: View) -> dict[str, Any]:
    """The values of all controls but buttons."""
    return {
        name: control.value
        for name, control in controls(view).items()
        if not isinstance(control, widgets.Button)
    }


def put(view: View, wanted: dict[str, Any]) -> None:
    """Sets all controls to `wanted`, again while one moves another. Raises AssertionError when they
    never agree."""
    for _ in range(4):
        for name, control in controls(view).items():
            if (
                name in wanted
                and control.value != wanted[name]
                and (not isinstance(control, LISTS) or wanted[name] in values_of(control))
            ):
                control.value = wanted[name]
        if state(view) == wanted:
            return
    raise AssertionError(f"a fresh view cannot be set to {wanted}: it goes to {state(view)}")


def shown(view: View, passing: Sequence[str] = ()) -> dict[str, Any]:
    """All that a person sees but the controls' values: pictures, words, labels, limits, what is
    switched off.

    `passing` names widgets of the view that are left out.
    """
    left_out = [getattr(view, name) for name in passing]
    seen = {}
    for name, control in controls(view).items():
        for what in ("description", "tooltip", "disabled", "min", "max", "options", "label"):
            if hasattr(control, what):
                seen[f"{name}.{what}"] = getattr(control, what)
    for number, widget in enumerate(descendants(view)):
        if isinstance(widget, SHOWN) and not any(widget is one for one in left_out):
            seen[f"{type(widget).__name__} {number}"] = widget.value
    return seen


def all_but_pictures(view: View) -> str:
    """Return all that a person sees but the pictures and the controls' values."""
    pictures = {what for what in shown(view) if what.startswith("Image")}
    return str({what: value for what, value in shown(view).items() if what not in pictures})


def set_others(view: View, name: str, index: int) -> None:
    """Set all controls but the one called `name` to the first (0) or last (-1) of their values;
    what is switched off, or typed, stays as it is."""
    for other, control in controls(view).items():
        is_fixed = control.disabled or isinstance(control, (*FIELDS, widgets.Button))
        if other != name and not is_fixed:
            control.value = values_of(control)[index]


def words(view: View) -> str:
    """All HTML of the view."""
    return "\n".join(widget.value for widget in descendants(view) if isinstance(widget, WORDS))


def labels(view: View) -> list[str]:
    """All text in the picture."""
    return [text.get_text() for text in view.picture.figure.findobj(Text) if text.get_visible()]


def random_event(
    view: View, chance: random.Random, left_out: Collection[str] = ()
) -> tuple[str, Any]:
    """A control that is neither switched off nor `left_out`, and a value for it; None for a
    button."""
    items = [
        item for item in controls(view).items() if not item[1].disabled and item[0] not in left_out
    ]
    name, control = chance.choice(items)
    return name, None if isinstance(control, widgets.Button) else chance.choice(values_of(control))


def act(view: View, event: tuple[str, Any]) -> None:
    """Lets the event happen."""
    name, value = event
    control = controls(view)[name]
    if isinstance(control, widgets.Button):
        control.click()
    else:
        send(control, value)


class Brush:
    """Counts how often each picture is painted; without `wet` nothing is, which saves most of the
    time of an event."""

    _png = BlittedFigure.png

    def __init__(self) -> None:
        self.wet, self.counts = False, Counter()
        self._pictures: dict[bytes, BlittedFigure] = {}

    def __call__(self, picture: BlittedFigure) -> bytes:
        self.counts[id(picture)] += 1
        if self.wet:
            return Brush._png(picture)
        promise = b"to be painted: %d" % id(picture)
        self._pictures[promise] = picture
        return promise

    def finish(self, view: View) -> None:
        """Paints what is only promised."""
        for widget in descendants(view):
            if isinstance(widget, widgets.Image) and bytes(widget.value) in self._pictures:
                widget.value = Brush._png(self._pictures[bytes(widget.value)])


@contextmanager
def one_brush() -> Iterator[Brush]:
    """All pictures are painted by the brush that is yielded."""
    brush = Brush()
    with patch.object(BlittedFigure, "png", lambda picture: brush(picture)):
        yield brush
