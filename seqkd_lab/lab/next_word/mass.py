"""Where a model's probability lies: on gold, on other right words, on wrong words, and on which."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import torch
from matplotlib.figure import Figure
from torch import Tensor

from seqkd_lab.corpus.toy import ToyLanguage
from seqkd_lab.corpus.toy.wordlist import kinds_of_words
from seqkd_lab.corpus.vocabulary import EOS, SPECIALS
from seqkd_lab.lab.next_word.estimates import Estimate, estimate, name_of
from seqkd_lab.lab.next_word.positions import Positions
from seqkd_lab.lab.shared.lesson import Markdown
from seqkd_lab.lab.shared.style import LIGHT_GREY, SKY, TRUTH, VERMILION, panels, styled
from seqkd_lab.runs.recipes import TEACHER

AGREEING = ("article", "adjective", "pronoun")
"""Kinds of words whose form must agree with another word."""


@dataclass(frozen=True)
class Mass:
    """Where a model's probability lies, means over positions that add up to 1: on the gold word, on
    the other words that are right there, on words that are wrong."""

    gold: float
    other_right: float
    wrong: float

    @property
    def right_share(self) -> float:
        """The share of what is not on gold that lies on right words: 1 for the truth. NaN with
        nothing beside gold."""
        beside = self.other_right + self.wrong
        return self.other_right / beside if beside > 0.0 else math.nan


def mass(p: Tensor, truth: Tensor, gold: Tensor) -> Mass:
    """Return the Mass of distributions p (N, V), given the truth (N, V) and the gold ids (N,)."""
    on_gold = p.gather(1, gold[:, None]).squeeze(1)
    on_right = (p * (truth > 0.0)).sum(dim=1)
    parts = on_gold, on_right - on_gold, p.sum(dim=1) - on_right
    return Mass(*(max(0.0, float(part.mean())) for part in parts))


def right_share(positions: Positions, name: str) -> Estimate:
    """Estimate the share of what the model does not give to gold that lies on other right words."""
    p = positions.softened(name)
    right = (p * positions.is_right).sum(dim=1)
    gold = p.gather(1, positions.gold[:, None]).squeeze(1)
    columns = torch.stack([right - gold, 1.0 - gold], dim=1)
    return estimate(lambda sums: sums[:, 0] / sums[:, 1], columns, positions.sentence)


PARTS = (
    ("on gold's word", LIGHT_GREY, ""),
    ("on other right words", SKY, "//"),
    ("on wrong words", VERMILION, ""),
)


@styled
def mass_figure(masses: Mapping[str, Mass]) -> Figure:
    """Draw for each model the mean probability on gold's word, on other right and on wrong words.

    The three add up to 1."""
    figure, axes = panels(11, 1.5 + 0.7 * len(masses))
    axes.grid(False)
    rows, start = range(len(masses)), [0.0] * len(masses)
    by_part = zip(*((m.gold, m.other_right, m.wrong) for m in masses.values()), strict=True)
    for (label, colour, hatch), values in zip(PARTS, by_part, strict=True):
        look = {"color": colour, "hatch": hatch, "edgecolor": "white"}
        axes.barh(rows, values, 0.66, left=start, label=label, **look)
        start = [left + value for left, value in zip(start, values, strict=True)]
    beside = {"textcoords": "offset points"}
    for row, m in enumerate(masses.values()):
        numbers = "   ".join(f"{value:.3f}" for value in (m.gold, m.other_right, m.wrong))
        axes.annotate(numbers, (1.0, row), xytext=(8, -5), **beside)
    axes.annotate(" gold    other    wrong", (1.0, -0.5), xytext=(8, 2), **beside)
    axes.set_yticks(rows, list(masses))
    axes.invert_yaxis()
    axes.set_xlim(0.0, 1.0)
    axes.set_xticks([0.0, 0.25, 0.5, 0.75, 1.0])
    axes.set_xlabel("probability, mean over positions")
    figure.legend(loc="outside lower center", ncols=3)
    return figure


def dark_in_words(mass: Mapping[str, Mass], share: Estimate) -> Markdown:
    """Say what the picture of the mass shows: gold cannot be known, and how much of the dark
    knowledge is true."""
    truth, teacher = mass[TRUTH], mass[TEACHER]
    worst = max((name for name in mass if name != TRUTH), key=lambda name: mass[name].wrong)
    low, high = (100.0 * end for end in share.interval)
    return Markdown(
        f"**Gold.** Even the truth gives only {truth.gold:.3f} to gold's word, since chance "
        f"decides which of several right words gold has. The teacher gives it {teacher.gold:.3f}. "
        f"**Dark knowledge.** Of the rest of the teacher's probability, {share.value:.1%} is on "
        f"other right words (95% interval {low:.1f}% to {high:.1f}%). A student can learn from it. "
        f"**Error.** The teacher has {teacher.wrong:.3f} on wrong words. Of the models, the "
        f"{name_of(worst)} has most there: {mass[worst].wrong:.3f}."
    )


@dataclass(frozen=True)
class WrongWord:
    """A word that a model gives probability `p` although no translation continues with it; the
    right words, and the rule that it breaks."""

    source: str
    before: str
    word: str
    p: float
    expected: tuple[str, ...]
    rule: str

    def __str__(self) -> str:
        before = self.before or "(the beginning)"
        right = ", ".join(self.expected)
        return (
            f"{self.source}\n  {before} → {self.word}, p = {self.p:.2f}; right: {right}\n  "
            f"{self.rule}"
        )


def wrong_words(
    positions: Positions, name: str, language: ToyLanguage, n: int = 5
) -> list[WrongWord]:
    """Return the `n` wrong words to which a model gives most, at most one of each sentence."""
    wrong = positions.log_prob[name].exp().masked_fill(positions.is_right, 0.0)
    highest, word = wrong.max(dim=1)
    by_pair: dict[int, WrongWord] = {}
    for row in highest.argsort(descending=True).tolist():
        pair = int(positions.sentence[row])
        if pair in by_pair or len(by_pair) == n:
            continue
        source, before, _ = positions.text(row)
        token = positions.words[int(word[row])]
        prefix = positions.corpus.target[pair][: int(positions.offset[row])]
        added = () if token == SPECIALS[EOS] else (token,)
        violation = language.explain(positions.corpus.source[pair], (*prefix, *added))
        assert violation is not None, "a word with no true probability breaks a rule"
        p = float(highest[row])
        by_pair[pair] = WrongWord(source, before, token, p, violation.expected, violation.rule)
    return list(by_pair.values())


def wrong_by_kind(positions: Positions, name: str) -> dict[str, float]:
    """Return the share of a model's probability on wrong words by the kind of word, the largest
    first.

    A word of several kinds counts for the first of them by the alphabet; the end of a sentence is
    "end".
    """
    kinds, on_word = kinds_of_words(), (positions.softened(name) * ~positions.is_right).sum(dim=0)
    shares: dict[str, float] = {}
    for word, mass in zip(positions.words, on_word.tolist(), strict=True):
        kind = min(kinds.get(word, {"end"}))
        shares[kind] = shares.get(kind, 0.0) + mass / float(on_word.sum())
    return dict(sorted(shares.items(), key=lambda item: -item[1]))


def wrong_table(words: Sequence[WrongWord]) -> Markdown:
    """Show the wrong words with the rule that each one breaks."""
    head = (
        "| source | after | the teacher's word | right | why it is wrong |\n|---|---|---|---|---|\n"
    )
    rows = [
        f"| {word.source} | {word.before or '(the beginning)'} | **{word.word}** ({word.p:.2f}) | "
        f"{', '.join(word.expected)} | {word.rule} |"
        for word in words
    ]
    return Markdown(head + "\n".join(rows))


def wrong_answer(shares: Mapping[str, float], mass: Mass) -> str:
    """Say which kinds of words get the teacher's wrong probability."""
    first, second, *_ = shares
    agreeing = sum(shares.get(kind, 0.0) for kind in AGREEING)
    verdict = (
        "So most of the teacher's errors concern words that must agree."
        if agreeing > 0.6
        else "So about half of the teacher's errors concern words that must agree."
        if agreeing > 0.4
        else "So words that must agree are only a part of the teacher's errors."
    )
    return (
        f"Wrong words get {mass.wrong:.3f} of the teacher's probability. Of this, "
        f"{shares[first]:.0%} is on words of the kind *{first}*, and {shares[second]:.0%} "
        f"on the kind *{second}*. Articles, adjectives and pronouns must agree with another "
        f"word; together they have {agreeing:.0%} of it. {verdict}"
    )


def softening_answer(masses: Mapping[float, Mass]) -> str:
    """Say how much right and how much wrong probability beside gold the teacher shows at each τ."""
    rows = [
        f"at τ = {tau:g}, {mass.other_right:.3f} right and {mass.wrong:.3f} wrong"
        for tau, mass in masses.items()
    ]
    low, high = masses[min(masses)], masses[max(masses)]
    gained, lost = high.other_right - low.other_right, high.wrong - low.wrong
    shown = f"Beside gold the teacher shows, on average: {'; '.join(rows)}. So the higher τ adds "
    if lost <= gained:
        return shown + "more right probability than wrong."
    effect = (
        "more wrong probability than right"
        if gained > 0.0
        else "wrong probability and takes right probability away"
    )
    return (
        f"{shown}{effect}, since far more words are wrong than right. Lesson 04 measures what a "
        "student gains from it."
    )
