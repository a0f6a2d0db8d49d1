"""From text to tokens and back: whole words for the toy, subwords (BPE) for real text."""

from __future__ import annotations

import io
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from itertools import chain, groupby
from pathlib import Path
from typing import Protocol

import sentencepiece

from seqkd_lab.corpus.alphabet import SPACE, rare_characters
from seqkd_lab.corpus.cleaning import HELD_OUT, TRAINING, CleaningReport, CleaningRules, clean
from seqkd_lab.corpus.parallel import CorpusError, ParallelCorpus, RawPairs, check_unicode, fold
from seqkd_lab.files import FileError, read_bytes, write_atomically

LONGEST_LINE = 100_000  # bytes; sentencepiece leaves longer lines out of its training


MOST_BYTES = 2**27
"""Of a .model file: a million subwords have a quarter of it."""


class Tokeniser(Protocol):
    """Cuts text into tokens without whitespace, and joins them: decode(encode(text)) ==
    fold(text)."""

    def encode(self, text: str) -> tuple[str, ...]:
        """Return the tokens of one sentence."""

    def decode(self, tokens: Sequence[str]) -> str:
        """Return the text of one sentence."""


@dataclass(frozen=True)
class WordTokeniser:
    """Tokens are what whitespace divides."""

    def encode(self, text: str) -> tuple[str, ...]:
        """Return the words of `text`, in NFC."""
        return tuple(fold(text).split())

    def decode(self, tokens: Sequence[str]) -> str:
        """Return the words with single spaces between them."""
        return " ".join(tokens)


@dataclass(frozen=True)
class SubwordTokeniser:
    """Subwords by sentencepiece, one model for both languages: byte pair encoding (Sennrich, Haddow
    & Birch 2016) where `train` learns it, any kind where somebody brings a model of his own.

    `model` is sentencepiece's own file format. Characters that no subword spells become tokens of
    their own, so that decode gives back any text; a Vocabulary of `pieces` then calls them unknown.
    U+2581, which stands for a space in tokens, counts as whitespace. A brought model may rewrite
    text by its normaliser: `own_subwords` says how much. Raise CorpusError when `model` is not
    such a model.
    """

    model: bytes = field(repr=False)
    _pieces: sentencepiece.SentencePieceProcessor = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        pieces = sentencepiece.SentencePieceProcessor()
        try:
            pieces.load_from_serialized_proto(
                self.model
            )  # the constructor would let an empty model pass
            pieces.id_to_piece(list(range(pieces.get_piece_size())))  # each is a text
        except (RuntimeError, UnicodeDecodeError) as error:
            raise CorpusError(
                "not a sentencepiece model; give a .model file, as spm_train writes it"
            ) from error
        object.__setattr__(self, "_pieces", pieces)

    @classmethod
    def train(
        cls, texts: Iterable[str], vocabulary_size: int, character_coverage: float = 1.0
    ) -> SubwordTokeniser:
        """Learn at most `vocabulary_size` subwords; equal texts in equal order give equal models.

        Fewer come out where the text does not have so many. The rarest characters get none: those
        beyond the share character_coverage of the running text, and those for which there is no
        room (see rare_characters). Raise CorpusError when vocabulary_size is too small for the
        alphabet of the text, or the text is empty.
        """
        texts = list(texts)
        rare = rare_characters(map(fold, texts), vocabulary_size, character_coverage)
        spaces = str.maketrans(dict.fromkeys({SPACE, *rare}, " "))
        model = io.BytesIO()
        try:
            sentencepiece.SentencePieceTrainer.train(
                sentence_iterator=(fold(text).translate(spaces) for text in texts),
                model_writer=model,
                model_type="bpe",
                vocab_size=vocabulary_size,
                hard_vocab_limit=False,
                character_coverage=1.0,
                byte_fallback=False,
                normalization_rule_name="identity",
                num_threads=1,
                max_sentence_length=LONGEST_LINE,
                minloglevel=2,
            )
        except RuntimeError as error:
            raise CorpusError(
                f"no {vocabulary_size} subwords can be learnt from this text ({error}); give more "
                "text, or another vocabulary size"
            ) from error
        return cls(model.getvalue())

    @cached_property
    def pieces(self) -> frozenset[str]:
        """Return the subwords that text can be cut into; whatever else `encode` returns spells
        unknown characters."""
        model = self._pieces
        others = (model.is_unknown, model.is_control, model.is_unused)
        numbers = range(model.get_piece_size())
        return frozenset(
            model.id_to_piece(i) for i in numbers if not any(kind(i) for kind in others)
        )

    @cached_property
    def _byte_of(self) -> dict[str, int]:
        """Return the pieces that stand for one byte of UTF-8 each, where a model spells rare
        characters by them."""
        names = {f"<0x{byte:02X}>": byte for byte in range(256)}
        return {
            name: byte
            for name, byte in names.items()
            if self._pieces.is_byte(self._pieces.piece_to_id(name))
        }

    def __len__(self) -> int:
        """Number of subwords, with sentencepiece's own three specials."""
        return self._pieces.get_piece_size()

    def encode(self, text: str) -> tuple[str, ...]:
        """Return the subwords of `text`; those that begin a word start with U+2581. Raise
        CorpusError where it holds bytes that are no text (check_unicode)."""
        check_unicode(text)
        return tuple(self._pieces.encode(fold(text.replace(SPACE, " ")), out_type=str))

    def numbers(self, texts: Sequence[str]) -> list[list[int]]:
        """Return sentencepiece's own numbers of the subwords of each text: places in `spellings`.
        A character that no subword spells has one that `pieces` does not hold."""
        folded = [fold(text.replace(SPACE, " ")) for text in texts]
        return self._pieces.encode(folded, out_type=int, num_threads=1)

    @cached_property
    def spellings(self) -> tuple[str, ...]:
        """Return all subwords by their number, sentencepiece's own specials among them."""
        return tuple(self._pieces.id_to_piece(list(range(len(self)))))

    def decode(self, tokens: Sequence[str]) -> str:
        """Return the text that the subwords spell."""
        pieces = self._joined_bytes(tokens) if self._byte_of else tokens
        return "".join(pieces).replace(SPACE, " ").strip(" ")

    def _joined_bytes(self, tokens: Sequence[str]) -> Iterator[str]:
        """`tokens` with the letters that runs of byte pieces spell; bytes that spell none become
        U+FFFD."""
        for are_bytes, run in groupby(tokens, self._byte_of.__contains__):
            if are_bytes:
                yield bytes(self._byte_of[name] for name in run).decode("utf-8", "replace")
            else:
                yield from run

    def save(self, path: Path | str) -> None:
        """Write sentencepiece's .model file; a reader sees the old file or the new one, never a
        part."""
        write_atomically(Path(path), self.model)

    @classmethod
    def load(cls, path: Path | str) -> SubwordTokeniser:
        """Read a .model file. Raise CorpusError, naming the file, when it is missing or something
        else."""
        try:
            return cls(read_bytes(Path(path), MOST_BYTES, "give a sentencepiece model"))
        except OSError as error:
            raise CorpusError(
                f"{path}: cannot be read ({error.strerror}); check the path"
            ) from error
        except FileError as error:
            raise CorpusError(str(error)) from error
        except CorpusError as error:
            raise CorpusError(f"{path}: {error}") from error


