"""A lesson's predictions in the book: the questions are forms, the results are folded, and
`site/static/predictions.js` keeps, judges and sums up what a reader answers."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from html import escape
from typing import Any

from seqkd_lab.corpus.visible import visible_lines
from seqkd_lab.lab.shared import lesson
from seqkd_lab.lab.shared.predictions import Choice, Note, Number, Predictions, Ranking
from seqkd_lab.lab.shared.predictions.form import NOT_CHOSEN, SURE
from seqkd_lab.lab.shared.predictions.questions import CANNOT_TELL, Kind
from seqkd_lab.lab.shared.predictions.records import described_kind, plain_value, question_kind

WITHOUT_SCRIPT = "This page keeps and judges an answer only where JavaScript is allowed."


def register(shell: Any) -> None:
    """Let `lesson.begin()` return a recorder whose questions and results show as the book's
    HTML."""
    lesson.predictions = BookPredictions


class BookPredictions(Predictions):
    """The recorder of a lesson in the book.

    It has no file: the answers of whoever makes the book are neither read nor written. A value
    that does not fit its question raises ValueError here, too.
    """

    def ask(self, key: str, question: str, kind: Kind) -> Question:
        """Ask a question and return the form that the page shows."""
        super().ask(key, question, kind)
        return Question(key, question, kind)

    def score(self, key: str, value: Any, interval: Sequence[float] | None = None) -> Result | Note:
        """Return the run's value for the page to judge by; a note where nothing was asked."""
        note = super().score(key, value, interval)
        if key not in self.records:
            return note
        return Result(key, question_kind(self.records[key]), plain_value(value), interval)

    def summary(self) -> Summary:
        """Return the place in which the page sums up the reader's predictions."""
        return Summary()


@dataclass(frozen=True)
class Question:
    """A question as a form of plain HTML controls."""

    key: str
    question: str
    kind: Kind

    def _repr_html_(self) -> str:
        data = {
            "key": self.key,
            "question": self.question,
            "kind": described_kind(self.kind),
            "how_to": self.kind.how_to,
        }
        return (
            f'<form class="prediction" autocomplete="off" data-prediction="{json_attribute(data)}">'
            f"<fieldset><legend><b>Predict:</b> {shown(self.question)}</legend>"
            f'<div class="prediction-answer">{controls(self.kind)}</div>'
            f'<div class="prediction-record">{confidence()}'
            '<button type="submit" disabled>Record</button></div></fieldset>'
            '<div class="prediction-note" role="status"></div>'
            f"<noscript><p>{WITHOUT_SCRIPT}</p></noscript></form>"
        )

    def __repr__(self) -> str:
        return f"Predict: {self.question}\nAnswer with {self.kind.how_to}."


@dataclass(frozen=True)
class Result:
    """What the run gave, folded: a reader who has not answered yet shall not read it by accident.

    `kind` is the question's; the value and its interval are as `Predictions.score` takes them.
    """

    key: str
    kind: Kind
    value: Any
    interval: Sequence[float] | None = None

    def _repr_html_(self) -> str:
        data = {"key": self.key, "value": self.plain(), "interval": plain_value(self.interval)}
        return (
            f'<details class="prediction-result" data-result="{json_attribute(data)}">'
            '<summary>What the run gave</summary><div class="prediction-judgement"></div>'
            f"<p>{shown(repr(self))}</p></details>"
        )

    def plain(self) -> Any:
        """Return the value as the page judges by it: a number, an option, or the decided pairs."""
        if isinstance(self.kind, Ranking):
            return [list(pair) for pair in self.kind.pairs(self.value)]
        return float(self.value) if isinstance(self.kind, Number) else self.value

    def __repr__(self) -> str:
        if isinstance(self.kind, Ranking):
            return self._pairs_in_words(self.kind)
        if isinstance(self.kind, Choice) and self.value == CANNOT_TELL:
            return f"The answer {CANNOT_TELL}."
        words = f"The run gave {self.kind.say(self.value)}"
        if self.interval is None:
            return f"{words}."
        low, high = self.interval
        return f"{words}, 95% interval {low:.4g} to {high:.4g}."

    def _pairs_in_words(self, kind: Ranking) -> str:
        if self.value and isinstance(self.value[0], str):
            return f"The run gave {kind.say(self.value)}."
        pairs = [" before ".join(pair) for pair in kind.pairs(self.value)]
        if not pairs:
            return "The run decides no pair of them."
        return f"The run decides, the larger one first: {', '.join(pairs)}."


class Summary:
    """The place in which the page sums up the reader's predictions, those of all lessons."""

    def _repr_html_(self) -> str:
        return (
            '<section class="prediction-summary" aria-label="Your predictions">'
            f"<div><p>Your predictions are summed up here. {WITHOUT_SCRIPT}</p></div>"
            '<button type="button" hidden>Forget all answers</button></section>'
        )

    def __repr__(self) -> str:
        return "Your predictions are summed up here, in the book's page."


def controls(kind: Kind) -> str:
    """Return the controls that hold an answer of this kind, empty at first, each in its label."""
    if isinstance(kind, Choice):
        return "".join(
            f'<label><input type="radio" name="answer" value="{escape(option)}"> '
            f"{shown(option)}</label>"
            for option in kind.options
        )
    if isinstance(kind, Ranking):
        options = [("…", NOT_CHOSEN), *((item, item) for item in kind.items)]
        places = range(1, len(kind.items) + 1)
        hint = "<span>All of them, the largest first:</span>"
        return hint + "".join(f"<label>{place}. {select(options)}</label>" for place in places)
    keys = (
        "text" if getattr(kind, "signed", False) else "decimal"
    )  # some decimal keys lack the minus
    how_to = kind.how_to[0].upper() + kind.how_to[1:]
    return f'<label>{shown(how_to)} <input type="text" inputmode="{keys}"></label>'


def confidence() -> str:
    """Return the list from which a reader chooses how sure the answer is."""
    options = [(label, sure if sure == NOT_CHOSEN else f"{sure:g}") for label, sure in SURE]
    return f'<label class="prediction-sure">Confidence: {select(options)}</label>'


def select(options: Sequence[tuple[str, str]]) -> str:
    """Return a list of (label, value) to choose from."""
    items = "".join(
        f'<option value="{escape(value)}">{shown(label)}</option>' for label, value in options
    )
    return f"<select>{items}</select>"


def shown(text: str) -> str:
    """Return a text as HTML shows it, escaped."""
    return visible_lines(escape(text))


def json_attribute(data: Any) -> str:
    """Return data as JSON that can stand between the quotes of an attribute."""
    return escape(json.dumps(data, allow_nan=False))
