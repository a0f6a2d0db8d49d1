"""Records of predictions as JSON holds them: their kind of question, their answers, their value."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from seqkd_lab.lab.shared.predictions.questions import Choice, Judgement, Kind, Number, Ranking
from seqkd_lab.lab.shared.predictions.reading import Unreadable, number_in, text_of

KINDS = {"choice": Choice, "number": Number, "ranking": Ranking}


def described_kind(kind: Kind) -> dict:
    """Return a question's kind as JSON holds it."""
    name = next(name for name, known in KINDS.items() if isinstance(kind, known))
    settings = {
        field: list(value) if isinstance(value, tuple) else value
        for field, value in vars(kind).items()
    }
    return {"name": name, **settings}


def question_kind(record: Mapping) -> Kind:
    """Return the kind of a record's question. Raise KeyError, TypeError or ValueError where a file
    holds no such kind."""
    settings = {
        field: tuple(value) if isinstance(value, list) else value
        for field, value in record["kind"].items()
    }
    return KINDS[str(settings.pop("name"))](**settings)


def judge(record: Mapping, answer: Any) -> Judgement:
    """Judge `answer` against the record's value, and its interval where it has one. Raise
    ValueError for a value that does not fit the question."""
    kind, interval = question_kind(record), record.get("interval")
    if interval is None:
        return kind.judge(answer, record["value"])
    if not isinstance(kind, Number):
        raise ValueError(f"only a number has an interval; got {interval}")
    return kind.judge(answer, record["value"], interval)


def judgeable_answer(value: Any, kind: Kind) -> Any:
    """Return an answer that can be judged against `value`: the value itself; for pairs or an open
    choice, some answer."""
    if isinstance(kind, Ranking):
        return list(kind.items)
    return kind.options[0] if isinstance(kind, Choice) else value


def checked(records: Any) -> dict[str, dict]:
    """Return `records` as a file held them, if every answer can be judged. Raise an error where one
    cannot."""
    for record in records.values():
        question_kind(record)  # raises for a kind that does not exist
        for answer in record["answers"]:
            judge(
                record
                if record["value"] is not None
                else {**record, "value": answer["answer"], "interval": None},
                answer["answer"],
            )
            (
                bool(answer["after_score"]),
                None if answer["confidence"] is None else confidence_in(answer["confidence"]),
            )
        text_of(record["question"])
    return records


def counted_answer(record: Mapping) -> Mapping | None:
    """Return the last answer that was given before the score was seen."""
    before = [answer for answer in record["answers"] if not answer["after_score"]]
    return before[-1] if before else None


def plain_value(value: Any) -> Any:
    """Return a run's value as JSON can hold it: tensors and numpy's numbers as Python's, tuples
    as lists."""
    value = value.tolist() if hasattr(value, "tolist") else value
    return [plain_value(item) for item in value] if isinstance(value, (list, tuple)) else value


def confidence_in(typed: Any) -> float:
    """Return the confidence in percent in `typed`. Raise Unreadable outside 0–100."""
    number = number_in(typed)
    if not 0.0 <= number <= 100.0:
        raise Unreadable(f"how sure you are is a percentage from 0 to 100; {number:.4g} is not")
    return number
