"""Exercises of lesson 5, greedy and beam: one step of beam search, and ranking with a length
penalty."""

from __future__ import annotations

import math

from seqkd_lab.lab.beam.beam_step_cases import beam_cases
from seqkd_lab.lab.beam.ranking_exercise import END, RANKING, Pair
from seqkd_lab.lab.shared.exercises.checking import call
from seqkd_lab.lab.shared.exercises.exercise import Exercise, Function, mistake


def beam_step(hypotheses, next_log_probs, beam_size):
    """Return the beam after one more word: hypotheses are pairs (words, log_prob), with a
    dictionary of next_log_probs for each."""
    candidates = []
    for (words, log_prob), next_words in zip(hypotheses, next_log_probs, strict=True):
        if words[-1:] == ("</s>",):
            candidates.append((words, log_prob))  # finished: stays, if it is good enough
        else:
            candidates += [((*words, word), log_prob + more) for word, more in next_words.items()]
    candidates.sort(key=lambda candidate: candidate[1], reverse=True)
    return candidates[:beam_size]


def _all_candidates(hypotheses, next_log_probs) -> list[Pair]:
    return beam_step(hypotheses, next_log_probs, sum(map(len, next_log_probs)))


def _is_finished(hypothesis: Pair) -> bool:
    return hypothesis[0][-1:] == (END,)


@mistake(
    "each hypothesis keeps its own best word: that is K greedy searches side by side. In a beam "
    "all candidates compete: a parent may have two children, another none."
)
def _each_parent_its_best(hypotheses, next_log_probs, beam_size):
    pairs = zip(hypotheses, next_log_probs, strict=True)
    best = [beam_step([hypothesis], [after], 1)[0] for hypothesis, after in pairs]
    return sorted(best, key=lambda candidate: -candidate[1])[:beam_size]


@mistake(
    "candidates are ranked by their last word alone: the parent's log_prob is lost. A likely word "
    "after an unlikely prefix is not a likely translation."
)
def _last_word_only(hypotheses, next_log_probs, beam_size):
    last = [(words, log_prob if words[-1:] == (END,) else 0.0) for words, log_prob in hypotheses]
    return beam_step(last, next_log_probs, beam_size)


@mistake("a finished hypothesis grows on after </s>. It is a whole translation: it only stays.")
def _finished_grow(hypotheses, next_log_probs, beam_size):
    candidates = [
        ((*words, word), log_prob + more)
        for (words, log_prob), after in zip(hypotheses, next_log_probs, strict=True)
        for word, more in after.items()
    ]
    return sorted(candidates, key=lambda candidate: -candidate[1])[:beam_size]


@mistake(
    "a finished hypothesis stays and grows on as well. It is a whole translation: it is one "
    "candidate, itself."
)
def _finished_stay_and_grow(hypotheses, next_log_probs, beam_size):
    n_grown = sum(map(len, next_log_probs))
    finished = [hypothesis for hypothesis in hypotheses if _is_finished(hypothesis)]
    candidates = finished + _finished_grow(hypotheses, next_log_probs, n_grown)
    return sorted(candidates, key=lambda candidate: -candidate[1])[:beam_size]


@mistake(
    "finished hypotheses are lost: a short, likely translation would vanish from the beam at the "
    "next step."
)
def _finished_lost(hypotheses, next_log_probs, beam_size):
    pairs = zip(hypotheses, next_log_probs, strict=True)
    alive = [(hypothesis, after) for hypothesis, after in pairs if not _is_finished(hypothesis)]
    hypotheses, next_log_probs = [h for h, _ in alive], [after for _, after in alive]
    return beam_step(hypotheses, next_log_probs, beam_size)


@mistake(
    "finished hypotheses keep their places whatever comes. They compete like all others: K more "
    "probable candidates push one out."
)
def _finished_always_stay(hypotheses, next_log_probs, beam_size):
    finished = [hypothesis for hypothesis in hypotheses if _is_finished(hypothesis)]
    places_left = max(0, beam_size - len(finished))
    return sorted(
        finished + _finished_lost(hypotheses, next_log_probs, places_left),
        key=lambda pair: -pair[1],
    )


@mistake(
    "the order is turned round: these are the worst candidates. Log-probabilities are negative; "
    "the one nearest to 0 is the best."
)
def _worst_first(hypotheses, next_log_probs, beam_size):
    return _all_candidates(hypotheses, next_log_probs)[::-1][:beam_size]


