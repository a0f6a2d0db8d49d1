"""The locks in requirements/ pin all that pyproject.toml asks for, with hashes and from no address,
and everything that installs uses them."""

from __future__ import annotations

import hashlib
import io
import re
import sys
from pathlib import Path

import lock
import pytest
from packaging.requirements import Requirement
from packaging.specifiers import SpecifierSet

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib  # pytest brings it to Python 3.10

ROOT = Path(__file__).resolve().parents[2]
LOCKS = ("core", "lab", "book", "test", "maintain", "torch", "cuda")
PYTHONS = ("3.10.13", "3.11.7", "3.12.1", "3.13.0", "3.14.0")
SYSTEMS = {"linux": ("posix", "Linux"), "darwin": ("posix", "Darwin"), "win32": ("nt", "Windows")}
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
SETS = {  # a set's locks, and what must be in them
    "core": (["core", "torch"], PROJECT["project"]["dependencies"]),
    "lab": (["core", "lab", "torch"], PROJECT["project"]["optional-dependencies"]["lab"]),
    "book": (["core", "lab", "book"], PROJECT["project"]["optional-dependencies"]["book"]),
    "test": (["core", "lab", "book", "test"], PROJECT["project"]["optional-dependencies"]["test"]),
    "build": (["core"], PROJECT["build-system"]["requires"]),
    "maintain": (["maintain"], PROJECT["dependency-groups"]["maintain"]),
}


def text_of(name: str) -> str:
    return (ROOT / "requirements" / f"{name}.txt").read_text(encoding="utf-8")


def pins(*names: str) -> list[Requirement]:
    """Return the requirements of the locks with these names, without their hashes."""
    return [
        Requirement(re.split(r"\s\\\n|\n", entry)[0])
        for name in names
        for blocks in lock.entries(text_of(name)).values()
        for entry in blocks
    ]


def surroundings(python: str, system: str) -> dict[str, str]:
    """Return what markers ask for, for a Python on a system."""
    os_name, platform_system = SYSTEMS[system]
    version = ".".join(python.split(".")[:2])
    return {
        "python_full_version": python, "python_version": version, "sys_platform": system,
        "os_name": os_name, "platform_system": platform_system, "platform_machine": "x86_64",
        "implementation_name": "cpython", "platform_python_implementation": "CPython",
    }  # fmt: skip


def chosen(names: list[str], python: str, system: str) -> dict[str, list[str]]:
    """Return name -> versions that pip takes from locks with a Python on a system."""
    environment, versions = surroundings(python, system), {}
    for pin in pins(*names):
        if pin.marker is None or pin.marker.evaluate(environment):
            versions.setdefault(pin.name, []).append(str(pin.specifier).removeprefix("=="))
    return versions


@pytest.mark.parametrize("system", SYSTEMS)
@pytest.mark.parametrize("python", PYTHONS)
@pytest.mark.parametrize("which", SETS)
def test_a_lock_has_one_version_of_each_dependency_in_its_range(which, python, system):
    names, needed = SETS[which]
    versions = chosen(names, python, system)
    assert {name: v for name, v in versions.items() if len(v) != 1} == {}
    for requirement in map(Requirement, needed):
        assert versions[requirement.name][0] in requirement.specifier, requirement


@pytest.mark.parametrize("name", LOCKS)
def test_every_entry_of_a_lock_is_exact_and_hashed(name):
    blocks = [entry for group in lock.entries(text_of(name)).values() for entry in group]
    assert blocks
    for entry in blocks:
        assert re.match(r"[a-z0-9-]+==[0-9][^\s;]* ?(;|\\\n)", entry), entry.splitlines()[0]
        assert lock.hashes_of(entry), entry.splitlines()[0]


@pytest.mark.parametrize("name", LOCKS)
def test_a_lock_holds_nothing_but_requirements_and_strict_options(name):
    text = text_of(name)
    smaller = [f"--requirement {lock.SMALLER[name]}.txt"] if name in lock.SMALLER else []
    options = [line for line in text.splitlines() if line.startswith("-")]
    assert options == ["--require-hashes", "--only-binary :all:", *smaller]
    plain = re.compile(
        r"[a-z0-9-]+==.*|    --hash=sha256:[0-9a-f]{64}(?: \\)?|    # via .*|#.*|-.*"
    )
    assert [line for line in text.splitlines() if not plain.fullmatch(line)] == []


def test_no_file_of_the_installation_names_an_address_but_the_public_cpu_index():
    files = [*(ROOT / "requirements").iterdir(), ROOT / "Makefile", ROOT / "postBuild"]
    files += [ROOT / "class_image/hub.txt", ROOT / "tools/install_lab.sh"]
    files += [ROOT / "environment.yml", ROOT / "tools/install_torch.py", ROOT / "tools/lock.py"]
    files += [*(ROOT / "benchmarks/peers/requirements").iterdir(), ROOT / ".ci/run"]
    hosts = {
        (file.name, host)
        for file in files
        for host in re.findall(r"\w+://([^/\s\"']*)", file.read_text(encoding="utf-8"))
    }
    assert hosts == {("install_torch.py", "download.pytorch.org")}


