"""The prediction recorder: what it accepts, what it keeps, how it judges, and that it tells nothing
too early."""

from __future__ import annotations

import builtins
import json
import math

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from seqkd_lab.lab.shared.predictions import (
    CANNOT_TELL,
    Choice,
    Number,
    Predictions,
    Ranking,
    Unreadable,
    decided,
)

BLEU = Number("BLEU", tolerance=1.0)
WHICH = Choice(("baseline", "Word-KD", "Seq-KD"))
ORDER = Ranking(("teacher", "student", "Seq-KD student"))
NASTY = '<script>alert("1")</script>'
finite = st.floats(-1e6, 1e6)


@pytest.fixture
def predictions():
    recorder = Predictions()
    recorder.ask("gain", "How much does Seq-KD add?", BLEU)
    recorder.ask("best", "Which is best?", WHICH)
    recorder.ask("order", "In which order?", ORDER)
    return recorder


class TestReading:
    @pytest.mark.parametrize(
        "typed, number",
        [
            ("3", 3),
            ("3.5", 3.5),
            ("3,5", 3.5),
            ("about 3.5 BLEU", 3.5),
            (" −2 ", -2),
            ("-2.", -2),
            ("1,000", 1000),
            ("1,234,567.5", 1234567.5),
            ("0,125", 0.125),
            ("1e-3", 0.001),
            (".5", 0.5),
            ("50 %", 50),
            (7, 7),
            (2.25, 2.25),
            (torch.tensor(3.5).item(), 3.5),
            ("1.000", 1.0),
            ("1.234,5", 1234.5),
            ("-1.234.567,5", -1234567.5),
        ],
    )
    def test_numbers_as_people_write_them(self, typed, number):
        assert BLEU.read(typed) == pytest.approx(number)

    @pytest.mark.parametrize(
        "typed",
        [
            "",
            " ",
            "no idea",
            "3 or 4",
            "3-4",
            "1e999",
            math.nan,
            math.inf,
            None,
            True,
            [],
            "1.2.3",
            "x" * 10_000,
            "9" * 400,
            pytest.param(10**5000, id="10^5000"),
            "<b>",
        ],
    )
    def test_what_is_no_number_is_answered_in_words(self, predictions, typed):
        note = predictions.answer("gain", typed)
        assert not note.accepted and "Not recorded" in repr(note) and len(repr(note)) < 500
        assert not predictions.score("gain", 4.0).accepted

    @pytest.mark.parametrize("typed", ["Seq-KD", "seq-kd", " 3 ", 3, "s"])
    def test_options_by_name_number_or_beginning(self, typed):
        assert WHICH.read(typed) == "Seq-KD"

    @pytest.mark.parametrize(
        "typed", ["", "0", "4", "-1", "kd", "²", "baseline Word-KD", None, object(), NASTY]
    )
    def test_what_is_no_option(self, typed):
        with pytest.raises(Unreadable):
            WHICH.read(typed)

    def test_a_beginning_that_two_options_share_is_not_taken(self):
        with pytest.raises(Unreadable):
            Choice(("beam 1", "beam 5")).read("beam")

    @pytest.mark.parametrize(
        "typed",
        [
            "Seq-KD student > teacher > student",
            "3, 1, 2",
            "3;1;2",
            "seq > t > stu",
            [3, "teacher", 2],
            "3\n1\n2",
        ],
    )
    def test_orders(self, typed):
        assert ORDER.read(typed) == ["Seq-KD student", "teacher", "student"]

    @pytest.mark.parametrize(
        "typed", ["", "1 > 2", "1 > 2 > 2", "1 > 2 > 3 > 3", "teacher", None, 5, [None], "x > y"]
    )
    def test_what_is_no_order(self, typed):
        with pytest.raises(Unreadable):
            ORDER.read(typed)

    @given(
        st.one_of(
            st.text(), st.integers(), st.floats(), st.none(), st.lists(st.text()), st.binary()
        )
    )
    def test_nothing_that_is_typed_raises(self, typed):
        recorder = Predictions()
        for key, kind in (("a", BLEU), ("b", WHICH), ("c", ORDER)):
            recorder.ask(key, "?", kind)
            recorder.answer(key, typed, confidence=typed)
            recorder.answer(typed, typed)
        recorder.summary()


