"""What lesson 14 measures while it runs, and what it reads from the results of the near-policy
studies."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
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
from seqkd_lab.lab.near_policy.explorer import Timelines
from seqkd_lab.lab.shared.models import trained
from seqkd_lab.lab.shared.switches import scaled
from seqkd_lab.models.packed import packed_reader
from seqkd_lab.models.seq2seq import Seq2Seq
from seqkd_lab.runs.committed import existing_checkpoint, load_committed
from seqkd_lab.runs.data import Dataset
from seqkd_lab.runs.presets import EARLIER
from seqkd_lab.runs.verdicts import Rows
from seqkd_lab.studies import near_policy_clock
from seqkd_lab.studies.near_policy.measures import VALID, WRONG
from seqkd_lab.studies.near_policy.recipes import EVERY, KEPT, SYNCHRONOUS, empty_copy, warm_start
from seqkd_lab.studies.near_policy.study import counted
from seqkd_lab.studies.near_policy.ways import LADDER, LOOP, LOOP_2, MAIN, Way, both, run_way
from seqkd_lab.studies.near_policy_clock import N_SOURCES, from_lines


def student_before(from_scratch: bool = False) -> Seq2Seq:
    """Return the warm start of seed 1: as it is committed, or trained here."""
    if not from_scratch:
        return load_committed(existing_checkpoint("near-policy/warm-start"))
    return trained(warm_start(1, replace(EARLIER, n_train=scaled(None, 400))))


def timelines(rounds: Sequence[Rows]) -> Timelines:
    """Return what the first round recorded, with MAIN sentences an update."""

    def events(name: str) -> list[Event]:
        return from_lines(rounds[0][str(MAIN)][name]["events"])

    return Timelines(events(LOOP), {interval: events(both(interval).name) for interval in EVERY})


def efficiencies(batch: Batch, lengths: Sequence[int]) -> dict[str, float]:
    """Return the share of positions that hold a real target token: padded, and packed into rows of
    each length."""
    padded = int((batch.target_out != PAD).sum()) / batch.target_out.numel()
    packed = {f"rows of {length}": pack(batch, length).efficiency for length in lengths}
    return {"padded": padded, **packed}


@torch.no_grad()
def packed_and_padded(student: Seq2Seq, batch: Batch, length: int) -> tuple[float, float]:
    """Return the loss (nats a token) of the same sentences, packed and padded."""
    packed = pack(batch, length)
    return (
        float(nll(packed_reader(student).packed(packed), packed.target_out)),
        float(nll(student(batch), batch.target_out)),
    )


@torch.no_grad()
def seen_of_the_kl(
    student: Seq2Seq, teacher: Seq2Seq, batch: Batch, ks: Sequence[int]
) -> dict[int, float]:
    """Return for each k which share of the full forward KL the divergence over k words and the rest
    sees, over the batch's tokens."""
    real = batch.target_out != PAD
    logits, teacher_logits = student(batch)[real], teacher(batch)[real]
    log_p = logits.log_softmax(dim=1)
    full = float(divergence(logits, teacher_logits, 0.0).sum())
    return {k: float(top_k_kl(log_p, top_k(teacher_logits, k)).sum()) / full for k in ks}


def time_here(
    ways: Sequence[Way],
    size: int,
    student: Seq2Seq,
    teacher: Seq2Seq,
    data: Dataset,
    n_tokens: int,
    report: Callable[[int, int], None] = lambda done, total: None,
) -> dict[str, float]:
    """Return the seconds for 1,000 tokens of each way, once, on this machine as it is now; the
    student stays as it was."""
    seconds_per_1000, threads = {}, torch.get_num_threads()
    for done, way in enumerate(ways, start=1):
        copy = empty_copy(student)
        copy.load_state_dict(student.state_dict())
        run, seconds = run_way(way, size, copy, teacher, data.train[:N_SOURCES], n_tokens)
        seconds_per_1000[way.name] = 1000 * seconds / run.n_tokens
        report(done, len(ways))
    torch.set_num_threads(threads)
    return seconds_per_1000


def factors(rounds: Sequence[Rows], size: int = MAIN) -> dict[str, list[float]]:
    """Return for each way how many times as fast as the faster of the synchronous loops it was, in
    each round."""
    return {
        name: [near_policy_clock.factor(size, name)(rows) for rows in rounds]
        for name in rounds[0][str(size)]
    }


def steps(rounds: Sequence[Rows]) -> dict[str, float]:
    """Return by how much each step of the ladder multiplies the speed of those before it (median
    over the rounds)."""
    names, by_way = [way.name for way in LADDER], factors(rounds)
    return {
        name: median(
            now / before for now, before in zip(by_way[name], by_way[previous], strict=True)
        )
        for previous, name in zip(names, names[1:], strict=False)
    }


def seconds_by_arm(rounds: Sequence[Rows]) -> dict[str, float]:
    """Return the seconds for 1,000 tokens (median over the rounds) of the arms whose way was timed:
    the synchronous loop's faster one, and intervals.

    With interval 1 the generator was one update ahead, which the arm is not.
    """

    def seconds(name: str) -> float:
        return median(near_policy_clock.seconds_per_1000(rows, MAIN, name) for rows in rounds)

    timed = {EVERY[interval]: seconds(both(interval).name) for interval in EVERY}
    return {SYNCHRONOUS: min(seconds(LOOP), seconds(LOOP_2)), **timed}


def curves(
    by_seed: Sequence[Rows], arms: Sequence[str]
) -> dict[str, tuple[np.ndarray, np.ndarray]]:
    """Return for each arm the tokens learned from and the validity (percent), means over the
    seeds."""
    means = {}
    for arm in arms:
        points = np.array([rows[arm]["curve"] for rows in by_seed]).mean(axis=0)  # (points, 2)
        means[arm] = points[:, 0], points[:, 1]
    return means


def delta_counts(by_seed: Sequence[Rows]) -> Mapping[str, np.ndarray]:
    """Return the edges of the bins of Δ-IFD, and how many valid and wrong rollouts each holds, all
    seeds together."""
    deltas = [rows[KEPT]["delta"] for rows in by_seed]
    counts = {name: np.sum([delta[name] for delta in deltas], axis=0) for name in (VALID, WRONG)}
    return {"edges": np.array(deltas[0]["edges"]), **counts}


def valid_shares(by_seed: Sequence[Rows]) -> dict[str, float]:
    """Return the share of valid ones among the rollouts that were dropped at the low end, kept, and
    dropped at the high end."""
    shares = {}
    for fate in ("dropped low", "kept", "dropped high"):
        n_valid, n = counted(by_seed, fate)
        shares[fate] = n_valid / max(1, n)
    return shares


def best_arm(by_seed: Sequence[Rows], arms: Sequence[str]) -> str:
    """Return the arm with the highest mean validity on the test set."""
    return max(arms, key=lambda arm: fmean(rows[arm]["validity"] for rows in by_seed))
