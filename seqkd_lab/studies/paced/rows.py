"""What the PACED study's results hold of one seed: the pool, signal and noise, the start, the
arms."""

from __future__ import annotations

from typing import Annotated

from msgspec import Meta

from seqkd_lab.runs.measured import Amount, Count, Number, Positive, Row, Share, by_name, list_of
from seqkd_lab.studies.paced.claims import NOISE, POOL, START
from seqkd_lab.studies.paced.design import ARMS, IDLE_SHARES, PACED
from seqkd_lab.studies.paced.measures import N_BINS

Histogram = Annotated[list[Count], Meta(min_length=N_BINS, max_length=N_BINS)]
"""How many sources have each pass rate."""


class Failures(Row):
    """Failed draws: how many, shares by their distance to a valid translation, edits per word."""

    n: Count
    one_edit: Share
    many_edits: Share
    words_wrong: Share


FailuresByKind = by_name("FailuresByKind", dict.fromkeys(("never", "sometimes"), Failures))
Never = by_name("Never", {f"{idle:.0%}": Share for idle in IDLE_SHARES})


class Pool(Row):
    """The sources by pass rate, and what failed draws look like by kind of source."""

    histogram: Histogram
    failures: FailuresByKind  # type: ignore[valid-type]


class Noise(Row):
    """Signal and noise of the gradient by pass rate, from n sentences each."""

    n: Count
    signal: list_of(Number, N_BINS)  # type: ignore[valid-type]
    noise: list_of(Positive, N_BINS)  # type: ignore[valid-type]


class Accuracy(Row):
    """Shares of valid translations of fresh sources: drawn, greedy, and greedy of the left-out
    skill."""

    draws: Share
    greedy: Share
    skill: Share


class Start(Accuracy):
    """The start: also its valid draws of sources that never passed, by share of idle sources."""

    never_at: Never  # type: ignore[valid-type]


class Arm(Accuracy):
    """An arm: also its valid draws of sources that never passed, and its weights."""

    never: Share
    largest_weight: Amount
    weights_of_0: Share


class PacedArm(Arm):
    """PACED: also the training sources by pass rate, before and after."""

    before: Histogram
    after: Histogram


ROWS = by_name(
    "Paced",
    {
        POOL: Pool,
        NOISE: Noise,
        START: Start,
        **{name: PacedArm if kind == PACED else Arm for name, (_, kind) in ARMS.items()},
    },
)
