"""Text to tokens and back: nothing is lost, and training is repeatable."""

from __future__ import annotations

import io
import random
from collections import Counter

import pytest
import sentencepiece
from hypothesis import given
from hypothesis import strategies as st

from seqkd_lab.corpus.alphabet import ALPHABET_SHARE, SPACE, rare_characters
from seqkd_lab.corpus.own_subwords import try_subwords, unknown_in_words
from seqkd_lab.corpus.parallel import CorpusError, RawPairs, fold, group_by_source
from seqkd_lab.corpus.subwords import SubwordTokeniser, WordTokeniser, prepare, tokenise
from seqkd_lab.corpus.vocabulary import UNK, Vocabulary

SUBJECTS = ["The old teacher", "A small student", "The tired cat", "My sister", "Nobody"]
VERBS = ["sells the lamp", "reads a letter", "opened the window", "helps the farmer", "sleeps"]
TIMES = ["today", "at night"]
TEXTS = [f"{subject} {verb} {time}." for subject in SUBJECTS for verb in VERBS for time in TIMES]
GERMAN = [
    f"{text.lower()} für größere Häuser" for text in TEXTS
]  # not German, but it has the letters

# Everything a file can hold after read_lines: no surrogates and no zero byte.
any_text = st.text(st.characters(exclude_categories=("Cs",), exclude_characters="\0"))


@pytest.fixture(scope="module")
def tokeniser() -> SubwordTokeniser:
    return SubwordTokeniser.train(TEXTS + GERMAN, 120)


def raw(split: str, source, target, **more) -> RawPairs:
    return RawPairs("text", split, "CC0", tuple(source), tuple(target), **more)


class TestRoundTrip:
    @given(any_text)
    def test_words_give_back_the_folded_text(self, text):
        assert WordTokeniser().decode(WordTokeniser().encode(text)) == fold(text)

    @given(text=any_text)
    def test_subwords_give_back_any_text_up_to_nfc_and_whitespace(self, tokeniser, text):
        tokens = tokeniser.encode(text)
        assert tokeniser.decode(tokens) == fold(text.replace(SPACE, " "))
        assert all(token and token.split() == [token] for token in tokens), (
            "tokens hold no whitespace"
        )

    @pytest.mark.parametrize(
        "text", ["", " ", "<s> </s> <unk> <pad>", "a" * 10_000, "u\u0308ber", "\ufeffx", "x\u200by"]
    )
    def test_unusual_text(self, tokeniser, text):
        assert tokeniser.decode(tokeniser.encode(text)) == fold(text)

    def test_composed_and_decomposed_letters_are_the_same_tokens(self, tokeniser):
        assert tokeniser.encode("gro\u0308ßere Ha\u0308user") == tokeniser.encode("größere Häuser")


class TestTraining:
    def test_equal_texts_give_equal_models(self, tokeniser):
        assert SubwordTokeniser.train(iter(TEXTS + GERMAN), 120) == tokeniser
        assert SubwordTokeniser.train(TEXTS, 120) != tokeniser

    def test_subwords_are_fewer_than_characters_and_within_the_size_asked_for(self, tokeniser):
        assert len(tokeniser) <= 120
        tokens = sum(len(tokeniser.encode(text)) for text in TEXTS)
        assert len(" ".join(TEXTS).split()) <= tokens < 0.5 * sum(map(len, TEXTS))

    def test_no_subword_of_the_training_text_is_unknown(self, tokeniser):
        sentences = [tokeniser.encode(text) for text in TEXTS]
        vocabulary = Vocabulary.build(sentences)
        assert UNK not in [number for tokens in sentences for number in vocabulary.ids(tokens)]
        assert (
            len(vocabulary) <= len(tokeniser) + 1
        )  # sentencepiece has three specials, a Vocabulary four

    def test_a_text_with_few_subwords_gives_what_it_has(self):
        assert 0 < len(SubwordTokeniser.train(["ab ab ab"], 5_000)) < 20

    @pytest.mark.parametrize("texts, size", [(TEXTS, 10), ([], 100), (["", "  "], 100)])
    def test_what_cannot_be_learnt_is_refused_with_advice(self, texts, size):
        with pytest.raises(
            CorpusError, match=f"no {size} subwords can be learnt.*give (more text|a --vocabulary)"
        ):
            SubwordTokeniser.train(texts, size)

    def test_long_lines_take_part(self):
        model = SubwordTokeniser.train(["ab " * 3_000 + "qz qz qz"], 50)
        assert model.encode("qz") == (SPACE + "qz",)


