"""What the near-policy study measures of an arm: how well it translates, from how many tokens it
learned, and how stale they were."""

from __future__ import annotations

import time
from statistics import fmean

import numpy

from seqkd_lab.corpus.batching import EncodedCorpus
from seqkd_lab.corpus.parallel import ParallelCorpus
from seqkd_lab.corpus.vocabulary import Vocabulary
from seqkd_lab.decoding.search import search
from seqkd_lab.distillation.generation import Rollouts
from seqkd_lab.distillation.near_policy import Run, learn
from seqkd_lab.distillation.rollout_sources import Job
from seqkd_lab.evaluation import score_outputs
from seqkd_lab.models.seq2seq import Seq2Seq
from seqkd_lab.optimisation import set_rate
from seqkd_lab.runs.data import Dataset
from seqkd_lab.studies.near_policy.recipes import (
    N_TOKENS,
    ON_POLICY,
    RATES,
    Arm,
    learning_of,
    optimisation_at,
    source_of,
)
from seqkd_lab.studies.near_policy.synchronous import SynchronousTrainer

CURVE = (0.0, 0.2, 0.4, 0.6, 0.8)
"""Shares of the training after which validation sentences are translated."""
N_WATCHED = 200
"""Validation sentences that are translated for a point of the curve."""
JUDGED_JOBS = 8
"""Of so many jobs the rollouts of one are judged by the verifier, which takes longer than all the
rest."""
EDGES = tuple(round(float(edge), 3) for edge in numpy.linspace(-1.0, 1.0, 41))
"""Of the bins of Δ-IFD; values outside are counted in the outermost."""
VALID = "valid"
WRONG = "wrong"
FATES = ("kept", "dropped low", "dropped high")


def accuracy(model: Seq2Seq, corpus: ParallelCorpus, data: Dataset) -> dict[str, float]:
    """Translate `corpus` greedily, and return the share of valid translations and BLEU, both in
    percent."""
    start = time.perf_counter()
    outputs = [hypotheses[0].tokens for hypotheses in search(model, corpus.source, 1)]
    seconds = time.perf_counter() - start
    score, _ = score_outputs(outputs, corpus, data.detokenise, seconds, data.language)
    assert score.validity is not None, "the study's text has a language"
    return {"validity": round(100.0 * score.validity, 2), "bleu": round(score.bleu, 2)}


class Watch:
    """The validity of validation sentences during training, over the tokens learned from."""

    def __init__(self, student: Seq2Seq, data: Dataset, n_tokens: int) -> None:
        self.student, self.data = student, data
        self.points: list[list[float]] = []
        self._left = [share * n_tokens for share in CURVE]

    def __call__(self, n_tokens: int) -> None:
        """Measure when the next share of CURVE is reached."""
        if self._left and n_tokens >= self._left[0]:
            self._left = [tokens for tokens in self._left if tokens > n_tokens]
            self.points.append([n_tokens, self.validity()])

    def end(self, n_tokens: int) -> list[list[float]]:
        """Return all points, (tokens, percent), and the last one."""
        return [*self.points, [n_tokens, self.validity()]]

    def validity(self) -> float:
        """Return the percentage of the watched sentences whose translation is valid."""
        sources = self.data.valid.source[:N_WATCHED]
        is_valid, outputs = self.data.toy_language.is_valid, search(self.student, sources, 1)
        pairs = zip(sources, outputs, strict=True)
        return 100.0 * fmean(is_valid(source, best[0].tokens) for source, best in pairs)


class DeltaCounts:
    """How many rollouts in a bin of Δ-IFD are valid and how many wrong, and which of them the
    filter dropped."""

    def __init__(self, data: Dataset, vocabulary: Vocabulary) -> None:
        self.data, self.vocabulary = data, vocabulary
        self.bins = {name: numpy.zeros(len(EDGES) - 1, dtype=int) for name in (VALID, WRONG)}
        self.fates = {f"{fate} {name}": 0 for fate in FATES for name in self.bins}

    def add(self, rollouts: Rollouts) -> None:
        """Count the rollouts of a job. Raises ValueError without their Δ-IFD."""
        if rollouts.delta is None:
            raise ValueError("these rollouts were drawn without measuring Δ-IFD")
        is_valid, delta = self.data.toy_language.is_valid, rollouts.delta
        middle = delta[rollouts.kept].median()
        bins = numpy.searchsorted(EDGES, delta.numpy(), side="right") - 1
        bins = numpy.clip(bins, 0, len(EDGES) - 2)
        for i, target in enumerate(rollouts.batch.target_out.tolist()):
            source = self.data.train.source[int(rollouts.batch.rows[i])]
            name = VALID if is_valid(source, tuple(self.vocabulary.words(target))) else WRONG
            dropped = "dropped high" if delta[i] > middle else "dropped low"
            self.bins[name][bins[i]] += 1
            self.fates[f"{'kept' if rollouts.kept[i] else dropped} {name}"] += 1

    def as_dict(self) -> dict:
        """Return the counts as plain JSON."""
        bins = {name: counts.tolist() for name, counts in self.bins.items()}
        return {"edges": list(EDGES), **bins, **self.fates}


def run_record(run: Run) -> dict:
    """Return what a training took, as plain JSON."""
    return {
        "tokens": run.n_tokens,
        "updates": run.n_updates,
        "written": run.n_drawn,
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
    """Train `student` in place as the arm does; return its accuracy on the test set, its curve, and
    what it took."""
    watch, n_done = Watch(student, data, n_tokens), 0
    deltas = DeltaCounts(data, student.target_vocabulary)

    def observe(job: Job, rollouts: Rollouts) -> None:
        nonlocal n_done
        watch(n_done)
        n_done += int(rollouts.lengths[rollouts.kept].sum())
        if rollouts.delta is not None and job.number % JUDGED_JOBS == 0:
            deltas.add(rollouts)

    source = source_of(arm, student, teacher, sources, seed)
    run = learn(student, source, arm.schedule, learning_of(arm, n_tokens=n_tokens), observe)
    measured = _measured(run, watch, student, data)
    return measured | ({"delta": deltas.as_dict()} if any(deltas.fates.values()) else {})


def measure_synchronous(
    student: Seq2Seq,
    teacher: Seq2Seq,
    data: Dataset,
    seed: int,
    rate: float = RATES[ON_POLICY],
    n_tokens: int = N_TOKENS,
) -> dict:
    """Train `student` in place by the synchronous loop, and return the same."""
    optimisation = optimisation_at(rate)
    trainer = SynchronousTrainer(student, teacher, data.train, optimisation, seed)
    watch = Watch(student, data, n_tokens)

    def before_update(n_done: int) -> None:
        watch(n_done)
        set_rate(trainer.optimiser, optimisation, n_done / n_tokens)

    return _measured(trainer.learn(n_tokens, before_update), watch, student, data)


def _measured(run: Run, watch: Watch, student: Seq2Seq, data: Dataset) -> dict:
    curve = watch.end(run.n_tokens)
    return {**run_record(run), "curve": curve, **accuracy(student, data.test, data)}
