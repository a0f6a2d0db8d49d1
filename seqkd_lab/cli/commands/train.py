"""`seqkd-lab train`: train one model, on gold or on a distilled corpus."""

from __future__ import annotations

import argparse
import sys
import time
from argparse import Namespace
from dataclasses import replace
from pathlib import Path

import torch

from seqkd_lab import machine, processes
from seqkd_lab.cli import options
from seqkd_lab.cli.learning import (
    UNFINISHED,
    add_objectives,
    objective_of,
    pairs_to_learn,
    read_files,
    recipe_of,
    run_key,
    settle,
    watcher,
)
from seqkd_lab.cli.models import check_kind, find_teacher, one_cutter
from seqkd_lab.cli.options import names_own_text
from seqkd_lab.cli.paths import check_folder
from seqkd_lab.cli.resolve import Place, place_of, store_of
from seqkd_lab.cli.terminal import Bar
from seqkd_lab.cli.trained import save
from seqkd_lab.corpus.vocabulary import Vocabulary
from seqkd_lab.distillation.losses import Objective
from seqkd_lab.estimates import check_model
from seqkd_lab.models.architectures import build
from seqkd_lab.models.folder import TrainedModel
from seqkd_lab.models.seq2seq import Seq2Seq
from seqkd_lab.optimisation import BY_BLEU, BY_LOSS, Optimisation
from seqkd_lab.processes import Job
from seqkd_lab.runs.data import Dataset
from seqkd_lab.runs.recipes import Recipe
from seqkd_lab.training import train
from seqkd_lab.validation import MOST_SENTENCES, ValidationBLEU

LEARNED_FROM = "what it learns from"


def add(verbs: argparse._SubParsersAction) -> None:
    """Add the command and its options."""
    verb = verbs.add_parser(
        "train",
        parents=[
            options.out("DIR", "folder of the model"),
            options.preset(
                "preset whose student is trained (default: toy; full for your own text)"
            ),
            options.seed("seed of initial weights, order and dropout"),
            model_and_training(),
            options.distilled(
                "learn from this corpus, written by `seqkd-lab distil`, instead of gold",
                LEARNED_FROM,
            ),
            learned_from(),
            options.TEXT,
            options.DEVICE,
            options.CORPUS,
        ],
        help="train one model",
        description="Trains one model on gold or on a distilled corpus, and writes its folder: "
        "weights, description, subwords and history. The state is saved in DIR/unfinished "
        "after each epoch; after an interruption, the same command continues from there, and "
        "a command with other settings or data starts from scratch. Started by torchrun, several "
        "processes share the sentences of each update.",
    )
    verb.set_defaults(run=run, shares_work=True)


def model_and_training() -> argparse.ArgumentParser:
    """Return the options for the size of the model and its training."""
    parser = argparse.ArgumentParser(add_help=False)
    sizes = parser.add_argument_group(
        "model and training", "omitted options take the preset's values"
    )
    sizes.add_argument(
        "--as-teacher",
        action="store_true",
        help="train the preset's teacher instead of its student",
    )
    sizes.add_argument("--width", type=int, metavar="D", help="width of the model (an even number)")
    sizes.add_argument(
        "--layers", type=int, metavar="L", help="layers of encoder and decoder, each"
    )
    sizes.add_argument("--dropout", type=float, metavar="X", help="dropout rate, in [0, 1)")
    sizes.add_argument(
        "--epochs", type=int, metavar="N", help="number of passes over the training pairs"
    )
    sizes.add_argument(
        "--learning-rate", type=float, metavar="X", help="Adam's peak learning rate, after warm-up"
    )
    sizes.add_argument("--batch-size", type=int, metavar="N", help="number of sentences per update")
    sizes.add_argument(
        "--accumulate",
        type=int,
        default=1,
        metavar="N",
        help="divide each update's batch among the processes into N micro-batches for each, whose "
        "gradients are added up: N times less memory; one process with N = 8 follows the curve of "
        "eight with N = 1 (default: 1)",
    )
    sizes.add_argument(
        "--patience",
        type=int,
        metavar="N",
        help="stop after N epochs without a better validation score, and keep the best epoch",
    )
    sizes.add_argument(
        "--best-by",
        choices=[BY_LOSS, BY_BLEU],
        help="keep the epoch with the lowest validation loss, or with the highest BLEU of greedy "
        f"translations of the first {MOST_SENTENCES} validation sentences, which takes some "
        "seconds per epoch (default: the last epoch; with --patience, by loss). With "
        "--distilled, use bleu: the better a student copies its teacher, the higher its loss "
        "on gold may be",
    )
    return parser


