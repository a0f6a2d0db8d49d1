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
from seqkd_lab.lab.shared.digits import NOISE, deciding_digits, shown_number
from seqkd_lab.lab.shared.picture import BlittedFigure, add_label
from seqkd_lab.lab.shared.style import BEAM, GREEDY, ROLES, SAMPLES, ready, styled
from seqkd_lab.models.seq2seq import Seq2Seq

YOU = "you"
LOOKS = {YOU: ROLES[SAMPLES], GREEDY: ROLES[GREEDY], BEAM: ROLES[BEAM]}
LINES = {YOU: "D-", GREEDY: f"{ROLES[GREEDY].marker}--", BEAM: f"{ROLES[BEAM].marker}:"}
TITLE = "◇ you   ● greedy search   ■ beam search: the higher line is more probable"
MOST_STEPS = 18
LOWEST = -9.0
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

    @styled
    def __init__(self, most_steps: int = MOST_STEPS) -> None:
        figure = Figure(figsize=(12, 4.2))
        axes = ready(figure.add_axes((0.07, 0.15, 0.8, 0.73)))
        axes.set(xlim=(0.0, most_steps), ylim=(LOWEST, 0.3), title=TITLE)
        axes.set_xlabel("words written, the end counted")
        axes.set_ylabel("log p of the words so far (nats)")
        axes.xaxis.set_major_locator(MaxNLocator(integer=True, nbins=14))
        self._lines = {
            name: axes.plot([], [], line, color=LOOKS[name].colour, linewidth=2.5, markersize=7)[0]
            for name, line in LINES.items()
        }
        hollow = {"markersize": 13, "markerfacecolor": "none", "markeredgewidth": 2.5}
        self._lines[YOU].set(**hollow)  # seen around the others
        self._labels = {
            name: add_label(axes, 0, 0, color=role.text) for name, role in LOOKS.items()
        }
        self._most_steps = most_steps
        self.picture = BlittedFigure(figure, [*self._lines.values(), *self._labels.values()])

    def show(self, paths: Mapping[str, Path]) -> None:
        """Draw the paths; the labels at the right edge stand in the order of the values, apart
        from each other."""
        digits = deciding_digits([path.log_prob for path in paths.values()])
        heights = label_heights({name: path.log_prob for name, path in paths.items()})
        for name, line in self._lines.items():
            path = paths[name]
            line.set_data(range(len(path.log_probs) + 1), [0.0, *path.log_probs])
            text = f"{name}: {shown_number(path.log_prob, digits)}"
            self._labels[name].set(x=self._most_steps + 0.3, y=heights[name], text=text)


def label_heights(values: Mapping[str, float], apart: float = 1.1) -> dict[str, float]:
    """Return heights for labels, in the order of their values, `apart` from each other and within
    the axes."""
    heights: dict[str, float] = {}
    ceiling = math.inf
    for name in sorted(values, key=lambda name: -values[name]):
        heights[name] = ceiling = min(values[name], ceiling - apart)
    lift = max(0.0, LOWEST + 0.4 - min(heights.values()))
    return {name: height + lift for name, height in heights.items()}


@styled
def game_figure(source: Sequence[str], paths: Mapping[str, Path]) -> Figure:
    """Draw a game as it stands: the still twin of the BeamGameView. `paths` has YOU, GREEDY and
    BEAM."""
    drawing = PathsDrawing(1 + max(len(path.words) for path in paths.values()))
    drawing.show(paths)
    axes = drawing.picture.figure.axes[0]
    axes.set_title(f"{' '.join(source)}\n{TITLE}")
    axes.set_position((0.07, 0.15, 0.8, 0.68))
    return drawing.picture.figure


def finished_game(model: Seq2Seq, source: Words, beam_size: int) -> Figure:
    """Draw a finished game in which the player picked the most probable word each time, as greedy
    search does."""
    next_words = NextWords(model, source)
    paths = {}
    for name, K in ((YOU, 1), (GREEDY, 1), (BEAM, beam_size)):
        words = (*search(model, [source], K)[0][0].tokens, END)
        paths[name] = Path(words, next_words.along(words))
    return game_figure(source, paths)


def end_of_game(
    paths: Mapping[str, Path], beam_size: int, source: Sequence[str], language: ToyLanguage
) -> list[str]:
    """Say who found the more probable translation, and which of the three the language accepts;
    plain text."""
    own, rivals = paths[YOU], {GREEDY: "greedy search", BEAM: f"the beam of {beam_size}"}
    theirs = {GREEDY: "greedy search's", BEAM: f"that of the beam of {beam_size}"}
    digits = deciding_digits([path.log_prob for path in paths.values()])
    numbers = {name: shown_number(path.log_prob, digits) for name, path in paths.items()}
    fault = language.explain(tuple(source), own.words[:-1])
    sentences = [
        f"Your translation has log p {numbers[YOU]}, {theirs[GREEDY]} {numbers[GREEDY]}, "
        f"{theirs[BEAM]} {numbers[BEAM]}.",
        *(_compared(own, paths[name], rival) for name, rival in rivals.items()),
        "The language accepts your translation."
        if fault is None
        else f"The language does not accept your translation: {fault}.",
    ]
    for name in (GREEDY, BEAM):
        words = paths[name].words
        if words != own.words:
            verdict = (
                "accepts" if language.is_valid(tuple(source), words[:-1]) else "does not accept"
            )
            sentences.append(f"It {verdict} {theirs[name]}: “{detokenise(words[:-1])}”")
    return sentences


def _compared(own: Path, other: Path, rival: str) -> str:
    """Say which of two translations is the more probable one."""
    if own.words == other.words:
        return f"You and {rival} wrote the same translation."
    if own.log_prob > other.log_prob + NOISE:
        return f"You found a more probable translation than {rival}."
    return f"The model finds the translation of {rival} more probable than yours."
