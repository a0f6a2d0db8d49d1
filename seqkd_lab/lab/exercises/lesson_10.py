"""Exercises of lesson 10, speculative sampling: which proposed words stand, and what replaces the first that does not.

An answer is judged by what it leads to: thousands of words are proposed from a small law p, pass through the learner's
half of the rule and the right other half, and what comes out is counted against q.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import torch
from scipy.stats import chisquare
from torch import Tensor

from seqkd_lab.lab.exercises.comparing import kind, shown
from seqkd_lab.lab.exercises.exercise import Case, Exercise, WrongAnswer

N_PROPOSED, LEAST_P = 4_000, 1e-6
"""Proposals of a case, and the p-value of the χ² test below which an answer is refused."""
LAWS = {  # name: (p, q), a word a place
    "a draft that is too sure": ((0.7, 0.1, 0.1, 0.1), (0.4, 0.3, 0.2, 0.1)),
    "a draft that is not sure enough": ((0.25, 0.25, 0.2, 0.15, 0.15), (0.8, 0.05, 0.05, 0.05, 0.05)),
    "a draft that likes what the target never writes": ((0.3, 0.2, 0.3, 0.2), (0.2, 0.0, 0.3, 0.5)),
}


def accepted(p, q, r):
    """Which proposed words stand: r below min(1, q / p), for probabilities p, q and random numbers r of one shape."""
    return r < torch.clamp(q / p, max=1.0)


def residual(p, q):
    """(q − p)₊ / Σ(q − p)₊ for laws p and q (V,); q itself where nothing is left."""
    more = (q - p).clamp(min=0.0)
    return more / more.sum() if more.sum() > 0 else q


def against(q: Tensor, words: Tensor) -> str | None:
    """In words how the `words` that came out (N,) fail to follow q (V,); None where the χ² test finds nothing."""
    counts, wanted = torch.bincount(words, minlength=len(q)), len(words) * q.double() / q.double().sum()
    for word in range(len(q)):
        if q[word] == 0 and counts[word]:
            return (f"word {word}, which the target never writes, came out {counts[word]:,} times of {len(words):,}")
    possible = q > 0
    p_value = float(chisquare(counts[possible].numpy(), wanted[possible].numpy()).pvalue)
    if p_value >= LEAST_P:
        return None
    tiny = f"= {p_value:.0e}" if p_value > 1e-99 else "< 1e-99"
    worst = int(((counts - wanted).abs() * possible).argmax())
    return (f"what comes out does not follow the target: of {len(words):,} words, word {worst} came {counts[worst]:,} "
            f"times where the target's law wants {wanted[worst]:,.0f} (χ² test: p {tiny})")


def proposals(p: Tensor, seed: int) -> tuple[Tensor, Tensor]:
    """N_PROPOSED words drawn from p, and as many random numbers from [0, 1)."""
    generator = torch.Generator().manual_seed(seed)
    return p.multinomial(N_PROPOSED, replacement=True, generator=generator), torch.rand(N_PROPOSED, generator=generator)


def redrawn(stands: Tensor, words: Tensor, law: Tensor, seed: int) -> Tensor:
    """`words` (N,) with those that do not stand drawn again from `law` (V,)."""
    generator = torch.Generator().manual_seed(seed)
    return torch.where(stands, words, law.multinomial(len(words), replacement=True, generator=generator))


def faulty_decisions(q: Tensor, words: Tensor, law: Tensor, seed: int) -> Callable[[Any], str | None]:
    """What is wrong with an answer about `words`: its form, or what comes out when refused words follow `law`."""
    def fault(found: Any) -> str | None:
        """In words what is wrong with the decisions `found`; None where nothing is."""
        if not isinstance(found, list):
            return f"your function gave {kind(found)} instead of {len(words):,} truth values, one for each word"
        if len(found) != len(words):
            return f"your function gave {len(found):,} values instead of {len(words):,}, one for each word"
        other = next((value for value in found if value not in (True, False)), None)
        if other is not None:
            return f"your function gave {shown(other)} for a word: True (it stands) or False is asked for"
        return against(q, redrawn(torch.tensor(found) == 1, words, law, seed))

    return fault


def faulty_law(p: Tensor, q: Tensor, words: Tensor, r: Tensor, seed: int) -> Callable[[Any], str | None]:
    """What is wrong with a law as an answer: its form, its sum, or what comes out when refused words follow it."""
    def fault(found: Any) -> str | None:
        """In words what is wrong with the law `found`; None where nothing is."""
        if not isinstance(found, list) or not all(isinstance(value, float) for value in found):
            return f"your function gave {shown(found)} instead of {len(q)} probabilities, one for each word"
        if len(found) != len(q):
            return f"your function gave {len(found)} values instead of {len(q)} probabilities"
        law = torch.tensor(found, dtype=torch.float64)
        if not bool(torch.isfinite(law).all()) or float(law.min()) < -1e-6:
            return f"your function gave {shown(found)}: a probability is a number from 0 to 1"
        if abs(float(law.sum()) - 1.0) > 1e-4:
            return f"your function gave {shown(found)}, which sums to {law.sum():.4g}: a law sums to 1"
        return against(q, redrawn(r * p[words] < q[words], words, law.clamp(min=0.0), seed))

    return fault


def right_residual(p: Sequence[float], q: Sequence[float]) -> list[float]:
    """The residual, word by word."""
    more = [max(0.0, y - x) for x, y in zip(p, q, strict=True)]
    return [each / sum(more) for each in more]


def accepted_cases() -> list[Case]:
    """Many words under each of LAWS, then single words of which the answer is certain whatever r says."""
    cases = []
    for seed, (name, laws) in enumerate(LAWS.items()):
        p, q = map(torch.tensor, laws)
        words, r = proposals(p, seed)
        drawn = zip(p[words].tolist(), q[words].tolist(), r.tolist(), strict=True)
        expected = [y >= x or s * x < y for x, y, s in drawn]
        fault = faulty_decisions(q, words, torch.tensor(right_residual(*laws)), 10 + seed)
        cases.append(Case(name, (p[words], q[words], r), expected, fault))
    likes, never = ((0.1, 0.05, 0.3), (0.4, 0.9, 0.3)), ((0.5, 0.9), (0.0, 0.0))
    return [
        *cases,
        Case("words that the target likes as much or more: they stand", (*map(torch.tensor, likes), torch.tensor(
            (0.5, 0.99, 0.01))), [True] * 3),
        Case("words that the target never writes: they do not", (*map(torch.tensor, never), torch.tensor(
            (0.4, 0.6))), [False] * 2),
    ]


def _always(p, q, r):
    return torch.ones_like(p, dtype=torch.bool)


def _inverted_ratio(p, q, r):
    return r < torch.clamp(p / q, max=1.0)


def _below_target(p, q, r):
    return r < q


def _where_the_target_likes_it_more(p, q, r):
    return q >= p


def _refused(p, q, r):
    return r >= torch.clamp(q / p, max=1.0)


def _chance_alone(p, q, r):
    return torch.clamp(q / p, max=1.0)


def _below_draft(p, q, r):
    return r < p


ACCEPTED = Exercise(
    lesson=10, title="Which words stand", difficulty=1, minutes=6,
    task="A draft has proposed words. Write `accepted(p, q, r)`: three torch tensors of one shape (N,). `p` holds the "
         "probability that the **draft** gave to each proposed word, `q` the one that the **target** gives to the same "
         "word, `r` random numbers, evenly spread over [0, 1). Return N truth values: True where the word stands. "
         "It must stand with the probability min(1, q / p).",
    hints=("A random number r from [0, 1) lies below x with probability x, for every x from 0 to 1.",
           "`torch.clamp(q / p, max=1.0)` is min(1, q / p) for all words at once (Python's own `min` cannot do it); "
           "compare r with it."),
    imports="import torch",
    solution=accepted,
    wrong_answers=(
        WrongAnswer(_always, "every word stands, so what comes out is the draft's law. Where the draft gives a word "
                             "more than the target does, some of its proposals must go."),
        WrongAnswer(_inverted_ratio, "the ratio is turned round. A word is refused for being *too* likely by the "
                                     "draft: the target's probability stands above, the draft's below."),
        WrongAnswer(_below_target, "this accepts with probability q. The word has been proposed already, which "
                                   "happens with probability p: together that is p · q and not q. Divide by p."),
        WrongAnswer(_where_the_target_likes_it_more, "this uses no chance: a word to which the draft gives a little "
                                                     "too much never comes through. It ought to, with q / p."),
        WrongAnswer(_refused, "this is True where a word is refused. Asked is where it stands."),
        WrongAnswer(_chance_alone, "this is the chance to stand, not the decision: compare r with it."),
        WrongAnswer(_below_draft, "the target is not asked at all: r is compared with the draft's probability."),
    ),
    cases=accepted_cases,
    insight="Proposed with p and kept with min(1, q / p): each word comes through with min(p, q), the part that both "
            "laws share.",
)


def residual_cases() -> list[Case]:
    """What comes out under each of LAWS; then laws of two words, an absent draft, and equal laws."""
    cases = []
    for seed, (name, laws) in enumerate(LAWS.items()):
        p, q = map(torch.tensor, laws)
        cases.append(Case(name, (p, q), right_residual(*laws), faulty_law(p, q, *proposals(p, seed), 20 + seed)))
    by_hand = {"two words": ((0.7, 0.3), (0.4, 0.6), [0.0, 1.0]),
               "no proposal at all: p is 0 everywhere": ((0.0,) * 3, (0.5, 0.3, 0.2), [0.5, 0.3, 0.2]),
               "equal laws: nothing is left": ((0.25, 0.75), (0.25, 0.75), [0.25, 0.75])}
    return cases + [Case(name, tuple(map(torch.tensor, laws)), right) for name, (*laws, right) in by_hand.items()]


def _target_again(p, q):
    return q


def _not_normalised(p, q):
    return (q - p).clamp(min=0.0)


def _absolute(p, q):
    return (q - p).abs() / (q - p).abs().sum() if (q != p).any() else q


def _other_way(p, q):
    more = (p - q).clamp(min=0.0)
    return more / more.sum() if more.sum() > 0 else q


def _not_cut(p, q):
    return (q - p) / (q - p).sum()


def _softmax(p, q):
    return (q - p).softmax(dim=0)


def _without_equal_laws(p, q):
    more = (q - p).clamp(min=0.0)
    return more / more.sum()


def _most_missing(p, q):
    return torch.nn.functional.one_hot((q - p).argmax(), len(q)).float() if (q - p).max() > 0 else q


RESIDUAL = Exercise(
    lesson=10, title="What replaces a refused word", difficulty=2, minutes=7,
    task="Of a refused word's place we know two laws: `p` and `q`, torch tensors (V,) with the probability of every "
         "word by draft and target. Accepted proposals have brought each word with probability min(p, q) so far. "
         "Write `residual(p, q)`: the law (V,) of the word that is drawn in place of the refused one, such that both "
         "together are q. It sums to 1. Where p = q nothing is missing: return q then.",
    hints=("What is missing of each word? q − min(p, q), which is q − p where that is positive, and 0 elsewhere.",
           "`.clamp(min=0.0)` cuts off what is negative. Then divide by the sum.",
           "When the sum is 0 there is nothing to divide by: look at it first."),
    imports="import torch",
    solution=residual,
    wrong_answers=(
        WrongAnswer(_target_again, "this draws from q again. Words that both models like have come through by being "
                                   "accepted; drawn once more from q they get too much."),
        WrongAnswer(_not_normalised, "the numbers are right in proportion but do not sum to 1: divide by their sum."),
        WrongAnswer(_absolute, "words of which the draft has too *much* are in it as well: |q − p| counts both sides. "
                               "Only what is missing belongs here."),
        WrongAnswer(_other_way, "this is what the draft has too much of. Drawn is what is missing: q − p."),
        WrongAnswer(_not_cut, "negative differences are not cut off, so all together sum to 0: cut first, then "
                              "divide."),
        WrongAnswer(_softmax, "a softmax gives every word something, also those that the draft has brought already."),
        WrongAnswer(_without_equal_laws, "where p = q the sum is 0, and 0 / 0 is not a number."),
        WrongAnswer(_most_missing, "the word that is missing most is always taken. The others are missing, too: it is "
                                   "a law, from which is drawn."),
    ),
    cases=residual_cases,
    insight="min(p, q) + (q − p)₊ = q: what stands and what is drawn anew are the target's own law, whatever the draft "
            "was.",
)

EXERCISES = (ACCEPTED, RESIDUAL)
