"""Sentences of lesson 01 about many source sentences: what each kind of choice costs, and the
strengths."""

from __future__ import annotations

import math
from collections.abc import Sequence

from seqkd_lab.lab.language.ambiguity import ALL, FAMILIES, SOURCES, Sweep
from seqkd_lab.lab.language.measures import Costs
from seqkd_lab.lab.shared.lesson import Markdown

FAMILY_OF = {name: family for family, names in FAMILIES.items() for name in names}
PRONOUNS = ("sie", "es", "ihn", "er", "ihm", "ihr")


def explained(costs: Costs) -> Markdown:
    """Compares entropy and cost of forgetting of the kinds and of their families, by what was
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
    """Compares how often the costliest kind and the noun occur, and which share of their entropy is
    remembered."""
    if costly == "noun":
        return "It is the ticket's costliest kind, too."
    said = []
    for name in ("noun", costly):
        remembered = costs.mean(name, "forgetting") / costs.mean(name, "entropy")
        occurs = costs.of[name].n_sentences_with / costs.n_sentences
        said.append(
            f"`{name}` occurs in {occurs:.0%} of the sentences and costs {remembered:.2f} times "
            "its entropy"
        )
    return f"In the ticket it was `noun` that cost most. Over many sentences, {'; '.join(said)}."


def sums_in_words(costs: Costs) -> str:
    """Answers whether the kinds' numbers add up to those of the whole language."""
    H, lost = (
        math.fsum(costs.mean(name, measure) for name in SOURCES)
        for measure in ("entropy", "forgetting")
    )
    whole_H, whole_lost = costs.total("entropy"), costs.total("forgetting")
    said = (
        f"The entropies of the {len(SOURCES)} kinds, each alone, sum to {H:.2f} nats; all kinds "
        f"together have {whole_H:.2f}. The costs of forgetting sum to {lost:.2f}; together they "
        f"are {whole_lost:.2f}. "
    )
    if whole_lost > lost:
        return said + (
            "Together they are larger. One reason is that many choices move words to other "
            "places. A forgetful translator knows only the place and one word, so it can tell "
            "less well what follows."
        )
    return said + "Together they are no larger: what one choice hides, another shows."


def noun_at_0(sweep: Sweep) -> str:
    """Answers whether the shown sentence's pronouns still vary where the noun is never a choice."""
    off, on = (pronouns_in(sweep, "noun", strength) for strength in (0.0, 1.0))
    verdict = "No" if len(off) <= 1 < len(on) else "It does not show here"
    return (
        f"{verdict}. Among the most probable translations the pronoun is {' or '.join(off)} at "
        f"strength 0, and {' or '.join(on)} at strength 1. The pronoun follows from the noun."
    )


def pronouns_in(sweep: Sweep, name: str, strength: float) -> list[str]:
    """Lists the pronouns in the most probable translations of the shown sentence at a setting, the
    first one first."""
    texts = (
        text.casefold().strip(".").split() for text, _ in sweep.settings[name, strength].likely
    )
    return list(dict.fromkeys(f"*{word}*" for words in texts for word in words if word in PRONOUNS))


def curve_in_words(sweep: Sweep, name: str) -> str:
    """Answers whether the cost of forgetting moves with the strength of a kind."""
    lost, H = sweep.values(name, "forgetting"), sweep.values(name, "entropy")
    verdict = "Hardly" if moved(lost) < 0.1 * moved(H) else "Yes"
    return (
        f"{verdict}. From strength 0 to 1 the entropy goes from {H[0]:.2f} to {H[-1]:.2f} nats, "
        f"the cost of forgetting from {lost[0]:.2f} to {lost[-1]:.2f}."
    )


def moved(values: Sequence[float]) -> float:
    return abs(values[-1] - values[0])


def all_at_0(sweep: Sweep) -> str:
    """Says what is left of the language where no kind leaves a choice."""
    measures = sweep.settings[ALL, 0.0].measures
    return (
        f"Each source has {measures.n_translations:.0f} translation. The entropy is "
        f"{measures.entropy:.2f} nats, the cost of forgetting {measures.forgetting:.2f}. In this "
        "language a good teacher writes the references, so distillation has nothing to change."
    )
