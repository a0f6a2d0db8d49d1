"""Answers to lesson 0's exercise that a learner may write: wrong ones with the mistake that is
named, right ones."""

from __future__ import annotations

import itertools
import random

import numpy as np
import torch

from seqkd_lab.lab.start_here.exercises import greedy_search as right

END = "</s>"


def written(choose, stop=END):
    """A search that writes what `choose` picks until it picks `stop`."""

    def search(next_word):
        words = ()
        while (word := choose(next_word(words))) != stop:
            words += (word,)
        return words

    return search


def best(row):
    return max(row, key=row.get)


# wrong


def keeps_the_end(next_word):
    words = []
    while not words or words[-1] != END:
        words.append(best(next_word(tuple(words))))
    return words


def loses_the_last_word(next_word):
    return right(next_word)[:-1]


def loses_the_first_word(next_word):
    return right(next_word)[1:]


def first_of_the_dictionary(next_word):
    return written(lambda row: list(row)[0])(next_word)


def last_of_the_dictionary(next_word):
    return written(lambda row: list(row)[-1])(next_word)


def by_the_alphabet(next_word):
    return written(max)(next_word)


def first_in_the_alphabet(next_word):
    return written(min)(next_word)


def least_probable(next_word):
    return written(lambda row: min(row, key=row.get))(next_word)


def sorted_the_wrong_way(next_word):
    return written(lambda row: sorted(row, key=row.get)[0])(next_word)


def second_best(next_word):
    return written(lambda row: sorted(row, key=row.get)[-2:][0])(next_word)


def longest_word(next_word):
    return written(lambda row: max(row, key=len))(next_word)


def drawn(next_word):
    chance = random.Random(3)
    return written(lambda row: chance.choices(list(row), list(row.values()))[0])(next_word)


def until_a_full_stop(next_word):
    words = ()
    while words[-1:] != (".",):
        words += (best(next_word(words)),)
    return words


def until_the_end_is_possible(next_word):
    words = ()
    while next_word(words).get(END, 0.0) < 0.25:
        words += (best(next_word(words)),)
    return words


def until_nothing_has_one_half(next_word):
    words = ()
    while max(next_word(words).values()) >= 0.5 and best(next_word(words)) != END:
        words += (best(next_word(words)),)
    return words


def until_a_word_comes_again(next_word):
    words = ()
    while (word := best(next_word(words))) != END and word not in words:
        words += (word,)
    return words


def never_ends(next_word):
    words = ()
    while True:
        words += (best({w: p for w, p in next_word(words).items() if w != END}),)


def first_distribution_again_and_again(next_word):
    row, words = next_word(()), ()
    while (word := best(row)) != END:
        words += (word,)
        row = next_word(())
    return words


def hands_over_the_last_word(next_word):
    words = ()
    while (word := best(next_word(words[-1:]))) != END:
        words += (word,)
    return words


def hands_over_a_text(next_word):
    words = []
    while (word := best(next_word(" ".join(words)))) != END:
        words.append(word)
    return words


def asks_without_words(next_word):
    return written(best)(lambda words: next_word())


def one_word_only(next_word):
    return (best(next_word(())),)


def one_word_at_least(next_word):
    words = (best(next_word(())),)
    while words[-1] != END and (word := best(next_word(words))) != END:
        words += (word,)
    return words


def last_word_only(next_word):
    return right(next_word)[-1:]


def ten_words(next_word):
    words = ()
    for _ in range(10):
        if (word := best(next_word(words))) == END:
            break
        words += (word,)
    return words[:5]


def prepends(next_word):
    return right(next_word)[::-1]


def each_word_once(next_word):
    return tuple(dict.fromkeys(right(next_word)))


def as_a_set(next_word):
    return sorted(set(right(next_word)))


def as_a_text(next_word):
    return " ".join(right(next_word))


def with_probabilities(next_word):
    words = right(next_word)
    return [(word, max(next_word(words[:n]).values())) for n, word in enumerate(words)]


