"""Be the beam: a game in which one picks the words and competes with greedy search and with a beam
of K."""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache, partial
from html import escape
from itertools import zip_longest
from typing import Any

import ipywidgets as widgets

from seqkd_lab.corpus.toy import ToyLanguage
from seqkd_lab.corpus.visible import visible
from seqkd_lab.decoding.trace import SearchTrace, trace_search
from seqkd_lab.lab.beam.game import END, BeamGame, NextWords, Prefix, Words
from seqkd_lab.lab.beam.game_picture import YOU, Path, PathsDrawing, end_of_game
from seqkd_lab.lab.beam.pruned import lost_at, thrown_away
from seqkd_lab.lab.shared.digits import deciding_digits, shown_number
from seqkd_lab.lab.shared.style import BEAM, GREEDY
from seqkd_lab.lab.shared.view import View, sentence_chooser, slider, table
from seqkd_lab.models.seq2seq import Seq2Seq

N_SHOWN = 8
MOST_OWN = 3
MOST_RIVAL = 10
N_WORDS = 4
"""So many of a prefix's last words stand on its button."""


class BeamGameView(View):
    """A game of beam search on one of `sources`.

    Controls: `sentence`; `own_size`, how many prefixes the player keeps (1: one word after the
    other); `rival`, the K of the beam to compete with; `candidates`, a button for each of the best
    ways to continue; `undo`, `again`, and `beam_step`, which plays the step as the beam would. A
    step is taken as soon as `own_size` candidates are marked. What the rivals wrote is shown as far
    as the player has come.
    """

    is_in_controls = False  # but in the words that the player has picked

    sentence: widgets.Dropdown
    own_size: widgets.IntSlider
    rival: widgets.IntSlider

    def __init__(self, model: Seq2Seq, sources: Sequence[Words], language: ToyLanguage) -> None:
        self.model, self.language = model, language
        self.sources = [tuple(source) for source in sources]
        self._drawing = PathsDrawing()
        self._next_words = lru_cache(maxsize=16)(partial(NextWords, model))
        self._trace = lru_cache(maxsize=64)(partial(trace_search, model))
        controls = {
            "sentence": sentence_chooser(self.sources),
            "own_size": slider("you keep", 1, 1, MOST_OWN),
            "rival": slider("K of the beam", 5, 1, MOST_RIVAL),
        }
        super().__init__(controls, self._drawing.picture, [*controls.values(), *self._buttons()])
        self.start()

    def _buttons(self) -> list[widgets.Box]:
        """Make the buttons, and return their rows."""
        wide = widgets.Layout(width="24em")
        self.candidates = [widgets.Button(layout=wide) for _ in range(N_SHOWN)]
        for number, button in enumerate(self.candidates):
            button.on_click(partial(self._mark, number))
        self.undo = widgets.Button(description="Undo")
        self.again = widgets.Button(description="Start again")
        self.beam_step = widgets.Button(description="As the beam would")
        self.undo.on_click(self._undo)
        self.again.on_click(self.start)
        self.beam_step.on_click(self._play_as_the_beam)
        wrapped = widgets.Layout(flex_flow="row wrap", max_width="100%")
        actions = widgets.HBox([self.undo, self.again, self.beam_step])
        return [widgets.Box(self.candidates, layout=wrapped), actions]

    @property
    def source(self) -> Words:
        """The sentence that is translated."""
        return self.sources[self.sentence.value]

    def start(self, _: object = None) -> None:
        """Begin a new game on the chosen sentence."""
        self._begin()
        self.redraw()

    def _begin(self) -> None:
        self.game = BeamGame(self._next_words(self.source), self.own_size.value)
        self._offer()

    def _offer(self) -> None:
        """Offer the candidates of the next step, none of them marked."""
        self._marked: list[int] = []
        self._offered = [] if self.game.over else self.game.candidates(N_SHOWN)

    def _mark(self, number: int, _: object = None) -> None:
        """Mark or unmark a candidate, and take the step when enough are marked."""
        if number >= len(self._offered):
            return
        marked = [other for other in self._marked if other != number]
        self._marked = marked if number in self._marked else [*marked, number]
        if len(self._marked) == min(self.game.beam_size, len(self._offered)):
            self.game.keep([self._offered[number] for number in self._marked])
            self._offer()
        self.redraw()

    def _undo(self, _: object) -> None:
        if not self._marked:
            self.game.undo()
        self._offer()
        self.redraw()

    def _play_as_the_beam(self, _: object) -> None:
        if not self.game.over:
            self.game.keep_best()
        self._offer()
        self.redraw()

    def redraw(self, event: Any = None) -> None:
        """Begin a new game where the sentence or the player's size has changed, and draw."""
        if event and event["owner"] in (self.sentence, self.own_size):
            self._begin()
        super().redraw(event)

    def trace(self, beam_size: int) -> SearchTrace:
        """Return the search of `beam_size` on the chosen sentence."""
        return self._trace(self.source, beam_size)

    def paths(self) -> dict[str, Path]:
        """Return the three translations, as far as the player has come; whole ones when the game
        is over."""
        n_words = None if self.game.over else self.game.n_steps
        words = {YOU: self.game.best.words}
        for name, beam_size in ((GREEDY, 1), (BEAM, self.rival.value)):
            words[name] = (*self.trace(beam_size).hypotheses[0].tokens, END)[:n_words]
        return {name: Path(path, self.game.next_words.along(path)) for name, path in words.items()}

    def draw(self) -> str:
        """Draw the game as it stands, and return its table, or how it ended."""
        paths = self.paths()
        self._show_candidates()
        self._drawing.show(paths)
        state = self._end(paths) if self.game.over else self._what_to_do()
        return (
            f"<b>{escape(' '.join(self.source))}</b><br>{state}{self._kept()}{self._steps(paths)}"
        )

    def _show_candidates(self) -> None:
        digits = deciding_digits([candidate.log_prob for candidate in self._offered])
        offered = zip_longest(self.candidates, self._offered)
        for number, (button, candidate) in enumerate(offered):
            button.disabled = candidate is None
            button.description = button.tooltip = ""
            if candidate is not None:
                mark = "✓ " if number in self._marked else ""
                log_prob = shown_number(candidate.log_prob, digits)
                button.description = visible(f"{mark}{self._name(candidate)}   {log_prob}")
                button.tooltip = visible(f"{readable(candidate.words)}, log p {log_prob}")
        self.undo.disabled = not self.game.n_steps and not self._marked
        self.beam_step.disabled = self.game.over

    def _name(self, candidate: Prefix) -> str:
        words = candidate.words if self.game.beam_size > 1 else candidate.words[-1:]
        return ("… " if len(words) > N_WORDS else "") + readable(words[-N_WORDS:])

    def _what_to_do(self) -> str:
        K, n_marked = self.game.beam_size, len(self._marked)
        wanted = (
            "the next word"
            if K == 1
            else f"{K - n_marked} {'more' if n_marked else 'of the'} candidates"
        )
        return (
            f"Step {self.game.n_steps + 1}: pick {wanted}. The number is log p of the whole "
            f"hypothesis. Your rivals: greedy search and a beam of {self.rival.value}."
        )

    def _kept(self) -> str:
        if self.game.beam_size == 1 or not self.game.n_steps:
            return ""
        digits = deciding_digits([prefix.log_prob for prefix in self.game.kept])
        rows = [(readable(b.words), shown_number(b.log_prob, digits)) for b in self.game.kept]
        return f"<br>You keep:{table(('hypothesis', 'log p'), rows)}"

    def _steps(self, paths: dict[str, Path]) -> str:
        """Return a table of the three translations, word by word, with the digits that tell them
        apart."""
        if not self.game.n_steps:
            return ""
        rows = []
        columns = (zip(path.words, path.log_probs, strict=True) for path in paths.values())
        for step, cells in enumerate(zip_longest(*columns), 1):
            digits = deciding_digits([cell[1] for cell in cells if cell is not None])
            rows.append((str(step), *(text for cell in cells for text in _cells(cell, digits))))
        head = ("step", "you", "log p", "greedy", "log p", f"beam of {self.rival.value}", "log p")
        return table(head, rows)

    def _end(self, paths: dict[str, Path]) -> str:
        """Say who won, and where the beam threw the player's and the true mode away."""
        K, trace = self.rival.value, self.trace(self.rival.value)
        mode = self.language.mode(self.source)[0]
        sentences = [
            *end_of_game(paths, K, self.source, self.language),
            thrown_away("your translation", lost_at(trace, paths[YOU].words[:-1]), K),
            thrown_away("the most probable true translation", lost_at(trace, mode), K),
        ]
        return "<b>The end.</b> " + " ".join(map(escape, sentences))


def _cells(cell: tuple[str, float] | None, digits: int) -> tuple[str, str]:
    return ("", "") if cell is None else (readable(cell[:1]), shown_number(cell[1], digits))


def readable(words: Sequence[str]) -> str:
    """Return words as text, the end in brackets."""
    return " ".join("(end)" if word == END else word for word in words)
