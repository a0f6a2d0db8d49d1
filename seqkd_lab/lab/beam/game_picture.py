"""The game's picture, log p of three translations word by word, and its end in words."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from seqkd_lab.corpus.toy import ToyLanguage
from seqkd_lab.corpus.toy.dataset import detokenise
from seqkd_lab.decoding.search import search
from seqkd_lab.lab.beam.game import END, NextWords, Words
from seqkd_lab.lab.shared.digits import deciding_digits, shown_log_prob
from seqkd_lab.lab.shared.picture import BlittedFigure, add_label, label_axes
from seqkd_lab.lab.shared.style import BLACK, BROWN, ORANGE, PURPLE, SIZE
from seqkd_lab.models.seq2seq import Seq2Seq

YOU, GREEDY, BEAM = "you", "greedy", "beam"

LOOKS = {YOU: (PURPLE, "o-"), GREEDY: (ORANGE, "s--"), BEAM: (BLACK, "^:")}

TEXT = {YOU: "#8e4a74", GREEDY: BROWN, BEAM: BLACK}
"""Their colours as text, which on white must be darker."""

MOST_STEPS, LOWEST = 18, -9.0
"""The axes' ends: what has more words, or is less probable, is drawn as far as the edge."""


@dataclass(frozen=True)
class Path:
    """A translation, or its beginning: the words so far, END included where it is complete, and log
    p after each."""

    words: tuple[str, ...]
    log_probs: tuple[float, ...]

    @property
    def log_prob(self) -> float:
        """log p of all its words, in nats."""
        return self.log_probs[-1] if self.log_probs else 0.0


class PathsDrawing:
    """log p over the number of words, a line each for the player, greedy search and a beam, with
    the last values."""

    def __init__(self, most_steps: int = MOST_STEPS) -> None:
        figure = Figure(figsize=(12, 4.2))
        axes = figure.add_axes((0.07, 0.15, 0.8, 0.73))
        label_axes(
            axes,
            "words written, the end counted",
            "log p of the words so far (nats)",
            "○ you   ■ greedy search   ▲ beam search: the higher line is more probable",
        )
        axes.set_xlim(0.0, most_steps)
        axes.set_ylim(LOWEST, 0.3)
        axes.xaxis.set_major_locator(MaxNLocator(integer=True, nbins=14))
        self._lines = {
            name: axes.plot([], [], look, color=colour, linewidth=2.5, markersize=7)[0]
            for name, (colour, look) in LOOKS.items()
        }
        self._lines[YOU].set(
            markersize=14, markerfacecolor="none", markeredgewidth=2.5
        )  # seen around the others
        self._labels = {name: add_label(axes, 0, 0, color=TEXT[name]) for name in LOOKS}
        self._most_steps = most_steps
        self.picture = BlittedFigure(figure, [*self._lines.values(), *self._labels.values()])

    def show(self, paths: Mapping[str, Path]) -> None:
        """Draws the paths; the labels at the right edge stand in the order of the values, apart
        from each other."""
        digits = deciding_digits([path.log_prob for path in paths.values()])
        heights = label_heights({name: path.log_prob for name, path in paths.items()})
        for name, line in self._lines.items():
            path = paths[name]
            line.set_data(range(len(path.log_probs) + 1), [0.0, *path.log_probs])
            self._labels[name].set(
                x=self._most_steps + 0.3,
                y=heights[name],
                text=f"{name}: {shown_log_prob(path.log_prob, digits)}",
            )


def label_heights(values: Mapping[str, float], apart: float = 1.1) -> dict[str, float]:
    """Heights for labels in the order of their values, `apart` from each other, within the axes."""
    heights: dict[str, float] = {}
    ceiling = math.inf
    for name in sorted(values, key=lambda name: -values[name]):
        heights[name] = ceiling = min(values[name], ceiling - apart)
    lift = max(0.0, LOWEST + 0.4 - min(heights.values()))
    return {name: height + lift for name, height in heights.items()}


def game_figure(
    source: Sequence[str], paths: Mapping[str, Path], most_steps: int | None = None
) -> Figure:
    """Draws a game as it stands: the still twin of the BeamGameView. `paths` has YOU, GREEDY and
    BEAM."""
    drawing = PathsDrawing(most_steps or 1 + max(len(path.words) for path in paths.values()))
    drawing.show(paths)
    axes = drawing.picture.figure.axes[0]
    axes.set_title(f"{' '.join(source)}\n{axes.get_title()}", fontsize=SIZE, parse_math=False)
    axes.set_position((0.07, 0.15, 0.8, 0.68))
    return drawing.picture.figure


def finished_game(model: Seq2Seq, source: Words, beam_size: int) -> Figure:
    """Draws a finished game in which the player picked the most probable word each time, as greedy
    search does."""
    next_words = NextWords(model, source)
    paths = {}
    for name, K in ((YOU, 1), (GREEDY, 1), (BEAM, beam_size)):
        words = (*search(model, [source], K)[0][0].tokens, END)
        paths[name] = Path(words, next_words.along(words))
    return game_figure(source, paths)


SAME = 1e-4
"""Nats: log-probabilities of one translation differ by less when they were found in batches of
other shapes."""


def end_of_game(
    paths: Mapping[str, Path], beam_size: int, source: Sequence[str], language: ToyLanguage
) -> list[str]:
    """Says who found the more probable translation, and which of the three the language accepts;
    plain text."""
    digits = deciding_digits([path.log_prob for path in paths.values()])
    numbers = {name: shown_log_prob(path.log_prob, digits) for name, path in paths.items()}
    names = {
        YOU: "Your translation",
        GREEDY: "greedy search's",
        BEAM: f"that of the beam of {beam_size}",
    }
    sentences = [
        f"{names[YOU]} has log p {numbers[YOU]}, {names[GREEDY]} {numbers[GREEDY]}, {names[BEAM]} "
        f"{numbers[BEAM]}."
    ]
    for name, rival in ((GREEDY, "greedy search"), (BEAM, f"the beam of {beam_size}")):
        sentences.append(_compared(paths[YOU], paths[name], rival))
    fault = language.explain(tuple(source), paths[YOU].words[:-1])
    sentences.append(
        "The language accepts your translation."
        if fault is None
        else f"The language does not accept your translation: {fault}."
    )
    for name in (GREEDY, BEAM):
        if paths[name].words != paths[YOU].words:
            valid = language.is_valid(tuple(source), paths[name].words[:-1])
            sentences.append(
                f"It {'accepts' if valid else 'does not accept'} {names[name]}: "
                f"“{detokenise(paths[name].words[:-1])}”"
            )
    return sentences


def _compared(own: Path, other: Path, rival: str) -> str:
    if own.words == other.words:
        return f"You and {rival} wrote the same translation."
    if own.log_prob > other.log_prob + SAME:
        return f"You found a more probable translation than {rival}."
    return f"The model finds the translation of {rival} more probable than yours."
