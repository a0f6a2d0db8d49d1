"""What the memory study's results hold of one seed: students, the truth, and the view's
sentences."""

from __future__ import annotations

from msgspec import Struct

from seqkd_lab.runs.measured import Count, Percent, Row, Share, Size, by_name
from seqkd_lab.studies.live import CORPORA
from seqkd_lab.studies.memory.students import EXAMPLES, MEMORIES, TRUTH, memory_key

Distribution = dict[str, Share]


class Scores(Row):
    """A student: BLEU (0–100), shares of valid translations, p(ŷ), share of sentences that both
    searches translate alike."""

    greedy: Percent
    beam: Percent
    valid: Share
    valid_beam: Share
    valid_as_truth: Share
    p_mode: Share
    same_translation: Share


class Truth(Row):
    """The truth with a memory: shares of valid translations that it draws and that it writes
    greedily, of n sources."""

    draws: Share
    greedy: Share
    n: Size


class Place(Row):
    """The next word's probabilities at a place: of the truth, and by memory and writer."""

    truth: Distribution
    memories: dict[str, dict[str, Distribution]]


class Example(Struct):
    """A sentence of the view; `telling` is the place that a short memory cannot know."""

    source: list[str]
    target: list[str]
    telling: Count
    places: list[Place]

    def __post_init__(self) -> None:
        if len(self.places) != len(self.target) + 1 or self.telling >= len(self.places):
            raise ValueError(
                f"{len(self.target)} target words have {len(self.target) + 1} places, of which one "
                f"is telling; got {len(self.places)} places, telling {self.telling}"
            )
        keys = set(map(memory_key, MEMORIES))
        if any(set(place.memories) != keys for place in self.places):
            raise ValueError(f"each place needs the memories {', '.join(sorted(keys))}")


def _by_memory(name: str, kind: type) -> type:
    return by_name(name, {memory_key(memory): kind for memory in MEMORIES})


ROWS = by_name(
    "Memory",
    {**{name: _by_memory(name, Scores) for name in CORPORA}, TRUTH: _by_memory(TRUTH, Truth)},
    {EXAMPLES: list[Example]},
)
