"""What each command of `seqkd-lab` does, once its arguments are read: it calls the library and prints."""

from __future__ import annotations

import math
import os
import random
import sys
from argparse import Namespace
from collections.abc import Sequence
from dataclasses import asdict, replace
from pathlib import Path

import torch

from seqkd_lab import machine
from seqkd_lab.corpus import tatoeba
from seqkd_lab.corpus.subwords import SubwordTokeniser
from seqkd_lab.corpus.toy import ToyLanguage
from seqkd_lab.corpus.toy import dataset as toy
from seqkd_lab.corpus.toy.text import tokenise
from seqkd_lab.decoding.search import check_beam, search
from seqkd_lab.distillation import sequence_level
from seqkd_lab.distillation.losses import NLL, WordKD
from seqkd_lab.distillation.sequence_level import INTERPOLATED, read_distilled, write_distilled
from seqkd_lab.experiments import committed, findings
from seqkd_lab.experiments.data import text_files
from seqkd_lab.experiments.presets import FULL_VOCABULARY, PRESETS, QUICK_PAIRS, QUICK_VOCABULARY
from seqkd_lab.experiments.progress import Bars
from seqkd_lab.experiments.recipes import TABLE_ROWS, Recipe, TextData, ToyData
from seqkd_lab.experiments.schedule import Task, run_all
from seqkd_lab.experiments.store import SUBWORDS, Store
from seqkd_lab.experiments.table import TableRun, collect, read_results, rows_by_seed, table_frame
from seqkd_lab.experiments.tour import examples, paired_comparison
from seqkd_lab.experiments.verdicts import all_held
from seqkd_lab.experiments.word_kd_map import MapRun, make_map
from seqkd_lab.models.architectures import build
from seqkd_lab.models.checkpoint import load_model, save_model, write_atomically, write_json
from seqkd_lab.models.seq2seq import Seq2Seq
from seqkd_lab.training import Progress, forget, train

LONGEST_SENTENCE = 1_000
"""Characters of a sentence to translate: the longest one of the toy has about 200, and the time grows with them."""

TOY_SEEDS, TEXT_SEEDS = (21, 10), (1, 5)
"""The first seed and the number of seeds of Table 1. Seeds 11 to 13 of the toy are for choosing: none judges what it
chose."""


# Every command computes with one thread: the models are small, and a second thread that has to wait for a busy core
# makes each step many times slower. The tour and the table use the cores by processes.


def store_of(given: Namespace) -> Store:
    """The store that the user named, or that the environment names, or runs/ in the current folder."""
    return Store(given.store or Path(os.environ.get("SEQKD_LAB_STORE", "runs")))


def data_of(given: Namespace, preset: str) -> ToyData | TextData:
    """The user's six files, or the toy. Raises ValueError when some of the six are missing."""
    if given.pairs is not None and given.pairs < 1:
        raise ValueError(f"--pairs must be at least 1; got {given.pairs}")
    files = [given.source, given.target, given.valid_source, given.valid_target, given.test_source, given.test_target]
    if not any(files):
        return ToyData(given.pairs)
    names = ["--source", "--target", "--valid-source", "--valid-target", "--test-source", "--test-target"]
    missing = [name for name, file in zip(names, files, strict=True) if file is None]
    if missing:
        raise ValueError(f"your own text needs six files; missing: {', '.join(missing)}")
    n_train = given.pairs or (QUICK_PAIRS if preset == "quick" else None)
    vocabulary_size = QUICK_VOCABULARY if preset == "quick" else FULL_VOCABULARY
    data = TextData(*files, n_train=n_train, vocabulary_size=vocabulary_size)
    for file in text_files(data):
        if not Path(file).is_file():
            raise ValueError(f"{file}: no such file; give the path of a text file, plain or .gz")
    return data


def table_run(given: Namespace, seeds: tuple[int, ...], rows: Sequence[str], text_preset: str) -> TableRun:
    """The table that the arguments ask for; the preset follows the data unless it is named."""
    preset = given.preset or (text_preset if given.source else "toy")
    return TableRun(data_of(given, preset), PRESETS[preset], seeds, tuple(rows))


def n_workers_of(asked: int | None) -> int:
    """The processes that the user asked for, or one for each core allowed."""
    if asked is not None and asked < 1:
        raise ValueError(f"--workers must be at least 1; got {asked}")
    return machine.available_cpus() if asked is None else asked


