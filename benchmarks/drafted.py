"""Greedy translation with a draft: a teacher alone, and beside a student that learnt from it.

python -m benchmarks --only drafted    measures both ways in turn, for teachers of growing size, one
sentence at a time and in batches. Teacher and student learn once, and are kept under .work.

A round of drafting costs K steps of the draft and one call of the teacher, and writes
(1 − α^(K + 1)) / (1 − α) tokens, where α is the share of words on which both agree (Leviathan et
al. 2023, arXiv 2211.17192, section 3). So what decides is α, and how much cheaper the draft is. To
change the second alone, one teacher grows: layers are added that add nothing to the residual
stream, and hidden numbers of weight 0. It costs what any teacher of its size costs, and translates
as before, so that α stays as it is.
"""

from __future__ import annotations

import time
from dataclasses import replace
from pathlib import Path
from typing import Any

import torch

from benchmarks.results import Results, number, ratios, runs, spread
from benchmarks.tool import WORK
from seqkd_lab.corpus.parallel import ParallelCorpus
from seqkd_lab.decoding.distribution import SamplingDistribution
from seqkd_lab.decoding.search import search
from seqkd_lab.decoding.speculative import Round, speculative_sample
from seqkd_lab.distillation.losses import NLL
from seqkd_lab.distillation.sequence_level import distil_mode
from seqkd_lab.models.architectures import Spec, build
from seqkd_lab.models.checkpoint import load_model, save_model
from seqkd_lab.models.lstm import LSTMSpec
from seqkd_lab.models.seq2seq import Seq2Seq
from seqkd_lab.models.transformer import TransformerSpec
from seqkd_lab.runs.data import Dataset, load_toy
from seqkd_lab.runs.recipes import ToyData
from seqkd_lab.training import Optimisation, train

GREEDY = SamplingDistribution(temperature=0.0)
TEACHER, DRAFT = TransformerSpec(128, 2, 4, 256), LSTMSpec(32)
DRAFT_LENGTHS = (2, 4, 8)
BATCHES = {1: 20, 16: 160}
"""Sentences that are translated, by how many of them together."""
SIZES = {"2 layers": (2, 256), "8 layers": (8, 512), "24 layers": (24, 1024)}
"""Layers, and hidden numbers of each, to which the teacher grows."""


def learnt(
    spec: Spec, corpus: ParallelCorpus, data: Dataset, optimisation: Optimisation, folder: Path
) -> Seq2Seq:
    """A model of `spec` that has learnt `corpus`; from `folder` where it lies there already."""
    if not folder.exists():
        torch.manual_seed(1)
        model = build(spec, data.source_vocabulary, data.target_vocabulary)
        train(model, corpus, data.valid, NLL(), optimisation, seed=1)
        save_model(folder, model)
    return load_model(folder)


def pair(n_pairs: int, folder: Path) -> tuple[Seq2Seq, Seq2Seq, Dataset]:
    """A teacher, and a draft that learnt from its greedy translations; both lie in `folder`."""
    data = load_toy(ToyData(n_pairs))
    teacher = learnt(TEACHER, data.train, data, Optimisation(4, 0.002), folder / "teacher")
    made = (folder / "draft").exists()
    written = data.train if made else distil_mode(teacher, data.train, beam_size=1).corpus
    return teacher, learnt(DRAFT, written, data, Optimisation(8, 0.01), folder / "draft"), data


def grown(model: Seq2Seq, layers: int, hidden: int) -> Seq2Seq:
    """A Transformer of so many layers and hidden numbers that computes what `model` does: what is
    new has weights of 0 where it would reach the residual stream."""
    torch.manual_seed(1)
    spec = replace(model.spec, layers=layers, hidden=hidden)
    larger = build(spec, model.source_vocabulary, model.target_vocabulary).eval()
    old = dict(model.named_parameters())
    with torch.no_grad():
        for name, weight in larger.named_parameters():
            if name.endswith(ENDS_IN_THE_STREAM):
                weight.zero_()
            if name in old:
                weight[tuple(map(slice, old[name].shape))] = old[name]
    return larger


