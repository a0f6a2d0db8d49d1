"""`seqkd-lab speculative`: what a distilled student is worth as its teacher's draft."""

from __future__ import annotations

import argparse
from argparse import Namespace

from tqdm import tqdm

from seqkd_lab.cli.given import store_of
from seqkd_lab.cli.making import existing, make_models, mover
from seqkd_lab.cli.options import add_check_and_workers
from seqkd_lab.cli.results import add_results, results_to_judge, results_to_write
from seqkd_lab.runs.presets import EARLIER
from seqkd_lab.runs.verdicts import all_held, summary
from seqkd_lab.studies.speculative import verdict as drafting_verdict
from seqkd_lab.studies.speculative.recipes import DRAFTING, DraftingRun
from seqkd_lab.studies.speculative.results import (
    DraftingResults,
    Extent,
    make_results,
    read_results,
)


def add(verbs: argparse._SubParsersAction) -> None:
    """Add the command and its options."""
    speculative = verbs.add_parser(
        "speculative",
        help="speculative sampling: acceptance, tokens per call, the clock; or judges what is "
        "there",
        description="Trains a large target (about 40 minutes on one core) and drafts for it, then "
        "measures exactness, "
        "tokens per call of the target and the clock, and writes the results as JSON. Leave the "
        "machine alone "
        "meanwhile. With --check nothing runs: the results are judged, and the exit code is 1 "
        "unless every "
        "claim is held.",
    )
    add_results(speculative, "speculative.json")
    add_check_and_workers(speculative)
    speculative.set_defaults(run=run)


def run(given: Namespace) -> int:
    """`seqkd-lab speculative`"""
    if given.check:
        path = existing(results_to_judge(given.results, "speculative.json"), "speculative")
        return 0 if print_speculative(read_results(path)) else 1
    path = results_to_write(given.results, "speculative.json")
    run = DraftingRun(EARLIER, DRAFTING)
    make_models(run.tasks(), run.data, given, path)
    with tqdm(unit=" measurements") as bar:

        def report(part: str):
            bar.set_description_str(part)
            bar.reset()
            return mover(bar)

        make_results(run, Extent(), store_of(given), path, report)
    print_speculative(read_results(path))
    print(f"\nResults: {path}")
    return 0


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
        print(
            "times as fast as the target alone, by the clock [by the formula], temperature "
            f"{temperature:g}, {threads} thread(s)\n{frame.to_string()}\n"
        )
    print(f"p of χ²\n{drafting_verdict.exactness_frame(results.exactness).to_string()}\n")
    verdicts = drafting_verdict.judge(results)
    print("\n".join([*map(drafting_verdict.describe, verdicts), summary(verdicts)]))
    return all_held(verdicts)
