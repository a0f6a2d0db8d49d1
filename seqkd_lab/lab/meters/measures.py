"""What became simpler in a distilled corpus: word choice, decisions, and what must be remembered.

Every count is read from the language's own exact alignments and choices; targets that are no
translation are left out. Complexity and faithfulness are those of Zhou, Neubig & Gu (2020), who had
to estimate their alignments.
"""

from __future__ import annotations

import math
import random
from collections import Counter, defaultdict
from collections.abc import Hashable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from statistics import fmean

from seqkd_lab.corpus.parallel import ParallelCorpus
from seqkd_lab.corpus.toy import ToyLanguage
from seqkd_lab.corpus.toy.adverbials import TIMES
from seqkd_lab.corpus.toy.german import Word
from seqkd_lab.corpus.toy.language import Step
from seqkd_lab.corpus.toy.meaning import NounPhrase, Sentence
from seqkd_lab.corpus.toy.nouns import IMPERSONAL, NOUNS
from seqkd_lab.corpus.toy.verbs import VERBS

Pair = tuple[Hashable, Hashable]
Triple = tuple[Hashable, Hashable, Hashable]
DECISIONS = ("tense", "voice", "address", "order", "connective")
ARTICLE, FRAME, PRONOUN, TENSE, ADDRESS = (
    "article → noun",
    "first verb → last verb",
    "noun → pronoun",
    "tense → later verb",
    "address → later address",
)
AGREEMENTS = (ARTICLE, FRAME, PRONOUN, TENSE, ADDRESS)
"""An earlier choice of the translator's own, and the word that must agree with it, the nearest
first."""
SMOOTHING = 0.5
"""Added to each count of a word's translations, so that one unseen translation makes no divergence
infinite."""


def conditional_entropy(pairs: Sequence[Pair]) -> float:
    """H(second | first) in nats, the mean over the pairs of −ln p(second | first), by their counts.
    0 for no pairs."""
    of_first, of_pair = Counter(first for first, _ in pairs), Counter(pairs)
    total = math.fsum(n * math.log(of_first[first] / n) for (first, _), n in of_pair.items())
    return total / max(1, len(pairs))


def history_dependence(triples: Sequence[Triple]) -> float:
    """H(word | source) − H(word | source, earlier) in nats, of triples (source, earlier, word).

    How much the translator's own earlier choice still tells of a word once the source is known; 0
    where every word follows from the source, and where a word is free.
    """
    from_source = conditional_entropy([(source, word) for source, _, word in triples])
    from_both = conditional_entropy(
        [((source, earlier), word) for source, earlier, word in triples]
    )
    return max(0.0, from_source - from_both)


def by_chance(triples: Sequence[Triple], seed: int = 0, n_shuffles: int = 5) -> float:
    """The dependence that remains when earlier choices change places among equal sources: what few
    counts feign."""
    chance, places = random.Random(seed), defaultdict(list)
    for place, (source, _, _) in enumerate(triples):
        places[source].append(place)
    found = []
    for _ in range(n_shuffles):
        earlier = [choice for _, choice, _ in triples]
        for alike in places.values():
            mixed = chance.sample(alike, len(alike))
            for place, other in zip(alike, mixed, strict=True):
                earlier[place] = triples[other][1]
        found.append(
            history_dependence([(s, e, w) for (s, _, w), e in zip(triples, earlier, strict=True)])
        )
    return fmean(found)


def complexity(pairs: Sequence[Pair]) -> float:
    """C(d): H(target word | source word) in nats, the mean over source words, each counting once. 0
    for no pairs."""
    by_source = _translations(pairs)
    return fmean(map(_entropy, by_source.values())) if by_source else 0.0


def faithfulness(real: Sequence[Pair], distilled: Sequence[Pair]) -> float:
    """F(d): KL(real ‖ distilled) of the translations of a source word, in nats; the mean over
    `real`'s source words that both corpora have. 0 is entirely faithful. Counts are smoothed over
    what either corpus has.
    """
    one, other = _translations(real), _translations(distilled)
    return fmean(_divergence(one[source], other[source]) for source in one.keys() & other.keys())


