"""The memory dial: turn down how many of its own words a translator remembers, and see what it
still knows."""

from __future__ import annotations

from collections.abc import Mapping
from html import escape

import ipywidgets as widgets

from seqkd_lab.corpus.toy.limited_memory import BEGIN
from seqkd_lab.lab.seq_kd.memory import (
    ROLES,
    MemoryDrawing,
    distributions,
    in_digits,
    is_remembered,
    shown_words,
)
from seqkd_lab.lab.shared.view import (
    STYLE,
    WIDE,
    View,
    end_at,
    sentence_chooser,
    slider,
    table,
    unheard,
)
from seqkd_lab.studies.memory.study import MEMORIES, SHORT, memory_key

BY_KEY = {memory_key(memory): memory for memory in MEMORIES}


class MemoryDial(View):
    """Next-word distributions of the truth, the truth with a short memory and two students along a
    translation, and the validity curves over the memory; all from the results of `seqkd-lab study
    memory` (read by memory_study.read).

    Controls: `memory`, w by its name in the results ("3", "all": to a slider the value None would
    mean no choice); `sentence`; `place`, the number of words that are written. A sentence begins at
    the place where a memory of three words tells. Raises ValueError where the results hold no
    examples.
    """

    def __init__(self, results: Mapping) -> None:
        self._drawing = MemoryDrawing(results)
        self.examples = self._drawing.examples
        self.memory = widgets.SelectionSlider(
            options=list(BY_KEY),
            value=memory_key(SHORT),
            description="w, memory",
            style=STYLE,
            layout=WIDE,
        )
        self.sentence = sentence_chooser([tuple(example["source"]) for example in self.examples])
        first = self.examples[0]
        self.place = slider("words written", first["telling"], 0, len(first["target"]))
        super().__init__([self.memory, self.sentence, self.place], self._drawing.picture)
        self.draw()
        self.memory.observe(self.draw, "value")
        self.place.observe(self.draw, "value")
        self.sentence.observe(self._take_sentence, "value")

    def _take_sentence(self, _: dict) -> None:
        """Go to the telling place of the chosen sentence, and draw."""
        example = self.examples[self.sentence.value]
        with unheard(self.place, self.draw):
            end_at(self.place, len(example["target"]))
            self.place.value = example["telling"]
        self.draw()

    @property
    def data(self) -> dict[str, dict[str, float]]:
        """The distributions that are shown, by role."""
        return distributions(
            self.examples[self.sentence.value], BY_KEY[self.memory.value], self.place.value
        )

    def draw(self, _: dict | None = None) -> None:
        """Show what the controls say."""
        by_role = self._drawing.show(
            BY_KEY[self.memory.value], self.sentence.value, self.place.value
        )
        self.show(self._text(by_role))

    def _text(self, by_role: Mapping[str, Mapping[str, float]]) -> str:
        example, place = self.examples[self.sentence.value], self.place.value
        target = example["target"]
        known = [
            word
            for position, word in enumerate([BEGIN, *target[:place]], start=-1)
            if is_remembered(position, place, BY_KEY[self.memory.value])
        ]
        rows = [
            (word, *(in_digits(by_role[role], word) for role in ROLES))
            for word in shown_words(by_role)
        ]
        following = target[place] if place < len(target) else "the end"
        return (
            f"{escape(' '.join(example['source']))}<br>written: "
            f"{escape(' '.join(target[:place])) or '(nothing)'}<br>seen with w = "
            f"{escape(self.memory.value)}: <b>{escape(' '.join(known))}</b>; next in this "
            f"translation: <b>{escape(following)}</b>{table(('next word', *ROLES), rows)}"
        )
