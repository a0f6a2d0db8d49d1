"""A Transformer as a model of CTranslate2 (Klein et al. 2020, github.com/OpenNMT/CTranslate2): the
same numbers there.

CTranslate2's Transformer is ours, too: the normalisation before each part and once more at both
ends, biases everywhere, a rectifier between the two feed-forward layers. What differs is put right
here:

- its own sinusoids have other wavelengths: it is given our table, of `N_POSITIONS` rows;
- query, keys and values of a self-attention are one layer there, keys and values of the other
  attention another one;
- it multiplies embeddings by √D by default: only a tied model's target embeddings need that. A tied
  last layer is stored once;
- our search never writes PAD or BOS: there the last layer's bias forbids them. What remains is
  normalised again, so that a token's log-probability there is log p(token) − log(1 − p(PAD) −
  p(BOS)). Training never asks for the two, so that a trained model gives them next to nothing.
"""

from __future__ import annotations

from importlib import import_module
from pathlib import Path
from types import ModuleType
from typing import Any, cast

import numpy
import torch
from torch import Tensor, nn

from seqkd_lab.corpus.vocabulary import EOS
from seqkd_lab.finite import check_weights
from seqkd_lab.installation import pip
from seqkd_lab.models.architectures import name_of
from seqkd_lab.models.seq2seq import Seq2Seq
from seqkd_lab.models.transformer import TransformerSeq2Seq
from seqkd_lab.models.transformer_parts import Attention, sinusoids

QUANTISATIONS = ("float32", "float16", "int8")
"""How weights can be stored: as they are, in half the bits, or as integers with a scale for each
row."""
N_POSITIONS = 1_024
"""Rows of the table of positions: the longest source with </s>, and the longest translation with
<s>. In a small model the table weighs as much as the weights, so that it has no more of them."""
NEVER = -1e4
"""The bias of a word that is not to be written; its probability is 0 in 32 bits, and it fits into
16."""


class ExportError(ValueError):
    """A model that cannot be exported, or a place where it cannot be written; the message says
    why."""


CTRANSLATE2 = "install 'ctranslate2>=4.5,<5'"


def import_ctranslate2() -> ModuleType:
    """Return the package. Raise ExportError that says how to install it where it is missing or
    broken."""
    try:
        return import_module("ctranslate2")
    except ImportError as error:
        raise ExportError(
            f"the export needs the package ctranslate2 ({error}); install it with: "
            f"{pip(CTRANSLATE2)}"
        ) from error


def check_exportable(model: Seq2Seq) -> None:
    """Raise ExportError, with the reason, for a model that CTranslate2 cannot compute."""
    if not isinstance(model, TransformerSeq2Seq):
        raise ExportError(
            "CTranslate2 computes Transformers only, and this model is of the type "
            f"{name_of(model.spec)!r}: it has no layers for recurrent networks; train a "
            "Transformer student to export it"
        )
    if model.spec.memory is not None:
        raise ExportError(
            f"this Transformer's decoder attends to the last {model.spec.memory} target words "
            "only, and CTranslate2's attends to all of them; train one without `memory` to export "
            "it"
        )


def check_quantisation(quantisation: str) -> None:
    """Raise ExportError for a quantisation that is none of QUANTISATIONS."""
    if quantisation not in QUANTISATIONS:
        raise ExportError(
            f"quantisation must be one of {', '.join(QUANTISATIONS)}; got {quantisation!r}"
        )


def write_ctranslate2(model: Seq2Seq, directory: Path, quantisation: str = "float32") -> None:
    """Write `model` to the existing `directory` as CTranslate2 reads it: weights, settings,
    vocabularies.

    Raise ExportError for a model or quantisation that cannot be, or without ctranslate2;
    NotFiniteError where a weight is not finite; OSError on a full disk.
    """
    check_quantisation(quantisation)
    check_exportable(model)
    check_weights(model, "this model cannot be exported")
    if quantisation == "float16":
        largest = max(float(weight.detach().abs().max()) for weight in model.parameters())
        if largest > torch.finfo(torch.float16).max:
            raise ExportError(
                f"a weight of {largest:g} is beyond what float16 can hold; take float32 or int8"
            )
    assert isinstance(model, TransformerSeq2Seq)
    specification = specify(model)
    specification.validate()
    specification.optimize(quantization=quantisation)
    specification.save(str(directory))


