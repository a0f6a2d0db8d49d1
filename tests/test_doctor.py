"""doctor.py: each fault must become a finding that names it and says what to do, and nothing may
crash it."""

from __future__ import annotations

import hashlib
import importlib
import importlib.metadata
import io
import json
import os
import shutil
import sys
from collections import namedtuple

import pytest
from packaging.requirements import Requirement

from seqkd_lab import doctor
from seqkd_lab.findings import OK, PROBLEM, WARNING, Finding, exit_code, table


@pytest.mark.parametrize(
    ("version", "largest", "status"),
    [((3, 9, 18), 2**63 - 1, PROBLEM), ((3, 10, 0), 2**63 - 1, OK), ((3, 14, 1), 2**63 - 1, OK),
     ((3, 12, 0), 2**31 - 1, PROBLEM)],
)  # fmt: skip
def test_python_version_and_width(version, largest, status):
    finding = doctor.examine_python(version, largest)
    assert finding.status == status
    assert bool(finding.advice) == (status != OK)


@pytest.fixture
def environment(monkeypatch):
    """A made-up environment: distribution name -> version, and name -> the error that its import
    raises."""
    versions, errors = {}, {}

    def version(name):
        if name not in versions:
            raise importlib.metadata.PackageNotFoundError(name)
        return versions[name]

    def import_module(name):
        if name in errors:
            raise errors[name]

    monkeypatch.setattr(importlib.metadata, "version", version)
    monkeypatch.setattr(importlib, "import_module", import_module)
    return versions, errors


def examined(requirement: str) -> Finding:
    return doctor.examine_dependency(Requirement(requirement))


@pytest.mark.parametrize(
    ("version", "specifier", "holds"),
    [
        ("2.13.0+cpu", ">=2.6,<3", True),
        ("2.13.0+cpu", "==2.13", True),
        ("2.5.1", ">=2.6,<3", False),
        ("3.0", "<3", False),
        ("3.0.0", ">=3", True),
        ("0.18.0", "==0.6.0", False),
        ("1.9", ">=1.10", False),
        ("2.0rc1", ">=2", True),
        ("1.4", "!=1.4.0", False),
        ("1.0", "", True),
    ],
)
def test_only_the_release_number_decides_whether_a_version_is_in_range(
    environment, version, specifier, holds
):
    environment[0]["numpy"] = version
    assert (examined(f"numpy{specifier}").status == OK) is holds


def test_a_dependency_that_is_there_is_ok(environment):
    environment[0]["numpy"] = "2.4.6"
    assert examined("numpy<3,>=1.26").status == OK


def test_a_missing_dependency_is_a_problem_with_a_command(environment):
    finding = examined("numpy<3,>=1.26")
    assert (finding.status, finding.detail) == (PROBLEM, "not installed")
    assert "pip install 'numpy<3,>=1.26'" in finding.advice


def test_a_dependency_out_of_range_names_both(environment):
    environment[0]["numpy"] = "1.20"
    finding = examined("numpy<3,>=1.26")
    assert finding.status == PROBLEM
    assert "1.20" in finding.detail and ">=1.26" in finding.detail


@pytest.mark.parametrize(
    "error", [OSError("x.so: no symbol\nmore"), ImportError("no"), ValueError("")]
)
def test_a_dependency_that_breaks_at_import_is_a_problem_in_one_line(environment, error):
    environment[0]["numpy"], environment[1]["numpy"] = "2.4.6", error
    finding = examined("numpy<3,>=1.26")
    assert finding.status == PROBLEM
    assert type(error).__name__ in finding.detail and "\n" not in finding.detail


def test_the_torchtext_trap_is_a_warning_that_says_which_release_works(environment):
    environment[0]["torchtext"] = "0.18.0"
    environment[1]["torchtext"] = OSError("libtorchtext.so: undefined symbol")
    finding = examined("torchtext==0.6.0")
    assert finding.status == WARNING
    assert (
        "0.18.0" in finding.detail
        and "torchtext==0.6.0" in finding.advice
        and "bridge" in finding.advice
    )


def test_torch_is_not_advised_from_plain_pip(environment):
    assert "pip install" not in examined("torch<3,>=2.6").advice


def test_a_project_that_is_not_installed_is_a_problem_and_no_crash():
    (finding,) = doctor.examine_dependencies("no-such-project-of-seqkd-lab")
    assert finding.status == PROBLEM and "make" in finding.advice
    assert doctor.examine_notebooks("no-such-project-of-seqkd-lab") == []


