"""What a recipe learns from, by name: the committed toy corpus, or files of text."""

from __future__ import annotations

from dataclasses import dataclass

from seqkd_lab.corpus.toy.dataset import TEST_SETS


@dataclass(frozen=True)
class ToyData:
    """The first `n_train` pairs of the committed toy corpus (None: all), judged on one of its two
    test sets: "test", or "devtest" for the studies that were measured before "test" was drawn."""

    n_train: int | None = None
    test: str = "test"

    def __post_init__(self) -> None:
        if self.test not in TEST_SETS:
            raise ValueError(f"test must be one of {', '.join(TEST_SETS)}; got {self.test!r}")


@dataclass(frozen=True)
class TextData:
    """Six files of anybody's text: plain or .gz, one sentence a line. n_train counts pairs before
    cleaning.

    subwords: the path of a sentencepiece model that cuts the text, as it is (None: one is learnt,
    of at most vocabulary_size subwords, whose alphabet has the share character_coverage of the
    training text's characters). tokenize: sacreBLEU's tokeniser for the scores (None: by the script
    of the references); it changes no model, so it does not count for identity.
    """

    source: str
    target: str
    valid_source: str
    valid_target: str
    test_source: str
    test_target: str
    n_train: int | None = None
    vocabulary_size: int = 8000
    subwords: str | None = None
    character_coverage: float = 1.0
    tokenize: str | None = None


@dataclass(frozen=True)
class EncodedText:
    """The folder of a text that `seqkd-lab corpus encode` has cleaned and cut. n_train counts pairs
    after cleaning."""

    folder: str
    n_train: int | None = None


Data = ToyData | TextData | EncodedText


@dataclass(frozen=True)
class SourceText:
    """A file of source sentences without targets, plain or .gz, one a line; what it holds counts,
    not its name."""

    path: str
