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

import warnings
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from sacrebleu.metrics import BLEU

from seqkd_lab.corpus.parallel import CorpusError, ParallelCorpus, read_lines
from seqkd_lab.decoding.distribution import SamplingDistribution
from seqkd_lab.decoding.sampling import sample
from seqkd_lab.decoding.search import Hypothesis, search, shortened
from seqkd_lab.models.checkpoint import write_atomically
from seqkd_lab.models.seq2seq import Seq2Seq

Report = Callable[[int], None]
"""Hears how many more sentences are done."""

Sources = Sequence[Sequence[str]]
"""Sentences in tokens."""

IsValid = Callable[[Sequence[str], Sequence[str]], bool]
"""Says of a source and a target whether the target is one of its valid translations."""
MOST_DRAWS = 20
"""How often a translation is drawn until a valid one comes."""

MODE, INTERPOLATED, SAMPLED = "mode", "interpolated", "sampled"

HEADER = "source\ttarget\tlog_prob\tsimilarity"
"""The first line of a distilled corpus's file."""

ACCEPTED_LENGTH_RATIO = (0.9, 1.1)
"""Outside of it a distilled corpus teaches a wrong length: a teacher of 10.4 tokens where gold has
15.8 cost its student 5 BLEU on Multi30k."""


@dataclass(frozen=True)
class DistilledCorpus:
    """`corpus` with the teacher's targets, each one's log_prob under the teacher (nats) and its
    similarity to gold.

    similarity is smoothed sentence BLEU (0–100). length_ratio is distilled tokens per gold token.
    log_probs are rounded to 4 decimals and similarities to 2, as the file shows them: what is read
    is what was made.
    """

    corpus: ParallelCorpus
    log_probs: tuple[float, ...]
    similarities: tuple[float, ...]
    length_ratio: float
    exact_matches: int

    def describe(self) -> str:
        """One line on what the teacher wrote: sentences, length ratio, similarity, sentences equal
        to gold."""
        n = len(self.corpus)
        mean_similarity = sum(self.similarities) / n
        return (
            f"{n:,} sentences, {self.length_ratio:.3f} tokens per gold token, sentence BLEU "
            f"against gold {mean_similarity:.1f}, {100 * self.exact_matches / n:.1f}% equal to gold"
        )


def similarities(hypotheses: Iterable[Sequence[str]], gold: Sequence[str]) -> list[float]:
    """Smoothed sentence BLEU (0–100) of each hypothesis (tokens) against `gold`: the paper's sim(t,
    y), by sacreBLEU with "exp" smoothing. The n-grams of `gold` are counted once."""
    bleu = BLEU(
        references=[[" ".join(gold)]], smooth_method="exp", effective_order=True, tokenize="none"
    )
    return [bleu.corpus_score([" ".join(hypothesis)], None).score for hypothesis in hypotheses]


def similarity(hypothesis: Sequence[str], gold: Sequence[str]) -> float:
    """The paper's sim(t, y) of one hypothesis, 0–100."""
    return similarities([hypothesis], gold)[0]


def nearest_to_gold(candidates: Sequence[Hypothesis], gold: Sequence[str]) -> Hypothesis:
    """ỹ = argmax over the candidates t of sim(t, gold) (Kim & Rush 2016, equation 8); ties go to
    the likelier one."""
    likeness = similarities((hypothesis.tokens for hypothesis in candidates), gold)
    ranked = zip(
        likeness, (hypothesis.log_prob for hypothesis in candidates), candidates, strict=True
    )
    return max(ranked, key=lambda entry: entry[:2])[2]


def modes(
    teacher: Seq2Seq,
    sources: Sources,
    beam_size: int = 5,
    length_penalty: float = 0.0,
    batch_size: int = 128,
    report: Report | None = None,
) -> list[Hypothesis]:
    """Return the best hypothesis ŷ of the teacher's beam search for each of `sources`.

    Raises ValueError where a search ends with none, as it does when the teacher's scores are not
    finite.
    """
    found = search(
        teacher, sources, beam_size, 1, length_penalty, batch_size=batch_size, progress=report
    )
    return [_first(n_best) for n_best in found]


def _first(n_best: Sequence[Hypothesis]) -> Hypothesis:
    if not n_best:
        raise ValueError(
            "the teacher's search found no translation: its scores are not finite; train it again"
        )
    return n_best[0]


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
    sources = shortened(
        corpus.source
    )  # here, where the number of a sentence is its number in the corpus
    for first in range(
        0, len(corpus), 50 * batch_size
    ):  # in parts: K-best lists of a whole corpus are large
        rows = slice(first, first + 50 * batch_size)
        found = search(
            teacher, sources[rows], beam_size, beam_size, length_penalty, None, batch_size, report
        )
        chosen += [
            nearest_to_gold(k_best, gold)
            for k_best, gold in zip(found, corpus.target[rows], strict=True)
        ]
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
    drawn = dict(
        enumerate(
            sample(teacher, sources, seed, SamplingDistribution(temperature), progress=report)
        )
    )
    rows, attempt = list(drawn) if is_valid else [], 0
    while rows := [row for row in rows if not is_valid(sources[row], drawn[row].tokens)]:
        attempt += 1
        if attempt == MOST_DRAWS:
            break
        again = [sources[row] for row in rows]
        drawn.update(
            zip(
                rows,
                sample(
                    teacher, again, seed + attempt * 1_000_003, SamplingDistribution(temperature)
                ),
                strict=True,
            )
        )
    return list(drawn.values())


