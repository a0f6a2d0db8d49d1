"""German clauses: the fields of the sentence (Vorfeld, finite verb, Mittelfeld, verbs at the end)
and their order."""

from __future__ import annotations

from dataclasses import dataclass, field, replace

from seqkd_lab.corpus.toy import inflection
from seqkd_lab.corpus.toy.adverbials import CONNECTIVES, PLACES, TIMES, VERB_POSITION
from seqkd_lab.corpus.toy.choices import Option, Translator, options
from seqkd_lab.corpus.toy.german import Memory, Phrases, Word, governs, with_preposition
from seqkd_lab.corpus.toy.inflection import PRESENT, PRETERITE, Verb
from seqkd_lab.corpus.toy.meaning import Clause, NounPhrase
from seqkd_lab.corpus.toy.nouns import IMPERSONAL
from seqkd_lab.corpus.toy.verbs import VERBS

TIME_FIRST = options(time=0.65, subject=0.35)
SUBJECT_FIRST = options(subject=0.7, time=0.3)
OBJECT_FRONTED = 0.06
TIME_IN_MIDDLE = options(before=0.65, after=0.35)
PLACE_IN_MIDDLE = options(after=0.7, before=0.3)
PLACE_IN_MIDDLE_INDEFINITE = options(before=0.65, after=0.35)
COMMA_BEFORE_UND = (Option("no comma", 0.65), Option("comma", 0.35))
PRONOUN_ORDER = options(subject=0.6, pronoun=0.4)


@dataclass
class Fields:
    """The parts of a clause before they are put in order.

    cluster   pronouns that lean to the verb (ihn, sich)
    middle    the rest of the middle field
    closing   what closes the clause: prefix, participle, werden
    fronted   parts that could stand before the finite verb, by name
    """

    subject: list[Word]
    finite: Word
    closing: list[Word] = field(default_factory=list)
    cluster: list[Word] = field(default_factory=list)
    middle: list[Word] = field(default_factory=list)
    prefix: str = ""


def render(clause: Clause, memory: Memory, translator: Translator) -> tuple[list[Word], Memory]:
    """Return one translation of the clause, with its comma and connective, and what the next clause
    must remember."""
    phrases = Phrases(clause, memory, translator)
    opening, verb_position = _opening(clause, memory, phrases)
    front, fields = _state(phrases) if clause.state else _action(phrases, verb_position)
    words = opening + _in_order(fields, front, verb_position, phrases)
    if clause.ends:
        words.append(Word(".", "end", "punctuation", "the sentence ends"))
    return words, replace(phrases.memory, subordinate=verb_position == "last")


def _opening(clause: Clause, memory: Memory, phrases: Phrases) -> tuple[list[Word], str]:
    """Comma and connective, and the place of the finite verb that the connective asks for."""
    if not clause.connective:
        return [], "second"
    written, described = CONNECTIVES[clause.connective]
    word = phrases.pick("connective", described if clause.state else written)
    verb_position = VERB_POSITION[word]
    connective = Word(
        word, "connective", "connective", f"it joins the clauses as {clause.connective!r} does"
    )
    reason = f"a comma stands before {word}"
    if word == "und":
        if not memory.subordinate and phrases.pick("connective", COMMA_BEFORE_UND) == "no comma":
            return [connective], verb_position
        reason = "a comma closes a subordinate clause, and may stand between main clauses"
    return [Word(",", "comma", "punctuation", reason), connective], verb_position


def _state(phrases: Phrases) -> tuple[list[Word], Fields]:
    """ "was tired": German says war even where the rest of the sentence stands in the Perfekt."""
    clause = phrases.clause
    if clause.subject == "it" and clause.state in IMPERSONAL:
        subject = [
            Word("es", "subject.pronoun", "pronoun", "the impersonal es agrees with nothing")
        ]
    else:
        subject = phrases.nominal(clause.subject, "nominative", "subject", "the subject")
    table = PRETERITE if clause.tense == "past" else PRESENT
    person = phrases.person()
    finite = Word(table["sein"][person], "verb", "verb", _agrees(person))
    fields = Fields(subject, finite)
    time = _time(phrases)
    front = time if time and phrases.pick("order", TIME_FIRST) == "time" else subject
    fields.middle = ([] if front is time else time) + phrases.state()
    return front, fields


