"""The drafting stepper: every value of every control draws, shows what the trace says, and escapes
what it shows."""

from __future__ import annotations

from dataclasses import replace

import pytest
import torch

from seqkd_lab.corpus.parallel import ParallelCorpus
from seqkd_lab.corpus.vocabulary import Vocabulary
from seqkd_lab.decoding.distribution import SamplingDistribution
from seqkd_lab.decoding.draft_trace import (
    ACCEPTED,
    REJECTED,
    UNREAD,
    DraftedWord,
    trace_speculative,
)
from seqkd_lab.lab.shared.bars import REST
from seqkd_lab.lab.shared.distribution_columns import DRAWN, END, REFUSED, position_distributions
from seqkd_lab.lab.speculative.picture import (
    EXTRA,
    MOST_DRAFTED,
    N_ROUNDS,
    DraftingDrawing,
    boxes,
    chance,
    distributions_of,
    drafting_figure,
    note,
    title_of,
    window,
)
from seqkd_lab.lab.speculative.view import DraftingStepper
from seqkd_lab.models.lstm import LSTMSeq2Seq, LSTMSpec

TOKENS = ("<pad>", "<s>", "</s>", "<unk>", "a", "b", "c", "d")


@pytest.fixture
def stepper(toy, toy_models):
    drafts = {name: model for name, model in toy_models.items() if name != "teacher"}
    return DraftingStepper(toy_models["teacher"], drafts, toy.test, n_sentences=3)


def distribution(*values: float) -> torch.Tensor:
    """A law over TOKENS, of which the specials have nothing but the end."""
    end, *words = values
    return torch.tensor([0.0, 0.0, end, 0.0, *words])


class TestPositionDistributions:
    p, q = distribution(0.1, 0.55, 0.35, 0.0, 0.0), distribution(0.0, 0.2, 0.5, 0.3, 0.0)

    def test_rows_are_the_likeliest_words_and_the_rest_keeps_the_sums(self):
        shown = position_distributions(
            self.p, self.q, distribution(0.0, 0.0, 0.25, 0.75, 0.0), TOKENS, n_words=2
        )
        assert shown.words == ("c", "a", REST)  # the residual counts, too
        assert shown.p == pytest.approx((0.0, 0.55, 0.45)) and shown.q == pytest.approx(
            (0.3, 0.2, 0.5)
        )
        assert shown.shared == pytest.approx(
            (0.0, 0.2, 0.35)
        )  # of the rest min(p, q) summed, not min of the sums
        assert shown.extra == pytest.approx((0.75, 0.0, 0.25))
        assert (shown.refused, shown.drawn) == (None, None)

    def test_the_refused_and_the_drawn_word_have_rows_however_rare(self):
        shown = position_distributions(
            self.p, self.q, distribution(0.0, 0.0, 0.25, 0.75, 0.0), TOKENS, "</s>", "d", n_words=3
        )
        assert len(shown.words) == 4 and {END, "d"} < set(shown.words)
        assert shown.words[shown.refused] == END and shown.words[shown.drawn] == "d"
        assert sum(shown.q) == pytest.approx(1.0)

    def test_without_a_proposal_nothing_is_shared(self):
        shown = position_distributions(None, self.q, self.q, TOKENS, drawn="c")
        assert shown.p is None and set(shown.shared) == {0.0} and shown.extra == shown.q


class TestRounds:
    def test_the_chance_to_stand(self):
        assert chance(DraftedWord("a", 0.5, 0.25, ACCEPTED)) == 0.5
        assert chance(DraftedWord("a", 0.25, 0.5, ACCEPTED)) == 1.0
        assert note(DraftedWord("a", 0.5, 0.25, REJECTED)) == "✗ 50%"
        assert note(DraftedWord("a", 0.5, 0.0001, REJECTED)) == "✗ <1%"
        assert note(DraftedWord("a", 0.5, 0.4999, ACCEPTED)) == "✓ >99%"
        assert note(DraftedWord("a", 0.5, 0.25, UNREAD)) == "not read"

    @pytest.mark.parametrize("n_rounds", [1, 5, 6, 7, 20])
    def test_the_chosen_round_is_among_those_shown(self, n_rounds):
        for number in range(1, n_rounds + 1):
            shown = window(number, n_rounds)
            assert (
                number - 1 in shown
                and len(shown) == min(n_rounds, N_ROUNDS)
                and shown[-1] < n_rounds
            )

    @pytest.mark.parametrize("temperature", [1.0, 0.0])
    @pytest.mark.parametrize("draft_length", [1, 4, MOST_DRAFTED])
    def test_what_stands_and_what_is_added_is_the_translation(
        self, toy, toy_models, draft_length, temperature
    ):
        trace = trace_speculative(
            toy_models["teacher"],
            toy_models["seq-kd"],
            toy.test.source[0],
            3,
            draft_length,
            SamplingDistribution(temperature),
        )
        written = []
        for one in trace.rounds:
            shown = boxes(one)
            written += [box.word for box in shown if box.fate in (ACCEPTED, EXTRA)]
            fates = [box.fate for box in shown]
            assert fates.count(REJECTED) <= 1 and (REJECTED in fates or UNREAD not in fates)
        assert written[: len(trace.hypothesis.tokens)] == list(trace.hypothesis.tokens)

    def test_distributions_of_each_round(self, toy, toy_models):
        trace = trace_speculative(
            toy_models["teacher"], toy_models["seq-kd"], toy.test.source[0], 1
        )
        for number, one in enumerate(trace.rounds, start=1):
            distributions = distributions_of(trace, number)
            if one.extra is None:
                assert distributions is None and "nothing" in title_of(one)
                continue
            assert (
                sum(distributions.q) == pytest.approx(1.0, abs=1e-4)
                and distributions.drawn is not None
            )
            assert (
                (distributions.p is None)
                == (distributions.refused is None)
                == (one.rejected is None)
            )
            if distributions.p is not None:
                assert all(
                    x == pytest.approx(min(p, q), abs=1e-6)
                    for x, p, q in list(
                        zip(distributions.shared, distributions.p, distributions.q, strict=True)
                    )[:-1]
                )
                assert distributions.p[distributions.refused] == pytest.approx(one.rejected.p)


