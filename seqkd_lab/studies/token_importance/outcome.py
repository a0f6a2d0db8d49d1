"""What an arm comes to: its greedy translations of fresh sources, and of fresh sources that tempt
to a planted word."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from itertools import islice
from statistics import fmean

from seqkd_lab.corpus.toy import ToyLanguage
from seqkd_lab.corpus.toy.fresh import JUDGE, N_FRESH, PILOT, fresh_sources
from seqkd_lab.corpus.toy.planted import PLANTED_KINDS, Planted, find_planted
from seqkd_lab.corpus.toy.verifier import Verifier
from seqkd_lab.decoding.search import search
from seqkd_lab.evaluation import scorers
from seqkd_lab.models.seq2seq import Seq2Seq
from seqkd_lab.runs.data import Dataset
from seqkd_lab.runs.study import N_PILOT, PILOT_SEED

Tokens = tuple[str, ...]
N_TEMPTED = 1_000
"""Fresh sources for each kind of planted word that have its cause."""
N_POOL = 32_000
"""Fresh sources that these come from."""


@dataclass(frozen=True)
class Questions:
    """Sources to translate, in no split: fresh ones as they come, and by kind of planted word such
    as have its cause."""

    fresh: tuple[Tokens, ...]
    tempted: Mapping[str, tuple[Tokens, ...]]


@cache
def verifier() -> Verifier:
    """Return the one verifier of this process, which remembers every source that it has judged."""
    return Verifier(ToyLanguage())


@cache
def questions(
    seed: int, planted: Planted, n_fresh: int = N_FRESH, n_pool: int = N_POOL
) -> Questions:
    """Return the pilot's sources for its seeds, the judges' for all others; they share none."""
    if PILOT_SEED <= seed < PILOT_SEED + N_PILOT:
        pool = fresh_sources(PILOT, n_pool)
    else:
        taken = set(fresh_sources(PILOT, n_pool))
        pool = tuple(s for s in fresh_sources(JUDGE, n_pool) if s not in taken)
    tempted = {kind: _tempted(pool, planted.causes(kind)) for kind in PLANTED_KINDS}
    return Questions(pool[:n_fresh], tempted)


def _tempted(pool: Sequence[Tokens], causes: set[str]) -> tuple[Tokens, ...]:
    return tuple(islice((s for s in pool if causes & set(s)), N_TEMPTED))


def outcome(student: Seq2Seq, data: Dataset, asked: Questions, planted: Planted) -> dict:
    """Judge greedy translations. Return as shares validity of the fresh sources, rare: of those
    with a rare noun; by kind of planted word, of the sources with its cause, left: translations
    that have the word, tempted: valid ones; and bleu on the test set, 0–100."""
    is_valid, record = verifier(), {}
    outputs = greedy(student, asked.fresh)
    valid = [is_valid(*pair) for pair in zip(asked.fresh, outputs, strict=True)]
    has_rare = [bool(set(planted.rare) & set(source)) for source in asked.fresh]
    record["validity"] = fmean(valid)
    record["rare"] = fmean(v for v, rare in zip(valid, has_rare, strict=True) if rare)
    for kind, sources in asked.tempted.items():
        pairs = list(zip(sources, greedy(student, sources), strict=True))
        made = [
            any(word.kind == kind for word in find_planted(*pair, planted.words).values())
            for pair in pairs
        ]
        record[f"left, {kind}"] = fmean(made)
        record[f"tempted, {kind}"] = fmean(is_valid(*pair) for pair in pairs)
    bleu, *_ = scorers(data.test, data.detokenise, None)
    texts = [data.detokenise(output) for output in greedy(student, data.test.source)]
    record = {name: round(share, 4) for name, share in record.items()}
    return record | {"bleu": round(bleu.corpus_score(texts, None).score, 2)}


def greedy(student: Seq2Seq, sources: Sequence[Tokens]) -> list[Tokens]:
    """Return the greedy translation of each source."""
    return [hypotheses[0].tokens for hypotheses in search(student, sources, 1)]
