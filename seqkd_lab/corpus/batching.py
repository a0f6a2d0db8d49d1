"""From sentences to padded tensors: B sentences of similar length at a time."""

from __future__ import annotations

from array import array
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, fields

import torch
from torch import Tensor

from seqkd_lab.corpus.parallel import ParallelCorpus
from seqkd_lab.corpus.vocabulary import BOS, EOS, PAD, Vocabulary
from seqkd_lab.devices import CPU

# batches whose sentences are sorted by length together: little padding, yet chance in every batch
POOL = 50
WINDOW = 2**18
"""Pairs that are shuffled together: up to so many, all of them, in memory of a few MiB."""
BLOCK = 2**10
"""Consecutive pairs that come to the same window of a larger corpus: a disk reads them at once, and
a window of 256 blocks from anywhere is as mixed as the corpus."""
# on either side of a batch: held-out text keeps its long lines, and memory grows with padding
HELD_OUT_TOKENS = 4_096


@dataclass(frozen=True)
class Batch:
    """B sentence pairs as int64 tensors, padded with PAD at the end.

    source          (B, S)  x_1 .. x_n EOS
    source_lengths  (B,)    real tokens of each source, EOS included
    target_in       (B, T)  BOS y_1 .. y_n, what the decoder reads
    target_out      (B, T)  y_1 .. y_n EOS, what it should write
    rows            (B,)    the pairs' places in the corpus
    """

    source: Tensor
    source_lengths: Tensor
    target_in: Tensor
    target_out: Tensor
    rows: Tensor

    def __len__(self) -> int:
        """B."""
        return len(self.rows)

    def to(self, device: torch.device) -> Batch:
        """Return the batch with all its tensors on `device`: itself where they lie there."""
        if self.source.device == device:
            return self
        return Batch(*(getattr(self, part.name).to(device) for part in fields(self)))

    @property
    def n_tokens(self) -> int:
        """Real target tokens of the batch, EOS included: what a loss is divided by."""
        return int((self.target_out != PAD).sum())


@dataclass(frozen=True)
class Sentences:
    """N sentences of ids, one behind the other: 4 bytes a token, where a tensor each takes hundreds
    a sentence. They lie in the CPU's memory, whatever computes on their batches.

    ids (all tokens,) int32; sentence i is the `lengths[i]` ids from `starts[i]` on, both (N,)
    int64.
    """

    ids: Tensor
    starts: Tensor
    lengths: Tensor

    @classmethod
    def of(cls, sentences: Iterable[Sequence[int]]) -> Sentences:
        """Join lists of ids."""
        ids, lengths = array("i"), array("q")
        for sentence in sentences:
            ids.extend(sentence)
            lengths.append(len(sentence))
        length = torch.tensor(lengths, dtype=torch.int64, device=CPU)
        id_of = torch.tensor(ids, dtype=torch.int32, device=CPU)
        return cls(id_of, length.cumsum(0) - length, length)

    def announce(self, rows: Tensor) -> None:
        """Say that the sentences at `rows` will be asked for: nothing is to be done, where they are
        in memory."""

    def padded(self, rows: Tensor) -> Tensor:
        """Return the sentences at `rows` (B,) as int64 (B, longest of them), PAD behind each."""
        lengths = self.lengths[rows][:, None]
        t = torch.arange(int(lengths.max()), device=lengths.device)
        positions = self.starts[rows][:, None] + torch.minimum(t, lengths - 1)  # (B, T)
        return self.ids[positions].long().masked_fill(t >= lengths, PAD)


@dataclass(frozen=True)
class EncodedCorpus:
    """A corpus of N pairs in ids, made once: sources end with EOS, targets stand between BOS and
    EOS."""

    source: Sentences
    target: Sentences

    def __len__(self) -> int:
        """N."""
        return len(self.source.lengths)

    @property
    def source_lengths(self) -> Tensor:
        """(N,) real tokens of each source, EOS included."""
        return self.source.lengths

    @property
    def target_lengths(self) -> Tensor:
        """(N,) real tokens of each target, EOS included and BOS not."""
        return self.target.lengths - 1

    @property
    def n_target_tokens(self) -> int:
        """Real tokens of all targets, EOS included and BOS not."""
        return int(self.target.lengths.sum()) - len(self)

    def target_places(self, batch: Batch) -> Tensor:
        """Return where each token of `batch`'s targets stands among all target tokens of the
        corpus, (B, T), on the corpus's device; the number for padding is another token's, or one
        past the last."""
        starts = self.target_lengths.cumsum(0) - self.target_lengths  # (N,)
        t = torch.arange(batch.target_out.shape[1], device=starts.device)
        return starts[batch.rows.to(starts.device), None] + t


def encode(
    corpus: ParallelCorpus, source_vocabulary: Vocabulary, target_vocabulary: Vocabulary
) -> EncodedCorpus:
    """Look up every token of `corpus` once."""
    return EncodedCorpus(
        Sentences.of([*source_vocabulary.ids(words), EOS] for words in corpus.source),
        Sentences.of([BOS, *target_vocabulary.ids(words), EOS] for words in corpus.target),
    )


def make_batch(encoded: EncodedCorpus, rows: Sequence[int] | Tensor) -> Batch:
    """Return the pairs at `rows`, in this order. Raise ValueError when there are none."""
    rows = torch.as_tensor(rows, dtype=torch.int64, device=encoded.source_lengths.device)
    if not len(rows):
        raise ValueError("a batch needs at least one sentence; rows is empty")
    target_in, target_out = shift(encoded.target.padded(rows))
    return Batch(
        encoded.source.padded(rows), encoded.source_lengths[rows], target_in, target_out, rows
    )


