"""The arithmetic of benchmarks/class_server: no hub is needed."""

from __future__ import annotations

import sys
from dataclasses import replace
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from benchmarks.class_server import report, results  # noqa: E402
from benchmarks.class_server.capacity import GIB, RESERVE_MIB, Needs, needs_of  # noqa: E402

NEEDS = Needs(hub_mib=100, server_mib=100, kernel_mib=400, cpu_s=60, learners=4)


@pytest.mark.parametrize("kernels", [1, 2, 3])
@pytest.mark.parametrize("ram_gib", [4, 8, 32, 128])
def test_the_learners_fit_into_the_memory_and_one_more_does_not(ram_gib, kernels):
    n = NEEDS.by_memory(ram_gib, kernels)

    def taken(learners):
        return RESERVE_MIB + 100 + learners * (100 + kernels * 400)

    assert taken(n) <= ram_gib * GIB < taken(n + 1)


def test_a_machine_carries_what_both_memory_and_cores_allow():
    assert NEEDS.by_cpu(2, 120) == 4 and NEEDS.by_memory(1) == 0
    assert NEEDS.learners_on(2, 128, 120) == 4
    assert NEEDS.learners_on(32, 4, 300) == NEEDS.by_memory(4)
    assert replace(NEEDS, cpu_s=120).by_cpu(2, 120) == 2


def test_the_largest_class_counts_and_what_was_not_measured_is_said():
    rounds = results.read(results.DEFAULT).rounds
    needs = needs_of(rounds, "06", "full")
    assert needs.learners == max(r.learners for r in rounds if (r.lesson, r.mode) == ("06", "full"))
    with pytest.raises(ValueError, match="lesson 99"):
        needs_of(rounds, "99", "full")


def test_the_whole_class_is_the_sum_of_its_parts_and_every_round_has_a_row():
    measured = results.read(results.DEFAULT)
    for each in measured.rounds:
        parts = each.server_pss_mib + each.kernel_pss_mib
        assert each.class_pss_mib == pytest.approx(each.hub_pss_mib + each.learners * parts)
    assert len(report.rounds_table(measured.rounds).splitlines()) == 2 + len(measured.rounds)
