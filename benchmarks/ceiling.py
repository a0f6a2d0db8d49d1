"""The limit: what this machine's arithmetic and memory can do, and how much of both a target token
needs.

python -m benchmarks.ceiling    measures with one thread and prints

Operations are counted by seqkd_lab/planning/operations.py.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from seqkd_lab.planning.operations import Shape, forward_operations, parts, training_operations

FLOAT = 4  # bytes
WEIGHTS, MEMORY = "reading weights of 4 MiB", "copying 1 GiB"
"""The two rates of memory. Models of this size stay in the processor's caches, so the first one
limits them."""


@dataclass(frozen=True)
class Work:
    """Operations and bytes for one target token."""

    operations: float
    bytes: float

    def seconds(self, operations_per_s: float, bytes_per_s: float) -> float:
        """The least time for a token where arithmetic and memory work side by side: the slower of
        the two."""
        return max(self.operations / operations_per_s, self.bytes / bytes_per_s)


def training(shape: Shape, batch_size: int) -> Work:
    """One target token of an update. Bytes: parameters read for both passes, their gradients and
    Adam's two moments read and written, shared by the batch's tokens; and every intermediate vector
    written once and read twice."""
    parameters = n_parameters(shape) * 9 * FLOAT / (batch_size * shape.target_length)
    return Work(training_operations(shape), parameters + 3 * FLOAT * vectors(shape))


def decoding(shape: Shape, beam_size: int, batch_size: int, weight_bytes: int = FLOAT) -> Work:
    """One target token of a search. Bytes: the decoder's parameters read at every step, shared by
    the batch; keys and values of the source read at every step; and the intermediate vectors of
    each hypothesis written and read."""
    _, decoder = parts(shape)
    attention = 2 * FLOAT * shape.source_length * shape.width * (shape.layers if shape.inner else 1)
    weights = decoder / 2 * weight_bytes / batch_size
    return Work(
        forward_operations(shape, beam_size),
        weights + attention + 2 * FLOAT * beam_size * vectors(shape),
    )


def vectors(shape: Shape) -> float:
    """Numbers that one target token, with its share of the source, leaves between the matrix
    products."""
    per_layer = (
        6 * shape.width
    )  # four gates, cell and output; or queries, keys, values, sums of a Transformer's layer
    sides = 1.0 + shape.source_length / shape.target_length
    return (
        sides * shape.layers * (per_layer + shape.inner)
        + 3 * shape.width
        + 2 * shape.n_target_words
    )


def n_parameters(shape: Shape) -> float:
    """Roughly: half of the operations that use weights once, and the embeddings."""
    encoder, decoder = parts(shape)
    return (encoder + decoder) / 2 + (shape.n_source_words + shape.n_target_words) * shape.width


def best_seconds(work: Callable[[], Any], repeats: int = 7, least: float = 0.05) -> float:
    """The shortest time of one `work()`, out of `repeats` measurements of at least `least` seconds
    each."""
    work()
    n, best = 1, float("inf")
    while True:
        start = time.perf_counter()
        for _ in range(n):
            work()
        taken = time.perf_counter() - start
        if taken >= least:
            break
        n *= 2
    for _ in range(repeats):
        start = time.perf_counter()
        for _ in range(n):
            work()
        best = min(best, (time.perf_counter() - start) / n)
    return best


def product_rate(rows: int, inner: int, columns: int) -> float:
    """Operations a second of an fp32 product (rows, inner) · (inner, columns) by torch, with its
    present threads."""
    import torch

    a, b, out = torch.randn(rows, inner), torch.randn(inner, columns), torch.empty(rows, columns)
    return 2.0 * rows * inner * columns / best_seconds(lambda: torch.mm(a, b, out=out))


def bandwidth(mebibytes: int = 1024) -> float:
    """Bytes a second of a copy far larger than the caches, read and written bytes together."""
    import torch

    source = torch.ones(mebibytes * 2**20 // FLOAT)
    target = torch.empty_like(source)
    return 2.0 * source.numel() * FLOAT / best_seconds(lambda: target.copy_(source), repeats=3)


def reading_rate(rows: int = 1024, columns: int = 1024) -> float:
    """Bytes a second at which a product with one vector reads its matrix."""
    import torch

    matrix, vector, out = torch.randn(rows, columns), torch.randn(columns), torch.empty(rows)
    return FLOAT * rows * columns / best_seconds(lambda: torch.mv(matrix, vector, out=out))


def measure(threads: int = 1) -> dict[str, float]:
    """This machine's rates: products of one large square and of an LSTM's shapes (GFLOP/s), memory
    (GB/s)."""
    import torch

    torch.set_num_threads(threads)
    giga = 1e-9
    result = {"threads": float(threads), "square 2048": giga * product_rate(2048, 2048, 2048)}
    for width in (128, 192):
        result[f"gates of a batch, width {width}"] = giga * product_rate(64, width, 4 * width)
        result[f"gates of a batch's words, width {width}"] = giga * product_rate(
            64 * 15, width, 4 * width
        )
        result[f"output layer, width {width}"] = giga * product_rate(64 * 15, width, 543)
    result[WEIGHTS], result[MEMORY] = giga * reading_rate(), giga * bandwidth()
    return result


def table(measured: dict[str, float]) -> str:
    """The rates as a markdown table."""
    lines = [f"| with {measured['threads']:.0f} thread(s) | |", "|---|---|"]
    for name, value in measured.items():
        if name != "threads":
            lines.append(
                f"| {name} | {value:.1f} {'GB/s' if name in (WEIGHTS, MEMORY) else 'GFLOP/s'} |"
            )
    return "\n".join(lines)


if __name__ == "__main__":
    print(table(measure()))
