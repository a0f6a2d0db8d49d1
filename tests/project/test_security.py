"""What SECURITY.md claims and a test can look at: nothing that is read is run, JupyterLab stays
local, and the page names what there is."""

from __future__ import annotations

import ast
import re
from pathlib import Path

import pytest

from seqkd_lab import files
from seqkd_lab.runs import store

ROOT = Path(__file__).resolve().parents[2]
PAGE = " ".join((ROOT / "SECURITY.md").read_text(encoding="utf-8").split())
SOURCES = sorted(
    path
    for folder in ("seqkd_lab", "tools", "benchmarks")
    for path in (ROOT / folder).rglob("*.py")
    if ".envs" not in path.parts
)
MODULES_THAT_RUN_WHAT_THEY_READ = {
    "pickle", "_pickle", "dill", "cloudpickle", "joblib", "marshal", "shelve", "yaml", "code",
    "codeop", "runpy", "pty", "xmlrpc",
}  # fmt: skip
BUILT_IN = {"eval", "exec", "compile", "__import__"}
CALLS = {
    "os.system", "os.popen", "subprocess.getoutput", "subprocess.getstatusoutput",
    "tempfile.mktemp",
    "torch.jit.load", "torch.package.PackageImporter", "torch.hub.load", "pandas.read_pickle",
}  # fmt: skip
SAFE_ONLY_WITH = {"torch.load": ("weights_only", True)}
UNSAFE_WITH = {"shell": True, "allow_pickle": True, "trust_remote_code": True}


def imported(tree: ast.Module) -> dict[str, str]:
    """Return local name -> full name of all that a module imports, anywhere in it."""
    names = {}
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            for alias in node.names:
                local = alias.asname or alias.name.partition(".")[0]
                names[local] = alias.name if alias.asname else local
        elif isinstance(node, ast.ImportFrom) and node.module:
            names |= {a.asname or a.name: f"{node.module}.{a.name}" for a in node.names}
    return names


def full_name(function: ast.expr, names: dict[str, str]) -> str:
    """Return the dotted name of what is called, with imports resolved; "" for anything else."""
    if isinstance(function, ast.Attribute):
        owner = full_name(function.value, names)
        return f"{owner}.{function.attr}" if owner else ""
    return names.get(function.id, function.id) if isinstance(function, ast.Name) else ""


def dangers(source: str) -> list[str]:
    """Return what in a module's source could run what it reads, by line."""
    tree = ast.parse(source)
    names, dangerous = imported(tree), []
    for node in ast.walk(tree):
        modules = []
        if isinstance(node, ast.Import):
            modules = [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom) and not node.level:
            modules = [node.module or ""]
        for module in modules:
            if module.partition(".")[0] in MODULES_THAT_RUN_WHAT_THEY_READ:
                dangerous.append(f"{node.lineno}: import of {module}")
        if isinstance(node, ast.Call):
            dangerous += [f"{node.lineno}: {what}" for what in dangerous_call(node, names)]
    return dangerous


def dangerous_call(call: ast.Call, names: dict[str, str]) -> list[str]:
    """Return what is dangerous about a call: its name, or an argument."""
    name = full_name(call.func, names)
    constants = {
        each.arg: each.value.value for each in call.keywords if isinstance(each.value, ast.Constant)
    }
    given = {each.arg for each in call.keywords}
    what = [name] if name in CALLS or name in BUILT_IN or name.startswith("builtins.") else []
    if name in SAFE_ONLY_WITH:
        argument, value = SAFE_ONLY_WITH[name]
        what += [name] if constants.get(argument) is not value else []
    for argument in given & UNSAFE_WITH.keys():
        if constants.get(argument, True) not in (False, None):
            what.append(f"{name}({argument}=...)")
    return what


@pytest.mark.parametrize("path", SOURCES, ids=lambda path: path.relative_to(ROOT).as_posix())
def test_no_module_runs_what_it_reads(path):
    assert dangers(path.read_text(encoding="utf-8")) == []


@pytest.mark.parametrize(
    "source",
    [
        "import pickle",
        "from pickle import loads",
        "def f():\n    import yaml.cyaml",
        "eval('1')",
        "exec(text)",
        "compile(text, '', 'exec')",
        "__import__(name)",
        "import builtins\nbuiltins.eval(text)",
        "import os as o\no.system(line)",
        "from os import popen as p\np(line)",
        "import subprocess\nsubprocess.run(line, shell=True)",
        "import subprocess\nsubprocess.Popen(line, shell=wanted)",
        "import torch\ntorch.load(path)",
        "import torch\ntorch.load(path, weights_only=False)",
        "from torch import load\nload(path)",
        "import torch as t\nt.jit.load(path)",
        "import numpy as np\nnp.load(path, allow_pickle=True)",
        "import pandas as pd\npd.read_pickle(path)",
    ],
)
def test_the_ways_to_run_what_is_read_are_seen(source):
    assert dangers(source) != []


@pytest.mark.parametrize(
    "source",
    [
        "model.eval()",
        "import re\nre.compile(pattern)",
        "import torch\ntorch.load(path, weights_only=True)",
        "import subprocess\nsubprocess.run([program], shell=False)",
        "import numpy as np\nnp.load(path)",
        "from . import code",
    ],
)
def test_harmless_calls_are_not_taken_for_them(source):
    assert dangers(source) == []


def test_jupyterlab_starts_with_its_own_token_and_address():
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    (start,) = re.findall(r"^\t\$\(BIN\)/jupyter lab .*$", makefile, re.MULTILINE)
    assert start.split()[2:] == ["notebooks/00_start_here.ipynb"]
    for file in (ROOT / "postBuild", ROOT / "Makefile", *(ROOT / "tools").glob("*.py")):
        text = file.read_text(encoding="utf-8")
        assert not re.search(r"0\.0\.0\.0|token=['\"]{2}|disable_check_xsrf", text), file
    assert "--ip=127.0.0.1" in (ROOT / "tools" / "jupyter_browser.py").read_text(encoding="utf-8")


def test_the_page_names_what_is_there():
    for name in re.findall(r"`((?:[a-z]+/)+[a-z_]+\.(?:py|txt))`", PAGE):
        assert (ROOT / name).exists(), name
    for target in re.findall(r"`make ([a-z]+)`", PAGE):
        assert re.search(
            rf"^{target}:", (ROOT / "Makefile").read_text(encoding="utf-8"), re.MULTILINE
        ), target
    assert set(re.findall(r"`(SEQKD_LAB_[A-Z]+)`", PAGE)) == {store.OWN, store.SHARED}
    assert f"{files.LARGEST_JSON // 2**20} MiB at most" in PAGE


def test_the_page_is_linked_and_gives_no_address_of_a_person():
    for page in ("README.md", "CONTRIBUTING.md"):
        assert "(SECURITY.md)" in (ROOT / page).read_text(encoding="utf-8"), page
    assert "Report a vulnerability" in PAGE and "@" not in PAGE
