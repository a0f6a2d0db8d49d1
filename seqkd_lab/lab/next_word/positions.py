"""Every position of many sentences: the next-word distributions of models and of the truth there.

They are exact, not sampled. N positions: each word of every sentence and its end, after the gold
words before it. V words.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property

import torch
from torch import Tensor

from seqkd_lab.corpus.batching import batches, encode
from seqkd_lab.corpus.parallel import ParallelCorpus
from seqkd_lab.corpus.toy import ToyLanguage
from seqkd_lab.corpus.vocabulary import EOS, PAD, SPECIALS
from seqkd_lab.lab.shared.next_words import soften, true_next_words
from seqkd_lab.models.seq2seq import Seq2Seq, evaluating


@dataclass(frozen=True)
class Positions:
    """The distributions before each of N words: `log_prob` of each model in nats and `truth`, all
    (N, V) float64.

    gold (N,) holds the ids of the words that came; sentence (N,) is the number of the pair, and
    offset (N,) the number of the word in its sentence, both from 0.
    """

    corpus: ParallelCorpus
    words: tuple[str, ...]
    log_prob: Mapping[str, Tensor]
    truth: Tensor
    gold: Tensor
    sentence: Tensor
    offset: Tensor

    def __len__(self) -> int:
        """Return N."""
        return len(self.gold)

    @cached_property
    def is_right(self) -> Tensor:
        """(N, V): whether some translation continues with this word."""
        return self.truth > 0.0

    def softened(self, name: str, temperature: float = 1.0) -> Tensor:
        """Return the model's distributions (N, V) at a temperature."""
        return soften(self.log_prob[name], temperature)

    def text(self, row: int) -> tuple[str, str, str]:
        """Return the source, the gold words before, and the gold word of one position."""
        pair, offset = int(self.sentence[row]), int(self.offset[row])
        source, target = self.corpus.source[pair], (*self.corpus.target[pair], SPECIALS[EOS])
        return " ".join(source), " ".join(target[:offset]), target[offset]


def read_positions(
    models: Mapping[str, Seq2Seq], corpus: ParallelCorpus, language: ToyLanguage
) -> Positions:
    """Read every sentence of `corpus` with every model, and ask the language for the truth.

    Raise ValueError for models of different target vocabularies, and for a pair that the language
    does not have.
    """
    vocabulary = next(iter(models.values())).target_vocabulary
    if any(model.target_vocabulary.tokens != vocabulary.tokens for model in models.values()):
        raise ValueError(
            "the models have different target vocabularies: their words cannot be compared"
        )
    truth = [
        true_next_words(language, source, target[:offset], vocabulary)
        for source, target in zip(corpus.source, corpus.target, strict=True)
        for offset in range(len(target) + 1)
    ]
    lengths = torch.tensor([len(target) + 1 for target in corpus.target])
    return Positions(
        corpus,
        vocabulary.tokens,
        {name: next_words(model, corpus) for name, model in models.items()},
        torch.stack(truth),
        torch.tensor([i for target in corpus.target for i in (*vocabulary.ids(target), EOS)]),
        torch.arange(len(corpus)).repeat_interleave(lengths),
        torch.cat([torch.arange(int(length)) for length in lengths]),
    )


def next_words(model: Seq2Seq, corpus: ParallelCorpus, batch_size: int = 64) -> Tensor:
    """Return log p(k | source, gold words before) in nats at every position, in the order of the
    corpus: (N, V) float64."""
    encoded = encode(corpus, model.source_vocabulary, model.target_vocabulary)
    shape = int(encoded.target_lengths.sum()), len(model.target_vocabulary)
    log_probs = torch.empty(shape, dtype=torch.float64)
    with evaluating(model):
        for batch in batches(encoded, batch_size, shuffle_seed=None):
            real = batch.target_out != PAD
            log_prob = model(batch)[real].double().log_softmax(dim=1)
            log_probs[encoded.target_places(batch)[real]] = log_prob
    return log_probs


def entropies(p: Tensor) -> Tensor:
    """Return H in nats (N,) of each of N distributions (N, V)."""
    return -torch.xlogy(p, p).sum(dim=1) + 0.0  # no −0.0 where one word is certain


def divergences(truth: Tensor, log_prob: Tensor, temperature: float = 1.0) -> Tensor:
    """Return KL(truth ‖ model) in nats (N,), the model softened: from its log-probabilities (N, V),
    so never cut off."""
    z = log_prob / temperature  # log p_τ is z − ln Σ exp z
    return z.logsumexp(dim=1) - (truth * z).sum(dim=1) - entropies(truth)
