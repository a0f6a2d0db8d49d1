"""What lesson 15 measures: entropies, agreements, words of gold, references."""

from __future__ import annotations

import math
import random
from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st
from matplotlib.figure import Figure
from scipy.stats import entropy

from seqkd_lab.corpus.toy import Ambiguity, ToyLanguage
from seqkd_lab.corpus.toy.dataset import detokenise
from seqkd_lab.decoding.scoring import corpus_log_probs
from seqkd_lab.evaluation import score_outputs
from seqkd_lab.lab.meters import figures, measures, misleading, words
from seqkd_lab.lab.meters.misleading import PERFECT
from seqkd_lab.lab.meters.reading import (
    ADDRESS,
    AGREEMENTS,
    ARTICLE,
    PRONOUN,
    agreements,
    read_corpus,
)
from seqkd_lab.lab.shared import exercises
from seqkd_lab.lab.shared.predictions import CANNOT_TELL
from seqkd_lab.lab.shared.translated import translated

letters = st.sampled_from("abc")
pairs = st.lists(st.tuples(letters, letters), min_size=1, max_size=40)
triples = st.lists(st.tuples(letters, letters, letters), min_size=1, max_size=40)
LANGUAGE = ToyLanguage()


def with_modes(corpus, language=LANGUAGE):
    return corpus.with_target([language.mode(source)[0] for source in corpus.source])


@pytest.fixture(scope="module")
def gold(toy):
    return toy.train[:120]


@pytest.fixture(scope="module")
def reading(gold):
    return read_corpus(LANGUAGE, gold)


class TestEntropies:
    @given(pairs, triples)
    def test_they_agree_with_the_exercises_own_solutions(self, two, three):
        check = {
            key: exercises.find(key).solution
            for key in ("conditional_entropy", "history_dependence")
        }
        assert measures.conditional_entropy(two) == pytest.approx(
            check["conditional_entropy"](two), abs=1e-12
        )
        assert measures.history_dependence(three) == pytest.approx(
            check["history_dependence"](three), abs=1e-12
        )

    @given(pairs)
    def test_complexity_weighs_every_source_word_alike(self, two):
        by_source = {
            s: Counter(t for source, t in two if source == s) for s in {source for source, _ in two}
        }
        expected = sum(entropy(list(counts.values())) for counts in by_source.values()) / len(
            by_source
        )
        assert measures.complexity(two) == pytest.approx(expected, abs=1e-12)

    @given(pairs, pairs)
    def test_a_corpus_is_faithful_to_itself_and_no_divergence_is_negative(self, one, other):
        assert measures.faithfulness(one, one) == pytest.approx(0.0, abs=1e-12)
        if {s for s, _ in one} & {s for s, _ in other}:
            assert -1e-12 <= measures.faithfulness(one, other) < math.inf

    def test_without_pairs_nothing_is_open(self):
        assert (
            measures.conditional_entropy([])
            == measures.complexity([])
            == measures.history_dependence([])
            == 0.0
        )

    def test_chance_feigns_little_where_counts_are_many_and_nothing_depends(self):
        drawn = random.Random(1)
        free = [("car", drawn.choice("xy"), drawn.choice("pq")) for _ in range(4000)]
        assert measures.history_dependence(free) < 0.001 and measures.by_chance(free) < 0.001
        few = free[:12]
        assert measures.by_chance(few, n_shuffles=200) > 0.01

    @given(triples)
    def test_shuffling_leaves_the_counts_of_source_and_word_and_never_exceeds_what_is_open(
        self, three
    ):
        assert (
            0.0
            <= measures.by_chance(three)
            <= measures.conditional_entropy([(s, w) for s, _, w in three]) + 1e-12
        )


