"""What the PACED study measures: pass rates of students, signal-to-noise by pass rate, and how pass
rates change in training."""

from __future__ import annotations

import random
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from statistics import fmean

from seqkd_lab.corpus.batching import Batch, encode, make_batch
from seqkd_lab.corpus.toy import ToyLanguage
from seqkd_lab.corpus.vocabulary import PAD
from seqkd_lab.decoding.search import search
from seqkd_lab.distillation.on_policy import Divergence, OnPolicy
from seqkd_lab.distillation.paced import (
    N_SAMPLES,
    draws,
    sentence_gradients,
    share_valid,
    signal_and_noise,
)
from seqkd_lab.models.seq2seq import Seq2Seq
from seqkd_lab.runs.data import without
from seqkd_lab.runs.recipes import Recipe
from seqkd_lab.runs.store import Report, Store
from seqkd_lab.runs.verdicts import Rows
from seqkd_lab.studies.paced.recipes import FORWARD, LEFT_OUT, REVERSE, TEMPERATURE
from seqkd_lab.training import Progress, train

Sources = Sequence[Sequence[str]]
N_BINS = N_SAMPLES + 1
"""A bin for each pass rate that N_SAMPLES draws can give."""
START = "start"


def bins(rates: Sequence[float]) -> list[list[int]]:
    """Return the indices of the sources with each pass rate 0/8, 1/8, …, 8/8."""
    members: list[list[int]] = [[] for _ in range(N_BINS)]
    for i, rate in enumerate(rates):
        members[round(rate * N_SAMPLES)].append(i)
    return members


def counts(rates: Sequence[float]) -> list[int]:
    """Return the histogram of pass rates: how many sources each of the N_BINS has."""
    return [len(members) for members in bins(rates)]


@dataclass(frozen=True)
class Judged:
    """A model's pass rate of each source, its greedy translations, and which of them are valid."""

    rates: list[float]
    greedy: list[tuple[str, ...]]
    valid: list[bool]


def judge_models(
    models: Mapping[str, Seq2Seq],
    sources: Sources,
    language: ToyLanguage,
    seed: int,
    report: Report,
) -> dict[str, Judged]:
    """Judge what each model draws and what it writes greedily; each draws with a seed of its own.

    All models are judged source after source: the language works out a source's valid translations
    once.
    """
    drawn, judged = {}, {}
    for number, (name, model) in enumerate(models.items()):
        drawn[name] = draws(model, sources, seed=1_000 * seed + number, temperature=TEMPERATURE)
        greedy = [hypotheses[0].tokens for hypotheses in search(model, sources, 1)]
        judged[name] = Judged([], greedy, [])
        report(number + 1, len(models))
    for i, source in enumerate(sources):
        for name, model_judged in judged.items():
            model_judged.rates.append(share_valid(source, drawn[name][i], language.is_valid))
            model_judged.valid.append(language.is_valid(source, model_judged.greedy[i]))
    return judged


def has_skill(source: Sequence[str]) -> bool:
    """Return whether a source needs the skill that distillation leaves out."""
    return bool(set(LEFT_OUT) & set(source))


def accuracy_record(
    rates: Sequence[float], valid: Sequence[bool], initial: Sequence[float], sources: Sources
) -> dict:
    """Return shares of valid translations, drawn (`rates`) and greedy (`valid`), of sources without
    (kept) and with the left-out skill.

    Of the kept sources also the drawn shares by their initial pass rate (None where no source has
    it), and their histogram.
    """
    left_out = [i for i, source in enumerate(sources) if has_skill(source)]
    kept = [i for i, source in enumerate(sources) if not has_skill(source)]
    by_initial = [_mean_of(rates, sorted({*kept} & {*members})) for members in bins(initial)]
    return {
        "kept": _mean_of(rates, kept),
        "left_out": _mean_of(rates, left_out),
        "kept_greedy": _mean_of(valid, kept),
        "left_out_greedy": _mean_of(valid, left_out),
        "by_initial": by_initial,
        "histogram": counts([rates[i] for i in kept]),
    }


