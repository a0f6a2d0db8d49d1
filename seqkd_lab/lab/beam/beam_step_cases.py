"""Cases of the exercise on one step of beam search, with what torch's topk returns for them."""

from __future__ import annotations

from collections.abc import Sequence

import torch

from seqkd_lab.lab.beam.ranking_exercise import END, Pair
from seqkd_lab.lab.shared.exercises.exercise import Case

WORDS = ("das", "die", "Auto", "rot", "war", END)


def expected_beam(hypotheses, next_log_probs, beam_size) -> list[Pair]:
    """Return the same by torch: scores (K, V + 1), the last column for those that stay as they
    are, and one topk."""
    vocabulary = list(next_log_probs[0])
    scores = torch.full((len(hypotheses), len(vocabulary) + 1), float("-inf"), dtype=torch.float64)
    for k, ((words, log_prob), after) in enumerate(zip(hypotheses, next_log_probs, strict=True)):
        if words and words[-1] == END:
            scores[k, -1] = log_prob
        else:
            scores[k, :-1] = log_prob + torch.tensor(
                [after[word] for word in vocabulary], dtype=torch.float64
            )
    n_possible = int(torch.isfinite(scores).sum())
    best, cells = scores.flatten().topk(min(beam_size, n_possible))
    rows = [divmod(cell, len(vocabulary) + 1) for cell in cells.tolist()]
    kept = [hypotheses[k][0] + (() if w == len(vocabulary) else (vocabulary[w],)) for k, w in rows]
    return list(zip(kept, best.tolist(), strict=True))


def _next_words(n_hypotheses: int, vocabulary: Sequence[str], seed: int) -> list[dict[str, float]]:
    """Return random distributions of the next word, as log-probabilities, one for each
    hypothesis."""
    generator = torch.Generator().manual_seed(seed)
    logits = 1.5 * torch.randn(
        n_hypotheses, len(vocabulary), generator=generator, dtype=torch.float64
    )
    return [dict(zip(vocabulary, row, strict=True)) for row in logits.log_softmax(dim=1).tolist()]


LONG = ("das", "rot", "rot", "Auto")


BEAMS: tuple[tuple[str, list[Pair], int], ...] = (
    ("the first step, K = 2", [((), 0.0)], 2),
    ("three prefixes, K = 3", [(("das",), -0.4), (("die",), -1.1), (("rot",), -2.9)], 3),
    (
        "a finished hypothesis among them, K = 3",
        [(("das", "Auto"), -1.3), (("das", END), -0.5), (("die", "rot"), -1.0)],
        3,
    ),
    (
        "a finished one that is not good enough, K = 2",
        [(("die", "Auto"), -0.2), (("das", "rot"), -0.6), (("rot", END), -9.0)],
        2,
    ),
    ("greedy, K = 1", [(("das",), -0.4)], 1),
    ("K larger than all candidates", [((), 0.0)], 9),
    (
        "a short finished one, few words but improbable, K = 2",
        [((*LONG, "war"), -2.6), (("das", END), -2.9), ((*LONG, "das"), -2.8)],
        2,
    ),
    (
        "all but one are finished, K = 4",
        [
            (("die", "Auto", END), -1.9),
            (("das", END), -2.4),
            (LONG, -0.7),
            (("rot", "Auto", END), -3.8),
        ],
        4,
    ),
    (
        "all are finished, K = 3",
        [(("die", END), -1.0), (("das", "Auto", "rot", END), -1.2), (("rot", "Auto", END), -1.4)],
        3,
    ),
    (
        "more prefixes than places, K = 2",
        [(("das",), -1.4), (("die",), -1.5), (("rot",), -1.6), (("war",), -1.7)],
        2,
    ),
)


def beam_cases() -> list[Case]:
    """Return cases from the empty prefix, with unfinished hypotheses, with finished ones of
    other lengths."""
    cases = []
    for seed, (name, hypotheses, beam_size) in enumerate(BEAMS):
        after = _next_words(len(hypotheses), WORDS[seed % 2 :], seed)
        cases.append(
            Case(name, (hypotheses, after, beam_size), expected_beam(hypotheses, after, beam_size))
        )
    return cases
