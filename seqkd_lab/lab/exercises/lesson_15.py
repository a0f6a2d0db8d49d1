"""Exercises of lesson 15, meters: which corpus is simpler, and how much a student must remember."""

from __future__ import annotations

import math
import random
from collections import Counter

import torch

from seqkd_lab.lab.exercises.exercise import Case, Exercise, WrongAnswer


def conditional_entropy(pairs):
    """H(target word | source word) in nats over aligned pairs (source word, target word), each pair once."""
    of_source = Counter(source for source, _ in pairs)
    of_pair = Counter(pairs)
    return -sum(n * math.log(n / of_source[source]) for (source, _), n in of_pair.items()) / len(pairs)


def _entropy_of(items) -> float:
    counts = torch.tensor(list(Counter(items).values()), dtype=torch.float64)
    return float(torch.distributions.Categorical(probs=counts).entropy())


def _of_targets_alone(pairs):
    return _entropy_of(target for _, target in pairs)


def _joint(pairs):
    return _entropy_of(pairs)


def _reversed_condition(pairs):
    return conditional_entropy([(target, source) for source, target in pairs])


def _types_alike(pairs):
    sources = {source for source, _ in pairs}
    return sum(conditional_entropy([pair for pair in pairs if pair[0] == s]) for s in sources) / len(sources)


def conditional_cases() -> list[Case]:
    """A deterministic corpus, an ambiguous word, random ones; by the chain rule H(T | S) = H(S, T) − H(S)."""
    mode = [("car", "Auto"), ("car", "Auto"), ("the", "das"), ("box", "Kiste")]
    gold = [("car", "Auto"), ("car", "Wagen"), ("the", "das"), ("the", "der"), ("the", "der"), ("box", "Kiste")]
    settings = [("each word always translated alike", mode), ("a corpus with synonyms", gold)]
    for seed in (1, 2):
        chance = random.Random(seed)
        drawn = [(f"s{int(4 * chance.random() ** 2)}", f"t{int(5 * chance.random())}") for _ in range(60)]
        settings.append(("sixty random pairs", drawn))
    return [Case(name, (pairs,), _entropy_of(pairs) - _entropy_of(s for s, _ in pairs)) for name, pairs in settings]


CONDITIONAL = Exercise(
    lesson=15, title="Which corpus is simpler?", difficulty=2, minutes=12,
    task="Write `conditional_entropy(pairs)`: a list of aligned pairs (source word, target word), one for each token. "
         "Return H(target word | source word) in nats: the surprise of a target word once the source word is known, "
         "**averaged over the tokens**. Of two corpora, a small student learns the one with less of it more easily.",
    hints=("p(t | s) is the count of the pair divided by the count of the source word.",
           "Average −ln p(t | s) over *all pairs* in the list: frequent words count more often. `Counter` helps."),
    imports="import math\nfrom collections import Counter",
    solution=conditional_entropy,
    wrong_answers=(
        WrongAnswer(_of_targets_alone, "this is H(target), as if the source were unseen: a corpus with many words "
                                       "would look hard even if each had one translation."),
        WrongAnswer(_joint, "this is the joint entropy H(source, target): take away what the source word alone has."),
        WrongAnswer(_reversed_condition, "the condition is turned round: this is H(source word | target word)."),
        WrongAnswer(_types_alike, "every source *word type* weighs alike here; averaged over tokens, frequent words "
                                  "weigh more."),
    ),
    cases=conditional_cases,
    insight="The teacher's mode translates one source in one way: compare gold, samples and the mode in the notebook.",
)


def history_dependence(triples):
    """H(word | source) − H(word | source, earlier choice) in nats, over triples (source, earlier, word)."""

    def given(conditions, words):
        pairs = list(zip(conditions, words, strict=True))
        of_pair, of_condition = Counter(pairs), Counter(conditions)
        return -sum(n * math.log(n / of_condition[c]) for (c, _), n in of_pair.items()) / len(pairs)

    words = [word for _, _, word in triples]
    from_source = given([source for source, _, _ in triples], words)
    from_both = given([(source, earlier) for source, earlier, _ in triples], words)
    return from_source - from_both


def _source_only(triples):
    return conditional_entropy([(source, word) for source, _, word in triples])


def _left_over(triples):
    return conditional_entropy([((source, earlier), word) for source, earlier, word in triples])


def _without_the_source(triples):
    words = [word for _, _, word in triples]
    return _entropy_of(words) - conditional_entropy([(earlier, word) for _, earlier, word in triples])


def history_cases() -> list[Case]:
    """Gold, a mode, free synonyms, chance; by H(W, S) + H(E, S) − H(W, E, S) − H(S)."""
    gold = [("car", "das", "es"), ("car", "der", "er"), ("car", "der", "er"), ("box", "die", "sie")] * 3
    mode = [("car", "das", "es"), ("box", "die", "sie"), ("car", "das", "es")]
    free = [("car", first, last) for first in ("das", "der") for last in ("schnell", "rasch")]
    chance = random.Random(4)
    drawn = [tuple(f"{kind}{int(3 * chance.random() ** 2)}" for kind in "seb") for _ in range(80)]
    settings = [("gold: a pronoun that agrees with the chosen noun", gold), ("the mode: one choice a source", mode),
                ("free synonyms without agreement", free), ("eighty random triples", drawn)]
    cases = []
    for name, triples in settings:
        with_word, with_earlier = [(s, w) for s, _, w in triples], [(s, e) for s, e, _ in triples]
        expected = _entropy_of(with_word) + _entropy_of(with_earlier) - _entropy_of(triples)
        cases.append(Case(name, (triples,), expected - _entropy_of(s for s, _, _ in triples)))
    return cases


HISTORY = Exercise(
    lesson=15, title="How much must the student remember?", difficulty=3, minutes=15,
    task="Write `history_dependence(triples)`: a list of (source word, the translator's own earlier choice, target "
         "word), such as `(\"car\", \"der\", \"er\")`. Return, in nats, how much the earlier choice still tells of the "
         "word once the source is known: H(word | source) − H(word | source, earlier). Of two corpora, a student with "
         "little memory learns the one with less of it more easily.",
    hints=("You have `conditional_entropy`: the condition may be a pair (source, earlier).",
           "Two calls and a difference. For free synonyms without agreement it is 0: remembering would not help."),
    imports="import math\nfrom collections import Counter",
    solution=history_dependence,
    wrong_answers=(
        WrongAnswer(_source_only, "this is all of the uncertainty that the source leaves. Part of it is free choice, "
                                  "which no memory would lessen: take away H(word | source, earlier)."),
        WrongAnswer(_left_over, "this is what stays uncertain even for a student that remembers everything; asked is "
                                "what remembering *saves*."),
        WrongAnswer(_without_the_source, "the source is left out: a word and an earlier word go together already "
                                         "because both come from one source. Condition both entropies on it."),
    ),
    cases=history_cases,
    insight="In the teacher's mode it is smaller than in gold, since there nearly every choice is a function of the "
            "source sentence. That is why sequence-level distillation helps a student that remembers little.",
)


EXERCISES = (CONDITIONAL, HISTORY)
