"""Word-KD at one position: hard, soft and mixed target, the loss, and its gradient by each word's logit."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from matplotlib.figure import Figure
from torch import Tensor

from seqkd_lab.corpus.vocabulary import EOS
from seqkd_lab.lab.shared.bars import REST, ROOM, BarRows
from seqkd_lab.lab.shared.digits import shown_number
from seqkd_lab.lab.shared.next_words import SentenceReading, likeliest, soften
from seqkd_lab.lab.shared.picture import BlittedFigure
from seqkd_lab.lab.shared.style import BLACK, BLUE, GREY, PURPLE, SIZE, VERMILION
from seqkd_lab.runs.recipes import TEACHER

TARGETS = ("hard target (gold)", "soft target (teacher, τ)", "mixed target", "student")


TARGET_COLOURS = (GREY, BLACK, PURPLE, BLUE)


N_WORDS = 5  # four bars and their numbers need room


@dataclass(frozen=True)
class Mixture:
    """The objective α · Word-KD + (1 − α) · NLL (losses.WordKD) at one position; all tensors (V,),
    losses in nats.

    hard      one-hot on the gold word
    soft      q_τ = softmax(teacher logits / τ)
    mixed     (1 − α) · hard + α · soft
    student   p = softmax(student logits), not softened
    gradient  of the loss by the student's logits: (1 − α)(p − hard) + α τ (p_τ − q_τ). The factor τ
    is τ² from the
              objective times 1/τ from the softened logits. At τ = 1 this is p − mixed.
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


def mix(
    teacher_log_prob: Tensor, student_log_prob: Tensor, gold: int, alpha: float, temperature: float
) -> Mixture:
    """The Mixture for log-probabilities (V,) of teacher and student and the id of the gold word.

    Raises ValueError unless 0 ≤ α ≤ 1 and τ > 0.
    """
    if not 0.0 <= alpha <= 1.0:
        raise ValueError(f"alpha must lie in [0, 1]; got {alpha}")
    hard = torch.zeros_like(teacher_log_prob)
    hard[gold] = 1.0
    soft, softened = soften(teacher_log_prob, temperature), soften(student_log_prob, temperature)
    student = student_log_prob.exp()
    nll = float(-student_log_prob[gold])
    log_p = (student_log_prob / temperature).log_softmax(dim=0)
    word_kd = temperature**2 * float(-(soft * log_p).sum())
    gradient = (1.0 - alpha) * (student - hard) + alpha * temperature * (softened - soft)
    mixed, loss = (1.0 - alpha) * hard + alpha * soft, alpha * word_kd + (1.0 - alpha) * nll
    return Mixture(hard, soft, mixed, student, gradient, nll, word_kd, loss)


def gold_id(reading: SentenceReading, position: int) -> int:
    """The id of the target word at `position`, EOS after the last."""
    words = reading.target
    return EOS if position == len(words) else reading.vocabulary.ids([words[position]])[0]


def shown_words(reading: SentenceReading, position: int, student: str) -> list[int]:
    """The ids of the words to show, at τ = 1: what teacher or student find likely, and gold, which
    comes first."""
    likely = likeliest(
        [reading.log_prob[name][position].exp() for name in (TEACHER, student)], N_WORDS
    )
    gold = gold_id(reading, position)
    return [gold, *(word for word in likely if word != gold)][:N_WORDS]


class MixingDrawing:
    """Left the targets and the student (0 to 1), right the gradient (−1 to 1; beyond, an arrow and
    the number)."""

    def __init__(self) -> None:
        figure = Figure(figsize=(12, 6.8), layout="constrained")
        left, right = figure.subplots(1, 2, width_ratios=[1.35, 1.0])
        self._targets = BarRows(left, TARGETS, TARGET_COLOURS, N_WORDS + 1)
        self._gradient = BarRows(right, ("gradient",), (VERMILION,), N_WORDS + 1, (-1.0, 1.0))
        left.set_xlabel("probability", fontsize=SIZE)
        for axes in (left, right):
            axes.set_ylabel(ROOM, fontsize=SIZE)
        left.legend(fontsize=SIZE - 1, loc="lower right")
        right.set_xlabel("gradient per logit (below 0: pushed up)", fontsize=SIZE)
        self.picture = BlittedFigure(figure, [*self._targets.animated, *self._gradient.animated])

    def show(self, mixture: Mixture, order: list[int], words: tuple[str, ...]) -> None:
        """Moves the bars; the row "(rest)" sums all words that are not shown."""
        names = [*(words[i] for i in order), REST]

        def column(values: Tensor) -> list[float]:
            shown = values[order].tolist()
            return [*shown, float(values.sum()) - sum(shown)]

        self._targets.show(
            names, [column(p) for p in (mixture.hard, mixture.soft, mixture.mixed, mixture.student)]
        )
        self._gradient.show(names, [column(mixture.gradient)])


def mixture_at(
    reading: SentenceReading, position: int, student: str, alpha: float, temperature: float
) -> Mixture:
    """The Mixture at one position of a sentence, after the gold prefix."""
    teacher, follower = reading.log_prob[TEACHER][position], reading.log_prob[student][position]
    return mix(teacher, follower, gold_id(reading, position), alpha, temperature)


def interpolation_figure(
    reading: SentenceReading, position: int, student: str, alpha: float, temperature: float
) -> Figure:
    """Still twin of the InterpolationExplorer: the targets, the student and the gradient at one
    position."""
    drawing, mixture = MixingDrawing(), mixture_at(reading, position, student, alpha, temperature)
    drawing.show(mixture, shown_words(reading, position, student), reading.vocabulary.tokens)
    prefix = " ".join(reading.target[:position]) or "(the beginning)"
    title = f"{' '.join(reading.source)}\n{prefix} …   α = {alpha:g}, τ = {temperature:g}, loss "
    title += f"{shown_number(mixture.loss, 3)} nats"
    drawing.picture.figure.suptitle(title, fontsize=SIZE, parse_math=False)
    return drawing.picture.figure
