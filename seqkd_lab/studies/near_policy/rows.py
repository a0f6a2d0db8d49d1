"""What the near-policy study's results hold of one seed: its warm starts and its arms."""

from __future__ import annotations

from seqkd_lab.runs.measured import Amount, Count, Number, Percent, Row, Size, by_name, list_of
from seqkd_lab.studies.near_policy.measures import EDGES, FATES, VALID, WRONG
from seqkd_lab.studies.near_policy.recipes import ARMS, EARLY, LATE, warm_start_name

Delta = by_name(
    "Delta",
    {
        "edges": list_of(Number, len(EDGES)),
        **dict.fromkeys((VALID, WRONG), list_of(Count, len(EDGES) - 1)),
        **{f"{fate} {name}": Count for fate in FATES for name in (VALID, WRONG)},
    },
)
"""How many rollouts lie in each bin of Δ-IFD, and have which fate in its filter."""


class WarmStart(Row):
    """A start: percentages of valid greedy translations and of valid samples, and its Δ-IFD."""

    validity: Percent
    samples: Percent
    delta: Delta  # type: ignore[valid-type]


class ByTeacher(Row):
    """An arm that learns from the teacher's sentences: what it took, its curve of (tokens,
    percentage of valid translations), and its accuracy at the end."""

    tokens: Size
    updates: Size
    staleness: Amount
    first_loss: Number
    last_loss: Number
    curve: list[tuple[Count, Percent]]
    validity: Percent
    samples: Percent


class ByStudent(ByTeacher):
    """An arm that learns from the student's own sentences: also how far the student had moved since
    it wrote them (nats a token)."""

    lag: Number
    last_lag: Number


ROWS = by_name(
    "NearPolicy",
    {
        **{warm_start_name(epochs): WarmStart for epochs in (EARLY, LATE)},
        **{arm.name: ByTeacher if arm.by_teacher else ByStudent for arm in ARMS},
    },
)
