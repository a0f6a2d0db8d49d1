"""Where a student stands when it translates: on the words that training showed it, or on others;
and its mistakes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from seqkd_lab.corpus.parallel import ParallelCorpus
from seqkd_lab.corpus.toy import ToyLanguage
from seqkd_lab.decoding.search import search
from seqkd_lab.models.seq2seq import Seq2Seq
from seqkd_lab.runs.recipes import SEQ_KD, TEACHER

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
