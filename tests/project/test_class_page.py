"""CLASS.md: its figures are measured ones, its blocks parse, and what it names is there; the image
and Binder are made by the same steps."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path

import pytest
import yaml
from class_tables import BLOCK, MADE, PAGE, with_tables

ROOT = Path(__file__).resolve().parents[2]
TEXT = PAGE.read_text(encoding="utf-8")
DOCKERFILE = (ROOT / "Dockerfile").read_text(encoding="utf-8")
STEPS = re.compile(r"bash \S*install_lab\.sh ([a-z ]+[a-z])")


def blocks(language: str) -> list[str]:
    return re.findall(rf"^```{language}\n(.*?)^```", TEXT, re.MULTILINE | re.DOTALL)


def test_its_figures_are_those_of_the_committed_results():
    assert {name for _, name, _ in BLOCK.findall(TEXT)} == set(MADE)
    assert with_tables(TEXT) == TEXT, "run tools/class_tables.py"


@pytest.mark.parametrize("block", blocks("bash"))
def test_its_shell_parses(block):
    assert subprocess.run(["bash", "-n"], input=block, text=True).returncode == 0


def test_its_settings_parse_and_mount_the_store_read_only_where_the_image_looks():
    (values,) = (yaml.safe_load(block) for block in blocks("yaml"))
    (mount,) = values["singleuser"]["storage"]["extraVolumeMounts"]
    start = (ROOT / "class_image" / "start.sh").read_text(encoding="utf-8")
    assert mount["readOnly"] and f"STORE={mount['mountPath']} " in start


def test_the_files_that_it_names_are_there():
    named = re.findall(r"\b(?:tools|class_image|benchmarks)/[\w/]+\.\w+", TEXT)
    assert named and [name for name in named if not (ROOT / name).exists()] == []


def test_the_image_and_binder_have_one_python_and_the_same_steps():
    conda = (ROOT / "environment.yml").read_text(encoding="utf-8")
    minor = re.search(r"python=(\d+\.\d+)", conda)[1]
    assert re.search(r"^ARG BASE=\S+python:(\d+\.\d+)", DOCKERFILE, re.MULTILINE)[1] == minor
    binder = STEPS.search((ROOT / "postBuild").read_text(encoding="utf-8"))[1].split()
    image = " ".join(STEPS.findall(DOCKERFILE)).split()
    assert [step.replace("editable", "project") for step in binder] == image
    assert "pip install" not in (ROOT / "postBuild").read_text(encoding="utf-8")
    others = re.findall(r"--requirement (\S+)", DOCKERFILE)
    assert others == ["class_image/hub.txt"]


def test_the_image_does_not_run_as_root():
    assert re.findall(r"^USER (.*)$", DOCKERFILE, re.MULTILINE)[-1] == "jovyan"


@pytest.mark.parametrize("script", ["class_image/start.sh", "tools/install_lab.sh"])
def test_its_scripts_are_bash(script):
    assert subprocess.run(["bash", "-n", str(ROOT / script)]).returncode == 0
