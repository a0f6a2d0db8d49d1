"""`seqkd-lab train`: one model, on gold or on a distilled corpus."""

from __future__ import annotations

import argparse
import math
import sys
import time
from argparse import Namespace

import torch
from tqdm import tqdm

from seqkd_lab import machine
from seqkd_lab.cli.cutters import check_kind, one_cutter
from seqkd_lab.cli.given import store_of
from seqkd_lab.cli.learning import (
    add_objectives,
    objective_of,
    pairs_to_learn,
    preset_of,
    recipe_of,
)
from seqkd_lab.cli.models import find_teacher
from seqkd_lab.cli.options import add_text_files, names_own_text, seed, text_options, typed_path
from seqkd_lab.cli.runs import UNFINISHED, forget_all, read_files, run_key, settle, watcher
from seqkd_lab.cli.writable import check_folder
from seqkd_lab.distillation.forward_translation import tokens_per_source_token
from seqkd_lab.models.architectures import build
from seqkd_lab.models.folder import TRAINED_ON, TrainedModel, save_folder
from seqkd_lab.models.seq2seq import Seq2Seq
from seqkd_lab.optimisation import BY_BLEU, BY_LOSS, History, Optimisation
from seqkd_lab.runs.data import Dataset
from seqkd_lab.runs.presets import PRESETS
from seqkd_lab.runs.recipes import Recipe
from seqkd_lab.training import train
from seqkd_lab.validation import MOST_SENTENCES, ValidationBLEU


def add(verbs: argparse._SubParsersAction) -> None:
    """Add the command and its options."""
    verb = verbs.add_parser(
        "train",
        help="trains one model",
        description="Trains one model on gold or on a distilled corpus, and writes its folder: "
        "weights, description, "
        "subwords and history. After each epoch the state is kept in DIR/unfinished; after an "
        "interrupt, the same "
        "command goes on from there, and a command with other settings or data starts anew.",
    )
    verb.add_argument(
        "--out", type=typed_path, required=True, metavar="DIR", help="the folder of the model"
    )
    add_sizes(verb)
    add_lessons(verb)
    verb.add_argument(
        "--seed", type=seed, default=1, help="of first weights, order and dropout (default: 1)"
    )
    add_text_files(verb)
    verb.set_defaults(run=run)


def add_sizes(verb: argparse.ArgumentParser) -> None:
    """Add the options that say how large the model is and how long it learns."""
    sizes = verb.add_argument_group("model and training", "what is not given is the preset's")
    sizes.add_argument(
        "--preset",
        choices=sorted(PRESETS),
        help="whose student to train (default: toy; full for your own text)",
    )
    sizes.add_argument(
        "--as-teacher", action="store_true", help="the preset's teacher instead of its student"
    )
    sizes.add_argument("--width", type=int, metavar="D", help="another width (an even number)")
    sizes.add_argument(
        "--dropout",
        type=float,
        metavar="X",
        help="share of numbers set to 0 in training, in [0, 1)",
    )
    sizes.add_argument("--epochs", type=int, metavar="N", help="passes over the training pairs")
    sizes.add_argument(
        "--learning-rate", type=float, metavar="X", help="Adam's peak rate, after a warm-up"
    )
    sizes.add_argument("--batch-size", type=int, metavar="N", help="sentences per update")
    sizes.add_argument(
        "--patience",
        type=int,
        metavar="N",
        help="stop after N epochs without a better validation score, and keep the best epoch",
    )
    sizes.add_argument(
        "--best-by",
        choices=[BY_LOSS, BY_BLEU],
        help="keep the epoch with the least validation loss, or with the best BLEU of greedy "
        f"translations of the first {MOST_SENTENCES} validation sentences, which takes some "
        "seconds an "
        "epoch (default: the last epoch; with --patience by loss). With --distilled take bleu: the "
        "better a student copies its teacher, the worse may its loss on gold be",
    )


def add_lessons(verb: argparse.ArgumentParser) -> None:
    """Add the options that say what the student learns from."""
    lessons = verb.add_argument_group("what it learns from")
    lessons.add_argument(
        "--distilled",
        type=typed_path,
        metavar="TSV",
        help="learn from this corpus instead of gold; `seqkd-lab distil` writes it",
    )
    lessons.add_argument(
        "--add",
        type=typed_path,
        nargs="+",
        metavar="TSV",
        help="learn from these pairs, too; `seqkd-lab distil --input` writes them",
    )
    add_objectives(lessons)