def seeds_of(given: Namespace, first: int = 1, number: int = 5) -> tuple[int, ...]:
    """Return --seeds seeds from --first-seed on; `number` and `first` where the user gives none.

    Raises ValueError for fewer than one seed, and for a first seed below 0.
    """
    number = number if given.seeds is None else given.seeds
    first = first if given.first_seed is None else given.first_seed
    if number < 1:
        raise ValueError(f"--seeds must be at least 1; got {number}")
    if first < 0:
        raise ValueError(f"--first-seed must be at least 0; got {first}")
    return tuple(range(first, first + number))


def make_models(tasks: Sequence[Task], data: ToyData | TextData, given: Namespace) -> None:
    """Runs what is missing in the store, in processes of one thread each, with progress bars."""
    n_workers, store = n_workers_of(given.workers), store_of(given)
    machine.use_threads(1)
    loaded = store.dataset(data)
    print(loaded.cleaning, file=sys.stderr)
    bars = Bars(tasks, len(loaded.train), len(loaded.test))
    try:
        run_all(tasks, store.root, n_workers, bars)
    finally:
        bars.close()


def print_table(results: dict) -> None:
    """Print Table 1 beside the paper's."""
    print(table_frame(results).to_string())
    print("[in brackets: Kim & Rush 2016, Table 1, where confirmed]\n")


def print_results(results: dict) -> bool:
    """Print the table and the paper's claims, judged; return whether every claim is held."""
    print_table(results)
    by_seed = rows_by_seed(results)
    print(findings.in_words(by_seed))
    return all_held(findings.judge(by_seed))


def tour(given: Namespace) -> int:
    """`seqkd-lab tour`"""
    from seqkd_lab.lab.report import (
        write_report,  # matplotlib costs a second that other commands need not wait for
    )

    run, store = table_run(given, (given.seed,), TABLE_ROWS, "quick"), store_of(given)
    make_models(run.tasks(), run.data, given)
    results = collect(run, store)
    print_table(results)
    print(findings.of_one_seed(rows_by_seed(results)[0]))
    print(paired_comparison(run, store))
    title = "Sequence-level knowledge distillation: Table 1, one seed"
    path = write_report(given.report, results, examples(run, store), title)
    print(f"\nReport: {path}\nOne seed is one draw: `seqkd-lab table` trains ten, `seqkd-lab table --check` judges the "
          "committed ones.")
    return 0


def table(given: Namespace) -> int:
    """`seqkd-lab table`"""
    path = given.results or committed.results_path("table1.json")
    if given.check:
        if not path.exists():
            raise ValueError(f"{path}: no results to judge; make them with `seqkd-lab table`")
        return 0 if print_results(read_results(path)) else 1
    seeds = seeds_of(given, *(TEXT_SEEDS if given.source else TOY_SEEDS))
    from seqkd_lab.lab.plots import curves_figure, table_figure
    from seqkd_lab.lab.report import png

    run = table_run(given, seeds, given.rows, "full")
    make_models(run.tasks(), run.data, given)
    results = collect(run, store_of(given))
    write_json(path, results)
    write_atomically(path.with_suffix(".png"), png(table_figure(results)))
    write_atomically(path.with_name(f"{path.stem}-curves.png"), png(curves_figure(results)))
    print_results(results)
    print(f"\nResults: {path}, pictures beside it")
    if given.checkpoints:
        seed = committed.representative_seed(results["by_seed"])
        for folder in committed.write_checkpoints(run, store_of(given), given.checkpoints, seed):
            print(f"checkpoint: {folder}")
    return 0


def word_kd_map(given: Namespace) -> int:
    """`seqkd-lab map`"""
    from tqdm import tqdm

    run, n_workers = MapRun(seeds=seeds_of(given)), n_workers_of(given.workers)
    path = given.results or committed.results_path("word_kd_map.json")
    with tqdm(total=len(run.tasks()), desc="map", unit=" students") as bar:
        make_map(run, path, n_workers, lambda done, _: bar.update(done - bar.n))
    print(f"Results: {path}")
    return 0


def corpus_toy(given: Namespace) -> int:
    """`seqkd-lab corpus toy`"""
    if given.write:
        directory = given.directory or toy.toy_directory() or Path("data/toy")
        for name, digest in toy.write(directory).items():
            print(f"{directory / name}  sha256 {digest}")
        return 0
    language, rng = ToyLanguage(), random.Random(given.seed)
    for _ in range(given.show):
        source, target = language.sample(rng)
        probability = math.exp(language.log_prob(source, target))
        print(f"{toy.detokenise(source)}\n  {toy.detokenise(target)}   p = {100 * probability:.2g}%, one of "
              f"{language.count_targets(source):,} translations, entropy {language.entropy(source):.2f} nats\n")
    return 0