def _translations(pairs: Sequence[Pair]) -> dict[Hashable, Counter]:
    by_source: dict[Hashable, Counter] = defaultdict(Counter)
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
class Reading:
    """What a corpus holds, of its `n_valid` valid targets among `n` sentences.

    pairs: (source word, target word), one for each aligned target token. triples: of each agreement
    (source, the translator's earlier choice, word). choices: how often each option of each choice
    was taken.
    """

    n: int
    n_valid: int
    pairs: tuple[Pair, ...]
    triples: Mapping[str, tuple[Triple, ...]]
    choices: Mapping[str, Counter]

    def nats(self, agreement: str) -> tuple[float, float]:
        """Nats a sentence of one agreement: its dependence on own choices, and what of it chance
        would give."""
        triples = self.triples[agreement]
        share = len(triples) / max(1, self.n_valid)
        return share * history_dependence(triples), share * by_chance(triples)


def read_corpus(language: ToyLanguage, corpus: ParallelCorpus) -> Reading:
    """Reads alignments, agreements and choices of all valid targets."""
    pairs, n_valid = [], 0
    triples: dict[str, list[Triple]] = {agreement: [] for agreement in AGREEMENTS}
    choices: dict[str, Counter] = defaultdict(Counter)
    for source, target in zip(corpus.source, corpus.target, strict=True):
        steps = language.path(source, target)
        if not steps:
            continue
        n_valid += 1
        places = language.alignment(source, target)
        pairs += [
            (source[place], word) for place, word in zip(places, target, strict=True) if place >= 0
        ]
        for agreement, triple in agreements(language.parse(source), steps, language):
            triples[agreement].append(triple)
        for name, label in language.choices(source, target).items():
            choices[name.split()[0]][label] += 1
    frozen = {agreement: tuple(found) for agreement, found in triples.items()}
    return Reading(len(corpus), n_valid, tuple(pairs), frozen, dict(choices))


def agreements(
    sentence: Sentence, steps: Sequence[Step], language: ToyLanguage
) -> Iterator[tuple[str, Triple]]:
    """(agreement, (source, earlier choice, word)) of every word that agrees with something said
    before.

    `source` holds what of the source sentence decides: a choice that follows from it needs no
    memory.
    """
    manner = manners(sentence)
    for number, step in enumerate(steps):
        words = language.words(step)
        yield from _things(sentence[:number], step, words)
        yield from _verbs(step, words, manner)
        yield from _addresses(step, words, manner)


def manners(sentence: Sentence) -> tuple[str, str]:
    """What of the source makes Perfekt likely (for the whole sentence), and what makes Sie likely;
    "" for nothing."""
    tense = address = ""
    for clause in sentence:
        if not tense and clause.verb and clause.tense == "past":
            spoken = clause.subject == "I" or (bool(clause.time) and TIMES[clause.time].spoken)
            tense = "you" if clause.subject == "you" else "spoken" if spoken else "written"
        if not address and "you" in (
            clause.subject,
            _determiner(clause.subject)[:3],
            _determiner(clause.object)[:3],
        ):
            address = "formal" if clause.verb and VERBS[clause.verb].formal else "informal"
    return tense, address


def _determiner(said: NounPhrase | str) -> str:
    return said.determiner if isinstance(said, NounPhrase) else ""


