"""What the near-policy experiment measures of an arm: what it learned, from how many tokens, how
stale they were."""

from __future__ import annotations

import time
from collections.abc import Sequence
from itertools import count
from pathlib import Path
from statistics import fmean

import numpy
import torch

from seqkd_lab.corpus.batching import EncodedCorpus, batches
from seqkd_lab.corpus.parallel import ParallelCorpus
from seqkd_lab.decoding.search import search
from seqkd_lab.distillation.generation import Written
from seqkd_lab.distillation.near_policy import Job, Run, learn
from seqkd_lab.distillation.on_policy import Divergence, OnPolicy
from seqkd_lab.evaluation import score_outputs
from seqkd_lab.models.checkpoint import load_model, save_model, write_json
from seqkd_lab.models.seq2seq import Seq2Seq
from seqkd_lab.runs.committed import weights_hash
from seqkd_lab.runs.data import Dataset
from seqkd_lab.runs.store import Store, identity
from seqkd_lab.studies.near_policy.recipes import (
    N_TOKENS,
    ON_POLICY,
    PER_UPDATE,
    RATES,
    Arm,
    cycle,
    learning_of,
    source_of,
    warm_start,
)
from seqkd_lab.training import Optimisation, Trainer

CURVE = (0.0, 0.2, 0.4, 0.6, 0.8)
"""Shares of the training after which validation sentences are translated."""
N_WATCHED, JUDGED_JOBS = 200, 8
"""Of the curve's sentences; one of so many jobs is put before the verifier, who takes longer than
all the rest."""
EDGES = tuple(round(float(edge), 3) for edge in numpy.linspace(-1.0, 1.0, 41))
"""Of the bins of Δ-IFD; what lies outside counts for the outermost."""


def accuracy(model: Seq2Seq, corpus: ParallelCorpus, data: Dataset) -> dict[str, float]:
    """Greedy translations of `corpus`: the share of valid ones and BLEU, both in percent."""
    start = time.perf_counter()
    outputs = [hypotheses[0].tokens for hypotheses in search(model, corpus.source, 1)]
    score, _ = score_outputs(
        outputs, corpus, data.detokenise, time.perf_counter() - start, data.language
    )
    return {"validity": round(100.0 * score.validity, 2), "bleu": round(score.bleu, 2)}


def write_warm_start(store: Store, folder: Path, seed: int = 1) -> None:
    """The lesson's student before: 16-bit weights, and what they are worth, read back."""
    recipe = warm_start(seed)
    save_model(folder, store.model(recipe), half=True)
    data = store.dataset(recipe.data)
    write_json(
        folder / "metrics.json",
        {
            "sha256": weights_hash(folder),
            "recipe": identity(recipe),
            "seed": seed,
            "metrics": accuracy(load_model(folder), data.test, data),
        },
    )


class Watch:
    """The validity on validation sentences, as training proceeds, over the tokens that were learned
    from."""

    def __init__(self, student: Seq2Seq, data: Dataset, n_tokens: int) -> None:
        self.student, self.data, self.points = student, data, []
        self._left = [share * n_tokens for share in CURVE]

    def __call__(self, n_tokens: int) -> None:
        """Measures when the next share is reached."""
        if self._left and n_tokens >= self._left[0]:
            self._left = [later for later in self._left if later > n_tokens]
            self.points.append([n_tokens, self.validity()])

    def end(self, n_tokens: int) -> list[list[float]]:
        """All points, (tokens, percent), with the last one."""
        return [*self.points, [n_tokens, self.validity()]]

    def validity(self) -> float:
        """Percent of the watched sentences."""
        sources = self.data.valid.source[:N_WATCHED]
        pairs = zip(sources, search(self.student, sources, 1), strict=True)
        return 100.0 * fmean(
            self.data.language.is_valid(source, best[0].tokens) for source, best in pairs
        )


