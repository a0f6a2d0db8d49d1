"""Where a student stands when it translates: on the words that training showed it, or on others; and its mistakes."""

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
        return tuple(_rates(*map(np.asarray, (self.on, self.off, self.slip_on, self.slip_off))))

    def interval(self, n_draws: int = 1000) -> tuple[float, float]:
        """The 95% interval of the difference of rates, off − on: a bootstrap over sentences with a
        fixed seed."""
        columns = [
            np.asarray(column, dtype=float)
            for column in (self.on, self.off, self.slip_on, self.slip_off)
        ]
        rows = np.random.default_rng(0).integers(0, len(self.on), size=(n_draws, len(self.on)))
        on, off = _rates(*(column[rows] for column in columns))
        return tuple(np.percentile(off - on, (2.5, 97.5)).tolist())

    def share_interval(self, n_draws: int = 1000) -> tuple[float, float]:
        """The 95% interval of `share_off`, a bootstrap over sentences with a fixed seed."""
        rows = np.random.default_rng(0).integers(0, len(self.on), size=(n_draws, len(self.on)))
        on, off = (
            np.asarray(slips, dtype=float)[rows].sum(axis=1)
            for slips in (self.slip_on, self.slip_off)
        )
        return tuple(np.percentile(off / np.maximum(on + off, 1.0), (2.5, 97.5)).tolist())


def _rates(on, off, slip_on, slip_off):
    """Mistakes per hundred words on and off the path; the last axis is the sentences'."""
    words = (np.maximum(column.sum(axis=-1), 1.0) for column in (on, off))
    return [
        100.0 * slips.sum(axis=-1) / n for slips, n in zip((slip_on, slip_off), words, strict=True)
    ]


def walk(
    outputs: Sequence[Sequence[str]],
    paths: Sequence[Sequence[str]],
    sources: Sequence[Sequence[str]],
    language: ToyLanguage,
) -> Walk:
    """Compares each output with its path, and finds its first mistake by the language's rules."""
    rows = [
        _walk_of(source, (*output, END), (*path, END), language)
        for source, output, path in zip(sources, outputs, paths, strict=True)
    ]
    on, off, slip_on, slip_off, same = zip(*rows, strict=True)
    still = [_share_still(outputs, paths, same, t) for t in range(LONGEST + 1)]
    return Walk(on, off, slip_on, slip_off, tuple(still))


def _walk_of(source, output, path, language) -> tuple[int, int, bool, bool, int]:
    """Words on and off the path, whether the first mistake is on or off it, and how many first
    words are the path's."""
    same = 0
    while same < min(len(output), len(path)) and output[same] == path[same]:
        same += 1
    slip = next(
        (t for t, word in enumerate(output) if word not in language.next_token(source, output[:t])),
        None,
    )
    n_words = len(output) if slip is None else slip + 1
    on = min(same + 1, n_words)
    return (
        on,
        n_words - on,
        slip is not None and slip <= same,
        slip is not None and slip > same,
        same,
    )


def _share_still(outputs, paths, same: Sequence[int], t: int) -> float:
    """Of the sentences in which output or path has t words, the share whose first t words agree."""
    reached = [
        n
        for output, path, n in zip(outputs, paths, same, strict=True)
        if max(len(output), len(path)) >= t
    ]
    return sum(n >= t for n in reached) / len(reached) if reached else float("nan")


def walks(
    models: Mapping[str, Seq2Seq], corpus: ParallelCorpus, language: ToyLanguage
) -> dict[str, Walk]:
    """Measures each student: Seq-KD beside the teacher's beam translations, the others beside
    gold."""
    written = [
        beam[0].tokens for beam in search(models[TEACHER], corpus.source, beam_size=BEAM_SIZE)
    ]
    measured = {}
    for name, model in models.items():
        if name != TEACHER:
            outputs = [hypotheses[0].tokens for hypotheses in search(model, corpus.source)]
            measured[name] = walk(
                outputs, written if name == SEQ_KD else corpus.target, corpus.source, language
            )
    return measured