class TestAlphabet:
    """More characters than subwords: the rarest are given up, instead of the whole text."""

    @staticmethod
    def chinese(n_characters: int = 4_500, n_lines: int = 520) -> list[str]:
        """Lines of 40 characters each, the frequent ones often, all of them at least once."""
        rng = random.Random(1)
        alphabet = [chr(0x4E00 + i) for i in range(n_characters)]
        weights = [1 / (1 + i) for i in range(n_characters)]
        text = alphabet + rng.choices(alphabet, weights, k=max(0, 40 * n_lines - n_characters))
        rng.shuffle(text)
        return ["".join(text[i : i + 40]) for i in range(0, len(text), 40)]

    def test_4500_characters_and_4000_subwords(self):
        texts = self.chinese()
        rare = rare_characters(texts, 4_000)
        counts = Counter("".join(texts))
        assert len(counts) == 4_500 and len(counts) - len(rare) == int(ALPHABET_SHARE * 3_996)
        assert max(counts[c] for c in rare) <= min(counts[c] for c in set(counts) - rare), (
            "the rarest go"
        )
        tokeniser = SubwordTokeniser.train(texts, 4_000)
        assert len(tokeniser) <= 4_000
        assert not rare & set("".join(tokeniser.pieces))
        assert set(counts) - rare <= set("".join(tokeniser.pieces))
        assert [tokeniser.decode(tokeniser.encode(text)) for text in texts] == texts
        said = unknown_in_words(tokenise(raw("train", texts, texts), tokeniser), tokeniser)
        assert f"none spells {len(rare):,} distinct characters of the train text" in said

    def test_all_characters_stay_where_they_fit(self):
        texts = self.chinese(200, 30)
        assert rare_characters(texts, 204) == frozenset()
        assert len(rare_characters(texts, 203)) == 200 - int(ALPHABET_SHARE * 199)
        tokeniser = SubwordTokeniser.train(texts, 204)
        assert set("".join(texts)) <= tokeniser.pieces
        assert unknown_in_words(tokenise(raw("train", texts, texts), tokeniser), tokeniser) == ""

    @given(text=st.text("abcdefgh", min_size=1), coverage=st.floats(0.01, 1.0))
    def test_coverage_is_reached_by_the_fewest_characters(self, text, coverage):
        rare, counts = rare_characters([text], 100, coverage), Counter(text)
        kept = sorted((n for c, n in counts.items() if c not in rare), reverse=True)
        assert (
            sum(kept) >= coverage * len(text) - 1e-6 * len(text) > sum(kept[:-1]) - 1e-6 * len(text)
        )

    def test_a_character_given_up_by_coverage_is_unknown_but_comes_back(self):
        tokeniser = SubwordTokeniser.train([*TEXTS, "Ω here"], 120, 0.999)
        assert "Ω" not in "".join(tokeniser.pieces)
        assert tokeniser.decode(tokeniser.encode("the Ω lamp")) == "the Ω lamp"
        assert "Ω" in "".join(SubwordTokeniser.train([*TEXTS, "Ω here"], 120).pieces)

    @pytest.mark.parametrize("size", [1, 3, 4, 5, 10])
    def test_a_vocabulary_too_small_for_half_of_the_text_says_which_would_do(self, size):
        with pytest.raises(
            CorpusError, match=f"no {size} subwords .* 25 distinct characters.*well above 29"
        ):
            SubwordTokeniser.train(TEXTS, size)
        assert len(SubwordTokeniser.train(TEXTS, 30)) <= 30

    @pytest.mark.parametrize("coverage", [0.0, -1.0, 1.1, float("nan")])
    def test_a_coverage_that_is_no_share_is_refused(self, coverage):
        with pytest.raises(ValueError, match="character_coverage must lie in"):
            SubwordTokeniser.train(TEXTS, 100, coverage)


class TestOwnSubwords:
    """A sentencepiece model that somebody brings: used as it is, and what it changes is said."""

    @staticmethod
    def brought(texts, **options) -> SubwordTokeniser:
        model = io.BytesIO()
        options = {"vocab_size": 200, "hard_vocab_limit": False, "model_type": "bpe", **options}
        sentencepiece.SentencePieceTrainer.train(
            sentence_iterator=iter(texts), model_writer=model, minloglevel=2, **options
        )
        return SubwordTokeniser(model.getvalue())

    @pytest.mark.parametrize(
        "options",
        [
            {},
            {"model_type": "unigram", "vocab_size": 60},
            {"byte_fallback": True, "vocab_size": 320},
            {"normalization_rule_name": "identity"},
            {"add_dummy_prefix": False},
            {"treat_whitespace_as_suffix": True},
            {"user_defined_symbols": ["<2de>", "\t", "teacher"]},
        ],
    )
    def test_a_model_of_the_text_changes_nothing(self, options):
        assert (
            try_subwords(self.brought(TEXTS + GERMAN, **options), TEXTS + GERMAN, "own.model") == ""
        )

    def test_a_normaliser_is_said_with_an_example(self):
        said = try_subwords(
            self.brought(TEXTS, normalization_rule_name="nmt_nfkc_cf"), TEXTS, "own.model"
        )
        assert said.startswith(
            f"own.model: {len(TEXTS)} of {len(TEXTS)} lines tried come back changed"
        )
        assert "'The old teacher" in said and "as 'the old teacher" in said
        wide = try_subwords(self.brought(TEXTS), [*TEXTS, "ﬁne"], "own.model")
        assert "1 of 51 lines" in wide and "'ﬁne' as 'fine'" in wide

    def test_a_model_of_another_text_is_refused(self):
        with pytest.raises(
            CorpusError, match=r"own\.model: \d+% of the training text's characters are unknown"
        ):
            try_subwords(self.brought(TEXTS), ["北京上海天气很好"] * 5, "own.model")
        spelling = self.brought(TEXTS, byte_fallback=True, vocab_size=320)
        assert try_subwords(spelling, ["北京上海天气很好"] * 5, "own.model") == "", (
            "its bytes spell every letter"
        )

    def test_a_model_that_loses_letters_is_refused(self, tmp_path):
        rules = tmp_path / "rules.tsv"
        rules.write_text("65\t\n61\t\n", encoding="utf-8")  # "e" and "a" become nothing
        losing = self.brought(TEXTS, normalization_rule_tsv=str(rules))
        with pytest.raises(
            CorpusError, match="50 lose letters when they are cut and joined.*identity"
        ):
            try_subwords(losing, TEXTS, "own.model")

    def test_no_lines_are_no_error(self, tokeniser):
        assert try_subwords(tokeniser, [], "own.model") == ""

    def test_what_is_printed_has_no_control_characters(self, tokeniser):
        corpus = tokenise(raw("train", ["a \x1b[2J"], ["b"]), tokeniser)
        assert "\x1b" not in unknown_in_words(corpus, tokeniser)


