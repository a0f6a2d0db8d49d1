"""Where lessons keep what they train, and that a store which the tour has filled serves them."""

from __future__ import annotations

from pathlib import Path

import pytest

from seqkd_lab.cli import parser
from seqkd_lab.cli.resolve import store_of, table_run
from seqkd_lab.lab.shared import models
from seqkd_lab.lab.shared.switches import FAST_SWITCH
from seqkd_lab.runs.keys import key
from seqkd_lab.runs.recipes import TABLE_ROWS
from seqkd_lab.runs.store import OWN, SHARED


def test_lessons_keep_models_in_the_named_store_else_in_the_cache(monkeypatch, tmp_path):
    monkeypatch.setattr(models, "cache_directory", lambda: tmp_path / "cache")
    monkeypatch.delenv(SHARED, raising=False)
    monkeypatch.delenv(OWN, raising=False)
    assert models.lesson_store().root == tmp_path / "cache" / "lessons"
    monkeypatch.setenv(OWN, str(tmp_path / "für alle"))
    assert models.lesson_store().root == tmp_path / "für alle"
    (tmp_path / "read").mkdir()
    monkeypatch.setenv(SHARED, str(tmp_path / "read"))
    assert models.lesson_store().shared == tmp_path / "read"


@pytest.mark.parametrize("words", [("tour",), ("--store", "FOLDER", "tour")])
def test_the_tour_trains_what_the_lessons_switch_asks_for(monkeypatch, words):
    monkeypatch.delenv(FAST_SWITCH, raising=False)
    asked = []
    monkeypatch.setattr(models, "trained", asked.append)
    models.models(TABLE_ROWS, from_nothing=True)
    arguments = parser("tour").parse_args(words)
    run = table_run(arguments, (arguments.seed,), TABLE_ROWS, "quick")
    filled = {key(recipe) for recipe in run.recipes(arguments.seed).values()}
    assert len(filled) == len(TABLE_ROWS) and {key(recipe) for recipe in asked} == filled
    if "--store" in words:
        assert store_of(arguments).root == Path("FOLDER")
