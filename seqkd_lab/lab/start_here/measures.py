"""Measures of lesson 00: the agreement of two sentences as BLEU counts it, and seconds of
computing."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from sacrebleu.metrics import BLEU

from seqkd_lab.decoding.search import search
from seqkd_lab.lab.shared.predictions import CANNOT_TELL, decided
from seqkd_lab.models.seq2seq import Seq2Seq
from seqkd_lab.runs.recipes import BASELINE, SEQ_KD
from seqkd_lab.runs.results import rows_by_seed

BEAM_SIZE = 5
"""K of the paper's Table 1."""
ALIKE = "both alike"
NOISE = 1.25
"""Times that differ by a smaller factor count as ALIKE."""
THE_BASELINE = "the baseline"
THE_SEQ_KD = "the Seq-KD student"
IN_WORDS = {BASELINE: THE_BASELINE, SEQ_KD: THE_SEQ_KD}


@dataclass(frozen=True)
class Agreement:
    """The agreement of a translation with one reference.

    matches: for n = 1 to 4 how many of its n-word sequences the reference has, and how many there
    are. bleu: sacrebleu's sentence score (0 to 100).
    """

    translation: tuple[str, ...]
    reference: tuple[str, ...]
    matches: tuple[tuple[int, int], ...]
    bleu: float


def agreement(translation: Sequence[str], reference: Sequence[str]) -> Agreement:
    """Count what BLEU counts (Papineni et al. 2002), for one sentence of at least four words and
    one reference."""
    matches = []
    for n in range(1, 5):
        ours, theirs = sequences(translation, n), sequences(reference, n)
        matches.append(((ours & theirs).total(), ours.total()))
    score = BLEU(effective_order=True).sentence_score(" ".join(translation), [" ".join(reference)])
    return Agreement(tuple(translation), tuple(reference), tuple(matches), score.score)


def sequences(words: Sequence[str], n: int) -> Counter[tuple[str, ...]]:
    """Count the sequences of `n` neighbouring words."""
    return Counter(zip(*(words[start:] for start in range(n)), strict=False))


def seconds_to_translate(
    models: Mapping[str, Seq2Seq],
    sources: Sequence[Sequence[str]],
    repeats: int = 3,
    beam_size: int = BEAM_SIZE,
) -> dict[str, tuple[float, float]]:
    """Measure the computing time, in seconds, in which each model translates `sources`: (greedy,
    beam).

    The least of `repeats` runs, which take turns, so that a busy machine slows all models alike.
    """
    least = {name: [float("inf")] * 2 for name in models}
    for _ in range(repeats):
        for name, model in models.items():
            for which, K in enumerate((1, beam_size)):
                start = time.process_time()
                search(model, sources, K)
                least[name][which] = min(least[name][which], time.process_time() - start)
    return {name: (greedy, beam) for name, (greedy, beam) in least.items()}


def faster_student(seconds: Mapping[str, tuple[float, float]]) -> str:
    """Return which of the two students is faster in greedy search, or ALIKE."""
    baseline, seq_kd = seconds[BASELINE][0], seconds[SEQ_KD][0]
    if max(baseline, seq_kd) < NOISE * min(baseline, seq_kd):
        return ALIKE
    return THE_BASELINE if baseline < seq_kd else THE_SEQ_KD


def student_that_needs_the_beam(results: Mapping) -> str:
    """Return to which student the beam adds more BLEU, by the seeds of Table 1; CANNOT_TELL where
    they disagree."""
    gains = {
        name: [
            rows[name]["beam"]["bleu"] - rows[name]["greedy"]["bleu"]
            for rows in rows_by_seed(results)
        ]
        for name in IN_WORDS
    }
    pairs = decided(gains)
    return IN_WORDS[pairs[0][0]] if pairs else CANNOT_TELL
