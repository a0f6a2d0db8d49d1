"""A learner at their server: opens a lesson, runs it cell by cell as a browser does, and saves it.

Cells go through the hub's proxy to the kernel's websocket, in Jupyter's message protocol.
"""

from __future__ import annotations

import asyncio
import json
import uuid
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import nbformat
from nbformat import NotebookNode
from tornado.httpclient import HTTPRequest
from tornado.websocket import WebSocketClientConnection, websocket_connect

from benchmarks.class_server.hub import Hub

FOLDER = "lessons"
"""The folder of the lessons in a learner's home."""


@dataclass
class Learner:
    """A person with a server: `run` leaves the kernel alive, so that its memory can be measured."""

    hub: Hub
    name: str
    errors: list[str] = field(default_factory=list)

    @property
    def home(self) -> Path:
        """The home folder."""
        return self.hub.folder / "homes" / self.name

    async def run(self, notebook: NotebookNode, file_name: str) -> None:
        """Run all code cells of `notebook` in a new kernel, keep the outputs, save the file."""
        path = f"/user/{self.name}/api"
        asked = {"path": f"{FOLDER}/{file_name}", "name": file_name, "type": "notebook"}
        asked["kernel"] = {"name": "python3"}  # type: ignore[assignment]
        session = await asyncio.to_thread(self.hub.ask, "POST", f"{path}/sessions", asked)
        channels = f"ws://{self.hub.address}{path}/kernels/{session['kernel']['id']}/channels"
        headers = {"Authorization": f"token {self.hub.token}"}
        socket = await websocket_connect(HTTPRequest(channels, headers=headers))
        try:
            for place, cell in enumerate(notebook.cells):
                if cell.cell_type == "code":
                    cell.outputs = await execute(socket, cell.source)
                    self.errors += errors_of(cell, place)
        finally:
            socket.close()
        content = {"type": "notebook", "format": "json", "content": notebook}
        file = f"{path}/contents/{FOLDER}/{file_name}"
        await asyncio.to_thread(self.hub.ask, "PUT", file, content)


def errors_of(cell: NotebookNode, place: int) -> list[str]:
    """Return the errors among a cell's outputs, in words."""
    return [
        f"cell {place}: {output.ename}: {output.evalue}"
        for output in cell.outputs
        if output.output_type == "error"
    ]


def request(code: str) -> dict[str, Any]:
    """Return the message that asks a kernel to execute `code`."""
    header = {"msg_id": uuid.uuid4().hex, "msg_type": "execute_request", "version": "5.3"}
    header |= {"username": "", "session": uuid.uuid4().hex, "date": ""}
    content = {"code": code, "silent": False, "store_history": True, "user_expressions": {}}
    content |= {"allow_stdin": False, "stop_on_error": True}
    message = {"header": header, "parent_header": {}, "metadata": {}, "content": content}
    return {**message, "channel": "shell", "buffers": []}


async def execute(socket: WebSocketClientConnection, code: str) -> list[NotebookNode]:
    """Execute `code` and return its outputs, when the kernel has answered and is idle again.

    Raise ConnectionError where the connection ends before.
    """
    asked = request(code)
    await socket.write_message(json.dumps(asked))
    outputs, awaited = [], {"execute_reply", "idle"}
    while awaited:
        text = await socket.read_message()
        if text is None:
            raise ConnectionError("the kernel's connection ended; was it killed for its memory?")
        if isinstance(text, bytes):
            continue  # a widget's message with binary parts: no output of the cell
        message = json.loads(text)
        if message["parent_header"].get("msg_id") != asked["header"]["msg_id"]:
            continue
        kind = message["header"]["msg_type"]
        if kind in ("stream", "display_data", "execute_result", "error"):
            outputs.append(nbformat.v4.output_from_msg(message))
        awaited -= {kind, message["content"].get("execution_state", "")}
    return outputs