@mistake("these are the right candidates in the wrong order: the best one must stand first.")
def _best_last(hypotheses, next_log_probs, beam_size):
    return beam_step(hypotheses, next_log_probs, beam_size)[::-1]


@mistake(
    "candidates are ranked by their mean log_prob per word. This beam has no length penalty: rank "
    "by log_prob itself."
)
def _mean_per_word(hypotheses, next_log_probs, beam_size):
    candidates = _all_candidates(hypotheses, next_log_probs)
    return sorted(candidates, key=lambda candidate: -candidate[1] / len(candidate[0]))[:beam_size]


@mistake(
    "the two log-probabilities are multiplied. Probabilities multiply, so their logarithms add."
)
def _logs_multiplied(hypotheses, next_log_probs, beam_size):
    candidates: list[Pair] = []
    for hypothesis, after in zip(hypotheses, next_log_probs, strict=True):
        words, log_prob = hypothesis
        grown = [((*words, word), log_prob * more) for word, more in after.items()]
        candidates += [hypothesis] if _is_finished(hypothesis) else grown
    return sorted(candidates, key=lambda candidate: -candidate[1])[:beam_size]


@mistake(
    "each hypothesis keeps its own K best words, so the beam grows at each step. Put all of them "
    "into one list, and keep K of that list."
)
def _as_many_from_each_parent(hypotheses, next_log_probs, beam_size):
    return [
        candidate
        for hypothesis, after in zip(hypotheses, next_log_probs, strict=True)
        for candidate in beam_step([hypothesis], [after], beam_size)
    ]


@mistake("beam_size is not used: all candidates stay. Keep the first K of the sorted list.")
def _everything_kept(hypotheses, next_log_probs, beam_size):
    return _all_candidates(hypotheses, next_log_probs)


@mistake(
    "probabilities are returned. Return their logarithms: products of many small numbers would "
    "end at 0."
)
def _probabilities(hypotheses, next_log_probs, beam_size):
    return [
        (words, math.exp(log_prob))
        for words, log_prob in beam_step(hypotheses, next_log_probs, beam_size)
    ]


"""Name, hypotheses and beam size of the cases; the next words are drawn."""


def _loses_an_equal_candidate(function: Function) -> str | None:
    """Return what is wrong when two candidates are exactly as probable; they may stand in either
    order."""
    after = [{"das": -1.0, "die": -1.0, "rot": -2.5, END: -3.0}] * 2
    beam = call(function, ([(("war",), -0.3), (("rot",), -2.1)], after, 3)).value or []
    orders = [
        [["war", word], ["war", other], ["war", "rot"]]
        for word, other in (("das", "die"), ("die", "das"))
    ]
    if [pair[0] for pair in beam] in orders:
        return None
    return (
        "All cases are right. But where two candidates are exactly as probable (“war das” and "
        "“war die”), one of them is lost, or does not stand where it should. Is a log_prob the "
        "key of a dictionary?"
    )


BEAM_STEP = Exercise(
    lesson=5,
    title="One step of beam search",
    difficulty=3,
    minutes=15,
    task="Write `beam_step(hypotheses, next_log_probs, beam_size)`: `hypotheses` is a list of "
    "pairs (tuple of words, "
    "log_prob); `next_log_probs` has for each of them a dictionary from the next word to ln p(word "
    "| prefix). "
    "Return the `beam_size` most probable pairs after one more word, **best first**. A hypothesis "
    "that ends with "
    '`"</s>"` is finished: it does not grow (ignore its dictionary), but keeps its place if its '
    "log_prob is "
    "among the best. Compare log_prob itself, not its mean per word.",
    hints=(
        "Make one list of *all* candidates of *all* hypotheses; only then choose.",
        "A candidate's log_prob is its parent's plus the word's: probabilities multiply, "
        "logarithms add.",
        "A finished hypothesis is one candidate: itself, unchanged.",
    ),
    solution=beam_step,
    wrong_answers=(
        _each_parent_its_best,
        _as_many_from_each_parent,
        _last_word_only,
        _logs_multiplied,
        _mean_per_word,
        _finished_grow,
        _finished_stay_and_grow,
        _finished_lost,
        _finished_always_stay,
        _everything_kept,
        _probabilities,
        _best_last,
        _worst_first,
    ),
    cases=beam_cases,
    further=_loses_an_equal_candidate,
    insight="With K = 1 this is greedy search; with K ≥ all candidates at every step it finds "
    "every translation.",
)


EXERCISES = (BEAM_STEP, RANKING)
