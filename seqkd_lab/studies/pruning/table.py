"""Table 3: what every pruned model is worth, over seeds, kept as JSON with examples and with what
the models cost."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

from seqkd_lab.compression.pruning import CLASS_BLIND, n_nonzero, pruned_by_class
from seqkd_lab.identity import settings
from seqkd_lab.models.checkpoint import save_model, write_json
from seqkd_lab.runs.committed import DATA, weights_hash
from seqkd_lab.runs.points import points_in, read_points, write_points
from seqkd_lab.runs.recipes import SEQ_KD, Recipe
from seqkd_lab.runs.results import versions
from seqkd_lab.runs.store import Store, identity
from seqkd_lab.studies.pruning.rare_words import kept_words, training_counts
from seqkd_lab.studies.pruning.recipes import (
    INT8,
    MODELS,
    PRUNED,
    RETRAINED,
    Place,
    PruningRun,
    is_also_quantised,
)
from seqkd_lab.studies.table1.tour import fault, read_translations

HEADING = ("data", "preset", "parameters", "costs", "examples", "made_with")
MADE_BY = "seqkd-lab table3"


@dataclass(frozen=True)
class PrunedModel:
    """A model of the table, judged on the test set.

    greedy, beam: BLEU. valid, valid_beam: shares of valid translations (None where the truth is
    unknown). words_kept: by frequency class (rare_words), what its greedy translations keep of the
    unpruned model's. zeros: the share of zeros in each weight class.
    """

    model: str
    method: str
    share: float
    stage: str
    seed: int
    n_nonzero: int
    greedy: float
    beam: float
    valid: float | None
    valid_beam: float | None
    p_mode: float
    perplexity: float
    length_ratio: float
    words_kept: tuple[float | None, ...]
    zeros: dict[str, float]

    @property
    def place(self) -> Place:
        return Place(self.model, self.method, self.share, self.stage)


def collect(run: PruningRun, store: Store) -> list[PrunedModel]:
    """The models of a finished run, as judged, those of the first seed first."""
    return [one for seed in run.seeds for one in _collect_seed(run, store, seed)]


def _collect_seed(run: PruningRun, store: Store, seed: int) -> list[PrunedModel]:
    recipes, found = run.recipes(seed), []
    counts = training_counts(store.dataset(run.data).train)
    for place, recipe in recipes.items():
        unpruned = recipes[Place(place.model, CLASS_BLIND, 0.0, PRUNED)]
        kept = kept_words(greedy_outputs(store, unpruned), greedy_outputs(store, recipe), counts)
        found.append(_judged(run, store, place, recipe, kept))
        if is_also_quantised(place):
            found.append(_judged(run, store, place._replace(stage=INT8), recipe, (), int8=True))
    return found


@lru_cache(maxsize=8)
def greedy_outputs(store: Store, recipe: Recipe) -> list[list[str]]:
    """The greedy translations (tokens) of an evaluated model of the store, in the order of the test
    set."""
    return [
        row[3].split() for row in read_translations(store.directory(recipe) / "translations.tsv")
    ]


def _judged(
    run: PruningRun,
    store: Store,
    place: Place,
    recipe: Recipe,
    kept: tuple[float, ...],
    int8: bool = False,
) -> PrunedModel:
    table, model = run.preset.table, store.model(recipe)
    cell = store.evaluation(recipe, table.beam_size, table.length_penalty, int8=int8)
    return PrunedModel(
        *place,
        seed=recipe.seed,
        n_nonzero=n_nonzero(model),
        greedy=cell["greedy"]["bleu"],
        beam=cell["beam"]["bleu"],
        valid=cell["greedy"]["validity"],
        valid_beam=cell["beam"]["validity"],
        p_mode=cell["p_mode"],
        perplexity=cell["perplexity"],
        length_ratio=cell["beam"]["length_ratio"],
        words_kept=tuple(None if share != share else share for share in kept),
        zeros=pruned_by_class(model),
    )


@dataclass(frozen=True)
class Example:
    """A greedy translation of a test sentence by the distilled student at one level; fault: the
    rule that it breaks, None for a valid one."""

    source: str
    share: float
    stage: str
    text: str
    fault: str | None


def examples(run: PruningRun, store: Store, n_sentences: int = 12) -> list[Example]:
    """The first test sentences that the unpruned student of the first seed translates without a
    fault, at each level.

    Where the truth is not known, the first sentences.
    """
    recipes, data, found = run.recipes(run.seeds[0]), store.dataset(run.data), []

    def faults(source: Sequence[str], words: Sequence[str]) -> str | None:
        return None if data.language is None else fault(data.language, source, " ".join(words))

    unpruned = greedy_outputs(store, recipes[Place(SEQ_KD, CLASS_BLIND, 0.0, PRUNED)])
    good = [
        row for row, words in enumerate(unpruned) if faults(data.test.source[row], words) is None
    ][:n_sentences]
    for share in run.preset.shares:
        for stage in (PRUNED, RETRAINED):
            outputs = greedy_outputs(store, recipes[Place(SEQ_KD, CLASS_BLIND, share, stage)])
            for row in good:
                source, words = data.test.source[row], outputs[row]
                found.append(
                    Example(
                        data.detokenise(source),
                        share,
                        stage,
                        data.detokenise(words),
                        faults(source, words),
                    )
                )
    return found


def write_table3(path: Path, run: PruningRun, store: Store, costs: Sequence[Any]) -> None:
    """Writes a finished run as JSON, with what its models cost (pruning_costs)."""
    recipes = run.recipes(run.seeds[0])
    sizes = {
        name: store.model(recipes[Place(name, CLASS_BLIND, 0.0, PRUNED)]).n_parameters()
        for name in MODELS
    }
    heading = {
        "data": identity(run.data),
        "preset": settings(run.preset),
        "parameters": sizes,
        "costs": [asdict(cost) for cost in costs],
        "examples": [asdict(one) for one in examples(run, store)],
        "made_with": versions(),
    }
    write_points(path, heading, collect(run, store))


CHECKPOINTS = {"student": (0.0, PRUNED), "student-80": (0.8, RETRAINED)}
"""The distilled student of Table 3 that travels with the repository, as distillation left it, and
pruned by 80%."""


def write_checkpoints(run: PruningRun, store: Store, directory: Path) -> Iterator[Path]:
    """Writes the first seed's CHECKPOINTS, 16 bits a weight, without zeros; beside them their
    recipe and hash."""
    for name, (share, stage) in CHECKPOINTS.items():
        folder, recipe = (
            directory / name,
            run.recipes(run.seeds[0])[Place(SEQ_KD, CLASS_BLIND, share, stage)],
        )
        save_model(folder, store.model(recipe), half=True, sparse=share > 0.0)
        write_json(
            folder / "metrics.json", {"sha256": weights_hash(folder), "recipe": identity(recipe)}
        )
        yield folder


def pruning_checkpoint(name: str) -> Path:
    """The folder of one of CHECKPOINTS in the repository."""
    return DATA / "checkpoints" / "pruning" / name


def read_table3(path: Path) -> dict:
    """What `seqkd-lab table3` wrote. Raises CheckpointError naming the file when it holds something
    else."""
    return read_points(path, PrunedModel, HEADING, MADE_BY)


def pruned_models(results: Mapping) -> list[PrunedModel]:
    """The models of a Table 3, as read."""
    return points_in(results, PrunedModel)


def by_seed(models: Sequence[PrunedModel]) -> list[dict[Place, PrunedModel]]:
    """For each seed its models by place, in the order of the seeds."""
    seeds = sorted({one.seed for one in models})
    return [{one.place: one for one in models if one.seed == seed} for seed in seeds]
