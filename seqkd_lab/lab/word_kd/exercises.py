"""Exercises of lesson 4, word-level distillation: the loss here, its target and its gradient in
targets_exercises."""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn.functional import kl_div

from seqkd_lab.corpus.vocabulary import PAD
from seqkd_lab.lab.shared.exercises.batches import padded_targets
from seqkd_lab.lab.shared.exercises.exercise import Case, Exercise, Function, mistake
from seqkd_lab.lab.shared.exercises.gradients import gradient_fault
from seqkd_lab.lab.word_kd.targets_exercises import GRADIENT, MIXED

N_WORDS = 9  # of the vocabulary; no number of sentences or of tokens in the cases is the same


def word_kd_loss(student_logits, teacher_logits, target, temperature):
    """Return −τ² Σ q log p over words and real tokens / real tokens: logits (B, T, V), target
    (B, T)."""
    q = (teacher_logits / temperature).softmax(dim=2)
    log_p = (student_logits / temperature).log_softmax(dim=2)
    per_token = -(q * log_p).sum(dim=2)  # (B, T)
    real = target != PAD
    return temperature**2 * (per_token * real).sum() / real.sum()


def _cross(student_logits, teacher_logits, temperature, axis=2):
    q = (teacher_logits / temperature).softmax(dim=axis)
    return -(q * (student_logits / temperature).log_softmax(dim=axis)).sum(dim=2)


def _masked_mean(per_token, target):
    real = target != PAD
    return (per_token * real).sum() / real.sum()


@mistake(
    "τ² is missing. As τ grows far beyond the logits, the gradient shrinks as 1/τ²: without the "
    "factor Word-KD then fades beside NLL."
)
def _no_tau_squared(student_logits, teacher_logits, target, temperature):
    return _masked_mean(_cross(student_logits, teacher_logits, temperature), target)


@mistake(
    "the factor is τ, not τ²: the softened logits give 1/τ, and for a high τ the difference of "
    "the two distributions gives another 1/τ."
)
def _tau_once(student_logits, teacher_logits, target, temperature):
    return word_kd_loss(student_logits, teacher_logits, target, temperature) / temperature


@mistake(
    "this divides by τ². The gradient shrinks by itself as τ grows; the factor τ² makes up for "
    "that."
)
def _divided_by_tau_squared(student_logits, teacher_logits, target, temperature):
    return word_kd_loss(student_logits, teacher_logits, target, temperature) / temperature**4


@mistake("the sign: ln p is negative, and a loss that falls must make p rise where q is.")
def _sign(student_logits, teacher_logits, target, temperature):
    return -word_kd_loss(student_logits, teacher_logits, target, temperature)


@mistake(
    "padding counts: there the teacher's distribution means nothing, and the student is made to "
    "learn it."
)
def _padding_taught(student_logits, teacher_logits, target, temperature):
    return temperature**2 * _cross(student_logits, teacher_logits, temperature).mean()


@mistake(
    "padding is masked in the sum, but still counts in the number that it is divided by: a batch "
    "with much padding gets a smaller loss."
)
def _half_masked(student_logits, teacher_logits, target, temperature):
    per_token = _cross(student_logits, teacher_logits, temperature)
    return temperature**2 * (per_token * (target != PAD)).mean()


@mistake(
    "this divides by the number of sentences. Divide by real tokens, or α would mix two losses of "
    "different size."
)
def _by_sentence(student_logits, teacher_logits, target, temperature):
    per_token = _cross(student_logits, teacher_logits, temperature)
    return temperature**2 * (per_token * (target != PAD)).sum() / len(target)


@mistake(
    "this is the mean of the sentences' means: a word of a short sentence weighs more than a word "
    "of a long one."
)
def _mean_of_sentence_means(student_logits, teacher_logits, target, temperature):
    real = target != PAD
    sums = (_cross(student_logits, teacher_logits, temperature) * real).sum(dim=1)
    return temperature**2 * (sums / real.sum(dim=1)).mean()


