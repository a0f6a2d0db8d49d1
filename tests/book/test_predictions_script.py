"""The book's script reads, writes, judges and sums up exactly as the recorder of the notebooks."""

from __future__ import annotations

import json
import random

import pytest
import soak
from prediction_cases import answered, any_number, draw_cases

from book.predictions import Result
from seqkd_lab.lab.shared.predictions import Predictions
from seqkd_lab.lab.shared.predictions.records import described_kind

pytestmark = pytest.mark.slow
N_CASES = 6000 if soak.LONG else 1200
ANSWER_ALL = """cases => JSON.stringify(JSON.parse(cases).map(asked => {
    const record = seqkdPredictions.fresh(asked);
    record.shown = asked.is_late;
    const note = seqkdPredictions.answered(record, asked.how_to, asked.typed, asked.sure);
    const judgement = seqkdPredictions.counted(record) &&
        seqkdPredictions.judgementOf(record, asked.value, asked.interval);
    const scored = {...record, ...(judgement && {value: asked.value, interval: asked.interval})};
    return {said: [note.accepted, note.lines, judgement?.words ?? null], record: scored};
}))"""
SUM_UP = "groups => JSON.parse(groups).map(records => seqkdPredictions.summed(records))"
FORMAT_ALL = "numbers => JSON.parse(numbers).map(seqkdPredictions.general)"


@pytest.fixture
def script(page, make_page):
    """The page's script: `script(function, argument)` hands the argument over as JSON."""
    page.goto(make_page().as_uri())
    return lambda function, argument: page.evaluate(function, json.dumps(argument))


def as_asked(case):
    """Return a case as the page and its reader give it to the script."""
    return {
        "question": "?",
        "kind": described_kind(case.kind),
        "how_to": case.kind.how_to,
        "typed": case.typed,
        "sure": case.sure,
        "is_late": case.is_late,
        "value": Result("key", case.kind, case.value).plain(),
        "interval": case.interval,
    }


def test_the_script_reads_and_judges_as_the_recorder(script):
    cases = draw_cases(seed=1, n_cases=N_CASES)
    expected = [answered(Predictions(), "key", case) for case in cases]
    said = [each["said"] for each in json.loads(script(ANSWER_ALL, [*map(as_asked, cases)]))]
    for case, theirs, ours in zip(cases, said, expected, strict=True):
        assert theirs == list(ours), case
    n_read = sum(accepted for accepted, _, _ in expected)
    assert (
        N_CASES / 6 < n_read < 5 * N_CASES / 6
    )  # the cases ask for both answers, and for every judgement
    judgements = " ".join(words for _, _, words in expected if words)
    for words in ("not scored", "Right", "wrong sign", "interval of the run", "far off", "turned"):
        assert words in judgements


def test_the_script_sums_up_as_the_recorder(script):
    draw = random.Random(2)
    cases = draw_cases(seed=3, n_cases=800)
    records = [each["record"] for each in json.loads(script(ANSWER_ALL, [*map(as_asked, cases)]))]
    groups = [draw.sample(range(len(cases)), draw.randint(0, 14)) for _ in range(200)]
    expected = []
    for group in groups:
        recorder = Predictions()
        for place in group:
            answered(recorder, str(place), cases[place])
        expected.append(list(recorder.summary().lines))
    assert script(SUM_UP, [[records[place] for place in group] for group in groups]) == expected


def test_the_script_writes_numbers_as_python(script):
    draw = random.Random(4)
    numbers = [any_number(draw) for _ in range(5000)] + [-0.0, 9999.5, 99995.0, 0.00012345]
    assert script(FORMAT_ALL, numbers) == [f"{number:.4g}" for number in numbers]
