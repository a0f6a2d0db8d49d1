"""What a learner of benchmarks/class_server hears of a kernel: messages are made here, no hub is
needed."""

from __future__ import annotations

import asyncio
import json
import os
import re
import sys
from pathlib import Path

import nbformat
import pytest
from hypothesis import given
from hypothesis import strategies as st

pytest.importorskip("jupyter_server")
from jupyter_server.services.kernels.connection.base import serialize_binary_message  # noqa: E402

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from benchmarks.class_server import lessons, shared_store, summing  # noqa: E402
from benchmarks.class_server.hub import HubError  # noqa: E402
from benchmarks.class_server.kernel import Kernel  # noqa: E402
from benchmarks.class_server.learner import Learner, Move, Underway, moved_once  # noqa: E402
from benchmarks.class_server.messages import (  # noqa: E402
    PNG,
    WIDGET_VIEW,
    decoded,
    execute_request,
    is_picture,
    to_kernel,
)
from benchmarks.class_server.widgets import Slider, Widgets  # noqa: E402


def said(kind: str, content: dict, asked: dict | None = None) -> dict:
    """A message of a kernel, brought about by `asked`."""
    return to_kernel(kind, content) | {"parent_header": (asked or {}).get("header", {})}


def opened(model_id: str, model: str, **state) -> dict:
    state = {"_model_name": model, **state}
    return said("comm_open", {"comm_id": model_id, "data": {"state": state}})


def update(model_id: str, asked: dict | None = None, method: str = "update", **state) -> dict:
    data = {"method": method, "state": state}
    return said("comm_msg", {"comm_id": model_id, "data": data}, asked)


def shown(data: dict, asked: dict | None = None) -> dict:
    return said("display_data", {"data": data, "metadata": {}, "transient": {}}, asked)


def idle(asked: dict) -> dict:
    return said("status", {"execution_state": "idle"}, asked)


VIEW = {PNG: "", WIDGET_VIEW: {"model_id": "view"}}
WORDS_ONLY, PICTURED = "words-only", "pictured"


def widgets() -> Widgets:
    """Those of a lesson: a form, then a view with two sliders and a disabled one."""
    heard = Widgets()
    children = [f"IPY_MODEL_{each}" for each in (WORDS_ONLY, "off", PICTURED, "image", "html")]
    for message in (
        opened("form", "IntSliderModel", value=0, min=0, max=9, step=1),
        opened(WORDS_ONLY, "IntSliderModel", value=3, min=0, max=4, step=2),
        opened("off", "IntSliderModel", value=0, min=0, max=1, step=1, disabled=True),
        opened(PICTURED, "SelectionSliderModel", index=1, _options_labels=("¼", "1", "4")),
        opened("image", "ImageModel"),
        opened("html", "HTMLModel"),
        opened("view", "VBoxModel", children=[]),
        update("view", children=children),
        update(WORDS_ONLY, value=4),
        shown({WIDGET_VIEW: {"model_id": "form"}}),
        shown(VIEW),
    ):
        heard.hear(message)
    return heard


class Socket:
    """A kernel's websocket: what is written is answered by `respond`, in text or with bytes."""

    def __init__(self, respond) -> None:
        self.respond, self.frames = respond, []

    async def write_message(self, text: str) -> None:
        for message in self.respond(json.loads(text)):
            has_bytes = message["content"].get("comm_id") == "image"
            frame = serialize_binary_message(message) if has_bytes else json.dumps(message)
            self.frames.append(frame)

    async def read_message(self) -> str | bytes | None:
        return self.frames.pop(0) if self.frames else None


def test_a_picture_is_a_displayed_png_and_neither_a_form_nor_a_stream():
    assert is_picture(shown({PNG: ""})) and is_picture(shown(VIEW))
    assert not is_picture(shown({WIDGET_VIEW: {"model_id": "form"}, "text/plain": ""}))
    assert not is_picture(said("stream", {"name": "stdout", "text": PNG}))
    assert not is_picture(update("image", value=PNG))


