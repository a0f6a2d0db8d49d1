"""The lab's Transformer under the names of transformers' Pegasus: the same numbers, and nothing of
the peer imported.

Pegasus is the model there that ours is, too: the normalisation before each part and once more at
both ends, biases everywhere, positions from a table. What differs is put right in the weights:
- its table of positions begins with all sines, ours alternates: it is given ours;
- keys and values are two layers there, one of twice the width here;
- a tied model reads words √D times as large as its last layer has them: there both are stored, one
  of them multiplied;
- the search never writes PAD and BOS here: there the last layer's bias forbids them.
Source and target keep vocabularies of their own, PAD, BOS, EOS and UNK first in both, so that a
word's number is the same in both libraries, and the last layer has as many words.
"""

from __future__ import annotations

from pathlib import Path

import torch
from torch import Tensor, nn

from seqkd_lab.corpus.vocabulary import EOS
from seqkd_lab.models.architectures import name_of
from seqkd_lab.models.checkpoint import load_model
from seqkd_lab.models.transformer import DecoderLayer, EncoderLayer, TransformerSeq2Seq
from seqkd_lab.models.transformer_parts import Attention, sinusoids

NEVER = -1e9
"""The logit of a word that is not to be written; −inf would turn a draft's and a target's ratio
into NaN."""
Layer = nn.Linear | nn.LayerNorm


def load_transformer(folder: Path) -> TransformerSeq2Seq:
    """The model that save_model wrote to `folder`. Raises ValueError for no model, or one that is
    no Transformer."""
    if not (folder / "model.json").is_file():
        raise ValueError(f"{folder}: there is no model.json; name a folder that save_model wrote")
    model = load_model(folder)
    if not isinstance(model, TransformerSeq2Seq):
        found = name_of(model.spec)
        raise ValueError(
            f"{folder}: target and draft must both be Transformers; this model is of type {found!r}"
        )
    return model


def load_both(target: Path, draft: Path) -> tuple[TransformerSeq2Seq, TransformerSeq2Seq]:
    """Target and draft. Raises ValueError when one is no Transformer, or when their vocabularies
    differ."""
    models = load_transformer(target), load_transformer(draft)
    vocabularies = [(model.source_vocabulary, model.target_vocabulary) for model in models]
    if vocabularies[0] != vocabularies[1]:
        raise ValueError(
            f"{target} and {draft} must share their vocabularies: train both on one corpus"
        )
    return models


def named(name: str, weight: Tensor, bias: Tensor) -> dict[str, Tensor]:
    """Weight and bias of a layer that is called `name` there."""
    return {f"{name}.weight": weight, f"{name}.bias": bias}


def layer(name: str, of: Layer) -> dict[str, Tensor]:
    """A layer that is one there, too."""
    return named(name, of.weight, of.bias)


def attention(name: str, of: Attention) -> dict[str, Tensor]:
    """Four layers (D, D) of a multi-head attention; here keys and values are the halves of one."""
    (key, value), (key_bias, value_bias) = of.key_value.weight.chunk(2), of.key_value.bias.chunk(2)
    return {
        **layer(f"{name}.q_proj", of.query),
        **named(f"{name}.k_proj", key, key_bias),
        **named(f"{name}.v_proj", value, value_bias),
        **layer(f"{name}.out_proj", of.out),
    }


def feed_forward(name: str, of: nn.Sequential) -> dict[str, Tensor]:
    """Both layers of a feed-forward part."""
    return {**layer(f"{name}.fc1", of[0]), **layer(f"{name}.fc2", of[2])}


def encoder_layer(name: str, of: EncoderLayer) -> dict[str, Tensor]:
    """Attention and feed-forward, each with its normalisation."""
    return {
        **attention(f"{name}.self_attn", of.attention),
        **layer(f"{name}.self_attn_layer_norm", of.norms[0]),
        **feed_forward(name, of.feed),
        **layer(f"{name}.final_layer_norm", of.norms[1]),
    }


def decoder_layer(name: str, of: DecoderLayer) -> dict[str, Tensor]:
    """Attention to what was written and to the source, and feed-forward, each with its
    normalisation."""
    return {
        **attention(f"{name}.self_attn", of.own),
        **layer(f"{name}.self_attn_layer_norm", of.norms[0]),
        **attention(f"{name}.encoder_attn", of.source),
        **layer(f"{name}.encoder_attn_layer_norm", of.norms[1]),
        **feed_forward(name, of.feed),
        **layer(f"{name}.final_layer_norm", of.norms[2]),
    }


def weights(model: TransformerSeq2Seq, n_positions: int) -> dict[str, Tensor]:
    """All weights by their names in PegasusForConditionalGeneration, for sentences of up to
    `n_positions` tokens.

    The source's embeddings are (V source, D), the target's and the last layer (V target, D), all
    tables of positions (n_positions, D). `model.shared` is the decoder's embeddings once more, as
    the peer's class keeps them there, too.
    """
    read = model.target_scale * model.target_embedding.weight
    bias = model.output.bias.clone()
    bias[:EOS] = NEVER  # PAD and BOS, the ids before EOS
    positions = sinusoids(0, n_positions, model.spec.width)
    found = {
        "model.encoder.embed_tokens.weight": model.source_embedding.weight,
        "model.decoder.embed_tokens.weight": read,
        "model.shared.weight": read,
        "model.encoder.embed_positions.weight": positions,
        "model.decoder.embed_positions.weight": positions,
        **layer("model.encoder.layer_norm", model.encoder_norm),
        **layer("model.decoder.layer_norm", model.decoder_norm),
        "lm_head.weight": model.output.weight,
        "final_logits_bias": bias[None],
    }
    for i, of in enumerate(model.encoder):
        found |= encoder_layer(f"model.encoder.layers.{i}", of)
    for i, of in enumerate(model.decoder):
        found |= decoder_layer(f"model.decoder.layers.{i}", of)
    return {name: tensor.detach() for name, tensor in found.items()}


def check_equal(ours: Tensor, theirs: Tensor, what: str, most: float = 1e-4) -> float:
    """The largest difference of two models' logits (B, T, V), apart from those of PAD and BOS.

    Raises ValueError when it is above `most`: the models are then not the same.
    """
    difference = float((ours - theirs)[..., EOS:].abs().max())
    if not difference <= most or not torch.isfinite(ours).all():
        raise ValueError(
            f"the converted {what} is another model: its logits differ by up to {difference:g}, "
            f"where {most:g} is allowed"
        )
    return difference