def tokenise(pairs: RawPairs, tokeniser: Tokeniser) -> ParallelCorpus:
    """`pairs` in tokens; the raw targets (or the references, where there are some) become the
    references."""
    source, target = (tuple(map(tokeniser.encode, side)) for side in (pairs.source, pairs.target))
    references = pairs.references or tuple((text,) for text in pairs.target)
    return ParallelCorpus(pairs.name, pairs.split, pairs.licence, source, target, references)


def prepare(
    train: RawPairs,
    valid: RawPairs,
    test: RawPairs,
    vocabulary_size: int,
    rules: CleaningRules = TRAINING,
    tokeniser: SubwordTokeniser | None = None,
    character_coverage: float = 1.0,
) -> tuple[dict[str, ParallelCorpus], SubwordTokeniser, dict[str, CleaningReport]]:
    """Clean the text, learn joint subwords on what is left of train (if no `tokeniser` is given),
    and tokenise.

    Corpora and reports have the keys "train", "valid" and "test". Valid and test lose only empty
    pairs, and lines as long as documents (HELD_OUT). Raise CorpusError when one of them has
    nothing left, or the subwords cannot be learnt.
    """
    raw = {"train": (train, rules), "valid": (valid, HELD_OUT), "test": (test, HELD_OUT)}
    cleaned = {split: clean(pairs, applied) for split, (pairs, applied) in raw.items()}
    if tokeniser is None:
        kept = cleaned["train"][0]
        tokeniser = SubwordTokeniser.train(
            chain(kept.source, kept.target), vocabulary_size, character_coverage
        )
    corpora = {split: tokenise(pairs, tokeniser) for split, (pairs, _) in cleaned.items()}
    return corpora, tokeniser, {split: report for split, (_, report) in cleaned.items()}
