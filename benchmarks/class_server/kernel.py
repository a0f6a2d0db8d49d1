"""A kernel behind the hub, reached as a browser reaches it: through the proxy, by a websocket."""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import AsyncIterator

import nbformat
from nbformat import NotebookNode
from tornado.httpclient import HTTPRequest
from tornado.websocket import WebSocketClientConnection, websocket_connect

from benchmarks.class_server import messages
from benchmarks.class_server.hub import Hub
from benchmarks.class_server.messages import Message
from benchmarks.class_server.widgets import Slider, Widgets, changed_image


class Kernel:
    """A connection to one kernel; `widgets` is what its messages said of widgets so far, and
    `first_picture` the moment at which the first picture arrived (time.monotonic)."""

    def __init__(self, socket: WebSocketClientConnection, kernel_id: str) -> None:
        self.socket, self.id = socket, kernel_id
        self.widgets = Widgets()
        self.first_picture: float | None = None

    async def execute(self, code: str) -> list[NotebookNode]:
        """Execute `code` and return its outputs, when the kernel has answered and is idle again."""
        asked, outputs = messages.execute_request(code), []
        async for message in self._until(asked, {"execute_reply", "idle"}):
            if messages.is_picture(message) and self.first_picture is None:
                self.first_picture = time.monotonic()
            if messages.kind_of(message) in messages.OUTPUTS:
                outputs.append(nbformat.v4.output_from_msg(message))
        return outputs

    async def move(self, slider: Slider, value: object) -> float | None:
        """Move a slider; return the seconds until its view's new picture was here, or None where
        the picture stayed as it was."""
        asked = messages.widget_update(slider.model_id, {slider.entry: value})
        began, seconds = time.monotonic(), None
        async for message in self._until(asked, {"idle"}):
            if changed_image(message, slider):
                seconds = time.monotonic() - began
        return seconds

    async def _until(self, asked: Message, awaited: set[str]) -> AsyncIterator[Message]:
        """Send `asked`, and yield the messages that it brought about, until all that is awaited
        has come. Raise ConnectionError where the connection ends before."""
        await self.socket.write_message(json.dumps(asked))
        while awaited:
            frame = await self.socket.read_message()
            if frame is None:
                raise ConnectionError("the kernel's connection ended; was it killed for memory?")
            message = messages.decoded(frame)
            self.widgets.hear(message)
            if messages.answers(message, asked):
                awaited = awaited - messages.ended_by(message)
                yield message

    def close(self) -> None:
        """End the connection; the kernel stays alive."""
        self.socket.close()


async def start(hub: Hub, name: str, path: str) -> Kernel:
    """Start a kernel for the notebook at `path` in the home of `name`, and connect to it."""
    user = f"/user/{name}/api"
    asked = {"path": path, "name": path, "type": "notebook", "kernel": {"name": "python3"}}
    session = await asyncio.to_thread(hub.ask, "POST", f"{user}/sessions", asked)
    kernel_id = session["kernel"]["id"]
    channels = f"ws://{hub.address}{user}/kernels/{kernel_id}/channels"
    headers = {"Authorization": f"token {hub.token}"}
    return Kernel(await websocket_connect(HTTPRequest(channels, headers=headers)), kernel_id)
