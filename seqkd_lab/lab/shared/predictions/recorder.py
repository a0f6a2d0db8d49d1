"""The recorder: asks before the run, keeps the answer, scores it against what the run gave, sums up
at the end.

An answer is kept in memory and, with a path, in a JSON file that a restarted kernel finds again.
Answers given after the result was shown are kept too, but not counted.
"""

from __future__ import annotations

import statistics
from collections.abc import Sequence
from dataclasses import dataclass
from html import escape
from pathlib import Path
from typing import Any

from seqkd_lab.files import kind_of, write_json
from seqkd_lab.lab.shared.predictions.form import Form
from seqkd_lab.lab.shared.predictions.questions import Judgement, Kind
from seqkd_lab.lab.shared.predictions.reading import LONGEST, Unreadable, text_of
from seqkd_lab.lab.shared.predictions.records import (
    confidence_in,
    counted_answer,
    described_kind,
    judge,
    judgeable_answer,
    plain_value,
    question_kind,
    read_records,
)


@dataclass(frozen=True)
class Note:
    """A message of the recorder: lines for a person (escaped as HTML); `accepted` is whether it did
    what was requested."""

    accepted: bool
    lines: tuple[str, ...]
    judgement: Judgement | None = None

    def _repr_html_(self) -> str:
        return f'<div role="status">{"<br>".join(map(escape, self.lines))}</div>'

    def __repr__(self) -> str:
        return "\n".join(self.lines)


