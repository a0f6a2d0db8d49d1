"""How a translator chooses: named options with probabilities, and the strength of each kind of
choice.

The renderer of `german.py` asks a *translator* wherever German leaves a choice. Three translators
answer: one draws, one follows a script (a tuple of option numbers), and `every_script` makes the
script-follower visit all answers, which turns the renderer into an exact probability distribution.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, fields
from typing import Any, NamedTuple, Protocol, TypeVar

Result = TypeVar("Result")


class Option(NamedTuple):
    """One way to go: what it is called, how likely it is, and what the renderer gets (the label
    itself if None)."""

    label: str
    probability: float
    value: Any = None


def options(**probabilities: float) -> tuple[Option, ...]:
    """Options whose value is their own name: `options(aktiv=0.7, passiv=0.3)`."""
    return tuple(Option(label, probability) for label, probability in probabilities.items())


@dataclass(frozen=True)
class Ambiguity:
    """The strength of each source of ambiguity, from 0 (always the most probable option) to 1 (the
    full choice).

    With strength s an option's probability is p = (1 - s) [option is the mode] + s · base. Raises
    ValueError for a strength outside [0, 1].

    noun        synonyms of different gender: article, adjective and a later pronoun agree
    person      Lehrer or Lehrerin where the source does not decide
    verb        synonyms that govern different cases or take different auxiliaries
    prefix      a separable verb against a simple one
    tense       Präteritum or Perfekt, once for the whole sentence
    voice       active or passive
    address     du or Sie, once for the whole sentence
    order       what stands before the finite verb, and a pronoun before or after a noun subject
    adverb      the place of adverbials in the middle field
    connective  weil, denn or da; obwohl or obgleich; ...
    word        synonyms without consequences
    """

    noun: float = 1.0
    person: float = 1.0
    verb: float = 1.0
    prefix: float = 1.0
    tense: float = 1.0
    voice: float = 1.0
    address: float = 1.0
    order: float = 1.0
    adverb: float = 1.0
    connective: float = 1.0
    word: float = 1.0

    def __post_init__(self) -> None:
        for field in fields(self):
            strength = getattr(self, field.name)
            if not 0.0 <= strength <= 1.0:
                raise ValueError(
                    f"Ambiguity.{field.name} is {strength!r}: give a strength from 0 (no choice) "
                    "to 1 (all of it)"
                )

    @classmethod
    def none(cls) -> Ambiguity:
        """Return the deterministic language: every strength 0."""
        return cls(**{field.name: 0.0 for field in fields(cls)})

    def probabilities(self, name: str, choice: Sequence[Option]) -> list[float]:
        """p = (1 - s) [option is the mode] + s · base for each option of the choice called
        `name`."""
        strength = getattr(self, name)
        base = [option.probability for option in choice]
        if strength == 1.0:
            return base
        mode = base.index(max(base))
        return [(1.0 - strength) * (index == mode) + strength * p for index, p in enumerate(base)]


class Translator(Protocol):
    """Whoever answers the renderer's questions."""

    def pick(self, name: str, choice: Sequence[Option]) -> Any:
        """Return the value of the chosen option of the choice called `name`."""


class Drawing:
    """A translator that draws each choice by its probabilities; uses `rng.random()` and nothing
    else."""

    def __init__(self, ambiguity: Ambiguity, rng: random.Random):
        self.ambiguity, self.rng = ambiguity, rng

    def pick(self, name: str, choice: Sequence[Option]) -> Any:
        """A value drawn from the choice."""
        if len(choice) == 1:
            return _value(choice[0])
        point = self.rng.random()
        for option, probability in zip(
            choice, self.ambiguity.probabilities(name, choice), strict=True
        ):
            point -= probability
            if point < 0.0:
                return _value(option)
        return _value(max(choice, key=lambda option: option.probability))


class Following:
    """A translator that follows a script, then takes first options; notes what it did and what it
    left.

    After a rendering: `script` (all option numbers), `probability` (their product), `names`
    (choice, label) and `untried` (the scripts that branch off after the given one).
    """

    def __init__(self, ambiguity: Ambiguity, script: tuple[int, ...] = ()):
        self.ambiguity, self.prescribed = ambiguity, script
        self.script: tuple[int, ...] = ()
        self.probability = 1.0
        self.names: list[tuple[str, str]] = []
        self.untried: list[tuple[int, ...]] = []

    def pick(self, name: str, choice: Sequence[Option]) -> Any:
        """Return the script's option, or the first that has a probability above 0."""
        if len(choice) == 1:
            return _value(choice[0])
        probabilities = self.ambiguity.probabilities(name, choice)
        possible = [index for index, p in enumerate(probabilities) if p > 0.0]
        step = len(self.script)
        taken = self.prescribed[step] if step < len(self.prescribed) else possible[0]
        if step >= len(self.prescribed):
            self.untried += [(*self.script, index) for index in possible[1:]]
        self.script += (taken,)
        self.probability *= probabilities[taken]
        if len(possible) > 1:
            self.names.append((name, choice[taken].label))
        return _value(choice[taken])


def every_script(
    ambiguity: Ambiguity, render: Callable[[Translator], Result]
) -> Iterator[tuple[Result, float, tuple[int, ...]]]:
    """Return every result that `render(translator)` can give, with its probability and its script,
    depth first."""
    waiting: list[tuple[int, ...]] = [()]
    while waiting:
        translator = Following(ambiguity, waiting.pop())
        result = render(translator)
        yield result, translator.probability, translator.script
        waiting += reversed(translator.untried)


def _value(option: Option) -> Any:
    return option.label if option.value is None else option.value
