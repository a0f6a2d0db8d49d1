"""The game of beam search: its rules are the search's, its numbers are the model's, its sentences
are true."""

from __future__ import annotations

import itertools
import math
import random

import pytest

from seqkd_lab.decoding.scoring import sentence_log_probs
from seqkd_lab.decoding.search import search
from seqkd_lab.lab.beam.game import END, BeamGame, NextWords
from seqkd_lab.lab.beam.game_picture import BEAM, GREEDY, YOU, Path, end_of_game, label_heights
from seqkd_lab.lab.beam.game_view import BeamGameView
from seqkd_lab.lab.beam.notebook import finished_game
from seqkd_lab.lab.shared import lesson
from seqkd_lab.lab.shared.digits import deciding_digits, shown_number

SOURCES = [("bee", "cat", "ant"), ("ant",), ("cat", "bee")]


class TestGame:
    @pytest.mark.parametrize(
        "seed, beam_size, source", list(itertools.product(range(3), (1, 2, 5), SOURCES))
    )
    def test_whoever_keeps_the_best_plays_beam_search(self, make_model, seed, beam_size, source):
        model = make_model(seed, sharpness=2.0)
        game = BeamGame(NextWords(model, source), beam_size)
        while not game.over:
            game.keep_best()
        best = search(model, [source], beam_size)[0][0]
        assert game.best.tokens == best.tokens and game.best.log_prob == pytest.approx(
            best.log_prob, abs=1e-4
        )

    def test_any_choice_has_the_log_p_that_the_model_gives_it(self, make_model):
        model, chance = make_model(3, sharpness=2.0), random.Random(0)
        for source in SOURCES:
            game = BeamGame(NextWords(model, source), 2)
            while not game.over:
                candidates = game.candidates(6)
                game.keep(chance.sample(candidates, min(2, len(candidates))))
            (exact,) = sentence_log_probs(model, [source], [game.best.tokens])
            assert game.best.log_prob == pytest.approx(exact, abs=1e-4)
            path = game.next_words.along(game.best.words)
            assert path[-1] == pytest.approx(exact, abs=1e-4) and list(path) == sorted(
                path, reverse=True
            )

    def test_undo_takes_a_step_back_and_what_is_not_allowed_is_refused(self, make_model):
        game = BeamGame(NextWords(make_model(0), SOURCES[0]), 1)
        before = game.kept
        game.undo()
        assert game.kept == before, "there is nothing to take back at the start"
        game.keep_best()
        game.undo()
        assert game.kept == before and game.n_steps == 0
        for chosen in ([], game.candidates(2)):
            with pytest.raises(ValueError, match="keep 1 to 1"):
                game.keep(chosen)
        while not game.over:
            game.keep_best()
        with pytest.raises(ValueError, match="over"):
            game.keep_best()


@pytest.fixture
def view(toy, toy_models) -> BeamGameView:
    short = sorted(toy.test.source, key=len)[:2]
    return BeamGameView(toy_models["baseline"], [lesson.TICKET, *short], toy.language)


def press_best(view: BeamGameView) -> None:
    """Presses the first buttons until the step is taken."""
    step, game = view.game.n_steps, view.game
    for button in view.candidates:
        if view.game is game and game.n_steps == step:
            button.click()


class TestView:
    def test_the_top_word_each_time_is_greedy_search(self, view):
        while not view.game.over:
            press_best(view)
        greedy = search(view.model, [view.source], 1)[0][0]
        assert view.paths()[YOU].words == (*greedy.tokens, END) == view.paths()[GREEDY].words
        assert view.paths()[YOU].log_prob == pytest.approx(greedy.log_prob, abs=1e-4)
        assert "You and greedy search wrote the same translation" in view.text.value
        assert all(button.disabled for button in view.candidates) and view.beam_step.disabled

    @pytest.mark.slow
    def test_the_best_k_each_time_are_the_beam(self, view):
        view.own_size.value, view.rival.value = 3, 3
        while not view.game.over:
            press_best(view)
        assert view.paths()[YOU].words == view.paths()[BEAM].words
        assert "You and the beam of 3 wrote the same translation" in view.text.value
        assert "A beam of 3 keeps your translation to the end" in view.text.value

    def test_what_the_rivals_wrote_is_shown_as_far_as_the_player_has_come(self, view):
        for step in range(3):
            assert {len(path.words) for path in view.paths().values()} == {step}
            view.beam_step.click()

    @pytest.mark.slow
    def test_in_any_order_of_events_the_controls_and_the_picture_agree(self, view):
        chance, actions = (
            random.Random(1),
            [view.undo, view.again, view.beam_step, *view.candidates],
        )
        for _ in range(250):
            kind = chance.random()
            if kind < 0.85:
                chance.choice(actions).click()
            else:
                control = chance.choice([view.sentence, view.own_size, view.rival])
                control.value = chance.choice([0, 1, 2] if control is view.sentence else [1, 2, 3])
            self.check(view)

    def check(self, view: BeamGameView) -> None:
        assert view.game.next_words is view._next_words(view.source), (
            "the sentence that is chosen is played"
        )
        assert view.game.beam_size == view.own_size.value
        assert " ".join(view.source) in view.text.value
        offered = [] if view.game.over else view.game.candidates(8)
        shown = [button for button in view.candidates if not button.disabled]
        assert [button.tooltip.partition(", log p")[0] for button in shown] == [
            " ".join("(end)" if word == END else word for word in candidate.words)
            for candidate in offered
        ]
        marked = sum(button.description.startswith("✓") for button in shown)
        assert marked < view.game.beam_size and bytes(view.image.value[:4]) == b"\x89PNG"
        if view.game.n_steps:
            assert f"beam of {view.rival.value}" in view.text.value
            step = view._drawing._lines[YOU].get_xdata()[-1]
            assert step == len(view.game.best.words)

    def test_numbers_tell_neighbours_apart(self, view):
        for _ in range(4):
            numbers = [button.description.rsplit("   ", 1)[1] for button in view.candidates]
            values = [candidate.log_prob for candidate in view._offered]
            far = [abs(a - b) > 1e-4 for a, b in itertools.pairwise(values)]
            assert all(
                a != b
                for (a, b), apart in zip(itertools.pairwise(numbers), far, strict=True)
                if apart
            )
            view.beam_step.click()


