"""What lesson 11 measures on the spot, and how it reads the on-policy experiment's results."""

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
from seqkd_lab.distillation.exposure import GOLD, STUDENT
from seqkd_lab.distillation.losses import Objective
from seqkd_lab.distillation.on_policy import OnPolicy
from seqkd_lab.lab.shared.lesson import Bar
from seqkd_lab.models.seq2seq import Seq2Seq
from seqkd_lab.runs.data import Dataset
from seqkd_lab.runs.verdicts import Rows
from seqkd_lab.studies.on_policy.measures import exposure_record
from seqkd_lab.studies.on_policy.recipes import BATCH_SIZE, LOSSES, RATES, REVERSE
from seqkd_lab.training import Optimisation, Progress, train


def beta_curves(teacher: Tensor, student: Tensor, n: int = 101) -> dict[str, list[float]]:
    """Over n values of β: the divergence of two laws (V,), plain as GKD has it and divided by β (1
    − β), in nats.

    At the ends both are the two KLs, where the plain one jumps.
    """
    betas = [step / (n - 1) for step in range(n)]
    plain = [float(divergence(student.log(), teacher.log(), beta)) for beta in betas]
    scale = [beta * (1.0 - beta) if 0.0 < beta < 1.0 else 1.0 for beta in betas]
    return {
        "beta": betas,
        "plain": plain,
        "scaled": [value / by for value, by in zip(plain, scale, strict=True)],
    }


@dataclass(frozen=True)
class SampledKL:
    """KL(p_S‖p_T) of one next word, exact and from n drawn words: their mean, and the standard
    deviation of one."""

    exact: float
    mean: float
    spread: float
    n: int

    @property
    def room(self) -> float:
        """Four standard errors."""
        return 4.0 * self.spread / self.n**0.5


def sampled_kl(teacher: Tensor, student: Tensor, n: int, seed: int = 1) -> SampledKL:
    """log p_S(y) − log p_T(y) for n words y that the student draws from its law (V,), beside the
    sum over all words."""
    cost = student.double().log() - teacher.double().log()
    words = draw(student.expand(n, -1), torch.Generator().manual_seed(seed))
    exact = float((student.double() * cost).sum())
    spread = math.sqrt(float((student.double() * (cost - exact).square()).sum()))
    return SampledKL(exact, float(cost[words].mean()), spread, n)


@dataclass(frozen=True)
class Tuned:
    """A student that was trained on here, and how long an update took (seconds)."""

    model: Seq2Seq
    seconds: float


def tune(
    start: Seq2Seq,
    teacher: Seq2Seq,
    data: Dataset,
    on_policy: OnPolicy | None,
    n_updates: int,
    label: str,
    objective: Objective = LOSSES[REVERSE],
    seed: int = 1,
) -> Tuned:
    """A copy of `start`, trained on for `n_updates` as the experiment's arms are, with a bar."""
    model, began = copy.deepcopy(start), time.perf_counter()
    how = Optimisation(epochs=1, learning_rate=RATES[REVERSE], batch_size=BATCH_SIZE)
    with Bar(label) as bar:

        def watch(progress: Progress) -> None:
            bar.move(progress.update, progress.n_updates)

        train(
            model,
            data.train[: n_updates * BATCH_SIZE],
            data.valid[:100],
            objective,
            how,
            seed,
            teacher,
            [watch],
            batch_transform=on_policy,
        )
    return Tuned(model, (time.perf_counter() - began) / n_updates)


def exposures(
    students: Mapping[str, Seq2Seq], teacher: Seq2Seq, pairs: ParallelCorpus
) -> dict[str, dict]:
    """For each student what the experiment keeps of an arm's exposure."""
    return {
        name: {"exposure": exposure_record(student, teacher, pairs, seed=1)}
        for name, student in students.items()
    }


def mismatch(measured: Mapping, name: str = REVERSE) -> float:
    """The divergence along the student's own prefixes in multiples of that along gold."""
    found = measured["exposure"]
    return found[STUDENT]["per_token"][name] / found[GOLD]["per_token"][name]


def arm_values(by_seed: Sequence[Rows], name: str, value) -> list[float]:
    """value(arm `name`) of each seed."""
    return [value(rows["arms"][name]) for rows in by_seed]


def place_curve(by_seed: Sequence[Rows], name: str, writer: str, least: int = 20) -> list[float]:
    """Reverse KL by place along what `writer` wrote, the mean over seeds: places that at least
    `least` translations reach in every seed."""
    found = [rows["arms"][name]["exposure"][writer] for rows in by_seed]
    n_places = min(sum(n >= least for n in one["n"]) for one in found)
    return [fmean(one["by_place"][t] for one in found) for t in range(n_places)]


def best(values: Mapping[str, float]) -> str:
    """The name with the highest value."""
    return max(values, key=values.get)
