"""What became simpler in a distilled corpus: word choice, decisions, and what must be remembered.

Complexity and faithfulness are those of Zhou, Neubig & Gu (2020), who had to estimate their
alignments; here they are exact.
"""

from __future__ import annotations

import math
import random
from collections import Counter, defaultdict
from collections.abc import Hashable, Mapping, Sequence
from dataclasses import dataclass
from statistics import fmean

from seqkd_lab.corpus.parallel import ParallelCorpus
from seqkd_lab.corpus.toy import ToyLanguage
from seqkd_lab.lab.meters.reading import AGREEMENTS, Pair, Reading, Triple, read_corpus

DECISIONS = ("tense", "voice", "address", "order", "connective")
SMOOTHING = 0.5
"""Added to each count of a word's translations, so that one unseen translation makes no divergence
infinite."""


def conditional_entropy(pairs: Sequence[Pair]) -> float:
    """Return H(second | first) in nats, the mean over the pairs of −ln p(second | first), by their
    counts. 0 for no pairs."""
    of_first, of_pair = Counter(first for first, _ in pairs), Counter(pairs)
    total = math.fsum(n * math.log(of_first[first] / n) for (first, _), n in of_pair.items())
    return total / max(1, len(pairs))


def history_dependence(triples: Sequence[Triple]) -> float:
    """Return H(word | source) − H(word | source, earlier) in nats, of triples (source, earlier,
    word).

    How much the translator's own earlier choice still tells of a word once the source is known; 0
    where every word follows from the source, and where a word is free.
    """
    from_source = conditional_entropy([(source, word) for source, _, word in triples])
    from_both = conditional_entropy(
        [((source, earlier), word) for source, earlier, word in triples]
    )
    return max(0.0, from_source - from_both)


def by_chance(triples: Sequence[Triple], seed: int = 0, n_shuffles: int = 5) -> float:
    """Return the dependence that remains when earlier choices are shuffled among equal sources:
    what few counts feign."""
    generator, by_source = random.Random(seed), defaultdict(list)
    for i, (source, _, _) in enumerate(triples):
        by_source[source].append(i)
    dependences = []
    for _ in range(n_shuffles):
        earlier = [choice for _, choice, _ in triples]
        for members in by_source.values():
            for i, other in zip(members, generator.sample(members, len(members)), strict=True):
                earlier[i] = triples[other][1]
        shuffled = [(s, e, w) for (s, _, w), e in zip(triples, earlier, strict=True)]
        dependences.append(history_dependence(shuffled))
    return fmean(dependences)


def complexity(pairs: Sequence[Pair]) -> float:
    """Return C(d): H(target word | source word) in nats, the mean over source words, each counting
    once. 0 for no pairs."""
    by_source = _translations(pairs)
    return fmean(map(_entropy, by_source.values())) if by_source else 0.0


def faithfulness(real: Sequence[Pair], distilled: Sequence[Pair]) -> float:
    """Return F(d): KL(real ‖ distilled) of the translations of a source word, in nats; the mean
    over `real`'s source words that both corpora have.

    0 is entirely faithful. Counts are smoothed over what either corpus has.
    """
    first, second = _translations(real), _translations(distilled)
    shared = first.keys() & second.keys()
    return fmean(_divergence(first[source], second[source]) for source in shared)


def _translations(pairs: Sequence[Pair]) -> dict[Hashable, Counter[Hashable]]:
    by_source: dict[Hashable, Counter[Hashable]] = defaultdict(Counter)
    for source, target in pairs:
        by_source[source][target] += 1
    return dict(by_source)


def _entropy(counts: Counter) -> float:
    total = counts.total()
    return math.fsum(n / total * math.log(total / n) for n in counts.values())


def _divergence(real: Counter, distilled: Counter) -> float:
    words = sorted(real.keys() | distilled.keys(), key=str)
    p, q = ([(counts[word] + SMOOTHING) for word in words] for counts in (real, distilled))
    return math.fsum(
        a / sum(p) * math.log(a / sum(p) * sum(q) / b) for a, b in zip(p, q, strict=True)
    )


@dataclass(frozen=True)
class Meters:
    """A corpus in numbers, entropies in nats.

    valid: share of valid targets. n_words: distinct target words. complexity C(d) and faithfulness
    F(d) (to gold). word: H(target word | source word), mean over tokens. decision: H of tense,
    voice, address, order and connective, their mean. history and feigned: nats a sentence of each
    agreement's dependence on own choices, and by chance.
    """

    valid: float
    n_words: int
    complexity: float
    faithfulness: float
    word: float
    decision: float
    history: Mapping[str, float]
    feigned: Mapping[str, float]

    @property
    def all_history(self) -> float:
        """Nats a sentence over all agreements, without what chance would give."""
        return sum(self.history.values()) - sum(self.feigned.values())


def meters(reading: Reading, gold: Reading) -> Meters:
    """Return the Meters of a corpus beside gold; NaN where not a single target is valid: there is
    nothing to measure."""
    if not reading.n_valid:
        unknown = dict.fromkeys(AGREEMENTS, math.nan)
        return Meters(0.0, 0, math.nan, math.nan, math.nan, math.nan, unknown, unknown)
    nats = {agreement: dependence(reading, agreement) for agreement in AGREEMENTS}
    return Meters(
        reading.n_valid / reading.n,
        len({target for _, target in reading.pairs}),
        complexity(reading.pairs),
        faithfulness(gold.pairs, reading.pairs),
        conditional_entropy(reading.pairs),
        fmean(_entropy(reading.choices.get(name, Counter({"": 1}))) for name in DECISIONS),
        {agreement: measured for agreement, (measured, _) in nats.items()},
        {agreement: feigned for agreement, (_, feigned) in nats.items()},
    )


def dependence(reading: Reading, agreement: str) -> tuple[float, float]:
    """Return the nats a sentence of one agreement: its dependence on own choices, and what of it
    chance would give."""
    triples = reading.triples[agreement]
    share = len(triples) / max(1, reading.n_valid)
    return share * history_dependence(triples), share * by_chance(triples)


def history_of_parts(
    language: ToyLanguage, corpora: Mapping[str, ParallelCorpus], n_parts: int
) -> dict[str, list[float]]:
    """Return `Meters.all_history` of each corpus in each of `n_parts` parts of the sources: how far
    it varies by chance."""
    histories: dict[str, list[float]] = {name: [] for name in corpora}
    for first in range(n_parts):
        for name, corpus in corpora.items():
            reading = read_corpus(language, corpus[first::n_parts])
            nats = [dependence(reading, agreement) for agreement in AGREEMENTS]
            histories[name].append(sum(measured - feigned for measured, feigned in nats))
    return histories
