"""The views of lesson 06: the corpus lens, the memory dial, and the mass of the mode."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Mapping, Sequence
from html import escape

import ipywidgets as widgets

from seqkd_lab.corpus.parallel import ParallelCorpus
from seqkd_lab.corpus.toy import ToyLanguage
from seqkd_lab.corpus.toy.limited_memory import BEGIN
from seqkd_lab.lab.seq_kd.lens import ChoicesDrawing, ChoiceShares, Pair, compare_pair, marked
from seqkd_lab.lab.seq_kd.mass import MOST_RANKS, MassCurve, MassDrawing, mass_curves
from seqkd_lab.lab.seq_kd.memory import (
    PREDICTORS,
    MemoryDrawing,
    distributions,
    in_digits,
    is_remembered,
    shown_words,
)
from seqkd_lab.lab.shared.digits import shown_number
from seqkd_lab.lab.shared.style import TRUTH, role_of
from seqkd_lab.lab.shared.view import (
    STYLE,
    WIDE,
    View,
    end_at,
    first,
    sentence_chooser,
    slider,
    table,
    unheard,
)
from seqkd_lab.models.seq2seq import Seq2Seq
from seqkd_lab.studies.memory.students import MEMORIES, SHORT, memory_key

MEMORY_BY_KEY = {memory_key(memory): memory for memory in MEMORIES}
N_SHOWN = 3
FEW_TRANSLATIONS = 600
RANKS = sorted({round(10 ** (step / 10)) for step in range(31)})
MOST_PROBABLE = "the most probable (✓ valid, ✗ not)"
MASS_HEAD = ("", "mass of the top {}", "mass of all valid ones", MOST_PROBABLE)


class CorpusLens(View):
    """Gold and distilled target of one source, their differences marked in [−gold−] and
    {+distilled+}; the picture shows how often each option of a choice was taken in both corpora.

    Controls: `number` of the pair, `only_changed` (leave out pairs that the teacher wrote as gold),
    and `choice`. `number` counts the pairs that are not left out: with `only_changed` the pair that
    is shown stays, or the next one that differs takes its place, or the last one that does.
    The corpora are aligned, or ValueError is raised; the first `n_pairs` are shown. Without a
    language there are no choices and no verdicts.
    """

    def __init__(
        self,
        gold: ParallelCorpus,
        distilled: ParallelCorpus,
        language: ToyLanguage | None = None,
        n_pairs: int = 500,
    ) -> None:
        if gold.source[: len(distilled)] != distilled.source:
            raise ValueError(
                "gold and distilled corpus have different sources: their targets cannot be compared"
            )
        self.language = language
        self.gold, self.distilled = first(gold[: len(distilled)], n_pairs), distilled[:n_pairs]
        targets = zip(self.gold.target, self.distilled.target, strict=True)
        self._changed = [index for index, (a, b) in enumerate(targets) if a != b]
        self._counts_changed = False
        self.shares = (
            ChoiceShares.of(language, self.gold, self.distilled, n_pairs)
            if language
            else ChoiceShares({}, 0)
        )
        controls = {
            "only_changed": widgets.Checkbox(
                value=False,
                description="only pairs that differ",
                layout=WIDE,
                disabled=not self._changed,
            ),
            "number": slider("pair", 1, 1, len(self.gold)),
            "choice": widgets.Dropdown(
                options=list(self.shares.by_choice) or ["(none)"],
                description="choice",
                style=STYLE,
                layout=WIDE,
            ),
        }
        self._drawing = ChoicesDrawing()
        super().__init__(controls, self._drawing.picture)
        self.children = (self.number, self.only_changed, self.text, self.choice, self.image)
        self.redraw()

    @property
    def data(self) -> Pair:
        """Return the pair that is shown."""
        index = self._index()
        return compare_pair(
            self.gold.source[index],
            self.gold.target[index],
            self.distilled.target[index],
            self.language,
        )

    def _index(self) -> int:
        """Return the index of the pair in the corpora."""
        number = self.number.value
        return self._changed[number - 1] if self._counts_changed else number - 1

    def _recount(self) -> None:
        """Let `number` count other pairs, and give it the value that the pair now has."""
        index = self._index()
        self._counts_changed = self.only_changed.value
        counted = self._changed if self._counts_changed else range(len(self.gold))
        with unheard(self.number, self.redraw):
            end_at(self.number, len(counted))
            self.number.value = min(bisect_left(counted, index) + 1, len(counted))

    def draw(self) -> str:
        """Draw the shares of the choice; return the pair with its differences and verdicts."""
        if self.only_changed.value != self._counts_changed:
            self._recount()
        self._drawing.show(self.shares.by_choice.get(self.choice.value, ()))
        pair = self.data
        return (
            f"{len(self._changed)} of {len(self.gold)} targets differ from gold.<br><b>source</b>: "
            f"{escape(' '.join(pair.source))}<br><b>gold</b>: {_marked_html(pair, 'gold')} "
            f"{_verdict(pair, pair.gold_fault, pair.p_gold)}<br><b>distilled</b>: "
            f"{_marked_html(pair, 'distilled')} "
            f"{_verdict(pair, pair.distilled_fault, pair.p_distilled)}{_choices(pair)}"
            f"{self._shares_in_words()}"
        )

    def _shares_in_words(self) -> str:
        """Return the shares of the choice's options in both corpora, as the picture shows them."""
        options = self.shares.by_choice.get(self.choice.value, ())
        shares = "; ".join(
            f"{escape(option)} {gold:.0%} in gold, {distilled:.0%} distilled"
            for option, gold, distilled in options
        )
        return f"{escape(self.choice.value)}: {shares}." if shares else ""


