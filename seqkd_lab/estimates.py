"""What a piece of work needs, estimated before it begins: what cannot fit is refused at once, with
the number that would fit.

Every estimate is a lower bound, from the tensors that are certainly in memory together. B sentences
in a batch, K hypotheses each, T target tokens, V target words, D width, L layers; a number has 4
bytes.

weights     12·L·D² + V·D numbers at least: a layer of an LSTM has 14·D², one of a Transformer 12·D²
            and its feed-forward part; each vocabulary has a table of V·D
training    4 times the weights (themselves, their gradient, Adam's two moments), and per batch
            3·B·T·V numbers (logits, their log-softmax, the gradient of both)
search      2·B·K·V numbers (logits and log-softmax of every candidate), and 16 bytes for each of
            one sentence's K·V candidates as the best are chosen; 28 bytes a candidate were
            measured
worker      what this process holds with its corpus, and BATCHES_MIB for models and their batches
seeds       PLAN_BYTES for the plan of one, and a minute
"""

from __future__ import annotations

import errno
import math

from seqkd_lab import machine

NUMBER = 4
"""Bytes of a number."""
MIB, GIB = 2**20, 2**30
WORKER_MIB = 450
"""What one worker of the tour holds at its peak, measured on the toy language."""
BATCHES_MIB = 50
"""Of these, what it holds beside the libraries and the corpus, which the process that starts it
holds, too."""
MOST_SEEDS = 10_000
"""More would be a slip of the keyboard: a table of ten takes an hour or more."""
PLAN_BYTES = 40_000
"""Of a seed's tasks: twenty of two kilobytes."""


class TooLargeError(ValueError):
    """Work that does not fit; the message says what it needs, what there is, and what would fit."""


def weight_numbers(width: int, layers: int, n_words: int) -> int:
    """Return a lower bound of the numbers of a model whose vocabularies have `n_words` together."""
    return 12 * layers * width**2 + n_words * width


def training_bytes(width: int, layers: int, n_words: int) -> int:
    """Return what a model of `n_words` words in both vocabularies needs while it is trained,
    without its batches."""
    return 4 * NUMBER * weight_numbers(width, layers, n_words)


def batch_bytes(n_places: int, n_target_words: int) -> int:
    """Return what a batch of `n_places` (B·T) of the target needs while it is learned from."""
    return 3 * NUMBER * n_places * n_target_words


def search_bytes(n_sentences: int, beam_size: int, n_words: int) -> int:
    """Return what a step of a beam search needs, with `n_words` target words."""
    candidates = beam_size * n_words
    return (2 * NUMBER * n_sentences + 16) * candidates


def check_model(width: int, layers: int, n_words: int = 0) -> None:
    """Raise TooLargeError, naming the width that would fit, where a model cannot be trained here;
    n_words: in both vocabularies, 0 where they are not known yet."""
    needed, free = training_bytes(width, layers, n_words), _free()
    if needed <= free:
        return
    a, b, c = 12 * layers, n_words, free / (4 * NUMBER)  # a·D² + b·D = c
    fits = int((math.sqrt(b * b + 4 * a * c) - b) / (2 * a)) // 2 * 2
    what = (
        f"a model of {layers:,} layer{'s' * (layers > 1)} (--layers) and width {width:,} (--width)"
    )
    raise TooLargeError(_refusal(what, needed, free, fits))


def check_batch(batch_size: int, n_pairs: int, n_places: int, n_target_words: int) -> None:
    """Raise TooLargeError, naming the batch size that would fit, where a batch of `batch_size` of
    `n_pairs` sentences cannot be learned from here; n_places: of the target of all of them."""
    share = min(1.0, batch_size / max(1, n_pairs))
    needed, free = int(share * batch_bytes(n_places, n_target_words)), _free()
    if needed > free:
        fits = int(min(batch_size, n_pairs) * free / needed)
        what = f"a batch of {batch_size:,} sentences (--batch-size)"
        raise TooLargeError(_refusal(what, needed, free, fits))


