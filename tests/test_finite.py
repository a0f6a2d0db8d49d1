"""Weights, logits, losses and gradients that are NaN or infinite: every way in says what is not
finite, and what to do; none returns an answer."""

from __future__ import annotations

import math
import pickle

import pytest
import torch
from small_rollouts import learning, make_student, make_worker

from seqkd_lab.corpus.batching import encode, make_batch
from seqkd_lab.corpus.parallel import ParallelCorpus
from seqkd_lab.corpus.vocabulary import EOS
from seqkd_lab.decoding.distribution import SamplingDistribution
from seqkd_lab.decoding.enumeration import likely_translations
from seqkd_lab.decoding.sampling import sample
from seqkd_lab.decoding.scoring import sentence_log_probs
from seqkd_lab.decoding.search import search
from seqkd_lab.decoding.speculative import speculative_sample
from seqkd_lab.distillation.exposure import along, student_entropy
from seqkd_lab.distillation.generation import draw_translations, teacher_top_k
from seqkd_lab.distillation.losses import NLL, WordKD, nll
from seqkd_lab.distillation.near_policy import learn
from seqkd_lab.distillation.on_policy import OnPolicy
from seqkd_lab.distillation.paced import pass_rates, sentence_gradients
from seqkd_lab.distillation.rollout_sources import LocalSource, Schedule
from seqkd_lab.distillation.sequence_level import distil_interpolated, distil_mode, distil_sampled
from seqkd_lab.evaluation import translate_test
from seqkd_lab.finite import DivergenceError, NotFiniteError, wrong_weight
from seqkd_lab.models.ensemble import Ensemble
from seqkd_lab.optimisation import Optimisation, training_step
from seqkd_lab.training import train
from seqkd_lab.validation import validation_loss

SOURCES = (("ant",), ("bee", "cat", "ant"), ("cat", "bee"))
PAIRS = ParallelCorpus("", "", "", SOURCES, (("ant", "bee"), ("bee",), ("bee", "ant", "ant")))
CHANCE = SamplingDistribution()


def batch_of(model):
    encoded = encode(PAIRS, model.source_vocabulary, model.target_vocabulary)
    return make_batch(encoded, torch.arange(len(PAIRS)))


def generator():
    return torch.Generator().manual_seed(1)


def passes(source, target):
    return True


ANSWERS = {
    "greedy": lambda m: search(m, SOURCES),
    "beam": lambda m: search(m, SOURCES, 3, 3, 1.0),
    "sample": lambda m: sample(m, SOURCES, 1),
    "greedy sample": lambda m: sample(m, SOURCES, 1, SamplingDistribution(0.0)),
    "top-k sample": lambda m: sample(m, SOURCES, 1, SamplingDistribution(0.5, 2, 0.9)),
    "exposure": lambda m: along(m, m, PAIRS, [student_entropy]),
    "scores": lambda m: sentence_log_probs(m, SOURCES, PAIRS.target),
    "mode": lambda m: distil_mode(m, PAIRS),
    "interpolated": lambda m: distil_interpolated(m, PAIRS, 4),
    "sampled": lambda m: distil_sampled(m, PAIRS, 1),
    "test": lambda m: translate_test(m, PAIRS, 3),
    "pass rates": lambda m: pass_rates(m, SOURCES, passes, 2),
    "rollouts": lambda m: draw_translations(m, batch_of(m), 1.0, generator()),
    "greedy rollouts": lambda m: draw_translations(m, batch_of(m), 0.0, generator()),
    "scored rollouts": lambda m: teacher_top_k(m, batch_of(m), 3),
    "all scored": lambda m: teacher_top_k(m, batch_of(m), None),
    "on-policy": lambda m: OnPolicy(1.0)(m, batch_of(m), 1),
}


def broken(make_model, wrong, name="output.bias", seed=0):
    model = make_model(seed).train()
    model.get_parameter(name).data.view(-1)[EOS] = wrong
    return model


@pytest.mark.parametrize("wrong", [math.nan, math.inf])
@pytest.mark.parametrize("ask", ANSWERS.values(), ids=ANSWERS)
def test_each_names_the_weights_and_what_to_do(make_model, ask, wrong):
    model = broken(make_model, wrong)
    with pytest.raises(
        NotFiniteError, match=r"1 of \d+ weights of output.bias are not finite.*smaller learning"
    ):
        ask(model)
    assert model.training


