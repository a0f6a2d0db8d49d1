"""class_server.json: the rounds that were measured, with date, machine and versions."""

from __future__ import annotations

from pathlib import Path

from msgspec import Struct, to_builtins

from seqkd_lab.files import read_json, write_json

DEFAULT = Path(__file__).resolve().parents[1] / "class_server.json"
REMEDY = "measure it anew: python -m benchmarks.class_server"


class Visit(Struct, frozen=True):
    """One learner's run of one lesson within a round: seconds from opening it, the kernel's CPU
    seconds at its end, and its highest memory in MiB. `in_browser`: in JupyterLab, else through the
    kernels' interface."""

    learner: str
    lesson: str
    in_browser: bool
    first_picture_s: float
    lesson_s: float
    cpu_s: float
    pss_mib: float


class Moves(Struct, frozen=True):
    """Moves of a lesson's slider by all learners of a round: milliseconds until the new picture was
    there; `under_load`: while others were in the middle of a lesson, else at rest."""

    lesson: str
    in_browser: bool
    under_load: bool
    n: int
    median_ms: float
    p95_ms: float
    highest_ms: float


class Browser(Struct, frozen=True):
    """What the browser of one learner took of the same machine: it is on the learner's own one
    otherwise."""

    cpu_s: float
    pss_mib: float


class Round(Struct, frozen=True):
    """A class that ran one lesson at once, or several ("03+06": each learner runs both, and half of
    them begin with each). All but the wall times are for one learner; memory and disk in MiB.

    load: how many processes wanted a processor when the round began, the mean of the minute before;
    models_trained: how many models all learners together had to train.
    """

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
    load: float | None = None
    models_trained: int = 0
    visits: list[Visit] = []
    moves: list[Moves] = []
    browser: Browser | None = None

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
