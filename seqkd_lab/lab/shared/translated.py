"""Translations of a test set by greedy and by beam search: their certainty and agreement."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from statistics import fmean, stdev

from seqkd_lab.corpus.parallel import ParallelCorpus
from seqkd_lab.decoding.search import Hypothesis
from seqkd_lab.evaluation import OutputScore, score_outputs, translate_test
from seqkd_lab.models.seq2seq import Seq2Seq
from seqkd_lab.runs.data import Dataset


@dataclass(frozen=True)
class Translated:
    """A model's best translation of each of n ≥ 2 sentences, by greedy and by beam search, and both
    judged."""

    greedy: tuple[Hypothesis, ...]
    beam: tuple[Hypothesis, ...]
    scores: tuple[OutputScore, OutputScore]

    @cached_property
    def p(self) -> list[float]:
        """p(ŷ) of each sentence: the probability that the model gives to its beam's best."""
        return [math.exp(hypothesis.log_prob) for hypothesis in self.beam]

    @property
    def p_mode(self) -> float:
        """Their mean: Table 1's p(ŷ)."""
        return fmean(self.p)

    @property
    def p_mode_error(self) -> float:
        """The standard error of that mean."""
        return stdev(self.p) / math.sqrt(len(self.p))

    @cached_property
    def same(self) -> list[bool]:
        """Of each sentence whether greedy search found the beam's best."""
        pairs = zip(self.greedy, self.beam, strict=True)
        return [greedy.tokens == beam.tokens for greedy, beam in pairs]

    def same_share(self, least: float = 0.0) -> tuple[float, int]:
        """Return the share of the sentences with p(ŷ) > `least` in which greedy = beam, and their
        number (share 1 of none)."""
        chosen = [same for same, p in zip(self.same, self.p, strict=True) if p > least]
        return (fmean(chosen) if chosen else 1.0), len(chosen)


def translated(
    models: Mapping[str, Seq2Seq],
    data: Dataset,
    n_sentences: int,
    beam_size: int,
    watch: Callable[[int, int], None] = lambda done, total: None,
) -> dict[str, Translated]:
    """Translate the first `n_sentences` (two at least) of the test set with each model; `watch` is
    called with (done, total) models."""
    test, by_model = data.test[:n_sentences], {}
    for name, model in models.items():
        translations = translate_test(model, test, beam_size)
        greedy, beam = tuple(translations.greedy), tuple(translations.beam)
        by_model[name] = Translated(
            greedy, beam, (_score(greedy, test, data), _score(beam, test, data))
        )
        watch(len(by_model), len(models))
    return by_model


def _score(hypotheses: Sequence[Hypothesis], test: ParallelCorpus, data: Dataset) -> OutputScore:
    tokens = [hypothesis.tokens for hypothesis in hypotheses]
    return score_outputs(tokens, test, data.detokenise, 1.0, data.language)[0]
