"""A tiny student, teacher and worker for near-policy training; also imported by processes that
tests start."""

from __future__ import annotations

import torch

from seqkd_lab.corpus.batching import encode, make_batch
from seqkd_lab.corpus.parallel import ParallelCorpus
from seqkd_lab.corpus.vocabulary import Vocabulary
from seqkd_lab.distillation.generation import RolloutConfig, Rollouts, Timeline, generate_rollouts
from seqkd_lab.distillation.near_policy import Learning
from seqkd_lab.distillation.rollout_sources import RolloutWorker
from seqkd_lab.models.lstm import LSTMSeq2Seq, LSTMSpec
from seqkd_lab.models.transformer import TransformerSeq2Seq, TransformerSpec
from seqkd_lab.optimisation import Optimisation

WORDS = tuple("abcdefgh")
VOCABULARY = Vocabulary.build([WORDS])
SOURCES = tuple(tuple(WORDS[(i + j) % 8] for j in range(1 + i % 5)) for i in range(40))
CORPUS = ParallelCorpus("small", "train", "", SOURCES, SOURCES)
ENCODED = encode(CORPUS, VOCABULARY, VOCABULARY)
THREE_WORDS = RolloutConfig(top_k=3)
ALL_WORDS = RolloutConfig(top_k=None)


def make_student(seed: int = 1) -> TransformerSeq2Seq:
    torch.manual_seed(seed)
    spec = TransformerSpec(8, 1, 2, 8, dropout=0.0)
    return TransformerSeq2Seq(spec, VOCABULARY, VOCABULARY).eval()


def make_teacher(seed: int = 2) -> LSTMSeq2Seq:
    torch.manual_seed(seed)
    return LSTMSeq2Seq(LSTMSpec(width=8), VOCABULARY, VOCABULARY).eval()


def make_worker(config: RolloutConfig = THREE_WORDS, per_update: int = 4) -> RolloutWorker:
    return RolloutWorker(make_student(), make_teacher(), ENCODED, config, per_update, seed=5)


def rollouts_of(n: int, config: RolloutConfig = THREE_WORDS) -> Rollouts:
    """The student's rollouts for the first n sources."""
    sources = make_batch(ENCODED, range(n))
    return generate_rollouts(make_student(), make_teacher(), sources, config, 1, Timeline("x"))


def learning(n_tokens: int = 400, **changes) -> Learning:
    return Learning(n_tokens, Optimisation(learning_rate=0.01), **changes)


def weights(model) -> torch.Tensor:
    return torch.cat([parameter.detach().flatten() for parameter in model.parameters()])
