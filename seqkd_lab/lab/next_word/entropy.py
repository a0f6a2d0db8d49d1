"""Where a model hesitates: entropy by word, by place in the sentence, and beside the truth's."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import torch
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator
from torch import Tensor

from seqkd_lab.lab.next_word.estimates import Estimate, decided_pairs, interval, listed, name_of
from seqkd_lab.lab.next_word.positions import Positions
from seqkd_lab.lab.next_word.ticket import SMALL
from seqkd_lab.lab.shared.next_words import TEACHER
from seqkd_lab.lab.shared.score_figures import TRUTH, colour_of
from seqkd_lab.lab.shared.style import SIZE
from seqkd_lab.runs.recipes import BASELINE, SEQ_KD, WORD_KD


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


def doubts(
    positions: Positions, of_model: Sequence[float], of_truth: Sequence[float]
) -> list[Doubt]:
    """Return the position at which the model's entropy exceeds the truth's most, and where it falls
    short most."""
    excess = torch.as_tensor(of_model) - torch.as_tensor(of_truth)
    return [
        Doubt(*positions.text(row)[:2], float(of_model[row]), float(of_truth[row]))
        for row in (int(excess.argmax()), int(excess.argmin()))
    ]


def sentence_entropy_figure(
    words: Sequence[str], entropies: Mapping[str, Sequence[float]]
) -> Figure:
    """The entropy (nats) of the next word before each of `words`, one bar a model."""
    figure = Figure(figsize=(12, 4.2), layout="constrained")
    axes = figure.subplots()
    width = 0.84 / len(entropies)
    for turn, (name, values) in enumerate(entropies.items()):
        places = [place + (turn - (len(entropies) - 1) / 2) * width for place in range(len(words))]
        axes.bar(places, values, 0.92 * width, color=colour_of(name), label=name)
    axes.set_xticks(
        range(len(words)), words, fontsize=SIZE, rotation=35, ha="right", parse_math=False
    )
    axes.set_ylabel("entropy of the next word (nats)", fontsize=SIZE)
    axes.tick_params(axis="y", labelsize=SIZE - 1)
    axes.set_ylim(0.0, 1.25 * max(0.1, *(max(values) for values in entropies.values())))
    axes.grid(axis="y", color="#dddddd")
    axes.set_axisbelow(True)
    axes.legend(fontsize=SIZE - 1, loc="upper right", ncols=len(entropies))
    return figure


MARKS = {TRUTH: "s", TEACHER: "o", BASELINE: "^", SEQ_KD: "D", WORD_KD: "v"}


def place_entropy_figure(place: Tensor, entropies: Mapping[str, Tensor], least: int = 20) -> Figure:
    """The mean entropy (nats) of the next word over its place in the sentence, where `least`
    sentences reach so far.

    place (N,) counts from 0; each entropy is (N,).
    """
    figure = Figure(figsize=(11, 4.2), layout="constrained")
    axes = figure.subplots()
    number = place.bincount()
    reached = [p for p in range(len(number)) if number[p] >= min(least, int(number.max()))]
    for name, values in entropies.items():
        means = place.bincount(weights=values) / number.clamp(min=1)
        axes.plot(
            [p + 1 for p in reached],
            means[reached],
            "-",
            marker=MARKS.get(name, "o"),
            markersize=6,
            color=colour_of(name),
            label=f"{name}: mean of all {float(values.mean()):.3f}",
        )
    axes.set_xlabel("place of the word in the sentence", fontsize=SIZE)
    axes.set_ylabel("entropy (nats), mean", fontsize=SIZE)
    axes.set_ylim(bottom=0.0)
    axes.xaxis.set_major_locator(MaxNLocator(integer=True))
    axes.tick_params(labelsize=SIZE - 1)
    axes.grid(color="#dddddd")
    axes.legend(fontsize=SIZE - 1, loc="upper right")
    return figure


def doubts_answer(most: Doubt, least: Doubt) -> str:
    """Say where the teacher's entropy exceeds the truth's most, and where it falls short of it
    most."""

    def place(doubt: Doubt) -> str:
        before = f"after *{doubt.before}*" if doubt.before else "at the beginning"
        return (
            f"{before} (“{doubt.source}”), where the teacher has {doubt.of_model:.2f} nats and the "
            f"truth {doubt.of_truth:.2f}"
        )

    too_much = (
        f"The teacher hesitates most without a reason {place(most)}."
        if most.excess > SMALL
        else "At no position does the teacher hesitate more than the truth."
    )
    too_little = (
        f"It is too certain {place(least)}."
        if least.excess < -SMALL
        else "At no position is it more certain than the truth."
    )
    return (
        f"{too_much} {too_little} Both are the largest such differences in all of these sentences."
    )


def ticket_doubt_answer(words: Sequence[str], entropies: Mapping[str, Sequence[float]]) -> str:
    """Say where in the ticket the truth leaves a choice, and where a model hesitates although it
    leaves none."""
    truth = entropies[TRUTH]
    open_at = [word for word, value in zip(words, truth, strict=True) if value > SMALL]
    said = (
        f"The truth leaves a choice before {listed([f'*{word}*' for word in open_at])}, and "
        "nowhere else. "
    )
    for name, values in entropies.items():
        if name == TRUTH:
            continue
        closed = {
            word: value
            for word, value, true in zip(words, values, truth, strict=True)
            if true <= SMALL
        }
        word = max(closed, key=closed.get)
        said += f"Where it leaves none, the {name_of(name)} hesitates most before *{word}*: {closed[word]:.2f} nats. "  # noqa: E501
    return said.strip()


def entropy_answer(entropies: Mapping[str, Estimate], kl: Mapping[str, float]) -> str:
    """Say the mean entropies and which of the pairs these sentences decide."""
    ranked = sorted(entropies, key=lambda name: -entropies[name].value)
    decided = decided_pairs(entropies)
    said = (
        "Mean entropy, in nats: "
        + "; ".join(f"{name} {interval(entropies[name], 3)}" for name in ranked)
        + ". "
    )
    open_pairs = [
        f"{a} and {b}"
        for i, a in enumerate(ranked)
        for b in ranked[i + 1 :]
        if (a, b) not in decided
    ]
    said += (
        f"These sentences do not tell {listed(open_pairs)} apart. "
        if open_pairs
        else "These sentences tell all of them apart. "
    )
    if (BASELINE, SEQ_KD) in decided and kl[SEQ_KD] > kl[BASELINE]:
        said += (
            "The Seq-KD student has less entropy than the baseline, and yet it is farther from "
            "the truth: a low entropy does not show that a model is right."
        )
    return said
