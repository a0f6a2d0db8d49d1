"""A text that is encoded on disk is the text that a training would have read into memory: the same
pairs in the same order, the same ids, the same words."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
import torch
from encoded_text import encoded_here, files_in
from hypothesis import given, settings
from hypothesis import strategies as st
from own_text import KINDS, PLAIN, sentences

from seqkd_lab import system
from seqkd_lab.corpus import batching
from seqkd_lab.corpus.batching import batch_rows, encode
from seqkd_lab.corpus.mapped import joining, text
from seqkd_lab.runs.data import load_text
from seqkd_lab.runs.texts import TextData


def check_same(stored, data: TextData, cache: Path) -> None:
    """Compare a stored corpus with what a training in memory would have."""
    held = load_text(data, cache)
    vocabularies = held.source_vocabulary, held.target_vocabulary
    assert tuple(side.vocabulary for side in stored.train.sides) == vocabularies
    assert stored.subwords.model == held.subwords.model
    expected = encode(held.train, *vocabularies)
    for side in ("source", "target"):
        mine, theirs = getattr(stored.train.encoded, side), getattr(expected, side)
        for part in ("ids", "starts", "lengths"):
            assert torch.equal(getattr(mine, part), getattr(theirs, part)), (side, part)
    for split in ("valid", "test"):
        mine, theirs = getattr(stored, split), getattr(held, split)
        assert (mine.source, mine.target) == (theirs.source, theirs.target)
        assert mine.references == theirs.references
    for stored_side, side in zip(
        stored.train.sides, (held.train.source, held.train.target), strict=True
    ):
        known = [
            tuple(
                token if token in stored_side.vocabulary.tokens[4:] else "<unk>" for token in words
            )
            for words in side
        ]
        assert list(stored_side) == known
        assert [stored_side[i] for i in range(len(known))] == known
        assert list(stored_side[::-2]) == known[::-2]
    assert stored.cleaning.splitlines()[:3] == held.cleaning.splitlines()[:3]
    for seed in (1, 2):
        mine = [rows.tolist() for rows in batch_rows(stored.train.encoded, 3, seed)]
        assert mine == [rows.tolist() for rows in batch_rows(expected, 3, seed)]


@pytest.mark.parametrize("name", KINDS)
def test_a_stored_text_is_the_text_in_memory(tmp_path, name, monkeypatch):
    monkeypatch.setattr(text, "PART_LINES", 7)
    monkeypatch.setattr(joining, "BUCKET", 5)
    KINDS[name].write(tmp_path / "text")
    data = files_in(tmp_path / "text")
    check_same(encoded_here(data, tmp_path / "encoded"), data, tmp_path / "cache")


LETTERS = st.sampled_from(
    ["a", "b", " ", "  ", "▁", "ß", "字", "\u0301", "\u2028", "<s>", "\t", "🐈"]
)
SENTENCE = st.lists(LETTERS, max_size=6).map("".join) | st.just("x" * 401) | st.just("no " * 40)
ROWS = st.lists(st.tuples(SENTENCE, SENTENCE), max_size=12)


@pytest.mark.slow
@settings(deadline=None, max_examples=30)
@given(rows=ROWS, size=st.integers(1, 5), bucket=st.integers(1, 4), repeat=st.integers(0, 3))
def test_whatever_stands_in_a_text(tmp_path_factory, rows, size, bucket, repeat):
    """Odd letters, empty sides, repeated pairs, sentences of any length, parts of any size."""
    folder = tmp_path_factory.mktemp("odd")
    train = [*rows, *rows[:repeat], *PLAIN.train]
    replace(PLAIN, train=train).write(folder / "text")
    data = files_in(folder / "text")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(text, "PART_LINES", size)
        patch.setattr(joining, "BUCKET", bucket)
        check_same(encoded_here(data, folder / "encoded"), data, folder / "cache")


def test_what_a_window_needs_is_announced_and_no_more(tmp_path, monkeypatch):
    """The system reads the pages that an epoch's next window needs before they are asked for."""
    replace(PLAIN, train=sentences(200, 3)).write(tmp_path / "text")
    stored = encoded_here(files_in(tmp_path / "text"), tmp_path / "encoded")
    monkeypatch.setattr(batching, "BLOCK", 4)
    monkeypatch.setattr(batching, "WINDOW", 40)
    source = stored.train.encoded.source
    announced: list[tuple[int, int, int]] = []
    monkeypatch.setattr(
        system, "announce_pages", lambda mapping, *place: announced.append((id(mapping), *place))
    )
    epoch = batch_rows(stored.train.encoded, 5, 1)
    first = torch.cat([next(epoch) for _ in range(8)])  # of 40 pairs
    ids = source.arrays[0]
    ranges = [place for mapping, *place in announced if mapping == id(ids.base)]
    for row in first.tolist():
        begin = ids.offset + 4 * int(source.starts[row])
        end = begin + 4 * int(source.lengths[row])
        assert any(low <= begin and end <= high for low, high in ranges)
    assert sum(high - low for low, high in ranges) == 4 * int(source.lengths[first].sum())
    list(epoch)
    n_bytes = sum(high - low for mapping, low, high in announced if mapping == id(ids.base))
    assert n_bytes == ids.nbytes, "each sentence once in an epoch"