def _things(before: Sentence, step: Step, words: Sequence[Word]) -> Iterator[tuple[str, Triple]]:
    """A thing's article tells its gender before its noun is said; "it" agrees with the noun of an
    earlier clause."""
    article = ""
    for word in words:
        role = word.part.split(".")[0]
        said = getattr(step.clause, role, "") if "." in word.part else ""
        if word.kind == "article":
            article = word.text
        elif word.kind == "noun" and article and not NOUNS[said.noun].is_person:
            yield ARTICLE, (said.noun, article, word.text)
        elif (
            word.kind == "pronoun"
            and said == "it"
            and step.memory.noun
            and step.clause.state not in IMPERSONAL
        ):
            yield PRONOUN, ((_named(before, step.memory.noun), role), step.memory.noun, word.text)
        if word.kind == "noun":
            article = ""


def _verbs(
    step: Step, words: Sequence[Word], manner: tuple[str, str]
) -> Iterator[tuple[str, Triple]]:
    """The two ends of a clause's verbal frame; the finite verb and the tense that an earlier clause
    chose."""
    clause, verbs = step.clause, [word.text for word in words if word.kind in ("verb", "prefix")]
    if not clause.verb:
        return
    person = clause.subject if clause.subject in ("I", "you") else "third"
    named = isinstance(clause.subject, NounPhrase) and _determiner(clause.object) not in (
        "his",
        "her",
    )
    source = (clause.verb, clause.tense, person, named, manner[0])
    if len(verbs) > 1:
        yield FRAME, (source, verbs[0], verbs[-1])
    if step.memory.tense and clause.tense == "past" and clause.subject != "you":
        yield (
            TENSE,
            (source, step.memory.tense, verbs[-1] if step.variant.memory.subordinate else verbs[0]),
        )


def _addresses(
    step: Step, words: Sequence[Word], manner: tuple[str, str]
) -> Iterator[tuple[str, Triple]]:
    """du or Sie, dein or Ihr: as an earlier clause has chosen."""
    for word in words:
        role = word.part.split(".")[0]
        said = getattr(step.clause, role, "") if "." in word.part else ""
        yours = word.kind == "article" and _determiner(said) == "your"
        if step.memory.address and (yours or (word.kind == "pronoun" and said == "you")):
            yield (
                ADDRESS,
                (("your" if yours else "you", role, manner[1]), step.memory.address, word.text),
            )


def _named(before: Sentence, lemma: str) -> str:
    """The source's word for the thing that was called `lemma`."""
    for clause in reversed(before):
        for said in (clause.object, clause.subject):
            if isinstance(said, NounPhrase) and any(
                o.value.lemma == lemma for o in NOUNS[said.noun].nouns
            ):
                return said.noun
    raise AssertionError(f"no earlier clause speaks of {lemma}")


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
    """The Meters of a corpus beside gold; where not a single target is valid there is nothing to
    measure: NaN."""
    if not reading.n_valid:
        nothing = dict.fromkeys(AGREEMENTS, math.nan)
        return Meters(0.0, 0, *[math.nan] * 4, nothing, nothing)
    nats = {agreement: reading.nats(agreement) for agreement in AGREEMENTS}
    return Meters(
        reading.n_valid / reading.n,
        len({target for _, target in reading.pairs}),
        complexity(reading.pairs),
        faithfulness(gold.pairs, reading.pairs),
        conditional_entropy(reading.pairs),
        fmean(_entropy(reading.choices.get(name, Counter({"": 1}))) for name in DECISIONS),
        {agreement: found for agreement, (found, _) in nats.items()},
        {agreement: feigned for agreement, (_, feigned) in nats.items()},
    )


def history_of_parts(
    language: ToyLanguage, corpora: Mapping[str, ParallelCorpus], n_parts: int
) -> dict[str, list[float]]:
    """`Meters.all_history` of each corpus in each of `n_parts` parts of the sources: how far it
    varies by chance."""
    histories: dict[str, list[float]] = {name: [] for name in corpora}
    for first in range(n_parts):
        for name, corpus in corpora.items():
            reading = read_corpus(language, corpus[first::n_parts])
            found = [reading.nats(agreement) for agreement in AGREEMENTS]
            histories[name].append(sum(nats - feigned for nats, feigned in found))
    return histories
