"""class_server.json: the rounds that were measured, with date, machine and versions."""

from __future__ import annotations

from pathlib import Path

from msgspec import Struct, to_builtins

from seqkd_lab.files import read_json, write_json

DEFAULT = Path(__file__).resolve().parents[1] / "class_server.json"
REMEDY = "measure it anew: python -m benchmarks.class_server"


class Round(Struct, frozen=True):
    """A class that ran one lesson at once. All but the wall times are for one learner; memory and
    disk in MiB."""

    lesson: str
    mode: str
    learners: int
    spawn_s: float
    wall_s: float
    kernel_cpu_s: float
    kernel_pss_mib: float
    kernel_rss_mib: float
    server_pss_mib: float
    hub_pss_mib: float
    home_mib: float
    cache_mib: float
    shared_store: bool = False

    @property
    def class_pss_mib(self) -> float:
        """The memory of the hub, its proxy, all servers and all kernels together."""
        return self.hub_pss_mib + self.learners * (self.server_pss_mib + self.kernel_pss_mib)

    @property
    def key(self) -> tuple[str, str, bool, int]:
        """What was measured: a round takes the place of an earlier one with the same key."""
        return self.lesson, self.mode, self.shared_store, self.learners


class Measured(Struct, frozen=True):
    """All rounds, and where they were measured."""

    date: str
    machine: dict[str, str | int | float]
    versions: dict[str, str]
    rounds: list[Round]


def read(path: Path) -> Measured:
    """Return what a file holds. Raise FileError where it holds anything else."""
    return read_json(path, Measured, REMEDY)


def write(path: Path, measured: Measured) -> None:
    """Write what was measured, the rounds in the order of their keys."""
    content = to_builtins(measured)
    content["rounds"] = [to_builtins(each) for each in sorted(measured.rounds, key=lambda r: r.key)]
    write_json(path, content)
