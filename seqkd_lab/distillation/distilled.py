"""A corpus that a teacher has rewritten: how it compares with gold, and its file."""

from __future__ import annotations

import math
import warnings
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from operator import eq
from pathlib import Path

from sacrebleu.metrics import BLEU

from seqkd_lab.corpus.parallel import LONGEST_SHOWN, CorpusError, ParallelCorpus
from seqkd_lab.corpus.reading import read_lines
from seqkd_lab.corpus.visible import visible
from seqkd_lab.decoding.search import Hypothesis
from seqkd_lab.files import written_atomically

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
        """Return one line on what the teacher wrote: sentences, length ratio, similarity, sentences
        equal to gold."""
        n = len(self.corpus)
        return _described(n, self.length_ratio, sum(self.similarities), self.exact_matches)


def _described(n: int, length_ratio: float, similarity: float, n_equal: int) -> str:
    """similarity: the sum over n sentences."""
    return (
        f"{n:,} sentences, {length_ratio:.3f} tokens per gold token, sentence BLEU "
        f"against gold {similarity / n:.1f}, {100 * n_equal / n:.1f}% equal to gold"
    )


@dataclass
class Comparison:
    """What `DistilledCorpus.describe` says of a corpus that is not in memory: sums over the pairs
    that were seen."""

    n: int = 0
    n_tokens: int = 0
    n_gold_tokens: int = 0
    similarity: float = 0.0
    n_equal: int = 0

    def add(self, target: Sequence[str], gold: Sequence[str], similarity: float) -> None:
        """Add a pair."""
        self.n += 1
        self.n_tokens += len(target)
        self.n_gold_tokens += len(gold)
        self.similarity += similarity
        self.n_equal += tuple(target) == tuple(gold)

    @property
    def length_ratio(self) -> float:
        """Return distilled tokens per gold token."""
        return self.n_tokens / self.n_gold_tokens

    def describe(self) -> str:
        """Return one line on what the teacher wrote."""
        return _described(self.n, self.length_ratio, self.similarity, self.n_equal)


def similarities(hypotheses: Iterable[Sequence[str]], gold: Sequence[str]) -> list[float]:
    """Return the smoothed sentence BLEU (0–100) of each hypothesis (tokens) against `gold`: the
    paper's sim(t, y), by sacreBLEU with "exp" smoothing. The n-grams of `gold` are counted once."""
    bleu = BLEU(
        references=[[" ".join(gold)]], smooth_method="exp", effective_order=True, tokenize="none"
    )
    return [bleu.corpus_score([" ".join(hypothesis)], None).score for hypothesis in hypotheses]


def similarity(hypothesis: Sequence[str], gold: Sequence[str]) -> float:
    """Return the paper's sim(t, y) of one hypothesis, 0–100."""
    return similarities([hypothesis], gold)[0]


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
    ratio = sum(map(len, distilled.target)) / sum(map(len, gold.target))
    warn_of_length(ratio)
    exact = sum(map(eq, distilled.target, gold.target))
    return DistilledCorpus(distilled, log_probs, similarities, ratio, exact)


def warn_of_length(length_ratio: float) -> None:
    """Warn (UserWarning) when a distilled corpus is so short or long that its student would learn
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
    """Write TSV that a person can open: source, target, log_prob, similarity; a row for each pair,
    in corpus order."""
    similarities = (f"{similarity:.2f}" for similarity in distilled.similarities)
    corpus = distilled.corpus
    write_rows(path, corpus.source, corpus.target, distilled.log_probs, similarities)


def write_hypotheses(
    path: Path, gold: ParallelCorpus, hypotheses: Iterable[Hypothesis]
) -> Comparison:
    """Write what `write_distilled` writes of `replace_targets(gold, hypotheses)`, with one pair in
    memory at a time; return how the hypotheses compare with gold."""
    seen = Comparison()

    def rows() -> Iterator[Row]:
        pairs = zip(gold.source, gold.target, hypotheses, strict=True)
        for source, target, hypothesis in pairs:
            similar = round(similarity(hypothesis.tokens, target), 2)
            seen.add(hypothesis.tokens, target, similar)
            yield source, hypothesis.tokens, round(hypothesis.log_prob, 4), f"{similar:.2f}"

    _write(path, rows())
    warn_of_length(seen.length_ratio)
    return seen


def write_rows(
    path: Path,
    sources: Iterable[Sequence[str]],
    targets: Iterable[Sequence[str]],
    log_probs: Iterable[float],
    similarities: Iterable[str],
) -> None:
    """Write the TSV of a distilled corpus, atomically; the last column as it is given."""
    _write(path, zip(sources, targets, log_probs, similarities, strict=True))


Row = tuple[Sequence[str], Sequence[str], float, str]


def _write(path: Path, rows: Iterable[Row]) -> None:
    """Write the rows atomically, one in memory at a time."""
    with written_atomically(path) as file:
        file.write(f"{HEADER}\n".encode())
        for source, target, log_prob, similarity in rows:
            row = f"{' '.join(source)}\t{' '.join(target)}\t{log_prob:.4f}\t{similarity}\n"
            file.write(row.encode())


def read_distilled(path: Path, corpus: ParallelCorpus) -> DistilledCorpus:
    """Read what write_distilled wrote for `corpus` (gold). Raise CorpusError where a row does not
    fit its source."""
    lines = read_lines(path)[1:]
    if len(lines) != len(corpus):
        raise CorpusError(
            f"{path}: {len(lines)} rows for {len(corpus)} sources: it was made from other pairs; "
            "name those (the same files and number of pairs), or delete the file to distil again"
        )
    sources = map(" ".join, corpus.source)
    rows = [
        row_of(f"{path}:{number}", line, source)
        for number, (line, source) in enumerate(zip(lines, sources, strict=True), start=2)
    ]
    distilled = corpus.with_target(tuple(target for target, _, _ in rows))
    log_probs = tuple(log_prob for _, log_prob, _ in rows)
    return _compare(corpus, distilled, log_probs, tuple(similar for _, _, similar in rows))


def row_of(
    where: str, line: str, source: str, same: Callable[[str, str], bool] = eq
) -> tuple[tuple[str, ...], float, float]:
    """Return target, log_prob and similarity of a line that must have this source, or one that is
    the `same`. Raise CorpusError, with `where` in front, for another one."""
    cells = line.split("\t")
    if len(cells) != 4 or not same(cells[0], source):
        raise CorpusError(
            f"{where}: expected the source {visible(repr(source), LONGEST_SHOWN)} in "
            f"{visible(repr(line), LONGEST_SHOWN)}: it was made from other pairs, or changed; name "
            "those, or delete the file to distil again"
        )
    log_prob, similarity = (number(where, cell) for cell in cells[2:])
    if not 0 <= similarity <= 100:
        raise CorpusError(
            f"{where}: a similarity lies between 0 and 100; got {cells[3][:20]}; delete the file "
            "to distil again"
        )
    return tuple(cells[1].split()), log_prob, similarity


def number(where: str, cell: str) -> float:
    """Return the number that a cell of a distilled corpus holds. Raise CorpusError, with `where` in
    front, where it is none, or not finite."""
    try:
        value = float(cell)
    except ValueError:
        value = math.nan
    if not math.isfinite(value):
        raise CorpusError(f"{where}: not a number: {cell[:20]!r}; delete the file to distil again")
    return value
