"""Models and sentences that measure a device: random weights, and words drawn by chance with the
lengths of a corpus. No text is needed, since how fast a model computes depends on sizes and lengths
alone.
"""

from __future__ import annotations

import random
from dataclasses import dataclass

import torch

from seqkd_lab.corpus.parallel import ParallelCorpus
from seqkd_lab.corpus.vocabulary import EOS, SPECIALS, Vocabulary
from seqkd_lab.models.architectures import Spec, build
from seqkd_lab.models.seq2seq import Seq2Seq

NEVER = -1e4
"""What is added to the logit of EOS so that a search ends a translation only where it must."""


@dataclass(frozen=True)
class Lengths:
    """Words of the sentences of a corpus, EOS not counted: the means of both sides, the standard
    deviation of the source, and the most that a sentence has."""

    source: float
    target: float
    deviation: float
    longest: int

    @property
    def tokens(self) -> tuple[float, float]:
        """Return the mean tokens of source and target, EOS included."""
        return self.source + 1, self.target + 1


MULTI30K = Lengths(source=11.9, target=11.1, deviation=3.8, longest=39)
"""Counted on the 29,000 training pairs of Multi30k, English to German, words divided by spaces."""
WMT14 = Lengths(source=116 / 4.5, target=110 / 4.5, deviation=12.0, longest=50)
"""Luong et al. 2015, section 4.1: 116 and 110 million words in 4.5 million pairs, of which those of
more than 50 words are left out. The deviation is not given there; half of the mean is our
assumption."""


def vocabulary(n_words: int) -> Vocabulary:
    """Return a vocabulary of `n_words` made-up words, the special ones among them."""
    return Vocabulary((*SPECIALS, *(f"w{number}" for number in range(n_words - len(SPECIALS)))))


def pairs(n_pairs: int, lengths: Lengths, n_words: tuple[int, int], seed: int) -> ParallelCorpus:
    """Return pairs of random words. The length of a source is drawn from a normal distribution, and
    its target is longer or shorter in the proportion of the means."""
    chance = random.Random(seed)

    def drawn(mean: float) -> int:
        return round(min(max(chance.gauss(mean, lengths.deviation), 1), lengths.longest))

    source_lengths = [drawn(lengths.source) for _ in range(n_pairs)]
    ratio = lengths.target / lengths.source
    target_lengths = [min(max(1, round(n * ratio)), lengths.longest) for n in source_lengths]
    source, target = (
        tuple(_sentence(chance, length, words) for length in of_side)
        for of_side, words in zip((source_lengths, target_lengths), n_words, strict=True)
    )
    return ParallelCorpus("made up", "train", "CC0-1.0", source, target)


def _sentence(chance: random.Random, length: int, n_words: int) -> tuple[str, ...]:
    most = n_words - len(SPECIALS)
    return tuple(f"w{chance.randrange(most)}" for _ in range(length))


def model(spec: Spec, source: Vocabulary, target: Vocabulary) -> Seq2Seq:
    """Return a model of this size with random weights, which never ends a translation of its own:
    every translation is as long as `max_length` says, and so the work of a search is known."""
    torch.manual_seed(1)
    made = build(spec, source, target)
    with torch.no_grad():
        bias = made.output.bias
        assert isinstance(bias, torch.Tensor)
        bias[EOS] = NEVER
    return made
