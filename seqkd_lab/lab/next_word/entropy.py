"""Where a model hesitates: entropy by word, by number in the sentence, and beside the truth's."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations

from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator
from torch import Tensor

from seqkd_lab.lab.next_word.estimates import Estimate, decided_pairs, interval, joined, name_of
from seqkd_lab.lab.next_word.positions import Positions
from seqkd_lab.lab.shared.style import TRUTH, panels, role_of, styled
from seqkd_lab.runs.recipes import BASELINE, SEQ_KD

SMALL = 0.02
"""Nats: a smaller entropy, or difference, counts as none."""


@dataclass(frozen=True)
class Doubt:
    """Before one word: the entropy (nats) of a model's next-word distribution, and of the true
    one."""

    source: str
    before: str
    of_model: float
    of_truth: float

    @property
    def excess(self) -> float:
        """How much larger the model's entropy is."""
        return self.of_model - self.of_truth


def doubts(positions: Positions, of_model: Tensor, of_truth: Tensor) -> list[Doubt]:
    """Return the position at which the model's entropy exceeds the truth's most, and where it falls
    short most; both entropies are (N,)."""
    excess = of_model - of_truth
    return [
        Doubt(*positions.text(row)[:2], float(of_model[row]), float(of_truth[row]))
        for row in (int(excess.argmax()), int(excess.argmin()))
    ]


@styled
def sentence_entropy_figure(
    words: Sequence[str], entropies: Mapping[str, Sequence[float]]
) -> Figure:
    """Draw the entropy (nats) of the next word before each of `words`, one bar a model."""
    figure, axes = panels(12, 4.2)
    axes.grid(False, axis="x")
    width = 0.84 / len(entropies)
    for turn, (name, values) in enumerate(entropies.items()):
        shift = (turn - (len(entropies) - 1) / 2) * width
        middles = [number + shift for number in range(len(words))]
        axes.bar(middles, values, 0.92 * width, color=role_of(name).colour, label=name)
    axes.set_xticks(range(len(words)), words, rotation=35, ha="right")
    axes.set_ylabel("entropy of the next word (nats)")
    axes.set_ylim(0.0, 1.25 * max(0.1, *(max(values) for values in entropies.values())))
    axes.legend(loc="upper right", ncols=len(entropies))
    return figure


@styled
def offset_entropy_figure(
    offset: Tensor, entropies: Mapping[str, Tensor], least: int = 20
) -> Figure:
    """Draw the mean entropy (nats) of the next word over its number in the sentence, as far as
    `least` sentences reach. offset (N,) counts from 0; each entropy is (N,)."""
    figure, axes = panels(11, 4.2)
    counts = offset.bincount()
    reached = [t for t in range(len(counts)) if counts[t] >= min(least, int(counts.max()))]
    for name, values in entropies.items():
        means = offset.bincount(weights=values) / counts.clamp(min=1)
        label = f"{name}: mean of all {float(values.mean()):.3f}"
        numbers = [t + 1 for t in reached]
        axes.plot(numbers, means[reached], markersize=7, label=label, **role_of(name).line)
    axes.set_xlabel("place of the word in the sentence")
    axes.set_ylabel("entropy (nats), mean")
    axes.set_ylim(bottom=0.0)
    axes.xaxis.set_major_locator(MaxNLocator(integer=True))
    axes.legend(loc="upper right")
    return figure


def doubts_answer(most: Doubt, least: Doubt) -> str:
    """Say where the teacher's entropy exceeds the truth's most, and where it falls short of it
    most."""

    def described(doubt: Doubt) -> str:
        before = f"after *{doubt.before}*" if doubt.before else "at the beginning"
        return (
            f"{before} (“{doubt.source}”), where the teacher has {doubt.of_model:.2f} nats and the "
            f"truth {doubt.of_truth:.2f}"
        )

    too_much = (
        f"The teacher hesitates most without a reason {described(most)}."
        if most.excess > SMALL
        else "At no position does the teacher hesitate more than the truth."
    )
    too_little = (
        f"It is too certain {described(least)}."
        if least.excess < -SMALL
        else "At no position is it more certain than the truth."
    )
    return (
        f"{too_much} {too_little} Both are the largest such differences in all of these sentences."
    )


def ticket_doubt_answer(words: Sequence[str], entropies: Mapping[str, Sequence[float]]) -> str:
    """Say where in the ticket the truth leaves a choice, and where a model hesitates although it
    leaves none."""
    truth = dict(zip(words, entropies[TRUTH], strict=True))
    choices = [f"*{word}*" for word in words if truth[word] > SMALL]
    sentences = [f"The truth leaves a choice before {joined(choices)}, and nowhere else."]
    for name, values in entropies.items():
        if name != TRUTH:
            certain = {w: v for w, v in zip(words, values, strict=True) if truth[w] <= SMALL}
            word = max(certain, key=lambda word: certain[word])
            sentences.append(
                f"Where it leaves none, the {name_of(name)} hesitates most before *{word}*: "
                f"{certain[word]:.2f} nats."
            )
    return " ".join(sentences)


def entropy_answer(entropies: Mapping[str, Estimate], kl: Mapping[str, float]) -> str:
    """Say the mean entropies and which of the pairs these sentences decide."""
    ranked = sorted(entropies, key=lambda name: -entropies[name].value)
    decided = decided_pairs(entropies)
    means = "; ".join(f"{name} {interval(entropies[name], 3)}" for name in ranked)
    undecided = [f"{a} and {b}" for a, b in combinations(ranked, 2) if (a, b) not in decided]
    apart = (
        f"These sentences do not tell {joined(undecided)} apart. "
        if undecided
        else "These sentences tell all of them apart. "
    )
    lesson = (
        "The Seq-KD student has less entropy than the baseline, and yet it is farther from "
        "the truth: a low entropy does not show that a model is right."
        if (BASELINE, SEQ_KD) in decided and kl[SEQ_KD] > kl[BASELINE]
        else ""
    )
    return f"Mean entropy, in nats: {means}. {apart}{lesson}"