def test_without_packaging_the_doctor_says_so_and_goes_on(monkeypatch):
    monkeypatch.setitem(sys.modules, "packaging.requirements", None)
    (finding,) = doctor.examine_dependencies()
    assert (finding.name, finding.status) == ("packaging", PROBLEM) and "pip" in finding.advice
    assert doctor.examine_notebooks() == []


def test_extras_are_no_dependencies_and_absent_notebooks_are_no_fault(environment, monkeypatch):
    requirements = [
        "numpy>=1.26",
        'ipywidgets<9,>=8.1; extra == "lab"',
        'pytest>=8; extra == "test"',
    ]
    monkeypatch.setattr(importlib.metadata, "requires", lambda project: requirements)
    environment[0]["numpy"] = "2.0"
    assert [finding.name for finding in doctor.examine_dependencies()] == ["numpy"]
    (absent,) = doctor.examine_notebooks()
    assert (absent.name, absent.status) == ("ipywidgets", OK) and "make lab" in absent.advice
    environment[0]["ipywidgets"] = "7.8.1"
    (old,) = doctor.examine_notebooks()
    assert old.status == WARNING and "7.8.1" in old.detail


@pytest.mark.parametrize(
    ("cuda", "gpu", "status"), [(None, False, OK), ("13.0", True, OK), ("13.0", False, WARNING)]
)
def test_a_cuda_build_without_a_gpu_is_a_warning(monkeypatch, cuda, gpu, status):
    torch = pytest.importorskip("torch")
    monkeypatch.setattr(torch.version, "cuda", cuda)
    monkeypatch.setattr(torch.cuda, "is_available", lambda: gpu)
    assert doctor.examine_torch_build().status == status


def test_installed_bytes_counts_the_files_of_the_chosen_distributions():
    distribution = importlib.metadata.distribution("pytest")
    expected = sum(file.size or 0 for file in distribution.files)
    assert expected > 0
    assert doctor.installed_bytes(("pytest",)) >= expected
    assert doctor.installed_bytes(("no-such-distribution-",)) == 0


@pytest.mark.parametrize(
    ("quota", "threads", "status"),
    [(2.0, 2, OK), (2.0, 8, WARNING), (1.5, 1, OK), (0.5, 1, WARNING)],
)
def test_threads_beyond_the_quota_are_a_warning(monkeypatch, quota, threads, status):
    torch = pytest.importorskip("torch")
    monkeypatch.setattr(doctor.machine, "cpu_quota", lambda: quota)
    monkeypatch.setattr(torch, "get_num_threads", lambda: threads)
    finding = doctor.examine_threads()
    assert finding.status == status and f"{quota:g} of" in finding.detail


@pytest.mark.parametrize(
    ("mib", "status"),
    [(100.0, PROBLEM), (499.9, PROBLEM), (500.0, WARNING), (1000.0, OK), (float("nan"), OK)],
)
def test_memory(mib, status):
    assert doctor.examine_memory(mib).status == status


@pytest.mark.parametrize(("free_mib", "status"), [(10, PROBLEM), (500, WARNING), (5000, OK)])
def test_disk_is_measured_where_the_cache_will_lie(monkeypatch, tmp_path, free_mib, status):
    asked = []

    def usage(folder):
        asked.append(folder)
        return namedtuple("Usage", "free")(free_mib * doctor.machine.MIB)

    monkeypatch.setattr(shutil, "disk_usage", usage)
    assert doctor.examine_disk(tmp_path / "not" / "there").status == status
    assert asked == [tmp_path]


def test_the_cache_is_made_tried_and_left_empty(tmp_path):
    cache = tmp_path / "a" / "b"
    assert doctor.examine_cache(cache).status == OK
    assert cache.is_dir() and not list(cache.iterdir())


def test_a_file_in_the_place_of_the_cache_is_a_problem(tmp_path):
    (tmp_path / "file").write_text("")
    finding = doctor.examine_cache(tmp_path / "file" / "cache")
    assert finding.status == PROBLEM and str(tmp_path) in finding.detail


@pytest.mark.skipif(
    not hasattr(os, "geteuid") or os.geteuid() == 0, reason="root may write everywhere"
)
def test_a_cache_without_write_access_is_a_problem(tmp_path):
    tmp_path.chmod(0o500)
    try:
        assert doctor.examine_cache(tmp_path).status == PROBLEM
    finally:
        tmp_path.chmod(0o700)


