"""Exercises of lesson 4, word-level distillation: the loss, the mixed target, and the gradient of each word."""

from __future__ import annotations

import math
import random

import torch
from torch import Tensor
from torch.nn.functional import cross_entropy, kl_div

from seqkd_lab.corpus.vocabulary import PAD
from seqkd_lab.lab.exercises.exercise import Case, Exercise, Function, WrongAnswer
from seqkd_lab.lab.exercises.lesson_02 import padded_targets


def word_kd_loss(student_logits, teacher_logits, target, temperature):
    """−τ² Σ q log p over words and real tokens / real tokens: logits (B, T, V), target (B, T)."""
    q = (teacher_logits / temperature).softmax(dim=2)
    log_p = (student_logits / temperature).log_softmax(dim=2)
    per_token = -(q * log_p).sum(dim=2)  # (B, T)
    real = target != PAD
    return temperature**2 * (per_token * real).sum() / real.sum()


def _cross(student_logits, teacher_logits, temperature):
    q = (teacher_logits / temperature).softmax(dim=2)
    return -(q * (student_logits / temperature).log_softmax(dim=2)).sum(dim=2)


def _no_tau_squared(student_logits, teacher_logits, target, temperature):
    return word_kd_loss(student_logits, teacher_logits, target, temperature) / temperature**2


def _padding_taught(student_logits, teacher_logits, target, temperature):
    return temperature**2 * _cross(student_logits, teacher_logits, temperature).mean()


def _by_sentence(student_logits, teacher_logits, target, temperature):
    per_token = _cross(student_logits, teacher_logits, temperature)
    return temperature**2 * (per_token * (target != PAD)).sum() / len(target)


def _mean_over_words(student_logits, teacher_logits, target, temperature):
    return word_kd_loss(student_logits, teacher_logits, target, temperature) / student_logits.shape[2]


def _soft_teacher_only(student_logits, teacher_logits, target, temperature):
    per_token = _cross(temperature * student_logits, teacher_logits, temperature)
    real = target != PAD
    return temperature**2 * (per_token * real).sum() / real.sum()


def _roles_swapped(student_logits, teacher_logits, target, temperature):
    return word_kd_loss(teacher_logits, student_logits, target, temperature)


def _kl_not_cross_entropy(student_logits, teacher_logits, target, temperature):
    own = word_kd_loss(teacher_logits, teacher_logits, target, temperature)
    return word_kd_loss(student_logits, teacher_logits, target, temperature) - own


def word_kd_by_torch(student: Tensor, teacher: Tensor, target: Tensor, temperature: float) -> Tensor:
    """τ² (KL(q ‖ p) + H(q)) over the real tokens by torch's own functions: cross-entropy taken apart."""
    real = target != PAD
    q = (teacher[real].double() / temperature).softmax(dim=1)
    log_p = (student[real].double() / temperature).log_softmax(dim=1)
    entropy = torch.distributions.Categorical(probs=q).entropy().sum()
    return temperature**2 * (kl_div(log_p, q, reduction="sum") + entropy) / real.sum()


def word_kd_batch(seed: int, lengths: tuple[int, ...]) -> tuple[Tensor, Tensor, Tensor]:
    """Random student and teacher logits (B, T, 6) and targets (B, T)."""
    generator = torch.Generator().manual_seed(seed)
    target = padded_targets(seed, lengths, 6)
    student, teacher = (2.0 * torch.randn(*target.shape, 6, generator=generator) for _ in range(2))
    return student, teacher, target


def word_kd_cases() -> list[Case]:
    """τ = 1 without padding first, then padding, then other temperatures."""
    settings = [((3, 3), 1.0), ((5, 2, 1), 1.0), ((4, 4), 2.0), ((6, 3, 1), 3.0), ((2, 5), 0.5)]
    cases = []
    for seed, (lengths, temperature) in enumerate(settings):
        batch = word_kd_batch(seed, lengths)
        name = f"sentences of {', '.join(map(str, lengths))} tokens, τ = {temperature:g}"
        cases.append(Case(name, (*batch, temperature), word_kd_by_torch(*batch, temperature)))
    return cases


