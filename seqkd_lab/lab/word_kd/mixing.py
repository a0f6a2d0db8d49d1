"""Word-KD at one position: hard, soft and mixed target, the loss, its gradient by each logit, and
what α does to one word."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from matplotlib.figure import Figure
from torch import Tensor

from seqkd_lab.corpus.vocabulary import EOS
from seqkd_lab.lab.shared.bars import REST, ROOM, BarRows
from seqkd_lab.lab.shared.digits import percent, shown_number, signed
from seqkd_lab.lab.shared.lesson import Markdown
from seqkd_lab.lab.shared.next_words import SentenceReading, likeliest, next_id, soften
from seqkd_lab.lab.shared.picture import BlittedFigure
from seqkd_lab.lab.shared.style import VERMILION, panels, role_of, styled
from seqkd_lab.runs.recipes import BASELINE, TEACHER, WORD_KD

TARGETS = {
    "hard target (gold)": role_of("gold").colour,
    "soft target (teacher, τ)": role_of(TEACHER).colour,
    "mixed target": role_of(WORD_KD).colour,
    "student": role_of("student").colour,
}
"""The bars by name, with their colours: the mixed target is what Word-KD learns from."""
N_WORDS = 5  # four bars and their numbers need room


@dataclass(frozen=True)
class Mixture:
    """The objective α · Word-KD + (1 − α) · NLL (losses.WordKD) at one position; all tensors (V,),
    losses in nats.

    hard      one-hot on the gold word
    soft      q_τ = softmax(teacher logits / τ)
    mixed     (1 − α) · hard + α · soft
    student   p = softmax(student logits), not softened
    gradient  of the loss by the student's logits: (1 − α)(p − hard) + α τ (p_τ − q_τ). The factor
              τ is τ² from the objective times 1/τ from the softened logits. At τ = 1 this is
              p − mixed.
    nll, word_kd  the two losses (Word-KD with its τ²), and loss their mixture
    """

    hard: Tensor
    soft: Tensor
    mixed: Tensor
    student: Tensor
    gradient: Tensor
    nll: float
    word_kd: float
    loss: float


def mixture_at(
    reading: SentenceReading, position: int, student: str, alpha: float, temperature: float
) -> Mixture:
    """Return the Mixture at one position of a sentence, after the gold prefix."""
    log_prob = {name: reading.log_prob[name][position] for name in (TEACHER, student)}
    gold = gold_id(reading, position)
    return mix(log_prob[TEACHER], log_prob[student], gold, alpha, temperature)


def mix(
    teacher_log_prob: Tensor, student_log_prob: Tensor, gold: int, alpha: float, temperature: float
) -> Mixture:
    """Return the Mixture for log-probabilities (V,) of teacher and student and the gold word's id.

    Raise ValueError unless 0 ≤ α ≤ 1 and τ > 0.
    """
    if not 0.0 <= alpha <= 1.0:
        raise ValueError(f"alpha must lie in [0, 1]; got {alpha}")
    hard = torch.zeros_like(teacher_log_prob)
    hard[gold] = 1.0
    soft = soften(teacher_log_prob, temperature)
    softened = soften(student_log_prob, temperature)
    student = student_log_prob.exp()
    nll = float(-student_log_prob[gold])
    log_p = (student_log_prob / temperature).log_softmax(dim=0)
    word_kd = temperature**2 * float(-(soft * log_p).sum())
    gradient = (1.0 - alpha) * (student - hard) + alpha * temperature * (softened - soft)
    mixed = (1.0 - alpha) * hard + alpha * soft
    loss = alpha * word_kd + (1.0 - alpha) * nll
    return Mixture(hard, soft, mixed, student, gradient, nll, word_kd, loss)


def gold_id(reading: SentenceReading, position: int) -> int:
    """Return the id of the target word at `position`, EOS after the last."""
    words = reading.target
    return EOS if position == len(words) else reading.vocabulary.ids([words[position]])[0]


def shown_words(reading: SentenceReading, position: int, student: str) -> list[int]:
    """Return the ids of the words to show, at τ = 1: gold first, then what teacher or student find
    likely."""
    likely = likeliest(
        [reading.log_prob[name][position].exp() for name in (TEACHER, student)], N_WORDS
    )
    gold = gold_id(reading, position)
    return [gold, *(word for word in likely if word != gold)][:N_WORDS]


class MixingDrawing:
    """Left the targets and the student (0 to 1), right the gradient (−1 to 1; beyond, an arrow and
    the number)."""

    @styled
    def __init__(self) -> None:
        figure, (left, right) = panels(12, 6.8, 1, 2, width_ratios=[1.35, 1.0])
        for axes in (left, right):
            axes.grid(False)
            axes.set_ylabel(ROOM)
        self._targets = BarRows(left, tuple(TARGETS), tuple(TARGETS.values()), N_WORDS + 1)
        self._gradient = BarRows(right, ("gradient",), (VERMILION,), N_WORDS + 1, (-1.0, 1.0))
        left.set_xlabel("probability")
        left.legend(loc="lower left", bbox_to_anchor=(0.0, 1.0), ncols=2)  # above the longest bar
        right.set_xlabel("gradient per logit (< 0: pushed up)")
        self.picture = BlittedFigure(figure, [*self._targets.animated, *self._gradient.animated])

    def show(self, mixture: Mixture, order: Sequence[int], words: Sequence[str]) -> None:
        """Show the words `order` and the row "(rest)", which sums all words that are not shown."""
        names = [*(words[i] for i in order), REST]

        def column(values: Tensor) -> list[float]:
            shown = values[list(order)].tolist()
            return [*shown, float(values.sum()) - sum(shown)]

        targets = (mixture.hard, mixture.soft, mixture.mixed, mixture.student)
        self._targets.show(names, [column(p) for p in targets])
        self._gradient.show(names, [column(mixture.gradient)])


@styled
def interpolation_figure(
    reading: SentenceReading, position: int, student: str, alpha: float, temperature: float
) -> Figure:
    """Draw the targets, the student and the gradient at one position: the still twin of the
    InterpolationExplorer."""
    drawing = MixingDrawing()
    mixture = mixture_at(reading, position, student, alpha, temperature)
    drawing.show(mixture, shown_words(reading, position, student), reading.vocabulary.tokens)
    prefix = " ".join(reading.target[:position]) or "(the beginning)"
    drawing.picture.figure.suptitle(
        f"{' '.join(reading.source)}\n{prefix} …   α = {alpha:g}, τ = {temperature:g}, loss "
        f"{shown_number(mixture.loss, 3)} nats"
    )
    return drawing.picture.figure


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
