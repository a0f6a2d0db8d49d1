"""What a wider beam finds and what it is worth: over K, over a length penalty, and against the
model's true mode."""

from __future__ import annotations

import math
import statistics
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from itertools import product

from seqkd_lab.corpus.parallel import ParallelCorpus
from seqkd_lab.decoding.search import Hypothesis, search
from seqkd_lab.decoding.trace import trace_search
from seqkd_lab.evaluation import OutputScore, score_outputs
from seqkd_lab.lab.beam.tree import Loss, lost_at
from seqkd_lab.models.seq2seq import Seq2Seq
from seqkd_lab.runs.data import Dataset

NOISE = 1e-4
"""Nats: log-probabilities of one translation, found in batches of different shapes, differ by
less."""


@dataclass(frozen=True)
class Outputs:
    """One model's best translation of each sentence of a corpus by one search, judged; valid: one
    verdict a sentence.

    beam_size None stands for the exact search, which finds the model's mode.
    """

    beam_size: int | None
    found: tuple[Hypothesis, ...]
    valid: tuple[bool, ...]
    score: OutputScore

    @property
    def log_prob(self) -> float:
        """Mean log p(ŷ | s) in nats."""
        return statistics.fmean(each.log_prob for each in self.found)


def judged(
    found: Sequence[Hypothesis], corpus: ParallelCorpus, data: Dataset, beam_size: int | None
) -> Outputs:
    """`found` (one translation a sentence) with the verdict of the language and BLEU."""
    tokens = [each.tokens for each in found]
    pairs = zip(corpus.source, tokens, strict=True)
    valid = tuple(data.language.is_valid(source, words) for source, words in pairs)
    score, _ = score_outputs(tokens, corpus, data.detokenise, 1.0, data.language)
    return Outputs(beam_size, tuple(found), valid, score)


def outputs(
    model: Seq2Seq,
    corpus: ParallelCorpus,
    data: Dataset,
    beam_size: int,
    length_penalty: float = 0.0,
) -> Outputs:
    """The model's translations of `corpus` by one search, judged."""
    found = search(model, corpus.source, beam_size, 1, length_penalty)
    return judged([n_best[0] for n_best in found], corpus, data, beam_size)


def over_beams(
    models: Mapping[str, Seq2Seq],
    corpus: ParallelCorpus,
    data: Dataset,
    beam_sizes: Sequence[int],
    watch: Callable[[int, int], None] = lambda done, total: None,
) -> dict[str, dict[int, Outputs]]:
    """Outputs by model and beam size. `watch` hears (done, total) searches."""
    found: dict[str, dict[int, Outputs]] = {name: {} for name in models}
    for done, (name, K) in enumerate(((name, K) for name in models for K in beam_sizes), start=1):
        found[name][K] = outputs(models[name], corpus, data, K)
        watch(done, len(models) * len(beam_sizes))
    return found


def less_likely(narrow: Outputs, wide: Outputs) -> list[int]:
    """The sentences for which the wider beam gave a translation that the model finds LESS
    likely."""
    pairs = zip(narrow.found, wide.found, strict=True)
    return [
        place for place, (one, other) in enumerate(pairs) if other.log_prob < one.log_prob - NOISE
    ]


REPAIRED, SPOILED, BOTH_RIGHT, BOTH_WRONG = "repaired", "spoiled", "both valid", "both wrong"
KINDS = (REPAIRED, SPOILED, BOTH_RIGHT, BOTH_WRONG)


def changed(narrow: Outputs, wide: Outputs) -> dict[str, list[int]]:
    """The sentences whose translation a wider beam changed, by what the language says of both."""
    kinds: dict[str, list[int]] = {kind: [] for kind in KINDS}
    name = {
        (False, True): REPAIRED,
        (True, False): SPOILED,
        (True, True): BOTH_RIGHT,
        (False, False): BOTH_WRONG,
    }
    for place, (one, other) in enumerate(zip(narrow.found, wide.found, strict=True)):
        if one.tokens != other.tokens:
            kinds[name[narrow.valid[place], wide.valid[place]]].append(place)
    return kinds


def spoiled_by_likelihood(narrow: Outputs, wide: Outputs) -> list[int]:
    """Of the spoiled ones those that the model finds more probable: the search did its work, the
    model is at fault."""
    rises = [
        other.log_prob > one.log_prob + NOISE
        for one, other in zip(narrow.found, wide.found, strict=True)
    ]
    return [place for place in changed(narrow, wide)[SPOILED] if rises[place]]


def enough(log_prob: float) -> int:
    """The beam size K from which on a search cannot miss anything more probable than a translation
    of this log_prob.

    Equally long prefixes exclude each other, so their probabilities add up to 1 at most. The best
    that a full beam throws away is no more probable than each of the K that it keeps, hence than 1
    / (K + 1); and prefixes only lose as they grow. So nothing lost can become more probable than p
    as soon as 1 / (K + 1) ≤ p.
    """
    return max(1, math.ceil(math.exp(-log_prob) - 1.0))


