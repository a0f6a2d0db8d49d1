"""Trace speculative sampling: of one sentence, every round, every proposed word and its fate.

Views draw a DraftTrace and never sample themselves. A trace is made by the very sampling that
translates: an observer looks on, so what is drawn is what happened.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from torch import Tensor

from seqkd_lab.corpus.vocabulary import EOS
from seqkd_lab.decoding.distribution import SamplingDistribution
from seqkd_lab.decoding.sampling import DEFAULT_SAMPLING
from seqkd_lab.decoding.search import Hypothesis
from seqkd_lab.decoding.speculative import Round, speculative_sample
from seqkd_lab.models.seq2seq import Seq2Seq

ACCEPTED = "accepted"
REJECTED = "rejected"
UNREAD = "unread"


@dataclass(frozen=True)
class DraftedWord:
    """A proposed word ("</s>" ends the sentence), its probability by draft (p) and target (q), and
    its fate.

    accepted: it is kept. rejected: the first that is not. unread: it came after that one and was
    never judged.
    """

    token: str
    p: float
    q: float
    fate: str


@dataclass(frozen=True)
class TracedRound:
    """One call of the target: what the draft proposed after `prefix`, and the word that the round
    adds itself.

    `extra` comes from `extra_distribution` (V,): the residual of p and q (V,) at the rejected
    place, or q itself when every word was accepted (p is None then). `extra` is None, and not
    needed, when an accepted word was the end.
    """

    prefix: tuple[str, ...]
    words: tuple[DraftedWord, ...]
    extra: str | None
    p: Tensor | None
    q: Tensor
    extra_distribution: Tensor

    @property
    def n_accepted(self) -> int:
        """The number of accepted words."""
        return sum(word.fate == ACCEPTED for word in self.words)

    @property
    def rejected(self) -> DraftedWord | None:
        """The rejected word; None when all were accepted."""
        return next((word for word in self.words if word.fate == REJECTED), None)

    @property
    def n_tokens(self) -> int:
        """What the call of the target brought: accepted words and the extra one."""
        return self.n_accepted + (self.extra is not None)


@dataclass(frozen=True)
class DraftTrace:
    """All rounds of one sentence, and what they wrote. `tokens` names the V words of the
    distributions."""

    source: tuple[str, ...]
    draft_length: int
    distribution: SamplingDistribution
    rounds: tuple[TracedRound, ...]
    hypothesis: Hypothesis
    tokens: tuple[str, ...]


def trace_speculative(
    target: Seq2Seq,
    draft: Seq2Seq,
    source: Sequence[str],
    seed: int,
    draft_length: int = 4,
    distribution: SamplingDistribution = DEFAULT_SAMPLING,
    max_length: int | None = None,
) -> DraftTrace:
    """Sample one sentence speculatively and keep every round. Arguments and errors are
    speculative_sample's."""
    rounds: list[Round] = []
    hypothesis = speculative_sample(
        target,
        draft,
        [source],
        seed,
        draft_length,
        distribution,
        max_length,
        observer=rounds.append,
    )[0]
    tokens = target.target_vocabulary.tokens
    written = (*hypothesis.tokens, tokens[EOS])
    traced = tuple(_traced(drafted, written, tokens) for drafted in rounds)
    return DraftTrace(tuple(source), draft_length, distribution, traced, hypothesis, tokens)


def _traced(drafted: Round, written: tuple[str, ...], tokens: tuple[str, ...]) -> TracedRound:
    """Return one round of one sentence in words; `written` is the whole translation with its
    end."""
    ids, n_accepted = drafted.drafted[0].tolist(), int(drafted.n_accepted[0])
    fates = [ACCEPTED] * n_accepted + [REJECTED] + [UNREAD] * len(ids)
    words = tuple(
        DraftedWord(tokens[word], float(p[word]), float(q[word]), fate)
        for word, p, q, fate in zip(ids, drafted.p[0], drafted.q[0], fates, strict=False)
    )
    end = drafted.first - 1 + n_accepted  # of the accepted words, in `written`
    return TracedRound(
        written[: drafted.first - 1],
        words,
        extra=written[end] if end < len(written) else None,
        p=drafted.p[0, n_accepted] if n_accepted < len(ids) else None,
        q=drafted.q[0, n_accepted],
        extra_distribution=drafted.extra_distribution[0],
    )