def shift(target: Tensor) -> tuple[Tensor, Tensor]:
    """BOS y_1 .. y_n EOS PAD.. (B, T+1) as what the decoder reads and what it should write, both
    (B, T).

    The decoder never reads EOS: where it would, the sentence has ended and what it should write is
    padding.
    """
    target_out = target[:, 1:].contiguous()
    return target[:, :-1].masked_fill(target_out == PAD, PAD), target_out


def batch_rows(
    encoded: EncodedCorpus, batch_size: int, shuffle_seed: int | None
) -> Iterator[Tensor]:
    """Yield the rows 0..N-1 in batches of `batch_size` sentences (one may be smaller), each row
    once.

    With a seed: window by window (`windows`), shuffles, sorts by length within pools of POOL
    batches, then shuffles the window's batches. The order depends on N and the seed alone, what is
    in memory on the window, and torch's global generator is untouched. Without: shortest source
    first, which needs the lengths of all.
    """
    if batch_size < 1:
        raise ValueError(f"batch_size must be at least 1 sentence; got {batch_size}")
    if shuffle_seed is None:
        return _by_length(encoded, batch_size)
    return _shuffled(encoded, batch_size, torch.Generator(CPU).manual_seed(shuffle_seed))


def _by_length(encoded: EncodedCorpus, batch_size: int) -> Iterator[Tensor]:
    """Yield batches of all rows by source length, ties by target length."""
    if len(encoded):
        order = _length_order(encoded.source_lengths, encoded.target.lengths)
        yield from order.split(batch_size)


def _shuffled(encoded: EncodedCorpus, batch_size: int, chance: torch.Generator) -> Iterator[Tensor]:
    """Yield the batches of one window after another; what does not fill a batch goes into the next
    window, so that only the last batch of all may be smaller."""
    left_over, n_left = torch.empty(0, dtype=torch.int64, device=CPU), len(encoded)
    for window in windows(n_left, chance):
        n_left -= len(window)
        encoded.source.announce(window)
        encoded.target.announce(window)
        order = torch.randperm(len(window), generator=chance, device=CPU)
        rows = torch.cat([left_over, window[order]])
        n_whole = len(rows) - len(rows) % batch_size if n_left else len(rows)
        rows, left_over = rows[:n_whole], rows[n_whole:]
        # By target, ties by source: the output layer works on every target position, so padding
        # costs most there.
        in_batches = [
            batch
            for pool in rows.split(POOL * batch_size)
            if len(pool)
            for batch in pool[
                _length_order(encoded.target.lengths[pool], encoded.source_lengths[pool])
            ].split(batch_size)
        ]
        for i in torch.randperm(len(in_batches), generator=chance, device=CPU).tolist():
            yield in_batches[i]


def windows(n: int, chance: torch.Generator) -> Iterator[Tensor]:
    """Yield the rows 0..n-1 in parts of WINDOW at most: all of them, in order, where they fit into
    one; else BLOCKs of consecutive rows, drawn by chance."""
    if n <= WINDOW:
        if n:
            yield torch.arange(n, device=CPU)
        return
    blocks = torch.randperm(-(-n // BLOCK), generator=chance, device=CPU)
    for drawn in blocks.split(WINDOW // BLOCK):
        rows = (drawn[:, None] * BLOCK + torch.arange(BLOCK, device=CPU)).flatten()
        yield rows[rows < n]


def _length_order(first: Tensor, second: Tensor) -> Tensor:
    """Return what sorts by one length, ties by the other, equals as they stand."""
    return (first * (int(second.max()) + 1) + second).argsort(stable=True)


def batches(encoded: EncodedCorpus, batch_size: int, shuffle_seed: int | None) -> Iterator[Batch]:
    """Return one pass over the corpus in batches of `batch_size` sentences, in the order of
    batch_rows."""
    rows_of_batches = batch_rows(encoded, batch_size, shuffle_seed)
    return (make_batch(encoded, rows) for rows in rows_of_batches)


def limited_batches(
    encoded: EncodedCorpus, batch_size: int, max_tokens: int = HELD_OUT_TOKENS
) -> Iterator[Batch]:
    """Return one pass, shortest source first, in batches of at most `batch_size` sentences and,
    where there is more than one, at most `max_tokens` tokens a side with the padding: one long
    sentence does not pad a whole batch to its length."""
    for rows in batch_rows(encoded, batch_size, shuffle_seed=None):
        lengths = torch.maximum(encoded.source_lengths[rows], encoded.target_lengths[rows]).tolist()
        first, longest = 0, 0
        for end, length in enumerate(lengths):
            if end > first and max(longest, length) * (end - first + 1) > max_tokens:
                yield make_batch(encoded, rows[first:end])
                first, longest = end, 0
            longest = max(longest, length)
        yield make_batch(encoded, rows[first:])


def source_batch(
    sentences: Sequence[Sequence[str]], vocabulary: Vocabulary, device: torch.device | str = CPU
) -> tuple[Tensor, Tensor]:
    """Sentences to translate: source (B, S), each ending with EOS, and lengths (B,), EOS included,
    on the `device` of the model that reads them.

    Raise ValueError when there are no sentences, or when a sentence is a string instead of tokens.
    """
    if not sentences:
        raise ValueError("a batch needs at least one sentence; sentences is empty")
    for sentence in sentences:
        if isinstance(sentence, str):
            raise ValueError(
                f"a sentence is a sequence of tokens; tokenise the string {sentence!r} first"
            )
    encoded = Sentences.of([*vocabulary.ids(sentence), EOS] for sentence in sentences)
    rows = torch.arange(len(sentences), device=encoded.lengths.device)
    return encoded.padded(rows).to(device), encoded.lengths.to(device)