@dataclass(frozen=True)
class Mode:
    """The likeliest translation that was found with a beam of `beam_size`.

    certain: provably no other one is likelier, of those as long as a search allows
    (`longest_allowed`).
    """

    best: Hypothesis
    beam_size: int
    certain: bool


def modes(
    model: Seq2Seq,
    sources: Sequence[tuple[str, ...]],
    first: int = 20,
    widest: int = 2000,
    rows: int = 2000,
) -> list[Mode]:
    """The model's mode for each source: one search with K = `first`, then one with as large a K as
    it takes.

    At most `widest`: where that is not enough, the mode is not certain. `rows` bounds the
    hypotheses in memory.
    """
    best = [n_best[0] for n_best in search(model, sources, first)]
    need = [min(widest, enough(each.log_prob)) for each in best]
    for group in _groups([place for place in range(len(best)) if need[place] > first], need, rows):
        K = max(need[place] for place in group)
        again = search(model, [sources[place] for place in group], K, batch_size=len(group))
        for place, n_best in zip(group, again, strict=True):
            need[place] = K
            best[place] = max(best[place], n_best[0], key=lambda each: each.log_prob)
    used = [max(first, K) for K in need]
    return [Mode(each, K, enough(each.log_prob) <= K) for each, K in zip(best, used, strict=True)]


def _groups(places: Sequence[int], need: Sequence[int], rows: int) -> list[list[int]]:
    """`places` in groups of similar need, so that sentences times the largest need stays within
    `rows`."""
    groups: list[list[int]] = []
    for place in sorted(places, key=lambda place: need[place]):
        if groups and (len(groups[-1]) + 1) * need[place] <= rows:
            groups[-1].append(place)
        else:
            groups.append([place])
    return groups


@dataclass(frozen=True)
class Faults:
    """Sentences whose mode is certain, sorted by who is to blame. Counts of sentences.

    right: valid, and so is the mode. lucky: valid although the mode is not: the search missed it,
    to our good. search: wrong although the mode is valid. model: wrong, and the mode too. missed:
    how many searches did not find the mode.
    """

    right: int
    lucky: int
    search: int
    model: int
    missed: int

    @property
    def n(self) -> int:
        return self.right + self.lucky + self.search + self.model


def misses(made: Outputs, known: Sequence[Mode]) -> list[int]:
    """The sentences for which something likelier than what `made` holds is known: the search
    errors."""
    pairs = zip(made.found, known, strict=False)  # modes may be known of the first sentences only
    return [
        place
        for place, (one, mode) in enumerate(pairs)
        if one.log_prob < mode.best.log_prob - NOISE
    ]


def faults(made: Outputs, known: Sequence[Mode], valid_modes: Sequence[bool]) -> Faults:
    """Who is to blame for each translation of `made`; sentences whose mode is not certain are left
    out."""
    certain = [place for place, mode in enumerate(known) if mode.certain]
    counts = Counter((made.valid[place], valid_modes[place]) for place in certain)
    missed = len(set(misses(made, known)) & set(certain))
    return Faults(
        counts[True, True], counts[True, False], counts[False, True], counts[False, False], missed
    )


def blame(
    found: Mapping[int, Outputs],
    beam_sizes: Sequence[int],
    known: Sequence[Mode],
    corpus: ParallelCorpus,
    data: Dataset,
) -> dict[int | None, Faults]:
    """One model's faults with each of the beam sizes, on the first sentences of `corpus`, whose
    modes are `known`.

    None stands for the exact search.
    """
    exact = judged([mode.best for mode in known], corpus[: len(known)], data, None)
    by_size = {K: faults(found[K], known, exact.valid) for K in beam_sizes}
    return {**by_size, None: faults(exact, known, exact.valid)}


def losses(
    model: Seq2Seq, source: Sequence[str], target: Sequence[str], most: int = 20
) -> dict[int, Loss]:
    """Where searches with K = 1 … `most` threw `target` away, by K; those that held it to the end
    are not there."""
    lost = {K: lost_at(trace_search(model, source, K), target) for K in range(1, most + 1)}
    return {K: loss for K, loss in lost.items() if loss is not None}


def over_penalties(
    models: Mapping[str, Seq2Seq],
    corpus: ParallelCorpus,
    data: Dataset,
    beam_sizes: Sequence[int],
    penalties: Sequence[float],
    watch: Callable[[int, int], None] = lambda done, total: None,
) -> dict[str, dict[int, dict[float, Outputs]]]:
    """Outputs by model, beam size and length penalty. `watch` hears (done, total) searches."""
    found: dict[str, dict[int, dict[float, Outputs]]] = {
        name: {K: {} for K in beam_sizes} for name in models
    }
    searches = list(product(models, beam_sizes, penalties))
    for done, (name, K, penalty) in enumerate(searches, start=1):
        found[name][K][penalty] = outputs(models[name], corpus, data, K, penalty)
        watch(done, len(searches))
    return found
