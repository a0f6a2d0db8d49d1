"""Lesson 06's three students: alike in everything but the target side of their corpus, trained
while one waits.

They attend to their last few target words only (`TransformerSpec.memory`), so that what a student
cannot remember stays visible however long it learns. `seqkd-lab study live` trains them with ten
seeds, which says how far the three that a reader trains can be relied on.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache

import pandas
import torch

from seqkd_lab.corpus.parallel import ParallelCorpus
from seqkd_lab.corpus.toy import dataset as toy
from seqkd_lab.decoding.search import search
from seqkd_lab.distillation.losses import NLL
from seqkd_lab.distillation.sequence_level import distil_mode, distil_sampled
from seqkd_lab.evaluation import OutputScore, score_outputs
from seqkd_lab.identity import settings
from seqkd_lab.models.seq2seq import Seq2Seq
from seqkd_lab.models.transformer import TransformerSeq2Seq, TransformerSpec
from seqkd_lab.optimisation import Optimisation
from seqkd_lab.runs.committed import (
    checkpoint_directory,
    existing_checkpoint,
    load_committed,
    weights_hash,
)
from seqkd_lab.runs.data import Dataset
from seqkd_lab.runs.measured import Percent, Row, Share, by_name
from seqkd_lab.runs.recipes import TEACHER, ToyData
from seqkd_lab.runs.results import with_interval
from seqkd_lab.runs.store import Report, Store
from seqkd_lab.runs.study import Study
from seqkd_lab.runs.verdicts import Claim, Rows
from seqkd_lab.trainer import Callback
from seqkd_lab.training import train

GOLD = "gold"
SAMPLES = "teacher's samples"
MODE = "teacher's mode"
CORPORA = (GOLD, SAMPLES, MODE)
BEAM_SIZE = 5
Watch = Callable[[int, int], None]
"""Is called with (done, total) of the work at hand."""


@dataclass(frozen=True)
class LiveStudent:
    """What the three students share: their size, the first `n_pairs` sources of the corpus, and
    their training."""

    model: TransformerSpec = TransformerSpec(
        width=32, layers=1, heads=2, hidden=64, dropout=0.0, memory=3
    )
    n_pairs: int = 6_000
    optimisation: Optimisation = Optimisation(
        epochs=8, learning_rate=0.02, batch_size=64, warmup=0.2
    )
    n_valid: int = 200
    n_test: int = 1_000


LIVE = LiveStudent()


def fast(live: LiveStudent) -> LiveStudent:
    """Return settings with which a test runs through: they teach nothing."""
    return replace(
        live,
        n_pairs=200,
        n_valid=20,
        n_test=40,
        optimisation=replace(live.optimisation, epochs=1, batch_size=32),
    )


def teacher_corpora(
    teacher: Seq2Seq,
    gold: ParallelCorpus,
    is_valid: Callable[[Sequence[str], Sequence[str]], bool],
    seed: int,
    watch: Watch = lambda done, total: None,
) -> dict[str, ParallelCorpus]:
    """Return three corpora over the sources of `gold`: gold itself, the teacher's samples and its
    mode.

    A sample that is not valid is drawn again, so that gold and samples differ in their translator
    only. The mode is what beam search finds, errors and all, as in the paper. `watch` is called
    with (done, total) translations.
    """
    n_made = 0

    def report(more: int) -> None:
        nonlocal n_made
        n_made += more
        watch(n_made, 2 * len(gold))

    samples = distil_sampled(teacher, gold, seed, report=report, is_valid=is_valid).corpus
    return {
        GOLD: gold,
        SAMPLES: samples,
        MODE: distil_mode(teacher, gold, BEAM_SIZE, report=report).corpus,
    }


def train_student(
    live: LiveStudent,
    data: Dataset,
    corpus: ParallelCorpus,
    seed: int,
    callbacks: Sequence[Callback] = (),
) -> TransformerSeq2Seq:
    """Train a student on the pairs of `corpus` by NLL; equal arguments give equal students on one
    machine."""
    torch.manual_seed(seed)
    student = TransformerSeq2Seq(live.model, data.source_vocabulary, data.target_vocabulary)
    train(
        student,
        corpus,
        data.valid[: live.n_valid],
        NLL(),
        live.optimisation,
        seed,
        callbacks=callbacks,
    )
    return student


def score_student(
    live: LiveStudent, data: Dataset, student: Seq2Seq, beam_size: int = 1
) -> OutputScore:
    """Judge the student's translations of the first `n_test` test sentences, greedy or by beam
    search."""
    test = data.test[: live.n_test]
    best = [n_best[0].tokens for n_best in search(student, test.source, beam_size, 1)]
    return score_outputs(best, test, data.detokenise, 1.0, data.language)[0]


@lru_cache(maxsize=1)
def committed_teacher() -> Seq2Seq:
    """Return the teacher that travels with the repository, loaded once in this process."""
    return load_committed(existing_checkpoint(TEACHER))


class Scores(Row):
    """What a student's translations are worth: BLEU (0–100) greedy and by beam, and the shares of
    valid ones."""

    greedy: Percent
    beam: Percent
    valid: Share
    valid_beam: Share


ROWS = by_name("LiveStudents", dict.fromkeys(CORPORA, Scores))


def measure(seed: int, store: Store, report: Report) -> dict:
    """Train and judge the three students of `seed`: by corpus greedy and beam BLEU, and shares of
    valid outputs."""
    data = store.dataset(ToyData())
    corpora = teacher_corpora(
        committed_teacher(), data.train[: LIVE.n_pairs], data.toy_language.is_valid, seed
    )
    measured = {}
    for name, corpus in corpora.items():
        student = train_student(LIVE, data, corpus, seed)
        greedy, beam = (
            score_student(LIVE, data, student, beam_size) for beam_size in (1, BEAM_SIZE)
        )
        measured[name] = {
            "greedy": greedy.bleu,
            "beam": beam.bleu,
            "valid": greedy.validity,
            "valid_beam": beam.validity,
        }
        report(len(measured), len(corpora))
    return measured


def points_above(rows: Rows, better: str, other: str) -> float:
    """Return by how many points of valid greedy translations one student is above another."""
    return 100.0 * (rows[better]["valid"] - rows[other]["valid"])


def beam_gain(rows: Rows, name: str) -> float:
    """Return what the beam adds, in BLEU."""
    return rows[name]["beam"] - rows[name]["greedy"]


CLAIMS = (
    Claim(
        "L1",
        "the mode's student has at least 10 points more valid greedy translations than gold's",
        lambda rows: points_above(rows, MODE, GOLD),
        least=10.0,
        original="an aim of this lab",
    ),
    Claim(
        "L2",
        "the mode's student has at least 10 points more valid greedy translations than the "
        "samples'",
        lambda rows: points_above(rows, MODE, SAMPLES),
        least=10.0,
        original="an aim of this lab",
    ),
    Claim(
        "L3",
        "the samples' student is within 10 points of gold's: that the teacher wrote it is not "
        "what helps",
        lambda rows: points_above(rows, SAMPLES, GOLD),
        least=-10.0,
        most=10.0,
        original="an aim of this lab",
    ),
    Claim(
        "L4",
        "the mode's student gains greedy BLEU over gold's",
        lambda rows: rows[MODE]["greedy"] - rows[GOLD]["greedy"],
        least=0.0,
        original="Kim & Rush 2016, Table 1: 18.9 − 14.7 = 4.2",
    ),
    Claim(
        "L5",
        "the beam adds less BLEU to the mode's student than to gold's",
        lambda rows: beam_gain(rows, GOLD) - beam_gain(rows, MODE),
        least=0.0,
        original="Kim & Rush 2016, Table 1: 0.1 against 2.9",
    ),
)


def live_tables(by_seed: Sequence[Rows]) -> dict[str, pandas.DataFrame]:
    """Return the students' scores with 95% intervals over the seeds, and each seed's shares of
    valid translations."""
    columns = {
        "BLEU K=1": ("greedy", 1.0),
        f"BLEU K={BEAM_SIZE}": ("beam", 1.0),
        "valid K=1, %": ("valid", 100.0),
        f"valid K={BEAM_SIZE}, %": ("valid_beam", 100.0),
    }
    scores = {
        name: {
            title: with_interval([rows[name][measure] for rows in by_seed], scale=scale)
            for title, (measure, scale) in columns.items()
        }
        for name in CORPORA
    }
    seeds = [{name: f"{100.0 * rows[name]['valid']:.0f}" for name in CORPORA} for rows in by_seed]
    return {
        "three students, by what they learned from": pandas.DataFrame.from_dict(
            scores, orient="index"
        ),
        "valid greedy translations in %, a line a seed": pandas.DataFrame(seeds),
    }


def live_settings() -> Mapping:
    """Return everything that decides the numbers of the study, as plain JSON."""
    teacher = checkpoint_directory(TEACHER)
    return {
        "corpus version": toy.VERSION,
        "teacher": None if teacher is None else weights_hash(teacher),
        "student": settings(LIVE),
        "beam size": BEAM_SIZE,
    }


STUDY = Study(
    "live",
    "How far can the three students be relied on that a reader of lesson 06 trains?",
    "live.json",
    live_settings,
    lambda seed: [],
    measure,
    live_tables,
    CLAIMS,
    first_seed=21,
    n_seeds=10,
    rows=ROWS,
)
