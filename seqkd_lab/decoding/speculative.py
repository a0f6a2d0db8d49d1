"""Speculative sampling (Chen et al. 2023, arXiv 2302.01318, algorithm 2): a small draft model
proposes K words, the large target model looks at all of them in one call, and what comes out
follows the target's distribution, exactly.

With p the draft's distribution of the next word and q the target's, a proposed word x is accepted
with probability min(1, q(x)/p(x)). The first that is rejected is replaced by a word drawn from
(q − p)₊ / Σ(q − p)₊. Together that is q: min(p, q) + (q − p)₊ = q. (Leviathan et al. 2023, arXiv
2211.17192, found the same and swap the letters.)

Temperature, top-k and top-p are parts of the distribution, so they are applied to both models
before any ratio. At temperature 0 both distributions are certain: a word is accepted exactly where
the target's greedy search writes it, too.

In a batch, sentences accept different numbers of words, but the states of all have one length. So
each round begins where the slowest sentence is, and what the others have already is known: it is
neither drawn nor judged again.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import torch
import torch.nn.functional as F
from torch import Tensor

from seqkd_lab.corpus.batching import source_batch
from seqkd_lab.corpus.vocabulary import EOS, PAD
from seqkd_lab.decoding.distribution import SamplingDistribution, draw
from seqkd_lab.decoding.limits import longest_allowed
from seqkd_lab.decoding.partial_translations import PartialTranslations
from seqkd_lab.decoding.sampling import DEFAULT_SAMPLING
from seqkd_lab.decoding.search import Hypothesis
from seqkd_lab.models.seq2seq import DecoderState, Seq2Seq, evaluating


def accepted(p: Tensor, q: Tensor, r: Tensor) -> Tensor:
    """Return which proposed words are accepted, given their probabilities by draft and target and r
    from [0, 1): r < min(1, q/p)."""
    return r * p < q


def residual(p: Tensor, q: Tensor) -> Tensor:
    """Return what the target has more of than the draft, (q − p)₊ / Σ(q − p)₊, for distributions
    (B, V); all of q where p is 0.

    Nothing is left only where p = q up to rounding; then q itself is returned.
    """
    more = (q - p).clamp(min=0.0)
    total = more.sum(dim=-1, keepdim=True)
    return torch.where(total > 0.0, more / total, q)


class Rule(NamedTuple):
    """The rule of the algorithm: which words are accepted, and the distribution of the one drawn in
    place of the first that is rejected."""

    accepted: Callable[[Tensor, Tensor, Tensor], Tensor]
    residual: Callable[[Tensor, Tensor], Tensor]


EXACT = Rule(accepted, residual)


@dataclass(frozen=True)
class Round:
    """One call of the target. `drafted` (B, K) words from place `first` on, drawn from p (B, K, V);
    q (B, K + 1, V).

    `known` (B, K) marks words that were accepted earlier; the first n_accepted (B,) words are
    accepted; then one `extra` (B,) is drawn from `extra_distribution` (B, V): the residual after a
    rejection, q itself when all are accepted.
    """

    first: int
    drafted: Tensor
    known: Tensor
    p: Tensor
    q: Tensor
    n_accepted: Tensor
    extra: Tensor
    extra_distribution: Tensor


Observer = Callable[[Round], None]


def propose(
    draft: Seq2Seq,
    state: DecoderState,
    written: PartialTranslations,
    draft_length: int,
    distribution: SamplingDistribution,
    generator: torch.Generator,
) -> tuple[Tensor, DecoderState]:
    """Write the draft's words to the K places from `written.first` on; known ones stay. K is
    draft_length, more where some sentence knows more, fewer once all have ended. Return p (B, K,
    V) and the state that has read all but one."""
    tokens, known, first, distributions = written.tokens, written.known, written.first, []
    most = min(max(draft_length, int(written.n_known.max()) - first), int(written.max_length.max()))
    for position in range(first, first + most):
        logits, state = draft.step(tokens[:, state.length : position], state)
        distributions.append(written.ending(distribution(logits[:, -1:]), position))
        tokens[:, position] = torch.where(
            known[:, position], tokens[:, position], draw(distributions[-1][:, 0], generator)
        )
        if (tokens[:, first : position + 1] == EOS).any(dim=1).all():
            break
    return torch.cat(distributions, dim=1), state


def check(
    p: Tensor, q: Tensor, words: Tensor, known: Tensor, rule: Rule, generator: torch.Generator
) -> tuple[Tensor, Tensor]:
    """Return how many of the `words` (B, K) are accepted (B,), and the distribution (B, V) of the
    word that follows them.

    p (B, K, V) and q (B, K + 1, V). After the last proposed word p is 0, so the residual is q.
    """
    B, K = words.shape
    p_word, q_word = (of.gather(2, words[:, :, None])[:, :, 0] for of in (p, q[:, :K]))
    uniform = torch.rand(B, K, generator=generator, device=p.device)
    is_accepted = known | rule.accepted(p_word, q_word, uniform)
    n_accepted = is_accepted.long().cumprod(dim=1).sum(dim=1)
    following = torch.arange(B, device=p.device), n_accepted
    return n_accepted, rule.residual(F.pad(p, (0, 0, 0, 1))[following], q[following])


@torch.inference_mode()
def speculative_batch(
    target: Seq2Seq,
    draft: Seq2Seq,
    source: Tensor,
    source_lengths: Tensor,
    max_length: Tensor,
    draft_length: int,
    distribution: SamplingDistribution,
    generator: torch.Generator,
    rule: Rule = EXACT,
    observer: Observer | None = None,
) -> tuple[Tensor, Tensor]:
    """Draw once from the target for each source (B, S): tokens (B, T), PAD after EOS, and log_prob
    (B,)."""
    written = PartialTranslations.start(max_length)
    sentences = torch.arange(len(source), device=source.device)
    tokens, log_prob = written.tokens.clone(), written.log_prob.clone()
    states = [model.start(source, source_lengths).remember() for model in (target, draft)]
    while True:
        first = written.first
        p, states[1] = propose(draft, states[1], written, draft_length, distribution, generator)
        words, known = (of[:, first : first + p.shape[1]] for of in (written.tokens, written.known))
        logits, states[0] = target.step(
            written.tokens[:, first - 1 : first + p.shape[1]], states[0]
        )
        q = written.ending(distribution(logits), first)
        n_accepted, extra_distribution = check(p, q, words, known, rule, generator)
        extra = draw(extra_distribution, generator)
        if observer is not None:
            observer(
                Round(first, words.clone(), known, p, q, n_accepted, extra, extra_distribution)
            )
        written = written.extend(first + n_accepted + 1, extra, logits)
        ended = written.ended
        if ended.any():
            tokens[sentences[ended]], log_prob[sentences[ended]] = (
                written.tokens[ended],
                written.log_prob[ended],
            )
            stay = (~ended).nonzero()  # (B', 1)
            if not len(stay):
                break
            written, sentences = written.take(stay[:, 0]), sentences[stay[:, 0]]
            states = [state.select(stay) for state in states]
        states = [
            state.rollback(min(written.first - 1, state.length)).remember() for state in states
        ]
    ends = (tokens == EOS).long()
    after = (ends.cumsum(dim=1) - ends).bool()
    return tokens.masked_fill(after, PAD)[:, 1:], log_prob.masked_fill(after, 0.0).sum(dim=1)


def check_drafting(target: Seq2Seq, draft: Seq2Seq, draft_length: int, batch_size: int) -> None:
    """Raise ValueError for a draft_length or batch_size below 1 and for models of different
    vocabularies."""
    if draft_length < 1:
        raise ValueError(f"draft_length must be at least 1 word; got {draft_length}")
    if batch_size < 1:
        raise ValueError(f"batch_size must be at least 1; got {batch_size}")
    if (target.source_vocabulary, target.target_vocabulary) != (
        draft.source_vocabulary,
        draft.target_vocabulary,
    ):
        raise ValueError(
            "target and draft must share their vocabularies: a word's number has to mean the same "
            "to both"
        )


def speculative_sample(
    target: Seq2Seq,
    draft: Seq2Seq,
    sources: Sequence[Sequence[str]],
    seed: int,
    draft_length: int = 4,
    distribution: SamplingDistribution = DEFAULT_SAMPLING,
    max_length: int | None = None,
    batch_size: int = 256,
    rule: Rule = EXACT,
    observer: Observer | None = None,
    progress: Callable[[int], None] | None = None,
) -> list[Hypothesis]:
    """Sample one translation of each source from the target's distribution, as `sampling.sample`
    does, drafted by `draft`.

    draft_length is K; another `rule` shows what breaks.
    log_prob is the target's own (temperature 1, no word cut off). Raise ValueError for a K or
    batch_size below 1 and for models of different vocabularies.
    """
    check_drafting(target, draft, draft_length, batch_size)
    generator, results = torch.Generator(target.device).manual_seed(seed), []
    with evaluating(target, draft):
        for first in range(0, len(sources), batch_size):
            source, lengths = source_batch(
                sources[first : first + batch_size], target.source_vocabulary, target.device
            )
            longest = longest_allowed(lengths, max_length)
            tokens, log_probs = speculative_batch(
                target,
                draft,
                source,
                lengths,
                longest,
                draft_length,
                distribution,
                generator,
                rule,
                observer,
            )
            for ids, log_prob in zip(tokens.tolist(), log_probs.tolist(), strict=True):
                results.append(
                    Hypothesis(tuple(target.target_vocabulary.words(ids)), log_prob, log_prob)
                )
            if progress is not None:
                progress(len(lengths))
    return results
