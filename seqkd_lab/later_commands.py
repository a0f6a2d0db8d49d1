"""What `seqkd-lab later` does, once its arguments are read: the experiments on what was built on distillation since."""

from __future__ import annotations

from argparse import Namespace

from seqkd_lab.experiments import (
    near_policy_clock,
    near_policy_experiment,
    on_policy_experiment,
    paced_experiment,
    tip_experiment,
)
from seqkd_lab.experiments.presets import EARLIER
from seqkd_lab.study_commands import check_names, run_experiments

EXPERIMENTS = {
    module.EXPERIMENT.name: module.EXPERIMENT
    for module in (
        on_policy_experiment, paced_experiment, tip_experiment, near_policy_experiment, near_policy_clock,
    )
}


def later(given: Namespace) -> int:
    """`seqkd-lab later`"""
    check_names(given.experiments, EXPERIMENTS, "experiment")
    return run_experiments("later", [EXPERIMENTS[name] for name in given.experiments or EXPERIMENTS], EARLIER, given)
