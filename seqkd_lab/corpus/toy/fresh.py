"""Fresh sources: the language makes as many as a question needs, and none that any split holds."""

from __future__ import annotations

import random
from functools import lru_cache

from seqkd_lab.corpus.toy.dataset import SIZES, load, toy_directory
from seqkd_lab.corpus.toy.language import Tokens, ToyLanguage

N_FRESH = 10_000
PILOT, JUDGE = 1_000_003, 2_000_003
"""Seeds of two sets without a common source: one to plan and to choose with, one that judges."""


@lru_cache(maxsize=4)
def fresh_sources(seed: int = JUDGE, n: int = N_FRESH) -> tuple[Tokens, ...]:
    """Return the first `n` sources of the set PILOT or JUDGE: all different, and none of them in
    a split of the toy corpus (in train no model has seen them) or in the other set.

    Raise ValueError for another seed, or n below 1.
    """
    if seed not in (PILOT, JUDGE) or n < 1:
        raise ValueError(f"choose PILOT or JUDGE, and n ≥ 1; got {seed} and {n}")
    taken = {source for split in SIZES for source in load(toy_directory(), split).source}
    if seed == JUDGE:
        taken |= set(fresh_sources(PILOT))
    return _draw(random.Random(seed), taken, n)


def _draw(rng: random.Random, taken: set[Tokens], n: int) -> tuple[Tokens, ...]:
    """Return `n` different sources that are not among `taken`."""
    language, drawn = ToyLanguage(), dict[Tokens, None]()
    while len(drawn) < n:
        source = language.sample_source(rng)
        if source not in taken:
            drawn[source] = None
    return tuple(drawn)
