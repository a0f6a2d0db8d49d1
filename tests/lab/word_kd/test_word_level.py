"""Lesson 04's measures equal torch's and the language's, and its sentences are true in both
directions."""

from __future__ import annotations

import math
from types import SimpleNamespace

import pytest
import torch

from seqkd_lab.corpus.vocabulary import EOS
from seqkd_lab.lab.shared import lesson
from seqkd_lab.lab.shared.digits import percent, signed
from seqkd_lab.lab.shared.next_words import SentenceReading
from seqkd_lab.lab.shared.predictions import CANNOT_TELL
from seqkd_lab.lab.word_kd import notebook as word_kd
from seqkd_lab.lab.word_kd import paths
from seqkd_lab.lab.word_kd.loss import Waste
from seqkd_lab.lab.word_kd.map_results import Cell
from seqkd_lab.lab.word_kd.mixing import WordGradient, gold_id, mixture_at, shown_words
from seqkd_lab.lab.word_kd.paths import Walk, rates_in_words
from seqkd_lab.lab.word_kd.pulls import TEMPERATURES, Pulls
from seqkd_lab.runs.recipes import BASELINE, SEQ_KD, TEACHER, WORD_KD
from seqkd_lab.studies.word_kd_map import MapRun

TAUS = (1.0, 4.0)


@pytest.fixture(scope="module")
def models(toy_models) -> dict:
    return {**toy_models, WORD_KD: toy_models[SEQ_KD]}


class TestMeasures:
    def test_the_formula_of_the_pull_is_what_autograd_finds_and_balance_makes_it_flat(
        self, toy, models
    ):
        corpus = toy.test[:6]
        found = word_kd.pulls(models, corpus)
        for tau in (0.25, 1.0, 2.8, 8.0):
            assert found.at(tau) == pytest.approx(
                word_kd.pull_by_autograd(models, corpus, tau), rel=1e-4
            )
            place = found.temperatures.index(tau)
            assert found.without[place] == pytest.approx(found.with_factor[place] / tau**2)
        assert found.balanced == pytest.approx([found.at(1.0)] * len(found.temperatures), rel=1e-4)

    def test_with_its_factor_the_pull_tends_to_hintons_limit(self, toy, models):
        found = word_kd.pulls(models, toy.test[:6], temperatures=(1.0, 1000.0))
        assert found.at(1000.0) == pytest.approx(found.limit, rel=0.01)

    def test_the_teachers_own_loss_is_the_floor(self, toy, models):
        losses = word_kd.word_kd_losses(models, toy.test[:6])
        assert losses[TEACHER] == min(losses.values()) and losses[BASELINE] > losses[TEACHER]

    def test_waste_is_what_the_language_leaves_over(self, toy, models):
        source, gold = toy.test.source[0], toy.test.target[0]
        found = word_kd.softening_waste(models, toy.test[:1], toy.language, (0.5, 1.0, 1000.0))
        reading, left = (
            SentenceReading({n: models[n] for n in (TEACHER, BASELINE)}, source, gold),
            [],
        )
        for t in range(len(gold) + 1):
            allowed = [
                EOS if w == "</s>" else reading.vocabulary.ids([w])[0]
                for w in toy.language.next_token(source, gold[:t])
            ]
            left.append(1.0 - float(reading.log_prob[TEACHER][t].exp()[allowed].sum()))
        assert found[1.0].target == pytest.approx(sum(left) / len(left), abs=1e-5)
        assert found[1000.0].target == pytest.approx(1.0, abs=0.05) and all(
            0 <= w.pull <= 1 for w in found.values()
        )

    def test_a_gradient_turns_where_it_is_said_to(self, toy, models):
        n_turns = 0
        for place in range(3):
            reading = SentenceReading(
                {n: models[n] for n in (TEACHER, BASELINE)},
                toy.test.source[place],
                toy.test.target[place],
            )
            for position, word in word_kd.turning_words(reading, least=0.01):
                k = EOS if word.word == "</s>" else reading.vocabulary.ids([word.word])[0]
                assert k != gold_id(reading, position) and word.turns_at == pytest.approx(
                    word.student / word.teacher
                )
                here = mixture_at(reading, position, BASELINE, word.turns_at, 1.0).gradient[k]
                assert abs(float(here)) < 1e-9 and word.at_gold_alone > 0.0 > word.at_teacher_alone
                n_turns += 1
        assert n_turns

    def test_a_word_that_keeps_its_sign_turns_nowhere(self):
        assert WordGradient("a", 0.1, 0.3, 0.3, 0.2).turns_at is None
        assert WordGradient("a", 0.6, 0.3, 0.3, -0.3).turns_at == pytest.approx(0.5)


