"""Greedy search's own loop against beam search with K = 1, number for number, and against the
likeliest word of the whole prefix read anew."""

from __future__ import annotations

import pytest
import small_models
import torch

from seqkd_lab.corpus.batching import source_batch
from seqkd_lab.corpus.vocabulary import BOS, EOS
from seqkd_lab.decoding.greedy import greedy_batch
from seqkd_lab.decoding.limits import longest_allowed
from seqkd_lab.decoding.search import search, search_batch
from seqkd_lab.finite import NotFiniteError
from seqkd_lab.models.lstm import LSTMSpec
from seqkd_lab.models.seq2seq import evaluating
from seqkd_lab.models.transformer import TransformerSpec

SOURCES = [("ant",), ("bee", "cat", "ant"), ("dog", "eel"), ("fox",) * 6, ("eel", "ant")]
SPECS = [
    LSTMSpec(8),
    LSTMSpec(8, layers=2),
    LSTMSpec(8, layers=2, input_feeding=True),
    TransformerSpec(8, 2, 2, 12, 0.0),
]


def likeliest(model, source, max_length: int) -> list[int]:
    """BOS, then the likeliest word after all words before, read anew each time; EOS at the end."""
    tokens = [BOS]
    while tokens[-1] != EOS:
        state = model.start(*source_batch([source], model.source_vocabulary))
        logits, _ = model.step(torch.tensor([tokens]), state)
        logits[0, -1, :EOS] = float("-inf")
        tokens.append(EOS if len(tokens) == max_length else int(logits[0, -1].argmax()))
    return tokens


@pytest.mark.parametrize("spec", SPECS, ids=str)
@pytest.mark.parametrize("max_length", [None, 1, 4])
@pytest.mark.parametrize("together", [1, 5])
def test_it_writes_what_beam_search_with_one_place_writes(spec, max_length, together):
    model = small_models.model(spec, 3)
    with evaluating(model):
        for first in range(0, len(SOURCES), together):
            of_batch = SOURCES[first : first + together]
            source, lengths = source_batch(of_batch, model.source_vocabulary)
            longest = longest_allowed(lengths, max_length)
            beams = search_batch(model, source, lengths, longest, 1)
            written = greedy_batch(model, source, lengths, longest)
            for words, beam, (tokens, log_prob), most in zip(
                of_batch, beams, written, longest.tolist(), strict=True
            ):
                assert tokens.tolist() == beam.tokens[0, 0].tolist()
                assert float(log_prob) == float(beam.log_prob)
                assert tokens.tolist() == likeliest(model, words, most)


def test_a_length_penalty_changes_the_score_alone(make_model):
    model = make_model()
    plain, penalised = (search(model, SOURCES, 1, length_penalty=alpha) for alpha in (0.0, 1.0))
    for (a,), (b,) in zip(plain, penalised, strict=True):
        assert (a.tokens, a.log_prob) == (b.tokens, b.log_prob)
        assert b.score == pytest.approx(a.log_prob / (len(a.tokens) + 1))


@pytest.mark.parametrize("number", [float("nan"), float("-inf")])
def test_a_model_without_finite_numbers_is_an_error(make_model, number):
    model = make_model()
    with torch.no_grad():
        model.output.bias.fill_(number)
    with pytest.raises(NotFiniteError):
        search(model, SOURCES, 1)
