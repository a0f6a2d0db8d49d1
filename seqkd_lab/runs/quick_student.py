"""A student of a quarter of a minute, for people who wait for it: one recipe for trainer, map and
lesson, so that their numbers compare."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass

import torch

from seqkd_lab.corpus.parallel import ParallelCorpus
from seqkd_lab.decoding.search import search
from seqkd_lab.distillation.losses import Objective
from seqkd_lab.evaluation import OutputScore, score_outputs
from seqkd_lab.finite import NotFiniteError
from seqkd_lab.models.lstm import LSTMSeq2Seq, LSTMSpec
from seqkd_lab.models.seq2seq import Seq2Seq
from seqkd_lab.optimisation import History, Optimisation
from seqkd_lab.runs.data import Dataset
from seqkd_lab.runs.measured import Positive, Size
from seqkd_lab.trainer import Callback
from seqkd_lab.training import train


@dataclass(frozen=True)
class QuickStudent:
    """An LSTM of `width` that learns from the first `n_pairs` pairs, is validated on the first
    `n_valid` pairs of the validation set (NLL of gold) and judged on its greedy translations of the
    first `n_test` test sentences.

    The test set serves, since a validation sentence has one reference only, and one reference
    misleads.
    """

    width: Size = 24
    epochs: Size = 4
    n_pairs: Size = 6000
    batch_size: Size = 32
    learning_rate: Positive = 0.016
    n_valid: Size = 200
    n_test: Size = 500

    @property
    def optimisation(self) -> Optimisation:
        return Optimisation(self.epochs, self.learning_rate, self.batch_size)


def train_student(
    settings: QuickStudent,
    data: Dataset,
    objective: Objective,
    seed: int,
    teacher: Seq2Seq | None = None,
    callbacks: Sequence[Callback] = (),
    corpus: ParallelCorpus | None = None,
) -> tuple[LSTMSeq2Seq, History]:
    """Train a student from random weights on gold, or on the first pairs of `corpus`; return it and
    its history.

    Equal arguments give an equal student on one machine with one number of threads. torch's global
    generator is set.
    """
    torch.manual_seed(seed)
    student = LSTMSeq2Seq(LSTMSpec(settings.width), data.source_vocabulary, data.target_vocabulary)
    pairs = (data.train if corpus is None else corpus)[: settings.n_pairs]
    history = train(
        student,
        pairs,
        data.valid[: settings.n_valid],
        objective,
        settings.optimisation,
        seed,
        teacher,
        callbacks,
    )
    return student, history


def score_student(settings: QuickStudent, data: Dataset, student: Seq2Seq) -> OutputScore:
    """Judge the student's greedy translations of the first test sentences."""
    test = data.test[: settings.n_test]
    started = time.perf_counter()
    try:
        outputs = [n_best[0].tokens for n_best in search(student, test.source)]
    except NotFiniteError:
        # a learner may choose a rate at which training diverges: such a student writes nothing
        outputs = [()] * len(test)
    seconds = max(time.perf_counter() - started, 1e-9)
    return score_outputs(outputs, test, data.detokenise, seconds, data.language)[0]