def _action(phrases: Phrases, verb_position: str) -> tuple[list[Word], Fields]:
    """A clause with a full verb, active or passive."""
    clause = phrases.clause
    entry = VERBS[clause.verb]
    verb: Verb = phrases.pick(entry.choice, entry.verbs)
    passive = False
    if entry.passive and _allows_passive(clause, verb):
        voice = (Option("passive", entry.passive), Option("active", 1.0 - entry.passive))
        passive = phrases.pick("voice", voice) == "passive"
    return (
        _passive(phrases, verb, verb_position) if passive else _active(phrases, verb, verb_position)
    )


def _active(phrases: Phrases, verb: Verb, verb_position: str) -> tuple[list[Word], Fields]:
    clause = phrases.clause
    subject = phrases.nominal(clause.subject, "nominative", "subject", "the subject")
    tense, person = phrases.tense(), phrases.person()
    fields = _verb_words(verb, tense, person)
    fields.subject = subject
    target = (
        phrases.nominal(clause.object, verb.case, "object", governs(verb)) if clause.object else []
    )
    pronoun = isinstance(clause.object, str)
    if verb.preposition:
        reason = f"{verb.infinitive} takes the preposition {verb.preposition}"
        fields.closing[:0] = with_preposition(verb.preposition, target, "verb", reason)
        target = []
    elif pronoun:
        fields.cluster, target = target, []
    if verb.reflexive:
        form = inflection.REFLEXIVE[verb.reflexive][person]
        fields.cluster.append(
            Word(form, "verb", "pronoun", f"{verb.infinitive} is reflexive ({verb.reflexive})")
        )
    time = _time(phrases)
    front = _front(
        phrases,
        verb_position,
        subject,
        time,
        target if _may_be_fronted(clause, subject, target) else [],
    )
    _middle(phrases, fields, [] if front is time else time, [] if front is target else target)
    return front, fields


def _passive(phrases: Phrases, verb: Verb, verb_position: str) -> tuple[list[Word], Fields]:
    clause = phrases.clause
    subject = phrases.nominal(clause.object, "nominative", "object", "the subject of the passive")
    tense = phrases.tense()
    werden = PRETERITE["werden"]["er"] if tense == "Präteritum" else PRESENT["werden"]["er"]
    participle = Word(
        verb.participle, "verb", "verb", f"the participle of {verb.infinitive} closes the passive"
    )
    fields = Fields(subject, Word(werden, "verb", "verb", "werden makes the passive"), [participle])
    if tense == "Perfekt":
        fields.finite = Word("ist", "verb", "verb", "the Perfekt of the passive is made with sein")
        fields.closing.append(
            Word("worden", "verb", "verb", "worden closes the Perfekt of the passive")
        )
    agent = phrases.nominal(
        clause.subject, "dative", "subject", "von, which names the doer, governs the dative"
    )
    agent = with_preposition(
        "von", agent, "subject.determiner", "von names the doer in the passive"
    )
    time = _time(phrases)
    front = _front(phrases, verb_position, subject, time, [])
    before = [] if front is time else time
    _middle(phrases, fields, [], agent)
    fields.middle = before + fields.middle
    return front, fields


def _verb_words(verb: Verb, tense: str, person: str) -> Fields:
    """Return the finite verb and what closes the clause, in the active."""
    if tense == "Perfekt":
        reason = (
            f"the Perfekt of {verb.infinitive} is made with {verb.auxiliary}; {_agrees(person)}"
        )
        participle = Word(
            verb.participle,
            "verb",
            "verb",
            f"the participle of {verb.infinitive} closes the clause",
        )
        return Fields(
            [], Word(PRESENT[verb.auxiliary][person], "verb", "verb", reason), [participle]
        )
    form = inflection.finite(verb, "present" if tense == "present" else "past")
    told = (
        "present, like the source" if tense == "present" else "Präteritum, like the whole sentence"
    )
    fields = Fields(
        [], Word(form, "verb", "verb", f"{_agrees(person)}; {told}"), prefix=verb.prefix
    )
    if verb.prefix:
        reason = f"the separable prefix of {verb.infinitive} closes the clause"
        fields.closing = [Word(verb.prefix, "verb", "prefix", reason)]
    return fields


