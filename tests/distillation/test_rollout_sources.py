"""The schedule of near-policy training: which weights draw which rollouts, and from which
sources."""

from __future__ import annotations

from itertools import islice

import pytest
import torch

from seqkd_lab.distillation.rollout_sources import Schedule, endless_rows


@pytest.mark.parametrize(
    "schedule",
    [
        Schedule(1, 0),
        Schedule(1, 1),
        Schedule(4),
        Schedule(6, together=4),
        Schedule(40),
        Schedule(None),
    ],
)
def test_jobs_follow_each_other_and_use_weights_that_were_sent(schedule):
    update = 0
    for number, job in enumerate(islice(schedule.jobs(), 30)):
        assert (job.number, job.update) == (
            number,
            update,
        ) and 1 <= job.n_updates <= schedule.together
        assert job.version <= job.update and schedule.is_due(job.version)
        for served in range(update, update + job.n_updates):
            assert (
                schedule.version(served) == job.version
            )  # one job never crosses a synchronisation
        update += job.n_updates


@pytest.mark.parametrize("interval", [1, 4, 16])
def test_staleness_has_bounds(interval):
    for update in range(2 * interval, 200):
        assert interval <= update - Schedule(interval).version(update) < 2 * interval
        assert 0 <= update - Schedule(interval, ahead=0).version(update) < interval


def test_on_policy_and_never():
    assert all(Schedule(1, 0).version(update) == update for update in range(50))
    assert all(Schedule(None).version(update) == 0 for update in range(50))
    assert [update for update in range(50) if Schedule(None).is_due(update)] == [0]


def test_every_source_comes_once_an_epoch():
    rows = endless_rows(10, 0, 30, seed=1)
    assert all(sorted(rows[i : i + 10].tolist()) == list(range(10)) for i in (0, 10, 20))
    assert torch.equal(endless_rows(10, 7, 9, seed=1), rows[7:16])


def test_wrong_ones_are_refused():
    for wrong in ({"interval": 0}, {"ahead": -1}, {"together": 0}):
        with pytest.raises(ValueError, match=next(iter(wrong))):
            Schedule(**wrong)
