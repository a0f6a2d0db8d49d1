"""Exercises of lesson 2, the teacher: a loss that ignores padding, and perplexity."""

from __future__ import annotations

import math
import random

import torch
from torch.nn.functional import cross_entropy

from seqkd_lab.corpus.vocabulary import EOS, PAD
from seqkd_lab.lab.exercises.exercise import Case, Exercise, WrongAnswer


def masked_nll(logits, target):
    """−Σ log p(y) over the real tokens / their number: logits (B, T, V), target (B, T), PAD behind each sentence."""
    log_p = logits.log_softmax(dim=2).gather(2, target[:, :, None]).squeeze(2)  # (B, T)
    real = target != PAD
    return -(log_p * real).sum() / real.sum()


def _per_token(logits, target):
    return -logits.log_softmax(dim=2).gather(2, target[:, :, None]).squeeze(2)


def _padding_counts(logits, target):
    return _per_token(logits, target).mean()


def _masked_but_divided_by_all(logits, target):
    return (_per_token(logits, target) * (target != PAD)).mean()


def _mean_of_sentence_means(logits, target):
    real = target != PAD
    return ((_per_token(logits, target) * real).sum(dim=1) / real.sum(dim=1)).mean()


def _per_sentence(logits, target):
    return (_per_token(logits, target) * (target != PAD)).sum() / len(target)


def _without_softmax(logits, target):
    real = target != PAD
    return -(logits.gather(2, target[:, :, None]).squeeze(2) * real).sum() / real.sum()


def padded_targets(seed: int, lengths: tuple[int, ...], n_words: int) -> torch.Tensor:
    """Random sentences (B, T) of these lengths, EOS among them, padded: ids 0..n_words − 1."""
    generator = torch.Generator().manual_seed(seed)
    target = torch.full((len(lengths), max(lengths)), PAD)
    for b, length in enumerate(lengths):
        target[b, : length - 1] = torch.randint(EOS + 1, n_words, (length - 1,), generator=generator)
        target[b, length - 1] = EOS
    return target


def nll_cases() -> list[Case]:
    """Batches with and without padding; what comes out is torch's cross_entropy(ignore_index=PAD)."""
    cases = []
    for seed, lengths in enumerate([(3, 3), (5, 2, 1), (1, 6), (4, 4, 3, 1)]):
        generator = torch.Generator().manual_seed(100 + seed)
        target = padded_targets(seed, lengths, 7)
        logits = 2.0 * torch.randn(*target.shape, 7, generator=generator)
        expected = cross_entropy(logits.flatten(0, 1).double(), target.flatten(), ignore_index=PAD)
        cases.append(Case(f"sentences of {', '.join(map(str, lengths))} tokens", (logits, target), expected))
    return cases


MASKED_NLL = Exercise(
    lesson=2, title="A loss that does not learn padding", difficulty=2, minutes=10,
    task="Write `masked_nll(logits, target)`: `logits` (B, T, V) are the model's scores of each next token, `target` "
         "(B, T) the right tokens, `PAD` (which is 0) behind the shorter sentences. Return "
         "$-\\sum \\ln p(y_j \\mid s, y_{<j})$ over all **real** tokens of the batch, divided by the **number of real "
         "tokens**.",
    hints=("`logits.log_softmax(dim=2)` gives log-probabilities; `gather(2, target[:, :, None])` picks the target's.",
           "`real = target != PAD` is a mask (B, T): use it in the sum and in the number to divide by."),
    imports="from seqkd_lab.corpus.vocabulary import PAD",
    solution=masked_nll,
    wrong_answers=(
        WrongAnswer(_padding_counts, "padding counts as words to predict: the model is taught to write padding, and a "
                                     "loss looks better the more padding a batch holds."),
        WrongAnswer(_masked_but_divided_by_all, "padding is masked in the sum, but still divides: a batch with much "
                                                "padding gets a smaller loss and a smaller step."),
        WrongAnswer(_mean_of_sentence_means, "this is the mean of the sentences' means: a word of a short sentence "
                                             "weighs more than a word of a long one."),
        WrongAnswer(_per_sentence, "this divides by the number of sentences; losses of batches with long and with "
                                   "short sentences would not compare. Divide by real tokens."),
        WrongAnswer(_without_softmax, "logits are not log-probabilities: without log_softmax a model lowers this loss "
                                      "by shouting louder at every word."),
    ),
    cases=nll_cases,
    insight="Gold, Word-KD and Seq-KD share this normalisation, so their curves can be laid over each other.",
)


def perplexity(log_probs, n_tokens):
    """exp of the mean surprise per token; log_probs (nats) and n_tokens of each sentence."""
    return math.exp(-sum(log_probs) / sum(n_tokens))


def _mean_of_perplexities(log_probs, n_tokens):
    return sum(math.exp(-p / n) for p, n in zip(log_probs, n_tokens, strict=True)) / len(log_probs)


def _by_sentences(log_probs, n_tokens):
    return math.exp(-sum(log_probs) / len(log_probs))


def _without_minus(log_probs, n_tokens):
    return math.exp(sum(log_probs) / sum(n_tokens))


def _base_two(log_probs, n_tokens):
    return 2.0 ** (-sum(log_probs) / sum(n_tokens))


def perplexity_cases() -> list[Case]:
    """A model that is sure, one that guesses among V words, and random sentences; by a geometric mean per token."""
    cases = [Case("a model that is sure of everything", ([0.0, 0.0], [3, 5]), 1.0)]
    lengths = [2, 7, 4]
    cases.append(Case("a model that guesses among 50 words", ([-n * math.log(50) for n in lengths], lengths), 50.0))
    for seed in (1, 2):
        chance = random.Random(seed)
        sentences = [[chance.uniform(0.05, 1.0) for _ in range(chance.randint(1, 12))] for _ in range(4)]
        every = torch.tensor([p for sentence in sentences for p in sentence], dtype=torch.float64)
        log_probs = [math.log(math.prod(sentence)) for sentence in sentences]
        expected = float((1.0 / every).prod() ** (1.0 / len(every)))
        cases.append(Case("four sentences of random length", (log_probs, [len(s) for s in sentences]), expected))
    return cases


PERPLEXITY = Exercise(
    lesson=2, title="Perplexity of a corpus", difficulty=1, minutes=5,
    task="Write `perplexity(log_probs, n_tokens)`: two lists, one entry for each sentence: ln p(target | source) in "
         "nats, and the number of its tokens. Return the corpus's perplexity: `exp` of the mean surprise **per "
         "token**.",
    hints=("The mean is over all tokens of the corpus, not over sentences.",
           "Sum the log-probabilities, divide by the sum of the tokens, mind the sign, then `math.exp`."),
    imports="import math",
    solution=perplexity,
    wrong_answers=(
        WrongAnswer(_mean_of_perplexities, "this averages the sentences' perplexities: one short, hard sentence rules "
                                           "the mean. Average the surprise over all tokens first."),
        WrongAnswer(_by_sentences, "this divides by sentences, so long sentences look worse: perplexity is per token."),
        WrongAnswer(_without_minus, "the sign: log-probabilities are negative, surprises positive; a perplexity is at "
                                    "least 1."),
        WrongAnswer(_base_two, "the log-probabilities are in nats: `exp` takes them back, 2 to the power would need "
                               "bits."),
    ),
    cases=perplexity_cases,
    insight="A perplexity of 50 is a guess among 50 equally likely words. In lesson 6 it gets worse while the "
            "translations get better.",
)

EXERCISES = (MASKED_NLL, PERPLEXITY)
