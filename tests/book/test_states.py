"""The states that the book has of a view: each is what the view itself shows with those values."""

from __future__ import annotations

import random
from functools import cache
from typing import NamedTuple

import pytest
from declared import declared
from view_samples import Sample, Small, small_samples

from book.packing import Recorder, Shown, packed, unpacked, write_files
from book.states import Tree, controls_of, read_out, walk
from seqkd_lab.lab.shared.view import View

SAMPLES: dict[type[View], Sample] = declared("SAMPLES")
PLAYED = sorted((kind for kind in SAMPLES if kind.is_in_controls), key=lambda kind: kind.__name__)
MOST = 2
N_COMPARED = 4
every_view = pytest.mark.parametrize("kind", PLAYED, ids=lambda kind: kind.__name__)


@cache
def small() -> Small:
    return small_samples()


class Recorded(NamedTuple):
    """A view of the samples in its states, the values of its controls in each, and before and
    after."""

    tree: Tree
    path: list[int]
    states: list[Shown]
    values: list[dict]
    before: dict
    after: dict


@cache
def recorded(kind: type[View]) -> Recorded:
    """Lead a view through its states."""
    view, states = SAMPLES[kind].build(small()), []
    names = [control.name for control in controls_of(view)]
    recorder = Recorder(view, "p-")

    def values() -> dict:
        return {name: view.named[name].value for name in names}

    def visit() -> None:
        recorder.record()
        states.append(values())

    before = values()
    with read_out(view):
        view.redraw()
        tree, path = walk(view, visit, MOST)
    return Recorded(tree, path, recorder.states, states, before, values())


def at_once(kind: type[View], values: dict) -> Shown:
    """Return what a new view shows that is set to these values."""
    view = SAMPLES[kind].build(small())
    view.still(**{control.name: values[control.name] for control in controls_of(view)})
    view.redraw()
    return Recorder(view, "p-").shown()


@pytest.mark.slow
@every_view
def test_each_state_is_what_the_view_shows_with_these_values(kind):
    tree, path, states, values, before, after = recorded(kind)
    assert tree.size(tree.root) == len(states) > 1
    assert len({tuple(map(str, v.values())) for v in values}) == len(states), "a state twice"
    assert values[tree.state(path)] == before, "it does not open where the lesson opened it"
    assert after == before, "its values have changed"
    for number in random.Random(1).sample(range(len(states)), min(N_COMPARED, len(states))):
        shown = at_once(kind, values[number])
        assert states[number].words == shown.words, values[number]
        assert states[number].picture == shown.picture, values[number]


@pytest.mark.slow
@every_view
def test_the_states_of_a_view_differ_and_its_controls_have_names(kind):
    view = SAMPLES[kind].build(small())
    assert len({(state.picture, state.words) for state in recorded(kind).states}) > 1
    assert all(control.description for control in controls_of(view))
    named = {control.name for control in controls_of(view)}
    assert set(view.order) <= named and set(view.thinned) <= named
    for first, anew in view.begins_anew.items():
        order = [control.name for control in controls_of(view)]
        assert all(order.index(first) < order.index(later) for later in anew)


def test_what_is_packed_is_unpacked_again_and_the_same_states_are_the_same_bytes(tmp_path):
    states = [
        Shown(f"<g>{n % 2}</g>", ("<text>ŷ &lt; τ</text>", f"<path d='{n}'/>"), f"<b>{n} “ß”</b>")
        for n in range(7)
    ]
    assert list(unpacked(packed(states))) == states
    assert packed(states) == packed(list(states))
    n_bytes = write_files(states, tmp_path / "v", "v")
    assert n_bytes == sum(file.stat().st_size for file in (tmp_path / "v").iterdir())


def paths_of(tree: Tree, number: int, begun: tuple[int, ...] = ()) -> list[list[int]]:
    """Return all paths through a tree, in the order in which a walk meets them."""
    node = tree.nodes[number]
    if not node.children:
        return [[*begun, choice] for choice in range(len(tree.labels[node.labels]))]
    return [
        path
        for choice, child in enumerate(node.children)
        for path in paths_of(tree, child, (*begun, choice))
    ]


@pytest.mark.slow
@every_view
def test_paths_are_numbered_as_a_walk_meets_them(kind):
    tree, states = recorded(kind).tree, recorded(kind).states
    paths = paths_of(tree, tree.root)
    assert [tree.state(path) for path in paths] == list(range(len(states)))