class TestJudging:
    @given(finite, finite, st.floats(1e-3, 1e3))
    def test_closeness_of_a_number(self, answer, value, tolerance):
        judgement = Number("", tolerance).judge(answer, value)
        assert 0 < judgement.closeness <= 1
        assert judgement.right == (judgement.closeness == 1)
        assert judgement.error == answer - value
        mirrored = Number("", tolerance).judge(2 * value - answer, value)
        assert mirrored.closeness == pytest.approx(judgement.closeness, rel=1e-6)

    @given(st.floats(-100, 100), st.floats(-100, 100), st.floats(0.01, 100), st.floats(0.01, 100))
    def test_closeness_does_not_depend_on_the_unit(self, answer, value, tolerance, factor):
        one = Number("", tolerance).judge(answer, value).closeness
        other = Number("", factor * tolerance).judge(factor * answer, factor * value).closeness
        assert other == pytest.approx(one, rel=1e-6)

    @given(finite, st.floats(0, 1e5), st.floats(0, 1e5))
    def test_nearer_is_never_worse(self, value, near, further):
        near, far = sorted((near, further))
        kind = Number("", 1.0)
        assert (
            kind.judge(value + near, value).closeness
            >= kind.judge(value + far, value).closeness - 1e-9
        )

    def test_the_distance_is_explained(self):
        words = BLEU.judge(9.0, 4.0).words
        assert (
            "9 BLEU" in words
            and "4 BLEU" in words
            and "too high by 5" in words
            and "far off" in words
        )
        assert (
            "too low" in BLEU.judge(2.0, 4.0).words and "not far off" in BLEU.judge(2.0, 4.0).words
        )

    @given(st.permutations(ORDER.items), st.permutations(ORDER.items))
    def test_closeness_of_an_order(self, answer, value):
        judgement = ORDER.judge(answer, value)
        assert judgement.right == (answer == value) == (judgement.closeness == 1)
        assert ORDER.judge(answer[::-1], value).closeness == pytest.approx(1 - judgement.closeness)
        assert ORDER.judge(value, answer).closeness == pytest.approx(judgement.closeness)

    def test_a_choice(self):
        assert WHICH.judge("Seq-KD", "Seq-KD").closeness == 1
        wrong = WHICH.judge("baseline", "Seq-KD")
        assert (
            (wrong.closeness, wrong.right) == (0, False)
            and "baseline" in wrong.words
            and "Seq-KD" in wrong.words
        )


class TestUndecided:
    SIGNED = Number("BLEU", tolerance=2.0, signed=True)

    def score(self, kind, answer, value, interval=None):
        recorder = Predictions()
        recorder.ask("key", "?", kind)
        recorder.answer("key", answer, confidence=75)
        return recorder, recorder.score("key", value, interval).judgement

    @given(st.floats(-10, 10), st.floats(-10, 10))
    def test_an_answer_of_the_wrong_sign_is_never_right(self, answer, value):
        right = self.SIGNED.judge(answer, value).right
        assert not right or value == 0 or answer * value > 0
        assert right or abs(answer - value) > 1.99 or answer * value <= 0

    @given(st.floats(-10, 10), st.floats(-10, 10), st.floats(0.001, 10), st.floats(0.001, 10))
    def test_an_interval_decides_what_is_scored(self, answer, value, below, above):
        interval = (value - below, value + above)
        judgement = self.SIGNED.judge(answer, value, interval)
        assert judgement.counted == (not interval[0] <= 0 <= interval[1])
        if judgement.counted and interval[0] <= answer <= interval[1]:
            assert judgement.right

    def test_what_the_run_does_not_decide_is_kept_out_of_the_summary(self):
        for kind, answer, value, interval in (
            (self.SIGNED, 1, 0.5, (-1.0, 2.0)),
            (WHICH, "Seq-KD", CANNOT_TELL, None),
            (ORDER, "1>2>3", [], None),
        ):
            recorder, judgement = self.score(kind, answer, value, interval)
            assert not judgement.counted and "not scored" in judgement.words
            assert "No prediction has been scored" in repr(recorder.summary())
            assert "does not decide" in repr(recorder.summary()) and "Calibration" not in repr(
                recorder.summary()
            )

    def test_cannot_tell_may_be_an_answer(self):
        kind = Choice(("rises", "falls", CANNOT_TELL))
        assert self.score(kind, CANNOT_TELL, CANNOT_TELL)[1].right
        assert not self.score(kind, "rises", CANNOT_TELL)[1].right

    def test_only_decided_pairs_of_a_ranking_are_scored(self):
        pairs = [("teacher", "student"), ("teacher", "Seq-KD student")]
        for answer in ("1>2>3", "1>3>2"):
            assert self.score(ORDER, answer, pairs)[1].right
        halfway = self.score(ORDER, "2>1>3", pairs)[1]
        assert (
            halfway.closeness == 0.5
            and "student before" not in halfway.words.split("turned round")[0]
        )

    @pytest.mark.parametrize(
        "value",
        [[("teacher", "nobody")], [("teacher",)], [("teacher", "student"), ("student", "teacher")]],
    )
    def test_pairs_that_decide_nothing_are_the_authors_error(self, value):
        with pytest.raises(ValueError):
            self.score(ORDER, "1>2>3", value)

    def test_only_a_number_has_an_interval_and_the_value_lies_in_it(self):
        with pytest.raises(ValueError):
            self.score(WHICH, "Seq-KD", "Seq-KD", (0, 1))
        with pytest.raises(ValueError):
            self.score(BLEU, 1, 3.0, (0, 1))

    def test_pairs_decided_by_seeds(self):
        values = {"a": [1.0, 1.1, 0.9], "b": [5.0, 5.2, 4.9], "c": [1.0, 1.2, 0.8]}
        assert decided(values) == [("b", "a"), ("b", "c")]

    def test_a_file_holds_intervals_and_pairs(self, tmp_path):
        path = tmp_path / "predictions.json"
        recorder = Predictions(path)
        recorder.ask("gain", "How much?", self.SIGNED)
        recorder.ask("order", "Which order?", ORDER)
        recorder.answer("gain", 1.0)
        recorder.answer("order", "1>2>3")
        recorder.score("gain", 3.0, (1.0, 5.0))
        recorder.score("order", [("teacher", "student")])
        assert repr(Predictions(path).summary()) == repr(recorder.summary())


