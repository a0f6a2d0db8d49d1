"""One round: a class that runs lessons at the same moment, and what that takes."""

from __future__ import annotations

import asyncio
import os
import shutil
import time
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, field

from benchmarks.class_server import processes, shared_store
from benchmarks.class_server.hub import Hub, HubError
from benchmarks.class_server.learner import FOLDER, Learner, Move, Run, Underway
from benchmarks.class_server.lessons import NOTEBOOKS, hand_out, lesson_path, order
from benchmarks.class_server.results import Round
from benchmarks.class_server.summing import summed_up


@dataclass(frozen=True)
class Plan:
    """What a round is to do: the lessons of each learner, their mode, how many learners, whether
    the first one has a real browser, and the seconds that the round may take."""

    lessons: tuple[str, ...]
    mode: str
    n: int
    in_browser: bool
    seconds: float

    def __str__(self) -> str:
        return f"lesson {'+'.join(self.lessons)}, {self.mode}, {self.n} learners"

    def learners(self, hub: Hub) -> list[Learner]:
        """Return the learners of this class, who have no server yet."""
        learners = [Learner(hub, f"learner-{place + 1}") for place in range(self.n)]
        if self.in_browser:
            from benchmarks.class_server.browser import BrowserLearner  # it needs playwright

            learners[0] = BrowserLearner(hub, learners[0].name, self.seconds)
        return learners


@dataclass
class Observed:
    """What was seen of a round; `spawn_s` until all servers were ready, `wall_s` until the last
    lesson ended, `load` of the machine before."""

    load: float
    spawn_s: float = 0.0
    wall_s: float = 0.0
    runs: list[Run] = field(default_factory=list)
    moves: list[Move] = field(default_factory=list)
    underway: Underway = field(default_factory=Underway)
    peak: processes.Peak = field(default_factory=processes.Peak)
    browser: tuple[float, float] | None = None


def measure(hub: Hub, plan: Plan) -> Round:
    """Return what a class takes. Raise HubError, naming the learners, where a cell failed or where
    the class is not done in time."""
    learners, observed = plan.learners(hub), Observed(os.getloadavg()[0])
    store = shared_store.named()
    before = shared_store.contents(store) if store else {}
    began = time.monotonic()
    hub.start_servers([learner.name for learner in learners])
    observed.spawn_s = time.monotonic() - began
    for learner in learners:
        ignored = shutil.ignore_patterns(".ipynb_checkpoints")
        shutil.copytree(NOTEBOOKS, learner.home / FOLDER, ignore=ignored)
        hand_out(plan.lessons, plan.mode, learner.home / FOLDER)
    asyncio.run(whole_round(hub, plan, learners, observed))
    if wrong := [error for learner in learners for error in learner.errors]:
        raise HubError(f"{plan}: {'; '.join(wrong)}")
    if store and shared_store.contents(store) != before:
        raise HubError(f"{plan}: somebody wrote to {store}")
    round_ = summed_up(hub, plan, learners, observed)
    hub.remove([learner.name for learner in learners])
    shutil.rmtree(hub.folder / "homes")
    return round_


async def whole_round(
    hub: Hub, plan: Plan, learners: Sequence[Learner], observed: Observed
) -> None:
    """Let all learners run their lessons at once; then, at rest, move the sliders again."""
    watching = asyncio.create_task(observed.peak.watch(hub.process.pid))
    try:
        await asyncio.gather(*(learner.prepare() for learner in learners))
        work = (
            all_lessons(learner, order(plan.lessons, place), observed)
            for place, learner in enumerate(learners)
        )
        began = time.monotonic()
        await asyncio.wait_for(asyncio.gather(*work), plan.seconds)
        observed.wall_s = observed.underway.ended - began
        await at_rest(learners, plan.lessons, observed)
        observed.peak.look_below(hub.process.pid)
    except asyncio.TimeoutError:
        raise HubError(f"{plan}: not done after {plan.seconds:.0f} s; raise --seconds") from None
    finally:
        watching.cancel()
        with suppress(asyncio.CancelledError):
            await watching
        for learner in learners:
            await learner.leave()


async def all_lessons(learner: Learner, lessons: Sequence[str], observed: Observed) -> None:
    """Let one learner run lessons one after the other, and move a slider of each when it has
    ended. Raise HubError, with the learner's name, where anything goes wrong."""
    for lesson in lessons:
        try:
            with observed.underway.one_more():
                path = lesson_path(lesson)
                first, whole, kernel_id = await learner.run(lesson, path.name)
            kernel = processes.kernel_process(learner.hub.process.pid, kernel_id)
            cpu_s = processes.cpu_seconds(kernel)
            observed.runs.append(
                Run(learner.name, lesson, learner.in_browser, first, whole, kernel.pid, cpu_s)
            )
            observed.moves += await learner.move_slider(lesson, observed.underway)
        except Exception as error:  # whatever it is, it is said at whom and where
            said = "; ".join([f"{type(error).__name__}: {error}", *learner.errors])
            raise HubError(f"{learner.name}, lesson {lesson}: {said}") from error


async def at_rest(learners: Sequence[Learner], lessons: Sequence[str], observed: Observed) -> None:
    """Move the sliders of one learner of each kind, while nobody runs anything."""
    for learner in {each.in_browser: each for each in learners}.values():
        for lesson in lessons:
            observed.moves += await learner.move_slider(lesson, observed.underway)
        observed.browser = learner.browser_cost() or observed.browser