def learned_from() -> argparse.ArgumentParser:
    """Return the options for what the student learns from."""
    parser = argparse.ArgumentParser(add_help=False)
    group = parser.add_argument_group(LEARNED_FROM)
    group.add_argument(
        "--add",
        type=options.typed_path,
        nargs="+",
        metavar="TSV",
        help="also learn from these pairs, written by `seqkd-lab distil --input`",
    )
    add_objectives(group)
    return parser


def run(arguments: Namespace) -> int:
    """Run `seqkd-lab train`; return the exit code."""
    machine.use_threads(1)
    place = place_of(arguments, names_own_text(arguments), processes.own_gpu())
    objective = objective_of(arguments)
    teachers = arguments.teacher or []
    tables = read_files([arguments.distilled, *(arguments.add or [])])
    recipe = recipe_of(arguments, one_cutter(teachers, tables))
    check_kind(teachers, names_own_text(arguments))
    check_folder(arguments.out)
    recipe = in_micro_batches(recipe, arguments.accumulate)
    with processes.joined(place.device) as job:
        train_model(arguments, recipe, objective, tables, place, job)
    return 0


def in_micro_batches(recipe: Recipe, accumulate: int) -> Recipe:
    """Return the recipe with `accumulate` micro-batches for each process of the job. Raise
    ValueError where the batch has fewer sentences, naming the options."""
    if accumulate < 1:
        raise ValueError(f"--accumulate must be at least 1; got {accumulate}")
    assert recipe.optimisation is not None  # every preset trains
    n = accumulate * processes.rank_and_size()[1]
    return replace(recipe, optimisation=replace(recipe.optimisation, micro_batches=n))


def train_model(
    arguments: Namespace,
    recipe: Recipe,
    objective: Objective,
    tables: list[Path],
    place: Place,
    job: Job,
) -> None:
    """Train the model of `recipe`, together with the other processes of `job`, write its folder and
    print a summary."""
    store, optimisation = store_of(arguments), recipe.optimisation
    assert optimisation is not None
    warn_of_loss(arguments, optimisation)
    with job.first_alone():
        data = store.dataset(recipe.data)
        corpus = pairs_to_learn(arguments, data)
    if data.subwords is not None:
        print(data.cleaning, file=sys.stderr)
    teachers = arguments.teacher
    teacher = find_teacher(teachers, store).model.place(*place) if teachers else None
    vocabularies = (teacher or data).source_vocabulary, (teacher or data).target_vocabulary
    key = run_key(recipe, objective, [] if teacher is None else [teacher], tables, *place.key)
    with job.first_alone():
        settle(arguments.out / UNFINISHED, key)
    model = new_model(recipe, *vocabularies).place(*place)
    started = time.monotonic()
    with Bar(desc=f"train {recipe.name}", unit=" updates", disable=not job.is_first) as bar:
        history = train(
            model,
            corpus,
            data.valid,
            objective,
            optimisation,
            recipe.seed,
            teacher,
            [watcher(bar)],
            arguments.out / UNFINISHED,
            validation=validation_of(data, optimisation),
            key=key,
            job=job,
        )
    if job.is_first:
        seconds = time.monotonic() - started
        save(arguments, recipe, data, TrainedModel(model, data.subwords), history, seconds)


def new_model(recipe: Recipe, source: Vocabulary, target: Vocabulary) -> Seq2Seq:
    """Return the recipe's model with the random weights of its seed. Raise TooLargeError where it
    cannot be trained here."""
    check_model(recipe.model.width, recipe.model.layers, len(source) + len(target))
    torch.manual_seed(recipe.seed)
    return build(recipe.model, source, target)


def validation_of(data: Dataset, optimisation: Optimisation) -> ValidationBLEU | None:
    """Return what measures BLEU after each epoch, where the epochs are chosen by it."""
    by_bleu = optimisation.best_by == BY_BLEU
    return ValidationBLEU(data.valid, data.detokenise) if by_bleu else None


def warn_of_loss(arguments: Namespace, optimisation: Optimisation) -> None:
    """Warn on stderr where the loss on gold chooses the epoch of a distilled student."""
    if (
        arguments.distilled is not None
        and optimisation.keeps_best
        and optimisation.best_by != BY_BLEU
    ):
        print(
            "The best epoch is chosen by the loss on gold validation text, but this student "
            f"learns its teacher's translations; --best-by {BY_BLEU} judges it better.",
            file=sys.stderr,
        )
