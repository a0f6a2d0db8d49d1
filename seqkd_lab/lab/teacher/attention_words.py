"""Lesson 02's sentences about attention, computed from what the run measured."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from seqkd_lab.lab.shared.showing import Markdown
from seqkd_lab.lab.teacher.attention import (
    ARTICLES,
    KINDS,
    OTHERS,
    Alignment,
    AttentionReading,
    position_of,
    readable,
)

ANOTHER_WORD = "another word"
SMALL_WEIGHT = 0.1
CERTAIN = 0.9
"""A probability from here on is called near certainty."""


def weights_in_words(reading: AttentionReading, position: int) -> str:
    """Say where the model looks before the target word at `position`, and what the word
    translates; plain text."""
    weights = reading.weights[position].tolist()
    order = sorted(range(len(weights)), key=weights.__getitem__, reverse=True)[:3]
    word = readable(reading.target[position])
    shown = [f"“{readable(reading.source[s])}” ({weights[s]:.2f})" for s in order]
    text = (
        f"Before it writes “{word}”, the model looks most at {shown[0]}, then at "
        f"{' and '.join(shown[1:])}. "
    )
    true = reading.aligned[position]
    if true < 0:
        text += f"“{word}” translates no English word. "
    elif reading.rank(position) == 1:
        text += f"“{word}” translates “{reading.source[true]}”, which has the largest weight. "
    else:
        text += (
            f"“{word}” translates “{reading.source[true]}”, whose weight is {weights[true]:.2f}, "
            f"number {reading.rank(position)} by size. "
        )
    return text + f"The model gives “{word}” the probability {reading.p[position]:.3f}."


def looked_at(reading: AttentionReading, english: str, options: Sequence[str]) -> str:
    """Return which of `options` has the largest weight before the translation of `english`, else
    ANOTHER_WORD."""
    word = reading.source[reading.top(position_of(reading, english))]
    return word if word in options else ANOTHER_WORD


def pronoun_answer(readings: Sequence[AttentionReading], pronoun: str, noun: str) -> str:
    """Answer how the gender of the noun reaches the pronoun, from translations that chose
    different nouns.

    `pronoun` and `noun` are source words.
    """
    sentences, weights, p = [], [], []
    for reading in readings:
        at = position_of(reading, pronoun)
        row = reading.weights[at]
        weights.append(float(row[reading.source.index(noun)]))
        p.append(reading.p[at])
        chosen = reading.target[position_of(reading, noun)]
        sentences.append(
            f"After *{chosen}*, the teacher gives *{reading.target[at]}* the probability "
            f"**{p[-1]:.3f}**; *{pronoun}* has the weight {float(row[reading.aligned[at]]):.2f}, "
            f"*{noun}* {weights[-1]:.2f}."
        )
    if max(weights) >= SMALL_WEIGHT:
        sentences.append(
            f"So attention does look back at *{noun}*. That alone cannot decide: the English word "
            "does not say which German noun was written."
        )
    else:
        sentences.append(
            f"So attention hardly looks back at *{noun}*, and it would not help: the English word "
            "does not say which German noun was written."
        )
    sentences.append(
        "In the formulas, the words written so far enter only through the decoder state. It alone "
        "can tell the teacher which noun it chose."
    )
    sentences.append("Here it does." if min(p) >= CERTAIN else "Here it does so only in part.")
    return " ".join(sentences)


def articles_answer(alignments: Mapping[str, Alignment]) -> str:
    """Answer what the model looks at before an article."""
    articles, others = alignments[ARTICLES], alignments[OTHERS]
    earlier = 1.0 - articles.hits - articles.later
    text = (
        "Before a German article, the largest weight lies on the English one in "
        f"{articles.hits:.0%} of the cases"
    )
    if articles.hits + 2.0 * articles.error < others.hits - 2.0 * others.error:
        text += f", less often than for “other words” ({others.hits:.0%})"
    text += (
        f". It lies on a later word in {articles.later:.0%}, and on an earlier one in "
        f"{max(0.0, earlier):.0%}. "
    )
    if articles.later > earlier:
        text += (
            "The form of a German article depends on its noun, which comes later, and the English "
            "article does not tell it."
        )
    return text


def alignment_answer(alignments: Mapping[str, Alignment]) -> str:
    """Answer whether attention is the alignment."""
    everything = alignments["all"]
    text = (
        f"At **{everything.hits:.1%}** of the words, the largest weight lies on the true word; a "
        f"position picked at random would be the true one at {everything.by_chance:.1%}. "
    )
    if everything.hits - 2.0 * everything.error > everything.by_chance:
        amount = "most" if everything.hits > 0.5 else "a part"
        text += (
            f"So attention has found {amount} of the alignment, although the loss never mentions "
            "it: looking at the right word makes the next word more probable. "
        )
    else:
        text += "So this model's attention has not found the alignment. "
    least = min(
        (kind for kind in KINDS if kind in alignments), key=lambda kind: alignments[kind].hits
    )
    return text + (
        f"Attention is not the alignment, however: at {1.0 - everything.hits:.1%} of the words "
        f"another word has the largest weight. This share is largest for {least} "
        f"({1.0 - alignments[least].hits:.0%}). A German word may be known from other words, or "
        "from the decoder's state, like the pronoun above."
    )


def alignment_table(alignments: Mapping[str, Alignment]) -> Markdown:
    """Show how often the true source word has the largest weight, by kind of English word."""
    head = (
        "| English word | German words | true word has the largest weight | mean weight of the "
        "true word |"
    )
    rows = [
        f"| {kind} | {a.n_words:,} | {a.hits:.1%} ± {2.0 * a.error:.1%} | {a.weight:.2f} |"
        for kind, a in alignments.items()
    ]
    return Markdown(
        "\n".join((head, "|---|---|---|---|", *rows))
        + "\n\n± two standard errors over the sentences"
    )
