"""Figures of lessons 0 and 1: distributions over translations, the cost of forgetting, the strength
of ambiguity."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from matplotlib.figure import Figure

from seqkd_lab.corpus.toy.dataset import detokenise
from seqkd_lab.lab.language.ambiguity import ALL, FAMILIES, SOURCES, Setting, Sweep
from seqkd_lab.lab.shared.picture import BlittedFigure, add_label
from seqkd_lab.lab.shared.style import BLACK, BLUE, GREY, ORANGE, SIZE, SKY

if TYPE_CHECKING:
    from seqkd_lab.lab.language.measures import Costs

Tokens = tuple[str, ...]


def translations_figure(probability_of: Mapping[Tokens, float], most: int = 12) -> Figure:
    """The `most` probable translations as bars, and the mass of all others together as the last."""
    ranked = sorted(probability_of.items(), key=lambda item: (-item[1], item[0]))
    rows = [(detokenise(tokens), p) for tokens, p in ranked[:most]]
    if len(ranked) > most:
        rows.append((f"({len(ranked) - most} others together)", sum(p for _, p in ranked[most:])))
    figure = Figure(figsize=(11, 0.8 + 0.36 * len(rows)), layout="constrained")
    axes = figure.subplots()
    colours = [BLUE] * min(most, len(ranked)) + [GREY] * (len(ranked) > most)
    axes.barh(range(len(rows)), [p for _, p in rows], color=colours)
    for place, (_, p) in enumerate(rows):
        axes.annotate(
            f"{p:.3f}", (p, place), xytext=(5, -4), textcoords="offset points", fontsize=SIZE - 1
        )
    axes.set_yticks(range(len(rows)), [text for text, _ in rows], fontsize=SIZE - 1)
    axes.invert_yaxis()
    axes.margins(x=0.12)
    axes.set_xlabel("p(translation | source)", fontsize=SIZE)
    return figure


def words_figure(
    words: Sequence[str], remembering: Sequence[float], forgetting: Sequence[float]
) -> Figure:
    """The surprise (nats) of each word for a translator who remembers its choices and for one who
    forgets them."""
    figure = Figure(figsize=(11, 3.8), layout="constrained")
    axes = figure.subplots()
    places = range(len(words))
    axes.bar(
        [place - 0.2 for place in places],
        remembering,
        0.4,
        color=BLUE,
        label="remembers every word before",
    )
    axes.bar(
        [place + 0.2 for place in places],
        forgetting,
        0.4,
        color=ORANGE,
        hatch="//",
        edgecolor="white",
        label="remembers one word before, and the place",
    )
    axes.set_xticks(places, words, fontsize=SIZE, rotation=30, ha="right")
    axes.set_ylabel("surprise −ln p (nats)", fontsize=SIZE)
    axes.grid(axis="y", color="#dddddd")
    axes.set_axisbelow(True)
    axes.set_ylim(0, 1.4 * max([*remembering, *forgetting, 0.1]))  # room for the legend
    axes.legend(fontsize=SIZE, loc="upper right", ncols=2)
    return figure


def kinds_figure(costs: Costs) -> Figure:
    """Draw, for each kind of choice alone, its entropy and the cost of forgetting it, by families,
    on one scale."""
    rows = [
        row
        for family, names in FAMILIES.items()
        for row in ((family, None), *((name, name) for name in names))
    ]
    figure = Figure(figsize=(11, 5.6), layout="constrained")
    panels = figure.subplots(1, 2, sharey=True)
    titles = (("entropy", "entropy", BLUE), ("forgetting", "cost of forgetting", ORANGE))
    most = max(
        costs.mean(name, measure) for name in SOURCES for measure in ("entropy", "forgetting")
    )
    for axes, (measure, title, colour) in zip(panels, titles, strict=True):
        for place, (_, name) in enumerate(rows):
            if name is not None:
                value = costs.mean(name, measure)
                axes.barh(place, value, color=colour)
                axes.annotate(
                    f"{value:.2f}",
                    (value, place),
                    xytext=(5, -4),
                    textcoords="offset points",
                    fontsize=SIZE - 1,
                )
        axes.set_title(title, fontsize=SIZE)
        axes.set_xlabel(f"nats a sentence, mean of {costs.n_sentences}", fontsize=SIZE)
        axes.tick_params(labelsize=SIZE - 1)
        axes.set_xlim(0.0, 1.15 * most)
    panels[0].set_yticks(range(len(rows)), [text for text, _ in rows], fontsize=SIZE)
    for label, (_, name) in zip(panels[0].get_yticklabels(), rows, strict=True):
        label.set_fontweight("bold" if name is None else "normal")
    panels[0].set_ylim(len(rows) - 0.4, -0.6)
    for axes in panels:
        axes.tick_params(axis="y", length=0)
    return figure


class StrengthDrawing:
    """Left the likely translations of one sentence, right entropy and cost of forgetting over the
    strength."""

    def __init__(self, found: Sweep) -> None:
        self.found = found
        figure = Figure(figsize=(11, 4.2), layout="constrained")
        bars, lines = figure.subplots(1, 2, width_ratios=[1.7, 1.0])
        animated = [*self._draw_bars(bars), *self._draw_lines(lines)]
        self.picture = BlittedFigure(figure, animated)

    def _draw_bars(self, axes) -> list:
        n_rows = max(len(setting.likely) for setting in self.found.settings.values())
        axes.set(xlim=(0, 1), ylim=(n_rows - 0.5, -0.5), yticks=[])
        axes.set_title(" ", fontsize=SIZE)  # room for the moving title
        axes.set_xlabel("p(translation | source)", fontsize=SIZE)
        axes.tick_params(labelsize=SIZE - 1)
        self._bars = axes.barh(range(n_rows), [0.0] * n_rows, 0.9, color=SKY)
        self._texts = [add_label(axes, 0.01, row, fontsize=SIZE - 2) for row in range(n_rows)]
        self._title = add_label(axes, 0.0, -0.85, fontsize=SIZE)
        return [*self._bars, *self._texts, self._title]

    def _draw_lines(self, axes) -> list:
        strengths, top = self.found.strengths, 0.0
        for name in self.found.names:
            top = max(
                [top, *self.found.values(name, "entropy"), *self.found.values(name, "forgetting")]
            )
        axes.set(xlim=(-0.03, 1.03), ylim=(0.0, 1.12 * top))
        axes.set_title(f"mean of {self.found.n_sentences} sentences", fontsize=SIZE)
        axes.set_xlabel("strength", fontsize=SIZE)
        axes.set_ylabel("nats a sentence", fontsize=SIZE)
        axes.tick_params(labelsize=SIZE - 1)
        axes.grid(color="#dddddd")
        nothing = [0.0] * len(strengths)
        (self._entropy,) = axes.plot(
            strengths, nothing, "o-", color=BLUE, linewidth=2, label="entropy"
        )
        (self._forgetting,) = axes.plot(
            strengths, nothing, "s--", color=ORANGE, linewidth=2, label="cost of forgetting"
        )
        self._cut = axes.axvline(0.0, color=BLACK, linewidth=1)
        axes.figure.legend(fontsize=SIZE - 1, loc="outside lower right", ncols=2)
        return [self._entropy, self._forgetting, self._cut]

    def show(self, name: str, strength: float) -> Setting:
        """Draws one setting, and returns it. Raises KeyError for one that was not measured."""
        setting = self.found.settings[name, strength]
        self._title.set_text(setting_in_words(name, strength))
        for row, (bar, label) in enumerate(zip(self._bars, self._texts, strict=True)):
            text, p = setting.likely[row] if row < len(setting.likely) else ("", 0.0)
            bar.set_width(p)
            label.set_text(f"{p:.3f}  {text}" if text else "")
        self._entropy.set_ydata(self.found.values(name, "entropy"))
        self._forgetting.set_ydata(self.found.values(name, "forgetting"))
        self._cut.set_xdata([strength, strength])
        return setting


def setting_in_words(name: str, strength: float) -> str:
    """Says which source of ambiguity has which strength."""
    others = "" if name == ALL else ", all others at 1"
    return f"likeliest translations, {name} at {strength:g}{others}"


def strength_figure(found: Sweep, name: str = SOURCES[0], strength: float = 1.0) -> Figure:
    """The still twin of the strength panel at one setting."""
    drawing = StrengthDrawing(found)
    drawing.show(name, strength)
    return drawing.picture.still()
