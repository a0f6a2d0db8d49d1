"""class_image/start.sh, without an image: what it starts, with which store, and what it says where
it cannot go on. Commands on PATH are stand-ins that print what they were given."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import pytest

SCRIPT = Path(__file__).resolve().parents[2] / "class_image" / "start.sh"
IN_IMAGE = "STORE=/srv/seqkd_lab/store "
SAYS = '#!/bin/bash\necho "${0##*/}|$*|shared=${SEQKD_LAB_SHARED:-}"\n'
COPIES = '#!/bin/bash\nmkdir -p -- "$2" && echo "$*" > "$2/copied"\n'


@pytest.fixture
def start(tmp_path):
    """Return a function that runs the script in a home folder; its store is tmp_path/store."""
    commands, script = tmp_path / "commands", tmp_path / "start.sh"
    commands.mkdir()
    stand_ins = {"seqkd-lab": COPIES, "jupyterhub-singleuser": SAYS, "jupyter": SAYS}
    for name, text in stand_ins.items():
        (commands / name).write_text(text)
        (commands / name).chmod(0o755)
    text = SCRIPT.read_text(encoding="utf-8")
    assert text.count(IN_IMAGE) == 1
    script.write_text(text.replace(IN_IMAGE, f'STORE="{tmp_path}/store" '), encoding="utf-8")

    def run(*command: str, home: Path | None = tmp_path / "home", **more: str):
        environment = {"PATH": f"{commands}:{os.environ['PATH']}", **more}
        if home is not None:
            environment["HOME"] = str(home)
        return subprocess.run(
            ["bash", str(script), *command], env=environment, text=True, capture_output=True
        )

    return run


@pytest.mark.parametrize("name", ["home", "two  words", "Übungsgruppe ä", "-n", "a'b\"c$d"])
def test_lessons_are_copied_into_the_home_folder_whatever_its_name(start, tmp_path, name):
    home = tmp_path / "homes" / name
    done = start("jupyterhub-singleuser", home=home, JUPYTERHUB_API_TOKEN="t")
    assert (done.returncode, done.stderr) == (0, "")
    copied = (home / "seqkd_lab_lessons" / "copied").read_text(encoding="utf-8")
    assert copied == f"lab {home}/seqkd_lab_lessons --copy-only\n"


def test_where_the_lessons_cannot_be_copied_it_says_so_and_the_server_starts(start, tmp_path):
    (tmp_path / "file").write_text("")  # nobody can make a folder in it, root neither
    done = start("jupyterhub-singleuser", home=tmp_path / "file", JUPYTERHUB_API_TOKEN="t")
    assert done.returncode == 0 and done.stdout.startswith("jupyterhub-singleuser|")
    assert "the lessons could not be copied" in done.stderr


def test_with_a_hub_its_server_starts_and_without_one_jupyterlab(start):
    hub = start("jupyterhub-singleuser", "--debug", "a b", JUPYTERHUB_API_TOKEN="t")
    alone = start("jupyterhub-singleuser", "--debug")
    assert hub.stdout.startswith("jupyterhub-singleuser|--debug a b|")
    assert alone.stdout.startswith("jupyter|lab --ip=0.0.0.0 --no-browser --debug|")


def test_a_store_is_used_where_it_holds_models_and_none_was_named(start, tmp_path):
    def shared(**named: str) -> str:
        done = start("jupyterhub-singleuser", JUPYTERHUB_API_TOKEN="t", **named)
        return done.stdout.rpartition("shared=")[2].strip()

    assert shared() == ""
    (tmp_path / "store").mkdir()
    assert shared() == ""  # an empty volume
    (tmp_path / "store" / "models").mkdir()
    assert shared() == f"{tmp_path}/store"
    assert shared(SEQKD_LAB_SHARED="/my own") == "/my own"


@pytest.mark.parametrize(
    ("command", "home", "code", "said"),
    [
        ((), Path("/tmp"), 2, "name the command"),
        (("jupyterhub-singleuser",), None, 2, "with HOME set"),
        (("no such command",), Path("/proc/none"), 127, "'no such command' is no command"),
    ],
)
def test_where_it_cannot_go_on_it_says_why(start, command, home, code, said):
    done = start(*command, home=home)
    assert done.returncode == code and said in done.stderr.splitlines()[-1]
