"""SCALE.md: its figures are measured ones, and what it names is there."""

from __future__ import annotations

import re
from pathlib import Path

from scale_tables import BLOCK, MADE, PAGE, with_tables

ROOT = Path(__file__).resolve().parents[2]
TEXT = PAGE.read_text(encoding="utf-8")


def test_its_figures_are_those_of_the_committed_results():
    assert {name for _, name, _ in BLOCK.findall(TEXT)} == set(MADE)
    assert with_tables(TEXT) == TEXT, "run tools/scale_tables.py"


def test_the_files_that_it_names_are_there():
    named = re.findall(r"\b(?:tools|jobs|benchmarks|tests)/[\w/]+\.\w+", TEXT)
    assert named and [name for name in named if not (ROOT / name).exists()] == []
