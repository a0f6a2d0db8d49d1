"""Lesson 00: its picture, what BLEU counts, whether a model is faster, and sentences that are true
of their numbers."""

from __future__ import annotations

from types import SimpleNamespace

import notebook_runs
import pytest

from seqkd_lab.corpus.toy import ToyLanguage
from seqkd_lab.lab.shared import exercises, lesson
from seqkd_lab.lab.shared.comparison import Comparison, Row
from seqkd_lab.lab.shared.predictions import CANNOT_TELL
from seqkd_lab.lab.shared.scores import Score
from seqkd_lab.lab.start_here import notebook as start_here
from seqkd_lab.lab.start_here.figures import corpora_figure
from seqkd_lab.lab.start_here.notebook import BASELINE, SEQ_KD, TEACHER

SCORES = {
    TEACHER: Score(100, (96.0, 96.5), (0.98, 0.99), 0.06, 0.01, 0.6),
    BASELINE: Score(100, (86.0, 88.5), (0.50, 0.60), 0.02, 0.01, 0.45),
    SEQ_KD: Score(100, (93.0, 93.5), (0.70, 0.72), 0.26, 0.01, 0.88),
}
SECONDS = {TEACHER: (1.0, 4.0), BASELINE: (0.5, 1.0), SEQ_KD: (0.52, 1.1)}


def model(n_parameters: int, width: int) -> SimpleNamespace:
    return SimpleNamespace(n_parameters=lambda: n_parameters, spec=SimpleNamespace(width=width))


def comparison(**faults: str | None) -> Comparison:
    names = {"teacher": TEACHER, "baseline": BASELINE, "seq_kd": SEQ_KD}
    p = {"teacher": 0.12, "baseline": 0.016, "seq_kd": 0.234}
    return Comparison(
        "s",
        tuple(Row(names[key], "greedy", "t", p[key], 0.0, fault) for key, fault in faults.items()),
    )


class TestWhoLearns:
    def test_the_picture_holds_every_sentence_and_size(self):
        figure = corpora_figure(
            lesson.TICKET,
            lesson.TICKET_GOLD,
            ("meine", "Fahrkarte", "."),
            24_000,
            {TEACHER: 442_399, BASELINE: 32_863, SEQ_KD: 32_864},
        )
        texts = " ".join(text.get_text() for text in figure.axes[0].texts)
        for part in (
            "24,000",
            "442,399",
            "32,863",
            "32,864",
            "My ticket",
            "Mein Ticket",
            "Meine Fahrkarte",
        ):
            assert part in texts
        assert lesson.png(figure).startswith(b"\x89PNG")

    def test_the_answers_quote_the_models(self):
        models = {TEACHER: model(442_399, 128), SEQ_KD: model(32_863, 20)}
        text = start_here.no_copy(models)
        assert "442,399" in text and "32,863" in text and "128" in text and "20" in text
        assert "24,000" in start_here.no_teacher_at_work(24_000)


class TestBleu:
    def test_counts_of_one_wrong_word(self):
        wrong = tuple("ihn" if word == "es" else word for word in lesson.TICKET_GOLD)
        found = start_here.agreement(wrong, lesson.TICKET_GOLD)
        assert found.matches == ((9, 10), (7, 9), (6, 8), (5, 7))
        assert found.bleu == pytest.approx(100 * (0.9 * 7 / 9 * 0.75 * 5 / 7) ** 0.25)
        text = start_here.bleu_in_words(found, str(ToyLanguage().explain(lesson.TICKET, wrong)))
        assert (
            "9 of its 10 words, 7 of 9" in text
            and "78 BLEU" in text
            and "not a valid translation: word 9" in text
        )

    def test_a_sequence_counts_as_often_as_the_reference_has_it(self):
        assert start_here.agreement("a a b c".split(), "a b c d".split()).matches[:2] == (
            (3, 4),
            (2, 3),
        )

    def test_a_valid_translation_is_called_valid(self):
        found = start_here.agreement(lesson.TICKET_GOLD, lesson.TICKET_GOLD)
        assert "100 BLEU" in start_here.bleu_in_words(found, None)
        assert "is a valid translation" in start_here.bleu_in_words(found, None)