def _marked_html(pair: Pair, side: str) -> str:
    mark = f'<b style="color:{role_of(side).text}">%s</b>'
    return " ".join(
        mark % escape(text) if changed else escape(text) for text, changed in marked(pair, side)
    )


def _verdict(pair: Pair, fault: str | None, p: float | None) -> str:
    if pair.entropy is None or p is None:
        return ""
    return f"✗ not valid: {escape(fault)}" if fault else f"✓ valid, true probability {100 * p:.2g}%"


def _choices(pair: Pair) -> str:
    if pair.entropy is None:
        return ""
    rows = [
        (name, gold, distilled, "same" if gold == distilled else "differs")
        for name, gold, distilled in pair.choices
    ]
    text = f"<br>The source leaves {shown_number(pair.entropy, 2)} nats open."
    return text + table(("choice", "gold", "distilled", ""), rows)


class ModeMass(View):
    """The mass of the n most probable translations, by truth and by each model; and the first few
    themselves.

    models: by name, "teacher", "baseline", "seq-kd" for example, six at most. Controls: `sentence`,
    `rank`, n from 1 to 1000 in about equal factors. All sources are scored when the view is made,
    some tenths of a second for each source and model. Raise ValueError for a source that the
    language does not have, or with more translations than `limit`.
    """

    def __init__(
        self,
        models: Mapping[str, Seq2Seq],
        language: ToyLanguage,
        sources: Sequence[tuple[str, ...]],
        limit: int = FEW_TRANSLATIONS,
    ) -> None:
        self.sources = [tuple(source) for source in sources]
        controls = {
            "sentence": sentence_chooser(self.sources),
            "rank": widgets.SelectionSlider(
                options=RANKS, value=1, description="top n", style=STYLE, layout=WIDE
            ),
        }
        self.curves = [mass_curves(models, language, s, limit=limit) for s in self.sources]
        self._drawing = MassDrawing([TRUTH, *models])
        super().__init__(controls, self._drawing.picture)
        self.redraw()

    @property
    def data(self) -> dict[str, MassCurve]:
        """Return the curves that are shown, by name."""
        return self.curves[self.sentence.value]

    def draw(self) -> str:
        """Draw the curves; return the masses and the first few translations."""
        curves, n = self.data, self.rank.value
        self._drawing.show(curves, n)
        valid = set(curves[TRUTH].translations)
        rows = [_mass_row(name, curve, n, valid) for name, curve in curves.items()]
        head = [title.format(n) for title in MASS_HEAD]
        return (
            f"{escape(' '.join(self.sources[self.sentence.value]))}<br>n = <b>{n}</b>; "
            f"{len(valid)} valid translations.{table(head, rows)}A model's curve holds all valid "
            "translations and its own best 20; the mass of its top n is at least what is shown. "
            f"The picture ends at {MOST_RANKS} translations."
        )


