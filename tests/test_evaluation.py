"""The scorer against sacreBLEU called directly, against sums by hand, and against the toy's
truth."""

from __future__ import annotations

import math
import random

import pytest
import torch
from sacrebleu.metrics import BLEU, CHRF

from seqkd_lab.corpus.parallel import ParallelCorpus
from seqkd_lab.corpus.toy import ToyLanguage
from seqkd_lab.corpus.toy.dataset import detokenise
from seqkd_lab.corpus.vocabulary import EOS, Vocabulary
from seqkd_lab.decoding.scoring import corpus_log_probs, sentence_log_probs
from seqkd_lab.decoding.search import search
from seqkd_lab.evaluation import (
    compare_with_truth,
    evaluate,
    reference_streams,
    score_outputs,
    sentence_kl,
    translate_test,
)
from seqkd_lab.metrics import paired_difference
from seqkd_lab.models.lstm import LSTMSeq2Seq, LSTMSpec

RNG = random.Random(5)
WORDS = "ant bee cat dog eel fox".split()
SOURCE = tuple(tuple(RNG.choices(WORDS[:4], k=RNG.randint(2, 7))) for _ in range(30))
TARGETS = [
    tuple(tuple(RNG.choices(WORDS[:4], k=max(1, len(s) + RNG.randint(-1, 1)))) for s in SOURCE)
    for _ in range(4)
]
OUTPUTS = [target[:-1] + ("ant",) for target in TARGETS[0]]
ONE = ParallelCorpus("n", "test", "l", SOURCE, TARGETS[0])
REFERENCES = tuple(
    tuple(" ".join(words) for words in known) for known in zip(*TARGETS, strict=True)
)
MANY = ParallelCorpus("n", "test", "l", SOURCE, TARGETS[0], REFERENCES)


@pytest.fixture(scope="module")
def language() -> ToyLanguage:
    return ToyLanguage()


@pytest.fixture(scope="module")
def toy(language) -> ParallelCorpus:
    rng = random.Random(11)
    pairs = [language.sample(rng) for _ in range(12)]
    return ParallelCorpus("toy", "test", "l", *map(tuple, zip(*pairs, strict=True)))


@pytest.fixture(scope="module")
def toy_model(language) -> LSTMSeq2Seq:
    torch.manual_seed(1)
    source, target = (
        Vocabulary.build([words])
        for words in (language.source_vocabulary, language.target_vocabulary)
    )
    return LSTMSeq2Seq(LSTMSpec(width=8), source, target).eval()


class TestBleu:
    def test_is_sacrebleus(self):
        score, signature = score_outputs(OUTPUTS, MANY, " ".join, 2.0)
        texts = [" ".join(words) for words in OUTPUTS]
        streams = [list(stream) for stream in zip(*REFERENCES, strict=True)]
        metric = BLEU()
        expected = metric.corpus_score(texts, streams)
        assert score.bleu == expected.score
        assert score.bleu_one_reference == BLEU().corpus_score(texts, streams[:1]).score
        assert score.length_ratio == pytest.approx(expected.sys_len / expected.ref_len)
        assert score.brevity_penalty == expected.bp
        assert signature == str(metric.get_signature())
        assert "nrefs:4" in signature

    def test_several_references_are_kinder_than_one(self):
        score, _ = score_outputs(OUTPUTS, MANY, " ".join, 1.0)
        assert score.bleu > score.bleu_one_reference > 0

    def test_the_targets_own_text_is_the_reference_where_there_is_no_other(self):
        perfect, signature = score_outputs(list(ONE.target), ONE, " ".join, 1.0)
        assert perfect.bleu == pytest.approx(100.0)
        assert perfect.bleu == perfect.bleu_one_reference
        assert "nrefs:1" in signature

    def test_detokenised_and_cased_text_is_compared(self):
        corpus = ParallelCorpus(
            "n", "test", "l", SOURCE, ONE.target, tuple((detokenise(t),) for t in ONE.target)
        )
        assert score_outputs(list(ONE.target), corpus, detokenise, 1.0)[0].bleu == pytest.approx(
            100.0
        )
        assert (
            score_outputs(list(ONE.target), corpus, " ".join, 1.0)[0].bleu < 90
        )  # the capital is missing

    def test_short_translations_pay_and_say_so(self):
        score, _ = score_outputs([words[:-1] or words for words in ONE.target], ONE, " ".join, 1.0)
        assert score.length_ratio < 1
        assert score.brevity_penalty == pytest.approx(math.exp(1 - 1 / score.length_ratio))

    def test_streams_turn_lists_by_sentence_into_lists_by_reference(self):
        streams = reference_streams(MANY, " ".join)
        assert streams == [[known[r] for known in REFERENCES] for r in range(4)]

    def test_speed_counts_source_words(self):
        assert (
            score_outputs(OUTPUTS, ONE, " ".join, 2.0)[0].words_per_second
            == sum(map(len, SOURCE)) / 2.0
        )

    @pytest.mark.parametrize("outputs", [OUTPUTS[:-1], [*OUTPUTS, ("ant",)], []])
    def test_another_number_of_translations_is_refused(self, outputs):
        with pytest.raises(ValueError, match=f"{len(outputs)} translations of 30"):
            score_outputs(outputs, ONE, " ".join, 1.0)


