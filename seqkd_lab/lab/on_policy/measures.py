"""What lesson 11 measures on the spot, and how it reads the results of the on-policy study."""

from __future__ import annotations

import copy
import math
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from statistics import fmean

import torch
from torch import Tensor

from seqkd_lab.corpus.parallel import ParallelCorpus
from seqkd_lab.decoding.distribution import draw
from seqkd_lab.distillation.divergences import divergence
from seqkd_lab.distillation.on_policy import OnPolicy
from seqkd_lab.lab.shared.lesson import Bar
from seqkd_lab.models.seq2seq import Seq2Seq
from seqkd_lab.optimisation import Optimisation, Progress
from seqkd_lab.runs.data import Dataset
from seqkd_lab.runs.verdicts import Rows
from seqkd_lab.studies.on_policy.measures import Value, exposure_record
from seqkd_lab.studies.on_policy.recipes import BATCH_SIZE, LOSSES, RATES, REVERSE
from seqkd_lab.training import train


def beta_curves(teacher: Tensor, student: Tensor, n: int = 101) -> dict[str, list[float]]:
    """Return n values of β and the divergence of two distributions (V,) at each, in nats: plain as
    GKD has it, and scaled, divided by β (1 − β).

    At the ends both are the two KLs, where the plain one jumps.
    """
    betas = [step / (n - 1) for step in range(n)]
    plain = [float(divergence(student.log(), teacher.log(), beta)) for beta in betas]
    divisors = [beta * (1.0 - beta) or 1.0 for beta in betas]
    scaled = [value / divisor for value, divisor in zip(plain, divisors, strict=True)]
    return {"beta": betas, "plain": plain, "scaled": scaled}


@dataclass(frozen=True)
class SampledKL:
    """KL(p_S‖p_T) of one next word, exact and from n drawn words: their mean, and the standard
    deviation of one."""

    exact: float
    mean: float
    spread: float
    n: int

    @property
    def margin(self) -> float:
        """Four standard errors."""
        return 4.0 * self.spread / self.n**0.5


def sampled_kl(teacher: Tensor, student: Tensor, n: int, seed: int = 1) -> SampledKL:
    """Estimate the reverse KL of two distributions (V,) from n words that the student draws, beside
    the sum over all words."""
    cost = student.double().log() - teacher.double().log()
    words = draw(student.expand(n, -1), torch.Generator().manual_seed(seed))
    exact = float((student.double() * cost).sum())
    spread = math.sqrt(float((student.double() * (cost - exact).square()).sum()))
    return SampledKL(exact, float(cost[words].mean()), spread, n)


@dataclass(frozen=True)
class Tuned:
    """A student that was trained on here, and the seconds of an update after the first one."""

    model: Seq2Seq
    seconds: float


@dataclass
class Clock:
    """The moments of the first and the last update seen: the first update of a training, which
    prepares much that the others find ready, is not timed."""

    first: float = 0.0
    last: float = 0.0
    n_seen: int = 0

    def tick(self) -> None:
        """Note the end of an update."""
        self.last = time.perf_counter()
        if not self.n_seen:
            self.first = self.last
        self.n_seen += 1

    @property
    def seconds(self) -> float:
        """Return the mean seconds of an update, from the end of the first to that of the last one.
        Raise ValueError for fewer than two updates."""
        if self.n_seen < 2:
            raise ValueError(f"two updates at least are timed; got {self.n_seen}")
        return (self.last - self.first) / (self.n_seen - 1)


def tune(
    start: Seq2Seq,
    teacher: Seq2Seq,
    data: Dataset,
    on_policy: OnPolicy | None,
    n_updates: int,
    label: str,
) -> Tuned:
    """Train a copy of `start` for `n_updates` (at least 2) by the reverse KL, as the study's arms
    are, with a bar."""
    model, clock = copy.deepcopy(start), Clock()
    with Bar(label) as bar:

        def watch(progress: Progress) -> None:
            clock.tick()
            bar.move(progress.update, progress.n_updates)

        train(
            model,
            data.train[: n_updates * BATCH_SIZE],
            data.valid[:100],
            LOSSES[REVERSE],
            Optimisation(epochs=1, learning_rate=RATES[REVERSE], batch_size=BATCH_SIZE),
            seed=1,
            teacher=teacher,
            callbacks=[watch],
            batch_transform=on_policy,
        )
    return Tuned(model, clock.seconds)


def exposures(
    students: Mapping[str, Seq2Seq], teacher: Seq2Seq, pairs: ParallelCorpus
) -> dict[str, dict]:
    """Return for each student what the study keeps of an arm's exposure."""
    return {
        name: {"exposure": exposure_record(student, teacher, pairs, seed=1)}
        for name, student in students.items()
    }


def arm_values(by_seed: Sequence[Rows], name: str, value: Value) -> list[float]:
    """Return value(arm `name`) of each seed."""
    return [value(rows[name]) for rows in by_seed]


def arm_mean(by_seed: Sequence[Rows], name: str, value: Value) -> float:
    """Return value(arm `name`), the mean of the seeds."""
    return fmean(arm_values(by_seed, name, value))


def leads(
    by_seed: Sequence[Rows], name: str, others: Sequence[str], value: Value
) -> dict[str, list[float]]:
    """Return value(arm `name`) − value(arm) for each of `others`, by seed, under "name − arm"."""
    return {
        f"{name} − {other}": [value(rows[name]) - value(rows[other]) for rows in by_seed]
        for other in others
    }


def position_curve(record: Mapping, writer: str, least: int = 20) -> list[float]:
    """Return the reverse KL by position along what `writer` wrote, of one record of an exposure: at
    the positions that at least `least` translations have."""
    found = record["exposure"][writer]
    return [value for value, n in zip(found["by_place"], found["n"], strict=True) if n >= least]
