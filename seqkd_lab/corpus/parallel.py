"""Aligned sentences: raw text as files hold it, and tokens as models read them."""

from __future__ import annotations

import hashlib
import json
import sys
import unicodedata
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from itertools import chain
from typing import Any

from seqkd_lab.corpus.visible import visible

LONGEST_SHOWN = 200
"""Characters of a text that a message shows."""


class CorpusError(ValueError):
    """Text that cannot be used as it is; the message names the file, the line and what to do."""


@dataclass(frozen=True)
class ParallelCorpus:
    """N sentence pairs in tokens: source[i] is translated by target[i].

    Tokens are strings without whitespace. references[i] holds the plain-text translations (>= 1) of
    sentence i that outputs are scored against; None means the target's own text. Raises
    CorpusError, naming the sentence, when the sides differ in number or a token is empty or holds
    whitespace.
    """

    name: str
    split: str
    licence: str
    source: tuple[tuple[str, ...], ...]
    target: tuple[tuple[str, ...], ...]
    references: tuple[tuple[str, ...], ...] | None = None

    def __post_init__(self) -> None:
        object.__setattr__(self, "source", self._checked_tokens("source", self.source))
        object.__setattr__(self, "target", self._checked_tokens("target", self.target))
        check_sides(f"{self.name} {self.split}", self.source, self.target, self.references)

    def _checked_tokens(
        self, side: str, sentences: Iterable[Sequence[str]]
    ) -> tuple[tuple[str, ...], ...]:
        checked = tuple(
            tuple(map(sys.intern, sentence)) for sentence in sentences
        )  # a word stands in memory once
        for i, sentence in enumerate(checked):
            if tuple(" ".join(sentence).split()) != sentence:
                where = f"{self.name} {self.split}, {side} of sentence {i}"
                raise CorpusError(
                    f"{where}: tokens must not be empty or hold whitespace; got "
                    f"{visible(repr(sentence), LONGEST_SHOWN)}"
                )
        return checked

    def __len__(self) -> int:
        """N."""
        return len(self.source)

    def __getitem__(self, rows: slice | Sequence[int]) -> ParallelCorpus:
        """Return the pairs of a slice, or of a list of places in this order."""
        return replace(self, **_pick(self, ("source", "target", "references"), rows))

    @property
    def source_lengths(self) -> Sequence[int]:
        """Of each source what sorts it by its tokens."""
        return list(map(len, self.source))

    @property
    def source_counts(self) -> Mapping[str, int]:
        """How often each token occurs in the sources."""
        return Counter(chain.from_iterable(self.source))

    @property
    def tokens_per_source_token(self) -> float:
        """Target tokens per source token over all pairs; 0 where there is none."""
        n_source = sum(map(len, self.source))
        return sum(map(len, self.target)) / n_source if n_source else 0.0

    @cached_property
    def fingerprint(self) -> str:
        """sha256 (hex) of sources, targets and references, in order; name, split and licence do not
        count."""
        digest = hashlib.sha256()
        references = (None,) * len(self) if self.references is None else self.references
        for triple in zip(self.source, self.target, references, strict=True):
            digest.update(json.dumps(triple).encode() + b"\n")
        return digest.hexdigest()

    def with_target(self, target: Iterable[Sequence[str]]) -> ParallelCorpus:
        """Return the same sources with other targets, as sequence-level distillation makes them
        (Kim & Rush, 3.2).

        `references` stay: they are the truth that outputs are scored against.
        """
        return replace(self, target=tuple(map(tuple, target)))


@dataclass(frozen=True)
class RawPairs:
    """N sentence pairs as written, before tokenisation: NFC, single spaces, none around.

    references[i] holds all translations known for source[i], where pairs were grouped by source.
    attribution[i] says who wrote pair i, where the file says so. Raise CorpusError when numbers
    differ.
    """

    name: str
    split: str
    licence: str
    source: tuple[str, ...]
    target: tuple[str, ...]
    references: tuple[tuple[str, ...], ...] | None = None
    attribution: tuple[str, ...] | None = None

    def __post_init__(self) -> None:
        check_sides(f"{self.name} {self.split}", self.source, self.target, self.references)
        if self.attribution is not None and len(self.attribution) != len(self.source):
            raise CorpusError(
                f"{self.name}: {len(self.attribution)} attributions, {len(self.source)} pairs"
            )

    def __len__(self) -> int:
        """N."""
        return len(self.source)

    def __getitem__(self, rows: slice | Sequence[int]) -> RawPairs:
        """Return the pairs of a slice, or of a list of places in this order."""
        return replace(self, **_pick(self, ("source", "target", "references", "attribution"), rows))


def check_sides(
    where: str,
    source: Sequence[Any],
    target: Sequence[Any],
    references: Sequence[Sequence[str]] | None,
) -> None:
    """Raise CorpusError, starting with `where`, unless each source has a target and (if any)
    references."""
    if len(source) != len(target):
        raise CorpusError(
            f"{where}: {len(source)} sources and {len(target)} targets; each needs the other"
        )
    if references is None:
        return
    if len(references) != len(source):
        raise CorpusError(
            f"{where}: references for {len(references)} sentences, but {len(source)} sources"
        )
    for i, known in enumerate(references):
        if isinstance(known, str) or not known:
            raise CorpusError(
                f"{where}: sentence {i} needs a tuple of one or more references; got {known!r}"
            )


def _pick(corpus: Any, fields: Sequence[str], rows: slice | Sequence[int]) -> dict[str, Any]:
    """Return the chosen rows of each field that is there."""
    indices = range(len(corpus))[rows] if isinstance(rows, slice) else list(rows)
    columns = ((field, getattr(corpus, field)) for field in fields)
    return {
        name: None if column is None else tuple(column[i] for i in indices)
        for name, column in columns
    }


def check_unicode(text: str) -> None:
    """Raise CorpusError where `text` holds a surrogate alone: what Python makes of typed bytes that
    are not UTF-8, and no character."""
    try:
        text.encode()
    except UnicodeEncodeError as error:
        raise CorpusError(
            f"character {error.start + 1:,} is no Unicode character ({text[error.start]!a}), as "
            "bytes become that are not UTF-8; type the text again, or convert it to UTF-8"
        ) from error


def fold(text: str) -> str:
    """Unicode NFC, every run of whitespace one space, none at the ends."""
    return " ".join(unicodedata.normalize("NFC", text).split())


def group_by_source(pairs: RawPairs) -> RawPairs:
    """Return one row for each distinct source, in order of appearance: its first target, and all as
    references.

    The attributions of the gathered pairs are joined by "; ". Empty targets count only where there
    is no other.
    """
    rows_of: dict[str, list[int]] = {}
    for row, source in enumerate(pairs.source):
        rows_of.setdefault(source, []).append(row)
    known = pairs.references or tuple((target,) for target in pairs.target)
    references = []
    for rows in rows_of.values():
        alternatives = dict.fromkeys(text for row in rows for text in known[row])
        references.append(tuple(filter(None, alternatives)) or ("",))
    attribution = None
    if pairs.attribution is not None:
        attribution = tuple(
            "; ".join(pairs.attribution[row] for row in rows) for rows in rows_of.values()
        )
    target = tuple(alternatives[0] for alternatives in references)
    return replace(
        pairs,
        source=tuple(rows_of),
        target=target,
        references=tuple(references),
        attribution=attribution,
    )