def _mass_row(name: str, curve: MassCurve, n: int, valid: set) -> tuple[str, ...]:
    """Return the cells of one distribution: its masses, and its N_SHOWN most probable."""
    best = zip(curve.translations[:N_SHOWN], curve.probabilities, strict=False)
    shown = "; ".join(
        f"{100 * p:.1f}% {' '.join(tokens)} {'✓' if tokens in valid else '✗'}" for tokens, p in best
    )
    return name, f"{curve.top(n):.3f}", f"{curve.valid_mass:.3f}", shown


class MemoryDial(View):
    """Next-word distributions of the truth, the truth with a short memory and two students along a
    translation, and the validity curves over the memory; all from the results of `seqkd-lab study
    memory`.

    Controls: `memory`, w by its name in the results ("3", "all": to a slider the value None would
    mean no choice); `sentence`; `place`, the number of words that are written. A sentence begins at
    the place where a memory of three words is not enough. Raise ValueError where the results hold
    no examples.
    """

    begins_anew = {"sentence": ("place",)}

    def __init__(self, results: Mapping) -> None:
        self._drawing = MemoryDrawing(results)
        self.examples = self._drawing.examples
        self._sentence_shown = 0
        first_one = self.examples[0]
        controls = {
            "memory": widgets.SelectionSlider(
                options=list(MEMORY_BY_KEY),
                value=memory_key(SHORT),
                description="w, memory",
                style=STYLE,
                layout=WIDE,
            ),
            "sentence": sentence_chooser([tuple(example["source"]) for example in self.examples]),
            "place": slider("words written", first_one["telling"], 0, len(first_one["target"])),
        }
        super().__init__(controls, self._drawing.picture)
        self.redraw()

    @property
    def data(self) -> dict[str, dict[str, float]]:
        """Return the distributions that are shown, by predictor."""
        example = self.examples[self.sentence.value]
        return distributions(example, MEMORY_BY_KEY[self.memory.value], self.place.value)

    def _go_to_telling_place(self) -> None:
        """Set `place` to where a memory of three words is not enough in the chosen sentence."""
        self._sentence_shown = self.sentence.value
        example = self.examples[self._sentence_shown]
        with unheard(self.place, self.redraw):
            end_at(self.place, len(example["target"]))
            self.place.value = example["telling"]

    def draw(self) -> str:
        """Draw words, bars and curves; return what is written and seen, and the distributions."""
        if self.sentence.value != self._sentence_shown:
            self._go_to_telling_place()
        memory, place = MEMORY_BY_KEY[self.memory.value], self.place.value
        by_predictor = self._drawing.show(memory, self.sentence.value, place)
        example = self.examples[self.sentence.value]
        target = example["target"]
        seen = [
            word
            for position, word in enumerate([BEGIN, *target[:place]], start=-1)
            if is_remembered(position, place, memory)
        ]
        rows = [
            (word, *(in_digits(by_predictor[name], word) for name in PREDICTORS))
            for word in shown_words(by_predictor)
        ]
        following = target[place] if place < len(target) else "the end"
        return (
            f"{escape(' '.join(example['source']))}<br>written: "
            f"{escape(' '.join(target[:place])) or '(nothing)'}<br>seen with w = "
            f"{escape(self.memory.value)}: <b>{escape(' '.join(seen))}</b>; next in this "
            f"translation: <b>{escape(following)}</b>{table(('next word', *PREDICTORS), rows)}"
        )
