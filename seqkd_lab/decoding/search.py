"""Greedy and beam search, batched, over the Seq2Seq interface (Kim & Rush 2016, section 4.2: K = 5,
and 35).

A sentence's beam holds K places. A finished hypothesis keeps its place as long as K − 1 others do
not score better; an unfinished one is replaced by its extensions. So K = 1 is greedy search, and K
≥ V^T is exhaustive enumeration. As in the paper's code, scores are plain log-probabilities unless a
length penalty is asked for.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property

import torch
from torch import Tensor

from seqkd_lab.corpus.batching import source_batch
from seqkd_lab.corpus.vocabulary import BOS, EOS, PAD
from seqkd_lab.decoding.greedy import Written, greedy_batch
from seqkd_lab.decoding.limits import longest_allowed, rows_by_length, shortened
from seqkd_lab.estimates import sentences_that_fit
from seqkd_lab.finite import NotFiniteError
from seqkd_lab.models.seq2seq import Seq2Seq, evaluating


@dataclass(frozen=True)
class Hypothesis:
    """A finished translation: its tokens (no EOS), log p(tokens, EOS | source), and the score that
    ranked it."""

    tokens: tuple[str, ...]
    log_prob: float
    score: float


@dataclass(frozen=True)
class Beam:
    """tokens (B, K, 1 + T): BOS and T tokens, PAD after EOS; log_prob (B, K); finished (B, K)."""

    tokens: Tensor
    log_prob: Tensor
    finished: Tensor

    @property
    def length(self) -> Tensor:
        """(B, K) tokens of each hypothesis, EOS included and BOS not."""
        return (self.tokens[:, :, 1:] != PAD).sum(dim=2)

    @cached_property
    def any_finished(self) -> bool:
        """Tell whether there is a finished hypothesis: until then a step need not look after
        them."""
        return bool(self.finished.any())

    def take(self, sentences: Tensor) -> Beam:
        """Return the beams of some sentences: their places, or a mask."""
        return Beam(self.tokens[sentences], self.log_prob[sentences], self.finished[sentences])

    def split(self) -> Iterator[Beam]:
        """Return each sentence's own beam (B = 1)."""
        for b in range(len(self.tokens)):
            yield Beam(self.tokens[b : b + 1], self.log_prob[b : b + 1], self.finished[b : b + 1])


MOST_BEAM = 100_000
"""More would be a slip of the keyboard."""
Observer = Callable[[Beam, Tensor, Tensor, Tensor], None]
"""Sees, at each step, the beam, every candidate's log_prob and score (B, K, V), and the kept ones
(B, K') of K·V."""


def normalised(log_prob: Tensor, length: Tensor, length_penalty: float) -> Tensor:
    """log_prob / length^length_penalty: 0 compares log-probabilities, 1 their mean per token (EOS
    counts)."""
    return (
        log_prob
        if length_penalty == 0.0
        else log_prob / length.to(log_prob.dtype) ** length_penalty
    )


def candidates(
    beam: Beam, next_log_prob: Tensor, length_penalty: float, last: Tensor | None
) -> tuple[Tensor, Tensor]:
    """log_prob and score (B, K, V) of every way to go on from `beam`; writes into `next_log_prob`
    (B, K, V).

    A finished hypothesis has one: to stay as it is, under the token PAD. Where `last` (B,), only
    EOS is allowed.
    """
    never = float("-inf")
    next_log_prob[:, :, :EOS] = never  # PAD and BOS, the ids before EOS, are never written
    if last is not None:
        token = torch.arange(next_log_prob.shape[2], device=last.device)
        next_log_prob.masked_fill_(last[:, None, None] & (token != EOS), never)
    if beam.any_finished:
        next_log_prob.masked_fill_(beam.finished[:, :, None], never)
        next_log_prob[:, :, PAD].masked_fill_(beam.finished, 0.0)
    log_prob = next_log_prob.add_(beam.log_prob[:, :, None])
    if not length_penalty:
        return log_prob, log_prob
    return log_prob, normalised(
        log_prob, (beam.length + ~beam.finished)[:, :, None], length_penalty
    )


