"""How long students stay on their training paths, and where their first mistakes lie: a picture
and words."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from matplotlib.axes import Axes
from matplotlib.figure import Figure

from seqkd_lab.lab.shared.digits import percent, signed
from seqkd_lab.lab.shared.lesson import Markdown
from seqkd_lab.lab.shared.style import BLACK, LIGHT_GREY, SKY, VERMILION, panels, role_of, styled
from seqkd_lab.lab.word_kd.paths import Walk
from seqkd_lab.runs.recipes import BASELINE, SEQ_KD, WORD_KD

PARTS = (
    ("no mistake", LIGHT_GREY, BLACK),
    ("first mistake on the path", SKY, BLACK),
    ("first mistake off the path", VERMILION, "white"),
)
"""Of a student's bar: the label, its colour, and the colour of its number."""
LEAST_LABELLED = 3.0  # percent: a narrower part has no room for its number


@styled
def walks_figure(walks: Mapping[str, Walk]) -> Figure:
    """Draw how long each student's own words are those of its training path, and where its first
    mistake lies."""
    figure, (left, right) = panels(13, 4.9, 1, 2, width_ratios=[1.0, 1.15])
    for name, walk in walks.items():
        role = role_of(name)
        look: dict[str, Any] = {"color": role.colour, "linewidth": 2.5, "markersize": 8}
        shares = [100.0 * share for share in walk.still]
        left.plot(range(len(shares)), shares, f"{role.marker}-", label=name, **look)
    left.set(ylim=(0.0, 103.0), xlim=(0.0, None), xlabel="words written")
    left.set_ylabel("% of sentences still on the path")
    left.legend(loc="upper right")
    _draw_mistakes(right, walks)
    figure.legend(*right.get_legend_handles_labels(), loc="outside lower center", ncols=3)
    return figure


def _draw_mistakes(axes: Axes, walks: Mapping[str, Walk]) -> None:
    """Draw one bar a student, which makes 100% of the sentences, with the numbers in it."""
    starts = [0.0] * len(walks)
    by_part = zip(
        *((none, on, off) for on, off, none in (w.shares for w in walks.values())), strict=True
    )
    for (label, colour, ink), shares in zip(PARTS, by_part, strict=True):
        values = [100.0 * share for share in shares]
        look: dict[str, Any] = {"left": starts, "color": colour, "edgecolor": "white"}
        axes.barh(range(len(walks)), values, 0.6, label=label, **look)
        text: dict[str, Any] = {"ha": "center", "va": "center_baseline", "weight": "bold"}
        for row, (start, value) in enumerate(zip(starts, values, strict=True)):
            if value >= LEAST_LABELLED:
                axes.annotate(f"{value:.0f}", (start + value / 2, row), color=ink, **text)
        starts = [start + value for start, value in zip(starts, values, strict=True)]
    axes.set_yticks(range(len(walks)), list(walks))
    axes.set(xlim=(0.0, 100.0), ylim=(len(walks) - 0.5, -0.5), xlabel="% of sentences")


def walks_in_words(walks: Mapping[str, Walk], n_words: int = 4) -> Markdown:
    """Say how long the students stay on their paths, and where their first mistakes lie."""
    still = ", ".join(f"{percent(walk.still[n_words])} for {name}" for name, walk in walks.items())
    word_kd = walks[WORD_KD]
    on, off, _ = word_kd.shares
    return Markdown(
        f"After {n_words} words, the share of sentences still on the path is "
        f"{still}.\n\n{percent(on + off)} of Word-KD's translations have a mistake. In "
        f"{percent(word_kd.share_off)} of these, the first mistake comes after its own words have "
        "left gold's.\n\n" + rates_in_words(word_kd)
    )


def rates_in_words(walk: Walk) -> str:
    """Say whether Word-KD makes more mistakes a word off the path, by a bootstrap interval."""
    (on, off), (low, high) = walk.rates, walk.interval()
    verdict = (
        "So mistakes are more frequent off the path. That does not prove that leaving the "
        "path causes them: words off the path are also later words, which have more to agree "
        "with."
        if low > 0.0
        else "So here mistakes are *less* frequent off the path: standing on one's own words does "
        "no harm."
        if high < 0.0
        else "The interval contains 0: these sentences do not show that standing on one's own "
        "words makes a mistake likelier."
    )
    return (
        "Most words are off the path, so compare rates. Of a hundred words that Word-KD writes on "
        f"the path, {on:.1f} are a first mistake; off the path it is {off:.1f}. The difference is "
        f"{signed(off - on, 1)} (95% interval {signed(low, 1)} to {signed(high, 1)}, a bootstrap "
        f"over sentences). {verdict}"
    )


def path_answer(walks: Mapping[str, Walk]) -> str:
    """Say what α and τ cannot change, and what Seq-KD changes."""
    share = {name: sum(walk.on) / (sum(walk.on) + sum(walk.off)) for name, walk in walks.items()}
    lesson = (
        "α and τ change the target at each position of the path. They do not change the path "
        "itself: gold, one of many translations, drawn by chance. Seq-KD's path is the "
        "teacher's own best translation, and its student stays on it longer. Lesson 06 builds "
        "on that."
        if share[SEQ_KD] > share[WORD_KD]
        else "So here Seq-KD's student does not stay on its path longer than Word-KD's."
    )
    return (
        f"Of the words that it writes, the baseline writes {percent(share[BASELINE])} on the path "
        f"that training showed, Word-KD {percent(share[WORD_KD])}, Seq-KD "
        f"{percent(share[SEQ_KD])}. {_fewer_mistakes(walks)} {lesson}"
    )


def _fewer_mistakes(walks: Mapping[str, Walk]) -> str:
    """Say how many translations are without a mistake, and whether Seq-KD and Word-KD differ in
    that."""
    without = {name: walk.shares[2] for name, walk in walks.items()}
    n, gap = len(walks[WORD_KD].on), without[SEQ_KD] - without[WORD_KD]
    variance = sum(p * (1.0 - p) / n for p in (without[SEQ_KD], without[WORD_KD]))
    verdict = (
        "So these sentences do not tell Word-KD and Seq-KD apart in mistakes; the paths are "
        "where they differ."
        if abs(gap) <= 1.96 * variance**0.5
        else f"So {SEQ_KD if gap > 0.0 else WORD_KD} makes fewer mistakes here."
    )
    numbers = ", ".join(f"{percent(share)} for {name}" for name, share in without.items())
    return f"The share of translations without a mistake is {numbers}. {verdict}"
