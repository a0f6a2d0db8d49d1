"""What the teacher said is remembered as it was said, whatever the batch; and training does not
depend on it."""

from __future__ import annotations

import random

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from seqkd_lab.corpus.batching import encode, make_batch
from seqkd_lab.corpus.parallel import ParallelCorpus
from seqkd_lab.corpus.vocabulary import PAD
from seqkd_lab.distillation import teacher_memory
from seqkd_lab.distillation.losses import WordKD
from seqkd_lab.distillation.teacher_memory import TeacherMemory
from seqkd_lab.models.lstm import LSTMSpec
from seqkd_lab.optimisation import Optimisation
from seqkd_lab.trainer import Trainer
from seqkd_lab.training import train

WORDS = ["ant", "bee", "cat", "dog"]
SOURCE = tuple(
    tuple(random.Random(i).choices(WORDS, k=1 + i % 7)) for i in range(300)
)  # three batches of a pass
CORPUS = ParallelCorpus(
    "n", "train", "l", SOURCE, tuple(tuple(reversed(source)) for source in SOURCE)
)
SPECS = (LSTMSpec(width=8, dropout=0.5), LSTMSpec(width=8, layers=2, input_feeding=True))


@pytest.fixture(params=SPECS, ids=("dropout", "input feeding"))
def teacher(make_model, request):
    return make_model(3, spec=request.param).train()  # the memory must switch dropout off itself


def encoded(model):
    return encode(CORPUS, model.source_vocabulary, model.target_vocabulary)


def test_any_batch_gets_what_the_teacher_says_of_it(teacher):
    pairs = encoded(teacher)
    memory = TeacherMemory(teacher, pairs)

    @given(st.lists(st.integers(0, len(CORPUS) - 1), min_size=1, max_size=9))
    def check(rows):
        batch = make_batch(pairs, rows)
        real = batch.target_out != PAD
        with torch.no_grad():
            torch.testing.assert_close(
                memory(batch)[real], teacher(batch)[real], rtol=1e-4, atol=1e-5
            )
        assert memory(batch).shape == (*batch.target_out.shape, len(teacher.target_vocabulary))

    check()


def test_the_last_sentence_beside_a_longer_one_reads_no_place_that_is_not_there(make_model):
    teacher = make_model()
    last, longest = len(CORPUS) - 1, max(range(len(CORPUS)), key=lambda row: len(SOURCE[row]))
    assert len(SOURCE[last]) < len(SOURCE[longest])
    assert (
        TeacherMemory(teacher, encoded(teacher))(make_batch(encoded(teacher), [last, longest]))
        .isfinite()
        .all()
    )


def test_it_gives_no_gradient_to_the_teacher(make_model):
    teacher = make_model()
    assert not TeacherMemory(teacher, encoded(teacher))(
        make_batch(encoded(teacher), [0, 1])
    ).requires_grad


def test_what_fits_is_counted_in_bytes(make_model, monkeypatch):
    teacher = make_model()
    memory = TeacherMemory(teacher, encoded(teacher))
    n_bytes = memory.vectors.numel() * memory.vectors.element_size()
    of_weights = sum(parameter.nbytes for parameter in teacher.parameters())
    for most, times, fits in (
        (n_bytes, 0, True),
        (n_bytes - 1, 0, False),
        (0, n_bytes / of_weights, True),
        (0, (n_bytes - 1) / of_weights, False),
    ):
        monkeypatch.setattr(teacher_memory, "MOST_BYTES", most)
        monkeypatch.setattr(teacher_memory, "MOST_TIMES", times)
        assert TeacherMemory.holds(teacher, encoded(teacher)) is fits


def test_a_corpus_too_large_for_it_trains_to_the_same_losses(make_model, monkeypatch):
    teacher, histories = make_model(3), []
    monkeypatch.setattr(teacher_memory, "MOST_TIMES", 0)
    for most, kind in ((2**20, TeacherMemory), (0, None)):
        monkeypatch.setattr(teacher_memory, "MOST_BYTES", most)
        student = make_model(0, sharpness=1.0)
        arguments = (
            student,
            CORPUS,
            CORPUS[:20],
            WordKD(0.5),
            Optimisation(epochs=2, batch_size=50),
            1,
            teacher,
        )
        assert kind is None or isinstance(Trainer(*arguments).teacher_logits_of, kind)
        histories.append(train(*arguments))
    remembered, asked = histories
    assert remembered.train_loss == pytest.approx(asked.train_loss, rel=1e-4)
    assert remembered.valid_loss == pytest.approx(asked.valid_loss, rel=1e-4)
