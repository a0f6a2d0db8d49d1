"""Every view, in every order of events: what its controls say is what its picture and its words
show.

A new view needs a builder in BUILDERS; without one a test fails and names it.
"""

from __future__ import annotations

import random
from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import cached_property, lru_cache
from itertools import islice

import pytest
import synthetic_memory
import synthetic_near_policy
import view_driver
from synthetic_importance import batch_of
from synthetic_map import tiny_map

from seqkd_lab.corpus.parallel import ParallelCorpus
from seqkd_lab.lab.beam import tree_view as beam
from seqkd_lab.lab.beam.game_view import BeamGameView
from seqkd_lab.lab.beam.tree_view import BeamExplorer
from seqkd_lab.lab.language import ambiguity as language_measures
from seqkd_lab.lab.language.panel import FrontEndCheck, StrengthPanel
from seqkd_lab.lab.near_policy.measures import timelines
from seqkd_lab.lab.near_policy.view import TimelineExplorer
from seqkd_lab.lab.next_word.view import TemperatureExplorer
from seqkd_lab.lab.on_policy.explorer import exposure_table
from seqkd_lab.lab.on_policy.view import ExposureExplorer
from seqkd_lab.lab.paced.view import PacedExplorer
from seqkd_lab.lab.paper_table import notebook as paper_table
from seqkd_lab.lab.pruning.picture import pruning_levels
from seqkd_lab.lab.pruning.view import PruningExplorer
from seqkd_lab.lab.seq_inter.choice import read_candidates
from seqkd_lab.lab.seq_inter.views import ChoiceExplorer
from seqkd_lab.lab.seq_kd.lens_view import CorpusLens
from seqkd_lab.lab.seq_kd.mass_view import ModeMass
from seqkd_lab.lab.seq_kd.memory_view import MemoryDial
from seqkd_lab.lab.shared import lesson
from seqkd_lab.lab.shared.view import View
from seqkd_lab.lab.speculative import view as drafting
from seqkd_lab.lab.speculative.view import DraftingStepper
from seqkd_lab.lab.teacher.notebook import pairs_to_show
from seqkd_lab.lab.teacher.view import AttentionView
from seqkd_lab.lab.token_importance.view import TokenExplorer
from seqkd_lab.lab.word_kd import trainer
from seqkd_lab.lab.word_kd.trainer import StudentTrainer
from seqkd_lab.lab.word_kd.view import InterpolationExplorer
from seqkd_lab.models.lstm import LSTMSeq2Seq
from seqkd_lab.runs.data import Dataset
from seqkd_lab.runs.quick_student import QuickStudent

N_SEQUENCES, N_EVENTS, N_OTHERS = 30, 8, 3
"""Of each view: sequences that go on from one another, events of each, and views made anew to
compare with."""
SETTINGS = QuickStudent(width=8, epochs=1, n_pairs=64, batch_size=16)
BASES = {"NextWordView"}
"""What other views share: it shows nothing itself."""


@dataclass(frozen=True)
class Small:
    """Small data and models, from which every view can be built within a few tenths of a second."""

    toy: Dataset
    models: dict[str, LSTMSeq2Seq]
    table3: dict

    @cached_property
    def students(self) -> dict[str, LSTMSeq2Seq]:
        return {name: model for name, model in self.models.items() if name != "teacher"}

    @cached_property
    def short(self) -> list[tuple[str, ...]]:
        """Three short sentences with few translations."""
        fitting = (
            s
            for s in sorted(self.toy.test.source, key=len)
            if 3 < self.toy.language.count_targets(s) < 60
        )
        return list(islice(fitting, 3))

    @cached_property
    def pairs(self) -> ParallelCorpus:
        """The short sentences with a translation, so that a search ends soon."""
        mode = self.toy.language.mode
        return replace(
            self.toy.test,
            source=tuple(self.short),
            target=tuple(mode(s)[0] for s in self.short),
            references=None,
        )

    @cached_property
    def beginnings(self) -> ParallelCorpus:
        """No sentences, but their first words: a draft of them ends even sooner."""
        return replace(
            self.pairs, source=tuple(source[:n] for n, source in enumerate(self.short, start=1))
        )

    @cached_property
    def distilled(self) -> ParallelCorpus:
        """The training pairs, a mode for every other target as a teacher might write it, and one
        that is wrong."""
        pairs, mode = self.toy.train[:40], self.toy.language.mode
        targets = [
            mode(source)[0] if number % 3 else target
            for number, (source, target) in enumerate(zip(pairs.source, pairs.target, strict=True))
        ]
        return pairs.with_target([*targets[:-1], ("der", "<b>", "Haus")])

    @cached_property
    def tables(self) -> dict:
        return {
            name: exposure_table(model, self.models["teacher"], self.toy.test[:25], 3)
            for name, model in self.students.items()
        }

    @cached_property
    def candidates(self) -> list:
        return read_candidates(self.models["teacher"], self.toy.train[:6], K=6)

    @cached_property
    def sweep(self) -> language_measures.Sweep:
        return language_measures.sweep(
            lesson.TICKET, language_measures.some_sources(2), (0.0, 0.5, 1.0)
        )


