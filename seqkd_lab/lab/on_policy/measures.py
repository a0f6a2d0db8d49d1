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
from seqkd_lab.runs.data import Dataset
from seqkd_lab.runs.verdicts import Rows
from seqkd_lab.studies.on_policy.measures import Value, exposure_record
from seqkd_lab.studies.on_policy.recipes import BATCH_SIZE, LOSSES, RATES, REVERSE
from seqkd_lab.training import Optimisation, Progress, train


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
    """A student that was trained on here, and the seconds of an update."""

    model: Seq2Seq
    seconds: float


def tune(
    start: Seq2Seq,
    teacher: Seq2Seq,
    data: Dataset,
    on_policy: OnPolicy | None,
    n_updates: int,
    label: str,
) -> Tuned:
    """Train a copy of `start` for `n_updates` by the reverse KL, as the study's arms are, with a
    bar."""
    model, started = copy.deepcopy(start), time.perf_counter()
    with Bar(label) as bar:

        def watch(progress: Progress) -> None:
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
    return Tuned(model, (time.perf_counter() - started) / n_updates)


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
    return [value(rows["arms"][name]) for rows in by_seed]


def arm_mean(by_seed: Sequence[Rows], name: str, value: Value) -> float:
    """Return value(arm `name`), the mean of the seeds."""
    return fmean(arm_values(by_seed, name, value))


def position_curve(by_seed: Sequence[Rows], name: str, writer: str, least: int = 20) -> list[float]:
    """Return the reverse KL by position along what `writer` wrote, the mean over seeds: of the
    positions that at least `least` translations have in every seed."""
    records = [rows["arms"][name]["exposure"][writer] for rows in by_seed]
    length = min(sum(n >= least for n in record["n"]) for record in records)
    return [fmean(record["by_place"][t] for record in records) for t in range(length)]