def keep_best(beam: Beam, log_prob: Tensor, score: Tensor, beam_size: int) -> tuple[Beam, Tensor]:
    """Return the beam of the `beam_size` best candidates, best first, and their places (B, K')
    among the K·V candidates."""
    B, K, V = score.shape
    best, kept = score.view(B, K * V).topk(min(beam_size, K * V), dim=1)  # (B, K')
    parent, token = kept // V, kept % V
    tokens = beam.tokens.gather(1, parent[:, :, None].expand(-1, -1, beam.tokens.shape[2]))
    finished = token == EOS
    if beam.any_finished:
        finished |= beam.finished.gather(1, parent)
    if score is not log_prob:
        best = log_prob.view(B, K * V).gather(1, kept)
    return Beam(torch.cat([tokens, token[:, :, None]], dim=2), best, finished), kept


def is_done(beam: Beam, n_best: int, length_penalty: float) -> Tensor:
    """(B,) whether a sentence's `n_best` answers can no longer change.

    A log-probability only falls as a hypothesis grows, so n_best finished ones in front are final.
    With a length penalty a score may still rise, so all must be finished. Dead places (log_prob
    −inf) hold nothing to wait for.
    """
    settled = beam.finished | (beam.log_prob == float("-inf"))
    return settled.all(dim=1) if length_penalty else settled[:, :n_best].all(dim=1)


def ended(beam: Beam, n_best: int, length_penalty: float, last: Tensor | None) -> Tensor | None:
    """(B,) whether a sentence leaves: its answers are final, or this token was its `last`. None
    when all go on."""
    if not beam.any_finished:
        return None
    done = is_done(beam, n_best, length_penalty)
    done = done if last is None else done | last
    return done if done.any() else None


def first_beam(n_sentences: int, device: torch.device) -> Beam:
    """Return a beam for each of B sentences that holds BOS alone."""
    return Beam(
        torch.full((n_sentences, 1, 1), BOS, device=device),
        torch.zeros(n_sentences, 1, device=device),
        torch.zeros(n_sentences, 1, dtype=torch.bool, device=device),
    )


def beam_of(written: Written) -> Beam:
    """Return the beam of one sentence that holds a translation that greedy search has finished;
    one of log-probability −inf is dead."""
    tokens, log_prob = written
    return Beam(tokens[None, None], log_prob[None, None], (tokens[-1:] == EOS)[None])


@torch.inference_mode()
def search_batch(
    model: Seq2Seq,
    source: Tensor,
    source_lengths: Tensor,
    max_length: Tensor,
    beam_size: int,
    n_best: int = 1,
    length_penalty: float = 0.0,
    observer: Observer | None = None,
) -> list[Beam]:
    """Beam search for the sentences `source` (B, S): one Beam (its B = 1) for each, best hypothesis
    first.

    `max_length` (B,) bounds each sentence's own translation, EOS included. Finished sentences leave
    the batch.
    """
    state, beam = model.start(source, source_lengths), first_beam(len(source), source.device)
    sentences, results = torch.arange(len(source), device=source.device), [beam] * len(source)
    shortest, longest = int(max_length.min()), int(max_length.max())
    for t in range(1, longest + 1):
        logits, state = model.step(beam.tokens[:, :, -1].reshape(-1, 1), state)  # (N, 1, V)
        next_log_prob = logits.log_softmax(dim=2).view(*beam.log_prob.shape, -1)  # (B, K, V)
        last = max_length[sentences] == t if t >= shortest else None
        parents, (log_prob, score) = beam, candidates(beam, next_log_prob, length_penalty, last)
        beam, kept = keep_best(beam, log_prob, score, beam_size)
        if observer is not None:
            observer(parents, log_prob, score, kept)
        rows, done = parent_rows(kept, score), ended(beam, n_best, length_penalty, last)
        if done is not None:
            for b, final in zip(sentences[done].tolist(), beam.take(done).split(), strict=True):
                results[b] = final
            if done.all():
                break
            rows, beam, sentences = rows[~done], beam.take(~done), sentences[~done]
        state = state.select(rows)
    return results