BUILDERS: dict[str, Callable[[Small], View]] = {
    "AttentionView": lambda small: AttentionView(
        small.models["teacher"],
        pairs_to_show(small.models["teacher"], small.toy.language, small.toy.test, 6),
        small.toy.language,
    ),
    "BeamExplorer": lambda small: BeamExplorer(
        small.models["teacher"], small.pairs, small.toy.language, tokenise=str.split
    ),  # which leaves tags whole
    "BeamGameView": lambda small: BeamGameView(
        small.models["baseline"], small.short, small.toy.language
    ),
    "ChoiceExplorer": lambda small: ChoiceExplorer(
        small.candidates[1:], first=small.candidates[:1]
    ),
    "CorpusLens": lambda small: CorpusLens(
        small.toy.train, small.distilled, small.toy.language, 40
    ),
    "DraftingStepper": lambda small: DraftingStepper(
        small.models["teacher"], small.students, small.beginnings
    ),
    "ExposureExplorer": lambda small: ExposureExplorer(small.tables),
    "FrontEndCheck": lambda small: FrontEndCheck(),
    "InterpolationExplorer": lambda small: InterpolationExplorer(
        small.models["teacher"], small.students, small.toy.test, 3
    ),
    "MemoryDial": lambda small: MemoryDial(synthetic_memory.results()),
    "ModeMass": lambda small: ModeMass(small.models, small.toy.language, small.short),
    "PacedExplorer": lambda small: PacedExplorer(
        {"early": (8, 0, 0), "late": (4, 0, 4), "end": (0, 1, 7)}
    ),
    "PruningExplorer": lambda small: PruningExplorer(
        pruning_levels(small.models["seq-kd"], small.table3)
    ),
    "StrengthPanel": lambda small: StrengthPanel(small.sweep),
    "StudentTrainer": lambda small: StudentTrainer(
        small.toy,
        small.models["teacher"],
        small.toy.train,
        SETTINGS,
        objective=trainer.WORD,
        map_results=tiny_map(),
    ),
    "TableExplorer": lambda small: paper_table.make_explorer(lesson.table_results()),
    "TemperatureExplorer": lambda small: TemperatureExplorer(
        small.models["teacher"], small.toy.test, small.toy.language, small.students, 3
    ),
    "TimelineExplorer": lambda small: TimelineExplorer(
        timelines([synthetic_near_policy.clock_round(1)])
    ),
    "TokenExplorer": lambda small: TokenExplorer(batch_of(12, 20, 7, 40)),
}


def carry_seed(view: DraftingStepper, other: DraftingStepper) -> None:
    if other.seed != view.seed:
        other.seed = view.seed
        other._open()


def carry_game(view: BeamGameView, other: BeamGameView) -> None:
    other.game, other._marked, other._offered = view.game, view._marked, view._offered
    other.draw()


CARRIED: dict[str, Callable[[View, View], None]] = {
    "DraftingStepper": carry_seed,
    "BeamGameView": carry_game,
}
"""What buttons have brought about stands in no control: it is carried into the view that is
compared with."""
NOT_PRESSED = {"StudentTrainer": {"train_button"}}
"""Buttons that begin a training: test_view_trainer.py presses them."""
PASSING = {"BeamExplorer": ("answer",), "StudentTrainer": ("status",)}
"""Words about the last event, not about what is shown."""


@pytest.fixture(scope="session")
def small(toy, toy_models, table3) -> Small:
    return Small(toy, toy_models, table3)


@pytest.fixture
def brush():
    with view_driver.one_brush() as brush:
        yield brush


