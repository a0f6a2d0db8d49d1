"""Sentences of lesson 01, computed from the language's own probabilities: about the ticket, and
about what each kind of choice costs over many sentences."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

from seqkd_lab.corpus.toy import ToyLanguage
from seqkd_lab.corpus.toy.dataset import detokenise
from seqkd_lab.corpus.toy.german import Memory
from seqkd_lab.lab.language.ambiguity import (
    ALL,
    FAMILIES,
    SOURCES,
    Sweep,
    Tokens,
    entropy,
    surprises,
)
from seqkd_lab.lab.language.kinds import alone
from seqkd_lab.lab.language.measures import Costs, cost, next_of_the_forgetful
from seqkd_lab.lab.shared.showing import Markdown

SURE = 1e-9
"""Nats: what is less than this is 0."""
FAMILY_OF = {name: family for family, names in FAMILIES.items() for name in names}
PRONOUNS = ("sie", "es", "ihn", "er", "ihm", "ihr")


def mode_of(probability_of: Mapping[Tokens, float]) -> Tokens:
    """Return the most probable translation."""
    return max(probability_of, key=probability_of.__getitem__)


def mode_in_words(probability_of: Mapping[Tokens, float]) -> Markdown:
    """Say what the mode is, and how often the program writes something else."""
    mode = mode_of(probability_of)
    p = probability_of[mode]
    return Markdown(
        f"The mode of the ticket is *{detokenise(mode)}* with p = {p:.3f}. It is the best single "
        f"guess, and yet the program writes another translation {1 - p:.0%} of the time."
    )


def clauses_in_words(language: ToyLanguage, source: Tokens) -> Markdown:
    """Show how a source of two clauses gets its translations: each variant of the first, with
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
    """Say how hard a sentence is to guess: its entropy, and the equally likely translations that
    would match it."""
    H, n = entropy(probability_of), len(probability_of)
    return Markdown(
        f"The ticket's entropy is {H:.2f} nats, and exp(H) = {math.exp(H):.0f}. So its {n} "
        f"translations are as hard to guess as {math.exp(H):.0f} equally likely ones. The most "
        f"that {n} translations can have is ln {n} = {math.log(n):.2f} nats, if all are equally "
        "likely."
    )


def choices_in_words(language: ToyLanguage, source: Tokens) -> Markdown:
    """Say which kinds are at work in a sentence, and what the translator of its mode chose."""
    mode, _ = language.mode(source)
    chosen = language.choices(source, mode)
    absent = [f"`{name}`" for name in SOURCES if name not in chosen]
    options = ", ".join(f"`{name}` ({label})" for name, label in chosen.items())
    return Markdown(
        f"The ticket has {len(chosen)} of the {len(SOURCES)} kinds. For its mode, the program "
        f"chose {options}. The other kinds do not occur in it: {', '.join(absent)}."
    )


def forgetful_in_words(probability_of: Mapping[Tokens, float], translation: Tokens) -> str:
    """Answer where the forgetful translator is more surprised, and why: what else it expects
    there."""
    remembering, forgetting = surprises(probability_of, translation)
    sentences = []
    for position, word in enumerate(translation):
        extra = forgetting[position] - remembering[position]
        if extra > SURE:
            expected = next_of_the_forgetful(probability_of, position, translation[position - 1])
            listed = ", ".join(f"*{other}* ({p:.0%})" for other, p in expected.items())
            before = translation[position - 1]
            sentences.append(
                f"At *{word}*, by {extra:.2f} nats. It remembers only *{before}*, and so expects "
                f"{listed}."
            )
    if not sentences:
        return (
            "Nowhere: in this translation every word follows from the source and from the word "
            "before it."
        )
    return " ".join(
        [*sentences, "The other translator remembers all its words, and is less surprised there."]
    )


def broken_in_words(language: ToyLanguage, source: Tokens, translation: Tokens) -> Markdown:
    """Show a translation with another pronoun, and the rule that it breaks."""
    other = {"sie": "es", "es": "sie", "ihn": "es"}
    broken = tuple(other.get(word, word) for word in translation)
    fault = language.explain(source, broken)
    return Markdown(
        f"*{detokenise(broken)}* The language says: {fault or 'this is a valid translation'}."
    )


def ticket_costs(source: Tokens) -> Markdown:
    """Show of each kind that a sentence has, alone, its entropy and what it costs to forget it."""
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
    """Answer how forgetting a kind can cost more than its entropy, by a sentence in which it
    does."""
    language = ToyLanguage(alone(name))
    only, targets = cost(language, [source]), language.targets(source)
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