class TestReading:
    def test_in_gold_every_agreement_depends_on_own_choices_and_without_ambiguity_none_does(
        self, gold, reading
    ):
        assert reading.n == reading.n_valid == len(gold)
        none = ToyLanguage(Ambiguity.none())
        fixed = read_corpus(LANGUAGE, with_modes(gold, none))
        assert fixed.n_valid == len(gold), (
            "what the unambiguous language says is valid in the ambiguous one"
        )
        for agreement in AGREEMENTS:
            assert reading.triples[agreement], agreement
            assert (
                measures.dependence(fixed, agreement)[0]
                <= measures.dependence(reading, agreement)[0] + 1e-12
            )
        assert sum(measures.dependence(fixed, each)[0] for each in AGREEMENTS) < 0.25 * sum(
            measures.dependence(reading, each)[0] for each in AGREEMENTS
        )

    def test_an_earlier_choice_decides_a_pronoun_up_to_its_case(self, reading):
        forms = {}
        for source, noun, pronoun in reading.triples[PRONOUN]:
            forms.setdefault((source, noun), set()).add(pronoun)
        assert forms and all(
            found <= {"er", "ihn", "ihm"} or found <= {"sie", "ihr"} or found <= {"es", "ihm"}
            for found in forms.values()
        )

    def test_a_forgetful_address_is_told_by_the_earlier_one(self, reading):
        for _, address, word in reading.triples[ADDRESS]:
            assert word.lower().startswith("d") == (address == "du")

    def test_agreements_of_one_sentence(self):
        source = tuple("my bag was too heavy , so the doctor hid it in the village .".split())
        target = tuple("mein Beutel war zu schwer , also versteckte der Arzt ihn im Dorf .".split())
        found = list(agreements(LANGUAGE.parse(source), LANGUAGE.path(source, target), LANGUAGE))
        assert (ARTICLE, ("bag", "mein", "Beutel")) in found
        assert (PRONOUN, (("bag", "object"), "Beutel", "ihn")) in found
        assert {kind for kind, _ in found} == {ARTICLE, PRONOUN}

    def test_pairs_are_the_exact_alignments_and_what_is_no_translation_is_left_out(
        self, gold, reading
    ):
        n = sum(
            place >= 0
            for s, t in zip(gold.source, gold.target, strict=True)
            for place in LANGUAGE.alignment(s, t)
        )
        assert len(reading.pairs) == n
        broken = gold.with_target([("Unsinn",), *gold.target[1:]])
        assert read_corpus(LANGUAGE, broken).n_valid == len(gold) - 1

    def test_the_meters_of_the_mode_are_lower_and_of_nothing_are_nan(self, gold, reading):
        mode = measures.meters(read_corpus(LANGUAGE, with_modes(gold)), reading)
        own = measures.meters(reading, reading)
        assert mode.valid == own.valid == 1.0 and own.faithfulness == pytest.approx(0.0, abs=1e-12)
        assert mode.faithfulness > 0.0 and mode.n_words < own.n_words
        for measure in ("complexity", "word", "decision", "all_history"):
            assert getattr(mode, measure) < getattr(own, measure)
        nothing = read_corpus(LANGUAGE, gold.with_target([("Unsinn",)] * len(gold)))
        empty = measures.meters(nothing, reading)
        assert empty.valid == 0.0 and math.isnan(empty.complexity) and math.isnan(empty.all_history)
        figure = figures.history_figure({"gold": own, "nothing": empty})
        assert isinstance(figure, Figure)
        assert list(figures.meters_frame({"gold": own, "mode": mode}).index) == ["gold", "mode"]


class TestParts:
    def test_each_part_is_a_reading_of_its_own(self, gold):
        corpora = {"gold": gold, "mode": with_modes(gold)}
        found = measures.history_of_parts(LANGUAGE, corpora, 3)
        second = read_corpus(LANGUAGE, gold[1::3])
        assert found["gold"][1] == pytest.approx(measures.meters(second, second).all_history)
        assert all(len(parts) == 3 for parts in found.values())
        assert sum(found["mode"]) < sum(found["gold"])


def references(baseline, seq_kd, perfect) -> misleading.References:
    alone = {"baseline": baseline, "seq-kd": seq_kd, PERFECT: perfect}
    return misleading.References(
        {"baseline": 80.0, "seq-kd": 90.0}, {name: tuple(x) for name, x in alone.items()}
    )


