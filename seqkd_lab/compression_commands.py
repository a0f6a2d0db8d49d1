"""What `seqkd-lab prune`, `table2` and `table3` do, once their arguments are read."""

from __future__ import annotations

from argparse import Namespace
from dataclasses import asdict
from pathlib import Path

from tqdm import tqdm

from seqkd_lab import machine
from seqkd_lab.commands import data_of, find_model, make_models, seeds_of, store_of
from seqkd_lab.compression.pruning import check_pruning, held, n_nonzero, prune, pruned_by_class, shares_in_steps
from seqkd_lab.distillation.losses import NLL
from seqkd_lab.distillation.sequence_level import read_distilled
from seqkd_lab.experiments import committed, pruning_costs, pruning_table, pruning_verdict, speed_table
from seqkd_lab.experiments.presets import EARLIER, PRUNING
from seqkd_lab.experiments.pruning_recipes import PruningRun
from seqkd_lab.experiments.recipes import BASELINE, SEQ_KD, TEACHER
from seqkd_lab.experiments.speed import BATCHED, ONE_BY_ONE
from seqkd_lab.experiments.store import SUBWORDS
from seqkd_lab.experiments.verdicts import all_held, in_words
from seqkd_lab.models.checkpoint import save_model, write_atomically, write_json
from seqkd_lab.training import Optimisation, Progress, forget, train


def prune_one(given: Namespace) -> int:
    """`seqkd-lab prune`"""
    check_pruning(given.share, given.method)
    machine.use_threads(1)
    store, steps = store_of(given), shares_in_steps(given.share, given.steps)
    model, subwords = find_model(given.model, store)
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
    save_model(given.out, model, sparse=not given.dense)
    write_json(given.out / "history.json", history)
    if subwords is not None:
        subwords.save(given.out / SUBWORDS)
    for share in steps:
        forget(unfinished(given, share))
    left = n_nonzero(model)
    print(f"{given.out}: {left:,} of {before:,} parameters are left ({before / left:.1f} times fewer)")
    print("zeros by part: " + ", ".join(f"{name} {share:.0%}" for name, share in pruned_by_class(model).items()))
    return 0


def unfinished(given: Namespace, share: float) -> Path:
    """Where an interrupted retraining is kept: another share, method or length does not go on from it."""
    return given.out / f"unfinished-{given.method}-{share:.4f}-{given.steps}-{given.epochs}"


def pruning_run(given: Namespace) -> PruningRun:
    """Table 3 of the toy language with the seeds asked for."""
    return PruningRun(EARLIER, PRUNING, seeds_of(given))


def print_table3(results: dict) -> bool:
    """Print Table 3, what it costs, and F8; return whether every claim is held."""
    rows = pruning_table.by_seed(pruning_table.pruned_models(results))
    for model in (SEQ_KD, BASELINE, TEACHER):
        print(f"{model}, class-blind\n{pruning_verdict.table3_frame(rows, model).to_string()}\n")
    print(f"{SEQ_KD}, BLEU by beam, other ways\n{pruning_verdict.methods_frame(rows).to_string()}\n")
    costs = [pruning_costs.Cost(**cost) for cost in results["costs"]]
    print(f"{SEQ_KD}, retrained: what it costs\n{pruning_verdict.costs_frame(costs).to_string()}\n")
    print("\n".join(pruning_verdict.verdict_in_words(rows)), end="\n\n")
    verdicts = pruning_verdict.judge(rows)
    print(in_words(verdicts))
    return all_held(verdicts)


def table3(given: Namespace) -> int:
    """`seqkd-lab table3`"""
    path = given.results or committed.results_path("table3.json")
    if given.check:
        return 0 if print_table3(pruning_table.read_table3(existing(path, "table3 --seeds 5"))) else 1
    from seqkd_lab.lab.lesson import png  # matplotlib costs a second that other commands need not wait for
    from seqkd_lab.lab.pruning_figures import table3_figure

    run, store = pruning_run(given), store_of(given)
    make_models(run.tasks(), run.data, given)
    with tqdm(desc="what it costs", unit=" searches") as bar:
        costs = pruning_costs.student_costs(run, store, report=mover(bar))
    pruning_table.write_table3(path, run, store, costs)
    results = pruning_table.read_table3(path)
    write_atomically(path.with_suffix(".png"), png(table3_figure(results)))
    print_table3(results)
    print(f"\nResults: {path}, a picture beside it")
    if given.checkpoints:
        for folder in pruning_table.write_checkpoints(run, store, given.checkpoints):
            print(f"checkpoint: {folder}")
    return 0


def mover(bar: tqdm):
    """Moves `bar` to (done, total)."""
    def move(done: int, total: int) -> None:
        bar.total = total
        bar.update(done - bar.n)

    return move


def existing(path, how: str):
    """`path`. Raises ValueError saying how it is made where there is no such file."""
    if not path.exists():
        raise ValueError(f"{path}: no results to judge; make them with `seqkd-lab {how}`")
    return path


def print_table2(results: dict) -> bool:
    """Print Table 2 and F7; return whether every claim is held."""
    speeds = speed_table.speeds_in(results)
    print(f"source words per second: median [slowest–fastest round]\n{speed_table.table2_frame(speeds).to_string()}\n")
    print("\n".join(speed_table.factors_in_words(speeds)), end="\n\n")
    verdicts = speed_table.judge(speeds)
    print(in_words(verdicts, "rounds"))
    return all_held(verdicts)


def table2(given: Namespace) -> int:
    """`seqkd-lab table2`"""
    path = given.results or committed.results_path("table2.json")
    if given.check:
        return 0 if print_table2(speed_table.read_table2(existing(path, "table2"))) else 1
    if given.repetitions < 1:
        raise ValueError(f"--repetitions must be at least 1; got {given.repetitions}")
    models = speed_table.committed_models()
    sizes = {name: n_nonzero(model) for name, model in models.items()}
    test = store_of(given).dataset(EARLIER).test.source
    with tqdm(desc="toy models", unit=" searches") as bar:
        speeds = speed_table.measure(models | speed_table.other_products(models),
                                     {ONE_BY_ONE: test[:60], BATCHED: test[:600]}, (1, 2), given.repetitions,
                                     report=mover(bar))
    if given.paper_sizes:
        large = speed_table.paper_models()
        sizes |= {name: model.n_parameters() for name, model in large.items()}
        with tqdm(desc="the paper's sizes", unit=" searches") as bar:
            speeds += speed_table.measure(large, speed_table.random_sources(large), (1, 2), given.repetitions,
                                          speed_table.PAPER_LENGTH, mover(bar))
    speed_table.write_table2(path, speeds, sizes)
    print_table2(speed_table.read_table2(path))
    print(f"\nResults: {path}")
    return 0
