"""Timeline explorer: what each process does when, in the synchronous loop and in two processes, by
the synchronisation interval."""

from __future__ import annotations

import ipywidgets as widgets

from seqkd_lab.distillation.generation import Event
from seqkd_lab.lab.near_policy.explorer import (
    LANES,
    TimelineDrawing,
    Timelines,
    at_work,
    in_words,
    staleness,
    updates_done,
)
from seqkd_lab.lab.shared.view import STYLE, WIDE, View, table

N_MOMENTS = 200
"""Positions of the slider of moments."""
NEVER = 0
"""The value of the interval's slider for never, since None would mean no choice."""
HEAD = ("", "now", "for update", "shares of the time")


class TimelineExplorer(View):
    """Events that were recorded.

    Controls: `interval`, updates between two synchronisations (NEVER: 0); `moment`, a position on
    the time axis. Raises ValueError without any recording of two processes.
    """

    thinned = {"moment": slice(None, None, 2)}

    interval: widgets.SelectionSlider
    moment: widgets.IntSlider

    def __init__(self, timelines: Timelines) -> None:
        if not timelines.two_processes:
            raise ValueError("the view needs at least one recording of two processes")
        self.timelines = timelines
        options = [
            ("never" if interval is None else str(interval), interval or NEVER)
            for interval in timelines.two_processes
        ]
        middle = 16 if 16 in timelines.two_processes else options[0][1]
        look = {"style": STYLE, "layout": WIDE}
        interval = widgets.SelectionSlider(
            options=options, value=middle, description="interval", **look
        )
        moment = widgets.IntSlider(
            N_MOMENTS // 2, 0, N_MOMENTS, description="moment", readout=False, **look
        )
        self._drawing = TimelineDrawing(timelines)
        super().__init__({"interval": interval, "moment": moment}, self._drawing.picture)
        self.redraw()

    @property
    def seconds(self) -> float:
        """The moment that is chosen."""
        return self.timelines.end * self.moment.value / N_MOMENTS

    @property
    def data(self) -> list[list[Event]]:
        """The events of the three lanes."""
        return self.timelines.lanes(self.interval.value or None)

    def draw(self) -> str:
        """Show what the controls say."""
        interval, moment, lanes = self.interval.value or None, self.seconds, self.data
        self._drawing.show(interval, moment)
        rows = []
        for name, events in zip(LANES, lanes, strict=True):
            now = at_work(events, moment)
            what, update = ("–", "–") if now is None else (now.what, str(now.update))
            shares = in_words(events, self.timelines.end, ", ")
            rows.append((name.replace("\n", " "), what, update, shares))
        by_loop, by_two = (updates_done(lanes[lane], moment) for lane in (0, 2))
        return (
            f"{table(HEAD, rows)}At {1000 * moment:.0f} ms: {by_loop} updates done by the "
            f"synchronous loop, {by_two} by two processes. There the next update learns from "
            f"sentences that the student wrote as it was <b>{staleness(interval, by_two)}</b> "
            "updates before."
        )
