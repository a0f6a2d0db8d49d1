"""What lesson 14 measures on the spot, and how it reads the results of the near-policy
experiments."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from statistics import fmean, median

import numpy as np
import torch

from seqkd_lab.corpus.batching import Batch
from seqkd_lab.corpus.packing import pack
from seqkd_lab.corpus.vocabulary import PAD
from seqkd_lab.distillation.divergences import divergence
from seqkd_lab.distillation.generation import Event
from seqkd_lab.distillation.losses import nll
from seqkd_lab.distillation.top_k import top_k, top_k_kl
from seqkd_lab.lab.near_policy.picture import Timelines
from seqkd_lab.lab.shared.lesson import scaled, trained
from seqkd_lab.models.packed import packed_reader
from seqkd_lab.models.seq2seq import Seq2Seq
from seqkd_lab.runs.committed import DATA, load_committed
from seqkd_lab.runs.data import Dataset
from seqkd_lab.runs.presets import EARLIER
from seqkd_lab.runs.verdicts import Rows
from seqkd_lab.studies.near_policy.recipes import EVERY, KEPT, SYNCHRONOUS, empty_copy, warm_start
from seqkd_lab.studies.near_policy.ways import LADDER, LOOP, LOOP_2, MAIN, Way, both, run_way
from seqkd_lab.studies.near_policy_clock import N_SOURCES, factor, from_lines

CHECKPOINT = DATA / "checkpoints" / "near-policy" / "warm-start"
"""The student before near-policy training, seed 1."""


def student_before(from_nothing: bool = False) -> Seq2Seq:
    """The warm start of seed 1: as it is committed, or trained here."""
    if not from_nothing:
        return load_committed(CHECKPOINT)
    return trained(warm_start(1, replace(EARLIER, n_train=scaled(None, 400))))


def timelines(clock: Sequence[Rows]) -> Timelines:
    """What the first round recorded, with MAIN sentences an update."""

    def events(name: str) -> list[Event]:
        """Of one way."""
        return from_lines(clock[0][str(MAIN)][name]["events"])

    return Timelines(events(LOOP), {interval: events(both(interval).name) for interval in EVERY})


def efficiencies(batch: Batch, lengths: Sequence[int]) -> dict[str, float]:
    """The share of places that hold a real target token: padded, and packed into rows of each
    length."""
    real = int((batch.target_out != PAD).sum())
    found = {"padded": real / batch.target_out.numel()}
    return found | {f"rows of {length}": pack(batch, length).efficiency for length in lengths}


@torch.no_grad()
def packed_and_padded(student: Seq2Seq, batch: Batch, length: int) -> tuple[float, float]:
    """The loss (nats a token) of the same sentences, packed and padded."""
    packed = pack(batch, length)
    return (
        float(nll(packed_reader(student).packed(packed), packed.target_out)),
        float(nll(student(batch), batch.target_out)),
    )


@torch.no_grad()
def seen_of_the_kl(
    student: Seq2Seq, teacher: Seq2Seq, batch: Batch, ks: Sequence[int]
) -> dict[int, float]:
    """Which share of the full forward KL the divergence over k words and the rest sees, over the
    batch's tokens."""
    real = batch.target_out != PAD
    own, said = student(batch)[real], teacher(batch)[real]
    full = float(divergence(own, said, 0.0).sum())
    return {k: float(top_k_kl(own.log_softmax(dim=1), top_k(said, k)).sum()) / full for k in ks}


def here(
    ways: Sequence[Way],
    size: int,
    student: Seq2Seq,
    teacher: Seq2Seq,
    data: Dataset,
    n_tokens: int,
    watch=None,
) -> dict[str, float]:
    """Seconds for 1,000 tokens of each way, once, on this machine as it is now; the student stays
    as it was."""
    found, threads = {}, torch.get_num_threads()
    for done, way in enumerate(ways, start=1):
        copy = empty_copy(student)
        copy.load_state_dict(student.state_dict())
        run, seconds = run_way(way, size, copy, teacher, data.train[:N_SOURCES], n_tokens)
        found[way.name] = 1000 * seconds / run.n_tokens
        if watch is not None:
            watch(done, len(ways))
    torch.set_num_threads(threads)
    return found


def factors(clock: Sequence[Rows], size: int = MAIN) -> dict[str, list[float]]:
    """Of each way in each round: times as fast as the faster of the synchronous loops."""
    return {name: [factor(size, name)(rows) for rows in clock] for name in clock[0][str(size)]}


def steps(clock: Sequence[Rows]) -> dict[str, float]:
    """By what each step of the ladder multiplies the speed of those before it (median over the
    rounds)."""
    names, found = [way.name for way in LADDER], factors(clock)
    return {
        name: median(now / before for now, before in zip(found[name], found[previous], strict=True))
        for previous, name in zip(names, names[1:], strict=False)
    }


def seconds_per_1000(clock: Sequence[Rows], name: str, size: int = MAIN) -> float:
    """Median over the rounds."""
    return median(one[str(size)][name]["seconds_per_1000"] for one in clock)


def by_clock(clock: Sequence[Rows]) -> dict[str, float]:
    """Seconds for 1,000 tokens of the arms whose way was timed: the synchronous loop's faster one,
    and intervals; with interval 1 the generator was one update ahead, which the arm is not."""
    found = {SYNCHRONOUS: min(seconds_per_1000(clock, LOOP), seconds_per_1000(clock, LOOP_2))}
    return found | {
        EVERY[interval]: seconds_per_1000(clock, both(interval).name) for interval in EVERY
    }


def curves(
    by_seed: Sequence[Rows], arms: Sequence[str]
) -> dict[str, tuple[np.ndarray, np.ndarray]]:
    """Of each arm the tokens learned from and the validity (percent), means over the seeds."""
    found = {}
    for arm in arms:
        points = np.array([one[arm]["curve"] for one in by_seed])  # (seeds, points, 2)
        found[arm] = points[:, :, 0].mean(axis=0), points[:, :, 1].mean(axis=0)
    return found


def delta_counts(by_seed: Sequence[Rows]) -> Mapping[str, np.ndarray]:
    """Edges of the bins of Δ-IFD, and how many valid and wrong samples each holds, all seeds
    together."""
    deltas = [one[KEPT]["delta"] for one in by_seed]
    return {
        "edges": np.array(deltas[0]["edges"]),
        **{what: np.sum([delta[what] for delta in deltas], axis=0) for what in ("valid", "wrong")},
    }


def valid_shares(by_seed: Sequence[Rows]) -> dict[str, float]:
    """The share of valid ones among the samples that were kept, dropped at the low end and at the
    high one."""
    found = {}
    for fate in ("dropped low", "kept", "dropped high"):
        valid, wrong = (
            sum(one[KEPT]["delta"][f"{fate} {what}"] for one in by_seed)
            for what in ("valid", "wrong")
        )
        found[fate] = valid / max(1, valid + wrong)
    return found


def best_arm(by_seed: Sequence[Rows], arms: Sequence[str]) -> str:
    """The arm with the highest mean validity on the test set."""
    return max(arms, key=lambda arm: fmean(one[arm]["validity"] for one in by_seed))
