"""An ensemble of models: the averaged probabilities of every translation, counted one by one."""

from __future__ import annotations

import itertools
import math

import pytest
import torch

from seqkd_lab.corpus.batching import encode, make_batch, source_batch
from seqkd_lab.corpus.parallel import ParallelCorpus
from seqkd_lab.corpus.vocabulary import BOS, EOS
from seqkd_lab.decoding.sampling import sample
from seqkd_lab.decoding.scoring import sentence_log_probs
from seqkd_lab.decoding.search import search
from seqkd_lab.distillation.losses import WordKD
from seqkd_lab.models.ensemble import Ensemble
from seqkd_lab.models.lstm import LSTMSpec
from seqkd_lab.models.transformer import TransformerSeq2Seq, TransformerSpec
from seqkd_lab.optimisation import Optimisation
from seqkd_lab.training import train

SOURCES = (("ant", "bee"), ("cat",), ("dog", "eel", "fox", "ant"))
TARGETS = (("ant",), ("bee", "cat", "ant"), ())


@pytest.fixture
def members(make_model):
    """Two LSTMs, one with input feeding, and a Transformer, over the same words."""
    plain = make_model(1, n_target=3)
    feeding = make_model(2, n_target=3, spec=LSTMSpec(12, input_feeding=True))
    torch.manual_seed(3)
    spec = TransformerSpec(width=8, layers=1, heads=2, hidden=8, dropout=0.0)
    transformer = TransformerSeq2Seq(spec, plain.source_vocabulary, plain.target_vocabulary)
    return [plain, feeding, transformer.eval()]


def next_probs(model, source, prefix) -> torch.Tensor:
    """p(· | source, prefix) of one model, by a whole reading of the prefix from its start."""
    state = model.start(*source_batch([source], model.source_vocabulary))
    logits, _ = model.step(torch.tensor([[BOS, *prefix]]), state)
    return logits[0, -1].double().softmax(dim=0)


def enumerated(models, source, longest: int) -> dict[tuple[int, ...], float]:
    """The probability of every translation of at most `longest` tokens, EOS included: products of
    averaged probabilities."""
    words, found = range(EOS, len(models[0].target_vocabulary)), {}
    for length in range(longest):
        for prefix in itertools.product([word for word in words if word != EOS], repeat=length):
            p = 1.0
            for t, word in enumerate((*prefix, EOS)):
                p *= sum(
                    next_probs(model, source, prefix[:t])[word].item() for model in models
                ) / len(models)
            found[prefix] = p
    return found


@torch.no_grad()
@pytest.mark.parametrize("which", [(0, 1), (0, 2), (0, 1, 2)])
def test_the_probability_of_every_translation_is_the_product_of_the_averages(members, which):
    chosen, source = [members[i] for i in which], SOURCES[0]
    oracle = enumerated(chosen, source, 3)
    ensemble = Ensemble(chosen)
    texts = [tuple(ensemble.target_vocabulary.words(ids)) for ids in oracle]
    log_probs = sentence_log_probs(ensemble, [source] * len(texts), texts)
    assert log_probs == pytest.approx([math.log(p) for p in oracle.values()], abs=1e-4)
    beam = search(ensemble, [source], beam_size=200, n_best=3, max_length=3)[0]
    # at the last place only EOS may stand, so that the search ranks all translations of up to 3
    # tokens
    best = sorted(oracle.items(), key=lambda entry: -entry[1])[:3]
    assert [hypothesis.tokens for hypothesis in beam] == [
        tuple(ensemble.target_vocabulary.words(i)) for i, _ in best
    ]
    assert [hypothesis.log_prob for hypothesis in beam] == pytest.approx(
        [math.log(p) for _, p in best], abs=1e-4
    )


@pytest.mark.parametrize("beam_size", [1, 4])
def test_one_member_or_the_same_one_twice_is_the_model_itself(members, beam_size):
    for model in members:
        expected = search(model, SOURCES, beam_size, beam_size)
        for ensemble in (Ensemble([model]), Ensemble([model, model])):
            found = search(ensemble, SOURCES, beam_size, beam_size)
            assert [[h.tokens for h in best] for best in found] == [
                [h.tokens for h in best] for best in expected
            ]
            assert [h.log_prob for best in found for h in best] == pytest.approx(
                [h.log_prob for best in expected for h in best], abs=1e-4
            )


def test_a_step_and_a_whole_reading_agree_and_a_state_can_be_rolled_back(members):
    ensemble = Ensemble(members)
    tokens = torch.tensor([[BOS, 4, 5]] * 3)
    with torch.no_grad():
        state = ensemble.start(*source_batch(SOURCES, ensemble.source_vocabulary))
        whole, _ = ensemble.step(tokens, state)
        first, state = ensemble.step(tokens[:, :1], state.remember())
        second, later = ensemble.step(tokens[:, 1:2], state)
        again, _ = ensemble.step(tokens[:, 1:2], later.rollback(1))
    assert (state.n_sentences, state.length, later.length) == (3, 1, 2)
    assert torch.allclose(torch.cat([first, second], dim=1), whole[:, :2], atol=1e-5)
    assert torch.allclose(second, again, atol=1e-6)
    assert torch.allclose(whole.exp().sum(dim=2), torch.ones(3, 3), atol=1e-5)


def test_forward_is_the_log_of_the_mean(members):
    ensemble = Ensemble(members)
    corpus = ParallelCorpus("n", "s", "l", SOURCES, TARGETS)
    batch = make_batch(
        encode(corpus, ensemble.source_vocabulary, ensemble.target_vocabulary), range(3)
    )
    with torch.no_grad():
        mean = sum(member(batch).softmax(dim=2) for member in members) / len(members)
        assert torch.allclose(ensemble(batch).exp(), mean, atol=1e-6)


def test_it_samples_and_teaches_by_word_kd_and_stays_as_it_was(members, make_model):
    ensemble = Ensemble(members[1:])
    assert sample(ensemble, SOURCES, seed=1) == sample(ensemble, SOURCES, seed=1)
    corpus = ParallelCorpus("n", "s", "l", SOURCES, TARGETS)
    before = {name: tensor.clone() for name, tensor in ensemble.state_dict().items()}
    student = make_model(7, n_target=3)
    train(student, corpus, corpus, WordKD(1.0), Optimisation(2, 0.01, 2), 1, ensemble)
    assert all(torch.equal(tensor, before[name]) for name, tensor in ensemble.state_dict().items())


def test_members_over_other_words_are_refused_by_name(make_model):
    for other, side in (
        (make_model(1, n_target=4), "target"),
        (make_model(1, n_target=3, n_source=5), "source"),
    ):
        with pytest.raises(
            ValueError, match=f"runs/a and runs/b have different {side} vocabularies"
        ):
            Ensemble([make_model(1, n_target=3), other], ["runs/a", "runs/b"])
    with pytest.raises(ValueError, match="at least one"):
        Ensemble([])
