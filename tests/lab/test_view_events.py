"""The contract of all views: what the controls say is what the picture and the words show.

A view is found by its class, and built by its Sample (view_samples.py) in SAMPLES of a module in
its subject's folder of tests/lab.
"""

from __future__ import annotations

import random
from functools import lru_cache

import pytest
import view_driver
from declared import declared
from view_samples import Sample, Small

from seqkd_lab.lab.shared.view import View

N_SEQUENCES = 30
"""Sequences of events of each view, which go on from one another."""
N_EVENTS = 8
N_OTHERS = 3
"""Views made anew to compare with."""
BASES = {"NextWordView"}
"""What other views share: it shows nothing itself."""
SAMPLES: dict[type[View], Sample] = declared("SAMPLES")
every_view = pytest.mark.parametrize(
    "kind", sorted(SAMPLES, key=lambda kind: kind.__name__), ids=lambda kind: kind.__name__
)


@pytest.fixture(scope="session")
def small(toy, toy_models, table3) -> Small:
    return Small(toy, toy_models, table3)


@pytest.fixture
def brush():
    with view_driver.one_brush() as brush:
        yield brush


@pytest.fixture(autouse=True)
def one_search(monkeypatch):
    """Search or draft once for a view and for those that it is compared with."""
    for sample in SAMPLES.values():
        for module, name in sample.searches:
            monkeypatch.setattr(module, name, lru_cache(maxsize=None)(getattr(module, name)))


def test_every_view_has_a_sample():
    classes = [kind for kind in view_driver.view_classes() if kind.__name__ not in BASES]
    assert len({kind.__name__ for kind in classes}) == len(classes), "two views of one name"
    missing = [kind.__name__ for kind in classes if kind not in SAMPLES]
    assert not missing, f"tests/lab has no SAMPLES of {', '.join(missing)}"
    assert set(SAMPLES) <= set(classes), "a sample of a view that is not there"


class Checked:
    """A view that is led through events, and others that are set to its values at once."""

    def __init__(self, kind: type[View], small: Small, brush: view_driver.Brush) -> None:
        self.sample, self.small, self.brush = SAMPLES[kind], small, brush
        self.view, self.other = self.built(), None
        self.events: list[tuple] = []

    def built(self) -> View:
        """Return a new view whose first picture is painted: what stands still is laid out with
        it."""
        self.brush.wet = True
        view = self.sample.build(self.small)
        self.brush.wet = False
        return view

    def act(self, event: tuple) -> None:
        """Let an event happen: each picture is drawn once at most, nothing typed is read as
        HTML."""
        self.events.append(event)
        self.brush.counts.clear()
        view_driver.act(self.view, event)
        assert max(self.brush.counts.values(), default=0) <= 1, f"drawn more than once: {event}"
        text = view_driver.words(self.view)
        assert not any(tag in text for tag in view_driver.TAGS), f"not escaped: {event}"
        self.sample.also(self.view)

    def lead(self, chance: random.Random) -> None:
        """Let a random event happen."""
        self.act(view_driver.random_event(self.view, chance, self.sample.not_pressed))

    def compare(self) -> None:
        """Assert that the view shows what another one shows that is set to its controls' values,
        as its still twin is."""
        values = view_driver.state(self.view)
        self.sample.carry(self.view, self.other)
        view_driver.put(self.other, values)
        self.other.still(**{name: values[name] for name in self.other.named if name in values})
        self.sample.carry(self.view, self.other)
        shown = []
        for view in (self.view, self.other):
            self.brush.finish(view)
            shown.append(view_driver.shown(view, self.sample.passing))
        differing = {what for what in shown[0] if shown[0][what] != shown[1].get(what)}
        assert not differing, f"differs from a view set at once to {values}: {differing}"

    def check_controls(self) -> None:
        """Assert that every list names its value, and that setting a control to the value that it
        has changes nothing."""
        before = view_driver.shown(self.view)
        self.brush.counts.clear()
        for name, control in view_driver.controls(self.view).items():
            if hasattr(control, "value"):
                assert getattr(control, "index", 0) is not None, f"{name} names nothing"
                control.value = control.value
                view_driver.send(control, control.value)
        assert not self.brush.counts and view_driver.shown(self.view) == before

    def check_numbers(self) -> None:
        """Assert that a number that rounds to zero has no sign, in words and in the picture."""
        for text in (view_driver.words(self.view), *view_driver.labels(self.view)):
            zero = view_driver.SIGNED_ZERO.search(text)
            assert not zero, f"a signed zero: {zero} in {text}"


@pytest.mark.slow
@every_view
def test_after_any_events_controls_picture_and_words_agree(kind, small, brush):
    checked, chance = Checked(kind, small, brush), random.Random(1)
    for sequence in range(N_SEQUENCES):
        for number in range(N_EVENTS):
            brush.wet = number == N_EVENTS - 1  # so that what is sent is what this event drew
            checked.lead(chance)
        brush.wet = False
        if sequence % (N_SEQUENCES // N_OTHERS) == 0:
            checked.other = checked.built()
        try:
            checked.compare()
            checked.check_numbers()
            checked.check_controls()
        except AssertionError as error:
            raise AssertionError(f"after {checked.events[-20:]}: {error}") from error


@pytest.mark.slow
@every_view
def test_each_control_through_its_range_changes_what_is_shown_and_the_words_with_the_picture(
    kind, small, brush
):
    checked = Checked(kind, small, brush)
    for name, control in view_driver.controls(checked.view).items():
        if control.disabled or not hasattr(control, "value"):
            continue
        seen = []
        for other_values in (0, -1):  # at one end nothing may depend on this control
            view_driver.set_others(checked.view, name, other_values)
            shown, pictures, words = set(), set(), set()
            for value in view_driver.values_of(control):
                checked.act((name, value))
                checked.check_numbers()
                shown.add(view_driver.all_but_pictures(checked.view))
                pictures.add(tuple(view_driver.labels(checked.view)))
                words.add(view_driver.words(checked.view))
            seen.append((len(shown), len(pictures), len(words)))
        n_shown, n_pictures, n_words = map(max, zip(*seen, strict=True))
        assert n_shown > 1 or n_pictures > 1, f"{name} changes nothing that is shown"
        has_words = n_words > 1 or n_pictures == 1 or name in checked.sample.silent
        assert has_words, f"{name} changes the picture, but not its words"


@every_view
def test_a_still_refuses_a_name_and_a_value_that_no_control_has(kind, small):
    view = SAMPLES[kind].build(small)
    with pytest.raises(ValueError, match="no control is called 'nothing'"):
        view.still(nothing=1)
    for name, control in view.named.items():
        if control.has_trait("value"):
            with pytest.raises(ValueError, match=f"{name} cannot be"):
                view.still(**{name: view_driver.impossible(control)})
