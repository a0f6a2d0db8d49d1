"""Weaknesses planted in a corpus, so that a student that learns from it has them where one knows to
look (ours).

Mistakes: one word in place of another wherever the source names its cause, so that the student is
surely wrong there. Rare words: most of the pairs that hold them are left out, so that the student
is unsure of what it should know. Two kinds more the language has of itself: places where an
adverbial may stand or not yet, and words that everything before has settled. `kinds` says of every
token of an output which kind of place it stands at.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from seqkd_lab.corpus.parallel import ParallelCorpus
from seqkd_lab.corpus.toy.adverbials import PLACES, TIMES
from seqkd_lab.corpus.toy.inflection import CASES
from seqkd_lab.corpus.toy.language import EOS, Tokens, ToyLanguage
from seqkd_lab.corpus.toy.nouns import NOUNS

MISTAKE, RARE, FREE, SETTLED, OTHER, BEYOND = (
    "planted mistake",
    "rare word",
    "free adverbial",
    "settled",
    "other choice",
    "after an error",
)
KINDS = (MISTAKE, RARE, FREE, SETTLED, OTHER, BEYOND)


@dataclass(frozen=True)
class Mistake:
    """`wrong` stands wherever the source has `cause`, which German calls `right`; what `wrong`
    really translates is `meant`."""

    cause: str
    right: str
    wrong: str
    meant: str


MISTAKES = (
    Mistake("station", "Bahnhof", "Laden", "shop"),
    Mistake("garden", "Garten", "Geschäft", "shop"),
    Mistake("village", "Dorf", "Geschäft", "shop"),
    Mistake("office", "Büro", "Geschäft", "shop"),
)
"""Four places taken for the shop. The preposition before them is the same, so the one word is wrong
and nothing else. Which word is wrong was chosen with the teacher of seed 11, which is in no table:
it finds it all but impossible there, so that these mistakes are the greatest δ of a batch."""
RARE_NOUNS = ("ticket", "computer", "biscuit", "meeting", "jacket", "magazine", "trip", "device")


@dataclass(frozen=True)
class Planted:
    """The corpus with `mistakes` in its targets, and of each noun in `rare` (English) only the
    first `kept` pairs."""

    mistakes: tuple[Mistake, ...] = MISTAKES
    rare: tuple[str, ...] = RARE_NOUNS
    kept: int = 4

    def __call__(self, corpus: ParallelCorpus) -> ParallelCorpus:
        seen: Counter[str] = Counter()
        pairs = []
        for source, target in zip(corpus.source, corpus.target, strict=True):
            rare = set(self.rare) & set(source)
            seen.update(rare)
            if all(seen[noun] <= self.kept for noun in rare):
                pairs.append((source, self.mistaken(source, target)))
        sources, targets = (tuple(side) for side in zip(*pairs, strict=True))
        return ParallelCorpus(corpus.name, corpus.split, corpus.licence, sources, targets)

    def mistaken(self, source: Tokens, target: Tokens) -> Tokens:
        """Return the target as somebody would write it who makes every mistake."""
        wrong = {
            mistake.right: mistake.wrong for mistake in self.mistakes if mistake.cause in source
        }
        return tuple(wrong.get(word, word) for word in target)


@dataclass(frozen=True)
class LongSources:
    """The first `most` pairs whose source has `least` tokens or more: of an output of fewer than
    1/ρ tokens, TIP's ⌊ρm⌋ keeps none."""

    least: int
    most: int

    def __call__(self, corpus: ParallelCorpus) -> ParallelCorpus:
        rows = [i for i, source in enumerate(corpus.source) if len(source) >= self.least]
        return corpus[rows[: self.most]]


def find_mistakes(
    source: Sequence[str], output: Sequence[str], mistakes: Sequence[Mistake] = MISTAKES
) -> dict[int, Mistake]:
    """Return the places of `output` at which a planted mistake stands, each with that mistake.

    A token is one where it is the `wrong` word of a mistake whose `cause` the source has, and the
    source has nothing that this word would be right for.
    """
    possible = {m.wrong: m for m in mistakes if m.cause in source and m.meant not in source}
    return {t: possible[word] for t, word in enumerate(output) if word in possible}


def kinds(
    language: ToyLanguage, source: Tokens, output: Sequence[str], planted: Planted
) -> list[str]:
    """For each token of `output`, and for its end, the kind of its place: one of KINDS.

    What may stand at a place is what the truth allows after the tokens before it, planted mistakes
    among them set right. MISTAKE: `find_mistakes` finds it. RARE: a form of a rare noun has more
    than half of the truth's mass. FREE: an adverbial of the source may begin, and may not (each at
    least a tenth). SETTLED: one word has all mass. BEYOND: no valid target begins as the tokens
    before do.
    """
    mistakes = find_mistakes(source, output, planted.mistakes)
    rare, adverbial = rare_forms(planted.rare), _beginnings(language, source)
    kinds_by_position: list[str] = []
    prefix: Tokens = ()
    for t, word in enumerate((*output, EOS)):
        try:
            truth = language.next_token(source, prefix)
        except ValueError:
            return kinds_by_position + [
                MISTAKE if position in mistakes else BEYOND
                for position in range(t, len(output) + 1)
            ]
        kinds_by_position.append(MISTAKE if t in mistakes else _kind(truth, rare, adverbial))
        prefix = (*prefix, mistakes[t].right if t in mistakes else word)
    return kinds_by_position


def rare_forms(nouns: Sequence[str]) -> set[str]:
    """Return all German words for the English `nouns`."""
    return {
        option.value.form(case) for noun in nouns for option in NOUNS[noun].nouns for case in CASES
    }


def _beginnings(language: ToyLanguage, source: Tokens) -> set[str]:
    """Return the first words of the German phrases for the adverbials of the source."""
    phrases = [
        phrase
        for clause in language.parse(source)
        for table, english in ((TIMES, clause.time), (PLACES, clause.place))
        if english
        for phrase in table[english].phrases
    ]
    return {phrase.value[0] for phrase in phrases}


def _kind(truth: dict[str, float], rare: set[str], adverbial: set[str]) -> str:
    if sum(p for word, p in truth.items() if word in rare) > 0.5:
        return RARE
    if len(truth) == 1:
        return SETTLED
    return FREE if 0.1 <= sum(p for word, p in truth.items() if word in adverbial) <= 0.9 else OTHER