class Predictions:
    """The predictions of one person, by key.

    A record, as the file has it: question, kind and its settings, answers (each with its confidence
    in percent or None, and whether it came after the score), and the run's latest value, None
    before the first score.
    """

    def __init__(self, path: Path | str | None = None) -> None:
        self.path = None if path is None else Path(path)
        self.trouble: str | None = None
        self.records: dict[str, dict] = self._read()
        self._shown: set[str] = (
            set()
        )  # results that this kernel has shown before there was an answer
        self._own: set[str] = (
            set()
        )  # asked in this kernel: only these are written, others' stay as the file has them

    def ask(self, key: str, question: str, kind: Kind) -> Form:
        """Ask a question and return its form. An answer from before is kept, unless the question
        has changed."""
        described = described_kind(kind)
        known = self.records.get(key)
        if known is None or (known["question"], known["kind"]) != (question, described):
            self.records[key] = {
                "question": question,
                "kind": described,
                "answers": [],
                "value": None,
            }
        self._own.add(key)
        return Form(self, key, question, kind)

    def answer(self, key: str, typed: Any, confidence: Any = None) -> Note:
        """Record `typed` as the answer, with the confidence in percent; return what was understood,
        or what was not."""
        record = self._record(key)
        if record is None:
            return self._not_asked(key)
        kind = question_kind(record)
        try:
            answer = kind.read(typed)
            sure = None if confidence is None else confidence_in(confidence)
        except Unreadable as unreadable:
            return Note(False, (f"Not recorded: {unreadable}.", f"Asked for: {kind.how_to}."))
        late = record["value"] is not None or key in self._shown
        record["answers"].append({"answer": answer, "confidence": sure, "after_score": late})
        how_sure = "" if sure is None else f", {sure:.4g}% sure"
        lines = [f"Recorded: {kind.say(answer)}{how_sure}."]
        if late:
            lines.append(
                "The result has been shown already, so this answer is kept but not counted."
            )
        return Note(True, (*lines, *self._save()))

    def score(self, key: str, value: Any, interval: Sequence[float] | None = None) -> Note:
        """Judge the counted answer against `value`, which the run has computed; without an answer
        return no result.

        `interval` is the value's own 95% interval, for a number. From now on answers are late.
        Raise ValueError for a value that does not fit the question.
        """
        record = self._record(key)
        if record is None:
            return self._not_asked(key)
        scored = {"value": plain_value(value), "interval": plain_value(interval)}
        judge(
            {**record, **scored}, judgeable_answer(scored["value"], question_kind(record))
        )  # the author's mistakes show always
        counted = counted_answer(record)
        if counted is None:
            self._shown.add(key)
            return Note(
                False,
                (
                    "Predict first: no answer has been recorded.",
                    record["question"],
                    "The result has been shown now: an answer would be kept, but not counted. To "
                    "predict afresh, restart the kernel and run the cells one by one.",
                ),
            )
        record.update(scored)
        judgement = judge(record, counted["answer"])
        return Note(True, (judgement.words, *self._save()), judgement)

    def answered(self, key: str) -> str | None:
        """Return the counted answer to `key` as text, None where there is none."""
        record = self._record(key)
        if record is None or (counted := counted_answer(record)) is None:
            return None
        return question_kind(record).say(counted["answer"])

    def forget(self, key: str) -> Note:
        """Remove the answers and the score of one question, for a fresh start."""
        record = self._record(key)
        if record is None:
            return self._not_asked(key)
        record.update(answers=[], value=None)
        self._own.add(key)
        self._shown.discard(key)
        return Note(True, (f"Forgotten: {record['question']}", *self._save()))

    def judgements(self) -> list[tuple[Judgement, float | None]]:
        """Return each scored prediction's judgement and confidence (percent or None), in the order
        of the questions."""
        scored = [
            (record, counted_answer(record))
            for record in self.records.values()
            if record["value"] is not None
        ]
        return [
            (judge(record, counted["answer"]), counted["confidence"])
            for record, counted in scored
            if counted is not None
        ]

    def summary(self) -> Note:
        """Sum up how many predictions there are, how close they are, to which side they miss, and
        whether one is as right as one is sure."""
        judged = [(judgement, sure) for judgement, sure in self.judgements() if judgement.counted]
        n_undecided = len(self.judgements()) - len(judged)
        n_open = sum(record["value"] is None for record in self.records.values())
        late = sum(
            answer["after_score"]
            for record in self.records.values()
            for answer in record["answers"]
        )
        undecided = [f"{n_undecided} not scored, since the run does not decide."] * (
            n_undecided > 0
        )
        if not judged:
            return Note(
                False,
                (
                    f"No prediction has been scored yet; {n_open} wait.",
                    *undecided,
                    *self._troubles(),
                ),
            )
        n_right = sum(judgement.right for judgement, _ in judged)
        closeness = statistics.fmean(judgement.closeness for judgement, _ in judged)
        lines = [
            f"{len(judged)} predictions scored, {n_right} right; closeness {closeness:.2f} on "
            "average (of 1)."
        ]
        lines += (
            side_in_words([judgement for judgement, _ in judged])
            + calibration_in_words(judged)
            + undecided
        )
        lines += [f"{n_open} not scored yet."] * (n_open > 0)
        lines += [
            f"{late} {'answers' if late > 1 else 'answer'} came after the result was shown: kept, "
            "not counted."
        ] * (late > 0)
        return Note(True, (*lines, *self._troubles()))

    def _record(self, key: Any) -> dict | None:
        return self.records.get(key) if isinstance(key, str) else None

    def _not_asked(self, key: str) -> Note:
        known = ", ".join(self.records) or "none so far"
        asked_for = text_of(key)[:LONGEST]
        return Note(
            False,
            (f"No question is called “{asked_for}”: run the cell that asks it. Asked: {known}.",),
        )

    def _read(self) -> dict[str, dict]:
        if self.path is None or not self.path.exists():
            return {}
        try:
            return read_records(self.path)
        except ValueError:
            self._set_aside(self.path)
        except OSError as error:
            self.trouble = (
                f"{self.path} could not be read ({error.strerror}): answers last as long as this "
                "kernel."
            )
        return {}

    def _set_aside(self, path: Path) -> None:
        """Move a damaged file away, so that this kernel's answers can be written; leave anything
        else that stands there."""
        aside = path.with_name(f"{path.name}.damaged")
        self.trouble = (
            f"{path.name} could not be read and begins anew; what it held is in {aside.name}."
        )
        kind = kind_of(path)
        if kind != "file":
            self.trouble = f"{path} is a {kind}, not a file: answers last as long as this kernel."
            return
        try:
            path.replace(aside)
        except OSError as error:
            self.trouble = f"{path} could not be read ({error.strerror})."

    def _save(self) -> tuple[str, ...]:
        """Write this kernel's records into the file, beside those of other notebooks; return what
        went wrong."""
        if self.path is not None:
            try:
                write_json(self.path, self._read() | {key: self.records[key] for key in self._own})
            except (OSError, ValueError) as error:
                why = getattr(error, "strerror", None) or str(error)
                self.trouble = (
                    f"{self.path} could not be written ({why}): answers last as long as this "
                    "kernel."
                )
        return self._troubles()

    def _troubles(self) -> tuple[str, ...]:
        return () if self.trouble is None else (self.trouble,)


def side_in_words(judgements: Sequence[Judgement]) -> list[str]:
    """Return on which side the numbers missed, if there were at least two misses."""
    misses = [
        judgement.error
        for judgement in judgements
        if judgement.error is not None and not judgement.right
    ]
    too_high = sum(error > 0 for error in misses)
    return (
        [f"Of {len(misses)} numbers that missed, {too_high} were too high."]
        if len(misses) > 1
        else []
    )


def calibration_in_words(judged: Sequence[tuple[Judgement, float | None]]) -> list[str]:
    """Return the mean confidence beside the share that was right, and what the difference means."""
    with_confidence = [
        (judgement.right, confidence) for judgement, confidence in judged if confidence is not None
    ]
    if not with_confidence:
        return []
    sure = statistics.fmean(confidence for _, confidence in with_confidence)
    right = 100 * statistics.fmean(is_right for is_right, _ in with_confidence)
    meaning = "as sure as right"
    if abs(sure - right) > 10:
        meaning = "more sure than right" if sure > right else "less sure than right"
    n = len(with_confidence)
    few = "; with so few it may be chance" if n < 8 else ""
    return [
        f"Calibration over {n}: {sure:.0f}% sure on average, {right:.0f}% right: {meaning}{few}."
    ]
