"""Forward translation: a teacher translates source text that has no targets, and a student learns
from it, too.

This is sequence-level distillation (Kim & Rush 2016, section 3.2) on more sources than there are
pairs of. Only the source side must be found, of which there is far more.
"""

from __future__ import annotations

import sys
import warnings
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from io import BufferedReader
from itertools import repeat
from pathlib import Path
from typing import cast

from seqkd_lab.corpus.cleaning import TRAINING, reason_to_drop, usual_ratio
from seqkd_lab.corpus.parallel import LONGEST_SHOWN, CorpusError, ParallelCorpus, RawPairs, fold
from seqkd_lab.corpus.reading import held, lines_of, read_lines
from seqkd_lab.corpus.subwords import SPACE
from seqkd_lab.corpus.visible import visible
from seqkd_lab.decoding.search import Hypothesis
from seqkd_lab.distillation.distilled import ACCEPTED_LENGTH_RATIO, HEADER, number, write_rows
from seqkd_lab.distillation.sequence_level import Report, Sources, modes
from seqkd_lab.models.seq2seq import Seq2Seq

STANDARD_INPUT = "-"


@dataclass(frozen=True)
class Translated:
    """N sources, the teacher's translation of each, and its log-probability under the teacher
    (nats, rounded to 4 decimals as the file shows it)."""

    source: tuple[tuple[str, ...], ...]
    target: tuple[tuple[str, ...], ...]
    log_probs: tuple[float, ...]

    def __len__(self) -> int:
        """Return N."""
        return len(self.source)

    @property
    def tokens_per_source_token(self) -> float:
        """Return target tokens per source token over the whole text; 0 where there is none."""
        return tokens_per_source_token(self.source, self.target)

    def taking(self, rows: Sequence[int]) -> Translated:
        """Return the sentences at `rows`, in this order."""
        return Translated(
            tuple(self.source[row] for row in rows),
            tuple(self.target[row] for row in rows),
            tuple(self.log_probs[row] for row in rows),
        )


@dataclass(frozen=True)
class Dropped:
    """How many sentences were read and kept, and how many were dropped for which reason."""

    read: int
    kept: int
    reasons: dict[str, int]

    def __str__(self) -> str:
        reasons = ", ".join(f"{count:,} {reason}" for reason, count in self.reasons.items())
        return f"{self.read:,} sentences read, {self.kept:,} kept; dropped: {reasons or 'none'}"


def tokens_per_source_token(sources: Sources, targets: Sources) -> float:
    """Return the number of target tokens divided by that of source tokens, 0 without sources."""
    n_source = sum(map(len, sources))
    return sum(map(len, targets)) / n_source if n_source else 0.0


def read_sources(files: Iterable[str | Path]) -> list[str]:
    """Return the lines of all `files` (plain or .gz, UTF-8; "-" is standard input), in order.

    Raise CorpusError, naming file and line, as `read_lines` does.
    """
    lines: list[str] = []
    for file in files:
        lines += _standard_input() if str(file) == STANDARD_INPUT else read_lines(file)
    return lines


def _standard_input() -> list[str]:
    """Return the lines of standard input, which is UTF-8 whatever the terminal's encoding is, plain
    or gzip. Raise CorpusError as `read_lines` does."""
    if sys.stdin is None:
        raise CorpusError("there is no standard input; name a file")
    name, buffered = "standard input", cast("BufferedReader", sys.stdin.buffer)
    return held(lines_of(buffered, name), name)


def clean_sources(lines: Iterable[str]) -> tuple[list[str], Dropped]:
    """Return the sentences that can be learned from, in order, each once and folded, and the count
    of the others.

    Empty ones go, those longer than training pairs may be, and repetitions. Raise CorpusError when
    none is left.
    """
    most = TRAINING.max_characters
    kept: dict[str, None] = {}
    reasons: Counter[str] = Counter()
    n_read = 0
    for line in lines:
        n_read, text = n_read + 1, fold(line.replace(SPACE, " "))
        if not text:
            reasons["empty"] += 1
        elif most is not None and len(text) > most:
            reasons[f"longer than {most} characters"] += 1
        elif text in kept:
            reasons["duplicate"] += 1
        else:
            kept[text] = None
    dropped = Dropped(n_read, len(kept), dict(reasons.most_common()))
    if not kept:
        raise CorpusError(f"{dropped}; nothing is left to translate")
    return list(kept), dropped


