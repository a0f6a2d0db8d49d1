"""The trace of a search is the search: every candidate recomputed from the model, every fate from
the next step."""

from __future__ import annotations

import pytest
import torch

from seqkd_lab.corpus.batching import source_batch
from seqkd_lab.corpus.vocabulary import BOS
from seqkd_lab.decoding.search import search
from seqkd_lab.decoding.trace import FINISHED, KEPT, PRUNED, trace_search

SOURCES = [("ant",), ("bee", "cat", "ant"), ("dog", "eel", "fox", "ant", "bee")]
NEVER, END = {"<pad>", "<s>"}, "</s>"


@pytest.fixture(
    params=[(seed, K, penalty) for seed in (0, 1) for K in (1, 3, 20) for penalty in (0.0, 1.0)],
    ids=lambda p: "seed={},K={},penalty={}".format(*p),
)
def traced(request, make_model):
    """A model, the trace of its search for a sentence, and the length that it was allowed."""
    seed, beam_size, length_penalty = request.param
    model, max_length = make_model(seed, n_target=3, sharpness=2.0), 6
    return (
        model,
        trace_search(model, SOURCES[seed], beam_size, length_penalty, max_length),
        max_length,
    )


@torch.no_grad()
def follow(model, source, prefix) -> dict[str, float]:
    """log p(next token | source, prefix) by name, read anew."""
    ids = torch.tensor([[BOS, *model.target_vocabulary.ids(prefix)]])
    logits, _ = model.step(ids, model.start(*source_batch([source], model.source_vocabulary)))
    return dict(
        zip(model.target_vocabulary.tokens, logits[0, -1].log_softmax(dim=0).tolist(), strict=True)
    )


def prefix_log_prob(model, source, prefix, finished: bool) -> float:
    tokens = (*prefix, END) if finished else prefix
    return sum(follow(model, source, prefix[:t])[token] for t, token in enumerate(tokens))


def alive(step, place: int) -> bool:
    """A place that holds no hypothesis, because there were not enough, has no possible
    candidate."""
    return bool(torch.isfinite(step.score[place]).any())


@pytest.mark.parametrize("length_penalty", [0.0, 1.0])
@pytest.mark.parametrize("beam_size", [1, 2, 5])
def test_a_traced_search_finds_what_the_search_finds(make_model, beam_size, length_penalty):
    for seed in range(4):
        model = make_model(seed, sharpness=2.0)
        for source in SOURCES:
            found = search(model, [source], beam_size, beam_size, length_penalty)[0]
            assert list(trace_search(model, source, beam_size, length_penalty).hypotheses) == found


def test_every_candidate_is_what_the_model_gives_to_its_parents_prefix(traced):
    model, trace, max_length = traced
    for length, step in enumerate(trace.steps, start=1):
        expected = {}
        for parent, (prefix, finished) in enumerate(
            zip(step.prefixes, step.was_finished, strict=True)
        ):
            if not alive(step, parent):
                continue
            so_far = prefix_log_prob(model, trace.source, prefix, finished)
            if finished:
                own_length = len(prefix) + 1
                expected[parent, "<pad>"] = (
                    so_far,
                    so_far / own_length**trace.length_penalty,
                    True,
                )
                continue
            for token, more in follow(model, trace.source, prefix).items():
                if token not in NEVER and (length < max_length or token == END):
                    expected[parent, token] = (
                        so_far + more,
                        (so_far + more) / length**trace.length_penalty,
                        False,
                    )
        found = {(c.parent, c.token): (c.log_prob, c.score, c.carried) for c in step.candidates()}
        assert len(found) == len(step.candidates())
        assert found.keys() == expected.keys()
        for name, (log_prob, score, carried) in expected.items():
            assert found[name] == (
                pytest.approx(log_prob, abs=1e-4),
                pytest.approx(score, abs=1e-4),
                carried,
            )


def test_the_best_survive_and_the_rest_is_pruned_by_the_last_of_them(traced):
    _, trace, _ = traced
    for step in trace.steps:
        candidates = step.candidates()
        assert [c.rank for c in candidates] == list(range(len(candidates)))
        assert [c.score for c in candidates] == sorted((c.score for c in candidates), reverse=True)
        n_kept = min(trace.beam_size, len(candidates))
        assert all(c.fate in (KEPT, FINISHED) and c.pruned_by is None for c in candidates[:n_kept])
        assert all(c.fate == PRUNED and c.pruned_by == n_kept - 1 for c in candidates[n_kept:])
        assert all(
            (c.fate == FINISHED) == (c.carried or c.token == END) for c in candidates[:n_kept]
        )


def test_the_survivors_are_the_next_steps_prefixes(traced):
    _, trace, _ = traced
    for step, after in zip(trace.steps, trace.steps[1:], strict=False):
        survivors = [c for c in step.candidates() if c.fate != PRUNED]
        for place, candidate in enumerate(survivors):
            own = () if candidate.fate == FINISHED else (candidate.token,)
            assert after.prefixes[place] == step.prefixes[candidate.parent] + own
            assert after.was_finished[place] == (candidate.fate == FINISHED)
        assert not any(alive(after, place) for place in range(len(survivors), len(after.prefixes)))
    assert trace.steps[0].prefixes == ((),)


def test_the_last_steps_finished_are_the_hypotheses(traced):
    _, trace, _ = traced
    last = trace.steps[-1]
    finished = [c for c in last.candidates() if c.fate == FINISHED]
    assert [last.prefixes[c.parent] for c in finished] == [h.tokens for h in trace.hypotheses]
    assert [c.log_prob for c in finished] == [h.log_prob for h in trace.hypotheses]


def test_some_are_carried_and_some_are_pruned(make_model):
    """Otherwise the tests above would have nothing to look at."""
    candidates = [
        c
        for seed in range(4)
        for step in trace_search(make_model(seed), SOURCES[2], 3).steps
        for c in step.candidates()
    ]
    assert {c.fate for c in candidates} == {KEPT, FINISHED, PRUNED}
    assert any(c.carried for c in candidates)


def test_most_limits_the_list_and_nothing_else(make_model):
    step = trace_search(make_model(), SOURCES[1], 3).steps[1]
    assert step.candidates(4) == step.candidates()[:4]
    assert step.candidates(0) == []


def test_impossible_requests_are_refused(make_model):
    with pytest.raises(ValueError, match="beam_size"):
        trace_search(make_model(), SOURCES[0], 0)
    with pytest.raises(ValueError, match="max_length"):
        trace_search(make_model(), SOURCES[0], 1, 0.0, 0)
