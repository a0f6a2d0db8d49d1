"""The results of the speculative-sampling study: four parts, measured one after the other and read
back as what they were."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from seqkd_lab import machine
from seqkd_lab.decoding.distribution import SamplingDistribution
from seqkd_lab.runs.recipes import TEACHER
from seqkd_lab.runs.store import Report, Store
from seqkd_lab.runs.verdicts import Rows
from seqkd_lab.studies.speculative.clock import ClockTime, StepTime, measure_clock, measure_steps
from seqkd_lab.studies.speculative.exactness import Exactness, measure_exactness
from seqkd_lab.studies.speculative.recipes import DRAFTS, LEARNED_FROM, SMALL_TARGET, DraftingRun
from seqkd_lab.studies.speculative.tokens import DraftedTokens, measure_tokens

EXACTNESS = "exactness"
TOKENS = "tokens"
STEPS = "steps"
CLOCK = "clock"
MODELS = "models"


@dataclass(frozen=True)
class DraftingResults:
    """`models` by name: parameters and quality; and the four parts, as their own modules say."""

    models: Mapping[str, Mapping]
    exactness: tuple[Exactness, ...]
    tokens: tuple[DraftedTokens, ...]
    steps: tuple[StepTime, ...]
    clock: tuple[ClockTime, ...]

    @classmethod
    def of_rows(cls, rows: Rows) -> DraftingResults:
        """Return the results of a seed."""

        def part(name: str, kind: Callable[..., Any]) -> tuple[Any, ...]:
            return tuple(kind(**values) for values in rows[name].values())

        return cls(
            rows[MODELS],
            part(EXACTNESS, Exactness),
            part(TOKENS, DraftedTokens),
            part(STEPS, StepTime),
            part(CLOCK, ClockTime),
        )

    def as_rows(self) -> dict[str, Mapping]:
        """Return what `of_rows` reads."""
        parts = {EXACTNESS: self.exactness, TOKENS: self.tokens}
        timed = {STEPS: self.steps, CLOCK: self.clock}
        return {MODELS: self.models} | {
            name: numbered(values) for name, values in (parts | timed).items()
        }


def numbered(measured: Iterable[Any]) -> dict[str, dict]:
    """Return measurements (dataclasses) as plain JSON, by their number."""
    return {str(number): asdict(values) for number, values in enumerate(measured, start=1)}


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


def measure_parts(
    run: DraftingRun, extent: Extent, store: Store, report: Report, rows: Rows
) -> Iterator[tuple[str, dict]]:
    """Measure the parts that `rows` lack, and yield each with its name; the store holds all models.

    Exactness, which takes many draws, is tested on the small target: the rule knows nothing of
    sizes.
    """
    recipes = run.recipes()
    models = {name: store.model(recipe) for name, recipe in recipes.items()}
    target, drafts = models[TEACHER], {name: models[name] for name in DRAFTS}
    test = store.dataset(run.data).test.source
    shortest = min(test, key=len)

    def exactness() -> Sequence[Exactness]:
        learners = {name: models[name] for name in LEARNED_FROM}
        how = (SamplingDistribution(), 4, extent.exactness_seeds, extent.n_drawn, report)
        return measure_exactness(models[SMALL_TARGET], learners, shortest, *how)

    def tokens() -> Sequence[DraftedTokens]:
        sources, how = test[: extent.n_sentences], (extent.temperatures, extent.draft_lengths)
        return measure_tokens(target, drafts, sources, *how, report=report)

    def steps() -> Sequence[StepTime]:
        n_tokens = (1, *(K + 1 for K in extent.draft_lengths))
        how = (extent.threads, 4 * extent.repetitions, report)
        return measure_steps(models, shortest, n_tokens, *how)

    def clock() -> Sequence[ClockTime]:
        how = (extent.draft_lengths, extent.threads, extent.repetitions, report)
        return measure_clock(target, drafts, test[: extent.n_timed], extent.temperatures, *how)

    parts: dict[str, Callable[[], Sequence[Any]]]
    parts = {EXACTNESS: exactness, TOKENS: tokens, STEPS: steps, CLOCK: clock}
    if MODELS not in rows:
        search = run.preset.beam_size, 0.0
        yield MODELS, {name: store.evaluation(each, *search) for name, each in recipes.items()}
    for name, measure in parts.items():
        if name not in rows:
            yield name, numbered(measure())
    if "machine" not in rows:
        yield "machine", machine.describe()
