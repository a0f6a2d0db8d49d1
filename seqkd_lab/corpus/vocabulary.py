"""Words and numbers: the vocabulary of one language."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import msgspec

from seqkd_lab.corpus.parallel import LONGEST_SHOWN, CorpusError
from seqkd_lab.corpus.visible import visible
from seqkd_lab.files import FileError, read_json, write_atomically

PAD, BOS, EOS, UNK = 0, 1, 2, 3
SPECIALS = ("<pad>", "<s>", "</s>", "<unk>")


NOT_ONE = "it is not a vocabulary: delete it and build it again"


class Words(msgspec.Struct):
    """The file of a vocabulary."""

    tokens: tuple[str, ...]


@dataclass(frozen=True)
class Vocabulary:
    """The V tokens of one language; a token's id is its place in `tokens`, which start with
    SPECIALS.

    A word of a text that is spelt like a special ("<s>") is unknown: text never writes PAD, BOS or
    EOS. Raise ValueError when `tokens` do not start with SPECIALS or name a token twice.
    """

    tokens: tuple[str, ...]
    _id_of: dict[str, int] = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        tokens = tuple(self.tokens)
        if tokens[: len(SPECIALS)] != SPECIALS:
            raise ValueError(
                f"a vocabulary starts with {SPECIALS}; got "
                f"{visible(repr(tokens[: len(SPECIALS)]), LONGEST_SHOWN)}"
            )
        if len(set(tokens)) < len(tokens):
            word, count = Counter(tokens).most_common(1)[0]
            raise ValueError(
                f"token {visible(repr(word), LONGEST_SHOWN)} stands {count} times in the "
                "vocabulary; each token has one id"
            )
        object.__setattr__(self, "tokens", tokens)
        words = enumerate(tokens[len(SPECIALS) :], start=len(SPECIALS))
        object.__setattr__(self, "_id_of", {word: number for number, word in words})

    @classmethod
    def build(
        cls, sentences: Iterable[Sequence[str]], min_count: int = 1, max_size: int | None = None
    ) -> Vocabulary:
        """Return the words seen at least `min_count` times, by falling frequency, ties in
        alphabetical order.

        max_size limits the number of words, not counting the specials. Raise ValueError when it is
        negative.
        """
        if max_size is not None and max_size < 0:
            raise ValueError(f"max_size must be 0 or more words; got {max_size}")
        counts = Counter(word for sentence in sentences for word in sentence)
        frequent = {word: count for word, count in counts.items() if count >= min_count}
        words = cls.by_frequency(frequent)
        return words if max_size is None else cls(words.tokens[: len(SPECIALS) + max_size])

    @classmethod
    def by_frequency(cls, counts: Mapping[str, int]) -> Vocabulary:
        """Return the words by falling count, ties in alphabetical order."""
        words = sorted(counts.keys() - set(SPECIALS), key=lambda word: (-counts[word], word))
        return cls(SPECIALS + tuple(words))

    def __len__(self) -> int:
        """V, the specials included."""
        return len(self.tokens)

    def ids(self, sentence: Sequence[str]) -> list[int]:
        """Return the ids of a sentence's words, UNK for unknown ones; neither BOS nor EOS is
        added."""
        return [self._id_of.get(word, UNK) for word in sentence]

    def words(self, ids: Iterable[int]) -> list[str]:
        """Return the words before the first EOS, without PAD and BOS. Raise ValueError for an id
        outside 0..V-1."""
        words = []
        for number in ids:
            if number == EOS:
                break
            if not 0 <= number < len(self.tokens):
                raise ValueError(
                    f"id {number} is outside this vocabulary of {len(self.tokens)} tokens"
                )
            if number not in (PAD, BOS):
                words.append(self.tokens[number])
        return words

    def save(self, path: Path | str) -> None:
        """Write the tokens as JSON; a reader sees the old file or the new one, never a part."""
        content = json.dumps({"tokens": self.tokens}, ensure_ascii=False, indent=0)
        write_atomically(Path(path), (content + "\n").encode())

    @classmethod
    def load(cls, path: Path | str) -> Vocabulary:
        """Read what save wrote. Raise CorpusError, naming the file, when it holds anything
        else."""
        try:
            return cls(read_json(Path(path), Words, NOT_ONE).tokens)
        except OSError as error:
            raise CorpusError(
                f"{path}: cannot be read ({error.strerror}); check the path"
            ) from error
        except FileError as error:
            raise CorpusError(str(error)) from error
        except ValueError as error:
            raise CorpusError(f"{path}: {error}; {NOT_ONE}") from error