class TestOtherScores:
    def test_chrf_is_sacrebleus_against_the_first_reference(self):
        score, _ = score_outputs(OUTPUTS, MANY, " ".join, 1.0)
        texts, first = [" ".join(words) for words in OUTPUTS], [known[0] for known in REFERENCES]
        assert score.chrf == CHRF().corpus_score(texts, [first]).score

    def test_shares_of_outputs_are_counted(self):
        outputs = [("ant",)] * 20 + [("bee",)] * 4 + list(ONE.target[24:])
        score, _ = score_outputs(outputs, ONE, " ".join, 1.0)
        texts = [" ".join(words) for words in outputs]
        assert score.distinct == len(set(texts)) / 30
        assert score.repeated == max(map(texts.count, texts)) / 30

    CHINESE = [
        tuple(text)
        for text in ("老师卖掉了沙发", "学生买了一张火车票", "因为坏了所以扔掉", "猫看见了小鸟")
    ]
    OWN = ParallelCorpus("n", "test", "l", tuple(("w",) for _ in CHINESE), tuple(CHINESE))

    def test_a_perfect_chinese_translation_scores_100(self):
        score, signature = score_outputs(self.CHINESE, self.OWN, "".join, 1.0)
        assert score.bleu == pytest.approx(100.0) and score.bleu_one_reference == pytest.approx(
            100.0
        )
        assert score.chrf == pytest.approx(100.0) and "tok:zh" in signature

    def test_the_tokeniser_may_be_chosen_and_both_signatures_are_kept(self, make_model):
        score, signature = score_outputs(self.CHINESE, self.OWN, "".join, 1.0, tokenize="13a")
        assert score.bleu == 0.0 and "tok:13a" in signature
        model = make_model(2, sharpness=2.0)
        translations = translate_test(model, ONE, 2)
        evaluation = evaluate(model, ONE, " ".join, translations, 2, tokenize="char")
        assert "tok:char" in evaluation.signature and evaluation.chrf_signature.startswith(
            "nrefs:1|"
        )
        assert "tok:13a" in evaluate(model, ONE, " ".join, translations, 2).signature

    def test_numbers_of_the_toy_are_as_committed_models_have_them(self, toy):
        """German stays with the tokeniser that every committed number has."""
        assert "tok:13a" in score_outputs(list(toy.target), toy, detokenise, 1.0)[1]


class TestTruth:
    def test_validity_is_the_share_that_the_language_accepts(self, language, toy):
        outputs = [*toy.target[:9], *(target[::-1] for target in toy.target[9:])]
        assert score_outputs(outputs, toy, detokenise, 1.0, language)[0].validity == 9 / 12
        assert score_outputs(outputs, toy, detokenise, 1.0)[0].validity is None

    def log_truth(self, language, vocabulary, source, target, floor: float) -> torch.Tensor:
        """(T, V) the truth's next-token log-probabilities along `target`, mixed with `floor` of the
        uniform one."""
        p = torch.full(
            (len(target) + 1, len(vocabulary)), floor / len(vocabulary), dtype=torch.float64
        )
        for t in range(len(target) + 1):
            for token, probability in language.next_token(source, target[:t]).items():
                p[t, EOS if token == "</s>" else vocabulary.ids([token])[0]] += (
                    1 - floor
                ) * probability
        return p.log()

    def test_kl_is_nothing_for_the_truth_itself_and_more_for_anything_else(self, language, toy):
        vocabulary = Vocabulary.build([language.target_vocabulary])
        for source, target in zip(toy.source[:6], toy.target[:6], strict=True):
            exact = self.log_truth(language, vocabulary, source, target, 0.0)
            assert sentence_kl(exact, source, target, vocabulary, language) == pytest.approx(
                0.0, abs=1e-9
            )
            blurred = [
                sentence_kl(
                    self.log_truth(language, vocabulary, source, target, floor),
                    source,
                    target,
                    vocabulary,
                    language,
                )
                for floor in (0.01, 0.1, 0.5)
            ]
            assert 0 < blurred[0] < blurred[1] < blurred[2]

    def test_kl_of_the_uniform_model_is_log_v_less_the_entropy(self, language, toy):
        vocabulary, source, target = (
            Vocabulary.build([language.target_vocabulary]),
            toy.source[0],
            toy.target[0],
        )
        uniform = torch.full((len(target) + 1, len(vocabulary)), -math.log(len(vocabulary)))
        steps = [language.next_token(source, target[:t]).values() for t in range(len(target) + 1)]
        entropies = [-sum(p * math.log(p) for p in step) for step in steps]
        expected = sum(math.log(len(vocabulary)) - entropy for entropy in entropies)
        assert sentence_kl(uniform, source, target, vocabulary, language) == pytest.approx(
            expected, abs=1e-4
        )

    def test_the_comparison_is_per_token_and_scores_the_true_modes(self, language, toy, toy_model):
        kl, p_mode = compare_with_truth(toy_model, toy[:5], language)
        modes = [language.mode(source)[0] for source in toy.source[:5]]
        scored = sentence_log_probs(toy_model, toy.source[:5], modes)
        assert p_mode == pytest.approx(sum(map(math.exp, scored)) / 5, abs=1e-12)
        # An untrained model is nearly uniform: log V, less what the truth itself leaves open at a
        # token.
        assert 0 < math.log(len(toy_model.target_vocabulary)) - kl < 2


