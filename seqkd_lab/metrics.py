"""What sacreBLEU measures: BLEU and chrF with signatures, the paired bootstrap, and when a score
says nothing.

BLEU counts words. A language that is written without spaces has none that a program could see, so
BLEU takes a tokeniser by the script of the references. chrF counts characters and needs none.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from sacrebleu.metrics import BLEU, CHRF
from sacrebleu.metrics.base import Metric

from seqkd_lab.tokenisers import TOKENISERS, tokeniser_of

LEAST_BLEU = 2.0
"""Below it a score comes from smoothing and a few common words."""
MOST_REPEATED = 0.5
LEAST_DISTINCT = 0.1
"""A model that gives this share of the sentences one translation, or so small a share of different
ones, does not read its source."""


def bleu_metric(streams: Sequence[Sequence[str]], tokenize: str | None = None) -> BLEU:
    """Return sacreBLEU's BLEU that has counted the references, stream r holding each sentence's
    r-th.

    tokenize None chooses by `tokeniser_of`. sacreBLEU's own warning about tokenised text is off: it
    would appear for every model. Raise ValueError for a tokeniser that is unknown or lacks its
    package.
    """
    name = tokenize or tokeniser_of(line for stream in streams for line in stream)
    if name not in TOKENISERS:
        raise ValueError(f"no tokeniser {name!r}: choose from {', '.join(TOKENISERS)}")
    try:
        return BLEU(references=[list(stream) for stream in streams], tokenize=name, force=True)
    except (ImportError, RuntimeError) as error:
        reason = " ".join(str(error).split())
        raise ValueError(f"sacreBLEU's tokeniser {name!r} cannot be used here: {reason}") from error


def chrf_metric(streams: Sequence[Sequence[str]]) -> CHRF:
    """Return sacreBLEU's chrF (chrF2: characters up to 6-grams, recall weighted twice; Popović
    2015), references counted."""
    return CHRF(references=[list(stream) for stream in streams])


def length_ratio(score) -> float:
    """Return output tokens per reference token of sacreBLEU's BLEU score; 0 where the references
    have none."""
    return score.sys_len / score.ref_len if score.ref_len else 0.0


@dataclass(frozen=True)
class TextScore:
    """N texts judged: BLEU and chrF (0–100), length ratio to the references, brevity penalty (1:
    none), signatures."""

    bleu: float
    chrf: float
    length_ratio: float
    brevity_penalty: float
    signature: str
    chrf_signature: str


@dataclass(frozen=True)
class TextMetrics:
    """BLEU and chrF whose references are counted once, for any number of systems."""

    bleu: BLEU
    chrf: CHRF

    @staticmethod
    def of(streams: Sequence[Sequence[str]], tokenize: str | None = None) -> TextMetrics:
        """Return both for streams of references, r holding each sentence's r-th. Raise ValueError
        as `bleu_metric`."""
        return TextMetrics(bleu_metric(streams, tokenize), chrf_metric(streams))

    def score(self, texts: Sequence[str]) -> TextScore:
        """Return BLEU and chrF of N texts; the references are N."""
        bleu, chrf = (metric.corpus_score(list(texts), None) for metric in (self.bleu, self.chrf))
        return TextScore(
            bleu.score,
            chrf.score,
            length_ratio(bleu),
            bleu.bp,
            str(self.bleu.get_signature()),
            str(self.chrf.get_signature()),
        )


def score_texts(
    texts: Sequence[str], streams: Sequence[Sequence[str]], tokenize: str | None = None
) -> TextScore:
    """Return BLEU and chrF of `texts` (N) against every stream of references (each N lines).

    Raise ValueError when there is no text or their numbers differ, and as `bleu_metric` does.
    """
    check_numbers(texts, streams)
    return TextMetrics.of(streams, tokenize).score(texts)


def check_numbers(texts: Sequence[str], streams: Sequence[Sequence[str]]) -> None:
    """Raise ValueError without texts or references, or where a stream is not as long as the
    texts."""
    if not texts or not streams:
        raise ValueError(
            f"nothing to score: {len(texts)} texts, {len(streams)} streams of references"
        )
    for stream in streams:
        if len(stream) != len(texts):
            raise ValueError(
                f"{len(texts)} texts and {len(stream)} references: each needs the other"
            )


@dataclass(frozen=True)
class PairedDifference:
    """Two systems on the same sentences: both scores (0–100), the 95% interval of system − other,
    and the p-value that there is no difference."""

    other: float
    system: float
    interval: tuple[float, float]
    p_value: float

    @property
    def difference(self) -> float:
        """Return system − other."""
        return self.system - self.other


SEED = 12345
"""sacreBLEU's own for its resamples."""


