"""The teacher's attention: one pair word by word, one step taken apart, a corpus against the
truth."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from seqkd_lab.corpus.batching import Batch, batches, encode, make_batch
from seqkd_lab.corpus.parallel import ParallelCorpus
from seqkd_lab.corpus.toy import ToyLanguage
from seqkd_lab.corpus.toy.meaning import OBJECT_PRONOUNS, SUBJECT_PRONOUNS
from seqkd_lab.corpus.vocabulary import EOS, SPECIALS
from seqkd_lab.decoding.search import search
from seqkd_lab.lab.teacher.loss_measures import per_token
from seqkd_lab.models.lstm import LSTMSeq2Seq

END = SPECIALS[EOS]
Words = tuple[str, ...]
ARTICLES = "articles"
PRONOUNS = "pronouns"
MARKS = "commas and full stops"
OTHERS = "other words"
KINDS = (ARTICLES, PRONOUNS, MARKS, OTHERS)
_ENGLISH = {
    ARTICLES: ("the", "a"),
    PRONOUNS: (*SUBJECT_PRONOUNS, *OBJECT_PRONOUNS),
    MARKS: (",", "."),
}


def readable(word: str) -> str:
    """Return a token as text: the end of a sentence in brackets."""
    return "(end)" if word == END else word


@dataclass(frozen=True)
class AttentionReading:
    """A pair as a model reads it.

    source (S) and target (T) end in END. weights (T, S): the attention before each target word,
    rows sum to 1. p: the probability of each target word. aligned: the position of the source word
    that each target word translates (-1: none).
    """

    source: Words
    target: Words
    weights: Tensor
    p: tuple[float, ...]
    aligned: tuple[int, ...]

    def top(self, position: int) -> int:
        """Return the source position with the largest weight before the target word at
        `position`."""
        return int(self.weights[position].argmax())

    def rank(self, position: int) -> int:
        """Return the rank of the true source word by weight, 1 for the largest; 0 where there is
        no true word."""
        true, row = self.aligned[position], self.weights[position]
        return 0 if true < 0 else 1 + int((row > row[true]).sum())


@torch.inference_mode()
def read_corpus(model: LSTMSeq2Seq, corpus: ParallelCorpus) -> list[tuple[Tensor, Tensor]]:
    """Return for each pair the attention (T, S) and the log-probabilities (T,) of the target
    words, ends included."""
    readings: dict[int, tuple[Tensor, Tensor]] = {}
    model.eval()
    for batch in batches(
        encode(corpus, model.source_vocabulary, model.target_vocabulary), 64, shuffle_seed=None
    ):
        attention, log_p = _read_batch(model, batch)
        for b, row in enumerate(batch.rows.tolist()):
            n_target, n_source = len(corpus.target[row]) + 1, len(corpus.source[row]) + 1
            readings[row] = attention[b, :n_target, :n_source], log_p[b, :n_target]
    return [readings[row] for row in range(len(corpus))]


def _read_batch(model: LSTMSeq2Seq, batch: Batch) -> tuple[Tensor, Tensor]:
    """Return the attention (B, T, S) and log p of the targets (B, T), read word by word, so that
    input feeding is possible."""
    state = model.start(batch.source, batch.source_lengths)
    rows, log_probs = [], []
    for t in range(batch.target_in.shape[1]):
        logits, state = model.step(batch.target_in[:, t : t + 1], state)
        assert state.attention is not None  # a step has just been taken
        rows.append(state.attention[:, 0])
        log_probs.append(
            logits[:, 0].log_softmax(1).gather(1, batch.target_out[:, t : t + 1])[:, 0]
        )
    return torch.stack(rows, dim=1), torch.stack(log_probs, dim=1)


def read_pair(
    model: LSTMSeq2Seq, language: ToyLanguage, source: Sequence[str], target: Sequence[str]
) -> AttentionReading:
    """Read one pair. Raise ValueError where the target is no translation of the source."""
    aligned = (*language.alignment(source, target), -1)
    pair = ParallelCorpus("pair", "shown", "", (tuple(source),), (tuple(target),))
    weights, log_p = read_corpus(model, pair)[0]
    return AttentionReading(
        (*source, END), (*target, END), weights, tuple(log_p.exp().tolist()), aligned
    )


def valid_translation(model: LSTMSeq2Seq, language: ToyLanguage, source: Sequence[str]) -> Words:
    """Return the model's greedy translation, or the language's most probable one where the model's
    is not valid."""
    tokens = search(model, [tuple(source)], beam_size=1)[0][0].tokens
    return tokens if language.is_valid(source, tokens) else language.mode(source)[0]


def position_of(reading: AttentionReading, english: str) -> int:
    """Return the first target position that translates the source word `english`. Raises
    ValueError without one."""
    return reading.aligned.index(reading.source.index(english))


@dataclass(frozen=True)
class DecodingStep:
    """A step of the decoder: source (S, END last), the words written so far, the attention
    weights (S), and the most probable next words with their probabilities."""

    source: Words
    written: Words
    weights: tuple[float, ...]
    next_words: tuple[tuple[str, float], ...]

    @property
    def top(self) -> int:
        """The source position with the largest weight."""
        return max(range(len(self.weights)), key=self.weights.__getitem__)


@torch.inference_mode()
def decoding_step(
    model: LSTMSeq2Seq, source: Sequence[str], written: Sequence[str], n_words: int = 3
) -> DecodingStep:
    """Take the step of the decoder that follows the words `written`."""
    pair = ParallelCorpus("pair", "shown", "", (tuple(source),), (tuple(written),))
    batch = make_batch(encode(pair, model.source_vocabulary, model.target_vocabulary), [0])
    model.eval()
    state = model.start(batch.source, batch.source_lengths)
    for t in range(len(written) + 1):
        logits, state = model.step(batch.target_in[:, t : t + 1], state)
    assert state.attention is not None  # a step has just been taken
    p, ids = logits[0, 0].softmax(0).topk(n_words)
    words = tuple(
        (model.target_vocabulary.tokens[k], float(x)) for k, x in zip(ids.tolist(), p, strict=True)
    )
    return DecodingStep(
        (*source, END), tuple(written), tuple(state.attention[0, 0].tolist()), words
    )


@dataclass(frozen=True)
class Alignment:
    """Attention against the truth, over the `n_words` target words that translate a source word.

    hits: the share at which that source word has the largest weight; error: its standard error over
    the sentences. later: the share at which a later source word has it. weight: the mean weight of
    the true source word. by_chance: the mean of 1/S.
    """

    hits: float
    error: float
    later: float
    weight: float
    by_chance: float
    n_words: int


def alignments(
    model: LSTMSeq2Seq, corpus: ParallelCorpus, language: ToyLanguage
) -> dict[str, Alignment]:
    """Compare attention with the true alignment over two pairs or more: by kind of source word,
    and "all"."""
    counts: dict[str, list[_Count]] = {}
    pairs = zip(read_corpus(model, corpus), corpus.source, corpus.target, strict=True)
    for (weights, _), source, target in pairs:
        kinds: dict[str, _Count] = {}
        for t, true in enumerate(language.alignment(source, target)):
            if true >= 0:
                for kind in ("all", kind_of(source[true])):
                    kinds.setdefault(kind, _Count()).add(weights[t], true)
        for kind, count in kinds.items():
            counts.setdefault(kind, []).append(count)
    return {kind: _total(counts[kind]) for kind in ("all", *KINDS) if len(counts.get(kind, ())) > 1}


def kind_of(english: str) -> str:
    """Return the kind of a source word, one of KINDS."""
    return next((kind for kind, words in _ENGLISH.items() if english in words), OTHERS)


class _Count:
    """One sentence: words, hits, largest weights on a later word, weight of the true word, and what
    chance gives."""

    def __init__(self) -> None:
        self.n = self.hits = self.later = 0
        self.weight = self.chance = 0.0

    def add(self, row: Tensor, true: int) -> None:
        """Count one target word: its weights (S), and the position of its true source word."""
        self.n += 1
        self.hits += int(row.argmax()) == true
        self.later += int(row.argmax()) > true
        self.weight += float(row[true])
        self.chance += 1.0 / len(row)


def _total(counts: Sequence[_Count]) -> Alignment:
    n = sum(count.n for count in counts)
    share = per_token([count.hits for count in counts], [count.n for count in counts])
    return Alignment(
        hits=share.mean,
        error=share.error,
        later=sum(count.later for count in counts) / n,
        weight=sum(count.weight for count in counts) / n,
        by_chance=sum(count.chance for count in counts) / n,
        n_words=n,
    )


def hits_elsewhere(
    model: LSTMSeq2Seq, corpus: ParallelCorpus, language: ToyLanguage, here: Alignment
) -> tuple[float, float]:
    """Return the range for the hits `here` that other sentences give: theirs ± 3 standard errors
    of the difference."""
    other = alignments(model, corpus, language)["all"]
    reach = 3.0 * math.hypot(other.error, here.error)
    return other.hits - reach, other.hits + reach