class DeltaCounts:
    """How many samples of a bin of Δ-IFD are valid, how many not, and which the filter dropped."""

    def __init__(self, data: Dataset, vocabulary) -> None:
        self.data, self.vocabulary = data, vocabulary
        self.bins = {name: numpy.zeros(len(EDGES) - 1, dtype=int) for name in ("valid", "wrong")}
        self.fates = {
            f"{fate} {name}": 0
            for fate in ("kept", "dropped low", "dropped high")
            for name in self.bins
        }

    def add(self, written: Written) -> None:
        """Counts a job's samples."""
        middle = written.delta[written.kept].median()
        places = numpy.clip(
            numpy.searchsorted(EDGES, written.delta.numpy(), side="right") - 1, 0, len(EDGES) - 2
        )
        for i, target in enumerate(written.batch.target_out.tolist()):
            source = self.data.train.source[int(written.batch.rows[i])]
            name = (
                "valid"
                if self.data.language.is_valid(source, tuple(self.vocabulary.words(target)))
                else "wrong"
            )
            self.bins[name][places[i]] += 1
            fate = (
                "kept"
                if written.kept[i]
                else ("dropped high" if written.delta[i] > middle else "dropped low")
            )
            self.fates[f"{fate} {name}"] += 1

    def as_dict(self) -> dict:
        return {
            "edges": list(EDGES),
            **{name: bins.tolist() for name, bins in self.bins.items()},
            **self.fates,
        }


def run_record(run: Run) -> dict:
    """What an arm took, as plain JSON."""
    return {
        "tokens": run.n_tokens,
        "updates": run.n_updates,
        "written": run.n_written,
        "kept": run.n_kept,
        "staleness": round(fmean(run.staleness), 2),
        "most_stale": max(run.staleness),
        "last_loss": round(fmean(run.loss[-20:]), 4),
    }


def measure_arm(
    arm: Arm,
    student: Seq2Seq,
    teacher: Seq2Seq,
    data: Dataset,
    sources: EncodedCorpus,
    seed: int,
    n_tokens: int = N_TOKENS,
) -> dict:
    """Trains `student` in place as the arm says; its accuracy on the test set, its curve, and what
    it took."""
    watch, deltas, n_done = (
        Watch(student, data, n_tokens),
        DeltaCounts(data, student.target_vocabulary),
        0,
    )

    def observe(job: Job, written: Written) -> None:
        nonlocal n_done
        watch(n_done)
        n_done += int(written.lengths[written.kept].sum())
        if written.delta is not None and job.number % JUDGED_JOBS == 0:
            deltas.add(written)

    source = source_of(arm, student, teacher, sources, seed)
    run = learn(student, source, arm.schedule, learning_of(arm, n_tokens=n_tokens), observe)
    found = {
        **run_record(run),
        "curve": watch.end(run.n_tokens),
        **accuracy(student.eval(), data.test, data),
    }
    return (
        found
        if arm.how.filter == "" or not sum(deltas.fates.values())
        else {**found, "delta": deltas.as_dict()}
    )


def measure_synchronous(
    student: Seq2Seq,
    teacher: Seq2Seq,
    data: Dataset,
    seed: int,
    rate: float = RATES[ON_POLICY],
    n_tokens: int = N_TOKENS,
) -> dict:
    """The common ground (on_policy.py): one loop, batch by batch drawn and scored, forward KL over
    all words."""
    plan = Optimisation(epochs=1, learning_rate=rate, batch_size=PER_UPDATE)
    trainer = Trainer(
        student, data.train, data.valid, Divergence(0.0), plan, seed, teacher, OnPolicy(1.0)
    )
    watch, losses, n_done = Watch(student, data, n_tokens), [], 0
    student.train()
    for batch in endless_batches(trainer, seed):
        watch(n_done)
        drawn = trainer.batch_transform(student, batch, seed * 1_000_003 + len(losses))
        losses.append(update_at(trainer, drawn, cycle(rate)(n_done / n_tokens)))
        n_done += drawn.n_tokens
        if n_done >= n_tokens:
            break
    n = len(losses)
    run = Run(n_done, [0] * n, losses, n * PER_UPDATE, n * PER_UPDATE)
    return {
        **run_record(run),
        "curve": watch.end(n_done),
        **accuracy(student.eval(), data.test, data),
    }


def endless_batches(trainer: Trainer, seed: int):
    """The trainer's batches, epoch after epoch."""
    for epoch in count():
        yield from batches(
            trainer.encoded, trainer.optimisation.batch_size, shuffle_seed=seed * 1_000 + epoch
        )


def update_at(trainer: Trainer, batch, rate: float) -> float:
    """One update of the trainer's student at a learning rate of its own; the loss in nats a
    token."""
    for group in trainer.optimiser.param_groups:
        group["lr"] = rate
    with torch.no_grad():
        said = trainer.teacher(batch)
    return trainer.step(batch, said)


def mean_of(rows: Sequence[dict], arm: str, what: str) -> float:
    """The mean over seeds of an arm's number."""
    return fmean(row[arm][what] for row in rows)
