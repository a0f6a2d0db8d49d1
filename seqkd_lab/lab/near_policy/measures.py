"""What lesson 14 measures while it runs."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace

import torch

from seqkd_lab.corpus.batching import Batch
from seqkd_lab.corpus.packing import pack
from seqkd_lab.corpus.vocabulary import PAD
from seqkd_lab.distillation.divergences import divergence
from seqkd_lab.distillation.losses import nll
from seqkd_lab.distillation.top_k import top_k, top_k_kl
from seqkd_lab.lab.shared.models import trained
from seqkd_lab.lab.shared.switches import scaled
from seqkd_lab.models.packed import packed_reader
from seqkd_lab.models.seq2seq import Seq2Seq
from seqkd_lab.runs.committed import existing_checkpoint, load_committed
from seqkd_lab.runs.data import Dataset
from seqkd_lab.runs.recipes import ToyData
from seqkd_lab.studies.near_policy.recipes import LATE, empty_copy, warm_start
from seqkd_lab.studies.near_policy.study import FIRST_SEED
from seqkd_lab.studies.near_policy.ways import Way, run_way
from seqkd_lab.studies.near_policy_clock import N_SOURCES


def student_before(from_scratch: bool = False) -> Seq2Seq:
    """Return the late warm start of the first seed: as it is committed, or trained here."""
    if not from_scratch:
        return load_committed(existing_checkpoint("near-policy/warm-start"))
    data = replace(ToyData(), n_train=scaled(None, 400))
    return trained(warm_start(FIRST_SEED, LATE, data))


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
    full = float(divergence(logits, teacher_logits, 0.0).sum())
    return {k: float(top_k_kl(logits, top_k(teacher_logits, k)).sum()) / full for k in ks}


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
    student stays as it was. What is slow the first time is not counted."""
    seconds_per_1000, threads = {}, torch.get_num_threads()
    corpus = data.train[:N_SOURCES]
    for done, way in enumerate(ways, start=1):
        for n in (n_tokens // 20, n_tokens) if not way.two_processes else (n_tokens,):
            copy = empty_copy(student)
            copy.load_state_dict(student.state_dict())
            run, seconds = run_way(way, size, copy, teacher, corpus, n)
        seconds_per_1000[way.name] = 1000 * seconds / run.n_tokens
        report(done, len(ways))
    torch.set_num_threads(threads)
    return seconds_per_1000
