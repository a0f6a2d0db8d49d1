"""sacreBLEU's tokenisers by script, both metrics and the paired bootstrap: against sacreBLEU
itself, and properties."""

from __future__ import annotations

import logging
import math
import random

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from sacrebleu.metrics import BLEU, CHRF
from sacrebleu.significance import PairedTest

from seqkd_lab.metrics import (
    LEAST_BLEU,
    bleu_metric,
    check_numbers,
    chrf_metric,
    distinct_share,
    paired_bootstrap,
    paired_difference,
    repeated_share,
    score_texts,
    why_not_judged,
)
from seqkd_lab.tokenisers import CHARACTERS, CHINESE, TOKENISERS, WORDS, script_of, tokeniser_of

TEXTS = {
    "Der alte Lehrer verkauft das Sofa.": WORDS,
    "The old teacher sells the sofa.": WORDS,
    "Старый учитель продаёт диван.": WORDS,
    "Ο παλιός δάσκαλος πουλάει τον καναπέ.": WORDS,
    "المعلم العجوز يبيع الأريكة.": WORDS,
    "המורה הזקן מוכר את הספה.": WORDS,
    "पुराना शिक्षक सोफ़ा बेचता है।": WORDS,
    "늙은 선생님이 소파를 판다.": WORDS,
    "Thầy giáo già bán ghế sô pha.": WORDS,
    "老教师卖掉了沙发。": CHINESE,
    "老教師賣掉了沙發。": CHINESE,
    "年老的先生はソファーを売ります。": CHARACTERS,
    "ソファーヲウル": CHARACTERS,
    "ｿﾌｧｰｦｳﾙ": CHARACTERS,
    "ครูแก่ขายโซฟา": CHARACTERS,
    "គ្រូចាស់លក់សាឡុង": CHARACTERS,
    "ຄູເຒົ່າຂາຍໂຊຟາ": CHARACTERS,
    "ဆရာကြီးက ဆိုဖာရောင်းတယ်။": CHARACTERS,
    "དགེ་རྒན་རྒན་པས་": CHARACTERS,
    "ꆈꌠꁱꂷ": CHARACTERS,
    "ꦧꦱꦗꦮ": CHARACTERS,
    "": WORDS,
    "123 ... 45 %": WORDS,
    "🙂🙂 42": WORDS,
}
LETTERS = {
    "German": (st.sampled_from("abcdefghijklmnopqrstuvwxyzäöüß"), WORDS),
    "Russian": (st.characters(min_codepoint=0x0430, max_codepoint=0x044F), WORDS),
    "Arabic": (st.characters(min_codepoint=0x0627, max_codepoint=0x063A), WORDS),
    "Korean": (st.characters(min_codepoint=0xAC00, max_codepoint=0xD7A3), WORDS),
    "Chinese": (st.characters(min_codepoint=0x4E00, max_codepoint=0x9FA5), CHINESE),
    "Japanese": (st.characters(min_codepoint=0x3041, max_codepoint=0x3096), CHARACTERS),
    "Thai": (st.characters(min_codepoint=0x0E01, max_codepoint=0x0E2E), CHARACTERS),
    "Khmer": (st.characters(min_codepoint=0x1780, max_codepoint=0x17B3), CHARACTERS),
    "Lao": (
        st.characters(min_codepoint=0x0E81, max_codepoint=0x0EAE, categories=("Lo",)),
        CHARACTERS,
    ),
    "Burmese": (st.characters(min_codepoint=0x1000, max_codepoint=0x102A), CHARACTERS),
    "Tibetan": (st.characters(min_codepoint=0x0F40, max_codepoint=0x0F47), CHARACTERS),
}


def sentences_in(script: str) -> st.SearchStrategy[list[str]]:
    """Some sentences: words with spaces between them, or, in a script without spaces, at least
    eight letters."""
    letters, tokeniser = LETTERS[script]
    if tokeniser == WORDS:
        word = st.text(letters, min_size=1, max_size=6)
        return st.lists(
            st.lists(word, min_size=4, max_size=8).map(" ".join), min_size=1, max_size=6
        )
    return st.lists(st.text(letters, min_size=8, max_size=16), min_size=1, max_size=6)


