"""The results of the speculative-sampling experiment: made part by part, kept as JSON, read back as
what they were."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path

from seqkd_lab import machine
from seqkd_lab.decoding.distribution import SamplingDistribution
from seqkd_lab.models.checkpoint import CheckpointError, read_json, write_json
from seqkd_lab.runs.recipes import TEACHER
from seqkd_lab.runs.results import versions
from seqkd_lab.runs.store import Store, identity
from seqkd_lab.studies.speculative.clock import ClockTime, StepTime, measure_clock, measure_steps
from seqkd_lab.studies.speculative.exactness import Exactness, measure_exactness
from seqkd_lab.studies.speculative.recipes import DRAFTS, LEARNED_FROM, SMALL_TARGET, DraftingRun
from seqkd_lab.studies.speculative.tokens import DraftedTokens, measure_tokens

EXACTNESS, TOKENS, STEPS, CLOCK = "exactness", "tokens", "steps", "clock"
PARTS = {EXACTNESS: Exactness, TOKENS: DraftedTokens, STEPS: StepTime, CLOCK: ClockTime}
MADE_BY = "seqkd-lab speculative"
Report = Callable[[str], Callable[[int, int], None]]
"""Given what is being measured, gives what hears (done, total) of it."""


@dataclass(frozen=True)
class DraftingResults:
    """`models` by name: parameters and quality; and the four parts, as their own modules say."""

    models: Mapping[str, Mapping]
    exactness: tuple[Exactness, ...]
    tokens: tuple[DraftedTokens, ...]
    steps: tuple[StepTime, ...]
    clock: tuple[ClockTime, ...]


@dataclass(frozen=True)
class Extent:
    """How much is measured."""

    draft_lengths: tuple[int, ...] = (1, 2, 3, 4, 5, 6, 7, 8)
    temperatures: tuple[float, ...] = (1.0, 0.0)
    n_sentences: int = 100
    n_timed: int = 16
    threads: tuple[int, ...] = (1, 2)
    repetitions: int = 5
    exactness_seeds: tuple[int, ...] = (1, 2, 3, 4, 5)
    n_drawn: int = 20_000


def make_results(
    run: DraftingRun, extent: Extent, store: Store, path: Path, report: Report
) -> None:
    """Measures the parts that the file at `path` lacks, and writes it after each; the store holds
    all models.

    Exactness, which asks for many draws, is tested on the small target: the rule knows nothing of
    sizes.

    Raises CheckpointError when the file was made otherwise: with other models, another extent or
    other versions.
    """
    recipes = run.recipes()
    described = {name: identity(recipe) for name, recipe in recipes.items()}
    heading = as_json({"recipes": described, "extent": asdict(extent), "made_with": versions()})
    results = kept(path, heading) | heading | {"machine": machine.describe()}
    models = {name: store.model(recipe) for name, recipe in recipes.items()}
    target, drafts = models[TEACHER], {name: models[name] for name in DRAFTS}
    test = store.dataset(run.data).test.source
    results["models"] = {
        name: store.evaluation(recipe, run.preset.beam_size, 0.0)
        for name, recipe in recipes.items()
    }
    source, sources = min(test, key=len), test[: extent.n_sentences]
    how = (extent.draft_lengths, extent.threads, extent.repetitions)
    measures = {
        EXACTNESS: lambda hear: measure_exactness(
            models[SMALL_TARGET],
            {name: models[name] for name in LEARNED_FROM},
            source,
            SamplingDistribution(),
            4,
            extent.exactness_seeds,
            extent.n_drawn,
            hear,
        ),
        TOKENS: lambda hear: measure_tokens(
            target, drafts, sources, extent.temperatures, how[0], report=hear
        ),
        STEPS: lambda hear: measure_steps(
            models, source, (1, *(k + 1 for k in how[0])), how[1], 4 * how[2], hear
        ),
        CLOCK: lambda hear: measure_clock(
            target, drafts, test[: extent.n_timed], extent.temperatures, *how, hear
        ),
    }
    for part, measure in measures.items():
        if part not in results:
            results[part] = [asdict(one) for one in measure(report(part))]
            write_json(path, results)


def as_json(content: dict) -> dict:
    """`content` as a file gives it back: tuples are lists there."""
    return json.loads(json.dumps(content))


def kept(path: Path, heading: Mapping) -> dict:
    """What the file at `path` holds already; nothing where there is none."""
    if not path.exists():
        return {}
    results = read_json(path)
    for part, now in heading.items():
        if not isinstance(results, dict) or results.get(part) != now:
            raise CheckpointError(
                f"{path}: its {part} differ from what would be measured now; delete the file to "
                "make it again, or name another"
            )
    return results


def read_results(path: Path) -> DraftingResults:
    """What make_results wrote. Raises CheckpointError naming the file when it holds something
    else."""
    results = read_json(path)
    try:
        parts = {name: tuple(kind(**one) for one in results[name]) for name, kind in PARTS.items()}
        if not all(parts.values()) or TEACHER not in results["models"]:
            raise ValueError("parts are empty")
        return DraftingResults(models=results["models"], **parts)
    except (KeyError, TypeError, ValueError) as error:
        why = f"not what `{MADE_BY}` makes ({error})"
        raise CheckpointError(f"{path}: {why}; delete the file to make it again") from error