class TestPaths:
    def language(self):
        """Allows the words a and b in any order, three at most; then the end."""

        def next_token(source, prefix):
            return {"a": 0.5, "b": 0.5} if len(prefix) < 3 else {"</s>": 1.0}

        return SimpleNamespace(next_token=next_token)

    def walk(self, output: str, path: str) -> Walk:
        return paths.walk([tuple(output)], [tuple(path)], [("x",)], self.language())

    @pytest.mark.parametrize(
        "output, path, on, off, slip_on, slip_off",
        [
            ("aba", "aba", 4, 0, False, False),  # all of the path, the end included
            ("abb", "aba", 3, 1, False, False),  # the word that leaves is still written on the path
            ("baa", "aba", 1, 3, False, False),
            ("xba", "aba", 1, 0, True, False),  # the first word is a mistake
            ("abx", "aba", 3, 0, True, False),
            ("bax", "aba", 1, 2, False, True),
            ("ab", "aba", 3, 0, True, False),  # ends too early: the end is the mistake
            ("abab", "aba", 4, 0, True, False),  # does not end
            ("", "aba", 1, 0, True, False),
        ],
    )
    def test_words_count_on_and_off_the_path_up_to_the_first_mistake(
        self, output, path, on, off, slip_on, slip_off
    ):
        walk = self.walk(output, path)
        assert (walk.on, walk.off, walk.slip_on, walk.slip_off) == (
            (on,),
            (off,),
            (slip_on,),
            (slip_off,),
        )
        assert sum(walk.shares) == pytest.approx(1.0) and walk.share_off == float(slip_off)

    def test_the_share_still_on_the_path_falls_and_counts_what_is_as_long(self):
        walk = paths.walk(
            [tuple("aba"), tuple("ab"), tuple("bba")],
            [tuple("aba")] * 3,
            [("x",)] * 3,
            self.language(),
        )
        assert walk.still[:4] == pytest.approx((1.0, 2 / 3, 2 / 3, 1 / 3)) and math.isnan(
            walk.still[4]
        )

    def test_rates_and_their_interval(self):
        walk = Walk((10,) * 40, (10,) * 40, (False,) * 40, (True, False) * 20, (1.0,))
        low, high = walk.interval()
        assert walk.rates == (0.0, 5.0) and low < 5.0 < high and low > 0.0
        assert walk.share_off == 1.0 and walk.share_interval() == (1.0, 1.0)
        none = Walk((10,), (0,), (False,), (False,), (1.0,))
        assert none.share_off == 0.0 and none.rates == (0.0, 0.0)

    def test_seq_kd_is_measured_beside_the_teachers_translations(self, toy, models, monkeypatch):
        asked = {}

        def walk(outputs, path, sources, language):
            asked[len(asked)] = path
            return path

        monkeypatch.setattr(paths, "walk", walk)
        found = word_kd.walks(models, toy.test[:3], toy.language)
        assert list(found) == [name for name in models if name != TEACHER]
        assert found[BASELINE] == toy.test[:3].target != found[SEQ_KD]


def pulls_of(with_factor, limit=4.0, balanced=(1.0, 1.0)) -> Pulls:
    return Pulls(
        TAUS,
        with_factor,
        tuple(w / t**2 for w, t in zip(with_factor, TAUS, strict=True)),
        balanced,
        limit,
    )


