"""The benchmark of corpora larger than memory, at a size that takes seconds."""

from __future__ import annotations

import inspect
import os
import re

import pytest
from encoded_text import encoded_here, files_in

from benchmarks import made_up_text, stream_steps, streams
from seqkd_lab.corpus.cleaning import clean
from seqkd_lab.corpus.reading import read_aligned

N = 60


@pytest.fixture
def text(tmp_path, monkeypatch):
    monkeypatch.setattr(made_up_text, "N_WORDS", 50)
    monkeypatch.setattr(made_up_text, "HELD_OUT", 5)
    monkeypatch.setattr(made_up_text, "AT_ONCE", 25)
    made_up_text.write_text(tmp_path / "text", N)
    return tmp_path / "text"


def test_the_text_is_always_the_same_and_loses_nothing_to_cleaning(text, tmp_path):
    made_up_text.write_text(tmp_path / "again", N)
    for path in text.iterdir():
        assert path.read_bytes() == (tmp_path / "again" / path.name).read_bytes()
    kept, _ = clean(read_aligned(text / "train.source", text / "train.target"))
    assert len(kept) == N


def test_the_steps_go_through_every_pair(text, tmp_path):
    corpus, table = tmp_path / "corpus", tmp_path / "table.tsv"
    encoded_here(files_in(text), corpus)
    assert stream_steps.load(text, corpus / "subwords.model")["pairs"] == N
    assert stream_steps.one_pass(corpus)["pairs"] == N
    assert stream_steps.write_table(corpus, table)["bytes"] == table.stat().st_size
    assert len(table.read_text(encoding="utf-8").splitlines()) == N + 1
    assert stream_steps.read_table(corpus, table)["rows"] == N


def test_memory_is_that_of_a_process_and_all_below_it():
    peak = streams.Peak()
    peak.look(os.getpid())
    assert peak.anon_mib > 1 and os.getpid() in streams.tree(os.getpid())


def test_every_step_that_is_asked_for_is_there():
    asked = re.findall(r'step\("(\w+)"', inspect.getsource(streams))
    assert set(asked) == set(stream_steps.STEPS)
