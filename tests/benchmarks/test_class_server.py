"""The arithmetic of benchmarks/class_server: no hub is needed."""

from __future__ import annotations

import json
import sys
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec import structs

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from benchmarks.class_server import report, results  # noqa: E402
from benchmarks.class_server.capacity import GIB, RESERVE_MIB, Needs, needs_of  # noqa: E402
from benchmarks.class_server.results import Visit  # noqa: E402

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
    assert NEEDS.carried(2, 128, 120) == 4
    assert NEEDS.carried(32, 4, 300) == NEEDS.by_memory(4)
    assert replace(NEEDS, cpu_s=120).by_cpu(2, 120) == 2


needs = st.builds(
    Needs,
    hub_mib=st.floats(50, 500),
    server_mib=st.floats(50, 500),
    kernel_mib=st.floats(100, 2000),
    cpu_s=st.floats(1, 1000),
    learners=st.integers(1, 100),
)
more = st.integers(1, 64)


@given(needs, more, more, more)
def test_a_larger_machine_and_a_longer_wait_never_carry_fewer(needs, cores, ram_gib, added):
    least = needs.carried(cores, ram_gib, 60)
    assert needs.carried(cores + added, ram_gib, 60) >= least
    assert needs.carried(cores, ram_gib + added, 60) >= least
    assert needs.carried(cores, ram_gib, 60 + added) >= least
    assert needs.carried(cores, ram_gib, 60, kernels=2) <= least


@given(needs, more, more, st.floats(1, 10))
def test_a_slower_or_larger_lesson_never_gives_more_learners(needs, cores, ram_gib, factor):
    most = needs.carried(cores, ram_gib, 60)
    slower = replace(needs, cpu_s=factor * needs.cpu_s)
    larger = replace(needs, kernel_mib=factor * needs.kernel_mib)
    assert max(each.carried(cores, ram_gib, 60) for each in (slower, larger)) <= most


@given(needs, more, st.integers(1, 600))
def test_all_learners_by_cpu_are_done_in_time_and_one_more_would_not_be(needs, cores, seconds):
    n = needs.by_cpu(cores, seconds)
    assert n * needs.cpu_s <= cores * seconds * (1 + 1e-9)
    assert (n + 1) * needs.cpu_s > cores * seconds * (1 - 1e-9)


def test_a_lesson_of_a_mixed_class_has_its_own_needs():
    visits = [
        Visit(f"learner-{i}", lesson, False, 5.0, 50.0, cpu_s=cpu_s, pss_mib=mib)
        for i in (1, 2)
        for lesson, cpu_s, mib in (("03", 10.0, 300.0 + i), ("06", 80.0, 500.0 + i))
    ]
    alone = next(r for r in results.read(results.DEFAULT).rounds if not r.visits)
    mixed = structs.replace(alone, lesson="03+06", mode="mixed", learners=2, visits=visits)
    needs = needs_of([mixed], "06", "mixed")
    assert (needs.cpu_s, needs.kernel_mib, needs.learners) == (80.0, 501.5, 2)
    assert needs_of([mixed], "03", "mixed").kernel_mib == 301.5
    with pytest.raises(ValueError, match="lesson 06"):
        needs_of([mixed], "06", "mixed", shared_store=True)


def test_the_largest_class_counts_and_what_was_not_measured_is_said():
    rounds = [each for each in results.read(results.DEFAULT).rounds if not each.shared_store]
    full = [r.learners for r in rounds if r.mode == "full" and "06" in r.lesson.split("+")]
    assert needs_of(rounds, "06", "full").learners == max(full)
    with pytest.raises(ValueError, match="lesson 99"):
        needs_of(rounds, "99", "full")


def test_a_round_of_an_earlier_version_is_read_and_a_new_one_is_kept_whole(tmp_path):
    measured = results.read(results.DEFAULT)
    file = tmp_path / "class.json"
    results.write(file, measured)
    assert set(map(repr, results.read(file).rounds)) == set(map(repr, measured.rounds))
    content = json.loads(file.read_text("utf-8"))
    for each in content["rounds"]:
        for added in ("load", "models_trained", "visits", "moves", "browser"):
            del each[added]
    file.write_text(json.dumps(content), encoding="utf-8")
    assert [r.key for r in results.read(file).rounds] == sorted(r.key for r in measured.rounds)
    assert all(each.visits == [] for each in results.read(file).rounds)


def test_every_learner_of_a_committed_class_ran_every_lesson_and_no_time_is_impossible():
    for each in results.read(results.DEFAULT).rounds:
        for visit in each.visits:
            assert 0 < visit.first_picture_s <= visit.lesson_s <= each.wall_s + 1
        if each.visits:
            kinds = {(visit.learner, visit.lesson) for visit in each.visits}
            assert len(kinds) == len(each.visits) == each.learners * len(each.lesson.split("+"))
        assert all(m.median_ms <= m.p95_ms <= m.highest_ms for m in each.moves)


def test_the_whole_class_is_the_sum_of_its_parts_and_every_round_has_a_row():
    measured = results.read(results.DEFAULT)
    for each in measured.rounds:
        parts = each.server_pss_mib + each.kernel_pss_mib
        assert each.class_pss_mib == pytest.approx(each.hub_pss_mib + each.learners * parts)
    assert len(report.rounds_table(measured.rounds).splitlines()) == 2 + len(measured.rounds)
