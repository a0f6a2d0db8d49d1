"""What `seqkd-lab speculative` and `cross` do, once their arguments are read."""

from __future__ import annotations

from argparse import Namespace

from tqdm import tqdm

from seqkd_lab.commands import make_models, seeds_of, store_of
from seqkd_lab.compression_commands import existing, mover
from seqkd_lab.experiments import architectures, committed, drafting_verdict
from seqkd_lab.experiments.architectures import ArchitecturesRun
from seqkd_lab.experiments.drafting_recipes import DraftingRun
from seqkd_lab.experiments.drafting_results import DraftingResults, Extent, make_results, read_results
from seqkd_lab.experiments.presets import DRAFTING, EARLIER
from seqkd_lab.experiments.verdicts import all_held, in_words, summary
from seqkd_lab.models.checkpoint import write_atomically


def print_speculative(results: DraftingResults) -> bool:
    """Print every table and the verdicts; return whether every claim is held."""
    lengths = sorted({one.draft_length for one in results.tokens})
    blocks = list(dict.fromkeys((one.threads, one.temperature) for one in results.clock))
    for temperature in dict.fromkeys(one.temperature for one in results.tokens):
        frame = drafting_verdict.tokens_frame(results.tokens, temperature)
        print(f"tokens per call of the target, temperature {temperature:g}\n{frame.to_string()}\n")
    for threads in dict.fromkeys(threads for threads, _ in blocks):
        print(f"{threads} thread(s)\n{drafting_verdict.costs_frame(results, threads).to_string()}")
        print(f"{drafting_verdict.checks_in_words(results.steps, lengths, threads)}\n")
    for threads, temperature in blocks:
        frame = drafting_verdict.speed_frame(results, threads, temperature)
        print(f"times as fast as the target alone, by the clock [by the formula], temperature {temperature:g}, "
              f"{threads} thread(s)\n{frame.to_string()}\n")
    print(f"p of χ²\n{drafting_verdict.exactness_frame(results.exactness).to_string()}\n")
    verdicts = drafting_verdict.judge(results)
    print("\n".join([*map(drafting_verdict.describe, verdicts), summary(verdicts)]))
    return all_held(verdicts)


def speculative(given: Namespace) -> int:
    """`seqkd-lab speculative`"""
    path = given.results or committed.results_path("speculative.json")
    if given.check:
        return 0 if print_speculative(read_results(existing(path, "speculative"))) else 1
    run = DraftingRun(EARLIER, DRAFTING)
    make_models(run.tasks(), run.data, given)
    with tqdm(unit=" measurements") as bar:
        def report(part: str):
            bar.set_description_str(part)
            bar.reset()
            return mover(bar)

        make_results(run, Extent(), store_of(given), path, report)
    print_speculative(read_results(path))
    print(f"\nResults: {path}")
    return 0


def print_architectures(results: dict) -> bool:
    """Print the table, what was tried, and the verdicts; return whether every claim is held."""
    print(f"{architectures.architectures_frame(results).to_string()}\n")
    for name, history in results["curves"].items():
        losses = " ".join(f"{loss:.3f}" for loss in history["valid_loss"])
        print(f"{name:24} validation nats a token by epoch: {losses}")
    print(f"\n{architectures.time_in_words(results['seconds_per_epoch'])}\n")
    verdicts = architectures.judge(results)
    print(in_words(verdicts))
    return all_held(verdicts)


def cross(given: Namespace) -> int:
    """`seqkd-lab cross`"""
    path = given.results or committed.results_path("architectures.json")
    if given.check:
        return 0 if print_architectures(architectures.read_architectures(existing(path, "cross"))) else 1
    from seqkd_lab.lab.architecture_figures import crossed_figure, search_figure
    from seqkd_lab.lab.lesson import png  # matplotlib costs a second that other commands need not wait for

    run, store = ArchitecturesRun(EARLIER, seeds_of(given)), store_of(given)
    make_models(run.tasks(), run.data, given)
    with tqdm(desc="epochs by the clock", unit=" runs") as bar:
        seconds = architectures.seconds_per_epoch(run.data, store, repetitions=5, report=mover(bar))
    architectures.write_architectures(path, run, store, seconds)
    results = architectures.read_architectures(path)
    write_atomically(path.with_suffix(".png"), png(crossed_figure(results)))
    write_atomically(path.with_name(f"{path.stem}-curves.png"), png(search_figure(results)))
    print_architectures(results)
    print(f"\nResults: {path}, pictures beside it")
    return 0