@pytest.mark.parametrize("ask", ANSWERS.values(), ids=ANSWERS)
def test_finite_weights_with_infinite_logits_are_said_to_be_so(make_model, ask):
    """Finite numbers whose product is none: 3e38 · 3e38."""
    model = make_model()
    model.combine.weight.data.fill_(3e38)
    model.output.weight.data.fill_(3e38)
    assert wrong_weight(model) is None
    with pytest.raises(NotFiniteError, match="its weights are finite, its logits are not"):
        ask(model)


@pytest.mark.parametrize("wrong", [math.nan, math.inf])
@pytest.mark.parametrize("temperature", [0.0, 1.0])
@pytest.mark.parametrize("which", [0, 1])
def test_speculative_sampling_names_the_model_that_is_broken(make_model, wrong, temperature, which):
    models = [make_model(0), make_model(1)]
    models[which] = broken(make_model, wrong, "attend.weight", which)
    with pytest.raises(NotFiniteError, match="attend.weight"):
        speculative_sample(*models, SOURCES, 1, 3, SamplingDistribution(temperature))


def test_an_ensemble_names_the_weight_of_its_member(make_model):
    with pytest.raises(NotFiniteError, match=r"members.1.output.bias"):
        sample(Ensemble([make_model(), broken(make_model, math.nan, seed=1)]), SOURCES, 1)


def test_enumeration_refuses(make_model):
    with pytest.raises(NotFiniteError):
        likely_translations(broken(make_model, math.nan), SOURCES[0], CHANCE, 0.01)


def test_a_model_without_an_end_has_no_translation(make_model):
    """EOS at −inf is no NaN; but nothing can be returned."""
    with pytest.raises(NotFiniteError, match="no translation of sentence 1 a probability"):
        search(broken(make_model, -math.inf).eval(), SOURCES[:1])


class TestTraining:
    OPTIMISATION = Optimisation(epochs=2, batch_size=2)

    def test_a_student_that_diverged_is_named(self, make_model):
        model = broken(make_model, math.nan)
        with pytest.raises(DivergenceError, match="model's logits are not finite.*rate"):
            train(model, PAIRS, PAIRS, NLL(), self.OPTIMISATION, 1)
        with pytest.raises(DivergenceError, match="logits are not finite"):
            validation_loss(model, encode(PAIRS, model.source_vocabulary, model.target_vocabulary))

    @pytest.mark.parametrize("objective", [WordKD(), WordKD(0.5, 2.0)], ids=str)
    def test_a_teacher_that_diverged_is_not_blamed_on_the_student(self, make_model, objective):
        student, teacher = make_model(), broken(make_model, math.nan, seed=1)
        with pytest.raises(DivergenceError, match="teacher's logits are not finite: train it ag"):
            train(student, PAIRS, PAIRS, objective, self.OPTIMISATION, 1, teacher)
        assert wrong_weight(student) is None

    @pytest.mark.parametrize(
        ("loss", "what"),
        [
            (
                lambda z: nll(z.masked_fill(z == z, -math.inf), torch.ones(3, z.shape[1]).long()),
                "loss is nan",
            ),
            (lambda z: (z - z).abs().sum().sqrt(), "norm of its gradient is nan"),
        ],
        ids=["loss", "gradient"],
    )
    def test_no_weight_is_changed(self, make_model, loss, what):
        model = make_model().train()
        before = {name: weight.clone() for name, weight in model.state_dict().items()}
        optimiser = torch.optim.Adam(model.parameters(), 0.1, fused=True)
        with pytest.raises(DivergenceError, match=what):
            training_step(model, batch_of(model), lambda z, *_: loss(z), optimiser, 1.0)
        assert all(torch.equal(before[n], weight) for n, weight in model.state_dict().items())

    def test_sentence_gradients_refuse(self, make_model):
        model = broken(make_model, math.nan)
        with pytest.raises(DivergenceError):
            sentence_gradients(model, NLL(), [batch_of(model)])

    def test_near_policy_learning_refuses_a_student_and_a_teacher(self):
        for which in ("student", "teacher"):
            worker = make_worker()
            getattr(worker, which).output.bias.data[EOS] = math.nan
            student = worker.student if which == "student" else make_student()
            with pytest.raises(NotFiniteError, match="output.bias are not finite"):
                learn(student, LocalSource(worker), Schedule(4), learning(100))

    def test_errors_come_back_from_another_process(self):
        for error in (NotFiniteError("a"), DivergenceError("b")):
            assert str(pickle.loads(pickle.dumps(error))) == str(error)