@mistake(
    "this is the sum over the batch: divide by the number of real tokens, or a larger batch has a "
    "larger loss."
)
def _not_divided(student_logits, teacher_logits, target, temperature):
    return (
        temperature**2
        * (_cross(student_logits, teacher_logits, temperature) * (target != PAD)).sum()
    )


@mistake(
    "this is a mean over the vocabulary, V times too small; over k it is a sum, an expectation "
    "under q. (The default reduction of kl_div makes this mistake.)"
)
def _mean_over_words(student_logits, teacher_logits, target, temperature):
    return (
        word_kd_loss(student_logits, teacher_logits, target, temperature) / student_logits.shape[2]
    )


@mistake(
    "softmax over dim 1 compares the positions of a sentence. The words of the vocabulary lie "
    "along dim 2."
)
def _wrong_axis(student_logits, teacher_logits, target, temperature):
    return temperature**2 * _masked_mean(
        _cross(student_logits, teacher_logits, temperature, axis=1), target
    )


@mistake(
    "only the teacher is softened. With τ on both sides the student's best answer is the teacher "
    "itself; so it would be a blurred one."
)
def _soft_teacher_only(student_logits, teacher_logits, target, temperature):
    return word_kd_loss(temperature * student_logits, teacher_logits, target, temperature)


@mistake(
    "only the student is softened: its logits would have to be τ times the teacher's, a sharper "
    "copy."
)
def _soft_student_only(student_logits, teacher_logits, target, temperature):
    return word_kd_loss(student_logits, temperature * teacher_logits, target, temperature)


@mistake("the logits are multiplied by τ. Softening divides them: p ∝ exp(logit/τ).")
def _multiplied_by_tau(student_logits, teacher_logits, target, temperature):
    return temperature**4 * word_kd_loss(student_logits, teacher_logits, target, 1.0 / temperature)


@mistake(
    "teacher and student have changed places: the weights are the teacher's q, the logarithm the "
    "student's p."
)
def _roles_swapped(student_logits, teacher_logits, target, temperature):
    return word_kd_loss(teacher_logits, student_logits, target, temperature)


@mistake(
    "this is KL(q ‖ p): the teacher's entropy is taken away. The gradient is the same, but the "
    "paper's loss, and its curve, is the cross-entropy."
)
def _kl_not_cross_entropy(student_logits, teacher_logits, target, temperature):
    own = word_kd_loss(teacher_logits, teacher_logits, target, temperature)
    return word_kd_loss(student_logits, teacher_logits, target, temperature) - own


@mistake("the logarithm is missing: this is −Σ q p, not −Σ q ln p.")
def _without_logarithm(student_logits, teacher_logits, target, temperature):
    q, p = ((logits / temperature).softmax(dim=2) for logits in (teacher_logits, student_logits))
    return temperature**2 * _masked_mean(-(q * p).sum(dim=2), target)


@mistake(
    "this is NLL of gold: the teacher does not occur in it. Word-KD sums over the whole "
    "vocabulary, weighted by q."
)
def _gold_only(student_logits, teacher_logits, target, temperature):
    log_p = (student_logits / temperature).log_softmax(dim=2)
    return temperature**2 * _masked_mean(-log_p.gather(2, target[:, :, None]).squeeze(2), target)


@mistake("only the teacher's best word counts. Word-KD teaches the whole distribution q.")
def _teachers_best_only(student_logits, teacher_logits, target, temperature):
    log_p = (student_logits / temperature).log_softmax(dim=2)
    best = teacher_logits.argmax(dim=2, keepdim=True)
    return temperature**2 * _masked_mean(-log_p.gather(2, best).squeeze(2), target)


def word_kd_by_torch(
    student: Tensor, teacher: Tensor, target: Tensor, temperature: float
) -> Tensor:
    """Return τ² (KL(q ‖ p) + H(q)) over the real tokens by torch's own functions: cross-entropy
    taken apart."""
    real = target != PAD
    q = (teacher[real].double() / temperature).softmax(dim=1)
    log_p = (student[real].double() / temperature).log_softmax(dim=1)
    entropy = torch.distributions.Categorical(probs=q).entropy().sum()
    return temperature**2 * (kl_div(log_p, q, reduction="sum") + entropy) / real.sum()


