"""Does an exported model translate as the model that it was made from?"""

from __future__ import annotations

import random
from collections.abc import Sequence
from copy import deepcopy
from dataclasses import dataclass
from typing import cast

import torch
from torch import Tensor

from seqkd_lab.corpus.vocabulary import EOS, SPECIALS
from seqkd_lab.decoding.limits import LONGEST_SOURCE
from seqkd_lab.decoding.scoring import sentence_log_probs
from seqkd_lab.decoding.search import search
from seqkd_lab.devices import CPU
from seqkd_lab.export.ctranslate2_format import NEVER, ExportError
from seqkd_lab.export.searching import ExportedModel
from seqkd_lab.models.seq2seq import Seq2Seq

BEAM_SIZE = 5
TOLERANCE = 1e-3
"""Nats a token by which 32-bit numbers may differ between two programs that add in different
orders."""


@dataclass(frozen=True)
class Agreement:
    """How many of `n_sentences` translations are the same, token by token: greedy, and with a beam
    of BEAM_SIZE.

    difference: the largest difference of log p(greedy translation), in nats a token; NaN where a
    number is none.
    """

    n_sentences: int
    n_greedy: int
    n_beam: int
    difference: float


def made_up_sources(model: Seq2Seq, n_sentences: int, seed: int = 0) -> list[tuple[str, ...]]:
    """Draw sentences of 3 to 12 words from the source vocabulary, each word as likely as the
    others."""
    words, chance = model.source_vocabulary.tokens[len(SPECIALS) :], random.Random(seed)
    if not words:
        raise ExportError(
            "the model's source vocabulary has no words: there is nothing to translate"
        )
    return [tuple(chance.choices(words, k=chance.randint(3, 12))) for _ in range(n_sentences)]


def renormalised(model: Seq2Seq) -> Seq2Seq:
    """Return a copy of a Transformer that gives PAD and BOS the probability 0, as the exported
    model does."""
    copied = deepcopy(model).eval()
    with torch.no_grad():
        cast("Tensor", copied.output.bias)[:EOS] = NEVER
    return copied


def compare(model: Seq2Seq, exported: ExportedModel, sources: Sequence[Sequence[str]]) -> Agreement:
    """Translate `sources`, of at least one token each, with both and compare tokens and
    log-probabilities."""
    sources = [source[:LONGEST_SOURCE] for source in sources]
    n_same: list[int] = []
    greedy: list[tuple[str, ...]] = []
    for beam_size in (1, BEAM_SIZE):
        ours = [hypotheses[0].tokens for hypotheses in search(model, sources, beam_size)]
        theirs = [hypotheses.tokens for hypotheses in exported.search(sources, beam_size)]
        n_same.append(sum(a == b for a, b in zip(ours, theirs, strict=True)))
        greedy = greedy or ours
    log_probs = zip(
        sentence_log_probs(renormalised(model), sources, greedy),
        exported.log_probs(sources, greedy),
        strict=True,
    )
    differences = [
        abs(a - b) / (len(tokens) + 1) for (a, b), tokens in zip(log_probs, greedy, strict=True)
    ]
    largest = float(torch.tensor(differences, device=CPU).max())  # NaN, where there is one
    return Agreement(len(sources), n_same[0], n_same[1], largest)


def check_same_numbers(agreement: Agreement) -> None:
    """Raise ExportError for an export in 32 bits whose log-probabilities are not the model's."""
    if not agreement.difference <= TOLERANCE:
        raise ExportError(
            "the exported model computes other probabilities: they differ by up to "
            f"{agreement.difference:.3g} nats a token; nothing was written. Please report this "
            "with the versions of seqkd_lab and ctranslate2"
        )
