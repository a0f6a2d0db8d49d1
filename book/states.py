"""The states of a view: all combinations of its controls' values that the book offers, as a tree of
choices, and what the view shows in each.

A tree's nodes are shared where they are equal, so that a slider below a hundred sentences is
written once. The states are numbered in the order in which a walk from node to node meets them.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import ipywidgets as widgets

from seqkd_lab.lab.shared.view import View, labelled


@dataclass(frozen=True)
class Control:
    """A control as a page needs it: its name, what stands beside it, whether it is a "slider", a
    "list" or a "switch", and those that a change of it sets anew."""

    name: str
    description: str
    kind: str
    begins_anew: tuple[str, ...]


@dataclass(frozen=True)
class Node:
    """The choices of one control: their labels (a number of `Tree.labels`), which of them the view
    takes by itself where it begins anew, and the nodes of the next control, none at the last."""

    labels: int
    start: int
    children: tuple[int, ...]


@dataclass
class Tree:
    """The choices of all controls: `nodes[root]` belongs to the first one."""

    labels: list[tuple[str, ...]] = field(default_factory=list)
    nodes: list[Node] = field(default_factory=list)
    root: int = -1

    def add(self, labels: tuple[str, ...], start: int, children: tuple[int, ...]) -> int:
        """Return the number of the node, which is made where there is no equal one."""
        if labels not in self.labels:
            self.labels.append(labels)
        node = Node(self.labels.index(labels), start, children)
        if node not in self.nodes:
            self.nodes.append(node)
        return self.nodes.index(node)

    def size(self, number: int) -> int:
        """Return how many states are at or below a node."""
        node = self.nodes[number]
        return sum(map(self.size, node.children)) or len(self.labels[node.labels])

    def state(self, path: list[int]) -> int:
        """Return the number of the state at which the choices `path`, one a control, end."""
        number, state = self.root, 0
        for choice in path:
            children = self.nodes[number].children
            state += sum(map(self.size, children[:choice])) if children else choice
            number = children[choice] if children else number
        return state


def controls_of(view: View) -> list[Control]:
    """Return the controls whose values can be told one by one, in the view's order."""
    names = view.order or tuple(view.named)
    return [
        Control(name, view.named[name].description, kind_of(view.named[name]), anew)
        for name in names
        if view.named[name].has_trait("value") and view.stations(name)
        for anew in [view.begins_anew.get(name, ())]
    ]


def kind_of(control: widgets.Widget) -> str:
    """Return "switch", "slider" or "list"."""
    if isinstance(control, widgets.Checkbox):
        return "switch"
    sliders = (widgets.IntSlider, widgets.FloatSlider, widgets.SelectionSlider)
    return "slider" if isinstance(control, sliders) else "list"


def label(control: widgets.Widget, value: Any) -> str:
    """Return a value of a control in words, as its widget shows it."""
    if isinstance(control, widgets.Checkbox):
        return "yes" if value else "no"
    if isinstance(control, widgets.FloatSlider):
        return format(value, control.readout_format)
    texts = [text for text, option in labelled(control) if option == value]
    return str(texts[0] if texts else value)


@contextmanager
def read_out(view: View) -> Iterator[None]:
    """Send nothing to a front end inside; afterwards the controls have their values from before."""
    before = {control.name: view.named[control.name].value for control in controls_of(view)}
    view.is_live = False
    try:
        yield
    finally:
        for name, value in before.items():
            view.named[name].value = value
        view.is_live = True


def walk(view: View, visit: Callable[[], None], most: int | None = None) -> tuple[Tree, list[int]]:
    """Lead `view` through all states and call `visit` in each, in the order of their numbers;
    return the tree, and the path of the state in which the view was. With `most` each control has
    only so many values, and those with which it begins.

    Raise ValueError where a control refuses a value that it is said to have.
    """
    controls, tree = controls_of(view), Tree()
    opened = [view.named[control.name].value for control in controls]
    path: list[int] = []

    def descend(depth: int, is_opened: bool) -> int:
        name, children = controls[depth].name, []
        start = begin(view, controls, depth)
        begun = [start, *opened[depth : depth + is_opened]]
        stations = view.stations(name, begun)
        stations = [v for n, v in enumerate(stations) if most is None or n < most or v in begun]
        labels = tuple(label(view.named[name], value) for value in stations)
        if is_opened:
            path.append(stations.index(opened[depth]))
        for value in stations:
            set_value(view, name, value)
            if depth + 1 == len(controls):
                visit()
            else:
                children.append(descend(depth + 1, is_opened and value == opened[depth]))
        return tree.add(labels, stations.index(start), tuple(children))

    tree.root = descend(0, True)
    return tree, path


def begin(view: View, controls: list[Control], depth: int) -> Any:
    """Let the view decide a control's value anew, as it does when one changes that it depends on;
    return the value, the present one where it depends on none."""
    name = controls[depth].name
    for earlier in controls[:depth]:
        present = view.named[earlier.name].value
        others = [value for value in view.stations(earlier.name) if value != present]
        if name in earlier.begins_anew and others:
            view.named[earlier.name].value = others[0]
            view.named[earlier.name].value = present
            break
    return view.named[name].value


def set_value(view: View, name: str, value: Any) -> None:
    """Give a control a value. Raise ValueError where it does not keep it."""
    view.named[name].value = value
    if view.named[name].value != value:
        raise ValueError(
            f"{type(view).__name__}.{name} cannot be {value!r}: it stays at "
            f"{view.named[name].value!r}"
        )
