"""Exercises of lesson 5, greedy and beam: one step of beam search, and ranking with a length penalty."""

from __future__ import annotations

import random

import numpy as np
import torch

from seqkd_lab.lab.exercises.exercise import Case, Exercise, WrongAnswer

END = "</s>"
WORDS = ("das", "die", "Auto", "rot", END)


def beam_step(hypotheses, next_log_probs, beam_size):
    """The beam after one more word: hypotheses [(words, log_prob)], next_log_probs a dictionary for each."""
    candidates = []
    for (words, log_prob), next_words in zip(hypotheses, next_log_probs, strict=True):
        if words[-1:] == ("</s>",):
            candidates.append((words, log_prob))  # finished: it keeps its place if it is good enough
        else:
            candidates += [((*words, word), log_prob + more) for word, more in next_words.items()]
    candidates.sort(key=lambda candidate: candidate[1], reverse=True)
    return candidates[:beam_size]


def _each_parent_its_best(hypotheses, next_log_probs, beam_size):
    best = [beam_step([one], [after], 1)[0] for one, after in zip(hypotheses, next_log_probs, strict=True)]
    return sorted(best, key=lambda candidate: -candidate[1])[:beam_size]


def _last_word_only(hypotheses, next_log_probs, beam_size):
    last = [(words, log_prob if words[-1:] == (END,) else 0.0) for words, log_prob in hypotheses]
    return beam_step(last, next_log_probs, beam_size)


def _finished_grow(hypotheses, next_log_probs, beam_size):
    candidates = [
        ((*words, word), log_prob + more)
        for (words, log_prob), after in zip(hypotheses, next_log_probs, strict=True) for word, more in after.items()
    ]
    return sorted(candidates, key=lambda candidate: -candidate[1])[:beam_size]


def _finished_lost(hypotheses, next_log_probs, beam_size):
    alive = [
        (one, after) for one, after in zip(hypotheses, next_log_probs, strict=True) if one[0][-1:] != (END,)
    ]
    return beam_step([one for one, _ in alive], [after for _, after in alive], beam_size)


def _worst_first(hypotheses, next_log_probs, beam_size):
    n_all = len(hypotheses) * (len(WORDS) + 1)
    return beam_step(hypotheses, next_log_probs, n_all)[::-1][:beam_size]


def expected_beam(hypotheses, next_log_probs, beam_size) -> list:
    """The same by torch: scores (K, V + 1), the last column for those that stay as they are, and one topk."""
    scores = torch.full((len(hypotheses), len(WORDS) + 1), float("-inf"), dtype=torch.float64)
    for k, ((words, log_prob), after) in enumerate(zip(hypotheses, next_log_probs, strict=True)):
        if words and words[-1] == END:
            scores[k, -1] = log_prob
        else:
            scores[k, :-1] = log_prob + torch.tensor([after[word] for word in WORDS], dtype=torch.float64)
    n_possible = int(torch.isfinite(scores).sum())
    best, places = scores.flatten().topk(min(beam_size, n_possible))
    rows = [divmod(place, len(WORDS) + 1) for place in places.tolist()]
    kept = [hypotheses[k][0] + (() if w == len(WORDS) else (WORDS[w],)) for k, w in rows]
    return list(zip(kept, best.tolist(), strict=True))


def beam_cases() -> list[Case]:
    """From the empty prefix, with unfinished hypotheses, with finished ones; each K several times."""
    start, grown = [((), 0.0)], [(("das",), -0.4), (("die",), -1.1), (("rot",), -2.9)]
    with_end = [(("das", "Auto"), -1.3), (("das", END), -0.5), (("die", "rot"), -1.0)]
    ended_badly = [(("die", "Auto"), -0.2), (("das", "rot"), -0.6), (("rot", END), -9.0)]
    settings = [("the first step, K = 2", start, 2), ("three prefixes, K = 3", grown, 3),
                ("a finished hypothesis among them, K = 3", with_end, 3),
                ("a finished one that is not good enough, K = 2", ended_badly, 2),
                ("greedy, K = 1", grown[:1], 1), ("K larger than all candidates", start, 9)]
    cases = []
    for seed, (name, hypotheses, beam_size) in enumerate(settings):
        generator = torch.Generator().manual_seed(seed)
        logits = 1.5 * torch.randn(len(hypotheses), len(WORDS), generator=generator, dtype=torch.float64)
        after = [dict(zip(WORDS, row, strict=True)) for row in logits.log_softmax(dim=1).tolist()]
        cases.append(Case(name, (hypotheses, after, beam_size), expected_beam(hypotheses, after, beam_size)))
    return cases


