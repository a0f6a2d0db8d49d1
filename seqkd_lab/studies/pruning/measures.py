"""What Table 3 measures of a seed's models: quality, sizes, words that are kept, examples; and the
two models that travel with the repository."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from functools import lru_cache
from pathlib import Path

from seqkd_lab.compression.pruning import n_nonzero, pruned_by_class
from seqkd_lab.corpus.parallel import ParallelCorpus
from seqkd_lab.models.checkpoint import save_model, write_json
from seqkd_lab.runs.committed import DATA, weights_hash
from seqkd_lab.runs.recipes import SEQ_KD, Recipe
from seqkd_lab.runs.store import Store, identity
from seqkd_lab.studies.pruning.recipes import (
    INT8,
    MODELS,
    PRUNED,
    RETRAINED,
    PruningRun,
    class_blind,
    is_also_quantised,
)
from seqkd_lab.studies.table1.tour import fault, read_translations

EDGES = (100, 300, 1000, 3000)
"""Occurrences in the training set at which one class of words ends and the next, more frequent one
begins."""
FREQUENCIES = (
    f"below {EDGES[0]}",
    *(f"{low:,} to {high - 1:,}" for low, high in zip(EDGES, EDGES[1:], strict=False)),
    f"{EDGES[-1]:,} and more",
)
CHECKPOINTS = {"student": (0.0, PRUNED), "student-80": (0.8, RETRAINED)}
"""Share and stage of the distilled student of Table 3 that travels with the repository: as
distillation left it, and pruned by 80%."""


def training_counts(corpus: ParallelCorpus) -> Counter[str]:
    """Count each target word of `corpus`."""
    return Counter(word for target in corpus.target for word in target)


def frequency_class(count: int) -> int:
    """Return the index in FREQUENCIES of a word that training showed `count` times."""
    return sum(count >= edge for edge in EDGES)


def kept_words(
    before: Sequence[Sequence[str]], after: Sequence[Sequence[str]], counts: Mapping[str, int]
) -> tuple[float, ...]:
    """Return, for each of FREQUENCIES, the share of the words in translations `before` that those
    `after` hold, too.

    Sentence by sentence, wherever a word stands in it, each as often as it stands there. NaN for a
    class without words. Raise ValueError for lists that are not of one length.
    """
    if len(before) != len(after):
        raise ValueError(
            f"got {len(before)} translations before and {len(after)} after; both must be of the "
            "same sentences"
        )
    n_before, n_kept = [0] * len(FREQUENCIES), [0] * len(FREQUENCIES)
    for old, new in zip(map(Counter, before), map(Counter, after), strict=True):
        for word, n in old.items():
            frequency = frequency_class(counts.get(word, 0))
            n_before[frequency] += n
            n_kept[frequency] += min(n, new[word])
    return tuple(k / n if n else math.nan for k, n in zip(n_kept, n_before, strict=True))


@lru_cache(maxsize=8)
def greedy_outputs(store: Store, recipe: Recipe) -> list[list[str]]:
    """Return the greedy translations (tokens) of an evaluated model of the store, in the order of
    the test set."""
    translations = read_translations(store.directory(recipe) / "translations.tsv")
    return [row[3].split() for row in translations]


def judged(
    run: PruningRun, store: Store, recipe: Recipe, kept: Sequence[float], int8: bool = False
) -> dict:
    """Return what is reported of a model, judged on the test set.

    greedy, beam: BLEU. valid, valid_beam: shares of valid translations (None where the truth is
    unknown). words_kept: by frequency class, what its greedy translations keep of the unpruned
    model's (None for a class without words). zeros: the share of zeros in each weight class.
    """
    model, table = store.model(recipe), run.preset.table
    metrics = store.evaluation(recipe, table.beam_size, table.length_penalty, int8=int8)
    return {
        "n_nonzero": n_nonzero(model),
        "greedy": metrics["greedy"]["bleu"],
        "beam": metrics["beam"]["bleu"],
        "valid": metrics["greedy"]["validity"],
        "valid_beam": metrics["beam"]["validity"],
        "p_mode": metrics["p_mode"],
        "perplexity": metrics["perplexity"],
        "length_ratio": metrics["beam"]["length_ratio"],
        "words_kept": [None if math.isnan(share) else share for share in kept],
        "zeros": pruned_by_class(model),
    }


def judged_models(run: PruningRun, store: Store, seed: int) -> dict[str, dict]:
    """Return what is reported of every model of one seed of a finished run, by the model's row."""
    recipes, rows = run.recipes(seed), {}
    counts = training_counts(store.dataset(run.data).train)
    for place, recipe in recipes.items():
        unpruned = recipes[class_blind(place.model, 0.0, PRUNED)]
        kept = kept_words(greedy_outputs(store, unpruned), greedy_outputs(store, recipe), counts)
        rows[place.row] = judged(run, store, recipe, kept)
        if is_also_quantised(place):
            rows[place._replace(stage=INT8).row] = judged(run, store, recipe, (), int8=True)
    return rows


def sizes(run: PruningRun, store: Store, seed: int) -> dict[str, int]:
    """Return the number of parameters of each of MODELS."""
    recipes = run.recipes(seed)
    return {
        name: store.model(recipes[class_blind(name, 0.0, PRUNED)]).n_parameters() for name in MODELS
    }


def examples(
    run: PruningRun, store: Store, seed: int, n_sentences: int = 12
) -> dict[str, dict[str, dict[str, dict]]]:
    """Return greedy translations by the distilled student: by source sentence, stage and share the
    text, and the rule that it breaks as its "fault" (None for a valid one).

    They are of the first test sentences that the unpruned student translates without a fault; where
    the truth is not known, of the first sentences.
    """
    recipes, data = run.recipes(seed), store.dataset(run.data)
    outputs = {
        (stage, share): greedy_outputs(store, recipes[class_blind(SEQ_KD, share, stage)])
        for stage in (PRUNED, RETRAINED)
        for share in run.preset.shares
    }

    def fault_of(row: int, words: Sequence[str]) -> str | None:
        language = data.language
        if language is None:
            return None
        return fault(language, data.test.source[row], " ".join(words))

    def shown(row: int, stage: str) -> dict[str, dict]:
        by_share = {share: outputs[stage, share][row] for share in run.preset.shares}
        return {
            str(share): {"text": data.detokenise(words), "fault": fault_of(row, words)}
            for share, words in by_share.items()
        }

    unpruned = enumerate(outputs[PRUNED, 0.0])
    faultless = [row for row, words in unpruned if fault_of(row, words) is None]
    return {
        data.detokenise(data.test.source[row]): {
            stage: shown(row, stage) for stage in (PRUNED, RETRAINED)
        }
        for row in faultless[:n_sentences]
    }


def write_checkpoints(run: PruningRun, store: Store, seed: int, directory: Path) -> Iterator[Path]:
    """Write one seed's CHECKPOINTS, 16 bits a weight, without zeros, with their recipe and hash;
    yield the folder of each."""
    for name, (share, stage) in CHECKPOINTS.items():
        folder, recipe = directory / name, run.recipes(seed)[class_blind(SEQ_KD, share, stage)]
        save_model(folder, store.model(recipe), half=True, sparse=share > 0.0)
        record = {"sha256": weights_hash(folder), "recipe": identity(recipe)}
        write_json(folder / "metrics.json", record)
        yield folder


def pruning_checkpoint(name: str) -> Path:
    """Return the folder of one of CHECKPOINTS in the repository."""
    return DATA / "checkpoints" / "pruning" / name
