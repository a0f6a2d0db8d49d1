"""The project's own dialect: words that a textbook would not use, each with what to say instead and
why.

Patterns are regular expressions, matched without regard to case in text whose white space is single
spaces and from which code and formulas are gone. An exception is part of the pattern, beside the
word that it excuses.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cached_property


@dataclass(frozen=True)
class PrivateWord:
    """A pattern of the dialect, what to say instead, and what a reader stumbles over."""

    pattern: str
    instead: str
    reason: str

    @cached_property
    def regex(self) -> re.Pattern:
        return re.compile(self.pattern, re.IGNORECASE)


ARCHAIC = "archaic"
RIDDLE = "a riddle: the reader must guess what is meant"
PERSON = "a model is no person"
CALQUE = "translated word by word from German"

PRIVATE_WORDS = (
    PrivateWord(
        r"(?<!left )(?<!fell )(?<!fall )(?<!lag )(?<!lags )\bbehind\b",
        "after",
        "a sentence has an order, not a front and a back",
    ),
    PrivateWord(r"\blaws?\b", "distribution", "the field's term is distribution"),
    PrivateWord(r"\bwhoever\b", "if you …; a student that …", RIDDLE),
    PrivateWord(r"\b(brings?|brought) forth\b", "produces", ARCHAIC),
    PrivateWord(r"\b(hangs?|hung) on\b", "depends on", CALQUE),
    PrivateWord(r"\b(stands?|stood)\b(?! (for|out|still)\b)", "is; is written; follows", CALQUE),
    PrivateWord(
        r"\bnow (this|that|one|the one)\b[^.;?!]{0,40}\bnow (this|that|one|the other)\b",
        "sometimes …, sometimes …",
        CALQUE,
    ),
    PrivateWord(r"\bfrom afar\b", "roughly", RIDDLE),
    PrivateWord(
        r"\b(knows?|knew|knowing) nothing\b", "does not see; has no information about", PERSON
    ),
    PrivateWord(
        r"\bshut off\b", "no longer possible", "sounds like a machine that is switched off"
    ),
    PrivateWord(r"\bthe ones? (who|which)\b", "name it", RIDDLE),
    PrivateWord(
        r"\b(nobody|everybody|anybody)\b(?! else\b)", "say what cannot be done or known", "rhetoric"
    ),
    PrivateWord(r"\bfeign(s|ed|ing)?\b", "caused by; imitated", ARCHAIC),
    PrivateWord(r"\bmust be let\b", "must be allowed; must stay", ARCHAIC),
    PrivateWord(r"\b(is|are|was|were) to be\b", "must be; should be; is", CALQUE),
    PrivateWord(r"\bas \w+ as can be\b", "very …", "says nothing"),
    PrivateWord(r"\bat a loss\b", "uncertain", PERSON),
    PrivateWord(r"\banew\b", "again; newly computed", ARCHAIC),
    PrivateWord(r"\bsurely\b", "with high probability", "means 'without doubt' to most readers"),
    PrivateWord(r"\bsurer\b|\bsurest\b", "more certain", "a model's certainty is a probability"),
    PrivateWord(
        r"\bsure of (itself|themselves|its|a|the)\b",
        "confident; gives a high probability to",
        PERSON,
    ),
    PrivateWord(
        r"\bthe very (?!first\b|last\b|same\b|end\b|beginning\b|best\b)\w+",
        "leave 'very' out",
        ARCHAIC,
    ),
    PrivateWord(r"\bby the clock\b", "in seconds", "the field says wall-clock time"),
    PrivateWord(
        r"\b(place by place|(at|in) (each|every|such) places?)\b",
        "position",
        "the field's term is position",
    ),
    PrivateWord(r"\blikeness\b", "similarity", "the field's term is similarity"),
    PrivateWord(r"\bmends?\b|\bmended\b", "fixes; repairs", ARCHAIC),
    PrivateWord(
        r"\b(model|teacher|student|baseline|search|loss|beam|language|word|corpus|data|filter)s? "
        r"(likes?|believes?|feels?|doubts?|wants?|hopes?|wishes)\b",
        "gives a high probability to; …",
        PERSON,
    ),
    PrivateWord(
        r"\b(likes?|liked|likes it|believes in) (better|best|more)\b|\bbelieves in\b",
        "gives a higher probability",
        PERSON,
    ),
    PrivateWord(r"\bwhoms?\b", "which", "archaic, and a word or a beam is no person"),
    PrivateWord(
        r"(?<!reader )(?<!readers )(?<!people )(?<!person )(?<!learner )(?<!learners )"
        r"\bwho (gains?|needs?|prunes?|gets?|wins?|waits?|works?|knows?|loses?|likes?)\b",
        "which …",
        "words, beams and models are no persons",
    ),
    PrivateWord(
        r"\bpays?\b(?! (attention|off)\b)",
        "its loss is; costs; is worthwhile",
        "a loss is not paid",
    ),
    PrivateWord(r"\bis charged\b", "its loss is", "a loss is not paid"),
    PrivateWord(
        r"\b(so|that|if|here|there|where|elsewhere|as|how|when|then|and|why|than|what|before|,) "
        r"one "
        r"(can|must|knows?|could|should|would|needs?|learns|wishes|counts|looks|has "
        r"to|meets|changes|saves|"
        r"asks|sees)\b",
        "you can …; the passive",
        "stiff; the lessons say 'you'",
    ),
    PrivateWord(r"\bis another(?=[.;,:]| matter\b)", "is different", CALQUE),
    PrivateWord(
        r"\btold (apart )?from\b(?! these seeds)", "distinguished from", "told reads as spoken"
    ),
    PrivateWord(
        r"\bbeginnings\b|\b(a|each|every|whole|other|whose|that) beginning\b",
        "prefix; hypothesis",
        "the field's terms are prefix and hypothesis",
    ),
    PrivateWord(r"\bgather(s|ed|ing)?\b", "is concentrated on", "probability is no crowd"),
    PrivateWord(r"\bhonours?\b", "agree with", PERSON),
    PrivateWord(r"\bfalls? for\b", "chooses wrongly", PERSON),
    PrivateWord(r"\b(to|could|can|might) be had\b", "is available; is possible", ARCHAIC),
    PrivateWord(r"\bin the mean\b(?! of\b)", "on average", CALQUE),
    PrivateWord(r"\bbut for\b", "except for", ARCHAIC),
    PrivateWord(r"\bmakes? (1|one)(?=[.,;:)]| together\b|$)", "sum to one", CALQUE),
    PrivateWord(r"\bhad better\b", "should", "an admonition"),
    PrivateWord(r"\bshould see of\b", "name the quantity first", "usual word order"),
    PrivateWord(r"\blets? go of\b", "pushes … down less", PERSON),
    PrivateWord(r"\bremembers? itself\b", "remember its own words", RIDDLE),
    PrivateWord(r"\bgreen ground\b|\bunknown ground\b", "the green area; …", RIDDLE),
    PrivateWord(r"\breach of the\b", "half-width of the", "the field's term is half-width"),
    PrivateWord(
        r"\bonce for all\b|\ball there is\b|\bby birth\b|\bidle hands\b|\byounger selves\b",
        "say it plainly",
        "an idiom where a plain word would do",
    ),
)
