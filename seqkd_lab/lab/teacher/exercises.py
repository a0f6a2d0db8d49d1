"""Exercises of lesson 2, the teacher: a loss that leaves padding out (here), and perplexity."""

from __future__ import annotations

import math

import torch
from torch.nn.functional import cross_entropy

from seqkd_lab.corpus.vocabulary import EOS, PAD
from seqkd_lab.lab.shared.exercises.batches import padded_targets
from seqkd_lab.lab.shared.exercises.exercise import Case, Exercise, Function, mistake
from seqkd_lab.lab.shared.exercises.gradients import gradient_fault
from seqkd_lab.lab.teacher.perplexity_exercise import PERPLEXITY


def masked_nll(logits, target):
    """−Σ ln p(y) over the real tokens / their number: logits (B, T, V), target (B, T), PAD after
    each sentence."""
    log_p = logits.log_softmax(dim=2).gather(2, target[:, :, None]).squeeze(2)  # (B, T)
    real = target != PAD
    return -(log_p * real).sum() / real.sum()


def _surprise(logits, target, axis=2):
    return -logits.log_softmax(dim=axis).gather(2, target[:, :, None]).squeeze(2)


@mistake(
    "padding counts as words to predict: the model learns to write padding, and the loss depends "
    "on how much padding a batch holds."
)
def _padding_counts(logits, target):
    return _surprise(logits, target).mean()


@mistake(
    "padding is left out of the sum but still counts in the number that divides it: a batch with "
    "much padding gets a smaller loss and a smaller gradient."
)
def _masked_but_divided_by_all(logits, target):
    return (_surprise(logits, target) * (target != PAD)).mean()


@mistake(
    "this is the mean of the sentences' means: a word of a short sentence weighs more than a word "
    "of a long one."
)
def _mean_of_sentence_means(logits, target):
    real = target != PAD
    return ((_surprise(logits, target) * real).sum(dim=1) / real.sum(dim=1)).mean()


@mistake(
    "this is the mean of the positions' means: the last words of the longest sentence weigh more "
    "than all others."
)
def _mean_of_position_means(logits, target):
    real = target != PAD
    return ((_surprise(logits, target) * real).sum(dim=0) / real.sum(dim=0)).mean()


@mistake(
    "this divides by the number of sentences, so a batch of long sentences has a larger loss. "
    "Divide by the number of real tokens."
)
def _per_sentence(logits, target):
    return (_surprise(logits, target) * (target != PAD)).sum() / len(target)


@mistake(
    "this is the sum over the batch: divide by the number of real tokens, or a larger batch has a "
    "larger loss."
)
def _not_divided(logits, target):
    return (_surprise(logits, target) * (target != PAD)).sum()


@mistake(
    "the sign: ln p is negative, and the loss must fall when the right tokens become more probable."
)
def _sign(logits, target):
    return -masked_nll(logits, target)


@mistake(
    "this is in bits, a logarithm to the base 2. The losses of this lab are in nats: take the "
    "natural logarithm."
)
def _in_bits(logits, target):
    return masked_nll(logits, target) / math.log(2)


@mistake(
    "softmax over dim 1 compares the positions of a sentence. The words of the vocabulary lie "
    "along dim 2."
)
def _wrong_axis(logits, target):
    return _surprise(logits, target, axis=1)[target != PAD].mean()


@mistake(
    "the logarithm is missing: this is the mean probability of the right tokens, not of its "
    "logarithm."
)
def _without_logarithm(logits, target):
    return -logits.softmax(dim=2).gather(2, target[:, :, None]).squeeze(2)[target != PAD].mean()


@mistake(
    "logits are not log-probabilities. Without log_softmax a model lowers this loss by raising "
    "all logits at once, and learns nothing about the words."
)
def _without_softmax(logits, target):
    return -logits.gather(2, target[:, :, None]).squeeze(2)[target != PAD].mean()


@mistake(
    "this is the mean over all words of the vocabulary. Only the probability of the right token "
    "counts: pick it with gather."
)
def _over_the_vocabulary(logits, target):
    return -logits.log_softmax(dim=2)[target != PAD].mean()


