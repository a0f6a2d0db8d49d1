"""The eleven kinds of choice of the toy language, each with two translations that differ in this
choice alone."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from difflib import SequenceMatcher

from seqkd_lab.corpus.toy import Ambiguity, ToyLanguage
from seqkd_lab.corpus.toy.dataset import detokenise
from seqkd_lab.lab.language.ambiguity import FAMILIES, SOURCES, Tokens
from seqkd_lab.lab.shared.models import TICKET
from seqkd_lab.lab.shared.showing import Markdown


@dataclass(frozen=True)
class Kind:
    """A kind of choice: its name in `Ambiguity`, what is chosen, and a source that has it."""

    name: str
    chosen: str
    source: Tokens


def kind(name: str, chosen: str, source: str) -> Kind:
    """Return a Kind of a source whose words stand apart."""
    return Kind(name, chosen, tuple(source.split()))


KINDS = (
    kind("word", "one of two synonyms; no other word depends on it", "my car was broken ."),
    kind("adverb", "the place of an adverbial inside the clause", "you opened the box at home ."),
    Kind(
        "noun",
        "a noun of another gender; article, adjective and a later pronoun agree with it",
        TICKET,
    ),
    kind(
        "person", "a woman or a man, where English does not say which", "the old teacher waited ."
    ),
    kind(
        "verb",
        "a verb that governs another case, or takes a preposition or another auxiliary",
        "the neighbour helped the teacher .",
    ),
    kind(
        "prefix",
        "a simple verb, or one whose prefix is at the end of the clause",
        "my neighbour cleaned my boat .",
    ),
    kind(
        "tense",
        "the Präteritum, or the Perfekt with a participle at the end; once for the whole sentence",
        "I collected my parcel and the old neighbour found it .",
    ),
    kind("voice", "the active or the passive", "the doctor repaired the boat ."),
    kind(
        "address",
        "the familiar *du* or the polite *Sie*; once for the whole sentence",
        "you ate your biscuit .",
    ),
    kind("order", "what stands before the verb", "the baker left last week ."),
    kind(
        "connective",
        "the word that joins two clauses, and with it the place of the verb; before *und* the "
        "comma",
        "the singer arrived because he needed time .",
    ),
)
"""In the order of their families."""


TENSE_SOURCE = next(kind.source for kind in KINDS if kind.name == "tense")
"""Two clauses that must have the same tense."""


def alone(*names: str) -> Ambiguity:
    """Return the ambiguity in which only the named kinds are at work, in full."""
    return Ambiguity(**{name: float(name in names) for name in SOURCES})


def translations_alone(kind: Kind) -> list[tuple[Tokens, float]]:
    """List the translations of the kind's source, with all other kinds switched off; the most
    probable first."""
    targets = ToyLanguage(alone(kind.name)).targets(kind.source)
    return sorted(targets.items(), key=lambda item: (-item[1], item[0]))


def kinds_table() -> Markdown:
    """Return a table of the kinds: what is chosen, a source, and two of its translations; what
    differs is in bold."""
    lines = [
        "| kind | what is chosen | source | one translation | another |",
        "|---|---|---|---|---|",
    ]
    by_name = {kind.name: kind for kind in KINDS}
    for family, names in FAMILIES.items():
        lines.append(f"| **{family}** | | | | |")
        for kind in (by_name[name] for name in names):
            first, second = (translation for translation, _ in translations_alone(kind)[:2])
            pair = " | ".join(marked(first, second))
            lines.append(f"| `{kind.name}` | {kind.chosen} | {detokenise(kind.source)} | {pair} |")
    return Markdown("\n".join(lines))


def marked(first: Sequence[str], second: Sequence[str]) -> tuple[str, str]:
    """Set in bold the words that one translation does not share with the other, in Markdown."""
    matcher = SequenceMatcher(None, first, second, autojunk=False)
    texts: tuple[list[str], list[str]] = ([], [])
    for tag, a, b, c, d in matcher.get_opcodes():
        for words, text in ((first[a:b], texts[0]), (second[c:d], texts[1])):
            if words:
                text.append(" ".join(words) if tag == "equal" else f"**{' '.join(words)}**")
    left, right = (capital(" ".join(t).replace(" .", ".").replace(" ,", ",")) for t in texts)
    return left, right


def capital(text: str) -> str:
    """Begin a sentence with a capital letter, even in bold."""
    start = len(text) - len(text.lstrip("*"))
    return text[:start] + text[start : start + 1].upper() + text[start + 1 :]
