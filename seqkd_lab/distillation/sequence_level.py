"""Sequence-level distillation: the teacher rewrites the training corpus; the student's loss stays
NLL.

- Seq-KD (Kim & Rush 2016, section 3.2): the teacher's mode, found by beam search, takes the place
  of gold.
- Seq-Inter (section 3.3): of the teacher's K best, the one nearest to gold.
- Sampling, named apart: a draw from the teacher, which later systems often call SeqKD; it keeps the
  teacher's whole distribution and therefore the student's need to remember what it chose. The paper
  does not do this.

Only the training set is distilled; validation and test stay gold.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

from seqkd_lab.corpus.parallel import ParallelCorpus
from seqkd_lab.decoding.distribution import SamplingDistribution
from seqkd_lab.decoding.limits import shortened
from seqkd_lab.decoding.sampling import sample
from seqkd_lab.decoding.search import Hypothesis, search
from seqkd_lab.distillation.distilled import DistilledCorpus, replace_targets, similarities
from seqkd_lab.models.seq2seq import Seq2Seq

Report = Callable[[int], None]
"""Is called with how many more sentences are done."""

Sources = Sequence[Sequence[str]]
"""Sentences in tokens."""

IsValid = Callable[[Sequence[str], Sequence[str]], bool]
"""Whether a target, the second argument, is a valid translation of a source, the first."""
MOST_DRAWS = 20
"""How often a translation is drawn until a valid one comes."""

MODE, INTERPOLATED, SAMPLED = "mode", "interpolated", "sampled"


def nearest_to_gold(candidates: Sequence[Hypothesis], gold: Sequence[str]) -> Hypothesis:
    """Return ỹ = argmax over the candidates t of sim(t, gold) (Kim & Rush 2016, equation 8); ties
    go to the likelier one."""
    likeness = similarities((hypothesis.tokens for hypothesis in candidates), gold)
    ranked = zip(likeness, candidates, strict=True)
    return max(ranked, key=lambda pair: (pair[0], pair[1].log_prob))[1]


def modes(
    teacher: Seq2Seq,
    sources: Sources,
    beam_size: int = 5,
    length_penalty: float = 0.0,
    batch_size: int = 128,
    report: Report | None = None,
) -> list[Hypothesis]:
    """Return the best hypothesis ŷ of the teacher's beam search for each of `sources`.

    Raise NotFiniteError where a search ends with none, as it does when the teacher's scores are not
    finite.
    """
    n_best_lists = search(
        teacher, sources, beam_size, 1, length_penalty, batch_size=batch_size, progress=report
    )
    return [n_best[0] for n_best in n_best_lists]


def nearest(
    teacher: Seq2Seq,
    corpus: ParallelCorpus,
    beam_size: int = 35,
    length_penalty: float = 0.0,
    batch_size: int = 32,
    report: Report | None = None,
) -> list[Hypothesis]:
    """Return ỹ for each pair: of the teacher's `beam_size` best hypotheses the one nearest to
    gold."""
    chosen: list[Hypothesis] = []
    # shortened here, where the number of a sentence is its number in the corpus
    sources = shortened(corpus.source)
    at_once = 50 * batch_size  # K-best lists of a whole corpus are large
    for first in range(0, len(corpus), at_once):
        rows = slice(first, first + at_once)
        k_best_lists = search(
            teacher, sources[rows], beam_size, beam_size, length_penalty, None, batch_size, report
        )
        pairs = zip(k_best_lists, corpus.target[rows], strict=True)
        chosen += [nearest_to_gold(k_best, gold) for k_best, gold in pairs]
    return chosen


def draws(
    teacher: Seq2Seq,
    sources: Sources,
    seed: int,
    temperature: float = 1.0,
    report: Report | None = None,
    is_valid: IsValid | None = None,
) -> list[Hypothesis]:
    """Return a draw from the teacher at `temperature` for each of `sources`; `is_valid` as in
    `distil_sampled`."""
    distribution = SamplingDistribution(temperature)
    drawn = sample(teacher, sources, seed, distribution, progress=report)
    if is_valid is None:
        return drawn
    rows: Sequence[int] = range(len(sources))
    for attempt in range(1, MOST_DRAWS):
        rows = [row for row in rows if not is_valid(sources[row], drawn[row].tokens)]
        if not rows:
            break
        again = [sources[row] for row in rows]
        redrawn = sample(teacher, again, seed + attempt * 1_000_003, distribution)
        for row, hypothesis in zip(rows, redrawn, strict=True):
            drawn[row] = hypothesis
    return drawn


def distil_mode(
    teacher: Seq2Seq,
    corpus: ParallelCorpus,
    beam_size: int = 5,
    length_penalty: float = 0.0,
    batch_size: int = 128,
    report: Report | None = None,
) -> DistilledCorpus:
    """Distil for Seq-KD: each target becomes the best hypothesis ŷ of the teacher's beam search."""
    return replace_targets(
        corpus, modes(teacher, corpus.source, beam_size, length_penalty, batch_size, report)
    )


def distil_interpolated(
    teacher: Seq2Seq,
    corpus: ParallelCorpus,
    beam_size: int = 35,
    length_penalty: float = 0.0,
    batch_size: int = 32,
    report: Report | None = None,
) -> DistilledCorpus:
    """Distil for Seq-Inter: each target becomes ỹ, of the teacher's `beam_size` best hypotheses the
    one nearest to gold."""
    return replace_targets(
        corpus, nearest(teacher, corpus, beam_size, length_penalty, batch_size, report)
    )


def distil_sampled(
    teacher: Seq2Seq,
    corpus: ParallelCorpus,
    seed: int,
    temperature: float = 1.0,
    report: Report | None = None,
    is_valid: IsValid | None = None,
) -> DistilledCorpus:
    """Distil by sampling, which the paper does not: each target becomes a draw from the teacher at
    `temperature`.

    With `is_valid`, what it refuses is drawn again, up to MOST_DRAWS times: a student of these
    targets does not learn the teacher's errors. The last draw stays, valid or not.
    """
    return replace_targets(
        corpus, draws(teacher, corpus.source, seed, temperature, report, is_valid)
    )


def distil(
    teacher: Seq2Seq,
    corpus: ParallelCorpus,
    method: str,
    beam_size: int = 5,
    length_penalty: float = 0.0,
    seed: int = 0,
    report: Report | None = None,
    is_valid: IsValid | None = None,
) -> DistilledCorpus:
    """Rewrite `corpus` by `method`: MODE or INTERPOLATED (which use the beam) or SAMPLED (which
    uses the seed, and `is_valid`, where it is given).

    Raise ValueError for another method.
    """
    return replace_targets(
        corpus,
        translations(teacher, corpus, method, beam_size, length_penalty, seed, report, is_valid),
    )


def translations(
    teacher: Seq2Seq,
    corpus: ParallelCorpus,
    method: str,
    beam_size: int = 5,
    length_penalty: float = 0.0,
    seed: int = 0,
    report: Report | None = None,
    is_valid: IsValid | None = None,
) -> list[Hypothesis]:
    """Return what `distil` puts in the place of each target, with its log-probability."""
    if method == MODE:
        return modes(teacher, corpus.source, beam_size, length_penalty, report=report)
    if method == INTERPOLATED:
        return nearest(teacher, corpus, beam_size, length_penalty, report=report)
    if method == SAMPLED:
        return draws(teacher, corpus.source, seed, report=report, is_valid=is_valid)
    raise ValueError(f"method must be {MODE}, {INTERPOLATED} or {SAMPLED}; got {method!r}")