@torch.no_grad()
def specify(model: TransformerSeq2Seq) -> Any:
    """Return CTranslate2's TransformerSpec with copies of the model's weights."""
    specs = import_ctranslate2().specs
    size = model.spec
    specification = specs.TransformerSpec.from_config(
        (size.layers, size.layers), size.heads, pre_norm=True
    )
    encoder, decoder = specification.encoder, specification.decoder
    encoder.scale_embeddings, decoder.scale_embeddings = False, size.tied
    encoder.embeddings[0].weight = numbers(model.source_embedding.weight)
    decoder.embeddings.weight = numbers(model.target_embedding.weight)
    places = sinusoids(0, N_POSITIONS, size.width)
    for side in (encoder, decoder):
        side.position_encodings.encodings = numbers(places)
    fill_encoder(encoder, model)
    fill_decoder(decoder, model)
    specification.register_source_vocabulary(list(model.source_vocabulary.tokens))
    specification.register_target_vocabulary(list(model.target_vocabulary.tokens))
    specification.config.add_source_eos = True  # the decoder starts with <s> by default
    specification.config.layer_norm_epsilon = model.encoder_norm.eps
    return specification


def fill_encoder(encoder: Any, model: TransformerSeq2Seq) -> None:
    """Hand over the encoder's layers and its last normalisation."""
    fill_norm(encoder.layer_norm, model.encoder_norm)
    for theirs, ours in zip(encoder.layer, model.encoder, strict=True):
        fill_self_attention(theirs.self_attention, ours.attention, ours.norms[0])
        fill_feed_forward(theirs.ffn, ours.feed, ours.norms[1])


def fill_decoder(decoder: Any, model: TransformerSeq2Seq) -> None:
    """Hand over the decoder's layers, its last normalisation, and the last layer."""
    fill_norm(decoder.layer_norm, model.decoder_norm)
    for theirs, ours in zip(decoder.layer, model.decoder, strict=True):
        fill_self_attention(theirs.self_attention, ours.own, ours.norms[0])
        fill_source_attention(theirs.attention, ours.source, ours.norms[1])
        fill_feed_forward(theirs.ffn, ours.feed, ours.norms[2])
    bias = cast("Tensor", model.output.bias).clone()
    bias[:EOS] = NEVER  # PAD and BOS, the ids before EOS
    fill(decoder.projection, model.output.weight, bias)


def numbers(tensor: Tensor) -> numpy.ndarray:
    """Return a copy, since CTranslate2 multiplies arrays in place when it quantises them."""
    return tensor.detach().to(torch.float32).contiguous().clone().numpy()


def fill(theirs: Any, weight: Any, bias: Any) -> None:
    """Hand over a linear layer, weight (n_out, n_in) and bias (n_out,)."""
    theirs.weight, theirs.bias = numbers(weight), numbers(bias)


def fill_norm(theirs: Any, ours: nn.LayerNorm) -> None:
    """Hand over a normalisation: gamma and beta (D,)."""
    theirs.gamma, theirs.beta = numbers(ours.weight), numbers(ours.bias)


def fill_self_attention(theirs: Any, ours: Attention, norm: nn.LayerNorm) -> None:
    """Hand over an attention to the own sentence: query, keys and values (3 D, D), then the layer
    after it (D, D)."""
    fill_norm(theirs.layer_norm, norm)
    fused = ours.query, ours.key_value
    fill(
        theirs.linear[0],
        torch.cat([part.weight for part in fused]),
        torch.cat([part.bias for part in fused]),
    )
    fill(theirs.linear[1], ours.out.weight, ours.out.bias)


def fill_source_attention(theirs: Any, ours: Attention, norm: nn.LayerNorm) -> None:
    """Hand over an attention to the source: query (D, D), keys and values (2 D, D), the layer after
    it (D, D)."""
    fill_norm(theirs.layer_norm, norm)
    for linear, part in zip(theirs.linear, (ours.query, ours.key_value, ours.out), strict=True):
        fill(linear, part.weight, part.bias)


def fill_feed_forward(theirs: Any, ours: nn.Sequential, norm: nn.LayerNorm) -> None:
    """Hand over a feed-forward part: its first and its second layer."""
    fill_norm(theirs.layer_norm, norm)
    fill(theirs.linear_0, ours[0].weight, ours[0].bias)
    fill(theirs.linear_1, ours[2].weight, ours[2].bias)
