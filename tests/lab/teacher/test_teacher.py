"""Lesson 02's drawings, its attention view and its sentences: the formulas are the model's, the
sentences are true."""

from __future__ import annotations

import re
from dataclasses import replace
from types import SimpleNamespace

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from seqkd_lab.corpus.batching import encode, make_batch
from seqkd_lab.corpus.parallel import ParallelCorpus
from seqkd_lab.lab.shared import lesson
from seqkd_lab.lab.shared.learning_curve import Curve
from seqkd_lab.lab.shared.lesson import TICKET, TICKET_GOLD
from seqkd_lab.lab.teacher import attention, loss_words
from seqkd_lab.lab.teacher import attention_words as words
from seqkd_lab.lab.teacher import notebook as teacher
from seqkd_lab.lab.teacher.attention_picture import AttentionDrawing
from seqkd_lab.lab.teacher.masks import HALF_MASKED, MASKED, NO_MASK, READINGS
from seqkd_lab.lab.teacher.view import AttentionView
from seqkd_lab.models.lstm import LSTMSeq2Seq, LSTMSpec

FEMININE = tuple("meine Fahrkarte war neu und der Arzt versteckte sie .".split())


@pytest.fixture(scope="module")
def model(toy_models):
    return toy_models["teacher"]


@pytest.fixture(scope="module")
def readings(toy, model):
    return [
        attention.read_pair(model, toy.language, TICKET, target)
        for target in (FEMININE, TICKET_GOLD)
    ]


class TestReading:
    def test_the_formulas_of_the_lesson_are_what_the_model_computes(self, toy, model):
        """Word by word from the weights: score, softmax, context, tanh, logits."""
        with torch.no_grad():
            D, source = model.spec.width, (*TICKET, "</s>")
            ids = torch.tensor([[*model.source_vocabulary.ids(TICKET), 2]])
            e = model.source_embedding(ids)[0]
            h, (end, cell) = model.encoder(e[None])
            state = [x.transpose(0, 1).reshape(1, 1, D) for x in (end, cell)]
            pair = ParallelCorpus("pair", "shown", "", (TICKET,), (FEMININE,))
            batch = make_batch(encode(pair, model.source_vocabulary, model.target_vocabulary), [0])
            d, _ = model.decoder(model.target_embedding(batch.target_in), tuple(state))
            a = (d[0] @ model.attend.weight @ h[0].T / D**0.5).softmax(dim=1)  # (T, S)
            c = a @ (h[0] + e)
            z = model.output(torch.tanh(torch.cat((c, d[0]), dim=1) @ model.combine.weight.T))
        reading = attention.read_pair(model, toy.language, TICKET, FEMININE)
        p = z.softmax(dim=1).gather(1, batch.target_out.T)[:, 0]
        assert reading.source == source and torch.allclose(reading.weights, a, atol=1e-5)
        assert reading.p == pytest.approx(p.tolist(), rel=1e-4)

    @pytest.mark.parametrize("input_feeding", [False, True])
    def test_a_batch_gives_what_each_pair_gives_alone(self, toy, input_feeding):
        torch.manual_seed(0)
        spec = LSTMSpec(width=8, input_feeding=input_feeding)
        untrained = LSTMSeq2Seq(spec, toy.source_vocabulary, toy.target_vocabulary).eval()
        pairs = toy.valid[:9]
        together = attention.read_corpus(untrained, pairs)
        for row, (weights, log_p) in enumerate(together):
            assert weights.shape == (len(pairs.target[row]) + 1, len(pairs.source[row]) + 1)
            assert torch.allclose(weights.sum(dim=1), torch.ones(len(weights)), atol=1e-5)
            alone, log_p_alone = attention.read_corpus(untrained, pairs[row : row + 1])[0]
            assert torch.allclose(weights, alone, atol=1e-5) and torch.allclose(
                log_p, log_p_alone, atol=1e-4
            )

    def test_alignment_is_the_languages_and_the_end_translates_nothing(self, toy, readings):
        assert readings[0].aligned == (*toy.language.alignment(TICKET, FEMININE), -1)
        assert [
            readings[0].target[attention.position_of(readings[0], word)]
            for word in ("it", "hid", "ticket")
        ] == ["sie", "versteckte", "Fahrkarte"]

    def test_a_target_that_is_no_translation_is_refused(self, toy, model):
        with pytest.raises(ValueError, match="translation"):
            attention.read_pair(model, toy.language, TICKET, ("mein", "Ticket"))

    def test_a_step_is_the_row_of_the_reading(self, model, readings):
        step = attention.decoding_step(
            model, TICKET, FEMININE[:7], n_words=len(model.target_vocabulary)
        )
        assert step.weights == pytest.approx(readings[0].weights[7].tolist(), abs=1e-5)
        assert dict(step.next_words)["versteckte"] == pytest.approx(readings[0].p[7], rel=1e-4)


