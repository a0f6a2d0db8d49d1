"""Exercises of lesson 2, the teacher: a loss that ignores padding, and perplexity."""

from __future__ import annotations

import math
import random
from statistics import geometric_mean

import torch
from torch.nn.functional import cross_entropy

from seqkd_lab.corpus.vocabulary import EOS, PAD
from seqkd_lab.lab.shared.exercises.batches import padded_targets
from seqkd_lab.lab.shared.exercises.exercise import Case, Exercise, Function, mistake
from seqkd_lab.lab.shared.exercises.gradients import gradient_fault


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
    """The same loss by torch's own function, which leaves padding out."""
    return cross_entropy(logits.flatten(0, 1).double(), target.flatten(), ignore_index=PAD)


def nll_batch(
    seed: int, lengths: tuple[int, ...], n_words: int
) -> tuple[torch.Tensor, torch.Tensor]:
    """Random logits (B, T, n_words) and targets (B, T) of sentences of these lengths."""
    target = padded_targets(seed, lengths, n_words)
    generator = torch.Generator().manual_seed(100 + seed)
    return 2.0 * torch.randn(*target.shape, n_words, generator=generator), target


def nll_cases() -> list[Case]:
    """Batches without padding first, then with it; no two of B, T and V are equal, some are 1.

    What must come out is torch's cross_entropy(ignore_index=PAD).
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
    """Says why no model could learn from the loss; None where its gradient is right."""
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


def perplexity(log_probs, n_tokens):
    """exp of the mean surprise per token; log_probs (nats) and n_tokens of each sentence."""
    return math.exp(-sum(log_probs) / sum(n_tokens))


@mistake(
    "this averages the sentences' perplexities: one short, hard sentence dominates the mean. "
    "Average the surprise over all tokens first."
)
def _mean_of_perplexities(log_probs, n_tokens):
    return sum(math.exp(-p / n) for p, n in zip(log_probs, n_tokens, strict=True)) / len(log_probs)


@mistake(
    "this averages the sentences' means: a token of a short sentence weighs more than a token of "
    "a long one."
)
def _of_the_mean_of_means(log_probs, n_tokens):
    return math.exp(-sum(p / n for p, n in zip(log_probs, n_tokens, strict=True)) / len(log_probs))


@mistake(
    "this divides by the number of sentences, so long sentences look worse: perplexity is per "
    "token."
)
def _by_sentences(log_probs, n_tokens):
    return math.exp(-sum(log_probs) / len(log_probs))


@mistake(
    "the sign: log-probabilities are negative, surprises positive; a perplexity is at least 1."
)
def _without_minus(log_probs, n_tokens):
    return math.exp(sum(log_probs) / sum(n_tokens))


@mistake(
    "the log-probabilities are in nats, so `exp` is their inverse. A power of 2 belongs to bits."
)
def _base_two(log_probs, n_tokens):
    return 2.0 ** (-sum(log_probs) / sum(n_tokens))


@mistake("this is the mean surprise in nats. The perplexity is `exp` of it.")
def _without_exp(log_probs, n_tokens):
    return -sum(log_probs) / sum(n_tokens)


@mistake(
    "this is 1 / p of the whole corpus: divide the surprise by the number of tokens before you "
    "take `exp`."
)
def _not_divided_by_tokens(log_probs, n_tokens):
    try:
        return math.exp(-sum(log_probs))
    except OverflowError:
        return math.inf


@mistake(
    "the product of the probabilities of a long corpus is too small for a floating-point number "
    "and becomes 0. Add log-probabilities instead."
)
def _product_of_probabilities(log_probs, n_tokens):
    return math.prod(map(math.exp, log_probs)) ** (-1.0 / sum(n_tokens))


def perplexity_cases() -> list[Case]:
    """A model that is certain, one that guesses among V words, random corpora, one of them long.

    What must come out is the geometric mean of 1/p over all tokens.
    """
    cases = [Case("a model that is certain of every word, and right", ([0.0, 0.0], [3, 5]), 1.0)]
    lengths = [2, 7, 4]
    cases.append(
        Case(
            "a model that guesses among 50 words",
            ([-n * math.log(50) for n in lengths], lengths),
            50.0,
        )
    )
    for seed, n_sentences in ((1, 4), (2, 5), (3, 1), (4, 300)):
        cases.append(_random_corpus(seed, n_sentences))
    return cases


def _random_corpus(seed: int, n_sentences: int) -> Case:
    """Sentences of 1 to 12 tokens of random probabilities."""
    chance = random.Random(seed)
    sentences = [
        [chance.uniform(0.05, 1.0) for _ in range(chance.randint(1, 12))]
        for _ in range(n_sentences)
    ]
    log_probs = [math.log(math.prod(sentence)) for sentence in sentences]
    expected = geometric_mean(1.0 / p for sentence in sentences for p in sentence)
    name = f"{n_sentences} sentence{'s' * (n_sentences > 1)} of random length"
    return Case(name, (log_probs, [len(sentence) for sentence in sentences]), expected)


PERPLEXITY = Exercise(
    lesson=2,
    title="Perplexity of a corpus",
    difficulty=1,
    minutes=5,
    task="Write `perplexity(log_probs, n_tokens)`. Both are lists with one entry for each "
    "sentence: "
    "$\\ln p(y \\mid x)$ of the whole translation in nats, and the number of its tokens. Return "
    "the perplexity of "
    "the corpus: `exp` of the mean surprise **per token**.",
    hints=(
        "The mean is over all tokens of the corpus, not over sentences.",
        "Sum the log-probabilities, divide by the sum of the tokens, mind the sign, then "
        "`math.exp`.",
    ),
    imports="import math",
    solution=perplexity,
    wrong_answers=(
        _mean_of_perplexities,
        _of_the_mean_of_means,
        _by_sentences,
        _without_minus,
        _base_two,
        _without_exp,
        _not_divided_by_tokens,
        _product_of_probabilities,
    ),
    cases=perplexity_cases,
    insight="A model that guesses among 50 equally probable words has a perplexity of 50. In "
    "lesson 06 a student's "
    "perplexity gets worse while its translations get better.",
)

EXERCISES = (MASKED_NLL, PERPLEXITY)
