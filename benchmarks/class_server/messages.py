"""Jupyter's messages on a kernel's websocket: written, read, and what they say."""

from __future__ import annotations

import json
import uuid
from typing import Any

from jupyter_server.services.kernels.connection.base import deserialize_binary_message

Message = dict[str, Any]
PNG, WIDGET_VIEW = "image/png", "application/vnd.jupyter.widget-view+json"
OUTPUTS = ("stream", "display_data", "execute_result", "error")
DISPLAYS = ("display_data", "execute_result")


def execute_request(code: str) -> Message:
    """Return the message that asks a kernel to execute `code`."""
    content = {"code": code, "silent": False, "store_history": True, "user_expressions": {}}
    content |= {"allow_stdin": False, "stop_on_error": True}
    return to_kernel("execute_request", content)


def widget_update(model_id: str, state: dict[str, Any]) -> Message:
    """Return the message by which a front end tells a kernel the new state of a widget."""
    data = {"method": "update", "state": state, "buffer_paths": []}
    return to_kernel("comm_msg", {"comm_id": model_id, "data": data})


def to_kernel(kind: str, content: dict[str, Any]) -> Message:
    """Return a message of this kind, with an id of its own, for the kernel's shell."""
    header = {"msg_id": uuid.uuid4().hex, "msg_type": kind, "version": "5.3"}
    header |= {"username": "", "session": uuid.uuid4().hex, "date": ""}
    parts = {"header": header, "parent_header": {}, "metadata": {}, "content": content}
    return {**parts, "channel": "shell", "buffers": []}


def decoded(frame: str | bytes) -> Message:
    """Return the message in a frame of the websocket: text, or bytes where pictures go with it."""
    return deserialize_binary_message(frame) if isinstance(frame, bytes) else json.loads(frame)


def kind_of(message: Message) -> str:
    """Return what a message is, `display_data` for example."""
    return message["header"]["msg_type"]


def answers(message: Message, asked: Message) -> bool:
    """Return whether a message came about by `asked`, and not by another cell or another slider."""
    return message["parent_header"].get("msg_id") == asked["header"]["msg_id"]


def ended_by(message: Message) -> set[str]:
    """Return what need no longer be waited for after this message: a reply, or that the kernel is
    idle again."""
    return {kind_of(message), message["content"].get("execution_state", "")}


def is_picture(message: Message) -> bool:
    """Return whether a message shows a picture: alone, or as the still twin of a live view. Forms
    and progress bars, which are widgets without a picture, are none."""
    return kind_of(message) in DISPLAYS and PNG in message["content"]["data"]