class TestWords:
    def test_the_floor_is_told_with_its_distances(self):
        losses = {TEACHER: 0.4, BASELINE: 0.6, WORD_KD: 0.5, SEQ_KD: 1.4}
        said = word_kd.floor_answer(losses)
        assert "**0.400**" in said and "nearer to the teacher" in said and "did not" not in said
        assert (
            "farthest away (1.000)" in said
            and "| seq-kd | 1.400 | 1.000 |" in word_kd.losses_table(losses).text
        )
        said = word_kd.floor_answer({**losses, WORD_KD: 0.7, SEQ_KD: 0.5})
        assert "did not bring the student nearer" in said and "farthest" not in said

    @pytest.mark.parametrize(
        "teacher, option, told",
        [
            (0.5, word_kd.UP, "pushes it up, since q = 0.50 is above p"),
            (0.1, word_kd.LESS, "the teacher less, since q = 0.10 is below p"),
            (0.01, word_kd.AS_BEFORE, "hardly changes it"),
        ],
    )
    def test_what_happens_to_a_right_word(self, toy, models, teacher, option, told):
        reading = SentenceReading(
            {n: models[n] for n in (TEACHER, BASELINE)}, toy.test.source[0], toy.test.target[0]
        )
        word = WordGradient(toy.test.target[0][1], teacher, 0.3, 0.3, 0.3 - teacher)
        assert word_kd.what_happens(word) == option
        gold = WordGradient(toy.test.target[0][0], 0.4, 0.5, -0.5, 0.1)
        assert told in word_kd.mixing_in_words(reading, 0, gold, word).text

    def test_the_words_that_turn_are_named_with_their_places(self):
        turning = [
            (0, WordGradient("meine", 0.6, 0.3, 0.3, -0.3)),
            (2, WordGradient("es", 0.4, 0.3, 0.3, -0.1)),
        ]
        said = word_kd.turning_answer(turning, ("mein", "Ticket"))
        assert (
            "*meine* at the beginning, at α = 0.50" in said
            and "*es* after *Ticket*, at α = 0.75" in said
        )
        assert "no word turns" in word_kd.turning_answer([], ("mein",))

    def test_who_gets_the_probability_at_a_high_temperature(self, toy, models):
        reading = SentenceReading(
            {n: models[n] for n in (TEACHER, BASELINE)}, toy.test.source[0], toy.test.target[0]
        )
        shown = shown_words(reading, 0, BASELINE)
        assert "spreads it" in word_kd.rest_answer(reading, 0, shown, (1.0, 8.0))
        assert "does not move" in word_kd.rest_answer(reading, 0, shown, (8.0, 1.0))

    @pytest.mark.parametrize(
        "at_four, option, told",
        [
            (2.5, word_kd.GROWS, "does not keep"),
            (1.1, word_kd.SAME, "keeps the size"),
            (0.3, word_kd.SHRINKS, "even make up"),
        ],
    )
    def test_what_the_factor_does(self, at_four, option, told):
        found = pulls_of((1.0, at_four))
        assert word_kd.pull_change(found) == option and told in word_kd.pulls_in_words(found).text
        assert f"{at_four:.1f} times as large" in word_kd.pulls_in_words(found).text
        assert ("mix up" in word_kd.tau_squared_answer(found)) == (at_four > 1.0)
        assert (
            "should be flat"
            in word_kd.pulls_in_words(pulls_of((1.0, at_four), balanced=(1.0, 2.0))).text
        )

    def test_numbers_are_written_with_a_true_minus_and_few_digits(self):
        assert (signed(-0.123), percent(0.0345), percent(0.345)) == ("−0.12", "3.5%", "34%")


def map_of(values) -> dict:
    """A map in which each place has the seeds' values around `values` of it."""
    return {
        place: Cell(tuple(values.get(place, 70.0) + shift for shift in (-0.2, 0.0, 0.1, 0.3, -0.1)))
        for place in MapRun().places()
    }


def noisy(cell: Cell) -> Cell:
    return Cell(
        tuple(
            value + shift
            for value, shift in zip(cell.values, (9.0, -8.0, 7.0, -9.0, 2.0), strict=True)
        )
    )


