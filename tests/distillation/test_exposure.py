"""Exposure: sums by place against sentences scored one by one, and who writes which prefixes."""

from __future__ import annotations

import pytest
import torch
from torch.distributions import Categorical, kl_divergence

from seqkd_lab.corpus.batching import encode, make_batch
from seqkd_lab.corpus.parallel import ParallelCorpus
from seqkd_lab.decoding.distribution import SamplingDistribution
from seqkd_lab.decoding.sampling import sample
from seqkd_lab.decoding.search import search
from seqkd_lab.distillation.exposure import (
    GOLD,
    STUDENT,
    TEACHER,
    WRITERS,
    PlaceSums,
    along,
    exposure,
    student_entropy,
    written_by,
)
from seqkd_lab.distillation.on_policy import Divergence
from seqkd_lab.models.lstm import LSTMSpec

SOURCES = (("ant", "bee"), ("cat",), ("dog", "ant", "eel"), ("bee",))
TARGETS = (("ant",), ("bee", "cat", "ant", "dog"), (), ("cat", "cat"))
PAIRS = ParallelCorpus("n", "test", "l", SOURCES, TARGETS)
MEASURES = {"forward": Divergence(0.0).per_token, "entropy": student_entropy}


def one_by_one(student, teacher):
    """KL(p_T‖p_S) and H(p_S) at every place of every sentence, each sentence alone."""
    encoded = encode(PAIRS, student.source_vocabulary, student.target_vocabulary)
    for row in range(len(PAIRS)):
        batch = make_batch(encoded, [row])
        with torch.no_grad():
            own, other = (
                Categorical(logits=student(batch)[0]),
                Categorical(logits=teacher(batch)[0]),
            )
        yield kl_divergence(other, own).tolist(), own.entropy().tolist()


def test_sums_by_place_are_those_of_each_sentence_alone(make_model):
    student, teacher = make_model(1), make_model(2)
    forward, uncertainty = along(student, teacher, PAIRS, list(MEASURES.values()))
    alone = list(one_by_one(student, teacher))
    assert (
        forward.count.tolist() == uncertainty.count.tolist() == [4, 3, 2, 1, 1]
    )  # EOS has a place, too
    for place in range(5):
        for sums, kind in ((forward, 0), (uncertainty, 1)):
            there = [values[kind][place] for values in alone if len(values[kind]) > place]
            assert float(sums.total[place]) == pytest.approx(sum(there), rel=1e-5)
            assert sums.by_place[place] == pytest.approx(sum(there) / len(there), rel=1e-5)
    every = [value for values, _ in alone for value in values]
    assert forward.per_token == pytest.approx(sum(every) / len(every), rel=1e-5)


def test_a_mean_over_tokens_is_not_the_mean_over_places():
    sums = PlaceSums(torch.tensor([4.0, 4.0, 0.0]), torch.tensor([4.0, 1.0, 0.0]))
    assert sums.per_token == pytest.approx(8 / 5) and sums.by_place == [1.0, 4.0]


def test_who_wrote_what(make_model):
    student, teacher = make_model(1, sharpness=1.5), make_model(2, sharpness=1.5)
    found = written_by(student, teacher, PAIRS, seed=3)
    assert tuple(found) == WRITERS and found[GOLD] is PAIRS
    for writer, model in ((TEACHER, teacher), (STUDENT, student)):
        assert found[writer].target == tuple(one.tokens for one in sample(model, SOURCES, 3))
        assert found[writer].source == SOURCES
    greedy = written_by(student, teacher, PAIRS, 3, SamplingDistribution(0.0))
    assert greedy[STUDENT].target == tuple(best[0].tokens for best in search(student, SOURCES))


def test_a_student_that_is_its_teacher_is_exposed_to_nothing(make_model):
    model = make_model(1)
    found = exposure(model, model, PAIRS, {"reverse": Divergence(1.0).per_token}, seed=1)
    assert [found[writer]["reverse"].per_token for writer in WRITERS] == pytest.approx(
        [0.0] * 3, abs=1e-6
    )


def test_each_measure_is_along_each_writers_prefixes(make_model):
    student, teacher = make_model(1, sharpness=1.5), make_model(2, sharpness=1.5)
    found, written = (
        exposure(student, teacher, PAIRS, MEASURES, 3),
        written_by(student, teacher, PAIRS, 3),
    )
    for writer in WRITERS:
        for name, measure in MEASURES.items():
            (alone,) = along(student, teacher, written[writer], [measure])
            assert torch.equal(found[writer][name].total, alone.total)


@pytest.mark.parametrize("training", [True, False])
def test_dropout_is_off_and_modes_are_restored(make_model, training):
    spec = LSTMSpec(width=8, dropout=0.9)
    student, teacher = make_model(1, spec=spec), make_model(2, spec=spec)
    expected = along(student, teacher, PAIRS, list(MEASURES.values()))
    student.train(training)
    teacher.train(not training)
    found = along(student, teacher, PAIRS, list(MEASURES.values()))
    assert all(
        torch.equal(one.total, other.total) for one, other in zip(found, expected, strict=True)
    )
    assert student.training == training and teacher.training == (not training)


def test_without_sentences_there_is_nothing_to_compare(make_model):
    with pytest.raises(ValueError, match="no sentence"):
        along(make_model(), make_model(), PAIRS[:0], [student_entropy])
