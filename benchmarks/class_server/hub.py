"""A JupyterHub on loopback, with a configuration of its own, that is driven through its REST
interface and stopped at the end.

All servers run as the person who starts it, each with a home folder of its own: no system users
are made, and no rights of root are needed. What a learner's processes cost does not depend on
their owner.
"""

from __future__ import annotations

import json
import os
import secrets
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterable
from pathlib import Path
from types import TracebackType
from typing import Any

START_SECONDS = 120
STOP_SECONDS = 30
CONFIGURATION = """
c.JupyterHub.bind_url = "http://127.0.0.1:{public}"
c.JupyterHub.hub_ip = "127.0.0.1"
c.JupyterHub.hub_port = {hub}
c.JupyterHub.db_url = "sqlite:///{folder}/hub.sqlite"
c.JupyterHub.cookie_secret_file = "{folder}/cookie_secret"
c.JupyterHub.authenticator_class = "dummy"
c.Authenticator.allow_all = True
c.JupyterHub.spawner_class = "simple"
c.SimpleLocalProcessSpawner.home_dir_template = "{folder}/homes/{{username}}"
c.Spawner.args = {arguments}
c.Spawner.environment = {environment}
c.Spawner.start_timeout = {seconds}
c.Spawner.http_timeout = {seconds}
c.ConfigurableHTTPProxy.command = {proxy}
c.ConfigurableHTTPProxy.api_url = "http://127.0.0.1:{routes}"
c.JupyterHub.services = [{{"name": "measuring", "api_token": "{token}"}}]
c.JupyterHub.load_roles = [{{
    "name": "measuring", "services": ["measuring"],
    "scopes": ["admin:users", "admin:servers", "access:servers", "list:users"],
}}]
"""
NO_PROXY = urllib.request.build_opener(urllib.request.ProxyHandler({}))
"""Loopback is asked directly, whatever http_proxy says."""


class HubError(Exception):
    """The hub did not start, or refused what it was asked; the message says what to do."""


def free_ports(n: int) -> list[int]:
    """Return `n` ports of loopback on which nobody listens at the moment."""
    listening = [socket.create_server(("127.0.0.1", 0)) for _ in range(n)]
    ports = [each.getsockname()[1] for each in listening]
    for each in listening:
        each.close()
    return ports


class Hub:
    """A hub whose files lie in `folder`, with the proxy that `proxy` starts; a context manager."""

    def __init__(self, folder: Path, proxy: list[str], environment: dict[str, str]) -> None:
        self.folder, self.token = folder, secrets.token_hex(16)
        self.log = folder / "hub.log"
        public, hub, routes = free_ports(3)
        self.address = f"127.0.0.1:{public}"
        arguments = ["--allow-root"] if os.geteuid() == 0 else []
        text = CONFIGURATION.format(
            public=public, hub=hub, routes=routes, folder=folder, arguments=arguments, proxy=proxy,
            environment=environment, seconds=START_SECONDS, token=self.token,
        )  # fmt: skip
        self.configuration = folder / "jupyterhub_config.py"
        self.configuration.write_text(text, encoding="utf-8")

    def __enter__(self) -> Hub:
        command = [sys.executable, "-m", "jupyterhub", "--config", str(self.configuration)]
        own_bin = f"{Path(sys.executable).parent}{os.pathsep}{os.environ.get('PATH', '')}"
        with self.log.open("w") as log:
            self.process = subprocess.Popen(
                command, cwd=self.folder, stdout=log, stderr=log, stdin=subprocess.DEVNULL,
                start_new_session=True, env={**os.environ, "PATH": own_bin},
            )  # fmt: skip
        try:
            self._wait_until_it_answers()
        except BaseException:
            self.stop()
            raise
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.stop()

    def stop(self) -> None:
        """Let the hub end its servers and its proxy; end what is left of them after a while."""
        self.process.send_signal(signal.SIGINT)
        try:
            self.process.wait(STOP_SECONDS)
        except subprocess.TimeoutExpired:
            os.killpg(self.process.pid, signal.SIGKILL)
            self.process.wait()

    def last_lines(self, n: int = 12) -> str:
        """Return the end of what the hub, its proxy and the servers wrote, for an error."""
        return "\n".join(self.log.read_text("utf-8", errors="replace").splitlines()[-n:])

    def ask(self, method: str, path: str, content: Any = None) -> Any:
        """Return the JSON of an answer, None where it is empty. Raise HubError for a refusal."""
        request = urllib.request.Request(
            f"http://{self.address}{path}",
            method=method,
            data=None if content is None else json.dumps(content).encode(),
            headers={"Authorization": f"token {self.token}", "Content-Type": "application/json"},
        )
        try:
            with NO_PROXY.open(request, timeout=START_SECONDS) as answer:
                text = answer.read()
        except urllib.error.HTTPError as error:
            said = error.read()[:300].decode("utf-8", "replace")
            raise HubError(f"{method} {path}: {error.code} {said}") from error
        return json.loads(text) if text else None

    def start_servers(self, names: Iterable[str]) -> None:
        """Start a server for each name, all at once, and return when all of them are ready."""
        names = list(names)
        for name in names:
            (self.folder / "homes" / name).mkdir(mode=0o700, parents=True, exist_ok=True)
            self.ask("POST", f"/hub/api/users/{name}")
            self.ask("POST", f"/hub/api/users/{name}/server", {})
        until = time.monotonic() + START_SECONDS
        for name in names:
            while not self._is_ready(name):
                if time.monotonic() > until:
                    raise HubError(f"{name}: no server after {START_SECONDS} s")
                time.sleep(0.2)

    def remove(self, names: Iterable[str]) -> None:
        """End the servers of these people, and forget them."""
        for name in names:
            self.ask("DELETE", f"/hub/api/users/{name}/server", {"remove": False})
            until = time.monotonic() + STOP_SECONDS
            while self.ask("GET", f"/hub/api/users/{name}")["servers"]:
                if time.monotonic() > until:
                    raise HubError(f"{name}: the server does not end")
                time.sleep(0.2)
            self.ask("DELETE", f"/hub/api/users/{name}")

    def _is_ready(self, name: str) -> bool:
        server = self.ask("GET", f"/hub/api/users/{name}")["servers"].get("", {})
        return bool(server.get("ready"))

    def _wait_until_it_answers(self) -> None:
        until = time.monotonic() + START_SECONDS
        while time.monotonic() < until and self.process.poll() is None:
            try:
                self.ask("GET", "/hub/api/")
                return
            except (HubError, OSError):  # the proxy answers 404 until the hub is up
                time.sleep(0.3)
        raise HubError("the hub did not start")