def word_kd_batch(seed: int, lengths: tuple[int, ...]) -> tuple[Tensor, Tensor, Tensor]:
    """Return random student and teacher logits (B, T, N_WORDS) and targets (B, T)."""
    generator = torch.Generator().manual_seed(seed)
    target = padded_targets(seed, lengths, N_WORDS)
    student, teacher = (
        2.0 * torch.randn(*target.shape, N_WORDS, generator=generator) for _ in range(2)
    )
    return student, teacher, target


def word_kd_cases() -> list[Case]:
    """Return cases: τ = 1 without padding first, then padding, then other temperatures; no two
    of B, T and V are equal."""
    settings = [
        ((3, 3), 1.0),
        ((5, 2, 1), 1.0),
        ((4, 4), 2.0),
        ((2, 7, 3, 1), 3.0),
        ((2, 5), 0.5),
        ((6, 1, 4), 4.0),
    ]
    cases = []
    for seed, (lengths, temperature) in enumerate(settings):
        batch = word_kd_batch(seed, lengths)
        name = f"sentences of {', '.join(map(str, lengths))} tokens, τ = {temperature:g}"
        cases.append(Case(name, (*batch, temperature), word_kd_by_torch(*batch, temperature)))
    return cases


def needs_a_gradient(function: Function) -> str | None:
    """Say why no student could learn from the loss; None where the right gradient reaches
    its logits."""
    student, teacher, target = word_kd_batch(9, (3, 2, 5))
    return gradient_fault(
        lambda logits: function(logits, teacher, target, 2.0),
        lambda logits: word_kd_by_torch(logits, teacher, target, 2.0),
        student,
        "student_logits",
    )


WORD_KD = Exercise(
    lesson=4,
    title="The Word-KD loss",
    difficulty=3,
    minutes=15,
    task="Write `word_kd_loss(student_logits, teacher_logits, target, temperature)`: both logits "
    "(B, T, V), `target` "
    "(B, T) with `PAD` (0) after the shorter sentences, τ > 0. Return Kim & Rush's word-level loss "
    "$-\\sum_j\\sum_k q(k)\\,\\ln p(k)$, with teacher q and student p **both** softened by τ, "
    "summed over the "
    "**real** tokens, divided by **their number**, times **τ²** (the usual factor, which this "
    "lesson examines "
    "below). The loss is a torch scalar, and its gradient must reach `student_logits`: so no "
    "`.item()`, no "
    "`float()` and no numpy.",
    hints=(
        "q is a softmax of the teacher's logits / τ, ln p a log_softmax of the student's / τ, "
        "both over dim=2.",
        "Sum q · ln p over the vocabulary: one number a token (B, T). Then it is `masked_nll` of "
        "lesson 2 again.",
        "The target serves for one thing only: to tell real tokens from padding.",
    ),
    imports="from seqkd_lab.corpus.vocabulary import PAD",
    solution=word_kd_loss,
    wrong_answers=(
        _no_tau_squared,
        _tau_once,
        _divided_by_tau_squared,
        _sign,
        _padding_taught,
        _half_masked,
        _by_sentence,
        _mean_of_sentence_means,
        _not_divided,
        _mean_over_words,
        _wrong_axis,
        _soft_teacher_only,
        _soft_student_only,
        _multiplied_by_tau,
        _roles_swapped,
        _kl_not_cross_entropy,
        _without_logarithm,
        _gold_only,
        _teachers_best_only,
    ),
    cases=word_kd_cases,
    further=needs_a_gradient,
    insight="Its least value is not 0 but the teacher's entropy: a loss that stays high need not "
    "mean a bad student.",
)

EXERCISES = (WORD_KD, MIXED, GRADIENT)
