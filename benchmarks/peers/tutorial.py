"""How tutorials do it: a decoder that trains word by word, and search in Python, one sentence after
another.

Decoding uses the lab's own model and weights through its public interface, so only the way of
searching differs: `Tutorial` keeps the decoder's state and extends one hypothesis at a time,
`Prefix` runs the decoder on the whole prefix again for each new word. Both ignore batch_size: that
is the point.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path

import torch
from torch import Tensor, nn

from benchmarks.corpus import BOS, EOS, PAD, Corpus, Pair, Sentence, ids, index_of, words
from benchmarks.ours import SeqKDLab
from benchmarks.peers.torch_peer import TorchPeer, longest_output
from benchmarks.tool import Size


class StepByStep(nn.Module):
    """Encoder, and a decoder that reads one target word at a time, with Luong attention."""

    def __init__(self, size: Size, n_source: int, n_target: int) -> None:
        super().__init__()
        width = size.width
        self.source, self.target = nn.Embedding(n_source, width), nn.Embedding(n_target, width)
        self.encoder = nn.LSTM(width, width // 2, size.layers, batch_first=True, bidirectional=True)
        self.decoder = nn.LSTM(width, width, size.layers, batch_first=True)
        self.attend, self.combine = (
            nn.Linear(width, width, bias=False),
            nn.Linear(2 * width, width, bias=False),
        )
        self.output = nn.Linear(width, n_target)

    def forward(self, source: Tensor, target: Tensor) -> Tensor:
        """Summed NLL of target (B, T+1) given source (B, S)."""
        states, (h, c) = self.encoder(self.source(source))
        h, c = (torch.cat([ends[0::2], ends[1::2]], dim=2) for ends in (h, c))
        loss = torch.zeros(())
        for t in range(target.shape[1] - 1):
            output, (h, c) = self.decoder(self.target(target[:, t : t + 1]), (h, c))  # (B, 1, D)
            weights = torch.softmax(self.attend(output) @ states.transpose(1, 2), dim=2)
            attended = torch.tanh(self.combine(torch.cat([weights @ states, output], dim=2)))
            logits = self.output(attended)[:, 0]
            loss = loss + nn.functional.cross_entropy(
                logits, target[:, t + 1], ignore_index=PAD, reduction="sum"
            )
        return loss


class _Training(TorchPeer):
    """The training half: StepByStep in the peers' common loop."""

    def build(self) -> None:
        n_source, n_target = len(self.corpus.source_vocabulary), len(self.corpus.target_vocabulary)
        self.model = StepByStep(self.size, n_source, n_target)

    def loss(self, source: Tensor, lengths: Tensor, target: Tensor) -> Tensor:
        return self.model(source, target)


Distribution = Callable[[list[int], object], tuple[Tensor, object]]
"""From a prefix and the decoder's memory of it: log p(next word) (V,) and the new memory."""


def beam_search(beam_size: int, longest: int, start: object, next_word: Distribution) -> list[int]:
    """The best hypothesis by plain log-probability; hypotheses are Python lists, extended one at a
    time."""
    beam = [(0.0, [BOS], start, False)]
    for _ in range(longest):
        grown = []
        for score, prefix, memory, finished in beam:
            if finished:
                grown.append((score, prefix, memory, True))
                continue
            log_prob, memory = next_word(prefix, memory)
            best, tokens = log_prob.topk(beam_size)
            pairs: Iterable = zip(best.tolist(), tokens.tolist(), strict=True)
            grown += [
                (score + gain, [*prefix, token], memory, token == EOS) for gain, token in pairs
            ]
        beam = sorted(grown, key=lambda hypothesis: -hypothesis[0])[:beam_size]
        if beam[0][3]:
            break
    return beam[0][1][1:]


class Tutorial:
    """A Tool: trains StepByStep, decodes the lab's own model one hypothesis at a time."""

    def __init__(self, size: Size, corpus: Corpus, folder: Path | None) -> None:
        self.corpus = corpus
        self.training = _Training(size, corpus, None)
        self.lab = SeqKDLab(size, corpus, folder)
        self.model = self.lab.model

    def n_parameters(self) -> int:
        return self.training.n_parameters()

    def train(
        self, pairs: Sequence[Pair], epochs: int, seen: Callable[[int], None] | None = None
    ) -> None:
        self.training.train(pairs, epochs, seen)

    def validation_loss(self, pairs: Sequence[Pair]) -> float:
        return self.training.validation_loss(pairs)

    def save(self, folder: Path) -> None:
        self.training.save(folder)

    @torch.no_grad()
    def translate(
        self, sources: Sequence[Sentence], beam_size: int, batch_size: int
    ) -> list[list[str]]:
        index = index_of(self.corpus.source_vocabulary)
        return [self.translate_one([*ids(source, index), EOS], beam_size) for source in sources]

    def translate_one(self, source: list[int], beam_size: int) -> list[str]:
        lengths = torch.tensor([len(source)])
        start = self.model.start(torch.tensor([source]), lengths)
        found = beam_search(beam_size, longest_output(lengths), start, self.next_word)
        return words(found, self.corpus.target_vocabulary)

    def next_word(self, prefix: list[int], memory: object) -> tuple[Tensor, object]:
        logits, memory = self.model.step(torch.tensor([prefix[-1:]]), memory)
        return never_pad(logits[0, -1].log_softmax(dim=0)), memory


class Prefix(Tutorial):
    """A Tool: the decoder's state is the encoded source only, and every word runs it on the whole
    prefix again."""

    def next_word(self, prefix: list[int], memory: object) -> tuple[Tensor, object]:
        logits, _ = self.model.step(torch.tensor([prefix]), memory)
        return never_pad(logits[0, -1].log_softmax(dim=0)), memory


def never_pad(log_prob: Tensor) -> Tensor:
    """log p (V,) of the next word, where PAD and BOS cannot be written."""
    log_prob[PAD], log_prob[BOS] = -math.inf, -math.inf
    return log_prob