def test_the_still_twin_is_a_game_in_which_the_player_is_greedy(toy, toy_models, tmp_path):
    figure = finished_game(toy_models["baseline"], lesson.TICKET, 5)
    figure.savefig(tmp_path / "game.png")
    you, greedy, _ = (line.get_ydata() for line in figure.axes[0].get_lines())
    assert list(you) == list(greedy)


def test_labels_keep_their_order_and_their_distance():
    for values in ({"a": -4.0, "b": -4.01, "c": -4.02}, {"a": -30.0, "b": -2.0, "c": -8.95}):
        heights = sorted(label_heights(values).items(), key=lambda item: -item[1])
        assert [name for name, _ in heights] == sorted(values, key=lambda name: -values[name])
        assert all(a - b > 1.0 for (_, a), (_, b) in itertools.pairwise(heights))


class TestEnd:
    SOURCE = lesson.TICKET
    GOOD, BAD = (
        tuple(f"mein Ticket war neu und der Arzt versteckte {word} .".split())
        for word in ("es", "ihn")
    )

    def said(self, toy, you: tuple, greedy: tuple, beam: tuple) -> str:
        paths = {
            name: Path((*words, END), (log_prob,))
            for name, (words, log_prob) in zip(
                (YOU, GREEDY, BEAM), (you, greedy, beam), strict=True
            )
        }
        return " ".join(end_of_game(paths, 4, self.SOURCE, toy.language))

    def test_who_is_more_probable_and_what_is_valid(self, toy):
        said = self.said(toy, (self.GOOD, -4.2968), (self.BAD, -4.2961), (self.BAD, -4.2961))
        assert "log p −4.297, greedy search's −4.296" in said
        assert (
            "The language accepts your translation." in said and said.count("does not accept") == 2
        )
        assert "finds the translation of greedy search more probable" in said
        said = self.said(toy, (self.BAD, -4.1), (self.GOOD, -4.3), (self.BAD, -4.1))
        assert "You found a more probable translation than greedy search." in said
        assert "You and the beam of 4 wrote the same translation." in said
        assert (
            "does not accept your translation: word 9 'ihn'" in said
            and "accepts greedy search's" in said
        )


class TestDigits:
    @pytest.mark.parametrize(
        "values, digits",
        [
            ([], 2),
            ([-1.0], 2),
            ([-1.0, -2.0], 2),
            ([-4.363, -4.364], 3),
            ([-1.70, -1.71, -1.7104], 4),
            ([-1.0, -1.0], 2),
            ([-1.0, -1.00001], 2),
            ([-4.16466, -4.16455], 4),
        ],
    )
    def test_as_many_as_decide(self, values, digits):
        assert deciding_digits(values) == digits == deciding_digits(values[::-1])

    def test_at_random(self):
        chance = random.Random(2)
        for _ in range(200):
            values = [chance.uniform(-2, 0) * chance.choice((1, 0.01)) for _ in range(5)]
            digits = deciding_digits(values)
            ranked = sorted(values)
            far = [(a, b) for a, b in itertools.pairwise(ranked) if b - a > 1e-4]
            assert all(shown_number(a, digits) != shown_number(b, digits) for a, b in far)

    def test_a_zero_has_no_sign(self):
        assert shown_number(-0.0001, 2) == "0.00" and shown_number(-1.5, 2) == "−1.50"
        assert shown_number(math.log(1.0), 3) == "0.000"
