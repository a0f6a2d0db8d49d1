"""`seqkd-lab train`: one model, on gold or on a distilled corpus."""

from __future__ import annotations

import argparse
from argparse import Namespace
from dataclasses import asdict, replace
from pathlib import Path

import torch
from tqdm import tqdm

from seqkd_lab import machine
from seqkd_lab.cli.given import data_of, store_of
from seqkd_lab.cli.models import find_model
from seqkd_lab.cli.options import add_text_files
from seqkd_lab.distillation.losses import NLL, WordKD
from seqkd_lab.distillation.sequence_level import read_distilled
from seqkd_lab.experiments.presets import PRESETS
from seqkd_lab.experiments.recipes import Recipe
from seqkd_lab.models.architectures import build
from seqkd_lab.models.folder import TrainedModel, save_folder
from seqkd_lab.training import Progress, forget, train


def add(verbs: argparse._SubParsersAction) -> None:
    """Add the command and its options."""
    train = verbs.add_parser(
        "train", help="trains one model", description="Trains one model on gold or on a distilled corpus.")
    train.add_argument("--out", type=Path, required=True, metavar="DIR", help="the folder of the model")
    train.add_argument("--preset", choices=sorted(PRESETS), default="toy", help="whose student to train")
    train.add_argument("--as-teacher", action="store_true", help="the preset's teacher instead of its student")
    train.add_argument("--width", type=int, help="another width D (even)")
    train.add_argument("--epochs", type=int)
    train.add_argument("--learning-rate", type=float)
    train.add_argument("--objective", choices=["nll", "word-kd"], default="nll")
    train.add_argument("--alpha", type=float, default=0.5, help="share of the teacher in Word-KD (default: 0.5)")
    train.add_argument("--temperature", type=float, default=1.0, help="softens both distributions (the paper: 1)")
    train.add_argument("--teacher", metavar="MODEL", help="for word-kd: a row of the table or a model's folder")
    train.add_argument("--distilled", type=Path, metavar="TSV", help="learn from this corpus instead of gold")
    train.add_argument("--seed", type=int, default=1)
    add_text_files(train)
    train.set_defaults(run=run)


def run(given: Namespace) -> int:
    """`seqkd-lab train`"""
    machine.use_threads(1)
    recipe, store = student_recipe(given), store_of(given)
    objective = WordKD(given.alpha, given.temperature) if given.objective == "word-kd" else NLL()
    if objective.needs_teacher and given.teacher is None:
        raise ValueError("--objective word-kd needs --teacher")
    data = store.dataset(recipe.data)
    teacher = find_model(given.teacher, store).model if given.teacher else None
    vocabularies = (teacher or data).source_vocabulary, (teacher or data).target_vocabulary
    corpus = read_distilled(given.distilled, data.train).corpus if given.distilled else data.train
    torch.manual_seed(recipe.seed)
    model = build(recipe.model, *vocabularies)
    with tqdm(desc=f"train {recipe.name}", unit=" updates") as bar:
        def watch(progress: Progress) -> None:
            bar.total = progress.n_updates
            bar.update()
            if progress.valid_loss is not None:
                bar.set_postfix_str(f"epoch {progress.epoch}: validation {progress.valid_loss:.3f} nats a token")

        history = train(model, corpus, data.valid, objective, recipe.optimisation, recipe.seed, teacher, [watch],
                        given.out / "unfinished")
    save_folder(given.out, TrainedModel(model, data.subwords), asdict(history))
    forget(given.out / "unfinished")
    print(f"{given.out}: {model.n_parameters():,} parameters, validation NLL {history.valid_loss[-1]:.3f} nats a token")
    return 0


def student_recipe(given: Namespace) -> Recipe:
    """The preset's student (or teacher) with the changes that the arguments ask for."""
    preset = PRESETS[given.preset]
    model, optimisation = (
        (preset.teacher, preset.teacher_training) if given.as_teacher else (preset.student, preset.student_training)
    )
    if given.width is not None:
        model = replace(model, width=given.width)
    if given.epochs is not None:
        optimisation = replace(optimisation, epochs=given.epochs)
    if given.learning_rate is not None:
        optimisation = replace(optimisation, learning_rate=given.learning_rate)
    return Recipe(given.out.name, data_of(given, given.preset), model, NLL(), optimisation, given.seed)
