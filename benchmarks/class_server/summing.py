"""A round in figures, from what was seen of it."""

from __future__ import annotations

import math
from collections.abc import Sequence
from itertools import product
from pathlib import Path
from statistics import median
from typing import TYPE_CHECKING

from benchmarks.class_server import processes, shared_store
from benchmarks.class_server.hub import Hub
from benchmarks.class_server.learner import Learner, Move
from benchmarks.class_server.results import Browser, Moves, Round, Visit

if TYPE_CHECKING:
    from benchmarks.class_server.measuring import Observed, Plan

OWN_STORE = Path(".cache", "seqkd_lab", "lessons")
"""Where, in a home folder on Linux, the lessons keep what they train."""


def summed_up(hub: Hub, plan: Plan, learners: Sequence[Learner], observed: Observed) -> Round:
    """Return the round of a class whose kernels are still there. Raise HubError where learners
    trained what the shared store has."""
    n, running, peak = len(learners), processes.below(hub.process.pid), observed.peak
    own = {each.name: shared_store.models_in(each.home / OWN_STORE) for each in learners}
    if (shared := shared_store.named()) is not None:
        shared_store.require_used(shared, own)
    return Round(
        lesson="+".join(plan.lessons), mode=plan.mode, learners=n,
        spawn_s=round(observed.spawn_s, 1), wall_s=round(observed.wall_s, 1),
        kernel_cpu_s=round(sum(run.cpu_s for run in observed.runs) / n, 2),
        kernel_pss_mib=round(peak.pss_mib / n, 1),
        kernel_rss_mib=round(peak.rss_mib, 1),
        server_pss_mib=round(processes.pss_mib(running.servers) / n, 1),
        hub_pss_mib=round(processes.pss_mib(running.hub), 1),
        home_mib=round(sum(processes.disk_mib(each.home) for each in learners) / n, 2),
        cache_mib=round(sum(processes.disk_mib(each.home / ".cache") for each in learners) / n, 2),
        shared_store=shared is not None,
        load=round(observed.load, 1),
        models_trained=sum(map(len, own.values())),
        visits=visits(observed),
        moves=moves(observed.moves),
        browser=observed.browser and Browser(*(round(each, 1) for each in observed.browser)),
    )  # fmt: skip


def visits(observed: Observed) -> list[Visit]:
    """Return each learner's run of each lesson."""
    return [
        Visit(
            run.learner, run.lesson, run.in_browser,
            first_picture_s=round(run.first_picture_s, 2), lesson_s=round(run.lesson_s, 1),
            cpu_s=round(run.cpu_s, 2), pss_mib=round(observed.peak.by_kernel[run.kernel_pid], 1),
        )
        for run in sorted(observed.runs, key=lambda run: (run.lesson, run.learner))
    ]  # fmt: skip


def moves(moved: Sequence[Move]) -> list[Moves]:
    """Return the moves of each lesson's slider, through the interface and in a browser, at rest and
    under load; a combination without a move is left out."""
    lessons, both = sorted({each.lesson for each in moved}), (False, True)
    found = []
    for lesson, in_browser, under_load in product(lessons, both, both):
        kind = (lesson, in_browser, under_load)
        taken = [
            1000 * each.seconds
            for each in moved
            if (each.lesson, each.in_browser, each.others > 0) == kind
        ]
        if taken:
            spread = (median(taken), percentile(taken, 0.95), max(taken))
            found.append(Moves(*kind, len(taken), *(round(each, 1) for each in spread)))
    return found


def percentile(values: Sequence[float], share: float) -> float:
    """Return the least of the values that at least this share of them do not exceed."""
    return sorted(values)[math.ceil(share * len(values)) - 1]
