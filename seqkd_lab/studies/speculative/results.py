"""The results of the speculative-sampling study: the parts of a seed, measured one after the other
and read back as what they were."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

import msgspec

from seqkd_lab import machine
from seqkd_lab.corpus.toy.fresh import JUDGE, PILOT, fresh_sources
from seqkd_lab.decoding.distribution import SamplingDistribution
from seqkd_lab.decoding.sampling import sample
from seqkd_lab.models.seq2seq import Seq2Seq
from seqkd_lab.runs.recipes import SEQ_KD, TEACHER, WORD_KD, ToyData
from seqkd_lab.runs.store import Report, Store
from seqkd_lab.runs.study import N_PILOT, PILOT_SEED
from seqkd_lab.runs.tasks import Task, Train
from seqkd_lab.runs.verdicts import Rows
from seqkd_lab.studies.speculative.clock import ClockTime, StepTime, measure_clock, measure_steps
from seqkd_lab.studies.speculative.exactness import Exactness, measure_exactness
from seqkd_lab.studies.speculative.recipes import (
    COMPARED,
    DEEP,
    DRAFTS,
    DraftingPreset,
    drafting_recipes,
)
from seqkd_lab.studies.speculative.tokens import (
    Acceptance,
    DraftedTokens,
    lengths_of,
    measure_acceptance,
    measure_tokens,
)

ACCEPTANCE = "acceptance"
EXACTNESS = "exactness"
TOKENS = "tokens"
STEPS = "steps"
CLOCK = "clock"
SIZES = "parameters"
LENGTHS = "lengths"
MACHINE = "machine"
TESTED = (WORD_KD, SEQ_KD)
"""Drafts of the tests of exactness: the target's distribution and its mode, the nearest to the
target and the farthest from it."""
EXACTNESS_LENGTH = 4


@dataclass(frozen=True)
class DraftingResults:
    """What was measured of one seed. sizes: parameters by model. `acceptance` has the students'
    teacher as the target, in every seed; the other parts are there in the seeds of a deep target.
    lengths: tokens of each sentence that the deep target drew, EOS included, by temperature."""

    sizes: Mapping[str, int]
    lengths: Mapping[str, Sequence[int]]
    acceptance: tuple[Acceptance, ...]
    exactness: tuple[Exactness, ...]
    tokens: tuple[DraftedTokens, ...]
    steps: tuple[StepTime, ...]
    clock: tuple[ClockTime, ...]

    @classmethod
    def of_rows(cls, rows: Rows) -> DraftingResults:
        """Return the results of a seed."""

        def part(name: str, kind: type) -> tuple[Any, ...]:
            return tuple(msgspec.convert(values, kind) for values in rows.get(name, {}).values())

        return cls(
            rows.get(SIZES, {}),
            rows.get(LENGTHS, {}),
            part(ACCEPTANCE, Acceptance),
            part(EXACTNESS, Exactness),
            part(TOKENS, DraftedTokens),
            part(STEPS, StepTime),
            part(CLOCK, ClockTime),
        )

    def as_rows(self) -> dict[str, Mapping]:
        """Return what `of_rows` reads."""
        parts = {ACCEPTANCE: self.acceptance, EXACTNESS: self.exactness, TOKENS: self.tokens}
        timed = {STEPS: self.steps, CLOCK: self.clock}
        plain = {SIZES: self.sizes, LENGTHS: self.lengths}
        measured = {name: numbered(values) for name, values in (parts | timed).items()}
        return {name: row for name, row in {**plain, **measured}.items() if row}

    def alpha(self, draft: str, temperature: float) -> float:
        """Return α of a draft for the students' teacher. Raise KeyError where it was not
        measured."""
        alphas = {(way.draft, way.temperature): way.alpha for way in self.acceptance}
        return alphas[draft, temperature]


def of_seeds(by_seed: Sequence[Rows]) -> list[DraftingResults]:
    """Return the results of every seed."""
    return [DraftingResults.of_rows(rows) for rows in by_seed]


def with_clock(by_seed: Sequence[Rows]) -> list[Rows]:
    """Return the rows of the seeds that have a deep target."""
    return [rows for rows in by_seed if CLOCK in rows]


def numbered(measured: Iterable[Any]) -> dict[str, dict]:
    """Return measurements (dataclasses) as plain JSON, by their number."""
    return {str(number): asdict(values) for number, values in enumerate(measured, start=1)}


@dataclass(frozen=True)
class Extent:
    """How much is measured.

    n_acceptance: sources along which α is measured. target_seeds: the seeds that train a deep
    target. n_sentences: those in which tokens are counted, by `counted_lengths`. n_timed: sentences
    of a round, by `draft_lengths`. repetitions: rounds of the clock. n_drawn: translations of each
    χ² test.
    """

    n_acceptance: int = 1_000
    target_seeds: tuple[int, ...] = (21, 22, 23)
    temperatures: tuple[float, ...] = (1.0, 0.0)
    counted_lengths: tuple[int, ...] = (1, 4, 8, 12)
    n_sentences: int = 40
    draft_lengths: tuple[int, ...] = (1, 2, 4, 6, 8, 12)
    n_timed: int = 6
    repetitions: int = 8
    n_drawn: int = 5_000


@dataclass(frozen=True)
class DraftingRun:
    """The models of the study, and how much is measured with them."""

    data: ToyData
    preset: DraftingPreset
    extent: Extent

    def tasks(self, seed: int) -> list[Task]:
        """Return the training of every model of a seed."""
        recipes = drafting_recipes(self.data, self.preset, seed)
        if seed not in self.extent.target_seeds:
            del recipes[DEEP]
        return [Train(recipe) for recipe in recipes.values()]

    def models(self, seed: int, store: Store) -> dict[str, Seq2Seq]:
        """Return the models of a seed by name; the store trains what it lacks."""
        recipes = drafting_recipes(self.data, self.preset, seed)
        if seed not in self.extent.target_seeds:
            del recipes[DEEP]
        return {name: store.model(recipe) for name, recipe in recipes.items()}

    def sources(self, seed: int) -> Sequence[Sequence[str]]:
        """Return sources in no split: of the set that judges, or for a pilot's seed of the other
        one."""
        is_pilot = seed in range(PILOT_SEED, PILOT_SEED + N_PILOT)
        return fresh_sources(PILOT if is_pilot else JUDGE, max(self._wanted().values()))

    def _wanted(self) -> dict[str, int]:
        """Return how many sources each part takes; all take them from the first on."""
        extent = self.extent
        n_timed = extent.n_timed * (extent.repetitions + 1)
        return {ACCEPTANCE: extent.n_acceptance, TOKENS: extent.n_sentences, CLOCK: n_timed}

    def measure(
        self, seed: int, store: Store, report: Report, rows: Rows
    ) -> Iterator[tuple[str, dict]]:
        """Measure the parts of a seed that `rows` lack, and yield each with its name."""
        models = self.models(seed, store)
        parts = self._on_the_teacher(seed, models)
        if DEEP in models:
            parts |= self._on_the_deep_target(seed, models, store, report)
        for name, measure in parts.items():
            if name not in rows:
                yield name, measure()

    def _on_the_teacher(
        self, seed: int, models: Mapping[str, Seq2Seq]
    ) -> dict[str, Callable[[], dict]]:
        """Return what measures the parts that every seed has."""
        sources = self.sources(seed)[: self.extent.n_acceptance]
        compared = {name: models[name] for name in COMPARED}

        def sizes() -> dict:
            return {
                name: sum(weights.numel() for weights in model.parameters())
                for name, model in models.items()
            }

        def acceptance() -> dict:
            how = (sources, self.extent.temperatures)
            return numbered(measure_acceptance(models[TEACHER], compared, *how))

        return {SIZES: sizes, ACCEPTANCE: acceptance}

    def _on_the_deep_target(
        self, seed: int, models: Mapping[str, Seq2Seq], store: Store, report: Report
    ) -> dict[str, Callable[[], dict]]:
        """Return what measures the parts of a seed with a deep target.

        Exactness, which takes many draws, is tested on the teacher: the rule knows nothing of
        sizes.
        """
        extent, sources = self.extent, self.sources(seed)
        deep, drafts = models[DEEP], {name: models[name] for name in DRAFTS}
        shortest = min(store.dataset(self.data).test.source, key=len)

        def exactness() -> dict:
            tested = {name: drafts[name] for name in TESTED}
            how = (SamplingDistribution(), EXACTNESS_LENGTH, (seed,), extent.n_drawn, report)
            return numbered(measure_exactness(models[TEACHER], tested, shortest, *how))

        def lengths() -> dict:
            some = sources[: extent.n_sentences]
            return {
                f"{tau:g}": lengths_of(sample(deep, some, seed, SamplingDistribution(tau)))
                for tau in extent.temperatures
            }

        def tokens() -> dict:
            how = (extent.temperatures, extent.counted_lengths, seed, report)
            return numbered(measure_tokens(deep, drafts, sources[: extent.n_sentences], *how))

        def steps() -> dict:
            timed = {DEEP: deep, TEACHER: models[TEACHER], **drafts}
            n_tokens: dict[str, tuple[int, ...]] = dict.fromkeys(timed, (1,))
            n_tokens[DEEP] = (1, *(K + 1 for K in extent.draft_lengths))
            return numbered(measure_steps(timed, shortest, n_tokens, extent.repetitions, report))

        def clock() -> dict:
            some = sources[: self._wanted()[CLOCK]]
            how = (extent.temperatures, extent.draft_lengths, extent.repetitions, report)
            return numbered(measure_clock(deep, drafts, some, *how))

        return {
            EXACTNESS: exactness,
            LENGTHS: lengths,
            TOKENS: tokens,
            STEPS: steps,
            CLOCK: clock,
            MACHINE: machine.describe,
        }