class TestChoosing:
    def test_a_number_is_no_place_in_a_list_of_numbers(self):
        sizes = Choice(("K = 1", "K = 2", "K = 4 to 6", "more"))
        assert sizes.read("K=2") == sizes.read("k = 2") == "K = 2"
        for typed in ("5", "1", "2", "K = 3"):
            with pytest.raises(Unreadable):
                sizes.read(typed)
        assert "1:" not in sizes.how_to


class TestOrder:
    def test_nothing_is_told_before_an_answer(self, predictions):
        note = predictions.score("gain", 4.125)
        assert (
            not note.accepted
            and "Predict first" in repr(note)
            and "4.1" not in repr(note) + note._repr_html_()
        )
        predictions.forget("gain")
        assert predictions.answer("gain", 4).accepted
        assert "4.125" in repr(predictions.score("gain", 4.125)) and predictions.judgements()

    def test_an_answer_after_the_result_was_shown_without_one_is_late(self, predictions):
        """Run All, then read the result, then answer."""
        predictions.score("gain", 4.0)
        assert "not counted" in repr(predictions.answer("gain", 4, confidence=95))
        assert not predictions.score("gain", 4.0).accepted and predictions.judgements() == []
        assert (
            "Calibration" not in repr(predictions.summary())
            and predictions.answered("gain") is None
        )

    def test_a_restarted_kernel_may_predict_what_was_shown_but_never_predicted(self, tmp_path):
        for _ in range(2):
            recorder = Predictions(tmp_path / "predictions.json")
            recorder.ask("gain", "How much?", BLEU)
            recorder.ask("best", "Which?", WHICH)
            if not recorder.answered("best"):
                recorder.score("gain", 4.0)
                recorder.answer("best", 1)
        assert recorder.answer("gain", 4).accepted
        judgement = recorder.score("gain", 4.0).judgement
        assert judgement is not None and judgement.right

    def test_before_the_score_the_last_answer_counts(self, predictions):
        predictions.answer("gain", 10)
        predictions.answer("gain", 4)
        assert predictions.score("gain", 4.0).judgement.right

    def test_an_answer_after_the_score_is_kept_and_not_counted(self, predictions):
        predictions.answer("gain", 10)
        predictions.score("gain", 4.0)
        assert "not counted" in repr(predictions.answer("gain", 4))
        assert predictions.score("gain", 4.0).judgement.error == 6
        assert "1 answer came after" in repr(predictions.summary())
        assert [given["answer"] for given in predictions.records["gain"]["answers"]] == [10, 4]

    def test_a_new_run_scores_the_same_answer_anew(self, predictions):
        predictions.answer("gain", 10)
        predictions.score("gain", 4.0)
        assert predictions.score("gain", torch.tensor(10.5)).judgement.right
        assert [judgement.right for judgement, _ in predictions.judgements()] == [True]

    def test_another_question_under_the_same_key_starts_anew(self, predictions):
        predictions.answer("gain", 10)
        predictions.ask("gain", "How much does Seq-KD add?", BLEU)
        assert predictions.answered("gain") == "10 BLEU"
        predictions.ask("gain", "How much does Seq-KD add?", Number("BLEU", 2.0))
        assert predictions.answered("gain") is None

    def test_forgetting(self, predictions):
        predictions.answer("gain", 10)
        predictions.score("gain", 4.0)
        predictions.forget("gain")
        assert predictions.answered("gain") is None and not predictions.score("gain", 4.0).accepted

    def test_an_unknown_key_names_the_known_ones(self, predictions):
        for note in (
            predictions.answer("gian", 1),
            predictions.score("gian", 1),
            predictions.forget("gian"),
        ):
            assert not note.accepted and "gain" in repr(note)

    @pytest.mark.parametrize(
        "key, value",
        [
            ("gain", math.nan),
            ("gain", math.inf),
            ("gain", None),
            ("gain", "4"),
            ("best", "seq"),
            ("order", ["teacher"]),
        ],
    )
    def test_a_value_that_no_run_gives_is_the_authors_error_even_unanswered(
        self, predictions, key, value
    ):
        with pytest.raises(ValueError):
            predictions.score(key, value)

    @pytest.mark.parametrize(
        "kind, arguments",
        [
            (Choice, (("one",),)),
            (Choice, (("a", "a"),)),
            (Ranking, (("a",),)),
            (Ranking, (("a", "a", "b"),)),
            (Number, ("BLEU", 0.0)),
            (Number, ("BLEU", -1.0)),
            (Number, ("BLEU", math.nan)),
            (Number, ("BLEU", math.inf)),
        ],
    )
    def test_questions_that_cannot_be_asked(self, kind, arguments):
        with pytest.raises(ValueError):
            kind(*arguments)


