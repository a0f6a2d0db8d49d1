"""The data of a recipe, loaded: three splits, how tokens become text, and the truth where it is
known."""

from __future__ import annotations

import hashlib
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

from seqkd_lab.corpus.cleaning import HELD_OUT, reason_to_drop
from seqkd_lab.corpus.mapped.description import DESCRIPTION
from seqkd_lab.corpus.mapped.stored import open_corpus
from seqkd_lab.corpus.own_subwords import try_subwords, unknown_in_words
from seqkd_lab.corpus.parallel import ParallelCorpus, RawPairs
from seqkd_lab.corpus.reading import read_aligned
from seqkd_lab.corpus.shares import rounded_share
from seqkd_lab.corpus.subwords import SubwordTokeniser, prepare
from seqkd_lab.corpus.toy import Ambiguity, ToyLanguage
from seqkd_lab.corpus.toy import dataset as toy
from seqkd_lab.corpus.vocabulary import Vocabulary
from seqkd_lab.evaluation import Detokenise
from seqkd_lab.files import sha256_of, write_atomically
from seqkd_lab.runs.texts import Data, EncodedText, TextData, ToyData


@dataclass(frozen=True)
class Dataset:
    """train, valid and test in tokens; vocabularies built on train; detokenise turns tokens into
    written text.

    language is the truth behind the toy corpus, None for real text; subwords the other way round.
    cleaning says in words what was dropped, what no subword spells, and which held-out lines are
    very long.
    """

    train: ParallelCorpus
    valid: ParallelCorpus
    test: ParallelCorpus
    source_vocabulary: Vocabulary
    target_vocabulary: Vocabulary
    detokenise: Detokenise
    language: ToyLanguage | None
    subwords: SubwordTokeniser | None
    cleaning: str

    @property
    def toy_language(self) -> ToyLanguage:
        """Return the language behind the toy corpus. Raise ValueError for real text, which has
        none."""
        if self.language is None:
            raise ValueError("this needs the toy corpus: real text has no known language behind it")
        return self.language


def beginning_of(corpus: ParallelCorpus, share: float) -> ParallelCorpus:
    """Return the first `share` of the pairs, at least one."""
    return corpus[: max(1, rounded_share(share, len(corpus)))]


def without(corpus: ParallelCorpus, words: Collection[str]) -> ParallelCorpus:
    """Return the pairs whose source has none of `words`."""
    kept = [i for i, source in enumerate(corpus.source) if not set(words) & set(source)]
    return corpus if len(kept) == len(corpus) else corpus[kept]


def fingerprint(data: Data) -> str:
    """Return the sha256 (hex) of what the data holds, whatever its files are called."""
    if isinstance(data, EncodedText):
        described = f"encoded {data.n_train} {file_hash(f'{data.folder}/{DESCRIPTION}')}"
        return hashlib.sha256(described.encode()).hexdigest()
    if isinstance(data, ToyData):
        splits = _toy_splits(data.test)
        described = " ".join(["toy", *(corpus.fingerprint for corpus in splits), str(data.n_train)])
        return hashlib.sha256(described.encode()).hexdigest()
    digest = hashlib.sha256(_cutting(data).encode())
    for path in text_files(data):
        digest.update(file_hash(path).encode())
    return digest.hexdigest()


def _cutting(data: TextData) -> str:
    """Return in words how the text is taken and cut.

    What is newer than the first stores is named only where it is not the default, so that those
    keep their keys; a given cutter leaves nothing to the size and the coverage.
    """
    if data.subwords is not None:
        return f"text {data.n_train} subwords {file_hash(data.subwords)}"
    coverage = "" if data.character_coverage == 1.0 else f" coverage {data.character_coverage!r}"
    return f"text {data.n_train} {data.vocabulary_size}{coverage}"


def text_files(data: TextData) -> tuple[str, ...]:
    """Return the six files, in the order train, valid, test, source before target."""
    return (
        data.source,
        data.target,
        data.valid_source,
        data.valid_target,
        data.test_source,
        data.test_target,
    )


@lru_cache(maxsize=32)
def file_hash(path: str) -> str:
    """Return the sha256 (hex) of a file, read once in this process."""
    return sha256_of(Path(path))


def load(data: Data, cache: Path) -> Dataset:
    """Load `data`. A subword model is trained once and kept below `cache`."""
    if isinstance(data, EncodedText):
        return load_encoded(data)
    return load_toy(data) if isinstance(data, ToyData) else load_text(data, cache)


def load_encoded(data: EncodedText) -> Dataset:
    """Map a text that was encoded before, or its first n_train pairs. Raise CorpusError, naming the
    file, where the folder is damaged."""
    stored = open_corpus(Path(data.folder))
    source, target = stored.train.sides
    return Dataset(
        train=stored.train.first(data.n_train),
        valid=stored.valid,
        test=stored.test,
        source_vocabulary=source.vocabulary,
        target_vocabulary=target.vocabulary,
        detokenise=stored.subwords.decode,
        language=None,
        subwords=stored.subwords,
        cleaning=stored.cleaning,
    )


@lru_cache(maxsize=2)
def _toy_splits(test: str) -> tuple[ParallelCorpus, ParallelCorpus, ParallelCorpus]:
    directory = toy.toy_directory()
    return toy.load(directory, "train"), toy.load(directory, "valid"), toy.load(directory, test)


