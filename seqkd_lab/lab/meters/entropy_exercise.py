"""An exercise of lesson 15, meters: which corpus is simpler."""

from __future__ import annotations

import math
import random
from collections import Counter
from collections.abc import Hashable, Iterable

import torch

from seqkd_lab.lab.shared.exercises.exercise import Case, Exercise, mistake


def conditional_entropy(pairs):
    """Return H(target word | source word) in nats over aligned pairs (source word, target word),
    each pair once."""
    of_source = Counter(source for source, _ in pairs)
    of_pair = Counter(pairs)
    total = sum(n * math.log(n / of_source[source]) for (source, _), n in of_pair.items())
    return -total / len(pairs)


def entropy_of(items: Iterable[Hashable]) -> float:
    """Return the entropy of the items' counts in nats, by torch's Categorical."""
    counts = torch.tensor(list(Counter(items).values()), dtype=torch.float64)
    return float(torch.distributions.Categorical(probs=counts).entropy())


@mistake(
    "this is H(target), as if the source were unseen: a corpus with many words would look hard "
    "even if each had one translation."
)
def _of_targets_alone(pairs):
    return entropy_of(target for _, target in pairs)


@mistake("this is the joint entropy H(source, target): take away what the source word alone has.")
def _joint(pairs):
    return entropy_of(pairs)


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
    """Return cases of a deterministic corpus, an ambiguous word and random ones; by the chain rule
    H(T | S) = H(S, T) − H(S)."""
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
        Case(name, (pairs,), entropy_of(pairs) - entropy_of(s for s, _ in pairs))
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