def distil_mode(
    teacher: Seq2Seq,
    corpus: ParallelCorpus,
    beam_size: int = 5,
    length_penalty: float = 0.0,
    batch_size: int = 128,
    report: Report | None = None,
) -> DistilledCorpus:
    """Seq-KD: each target becomes the best hypothesis ŷ of the teacher's beam search."""
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
    """Seq-Inter: each target becomes ỹ, of the teacher's `beam_size` best hypotheses the one
    nearest to gold."""
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
    """Not the paper's: each target becomes a draw from the teacher at `temperature`.

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
    """Rewrites `corpus` by `method`: MODE or INTERPOLATED (which use the beam) or SAMPLED (which
    uses the seed, and `is_valid`, where it is given).

    Raises ValueError for another method.
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


def replace_targets(corpus: ParallelCorpus, chosen: Sequence[Hypothesis]) -> DistilledCorpus:
    """Return `corpus` (gold) with the targets of `chosen` (one for each pair), compared with
    gold."""
    distilled = corpus.with_target(tuple(hypothesis.tokens for hypothesis in chosen))
    log_probs = tuple(round(hypothesis.log_prob, 4) for hypothesis in chosen)
    pairs = zip(distilled.target, corpus.target, strict=True)
    return _compare(
        corpus,
        distilled,
        log_probs,
        tuple(round(similarity(target, gold), 2) for target, gold in pairs),
    )


def _compare(
    gold: ParallelCorpus,
    distilled: ParallelCorpus,
    log_probs: tuple[float, ...],
    similarities: tuple[float, ...],
) -> DistilledCorpus:
    pairs = list(zip(distilled.target, gold.target, strict=True))
    ratio = sum(len(target) for target, _ in pairs) / sum(
        len(gold_target) for _, gold_target in pairs
    )
    warn_of_length(ratio)
    exact = sum(target == gold_target for target, gold_target in pairs)
    return DistilledCorpus(distilled, log_probs, similarities, ratio, exact)


def warn_of_length(length_ratio: float) -> None:
    """Warns (UserWarning) when a distilled corpus is so short or long that its student would learn
    a wrong length."""
    shortest, longest = ACCEPTED_LENGTH_RATIO
    if not shortest <= length_ratio <= longest:
        warnings.warn(
            f"the teacher wrote {length_ratio:.2f} tokens per gold token (accepted: "
            f"{shortest}–{longest}); a student learns this length. Train the teacher longer, or "
            "search with a larger length penalty.",
            stacklevel=3,
        )


def write_distilled(path: Path, distilled: DistilledCorpus) -> None:
    """Writes TSV that a person can open: source, target, log_prob, similarity; a row for each pair,
    in corpus order."""
    lines = [HEADER]
    corpus = distilled.corpus
    rows = zip(
        corpus.source, corpus.target, distilled.log_probs, distilled.similarities, strict=True
    )
    for source, target, log_prob, similar in rows:
        lines.append(f"{' '.join(source)}\t{' '.join(target)}\t{log_prob:.4f}\t{similar:.2f}")
    write_atomically(path, ("\n".join(lines) + "\n").encode())


def read_distilled(path: Path, corpus: ParallelCorpus) -> DistilledCorpus:
    """Reads what write_distilled wrote for `corpus` (gold). Raises CorpusError where a row does not
    fit its source."""
    lines = read_lines(path)[1:]
    if len(lines) != len(corpus):
        raise CorpusError(
            f"{path}: {len(lines)} rows for {len(corpus)} sources: it was made from other pairs; "
            "name those (the same files and number of pairs), or delete the file to distil again"
        )
    targets, log_probs, similarities = [], [], []
    for number, (line, source) in enumerate(zip(lines, corpus.source, strict=True), start=2):
        cells = line.split("\t")
        if len(cells) != 4 or cells[0] != " ".join(source):
            raise CorpusError(
                f"{path}:{number}: expected the source {' '.join(source)!r} in {line!r}: it was "
                "made from other pairs, or changed; name those, or delete the file to distil again"
            )
        try:
            log_probs.append(float(cells[2]))
            similarities.append(float(cells[3]))
        except ValueError as error:
            raise CorpusError(
                f"{path}:{number}: not a number ({error}) in {line!r}; delete the file"
            ) from error
        targets.append(tuple(cells[1].split()))
    return _compare(
        corpus, corpus.with_target(tuple(targets)), tuple(log_probs), tuple(similarities)
    )
