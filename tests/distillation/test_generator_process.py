"""The generator in its own process: it agrees with one process, is bounded, fails and ends."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import textwrap
import time
from itertools import islice
from pathlib import Path

import pytest
import small_rollouts
import torch
from small_rollouts import (
    ALL_WORDS,
    ENCODED,
    VOCABULARY,
    learning,
    make_student,
    make_teacher,
    make_worker,
    rollouts_of,
    weights,
)

from seqkd_lab.corpus.vocabulary import Vocabulary
from seqkd_lab.distillation.generation import DELTA_IFD, GENERATE, WAIT, Event, RolloutConfig
from seqkd_lab.distillation.generator_process import (
    GeneratorError,
    ProcessSource,
    from_bytes,
    to_bytes,
)
from seqkd_lab.distillation.near_policy import learn
from seqkd_lab.distillation.rollout_sources import LocalSource, RolloutWorker, Schedule
from seqkd_lab.models.lstm import LSTMSeq2Seq, LSTMSpec

LONG = 300.0
"""Seconds after which a process that should end counts as hanging, however busy the machine is."""


def in_process(schedule: Schedule) -> ProcessSource:
    return ProcessSource(make_worker(), schedule, capacity=2)


@pytest.mark.parametrize("config", [RolloutConfig(top_k=3, filter=DELTA_IFD), ALL_WORDS])
def test_rollouts_arrive_as_they_were_sent(config):
    rollouts, events = rollouts_of(9, config), [Event("x", GENERATE, 1.25, 2.5, 3)]
    received, their_events = from_bytes(to_bytes(rollouts, events))
    assert their_events == events and torch.equal(received.kept, rollouts.kept)
    for name, value in vars(rollouts.batch).items():
        assert torch.equal(getattr(received.batch, name), value)
    assert torch.equal(received.teacher.log_probs, rollouts.teacher.log_probs)
    assert (received.delta is None) == (rollouts.delta is None)


@pytest.mark.slow
@pytest.mark.parametrize("schedule", [Schedule(1, 0), Schedule(3, together=2)])
@pytest.mark.parametrize("scored", [1.0, 0.6])
def test_two_processes_give_bit_for_bit_what_one_gives(schedule, scored):
    config = RolloutConfig(top_k=3, scored=scored)
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        one, two = make_student(), make_student()
        teacher = make_teacher()
        first = learn(one, LocalSource(make_worker(config)), schedule, learning(), teacher=teacher)
        with ProcessSource(make_worker(config), schedule) as source:
            source.wait_until_ready()
            second = learn(two, source, schedule, learning(), teacher=teacher)
    finally:
        torch.set_num_threads(threads)
    assert torch.equal(weights(one), weights(two)) and first.loss == second.loss
    assert first.staleness == second.staleness and not source.process.is_alive()
    assert {event.who for event in second.events} == {"generator", "trainer"}


@pytest.mark.slow
def test_the_queue_is_bounded():
    """No job begins before there is room: by the events' own clock, and by what has arrived after a
    long wait."""
    schedule = Schedule(None, together=1)
    with in_process(schedule) as source:
        taken = []
        source.synchronise(0, make_student())
        time.sleep(3.0)
        for job in islice(schedule.jobs(), 12):
            source.take(job)
            taken.append(time.monotonic())
            time.sleep(0.02)
        begun = [event.start for event in source.events() if event.what == GENERATE]
        assert len(begun) == 12
        for number in range(2, 12):  # a job waits for the one before the last to be taken
            assert begun[number] > taken[number - 2] - 0.05
        assert sum(event.what == WAIT for event in source.events()) == 12


@pytest.mark.slow
def test_an_error_in_the_generator_is_raised_in_the_trainer():
    with in_process(Schedule(4)) as source:
        broken = make_student()
        broken.register_buffer("unknown", torch.zeros(1))
        with pytest.raises(GeneratorError, match="the generator failed[^$]*unknown"):
            learn(broken, source, Schedule(4), learning())


@pytest.mark.slow
def test_a_killed_generator_is_reported_and_not_waited_for():
    with in_process(Schedule(2)) as source:
        source.wait_until_ready()

        def kill(rollouts, n_tokens):
            if n_tokens > 0:  # the first update is made, the next jobs are being drawn
                os.kill(source.process.pid, signal.SIGKILL)

        with pytest.raises(GeneratorError, match="SIGKILL"):
            learn(make_student(), source, Schedule(2), learning(10_000_000), observe=kill)
        with pytest.raises(GeneratorError, match="SIGKILL"):
            source.take(next(Schedule(2).jobs()))


def test_a_wrong_capacity_and_other_vocabularies_are_refused():
    with pytest.raises(ValueError, match="capacity"):
        ProcessSource(make_worker(), Schedule(), capacity=0)
    teacher = LSTMSeq2Seq(LSTMSpec(width=4), VOCABULARY, Vocabulary.build([("x", "y")]))
    worker = RolloutWorker(make_student(), teacher, ENCODED, RolloutConfig(), 4, 1)
    with pytest.raises(ValueError, match="vocabular"):
        ProcessSource(worker, Schedule())


TRAINS = """
    import signal, sys
    sys.path.insert(0, TESTS)
    from small_rollouts import learning, make_student, make_worker
    from seqkd_lab.distillation.generator_process import ProcessSource
    from seqkd_lab.distillation.near_policy import learn
    from seqkd_lab.distillation.rollout_sources import Schedule

    if __name__ == "__main__":
        signal.signal(signal.SIGINT, signal.default_int_handler)  # ignored in a background job
        with ProcessSource(make_worker(), Schedule(2)) as source:
            def report(rollouts, n_tokens):
                if n_tokens > 0:  # the first update is made
                    print(source.process.pid, flush=True)
            learn(make_student(), source, Schedule(2), learning(10**12), observe=report)
"""


@pytest.mark.slow
@pytest.mark.parametrize("sent", [signal.SIGINT, signal.SIGKILL])
def test_no_process_is_left_behind_when_the_trainer_goes(sent, tmp_path):
    tests, script = str(Path(small_rollouts.__file__).parent), tmp_path / "trains.py"
    script.write_text(textwrap.dedent(TRAINS).replace("TESTS", repr(tests)), encoding="utf-8")
    trainer = subprocess.Popen(
        [sys.executable, str(script)], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL
    )
    generator = int(trainer.stdout.readline())
    trainer.send_signal(sent)
    try:
        # The generator has inherited stdout, whose end is read when both processes are gone.
        trainer.communicate(timeout=LONG)
    except subprocess.TimeoutExpired:
        os.kill(generator, signal.SIGKILL)
        trainer.kill()
        raise
    assert trainer.returncode != 0