def parent_rows(kept: Tensor, score: Tensor) -> Tensor:
    """Return the rows b·K + k (B, K') of the model's state that the candidates at `kept` (B, K')
    of B·K·V grow from."""
    B, K, V = score.shape
    return kept // V + torch.arange(0, B * K, K, device=kept.device)[:, None]


def hypotheses(model: Seq2Seq, beam: Beam, n_best: int, length_penalty: float) -> list[Hypothesis]:
    """Return the finished hypotheses of one sentence's beam (B = 1), at most `n_best`, best
    first."""
    score = normalised(beam.log_prob, beam.length, length_penalty)[0].tolist()
    rows = zip(
        beam.tokens[0].tolist(),
        beam.log_prob[0].tolist(),
        score,
        beam.finished[0].tolist(),
        strict=True,
    )
    finished = [
        Hypothesis(tuple(model.target_vocabulary.words(tokens)), log_prob, score)
        for tokens, log_prob, score, is_finished in rows
        if is_finished and log_prob > float("-inf")
    ]
    return finished[:n_best]


def check_beam(beam_size: int, n_best: int = 1, length_penalty: float = 0.0) -> None:
    """Raise ValueError unless 1 ≤ n_best ≤ beam_size ≤ MOST_BEAM and length_penalty is finite and
    at least 0."""
    if beam_size < 1 or not 1 <= n_best <= beam_size:
        raise ValueError(
            f"need beam_size (--beam) ≥ 1 and 1 ≤ n_best ≤ beam_size; got {beam_size} and {n_best}"
        )
    if beam_size > MOST_BEAM:
        raise ValueError(
            f"beam_size (--beam) must be at most {MOST_BEAM:,}, which takes half a minute for a "
            f"single sentence of the toy language; got {beam_size}"
        )
    if not 0.0 <= length_penalty < math.inf:  # false for NaN, too
        raise ValueError(
            "length_penalty (--length-penalty) must be 0 or a positive number; got "
            f"{length_penalty}"
        )


def search(
    model: Seq2Seq,
    sources: Sequence[Sequence[str]],
    beam_size: int = 1,
    n_best: int = 1,
    length_penalty: float = 0.0,
    max_length: int | None = None,
    batch_size: int = 64,
    progress: Callable[[int], None] | None = None,
) -> list[list[Hypothesis]]:
    """Translate `sources`: for each the `n_best` hypotheses of a beam of `beam_size` (1 is
    greedy), best first.

    Sentences of similar length share a batch; a sentence's result does not depend on the others in
    it. max_length counts EOS; by default twice the source's length + 10. `progress` hears how many
    sentences each batch finished. Of a source of more than LONGEST_SOURCE tokens only the beginning
    is read, with a warning (`limits.shortened`). Where memory is short, fewer sentences share a
    batch; TooLargeError where there is none for a single one. Raise ValueError for a beam_size,
    max_length or batch_size below 1, an n_best outside 1..beam_size, and a length_penalty below 0
    or not finite; NotFiniteError where the model gives no translation a finite probability.
    """
    check_beam(beam_size, n_best, length_penalty)
    if batch_size < 1:
        raise ValueError(f"batch_size must be at least 1; got {batch_size}")
    sources = shortened(sources)
    results: list[list[Hypothesis]] = [[] for _ in sources]
    together = sentences_that_fit(batch_size, beam_size, len(model.target_vocabulary))
    with evaluating(model):
        for rows in rows_by_length(sources, together):
            source, lengths = source_batch(
                [sources[i] for i in rows], model.source_vocabulary, model.device
            )
            longest = longest_allowed(lengths, max_length)
            if beam_size == 1 and not length_penalty:
                beams = list(map(beam_of, greedy_batch(model, source, lengths, longest)))
            else:
                beams = search_batch(
                    model, source, lengths, longest, beam_size, n_best, length_penalty
                )
            for i, beam in zip(rows, beams, strict=True):
                results[i] = hypotheses(model, beam, n_best, length_penalty)
                if not results[i]:
                    raise NotFiniteError(
                        f"the model gives no translation of sentence {i + 1} a probability"
                    )
            if progress is not None:
                progress(len(rows))
    return results
