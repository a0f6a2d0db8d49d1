"""A distilled corpus as large as a disk: its TSV is read as a stream, once, into ids beside it,
which trainings then map."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice
from pathlib import Path

import msgspec
import numpy as np

from seqkd_lab.corpus.batching import EncodedCorpus
from seqkd_lab.corpus.in_ids import AT_ONCE, InWords, PairsInIds
from seqkd_lab.corpus.mapped.arrays import ArrayWriter, Numbers, Written, check_unchanged, mapped
from seqkd_lab.corpus.mapped.sentences import SentencesWriter, WrittenSentences
from seqkd_lab.corpus.mapped.stored import opened
from seqkd_lab.corpus.opening import open_text
from seqkd_lab.corpus.parallel import CorpusError
from seqkd_lab.corpus.reading import lines_of
from seqkd_lab.distillation.distilled import row_of, warn_of_length
from seqkd_lab.files import (
    FileError,
    named,
    read_json,
    sha256_of,
    sweep,
    temporary_prefix,
    write_json,
)

DESCRIPTION, TARGET, SCORE = "distilled.json", "target", "<f4"
SCORES = ("log_probs", "similarities")
REMEDY = "delete the folder, and it is made again from the TSV"


class Description(msgspec.Struct, frozen=True):
    """What the folder beside a TSV holds. table, corpus: what it was made from, the sha256 of the
    TSV and the fingerprint of the pairs."""

    table: str
    corpus: str
    target: WrittenSentences
    log_probs: Written
    similarities: Written


@dataclass(frozen=True)
class MappedDistilled:
    """The first N pairs of a corpus with the teacher's targets; of each, its log_prob under the
    teacher (nats) and its similarity to gold (0–100), both (N,) float32."""

    corpus: PairsInIds
    log_probs: Numbers
    similarities: Numbers


def map_distilled(table: Path, gold: PairsInIds) -> MappedDistilled:
    """Return the distilled corpus of a TSV, whose rows are those of `gold` or of its beginning.

    Its ids are in the folder `table`.ids, which is made where it is missing or was made from
    something else. Raise CorpusError, naming file and line, for a row that does not fit its source.
    """
    folder = table.with_name(f"{table.name}.ids")
    table_hash, corpus = sha256_of(table), gold.fingerprint
    if not _is_of(folder, table_hash, corpus):
        _write(folder, table, table_hash, gold, corpus)
    try:
        return _open(folder, gold)
    except FileError as error:
        raise CorpusError(str(error)) from error


def _is_of(folder: Path, table_hash: str, corpus: str) -> bool:
    """Return whether the folder was made from these."""
    try:
        description = read_json(folder / DESCRIPTION, Description)
    except (OSError, FileError):
        return False
    return (description.table, description.corpus) == (table_hash, corpus)


def _open(folder: Path, gold: PairsInIds) -> MappedDistilled:
    """Map what `_write` wrote. Raise FileError, naming the file, where it is damaged."""
    description = read_json(folder / DESCRIPTION, Description, REMEDY)
    source, target = gold.sides
    words = target.vocabulary
    sentences = opened(folder, TARGET, description.target, len(words), True, REMEDY)
    n = len(sentences.lengths)
    scores = []
    for name in SCORES:
        path, written = folder / f"{name}.npy", getattr(description, name)
        scores.append(mapped(path, SCORE, n, REMEDY))
        check_unchanged(path, scores[-1], written, REMEDY)
    first = gold.first(n).encoded
    ratio = (int(sentences.lengths.sum()) - 2 * n) / (int(first.target.lengths.sum()) - 2 * n)
    warn_of_length(ratio)
    distilled = EncodedCorpus(first.source, sentences)
    return MappedDistilled(PairsInIds.of(gold.name, distilled, source.vocabulary, words), *scores)


def _write(folder: Path, table: Path, table_hash: str, gold: PairsInIds, corpus: str) -> None:
    """Make the folder, which appears when it is whole."""
    with named(folder):
        sweep(folder.parent)
        prefix = temporary_prefix(folder.name)
        unfinished = Path(tempfile.mkdtemp(dir=folder.parent, prefix=prefix))
    try:
        with (
            SentencesWriter(unfinished, TARGET, begins=True) as targets,
            ArrayWriter(unfinished / f"{SCORES[0]}.npy", SCORE) as log_probs,
            ArrayWriter(unfinished / f"{SCORES[1]}.npy", SCORE) as similarities,
        ):
            for ids, scores in _rows(table, gold):
                targets.append_lists(ids)
                log_probs.append(scores[:, 0])
                similarities.append(scores[:, 1])
        written = Description(
            table_hash, corpus, targets.written, log_probs.written, similarities.written
        )
        write_json(unfinished / DESCRIPTION, msgspec.to_builtins(written))
        with named(folder):
            shutil.rmtree(folder, ignore_errors=True)
            unfinished.chmod(0o755)
            unfinished.replace(folder)
    finally:
        shutil.rmtree(unfinished, ignore_errors=True)


def _rows(table: Path, gold: PairsInIds) -> Iterator[tuple[list[list[int]], Numbers]]:
    """Yield the ids of some targets and their two scores (n, 2), one part after the other."""
    source, target = gold.sides
    with open_text(table) as file:
        lines = lines_of(file, table)
        next(lines, None)  # the heading
        number = 0
        while some := list(islice(lines, AT_ONCE)):
            if number + len(some) > len(gold):
                raise CorpusError(
                    f"{table}: more than {len(gold):,} rows, which is the number of sources: it "
                    "was made from other pairs; name those, or distil again"
                )
            ids, scores = [], []
            for line, words in zip(some, source[number : number + len(some)], strict=True):
                number += 1
                where = f"{table}:{number + 1}"
                tokens, *of_row = row_of(where, line, " ".join(words), _same_ids(source))
                ids.append(target.vocabulary.ids(tokens))
                scores.append(of_row)
            yield ids, np.array(scores, SCORE)
    if not number:
        raise CorpusError(f"{table}:1: holds no translations; distil again")


def _same_ids(source: InWords):
    """Return what tells whether two sources have the same ids: characters that no subword spells
    may stand in a file, and are unknown here."""

    def same(typed: str, expected: str) -> bool:
        if typed == expected:
            return True
        ids = source.vocabulary.ids
        return ids(typed.split()) == ids(expected.split())

    return same
