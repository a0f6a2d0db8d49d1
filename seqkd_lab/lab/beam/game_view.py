"""Be the beam: a game in which one picks the words and competes with greedy search and with a beam
of K."""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache, partial
from html import escape
from itertools import zip_longest

import ipywidgets as widgets

from seqkd_lab.corpus.toy import ToyLanguage
from seqkd_lab.decoding.trace import SearchTrace, trace_search
from seqkd_lab.lab.beam.game import END, BeamGame, NextWords, Prefix, Words
from seqkd_lab.lab.beam.game_picture import BEAM, GREEDY, YOU, Path, PathsDrawing, end_of_game
from seqkd_lab.lab.beam.pruned import lost_at, thrown_away
from seqkd_lab.lab.shared.digits import deciding_digits, shown_log_prob
from seqkd_lab.lab.shared.view import View, sentence_chooser, slider, table
from seqkd_lab.models.seq2seq import Seq2Seq

N_SHOWN, MOST_OWN, MOST_RIVAL = 8, 3, 10

N_WORDS = 4
"""Of a prefix on a button: its last ones."""


class BeamGameView(View):
    """A game of beam search on one of `sources`.

    Controls: `sentence`; `own_size`, how many prefixes the player keeps (1: one word after the
    other); `rival`, the K of the beam to compete with; `candidates`, a button for each of the best
    ways to go on; `undo`, `again`, and `beam_step`, which plays the step as the beam would. A step
    is taken as soon as `own_size` candidates are marked. What the rivals wrote is shown as far as
    the player has come.
    """

    def __init__(self, model: Seq2Seq, sources: Sequence[Words], language: ToyLanguage) -> None:
        self.model, self.sources, self.language = (
            model,
            [tuple(source) for source in sources],
            language,
        )
        self.sentence = sentence_chooser(self.sources)
        self.own_size = slider("you keep", 1, 1, MOST_OWN)
        self.rival = slider("K of the beam", 5, 1, MOST_RIVAL)
        self.candidates = [
            widgets.Button(layout=widgets.Layout(width="24em")) for _ in range(N_SHOWN)
        ]
        self.undo, self.again, self.beam_step = (
            widgets.Button(description=text)
            for text in ("Undo", "Start again", "As the beam would")
        )
        self._drawing = PathsDrawing()
        self._next_words = lru_cache(maxsize=16)(partial(NextWords, model))
        self._trace = lru_cache(maxsize=64)(partial(trace_search, model))
        grid = widgets.Box(
            self.candidates, layout=widgets.Layout(flex_flow="row wrap", max_width="100%")
        )
        actions = widgets.HBox([self.undo, self.again, self.beam_step])
        super().__init__(
            [self.sentence, self.own_size, self.rival, grid, actions], self._drawing.picture
        )
        self.start()
        for place, button in enumerate(self.candidates):
            button.on_click(partial(self._mark, place))
        self.undo.on_click(self._undo)
        self.again.on_click(self.start)
        self.beam_step.on_click(self._play_as_the_beam)
        self.sentence.observe(self.start, "value")
        self.own_size.observe(self.start, "value")
        self.rival.observe(self.draw, "value")

    @property
    def source(self) -> Words:
        """The sentence that is translated."""
        return self.sources[self.sentence.value]

    def start(self, _: object = None) -> None:
        """Begins a new game on the chosen sentence."""
        self.game = BeamGame(self._next_words(self.source), self.own_size.value)
        self._open_step()

    def _open_step(self) -> None:
        self._marked: list[int] = []
        self._offered = [] if self.game.over else self.game.candidates(N_SHOWN)
        self.draw()

    def _mark(self, place: int, _: object = None) -> None:
        if place >= len(self._offered):
            return
        self._marked = (
            [p for p in self._marked if p != place]
            if place in self._marked
            else [*self._marked, place]
        )
        if len(self._marked) < min(self.game.beam_size, len(self._offered)):
            self.draw()
            return
        self.game.keep([self._offered[p] for p in self._marked])
        self._open_step()

    def _undo(self, _: object) -> None:
        if not self._marked:
            self.game.undo()
        self._open_step()

    def _play_as_the_beam(self, _: object) -> None:
        if not self.game.over:
            self.game.keep_best()
        self._open_step()

    def trace(self, beam_size: int) -> SearchTrace:
        """The search of `beam_size` on the chosen sentence."""
        return self._trace(self.source, beam_size)

    def paths(self) -> dict[str, Path]:
        """The three translations, as far as the player has come; whole ones when the game is
        over."""
        n_words = None if self.game.over else self.game.n_steps
        words = {YOU: self.game.best.words}
        for name, beam_size in ((GREEDY, 1), (BEAM, self.rival.value)):
            words[name] = (*self.trace(beam_size).hypotheses[0].tokens, END)[:n_words]
        return {name: Path(path, self.game.next_words.along(path)) for name, path in words.items()}

    def draw(self, _: object = None) -> None:
        """Shows the game as it stands."""
        paths = self.paths()
        self._show_candidates()
        self._drawing.show(paths)
        said = self._end(paths) if self.game.over else self._what_to_do()
        self.show(
            f"<b>{escape(' '.join(self.source))}</b><br>{said}{self._kept()}{self._steps(paths)}"
        )

    def _show_candidates(self) -> None:
        digits = deciding_digits([candidate.log_prob for candidate in self._offered])
        for place, (button, candidate) in enumerate(zip_longest(self.candidates, self._offered)):
            button.disabled = candidate is None
            button.description = button.tooltip = ""
            if candidate is not None:
                mark = "✓ " if place in self._marked else ""
                log_prob = shown_log_prob(candidate.log_prob, digits)
                button.description = f"{mark}{self._name(candidate)}   {log_prob}"
                button.tooltip = f"{readable(candidate.words)}, log p {log_prob}"
        self.undo.disabled = not self.game.n_steps and not self._marked
        self.beam_step.disabled = self.game.over

    def _name(self, candidate: Prefix) -> str:
        words = candidate.words if self.game.beam_size > 1 else candidate.words[-1:]
        return ("… " if len(words) > N_WORDS else "") + readable(words[-N_WORDS:])

    def _what_to_do(self) -> str:
        K, n_marked = self.game.beam_size, len(self._marked)
        what = (
            "the next word"
            if K == 1
            else f"{K - n_marked} {'more' if n_marked else 'of the'} candidates"
        )
        return (
            f"Step {self.game.n_steps + 1}: pick {what}. The number is log p of the whole "
            f"hypothesis. Your rivals: greedy search and a beam of {self.rival.value}."
        )

    def _kept(self) -> str:
        if self.game.beam_size == 1 or not self.game.n_steps:
            return ""
        digits = deciding_digits([prefix.log_prob for prefix in self.game.kept])
        rows = [(readable(b.words), shown_log_prob(b.log_prob, digits)) for b in self.game.kept]
        return f"<br>You keep:{table(('hypothesis', 'log p'), rows)}"

    def _steps(self, paths: dict[str, Path]) -> str:
        """A table of the three translations, word by word, with the digits that tell them apart."""
        if not self.game.n_steps:
            return ""
        rows = []
        for step, cells in enumerate(
            zip_longest(*(zip(p.words, p.log_probs, strict=True) for p in paths.values())), 1
        ):
            digits = deciding_digits([cell[1] for cell in cells if cell is not None])
            rows.append((str(step), *(text for cell in cells for text in _cells(cell, digits))))
        head = ("step", "you", "log p", "greedy", "log p", f"beam of {self.rival.value}", "log p")
        return table(head, rows)

    def _end(self, paths: dict[str, Path]) -> str:
        K = self.rival.value
        sentences = end_of_game(paths, K, self.source, self.language)
        trace = self.trace(K)
        for what, tokens in (
            ("your translation", paths[YOU].words[:-1]),
            ("the most probable true translation", self.language.mode(self.source)[0]),
        ):
            sentences.append(thrown_away(what, lost_at(trace, tokens), K))
        return "<b>The end.</b> " + " ".join(map(escape, sentences))


def _cells(cell: tuple[str, float] | None, digits: int) -> tuple[str, str]:
    return ("", "") if cell is None else (readable(cell[:1]), shown_log_prob(cell[1], digits))


def readable(words: Sequence[str]) -> str:
    """Words as text, the end in brackets."""
    return " ".join("(end)" if word == END else word for word in words)