def test_the_stores_are_named_and_whether_they_can_be_used(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (own,) = doctor.examine_stores({})
    assert own.status == OK and str(tmp_path / "runs") in own.detail
    (tmp_path / "shared" / "models").mkdir(parents=True)
    environment = {"SEQKD_LAB_STORE": str(tmp_path / "own"), "SEQKD_LAB_SHARED": "shared"}
    own, shared = doctor.examine_stores(environment)
    assert (own.status, shared.status) == (OK, OK) and str(tmp_path / "own") in own.detail
    _, shared = doctor.examine_stores({"SEQKD_LAB_SHARED": str(tmp_path / "nowhere")})
    assert shared.status == PROBLEM and "SEQKD_LAB_SHARED" in shared.advice
    (tmp_path / "file").write_text("")
    (own,) = doctor.examine_stores({"SEQKD_LAB_STORE": str(tmp_path / "file")})
    assert own.status == PROBLEM and "SEQKD_LAB_STORE" in own.advice


@pytest.fixture
def toy(tmp_path):
    """A small toy corpus with a right fingerprint."""
    (tmp_path / "train.tsv").write_bytes(b"a\tb\n")
    digest = hashlib.sha256(b"a\tb\n").hexdigest()
    (tmp_path / "fingerprint.json").write_text(json.dumps({"sha256": {"train.tsv": digest}}))
    return tmp_path


def test_toy_as_recorded(toy):
    assert doctor.examine_toy(toy).status == OK


def test_toy_changed_by_one_byte(toy):
    (toy / "train.tsv").write_bytes(b"a\tB\n")
    finding = doctor.examine_toy(toy)
    assert finding.status == PROBLEM and "train.tsv" in finding.detail
    assert "corpus toy --write" in finding.advice


@pytest.mark.parametrize("name", ["train.tsv", "fingerprint.json"])
def test_toy_file_missing(toy, name):
    (toy / name).unlink()
    finding = doctor.examine_toy(toy)
    assert finding.status == WARNING and name in finding.detail


@pytest.mark.parametrize(
    "text", ["", "{", "[]", "{}", '{"sha256": 3}', '{"sha256": {".": "x"}}', "\xff"]
)
def test_toy_fingerprint_that_is_garbage(toy, text):
    (toy / "fingerprint.json").write_bytes(text.encode("latin-1"))
    assert doctor.examine_toy(toy).status == PROBLEM


@pytest.mark.parametrize(
    ("encoding", "status"),
    [("utf-8", OK), ("ascii", WARNING), ("latin-1", WARNING), ("utf-16", OK)],
)
def test_encoding(encoding, status):
    assert (
        doctor.examine_encoding(io.TextIOWrapper(io.BytesIO(), encoding=encoding)).status == status
    )


def test_encoding_of_a_stream_without_one():
    assert doctor.examine_encoding(io.StringIO()).status == WARNING


def test_only_problems_fail():
    fine, doubtful, bad = (Finding("x", status, "") for status in (OK, WARNING, PROBLEM))
    assert exit_code([fine, doubtful]) == 0
    assert exit_code([fine, bad, doubtful]) == 1


def test_table_is_narrow_and_keeps_every_word():
    command = "python -m pip install 'numpy<3,>=1.26'"
    findings = [
        Finding("a", OK, "seen " * 60),
        Finding("longer name", PROBLEM, "broken", f"run {command}"),
    ]
    shown = table(findings, width=80)
    assert max(map(len, shown.splitlines())) <= 80
    assert shown.count("seen") == 60 and command in shown and "1 problem(s), 0 warning(s)" in shown


@pytest.mark.slow
def test_run_on_this_machine_reports_all_and_returns_the_code_of_its_table(monkeypatch, tmp_path):
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    stream = io.TextIOWrapper(io.BytesIO(), encoding="ascii")  # paths may hold more than ASCII
    monkeypatch.setattr(doctor, "cache_directory", lambda: tmp_path / "Zwischenablage-ä")
    monkeypatch.setattr(sys, "stdout", stream)
    code = doctor.run()
    stream.flush()
    shown = stream.buffer.getvalue().decode("ascii")
    names = {
        line.split()[1] for line in shown.splitlines() if line.startswith((OK, WARNING, PROBLEM))
    }
    assert {"python", "threads", "memory", "disk", "cache", "toy", "encoding"} <= names
    assert code == int("0 problem(s)" not in shown)
