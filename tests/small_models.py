"""Small random models of either architecture, for tests of speculative sampling."""

from __future__ import annotations

from functools import cache

import torch

from seqkd_lab.corpus.vocabulary import Vocabulary
from seqkd_lab.models.architectures import Spec, build
from seqkd_lab.models.lstm import LSTMSpec
from seqkd_lab.models.transformer import TransformerSpec

SOURCE = ("ant", "bee", "cat")
LSTM = LSTMSpec(8)
TRANSFORMER = TransformerSpec(8, 2, 2, 12, 0.0)


WORDS = ("ant", "bee", "cat", "dog", "eel", "fox")


@cache
def model(spec: Spec, seed: int, sharpness: float | None = None):
    """Random weights, uneven laws; two words of the target language, besides the unknown one."""
    sharpness = sharpness or (2.0 if isinstance(spec, LSTMSpec) else 1.2)
    torch.manual_seed(seed)
    made = build(spec, Vocabulary.build([WORDS]), Vocabulary.build([WORDS[:2]]))
    with torch.no_grad():
        for parameter in made.parameters():
            parameter.mul_(sharpness)
    return made.eval()
