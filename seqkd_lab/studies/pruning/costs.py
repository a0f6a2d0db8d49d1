"""What a pruned model really costs: bytes of its file, bytes of its weights in memory, words it
translates in a second.

A zero that is stored costs as much as any other number, and a zero that is multiplied takes as
long. So each level of pruning is written in four ways, compressed too, and translates with torch's
dense and with its sparse product.
"""

from __future__ import annotations

import zlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial

from safetensors.torch import save
from torch import Tensor

from seqkd_lab.compression.kernels import with_sparse_output
from seqkd_lab.compression.pruning import CLASS_BLIND
from seqkd_lab.compression.quantisation import quantised_weights
from seqkd_lab.models.seq2seq import Seq2Seq
from seqkd_lab.models.sparse_weights import pack
from seqkd_lab.runs.clock import BATCHED, ONE_BY_ONE, in_turn, words_per_second
from seqkd_lab.runs.recipes import SEQ_KD
from seqkd_lab.runs.store import Store
from seqkd_lab.studies.pruning.recipes import RETRAINED, Place, PruningRun

DENSE, SPARSE, DENSE_INT8, SPARSE_INT8 = "dense", "sparse", "dense, 8 bits", "sparse, 8 bits"
BATCHES = {"one by one": ONE_BY_ONE, "batched": BATCHED}
N_SOURCES, REPETITIONS = {ONE_BY_ONE: 60, BATCHED: 600}, 5


@dataclass(frozen=True)
class Cost:
    """One level of pruning. file, compressed: bytes by form (DENSE …), the second after zlib.
    memory: bytes of all weights by the kernel of the output layer (DENSE, SPARSE). speed: source
    words a second of greedy search in each repetition, by batch (BATCHES) and kernel."""

    share: float
    file: Mapping[str, int]
    compressed: Mapping[str, int]
    memory: Mapping[str, int]
    speed: Mapping[str, Mapping[str, Sequence[float]]]


def stored_forms(model: Seq2Seq) -> dict[str, bytes]:
    """The model's weights as the bytes of a safetensors file, in each form."""
    weights = {name: tensor.contiguous() for name, tensor in model.state_dict().items()}
    int8 = quantised_weights(weights)
    return {
        DENSE: save(weights),
        SPARSE: save(pack(weights)),
        DENSE_INT8: save(int8),
        SPARSE_INT8: save(_packed(int8)),
    }


def _packed(int8: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """Matrices of whole numbers without their zeros; scales and vectors as they are."""
    matrices = {name: tensor for name, tensor in int8.items() if tensor.dim() == 2}
    return pack(matrices) | {name: tensor for name, tensor in int8.items() if name not in matrices}


def memory(model: Seq2Seq) -> dict[str, int]:
    """Bytes of the weights while the model translates, with a dense and with a sparse output
    layer."""
    everything = sum(parameter.nbytes for parameter in model.parameters())
    sparse = with_sparse_output(model).output
    return {DENSE: everything, SPARSE: everything - model.output.weight.nbytes + sparse.n_bytes}


def measure_costs(
    models: Mapping[float, Seq2Seq],
    sources: Sequence[Sequence[str]],
    repetitions: int = REPETITIONS,
    report: Callable[[int, int], None] | None = None,
) -> list[Cost]:
    """The Cost of models by their share of zeros; all speeds in turn, in the threads that torch
    has."""
    kernels = {
        (share, kernel): make(model)
        for share, model in models.items()
        for kernel, make in ((DENSE, lambda model: model), (SPARSE, with_sparse_output))
    }
    jobs = {
        (share, batch, kernel): partial(
            words_per_second, model, sources[: N_SOURCES[size]], 1, size
        )
        for (share, kernel), model in kernels.items()
        for batch, size in BATCHES.items()
    }
    speeds, found = in_turn(jobs, repetitions, report), []
    for share, model in models.items():
        forms = stored_forms(model)
        found.append(
            Cost(
                share,
                {name: len(form) for name, form in forms.items()},
                {name: len(zlib.compress(form, 9)) for name, form in forms.items()},
                memory(model),
                {
                    batch: {kernel: speeds[share, batch, kernel] for kernel in (DENSE, SPARSE)}
                    for batch in BATCHES
                },
            )
        )
    return found


def student_costs(
    run: PruningRun,
    store: Store,
    repetitions: int = REPETITIONS,
    report: Callable[[int, int], None] | None = None,
) -> list[Cost]:
    """Of the first seed's distilled student, pruned and retrained, at every level."""
    recipes = run.recipes(run.seeds[0])
    models = {
        share: store.model(recipes[Place(SEQ_KD, CLASS_BLIND, share, RETRAINED)])
        for share in run.preset.shares
    }
    return measure_costs(models, store.dataset(run.data).test.source, repetitions, report)
