"""The toy corpus as every tool gets it: the same sentences, the same ids, the same batches.
Standard library only."""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

PAD, BOS, EOS, UNK = 0, 1, 2, 3
SPECIALS = ("<pad>", "<s>", "</s>", "<unk>")
POOL = 50  # batches that are sorted by length together, as in seqkd_lab
TOY = Path(__file__).resolve().parents[1] / "data" / "toy"

Sentence = tuple[str, ...]
Pair = tuple[Sentence, Sentence]


def read_pairs(split: str, directory: Path = TOY) -> list[Pair]:
    """Source and target of each line of `split`. Raises FileNotFoundError saying what to do."""
    path = directory / f"{split}.tsv"
    if not path.exists():
        raise FileNotFoundError(
            f"{path} is missing; run the benchmarks from a checkout that has data/toy"
        )
    lines = path.read_text(encoding="utf-8").splitlines()
    return [tuple(tuple(cell.split(" ")) for cell in line.split("\t")[:2]) for line in lines]


def build_vocabulary(sentences: Sequence[Sentence]) -> tuple[str, ...]:
    """SPECIALS, then every word by falling frequency: the same ids as seqkd_lab's
    Vocabulary.build."""
    counts = Counter(word for sentence in sentences for word in sentence)
    return SPECIALS + tuple(sorted(counts, key=lambda word: (-counts[word], word)))


@dataclass(frozen=True)
class Corpus:
    """Three splits in words, and the vocabularies of the training split."""

    train: list[Pair]
    valid: list[Pair]
    test: list[Pair]
    source_vocabulary: tuple[str, ...]
    target_vocabulary: tuple[str, ...]

    def encoded(self, pairs: Sequence[Pair]) -> list[tuple[list[int], list[int]]]:
        """Ids of each pair: sources end with EOS, targets stand between BOS and EOS."""
        source, target = index_of(self.source_vocabulary), index_of(self.target_vocabulary)
        return [([*ids(x, source), EOS], [BOS, *ids(y, target), EOS]) for x, y in pairs]


@lru_cache(maxsize=4)
def index_of(vocabulary: tuple[str, ...]) -> dict[str, int]:
    """The id of each word."""
    return {word: number for number, word in enumerate(vocabulary)}


def ids(sentence: Sentence, index: dict[str, int]) -> list[int]:
    """The ids of a sentence's words, UNK for unknown ones."""
    return [index.get(word, UNK) for word in sentence]


def words(numbers: Sequence[int], vocabulary: Sequence[str]) -> list[str]:
    """The words before the first EOS, without PAD and BOS."""
    found = []
    for number in numbers:
        if number == EOS:
            break
        if number not in (PAD, BOS):
            found.append(vocabulary[number])
    return found


@lru_cache(maxsize=1)
def load() -> Corpus:
    """The committed toy corpus."""
    train, valid, test = (read_pairs(split) for split in ("train", "valid", "test"))
    source, target = (
        build_vocabulary([x for x, _ in train]),
        build_vocabulary([y for _, y in train]),
    )
    return Corpus(train, valid, test, source, target)


def n_target_tokens(pairs: Sequence[Pair]) -> int:
    """Target tokens, EOS included: what training speed counts."""
    return sum(len(target) + 1 for _, target in pairs)


def batches(encoded: Sequence, batch_size: int, seed: int | None) -> Iterator[list]:
    """One pass in batches of sentences of like length; shuffled by `seed`, or shortest first
    without one."""
    order = list(range(len(encoded)))
    if seed is None:
        order.sort(key=lambda i: (len(encoded[i][0]), len(encoded[i][1])))
        groups = [order[i : i + batch_size] for i in range(0, len(order), batch_size)]
    else:
        chance = random.Random(seed)
        chance.shuffle(order)
        pools = [order[i : i + POOL * batch_size] for i in range(0, len(order), POOL * batch_size)]
        for pool in pools:
            pool.sort(key=lambda i: (len(encoded[i][1]), len(encoded[i][0])))
        groups = [
            pool[i : i + batch_size] for pool in pools for i in range(0, len(pool), batch_size)
        ]
        chance.shuffle(groups)
    return ([encoded[i] for i in group] for group in groups)


def padded(rows: Sequence[Sequence[int]]) -> list[list[int]]:
    """Rows of one length, PAD at the end."""
    longest = max(map(len, rows))
    return [[*row, *[PAD] * (longest - len(row))] for row in rows]
