"""Attacks on predictions.json and on what is typed as a prediction: a notebook always goes on."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from random import Random

import pytest
import soak
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from json_damage import damaged
from soak import attempts, tally

from seqkd_lab.lab.shared.predictions.questions import Choice, Number, Ranking
from seqkd_lab.lab.shared.predictions.recorder import Predictions

ASKED = {
    "which": ("Which student is better?", Choice(("gold", "seq-kd", "neither")), "seq-kd"),
    "gain": ("How large is the gain?", Number("BLEU", 1.0, signed=True), 4.2),
    "order": ("In which order?", Ranking(("A", "B", "C")), ["B", "A", "C"]),
    "pairs": ("Which are larger?", Ranking(("A", "B", "C")), [["B", "A"]]),
}
TYPED = {"which": "gold", "gain": "about 3,5", "order": "B > A > C", "pairs": "A > B > C"}


def a_notebook_runs(
    path: Path | None, typed: object = None, confidence: object = 50
) -> Predictions:
    """Ask, answer, score and sum up, as the cells of a notebook do."""
    predictions = Predictions(path)
    predictions.summary()
    for key, (question, kind, value) in ASKED.items():
        form = predictions.ask(key, question, kind)
        shown = [repr(form), form._repr_html_()]
        interval = (4.0, 5.0) if key == "gain" else None
        notes = [
            predictions.answer(key, TYPED[key] if typed is None else typed, confidence),
            predictions.score(key, value, interval),
            predictions.answer(key, typed, confidence),
        ]
        shown += [repr(note) + note._repr_html_() for note in notes]
        shown.append(str(predictions.answered(key)))
        "".join(shown).encode()  # as a browser gets it
    repr(predictions.summary()).encode()
    return predictions


@pytest.fixture
def whole(tmp_path):
    """What a file of predictions holds after a notebook."""
    path = tmp_path / "whole.json"
    a_notebook_runs(path)
    return json.loads(path.read_text(encoding="utf-8"))


def went_on(path: Path, content: bytes, run: Callable[[Path], object]) -> str | None:
    """Return what went wrong where `run` meets a file of this content; None where it kept what can
    be judged, or set the file aside and said so."""
    path.write_bytes(content)
    aside = path.with_name(f"{path.name}.damaged")
    aside.unlink(missing_ok=True)
    try:
        first = Predictions(path)
        trouble = first.trouble
        run(path)
    except Exception as error:
        return f"{type(error).__name__}: {error}"
    if trouble is not None and aside.read_bytes() != content:
        return "what was damaged is not kept"
    return None if (trouble is None) == bool(first.records or content.strip() == b"{}") else trouble


def a_kernel_restarts(path: Path) -> None:
    """Read the file again, sum up, and show what was answered."""
    predictions = Predictions(path)
    repr(predictions.summary()).encode()
    "".join(str(predictions.answered(key)) for key in predictions.records).encode()


EFFORTS = [(a_kernel_restarts, (100, 6_000)), (a_notebook_runs, (6, 300))]
"""What meets a damaged file, and how often: a whole notebook writes the file a dozen times."""
each_run = pytest.mark.parametrize(("run", "effort"), EFFORTS, ids=["restart", "notebook"])


@each_run
def test_a_damaged_file_is_set_aside_and_the_notebook_goes_on(whole, tmp_path, run, effort):
    random = Random(3)
    with tally("damaged predictions.json: a value") as count:
        for _ in range(attempts(*effort)):
            attack = damaged(whole, random)
            said = went_on(tmp_path / "predictions.json", attack.text.encode(), run)
            count.tried(said and f"{attack.how} at {list(attack.where)}: {said}")


@each_run
def test_damaged_bytes_are_set_aside_and_the_notebook_goes_on(whole, tmp_path, run, effort):
    random, content = Random(4), json.dumps(whole).encode()
    with tally("damaged predictions.json: bytes") as count:
        for _ in range(attempts(*effort)):
            place = random.randrange(len(content))
            odd = bytes(random.randrange(256) for _ in range(random.randrange(4)))
            cut = content[:place] + odd + content[place + random.randrange(3) :]
            text = random.choice((cut, content[:place], b"[" * place, odd))
            said = went_on(tmp_path / "predictions.json", text, run)
            count.tried(said and f"{text[:200]!r}: {said}")


@pytest.mark.parametrize("kind", ["folder", "link to nothing", "link to a folder"])
def test_what_is_no_file_is_left_and_the_notebook_goes_on(kind, tmp_path):
    path, folder = tmp_path / "predictions.json", tmp_path / "folder"
    folder.mkdir()
    (folder / "kept").write_text("x")
    if kind == "folder":
        path.mkdir()
    else:
        path.symlink_to(folder if kind == "link to a folder" else tmp_path / "nothing")
    predictions = a_notebook_runs(path)
    assert "as long as this kernel" in predictions.trouble
    assert path.is_dir() or path.is_symlink()
    assert (folder / "kept").read_text() == "x"


anything = st.one_of(
    st.text(),
    st.text(st.characters(categories=["Cs", "Cc", "Nd"])),
    st.integers(),
    st.sampled_from([10**400, -(10**5000), float("nan"), float("inf"), 1e308, b"\xff", object]),
    st.floats(),
    st.booleans(),
    st.none(),
    st.recursive(st.text(), st.lists, max_leaves=20),
    st.sampled_from(["nan", "1e400", "−3", "1" * 5_000, "½", "٣", "1,2,3", "> > >", "A > B > C"]),
)


def test_nothing_that_is_typed_stops_a_notebook():
    with tally("typed answers and confidences") as count:

        @settings(
            max_examples=attempts(40, 3_000),
            derandomize=not soak.LONG,
            deadline=None,
            database=None,
            suppress_health_check=list(HealthCheck),
        )
        @given(typed=anything, confidence=anything)
        def attack(typed, confidence):
            try:
                a_notebook_runs(None, typed, confidence)
            except Exception as error:
                count.tried(f"{typed!r}, {confidence!r}: {type(error).__name__}: {error}")
            else:
                count.tried()

        attack()


def test_what_is_typed_is_kept_in_a_file_that_is_read_again(tmp_path):
    path = tmp_path / "predictions.json"
    with tally("typed answers, kept in a file") as count:

        @settings(
            max_examples=attempts(10, 500),
            derandomize=not soak.LONG,
            deadline=None,
            database=None,
            suppress_health_check=list(HealthCheck),
        )
        @given(typed=anything)
        def attack(typed):
            path.unlink(missing_ok=True)
            try:
                a_notebook_runs(path, typed)
                count.tried(Predictions(path).trouble)
            except Exception as error:
                count.tried(f"{typed!r}: {type(error).__name__}: {error}")

        attack()
