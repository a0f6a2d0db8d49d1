"""Exercises of lesson 15, meters: which corpus is simpler, and how much a student must remember."""

from __future__ import annotations

import math
import random
from collections import Counter

import torch

from seqkd_lab.lab.shared.exercises.exercise import Case, Exercise, mistake


def conditional_entropy(pairs):
    """H(target word | source word) in nats over aligned pairs (source word, target word), each pair
    once."""
    of_source = Counter(source for source, _ in pairs)
    of_pair = Counter(pairs)
    return -sum(n * math.log(n / of_source[source]) for (source, _), n in of_pair.items()) / len(
        pairs
    )


def _entropy_of(items) -> float:
    counts = torch.tensor(list(Counter(items).values()), dtype=torch.float64)
    return float(torch.distributions.Categorical(probs=counts).entropy())


@mistake(
    "this is H(target), as if the source were unseen: a corpus with many words would look hard "
    "even if each had one translation."
)
def _of_targets_alone(pairs):
    return _entropy_of(target for _, target in pairs)


@mistake("this is the joint entropy H(source, target): take away what the source word alone has.")
def _joint(pairs):
    return _entropy_of(pairs)


@mistake("the condition is turned round: this is H(source word | target word).")
def _reversed_condition(pairs):
    return conditional_entropy([(target, source) for source, target in pairs])


@mistake(
    "every source *word type* weighs alike here; averaged over tokens, frequent words weigh more. "
    "(Zhou, Neubig & Gu's complexity C(d) does weigh them alike.)"
)
def _types_alike(pairs):
    sources = {source for source, _ in pairs}
    return sum(
        conditional_entropy([pair for pair in pairs if pair[0] == s]) for s in sources
    ) / len(sources)


@mistake("the sign is lost: ln p is at most 0, and an entropy is −ln p, on average.")
def _sign(pairs):
    return -conditional_entropy(pairs)


@mistake("this is in bits, by logarithms to base 2; the lab's entropies are in nats.")
def _in_bits(pairs):
    return conditional_entropy(pairs) / math.log(2)


@mistake("this is a sum over the pairs; divide it by their number.")
def _summed(pairs):
    return len(pairs) * conditional_entropy(pairs)


@mistake(
    "a pair that comes several times counts once here: a set or a dictionary's keys forget how "
    "often it comes."
)
def _each_pair_once(pairs):
    return conditional_entropy(sorted(set(pairs)))


@mistake("the mean is taken over the *different* pairs: weigh each by how often it comes.")
def _over_distinct_pairs(pairs):
    of_source, of_pair = Counter(source for source, _ in pairs), Counter(pairs)
    return -sum(math.log(n / of_source[source]) for (source, _), n in of_pair.items()) / len(
        of_pair
    )


@mistake(
    "this is what the source word tells about the target word; asked is what stays open: "
    "H(target) minus this."
)
def _mutual_information(pairs):
    return _of_targets_alone(pairs) - conditional_entropy(pairs)


def conditional_cases() -> list[Case]:
    """A deterministic corpus, an ambiguous word, random ones; by the chain rule H(T | S) = H(S, T)
    − H(S)."""
    mode = [("car", "Auto"), ("car", "Auto"), ("the", "das"), ("box", "Kiste")]
    gold = [
        ("car", "Auto"),
        ("car", "Wagen"),
        ("the", "das"),
        ("the", "der"),
        ("the", "der"),
        ("box", "Kiste"),
    ]
    settings = [("each word always translated alike", mode), ("a corpus with synonyms", gold)]
    settings.append(
        ("one target word for all sources", [("a", "x"), ("b", "x"), ("c", "x"), ("a", "x")])
    )
    settings.append(("a single pair", [("car", "Auto")]))
    for seed, n_sources, n_targets, n_pairs in ((1, 4, 5, 60), (2, 3, 7, 45), (3, 9, 3, 80)):
        chance = random.Random(seed)
        drawn = [
            (
                f"s{int(n_sources * chance.random() ** 2)}",
                f"t{int(n_targets * chance.random() ** 1.5)}",
            )
            for _ in range(n_pairs)
        ]
        settings.append((f"{n_pairs} random pairs", drawn))
    return [
        Case(name, (pairs,), _entropy_of(pairs) - _entropy_of(s for s, _ in pairs))
        for name, pairs in settings
    ]


CONDITIONAL = Exercise(
    lesson=15,
    title="Which corpus is simpler?",
    difficulty=2,
    minutes=12,
    task="Write `conditional_entropy(pairs)`: a list of aligned pairs (source word, target word), "
    "one for each token. "
    "Return H(target word | source word) in nats: the surprise of a target word once the source "
    "word is known, "
    "**averaged over the tokens**. Of two corpora, a small student learns the one with less of it "
    "more easily.",
    hints=(
        "p(t | s) is the count of the pair divided by the count of the source word.",
        "Average −ln p(t | s) over *all pairs* in the list: frequent words count more often. "
        "`Counter` helps.",
    ),
    imports="import math\nfrom collections import Counter",
    solution=conditional_entropy,
    wrong_answers=(
        _of_targets_alone,
        _joint,
        _reversed_condition,
        _types_alike,
        _sign,
        _in_bits,
        _summed,
        _each_pair_once,
        _over_distinct_pairs,
        _mutual_information,
    ),
    cases=conditional_cases,
    insight="Compare gold, the sample and the two modes in the notebook's table.",
)