BEAM_STEP = Exercise(
    lesson=5, title="One step of beam search", difficulty=3, minutes=15,
    task="Write `beam_step(hypotheses, next_log_probs, beam_size)`: `hypotheses` is a list of pairs (tuple of words, "
         "log_prob); `next_log_probs` has for each of them a dictionary from the next word to ln p(word | prefix). "
         "Return the `beam_size` best pairs after one more word, **best first**. A hypothesis that ends with "
         "`\"</s>\"` is finished: it does not grow (ignore its dictionary), but keeps its place if its log_prob is "
         "among the best.",
    hints=("Make one list of *all* candidates of *all* hypotheses; only then choose.",
           "A candidate's log_prob is its parent's plus the word's: probabilities multiply, logarithms add.",
           "A finished hypothesis is one candidate: itself, unchanged."),
    solution=beam_step,
    wrong_answers=(
        WrongAnswer(_each_parent_its_best, "each hypothesis keeps its own best word: that is K greedy searches side by "
                                           "side. In a beam all candidates compete: a parent may have two children, "
                                           "another none."),
        WrongAnswer(_last_word_only, "candidates are ranked by their last word alone: the parent's log_prob is lost. A "
                                     "likely word after an unlikely prefix is not a likely translation."),
        WrongAnswer(_finished_grow, "a finished hypothesis grows on behind </s>. It is a whole translation: it only "
                                    "stays."),
        WrongAnswer(_finished_lost, "finished hypotheses are lost: a short, likely translation would vanish from the "
                                    "beam at the next step."),
        WrongAnswer(_worst_first, "the order is turned round: these are the worst candidates. Log-probabilities are "
                                  "negative; the one nearest to 0 is the best."),
    ),
    cases=beam_cases,
    insight="With K = 1 this is greedy search, with K ≥ all candidates at every step it is enumeration: one function.",
)


def rank_with_penalty(hypotheses, length_penalty):
    """Translations by log_prob / length^length_penalty, best first; hypotheses [(words with "</s>", log_prob)]."""

    def score(hypothesis):
        words, log_prob = hypothesis
        return log_prob / len(words) ** length_penalty

    return [words for words, _ in sorted(hypotheses, key=score, reverse=True)]


def _plain_ranking(hypotheses, length_penalty):
    return [words for words, _ in sorted(hypotheses, key=lambda h: -h[1])]


def _multiplied_by_length(hypotheses, length_penalty):
    return [words for words, _ in sorted(hypotheses, key=lambda h: -h[1] * len(h[0]) ** length_penalty)]


def _worst_in_front(hypotheses, length_penalty):
    return rank_with_penalty(hypotheses, length_penalty)[::-1]


def _always_the_mean(hypotheses, length_penalty):
    return rank_with_penalty(hypotheses, 1.0)


def ranking_cases() -> list[Case]:
    """Random lists of translations of 2 to 9 words; ranked by numpy."""
    cases = []
    for seed, penalty in enumerate((0.0, 1.0, 0.6, 2.0)):
        chance = random.Random(seed)
        hypotheses = []
        for i in range(6):
            length = chance.randint(1, 8)
            words = tuple(f"w{i}{j}" for j in range(length)) + (END,)
            hypotheses.append((words, -length * chance.uniform(0.3, 0.9) - 1.0))
        lengths = np.array([len(words) for words, _ in hypotheses])
        order = np.argsort(-np.array([log_prob for _, log_prob in hypotheses]) / lengths**penalty)
        cases.append(Case(f"length penalty {penalty:g}", (hypotheses, penalty), [hypotheses[i][0] for i in order]))
    return cases


RANKING = Exercise(
    lesson=5, title="Does the short one win?", difficulty=1, minutes=6,
    task="Every word costs probability, so log-probabilities favour short translations. Write "
         "`rank_with_penalty(hypotheses, length_penalty)`: pairs (tuple of words, log_prob), `\"</s>\"` included and "
         "counted; return the tuples of words, ordered by log_prob / lengthᵖ, best first (p the penalty).",
    hints=("p = 0 must give the order of the log-probabilities, p = 1 that of the mean per word.",
           "Dividing a *negative* number by a larger length makes it larger: long translations gain."),
    solution=rank_with_penalty,
    wrong_answers=(
        WrongAnswer(_plain_ranking, "the penalty changes nothing here: this is the order of plain log-probabilities, "
                                    "as in the paper's own beam."),
        WrongAnswer(_multiplied_by_length, "log_prob is multiplied by the length: long translations are punished "
                                           "twice. Divide."),
        WrongAnswer(_worst_in_front, "the worst stands first: the best score is the largest, nearest to 0."),
        WrongAnswer(_always_the_mean, "this is always the mean per word (p = 1); length_penalty is an exponent."),
    ),
    cases=ranking_cases,
    insight="A penalty re-ranks what the beam has kept; it does not bring back what was pruned on the way.",
)

EXERCISES = (BEAM_STEP, RANKING)