class TestEvaluate:
    @pytest.fixture
    def evaluated(self, make_model):
        model = make_model(2, sharpness=2.0)
        translations = translate_test(model, ONE, 3)
        return model, translations, evaluate(model, ONE, " ".join, translations, 3)

    def test_translations_are_those_of_the_searches(self, evaluated):
        model, translations, _ = evaluated
        assert translations.greedy == [n[0] for n in search(model, SOURCE, 1)]
        assert translations.beam == [n[0] for n in search(model, SOURCE, 3)]
        assert translations.greedy_seconds > 0 and translations.beam_seconds > 0

    def test_each_search_is_judged_by_its_own_outputs(self, evaluated):
        _, translations, evaluation = evaluated
        for found, judged in (
            (translations.greedy, evaluation.greedy),
            (translations.beam, evaluation.beam),
        ):
            assert (
                judged.bleu == score_outputs([h.tokens for h in found], ONE, " ".join, 1.0)[0].bleu
            )

    def test_perplexity_is_that_of_gold_per_token(self, evaluated):
        model, _, evaluation = evaluated
        total = sum(
            sentence_log_probs(model, [s], [t])[0] for s, t in zip(SOURCE, ONE.target, strict=True)
        )
        n_tokens = sum(len(target) + 1 for target in ONE.target)
        assert evaluation.perplexity == pytest.approx(math.exp(-total / n_tokens), rel=1e-4)
        assert corpus_log_probs(model, ONE)[1] == n_tokens

    def test_p_mode_is_the_mean_probability_of_the_beams_best(self, evaluated):
        model, translations, evaluation = evaluated
        scored = sentence_log_probs(model, SOURCE, [h.tokens for h in translations.beam])
        assert evaluation.p_mode == pytest.approx(
            sum(map(math.exp, scored)) / len(SOURCE), rel=1e-3
        )

    def test_what_only_the_truth_can_tell_is_none_without_it(self, evaluated):
        evaluation = evaluated[2].as_dict()
        assert (
            evaluation["kl_to_truth"]
            is evaluation["p_true_mode"]
            is evaluation["greedy"]["validity"]
            is None
        )
        assert evaluation["beam_size"] == 3

    def test_progress_counts_both_searches(self, make_model):
        heard = []
        translate_test(make_model(), ONE, 2, report=heard.append)
        assert sum(heard) == 2 * len(ONE)


def test_scores_of_pairs_that_do_not_match_are_refused(make_model):
    with pytest.raises(ValueError, match="30 sources and 29 targets"):
        sentence_log_probs(make_model(), SOURCE, ONE.target[:29])
    assert sentence_log_probs(make_model(), [], []) == []


class TestPairedDifference:
    GOOD, BAD = [" ".join(t) for t in TARGETS[0]], [" ".join(t) for t in TARGETS[1]]
    STREAMS = [[" ".join(t) for t in TARGETS[0]]]

    def test_a_better_system_is_told_apart(self):
        found = paired_difference(self.GOOD, self.BAD, self.STREAMS, 200)
        assert found["system"] == pytest.approx(100.0)
        assert found["other"] == pytest.approx(BLEU().corpus_score(self.BAD, self.STREAMS).score)
        assert found["p_value"] < 0.05
        assert paired_difference(self.BAD, self.GOOD, self.STREAMS, 200)["p_value"] < 0.05

    def test_two_equal_systems_are_not(self):
        found = paired_difference(self.BAD, self.BAD, self.STREAMS, 200)
        assert found["system"] == found["other"]
        assert found["p_value"] == 1.0
