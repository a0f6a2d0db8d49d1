"""joeynmt 2.3: its model, loss and search; runs in its own environment."""

from __future__ import annotations

from types import SimpleNamespace

import torch
from joeynmt.batch import Batch
from joeynmt.model import build_model
from joeynmt.search import search
from joeynmt.vocabulary import Vocabulary
from torch import Tensor

from benchmarks.corpus import BOS, EOS, PAD, SPECIALS, UNK
from benchmarks.peers.torch_peer import TorchPeer, longest_output

CPU = torch.device("cpu")
AUTOCAST = {"device_type": "cpu", "enabled": False}
# joeynmt puts its specials first, in the order unk, pad, bos, eos: ours are handed over under those
# names.
UNKNOWN_FIRST = SimpleNamespace(
    unk_token=SPECIALS[PAD],
    pad_token=SPECIALS[BOS],
    bos_token=SPECIALS[EOS],
    eos_token=SPECIALS[UNK],
    unk_id=0,
    pad_id=1,
    bos_id=2,
    eos_id=3,
    sep_token=None,
    sep_id=None,
    lang_tags=[],
)
TO_JOEY = torch.tensor([1, 2, 3, 0])
FROM_JOEY = [UNK, PAD, BOS, EOS]


def to_joey(tokens: Tensor) -> Tensor:
    """Our ids as joeynmt's: only the four specials are numbered otherwise."""
    return torch.where(tokens < 4, TO_JOEY[tokens.clamp(max=3)], tokens)


class Joey(TorchPeer):
    """A Tool over joeynmt's Model, Batch and search."""

    def config(self) -> dict:
        """joeynmt's configuration of the model."""
        raise NotImplementedError

    def build(self) -> None:
        source, target = (
            Vocabulary(list(tokens[4:]), UNKNOWN_FIRST)
            for tokens in (self.corpus.source_vocabulary, self.corpus.target_vocabulary)
        )
        self.model = build_model(self.config(), source, target)
        self.model.loss_function = ("crossentropy", 0.0)

    def batch(
        self, source: Tensor, lengths: Tensor, target: Tensor | None, is_train: bool
    ) -> Batch:
        """joeynmt's batch of our tensors."""
        rows = torch.arange(len(source))
        target = None if target is None else to_joey(target)
        return Batch(to_joey(source), lengths, None, target, None, rows, CPU, 1, 3, is_train)

    def loss(self, source: Tensor, lengths: Tensor, target: Tensor) -> Tensor:
        batch = self.batch(source, lengths, target, self.model.training)
        return self.model(return_type="loss", **vars(batch))[0]

    def search(self, source: Tensor, lengths: Tensor, beam_size: int) -> list[list[int]]:
        found, _, _ = search(
            self.model,
            self.batch(source, lengths, None, False),
            max_output_length=longest_output(lengths),
            beam_size=beam_size,
            beam_alpha=-1,
            n_best=1,
            autocast=AUTOCAST,
            generate_unk=True,
        )
        return [
            [FROM_JOEY[token] if token < 4 else token for token in row] for row in found.tolist()
        ]


class JoeyRNN(Joey):
    """LSTM, Luong attention, no input feeding (as the lab's on the toy); its decoder goes step by
    step all the same."""

    def config(self) -> dict:
        width, layers = self.size.width, self.size.layers
        common = {
            "type": "recurrent",
            "rnn_type": "lstm",
            "num_layers": layers,
            "dropout": 0.0,
            "embeddings": {"embedding_dim": width},
        }
        encoder = {**common, "hidden_size": width // 2, "bidirectional": True}
        decoder = {
            **common,
            "hidden_size": width,
            "attention": "luong",
            "init_hidden": "bridge",
            "input_feeding": False,
            "hidden_dropout": 0.0,
        }
        return {"encoder": encoder, "decoder": decoder, "lstm_forget_gate": 1.0}


class JoeyTransformer(Joey):
    """Transformer of as many parameters; joeynmt 2.3 decodes by running it on the whole prefix
    again at each step."""

    rate_index = 1

    def config(self) -> dict:
        size = self.size
        part = {
            "type": "transformer",
            "num_layers": size.layers,
            "num_heads": size.heads,
            "hidden_size": size.width,
            "ff_size": size.inner,
            "dropout": 0.0,
            "layer_norm": "pre",
            "embeddings": {"embedding_dim": size.width, "scale": True},
        }
        return {
            "encoder": part,
            "decoder": dict(part),
            "tied_embeddings": False,
            "tied_softmax": True,
            "initializer": "xavier_uniform",
            "embed_initializer": "xavier_uniform",
        }
