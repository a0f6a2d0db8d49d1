"""One source with gold and distilled target: what differs, what is valid and which options were
chosen; and the choices of a whole corpus."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from difflib import SequenceMatcher

from matplotlib.figure import Figure

from seqkd_lab.corpus.parallel import ParallelCorpus
from seqkd_lab.corpus.toy import ToyLanguage
from seqkd_lab.lab.shared.bars import REST, BarRows
from seqkd_lab.lab.shared.picture import BlittedFigure
from seqkd_lab.lab.shared.style import BLACK, role_of, styled

Words = tuple[str, ...]
N_OPTIONS = 7
FEWEST_ROWS = 3
SAME = "same"
CHANGED = "changed"
SIDES = ("gold", "distilled")
BRACKETS = {"gold": ("[−", "−]"), "distilled": ("{+", "+}")}
LETTER = 12 * 0.602 / 72
"""Inches: the width of a monospaced letter of 12 points."""


def differences(gold: Words, distilled: Words) -> list[tuple[str, Words, Words]]:
    """Return (SAME or CHANGED, gold's words, distilled's words) from left to right; joined, they
    give both sentences back."""
    matcher = SequenceMatcher(None, gold, distilled, autojunk=False)
    return [
        (SAME if tag == "equal" else CHANGED, gold[i:j], distilled[k:m])
        for tag, i, j, k, m in matcher.get_opcodes()
    ]


@dataclass(frozen=True)
class Pair:
    """A source with gold and distilled target. A fault states what is wrong; it is None for a valid
    target.

    With a language also choices: (name, gold's option, distilled's option), "–" where there was
    none; the entropy of the source's translations in nats; and the true probabilities of both
    targets.
    """

    source: Words
    gold: Words
    distilled: Words
    gold_fault: str | None = None
    distilled_fault: str | None = None
    choices: tuple[tuple[str, str, str], ...] = ()
    entropy: float | None = None
    p_gold: float | None = None
    p_distilled: float | None = None


def compare_pair(
    source: Words, gold: Words, distilled: Words, language: ToyLanguage | None
) -> Pair:
    """Return all that the lens shows of one pair; without a language, or for a source that it does
    not have, only the words."""
    if language is None:
        return Pair(source, gold, distilled)
    targets = (gold, distilled)
    try:
        faults = [language.explain(source, target) for target in targets]
    except ValueError:  # not a sentence of the toy language
        return Pair(source, gold, distilled)
    options = [
        {} if fault else language.choices(source, target)
        for fault, target in zip(faults, targets, strict=True)
    ]
    gold_options, distilled_options = options
    names = dict.fromkeys(name for side in options for name in side)
    gold_fault, distilled_fault = (None if fault is None else str(fault) for fault in faults)
    return Pair(
        source,
        gold,
        distilled,
        gold_fault,
        distilled_fault,
        tuple((n, gold_options.get(n, "–"), distilled_options.get(n, "–")) for n in names),
        language.entropy(source),
        *(math.exp(language.log_prob(source, target)) for target in targets),
    )


def count_choices(
    language: ToyLanguage, sources: Iterable[Words], targets: Iterable[Words]
) -> dict[str, Counter]:
    """Count how often each option of each choice was taken; invalid targets are left out, and
    "noun 2" counts as "noun"."""
    counts: dict[str, Counter] = {}
    for source, target in zip(sources, targets, strict=True):
        if language.is_valid(source, target):
            for name, label in language.choices(source, target).items():
                counts.setdefault(name.split()[0], Counter())[label] += 1
    return counts


@dataclass(frozen=True)
class ChoiceShares:
    """For each choice its options with their shares (0–1) in gold and in the distilled corpus, the
    commonest first."""

    by_choice: Mapping[str, tuple[tuple[str, float, float], ...]]
    n_pairs: int

    @classmethod
    def of(
        cls, language: ToyLanguage, gold: ParallelCorpus, distilled: ParallelCorpus, n_pairs: int
    ) -> ChoiceShares:
        """Count over the first `n_pairs` pairs."""
        sources = gold.source[:n_pairs]
        counted = [
            count_choices(language, sources, corpus.target[:n_pairs])
            for corpus in (gold, distilled)
        ]
        by_choice = {}
        for name in sorted(set(counted[0]) | set(counted[1])):
            sides = [counts.get(name, Counter()) for counts in counted]
            totals = [max(1, side.total()) for side in sides]
            options = sorted(
                set(sides[0]) | set(sides[1]), key=lambda option: (-sides[0][option], option)
            )
            by_choice[name] = tuple(
                (o, sides[0][o] / totals[0], sides[1][o] / totals[1]) for o in options
            )
        return cls(by_choice, len(sources))


class ChoicesDrawing:
    """The shares of one choice's options in gold and in the distilled corpus, from 0 to 1."""

    @styled
    def __init__(self) -> None:
        figure = Figure(figsize=(9, 4.4))  # margins by hand: room for options and numbers
        self._axes = figure.add_axes((0.27, 0.15, 0.65, 0.74))
        self._bars = BarRows(
            self._axes, SIDES, [role_of(side).colour for side in SIDES], N_OPTIONS + 1
        )
        self._axes.set_xlim(0.0, 1.0)
        self._axes.set_xlabel("share of the sentences with this choice")
        self._axes.legend(loc="lower right", bbox_to_anchor=(1.0, 1.0), ncols=2, frameon=False)
        self.picture = BlittedFigure(figure, self._bars.animated)

    def show(self, shares: Sequence[tuple[str, float, float]]) -> None:
        """Move the bars; options without a row of their own are summed up as "(rest)". Few options
        get wider rows."""
        shown = list(shares[:N_OPTIONS])
        if rest := shares[N_OPTIONS:]:
            shown.append((REST, sum(row[1] for row in rest), sum(row[2] for row in rest)))
        self._bars.show(
            [name for name, _, _ in shown],
            [[gold for _, gold, _ in shown], [distilled for _, _, distilled in shown]],
        )
        n_rows = max(FEWEST_ROWS, len(shown))
        if self._axes.get_ylim()[0] != n_rows - 0.5:
            self._axes.set_ylim(n_rows - 0.5, -0.5)
            self.picture.renew()