class TestAlignments:
    def test_equal_weights_give_chance(self, toy):
        untrained = LSTMSeq2Seq(LSTMSpec(width=8), toy.source_vocabulary, toy.target_vocabulary)
        with torch.no_grad():
            untrained.attend.weight.zero_()
        by_kind = attention.alignments(untrained, toy.valid[:12], toy.language)
        assert all(
            each.weight == pytest.approx(each.by_chance, rel=1e-4) for each in by_kind.values()
        )
        pairs = zip(toy.valid.source[:12], toy.valid.target[:12], strict=True)
        aligned = [toy.language.alignment(*pair) for pair in pairs]
        assert by_kind["all"].n_words == sum(place >= 0 for places in aligned for place in places)
        assert (
            sum(each.n_words for kind, each in by_kind.items() if kind != "all")
            <= by_kind["all"].n_words
        )

    def test_attention_that_is_the_alignment_hits_always(self, toy, model, monkeypatch):
        def perfect(_, corpus):
            for source, target in zip(corpus.source, corpus.target, strict=True):
                weights = torch.zeros(len(target) + 1, len(source) + 1)
                for t, place in enumerate(toy.language.alignment(source, target)):
                    weights[t, place] = 1.0
                yield weights, torch.zeros(len(target) + 1)

        monkeypatch.setattr(attention, "read_corpus", perfect)
        everything = attention.alignments(model, toy.valid[:12], toy.language)["all"]
        assert (everything.hits, everything.weight, everything.error, everything.later) == (
            1.0,
            1.0,
            0.0,
            0.0,
        )

    def test_kinds(self):
        assert [attention.kind_of(word) for word in ("the", "it", ".", "ticket", "my")] == [
            attention.ARTICLES,
            attention.PRONOUNS,
            attention.MARKS,
            attention.OTHERS,
            attention.OTHERS,
        ]


class TestFigures:
    def test_both_can_be_saved_and_dollar_signs_are_no_mathematics(self, model, readings):
        step = attention.decoding_step(model, TICKET, FEMININE[:7])
        strange = replace(
            readings[0],
            source=("$x^", *readings[0].source[1:]),
            target=("$_", *readings[0].target[1:]),
        )
        for figure in (
            teacher.architecture_figure(step),
            teacher.architecture_figure(replace(step, written=())),
            teacher.attention_figure(readings[0], 8),
            teacher.attention_figure(strange, 0),
        ):
            assert lesson.png(figure).startswith(b"\x89PNG")

    def test_pairs_to_show_begin_with_the_ticket_and_fit(self, toy, model):
        pairs = teacher.pairs_to_show(model, toy.language, toy.valid, 12)
        assert (
            pairs.source[:2] == (TICKET, TICKET)
            and pairs.target[1] == TICKET_GOLD
            and len(pairs) == 12
        )
        assert toy.language.is_valid(TICKET, pairs.target[0])
        assert all(
            AttentionDrawing.fits((*side, "</s>")) for side in (*pairs.source, *pairs.target)
        )
        assert not AttentionDrawing.fits(("Donaudampfschifffahrtsgesellschaft",) * 6)


@pytest.fixture(scope="module")
def view(toy, model):
    return AttentionView(
        model, teacher.pairs_to_show(model, toy.language, toy.valid, 6), toy.language, 8
    )


