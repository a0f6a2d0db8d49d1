"""Text to text, line for line: a file of any length in constant memory."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from itertools import islice
from typing import Protocol

from seqkd_lab.corpus.visible import visible
from seqkd_lab.corpus.vocabulary import UNK, Vocabulary
from seqkd_lab.decoding.alignment import copy_unknown
from seqkd_lab.decoding.limits import LONGEST_SOURCE, shortening_notice
from seqkd_lab.decoding.search import Hypothesis
from seqkd_lab.models.folder import TrainedModel
from seqkd_lab.models.seq2seq import Seq2Seq

WINDOW = 2_048
"""Lines that are in memory together. Sentences of similar length among them share a batch, so
little is padding."""
WINDOW_CHARACTERS = 2**22
"""Characters after which a window ends early: lines may be as long as a book."""
LONGEST_WORD = 60
"""Characters of such a word that are shown."""
NAMED_WORDS = 10
"""Of the words that a model does not know, so many are named."""

Tokens = tuple[str, ...]


class Search(Protocol):
    """How a translator searches: `search.search` or `drafted.drafted_search`, with all its other
    parameters decided (`functools.partial`)."""

    def __call__(
        self, model: Seq2Seq, sources: Sequence[Tokens], *, progress: Callable[[int], None]
    ) -> list[list[Hypothesis]]:
        """Return the hypotheses of each source, best first."""


@dataclass(frozen=True)
class Translation:
    """A translation as text without tabs and line ends, its log-probability in nats, and the score
    that ranked it."""

    text: str
    log_prob: float
    score: float


@dataclass
class Notices:
    """What a person should hear of a text, once: unknown words, lines that are too long, empty
    translations."""

    n_lines: int = 0
    unknown: dict[str, None] = field(default_factory=dict)
    n_unknown_lines: int = 0
    first_long: tuple[int, int] | None = None
    n_long: int = 0
    n_empty: int = 0

    def read(self, source: Tokens, vocabulary: Vocabulary) -> None:
        """Take note of the next line, in tokens."""
        self.n_lines += 1
        if len(source) > LONGEST_SOURCE:
            self.first_long = self.first_long or (self.n_lines, len(source))
            self.n_long += 1
        ids = vocabulary.ids(source)
        if UNK in ids:
            self.n_unknown_lines += 1
            if len(self.unknown) < NAMED_WORDS:
                words = (word for word, number in zip(source, ids, strict=True) if number == UNK)
                self.unknown.update(dict.fromkeys(islice(words, NAMED_WORDS)))

    def said(self) -> list[str]:
        """Return what is to be said, a sentence each."""
        sentences = []
        if self.unknown:
            words = ", ".join(
                visible(repr(word), LONGEST_WORD) for word in list(self.unknown)[:NAMED_WORDS]
            )
            sentences.append(
                f"{counted(self.n_unknown_lines)} with tokens that the model does not know, such "
                f"as {words}; it reads <unk> there."
            )
        if self.first_long is not None:
            sentences.append(shortening_notice(*self.first_long, self.n_long, "line") + ".")
        if self.n_empty:
            sentences.append(
                f"{counted(self.n_empty)} with an empty translation: the model ends it before the "
                "first word."
            )
        return sentences


def _next_window(lines: Iterator[str], most: int) -> Iterator[str]:
    """Yield the next `most` lines, or fewer where they are long."""
    n_characters = 0
    for line in islice(lines, most):
        yield line
        n_characters += len(line)
        if n_characters > WINDOW_CHARACTERS:
            return


def counted(number: int) -> str:
    """Say how many lines there are."""
    return "1 line" if number == 1 else f"{number:,} lines"


class Translator:
    """Translates lines of text as `search` finds it; `notices` holds what was noticed so far.

    copies_unknown: <unk> is replaced by the word of the source that the model looks at most
    (`alignment.copy_unknown`). A line's translation does not depend on the lines around it.
    """

    def __init__(self, trained: TrainedModel, search: Search, copies_unknown: bool = False) -> None:
        self.trained, self.search, self.copies_unknown = trained, search, copies_unknown
        self.notices = Notices()

    def windows(
        self,
        lines: Iterable[str],
        window: int = WINDOW,
        progress: Callable[[int], None] | None = None,
    ) -> Iterator[list[list[Translation]]]:
        """Yield the translations of `window` lines at a time, in order: for each line those that
        the search finds, best first, and none for a blank line. `progress` hears how many more
        lines are done."""
        lines = iter(lines)
        while texts := list(_next_window(lines, window)):
            yield self.translate(texts, progress)

    def translate(
        self, texts: Sequence[str], progress: Callable[[int], None] | None = None
    ) -> list[list[Translation]]:
        """Return the translations of each text, best first, and none of a blank one."""
        vocabulary, sources = (
            self.trained.model.source_vocabulary,
            [self.trained.encode(text) for text in texts],
        )
        for source in sources:
            self.notices.read(source, vocabulary)
        n_done, report = 0, progress or (lambda more: None)

        def searched(more: int) -> None:
            nonlocal n_done
            n_done += more
            report(more)

        by_source = self._search([source[:LONGEST_SOURCE] for source in sources], searched)
        report(len(texts) - n_done)  # blank lines, and those that are equal to another
        translations = [by_source[source[:LONGEST_SOURCE]] if source else [] for source in sources]
        self.notices.n_empty += sum(bool(n_best) and not n_best[0].text for n_best in translations)
        return translations

    def _search(
        self, sources: Sequence[Tokens], progress: Callable[[int], None]
    ) -> dict[Tokens, list[Translation]]:
        """Return the translations of each distinct source that has tokens."""
        distinct = [source for source in dict.fromkeys(sources) if source]
        hypotheses = self.search(self.trained.model, distinct, progress=progress)
        written = [[hypothesis.tokens for hypothesis in n_best] for n_best in hypotheses]
        if self.copies_unknown:
            written = self._copied(distinct, written)
        return {
            source: [
                self._as_text(tokens, hypothesis)
                for tokens, hypothesis in zip(texts, n_best, strict=True)
            ]
            for source, texts, n_best in zip(distinct, written, hypotheses, strict=True)
        }

    def _copied(
        self, sources: Sequence[Tokens], written: Sequence[Sequence[Tokens]]
    ) -> list[list[Tokens]]:
        repeated = [source for source, n_best in zip(sources, written, strict=True) for _ in n_best]
        copied = iter(
            copy_unknown(
                self.trained.model, repeated, [tokens for n_best in written for tokens in n_best]
            )
        )
        return [list(islice(copied, len(n_best))) for n_best in written]

    def _as_text(self, tokens: Tokens, hypothesis: Hypothesis) -> Translation:
        """Return the text on one line, whatever the vocabulary holds: a tab or a line end would
        shift all that follows."""
        text = " ".join(self.trained.decode(tokens).split())
        return Translation(text, hypothesis.log_prob, hypothesis.score)