ENDS_IN_THE_STREAM = ("out.weight", "out.bias", "feed.2.weight", "feed.2.bias")
"""The parameters of a layer whose products are added to the residual stream."""


def timed(way: Any) -> tuple[dict[str, float], list[tuple[str, ...]]]:
    """CPU and wall-clock seconds of one call, and the translations."""
    cpu, wall = time.process_time(), time.perf_counter()
    found = way()
    seconds = {"cpu_s": time.process_time() - cpu, "wall_s": time.perf_counter() - wall}
    return seconds, [hypothesis.tokens for hypothesis in found]


def compared(target: Seq2Seq, draft: Seq2Seq, sources: Any, together: int) -> dict[str, Any]:
    """One round: greedy search of the target and of the draft, and drafting of each length."""

    def alone(model: Seq2Seq) -> Any:
        return [best[0] for best in search(model, sources, 1, batch_size=together)]

    seconds, ours = timed(lambda: alone(target))
    n_tokens = sum(len(tokens) + 1 for tokens in ours)
    found: dict[str, Any] = {"tokens": n_tokens, "sentences": len(sources), "alone": seconds}
    found["draft alone"] = timed(lambda: alone(draft))[0]
    for length in DRAFT_LENGTHS:
        calls: list[Round] = []
        seconds, written = timed(
            lambda length=length, calls=calls: speculative_sample(
                target, draft, sources, 1, length, GREEDY,
                batch_size=together, observer=calls.append,
            )
        )  # fmt: skip
        same = sum(a == b for a, b in zip(ours, written, strict=True))
        found[f"K={length}"] = {**seconds, "target_calls": len(calls), "same": same}
    return found


def measure(options: dict[str, Any]) -> dict[str, Any]:
    """A round for each size of batch, of the teacher's size that `options` names."""
    quick = options["plan"] == "quick"
    teacher, draft, data = pair(640 if quick else 6_000, WORK / options["plan"] / "drafted")
    target = grown(teacher, *SIZES[options["teacher"]])
    found: dict[str, Any] = {"n_parameters": target.n_parameters()}
    for together, n in BATCHES.items():
        sources = data.test.source[: n // 10 if quick else n]
        speculative_sample(target, draft, sources[:2], 1, 4, GREEDY)  # the first call is slower
        found[f"batch {together}"] = compared(target, draft, sources, together)
    return found


def line(measured: list[dict[str, Any]], together: int, length: int) -> list[str]:
    """The cells of one teacher, one size of batch and one draft length."""
    rounds = [run[f"batch {together}"] for run in measured]

    def seconds(way: str, kind: str = "cpu_s") -> list[float]:
        return [one[way][kind] for one in rounds]

    drafted = rounds[-1][f"K={length}"]
    share = together * drafted["target_calls"]
    return [
        str(together), str(length), str(ratios(seconds("draft alone"), seconds("alone"))),
        number(rounds[-1]["tokens"] / share),
        str(spread(1e3 * one["alone"]["cpu_s"] / one["tokens"] for one in rounds)),
        str(ratios(seconds("alone"), seconds(f"K={length}"))),
        str(ratios(seconds("alone", "wall_s"), seconds(f"K={length}", "wall_s"))),
        f"{drafted['same']} of {rounds[-1]['sentences']}",
    ]  # fmt: skip


def table(results: Results) -> str:
    """What drafting brings each teacher."""
    head = ["teacher", "parameters", "batch", "K", "draft's cost / teacher's",
            "tokens a call and sentence", "CPU ms a token alone", "times faster, CPU",
            "wall-clock", "same"]  # fmt: skip
    lines = [
        "### Greedy translation by a teacher with a student as its draft",
        "",
        "| " + " | ".join(head) + " |",
        "|" + "---|" * len(head),
    ]
    for name in SIZES:
        measured = runs(results, f"drafted/{name}")
        for together in BATCHES if measured else ():
            for length in DRAFT_LENGTHS:
                cells = [
                    name,
                    f"{measured[-1]['n_parameters']:,}",
                    *line(measured, together, length),
                ]
                lines.append("| " + " | ".join(cells) + " |")
    return "\n".join(lines)