class TestView:
    @pytest.mark.slow
    @settings(max_examples=25, deadline=None)
    @given(events=st.lists(st.tuples(st.booleans(), st.integers(0, 40)), min_size=1, max_size=8))
    def test_after_any_events_the_picture_is_what_the_controls_say(self, view, events):
        for is_sentence, number in events:
            control = view.sentence if is_sentence else view.word
            control.index = number % len(control.options)
        reading, position = view.reading, view.word.value
        assert [label for label, _ in view.word.options][:-1] == list(reading.target[:-1])
        assert re.sub("<[^>]+>", "", view.text.value).replace(
            "&quot;", '"'
        ) == teacher.weights_in_words(reading, position)
        fresh = AttentionDrawing()
        fresh.show(reading, position)
        assert fresh.picture.png() == view.image.value

    def test_a_sentence_that_is_chosen_again_begins_at_its_first_word(self, view):
        view.sentence.index, view.word.index = 1, 3
        view.sentence.index = 2
        assert view.word.index == 0
        view.sentence.index = 1
        assert view.word.index == 0 and view.reading.target[0] in view.text.value

    def test_what_a_corpus_holds_is_escaped(self, view):
        assert "<script" not in view.text.value
        view._drawing.show(replace(view.reading, source=("<script>", *view.reading.source[1:])), 0)


class TestSentencesOfAttention:
    def reading(self, weights, p=0.99, aligned=(1,)):
        return attention.AttentionReading(
            ("a", "b", "</s>"), ("x", "</s>"), torch.tensor([weights]), (p,), aligned
        )

    def test_weights(self):
        said = words.weights_in_words(self.reading([0.1, 0.7, 0.2]), 0)
        assert (
            "most at “b” (0.70), then at “(end)” (0.20)" in said
            and "has the largest weight" in said
        )
        said = words.weights_in_words(self.reading([0.7, 0.1, 0.2]), 0)
        assert "whose weight is 0.10, number 3 by size" in said
        assert "no English word" in words.weights_in_words(
            self.reading([0.7, 0.1, 0.2], aligned=(-1,)), 0
        )

    def test_looked_at(self):
        assert words.looked_at(self.reading([0.1, 0.7, 0.2]), "b", ("a", "b")) == "b"
        assert words.looked_at(self.reading([0.1, 0.7, 0.2]), "b", ("a",)) == words.ANOTHER_WORD

    def test_pronoun(self, readings):
        said = words.pronoun_answer(readings, "it", "ticket")
        assert "After *Fahrkarte*" in said and "gives *es*" in said
        weight = max(float(r.weights[attention.position_of(r, "it"), 1]) for r in readings)
        assert ("hardly looks back" in said) == (weight < words.SMALL_WEIGHT)
        looking = [
            replace(r, weights=torch.full_like(r.weights, 0.2), p=(0.95,) * len(r.p))
            for r in readings
        ]
        assert "does look back" in words.pronoun_answer(looking, "it", "ticket")
        assert words.pronoun_answer(looking, "it", "ticket").endswith("Here it does.")
        unsure = [replace(r, p=(0.5,) * len(r.p)) for r in readings]
        assert words.pronoun_answer(unsure, "it", "ticket").endswith("only in part.")

    @staticmethod
    def alignments(articles, others, later=0.2):
        make = attention.Alignment
        return {
            "all": make(others, 0.01, 0.1, 0.7, 0.07, 900),
            attention.ARTICLES: make(articles, 0.01, later, 0.4, 0.07, 90),
            attention.OTHERS: make(others, 0.01, 0.1, 0.7, 0.07, 700),
        }

    def test_articles(self):
        said = words.articles_answer(self.alignments(0.6, 0.9, 0.3))
        assert (
            "60% of the cases" in said
            and "a later word in 30%, and on an earlier one in 10%" in said
        )
        assert "less often than for “other words” (90%)" in said and "comes later" in said
        said = words.articles_answer(self.alignments(0.9, 0.9, 0.0))
        assert "less often" not in said and "comes later" not in said

    def test_alignment(self):
        assert "found most of the alignment" in words.alignment_answer(self.alignments(0.6, 0.9))
        assert "found a part" in words.alignment_answer(self.alignments(0.6, 0.3))
        assert "has not found" in words.alignment_answer(self.alignments(0.06, 0.06))
        assert "largest for articles (40%)" in words.alignment_answer(self.alignments(0.6, 0.9))
        assert repr(words.alignment_table(self.alignments(0.6, 0.9))).count("\n| ") == 3


