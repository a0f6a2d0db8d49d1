"""tools/install_torch.py: the ways to a CPU build of torch, in their order, without ever asking a
real index."""

from __future__ import annotations

import importlib.util
import socket
import ssl
import urllib.error
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture
def installer():
    specification = importlib.util.spec_from_file_location(
        "install_torch", ROOT / "tools" / "install_torch.py"
    )
    module = importlib.util.module_from_spec(specification)
    specification.loader.exec_module(module)
    return module


class Pip:
    """Stands for pip_installs: succeeds for what is in `works`, and writes down what was tried."""

    def __init__(self, *works):
        self.works, self.tried = works, []

    def __call__(self, arguments, quiet=False):
        way = (
            "hand"
            if "--no-index" in arguments
            else "cpu"
            if "--index-url" in arguments
            else "ordinary"
        )
        asks_for_more = "--requirement" in arguments  # a special index must give torch only
        assert asks_for_more == (way == "ordinary")
        self.tried.append(way)
        return way in self.works


@pytest.mark.parametrize(
    ("works", "reachable", "platform", "tried", "warned"),
    [
        (["hand", "cpu", "ordinary"], True, "linux", ["hand"], False),
        (["cpu", "ordinary"], True, "linux", ["hand", "cpu"], False),
        (["ordinary"], True, "linux", ["hand", "cpu", "ordinary"], True),
        (["cpu", "ordinary"], False, "linux", ["hand", "ordinary"], True),
        (["cpu", "ordinary"], True, "darwin", ["hand", "ordinary"], False),
        (["cpu", "ordinary"], True, "win32", ["hand", "ordinary"], False),
    ],
)
def test_ways_to_torch_in_order(
    installer, monkeypatch, capsys, works, reachable, platform, tried, warned
):
    pip = Pip(*works)
    monkeypatch.setattr(installer, "pip_installs", pip)
    monkeypatch.setattr(installer, "answers", lambda url, seconds: reachable)
    assert installer.install("1.2.3", platform) is not None
    assert pip.tried == tried
    assert ("gigabytes" in capsys.readouterr().out) == warned


def test_no_way_to_torch_is_an_exit_code_and_advice(installer, monkeypatch, capsys):
    monkeypatch.setattr(installer, "installed_version", lambda: None)
    monkeypatch.setattr(installer, "install", lambda version: None)
    assert installer.main() == 1
    assert "PIP_FIND_LINKS" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("build", "asked"), [("", False), ("+cpu", False), ("+cu130", False), (".1", True)]
)
def test_the_same_version_in_any_build_is_kept(installer, monkeypatch, build, asked):
    installs = []
    present = installer.pinned_version(installer.LOCK) + build
    monkeypatch.setattr(installer, "installed_version", lambda: present)
    monkeypatch.setattr(
        installer, "install", lambda version: installs.append(version) or "somewhere"
    )
    assert installer.main() == 0
    assert bool(installs) == asked


def test_pin_is_read_and_its_absence_named(installer, tmp_path):
    file = tmp_path / "torch.txt"
    file.write_text("# torch==9.9\ntorchtext==0.6.0\ntorch==2.13.0 \\\n    --hash=sha256:00\n")
    assert installer.pinned_version(file) == "2.13.0"
    file.write_text("torchtext==0.6.0\n")
    with pytest.raises(ValueError, match="torch.txt"):
        installer.pinned_version(file)


def test_an_index_that_accepts_but_never_answers_is_given_up(installer):
    with socket.create_server(("127.0.0.1", 0)) as server:
        url = f"http://127.0.0.1:{server.getsockname()[1]}/"
        assert installer.answers(url, seconds=0.3) is False
    assert installer.answers(url, seconds=5.0) is False  # refused: nobody listens any more


@pytest.mark.parametrize(
    ("error", "answered"),
    [
        (urllib.error.HTTPError("http://x", 403, "no", None, None), True),
        (urllib.error.URLError(ssl.SSLError("certificate")), True),
        (urllib.error.URLError(OSError("no route")), False),
        (TimeoutError(), False),
    ],
)
def test_a_refusal_is_an_answer_and_silence_is_none(installer, monkeypatch, error, answered):
    def urlopen(request, timeout):
        raise error

    monkeypatch.setattr(installer.urllib.request, "urlopen", urlopen)
    assert installer.answers("http://x/", seconds=1.0) is answered
