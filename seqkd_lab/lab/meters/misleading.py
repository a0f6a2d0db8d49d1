"""Two meters that mislead: the NLL of gold's words, and BLEU against one reference."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from statistics import fmean

import torch
from sacrebleu.metrics import BLEU

from seqkd_lab.corpus.batching import batches, encode
from seqkd_lab.corpus.parallel import ParallelCorpus
from seqkd_lab.decoding.scoring import token_log_probs
from seqkd_lab.evaluation import Detokenise, reference_streams
from seqkd_lab.lab.seq_kd.lens import SAME, differences
from seqkd_lab.models.seq2seq import Seq2Seq

AGREES, DIFFERS = "gold's words that the teacher wrote too", "gold's words that it did not write"
PERFECT = "perfect translator"


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
    """Measure gold's words under `model`, teacher forcing; a word agrees where the teacher's
    translation has it, too.

    Words are matched as the lens shows them; the end of a sentence agrees always. Means over no
    words are 0.
    """
    encoded = encode(gold, model.source_vocabulary, model.target_vocabulary)
    costs: dict[bool, list[float]] = {True: [], False: []}
    model.eval()
    for batch in batches(encoded, 64, shuffle_seed=None):
        nats = -token_log_probs(model(batch), batch)  # (B, T)
        for row, row_nats in zip(batch.rows.tolist(), nats.tolist(), strict=True):
            kinds = agreeing(gold.target[row], distilled.target[row])
            for agrees, cost in zip(kinds, row_nats, strict=False):  # the rest is padding
                costs[agrees].append(cost)
    agreed, differed = (fmean(part) if part else 0.0 for part in (costs[True], costs[False]))
    return GoldWords(agreed, len(costs[True]), differed, len(costs[False]))


def agreeing(gold: Sequence[str], distilled: Sequence[str]) -> list[bool]:
    """Return of each of gold's words, and of its end, whether the distilled target has it in the
    same order."""
    kinds: list[bool] = []
    for kind, words, _ in differences(tuple(gold), tuple(distilled)):
        kinds += [kind == SAME] * len(words)
    return [*kinds, True]


@dataclass(frozen=True)
class References:
    """BLEU of each system against all references, and against each reference alone."""

    all: Mapping[str, float]
    alone: Mapping[str, tuple[float, ...]]

    def same_order(self, names: Sequence[str]) -> tuple[int, int]:
        """Return in how many of how many single references `names` come in the order that all
        references give."""
        by_all = best_first({name: self.all[name] for name in names})
        singles = list(zip(*(self.alone[name] for name in names), strict=True))
        orders = [best_first(dict(zip(names, scores, strict=True))) for scores in singles]
        return orders.count(by_all), len(orders)


def best_first(scores: Mapping[str, float]) -> list[str]:
    """Return the names in the order of their scores, the highest first."""
    return sorted(scores, key=lambda name: -scores[name])


def reference_scores(
    outputs: Mapping[str, Sequence[Sequence[str]]],
    corpus: ParallelCorpus,
    detokenise: Detokenise,
    watch: Callable[[int, int], None] | None = None,
) -> References:
    """Measure BLEU of `outputs` (tokens, one list a system) against every reference of `corpus`,
    one and all.

    Beside them stands a perfect translator: of the truth's own drawn translations, one judged
    against the next. (It is no part of `all`, since what it writes is among all references.)
    """
    streams = reference_streams(corpus, detokenise)
    texts = {name: list(map(detokenise, sentences)) for name, sentences in outputs.items()}
    all_references = BLEU(references=streams)
    against_all = {
        name: all_references.corpus_score(text, None).score for name, text in texts.items()
    }
    alone: dict[str, list[float]] = {name: [] for name in (*texts, PERFECT)}
    for number, stream in enumerate(streams):
        single, other = BLEU(references=[stream]), streams[(number + 1) % len(streams)]
        for name, text in {**texts, PERFECT: other}.items():
            alone[name].append(single.corpus_score(text, None).score)
        if watch is not None:
            watch(number + 1, len(streams))
    return References(against_all, {name: tuple(scores) for name, scores in alone.items()})
