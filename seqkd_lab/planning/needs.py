"""The memory and the disk that a plan needs, as lower bounds of what is certainly there together
(estimates.py)."""

from __future__ import annotations

from dataclasses import dataclass

from seqkd_lab.estimates import (
    MIB,
    NUMBER,
    batch_bytes,
    in_words,
    search_bytes,
    training_bytes,
    weight_numbers,
)
from seqkd_lab.planning.plan import Order, Step, size

ID_BYTES = 4
"""Of a token in an encoded corpus."""
WORD_BYTES = 5.9
"""Of a word of text with the space behind it: counted on the training text of Multi30k, English and
German."""
NUMBERS_BYTES = 16
"""Of a line of a distilled corpus: its log-probability, its similarity, tabs and line end."""


@dataclass(frozen=True)
class Need:
    """What a step needs in the memory of each device, at least, and of what that consists."""

    bytes: float
    in_numbers: str


def memory_of(step: Step) -> Need | None:
    """Return what a step's weights and one batch need; None where no model computes."""
    shape, batch_size = step.shape, step.batch_size
    if shape is None:
        return None
    n_words = shape.n_source_words + shape.n_target_words
    if step.beam:
        weights = NUMBER * weight_numbers(shape.width, shape.layers, n_words)
        batch = search_bytes(batch_size, step.beam, shape.n_target_words)
        return Need(
            weights + batch,
            f"{in_words(weights)} weights + {in_words(batch)} candidates of {batch_size:,} "
            "sentences",
        )
    weights = training_bytes(shape.width, shape.layers, n_words)
    batch = batch_bytes(round(batch_size * shape.target_length), shape.n_target_words)
    return Need(
        weights + batch,
        f"{in_words(weights)} weights, gradient, Adam + {in_words(batch)} logits of "
        f"{batch_size:,} sentences",
    )


def fits(need: Need, memory_mib: float) -> str:
    """Say whether `need` fits into the memory of a device."""
    if not memory_mib:
        return "the device's memory is not known"
    if need.bytes <= memory_mib * MIB:
        return f"of {in_words(memory_mib * MIB)}"
    return f"does NOT fit into {in_words(memory_mib * MIB)}: take smaller batches or more memory"


def disk(order: Order) -> list[tuple[str, float, str]]:
    """Return what lies on disk: name, bytes, and how they are counted."""
    corpus = order.corpus
    words = corpus.source_length + corpus.target_length - 2  # EOS is not written
    tokens = corpus.source_length + corpus.target_length
    text = corpus.n_pairs * words * WORD_BYTES
    lines = corpus.n_pairs * (words * WORD_BYTES + NUMBERS_BYTES)
    ids = corpus.n_pairs * tokens * ID_BYTES
    pairs = f"{corpus.n_pairs:,} pairs"
    files = [
        ("text", text, f"{pairs} × {words:.1f} words × {WORD_BYTES} bytes"),
        ("the same as ids", ids, f"{pairs} × {tokens:.1f} tokens × {ID_BYTES} bytes"),
    ]
    for name, beam in zip("ŷỹ", order.beams, strict=True):
        counted = f"{pairs} × ({words:.1f} words × {WORD_BYTES} + {NUMBERS_BYTES} bytes)"
        files.append((f"distilled corpus {name}, K = {beam}", lines, counted))
    for spec in dict.fromkeys((order.teacher, *order.students)):
        weights = NUMBER * weight_numbers(spec.width, spec.layers, 2 * corpus.n_words)
        kept = f"4 × {in_words(weights)}: weights, the best ones, two moments"
        files.append((f"{size(spec)}, while it is trained", 4 * weights, kept))
    return files
