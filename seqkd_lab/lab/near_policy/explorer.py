"""What each process does when: the synchronous loop above, generator and trainer below, and the
updates that both have done."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from matplotlib.axes import Axes
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
from seqkd_lab.lab.shared.picture import BlittedFigure, add_label
from seqkd_lab.lab.shared.style import (
    BLACK,
    BLUE,
    GREEN,
    GREY,
    GRID,
    ORANGE,
    PURPLE,
    SIZE,
    VERMILION,
    ready,
    styled,
)
from seqkd_lab.studies.near_policy_clock import end_of

COLOURS = {
    GENERATE: BLUE,
    SCORE: ORANGE,
    FILTER: PURPLE,
    TRAIN: GREEN,
    SYNCHRONISE: VERMILION,
    WAIT: GRID,
}
"""By what is being done."""
BETWEEN = "between"
NOTICED = 0.005
"""Of the time: less between the events is not said."""
LANES = ("one process,\nsynchronous", "generator", "trainer")
LEAST_WIDTH = 0.0015
"""Of the axes: what takes less time is drawn as wide as this, so that a synchronisation can be
seen."""


@dataclass(frozen=True)
class Timelines:
    """Events in seconds from 0: of the synchronous loop, and of two processes by their interval
    (None: never)."""

    loop: Sequence[Event]
    two_processes: Mapping[int | None, Sequence[Event]]

    @property
    def end(self) -> float:
        """What the pictures show (seconds): until the quickest of all has done the updates that
        were recorded of each."""
        recordings = (self.loop, *self.two_processes.values())
        return min(end_of(events) for events in recordings)

    def lanes(self, interval: int | None) -> list[list[Event]]:
        """Return the events of each of LANES. Raises ValueError for an interval that was not
        recorded."""
        if interval not in self.two_processes:
            recorded = ", ".join(map(str, self.two_processes))
            raise ValueError(f"recorded were the intervals {recorded}; got {interval}")
        events = self.two_processes[interval]
        generator, trainer = (
            [event for event in events if event.who == who] for who in (GENERATOR, TRAINER)
        )
        return [list(self.loop), generator, trainer]


def shares(events: Sequence[Event], end: float) -> dict[str, float]:
    """Return the share of the time up to `end` by what was done, in the order of COLOURS, and last
    what lies between the events: together 1."""
    seconds = dict.fromkeys(COLOURS, 0.0)
    for event in events:
        seconds[event.what] += max(0.0, min(event.end, end) - event.start)
    between = max(0.0, end - sum(seconds.values()))
    found = {**seconds, BETWEEN: between if between > NOTICED * end else 0.0}
    return {what: total / end for what, total in found.items() if total > 0.0}


def in_words(events: Sequence[Event], end: float, separator: str) -> str:
    """Return these shares in words."""
    return separator.join(f"{what} {share:.0%}" for what, share in shares(events, end).items())


def updates_done(events: Sequence[Event], moment: float) -> int:
    """Return how many updates are finished at `moment`."""
    return sum(event.what == TRAIN and event.end <= moment for event in events)


def at_work(events: Sequence[Event], moment: float) -> Event | None:
    """Return what is being done at `moment`."""
    return next((event for event in events if event.start <= moment < event.end), None)


def staleness(interval: int | None, update: int) -> int:
    """Return how many updates ago the student was as it drew the rollouts of `update`."""
    return update - Schedule(interval).version(update)


class TimelineDrawing:
    """Three lanes of coloured spans, the updates done below, and a line at the moment that is
    chosen."""

    @styled
    def __init__(self, timelines: Timelines) -> None:
        self.timelines, end = timelines, 1000.0 * timelines.end
        figure = Figure(figsize=(12, 6.4))
        lanes = ready(figure.add_axes((0.115, 0.53, 0.875, 0.36)), "x")
        done = ready(figure.add_axes((0.115, 0.1, 0.875, 0.32)))
        for axes in (lanes, done):
            axes.set_xlim(0.0, end)
        lanes.set(ylim=(2.75, -0.5), xticklabels=[])
        lanes.set_yticks(range(3), LANES)
        _key(figure)
        recordings = (timelines.loop, *timelines.two_processes.values())
        self._most = max(updates_done(events, timelines.end) for events in recordings)
        done.set(ylim=(0.0, 1.18 * self._most), xlabel="milliseconds", ylabel="updates done")
        self._spans = PolyCollection([], linewidths=0.0)
        lanes.add_collection(self._spans)
        self._notes = [
            add_label(lanes, 0.006 * end, lane + 0.5, fontsize=SIZE - 2) for lane in range(3)
        ]
        self._counts = {
            "synchronous": _Count(done, GREY, end),
            "two processes": _Count(done, BLACK, end),
        }
        self._moments = [
            axes.axvline(0.0, color=VERMILION, linewidth=1.6, linestyle="--")
            for axes in (lanes, done)
        ]
        counts = [artist for count in self._counts.values() for artist in (count.line, count.label)]
        animated = [self._spans, *self._notes, *counts, *self._moments]
        self.picture = BlittedFigure(figure, animated)

    def show(self, interval: int | None, moment: float) -> None:
        """Show two processes at `interval` beside the loop; `moment` in seconds."""
        end, lanes = self.timelines.end, self.timelines.lanes(interval)
        spans = [
            (lane, event)
            for lane, events in enumerate(lanes)
            for event in events
            if event.start < end
        ]
        self._spans.set_verts([_corners(lane, event, end) for lane, event in spans])
        self._spans.set_facecolor([COLOURS[event.what] for _, event in spans])
        for label, events in zip(self._notes, lanes, strict=True):
            label.set_text(in_words(events, end, "   "))
        for (name, count), events in zip(self._counts.items(), (lanes[0], lanes[2]), strict=True):
            count.show(name, events, end, 0.07 * self._most)
        for line in self._moments:
            line.set_xdata([1000.0 * moment] * 2)


class _Count:
    """A staircase of the updates done, and their number at its end."""

    def __init__(self, axes: Axes, colour: str, end: float) -> None:
        ground = {"facecolor": "white", "edgecolor": "none", "pad": 1.0}
        (self.line,) = axes.step([], [], where="post", color=colour, linewidth=2.5)
        self.label = add_label(axes, 0.995 * end, 0.0, ha="right", bbox=ground)

    def show(self, name: str, events: Sequence[Event], end: float, above: float) -> None:
        times = sorted(event.end for event in events if event.what == TRAIN and event.end <= end)
        n = len(times)
        self.line.set_data(1000.0 * np.array([0.0, *times, end]), [*range(n + 1), n])
        self.label.set_text(f"{name}: {n}")
        self.label.set_y(n + above)


def _key(figure: Figure) -> None:
    """Name the colours above the lanes."""
    for number, (what, colour) in enumerate(COLOURS.items()):
        left = 0.125 + 0.145 * number
        figure.text(left, 0.955, "■", color=colour, fontsize=SIZE + 3, va="center")
        figure.text(left + 0.02, 0.955, what, va="center")


def _corners(lane: int, event: Event, end: float) -> list[tuple[float, float]]:
    """The rectangle of an event, in milliseconds."""
    left, right = 1000.0 * event.start, 1000.0 * max(event.end, event.start + LEAST_WIDTH * end)
    top = lane - 0.34 if event.what != SYNCHRONISE else lane - 0.42
    return [(left, top), (right, top), (right, lane + 0.3), (left, lane + 0.3)]


def timeline_figure(timelines: Timelines, interval: int | None = 16, moment: float = 0.0) -> Figure:
    """Draw the still twin of the TimelineExplorer. Raises ValueError for an interval that was not
    recorded."""
    drawing = TimelineDrawing(timelines)
    drawing.show(interval, moment)
    return drawing.picture.figure
