"""The timeline explorer: every value of every control draws, shows what was recorded, and its still
twin agrees."""

from __future__ import annotations

import pytest
import synthetic_near_policy as synthetic

from seqkd_lab.distillation.generation import SYNCHRONISE, TRAIN, WAIT, Event
from seqkd_lab.distillation.rollout_sources import Schedule
from seqkd_lab.lab.near_policy.explorer import (
    BETWEEN,
    NOTICED,
    TimelineDrawing,
    Timelines,
    at_work,
    shares,
    staleness,
    timeline_figure,
    updates_done,
)
from seqkd_lab.lab.near_policy.results import timelines
from seqkd_lab.lab.near_policy.view import NEVER, TimelineExplorer
from seqkd_lab.lab.shared.lesson import png
from seqkd_lab.studies.near_policy_clock import SHOWN


@pytest.fixture(scope="module")
def recorded() -> Timelines:
    return timelines([synthetic.clock_round(1)])


def texts(figure) -> list[str]:
    return [text.get_text() for axes in figure.axes for text in [*axes.texts, *axes.artists]]


class TestReading:
    def test_shares_of_what_is_cut_off_at_the_end(self):
        events = [
            Event("x", TRAIN, 0.0, 1.0, 0),
            Event("x", WAIT, 1.0, 4.0, 1),
            Event("x", TRAIN, 4.0, 6.0, 1),
        ]
        assert shares(events, 2.0) == {TRAIN: 0.5, WAIT: 0.5}
        assert shares(events, 5.0) == {TRAIN: pytest.approx(0.4), WAIT: pytest.approx(0.6)}
        assert [updates_done(events, moment) for moment in (0.5, 1.0, 5.9, 6.0)] == [0, 1, 1, 2]
        assert at_work(events, 1.0).what == WAIT and at_work(events, 6.0) is None

    def test_shares_add_up_to_the_whole_time(self, recorded):
        events = [Event("x", TRAIN, 0.0, 1.0, 0), Event("x", WAIT, 1.5, 2.0, 1)]
        assert shares(events, 2.0) == {TRAIN: 0.5, WAIT: 0.25, BETWEEN: 0.25}
        for interval in recorded.two_processes:
            for events in recorded.lanes(interval):
                total = sum(shares(events, recorded.end).values())
                assert total == pytest.approx(1.0, abs=2 * NOTICED)

    def test_staleness_is_the_schedules(self):
        for interval in (1, 4, 16, None):
            assert all(
                staleness(interval, update) == update - Schedule(interval).version(update)
                for update in range(60)
            )

    def test_the_picture_ends_where_the_first_recording_does(self, recorded):
        recordings = (recorded.loop, *recorded.two_processes.values())
        ends = [
            max(event.end for event in events if event.what == TRAIN and event.update < SHOWN)
            for events in recordings
        ]
        assert recorded.end == min(ends)
        for interval, events in recorded.two_processes.items():
            loop, *others = recorded.lanes(interval)
            for who, lane in zip(("generator", "trainer"), others, strict=True):
                assert {event.who for event in lane} == {who}
            assert sum(map(len, others)) == len(events) and loop == list(recorded.loop)


def test_every_control_draws_through_its_whole_range(recorded):
    explorer, pictures = TimelineExplorer(recorded), set()
    for _, interval in explorer.interval.options:
        explorer.interval.value = interval
        pictures.add(explorer.image.value)
        for moment in (0, 50, 200):
            explorer.moment.value = moment
            done = updates_done(explorer.data[2], explorer.seconds)
            assert f"{done} by two processes" in explorer.text.value
            assert f"<b>{staleness(interval or None, done)}</b>" in explorer.text.value
        explorer.moment.value = 100
    assert len(pictures) == len(recorded.two_processes)
    before = explorer.image.value
    explorer.moment.value = 101
    assert explorer.image.value != before


@pytest.mark.parametrize("interval", [1, 16, None])
def test_the_still_twin_says_the_same(recorded, interval):
    explorer = TimelineExplorer(recorded)
    explorer.interval.value = interval or NEVER
    figure = timeline_figure(recorded, interval, explorer.seconds)
    shown, end = texts(figure), recorded.end
    for events in recorded.lanes(interval):
        for what, share in shares(events, end).items():
            assert any(f"{what} {share:.0%}" in text for text in shown)
            assert f"{what} {share:.0%}" in explorer.text.value
    loop, _, trainer = recorded.lanes(interval)
    assert f"synchronous: {updates_done(loop, end)}" in shown
    assert f"two processes: {updates_done(trainer, end)}" in shown
    assert png(figure).startswith(b"\x89PNG")


def test_a_synchronisation_can_be_seen_however_short(recorded):
    drawing = TimelineDrawing(recorded)
    drawing.show(16, 0.0)
    events = [
        event for events in recorded.lanes(16) for event in events if event.start < recorded.end
    ]
    paths = drawing._spans.get_paths()
    assert len(paths) == len(events)
    for event, path in zip(events, paths, strict=True):
        if event.what == SYNCHRONISE:
            assert path.get_extents().width >= 1000 * 0.0015 * recorded.end - 1e-9


def test_what_was_not_recorded_is_refused(recorded):
    with pytest.raises(ValueError, match="1, 4, 16, 64, None; got 5"):
        timeline_figure(recorded, 5)
    with pytest.raises(ValueError, match="two processes"):
        TimelineExplorer(Timelines(recorded.loop, {}))
