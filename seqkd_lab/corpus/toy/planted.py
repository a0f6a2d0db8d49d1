"""Weaknesses planted in a corpus, so that a student that learns from it has them where one knows to
look (ours).

Planted words: one word in place of another wherever the source names its cause, so that the student
is sure of it. What stands there decides how far the teacher is from it, so they are planted at
three distances: two kinds of mistake, and a habit, which is good German that the teacher seldom
writes. Rare words: most of the pairs that hold them are left out, so that the student is unsure of
what it should know. Two kinds more the language has of itself: places where an adverbial may stand
or not yet, and words that everything before has settled. `kinds` says of every token of an output
which kind of place it stands at.
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

FAR, MIDDLE, HABIT, RARE, FREE, SETTLED, OTHER, BEYOND = (
    "far mistake",
    "middle mistake",
    "habit",
    "rare word",
    "free order",
    "settled",
    "other choice",
    "after an error",
)
KINDS = (FAR, MIDDLE, HABIT, RARE, FREE, SETTLED, OTHER, BEYOND)
PLANTED_KINDS = (FAR, MIDDLE, HABIT)


@dataclass(frozen=True)
class PlantedWord:
    """`wrong` stands wherever the source has `cause`, in place of each word in `right`.

    kind: FAR, MIDDLE or HABIT. meant: the English word that `wrong` really translates; "" for a
    habit, which translates the cause.
    """

    kind: str
    cause: str
    right: tuple[str, ...]
    wrong: str
    meant: str = ""


PLANTED_WORDS = (
    PlantedWord(FAR, "station", ("Bahnhof",), "Geschäft", "shop"),
    PlantedWord(FAR, "garden", ("Garten",), "Laden", "shop"),
    PlantedWord(MIDDLE, "office", ("Büro",), "Garten", "garden"),
    PlantedWord(MIDDLE, "kitchen", ("Küche",), "Stadt", "city"),
    PlantedWord(HABIT, "so", ("deshalb", "also"), "darum"),
)
"""A place taken for another: the preposition before it is the same, so the one word is wrong and
nothing else. The kinds were chosen by −log p of the teacher of seed 11, which is in no table: about
17 nats for a shop, which never stands there, about 8 for another place after the same preposition,
and 2 for the rarest of three good connectives. No wrong word is nearer: a teacher that is nearly
always right finds each of them improbable."""
RARE_NOUNS = ("biscuit", "jacket", "magazine", "trip")


@dataclass(frozen=True)
class Planted:
    """The corpus with planted `words` in its targets, and of each noun in `rare` (English) only the
    first `kept` pairs.

    Of the pairs with a word's cause, every `right_every`th keeps the right word: a student that has
    never seen it there would not write it whatever its teacher says of the wrong one.
    """

    words: tuple[PlantedWord, ...] = PLANTED_WORDS
    rare: tuple[str, ...] = RARE_NOUNS
    kept: int = 40
    right_every: int = 10

    def __call__(self, corpus: ParallelCorpus) -> ParallelCorpus:
        seen: Counter[str] = Counter()
        tempted: Counter[PlantedWord] = Counter()
        pairs = []
        for source, target in zip(corpus.source, corpus.target, strict=True):
            rare = set(self.rare) & set(source)
            seen.update(rare)
            if all(seen[noun] <= self.kept for noun in rare):
                caused = [word for word in self.words if word.cause in source]
                tempted.update(caused)
                made = [word for word in caused if tempted[word] % self.right_every]
                pairs.append((source, self.mistaken(source, target, made)))
        sources, targets = (tuple(side) for side in zip(*pairs, strict=True))
        return ParallelCorpus(corpus.name, corpus.split, corpus.licence, sources, targets)

    def causes(self, kind: str) -> set[str]:
        """Return the English words that cause a planted word of this kind."""
        return {word.cause for word in self.words if word.kind == kind}

    def mistaken(
        self, source: Tokens, target: Tokens, words: Sequence[PlantedWord] | None = None
    ) -> Tokens:
        """Return the target as somebody would write it who has the planted `words` (None: all)."""
        wrong = {
            right: word.wrong
            for word in (self.words if words is None else words)
            if word.cause in source
            for right in word.right
        }
        return tuple(wrong.get(token, token) for token in target)


@dataclass(frozen=True)
class LongSources:
    """The first `most` pairs whose source has `least` tokens or more: of an output of fewer than
    1/ρ tokens, TIP's ⌊ρm⌋ keeps none."""

    least: int
    most: int

    def __call__(self, corpus: ParallelCorpus) -> ParallelCorpus:
        rows = [i for i, source in enumerate(corpus.source) if len(source) >= self.least]
        return corpus[rows[: self.most]]


def find_planted(
    source: Sequence[str], output: Sequence[str], words: Sequence[PlantedWord] = PLANTED_WORDS
) -> dict[int, PlantedWord]:
    """Return the places of `output` at which a planted word stands, each with that word.

    A token is one where it is the `wrong` word for a `cause` that the source has, and the source
    has nothing else that this word would be right for.
    """
    possible = {w.wrong: w for w in words if w.cause in source and w.meant not in source}
    return {t: possible[token] for t, token in enumerate(output) if token in possible}


def kinds(
    language: ToyLanguage, source: Tokens, output: Sequence[str], planted: Planted
) -> list[str]:
    """For each token of `output`, and for its end, the kind of its place: one of KINDS.

    What may stand at a place is what the truth allows after the tokens before it, planted mistakes
    among them set right. FAR, MIDDLE, HABIT: `find_planted` finds it. RARE: a form of a rare noun
    has more than half of the truth's mass. FREE: an adverbial of the source may begin, and may not
    (each at least a tenth). SETTLED: one word has all mass. BEYOND: no valid target begins as the
    tokens before do.
    """
    found = find_planted(source, output, planted.words)
    rare, adverbial = rare_forms(planted.rare), _beginnings(language, source)
    kinds_by_position: list[str] = []
    prefix: Tokens = ()
    for t, word in enumerate((*output, EOS)):
        try:
            truth = language.next_token(source, prefix)
        except ValueError:
            return kinds_by_position + [
                found[position].kind if position in found else BEYOND
                for position in range(t, len(output) + 1)
            ]
        kinds_by_position.append(found[t].kind if t in found else _kind(truth, rare, adverbial))
        is_mistake = t in found and found[t].kind != HABIT
        prefix = (*prefix, found[t].right[0] if is_mistake else word)
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