@mistake(
    "the end of the sentence is left out. It is a token that the model has to predict, too: only "
    "padding is not."
)
def _without_the_end(logits, target):
    return _surprise(logits, target)[(target != PAD) & (target != EOS)].mean()


@mistake(
    "the logits are compared with the token after the right one. `target` is already shifted: the "
    "logits at position j belong to the target at position j."
)
def _shifted(logits, target):
    return masked_nll(logits[:, :-1], target[:, 1:])


@mistake(
    "this takes the model's most probable token at each position. The loss is about the right "
    "token, in `target`."
)
def _its_own_best(logits, target):
    return -logits.log_softmax(dim=2).amax(dim=2)[target != PAD].mean()


def nll_by_torch(logits: torch.Tensor, target: torch.Tensor) -> torch.Tensor:
    """Compute the same loss by torch's own function, which leaves padding out."""
    return cross_entropy(logits.flatten(0, 1).double(), target.flatten(), ignore_index=PAD)


def nll_batch(
    seed: int, lengths: tuple[int, ...], n_words: int
) -> tuple[torch.Tensor, torch.Tensor]:
    """Draw random logits (B, T, n_words) and targets (B, T) of sentences of these lengths."""
    target = padded_targets(seed, lengths, n_words)
    generator = torch.Generator().manual_seed(100 + seed)
    return 2.0 * torch.randn(*target.shape, n_words, generator=generator), target


def nll_cases() -> list[Case]:
    """Return batches without padding first, then with it; no two of B, T and V are equal, some are
    1.

    The expected loss is torch's cross_entropy(ignore_index=PAD).
    """
    cases = []
    for seed, (lengths, n_words) in enumerate(
        [
            ((3, 3), 7),
            ((5, 2, 1), 7),
            ((1, 6), 9),
            ((5, 4, 3, 1), 8),
            ((2, 1, 2, 1, 1), 6),
            ((4,), 5),
        ]
    ):
        batch = nll_batch(seed, lengths, n_words)
        cases.append(
            Case(f"sentences of {', '.join(map(str, lengths))} tokens", batch, nll_by_torch(*batch))
        )
    return cases


def nll_gradient_fault(function: Function) -> str | None:
    """Return why no model could learn from the loss, or None if its gradient is right."""
    logits, target = nll_batch(9, (3, 2, 5), 7)
    return gradient_fault(
        lambda z: function(z, target), lambda z: nll_by_torch(z, target), logits, "logits"
    )


MASKED_NLL = Exercise(
    lesson=2,
    title="A loss that leaves padding out",
    difficulty=2,
    minutes=10,
    task="Write `masked_nll(logits, target)`. `logits` (B, T, V) are the model's scores of every "
    "next token. `target` "
    "(B, T) holds the ids of the right tokens, with `PAD` (which is 0) after the end of the "
    "shorter sentences. "
    "Return $-\\sum \\ln p(y_j \\mid x, y_{<j})$ over all **real** tokens of the batch, divided by "
    "the "
    "**number of real tokens**. The result is a torch scalar, and its gradient must reach "
    "`logits`: so no "
    "`.item()`, no `float()` and no numpy.",
    hints=(
        "`logits.log_softmax(dim=2)` gives log-probabilities; `gather(2, target[:, :, None])` "
        "picks the target's.",
        "`real = target != PAD` is a mask (B, T): use it in the sum and in the number to divide "
        "by.",
    ),
    imports="from seqkd_lab.corpus.vocabulary import PAD",
    solution=masked_nll,
    wrong_answers=(
        _padding_counts,
        _masked_but_divided_by_all,
        _mean_of_sentence_means,
        _mean_of_position_means,
        _per_sentence,
        _not_divided,
        _sign,
        _in_bits,
        _wrong_axis,
        _without_logarithm,
        _without_softmax,
        _over_the_vocabulary,
        _without_the_end,
        _shifted,
        _its_own_best,
    ),
    cases=nll_cases,
    further=nll_gradient_fault,
    insight="Gold, Word-KD and Seq-KD share this normalisation, so their curves can be laid over "
    "each other.",
)


EXERCISES = (MASKED_NLL, PERPLEXITY)