def needs_a_gradient(function: Function) -> str | None:
    """In words what is wrong when a loss made of tensors does not reach the student. A loss in numpy is let pass."""
    student, teacher, target = word_kd_batch(9, (3, 2))
    try:
        loss = function(student.requires_grad_(), teacher, target, 2.0)
    except Exception:  # numpy refuses tensors that want a gradient; the values were right
        return None
    if isinstance(loss, Tensor) and not loss.requires_grad:
        return ("The values are right, but no gradient flows from the loss to the student: it could never learn. Look "
                "for `.detach()`, `.item()`, `.tolist()` or `torch.no_grad()` on the student's way.")
    return None


WORD_KD = Exercise(
    lesson=4, title="The Word-KD loss", difficulty=3, minutes=15,
    task="Write `word_kd_loss(student_logits, teacher_logits, target, temperature)`: both logits (B, T, V), `target` "
         "(B, T) with `PAD` (0) behind the shorter sentences, τ > 0. Return Kim & Rush's word-level loss "
         "$-\\sum_j\\sum_k q(k)\\,\\ln p(k)$, with teacher q and student p **both** softened by τ, summed over the "
         "**real** tokens, divided by **their number**, times **τ²** (so that gradients keep their size).",
    hints=("q is a softmax of the teacher's logits / τ, ln p a log_softmax of the student's / τ, both over dim=2.",
           "Sum q · ln p over the vocabulary: one number a token (B, T). Then it is `masked_nll` of lesson 2 again.",
           "The target serves for one thing only: to tell real tokens from padding."),
    imports="from seqkd_lab.corpus.vocabulary import PAD",
    solution=word_kd_loss,
    wrong_answers=(
        WrongAnswer(_no_tau_squared, "τ² is missing. Softened gradients shrink by 1/τ²: without the factor Word-KD "
                                     "fades beside NLL as τ grows."),
        WrongAnswer(_padding_taught, "padding counts: there the teacher's distribution means nothing, and the student "
                                     "is made to learn it."),
        WrongAnswer(_by_sentence, "this divides by the number of sentences. Divide by real tokens, or α would mix "
                                  "two losses of different size."),
        WrongAnswer(_mean_over_words, "this is a mean over the vocabulary, V times too small; over k it is a sum, an "
                                      "expectation under q. (The default reduction of kl_div makes this mistake.)"),
        WrongAnswer(_soft_teacher_only, "only the teacher is softened. With τ on both sides the student's best answer "
                                        "is the teacher itself; so it would be a blurred one."),
        WrongAnswer(_roles_swapped, "teacher and student have changed places: the weights are the teacher's q, the "
                                    "logarithm the student's p."),
        WrongAnswer(_kl_not_cross_entropy, "this is KL(q ‖ p): the teacher's entropy is taken away. The gradient is "
                                           "the same, but the paper's loss, and its curve, is the cross-entropy."),
    ),
    cases=word_kd_cases, further=needs_a_gradient,
    insight="Its least value is not 0 but the teacher's entropy: a loss that stays high need not mean a bad student.",
)


def mixed_target(gold, teacher_probabilities, alpha):
    """α · q + (1 − α) · [k = gold]: gold is a word's number, teacher_probabilities a list of V; returns V numbers."""
    return [alpha * q + (1 - alpha) * (k == gold) for k, q in enumerate(teacher_probabilities)]


def _alpha_on_gold(gold, teacher_probabilities, alpha):
    return mixed_target(gold, teacher_probabilities, 1 - alpha)


def _gold_added(gold, teacher_probabilities, alpha):
    return [alpha * q + (k == gold) for k, q in enumerate(teacher_probabilities)]


def _gold_replaced(gold, teacher_probabilities, alpha):
    return [(1 - alpha) if k == gold else alpha * q for k, q in enumerate(teacher_probabilities)]


def mixing_cases() -> list[Case]:
    """Each α on random teachers; the mixture by torch's linear interpolation between one-hot and q."""
    cases = []
    for seed, alpha in enumerate((0.5, 0.0, 1.0, 0.9, 0.3)):
        chance = random.Random(seed)
        weights = [chance.random() ** 2 for _ in range(5)]
        q, gold = [w / sum(weights) for w in weights], chance.randrange(5)
        one_hot = torch.nn.functional.one_hot(torch.tensor(gold), 5).double()
        cases.append(Case(f"α = {alpha:g}", (gold, q, alpha), one_hot.lerp(torch.tensor(q).double(), alpha)))
    return cases


