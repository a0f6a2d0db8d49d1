"""The check itself: whatever a learner writes is answered in words, escaped, and without a
traceback."""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch

from seqkd_lab.lab.shared import exercises
from seqkd_lab.lab.shared.exercises.comparing import first_difference, plain, shown
from seqkd_lab.lab.speculative.accepted_exercise import accepted
from seqkd_lab.lab.word_kd.exercises import word_kd_loss

NASTY = '<img src=x onerror="alert(1)">'


def divides_by_zero(log_probs):
    n_sentences = 0
    return sum(log_probs) / n_sentences


def fails_in_torch(logits, target):
    return torch.zeros(2, 3) @ torch.zeros(2, 3)


class Rude(Exception):
    def __str__(self):
        raise RuntimeError("no words")


class RudeObject:
    def __repr__(self):
        raise RuntimeError("no picture")


def raise_rudely(log_probs):
    raise Rude


def endless_list(log_probs):
    found: list = []
    found.append(found)
    return found


class TestErrors:
    def test_an_error_is_told_with_type_message_and_line(self):
        text = repr(exercises.check("mode_mass", divides_by_zero))
        line = divides_by_zero.__code__.co_firstlineno + 2
        assert f"ZeroDivisionError in line {line}, `return sum(log_probs) / n_sentences`:" in text
        assert "division by zero" in text
        assert (
            "one sure sentence" in text
            and "log_probs = [0, -60]" in text
            and "Traceback" not in text
        )

    def test_an_error_inside_torch_names_the_learners_own_line(self):
        text = repr(exercises.check("masked_nll", fails_in_torch))
        assert (
            "RuntimeError in line" in text
            and "`return torch.zeros(2, 3) @ torch.zeros(2, 3)`" in text
        )

    def test_the_line_of_a_cell_without_a_file(self):
        namespace: dict = {}
        exec(
            compile("import math\ndef f(log_probs):\n    return math.log(-1)\n", "<cell>", "exec"),
            namespace,
        )
        assert "ValueError in line 3:" in repr(exercises.check("mode_mass", namespace["f"]))

    def test_torchs_own_not_implemented_is_no_stub(self):
        def call_something(log_probs):
            return torch.empty(1, device="meta").item()

        text = repr(exercises.check("mode_mass", call_something))
        assert "raised" in text and "stub" not in text

    @pytest.mark.parametrize(
        "function", [raise_rudely, endless_list, lambda log_probs: RudeObject(), iter, len, print]
    )
    def test_nothing_a_function_does_raises(self, function):
        result = exercises.check("mode_mass", function)
        assert not result and repr(result) and result._repr_html_()

    @pytest.mark.parametrize(
        "value, words",
        [
            (None, "returned nothing"),
            ("0.5", "a text instead of a number"),
            ([0.5, 0.5], "a list instead of a number"),
            (math.nan, "nan instead of"),
            (True, "a truth value instead of a number"),
            ({}, "a dictionary instead of a"),
        ],
    )
    def test_a_wrong_type_is_named(self, value, words):
        assert words in repr(exercises.check("mode_mass", lambda log_probs: value))

    @pytest.mark.parametrize("function", [0.5, None, "mode_mass", [1], torch.tensor(1.0)])
    def test_a_value_instead_of_the_function(self, function):
        assert "without calling it" in repr(exercises.check("mode_mass", function))

    @pytest.mark.parametrize("function", [lambda: 1, lambda a, b: 1, lambda *, log_probs: 1])
    def test_other_parameters(self, function):
        text = repr(exercises.check("mode_mass", function))
        assert "mode_mass(log_probs)" in text and "will be called as" in text

    def test_a_callable_object_a_partial_and_a_method_are_functions(self):
        class Mass:
            def __call__(self, log_probs):
                return float(np.exp(log_probs).mean())

        assert exercises.check("mode_mass", Mass())
        assert exercises.check("mode_mass", Mass().__call__)