class TestTicket:
    @pytest.mark.parametrize(
        "faults, said",
        [
            (
                {"teacher": None, "baseline": "x", "seq_kd": "x"},
                "The teacher translates this sentence without a mistake. The baseline and Seq-KD "
                "make one each. Of the two students, Seq-KD is more certain",
            ),
            (
                {"teacher": None, "baseline": "x", "seq_kd": None},
                "The teacher and Seq-KD translate this sentence without a mistake. The baseline "
                "makes one.",
            ),
            (
                {"teacher": None, "baseline": None, "seq_kd": None},
                "The teacher, the baseline and Seq-KD translate",
            ),
            ({"teacher": "x", "baseline": "x", "seq_kd": "x"}, "No model translates this sentence"),
        ],
    )
    def test_who_is_right(self, faults, said):
        text = start_here.ticket_in_words(comparison(**faults))
        assert text.startswith(said) and "p = 0.234 against 0.016" in text
        assert ("sure and wrong" in text) == (faults["seq_kd"] is not None)

    def test_a_sentence_that_the_language_does_not_have(self):
        assert "choose another sentence" in start_here.ticket_in_words(
            Comparison("zebra", trouble="no zebra")
        )


class TestSpeed:
    def test_times_that_differ_by_chance_are_alike(self):
        assert start_here.faster_student(SECONDS) == start_here.ALIKE
        assert start_here.faster_student(SECONDS | {SEQ_KD: (0.2, 1.0)}) == start_here.THE_SEQ_KD
        assert (
            start_here.faster_student(SECONDS | {BASELINE: (0.2, 1.0)}) == start_here.THE_BASELINE
        )

    def test_the_answer_quotes_the_times_and_admits_a_difference(self):
        text = start_here.speed_in_words(SECONDS, 500)
        assert (
            text.startswith("No. Both students")
            and "factor of 7.7" in text
            and "0.50" in text
            and "0.52" in text
        )
        assert not start_here.speed_in_words(SECONDS | {SEQ_KD: (0.2, 1.0)}, 500).startswith("No.")

    def test_every_model_and_search_is_measured(self, toy, toy_models):
        seconds = start_here.seconds_to_translate(toy_models, toy.test.source[:2], repeats=1)
        assert set(seconds) == set(toy_models)
        assert all(0.0 < value < float("inf") for pair in seconds.values() for value in pair)


class TestHeadline:
    def test_the_explanation_follows_the_scores(self):
        text = start_here.explained(SCORES)
        assert "0.260" in text and "0.020" in text and "88%" in text and "45%" in text
        swapped = start_here.explained(
            SCORES | {SEQ_KD: SCORES[BASELINE], BASELINE: SCORES[SEQ_KD]}
        )
        assert "is not borne out here" in swapped and "is concentrated" not in swapped

    def test_who_needs_the_beam_is_told_by_the_seeds(self):
        def results(*gains: tuple[float, float]) -> dict:
            rows = [
                {
                    name: {"greedy": {"bleu": 80.0}, "beam": {"bleu": 80.0 + gain}}
                    for name, gain in zip((BASELINE, SEQ_KD), pair, strict=True)
                }
                for pair in gains
            ]
            return {"by_seed": {str(seed): row for seed, row in enumerate(rows)}}

        assert (
            start_here.student_that_needs_the_beam(results((2, 1), (3, 1), (2, 0)))
            == start_here.THE_BASELINE
        )
        assert (
            start_here.student_that_needs_the_beam(results((1, 2), (1, 3), (0, 2)))
            == start_here.THE_SEQ_KD
        )
        assert (
            start_here.student_that_needs_the_beam(results((1, 2), (3, 1), (2, 2))) == CANNOT_TELL
        )
        assert (
            start_here.student_that_needs_the_beam(lesson.table_results())
            == start_here.THE_BASELINE
        )


class TestNotebook:
    cells = notebook_runs.read(notebook_runs.NOTEBOOKS / lesson.lessons()[0].file).cells
    code = [cell.source for cell in cells if cell.cell_type == "code"]

    def test_its_one_exercise_is_whole(self):
        (exercise,) = exercises.of_lesson(0)
        assert (
            f'{exercise.stub.rstrip()}\n\n\nexercises.check("{exercise.key}", {exercise.key})'
            in self.code
        )
        for call in ("task", "hint", "solution"):
            assert any(f'exercises.{call}("{exercise.key}"' in source for source in self.code)
        assert f"and {exercise.minutes} for the exercise" in self.cells[0].source

    def test_its_first_picture_comes_before_anything_that_takes_time(self):
        """Of the cells before the picture only the set-up and the picture's own run code."""
        assert "who_learns_figure" in self.code[1] and "lesson.Bar(" not in self.code[0]

    def test_it_asks_before_it_scores_and_answers_its_three_misconceptions(self):
        text = "\n".join(self.code)
        for key in ("00 greedy gain", "00 beam", "00 speed"):
            assert text.index(f'"{key}"') < text.index(f'predictions.score("{key}"')
        for answer in ("no_copy", "no_teacher_at_work", "speed_in_words"):
            assert f"lesson.answer(start_here.{answer}(" in text