RNG = random.Random(3)
WORDS_KNOWN = "der die alte Lehrer verkauft kauft das Sofa , weil es kaputt ist Ticket".split()


def draw(n: int) -> list[str]:
    return [" ".join(RNG.choices(WORDS_KNOWN, k=RNG.randint(4, 12))) for _ in range(n)]


REFERENCES = draw(60)
GOOD = [text if i % 3 else text.replace("a", "e") for i, text in enumerate(REFERENCES)]
BAD = [text.replace("e", "i", 3) for text in REFERENCES]
STREAMS = [REFERENCES, draw(60)]


class TestTokeniser:
    @pytest.mark.parametrize(("text", "tokeniser"), TEXTS.items())
    def test_it_follows_the_script(self, text, tokeniser):
        assert tokeniser_of([text]) == tokeniser

    @pytest.mark.parametrize(
        ("text", "tokeniser"),
        [
            ("Der Lehrer Wang Wei (王伟) verkauft das Sofa in Peking (北京) .", WORDS),
            ("Herr สมชาย verkauft das alte Sofa, weil es kaputt ist.", WORDS),
            ("Das Wort 先生 (せんせい) heißt auf Deutsch Lehrer.", WORDS),
            ("在 Windows 上安装 Python", CHINESE),
            ("我用 iPhone 和 MacBook 写邮件。", CHINESE),
            ("Pythonをインストールする", CHARACTERS),
            ("ติดตั้ง Python บน Windows", CHARACTERS),
            ("老师说「の」是日文，学生们都很喜欢这个字。", CHINESE),
        ],
    )
    def test_a_name_in_another_script_does_not_change_it(self, text, tokeniser):
        assert tokeniser_of([text]) == tokeniser

    @pytest.mark.parametrize("script", LETTERS)
    @given(data=st.data())
    @settings(max_examples=20)
    def test_any_text_of_a_script_has_its_tokeniser(self, script, data):
        assert tokeniser_of(data.draw(sentences_in(script))) == LETTERS[script][1]

    @given(st.lists(st.sampled_from(sorted(TEXTS)), max_size=8), st.randoms())
    def test_the_order_and_the_lines_do_not_count(self, texts, rng):
        shuffled = rng.sample(texts, len(texts))
        assert tokeniser_of(texts) == tokeniser_of(shuffled) == tokeniser_of(["\n".join(texts)])

    @given(st.text())
    def test_any_text_has_one(self, text):
        assert tokeniser_of([text]) in (WORDS, CHINESE, CHARACTERS)

    @given(st.characters())
    def test_every_character_is_looked_up(self, character):
        assert script_of(character) is None or ord(character) >= 0x0E00

    def test_one_that_cannot_be_used_is_refused_by_name(self):
        with pytest.raises(ValueError, match="no tokeniser '14b': choose from 13a, "):
            bleu_metric([["a"]], "14b")
        assert {WORDS, CHINESE, CHARACTERS} <= set(TOKENISERS) <= set(BLEU.TOKENIZERS)

    def test_a_package_that_is_missing_is_named_in_one_line(self, monkeypatch):
        def missing(*_, **__):
            raise RuntimeError("\nPlease install them:\n\n    pip install sacrebleu[ja]\n")

        monkeypatch.setattr("seqkd_lab.metrics.BLEU", missing)
        with pytest.raises(
            ValueError,
            match=r"^sacreBLEU's tokeniser 'ja-mecab' cannot be used here: Please install "
            r"them: pip install sacrebleu\[ja\]$",
        ):
            bleu_metric([["a"]], "ja-mecab")