class TestSummary:
    def test_without_scores(self, predictions):
        assert "3 wait" in repr(predictions.summary())

    def test_it_counts_and_calibrates(self, predictions):
        predictions.answer("gain", 9, confidence=95)
        predictions.answer("best", "Seq-KD", confidence="75 %")
        predictions.answer("order", "1>2>3", confidence=None)
        predictions.score("gain", 4.0)
        predictions.score("best", "Seq-KD")
        summary = repr(predictions.summary())
        assert "2 predictions scored, 1 right" in summary and "1 not scored yet" in summary
        assert f"closeness {(1 + 0.2) / 2:.2f}" in summary
        assert "85% sure on average, 50% right: more sure than right" in summary

    def test_the_side_of_the_misses(self):
        recorder = Predictions()
        for key, answer in (("a", 10), ("b", 12), ("c", 1)):
            recorder.ask(key, key, BLEU)
            recorder.answer(key, answer)
            recorder.score(key, 5.0)
        assert "Of 3 numbers that missed, 2 were too high" in repr(recorder.summary())

    @pytest.mark.parametrize("confidence", [101, -1, "very", "50 to 60"])
    def test_a_confidence_that_is_none(self, predictions, confidence):
        assert not predictions.answer("gain", 3, confidence=confidence).accepted


class TestFile:
    def ask(self, path):
        recorder = Predictions(path)
        recorder.ask("gain", "How much?", BLEU)
        return recorder

    def test_a_restarted_kernel_finds_answers_and_scores(self, tmp_path):
        path = tmp_path / "deep" / "predictions.json"
        first = self.ask(path)
        first.answer("gain", 4, confidence=75)
        first.score("gain", 4.5)
        second = self.ask(path)
        assert second.answered("gain") == "4 BLEU" and repr(second.summary()) == repr(
            first.summary()
        )
        assert "not counted" in repr(second.answer("gain", 4.5))
        assert list(path.parent.iterdir()) == [path]

    def test_two_notebooks_share_a_file(self, tmp_path):
        path = tmp_path / "predictions.json"
        one, other = self.ask(path), Predictions(path)
        other.ask("best", "Which?", WHICH)
        one.answer("gain", 4)
        other.answer("best", 1)
        one.score("gain", 4.0)
        assert {"gain", "best"} == set(json.loads(path.read_text()))
        assert Predictions(path).answered("best") == "baseline"

    @pytest.mark.parametrize(
        "content",
        [
            "",
            "{",
            "[]",
            "null",
            '{"gain": 3}',
            '{"gain": {"question": "How much?"}}',
            b"\xff\xfe",
            '{"gain": {"question": "q", "kind": {"name": "other"}, "answers": [], "value": null}}',
            '{"gain": {"question": "q", "kind": {"name": "number", "unit": "", "tolerance": '
            '1}, "answers": [{"answer": "x", "confidence": null, "after_score": false}], '
            '"value": null}}',
        ],
    )
    def test_a_damaged_file_is_kept_aside_and_said(self, tmp_path, content):
        path = tmp_path / "predictions.json"
        path.write_bytes(content if isinstance(content, bytes) else content.encode())
        recorder = self.ask(path)
        assert "begins anew" in repr(recorder.answer("gain", 4))
        assert (tmp_path / "predictions.json.damaged").exists()
        assert self.ask(path).answered("gain") == "4 BLEU"

    def test_a_place_that_cannot_be_written(self, tmp_path):
        (tmp_path / "file").write_text("")
        recorder = self.ask(tmp_path / "file" / "predictions.json")
        note = recorder.answer("gain", 4)
        assert note.accepted and "could not be written" in repr(note)
        assert recorder.score("gain", 4.0).judgement.right