def history_dependence(triples):
    """H(word | source) − H(word | source, earlier choice) in nats, over triples (source, earlier,
    word)."""

    def given(conditions, words):
        pairs = list(zip(conditions, words, strict=True))
        of_pair, of_condition = Counter(pairs), Counter(conditions)
        return -sum(n * math.log(n / of_condition[c]) for (c, _), n in of_pair.items()) / len(pairs)

    words = [word for _, _, word in triples]
    from_source = given([source for source, _, _ in triples], words)
    from_both = given([(source, earlier) for source, earlier, _ in triples], words)
    return from_source - from_both


@mistake(
    "this is all of the uncertainty that the source leaves. Part of it is free choice, which no "
    "memory would lessen: take away H(word | source, earlier)."
)
def _source_only(triples):
    return conditional_entropy([(source, word) for source, _, word in triples])


@mistake(
    "this is what stays uncertain even for a student that remembers everything; asked is what "
    "remembering *saves*."
)
def _left_over(triples):
    return conditional_entropy([((source, earlier), word) for source, earlier, word in triples])


@mistake(
    "the source is left out: a word and an earlier word go together already because both come "
    "from one source. Condition both entropies on it."
)
def _without_the_source(triples):
    words = [word for _, _, word in triples]
    return _entropy_of(words) - conditional_entropy(
        [(earlier, word) for _, earlier, word in triples]
    )


@mistake(
    "the difference is turned round: to know more never raises an entropy, so the answer is at "
    "least 0."
)
def _turned_round(triples):
    return -history_dependence(triples)


@mistake("this is in bits, by logarithms to base 2; the lab's entropies are in nats.")
def _dependence_in_bits(triples):
    return history_dependence(triples) / math.log(2)


@mistake("this is a sum over the triples; the entropies are means over them.")
def _dependence_summed(triples):
    return len(triples) * history_dependence(triples)


@mistake(
    "the second entropy is conditioned on the earlier choice *alone*; its condition is source and "
    "earlier choice together."
)
def _earlier_instead_of_both(triples):
    return _source_only(triples) - conditional_entropy(
        [(earlier, word) for _, earlier, word in triples]
    )


@mistake(
    "source and earlier choice are swapped: this is what the source still tells once the earlier "
    "choice is known."
)
def _what_the_source_saves(triples):
    return conditional_entropy([(earlier, word) for _, earlier, word in triples]) - _left_over(
        triples
    )


def history_cases() -> list[Case]:
    """Gold, a mode, free synonyms, chance; by H(W, S) + H(E, S) − H(W, E, S) − H(S)."""
    gold = [
        ("car", "das", "es"),
        ("car", "der", "er"),
        ("car", "der", "er"),
        ("box", "die", "sie"),
    ] * 3
    mode = [("car", "das", "es"), ("box", "die", "sie"), ("car", "das", "es")]
    free = [("car", first, last) for first in ("das", "der") for last in ("schnell", "rasch")]
    settings = [
        ("gold: a pronoun that agrees with the chosen noun", gold),
        ("the mode: one choice a source", mode),
        ("free synonyms without agreement", free),
        ("a single triple", gold[:1]),
        (
            "words that begin alike",
            [("a", "bc", "x"), ("ab", "c", "y"), ("a", "c", "y"), ("ab", "bc", "x")],
        ),
    ]
    sizes = ((3, 3, 3, 80), (2, 4, 3, 50), (5, 2, 4, 90))
    for seed, (n_sources, n_choices, n_words, n_triples) in enumerate(sizes, start=4):
        chance = random.Random(seed)
        drawn = []
        for _ in range(n_triples):
            source, earlier = (
                int(n_sources * chance.random() ** 2),
                int(n_choices * chance.random()),
            )
            follows = chance.random() < 0.5
            word = (source + earlier) % n_words if follows else int(n_words * chance.random() ** 2)
            drawn.append((f"s{source}", f"e{earlier}", f"w{word}"))
        settings.append((f"{n_triples} random triples", drawn))
    cases = []
    for name, triples in settings:
        with_word, with_earlier = [(s, w) for s, _, w in triples], [(s, e) for s, e, _ in triples]
        expected = _entropy_of(with_word) + _entropy_of(with_earlier) - _entropy_of(triples)
        cases.append(Case(name, (triples,), expected - _entropy_of(s for s, _, _ in triples)))
    return cases


HISTORY = Exercise(
    lesson=15,
    title="How much must the student remember?",
    difficulty=3,
    minutes=15,
    task="Write `history_dependence(triples)`: a list of (source word, the translator's own "
    "earlier choice, target "
    'word), such as `("car", "der", "er")`. Return, in nats, how much the earlier choice still '
    "tells of the "
    "word once the source is known: H(word | source) − H(word | source, earlier). Of two corpora, "
    "a student with "
    "little memory learns the one with less of it more easily.",
    hints=(
        "Both terms are conditional entropies, as in the exercise before. The condition may be a "
        "pair (source, earlier).",
        "Two conditional entropies and a difference. For free synonyms without agreement it is 0: "
        "remembering would not help.",
    ),
    imports="import math\nfrom collections import Counter",
    solution=history_dependence,
    wrong_answers=(
        _source_only,
        _left_over,
        _without_the_source,
        _turned_round,
        _dependence_in_bits,
        _dependence_summed,
        _earlier_instead_of_both,
        _what_the_source_saves,
    ),
    cases=history_cases,
    insight="It is 0 where the source decides every choice. The notebook measures it for gold and "
    "for the teacher's "
    "mode.",
)


EXERCISES = (CONDITIONAL, HISTORY)
