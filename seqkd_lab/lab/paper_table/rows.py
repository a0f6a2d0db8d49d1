"""Two rows of Table 1 against each other: a measure of either, seed by seed, and their difference
with its verdict."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from seqkd_lab.runs.verdicts import Claim, Rows, Verdict, is_measured, judge_claim, number
from seqkd_lab.studies.table1.findings import CLAIMS


@dataclass(frozen=True)
class Measure:
    """A number of one row in one seed: its unit, and what makes it out of the row's results (None:
    not measured)."""

    name: str
    unit: str
    value: Callable[[Mapping], float | None]


def _share(part: Callable[[Mapping], float | None]) -> Callable[[Mapping], float | None]:
    """Return `part` in percent."""
    return lambda row: None if part(row) is None else 100.0 * part(row)


MEASURES = {
    measure.name: measure
    for measure in (
        Measure("BLEU, greedy", "BLEU", lambda row: row["greedy"]["bleu"]),
        Measure("BLEU, beam", "BLEU", lambda row: row["beam"]["bleu"]),
        Measure(
            "what the beam adds", "BLEU", lambda row: row["beam"]["bleu"] - row["greedy"]["bleu"]
        ),
        Measure("valid, greedy", "%", _share(lambda row: row["greedy"].get("validity"))),
        Measure("valid, beam", "%", _share(lambda row: row["beam"].get("validity"))),
        Measure("greedy = beam", "%", _share(lambda row: row.get("same_translation"))),
        Measure("p(ŷ)", "%", _share(lambda row: row["p_mode"])),
        Measure("perplexity of gold", "words", lambda row: row["perplexity"]),
    )
}


@dataclass(frozen=True)
class Comparison:
    """A row, another row and a measure: the values by seed, and the verdict on "row − other > 0",
    or on a claim."""

    row: str
    other: str
    measure: Measure
    values: tuple[float, ...]
    others: tuple[float, ...]
    verdict: Verdict

    @property
    def sentence(self) -> str:
        """Return what the comparison says, in one sentence with its numbers."""
        verdict, (low, high) = self.verdict, self.verdict.interval
        interval = "one seed, no interval"
        if math.isfinite(low):
            interval = (
                f"95% interval [{number(low)}, {number(high)}], smallest visible effect "
                f"{number(verdict.smallest_effect)}"
            )
        return (
            f"{verdict.claim.ours}: mean {number(verdict.mean)}, {interval}. "
            f"{verdict.outcome.capitalize()}."
        )


def measured(by_seed: Sequence[Rows]) -> list[str]:
    """Return the names of the measures that every row of every seed has."""
    return [
        name
        for name, measure in MEASURES.items()
        if all(measure.value(row) is not None for rows in by_seed for row in rows.values())
    ]


def claims_of(by_seed: Sequence[Rows]) -> list[Claim]:
    """Return the claims that these results measured."""
    return [claim for claim in CLAIMS if is_measured(claim, by_seed)]


def compare(
    by_seed: Sequence[Rows], row: str, other: str, measure: Measure, claim: Claim | None = None
) -> Comparison:
    """Compare two rows of Table 1 in `measure`; with `claim`, judge the claim's own quantity in its
    place.

    Raises ValueError without any seed, KeyError for a row that the table does not have.
    """
    if claim is None:
        ours = f"{measure.name}: {row} − {other} > 0 {measure.unit}"
        claim = Claim(
            "", ours, lambda rows: measure.value(rows[row]) - measure.value(rows[other]), least=0.0
        )
    values, others = (tuple(measure.value(rows[name]) for rows in by_seed) for name in (row, other))
    return Comparison(row, other, measure, values, others, judge_claim(claim, by_seed))


def compare_rows(by_seed: Sequence[Rows], row: str, other: str, measure: str) -> Comparison:
    """Compare two rows in the measure called `measure` (a key of MEASURES). Raises KeyError for an
    unknown one."""
    return compare(by_seed, row, other, MEASURES[measure])