class TestForm:
    def test_everything_typed_or_asked_is_escaped(self):
        recorder = Predictions()
        form = recorder.ask(NASTY, NASTY, Choice((NASTY, "other")))
        pages = [
            form._repr_html_(),
            recorder.answer(NASTY, NASTY)._repr_html_(),
            form._repr_html_(),
            recorder.answer(NASTY, "<b>")._repr_html_(),
            recorder.score(NASTY, NASTY)._repr_html_(),
            recorder.answer("<i>", 1)._repr_html_(),
            recorder.score(NASTY, "other")._repr_html_(),
        ]
        for page in pages:
            assert "<script" not in page and "“<" not in page
        assert any("&lt;script" in page for page in pages)

    def test_without_ipywidgets_a_still_text(self, monkeypatch):
        real = builtins.__import__

        def without(name, *arguments, **options):
            if name.startswith("ipywidgets"):
                raise ImportError(name)
            return real(name, *arguments, **options)

        monkeypatch.setattr(builtins, "__import__", without)
        form = Predictions().ask("gain", "How much?", BLEU)
        assert form.view is None
        bundle = form._repr_mimebundle_()
        assert set(bundle) == {"text/plain", "text/html"}
        assert "How much?" in bundle["text/html"] and "predictions.answer(" in bundle["text/plain"]


class TestWidgets:
    @pytest.fixture(autouse=True)
    def widgets(self):
        return pytest.importorskip("ipywidgets", reason="the form's controls need ipywidgets")

    def test_a_number(self):
        recorder = Predictions()
        form = recorder.ask("gain", "How much?", BLEU)
        form.button.click()
        assert "Not recorded" in form.note.value
        form.controls[0].value, form.confidence.value = "about 4", 75.0
        form.button.click()
        assert (
            "4 BLEU" in form.note.value
            and recorder.records["gain"]["answers"][0]["confidence"] == 75
        )
        assert "4 BLEU" in recorder.ask("gain", "How much?", BLEU).note.value

    def test_every_option_of_a_choice(self):
        recorder = Predictions()
        form = recorder.ask("best", "Which?", WHICH)
        form.button.click()
        assert recorder.answered("best") is None
        for option in WHICH.options:
            form.controls[0].value = option
            form.button.click()
            assert recorder.answered("best") == option

    def test_a_ranking_has_a_control_for_each_place(self):
        recorder = Predictions()
        form = recorder.ask("order", "In which order?", ORDER)
        for control, item in zip(form.controls, reversed(ORDER.items), strict=True):
            form.button.click()
            assert recorder.answered("order") is None
            control.value = item
        form.button.click()
        assert recorder.answered("order") == "Seq-KD student > student > teacher"

    def test_no_list_is_blank_before_a_choice(self):
        """A browser shows nothing for a value of None, not even the text of that option."""
        form = Predictions().ask("order", "In which order?", ORDER)
        for chooser in (form.confidence, *form.controls):
            assert chooser.value is not None and chooser.label
        form.button.click()
        assert "Not recorded" in form.note.value

    def test_typed_html_is_escaped(self):
        form = Predictions().ask("gain", f"How much {NASTY}?", BLEU)
        form.controls[0].value = NASTY + "2"
        form.button.click()
        assert "<script" not in form.note.value + form.view.children[0].value

    def test_it_shows_as_a_widget_and_as_text(self):
        bundle = Predictions().ask("gain", "How much?", BLEU)._repr_mimebundle_()
        assert (
            "application/vnd.jupyter.widget-view+json" in bundle
            and "How much?" in bundle["text/html"]
        )