def sentences_that_fit(batch_size: int, beam_size: int, n_words: int) -> int:
    """Return how many sentences can be searched together: `batch_size`, or fewer where memory is
    short. Raise TooLargeError, naming the beam that would fit, where it is not enough for one."""
    if search_bytes(batch_size, beam_size, n_words) < GIB // 4:  # no need to ask the system
        return batch_size
    one, free = search_bytes(1, beam_size, n_words), _free()
    if one > free:
        fits = int(beam_size * free / one)
        what = f"a beam of {beam_size:,} (--beam)"
        raise TooLargeError(_refusal(what, one, free, fits, " for each sentence"))
    if free == math.inf:
        return batch_size
    return min(batch_size, 1 + int(free - one) // (2 * NUMBER * beam_size * n_words))


def check_seeds(n_seeds: int) -> None:
    """Raise TooLargeError, with what they would cost, for more than MOST_SEEDS."""
    if n_seeds > MOST_SEEDS:
        raise TooLargeError(
            f"--seeds {n_seeds} would take {n_seeds // 1440:,} days at a minute a seed, and "
            f"{in_words(n_seeds * PLAN_BYTES)} for the plan alone; the most is {MOST_SEEDS:,}"
        )


def workers(
    asked: int | None, n_cores: int, needed_mib: float = WORKER_MIB, free_mib: float | None = None
) -> tuple[int, str]:
    """Return the number of workers, each of `needed_mib`, and a sentence that says why.

    asked: what the user wants (None: one a core). There are no more than memory has room for, and
    always one.
    """
    free_mib = machine.available_memory_mib() if free_mib is None else free_mib
    wanted = n_cores if asked is None else asked
    room = wanted if math.isnan(free_mib) else max(1, int(free_mib / needed_mib))
    n = min(wanted, room)
    said = f"{n:,} worker{'s' * (n != 1)}"
    cores = f"{n_cores} core{'s' * (n_cores != 1)}"
    if n == wanted:
        return n, f"{said}: {cores if asked is None else f'as asked for, on {cores}'}"
    why = cores if asked is None else f"{asked:,} asked for"
    return n, (
        f"{said}: {why}, but memory for {n:,} ({machine.memory_in_words()}, and a worker needs "
        f"about {needed_mib:,.0f})"
    )


def _free() -> float:
    """Return the bytes that this process can still take; infinity where they are not known."""
    free = machine.available_memory_mib()
    return math.inf if math.isnan(free) else free * MIB


def _refusal(what: str, needed: float, free: float, fits: int, each: str = "") -> str:
    least = "" if fits < 1 else f"; the largest that fits is about {rounded_down(fits)}"
    return (
        f"{what} would need about {in_words(needed)}{each}, and this process may use "
        f"{in_words(free)}{least}"
    )


def rounded_down(number: float) -> str:
    """Return a number with its first two digits, the others 0."""
    unit = 10 ** max(0, len(str(int(number))) - 2)
    return f"{int(number) // unit * unit:,}"


def in_words(n_bytes: float) -> str:
    """Return bytes as MiB or GiB."""
    return f"{n_bytes / GIB:,.1f} GiB" if n_bytes >= GIB else f"{n_bytes / MIB:,.0f} MiB"


ALLOCATION = ("can't allocate memory", "bad_alloc", "out of memory", "Storage size calculation")
"""How torch says in a RuntimeError that memory is short."""


def is_out_of_memory(error: BaseException) -> bool:
    """Tell whether an error says that there is no memory left, Python's own or torch's."""
    if isinstance(error, MemoryError) or getattr(error, "errno", None) == errno.ENOMEM:
        return True
    return isinstance(error, RuntimeError) and any(said in str(error) for said in ALLOCATION)


def reason(error: BaseException) -> str:
    """Return the message of an error, and of one without memory what that means."""
    if is_out_of_memory(error):
        return f"no memory is left: {machine.memory_in_words()}"
    return str(error) or type(error).__name__
