"""What α does to one word: its gradient with gold alone and with the teacher alone."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from seqkd_lab.lab.shared.digits import percent, signed
from seqkd_lab.lab.shared.lesson import Markdown
from seqkd_lab.lab.shared.next_words import SentenceReading, next_id
from seqkd_lab.lab.word_kd.mixing import gold_id, mixture_at
from seqkd_lab.runs.recipes import BASELINE, TEACHER

UP = "it is pushed up"
AS_BEFORE = "it is pushed down as before"
LESS = "it is pushed down less"
MORE = "it is pushed down more"
NOTICEABLE = 0.1
"""A change by less than this share counts as none."""


@dataclass(frozen=True)
class WordGradient:
    """One word at one position: the teacher's and the student's probability of it, and its gradient
    at α = 0 and 1."""

    word: str
    teacher: float
    student: float
    at_gold_alone: float
    at_teacher_alone: float

    @property
    def turns_at(self) -> float | None:
        """The α at which the gradient is 0; None where it keeps its sign from 0 to 1."""
        if self.at_gold_alone * self.at_teacher_alone >= 0.0:
            return None
        return self.at_gold_alone / (self.at_gold_alone - self.at_teacher_alone)


def word_gradient_at(
    reading: SentenceReading, position: int, word: str, student: str = BASELINE
) -> WordGradient:
    """Return what happens to the logit of `word` before target word `position`, at τ = 1."""
    word_id = next_id(reading.vocabulary, word)
    gold_alone, teacher_alone = (
        mixture_at(reading, position, student, alpha, 1.0) for alpha in (0.0, 1.0)
    )
    return WordGradient(
        word,
        float(teacher_alone.soft[word_id]),
        float(gold_alone.student[word_id]),
        float(gold_alone.gradient[word_id]),
        float(teacher_alone.gradient[word_id]),
    )


def turning_words(
    reading: SentenceReading, student: str = BASELINE, least: float = 0.05
) -> list[tuple[int, WordGradient]]:
    """Return (position, word) for the words other than gold whose gradient turns between α = 0 and
    α = 1.

    Only words to which the teacher gives at least `least` count.
    """
    turning = []
    for position in range(len(reading)):
        likely = (reading.log_prob[TEACHER][position].exp() >= least).nonzero().flatten().tolist()
        for word_id in likely:
            word = reading.vocabulary.tokens[word_id]
            gradient = word_gradient_at(reading, position, word, student)
            if word_id != gold_id(reading, position) and gradient.turns_at is not None:
                turning.append((position, gradient))
    return turning


def what_happens(word: WordGradient) -> str:
    """Return the option that is right: what becomes of a word's gradient as α moves from 0 to 1."""
    before, after = word.at_gold_alone, word.at_teacher_alone
    if after < 0.0:
        return UP
    if abs(after - before) <= NOTICEABLE * before:
        return AS_BEFORE
    return LESS if after < before else MORE


def mixing_in_words(
    reading: SentenceReading, position: int, gold: WordGradient, other: WordGradient
) -> Markdown:
    """Say what the mixed target gives to gold and to another right word, and what their gradients
    are."""
    mixed = mixture_at(reading, position, BASELINE, 0.5, 1.0).mixed
    on_gold, on_other = (
        float(mixed[next_id(reading.vocabulary, word.word)]) for word in (gold, other)
    )
    effect = {
        UP: "NLL pushes this right word down. The teacher alone pushes it up, since q = "
        f"{other.teacher:.2f} is above p.",
        LESS: f"Both push it down, the teacher less, since q = {other.teacher:.2f} is below p. "
        "A soft target does not raise every right word: it stops pushing where p equals the "
        "target.",
        AS_BEFORE: "The soft target hardly changes it: here the teacher gives the word next to "
        "nothing.",
        MORE: "The soft target pushes it down more.",
    }[what_happens(other)]
    return Markdown(
        f"The hard target gives *{gold.word}* everything. The teacher gives it {gold.teacher:.2f}, "
        f"and *{other.word}* {other.teacher:.2f}. At α = 0.5 the mixed target gives them "
        f"{on_gold:.2f} and {on_other:.2f}. The baseline gives *{other.word}* p "
        f"= {other.student:.2f}. So its gradient is {signed(other.at_gold_alone)} at α = 0 and "
        f"{signed(other.at_teacher_alone)} at α = 1. {effect}"
    )


def turning_answer(turning: Sequence[tuple[int, WordGradient]], prefix: Sequence[str]) -> str:
    """Say which words turn from pushed down to pushed up, after which words of `prefix`, and at
    which α."""
    if not turning:
        return (
            "Here no word turns: at every position of this sentence the baseline gives each "
            "likely word, except gold, at least as much as the teacher does."
        )
    words = "; ".join(
        f"*{word.word}* "
        f"{'at the beginning' if position == 0 else f'after *{prefix[position - 1]}*'}, at α = "
        f"{word.turns_at:.2f} (p = {word.student:.2f}, q = {word.teacher:.2f})"
        for position, word in turning
    )
    return (
        f"The words that turn: {words}. A word other than gold turns at α = p/q, so only where "
        "the teacher gives it more than the student does."
    )


def rest_answer(
    reading: SentenceReading, position: int, shown: Sequence[int], taus: tuple[float, float]
) -> str:
    """Say what the higher of two τ gives to all the words that the view does not show."""
    soft = [mixture_at(reading, position, BASELINE, 1.0, tau).soft for tau in taus]
    before, after = (1.0 - float(q[list(shown)].sum()) for q in soft)
    effect = (
        "A high τ takes the probability from the words that can stand here, and spreads it "
        "over those that cannot."
        if after > before
        else "Here the high τ does not move probability to them."
    )
    return (
        f"At τ = {taus[0]:g} the {len(reading.vocabulary) - len(shown)} words that are not shown "
        f"have {percent(before)} of the soft target together, at τ = {taus[1]:g} they have "
        f"{percent(after)}. {effect}"
    )
