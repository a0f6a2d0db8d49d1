"""`seqkd-lab prune`: remove the smallest weights of a model, and retrain the rest."""

from __future__ import annotations

import argparse
from argparse import Namespace
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from seqkd_lab import machine
from seqkd_lab.cli import options
from seqkd_lab.cli.learning import (
    UNFINISHED,
    changed,
    distilled_pairs,
    forget_all,
    read_files,
    run_key,
    settle,
    watcher,
)
from seqkd_lab.cli.models import check_kind, find_model, one_cutter, trained_on
from seqkd_lab.cli.options import names_own_text, naming
from seqkd_lab.cli.paths import check_folder
from seqkd_lab.cli.resolve import data_of, place_of, store_of
from seqkd_lab.cli.terminal import Bar
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
from seqkd_lab.devices import FP32
from seqkd_lab.distillation.losses import NLL
from seqkd_lab.models.folder import save_folder
from seqkd_lab.models.seq2seq import Seq2Seq
from seqkd_lab.optimisation import Optimisation
from seqkd_lab.runs.recipes import TextData, ToyData
from seqkd_lab.training import train


def add(verbs: argparse._SubParsersAction) -> None:
    """Add the command and its options."""
    prune = verbs.add_parser(
        "prune",
        parents=[
            options.MODEL,
            options.out("DIR", "folder of the pruned model"),
            options.distilled("retrain on this distilled corpus instead of gold"),
            options.seed("seed of the retraining"),
            options.TEXT,
            options.DEVICE,
        ],
        help="prune a model by magnitude, and retrain what is left",
        description="Sets the smallest weights of a model to 0, continues training while they "
        "stay 0, and writes a model folder that stores only the remaining weights.",
    )
    prune.add_argument(
        "--share",
        type=float,
        required=True,
        metavar="X",
        help="fraction of parameters to prune (e.g. 0.8)",
    )
    prune.add_argument(
        "--method",
        choices=METHODS,
        default=CLASS_BLIND,
        help=f"pruning scheme (default: {CLASS_BLIND}, the paper's)",
    )
    prune.add_argument(
        "--steps",
        type=int,
        default=1,
        metavar="N",
        help="number of prune-and-retrain iterations (default: 1)",
    )
    prune.add_argument(
        "--epochs",
        type=int,
        default=5,
        metavar="N",
        help="epochs of each retraining; 0 prunes without retraining (default: 5)",
    )
    prune.add_argument(
        "--learning-rate",
        type=float,
        default=0.01,
        metavar="X",
        help="learning rate of the retraining (default: 0.01)",
    )
    prune.add_argument(
        "--dense", action="store_true", help="store the model densely, with its zeros"
    )
    prune.set_defaults(run=run)


def run(arguments: Namespace) -> int:
    """Run `seqkd-lab prune`; return the exit code."""
    with naming(arguments, "share"):
        check_pruning(arguments.share, arguments.method)
    machine.use_threads(1)
    with naming(arguments, "steps"):
        steps = shares_in_steps(arguments.share, arguments.steps)
    store, optimisation = store_of(arguments), None
    if arguments.epochs:
        optimisation = Optimisation(batch_size=128)
        for name in ("epochs", "learning_rate"):
            optimisation = changed(optimisation, arguments, name)
    cutter = one_cutter([arguments.model], read_files([arguments.distilled]))
    place = place_of(arguments, cutter is not None)
    data = None
    if optimisation is not None:
        check_kind([arguments.model], names_own_text(arguments))
        data = retraining_data(arguments, cutter)
    check_folder(arguments.out)
    trained = find_model(arguments.model, store)
    model, before = trained.model.place(*place), n_nonzero(trained.model)
    history: list[dict] = []
    if optimisation is not None and data is not None:
        history = retrained(arguments, model, steps, optimisation, data)
    else:
        for share in steps:
            prune(model, share, arguments.method)
    save_folder(arguments.out, trained, history, sparse=not arguments.dense)
    forget_all(arguments.out)
    left = n_nonzero(model)
    print(
        f"{arguments.out}: {left:,} of {before:,} parameters are left ({before / left:.1f} times "
        "fewer)"
    )
    print(
        "zeros by part: "
        + ", ".join(f"{name} {share:.0%}" for name, share in pruned_by_class(model).items())
    )
    return 0


def retrained(
    arguments: Namespace,
    model: Seq2Seq,
    steps: Sequence[float],
    optimisation: Optimisation,
    pairs: ToyData | TextData,
) -> list[dict]:
    """Prune `model` in place to each share of `steps` in turn and retrain it there; return the
    history of each.

    A retraining that was interrupted goes on, if it was of the same model, share, method, settings
    and data.
    """
    data = store_of(arguments).dataset(pairs)
    corpus = data.train if arguments.distilled is None else distilled_pairs(arguments, data.train)
    work = run_key(
        model,
        arguments.method,
        optimisation,
        arguments.seed,
        corpus.fingerprint,
        data.valid.fingerprint,
        *([] if model.precision == FP32 else [model.precision]),
    )
    history = []
    for number, share in enumerate(steps, start=1):
        directory, key = (
            arguments.out / f"{UNFINISHED}-{number}",
            run_key(work, list(steps[:number])),
        )
        settle(directory, key)
        masks = prune(model, share, arguments.method)
        with Bar(desc=f"{share:.0%} pruned", unit=" updates") as bar, keep_pruned(model, masks):
            learned = train(
                model,
                corpus,
                data.valid,
                NLL(),
                optimisation,
                arguments.seed,
                callbacks=[watcher(bar)],
                resume_from=directory,
                key=key,
            )
        history.append({"share": share, **learned.as_dict()})
    return history


def retraining_data(arguments: Namespace, cutter: Path | None) -> ToyData | TextData:
    """Return the pairs to retrain on: unless --pairs says otherwise, as many as the model was
    trained on."""
    data, known = (
        data_of(arguments, "full" if names_own_text(arguments) else "toy", cutter),
        trained_on([arguments.model]),
    )
    if arguments.pairs is None and known.n_pairs is not None:
        return replace(data, n_train=known.n_pairs)
    return data