class TestJudging:
    def test_a_constant_is_called_one(self):
        assert "same answer in every case" in repr(
            exercises.check("mode_mass", lambda log_probs: 0.123)
        )

    def test_a_function_that_remembers_is_refused(self):
        def remembers(log_probs, calls=[]):  # noqa: B006 (the mistake itself)
            calls.append(1)
            right = float(np.exp(log_probs).mean())
            return right if len(calls) <= len(exercises.find("mode_mass").cases()) else right + 1

        assert "second time" in repr(exercises.check("mode_mass", remembers))

    def test_a_loss_without_a_gradient_is_refused(self):
        def detached(student_logits, teacher_logits, target, temperature):
            return word_kd_loss(student_logits.detach(), teacher_logits, target, temperature)

        assert "no gradient" in repr(exercises.check("word_kd_loss", detached))

    def test_a_breakdown_is_recognised_whatever_the_library(self):
        def by_numpy(logits, temperature):
            with np.errstate(all="ignore"):
                weights = np.exp(np.array(logits) / temperature)
                return weights / weights.sum()

        report = exercises.check("softmax_with_temperature", by_numpy)
        assert "overflows" in (report.misconception or "")

    def test_two_mistakes_at_once_are_refused_without_a_guess(self):
        result = exercises.check(
            "word_kd_loss", lambda student, teacher, target, temperature: student.sum() / 7
        )
        assert (
            not result
            and result.misconception is None
            and "exercises.hint('word_kd_loss', 1)" in repr(result)
        )


class TestShowing:
    def test_whatever_a_function_gives_is_escaped(self):
        def nasty(log_probs):
            raise ValueError(NASTY)

        for function in (nasty, lambda log_probs: NASTY, lambda log_probs: {NASTY: 1}):
            page = exercises.check("mode_mass", function)._repr_html_()
            assert "<img" not in page
        words = exercises.check("seq_inter_choice", lambda candidates, gold, similarity: (NASTY,))
        assert "<img" not in words._repr_html_() and "&lt;img" in words._repr_html_()

    def test_the_result_is_said_in_words_not_only_in_colour(self):
        right = exercises.check("mode_mass", exercises.find("mode_mass").solution)._repr_html_()
        wrong = exercises.check("mode_mass", lambda log_probs: 0)._repr_html_()
        assert "✓" in right and "passed" in right and "✗" in wrong and "not yet" in wrong
        assert "<code>exercises.hint" in wrong and 'role="status"' in wrong

    def test_a_solution_is_folded_code(self):
        page = exercises.solution("kl_from_truth")._repr_html_()
        assert (
            page.startswith("<details><summary>") and "<pre><code>" in page and "q &gt; 0" in page
        )

    def test_a_long_answer_is_cut(self):
        assert len(repr(exercises.check("mode_mass", lambda log_probs: ["x" * 10_000]))) < 1500


class TestUnknownKeys:
    @pytest.mark.parametrize(
        "ask",
        [exercises.task, exercises.hint, exercises.solution, lambda key: exercises.check(key, len)],
    )
    def test_the_near_ones_are_named(self, ask):
        with pytest.raises(exercises.UnknownExercise, match="word_kd_los'; perhaps word_kd_loss"):
            ask("word_kd_los")

    @pytest.mark.parametrize("key", ["", "zzzzzz", None, 7, ["mode_mass"], "x" * 10_000])
    def test_nothing_near_names_all(self, key):
        with pytest.raises(exercises.UnknownExercise, match="mode_mass") as caught:
            exercises.task(key)
        assert len(str(caught.value)) < 1000 and caught.value._render_traceback_() == [
            str(caught.value)
        ]