def paired_bootstrap(
    system: Sequence[str], other: Sequence[str], metric: Metric, n_samples: int = 1000
) -> PairedDifference:
    """Compare `system` and `other` (texts, N each) in `metric`, which holds the references, by the
    paired bootstrap (Koehn 2004) over `n_samples` draws of N sentences.

    Draws and p-value are sacreBLEU's (`sacrebleu --paired-bs`), which has no interval of the
    difference; and it keeps all draws in memory, where here one is kept. sacreBLEU counts draws
    that differ by strictly more than the systems do: none where the systems are equal, which would
    call them significantly different. Their p-value is 1 here.
    """
    counts = [metric._extract_corpus_statistics(list(texts), None) for texts in (system, other)]
    score, other_score = (metric._aggregate_and_compute(counted).score for counted in counts)
    rows = [np.array(counted, dtype="float32") for counted in counts]  # as sacreBLEU: same digits
    rng = np.random.default_rng(SEED)
    drawn = np.empty((2, n_samples))
    for sample in range(n_samples):
        chosen = rng.choice(len(rows[0]), size=len(rows[0]), replace=True)
        for side, counted in enumerate(rows):
            drawn[side, sample] = metric._compute_score_from_stats(counted[chosen].sum(0)).score
    differences = drawn[0] - drawn[1]
    sizes = np.abs(differences)
    exceeding = int(np.sum(sizes - sizes.mean() > abs(score - other_score)))
    p_value = 1.0 if score == other_score else (exceeding + 1) / (n_samples + 1)
    return PairedDifference(other_score, score, middle_95(differences), p_value)


def middle_95(values: np.ndarray) -> tuple[float, float]:
    """Return the ends of the middle 95% of `values`, as sacreBLEU counts them: without n // 40
    values on each side."""
    ordered = np.sort(values)
    return float(ordered[len(ordered) // 40]), float(ordered[len(ordered) - len(ordered) // 40 - 1])


def paired_difference(
    system: Sequence[str],
    other: Sequence[str],
    streams: Sequence[Sequence[str]],
    n_samples: int = 1000,
    tokenize: str | None = None,
) -> dict[str, float]:
    """Return BLEU of two systems (texts) and the p-value of their difference, by
    `paired_bootstrap`."""
    compared = paired_bootstrap(system, other, bleu_metric(streams, tokenize), n_samples)
    return {"other": compared.other, "system": compared.system, "p_value": compared.p_value}


def distinct_share(texts: Sequence) -> float:
    """Return how many of N outputs (texts or tuples of tokens) differ from one another, as a share
    of N."""
    return len(set(texts)) / len(texts)


def repeated_share(texts: Sequence) -> float:
    """Return the share of N outputs that are the most frequent one."""
    return Counter(texts).most_common(1)[0][1] / len(texts)


def why_not_judged(
    who: str,
    bleu: float,
    distinct: float | None = None,
    repeated: float | None = None,
    where: str = "",
    advice: str = "train longer or give more text",
) -> str | None:
    """Return why the translations of `who` ("the teacher") cannot be compared with any others; None
    where they can.

    distinct and repeated are shares of the outputs as `distinct_share` and `repeated_share` count
    them (None: not counted); `where` is said after the number, say " in one of 3 seeds"; `advice`
    ends the sentence. This is the one rule for tables, the tour, the report and the paired
    bootstrap.
    """
    if not bleu >= LEAST_BLEU:  # NaN, too
        shown = f"{bleu:.1f}"
        if shown == f"{LEAST_BLEU:.1f}":
            shown = f"a little below {LEAST_BLEU:g}"
        return (
            f"{who}'s BLEU is {shown}{where}; below {LEAST_BLEU:g} a comparison says nothing: "
            f"{advice}"
        )
    if distinct is None or repeated is None or distinct == 1.0:
        return None
    if repeated >= MOST_REPEATED:
        return (
            f"{who} wrote the same translation for {repeated:.0%} of the sentences{where}: {advice}"
        )
    if distinct <= LEAST_DISTINCT:
        return (
            f"only {distinct:.0%} of {who}'s translations differ from one another{where}: {advice}"
        )
    return None
