"""What the study of speculative sampling measures of one seed, as its results file holds it.

Every seed has the drafts' acceptance by their own teacher; the seeds with a deep target have all
other parts, too, each for the same drafts, temperatures and K.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from itertools import product
from typing import Annotated, Any

from msgspec import Meta

from seqkd_lab.runs.measured import Name, Size, by_name, same_length
from seqkd_lab.runs.recipes import TEACHER
from seqkd_lab.studies.speculative.clock import OWN, ClockTime, StepTime
from seqkd_lab.studies.speculative.exactness import RULES, Exactness
from seqkd_lab.studies.speculative.recipes import COMPARED, DEEP, DRAFTS
from seqkd_lab.studies.speculative.results import (
    ACCEPTANCE,
    CLOCK,
    EXACTNESS,
    LENGTHS,
    MACHINE,
    SIZES,
    STEPS,
    TESTED,
    TOKENS,
    Extent,
)
from seqkd_lab.studies.speculative.tokens import Acceptance, DraftedTokens

OF_DEEP_TARGET = (EXACTNESS, LENGTHS, TOKENS, STEPS, CLOCK)


Length = Annotated[int, Meta(ge=1, le=10_000)]
"""Tokens of a sentence, its end included."""


def rows_of(extent: Extent) -> type:
    """Return the type of a seed's rows, measured to this extent."""

    def check(rows: Mapping[str, Any]) -> None:
        accepted = [(way.draft, way.temperature) for way in rows[ACCEPTANCE].values()]
        check_ways(ACCEPTANCE, accepted, product(COMPARED, extent.temperatures))
        missing = [part for part in OF_DEEP_TARGET if part not in rows]
        if missing and len(missing) < len(OF_DEEP_TARGET):
            raise ValueError(f"a seed with a deep target needs `{missing[0]}`")
        if not missing:
            check_tokens_and_clock(rows, extent)
            check_tests_and_steps(rows, extent)

    return by_name(
        "Drafting",
        {
            SIZES: by_name("Sizes", dict.fromkeys((TEACHER, *COMPARED), Size), {DEEP: Size}),
            ACCEPTANCE: dict[Name, Acceptance],
        },
        {
            EXACTNESS: dict[Name, Exactness],
            LENGTHS: by_name("Lengths", {f"{tau:g}": Lengths for tau in extent.temperatures}),
            TOKENS: dict[Name, DraftedTokens],
            STEPS: dict[Name, StepTime],
            CLOCK: dict[Name, ClockTime],
            MACHINE: dict[str, str | float | None],
        },
        check,
    )


Lengths = Annotated[list[Length], Meta(min_length=1)]


def check_tokens_and_clock(rows: Mapping[str, Any], extent: Extent) -> None:
    """Raise ValueError where a draft, a temperature or a K of the deep target is missing, or was
    timed in another number of rounds."""
    counted, timed = (
        [(way.draft, way.temperature, way.draft_length) for way in rows[part].values()]
        for part in (TOKENS, CLOCK)
    )
    check_ways(TOKENS, counted, product(DRAFTS, extent.temperatures, extent.counted_lengths))
    alone = product((OWN,), extent.temperatures, (0,))
    drafted = product(DRAFTS, extent.temperatures, extent.draft_lengths)
    check_ways(CLOCK, timed, [*alone, *drafted])
    same_length(**{f"{CLOCK} {name}": way.seconds_per_token for name, way in rows[CLOCK].items()})


def check_tests_and_steps(rows: Mapping[str, Any], extent: Extent) -> None:
    """Raise ValueError where a test of a rule, or the time of a model's step, is missing."""
    tested = [(test.draft, test.rule) for test in rows[EXACTNESS].values()]
    check_ways(EXACTNESS, tested, product(TESTED, RULES))
    stepped = [(step.model, step.n_tokens) for step in rows[STEPS].values()]
    one_token = product((DEEP, TEACHER, *DRAFTS), (1,))
    several = ((DEEP, K + 1) for K in extent.draft_lengths)
    check_ways(STEPS, stepped, [*one_token, *several])


def check_ways(part: str, measured: Iterable[tuple], expected: Iterable[tuple]) -> None:
    """Raise ValueError where `measured` has not each of the `expected` ways once."""
    counts, wanted = Counter(measured), dict.fromkeys(expected)
    for way in dict.fromkeys((*wanted, *counts)):
        if counts[way] != (way in wanted):
            said = ", ".join(map(str, way))[:100]
            raise ValueError(f"`{part}` has {said} {counts[way]} times, not {int(way in wanted)}")
