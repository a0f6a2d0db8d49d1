"""What the experiments on later systems share: tasks, measurements and claims of one method, and
results by seed.

An experiment measures one seed at a time into a JSON file, which is written after each seed, so an
interrupt costs one seed at most; a file that was made with other settings is never continued.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import pandas

from seqkd_lab.models.checkpoint import CheckpointError, read_json, write_json
from seqkd_lab.runs.results import versions
from seqkd_lab.runs.schedule import Task
from seqkd_lab.runs.store import Report, Store
from seqkd_lab.runs.verdicts import Claim, Rows, Verdict, judge_claim


@dataclass(frozen=True)
class Experiment:
    """One method's experiment.

    settings: everything that decides its numbers, as plain JSON. tasks: the models of one seed, for
    the store. measure: one seed's measurements as plain JSON, from the store's models. tables:
    headed tables for people, from the measurements of all seeds. each: what is repeated, where it
    is not seeds but rounds of the clock. first_seed and n_seeds: the seeds that are measured where
    nobody asks for others. in_words: sentences computed from the measurements of all seeds, printed
    after the tables.
    """

    name: str
    file: str
    settings: Mapping
    tasks: Callable[[int], list[Task]]
    measure: Callable[[int, Store, Report], dict]
    tables: Callable[[Sequence[Rows]], dict[str, pandas.DataFrame]]
    claims: tuple[Claim, ...]
    each: str = "seeds"
    first_seed: int = 1
    n_seeds: int = 5
    in_words: Callable[[Sequence[Rows]], str] | None = None

    def judge(self, by_seed: Sequence[Rows]) -> list[Verdict]:
        """Judge every claim, none left out. Raises ValueError without any seed."""
        return [judge_claim(claim, by_seed) for claim in self.claims]


def by_seed(results: Mapping) -> list[Rows]:
    """The measurements of a results file, seed after seed."""
    return [results["by_seed"][seed] for seed in sorted(results["by_seed"], key=int)]


def read_later(path: Path) -> dict:
    """A results file. Raises CheckpointError naming it when it is not what `measure_seeds`
    writes."""
    results = read_json(path)
    try:
        if set(results) != {"experiment", "settings", "by_seed", "made_with"} or not by_seed(
            results
        ):
            raise ValueError("parts are missing")
    except (KeyError, TypeError, AttributeError, ValueError) as error:
        raise CheckpointError(
            f"{path}: not the results of an experiment; delete it to make it again"
        ) from error
    return results


def measure_seeds(
    experiment: Experiment,
    seeds: Sequence[int],
    store: Store,
    path: Path,
    report: Callable[[int], Report],
) -> dict:
    """Measures what `path` lacks of `seeds`, writing it after each, and returns all; `report(seed)`
    hears of the work.

    Raises CheckpointError when the file was made with other settings.
    """
    settings = json.loads(
        json.dumps(dict(experiment.settings))
    )  # as a file gives them back: tuples are lists there
    heading = {"experiment": experiment.name, "settings": settings, "made_with": versions()}
    kept: dict[str, dict] = {}
    if path.exists():
        results = read_later(path)
        for part, now in heading.items():
            if results[part] != now:
                raise CheckpointError(
                    f"{path}: its {part} was {results[part]}, now it is {now}; delete the file to "
                    "make it again, or name another"
                )
        kept = results["by_seed"]
    for seed in seeds:
        if str(seed) not in kept:
            kept[str(seed)] = experiment.measure(seed, store, report(seed))
            write_json(path, {**heading, "by_seed": kept})
    return read_later(path)
