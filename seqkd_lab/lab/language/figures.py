"""Figures of lesson 01: distributions over translations, the cost of forgetting, the strength of
ambiguity."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from matplotlib.artist import Artist
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from seqkd_lab.corpus.toy.dataset import detokenise
from seqkd_lab.lab.language.ambiguity import ALL, FAMILIES, SOURCES, Setting, Sweep, Tokens
from seqkd_lab.lab.language.measures import Costs
from seqkd_lab.lab.shared.picture import BlittedFigure, add_label
from seqkd_lab.lab.shared.style import BLACK, BLUE, GREY, ORANGE, SIZE, SKY, panels, ready, styled

LOOKS = {"entropy": ("entropy", BLUE), "forgetting": ("cost of forgetting", ORANGE)}
"""The name and the colour of each measure."""


@styled
def translations_figure(probability_of: Mapping[Tokens, float], most: int = 12) -> Figure:
    """Draw the `most` probable translations as bars, and the mass of all others as the last bar."""
    ranked = sorted(probability_of.items(), key=lambda item: (-item[1], item[0]))
    rows = [(detokenise(tokens), p) for tokens, p in ranked[:most]]
    colours = [BLUE] * len(rows)
    if len(ranked) > most:
        rows.append((f"({len(ranked) - most} others together)", sum(p for _, p in ranked[most:])))
        colours.append(GREY)
    figure, axes = panels(11, 0.8 + 0.36 * len(rows))
    axes.grid(False)
    _bars(axes, range(len(rows)), [p for _, p in rows], colours, 3)
    axes.set_yticks(range(len(rows)), [text for text, _ in rows])
    axes.invert_yaxis()
    axes.margins(x=0.12)
    axes.set_xlabel("p(translation | source)")
    return figure


def _bars(
    axes: Axes, rows: Sequence[int], values: Sequence[float], colours: Sequence[str], digits: int
) -> None:
    """Draw horizontal bars, the number beside each."""
    bars = axes.barh(rows, values, color=colours)
    axes.bar_label(bars, [f"{value:.{digits}f}" for value in values], padding=5)


@styled
def words_figure(
    words: Sequence[str], remembering: Sequence[float], forgetting: Sequence[float]
) -> Figure:
    """Draw the surprise (nats) of each word for a translator who remembers its choices, and for one
    who forgets them."""
    figure, axes = panels(11, 3.8)
    ready(axes, "y")
    positions = range(len(words))
    left = [position - 0.2 for position in positions]
    axes.bar(left, remembering, 0.4, color=BLUE, label="remembers every word before")
    axes.bar(
        [position + 0.2 for position in positions],
        forgetting,
        0.4,
        color=ORANGE,
        hatch="//",
        edgecolor="white",
        label="remembers one word before, and the place",
    )
    axes.set_xticks(positions, words, rotation=30, ha="right")
    axes.set_ylabel("surprise −ln p (nats)")
    axes.set_ylim(0, 1.4 * max([*remembering, *forgetting, 0.1]))  # room for the legend
    axes.legend(loc="upper right", ncols=2)
    return figure


@styled
def kinds_figure(costs: Costs) -> Figure:
    """Draw, for each kind of choice alone, its entropy and the cost of forgetting it, by families,
    on one scale."""
    names = [name for family, kinds in FAMILIES.items() for name in (family, *kinds)]
    rows = [row for row, name in enumerate(names) if name not in FAMILIES]
    figure, both = panels(11, 5.6, 1, 2, sharey=True)
    values = {measure: [costs.mean(names[row], measure) for row in rows] for measure in LOOKS}
    for axes, (measure, (title, colour)) in zip(both, LOOKS.items(), strict=True):
        axes.grid(False)
        _bars(axes, rows, values[measure], [colour] * len(rows), 2)
        axes.set_title(title)
        axes.set_xlabel(f"nats a sentence, mean of {costs.n_sentences}")
        axes.set_xlim(0.0, 1.15 * max(map(max, values.values())))
        axes.tick_params(axis="y", length=0)
    both[0].set_yticks(range(len(names)), names)
    for label in both[0].get_yticklabels():
        label.set_fontweight("bold" if label.get_text() in FAMILIES else "normal")
    both[0].set_ylim(len(names) - 0.4, -0.6)
    return figure


class StrengthDrawing:
    """The likely translations of one sentence (left), and entropy and cost of forgetting over the
    strength of a kind of choice (right)."""

    @styled
    def __init__(self, sweep: Sweep) -> None:
        self.sweep = sweep
        figure, (bars, lines) = panels(11, 4.2, 1, 2, width_ratios=[1.7, 1.0])
        animated = [*self._draw_bars(bars), *self._draw_lines(lines)]
        self.picture = BlittedFigure(figure, animated)

    def _draw_bars(self, axes: Axes) -> list[Artist]:
        """Make the bars and their texts, and return what changes."""
        n_rows = max(len(setting.likely) for setting in self.sweep.settings.values())
        axes.set(xlim=(0, 1), ylim=(n_rows - 0.5, -0.5), yticks=[])
        axes.grid(False)
        axes.set_title(" ")  # room for the title that changes
        axes.set_xlabel("p(translation | source)")
        self._bars = axes.barh(range(n_rows), [0.0] * n_rows, 0.9, color=SKY)
        self._texts = [add_label(axes, 0.01, row, fontsize=SIZE - 2) for row in range(n_rows)]
        self._title = add_label(axes, 0.0, -0.85)
        return [*self._bars, *self._texts, self._title]

    def _draw_lines(self, axes: Axes) -> list[Artist]:
        """Make the lines over the strength, and return what changes."""
        sweep, strengths = self.sweep, self.sweep.strengths
        top = max(max(sweep.values(name, measure)) for name in sweep.names for measure in LOOKS)
        axes.set(xlim=(-0.03, 1.03), ylim=(0.0, 1.12 * top))
        axes.set_title(f"mean of {sweep.n_sentences} sentences")
        axes.set_xlabel("strength")
        axes.set_ylabel("nats a sentence")
        self._lines = {}
        for (measure, (label, colour)), look in zip(LOOKS.items(), ("o-", "s--"), strict=True):
            zeros = [0.0] * len(strengths)
            (line,) = axes.plot(strengths, zeros, look, color=colour, linewidth=2, label=label)
            self._lines[measure] = line
        self._cut = axes.axvline(0.0, color=BLACK, linewidth=1)
        axes.figure.legend(loc="outside lower right", ncols=2)
        return [*self._lines.values(), self._cut]

    def show(self, name: str, strength: float) -> Setting:
        """Draw one setting, and return it. Raise KeyError for one that was not measured."""
        setting = self.sweep.settings[name, strength]
        self._title.set_text(setting_in_words(name, strength))
        for row, (bar, label) in enumerate(zip(self._bars, self._texts, strict=True)):
            text, p = setting.likely[row] if row < len(setting.likely) else ("", 0.0)
            bar.set_width(p)
            label.set_text(f"{p:.3f}  {text}" if text else "")
        for measure, line in self._lines.items():
            line.set_ydata(self.sweep.values(name, measure))
        self._cut.set_xdata([strength, strength])
        return setting


def setting_in_words(name: str, strength: float) -> str:
    """Say which kind of choice has which strength."""
    others = "" if name == ALL else ", all others at 1"
    return f"likeliest translations, {name} at {strength:g}{others}"


def strength_figure(sweep: Sweep, name: str = SOURCES[0], strength: float = 1.0) -> Figure:
    """Draw one setting: the still twin of the StrengthPanel."""
    drawing = StrengthDrawing(sweep)
    drawing.show(name, strength)
    return drawing.picture.still()