class TestMapWords:
    def test_the_best_place_is_named_only_where_the_seeds_decide(self):
        bleu = map_of({(1.0, 0.5): 80.0})
        assert word_kd.best_place(bleu) == "α = 1, τ = 0.5"
        assert word_kd.best_place({**bleu, (1.0, 1.0): noisy(bleu[1.0, 0.5])}) == CANNOT_TELL

    @pytest.mark.parametrize("value, option", [(75.0, word_kd.ALL_TEACHER), (65.0, word_kd.HALF)])
    def test_the_teacher_alone_beside_half_and_half(self, value, option):
        bleu = map_of({(1.0, 1.0): value})
        assert (
            word_kd.all_teacher(bleu) == option
            and "cannot be told" not in word_kd.bleu_in_words(bleu).text
        )
        bleu[1.0, 1.0] = noisy(bleu[0.5, 1.0])
        assert (
            word_kd.all_teacher(bleu) == CANNOT_TELL
            and "told apart" in word_kd.bleu_in_words(bleu).text
        )

    @pytest.mark.parametrize(
        "value, option, told",
        [
            (71.0, word_kd.HIGHER, "**not** the best predictor"),
            (69.5, word_kd.LOWER, "do not show"),
            (69.0, word_kd.LOWER, "the best for both"),
        ],
    )
    def test_the_best_translator_beside_the_best_predictor(self, value, option, told):
        bleu, nll = map_of({(1.0, 0.5): 80.0}), map_of({(1.0, 0.5): value, (1.0, 1.0): 69.3})
        assert (
            word_kd.likelihood_there(nll) == option and told in word_kd.nll_in_words(bleu, nll).text
        )

    def test_every_difference_has_a_verdict_and_the_papers_own_is_summed_up(self):
        bleu = map_of({(1.0, 4.0): 30.0, (0.5, 0.5): 75.0})
        bleu[0.25, 2.0] = noisy(bleu[0.25, 2.0])
        text = word_kd.differences_table(bleu).text
        assert "| α = 1, τ = 4 | −40.0 |" in text and text.count("worse |") >= 1
        assert "| α = 0.5, τ = 0.5 | +5.0 | +5.0 to +5.0 | better |" in text and "undecided" in text
        assert "**Not reproduced**" in text
        text = word_kd.differences_table(map_of({(0.5, 1.0): 75.0})).text
        assert "**Reproduced**" in text and "gold alone at α = 0.5, τ = 1." in text

    def test_waste_explains_only_where_it_grows(self):
        grows = {0.5: Waste(0.01, 0.2), 4.0: Waste(0.9, 0.95)}
        assert "cannot stand there, which fits" in word_kd.waste_answer(grows)
        flat = {0.5: Waste(0.1, 0.2), 4.0: Waste(0.1, 0.2)}
        assert "does not move the teaching" in word_kd.waste_answer(flat)

    def walks(
        self, seq_on=9, slips=(True, False, False, False), word_slips=None
    ) -> dict[str, Walk]:
        clean, slips = (False,) * 40, slips * 10
        still = (1.0, 0.8, 0.6, 0.4, 0.2)
        word_kd = Walk(
            (5,) * 40, (5,) * 40, clean, slips if word_slips is None else word_slips * 10, still
        )
        return {
            BASELINE: Walk((4,) * 40, (6,) * 40, clean, slips, still),
            WORD_KD: word_kd,
            SEQ_KD: Walk((seq_on,) * 40, (10 - seq_on,) * 40, clean, slips, still),
        }

    def test_more_mistakes_off_the_path_are_said_with_their_caution(self):
        said = word_kd.walks_in_words(self.walks()).text
        assert "20% for word-kd" in said and "In 100% of these" in said and "does not prove" in said
        even = Walk((5,) * 40, (5,) * 40, (True, False) * 20, (False, True) * 20, (1.0,) * 5)
        assert "contains 0" in rates_in_words(even)
        turned = Walk((5,) * 40, (5,) * 40, (True,) * 40, (False,) * 40, (1.0,) * 5)
        assert "*less* frequent" in rates_in_words(turned)

    def test_what_alpha_and_tau_cannot_change(self):
        said = word_kd.path_answer(self.walks())
        assert "Word-KD 50%, Seq-KD 90%" in said and "stays on it longer" in said
        assert "do not tell Word-KD and Seq-KD apart" in said
        assert "does not stay on its path longer" in word_kd.path_answer(self.walks(seq_on=2))
        fewer = word_kd.path_answer(self.walks(word_slips=(True, True, True, True)))
        assert "So seq-kd makes fewer mistakes" in fewer


def test_the_pictures_draw(tmp_path):
    taus = TEMPERATURES
    found = Pulls(taus, tuple(range(11)), (0.5,) * 11, (0.2,) * 11, 12.0)
    figure = word_kd.pulls_figure(found)
    assert figure.axes[0].get_ylim()[1] > 12.0
    figure.savefig(tmp_path / "pulls.png")
    walk = Walk((4,) * 4, (6,) * 4, (False,) * 4, (True, False, False, False), (1.0, 0.5))
    figure = word_kd.walks_figure({BASELINE: walk, WORD_KD: walk})
    texts = [text.get_text() for text in figure.findobj(lambda artist: hasattr(artist, "get_text"))]
    assert texts.count("75") == 2 and figure.axes[1].get_xlim() == (0.0, 100.0)
    figure.savefig(tmp_path / "walks.png")


def test_the_explorer_opens_at_the_ticket(toy, models):
    explorer = word_kd.make_explorer(models, toy.test, 1)
    assert explorer.position.value == 1 and explorer.corpus.source[0] == lesson.TICKET
    assert len(explorer.corpus) == 30 and explorer.reading.target == lesson.TICKET_GOLD
    assert torch.allclose(
        explorer.data.mixed.sum(), torch.tensor(1.0, dtype=explorer.data.mixed.dtype)
    )