def explained(costs: Costs) -> Markdown:
    """Compare entropy and cost of forgetting of the kinds and of their families, by what was
    measured."""
    most_open = max(SOURCES, key=lambda name: costs.mean(name, "entropy"))
    costly = max(SOURCES, key=lambda name: costs.mean(name, "forgetting"))
    sums = {
        family: math.fsum(costs.mean(name, "forgetting") for name in names)
        for family, names in FAMILIES.items()
    }
    return Markdown(
        "\n\n".join(
            (
                "**More entropy is not more to remember.** The kind with the most entropy is "
                f"`{most_open}`, one of the {FAMILY_OF[most_open]}: "
                f"{costs.mean(most_open, 'entropy'):.2f} nats a sentence. Forgetting it costs "
                f"{costs.mean(most_open, 'forgetting'):.2f} nats.",
                f"The kind that costs most to forget is `{costly}`, one of the "
                f"{FAMILY_OF[costly]}: {costs.mean(costly, 'forgetting'):.2f} nats, with an "
                "entropy of "
                f"{costs.mean(costly, 'entropy'):.2f}. " + _compared_with_the_noun(costs, costly),
                "By family, the costs sum to "
                f"{', '.join(f'{total:.2f} ({family})' for family, total in sums.items())} nats.",
            )
        )
    )


def _compared_with_the_noun(costs: Costs, costly: str) -> str:
    """Compare how often the costliest kind and the noun occur, and which share of their entropy is
    remembered."""
    if costly == "noun":
        return "It is the ticket's costliest kind, too."
    shares = []
    for name in ("noun", costly):
        remembered = costs.mean(name, "forgetting") / costs.mean(name, "entropy")
        occurs = costs.of[name].n_sentences_with / costs.n_sentences
        shares.append(
            f"`{name}` occurs in {occurs:.0%} of the sentences and costs {remembered:.2f} times "
            "its entropy"
        )
    return f"In the ticket it was `noun` that cost most. Over many sentences, {'; '.join(shares)}."


def sums_in_words(costs: Costs) -> str:
    """Answer whether the kinds' numbers add up to those of the whole language."""
    H, lost = (
        math.fsum(costs.mean(name, measure) for name in SOURCES)
        for measure in ("entropy", "forgetting")
    )
    whole_H, whole_lost = costs.total("entropy"), costs.total("forgetting")
    sums = (
        f"The entropies of the {len(SOURCES)} kinds, each alone, sum to {H:.2f} nats; all kinds "
        f"together have {whole_H:.2f}. The costs of forgetting sum to {lost:.2f}; together they "
        f"are {whole_lost:.2f}. "
    )
    if whole_lost > lost:
        return sums + (
            "Together they are larger. One reason is that many choices move words to other "
            "places. A forgetful translator knows only the place and one word, so it can tell "
            "less well what follows."
        )
    return sums + "Together they are no larger: what one choice hides, another shows."


def noun_at_0(sweep: Sweep) -> str:
    """Answer whether the shown sentence's pronouns still vary where the noun is never a choice."""
    off, on = (pronouns_in(sweep, "noun", strength) for strength in (0.0, 1.0))
    verdict = "No" if len(off) <= 1 < len(on) else "It does not show here"
    return (
        f"{verdict}. Among the most probable translations the pronoun is {' or '.join(off)} at "
        f"strength 0, and {' or '.join(on)} at strength 1. The pronoun follows from the noun."
    )


def pronouns_in(sweep: Sweep, name: str, strength: float) -> list[str]:
    """List the pronouns in the most probable translations of the shown sentence at a setting, the
    first one first."""
    texts = (
        text.casefold().strip(".").split() for text, _ in sweep.settings[name, strength].likely
    )
    return list(dict.fromkeys(f"*{word}*" for words in texts for word in words if word in PRONOUNS))


def curve_in_words(sweep: Sweep, name: str) -> str:
    """Answer whether the cost of forgetting moves with the strength of a kind."""
    lost, H = sweep.values(name, "forgetting"), sweep.values(name, "entropy")
    verdict = "Hardly" if moved(lost) < 0.1 * moved(H) else "Yes"
    return (
        f"{verdict}. From strength 0 to 1 the entropy goes from {H[0]:.2f} to {H[-1]:.2f} nats, "
        f"the cost of forgetting from {lost[0]:.2f} to {lost[-1]:.2f}."
    )


def moved(values: Sequence[float]) -> float:
    return abs(values[-1] - values[0])


def all_at_0(sweep: Sweep) -> str:
    """Say what is left of the language where no kind leaves a choice."""
    measures = sweep.settings[ALL, 0.0].measures
    return (
        f"Each source has {measures.n_translations:.0f} translation. The entropy is "
        f"{measures.entropy:.2f} nats, the cost of forgetting {measures.forgetting:.2f}. In this "
        "language a good teacher writes the references, so distillation has nothing to change."
    )
