"""What lesson 09 measures on the spot: methods on one model, a short retraining, and torch's sparse
product alone."""

from __future__ import annotations

import copy
import time
from collections.abc import Mapping, Sequence
from contextlib import nullcontext
from dataclasses import dataclass
from functools import partial
from statistics import fmean, median

import torch
from torch import nn

from seqkd_lab.compression.kernels import SparseLinear
from seqkd_lab.compression.pruning import (
    CLASS_BLIND,
    METHODS,
    keep_pruned,
    n_nonzero,
    prune,
    pruned_by_class,
)
from seqkd_lab.corpus.parallel import ParallelCorpus
from seqkd_lab.corpus.toy import ToyLanguage
from seqkd_lab.decoding.search import search
from seqkd_lab.distillation.losses import NLL
from seqkd_lab.lab.shared.lesson import Bar, scaled, trained
from seqkd_lab.lab.shared.scores import validity
from seqkd_lab.models.seq2seq import Seq2Seq
from seqkd_lab.optimisation import Optimisation, Progress
from seqkd_lab.runs.clock import in_turn
from seqkd_lab.runs.committed import load_committed
from seqkd_lab.runs.recipes import SEQ_KD, ToyData
from seqkd_lab.runs.store import Report, silent
from seqkd_lab.studies.pruning.measures import CHECKPOINTS, pruning_checkpoint
from seqkd_lab.studies.pruning.recipes import PRUNING, Place, pruning_recipes
from seqkd_lab.studies.pruning.study import FIRST_SEED
from seqkd_lab.training import train

SIZES = {
    "66 → 543 (our student's output layer)": (66, 543),
    "512 → 8,000 (a small real one)": (512, 8000),
}


def students(from_nothing: bool = False) -> dict[str, Seq2Seq]:
    """Return Table 3's distilled student as distillation left it, and pruned by 80% and retrained,
    by CHECKPOINTS' names: the committed ones, or trained here."""
    if not from_nothing:
        return {name: load_committed(pruning_checkpoint(name)) for name in CHECKPOINTS}
    recipes = pruning_recipes(ToyData(n_train=scaled(None, 400)), PRUNING, FIRST_SEED)
    return {name: trained(recipes[Place(SEQ_KD, *level)]) for name, level in CHECKPOINTS.items()}


def pruned_copy(model: Seq2Seq, share: float, method: str = CLASS_BLIND) -> Seq2Seq:
    """Return a copy of `model`, pruned; the model stays as it is."""
    copied = copy.deepcopy(model)
    prune(copied, share, method)
    return copied


def share_valid(model: Seq2Seq, language: ToyLanguage, sources: Sequence[tuple[str, ...]]) -> float:
    """Return the share of the model's greedy translations of `sources` that are valid."""
    return fmean(validity(model, language, sources))


def by_method(
    model: Seq2Seq, share: float, language: ToyLanguage, sources: Sequence[tuple[str, ...]]
) -> tuple[dict[str, dict[str, float]], dict[str, float]]:
    """Return for each of METHODS the zeros of each weight class, and the share of valid greedy
    translations of `sources`."""
    pruned = {method: pruned_copy(model, share, method) for method in METHODS}
    zeros = {method: pruned_by_class(copied) for method, copied in pruned.items()}
    scores = {method: share_valid(copied, language, sources) for method, copied in pruned.items()}
    return zeros, scores


def own_translations(model: Seq2Seq, corpus: ParallelCorpus) -> ParallelCorpus:
    """Return `corpus` with the model's own greedy translations as targets: what a distilled student
    had learned from, nearly, without its teacher."""
    with Bar(f"translating {len(corpus)} sentences") as bar:
        hypotheses = search(
            model, corpus.source, progress=lambda done: bar.move(bar.bar.n + done, len(corpus))
        )
    return corpus.with_target(tuple(best[0].tokens for best in hypotheses))


@dataclass(frozen=True)
class Retrained:
    """A pruned model after a short training: the NLL of gold (nats a token) after each epoch, and
    what is not 0."""

    model: Seq2Seq
    valid_loss: tuple[float, ...]
    n_nonzero: int


RETRAINING = Optimisation(3, 0.01, 32)


def retrain(
    model: Seq2Seq,
    share: float,
    corpus: ParallelCorpus,
    valid: ParallelCorpus,
    hold: bool = True,
    optimisation: Optimisation = RETRAINING,
    seed: int = 1,
) -> Retrained:
    """Return a copy of `model`, pruned by `share` and trained on `corpus`, with a bar; without
    `hold` the zeros may move."""
    copied = copy.deepcopy(model)
    masks = prune(copied, share)
    with (
        Bar(f"{share:.0%} pruned, zeros {'held' if hold else 'free'}") as bar,
        keep_pruned(copied, masks) if hold else nullcontext(),
    ):

        def watch(progress: Progress) -> None:
            bar.move(progress.update, progress.n_updates)

        history = train(copied, corpus, valid, NLL(), optimisation, seed, callbacks=[watch])
    return Retrained(copied, tuple(history.valid_loss), n_nonzero(copied))


def sparse_products(
    shares: Sequence[float],
    sizes: Mapping[str, tuple[int, int]] = SIZES,
    n_prefixes: int = 1,
    repetitions: int = 15,
    report: Report = silent,
) -> dict[str, dict[float, float]]:
    """Measure, for each size (D, V) and share of zeros, how many times as fast as the dense product
    (N, D) · Wᵀ torch's sparse one is, N = n_prefixes. The median of the rounds, in the threads that
    torch has. `report` is called with (done, total)."""
    ratios: dict[str, dict[float, float]] = {name: {} for name in sizes}
    for number, (name, (D, V)) in enumerate(sizes.items()):
        torch.manual_seed(0)
        layer, x = nn.Linear(D, V), torch.randn(n_prefixes, 1, D)
        for done, share in enumerate(shares, start=1 + number * len(shares)):
            pruned = copy.deepcopy(layer)
            prune(pruned, share)
            jobs = {"dense": partial(_seconds, pruned, x)}
            jobs["sparse"] = partial(_seconds, SparseLinear(pruned), x)
            seconds = in_turn(jobs, repetitions)
            ratios[name][share] = median(seconds["dense"]) / median(seconds["sparse"])
            report(done, len(sizes) * len(shares))
    return ratios


@torch.inference_mode()
def _seconds(layer: nn.Module, x: torch.Tensor, n_calls: int = 20) -> float:
    """Measure the seconds of `n_calls` calls."""
    start = time.perf_counter()
    for _ in range(n_calls):
        layer(x)
    return time.perf_counter() - start
