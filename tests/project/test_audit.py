"""tools/audit.py: which licences need a reason, and that nothing unchecked is taken for safe."""

from __future__ import annotations

import json
import subprocess
from email.message import Message

import audit
import lock
import pytest


def fields(**values: str | list[str]) -> Message:
    """Return a package's metadata; a list is a field that is there several times."""
    message = Message()
    for name, value in values.items():
        for single in value if isinstance(value, list) else [value]:
            message[name.replace("_", "-")] = single
    return message


def package(name: str = "a", licence: str = "MIT", gnu: tuple[str, ...] = ()) -> audit.Package:
    return audit.Package(name, "1.0", licence, gnu)


OSI = "License :: OSI Approved :: "


@pytest.mark.parametrize(
    ("metadata", "licence"),
    [
        (fields(License_Expression="MIT", License="GPL"), "MIT"),
        (fields(Classifier=["Topic :: X", OSI + "BSD License"], License="UNKNOWN"), "BSD License"),
        (fields(Classifier=[OSI + "A", OSI + "B"]), "A AND B"),
        (fields(License="Apache 2.0\nand its whole text"), "Apache 2.0"),
        (fields(License="Redistribution and use in source and binary forms " * 3), "UNKNOWN"),
        (fields(License="UNKNOWN"), "UNKNOWN"),
        (fields(), "UNKNOWN"),
    ],
)
def test_the_licence_is_the_expression_else_the_classifiers_else_the_short_text(metadata, licence):
    assert audit.licence_of(metadata) == licence


@pytest.mark.parametrize(
    ("licence", "doubtful"),
    [
        ("GPL-3.0-only", True),
        ("LGPL-2.1-or-later", True),
        ("GNU Affero General Public License v3", True),
        ("MIT AND AGPL-3.0", True),
        ("UNKNOWN", True),
        ("MIT", False),
        ("Mozilla Public License 2.0 (MPL 2.0)", False),
        ("Apache-2.0 OR BSD-2-Clause", False),
    ],
)
def test_gnu_and_unknown_licences_need_a_reason(capsys, licence, doubtful):
    assert (audit.doubt(package(licence=licence)) is not None) == doubtful
    assert len(audit.licence_problems([package(licence=licence)], {})) == doubtful
    assert audit.licence_problems([package(licence=licence)], {"a": "because of this"}) == []
    assert licence in capsys.readouterr().out


def test_a_gnu_licence_within_a_package_is_found(tmp_path):
    (tmp_path / "a-1.0.dist-info" / "licenses").mkdir(parents=True)
    files = {
        "a-1.0.dist-info/METADATA": "Name: a\nVersion: 1.0\nLicense-Expression: MIT\n",
        "a-1.0.dist-info/licenses/COPYING.txt": "the GNU Lesser General Public License",
        "a-1.0.dist-info/LICENSE": "MIT, which needs no reason",
        "a.libs/libgomp-1.so": "",
        "a/licence.py": "GPL = 'a word in code'",
    }
    for name, text in files.items():
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text(text)
    (tmp_path / "a-1.0.dist-info/RECORD").write_text("".join(f"{name},,\n" for name in files))
    distribution = audit.metadata.PathDistribution(tmp_path / "a-1.0.dist-info")
    assert audit.gnu_in(distribution) == ("COPYING.txt", "libgomp-1.so")


def test_every_locked_package_has_a_licence_or_a_reason():
    locked = {
        (name, lock.version_of(entry))
        for path in audit.LOCKS[0].parent.glob("*.txt")
        for name, entries in lock.entries(path.read_text(encoding="utf-8")).items()
        for entry in entries
    }
    here = [p for p in audit.installed() if (p.name, p.version.partition("+")[0]) in locked]
    assert here
    assert audit.licence_problems(here, audit.reasons()) == []


@pytest.mark.parametrize(
    "line", ["no colon", "a: short", "A B: three words here", ": one two three"]
)
def test_a_reason_is_a_name_and_words(tmp_path, line):
    file = tmp_path / "licences.txt"
    file.write_text(f"# a comment\n\na-b: a good reason\n{line}\n")
    with pytest.raises(ValueError, match=r"licences\.txt:4: 'NAME: REASON' is expected"):
        audit.reasons(file)


HARMLESS = {"name": "a", "version": "1", "vulns": []}
HARMFUL = {"name": "b", "version": "2", "vulns": [{"id": "PYSEC-1", "fix_versions": ["2.1"]}]}
ABSENT = {"name": "c", "skip_reason": "not found"}


@pytest.fixture
def pip_audit(monkeypatch):
    """Let pip-audit print these packages, or raise this error, for each lock."""

    def prepare(*dependencies, error=None, output=None):
        def run(command, **options):
            if error:
                raise error
            text = json.dumps({"dependencies": dependencies}) if output is None else output
            return subprocess.CompletedProcess(command, 1, text, "")

        monkeypatch.setattr(audit.subprocess, "run", run)
        monkeypatch.setattr(audit, "LOCKS", [audit.LOCKS[0]])

    return prepare


@pytest.mark.parametrize(
    ("dependencies", "findings", "said", "unsaid"),
    [
        ([HARMLESS], 0, "0 in 1 packages", "CHECKED"),
        ([HARMLESS, HARMFUL], 1, "1 in 2 packages", "CHECKED"),
        ([HARMFUL, ABSENT], 1, "NOT CHECKED: 1 packages", "NOTHING"),
        ([ABSENT], 0, "NOTHING WAS CHECKED", "NOT CHECKED"),
    ],
)
def test_what_was_not_checked_is_said(pip_audit, capsys, dependencies, findings, said, unsaid):
    pip_audit(*dependencies)
    problems = audit.vulnerability_problems("pip-audit")
    assert problems == ["b 2: PYSEC-1, mended in 2.1"][:findings]
    printed = capsys.readouterr().out
    assert said in printed and unsaid not in printed


@pytest.mark.parametrize(
    "failure",
    [
        {"error": FileNotFoundError()},
        {"error": subprocess.TimeoutExpired("pip-audit", 1)},
        {"output": "no connection"},
        {"output": "{}"},
    ],
)
def test_a_program_that_fails_checks_nothing_and_says_so(pip_audit, capsys, failure):
    pip_audit(**failure)
    assert audit.vulnerability_problems("pip-audit") == []
    assert "NOTHING WAS CHECKED" in capsys.readouterr().out


@pytest.mark.parametrize(("found", "code"), [([], 0), (["b 2: PYSEC-1"], 1)])
def test_only_findings_fail(monkeypatch, capsys, found, code):
    monkeypatch.setattr(audit.sys, "argv", ["audit.py"])
    monkeypatch.setattr(audit, "installed", list)
    monkeypatch.setattr(audit, "vulnerability_problems", lambda program: found)
    assert audit.main() == code
    assert capsys.readouterr().err.splitlines() == found
