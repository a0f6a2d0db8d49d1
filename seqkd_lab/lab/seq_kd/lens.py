"""One source, gold and distilled target: what differs, what is valid, what was chosen; and the
choices of a corpus."""

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
from seqkd_lab.lab.shared.style import BLACK, BLUE, GREEN, SIZE

Words = tuple[str, ...]
N_OPTIONS, FEWEST_ROWS = 7, 3
SAME, CHANGED = "same", "changed"
OPENING, CLOSING = {"gold": "[−", "distilled": "{+"}, {"gold": "−]", "distilled": "+}"}
DARK_GREEN = (
    "#00664b"  # the green of the teacher's mode, darkened: text on white needs the contrast
)
TEXT_COLOURS = {"gold": BLUE, "distilled": DARK_GREEN}
BAR_COLOURS = (BLUE, GREEN)
"""One colour a side, in the sentences and in the bars: gold's words are blue, the teacher's mode is
green."""


def differences(gold: Words, distilled: Words) -> list[tuple[str, Words, Words]]:
    """(SAME or CHANGED, gold's words, distilled's words) from left to right; joined, they give both
    sentences back."""
    matcher = SequenceMatcher(None, gold, distilled, autojunk=False)
    return [
        (SAME if tag == "equal" else CHANGED, gold[i:j], distilled[k:m])
        for tag, i, j, k, m in matcher.get_opcodes()
    ]


@dataclass(frozen=True)
class Pair:
    """A source with gold and distilled target. faults say what is wrong, None for a valid target.

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
    """All that the lens shows of one pair; without a language, or for a source it does not have,
    only the words."""
    try:
        faults = [language and language.explain(source, target) for target in (gold, distilled)]
    except ValueError:  # not a sentence of the toy language
        language = None
    if language is None:
        return Pair(source, gold, distilled)
    chosen = [
        {} if fault else language.choices(source, target)
        for fault, target in zip(faults, (gold, distilled), strict=True)
    ]
    names = dict.fromkeys(name for options in chosen for name in options)
    rows = tuple((name, *(options.get(name, "–") for options in chosen)) for name in names)
    faulty = [None if fault is None else str(fault) for fault in faults]
    p_gold, p_distilled = (
        math.exp(language.log_prob(source, target)) for target in (gold, distilled)
    )
    return Pair(
        source, gold, distilled, *faulty, rows, language.entropy(source), p_gold, p_distilled
    )


def count_choices(
    language: ToyLanguage, sources: Iterable[Words], targets: Iterable[Words]
) -> dict[str, Counter]:
    """How often each option of each choice was taken; invalid targets are left out, "noun 2" counts
    as "noun"."""
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
        """Counted over the first `n_pairs` pairs."""
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

    def __init__(self) -> None:
        figure = Figure(figsize=(9, 4.4))  # margins by hand: room for options and numbers
        self._axes = figure.add_axes((0.27, 0.15, 0.65, 0.74))
        self._bars = BarRows(self._axes, ("gold", "distilled"), BAR_COLOURS, N_OPTIONS + 1)
        self._axes.set_xlim(0.0, 1.0)
        self._axes.set_xlabel("share of the sentences with this choice", fontsize=SIZE)
        self._axes.legend(
            fontsize=SIZE, loc="lower right", bbox_to_anchor=(1.0, 1.0), ncols=2, frameon=False
        )
        self.picture = BlittedFigure(figure, self._bars.animated)

    def show(self, shares: Sequence[tuple[str, float, float]]) -> None:
        """Moves the bars; what has no row of its own is summed up as "(rest)". Few options get
        wider rows."""
        shown, rest = list(shares[:N_OPTIONS]), shares[N_OPTIONS:]
        if rest:
            shown.append(
                (REST, sum(gold for _, gold, _ in rest), sum(other for _, _, other in rest))
            )
        columns = [[row[1] for row in shown], [row[2] for row in shown]]
        self._bars.show([row[0] for row in shown], columns)
        n_rows = max(FEWEST_ROWS, len(shown))
        if self._axes.get_ylim()[0] != n_rows - 0.5:
            self._axes.set_ylim(n_rows - 0.5, -0.5)
            self.picture.renew()


def marked(pair: Pair, side: str) -> list[tuple[str, bool]]:
    """The words of `side` ("gold" or "distilled") in pieces, and whether a piece differs: if so, in
    brackets."""
    pieces = []
    for kind, *words in differences(pair.gold, pair.distilled):
        text = " ".join(words[side == "distilled"])
        if text:
            changed = kind == CHANGED
            pieces.append((f"{OPENING[side]}{text}{CLOSING[side]}" if changed else text, changed))
    return pieces


def lens_figure(pair: Pair, shares: Sequence[tuple[str, float, float]], choice: str = "") -> Figure:
    """Still twin of the CorpusLens: the two targets with their differences, and the shares of one
    choice's options."""
    drawing = ChoicesDrawing()
    drawing.show(shares)
    figure, axes = drawing.picture.figure, drawing.picture.figure.axes[0]
    width = 13
    figure.set_size_inches(width, 5.0)
    axes.set_position((0.16, 0.13, 0.78, 0.57))
    axes.set_title(
        f"choice: {choice}" if choice else "", fontsize=SIZE, loc="left", parse_math=False
    )
    lines = [("source", [(" ".join(pair.source), False)])]
    lines += [(side, marked(pair, side)) for side in ("gold", "distilled")]
    for number, (name, pieces) in enumerate(lines):
        left = 0.01
        for text, changed in [(f"{name + ':':<11}", False), *pieces]:
            figure.text(
                left,
                0.95 - 0.06 * number,
                text,
                color=TEXT_COLOURS[name] if changed else BLACK,
                fontsize=12,
                family="monospace",
                weight="bold" if changed else "normal",
                parse_math=False,
            )
            left += (
                (len(text) + 1) * 12 * 0.602 / 72 / width
            )  # a monospaced letter is 0.602 of its size wide
    for artist in drawing.picture.animated:
        artist.set_animated(False)
    return figure