MIXED = Exercise(
    lesson=4, title="The target that α mixes", difficulty=1, minutes=5,
    task="α · Word-KD + (1 − α) · NLL at τ = 1 is *one* cross-entropy, against a mixed target. Write "
         "`mixed_target(gold, teacher_probabilities, alpha)`: the gold word's number, the teacher's V probabilities, "
         "α; return the V numbers of the mixed target.",
    hints=("NLL is a cross-entropy too: against a distribution that gives gold probability 1.",
           "α belongs to the teacher, 1 − α to gold. The result must sum to 1."),
    solution=mixed_target,
    wrong_answers=(
        WrongAnswer(_alpha_on_gold, "α and 1 − α have changed places: in the paper α weighs the teacher, α = 0 is "
                                    "training on gold alone."),
        WrongAnswer(_gold_added, "gold is added with its full weight: the sum is above 1. It gets 1 − α."),
        WrongAnswer(_gold_replaced, "gold's place lost the teacher's share: the sum is below 1. The teacher believes "
                                    "in the gold word too."),
    ),
    cases=mixing_cases,
    insight="With a teacher near the truth the mixture is gold with its noise taken out.",
)


def word_gradient(student_logits, teacher_probabilities, gold, alpha):
    """∂ loss / ∂ logit of each word = p − mixed target, at τ = 1: lists of V numbers in and out."""
    largest = max(student_logits)
    weights = [math.exp(z - largest) for z in student_logits]
    p = [w / sum(weights) for w in weights]
    mixed = [alpha * q + (1 - alpha) * (k == gold) for k, q in enumerate(teacher_probabilities)]
    return [p_k - target_k for p_k, target_k in zip(p, mixed, strict=True)]


def _downhill(student_logits, teacher_probabilities, gold, alpha):
    return [-g for g in word_gradient(student_logits, teacher_probabilities, gold, alpha)]


def _gold_alone(student_logits, teacher_probabilities, gold, alpha):
    return word_gradient(student_logits, teacher_probabilities, gold, 0.0)


def _alpha_swapped(student_logits, teacher_probabilities, gold, alpha):
    return word_gradient(student_logits, teacher_probabilities, gold, 1 - alpha)


def _of_log_probabilities(student_logits, teacher_probabilities, gold, alpha):
    return [-target for target in mixed_target(gold, teacher_probabilities, alpha)]


def gradient_cases() -> list[Case]:
    """What autograd finds for the loss as it is written: α · cross-entropy with q + (1 − α) · NLL."""
    cases = []
    for seed, alpha in enumerate((0.5, 0.0, 1.0, 0.8)):
        generator = torch.Generator().manual_seed(seed)
        logits = torch.randn(5, generator=generator, dtype=torch.float64)
        q = torch.randn(5, generator=generator, dtype=torch.float64).softmax(dim=0)
        gold, given = seed % 5, logits.tolist()
        logits.requires_grad_()
        loss = alpha * cross_entropy(logits, q) + (1 - alpha) * cross_entropy(logits, torch.tensor(gold))
        expected = torch.autograd.grad(loss, logits)[0]
        cases.append(Case(f"α = {alpha:g}", (given, q.tolist(), gold, alpha), expected))
    return cases


GRADIENT = Exercise(
    lesson=4, title="What each word of the vocabulary feels", difficulty=3, minutes=12,
    task="Write `word_gradient(student_logits, teacher_probabilities, gold, alpha)`: the gradient of "
         "α · Word-KD + (1 − α) · NLL with respect to each of the V logits, at one position and τ = 1. Lists of V "
         "numbers; `gold` is the gold word's number. (By formula, or by `torch.autograd`: both are right.)",
    hints=("The gradient of a cross-entropy against *any* target distribution has one short form.",
           "It is the student's softmax minus the target, and the target is `mixed_target`."),
    imports="import math",
    solution=word_gradient,
    wrong_answers=(
        WrongAnswer(_downhill, "the sign: this is the step that lowers the loss. The gradient points uphill: p − "
                               "target."),
        WrongAnswer(_gold_alone, "the teacher is missing: this is the gradient of NLL alone, which pushes every word "
                                 "but gold down, right ones too."),
        WrongAnswer(_alpha_swapped, "α and 1 − α have changed places: α weighs the teacher."),
        WrongAnswer(_of_log_probabilities, "this is the gradient with respect to ln p. The logits go through the "
                                           "softmax, which adds p."),
    ),
    cases=gradient_cases,
    insight="Where NLL pushes a good synonym down, the mixed target holds it: this is all that “dark knowledge” does "
            "to a weight.",
)

EXERCISES = (WORD_KD, MIXED, GRADIENT)