def load_toy(data: ToyData) -> Dataset:
    """Load the committed toy corpus, or the first n_train pairs of its training set."""
    train, valid, test = _toy_splits(data.test)
    return Dataset(
        train=train[: data.n_train],
        valid=valid,
        test=test,
        source_vocabulary=Vocabulary.build(train.source),
        target_vocabulary=Vocabulary.build(train.target),
        detokenise=toy.detokenise,
        language=ToyLanguage(Ambiguity()),
        subwords=None,
        cleaning="nothing dropped",
    )


def subwords_path(data: TextData, cache: Path) -> Path:
    """Return where the subwords that are learnt from this text are kept below `cache`."""
    return cache / f"{fingerprint(data)[:16]}.model"


def load_text(data: TextData, cache: Path) -> Dataset:
    """Load anybody's text: cleaned (train only), cut into joint subwords; the kept model makes a
    second run the same.

    Raises CorpusError for text, and for a brought subword model, that cannot be used.
    """
    raw = {
        "train": read_aligned(data.source, data.target, split="train")[: data.n_train],
        "valid": read_aligned(data.valid_source, data.valid_target, split="valid"),
        "test": read_aligned(data.test_source, data.test_target, split="test"),
    }
    known: SubwordTokeniser | None
    if data.subwords is not None:
        brought = SubwordTokeniser.load(Path(data.subwords))
        known, tried = brought, _try_on_both_sides(brought, raw["train"], data.subwords)
    else:
        kept = subwords_path(data, cache)
        known, tried = SubwordTokeniser.load(kept) if kept.exists() else None, []
    corpora, tokeniser, reports = prepare(
        raw["train"],
        raw["valid"],
        raw["test"],
        data.vocabulary_size,
        tokeniser=known,
        character_coverage=data.character_coverage,
    )
    if known is None:
        write_atomically(kept, tokeniser.model)
    train = corpora["train"]
    notes = [
        *map(str, reports.values()),
        *tried,
        unknown_in_words(train, tokeniser),
        *_long_lines(data, raw, corpora),
    ]
    return Dataset(
        train=train,
        valid=corpora["valid"],
        test=corpora["test"],
        source_vocabulary=_vocabulary(train.source, tokeniser),
        target_vocabulary=_vocabulary(train.target, tokeniser),
        detokenise=tokeniser.decode,
        language=None,
        subwords=tokeniser,
        cleaning="\n".join(filter(None, notes)),
    )


def _try_on_both_sides(brought: SubwordTokeniser, train: RawPairs, name: str) -> list[str]:
    """Return in words what a brought subword model changes in either side."""
    sides = {"source": train.source, "target": train.target}
    return [try_subwords(brought, texts, f"{name} ({side})") for side, texts in sides.items()]


def _vocabulary(sentences: Iterable[Sequence[str]], tokeniser: SubwordTokeniser) -> Vocabulary:
    """Return the subwords of one side of train; characters that no subword spells are unknown."""
    pieces = tokeniser.pieces
    return Vocabulary.build([token for token in tokens if token in pieces] for tokens in sentences)


LONG_LINE = 1_000
"""Tokens of a held-out line from which on it is named: its time and memory grow with their
square."""
MOST_NAMED = 3


def _long_lines(
    data: TextData, raw: Mapping[str, RawPairs], corpora: Mapping[str, ParallelCorpus]
) -> Iterator[str]:
    """Name the lines of valid and test that cost far more than a sentence: cleaning leaves them
    there up to ten times the length of training text."""
    paths = {
        "valid": (data.valid_source, data.valid_target),
        "test": (data.test_source, data.test_target),
    }
    for split, (source_path, target_path) in paths.items():
        pairs = zip(raw[split].source, raw[split].target, strict=True)
        numbers = [
            number
            for number, pair in enumerate(pairs, start=1)
            if reason_to_drop(*pair, HELD_OUT, usual=1.0) is None
        ]
        yield from _left_out(source_path, raw[split].source)
        yield from _left_out(target_path, raw[split].target)
        yield from _long_lines_of(source_path, numbers, corpora[split].source)
        yield from _long_lines_of(target_path, numbers, corpora[split].target)


def _left_out(path: str, texts: Sequence[str]) -> Iterator[str]:
    """Name the first MOST_NAMED lines of one file that cleaning leaves out for their length."""
    most = HELD_OUT.max_characters
    long = [(n, text) for n, text in enumerate(texts, start=1) if most and len(text) > most]
    for number, text in long[:MOST_NAMED]:
        yield (
            f"{path}:{number}: {len(text):,} characters in one line, which is left out; divide it "
            "into sentences"
        )
    if len(long) > MOST_NAMED:
        yield f"{path}: {len(long) - MOST_NAMED} more lines of over {most:,} characters"


def _long_lines_of(
    path: str, numbers: Sequence[int], side: Sequence[Sequence[str]]
) -> Iterator[str]:
    """Name the first MOST_NAMED of the long lines of one file, whose sentences have `numbers`."""
    lengths = zip(numbers, map(len, side), strict=True)
    long = [(number, n) for number, n in lengths if n > LONG_LINE]
    for number, n in long[:MOST_NAMED]:
        yield (
            f"{path}:{number}: {n:,} tokens in one line, which takes much time and memory; divide "
            "it into sentences"
        )
    if len(long) > MOST_NAMED:
        yield f"{path}: {len(long) - MOST_NAMED} more lines of over {LONG_LINE:,} tokens"
