"""What a pruned model really costs: bytes of its file, bytes of its weights in memory, words it
translates in a second.

A zero that is stored costs as much as any other number, and a zero that is multiplied takes as
long. So each level of pruning is written in four ways, compressed too, and translates with torch's
dense and with its sparse product.
"""

from __future__ import annotations

import zlib
from collections.abc import Mapping, Sequence
from functools import partial

from safetensors.torch import save
from torch import Tensor

from seqkd_lab.compression.kernels import SparseLinear, with_sparse_output
from seqkd_lab.compression.quantisation import quantised_weights
from seqkd_lab.models.seq2seq import Seq2Seq
from seqkd_lab.models.sparse_weights import pack
from seqkd_lab.runs.clock import BATCHED, ONE_BY_ONE, in_turn, words_per_second
from seqkd_lab.runs.recipes import SEQ_KD
from seqkd_lab.runs.store import Report, Store, silent
from seqkd_lab.studies.pruning.recipes import RETRAINED, PruningRun, class_blind

DENSE = "dense"
SPARSE = "sparse"
DENSE_INT8 = "dense, 8 bits"
SPARSE_INT8 = "sparse, 8 bits"
FORMS = (DENSE, SPARSE, DENSE_INT8, SPARSE_INT8)
BATCHES = {"one by one": ONE_BY_ONE, "batched": BATCHED}
N_SOURCES = {ONE_BY_ONE: 60, BATCHED: 600}
"""Sentences that are timed, by the number of sentences at once."""
REPETITIONS = 5
Cost = Mapping[str, Mapping]
"""What one level of pruning costs. "file" and "compressed": bytes by form, the second after zlib.
"memory": bytes of all weights by the kernel of the output layer (DENSE, SPARSE). "speed": source
words a second of greedy search in each repetition, by batch (BATCHES) and kernel."""


def stored_forms(model: Seq2Seq) -> dict[str, bytes]:
    """Return the model's weights as the bytes of a safetensors file, in each of FORMS."""
    weights = {name: tensor.contiguous() for name, tensor in model.state_dict().items()}
    int8 = quantised_weights(weights)
    return {
        DENSE: save(weights),
        SPARSE: save(pack(weights)),
        DENSE_INT8: save(int8),
        SPARSE_INT8: save(_packed(int8)),
    }


def _packed(int8: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """Return matrices of whole numbers without their zeros; scales and vectors as they are."""
    matrices = {name: tensor for name, tensor in int8.items() if tensor.dim() == 2}
    return pack(matrices) | {name: tensor for name, tensor in int8.items() if name not in matrices}


def memory(model: Seq2Seq) -> dict[str, int]:
    """Return the bytes of the weights while the model translates, with a dense and with a sparse
    output layer."""
    everything = sum(parameter.nbytes for parameter in model.parameters())
    dense, sparse = model.output, with_sparse_output(model).output
    assert isinstance(dense.weight, Tensor) and isinstance(sparse, SparseLinear)
    return {DENSE: everything, SPARSE: everything - dense.weight.nbytes + sparse.n_bytes}


def measure_costs(
    models: Mapping[float, Seq2Seq],
    sources: Sequence[Sequence[str]],
    repetitions: int = REPETITIONS,
    report: Report = silent,
) -> dict[float, Cost]:
    """Measure the Cost of models by their share of zeros; all speeds in turn, in the threads that
    torch has."""
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
    speeds = in_turn(jobs, repetitions, report)
    return {
        share: _bytes(model)
        | {
            "speed": {
                batch: {kernel: speeds[share, batch, kernel] for kernel in (DENSE, SPARSE)}
                for batch in BATCHES
            }
        }
        for share, model in models.items()
    }


def _bytes(model: Seq2Seq) -> dict[str, dict[str, int]]:
    forms = stored_forms(model)
    return {
        "file": {name: len(form) for name, form in forms.items()},
        "compressed": {name: len(zlib.compress(form, 9)) for name, form in forms.items()},
        "memory": memory(model),
    }


def student_costs(
    run: PruningRun,
    store: Store,
    seed: int,
    repetitions: int = REPETITIONS,
    report: Report = silent,
) -> dict[str, Cost]:
    """Measure the distilled student of one seed, pruned and retrained, at every level, by its share
    as in results."""
    recipes = run.recipes(seed)
    models = {
        share: store.model(recipes[class_blind(SEQ_KD, share, RETRAINED)])
        for share in run.preset.shares
    }
    costs = measure_costs(models, store.dataset(run.data).test.source, repetitions, report)
    return {str(share): cost for share, cost in costs.items()}
