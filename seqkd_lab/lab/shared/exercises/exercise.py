"""What an exercise is: a task, the cases that judge an answer, a solution, and the wrong answers
one may expect.

The learner writes one function. Its name is the exercise's key, its parameters are the solution's.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

Function = Callable[..., Any]


@dataclass(frozen=True)
class Case:
    """One call of the learner's function: what it is about (in words), its arguments, and what must
    come out.

    `expected` comes from an oracle that is not the solution: torch's own function, an enumeration,
    another identity. Where other values are right, too, `fault` judges in its place: what is wrong
    with an answer (plain), or None.
    """

    name: str
    arguments: tuple
    expected: Any
    fault: Callable[[Any], str | None] | None = None


@dataclass(frozen=True)
class WrongAnswer:
    """A plausible mistake: the function that makes it, and the misconception to name to a
    learner."""

    function: Function
    misconception: str

    def __call__(self, *arguments: Any) -> Any:
        """Return what the mistaken function returns: other mistakes may build on it."""
        return self.function(*arguments)


def mistake(misconception: str) -> Callable[[Function], WrongAnswer]:
    """Declare the decorated function a plausible mistake, beside the misconception that it stands
    for."""
    return lambda function: WrongAnswer(function, misconception)


@dataclass(frozen=True)
class Exercise:
    """A function to write.

    task is markdown; difficulty 1–3; minutes for a person who has read the lesson. `imports` is
    what the solution needs, line by line. `insight` is said when the check has passed. `cases`
    makes the same cases at every call. tolerance is relative (float32 against float64 needs about
    1e-4). `further` looks, when every case has passed, at what values do not show, and says what is
    wrong or None.
    """

    lesson: int
    title: str
    task: str
    difficulty: int
    minutes: int
    hints: tuple[str, ...]
    solution: Function
    wrong_answers: tuple[WrongAnswer, ...]
    cases: Callable[[], Sequence[Case]]
    insight: str
    imports: str = ""
    tolerance: float = 1e-4
    further: Callable[[Function], str | None] | None = None

    @property
    def key(self) -> str:
        """The name of the function to write."""
        return self.solution.__name__

    @property
    def parameters(self) -> tuple[str, ...]:
        return tuple(inspect.signature(self.solution).parameters)

    @property
    def signature(self) -> str:
        """The head of the function to write, as in `word_kd_loss(student_logits, …)`."""
        return f"{self.key}({', '.join(self.parameters)})"

    @property
    def stub(self) -> str:
        """Source to start from: the imports, and a function that raises NotImplementedError."""
        body = f'def {self.signature}:\n    raise NotImplementedError("write {self.key} here")\n'
        return f"{self.imports}\n\n\n{body}" if self.imports else body

    @property
    def solution_source(self) -> str:
        """The imports and the solution, ready to be pasted into a cell."""
        source = inspect.getsource(self.solution)
        return f"{self.imports}\n\n\n{source}" if self.imports else source