@given(st.lists(st.binary(max_size=50), max_size=3))
def test_a_message_is_the_same_in_text_and_with_bytes(buffers):
    message = execute_request("1 + 1") | {"buffers": buffers}
    read = decoded(serialize_binary_message(message))
    assert read["content"] == message["content"] and read["buffers"] == buffers
    assert decoded(json.dumps(message | {"buffers": []}))["content"] == message["content"]


def test_the_sliders_of_live_views_are_found_and_those_of_forms_are_not():
    first, second = widgets().sliders()
    assert (first.model_id, first.values, first.position) == (WORDS_ONLY, (0, 2, 4), 2)
    assert (second.model_id, second.entry, second.values) == (PICTURED, "index", (0, 1, 2))
    assert first.image_ids == second.image_ids == {"image"}


@given(st.integers(2, 30), st.data())
def test_a_slider_is_moved_by_one_place_within_its_ends(n_places, data):
    start = data.draw(st.integers(0, n_places - 1))
    slider = Slider("id", "value", tuple(range(n_places)), start, frozenset({"image"}))
    walked = [start, *slider.walk(25)]
    assert all(abs(a - b) == 1 for a, b in zip(walked, walked[1:], strict=False))
    assert set(walked) <= set(range(n_places)) and len(set(walked)) >= min(n_places, 13)


def test_a_slider_is_answered_by_its_own_picture_and_by_no_other_message():
    other_cell = execute_request("another cell")

    def respond(asked):
        if asked["content"]["comm_id"] == PICTURED:
            yield update("image", other_cell, value="a picture that another cell brought about")
            yield update("another-image", asked, value="another view's picture")
            yield update("image", asked, "echo_update", value="what a front end has said itself")
            if asked["content"]["data"]["state"]["index"] == 2:
                yield update("image", asked, value="the answer")
        yield update("html", asked, value="words")
        yield idle(other_cell)
        yield idle(asked)

    kernel = Kernel(Socket(respond), "id")
    kernel.widgets = widgets()
    _, slider = kernel.widgets.sliders()
    assert asyncio.run(kernel.move(slider, 0)) is None
    assert asyncio.run(kernel.move(slider, 2)) >= 0
    assert asyncio.run(moved_once(kernel)) == slider
    assert kernel.socket.frames == []


def test_a_cell_ends_with_its_own_reply_and_the_first_picture_is_noted():
    def respond(asked):
        other = execute_request("another cell")
        yield idle(other)
        yield shown({PNG: ""}, other)
        if asked["content"]["code"] == "picture":
            yield shown({PNG: ""}, asked)
        yield said("execute_reply", {"status": "ok"}, asked)
        yield said("stream", {"name": "stdout", "text": "late"}, asked)
        yield idle(asked)

    kernel = Kernel(Socket(respond), "id")
    assert [each.output_type for each in asyncio.run(kernel.execute("none"))] == ["stream"]
    assert kernel.first_picture is None
    asyncio.run(kernel.execute("picture"))
    first = kernel.first_picture
    asyncio.run(kernel.execute("picture"))
    assert first is not None and kernel.first_picture == first


def test_a_kernel_that_ends_in_the_middle_is_an_error():
    kernel = Kernel(Socket(lambda asked: [said("execute_reply", {}, asked)]), "id")
    with pytest.raises(ConnectionError, match="killed"):
        asyncio.run(kernel.execute("x"))


def test_moves_count_as_under_load_while_others_are_in_a_lesson():
    underway, moved = Underway(), []
    with underway.one_more():
        moved += [Move("03", False, underway.n, seconds) for seconds in (0.1, 0.3, 0.2)]
    moved.append(Move("03", False, underway.n, 0.05))
    rest, load = summing.moves(moved)
    assert (rest.under_load, rest.n, rest.median_ms) == (False, 1, 50)
    assert (load.under_load, load.n, load.median_ms, load.highest_ms) == (True, 3, 200, 300)


