"""What others reported, and what it would mean for a plan. Each figure was read in the text that is
named; what could not be confirmed is left out, and NOT_REPORTED says so."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import median

from seqkd_lab import installation
from seqkd_lab.files import read_json
from seqkd_lab.planning.plan import HOUR, Order, Step, size

DAY = 24 * HOUR
GPU_GREEDY, GPU_BEAM, CPU_BEAM = 425.5, 101.9, 7.9
"""Source words a second of the 4x1000 teacher (Kim & Rush 2016, Table 2)."""
TITAN_X = {"4x1000": 3_300, "2x500": 8_200}
"""Tokens of both sides a second in training, in the README of the authors' code."""
K40 = 1_000
"""Target words a second in training (Luong et al. 2015)."""
NOT_REPORTED = (
    "Not reported, or not confirmed by us, and so left out: how long the training and the "
    "labelling of Kim & Rush took, on which GPU their Table 2 was measured, and any rate with "
    "K = 35."
)


@dataclass(frozen=True)
class Reported:
    """A figure of somebody else's, its source, and what it means for the plan at hand ("" where
    nothing can be computed from it)."""

    source: str
    figure: str
    meaning: str = ""


def reported(order: Order, steps: Sequence[Step]) -> Iterator[Reported]:
    """Yield what others reported, with what it means for `order`, and the rate of its `steps` in
    the same unit."""
    yield _table_2(order, next(step for step in steps if step.beam))
    yield _titan_x(order, steps[0])
    yield _k40(order)
    yield Reported(
        "Wu et al. 2016 (arXiv 1609.08144), as two later texts quote it",
        "8 + 8 layers, 36 million pairs English-French: around 6 days on 96 NVIDIA K80",
        f"{6 * 24 * 96:,} GPU hours",
    )
    yield Reported(
        "Vaswani et al. 2017 (arXiv 1706.03762), section 5.2",
        "4.5 million pairs English-German, one machine with 8 NVIDIA P100: base model 12 hours "
        "(100,000 steps), big model 3.5 days (300,000 steps)",
        f"{12 * 8:,} and {round(3.5 * 24 * 8):,} GPU hours",
    )
    yield Reported(
        "Ott et al. 2018 (arXiv 1806.00187), abstract",
        "16-bit numbers and large batches match Vaswani et al. in under 5 hours on 8 GPUs; 85 "
        "minutes on 128 GPUs give 29.3 BLEU",
        f"under {5 * 8:,}, and {128 * 85 / 60:,.0f} GPU hours",
    )


def _table_2(order: Order, labelling: Step) -> Reported:
    corpus, n = order.corpus, order.devices.n
    words = corpus.n_pairs * (corpus.source_length - 1)
    gpu, cpu = words / GPU_BEAM / DAY, words / CPU_BEAM / DAY
    return Reported(
        "Kim & Rush 2016, Table 2 (the authors' slides)",
        f"4x1000, source words a second: GPU greedy {GPU_GREEDY}, beam 5 {GPU_BEAM}; CPU beam 5 "
        f"{CPU_BEAM}",
        f"K = 5 for {corpus.n_pairs:,} pairs × {corpus.source_length - 1:.1f} words: "
        f"{gpu:,.1f} days of one such GPU, {gpu / n:,.1f} of {n:,}; {cpu:,.0f} days of such a CPU. "
        f"This plan: {labelling.per_s * words / corpus.n_pairs / corpus.target_length:,.1f} source "
        f"words a second with K = {labelling.beam}",
    )


def _titan_x(order: Order, training: Step) -> Reported:
    corpus, epochs = order.corpus, order.epochs
    words = corpus.n_pairs * (corpus.source_length + corpus.target_length - 2)
    teacher = epochs.teacher * words / TITAN_X["4x1000"] / DAY
    student = epochs.student * words / TITAN_X["2x500"] / DAY
    return Reported(
        "README of the authors' code (harvardnlp/seq2seq-attn)",
        "one GeForce GTX Titan X, 50,000 words, batch 64, tokens of both sides a second: 4x1000 "
        f"{TITAN_X['4x1000']:,}, 2x500 {TITAN_X['2x500']:,}",
        f"{epochs.teacher:,} epochs of a 4x1000 teacher: {teacher:,.1f} days of one such GPU; "
        f"{epochs.student:,} of a 2x500 student: {student:,.1f}. This plan: "
        f"{training.per_s * words / corpus.n_pairs / corpus.target_length:,.1f} tokens of both "
        f"sides a second for a {size(order.teacher)} teacher",
    )


def _k40(order: Order) -> Reported:
    corpus, epochs = order.corpus, order.epochs.teacher
    days = epochs * corpus.n_pairs * (corpus.target_length - 1) / K40 / DAY
    return Reported(
        "Luong et al. 2015 (arXiv 1508.04025), section 4.1",
        "the same 4x1000 on 4.5 million pairs, one Tesla K40: 1,000 target words a second, 7 to 10 "
        "days for 10 to 12 epochs",
        f"{epochs:,} epochs at 1,000 words a second: {days:,.1f} days of one such GPU",
    )


def beside_opennmt(results: Path | None = None) -> str:
    """Say how the lab was measured beside OpenNMT-py (benchmarks/results.json of the checkout);
    where that file is not, where it can be found."""
    checkout = installation.checkout()
    if results is None and checkout is not None:
        results = checkout / "benchmarks" / "results.json"
    if results is None or not results.exists():
        return "The lab beside OpenNMT-py: benchmarks/README.md of the source archive."
    measured = read_json(results, dict)
    said = []
    for name, job, part in (("training", "train", None), ("beam 5", "decode", "beam5")):
        ours, theirs = (
            _tokens_per_cpu_s(measured, f"2x192/{tool}/{job}", part)
            for tool in ("seqkd_lab", "opennmt-rnn")
        )
        if ours and theirs:
            said.append(f"{name} {ours:,.0f} and {theirs:,.0f} ({ours / theirs:.1f} times)")
    if not said:
        return f"The lab beside OpenNMT-py: {results} has no rounds of both."
    return (
        "The lab and OpenNMT-py, the same 2x192 LSTM on one thread of a CPU, target tokens a CPU "
        f"second (benchmarks/results.json): {'; '.join(said)}."
    )


def _tokens_per_cpu_s(measured: dict, name: str, part: str | None) -> float:
    """Return the median over the rounds of an entry; 0 without any."""
    rounds = measured.get(name, {}).get("runs", [])
    pieces = [each if part is None else each.get(part, {}) for each in rounds]
    rates = [piece["tokens"] / piece["cpu_s"] for piece in pieces if piece.get("cpu_s")]
    return median(rates) if rates else 0.0
