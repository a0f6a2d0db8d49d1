"""What the PACED study measures: valid translations of an arm, signal-to-noise by pass rate, and
what failed draws look like."""

from __future__ import annotations

import random
from collections.abc import Iterator, Sequence
from statistics import fmean

from seqkd_lab.corpus.batching import Batch, encode, make_batch
from seqkd_lab.corpus.parallel import ParallelCorpus
from seqkd_lab.corpus.toy.nearest import edits_to_valid
from seqkd_lab.corpus.vocabulary import PAD
from seqkd_lab.decoding.search import search
from seqkd_lab.distillation.on_policy import Divergence
from seqkd_lab.distillation.paced import (
    N_SAMPLES,
    draws,
    sentence_gradients,
    share_valid,
    signal_and_noise,
)
from seqkd_lab.models.seq2seq import Seq2Seq
from seqkd_lab.studies.paced.design import OWN_WORDS, TEMPERATURE, fresh_of, has_skill, verifier

Sources = Sequence[Sequence[str]]
N_BINS = N_SAMPLES + 1
"""A bin for each pass rate that N_SAMPLES draws can give."""
MANY_EDITS = 6


def bins(rates: Sequence[float]) -> list[list[int]]:
    """Return the indices of the sources with each pass rate 0/8, 1/8, …, 8/8."""
    members: list[list[int]] = [[] for _ in range(N_BINS)]
    for i, rate in enumerate(rates):
        members[round(rate * N_SAMPLES)].append(i)
    return members


def counts(rates: Sequence[float]) -> list[int]:
    """Return the histogram of pass rates: how many sources each of the N_BINS has."""
    return [len(members) for members in bins(rates)]


def valid_rates(model: Seq2Seq, sources: Sources, n_samples: int, seed: int) -> list[float]:
    """Return of each source the share of `n_samples` draws that are valid."""
    drawn = draws(model, sources, n_samples, seed, TEMPERATURE)
    pairs = zip(sources, drawn, strict=True)
    return [share_valid(source, targets, verifier()) for source, targets in pairs]


def greedy_valid(model: Seq2Seq, sources: Sources) -> list[bool]:
    """Return whether the greedy translation of each source is valid."""
    searched = search(model, sources, 1)
    pairs = zip(sources, searched, strict=True)
    return [verifier()(source, n_best[0].tokens) for source, n_best in pairs]


def accuracy_record(model: Seq2Seq, seed: int) -> dict[str, float]:
    """Return shares of valid translations of fresh sources, greedy ones without the left-out skill
    ("greedy") and with it ("skill"), and of one draw of each source without it ("draws")."""
    sources = fresh_of(seed)
    valid = greedy_valid(model, sources)
    kept = [source for source in sources if not has_skill(source)]
    pairs = list(zip(sources, valid, strict=True))
    return {
        "draws": share(valid_rates(model, kept, 1, seed)),
        "greedy": share([right for source, right in pairs if not has_skill(source)]),
        "skill": share([right for source, right in pairs if has_skill(source)]),
    }


def share(values: Sequence[float]) -> float:
    """Return the mean, rounded for a results file."""
    return round(fmean(map(float, values)), 5)


def one_by_one(batch: Batch) -> Iterator[Batch]:
    """Yield the sentences of a batch as batches of one, without padding."""
    for i in range(len(batch)):
        source_length = int(batch.source_lengths[i])
        target_length = int((batch.target_out[i] != PAD).sum())
        yield Batch(
            batch.source[i : i + 1, :source_length],
            batch.source_lengths[i : i + 1],
            batch.target_in[i : i + 1, :target_length],
            batch.target_out[i : i + 1, :target_length],
            batch.rows[i : i + 1],
        )


def noise_record(
    student: Seq2Seq,
    teacher: Seq2Seq,
    pool: ParallelCorpus,
    rates: Sequence[float],
    most: int,
    seed: int,
) -> dict:
    """Return signal and noise of the gradient of reverse KL along one translation that the student
    draws, by pass rate: {"n": sentences of each bin, "signal": […], "noise": […]}.

    As many sentences are taken from every bin as the smallest has, at most `most`.
    """
    encoded = encode(pool, student.source_vocabulary, student.target_vocabulary)
    n = min(most, *counts(rates))
    record: dict = {"n": n, "signal": [], "noise": []}
    for members in bins(rates):
        batch = make_batch(encoded, random.Random(seed).sample(members, n))
        batch = OWN_WORDS(student, batch, seed)
        gradients = sentence_gradients(student, Divergence(1.0), one_by_one(batch), teacher)
        for name, value in zip(("signal", "noise"), signal_and_noise(gradients), strict=True):
            record[name].append(float(f"{value:.5g}"))
    return record


def failures_record(student: Seq2Seq, sources: Sources, seed: int) -> dict[str, float]:
    """Return what the failed ones of N_SAMPLES draws of each source look like, by their distance
    to the nearest valid translation: the number of draws, the share of them that are one edit
    away, the share that are MANY_EDITS or more away, and the mean of edits per word written."""
    edits, wrong = [], []
    for source, targets in zip(
        sources, draws(student, sources, N_SAMPLES, seed, TEMPERATURE), strict=True
    ):
        distances = {
            target: edits_to_valid(verifier().language, source, target)
            for target in dict.fromkeys(targets)
        }
        failed = [target for target in targets if distances[target]]
        edits += [distances[target] for target in failed]
        wrong += [min(1.0, distances[target] / max(1, len(target))) for target in failed]
    return {
        "n": len(edits),
        "one_edit": share([distance == 1 for distance in edits]),
        "many_edits": share([distance >= MANY_EDITS for distance in edits]),
        "words_wrong": share(wrong),
    }