@given(st.lists(st.floats(0, 1e6), min_size=1), st.floats(0.01, 1))
def test_a_percentile_is_the_least_value_that_enough_do_not_exceed(values, share):
    found = summing.percentile(values, share)
    assert sum(value <= found for value in values) >= share * len(values)
    assert sum(value < found for value in values) < share * len(values)


@pytest.mark.parametrize("n", [1, 2, 7, 8])
def test_as_many_learners_begin_with_each_lesson_and_all_run_all(n):
    orders = [lessons.order(("03", "06"), place) for place in range(n)]
    begins = [order[0] for order in orders]
    assert all(sorted(order) == ["03", "06"] for order in orders)
    assert 0 <= begins.count("03") - begins.count("06") <= 1


@pytest.mark.parametrize("mode", lessons.MODES)
def test_a_mode_changes_the_switches_and_nothing_else(mode):
    path = lessons.lesson_path("03")
    before, changed = (nbformat.read(path, as_version=4) for _ in range(2))
    cells = lessons.in_mode(changed, mode).cells
    is_fast = mode in (lessons.FAST, lessons.TRAINED)
    assert (cells[0].source == lessons.FAST_CELL) == is_fast
    sources = [cell.source for cell in cells[is_fast:]]
    differ = [a for a, b in zip(sources, before.cells, strict=True) if a != b.source]
    assert ["FROM_NOTHING = True" in each for each in differ] == [True] * mode.startswith("trained")


@pytest.mark.parametrize("said", ["3", "99", "../03", "", "03+", "0306", "03+99", "03+03", "0*"])
def test_lessons_that_are_not_there_or_named_twice_are_said(said):
    with pytest.raises(SystemExit, match=re.escape(f"--lessons {said}:")):
        lessons.lessons_of(said)
    assert lessons.lessons_of("03+06") == ("03", "06")


def test_a_store_that_learners_could_write_to_or_that_is_empty_is_refused(tmp_path, monkeypatch):
    with pytest.raises(HubError, match="no models"):
        shared_store.require_read_only(tmp_path)
    model = tmp_path / "models" / "key"
    model.mkdir(parents=True)
    if os.access(model, os.W_OK):
        with pytest.raises(HubError, match="could write"):
            shared_store.require_read_only(tmp_path)
    monkeypatch.setattr(os, "access", lambda path, mode: path == model)
    with pytest.raises(HubError, match="models/key"):
        shared_store.require_read_only(tmp_path)
    monkeypatch.setattr(os, "access", lambda path, mode: False)
    shared_store.require_read_only(tmp_path)


def test_a_learner_who_trains_what_the_store_has_is_named(tmp_path):
    (tmp_path / "models" / "key").mkdir(parents=True)
    shared_store.require_used(tmp_path, {"learner-1": set(), "learner-2": {"other"}})
    with pytest.raises(HubError, match="learner-2.*key"):
        shared_store.require_used(tmp_path, {"learner-1": set(), "learner-2": {"key"}})


def test_what_is_written_to_a_store_is_seen(tmp_path):
    file = tmp_path / "models" / "key" / "model.json"
    file.parent.mkdir(parents=True)
    file.write_text("{}")
    before = shared_store.contents(tmp_path)
    assert shared_store.contents(tmp_path) == before
    file.write_text("{ }")
    assert shared_store.contents(tmp_path) != before


def test_an_error_says_at_whom_and_where():
    from benchmarks.class_server.learner import errors_of

    output = nbformat.v4.new_output("error", ename="ValueError", evalue="no", traceback=[])
    cell = nbformat.v4.new_code_cell("x", outputs=[output, nbformat.v4.new_output("stream")])
    assert errors_of(cell, "learner-3, lesson 06, cell 4") == [
        "learner-3, lesson 06, cell 4: ValueError: no"
    ]
    assert Learner.in_browser is False
