"""Timeline explorer: who works when, in the synchronous loop and in two processes, by the
synchronisation interval."""

from __future__ import annotations

from html import escape

import ipywidgets as widgets

from seqkd_lab.distillation.generation import Event
from seqkd_lab.lab.near_policy.picture import (
    LANES,
    TimelineDrawing,
    Timelines,
    at_work,
    lanes_of,
    shares,
    staleness,
    updates_done,
)
from seqkd_lab.lab.shared.view import STYLE, WIDE, View, table

N_MOMENTS, NEVER = 200, 0
"""Places of the slider of moments; the value of the interval's slider for never, since None would
mean no choice."""
HEAD = ("", "now", "for update", "shares of the time")


class TimelineExplorer(View):
    """Events that were recorded.

    Controls: `interval`, updates between two synchronisations (NEVER: 0); `moment`, a place on the
    time axis. Raises ValueError without any recording of two processes.
    """

    def __init__(self, timelines: Timelines) -> None:
        if not timelines.two:
            raise ValueError("the view needs at least one recording of two processes")
        self.timelines = timelines
        options = [
            ("never" if interval is None else str(interval), interval or NEVER)
            for interval in timelines.two
        ]
        middle = 16 if 16 in timelines.two else options[0][1]
        self.interval = widgets.SelectionSlider(
            options=options, value=middle, description="interval", style=STYLE, layout=WIDE
        )
        self.moment = widgets.IntSlider(
            value=N_MOMENTS // 2,
            min=0,
            max=N_MOMENTS,
            description="moment",
            style=STYLE,
            layout=WIDE,
            readout=False,
        )
        self._drawing = TimelineDrawing(timelines)
        super().__init__([self.interval, self.moment], self._drawing.picture)
        self.draw()
        for control in (self.interval, self.moment):
            control.observe(self.draw, "value")

    @property
    def seconds(self) -> float:
        """The moment that is chosen."""
        return self.timelines.end * self.moment.value / N_MOMENTS

    @property
    def data(self) -> list[list[Event]]:
        """The events of the three lanes."""
        return lanes_of(self.timelines, self.interval.value or None)

    def draw(self, _: dict | None = None) -> None:
        """Shows what the controls say."""
        self._drawing.show(self.interval.value or None, self.seconds)
        self.show(self._text())

    def _text(self) -> str:
        rows, lanes = [], self.data
        for name, events in zip(LANES, lanes, strict=True):
            now = at_work(events, self.seconds)
            said = ", ".join(
                f"{what} {share:.0%}" for what, share in shares(events, self.timelines.end).items()
            )
            rows.append(
                (
                    name.replace("\n", " "),
                    "–" if now is None else now.what,
                    "–" if now is None else str(now.update),
                    said,
                )
            )
        done = [updates_done(events, self.seconds) for events in (lanes[0], lanes[2])]
        stale = staleness(self.interval.value or None, done[1])
        return (
            f"{table(HEAD, rows)}At {1000 * self.seconds:.0f} ms: {done[0]} updates done by the "
            f"synchronous loop, {done[1]} by two processes. There the next update learns from "
            f"sentences that the student wrote as it was <b>{escape(str(stale))}</b> updates "
            "before."
        )
