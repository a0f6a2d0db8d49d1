"""What a corpus holds, read from the language's own exact alignments and choices: word pairs, and
words that agree with an earlier choice. Targets that are no translation are left out."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Hashable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from seqkd_lab.corpus.parallel import ParallelCorpus
from seqkd_lab.corpus.toy import ToyLanguage
from seqkd_lab.corpus.toy.adverbials import TIMES
from seqkd_lab.corpus.toy.german import Word
from seqkd_lab.corpus.toy.language import Step
from seqkd_lab.corpus.toy.meaning import Clause, NounPhrase, Sentence
from seqkd_lab.corpus.toy.nouns import IMPERSONAL, NOUNS
from seqkd_lab.corpus.toy.verbs import VERBS
from seqkd_lab.distillation.sequence_level import distil_mode, distil_sampled
from seqkd_lab.lab.shared.lesson import Bar
from seqkd_lab.models.seq2seq import Seq2Seq

GOLD = "gold"
SAMPLE = "sample"
TEACHERS_MODE = "mode of the teacher"
TRUE_MODE = "mode of the language"
CORPORA = (GOLD, SAMPLE, TEACHERS_MODE, TRUE_MODE)
Pair = tuple[Hashable, Hashable]
Triple = tuple[Hashable, Hashable, Hashable]
ARTICLE = "article → noun"
FRAME = "first verb → last verb"
PRONOUN = "noun → pronoun"
TENSE = "tense → later verb"
ADDRESS = "address → later address"
AGREEMENTS = (ARTICLE, FRAME, PRONOUN, TENSE, ADDRESS)
"""An earlier choice of the translator's own, and the word that must agree with it, the nearest
first."""


def write_corpora(
    teacher: Seq2Seq, gold: ParallelCorpus, language: ToyLanguage, seed: int
) -> dict[str, ParallelCorpus]:
    """Return the corpora of CORPORA over gold's sources, with a progress bar; `seed` is that of the
    sample."""
    n_done = 0
    with Bar("the teacher translates the sources") as bar:

        def report(n_more: int) -> None:
            nonlocal n_done
            n_done += n_more
            bar.move(n_done, len(gold))

        teachers_mode = distil_mode(teacher, gold, report=report).corpus
    return {
        GOLD: gold,
        SAMPLE: distil_sampled(teacher, gold, seed=seed).corpus,
        TEACHERS_MODE: teachers_mode,
        TRUE_MODE: gold.with_target([language.mode(source)[0] for source in gold.source]),
    }


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
    choices: Mapping[str, Counter[str]]


def read_corpus(language: ToyLanguage, corpus: ParallelCorpus) -> Reading:
    """Read alignments, agreements and choices of all valid targets."""
    pairs: list[Pair] = []
    triples: dict[str, list[Triple]] = {agreement: [] for agreement in AGREEMENTS}
    choices: dict[str, Counter[str]] = defaultdict(Counter)
    n_valid = 0
    for source, target in zip(corpus.source, corpus.target, strict=True):
        steps = language.path(source, target)
        if not steps:
            continue
        n_valid += 1
        aligned = zip(language.alignment(source, target), target, strict=True)
        pairs += [(source[position], word) for position, word in aligned if position >= 0]
        for agreement, triple in agreements(language.parse(source), steps, language):
            triples[agreement].append(triple)
        for name, option in language.choices(source, target).items():
            choices[name.split()[0]][option] += 1
    frozen = {agreement: tuple(rows) for agreement, rows in triples.items()}
    return Reading(len(corpus), n_valid, tuple(pairs), frozen, dict(choices))


def agreements(
    sentence: Sentence, steps: Sequence[Step], language: ToyLanguage
) -> Iterator[tuple[str, Triple]]:
    """Yield (agreement, (source, earlier choice, word)) of every word that agrees with an earlier
    word.

    `source` holds what of the source sentence decides: a choice that follows from it needs no
    memory.
    """
    tense, address = manners(sentence)
    for number, step in enumerate(steps):
        words = language.words(step)
        yield from _nouns(sentence[:number], step, words)
        yield from _verbs(step, words, tense)
        yield from _addresses(step, words, address)


def manners(sentence: Sentence) -> tuple[str, str]:
    """Return what of the source makes Perfekt likely (for the whole sentence), and what makes Sie
    likely; "" for nothing."""
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


def _determiner(part: NounPhrase | str) -> str:
    return part.determiner if isinstance(part, NounPhrase) else ""


def _role(word: Word) -> str:
    """The part of its clause that a word belongs to, such as "subject"."""
    return word.part.split(".")[0]


def _phrase(clause: Clause, word: Word) -> NounPhrase | str:
    """The source's noun phrase or pronoun that a word translates; "" where it translates
    another part."""
    return getattr(clause, _role(word), "") if "." in word.part else ""


def _nouns(before: Sentence, step: Step, words: Sequence[Word]) -> Iterator[tuple[str, Triple]]:
    """A thing's article tells the gender of the noun that follows; "it" agrees with the noun of an
    earlier clause."""
    article, lemma = "", step.memory.noun
    for word in words:
        phrase = _phrase(step.clause, word)
        if word.kind == "article":
            article = word.text
        elif word.kind == "noun":
            if article and isinstance(phrase, NounPhrase) and not NOUNS[phrase.noun].is_person:
                yield ARTICLE, (phrase.noun, article, word.text)
            article = ""
        elif word.kind == "pronoun" and phrase == "it":
            if lemma and step.clause.state not in IMPERSONAL:
                yield PRONOUN, ((_named(before, lemma), _role(word)), lemma, word.text)


def _verbs(step: Step, words: Sequence[Word], manner: str) -> Iterator[tuple[str, Triple]]:
    """The two ends of a clause's verbal frame; the finite verb and the tense that an earlier clause
    chose."""
    clause, verbs = step.clause, [word.text for word in words if word.kind in ("verb", "prefix")]
    if not clause.verb:
        return
    person = clause.subject if clause.subject in ("I", "you") else "third"
    possessed = _determiner(clause.object) in ("his", "her")
    named = isinstance(clause.subject, NounPhrase) and not possessed
    source = (clause.verb, clause.tense, person, named, manner)
    if len(verbs) > 1:
        yield FRAME, (source, verbs[0], verbs[-1])
    if step.memory.tense and clause.tense == "past" and clause.subject != "you":
        finite = verbs[-1] if step.variant.memory.subordinate else verbs[0]
        yield TENSE, (source, step.memory.tense, finite)


def _addresses(step: Step, words: Sequence[Word], manner: str) -> Iterator[tuple[str, Triple]]:
    """du or Sie, dein or Ihr: as an earlier clause has chosen."""
    for word in words:
        phrase = _phrase(step.clause, word)
        yours = word.kind == "article" and _determiner(phrase) == "your"
        if step.memory.address and (yours or (word.kind == "pronoun" and phrase == "you")):
            source = ("your" if yours else "you", _role(word), manner)
            yield ADDRESS, (source, step.memory.address, word.text)


def _named(before: Sentence, lemma: str) -> str:
    """The source's word for the thing that was called `lemma`."""
    for clause in reversed(before):
        for phrase in (clause.object, clause.subject):
            if isinstance(phrase, NounPhrase):
                lemmas = [option.value.lemma for option in NOUNS[phrase.noun].nouns]
                if lemma in lemmas:
                    return phrase.noun
    raise AssertionError(f"no earlier clause mentions {lemma}")