class TestScores:
    @pytest.mark.parametrize("streams", [STREAMS[:1], STREAMS])
    def test_they_are_sacrebleus(self, streams):
        score, bleu, chrf = score_texts(BAD, streams), BLEU(), CHRF()
        expected = bleu.corpus_score(BAD, streams)
        assert (score.bleu, score.brevity_penalty) == (expected.score, expected.bp)
        assert score.length_ratio == pytest.approx(expected.sys_len / expected.ref_len)
        assert score.chrf == chrf.corpus_score(BAD, streams).score
        assert (score.signature, score.chrf_signature) == (
            str(bleu.get_signature()),
            str(chrf.get_signature()),
        )

    @pytest.mark.parametrize("script", LETTERS)
    @given(data=st.data())
    @settings(max_examples=15)
    def test_a_perfect_translation_scores_100_in_every_script(self, script, data):
        texts = data.draw(sentences_in(script))
        score = score_texts(texts, [texts])
        assert score.bleu == pytest.approx(100.0) and score.chrf == pytest.approx(100.0)
        assert score.length_ratio == score.brevity_penalty == 1.0
        assert f"tok:{LETTERS[script][1]}" in score.signature

    @given(st.permutations(range(20)))
    @settings(max_examples=10)
    def test_the_order_of_sentences_does_not_count(self, order):
        texts, streams = BAD[:20], [stream[:20] for stream in STREAMS]
        moved = score_texts(
            [texts[i] for i in order], [[stream[i] for i in order] for stream in streams]
        )
        assert moved == score_texts(texts, streams)

    def test_more_references_are_never_unkind_to_chrf(self):
        assert score_texts(BAD, STREAMS).chrf >= score_texts(BAD, STREAMS[:1]).chrf

    def test_the_tokeniser_may_be_chosen(self):
        chosen = score_texts(BAD, STREAMS, "char")
        assert chosen.bleu == BLEU(tokenize="char").corpus_score(BAD, STREAMS).score
        assert "tok:char" in chosen.signature and chosen.chrf == score_texts(BAD, STREAMS).chrf

    def test_one_character_off_costs_some_of_it_in_chinese(self):
        texts = ["老教师卖掉了沙发。", "学生买了一张火车票。", "因为坏了，所以扔掉。"]
        off = [text.replace(text[0], "猫", 1) for text in texts]
        assert 50 < score_texts(off, [texts]).bleu < 100
        assert score_texts(off, [texts], "13a").bleu < 20

    def test_empty_lines_score_0_and_break_nothing(self):
        score = score_texts([""] * 3, [REFERENCES[:3]])
        assert (score.bleu, score.chrf, score.length_ratio) == (0.0, 0.0, 0.0)
        assert score_texts(["a"], [[""]]).length_ratio == 0.0, "no token to divide by"

    @pytest.mark.parametrize(
        ("texts", "streams", "said"),
        [
            ([], [[]], "nothing to score: 0 texts"),
            (["a"], [], "0 streams"),
            (["a", "b"], [["a"]], "2 texts and 1 references"),
            (["a"], [["a"], []], "1 texts and 0 references"),
        ],
    )
    def test_what_does_not_fit_is_refused(self, texts, streams, said):
        with pytest.raises(ValueError, match=said):
            check_numbers(texts, streams)
        with pytest.raises(ValueError, match=said):
            score_texts(texts, streams)

    def test_no_warning_of_sacrebleus_appears_between_progress_bars(self, caplog):
        tokenised = ["das Sofa ist alt ."] * 150
        with caplog.at_level(logging.WARNING, logger="sacrebleu"):
            score_texts(tokenised, [tokenised])
            BLEU().corpus_score(tokenised, [tokenised])
        assert len(caplog.records) == 3, "sacreBLEU's own call warns, ours does not"


