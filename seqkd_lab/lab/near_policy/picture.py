"""Who works when: the synchronous loop above, generator and trainer below, and the updates that
both have done."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from matplotlib.collections import PolyCollection
from matplotlib.figure import Figure

from seqkd_lab.distillation.generation import (
    FILTER,
    GENERATE,
    GENERATOR,
    SCORE,
    SYNCHRONISE,
    TRAIN,
    TRAINER,
    WAIT,
    Event,
)
from seqkd_lab.distillation.rollout_sources import Schedule
from seqkd_lab.lab.shared.picture import BlittedFigure, add_label, label_axes
from seqkd_lab.lab.shared.style import BLACK, BLUE, GREEN, GREY, ORANGE, PURPLE, SIZE, VERMILION

COLOURS = {
    GENERATE: BLUE,
    SCORE: ORANGE,
    FILTER: PURPLE,
    TRAIN: GREEN,
    SYNCHRONISE: VERMILION,
    WAIT: "#dddddd",
}
LANES = ("one process,\nsynchronous", "generator", "trainer")
LEAST_WIDTH = 0.0015
"""Of the axes: what takes less time is drawn as wide as this, so that a synchronisation can be
seen."""


@dataclass(frozen=True)
class Timelines:
    """Events in seconds from 0: of the synchronous loop, and of two processes by their interval
    (None: never)."""

    loop: Sequence[Event]
    two: Mapping[int | None, Sequence[Event]]

    @property
    def end(self) -> float:
        """What the pictures show (seconds): as long as the quickest of all keeps its first updates'
        events."""
        return min(max(event.end for event in events) for events in (self.loop, *self.two.values()))


def lanes_of(timelines: Timelines, interval: int | None) -> list[list[Event]]:
    """The events of each lane."""
    two = timelines.two[interval]
    return [
        list(timelines.loop),
        *([event for event in two if event.who == who] for who in (GENERATOR, TRAINER)),
    ]


def shares(events: Sequence[Event], end: float) -> dict[str, float]:
    """Which share of the time up to `end` went into what, in the order of COLOURS."""
    found = {
        what: sum(
            min(event.end, end) - event.start
            for event in events
            if event.what == what and event.start < end
        )
        / end
        for what in COLOURS
    }
    return {what: share for what, share in found.items() if share > 0.0}


def updates_done(events: Sequence[Event], moment: float) -> int:
    """How many updates are finished at `moment`."""
    return sum(event.what == TRAIN and event.end <= moment for event in events)


def at_work(events: Sequence[Event], moment: float) -> Event | None:
    """What is being done at `moment`."""
    return next((event for event in events if event.start <= moment < event.end), None)


def staleness(interval: int | None, update: int) -> int:
    """How many updates older than itself the student was that wrote for `update`."""
    return update - Schedule(interval).version(update)


class TimelineDrawing:
    """Three lanes of coloured spans, the updates done below, and a line at the moment that is
    chosen."""

    def __init__(self, timelines: Timelines) -> None:
        self.timelines = timelines
        figure = Figure(figsize=(12, 6.4))
        lanes, done = (
            figure.add_axes((0.115, 0.53, 0.875, 0.36)),
            figure.add_axes((0.115, 0.1, 0.875, 0.32)),
        )
        end = 1000.0 * timelines.end
        for axes in (lanes, done):
            axes.set_xlim(0.0, end)
        lanes.set(ylim=(2.75, -0.5), yticks=range(3))
        label_axes(lanes, "", "")
        lanes.grid(axis="y", visible=False)
        lanes.set_yticks(range(3), LANES, fontsize=SIZE)
        lanes.set_xticklabels([])
        for place, (what, colour) in enumerate(COLOURS.items()):
            figure.text(
                0.125 + 0.145 * place, 0.955, "■", color=colour, fontsize=SIZE + 3, va="center"
            )
            figure.text(0.145 + 0.145 * place, 0.955, what, fontsize=SIZE, va="center")
        label_axes(done, "milliseconds", "updates done")
        most = max(
            updates_done(events, timelines.end)
            for events in (timelines.loop, *timelines.two.values())
        )
        done.set_ylim(0.0, 1.18 * most)
        self._spans = lanes.add_collection(PolyCollection([], linewidths=0.0))
        self._notes = [
            add_label(lanes, 0.006 * end, lane + 0.5, fontsize=SIZE - 2) for lane in range(3)
        ]
        (self._loop,) = done.step([], [], where="post", color=GREY, linewidth=2.5)
        (self._two,) = done.step([], [], where="post", color=BLACK, linewidth=2.5)
        ground = {"facecolor": "white", "edgecolor": "none", "pad": 1.0}
        self._ends = [add_label(done, 0.995 * end, 0.0, ha="right", bbox=ground) for _ in range(2)]
        self._moments = [
            axes.axvline(0.0, color=VERMILION, linewidth=1.6, linestyle="--")
            for axes in (lanes, done)
        ]
        self.picture = BlittedFigure(
            figure, [self._spans, *self._notes, self._loop, self._two, *self._ends, *self._moments]
        )
        self._most = most

    def show(self, interval: int | None, moment: float) -> None:
        """Two processes at `interval` beside the loop; `moment` in seconds."""
        end, lanes = self.timelines.end, lanes_of(self.timelines, interval)
        spans = [
            (lane, event)
            for lane, events in enumerate(lanes)
            for event in events
            if event.start < end
        ]
        self._spans.set_verts([_corners(lane, event, end) for lane, event in spans])
        self._spans.set_facecolor([COLOURS[event.what] for _, event in spans])
        for label, events in zip(self._notes, lanes, strict=True):
            label.set_text(
                "   ".join(f"{what} {share:.0%}" for what, share in shares(events, end).items())
            )
        for line, label, events in (
            (self._loop, self._ends[0], lanes[0]),
            (self._two, self._ends[1], lanes[2]),
        ):
            times = sorted(
                event.end for event in events if event.what == TRAIN and event.end <= end
            )
            line.set_data(
                1000.0 * np.array([0.0, *times, end]), [*range(len(times) + 1), len(times)]
            )
            who = "synchronous" if events is lanes[0] else "two processes"
            label.set_text(f"{who}: {len(times)}")
            label.set_y(len(times) + 0.07 * self._most)
        for line in self._moments:
            line.set_xdata([1000.0 * moment] * 2)


def _corners(lane: int, event: Event, end: float) -> list[tuple[float, float]]:
    """The rectangle of an event, in milliseconds."""
    left, right = 1000.0 * event.start, 1000.0 * max(event.end, event.start + LEAST_WIDTH * end)
    top = lane - 0.34 if event.what != SYNCHRONISE else lane - 0.42
    return [(left, top), (right, top), (right, lane + 0.3), (left, lane + 0.3)]


def near_policy_figure(
    timelines: Timelines, interval: int | None = 16, moment: float = 0.0
) -> Figure:
    """Still twin of the TimelineExplorer. Raises ValueError for an interval that was not
    recorded."""
    if interval not in timelines.two:
        raise ValueError(
            f"recorded were the intervals {', '.join(map(str, timelines.two))}; got {interval}"
        )
    drawing = TimelineDrawing(timelines)
    drawing.show(interval, moment)
    return drawing.picture.figure