@pytest.mark.slow
def test_every_control_draws_through_its_whole_range(stepper):
    for temperature in (1.0, 0.0):
        stepper.temperature.value = temperature
        assert stepper.another.disabled == (temperature == 0.0)
        for draft in stepper.drafts:
            stepper.draft.value = draft
            for draft_length in range(1, MOST_DRAFTED + 1):
                stepper.draft_length.value = draft_length
                assert stepper.data.draft_length == draft_length
                assert (
                    stepper.round.value <= stepper.round.max
                    and f"of {len(stepper.data.rounds)} writes" in (stepper.text.value)
                )
    stepper.temperature.value = 1.0
    stepper.draft_length.value = 1
    pictures = set()
    for number in range(1, len(stepper.data.rounds) + 1):
        stepper.round.value = number
        pictures.add(stepper.image.value)
        assert f"Round {number} of" in stepper.text.value
    assert len(pictures) == len(stepper.data.rounds)  # each round has a picture of its own
    before = stepper.text.value
    stepper.sentence.value = 2
    assert stepper.text.value != before and stepper.data.source == stepper.corpus.source[2]


def test_another_draw_is_another_and_the_same_seed_the_same(stepper):
    first = stepper.data
    stepper.another.click()
    assert (
        stepper.seed == 2
        and stepper.data.hypothesis != first.hypothesis
        and "draw 2" in stepper.text.value
    )
    stepper.seed = 1
    assert stepper.data is first  # nothing is drafted twice


def test_one_round_alone_switches_the_slider_off(toy, toy_models):
    """A draft that is the target itself: greedy, every word stands."""
    source = min(toy.test.source, key=len)
    corpus = ParallelCorpus("one", "test", "", (source,), (("x",),))
    stepper = DraftingStepper(toy_models["teacher"], {"itself": toy_models["teacher"]}, corpus)
    stepper.round.value = 2
    stepper.temperature.value = 0.0
    lengths = {draft_length: None for draft_length in (1, 8)}
    for draft_length in lengths:
        stepper.draft_length.value = draft_length
        n_rounds = len(stepper.data.rounds)
        assert stepper.round.disabled == (n_rounds == 1) and stepper.round.max == max(2, n_rounds)
        assert f"of {n_rounds} writes" in stepper.text.value


@pytest.fixture
def nasty_stepper():
    """Models whose words are HTML."""
    words = ("<b>bold</b>", "<script>alert(1)</script>", "$x$", "&amp;")
    vocabulary, models = Vocabulary.build([words]), []
    for seed in (1, 2):
        torch.manual_seed(seed)
        model = LSTMSeq2Seq(LSTMSpec(width=8), vocabulary, vocabulary)
        with torch.no_grad():
            for parameter in model.parameters():
                parameter.mul_(3.0)
        models.append(model.eval())
    corpus = ParallelCorpus("nasty", "test", "", (words,), (words,))
    return DraftingStepper(models[0], {"<i>draft</i>": models[1]}, corpus)


def test_what_a_corpus_says_is_escaped(nasty_stepper):
    for draft_length in (1, 4, 8):
        nasty_stepper.draft_length.value = draft_length
        for number in range(1, len(nasty_stepper.data.rounds) + 1):
            nasty_stepper.round.value = number
            text = nasty_stepper.text.value
            assert "<script" not in text and "<b>bold" not in text and "<i>" not in text
            assert "&lt;script" in text


def test_the_still_twin_shows_the_same_words_and_numbers(stepper):
    trace = stepper.data
    number = next(n for n, one in enumerate(trace.rounds, start=1) if one.rejected is not None)
    one, figure = trace.rounds[number - 1], drafting_figure(trace, number)
    texts = [text.get_text() for axes in figure.axes for text in [*axes.texts, *axes.artists]]
    for word in one.words:
        assert note(word) in texts
    assert REFUSED in texts and DRAWN in texts and f"round {number}" in texts
    assert (
        " ".join(trace.source) in figure.axes[0].get_title()
        and "K = 4" in figure.axes[0].get_title()
    )
    for outside in (0, len(trace.rounds) + 1):
        with pytest.raises(ValueError, match="rounds 1 to"):
            drafting_figure(trace, outside)


def test_a_drawing_forgets_the_round_before(stepper):
    drawing, trace = DraftingDrawing(), stepper.data
    drawing.show(trace, 1)
    fresh = drawing.picture.png()
    short = replace(trace, rounds=trace.rounds[:1])
    drawing.show(replace(trace, rounds=trace.rounds[-1:]), 1)
    drawing.show(short, 1)
    shown = drawing.picture.png()
    drawing.show(trace, 1)
    assert drawing.picture.png() == fresh != shown


def test_what_cannot_be_shown_is_refused(toy, toy_models, make_model):
    with pytest.raises(ValueError, match="draft"):
        DraftingStepper(toy_models["teacher"], {}, toy.test)
    with pytest.raises(ValueError, match="sentence"):
        DraftingStepper(toy_models["teacher"], {"a": toy_models["baseline"]}, toy.test[:0])
    with pytest.raises(ValueError, match="vocabular"):
        DraftingStepper(toy_models["teacher"], {"a": make_model()}, toy.test)
