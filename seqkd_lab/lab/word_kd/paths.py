"""Where a student stands when it translates, on the words that training showed it or on others, and
where its first mistakes lie."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from seqkd_lab.corpus.parallel import ParallelCorpus
from seqkd_lab.corpus.toy import ToyLanguage
from seqkd_lab.decoding.search import search
from seqkd_lab.lab.shared.digits import percent, signed
from seqkd_lab.lab.shared.lesson import Markdown
from seqkd_lab.lab.shared.style import BLACK, LIGHT_GREY, SKY, VERMILION, panels, role_of, styled
from seqkd_lab.models.seq2seq import Seq2Seq
from seqkd_lab.runs.recipes import BASELINE, SEQ_KD, TEACHER, WORD_KD

END = "</s>"
BEAM_SIZE = 5
LONGEST = 12
N_DRAWS = 1000
Words = tuple[str, ...]


@dataclass(frozen=True)
class Walk:
    """A student's own greedy translations beside the path that training shows for each source; one
    entry a sentence.

    A word is *on the path* where all words before it are the path's, else *off the path*. Words
    count up to the first mistake, that one included. on, off: their numbers. slip_on, slip_off:
    whether the first mistake is one of them. still: for t = 0, 1, … the share of sentences whose
    first t words are the path's.
    """

    on: tuple[int, ...]
    off: tuple[int, ...]
    slip_on: tuple[bool, ...]
    slip_off: tuple[bool, ...]
    still: tuple[float, ...]

    @property
    def shares(self) -> tuple[float, float, float]:
        """The shares of sentences with the first mistake on the path, with it off the path, and
        without a mistake."""
        on, off = (sum(slips) / len(slips) for slips in (self.slip_on, self.slip_off))
        return on, off, 1.0 - on - off

    @property
    def share_off(self) -> float:
        """Of the sentences with a mistake, the share whose first mistake is off the path; 0 without
        any mistake."""
        slips = sum(self.slip_on) + sum(self.slip_off)
        return sum(self.slip_off) / slips if slips else 0.0

    @property
    def rates(self) -> tuple[float, float]:
        """First mistakes per hundred words, on the path and off it."""
        on, off = _rates(*map(np.asarray, (self.on, self.off, self.slip_on, self.slip_off)))
        return float(on), float(off)

    def interval(self) -> tuple[float, float]:
        """Return the 95% interval of the difference of rates, off − on: a bootstrap over sentences
        with a fixed seed."""
        on, off = _rates(*map(self._resampled, (self.on, self.off, self.slip_on, self.slip_off)))
        return _percentiles(off - on)

    def share_interval(self) -> tuple[float, float]:
        """Return the 95% interval of `share_off`, a bootstrap over sentences with a fixed seed."""
        on, off = (self._resampled(slips).sum(axis=1) for slips in (self.slip_on, self.slip_off))
        return _percentiles(off / np.maximum(on + off, 1.0))

    def _resampled(self, column: Sequence[float]) -> np.ndarray:
        """Draw N_DRAWS times as many sentences as there are, with replacement: the same sentences
        for every column."""
        shape = (N_DRAWS, len(self.on))
        rows = np.random.default_rng(0).integers(0, len(self.on), size=shape)
        return np.asarray(column, dtype=float)[rows]


def _percentiles(values: np.ndarray) -> tuple[float, float]:
    low, high = np.percentile(values, (2.5, 97.5)).tolist()
    return low, high


def _rates(
    on: np.ndarray, off: np.ndarray, slip_on: np.ndarray, slip_off: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Return mistakes per hundred words on and off the path; the last axis is the sentences'."""

    def rate(slips: np.ndarray, words: np.ndarray) -> np.ndarray:
        return 100.0 * slips.sum(axis=-1) / np.maximum(words.sum(axis=-1), 1.0)

    return rate(slip_on, on), rate(slip_off, off)


def walk(
    outputs: Sequence[Sequence[str]],
    paths: Sequence[Sequence[str]],
    sources: Sequence[Sequence[str]],
    language: ToyLanguage,
) -> Walk:
    """Compare each output with its path, and find its first mistake by the language's rules."""
    rows = [
        _compare(source, (*output, END), (*path, END), language)
        for source, output, path in zip(sources, outputs, paths, strict=True)
    ]
    on, off, slip_on, slip_off, same = zip(*rows, strict=True)
    longest = [max(len(o), len(p)) for o, p in zip(outputs, paths, strict=True)]
    still = tuple(_share_still(longest, same, t) for t in range(LONGEST + 1))
    return Walk(on, off, slip_on, slip_off, still)


def _compare(
    source: Sequence[str], output: Words, path: Words, language: ToyLanguage
) -> tuple[int, int, bool, bool, int]:
    """Return the numbers of words on and off the path, whether the first mistake is on or off it,
    and how many first words are the path's."""
    differs = (a != b for a, b in zip(output, path, strict=False))
    same = next((t for t, differ in enumerate(differs) if differ), min(len(output), len(path)))
    is_wrong = (w not in language.next_token(source, output[:t]) for t, w in enumerate(output))
    slip = next((t for t, wrong in enumerate(is_wrong) if wrong), None)
    n_words = len(output) if slip is None else slip + 1
    on = min(same + 1, n_words)
    slips = slip is not None and slip <= same, slip is not None and slip > same
    return on, n_words - on, *slips, same


def _share_still(longest: Sequence[int], same: Sequence[int], t: int) -> float:
    """Return, of the sentences in which output or path has t words, the share whose first t words
    agree."""
    reached = [n >= t for length, n in zip(longest, same, strict=True) if length >= t]
    return sum(reached) / len(reached) if reached else float("nan")


def walks(
    models: Mapping[str, Seq2Seq], corpus: ParallelCorpus, language: ToyLanguage
) -> dict[str, Walk]:
    """Measure each student: Seq-KD beside the teacher's beam translations, the others beside
    gold."""
    beams = search(models[TEACHER], corpus.source, beam_size=BEAM_SIZE)
    distilled = [hypotheses[0].tokens for hypotheses in beams]
    measured = {}
    for name, model in models.items():
        if name != TEACHER:
            outputs = [hypotheses[0].tokens for hypotheses in search(model, corpus.source)]
            path = distilled if name == SEQ_KD else corpus.target
            measured[name] = walk(outputs, path, corpus.source, language)
    return measured


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
        look = {"linewidth": 2.5, "markersize": 8, **role_of(name).line}
        shares = [100.0 * share for share in walk.still]
        left.plot(range(len(shares)), shares, label=name, **look)
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