@pytest.fixture(autouse=True)
def one_search(monkeypatch):
    """What is searched or drafted is so once for the view and for those that it is compared with,
    which saves time."""
    for module, name in ((beam, "trace_search"), (drafting, "trace_speculative")):
        monkeypatch.setattr(module, name, lru_cache(maxsize=None)(getattr(module, name)))


def test_every_view_has_a_builder():
    classes = [kind.__name__ for kind in view_driver.view_classes()]
    assert len(classes) == len(set(classes)), "two views of one name"
    missing = set(classes) - set(BUILDERS) - BASES
    assert not missing, f"add to BUILDERS of {__file__}: {', '.join(sorted(missing))}"
    assert set(BUILDERS) <= set(classes), "a builder of a view that is not there"


class Checked:
    """A view that is led through random events, and others that are set to its values at once."""

    def __init__(self, name: str, small: Small, brush: view_driver.Brush) -> None:
        self.name, self.brush, self._small = name, brush, small
        self.view, self.other = self._built(), None
        self.events: list[tuple] = []

    def lead(self, chance: random.Random) -> None:
        """A random event; each picture is drawn once at most, and nothing typed is read as HTML."""
        event = view_driver.random_event(self.view, chance, NOT_PRESSED.get(self.name, ()))
        self.events.append(event)
        self.brush.counts.clear()
        view_driver.act(self.view, event)
        assert max(self.brush.counts.values(), default=0) <= 1, f"drawn more than once: {event}"
        said = view_driver.words(self.view)
        assert not any(tag in said for tag in view_driver.TAGS), f"not escaped: {event}"

    def _built(self) -> View:
        """A new view, its first picture painted: what stands still is laid out with it."""
        self.brush.wet = True
        view = BUILDERS[self.name](self._small)
        self.brush.wet = False
        return view

    def renew_other(self) -> None:
        self.other = self._built()

    def compare(self) -> None:
        """The view shows what another one shows that is set to the values of its controls."""
        CARRIED.get(self.name, lambda *_: None)(self.view, self.other)
        view_driver.put(self.other, view_driver.state(self.view))
        CARRIED.get(self.name, lambda *_: None)(self.view, self.other)
        seen = []
        for view in (self.view, self.other):
            self.brush.finish(view)
            seen.append(view_driver.shown(view, PASSING.get(self.name, ())))
        differing = {what for what in seen[0] if seen[0][what] != seen[1].get(what)}
        assert not differing, (
            f"differs from a view set at once to {view_driver.state(self.view)}: {differing}"
        )

    def check_controls(self) -> None:
        """Every list names its value; to set a control to the value that it has changes nothing."""
        before = view_driver.shown(self.view)
        self.brush.counts.clear()
        for control_name, control in view_driver.controls(self.view).items():
            if hasattr(control, "value"):
                assert not hasattr(control, "index") or control.index is not None, (
                    f"{control_name} names nothing"
                )
                control.value = control.value
                view_driver.send(control, control.value)
        assert not self.brush.counts and view_driver.shown(self.view) == before

    def check_numbers(self) -> None:
        """A number that rounds to zero has no sign, in words and in the picture."""
        for text in (view_driver.words(self.view), *view_driver.labels(self.view)):
            assert not (zero := view_driver.SIGNED_ZERO.search(text)), (
                f"a signed zero: {zero} in {text}"
            )


def one_of_two(view: BeamExplorer) -> None:
    """The list or the field names the sentence that is shown."""
    is_typed = view.sentence.value == beam.TYPED
    assert is_typed == bool(view.typed.value) == (view.sentence.options[0][1] == beam.TYPED)
    assert not is_typed or view.sentence.label.startswith("typed: ")


ALSO: dict[str, Callable] = {"BeamExplorer": one_of_two}
"""What else is true of a view after any events."""


@pytest.mark.parametrize("name", sorted(BUILDERS))
def test_after_any_events_controls_picture_and_words_agree(name, small, brush):
    checked, chance = Checked(name, small, brush), random.Random(1)
    for sequence in range(N_SEQUENCES):
        for number in range(N_EVENTS):
            brush.wet = number == N_EVENTS - 1  # so that what is sent is what this event drew
            checked.lead(chance)
            ALSO.get(name, lambda _: None)(checked.view)
        brush.wet = False
        if sequence % (N_SEQUENCES // N_OTHERS) == 0:
            checked.renew_other()
        try:
            checked.compare()
            checked.check_numbers()
            checked.check_controls()
        except AssertionError as error:
            raise AssertionError(f"after {checked.events[-20:]}: {error}") from error
