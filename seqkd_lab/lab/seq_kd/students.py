"""Students of a distilled corpus, and why greedy search suffices for them: certainty, gold's words,
references."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from statistics import fmean, stdev

import torch
from sacrebleu.metrics import BLEU

from seqkd_lab.corpus.batching import batches, encode
from seqkd_lab.corpus.parallel import ParallelCorpus
from seqkd_lab.decoding.scoring import token_log_probs
from seqkd_lab.decoding.search import Hypothesis
from seqkd_lab.evaluation import (
    Detokenise,
    OutputScore,
    reference_streams,
    score_outputs,
    translate_test,
)
from seqkd_lab.lab.seq_kd.lens import SAME, differences
from seqkd_lab.models.seq2seq import Seq2Seq
from seqkd_lab.runs.data import Dataset

AGREES, DIFFERS = "gold's words that the teacher wrote too", "gold's words that it did not write"
PERFECT = "perfect translator"


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
        return [math.exp(found.log_prob) for found in self.beam]

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
        return [
            one.tokens == other.tokens for one, other in zip(self.greedy, self.beam, strict=True)
        ]

    def same_share(self, least: float = 0.0) -> tuple[float, int]:
        """Share of the sentences with p(ŷ) > `least` in which greedy = beam, and their number
        (share 1 of none)."""
        chosen = [same for same, p in zip(self.same, self.p, strict=True) if p > least]
        return (fmean(chosen) if chosen else 1.0), len(chosen)


def translated(
    models: Mapping[str, Seq2Seq],
    data: Dataset,
    n_sentences: int,
    beam_size: int,
    watch: Callable[[int, int], None] = lambda done, total: None,
) -> dict[str, Translated]:
    """Each model on the first `n_sentences` (two at least) of the test set. `watch` hears (done,
    total) models."""
    test, found = data.test[:n_sentences], {}
    for name, model in models.items():
        made = translate_test(model, test, beam_size)
        scores = tuple(
            score_outputs(
                [each.tokens for each in side], test, data.detokenise, 1.0, data.language
            )[0]
            for side in (made.greedy, made.beam)
        )
        found[name] = Translated(tuple(made.greedy), tuple(made.beam), scores)
        watch(len(found), len(models))
    return found


@dataclass(frozen=True)
class GoldWords:
    """What gold's words cost a model, in nats a word: mean NLL and number of words, of two kinds
    and of all."""

    agreeing: float
    n_agreeing: int
    differing: float
    n_differing: int

    @property
    def n(self) -> int:
        return self.n_agreeing + self.n_differing

    @property
    def perplexity(self) -> float:
        """exp of the mean NLL of all words."""
        return math.exp(
            (self.agreeing * self.n_agreeing + self.differing * self.n_differing) / self.n
        )


@torch.inference_mode()
def gold_words(model: Seq2Seq, gold: ParallelCorpus, distilled: ParallelCorpus) -> GoldWords:
    """Gold's words under `model`, teacher forcing; a word agrees where the teacher's translation
    has it, too.

    Words are matched as the lens shows them; the end of a sentence agrees always. Means over no
    words are 0.
    """
    encoded, spent = (
        encode(gold, model.source_vocabulary, model.target_vocabulary),
        {True: [], False: []},
    )
    model.eval()
    for batch in batches(encoded, 64, shuffle_seed=None):
        nats = -token_log_probs(model(batch), batch)  # (B, T)
        for row, costs in zip(batch.rows.tolist(), nats.tolist(), strict=True):
            kinds = agreeing(gold.target[row], distilled.target[row])
            for agrees, cost in zip(kinds, costs, strict=False):
                spent[agrees].append(cost)
    means = {agrees: fmean(costs) if costs else 0.0 for agrees, costs in spent.items()}
    return GoldWords(means[True], len(spent[True]), means[False], len(spent[False]))


def agreeing(gold: Sequence[str], distilled: Sequence[str]) -> list[bool]:
    """Of each of gold's words, and of its end, whether the distilled target has it in the same
    order."""
    kinds: list[bool] = []
    for kind, words, _ in differences(tuple(gold), tuple(distilled)):
        kinds += [kind == SAME] * len(words)
    return [*kinds, True]


@dataclass(frozen=True)
class References:
    """BLEU of each system against all references, and against each reference alone; `order` is the
    best first."""

    all: Mapping[str, float]
    alone: Mapping[str, tuple[float, ...]]

    @staticmethod
    def order(scores: Mapping[str, float]) -> tuple[str, ...]:
        return tuple(sorted(scores, key=lambda name: -scores[name]))

    def same_order(self, names: Sequence[str]) -> tuple[int, int]:
        """In how many of how many single references `names` come in the order that all references
        give."""
        by_all = self.order({name: self.all[name] for name in names})
        singles = list(zip(*(self.alone[name] for name in names), strict=True))
        agree = sum(
            self.order(dict(zip(names, scores, strict=True))) == by_all for scores in singles
        )
        return agree, len(singles)


def reference_scores(
    outputs: Mapping[str, Sequence[Sequence[str]]],
    corpus: ParallelCorpus,
    detokenise: Detokenise,
    watch: Callable[[int, int], None] | None = None,
) -> References:
    """BLEU of `outputs` (tokens, one list a system) against every reference of `corpus`, one and
    all.

    Beside them stands a perfect translator: of the truth's own drawn translations, one judged
    against the next. (It is no part of `all`, since what it writes is among all references.)
    """
    streams, texts = reference_streams(corpus, detokenise), {}
    for name, sentences in outputs.items():
        texts[name] = [detokenise(sentence) for sentence in sentences]
    every = BLEU(references=streams)
    against_all = {name: every.corpus_score(text, None).score for name, text in texts.items()}
    alone: dict[str, list[float]] = {name: [] for name in (*texts, PERFECT)}
    for number, stream in enumerate(streams):
        single, other = BLEU(references=[stream]), streams[(number + 1) % len(streams)]
        for name, text in {**texts, PERFECT: other}.items():
            alone[name].append(single.corpus_score(text, None).score)
        if watch is not None:
            watch(number + 1, len(streams))
    return References(against_all, {name: tuple(scores) for name, scores in alone.items()})
