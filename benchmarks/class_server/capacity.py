"""How many learners a machine carries: arithmetic over what was measured."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from statistics import mean

from benchmarks.class_server.results import Round, Visit

RESERVE_MIB = 1024
"""Kept free for the system and its disk cache: chosen, not measured."""
GIB = 1024


@dataclass(frozen=True)
class Needs:
    """What a lesson takes: the hub once, the server and the kernels of each learner in MiB, CPU
    seconds; and the size of the class of which that was measured."""

    hub_mib: float
    server_mib: float
    kernel_mib: float
    cpu_s: float
    learners: int

    def by_memory(self, ram_gib: float, kernels: int = 1) -> int:
        """Return how many learners fit into the memory, each with so many kernels open."""
        free = ram_gib * GIB - RESERVE_MIB - self.hub_mib
        return max(0, int(free / (self.server_mib + kernels * self.kernel_mib)))

    def by_cpu(self, cores: int, seconds: float) -> int:
        """Return how many learners can start the lesson at the same moment, so that all of them
        have their results within `seconds`."""
        return int(cores * seconds / self.cpu_s)

    def carried(self, cores: int, ram_gib: float, seconds: float, kernels: int = 1) -> int:
        """Return how many learners a machine carries: what memory and cores both allow."""
        return min(self.by_memory(ram_gib, kernels), self.by_cpu(cores, seconds))


def needs_of(rounds: Sequence[Round], lesson: str, mode: str, shared_store: bool = False) -> Needs:
    """Return what the largest measured class says a lesson takes; there, what kernels share is
    divided among most. Raise ValueError where it was not measured."""
    among = [r for r in rounds if (r.mode, r.shared_store) == (mode, shared_store)]
    measured = [r for r in among if r.lesson == lesson or visits_of(r, lesson)]
    if not measured:
        raise ValueError(f"lesson {lesson} in {mode} mode was not measured")
    largest = max(measured, key=lambda round_: round_.learners)
    visits = visits_of(largest, lesson)
    return Needs(
        hub_mib=largest.hub_pss_mib,
        server_mib=largest.server_pss_mib,
        kernel_mib=mean(v.pss_mib for v in visits) if visits else largest.kernel_pss_mib,
        cpu_s=mean(v.cpu_s for v in visits) if visits else largest.kernel_cpu_s,
        learners=largest.learners,
    )


def visits_of(round_: Round, lesson: str) -> list[Visit]:
    """Return the runs of one lesson within a round; none where only sums were kept."""
    return [visit for visit in round_.visits if visit.lesson == lesson]
