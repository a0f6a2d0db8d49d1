"""tools/compare_results.py finds a changed digit, in the one format and against an earlier one."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from seqkd_lab.runs.committed import results_path

TOOL = Path(__file__).parents[2] / "tools" / "compare_results.py"


def compare(old, new) -> tuple[int, str]:
    """Exit code and output of the tool."""
    done = subprocess.run([sys.executable, TOOL, old, new], capture_output=True, text=True)
    return done.returncode, done.stdout


def changed(results: dict) -> dict:
    """The results with one last digit changed."""
    row = results["by_seed"]["21"]["gold"]
    return {
        **results,
        "by_seed": {**results["by_seed"], "21": {"gold": {**row, "beam": row["beam"] + 1e-12}}},
    }


@pytest.mark.slow
@pytest.mark.parametrize("earlier", [False, True], ids=["one format", "an earlier one"])
def test_equal_files_have_no_difference_and_a_changed_digit_is_named(tmp_path, earlier):
    results = json.loads(results_path("live.json").read_text())
    results["by_seed"] = {"21": {"gold": results["by_seed"]["21"]["gold"]}}
    old, new = tmp_path / "old.json", tmp_path / "live.json"
    name = {"experiment" if earlier else "study": "live"}
    old.write_text(json.dumps({**{k: v for k, v in results.items() if k != "study"}, **name}))
    new.write_text(json.dumps(results))
    code, out = compare(old, new)
    assert code == 0 and "0 differ" in out
    new.write_text(json.dumps(changed(results)))
    code, out = compare(old, new)
    assert code == 1 and "1 differ" in out and "live · 21 · gold · beam" in out
