"""Records of predictions as JSON holds them: their kind of question, their answers, their value."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any

from msgspec import Meta, Struct

from seqkd_lab.files import checked, read_json
from seqkd_lab.lab.shared.predictions.questions import Choice, Judgement, Kind, Number, Ranking
from seqkd_lab.lab.shared.predictions.reading import Unreadable, number_in

KINDS = {"choice": Choice, "number": Number, "ranking": Ranking}


class ChoiceRecord(Struct, tag_field="name", tag="choice", forbid_unknown_fields=True):
    """A question with options."""

    options: list[str]


class NumberRecord(Struct, tag_field="name", tag="number", forbid_unknown_fields=True):
    """A question for a number."""

    unit: str
    tolerance: Annotated[float, Meta(gt=0.0)]
    signed: bool = False


class RankingRecord(Struct, tag_field="name", tag="ranking", forbid_unknown_fields=True):
    """A question for an order."""

    items: list[str]


class Answer(Struct):
    """An answer of the question's kind, how sure one is in percent (None: not said), and whether
    it came after the result was shown."""

    answer: str | float | list[str]
    confidence: Annotated[float, Meta(ge=0.0, le=100.0)] | None
    after_score: bool


class Record(Struct):
    """A question with its answers, and the value that the run gave (None: none yet), for a number
    perhaps with its interval."""

    question: str
    kind: ChoiceRecord | NumberRecord | RankingRecord
    answers: list[Answer]
    value: str | float | list[str | list[str]] | None
    interval: tuple[float, float] | None = None


ANSWERS: dict[type, Any] = {Choice: str, Number: float, Ranking: list[str]}
"""The type of an answer, by kind of question."""


def read_records(path: Path) -> dict[str, dict]:
    """Return the records in a file, by key. Raise FileError or ValueError, which says what is
    wrong, where one of them cannot be judged; OSError where it cannot be read."""
    records = read_json(path, dict[str, Any])
    checked(records, dict[str, Record], str(path))
    for key, record in records.items():
        kind, where = question_kind(record), f"{path}: {key[:60]}"
        for answer in record["answers"]:
            given = checked(answer["answer"], ANSWERS[type(kind)], where)
            check_answer(kind, given)
            value, interval = given, None
            if record["value"] is not None:
                value = checked(record["value"], type_of_value(kind, record["value"]), where)
                interval = record.get("interval")
            judge({**record, "value": value, "interval": interval}, given)
    return records


def type_of_value(kind: Kind, value: Any) -> Any:
    """Return the type of a run's value: an answer's, or pairs of items."""
    if isinstance(kind, Ranking) and isinstance(value, list):
        is_pairs = not (value and isinstance(value[0], str))
        return list[list[str]] if is_pairs else list[str]
    return ANSWERS[type(kind)]


def check_answer(kind: Kind, answer: Any) -> None:
    """Raise ValueError for an answer that `kind` does not give."""
    if isinstance(kind, Choice) and answer not in kind.options:
        raise ValueError(f"{answer!r} is none of the options {kind.options}")
    if isinstance(kind, Ranking) and sorted(answer) != sorted(kind.items):
        raise ValueError(f"{answer!r} does not hold each of {kind.items} once")


def described_kind(kind: Kind) -> dict:
    """Return a question's kind as JSON holds it."""
    name = next(name for name, known in KINDS.items() if isinstance(kind, known))
    settings = {
        field: list(value) if isinstance(value, tuple) else value
        for field, value in vars(kind).items()
    }
    return {"name": name, **settings}


def question_kind(record: Mapping) -> Kind:
    """Return the kind of a record's question. Raise ValueError where it is none that can be
    asked."""
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
