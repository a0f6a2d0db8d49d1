"""Micro-batches in one process: their gradients add up to that of the batch, whatever they are."""

from __future__ import annotations

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from seqkd_lab.corpus.batching import encode, make_batch
from seqkd_lab.corpus.parallel import ParallelCorpus
from seqkd_lab.corpus.vocabulary import Vocabulary
from seqkd_lab.distillation.losses import OBJECTIVES
from seqkd_lab.micro_batches import add_gradients, own_micro_batches
from seqkd_lab.models.architectures import build
from seqkd_lab.models.lstm import LSTMSpec
from seqkd_lab.models.transformer import TransformerSpec
from seqkd_lab.optimisation import Optimisation, add_gradient
from seqkd_lab.processes import ALONE, Job
from seqkd_lab.trainer import Trainer
from seqkd_lab.training import train

SENTENCES = tuple(tuple("abcde"[i % 5] for i in range(1 + n % 7)) for n in range(23))
CORPUS = ParallelCorpus("n", "train", "l", SENTENCES, tuple(s[::-1] for s in SENTENCES))
WORDS = Vocabulary.build(CORPUS.source)
ENCODED = encode(CORPUS, WORDS, WORDS)
SPECS = [LSTMSpec(width=8), TransformerSpec(width=8, layers=1, heads=2, hidden=8, dropout=0.0)]


def model_of(spec, seed: int = 0):
    torch.manual_seed(seed)
    return build(spec, WORDS, WORDS)


def gradients(model) -> list[torch.Tensor]:
    """Return the gradients, those of no parameter's left out."""
    return [parameter.grad.clone() for parameter in model.parameters()]


@pytest.mark.parametrize("name", OBJECTIVES)
@pytest.mark.parametrize("spec", SPECS, ids=lambda spec: type(spec).__name__)
def test_the_gradients_of_micro_batches_add_up_to_that_of_the_batch(name, spec):
    model, teacher, objective = model_of(spec), model_of(spec, 1).eval(), OBJECTIVES[name]()
    batch = make_batch(ENCODED, range(11))

    def logits(pairs):
        return teacher(pairs).detach() if objective.needs_teacher else None

    whole = add_gradient(model, batch, objective, logits(batch), 1.0)
    expected = gradients(model)
    for number in (2, 3, 11, 16):  # the last: five of them are without a sentence
        model.zero_grad()
        own = own_micro_batches(ALONE, ENCODED, batch, number, 0)
        loss, n_tokens = add_gradients(
            ALONE, model, own, lambda b, w: add_gradient(model, b, objective, logits(b), w)
        )
        assert loss == pytest.approx(whole, abs=1e-6) and n_tokens == batch.n_tokens
        for gradient, other in zip(gradients(model), expected, strict=True):
            torch.testing.assert_close(gradient, other, atol=1e-6, rtol=1e-5)


@settings(deadline=None, max_examples=50)
@given(
    rows=st.lists(st.integers(0, 22), min_size=1, max_size=12, unique=True),
    size=st.integers(1, 5),
    each=st.integers(1, 3),
)
def test_every_pair_falls_to_one_process_and_fillers_count_for_nothing(rows, size, each):
    batch = make_batch(ENCODED, rows)
    shares = [
        own_micro_batches(Job(rank, size), ENCODED, batch, each * size, 7) for rank in range(size)
    ]
    counted = [m for share in shares for m in share if not m.is_filler]
    assert sorted(row for m in counted for row in m.batch.rows.tolist()) == sorted(rows)
    assert sum(m.n_tokens for share in shares for m in share) == batch.n_tokens
    assert all(len(share) == each for share in shares)  # all have something to do
    seeds = [m.seed for share in shares for m in share]
    assert sorted(seeds) == list(range(7, 7 + each * size))


@pytest.mark.parametrize("micro_batches", [2, 3, 5])
def test_without_dropout_the_curve_is_that_of_whole_batches(micro_batches):
    histories = []
    for number in (1, micro_batches):
        training = Optimisation(3, 0.02, batch_size=5, micro_batches=number)
        model = model_of(SPECS[0])
        histories.append(train(model, CORPUS, CORPUS[:6], OBJECTIVES["nll"](), training, 5))
    whole, divided = histories
    assert divided.train_loss == pytest.approx(whole.train_loss, abs=1e-4)
    assert divided.valid_loss == pytest.approx(whole.valid_loss, abs=1e-4)
    assert divided.n_tokens == whole.n_tokens


def test_each_micro_batch_has_draws_of_its_own():
    """Two equal halves of a batch lose different numbers to dropout."""
    heard = []

    def draw(model, batch, seed):
        heard.append(seed)
        return batch

    training = Optimisation(2, 0.02, batch_size=6, micro_batches=2)
    trainer = Trainer(
        model_of(SPECS[0]), CORPUS, CORPUS[:6], OBJECTIVES["nll"](), training, 5, None, draw
    )
    trainer.run_epoch()
    trainer.run_epoch()
    assert len(heard) == len(set(heard)) == 2 * 2 * trainer.updates_per_epoch


def test_more_processes_than_micro_batches_are_refused():
    with pytest.raises(ValueError, match="2 processes need as many micro-batches"):
        Trainer(
            model_of(SPECS[0]),
            CORPUS,
            CORPUS,
            OBJECTIVES["nll"](),
            Optimisation(),
            1,
            job=Job(0, 2),
        )


@pytest.mark.parametrize("number", [0, 7, -1])
def test_a_batch_has_a_sentence_for_each_micro_batch(number):
    with pytest.raises(ValueError, match="cannot be divided into"):
        Optimisation(batch_size=6, micro_batches=number)
