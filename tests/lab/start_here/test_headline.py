"""The headline in pictures and words: sentences quote what was measured, and say so where it is not
the words."""

from __future__ import annotations

import pytest
from matplotlib.figure import Figure

from seqkd_lab.lab.shared import lesson
from seqkd_lab.lab.shared.score_figures import gains_by_seed, scores_figure, seeds_figure
from seqkd_lab.lab.shared.scores import Score
from seqkd_lab.lab.shared.style import OTHER, role_of
from seqkd_lab.lab.start_here import words
from seqkd_lab.runs.committed import committed_seed, results_path
from seqkd_lab.runs.recipes import BASELINE, SEQ_KD, TEACHER
from seqkd_lab.studies.live import MODE
from seqkd_lab.studies.table1.table import read_results

SCORES = {
    TEACHER: Score(100, (96.0, 96.5), (0.98, 0.99), 0.06, 0.01, 0.6),
    BASELINE: Score(100, (86.0, 88.5), (0.50, 0.60), 0.02, 0.01, 0.45),
    SEQ_KD: Score(100, (93.0, 93.5), (0.70, 0.72), 0.26, 0.01, 0.88),
}


def changed(name: str, **values) -> dict[str, Score]:
    return SCORES | {name: Score(**(vars(SCORES[name]) | values))}


def rows(baseline: float, seq_kd: float, to_baseline: float, to_seq_kd: float) -> dict:
    return {
        BASELINE: {"greedy": {"bleu": baseline}, "beam": {"bleu": baseline + to_baseline}},
        SEQ_KD: {"greedy": {"bleu": seq_kd}, "beam": {"bleu": seq_kd + to_seq_kd}},
    }


BY_SEED = {"21": rows(86, 92, 2, 1), "22": rows(85, 93, 3, 0.5), "23": rows(88, 87, 1, 1.5)}


class TestWords:
    def test_every_number_is_quoted(self):
        text = words.headline_in_words(SCORES).text
        for number in (
            "93.0",
            "86.0",
            "+7.0",
            "+2.5",
            "+0.5",
            "50%",
            "70%",
            "98%",
            "0.020",
            "0.260",
        ):
            assert number in text
        assert "This is the paper's headline" in text

    @pytest.mark.parametrize(
        "scores",
        [
            changed(SEQ_KD, bleu=(85.0, 85.1)),
            changed(SEQ_KD, valid=(0.4, 0.4)),
            changed(SEQ_KD, bleu=(93.0, 96.0)),
        ],
    )
    def test_where_it_is_not_so_the_words_say_so(self, scores):
        text = words.headline_in_words(scores).text
        assert "**not** the paper's headline" in text

    def test_what_is_missing_is_named(self):
        assert (
            "the beam adds less to it"
            in words.headline_in_words(changed(SEQ_KD, bleu=(93.0, 96.0))).text
        )
        assert (
            "is better than the baseline"
            in words.headline_in_words(changed(SEQ_KD, valid=(0.4, 0.4))).text
        )

    def test_the_seeds_are_counted(self):
        text = words.seeds_in_words(BY_SEED, 21).text
        assert (
            "between -1.0 and +8.0" in text
            and "above 0 in 2 of them" in text
            and "In 2 of them the beam" in text
        )
        assert "seed 21" in text


class TestPictures:
    def test_colours_are_those_of_the_roles(self):
        assert role_of("seq-kd + ỹ") == role_of(SEQ_KD) == role_of(MODE) != role_of(BASELINE)
        assert role_of("teacher's samples") != role_of(TEACHER) and role_of("else") == OTHER

    def test_the_scores_stay_within_the_scale_of_bleu(self):
        figure = scores_figure(SCORES, 5)
        assert isinstance(figure, Figure) and lesson.png(figure).startswith(b"\x89PNG")
        bleu, valid, _ = figure.axes
        assert bleu.get_xlim()[1] == 100.0 and valid.get_xlim() == (0.0, 1.0)
        assert {text.get_text() for text in bleu.texts} == {
            f"{score.bleu[0]:.1f}, the beam adds {score.beam_gain:+.1f}"
            for score in SCORES.values()
        }

    def test_every_seed_is_a_dot_and_the_committed_one_is_ringed(self):
        axes = seeds_figure(BY_SEED, 22).axes[0]
        dots = [
            line for line in axes.lines if line.get_marker() == "o" and len(line.get_xdata()) == 3
        ]
        assert [list(line.get_xdata()) for line in dots] == [[6, 8, -1], [2, 3, 1], [1, 0.5, 1.5]]
        rings = [line.get_xdata()[0] for line in axes.lines if line.get_markersize() == 17]
        assert rings == [8, 3, 0.5]

    def test_a_single_seed_has_no_interval_and_can_be_drawn(self):
        assert lesson.png(seeds_figure({"21": BY_SEED["21"]}, 21)).startswith(b"\x89PNG")

    def test_the_committed_table_has_the_committed_seed(self):
        by_seed = read_results(results_path("table1.json"))["by_seed"]
        assert str(committed_seed()) in by_seed
        gains = gains_by_seed([by_seed[seed] for seed in sorted(by_seed, key=int)])
        assert all(len(values) == len(by_seed) for values, _ in gains.values())
