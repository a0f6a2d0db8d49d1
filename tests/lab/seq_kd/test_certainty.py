"""How sure models are of their translations, and the picture of it."""

from __future__ import annotations

import math

import pytest

from seqkd_lab.decoding.search import Hypothesis
from seqkd_lab.evaluation import OutputScore
from seqkd_lab.lab.seq_kd.certainty import certainty_figure
from seqkd_lab.lab.shared.translated import Translated, translated
from seqkd_lab.runs.committed import checkpoint_directory, load_committed


def hypothesis(words: str, p: float) -> Hypothesis:
    return Hypothesis(tuple(words.split()), math.log(p), math.log(p))


SCORE = OutputScore(50.0, 20.0, 1.0, 1.0, 0.5, 1.0)


class TestCertainty:
    def test_shares_are_counted_among_sentences_that_are_sure_enough(self):
        beam = (hypothesis("a", 0.6), hypothesis("b", 0.1), hypothesis("c", 0.2))
        greedy = (hypothesis("a", 0.6), hypothesis("x", 0.05), hypothesis("c", 0.2))
        found = Translated(greedy, beam, (SCORE, SCORE))
        assert found.p_mode == pytest.approx(0.3) and found.p_mode_error > 0
        assert found.same_share() == (pytest.approx(2 / 3), 3) and found.same_share(0.5) == (1.0, 1)
        assert found.same_share(0.9) == (1.0, 0)

    def test_where_the_best_has_more_than_half_greedy_finds_it(self, toy):
        """The lesson's proof, with a model that is sure often enough."""
        model = load_committed(checkpoint_directory("seq-kd"))
        share, n = translated({"sure": model}, toy, 100, 5)["sure"].same_share(0.5)
        assert n > 0 and share == 1.0


class TestFigure:
    def test_it_says_its_numbers(self, toy, toy_models):
        by_model = translated(toy_models, toy, 12, 2)
        figure = certainty_figure(by_model)
        texts = [text.get_text() for axes in figure.axes for text in [*axes.texts, *axes.artists]]
        number = f"{by_model['baseline'].same_share()[0]:.2f}".strip("0")
        assert any(number in text for text in texts if text), (number, texts)
        figure.savefig("/dev/null", format="png")

    def test_more_than_can_be_told_apart_is_refused(self):
        by_model = Translated(
            (hypothesis("a", 0.6),) * 2, (hypothesis("a", 0.6),) * 2, (SCORE, SCORE)
        )
        with pytest.raises(ValueError, match="told apart"):
            certainty_figure({str(n): by_model for n in range(7)})
