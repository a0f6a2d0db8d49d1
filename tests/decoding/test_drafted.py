"""Greedy search with a draft gives what greedy search gives, and looks as the search does: in the
order of the sources, whatever their lengths, the batch and the draft."""

from __future__ import annotations

import math
import warnings
from copy import deepcopy
from functools import partial

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from small_models import LSTM, TRANSFORMER, WORDS, model

from seqkd_lab.corpus.vocabulary import EOS
from seqkd_lab.decoding.drafted import drafted_search
from seqkd_lab.decoding.limits import LONGEST_SOURCE
from seqkd_lab.decoding.search import search
from seqkd_lab.finite import NotFiniteError
from seqkd_lab.models.architectures import build
from seqkd_lab.runs import committed

TARGET, DRAFT = model(TRANSFORMER, 3, 4.0), model(LSTM, 4, 4.0)
SOURCES = st.lists(st.lists(st.sampled_from(WORDS), min_size=1, max_size=6), max_size=4)


def assert_same(found, expected, relative: float = 0.0) -> None:
    """One hypothesis for each source: the same tokens, and log-probabilities that differ by less
    than 1e-4, or by that share of long ones."""
    assert [[h.tokens for h in n_best] for n_best in found] == [
        [h.tokens for h in n_best] for n_best in expected
    ]
    for ours, theirs in zip(found, expected, strict=True):
        assert ours[0].log_prob == pytest.approx(theirs[0].log_prob, relative, abs=1e-4)
        assert ours[0].score == ours[0].log_prob


@settings(max_examples=10)
@given(SOURCES, st.integers(1, 6), st.integers(1, 4))
def test_it_is_greedy_search_in_the_order_of_the_sources(sources, draft_length, batch_size):
    found = drafted_search(TARGET, sources, DRAFT, draft_length, batch_size)
    assert_same(found, search(TARGET, sources), relative=1e-4)


def test_the_committed_teacher_with_its_student():
    teacher, student = (
        committed.load_committed(committed.checkpoint_directory(row))
        for row in ("teacher", "seq-kd")
    )
    sources = [
        tuple(line.split())
        for line in (
            "the old teacher sold the sofa because it was broken .",
            "I watched the doctor .",
            "a student sold my wonderful flat .",
            "the old student sold the car .",
            "I watched the doctor because I was very happy .",
        )
    ]
    expected = search(teacher, sources)
    assert expected != search(student, sources)
    for batch_size in (1, 4):
        assert_same(drafted_search(teacher, sources, student, 4, batch_size), expected)


def test_a_draft_that_is_the_model_itself():
    sources = [WORDS[:n] for n in (3, 1, 6)]
    assert_same(drafted_search(TARGET, sources, TARGET), search(TARGET, sources), relative=1e-4)


def test_one_call_of_the_model_checks_all_that_the_draft_proposes(monkeypatch):
    """What a draft with the same weights proposes is all accepted, and a word more is written."""
    [[greedy]], calls, step = search(TARGET, [WORDS]), [], TARGET.step
    twin = deepcopy(TARGET)
    monkeypatch.setattr(TARGET, "step", lambda *read: calls.append(read) or step(*read))
    drafted_search(TARGET, [WORDS], twin, draft_length=3)
    assert len(calls) == math.ceil((len(greedy.tokens) + 1) / 4) > 1


def test_progress_counts_every_source_once():
    heard: list[int] = []
    drafted_search(TARGET, [WORDS] * 5, DRAFT, batch_size=2, progress=heard.append)
    assert heard == [2, 2, 1]


def test_a_long_source_is_read_up_to_its_limit():
    """Both models end every translation at once, so that the limit costs no time."""
    ending = [build(spec, TARGET.source_vocabulary, TARGET.target_vocabulary).eval()
              for spec in (TRANSFORMER, LSTM)]  # fmt: skip
    with torch.no_grad():
        for each in ending:
            each.output.bias[EOS] = 50.0
    sources = [WORDS, ("ant",) * (LONGEST_SOURCE + 1), ("bee",) * LONGEST_SOURCE]
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        found = drafted_search(ending[0], sources, ending[1], batch_size=3)
    assert [str(each.message).split(",")[0] for each in caught] == ["sentence 2 has 1"]
    assert [n_best[0].tokens for n_best in found] == [()] * 3


def test_impossible_requests_are_refused():
    for numbers, word in (((0, 1), "draft_length"), ((4, 0), "batch_size")):
        with pytest.raises(ValueError, match=word):
            drafted_search(TARGET, [WORDS], DRAFT, *numbers)


def test_a_model_that_can_end_no_translation_is_refused_as_by_greedy_search():
    never = deepcopy(model(LSTM, 4))
    with torch.no_grad():
        never.output.bias[EOS] = float("-inf")
    for how in (search, partial(drafted_search, draft=DRAFT)):
        with pytest.raises(NotFiniteError, match="sentence 1 a probability"):
            how(never, [("ant",)])
