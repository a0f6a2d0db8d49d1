"""Sentences of lesson 01 about one source sentence, computed from the language's own
probabilities."""

from __future__ import annotations

import math
from collections.abc import Mapping

from seqkd_lab.corpus.toy import ToyLanguage
from seqkd_lab.corpus.toy.dataset import detokenise
from seqkd_lab.corpus.toy.german import Memory
from seqkd_lab.lab.language.ambiguity import SOURCES, Tokens, entropy, surprises
from seqkd_lab.lab.language.kinds import alone
from seqkd_lab.lab.language.measures import cost, next_of_the_forgetful
from seqkd_lab.lab.shared.lesson import Markdown

SURE = 1e-9
"""Nats: what is less than this is 0."""


def mode_of(probability_of: Mapping[Tokens, float]) -> Tokens:
    """Returns the most probable translation."""
    return max(probability_of, key=probability_of.get)


def mode_in_words(probability_of: Mapping[Tokens, float]) -> Markdown:
    """Says what the mode is, and how often the program writes something else."""
    mode = mode_of(probability_of)
    p = probability_of[mode]
    return Markdown(
        f"The mode of the ticket is *{detokenise(mode)}* with p = {p:.3f}. It is the best single "
        f"guess, and yet the program writes another translation {1 - p:.0%} of the time."
    )


def clauses_in_words(language: ToyLanguage, source: Tokens) -> Markdown:
    """Shows how a source of two clauses gets its translations: each variant of the first, with
    those of the second."""
    first, second = language.parse(source)
    variants = sorted(language.variants(first, Memory()), key=lambda variant: -variant.probability)
    counts = [len(language.variants(second, variant.memory)) for variant in variants]
    lines = ["| first clause | p | ways to translate the second clause after it |", "|---|---|---|"]
    for variant, n in zip(variants, counts, strict=True):
        lines.append(f"| *{' '.join(variant.tokens)}* | {variant.probability:.2f} | {n} |")
    mode, p_mode = language.mode(source)
    p_first = next(v.probability for v in variants if mode[: len(v.tokens)] == v.tokens)
    lines.append(
        f"\nTogether these are {' + '.join(map(str, counts))} = {sum(counts)} translations. The "
        f"mode begins with p = {p_first:.2f} and goes on with p = {p_mode / p_first:.3f}. The "
        f"product is {p_mode:.3f}."
    )
    return Markdown("\n".join(lines))


def entropy_in_words(probability_of: Mapping[Tokens, float]) -> Markdown:
    """Says how hard a sentence is to guess: its entropy, and the equally likely translations that
    would match it."""
    H, n = entropy(probability_of), len(probability_of)
    return Markdown(
        f"The ticket's entropy is {H:.2f} nats, and exp(H) = {math.exp(H):.0f}. So its {n} "
        f"translations are as hard to guess as {math.exp(H):.0f} equally likely ones. The most "
        f"that {n} translations can have is ln {n} = {math.log(n):.2f} nats, if all are equally "
        "likely."
    )


def choices_in_words(language: ToyLanguage, source: Tokens) -> Markdown:
    """Says which kinds are at work in a sentence, and what the translator of its mode chose."""
    mode, _ = language.mode(source)
    chosen = language.choices(source, mode)
    absent = [f"`{name}`" for name in SOURCES if name not in chosen]
    made = ", ".join(f"`{name}` ({label})" for name, label in chosen.items())
    return Markdown(
        f"The ticket has {len(chosen)} of the {len(SOURCES)} kinds. For its mode, the program "
        f"chose {made}. The other kinds do not occur in it: {', '.join(absent)}."
    )


def forgetful_in_words(probability_of: Mapping[Tokens, float], translation: Tokens) -> str:
    """Answers where the forgetful translator is more surprised, and why: what else it expects
    there."""
    remembering, forgetting = surprises(probability_of, translation)
    said = []
    for place, word in enumerate(translation):
        extra = forgetting[place] - remembering[place]
        if extra > SURE:
            expected = next_of_the_forgetful(probability_of, place, translation[place - 1])
            listed = ", ".join(f"*{other}* ({p:.0%})" for other, p in expected.items())
            before = translation[place - 1]
            said.append(
                f"At *{word}*, by {extra:.2f} nats. It remembers only *{before}*, and so expects "
                f"{listed}."
            )
    if not said:
        return (
            "Nowhere: in this translation every word follows from the source and from the word "
            "before it."
        )
    return " ".join(
        [*said, "The other translator remembers all its words, and is less surprised there."]
    )


def broken_in_words(language: ToyLanguage, source: Tokens, translation: Tokens) -> Markdown:
    """Shows a translation with another pronoun, and the rule that it breaks."""
    other = {"sie": "es", "es": "sie", "ihn": "es"}
    broken = tuple(other.get(word, word) for word in translation)
    fault = language.explain(source, broken)
    return Markdown(
        f"*{detokenise(broken)}* The language says: {fault or 'this is a valid translation'}."
    )


def ticket_costs(source: Tokens) -> Markdown:
    """Shows of each kind that a sentence has, alone, its entropy and what it costs to forget it."""
    rows = []
    for name in SOURCES:
        only = cost(ToyLanguage(alone(name)), [source])
        if only.entropy[0] > SURE:
            rows.append((name, only.entropy[0], only.forgetting[0]))
    lines = ["| kind, alone | entropy (nats) | cost of forgetting (nats) |", "|---|---|---|"]
    lines += [f"| `{name}` | {H:.2f} | {max(0.0, lost):.2f} |" for name, H, lost in rows]
    costly = [f"`{name}`" for name, _, lost in rows if lost > SURE]
    lines.append(
        f"\nOf these {len(rows)} kinds, only {' and '.join(costly)} must be remembered. What "
        "depends on the others follows from the place and the word before."
        if 0 < len(costly) < len(rows)
        else ""
    )
    return Markdown("\n".join(lines))


def paid_again(source: Tokens, name: str) -> str:
    """Answers how forgetting a kind can cost more than its entropy, by a sentence in which it
    does."""
    only, targets = (
        cost(ToyLanguage(alone(name)), [source]),
        ToyLanguage(alone(name)).targets(source),
    )
    H, lost, mode = only.entropy[0], only.forgetting[0], mode_of(targets)
    extra = [f - r for r, f in zip(*surprises(targets, mode), strict=True)]
    *words, last = [f"*{word}*" for word, more in zip(mode, extra, strict=True) if more > SURE]
    return (
        "A choice is made once, but it is needed at every later word that depends on it. Take "
        f"*{detokenise(source)}* Here `{name}` alone has an entropy of {H:.2f} nats. In the "
        f"translation *{detokenise(mode)}* a forgetful translator must guess it again at "
        f"{', '.join(words)}{' and ' if words else ''}{last}. This costs {lost:.2f} nats on "
        f"average, {lost / H:.1f} times the entropy."
    )
