"""Beam search played by hand: hypotheses, the candidates that grow from them, and the few that the
player keeps."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import accumulate

import torch
from torch import Tensor

from seqkd_lab.corpus.batching import source_batch
from seqkd_lab.corpus.vocabulary import BOS, EOS, SPECIALS
from seqkd_lab.decoding.limits import longest_allowed
from seqkd_lab.decoding.search import check_beam
from seqkd_lab.lab.shared.next_words import next_id
from seqkd_lab.models.seq2seq import DecoderState, Seq2Seq

END = SPECIALS[EOS]

Words = tuple[str, ...]


class NextWords:
    """ln p(word | source, prefix) of one source, for any prefix; each prefix is computed once.

    longest: how many tokens a translation may have, END included, as in the library's search.
    """

    def __init__(self, model: Seq2Seq, source: Sequence[str]) -> None:
        self.model = model.eval()
        self.tokens = model.target_vocabulary.tokens
        ids, lengths = source_batch([source], model.source_vocabulary)
        self.longest = int(longest_allowed(lengths)[0])
        self._known: dict[Words, tuple[Tensor, DecoderState]] = {}
        with torch.inference_mode():
            self._known[()] = self._step(BOS, model.start(ids, lengths))

    def _step(self, token: int, state: DecoderState) -> tuple[Tensor, DecoderState]:
        logits, state = self.model.step(torch.tensor([[token]]), state)
        return logits[0, 0].log_softmax(dim=0), state

    def log_probs(self, prefix: Words) -> Tensor:
        """Return the log-probabilities (V,) of the word after `prefix`; PAD and BOS, which are
        never written, are at −inf."""
        if prefix not in self._known:
            self.log_probs(prefix[:-1])
            _, state = self._known[prefix[:-1]]
            token = self.model.target_vocabulary.ids([prefix[-1]])[0]
            with torch.inference_mode():
                self._known[prefix] = self._step(token, state.select(torch.tensor([[0]])))
        log_probs = self._known[prefix][0].clone()
        log_probs[:EOS] = float("-inf")
        if len(prefix) + 1 >= self.longest:  # as long as the search allows: it can only end
            log_probs[torch.arange(len(log_probs)) != EOS] = float("-inf")
        return log_probs

    def along(self, words: Words) -> tuple[float, ...]:
        """Return log p of the first word, of the first two, …, of all `words` (END the last of a
        complete translation)."""
        ids = [next_id(self.model.target_vocabulary, word) for word in words]
        steps = (float(self.log_probs(words[:t])[token]) for t, token in enumerate(ids))
        return tuple(accumulate(steps))


@dataclass(frozen=True)
class Prefix:
    """The first words of a translation, END as the last of a complete one, and log p of them all,
    in nats."""

    words: Words
    log_prob: float

    @property
    def finished(self) -> bool:
        """Whether it is a complete translation."""
        return self.words[-1:] == (END,)

    @property
    def tokens(self) -> Words:
        """The words without END."""
        return self.words[:-1] if self.finished else self.words


class BeamGame:
    """One source's translation, in which a player keeps at most `beam_size` candidates at each
    step.

    The rules are the library's search's: all candidates of all prefixes compete, a finished one may
    keep its place. It is over when the most probable of the kept ones is finished, since log p only
    falls as a prefix grows. Who keeps the best candidates each time plays beam search; with
    beam_size 1, greedy search.
    """

    def __init__(self, next_words: NextWords, beam_size: int) -> None:
        check_beam(beam_size)
        self.next_words, self.beam_size = next_words, beam_size
        self._history: list[tuple[Prefix, ...]] = [(Prefix((), 0.0),)]

    @property
    def kept(self) -> tuple[Prefix, ...]:
        """The prefixes that the player keeps now, the most probable first."""
        return self._history[-1]

    @property
    def best(self) -> Prefix:
        """The most probable of them."""
        return self.kept[0]

    @property
    def n_steps(self) -> int:
        """How many steps were played."""
        return len(self._history) - 1

    @property
    def over(self) -> bool:
        """Whether nothing that is kept can still become more probable than `best`."""
        return self.best.finished

    def candidates(self, most: int) -> list[Prefix]:
        """Return the `most` best ways to continue what is kept, the most probable first; finished
        ones stay."""
        grown: list[Prefix] = []
        for prefix in self.kept:
            if prefix.finished:
                grown.append(prefix)
                continue
            log_probs, tokens = self.next_words.log_probs(prefix.words), self.next_words.tokens
            values, ids = log_probs.topk(min(most, len(tokens)))
            grown += [
                Prefix((*prefix.words, tokens[token]), prefix.log_prob + value)
                for value, token in zip(values.tolist(), ids.tolist(), strict=True)
                if value > float("-inf")
            ]
        return sorted(grown, key=lambda prefix: -prefix.log_prob)[:most]

    def keep(self, chosen: Sequence[Prefix]) -> None:
        """Play a step: only `chosen` stay. Raise ValueError when the game is over, for none, or
        for too many."""
        if self.over:
            raise ValueError("the game is over")
        if not 1 <= len(chosen) <= self.beam_size:
            raise ValueError(f"keep 1 to {self.beam_size} candidates; got {len(chosen)}")
        self._history.append(tuple(sorted(chosen, key=lambda prefix: -prefix.log_prob)))

    def keep_best(self) -> None:
        """Play the step of beam search."""
        self.keep(self.candidates(self.beam_size))

    def undo(self) -> None:
        """Take the last step back; do nothing at the start."""
        if self.n_steps:
            self._history.pop()
