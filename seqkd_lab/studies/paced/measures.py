"""What the PACED experiment measures: pass rates of many students, signal-to-noise by pass rate,
training watched."""

from __future__ import annotations

import random
from collections.abc import Iterator, Mapping, Sequence
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
from seqkd_lab.studies.paced.recipes import FORWARD, LEFT_OUT, REVERSE, TEMPERATURE
from seqkd_lab.training import Progress, train

Sources = Sequence[Sequence[str]]
N_BINS = N_SAMPLES + 1
"""A bin for each pass rate that N_SAMPLES draws can give."""


def bins(rates: Sequence[float]) -> list[list[int]]:
    """The places of each pass rate 0/8, 1/8, …, 8/8."""
    found: list[list[int]] = [[] for _ in range(N_BINS)]
    for place, rate in enumerate(rates):
        found[round(rate * N_SAMPLES)].append(place)
    return found


def counts(rates: Sequence[float]) -> list[int]:
    """The histogram of pass rates: how many sources each of the N_BINS has."""
    return [len(places) for places in bins(rates)]


def judged(
    models: Mapping[str, Seq2Seq],
    sources: Sources,
    language: ToyLanguage,
    seed: int,
    report: Report,
) -> tuple[dict[str, list[float]], dict[str, list[tuple[str, ...]]], dict[str, list[bool]]]:
    """Of each model: the pass rate of each source, its greedy translations, and which of them are
    valid.

    Source after source all models are judged together: a source's valid translations are worked out
    once. Every model draws with a seed of its own.
    """
    drawn, greedy = {}, {}
    for number, (name, model) in enumerate(models.items()):
        drawn[name] = draws(model, sources, seed=1_000 * seed + number, temperature=TEMPERATURE)
        greedy[name] = [found[0].tokens for found in search(model, sources, 1)]
        report(number + 1, len(models))
    rates, right = {name: [] for name in models}, {name: [] for name in models}
    for place, source in enumerate(sources):
        for name in models:
            rates[name].append(share_valid(source, drawn[name][place], language.is_valid))
            right[name].append(language.is_valid(source, greedy[name][place]))
    return rates, greedy, right


def has_skill(source: Sequence[str]) -> bool:
    """Whether a source needs the skill that distillation leaves out."""
    return bool(set(LEFT_OUT) & set(source))


def accuracy_record(
    rates: Sequence[float], right: Sequence[bool], initial: Sequence[float], sources: Sources
) -> dict:
    """Shares of valid translations, drawn and greedy, of sources without (kept) and with the
    left-out skill; the drawn ones of the former also by their initial pass rate (None where no
    source has it), and their histogram."""
    left = [has_skill(source) for source in sources]
    of_kept = [[place for place in places if not left[place]] for places in bins(initial)]
    kept = [rate for rate, skill in zip(rates, left, strict=True) if not skill]
    return {
        "kept": round(fmean(kept), 5),
        "left_out": round(_mean_where(rates, left), 5),
        "kept_greedy": round(_mean_where(right, [not skill for skill in left]), 5),
        "left_out_greedy": round(_mean_where(right, left), 5),
        "by_initial": [
            round(fmean(rates[place] for place in places), 5) if places else None
            for places in of_kept
        ],
        "histogram": counts(kept),
    }


def _mean_where(values: Sequence[float], chosen: Sequence[bool]) -> float:
    return fmean(float(value) for value, is_chosen in zip(values, chosen, strict=True) if is_chosen)


def one_by_one(batch: Batch) -> Iterator[Batch]:
    """The sentences of a batch as batches of one, without padding."""
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
    """Signal and noise of the gradient at the warm start by pass rate, for forward KL along the
    teacher's translations and reverse KL along one that the student draws: of `recipe`'s corpus as
    many sentences from every bin as the smallest has, at most `most`."""
    student, teacher = store.beginning(recipe).eval(), store.model(recipe.teacher)
    corpus = without(store.corpus(recipe), recipe.without)
    encoded = encode(corpus, student.source_vocabulary, student.target_vocabulary)
    n = min(most, *counts(rates))
    record: dict[str, dict] = {
        loss: {"n": n, "signal": [], "noise": []} for loss in (FORWARD, REVERSE)
    }
    for number, places in enumerate(bins(rates)):
        chosen = random.Random(seed).sample(places, n)
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
    """The histogram of pass rates on `sources` after some epochs of the recipe's training, which is
    done once more: the same training, since to watch it changes nothing."""
    data, model = store.dataset(recipe.data), store.beginning(recipe)
    teacher = None if recipe.teacher is None else store.model(recipe.teacher)
    found: dict[str, list[int]] = {}

    def look(progress: Progress) -> None:
        report(progress.update, progress.n_updates)
        if progress.valid_loss is not None and progress.epoch in epochs:
            drawn = draws(model, sources, seed=seed, temperature=TEMPERATURE)
            found[str(progress.epoch)] = counts(
                [
                    share_valid(source, targets, data.language.is_valid)
                    for source, targets in zip(sources, drawn, strict=True)
                ]
            )

    corpus = without(store.corpus(recipe), recipe.without)
    train(
        model,
        corpus,
        data.valid,
        store.objective(recipe),
        recipe.optimisation,
        recipe.seed,
        teacher,
        callbacks=[look],
        batch_transform=recipe.batch_transform,
    )
    return found