class TestSentencesOfLosses:
    FLOOR = SimpleNamespace(surprise=SimpleNamespace(mean=0.36))

    def test_the_curve_says_that_two_schedules_must_not_be_compared(self):
        here = Curve("", [], [(12000, 1.0), (24000, 0.41)])
        history = {"valid_loss": [0.66, 0.37], "learning_rate": [0.0079, 0.0]}
        said = repr(loss_words.curve_in_words(here, history, 24000, self.FLOOR))
        assert (
            "24,000 pairs, **0.050**" in said
            and "48,000, **0.010**" in said
            and "still 0.0079" in said
        )
        assert "Do not compare" not in repr(
            loss_words.curve_in_words(Curve("", [], [(200, 5.0)]), history, 24000, self.FLOOR)
        )

    def test_the_share_of_the_way(self):
        assert loss_words.share_of_way(
            torch.tensor(543.0).log().item(), 0.36, 543
        ) == pytest.approx(0.0, abs=1e-4)
        assert loss_words.share_of_way(0.36, 0.36, 543) == pytest.approx(100.0)

    def test_memory_falls_below_or_not_and_validation_rises_or_not(self):
        low = Curve("", [(1, 0.1)], [(1, 2.0), (2, 1.0), (3, 1.5)])
        assert loss_words.below_floor(low, 0.3) == loss_words.BELOW
        assert "least after 2 epochs (1.00) and then rises to 1.50" in repr(
            loss_words.memory_in_words(low, 0.3)
        )
        high = Curve("", [(1, 0.9)], [(1, 2.0), (2, 1.0)])
        assert loss_words.below_floor(high, 0.3) == loss_words.ABOVE
        assert "has not risen yet" in repr(loss_words.memory_in_words(high, 0.3))

    def test_masks(self):
        level, up, down = [0.5, 0.5], [0.5, 2.0], [0.5, 0.2]
        assert [loss_words.change(line) for line in (level, up, down)] == [
            loss_words.STAYS,
            loss_words.RISES,
            loss_words.FALLS,
        ]
        left = loss_words.left_answer({MASKED: level, NO_MASK: up, HALF_MASKED: down})
        assert "rises from 0.50 to 2.00, because" in left and "stays the same (0.50)" in left
        assert "because" not in loss_words.left_answer(
            {MASKED: level, NO_MASK: down, HALF_MASKED: down}
        )
        with_mask, without = {MASKED: level}, {MASKED: [0.9, 0.9], NO_MASK: down}
        assert "it knows less, although" in loss_words.middle_answer(with_mask, without)
        assert "does not know less" in loss_words.middle_answer(
            with_mask, {MASKED: level, NO_MASK: down}
        )
        warned = dict(zip(READINGS, (level, up, up), strict=True))
        assert "noticed" not in loss_words.right_answer(warned, (0, 5))
        slow = [0.5, 0.501]
        said = loss_words.right_answer(
            dict(zip(READINGS, (level, slow, slow), strict=True)), (0, 5)
        )
        assert "With 5 positions of padding the change is only +0.001 and +0.001" in said

    def test_means_and_perplexity(self):
        said = loss_words.means_answer((1, 2, 4), [0.4, 0.4, 0.4], [0.4, 0.5, 0.3], 9)
        assert (
            "between 0.3000 (batches of 4) and 0.5000 (batches of 2)" in said
            and "holds 1 of the 9" in said
        )
        assert "last batch" not in loss_words.means_answer((1, 2, 4), [0.4] * 3, [0.4, 0.5, 0.3], 8)
        assert "1.460" in repr(loss_words.perplexity_in_words(1.46, 1.43, 543))

    def test_gaps(self):
        gap = SimpleNamespace(
            loss=SimpleNamespace(mean=0.4),
            above=SimpleNamespace(mean=0.05),
            chance=0.01,
            kl=0.04,
            below=0.25,
        )
        assert "| a | 0.400 | 0.050 ± 0.020 | 0.040 | 25% |" in repr(
            loss_words.gaps_table({"a": gap})
        )