def marked(pair: Pair, side: str) -> list[tuple[str, bool]]:
    """Return the words of `side` ("gold" or "distilled") in pieces, each with whether it differs;
    one that differs stands in brackets."""
    opening, closing = BRACKETS[side]
    pieces = []
    for kind, *words in differences(pair.gold, pair.distilled):
        text = " ".join(words[SIDES.index(side)])
        if text:
            changed = kind == CHANGED
            pieces.append((f"{opening}{text}{closing}" if changed else text, changed))
    return pieces


@styled
def lens_figure(pair: Pair, shares: Sequence[tuple[str, float, float]], choice: str = "") -> Figure:
    """Draw the still twin of the CorpusLens: the two targets with their differences, and the shares
    of one choice's options."""
    drawing = ChoicesDrawing()
    drawing.show(shares)
    figure = drawing.picture.still()
    figure.set_size_inches(13, 5.0)
    axes = figure.axes[0]
    axes.set_position((0.16, 0.13, 0.78, 0.57))
    axes.set_title(f"choice: {choice}" if choice else "", loc="left", parse_math=False)
    _write(figure, 0.95, "source", [(" ".join(pair.source), False)])
    _write(figure, 0.89, "gold", marked(pair, "gold"))
    _write(figure, 0.83, "distilled", marked(pair, "distilled"))
    return figure


def _write(figure: Figure, height: float, name: str, pieces: Sequence[tuple[str, bool]]) -> None:
    """Write a named line of pieces at `height` of the figure, what differs in bold and in the
    colour of its side."""
    left = 0.01
    for text, changed in [(f"{name + ':':<11}", False), *pieces]:
        figure.text(
            left,
            height,
            text,
            color=role_of(name).text if changed else BLACK,
            fontsize=12,
            family="monospace",
            weight="bold" if changed else "normal",
        )
        left += (len(text) + 1) * LETTER / figure.get_figwidth()
