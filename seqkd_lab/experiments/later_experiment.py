"""What the experiments on later systems share: claims with their original wording, three verdicts, results by seed.

An experiment measures one seed at a time into a JSON file, which is written after each seed, so an interrupt costs one
seed at most; a file that was made with other settings is never continued.
"""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import pandas

from seqkd_lab.experiments.findings import Rows, mean_and_interval
from seqkd_lab.experiments.schedule import Task
from seqkd_lab.experiments.store import Report, Store
from seqkd_lab.experiments.table import versions
from seqkd_lab.models.checkpoint import CheckpointError, read_json, write_json

HELD, NOT_HELD, UNDECIDED = "held", "not held", "undecided"


@dataclass(frozen=True)
class Claim:
    """A claim of a paper and what is asked of the toy instead: `value` of a seed's measurements is to lie in
    [least, most].

    original: the paper's own wording, with its source, or that it is an aim of this lab; ours: what is asked here, in
    words.
    """

    name: str
    original: str
    ours: str
    value: Callable[[Rows], float]
    least: float = -math.inf
    most: float = math.inf


@dataclass(frozen=True)
class Judged:
    """A claim with its value in each seed, their mean, the 95% interval of the mean, and the verdict."""

    claim: Claim
    values: tuple[float, ...]
    mean: float
    interval: tuple[float, float]
    verdict: str


def judge_claim(claim: Claim, by_seed: Sequence[Rows]) -> Judged:
    """Held where the whole interval lies within the bounds, not held where none of it does, else undecided."""
    values = tuple(claim.value(rows) for rows in by_seed)
    mean, (low, high) = mean_and_interval(values)
    if claim.least <= low and high <= claim.most:
        verdict = HELD
    elif high < claim.least or low > claim.most:
        verdict = NOT_HELD
    else:
        verdict = UNDECIDED
    return Judged(claim, values, mean, (low, high), verdict)


def describe(judged: Judged, each: str = "seeds") -> str:
    """Three lines: the verdict with ours, the numbers (of seeds, or of what was repeated: `each`), the original."""
    claim, (low, high) = judged.claim, judged.interval
    interval = f"[{low:.3g}, {high:.3g}]" if math.isfinite(low) else f"(one of {each})"
    values = " ".join(f"{value:.3g}" for value in judged.values)
    return (f"{claim.name}  {judged.verdict.upper():9}  {claim.ours}\n"
            f"    {judged.mean:.3g} {interval}; {each}: {values}\n    original: {claim.original}")


@dataclass(frozen=True)
class Experiment:
    """One method's experiment.

    settings: everything that decides its numbers, as plain JSON. tasks: the models of one seed, for the store.
    measure: one seed's measurements as plain JSON, from the store's models. tables: headed tables for people, from the
    measurements of all seeds. each: what is repeated, where it is not seeds but rounds of the clock.
    """

    name: str
    file: str
    settings: Mapping
    tasks: Callable[[int], list[Task]]
    measure: Callable[[int, Store, Report], dict]
    tables: Callable[[Sequence[Rows]], dict[str, pandas.DataFrame]]
    claims: tuple[Claim, ...]
    each: str = "seeds"

    def judge(self, by_seed: Sequence[Rows]) -> list[Judged]:
        """Every claim, none left out."""
        return [judge_claim(claim, by_seed) for claim in self.claims]


def by_seed(results: Mapping) -> list[Rows]:
    """The measurements of a results file, seed after seed."""
    return [results["by_seed"][seed] for seed in sorted(results["by_seed"], key=int)]


def read_later(path: Path) -> dict:
    """A results file. Raises CheckpointError naming it when it is not what `seqkd-lab later` makes."""
    results = read_json(path)
    try:
        if set(results) != {"experiment", "settings", "by_seed", "made_with"} or not by_seed(results):
            raise ValueError("parts are missing")
    except (KeyError, TypeError, AttributeError, ValueError) as error:
        raise CheckpointError(f"{path}: not what `seqkd-lab later` makes; delete it to make it again") from error
    return results


def measure_seeds(
    experiment: Experiment, seeds: Sequence[int], store: Store, path: Path, report: Callable[[int], Report],
) -> dict:
    """Measures what `path` lacks of `seeds`, writing it after each, and returns all; `report(seed)` hears of the work.

    Raises CheckpointError when the file was made with other settings.
    """
    settings = json.loads(json.dumps(dict(experiment.settings)))  # as a file gives them back: tuples are lists there
    heading = {"experiment": experiment.name, "settings": settings, "made_with": versions()}
    kept: dict[str, dict] = {}
    if path.exists():
        results = read_later(path)
        for part, now in heading.items():
            if results[part] != now:
                raise CheckpointError(f"{path}: its {part} was {results[part]}, now it is {now}; delete the file to "
                                      "make it again, or name another")
        kept = results["by_seed"]
    for seed in seeds:
        if str(seed) not in kept:
            kept[str(seed)] = experiment.measure(seed, store, report(seed))
            write_json(path, {**heading, "by_seed": kept})
    return read_later(path)
