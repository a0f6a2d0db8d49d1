"""The table of input gates of the LSTM is never that of weights that are gone: searches agree with
the full computation of the same weights, whichever way they were changed."""

from __future__ import annotations

import copy

import pytest
import torch

from seqkd_lab.corpus.batching import encode, make_batch
from seqkd_lab.corpus.parallel import ParallelCorpus
from seqkd_lab.decoding.sampling import sample
from seqkd_lab.decoding.scoring import sentence_log_probs
from seqkd_lab.decoding.search import search
from seqkd_lab.distillation.losses import nll
from seqkd_lab.models.lstm import LSTMSpec

SPECS = [LSTMSpec(8), LSTMSpec(8, layers=2), LSTMSpec(8, input_feeding=True)]
SOURCES = [("ant",), ("bee", "cat", "ant"), ("dog", "eel")]
PAIRS = ParallelCorpus("", "", "", tuple(SOURCES), (("ant", "bee"), ("cat",), ("bee",) * 3))


def gradients(model):
    """A backward pass of a whole batch; the optimiser's step comes later."""
    encoded = encode(PAIRS, model.source_vocabulary, model.target_vocabulary)
    batch = make_batch(encoded, torch.arange(len(PAIRS)))
    nll(model(batch), batch.target_out).backward()


def optimised(kind):
    def change(model):
        gradients(model)
        search(model, SOURCES, 3, 3)  # between backward and step the table is that of before
        kind(model).step()

    return change


def by_data(model):
    for parameter in model.parameters():
        parameter.data.mul_(0.2)


def by_replaced_data(model):
    for parameter in model.parameters():
        parameter.data = parameter.data.flip(0).clone()


def by_loading(model):
    model.load_state_dict({name: -weight for name, weight in model.state_dict().items()})


def by_one_bias(model):
    model.decoder.bias_hh_l0.data[3] += 2.0


CHANGES = {
    "adam fused": optimised(lambda m: torch.optim.Adam(m.parameters(), 0.05, fused=True)),
    "adam": optimised(lambda m: torch.optim.Adam(m.parameters(), 0.05)),
    "sgd fused": optimised(lambda m: torch.optim.SGD(m.parameters(), 2.0, fused=True)),
    "sgd": optimised(lambda m: torch.optim.SGD(m.parameters(), 2.0)),
    "data": by_data,
    "other data": by_replaced_data,
    "loaded": by_loading,
    "one bias": by_one_bias,
}


def assert_of_its_own_weights(model):
    """Teacher forcing reads embeddings and weights, never the table."""
    for found in ([n_best[0] for n_best in search(model, SOURCES, 3)], sample(model, SOURCES, 1)):
        exact = sentence_log_probs(model, SOURCES, [hypothesis.tokens for hypothesis in found])
        assert [hypothesis.log_prob for hypothesis in found] == pytest.approx(exact, abs=1e-4)


@pytest.mark.parametrize("spec", SPECS, ids=str)
@pytest.mark.parametrize("change", CHANGES)
def test_after_any_change_of_the_weights_a_search_is_that_of_the_new_ones(make_model, spec, change):
    model = make_model(spec=spec)
    before = [n_best[0].log_prob for n_best in search(model, SOURCES, 3)]
    CHANGES[change](model)
    assert_of_its_own_weights(model)
    assert [n_best[0].log_prob for n_best in search(model, SOURCES, 3)] != before


@pytest.mark.parametrize("change", CHANGES)
def test_a_copy_and_its_original_go_their_own_ways(make_model, change):
    model = make_model()
    search(model, SOURCES, 3)
    other = copy.deepcopy(model)
    CHANGES[change](other)
    for each in (other, model, other):
        assert_of_its_own_weights(each)


def test_the_table_is_kept_while_the_weights_are(make_model):
    model = make_model()
    search(model, SOURCES, 3)
    table = model._gate_table
    search(model, SOURCES, 1)
    sample(model, SOURCES, 2)
    sentence_log_probs(model, SOURCES, PAIRS.target)
    assert table is not None and model._gate_table is table