class TestPairedBootstrap:
    @pytest.mark.parametrize("make", [bleu_metric, chrf_metric])
    @pytest.mark.parametrize("pair", [(GOOD, BAD), (BAD, GOOD), (GOOD, GOOD[:-4] + BAD[-4:])])
    def test_scores_and_p_are_sacrebleus(self, make, pair):
        system, other = pair
        found = paired_bootstrap(system, other, make(STREAMS), 200)
        named = [("other", other), ("system", system)]
        _, expected = PairedTest(named, {"it": make(STREAMS)}, None, "bs", 200)()
        first, second = next(scores for name, scores in expected.items() if name != "System")
        assert (found.other, found.system, found.p_value) == (
            first.score,
            second.score,
            second.p_value,
        )

    @pytest.mark.parametrize("make", [bleu_metric, chrf_metric])
    def test_two_equal_systems_have_a_p_of_1_and_an_interval_of_0(self, make):
        found = paired_bootstrap(BAD, list(BAD), make(STREAMS), 100)
        assert found.p_value == 1.0 and found.interval == (0.0, 0.0) and found.difference == 0.0

    @pytest.mark.parametrize("make", [bleu_metric, chrf_metric])
    def test_the_interval_holds_the_difference_and_turns_with_the_systems(self, make):
        there, back = (
            paired_bootstrap(*pair, make(STREAMS), 200) for pair in ((GOOD, BAD), (BAD, GOOD))
        )
        low, high = there.interval
        assert 0.0 < low < there.difference < high and there.p_value == back.p_value < 0.05
        assert back.interval == (-high, -low) and back.difference == -there.difference

    def test_more_sentences_make_it_narrower(self):
        few, many = (
            paired_bootstrap(GOOD[:n], BAD[:n], bleu_metric([REFERENCES[:n]]), 200).interval
            for n in (10, 60)
        )
        assert many[1] - many[0] < few[1] - few[0]

    def test_the_dictionary_is_that_of_bleu(self):
        found = paired_bootstrap(GOOD, BAD, bleu_metric(STREAMS), 100)
        assert paired_difference(GOOD, BAD, STREAMS, 100) == {
            "other": found.other,
            "system": found.system,
            "p_value": found.p_value,
        }


class TestShares:
    @given(st.lists(st.sampled_from("abc"), min_size=1, max_size=30))
    def test_by_counting(self, texts):
        assert distinct_share(texts) == len(set(texts)) / len(texts)
        assert repeated_share(texts) == max(texts.count(text) for text in texts) / len(texts)
        assert (distinct_share(texts) == 1.0) == (repeated_share(texts) == 1 / len(texts))


class TestWhyNotJudged:
    @given(st.floats(0.0, 100.0), st.floats(0.0, 1.0), st.floats(0.0, 1.0))
    @example(1.96, 1.0, 0.01)
    @example(1.9999999, 1.0, 0.01)
    def test_low_scores_are_named_with_their_number(self, bleu, distinct, repeated):
        reason = why_not_judged("the teacher", bleu, distinct, repeated)
        if bleu < LEAST_BLEU:
            assert (
                reason.startswith("the teacher's BLEU is ")
                and "below 2" in reason
                and "is 2.0" not in reason
            )
        elif reason is not None:
            assert "translation" in reason and (repeated >= 0.5 or distinct <= 0.1)

    def test_what_is_alike_is_named_with_its_share(self):
        assert "wrote the same translation for 98% of the sentences" in why_not_judged(
            "seq-kd", 9.0, 0.02, 0.98
        )
        assert "only 3% of seq-kd's translations differ" in why_not_judged("seq-kd", 9.0, 0.03, 0.2)
        assert why_not_judged("seq-kd", 9.0, 0.9, 0.1) is None

    def test_older_results_counted_neither(self):
        assert why_not_judged("seq-kd", 9.0) is None and why_not_judged("seq-kd", 0.2) is not None

    def test_a_single_sentence_is_not_called_alike(self):
        assert why_not_judged("seq-kd", 50.0, 1.0, 1.0) is None

    def test_what_is_not_a_number_cannot_be_judged(self):
        assert "BLEU is nan" in why_not_judged("seq-kd", math.nan)