class TestFiles:
    def test_saved_is_loaded(self, tokeniser, tmp_path):
        tokeniser.save(tmp_path / "joint.model")
        loaded = SubwordTokeniser.load(tmp_path / "joint.model")
        assert loaded == tokeniser
        assert loaded.encode("The tired cat") == tokeniser.encode("The tired cat")
        assert [file.name for file in tmp_path.iterdir()] == ["joint.model"]

    @pytest.mark.parametrize("content", [b"", b"not a model", b"\xff" * 100])
    def test_something_else_is_refused_by_name(self, tmp_path, content):
        (tmp_path / "joint.model").write_bytes(content)
        with pytest.raises(CorpusError, match=r"joint\.model: not a sentencepiece model"):
            SubwordTokeniser.load(tmp_path / "joint.model")

    def test_a_missing_or_shortened_file_is_refused_by_name(self, tokeniser, tmp_path):
        with pytest.raises(CorpusError, match=r"joint\.model: cannot be read"):
            SubwordTokeniser.load(tmp_path / "joint.model")
        (tmp_path / "joint.model").write_bytes(tokeniser.model[:-100])
        with pytest.raises(CorpusError, match=r"joint\.model: not a sentencepiece model"):
            SubwordTokeniser.load(tmp_path / "joint.model")


class TestPrepare:
    TRAIN = raw("train", [*TEXTS, "", TEXTS[0]], [*GERMAN, "x", GERMAN[0]])
    VALID = raw(
        "valid", ["Nobody sleeps.", "Nobody sleeps."], ["niemand schläft", "niemand schläft"]
    )
    TEST = raw("test", ["A cat.", "A lamp."], ["eine Katze", "eine Lampe"])

    def test_corpora_hold_subwords_and_raw_references(self):
        corpora, tokeniser, reports = prepare(self.TRAIN, self.VALID, self.TEST, 120)
        assert list(corpora) == list(reports) == ["train", "valid", "test"]
        assert corpora["train"].references == tuple((text,) for text in GERMAN)
        for split, pairs in (("valid", self.VALID), ("test", self.TEST)):
            assert tuple(map(tokeniser.decode, corpora[split].source)) == pairs.source
            assert corpora[split].references == tuple((text,) for text in pairs.target)
        assert reports["train"].dropped == {"empty source": 1, "duplicate pair": 1}
        assert reports["valid"].dropped == {}, "held-out text keeps its repetitions"

    def test_subwords_are_learnt_from_both_sides_of_train_only(self):
        _, tokeniser, _ = prepare(self.TRAIN, self.VALID, self.TEST, 120)
        assert tokeniser == SubwordTokeniser.train(TEXTS + GERMAN, 120)

    def test_a_given_tokeniser_is_used(self):
        given_one = SubwordTokeniser.train(TEXTS, 60)
        corpora, used, _ = prepare(self.TRAIN, self.VALID, self.TEST, 120, tokeniser=given_one)
        assert used == given_one
        assert corpora["test"].source[0] == given_one.encode("A cat.")

    def test_grouped_references_stay(self):
        test = group_by_source(raw("test", ["A cat.", "A cat."], ["eine Katze", "ein Kater"]))
        corpora, _, _ = prepare(self.TRAIN, self.VALID, test, 120)
        assert corpora["test"].references == (("eine Katze", "ein Kater"),)

    def test_words_of_the_toy_need_no_training(self):
        corpus = tokenise(self.TEST, WordTokeniser())
        assert corpus.source == (("A", "cat."), ("A", "lamp."))
        assert corpus.references == (("eine Katze",), ("eine Lampe",))