def _middle(phrases: Phrases, fields: Fields, time: list[Word], target: list[Word]) -> None:
    """Fill the middle field: adverbials before or after the object (or the doer, in the
    passive)."""
    clause = phrases.clause
    where = []
    if clause.place:
        where = phrases.adverbial(phrases.pick("word", PLACES[clause.place].phrases), "place")
    indefinite = isinstance(clause.object, NounPhrase) and clause.object.determiner in ("a", "")
    time_first = True
    if time and target and not indefinite:
        time_first = phrases.pick("adverb", TIME_IN_MIDDLE) == "before"
    place_first = False
    if where and target and time_first:
        choice = PLACE_IN_MIDDLE_INDEFINITE if indefinite else PLACE_IN_MIDDLE
        place_first = phrases.pick("adverb", choice) == "before"
    before = (time if time_first else []) + (where if place_first else [])
    after = ([] if time_first else time) + ([] if place_first else where)
    fields.middle = before + target + after


def _front(
    phrases: Phrases, verb_position: str, subject: list[Word], time: list[Word], target: list[Word]
) -> list[Word]:
    """Return what stands before the finite verb; after a connective always the subject."""
    if verb_position != "second" or phrases.clause.connective:
        return subject
    choice = [Option("subject", 1.0, subject)]
    if time:
        choice = [
            Option(o.label, o.probability, time if o.label == "time" else subject)
            for o in (TIME_FIRST if phrases.clause.time_first else SUBJECT_FIRST)
        ]
    if target:
        choice = [Option(o.label, o.probability * (1.0 - OBJECT_FRONTED), o.value) for o in choice]
        choice.append(Option("object", OBJECT_FRONTED, target))
    return phrases.pick("order", choice)


def _in_order(
    fields: Fields, front: list[Word], verb_position: str, phrases: Phrases
) -> list[Word]:
    """Return the fields in the order of a verb-second, an inverted or a verb-last clause."""
    subject = [] if front is fields.subject and verb_position == "second" else fields.subject
    middle = subject + fields.cluster
    if subject and _pronoun_may_lead(phrases.clause, fields):
        if phrases.pick("order", PRONOUN_ORDER) == "pronoun":
            middle = fields.cluster + subject
    middle = middle + fields.middle
    if verb_position == "last":
        finite, closing = fields.finite, fields.closing
        if fields.prefix:
            joined = f"{finite.reason}; the prefix {fields.prefix} is joined to it"
            finite, closing = (
                finite._replace(text=fields.prefix + finite.text, reason=joined),
                closing[:-1],
            )
        reason = f"the finite verb stands last in a subordinate clause ({finite.reason})"
        return middle + closing + [finite._replace(reason=reason)]
    finite = fields.finite._replace(
        reason=f"the finite verb stands second in a main clause ({fields.finite.reason})"
    )
    return ([] if verb_position == "inverted" else front) + [finite] + middle + fields.closing


def _time(phrases: Phrases) -> list[Word]:
    time = phrases.clause.time
    return phrases.adverbial(phrases.pick("word", TIMES[time].phrases), "time") if time else []


def _allows_passive(clause: Clause, verb: Verb) -> bool:
    """Tell whether a clause may be passive: not with a pronoun for the doer, a reflexive verb, a
    dative, or a possessive that speaks of the doer."""
    owner = clause.object.determiner if isinstance(clause.object, NounPhrase) else ""
    named = isinstance(clause.subject, NounPhrase)
    return (
        named and verb.case == "accusative" and not verb.reflexive and owner not in ("his", "her")
    )


def _pronoun_may_lead(clause: Clause, fields: Fields) -> bool:
    """ "deshalb verkaufte ihn der Lehrer"; but "sie die Lehrerin" would leave open who does it."""
    if (
        isinstance(clause.subject, str)
        or not fields.cluster
        or fields.cluster[0].part != "object.pronoun"
    ):
        return False
    masculine = fields.subject[0].text in ("der", "ein", "mein", "dein", "Ihr")
    return fields.cluster[0].text != "sie" or masculine


def _may_be_fronted(clause: Clause, subject: list[Word], target: list[Word]) -> bool:
    """Tell whether the object may stand first: where it is definite, and its form or the subject's
    tells which is which."""
    if not isinstance(clause.object, NounPhrase) or clause.object.determiner not in (
        "the",
        "my",
        "your",
    ):
        return False
    telling = {
        "den",
        "dem",
        "meinen",
        "deinen",
        "Ihren",
        "meinem",
        "deinem",
        "Ihrem",
        "der",
        "meiner",
        "deiner",
    }
    return bool(target) and isinstance(clause.subject, NounPhrase) and target[0].text in telling


def _agrees(person: str) -> str:
    names = {"ich": "ich", "du": "du", "er": "the third person singular", "Sie": "Sie"}
    return f"it agrees with {names[person]}"
