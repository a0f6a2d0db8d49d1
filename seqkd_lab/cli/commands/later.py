"""`seqkd-lab later`: the experiments on what was built on distillation since."""

from __future__ import annotations

import argparse
from argparse import Namespace

from seqkd_lab.cli.options import add_check_and_workers, add_seed_range
from seqkd_lab.cli.results import add_results
from seqkd_lab.cli.studies import check_names, run_experiments
from seqkd_lab.runs.presets import EARLIER
from seqkd_lab.studies import near_policy_clock
from seqkd_lab.studies.near_policy import study as near_policy_experiment
from seqkd_lab.studies.on_policy import study as on_policy_experiment
from seqkd_lab.studies.paced import study as paced_experiment
from seqkd_lab.studies.token_importance import study as tip_experiment


def add(verbs: argparse._SubParsersAction) -> None:
    """Add the command and its options."""
    later = verbs.add_parser(
        "later",
        help="on-policy distillation, PACED, TIP, near-policy: the experiments, or verdicts on "
        "their claims",
        description="Trains and measures the arms of each experiment, seed by seed (five seeds of "
        "one took a core a "
        "quarter to half an hour, once their teachers were there), and writes the results as JSON; "
        "an interrupted run "
        "goes on with the next seed. With --check nothing runs: each claim is judged held, not "
        "held or undecided, "
        "beside its original wording, and the exit code is 1 unless every claim is held.",
    )
    later.add_argument(
        "experiments", nargs="*", metavar="NAME", help=f"{', '.join(EXPERIMENTS)} (default: all)"
    )
    add_seed_range(later, "5", "1")
    add_results(later)
    add_check_and_workers(later)
    later.set_defaults(run=run)


EARLIER_NAMES = {
    "on-policy": on_policy_experiment,
    "paced": paced_experiment,
    "tip": tip_experiment,
    "near-policy": near_policy_experiment,
    "near-policy-clock": near_policy_clock,
}
EXPERIMENTS = {name: module.STUDY for name, module in EARLIER_NAMES.items()}


def run(given: Namespace) -> int:
    """`seqkd-lab later`"""
    check_names(given.experiments, EXPERIMENTS, "experiment")
    return run_experiments(
        "later", [EXPERIMENTS[name] for name in given.experiments or EXPERIMENTS], EARLIER, given
    )
