"""Text to tokens and back: nothing is lost, and training is repeatable."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from seqkd_lab.corpus.parallel import CorpusError, RawPairs, fold, group_by_source
from seqkd_lab.corpus.subwords import SPACE, SubwordTokeniser, WordTokeniser, prepare, tokenise
from seqkd_lab.corpus.vocabulary import UNK, Vocabulary

SUBJECTS = ["The old teacher", "A small student", "The tired cat", "My sister", "Nobody"]
VERBS = ["sells the lamp", "reads a letter", "opened the window", "helps the farmer", "sleeps"]
TIMES = ["today", "at night"]
TEXTS = [f"{subject} {verb} {time}." for subject in SUBJECTS for verb in VERBS for time in TIMES]
GERMAN = [f"{text.lower()} für größere Häuser" for text in TEXTS]  # not German, but it has the letters

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
        assert all(token and token.split() == [token] for token in tokens), "tokens hold no whitespace"

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
        assert len(vocabulary) <= len(tokeniser) + 1  # sentencepiece has three specials, a Vocabulary four

    def test_a_text_with_few_subwords_gives_what_it_has(self):
        assert 0 < len(SubwordTokeniser.train(["ab ab ab"], 5_000)) < 20

    @pytest.mark.parametrize("texts, size", [(TEXTS, 10), ([], 100), (["", "  "], 100)])
    def test_what_cannot_be_learnt_is_refused_with_advice(self, texts, size):
        with pytest.raises(CorpusError, match=f"no {size} subwords can be learnt.*give (more text|a vocabulary of)"):
            SubwordTokeniser.train(texts, size)

    def test_long_lines_take_part(self):
        model = SubwordTokeniser.train(["ab " * 3_000 + "qz qz qz"], 50)
        assert model.encode("qz") == (SPACE + "qz",)


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
    VALID = raw("valid", ["Nobody sleeps.", "Nobody sleeps."], ["niemand schläft", "niemand schläft"])
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