class TestOneReference:
    def test_first_is_only_what_is_decidedly_above_all_others(self):
        above = references((30.0, 31.0, 30.5), (36.0, 36.5, 36.2), (28.0, 29.0, 28.1))
        assert words.first_against_one(above) == "seq-kd"
        assert (
            words.first_against_one(
                references((36.0, 35.0, 36.9), (35.9, 36.5, 36.2), (28, 29, 28))
            )
            == CANNOT_TELL
        )

    def test_the_words_say_whether_the_models_keep_their_order(self):
        kept = words.one_reference_in_words(
            references((30.0, 31.0), (36.0, 36.5), (28.0, 29.0))
        ).text
        turned = words.one_reference_in_words(
            references((37.0, 31.0), (36.0, 36.5), (28.0, 29.0))
        ).text
        assert "2 of 2 single references" in kept and "it misleads less" in kept
        assert "1 of 2 single references" in turned and "about the models, too" in turned


class TestGoldWords:
    def test_a_word_agrees_where_the_lens_shows_it_unmarked_and_so_does_the_end(self):
        assert misleading.agreeing("ich sah ihn .".split(), "ich habe ihn gesehen .".split()) == [
            True,
            False,
            True,
            True,
            True,
        ]
        assert misleading.agreeing(("a",), ("a",)) == [True, True]

    def test_both_kinds_together_are_the_models_own_perplexity(self, toy, toy_models):
        test, model = toy.test[:30], toy_models["teacher"]
        found = misleading.gold_words(model, test, with_modes(test))
        log_probs, n = corpus_log_probs(model, test)
        assert found.n == n and found.n_differing > 0
        assert found.perplexity == pytest.approx(math.exp(-sum(log_probs) / n), rel=1e-4)
        same = misleading.gold_words(model, test, test)
        assert (same.n_differing, same.differing) == (0, 0.0)


class TestReferences:
    def test_one_and_all_are_the_scorers_own_and_perfect_is_no_system(self, toy):
        test = toy.test[:20]
        outputs = {
            "mode": [LANGUAGE.mode(source)[0] for source in test.source],
            "first": list(test.target),
        }
        heard = []
        found = misleading.reference_scores(
            outputs, test, detokenise, lambda done, total: heard.append((done, total))
        )
        for name, sentences in outputs.items():
            score = score_outputs(sentences, test, detokenise, 1.0)[0]
            assert found.all[name] == pytest.approx(score.bleu)
            assert found.alone[name][0] == pytest.approx(score.bleu_one_reference)
        assert found.alone["first"][0] == pytest.approx(100.0) and found.all[
            "first"
        ] == pytest.approx(100.0)
        assert (
            PERFECT not in found.all and len(found.alone[PERFECT]) == 25 and heard[-1] == (25, 25)
        )

    def test_orders_are_compared_reference_by_reference(self):
        found = misleading.References(
            {"a": 9.0, "b": 8.0, "c": 7.0}, {"a": (3.0, 1.0), "b": (2.0, 2.0), "c": (1.0, 0.0)}
        )
        assert misleading.best_first(found.all) == ["a", "b", "c"]
        assert found.same_order(("a", "b", "c")) == (1, 2) and found.same_order(("a", "c")) == (
            2,
            2,
        )


class TestFigures:
    def test_each_picture_says_its_numbers(self, toy, toy_models):
        found = translated(toy_models, toy, 12, 2)
        words = {
            name: misleading.gold_words(model, toy.test[:12], with_modes(toy.test[:12]))
            for name, model in toy_models.items()
        }
        outputs = {name: [each.tokens for each in one.greedy] for name, one in found.items()}
        scores = misleading.reference_scores(outputs, toy.test[:12], detokenise)
        for figure, number in (
            (figures.gold_words_figure(words), f"{words['seq-kd'].differing:.2f}"),
            (figures.references_figure(scores), f"{scores.all['seq-kd']:.1f}"),
        ):
            texts = [
                text.get_text() for axes in figure.axes for text in [*axes.texts, *axes.artists]
            ]
            assert any(number.strip("0") in text for text in texts if text), (number, texts)
            figure.savefig("/dev/null", format="png")

    def test_more_than_can_be_told_apart_is_refused(self, reading):
        own = measures.meters(reading, reading)
        with pytest.raises(ValueError, match="told apart"):
            figures.history_figure({str(n): own for n in range(5)})