def test_torch_is_one_version_with_the_hashes_of_all_its_builds():
    ((version, marker),) = [(str(pin.specifier)[2:], pin.marker) for pin in pins("torch")]
    assert marker is None and f"{version}+cpu" in SpecifierSet(f"=={version}")
    (entry,) = lock.entries(text_of("torch"))["torch"]
    assert len(lock.hashes_of(entry)) >= 40, "PyPI's builds are 24, the CPU builds about 30"
    assert not {pin.name for pin in pins("core", "lab", "book", "test")} & {"torch", "triton"}
    assert all(lock.ONLY_FOR_CUDA.fullmatch(pin.name) for pin in pins("cuda"))


@pytest.mark.parametrize("file", ["Makefile", "tools/install_lab.sh", "Dockerfile"])
def test_every_installation_is_from_a_lock_or_of_the_project_itself(file):
    text = (ROOT / file).read_text(encoding="utf-8").replace("\\\n", " ")
    for name in ("PIP", "LOCKED"):  # the Makefile's shorthands
        for meaning in re.findall(rf"^{name} *:= (.*)$", text, re.MULTILINE):
            text = text.replace(f"$({name})", meaning)
    commands = [line for line in text.splitlines() if re.search(r"-m pip install", line)]
    commands = [line for line in commands if not re.match(r"[A-Z]+ *:=", line)]
    assert commands
    for command in commands:
        locked = "--require-hashes" in command and "--requirement requirements/" in command
        locked |= "--require-hashes" in command and "--requirement class_image/hub.txt" in command
        own = re.search(r"--no-build-isolation (--editable )?\.$", command) is not None
        assert "--no-deps" in command and (locked or own), command


def test_conda_brings_python_and_pip_only():
    text = (ROOT / "environment.yml").read_text(encoding="utf-8")
    items = re.findall(r"^\s+- ([a-z0-9-]+)", text.partition("dependencies:")[2], re.MULTILINE)
    assert items == ["python", "pip"]


# tools/lock.py: what it makes of uv's output and of PyTorch's page


def entry(version: str, *letters: str) -> str:
    return f"torch=={version} \\\n" + " \\\n".join(f"    --hash=sha256:{c * 64}" for c in letters)


def test_entries_keep_hashes_and_comments_with_their_package():
    text = (
        "--require-hashes\n# a\na==1 ; x \\\n    --hash=sha256:0\n    # via b\na==2\n    -h\nc==3\n"
    )
    blocks = lock.entries(text)
    assert list(blocks) == ["a", "c"] and len(blocks["a"]) == 2
    assert blocks["a"][0].endswith("# via b") and lock.version_of(blocks["a"][0]) == "1"


def test_torch_has_both_builds_and_keeps_the_hashes_of_an_index_that_is_away():
    listed = ["d" * 64]
    both = lock.torch_entry(entry("2.1", "a"), listed, "")
    assert lock.hashes_of(both) == ["a" * 64, "d" * 64] and both.startswith("torch==2.1 \\\n")
    assert lock.torch_entry(entry("2.1", "a"), None, both) == both


@pytest.mark.parametrize("before", ["", entry("2.0", "d")])
def test_a_new_torch_needs_the_index(before):
    with pytest.raises(lock.LockError, match=r"torch 2\.1: .*could not be read"):
        lock.torch_entry(entry("2.1", "a"), None, before)


def test_the_cpu_index_is_read_for_one_version_and_its_cpu_builds(monkeypatch):
    digests = [hashlib.sha256(bytes([n])).hexdigest() for n in range(5)]
    names = ("torch-2.1%2Bcpu-cp311", "torch-2.1-cp311-macosx", "torch-2.1%2Bcu1-cp311",
             "torch-2.10%2Bcpu-cp311", "torchvision-2.1%2Bcpu-cp311")  # fmt: skip
    page = "".join(
        f'<a href="/whl/{n}-x.whl#sha256={d}">' for n, d in zip(names, digests, strict=True)
    )
    monkeypatch.setattr(
        lock.urllib.request, "urlopen", lambda url, timeout: io.BytesIO(page.encode())
    )
    assert lock.cpu_hashes("2.1") == digests[:2]


def test_an_index_that_is_away_gives_no_hashes(monkeypatch):
    def refuse(url, timeout):
        raise OSError("no route")

    monkeypatch.setattr(lock.urllib.request, "urlopen", refuse)
    assert lock.cpu_hashes("2.1") is None