def probabilities_only(next_word):
    words = right(next_word)
    return [max(next_word(words[:n]).values()) for n in range(len(words))]


def all_of_them(next_word, words=(), p=1.0):
    for word, q in next_word(words).items():
        yield from (
            [(p * q, words)] if word == END else all_of_them(next_word, (*words, word), p * q)
        )


def likeliest_translation(next_word):
    return max(all_of_them(next_word))[1]


def longest_translation(next_word):
    return max((words for _, words in all_of_them(next_word)), key=len)


def beam_of_two(next_word):
    beam = [((), 1.0)]
    while not all(words[-1:] == (END,) for words, _ in beam):
        grown = [(words, p) for words, p in beam if words[-1:] == (END,)]
        grown += [
            ((*words, word), p * q)
            for words, p in beam
            if words[-1:] != (END,)
            for word, q in next_word(words).items()
        ]
        beam = sorted(grown, key=lambda pair: -pair[1])[:2]
    return beam[0][0][:-1]


def returns_nothing(next_word):
    right(next_word)


def prints(next_word):
    print(right(next_word))


# right


def by_recursion(next_word, words=()):
    word = best(next_word(words))
    return words if word == END else by_recursion(next_word, (*words, word))


def as_a_generator(next_word):
    words = []
    while (word := best(next_word(words))) != END:
        words.append(word)
        yield word


def by_sorting(next_word):
    words = []
    for _ in itertools.count():
        (word, _), *_ = sorted(
            next_word(tuple(words)).items(), key=lambda pair: pair[1], reverse=True
        )
        if word == "</s>":
            break
        words += [word]
    return words


def by_numpy(next_word):
    words = np.array([], dtype=object)
    while True:
        row = next_word(tuple(words))
        word = list(row)[np.argmax(list(row.values()))]
        if word == END:
            return words
        words = np.append(words, word)


def by_torch(next_word):
    words, ended = (), False
    while not ended:
        names, p = zip(*next_word(words).items(), strict=True)
        word = names[torch.tensor(p).argmax()]
        ended = word == END
        words += () if ended else (word,)
    return words


def by_a_loop(next_word):
    words = []
    while True:
        best_word, best_p = None, -1
        for word, p in next_word(words).items():
            if p > best_p:
                best_word, best_p = word, p
        if best_word == END:
            return tuple(words)
        words.append(best_word)


def ends_cut_off(next_word):
    return keeps_the_end(next_word)[:-1]


WRONG = {
    "greedy_search": {
        keeps_the_end: "only marks the end",
        loses_the_last_word: "the last word is lost",
        loses_the_first_word: None,
        first_of_the_dictionary: "first word of the dictionary",
        last_of_the_dictionary: None,
        by_the_alphabet: "by the alphabet",
        first_in_the_alphabet: None,
        least_probable: "the least probable word",
        sorted_the_wrong_way: "the least probable word",
        second_best: None,
        longest_word: None,
        drawn: None,
        until_a_full_stop: None,
        until_the_end_is_possible: None,
        until_nothing_has_one_half: None,
        until_a_word_comes_again: None,
        never_ends: None,
        first_distribution_again_and_again: None,
        hands_over_the_last_word: None,
        hands_over_a_text: None,
        asks_without_words: None,
        one_word_only: None,
        one_word_at_least: None,
        last_word_only: None,
        ten_words: None,
        prepends: None,
        each_word_once: None,
        as_a_set: None,
        as_a_text: "one by one",
        with_probabilities: None,
        probabilities_only: "the probabilities are returned",
        likeliest_translation: "the most probable *translation*",
        longest_translation: None,
        beam_of_two: None,
        returns_nothing: None,
        prints: None,
    }
}
RIGHT = {
    "greedy_search": [
        right,
        by_recursion,
        as_a_generator,
        by_sorting,
        by_numpy,
        by_torch,
        by_a_loop,
        ends_cut_off,
    ]
}