def forward_translate(
    teacher: Seq2Seq,
    sources: Sources,
    beam_size: int = 5,
    length_penalty: float = 0.0,
    report: Report | None = None,
) -> Translated:
    """Return the teacher's translations of `sources` (tokens) by beam search: its modes, as Seq-KD
    takes them.

    The teacher may be an `Ensemble`. `report` is called with how many more sentences are done.
    """
    return translated(sources, modes(teacher, sources, beam_size, length_penalty, report=report))


def translated(sources: Sources, chosen: Sequence[Hypothesis]) -> Translated:
    """Return `sources` with the hypotheses that were found for them."""
    return Translated(
        tuple(map(tuple, sources)),
        tuple(hypothesis.tokens for hypothesis in chosen),
        tuple(round(hypothesis.log_prob, 4) for hypothesis in chosen),
    )


def drop_failures(
    translations: Translated, decode: Callable[[Sequence[str]], str]
) -> tuple[Translated, Dropped]:
    """Return the translations that satisfy the rules of training pairs, and the count of the others
    by rule.

    A teacher that stops at once, repeats itself to the longest length allowed or copies its source
    has failed there. decode turns tokens into text. Raise CorpusError when nothing is left.
    """
    sources, targets = (
        tuple(map(decode, translations.source)),
        tuple(map(decode, translations.target)),
    )
    usual = usual_ratio(RawPairs("input", "input", "unknown", sources, targets))
    why = [
        reason_to_drop(source, target, TRAINING, usual)
        for source, target in zip(sources, targets, strict=True)
    ]
    rows = [row for row, reason in enumerate(why) if reason is None]
    dropped = Dropped(len(translations), len(rows), dict(Counter(filter(None, why)).most_common()))
    if not rows:
        raise CorpusError(
            f"{dropped}; no translation can be learned from: train the teacher longer"
        )
    return translations.taking(rows), dropped


def warn_of_ratio(translations: Translated, usual: float) -> None:
    """Warn (UserWarning) when the translations are so short or long that a student would learn a
    wrong length.

    usual: target tokens per source token of the teacher's own training corpus, since there is no
    gold to compare with.
    """
    shortest, longest = ACCEPTED_LENGTH_RATIO
    ratio = translations.tokens_per_source_token
    if not shortest * usual <= ratio <= longest * usual:
        warnings.warn(
            f"the teacher wrote {ratio:.2f} tokens per source token, its training corpus has "
            f"{usual:.2f}; a student learns this length. Is the text of the same kind? Else search "
            "with a larger length penalty.",
            stacklevel=2,
        )


def write_translated(path: Path, translations: Translated) -> None:
    """Write the TSV of a distilled corpus, whose last column (similarity to gold) is empty: there
    is no gold."""
    write_rows(
        path,
        translations.source,
        translations.target,
        translations.log_probs,
        repeat("", len(translations)),
    )


def read_translated(path: Path) -> Translated:
    """Read what `write_translated` wrote, or a distilled corpus (its similarities do not count).

    Raise CorpusError, naming the line, for anything else.
    """
    header, *lines = read_lines(path)
    if header != HEADER:
        raise CorpusError(
            f"{path}:1: expected the heading of a translated corpus ({HEADER!r}); make it with "
            "`seqkd-lab distil`"
        )
    rows = [_row(path, number, line) for number, line in enumerate(lines, start=2)]
    if not rows:
        raise CorpusError(f"{path}:1: holds no translations")
    return Translated(*map(tuple, zip(*rows, strict=True)))


def _row(path: Path, row: int, line: str) -> tuple[tuple[str, ...], tuple[str, ...], float]:
    cells = line.split("\t")
    if len(cells) != 4 or not cells[0].split():
        raise CorpusError(
            f"{path}:{row}: expected source, target, log_prob and similarity, with tabs "
            f"between; got {visible(repr(line), LONGEST_SHOWN)}"
        )
    return tuple(cells[0].split()), tuple(cells[1].split()), number(f"{path}:{row}", cells[2])


def added(corpus: ParallelCorpus, *more: Translated) -> ParallelCorpus:
    """Return `corpus` followed by the pairs of `more`; it has no references, since it is for
    training."""
    source = corpus.source + tuple(
        sentence for translations in more for sentence in translations.source
    )
    target = corpus.target + tuple(
        sentence for translations in more for sentence in translations.target
    )
    return replace(corpus, source=source, target=target, references=None)