def _mean_of(values: Sequence[float], members: Sequence[int]) -> float | None:
    return round(fmean(float(values[i]) for i in members), 5) if members else None


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
    store: Store, recipe: Recipe, rates: Sequence[float], most: int, seed: int, report: Report
) -> dict[str, dict]:
    """Return signal and noise of the gradient at the warm start by pass rate, for forward KL along
    the teacher's translations and reverse KL along one that the student draws.

    Of `recipe`'s corpus, as many sentences are taken from every bin as the smallest has, at most
    `most`.
    """
    assert recipe.teacher is not None, f"{recipe.name} has no teacher"
    student, teacher = store.beginning(recipe).eval(), store.model(recipe.teacher)
    corpus = without(store.corpus(recipe), recipe.without)
    encoded = encode(corpus, student.source_vocabulary, student.target_vocabulary)
    n = min(most, *counts(rates))
    record: dict[str, dict] = {
        loss: {"n": n, "signal": [], "noise": []} for loss in (FORWARD, REVERSE)
    }
    for number, members in enumerate(bins(rates)):
        chosen = random.Random(seed).sample(members, n)
        for loss, beta in ((FORWARD, 0.0), (REVERSE, 1.0)):
            batch = make_batch(encoded, chosen)
            if loss == REVERSE:
                batch = OnPolicy(1.0, TEMPERATURE)(student, batch, seed)
            gradients = sentence_gradients(student, Divergence(beta), one_by_one(batch), teacher)
            for name, value in zip(("signal", "noise"), signal_and_noise(gradients), strict=True):
                record[loss][name].append(float(f"{value:.5g}"))
        report(number + 1, N_BINS)
    return record


def snapshots(
    store: Store, recipe: Recipe, sources: Sources, epochs: Sequence[int], seed: int, report: Report
) -> dict[str, list[int]]:
    """Return the histogram of pass rates on `sources` after some epochs of the recipe's training.

    The training is repeated: to watch it changes nothing.
    """
    assert recipe.optimisation is not None, f"{recipe.name} is not trained"
    data, model = store.dataset(recipe.data), store.beginning(recipe)
    is_valid = data.toy_language.is_valid
    histograms: dict[str, list[int]] = {}

    def watch(progress: Progress) -> None:
        report(progress.update, progress.n_updates)
        if progress.valid_loss is not None and progress.epoch in epochs:
            drawn = draws(model, sources, seed=seed, temperature=TEMPERATURE)
            pairs = zip(sources, drawn, strict=True)
            rates = [share_valid(source, targets, is_valid) for source, targets in pairs]
            histograms[str(progress.epoch)] = counts(rates)

    train(
        model,
        without(store.corpus(recipe), recipe.without),
        data.valid,
        store.objective(recipe),
        recipe.optimisation,
        recipe.seed,
        None if recipe.teacher is None else store.model(recipe.teacher),
        callbacks=[watch],
        batch_transform=recipe.batch_transform,
    )
    return histograms


def percent_valid(rows: Rows, name: str, of: str = "kept") -> float:
    """Return the valid draws of an arm in percent: of sources without the left-out skill ("kept"),
    or with it ("left_out")."""
    return 100.0 * rows["arms"]["arms"][name][of]


def forgetting(rows: Rows, name: str) -> float:
    """Return what the left-out skill lost since the start, in points of valid draws."""
    return percent_valid(rows, START, "left_out") - percent_valid(rows, name, "left_out")


def ratios(rows: Rows, loss: str) -> list[float]:
    """Return the signal-to-noise ratio of each bin; not cut off at 0, or the mean over seeds would
    have a bias again."""
    noise = rows["noise"][loss]
    return [signal / noise for signal, noise in zip(noise["signal"], noise["noise"], strict=True)]