class TestComparing:
    @pytest.mark.parametrize(
        "value, expected",
        [
            (torch.tensor([[1.0, 2.0]]), [[1.0, 2.0]]),
            (np.float32(0.5), 0.5),
            (np.array([1, 2]), [1.0, 2.0]),
            (3, 3.0),
            ((1, (2,)), [1.0, [2.0]]),
            (iter([1]), [1.0]),
            ("a", "a"),
            (True, True),
            ({"a": torch.tensor(1)}, {"a": 1.0}),
            (torch.tensor(2.0, requires_grad=True), 2.0),
        ],
    )
    def test_plain(self, value, expected):
        assert plain(value) == expected

    @pytest.mark.parametrize(
        "found, expected, words",
        [
            ([1.0, 2.5], [1.0, 2.0], "2.5 instead of 2 at [1]"),
            ([1.0], [1.0, 2.0], "1 value instead of 2"),
            ({"a": 1.0}, {"a": 1.0, "b": 2.0}, "'b' is missing"),
            ({"a": 1.0, "c": 0.0}, {"a": 1.0}, "should not be there"),
            ([["x"], 1.0], [["y"], 1.0], "'x' instead of 'y' at [0][0]"),
            (0.0, 1e-3, "instead of 0.001"),
        ],
    )
    def test_the_first_difference_is_named(self, found, expected, words):
        assert words in (first_difference(found, expected, 1e-4) or "")

    @pytest.mark.parametrize(
        "found, expected",
        [(1.00001, 1.0), ([[0.5]], 0.5), (math.nan, math.nan), (-math.inf, -math.inf), (1e-8, 0.0)],
    )
    def test_near_enough(self, found, expected):
        assert first_difference(found, expected, 1e-4) is None

    def test_shown(self):
        assert shown(torch.zeros(3, 4, 5)) == "a tensor of shape (3, 4, 5)"
        assert shown((1 / 3, "a")) == "[0.333333, 'a']" and shown(RudeObject()) == "a RudeObject"

    def test_zero_has_no_sign_and_one_value_no_plural(self):
        assert shown([-0.0, 0.0]) == "[0, 0]" and shown(torch.tensor([-0.0])) == "[0]"
        assert first_difference(-0.0, 0.5, 1e-4) == "0 instead of 0.5"
        assert first_difference([2.0], [], 1e-4) == "1 value instead of 0"
        assert first_difference(-1.0, [], 1e-4) == "a number instead of 0 values"


class TestJudgedByWhatComesOut:
    """Lesson 10: an answer is right when the words that it leads to follow the target's
    distribution."""

    @pytest.mark.parametrize(
        "answer, words",
        [
            (lambda p, q, r: True, "a truth value instead of 4,000 truth values"),
            (lambda p, q, r: [True], "1 value instead of 4,000"),
            (lambda p, q, r: (r < q / p)[:, None], "[False] for a word"),
            (lambda p, q, r: torch.full_like(p, 0.5), "0.5 for a word: True (accepted) or False"),
            (lambda p, q, r: torch.full_like(p, math.nan), "nan for a word"),
            (lambda p, q, r: r < min(1, q / p), "RuntimeError in line"),
            (
                lambda p, q, r: torch.zeros_like(p),
                "word 0 came 0 times where the target's distribution wants 1,600",
            ),
        ],
    )
    def test_which_words_stand(self, answer, words):
        text = repr(exercises.check("accepted", answer))
        assert "In the case “a draft that is too sure”" in text and words in text, text

    @pytest.mark.parametrize(
        "answer, words",
        [
            (lambda p, q: 0.5, "0.5 instead of 4 probabilities"),
            (lambda p, q: q[:2], "2 values instead of 4"),
            (lambda p, q: [q], "instead of 4 probabilities"),
            (lambda p, q: -q, "a number from 0 to 1"),
            (lambda p, q: 2 * q, "sums to 2: a distribution sums to 1"),
            (lambda p, q: q / 0, "a number from 0 to 1"),
            (lambda p, q: ["a"] * 4, "instead of 4 probabilities"),
            (lambda p, q: q, "does not follow the target"),
        ],
    )
    def test_what_replaces_a_refused_word(self, answer, words):
        text = repr(exercises.check("residual", answer))
        assert "In the case “a draft that is too sure”" in text and words in text, text

    def test_a_word_that_the_target_never_writes_may_not_come_out(self):
        rule = accepted

        def too_kind(p, q, r):
            return rule(p, q, r) | (q == 0.0) & (r < 0.01)

        text = repr(exercises.check("accepted", too_kind))
        assert "word 1, which the target never writes, came out" in text

    def test_a_slight_fault_is_found_and_an_exact_answer_is_not(self):
        assert exercises.check("accepted", lambda p, q, r: (1 - r) * p < q)
        assert not exercises.check("accepted", lambda p, q, r: 1.25 * r * p < q)
