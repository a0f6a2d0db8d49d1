"""Hugging Face transformers: a small MarianMT trained here, and its `generate`; runs in its own
environment."""

from __future__ import annotations

import os
from pathlib import Path

os.environ.setdefault("HF_HUB_OFFLINE", "1")

from torch import Tensor  # noqa: E402
from torch.nn.functional import cross_entropy  # noqa: E402
from transformers import MarianConfig, MarianMTModel  # noqa: E402
from transformers.utils import logging  # noqa: E402

from benchmarks.corpus import EOS, PAD  # noqa: E402
from benchmarks.peers.torch_peer import TorchPeer, longest_output  # noqa: E402

logging.set_verbosity_error()


class Marian(TorchPeer):
    """A Tool: Transformer with as many parameters as the LSTM of its size; output and target
    embeddings are tied."""

    rate_index = 1
    fused = True

    def build(self) -> None:
        size = self.size
        self.model = MarianMTModel(
            MarianConfig(
                vocab_size=len(self.corpus.source_vocabulary),
                decoder_vocab_size=len(self.corpus.target_vocabulary),
                share_encoder_decoder_embeddings=False,
                d_model=size.width,
                encoder_layers=size.layers,
                decoder_layers=size.layers,
                encoder_attention_heads=size.heads,
                decoder_attention_heads=size.heads,
                encoder_ffn_dim=size.inner,
                decoder_ffn_dim=size.inner,
                activation_function="relu",
                dropout=0.0,
                attention_dropout=0.0,
                activation_dropout=0.0,
                scale_embedding=True,
                max_position_embeddings=128,
                pad_token_id=PAD,
                eos_token_id=EOS,
                decoder_start_token_id=PAD,
                forced_eos_token_id=None,
            )
        )

    def loss(self, source: Tensor, lengths: Tensor, target: Tensor) -> Tensor:
        target_in = target[:, :-1].clone()
        target_in[:, 0] = PAD  # Marian starts its decoder from the zero embedding of PAD
        logits = self.model(
            input_ids=source,
            attention_mask=(source != PAD).long(),
            decoder_input_ids=target_in,
            use_cache=False,
        ).logits
        return cross_entropy(
            logits.transpose(1, 2), target[:, 1:], ignore_index=PAD, reduction="sum"
        )

    def search(self, source: Tensor, lengths: Tensor, beam_size: int) -> list[list[int]]:
        found = self.model.generate(
            input_ids=source,
            attention_mask=(source != PAD).long(),
            num_beams=beam_size,
            do_sample=False,
            max_new_tokens=longest_output(lengths),
            length_penalty=0.0,
            early_stopping=False,
        )
        return found[:, 1:].tolist()

    def save(self, folder: Path) -> None:
        """The weights, and beside them what CTranslate2 reads."""
        super().save(folder)
        from benchmarks.peers.ct2 import convert

        convert(self.model, self.corpus, folder)