def run(given: Namespace) -> int:
    """`seqkd-lab train`"""
    machine.use_threads(1)
    objective, teachers, store = objective_of(given), given.teacher or [], store_of(given)
    tables = read_files([given.distilled, *(given.add or [])])
    cutter = one_cutter(teachers, tables)
    recipe = recipe_of(given, cutter)
    warn_of_loss(given, recipe.optimisation)
    check_kind(teachers, names_own_text(given))
    check_folder(given.out)
    data = store.dataset(recipe.data)
    if data.subwords is not None:
        print(data.cleaning, file=sys.stderr)
    teacher = find_teacher(teachers, store).model if teachers else None
    corpus = pairs_to_learn(given, data)
    vocabularies = (teacher or data).source_vocabulary, (teacher or data).target_vocabulary
    key = run_key(recipe, objective, [] if teacher is None else [teacher], tables)
    settle(given.out / UNFINISHED, key)
    torch.manual_seed(recipe.seed)
    model = build(recipe.model, *vocabularies)
    validation = (
        ValidationBLEU(data.valid, data.detokenise)
        if recipe.optimisation.best_by == BY_BLEU
        else None
    )
    started = time.monotonic()
    with tqdm(desc=f"train {recipe.name}", unit=" updates") as bar:
        history = train(
            model,
            corpus,
            data.valid,
            objective,
            recipe.optimisation,
            recipe.seed,
            teacher,
            [watcher(bar)],
            given.out / UNFINISHED,
            validation=validation,
            key=key,
        )
    seconds = time.monotonic() - started
    save_folder(given.out, TrainedModel(model, data.subwords), record(given, recipe, data, history))
    forget_all(given.out)
    describe(given, recipe, model, history, seconds)
    return 0


def warn_of_loss(given: Namespace, optimisation: Optimisation) -> None:
    """Say on stderr that a distilled student's loss on gold is a bad judge, where it chooses the
    epoch."""
    if given.distilled is not None and optimisation.keeps_best and optimisation.best_by != BY_BLEU:
        print(
            "The best epoch is chosen by the loss on gold validation text, but this student "
            f"learns its teacher's translations; --best-by {BY_BLEU} judges it better.",
            file=sys.stderr,
        )


def record(given: Namespace, recipe: Recipe, data: Dataset, history: History) -> dict:
    """Return what the model's folder remembers: the curves, the kept epoch, and what `distil` asks
    of a teacher."""
    ratio = tokens_per_source_token(data.train.source, data.train.target)
    about = {
        "preset": preset_of(given),
        "n_pairs": recipe.data.n_train,
        "tokens_per_source_token": round(ratio, 4),
    }
    return {
        **history.as_dict(),
        "kept_epoch": history.kept_epoch(recipe.optimisation),
        TRAINED_ON: about,
    }


def describe(
    given: Namespace, recipe: Recipe, model: Seq2Seq, history: History, seconds: float
) -> None:
    """Print what came of the training, and what may be typed next."""
    kept = history.kept_epoch(recipe.optimisation)
    loss, n_words = history.valid_loss[kept - 1], len(model.target_vocabulary)
    bleu = f", BLEU {history.valid_bleu[kept - 1]:.1f} (greedy)" if history.valid_bleu else ""
    print(
        f"{given.out}: {model.n_parameters():,} parameters, validation NLL {loss:.3f} nats a "
        f"token{bleu}; epoch {kept} of {len(history.valid_loss)} kept; {seconds:.0f} s"
    )
    if given.distilled is None and loss > math.log(
        n_words
    ):  # a distilled student's loss on gold says little
        print(
            f"The validation NLL is worse than that of guessing ({math.log(n_words):.2f}, the log "
            f"of {n_words:,} words): the training did not work. Try a smaller --learning-rate.",
            file=sys.stderr,
        )
    print(f"next: {next_command(given)}")


def next_command(given: Namespace) -> str:
    """Return the command that usually comes after this one."""
    if given.as_teacher:
        penalty = PRESETS[preset_of(given)].length_penalty
        how = f" --length-penalty {penalty:g}" if penalty else ""
        return f"seqkd-lab distil --teacher {given.out} --out distilled.tsv{how} {text_options(given)}".rstrip()  # noqa: E501
    if names_own_text(given):
        return (
            f"seqkd-lab translate --model {given.out} --input {given.test_source} --output "
            "translations.txt"
        )
    return (
        f'seqkd-lab translate --model {given.out} "the old teacher sold the sofa because it '
        "was "
        'broken ."'
    )
