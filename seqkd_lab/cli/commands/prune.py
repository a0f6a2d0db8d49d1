"""`seqkd-lab prune`: a model without its smallest weights, retrained."""

from __future__ import annotations

import argparse
from argparse import Namespace
from dataclasses import asdict
from pathlib import Path

from tqdm import tqdm

from seqkd_lab import machine
from seqkd_lab.cli.given import data_of, store_of
from seqkd_lab.cli.models import find_model
from seqkd_lab.cli.options import add_text_files
from seqkd_lab.compression.pruning import (
    CLASS_BLIND,
    METHODS,
    check_pruning,
    held,
    n_nonzero,
    prune,
    pruned_by_class,
    shares_in_steps,
)
from seqkd_lab.distillation.losses import NLL
from seqkd_lab.distillation.sequence_level import read_distilled
from seqkd_lab.experiments.recipes import SEQ_KD
from seqkd_lab.models.folder import TrainedModel, save_folder
from seqkd_lab.training import Optimisation, Progress, forget, train


def add(verbs: argparse._SubParsersAction) -> None:
    """Add the command and its options."""
    prune = verbs.add_parser(
        "prune", help="prunes a model by magnitude and retrains what is left",
        description="Sets the smallest weights of a model to 0, trains it on while they stay 0, and writes a model's "
        "folder that holds only what is left.",
    )
    prune.add_argument("--model", default=SEQ_KD, metavar="MODEL", help="a row of the table or a model's folder")
    prune.add_argument("--share", type=float, required=True, help="of all parameters, as in 0.8 for 80%%")
    prune.add_argument("--method", choices=METHODS, default=CLASS_BLIND, help=f"default: {CLASS_BLIND}, the paper's")
    prune.add_argument("--steps", type=int, default=1, help="prune a little, retrain, again: so often (default: 1)")
    prune.add_argument("--epochs", type=int, default=5, help="of each retraining; 0 prunes only (default: 5)")
    prune.add_argument("--learning-rate", type=float, default=0.01, help="lower than in training (default: 0.01)")
    prune.add_argument("--distilled", type=Path, metavar="TSV", help="retrain on this corpus instead of gold")
    prune.add_argument("--dense", action="store_true", help="write the zeros, too")
    prune.add_argument("--seed", type=int, default=1)
    prune.add_argument("--out", type=Path, required=True, metavar="DIR", help="the folder of the pruned model")
    add_text_files(prune)
    prune.set_defaults(run=run)


def run(given: Namespace) -> int:
    """`seqkd-lab prune`"""
    check_pruning(given.share, given.method)
    machine.use_threads(1)
    store, steps = store_of(given), shares_in_steps(given.share, given.steps)
    trained = find_model(given.model, store)
    model, subwords = trained.model, trained.subwords
    optimisation = Optimisation(given.epochs, given.learning_rate, batch_size=128) if given.epochs else None
    data = store.dataset(data_of(given, "full" if given.source else "toy")) if optimisation else None
    corpus = data and (read_distilled(given.distilled, data.train).corpus if given.distilled else data.train)
    before, history = n_nonzero(model), []
    for share in steps:
        masks = prune(model, share, given.method)
        if optimisation is None:
            continue
        with tqdm(desc=f"{share:.0%} pruned", unit=" updates") as bar, held(model, masks):
            def watch(progress: Progress, bar: tqdm = bar) -> None:
                bar.total = progress.n_updates
                bar.update()

            learned = train(model, corpus, data.valid, NLL(), optimisation, given.seed, None, [watch],
                            unfinished(given, share))
            history.append({"share": share, **asdict(learned)})
    save_folder(given.out, TrainedModel(model, subwords), history, sparse=not given.dense)
    for share in steps:
        forget(unfinished(given, share))
    left = n_nonzero(model)
    print(f"{given.out}: {left:,} of {before:,} parameters are left ({before / left:.1f} times fewer)")
    print("zeros by part: " + ", ".join(f"{name} {share:.0%}" for name, share in pruned_by_class(model).items()))
    return 0


def unfinished(given: Namespace, share: float) -> Path:
    """Where an interrupted retraining is kept: another share, method or length does not go on from it."""
    return given.out / f"unfinished-{given.method}-{share:.4f}-{given.steps}-{given.epochs}"