def corpus_get(given: Namespace) -> int:
    """`seqkd-lab corpus get`"""
    path = tatoeba.get(archive=given.archive)
    print(f"{path}\nlicence and attribution: {path.with_name('ATTRIBUTION.txt')}")
    return 0


def find_model(name: str, store: Store) -> tuple[Seq2Seq, SubwordTokeniser | None]:
    """A model by its folder, or by the row of Table 1: from the store, if `seqkd-lab tour` trained it there (toy, seed
    1), else the committed checkpoint (the representative seed).

    Beside it how it cuts words, None for a model of the toy language.
    """
    if Path(name).is_dir():
        subwords = Path(name) / SUBWORDS
        return load_model(Path(name)), SubwordTokeniser.load(subwords) if subwords.exists() else None
    if name not in TABLE_ROWS:
        raise ValueError(f"{name!r} is neither a model's folder nor a row of the table: {', '.join(TABLE_ROWS)}")
    recipe = TableRun(ToyData(), PRESETS["toy"], (1,)).recipes(1)[name]
    if store.has_model(recipe):
        return store.model(recipe), None
    directory = committed.checkpoint_directory(name)
    if directory is None:
        raise ValueError(f"model {name!r} is not trained yet; `seqkd-lab tour` trains it")
    return committed.load_committed(directory), None


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


def train_one(given: Namespace) -> int:
    """`seqkd-lab train`"""
    from tqdm import tqdm

    machine.use_threads(1)
    recipe, store = student_recipe(given), store_of(given)
    objective = WordKD(given.alpha, given.temperature) if given.objective == "word-kd" else NLL()
    if objective.needs_teacher and given.teacher is None:
        raise ValueError("--objective word-kd needs --teacher")
    data = store.dataset(recipe.data)
    teacher = find_model(given.teacher, store)[0] if given.teacher else None
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
    save_model(given.out, model)
    write_json(given.out / "history.json", asdict(history))
    if data.subwords is not None:
        data.subwords.save(given.out / SUBWORDS)
    forget(given.out / "unfinished")
    print(f"{given.out}: {model.n_parameters():,} parameters, validation NLL {history.valid_loss[-1]:.3f} nats a token")
    return 0


def distil(given: Namespace) -> int:
    """`seqkd-lab distil`"""
    from tqdm import tqdm

    machine.use_threads(1)
    store = store_of(given)
    data = store.dataset(data_of(given, "full" if given.source else "toy"))
    beam_size = (35 if given.method == INTERPOLATED else 5) if given.beam is None else given.beam
    check_beam(beam_size)
    teacher, _ = find_model(given.teacher, store)
    with tqdm(total=len(data.train), desc="distil", unit=" sentences") as bar:
        made = sequence_level.distil(
            teacher, data.train, given.method, beam_size, given.length_penalty, given.seed, bar.update
        )
    write_distilled(given.out, made)
    print(f"{given.out}: {made.describe()}")
    return 0


def translate(given: Namespace) -> int:
    """`seqkd-lab translate`"""
    if len(given.sentence) > LONGEST_SENTENCE:
        raise ValueError(f"the sentence is too long: {len(given.sentence):,} characters, at most {LONGEST_SENTENCE:,}")
    machine.use_threads(1)
    model, subwords = find_model(given.model, store_of(given))
    source = tokenise(given.sentence) if subwords is None else subwords.encode(given.sentence)
    if not source:
        raise ValueError("the sentence is empty; give some words between quotation marks")
    unknown = [word for word in source if word not in model.source_vocabulary.tokens]
    if unknown:
        print(f"The model does not know {', '.join(map(repr, unknown[:10]))}; it reads <unk> there.", file=sys.stderr)
    for rank, found in enumerate(search(model, [source], given.beam, given.beam, given.length_penalty)[0], start=1):
        text = toy.detokenise(found.tokens) if subwords is None else subwords.decode(found.tokens)
        truth = truth_in_words(ToyLanguage(), source, found.tokens) if subwords is None else ""
        print(f"{rank:3}.  {text}\n      model {math.exp(found.log_prob):8.3%}   {truth}")
    return 0


def truth_in_words(language: ToyLanguage, source: Sequence[str], target: Sequence[str]) -> str:
    """The true probability of a translation, or why it has none."""
    try:
        violation = language.explain(source, target)
    except ValueError as error:
        return f"truth: not a sentence of the toy language ({error})"
    if violation is None:
        return f"truth {math.exp(language.log_prob(source, target)):8.3%}   valid"
    return f"truth        0   NOT VALID: {violation}"


def doctor(given: Namespace) -> int:
    """`seqkd-lab doctor`"""
    from seqkd_lab.doctor import run

    return run()
