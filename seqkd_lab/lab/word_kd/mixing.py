"""Word-KD at one position: hard, soft and mixed target, the loss, its gradient by each logit."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from matplotlib.figure import Figure
from torch import Tensor

from seqkd_lab.corpus.vocabulary import EOS
from seqkd_lab.lab.shared.bars import REST, ROOM, BarRows
from seqkd_lab.lab.shared.digits import shown_number
from seqkd_lab.lab.shared.next_words import SentenceReading, likeliest, soften
from seqkd_lab.lab.shared.picture import BlittedFigure
from seqkd_lab.lab.shared.style import VERMILION, panels, role_of, styled
from seqkd_lab.runs.recipes import TEACHER, WORD_KD

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
        left.legend(loc="lower right")
        right.set_xlabel("gradient per logit (below 0: pushed up)")
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
