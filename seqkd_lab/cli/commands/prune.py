"""`seqkd-lab prune`: a model without its smallest weights, retrained."""

from __future__ import annotations

import argparse
from argparse import Namespace
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from tqdm import tqdm

from seqkd_lab import machine
from seqkd_lab.cli.cutters import check_kind, one_cutter
from seqkd_lab.cli.given import data_of, store_of
from seqkd_lab.cli.learning import distilled_pairs
from seqkd_lab.cli.models import find_model, trained_on
from seqkd_lab.cli.options import add_text_files, names_own_text, seed, typed_path
from seqkd_lab.cli.runs import UNFINISHED, forget_all, read_files, run_key, settle, watcher
from seqkd_lab.cli.writable import check_folder
from seqkd_lab.compression.pruning import (
    CLASS_BLIND,
    METHODS,
    check_pruning,
    keep_pruned,
    n_nonzero,
    prune,
    pruned_by_class,
    shares_in_steps,
)
from seqkd_lab.distillation.losses import NLL
from seqkd_lab.models.folder import save_folder
from seqkd_lab.models.seq2seq import Seq2Seq
from seqkd_lab.runs.recipes import SEQ_KD, TextData, ToyData
from seqkd_lab.training import Optimisation, train


def add(verbs: argparse._SubParsersAction) -> None:
    """Add the command and its options."""
    prune = verbs.add_parser(
        "prune",
        help="prunes a model by magnitude and retrains what is left",
        description="Sets the smallest weights of a model to 0, trains it on while they stay 0, "
        "and writes a model's "
        "folder that holds only what is left.",
    )
    prune.add_argument(
        "--model", default=SEQ_KD, metavar="MODEL", help="a row of the table or a model's folder"
    )
    prune.add_argument(
        "--share", type=float, required=True, help="of all parameters, as in 0.8 for 80%%"
    )
    prune.add_argument(
        "--method",
        choices=METHODS,
        default=CLASS_BLIND,
        help=f"default: {CLASS_BLIND}, the paper's",
    )
    prune.add_argument(
        "--steps", type=int, default=1, help="prune a little, retrain, again: so often (default: 1)"
    )
    prune.add_argument(
        "--epochs", type=int, default=5, help="of each retraining; 0 prunes only (default: 5)"
    )
    prune.add_argument(
        "--learning-rate", type=float, default=0.01, help="lower than in training (default: 0.01)"
    )
    prune.add_argument(
        "--distilled", type=typed_path, metavar="TSV", help="retrain on this corpus instead of gold"
    )
    prune.add_argument("--dense", action="store_true", help="write the zeros, too")
    prune.add_argument("--seed", type=seed, default=1)
    prune.add_argument(
        "--out",
        type=typed_path,
        required=True,
        metavar="DIR",
        help="the folder of the pruned model",
    )
    add_text_files(prune)
    prune.set_defaults(run=run)


def run(given: Namespace) -> int:
    """`seqkd-lab prune`"""
    check_pruning(given.share, given.method)
    machine.use_threads(1)
    store, steps = store_of(given), shares_in_steps(given.share, given.steps)
    optimisation = (
        Optimisation(given.epochs, given.learning_rate, batch_size=128) if given.epochs else None
    )
    tables = read_files([given.distilled])
    cutter = one_cutter([given.model], tables)
    if optimisation is not None:
        check_kind([given.model], names_own_text(given))
    data = None if optimisation is None else retraining_data(given, cutter)
    check_folder(given.out)
    trained = find_model(given.model, store)
    model, before = trained.model, n_nonzero(trained.model)
    history = [] if optimisation is None else retrained(given, model, steps, optimisation, data)
    if optimisation is None:
        for share in steps:
            prune(model, share, given.method)
    save_folder(given.out, trained, history, sparse=not given.dense)
    forget_all(given.out)
    left = n_nonzero(model)
    print(
        f"{given.out}: {left:,} of {before:,} parameters are left ({before / left:.1f} times fewer)"
    )
    print(
        "zeros by part: "
        + ", ".join(f"{name} {share:.0%}" for name, share in pruned_by_class(model).items())
    )
    return 0


def retrained(
    given: Namespace,
    model: Seq2Seq,
    steps: Sequence[float],
    optimisation: Optimisation,
    named: ToyData | TextData,
) -> list[dict]:
    """Prune `model` in place to each share of `steps` in turn and retrain it there; return the
    history of each.

    A retraining that was interrupted goes on, if it was of the same model, share, method, settings
    and data.
    """
    data = store_of(given).dataset(named)
    corpus = data.train if given.distilled is None else distilled_pairs(given, data.train)
    work = run_key(
        model, given.method, optimisation, given.seed, corpus.fingerprint, data.valid.fingerprint
    )
    history = []
    for number, share in enumerate(steps, start=1):
        directory, key = given.out / f"{UNFINISHED}-{number}", run_key(work, list(steps[:number]))
        settle(directory, key)
        masks = prune(model, share, given.method)
        with tqdm(desc=f"{share:.0%} pruned", unit=" updates") as bar, keep_pruned(model, masks):
            learned = train(
                model,
                corpus,
                data.valid,
                NLL(),
                optimisation,
                given.seed,
                callbacks=[watcher(bar)],
                resume_from=directory,
                key=key,
            )
        history.append({"share": share, **learned.as_dict()})
    return history


def retraining_data(given: Namespace, cutter: Path | None) -> ToyData | TextData:
    """Return the pairs to retrain on: unless --pairs says otherwise, as many as the model was
    trained on."""
    data, known = (
        data_of(given, "full" if names_own_text(given) else "toy", cutter),
        trained_on([given.model]),
    )
    if given.pairs is None and known.get("n_pairs") is not None:
        return replace(data, n_train=known["n_pairs"])
    return data
