"""Aligned text of any size, made up quickly: words by Zipf's law, each with a translation of its
own. The same number of pairs and seed give the same bytes."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np

N_WORDS, MEAN_WORDS, SHORTEST, LONGEST = 30_000, 14, 2, 40
AT_ONCE = 20_000
SEED = 1
HELD_OUT = 1_000
"""Pairs of valid and test each."""


def made_up_words(chance: np.random.Generator, n: int) -> np.ndarray:
    """Return n different words of 2 to 10 letters, the frequent ones shorter."""
    words: dict[str, None] = {}
    letters = np.array(list("etaoinshrdlucmfwypvbgk"))
    while len(words) < n:
        length = 2 + int(min(8, chance.poisson(1 + np.log1p(len(words)) / 2)))
        words["".join(chance.choice(letters, length))] = None
    return np.array(list(words), dtype=object)


def pairs(n: int, seed: int = SEED) -> Iterator[tuple[list[str], list[str]]]:
    """Yield n pairs of lines, AT_ONCE at a time: the target has each source word's own translation,
    now and then another word, and sometimes one word less."""
    chance = np.random.default_rng(seed)
    source_words, target_words = (made_up_words(chance, N_WORDS) for _ in range(2))
    share = 1 / (np.arange(N_WORDS) + 2.7)
    up_to = np.cumsum(share / share.sum())
    for first in range(0, n, AT_ONCE):
        some = min(AT_ONCE, n - first)
        lengths = np.clip(chance.poisson(MEAN_WORDS, some), SHORTEST, LONGEST)
        ranks = np.searchsorted(up_to, chance.random(lengths.sum()))
        other = np.searchsorted(up_to, chance.random(len(ranks)))
        translated = np.where(chance.random(len(ranks)) < 0.1, other, ranks)
        shorter = lengths - (chance.random(some) < 0.3)
        ends = lengths.cumsum()
        source, target = source_words[ranks].tolist(), target_words[translated].tolist()
        starts, source_ends = (ends - lengths).tolist(), ends.tolist()
        target_ends = (ends - lengths + shorter).tolist()
        yield (
            [" ".join(source[a:b]) for a, b in zip(starts, source_ends, strict=True)],
            [" ".join(target[a:b]) for a, b in zip(starts, target_ends, strict=True)],
        )


def write_text(folder: Path, n: int) -> None:
    """Write six files, n training pairs among them, as a stream; files that are there stay."""
    folder.mkdir(parents=True, exist_ok=True)
    sizes = {"train": (n, SEED), "valid": (HELD_OUT, 2), "test": (HELD_OUT, 3)}
    for split, (size, seed) in sizes.items():
        paths = [folder / f"{split}.{side}" for side in ("source", "target")]
        if all(path.exists() for path in paths):
            continue
        parts = [path.with_suffix(f"{path.suffix}.part") for path in paths]
        with parts[0].open("w") as source, parts[1].open("w") as target:
            for sources, targets in pairs(size, seed):
                source.write("\n".join(sources) + "\n")
                target.write("\n".join(targets) + "\n")
        for part, path in zip(parts, paths, strict=True):
            part.replace(path)
