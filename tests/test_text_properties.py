"""What holds for any text: it comes back from its subwords, keeps its lines, and does not depend on
the batch."""

from __future__ import annotations

import io
import random

import pytest
import sentencepiece
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from seqkd_lab.corpus.batching import batches, encode, limited_batches
from seqkd_lab.corpus.cleaning import HELD_OUT, TRAINING, clean
from seqkd_lab.corpus.parallel import CorpusError, ParallelCorpus, RawPairs, fold
from seqkd_lab.corpus.reading import read_aligned, read_lines
from seqkd_lab.corpus.subwords import SPACE, SubwordTokeniser, tokenise
from seqkd_lab.corpus.vocabulary import UNK, Vocabulary
from seqkd_lab.decoding.scoring import corpus_log_probs
from seqkd_lab.distillation.losses import nll
from seqkd_lab.models.lstm import LSTMSpec
from seqkd_lab.models.transformer import TransformerSeq2Seq, TransformerSpec
from seqkd_lab.validation import validation_loss

# Everything a line can hold after read_lines: no surrogates, no zero byte, no LF.
any_text = st.text(st.characters(exclude_categories=("Cs",), exclude_characters="\0"))
any_line = st.text(st.characters(exclude_categories=("Cs",), exclude_characters="\0\n\r\ufeff"))
separators = st.sampled_from("\u2028 \u2029 \x85 \x0b \x0c \x1c \x1d \x1e \r \t \u00a0".split(" "))
TEXTS = 3 * [
    "Der alte Lehrer schläft.",
    "Die kleine Ärztin öffnet das Fenster.",
    "北京的天气很好",
    "Он видит дом.",
]


def folded(text: str) -> str:
    return fold(text.replace(SPACE, " "))


def brought(**options) -> SubwordTokeniser:
    """A sentencepiece model as somebody else may have trained it."""
    model = io.BytesIO()
    options = {
        "vocab_size": 60,
        "hard_vocab_limit": False,
        "normalization_rule_name": "identity",
        **options,
    }
    sentencepiece.SentencePieceTrainer.train(
        sentence_iterator=iter(TEXTS), model_writer=model, minloglevel=2, **options
    )
    return SubwordTokeniser(model.getvalue())


CUTTERS = {
    "coverage 1": SubwordTokeniser.train(TEXTS, 200),
    "coverage 0.7": SubwordTokeniser.train(TEXTS, 200, 0.7),
    "more characters than subwords": SubwordTokeniser.train(TEXTS, 40),
    "byte fallback": brought(
        vocab_size=320, byte_fallback=True, model_type="bpe", character_coverage=0.98
    ),
    "unigram": brought(model_type="unigram"),
    "characters": brought(model_type="char"),
    "symbols of one's own": brought(
        vocab_size=320,
        byte_fallback=True,
        model_type="bpe",
        user_defined_symbols=["<2de>", "der alte"],
        control_symbols=["<draft>"],
    ),
    "space after the word": brought(
        model_type="bpe", vocab_size=70, treat_whitespace_as_suffix=True
    ),
    "no space before the first word": brought(
        model_type="bpe", vocab_size=70, add_dummy_prefix=False
    ),
}


@pytest.mark.parametrize("cutter", CUTTERS.values(), ids=CUTTERS)
class TestCutAndJoined:
    @given(text=any_text)
    def test_any_text_comes_back(self, cutter, text):
        tokens = cutter.encode(text)
        assert cutter.decode(tokens) == folded(text)
        assert all(token.split() == [token] for token in tokens)

    @pytest.mark.parametrize(
        "text",
        [
            "<0xE2>",
            "<0x41> <s> </s> <unk> <pad>",
            "▅ ⁇",
            "der alte <2de> <draft>",
            "u\u0308",
            "👩‍👩‍👧 🏳️‍🌈",
            "ﬁ ½ Ａ",
            "\u202eabc\u202c",
            "א" * 500,
        ],
    )
    def test_text_that_looks_like_a_piece(self, cutter, text):
        assert cutter.decode(cutter.encode(text)) == folded(text)

    @given(text=any_text)
    def test_only_pieces_are_known(self, cutter, text):
        """A vocabulary of the pieces knows what the cutter can spell, and calls the rest
        unknown."""
        tokens = cutter.encode(text)
        vocabulary = Vocabulary.build([sorted(cutter.pieces)])
        known = [number != UNK for number in vocabulary.ids(tokens)]
        assert known == [token in cutter.pieces for token in tokens]

    @given(texts=st.lists(any_line, min_size=1, max_size=5))
    def test_a_corpus_is_cut_sentence_by_sentence(self, cutter, texts):
        pairs = RawPairs("n", "s", "l", tuple(map(fold, texts)), tuple(map(fold, reversed(texts))))
        corpus = tokenise(pairs, cutter)
        assert corpus.source == tuple(map(cutter.encode, pairs.source))
        assert corpus[::-1].target == corpus.source


@given(text=any_text)
def test_with_bytes_nothing_is_unknown(text):
    cutter = CUTTERS["byte fallback"]
    assert set(cutter.encode(text)) <= cutter.pieces


def test_bytes_that_spell_no_letter_are_shown_as_such():
    cutter = CUTTERS["byte fallback"]
    assert (
        cutter.decode(("▁Der", "<0xE5>", "<0x8C>", "▁", "<0xE5>", "<0x8C>", "<0x97>"))
        == "Der\ufffd 北"
    )
    assert CUTTERS["unigram"].decode(("▁<0xE5>",)) == "<0xE5>", (
        "without byte pieces these are letters"
    )


class TestLines:
    @given(
        lines=st.lists(
            st.tuples(any_line, separators, any_line).map("".join), min_size=2, max_size=8
        ),
        ends=st.sampled_from(["\n", "\r\n"]),
        last=st.booleans(),
    )
    def test_only_lf_ends_a_line(self, tmp_path_factory, lines, ends, last):
        path = tmp_path_factory.mktemp("lines") / "text"
        path.write_bytes((ends.join(lines) + ends * last).encode())
        assert path.read_bytes().count(b"\n") == len(lines) - (not last)
        if not any(line.strip() for line in lines):
            with pytest.raises(CorpusError, match="empty"):
                read_lines(path)
            return
        assert len(read_lines(path)) == len(lines) - (not last and lines[-1] == "")
        assert [fold(line) for line in read_lines(path)] == [fold(line) for line in lines]

    @given(rows=st.lists(st.tuples(any_line, any_line), min_size=1, max_size=8))
    def test_what_was_written_is_read_line_for_line(self, tmp_path_factory, rows):
        folder = tmp_path_factory.mktemp("ä ö")
        rows = [*rows, ("end", "Ende")]
        paths = folder / "source text.en", folder / "ziel.de"
        for path, side in zip(paths, zip(*rows, strict=True), strict=True):
            path.write_bytes("".join(f"{line}\n" for line in side).encode())
        pairs = read_aligned(*paths)
        assert list(zip(pairs.source, pairs.target, strict=True)) == [
            (fold(x), fold(y)) for x, y in rows
        ]

    @given(
        rows=st.lists(st.tuples(any_line, any_line), max_size=10),
        rules=st.sampled_from([TRAINING, HELD_OUT]),
    )
    def test_cleaning_keeps_the_order_and_counts_every_pair(self, rows, rules):
        rows = [(fold(x), fold(y)) for x, y in [*rows, ("good", "gut"), *rows]]
        pairs = RawPairs("n", "s", "l", *map(tuple, zip(*rows, strict=True)))
        kept, report = clean(pairs, rules)
        rest = iter(rows)
        assert all(pair in rest for pair in zip(kept.source, kept.target, strict=True))
        assert report.read == len(rows) == len(kept) + sum(report.dropped.values())


WORDS = [f"w{i}" for i in range(12)]
CORPORA = st.lists(
    st.tuples(*[st.lists(st.sampled_from(WORDS), max_size=9).map(tuple)] * 2),
    min_size=1,
    max_size=12,
).map(lambda rows: ParallelCorpus("n", "valid", "l", *map(tuple, zip(*rows, strict=True))))


def models(vocabulary: Vocabulary) -> dict:
    torch.manual_seed(1)
    from seqkd_lab.models.lstm import LSTMSeq2Seq

    spec = TransformerSpec(width=8, layers=1, heads=2, hidden=8, dropout=0.0)
    return {
        "LSTM": LSTMSeq2Seq(LSTMSpec(width=8), vocabulary, vocabulary),
        "Transformer": TransformerSeq2Seq(spec, vocabulary, vocabulary),
    }


MODELS = models(Vocabulary.build([WORDS]))


class TestBatchesDoNotMatter:
    @given(corpus=CORPORA, batch_size=st.integers(1, 6), max_tokens=st.integers(1, 40))
    def test_every_pair_comes_once_and_the_padding_is_limited(self, corpus, batch_size, max_tokens):
        vocabulary = MODELS["LSTM"].source_vocabulary
        made = list(limited_batches(encode(corpus, vocabulary, vocabulary), batch_size, max_tokens))
        assert sorted(row for batch in made for row in batch.rows.tolist()) == list(
            range(len(corpus))
        )
        for batch in made:
            assert len(batch) <= batch_size
            assert (
                len(batch) == 1 or max(batch.source.numel(), batch.target_out.numel()) <= max_tokens
            )

    def test_short_sentences_are_batched_as_without_a_limit(self):
        rows = [tuple(random.Random(i).choices(WORDS, k=1 + i % 7)) for i in range(300)]
        corpus = ParallelCorpus("n", "s", "l", tuple(rows), tuple(rows))
        encoded = encode(corpus, MODELS["LSTM"].source_vocabulary, MODELS["LSTM"].target_vocabulary)
        limited, whole = limited_batches(encoded, 128), batches(encoded, 128, shuffle_seed=None)
        assert [b.rows.tolist() for b in limited] == [b.rows.tolist() for b in whole]

    def test_no_pairs_make_no_batch(self):
        vocabulary = MODELS["LSTM"].source_vocabulary
        assert (
            list(
                limited_batches(
                    encode(ParallelCorpus("n", "s", "l", (), ()), vocabulary, vocabulary), 4
                )
            )
            == []
        )

    @pytest.mark.parametrize("name", MODELS)
    @settings(max_examples=25)
    @given(corpus=CORPORA, batch_size=st.integers(1, 6))
    def test_the_validation_loss_is_the_mean_over_all_tokens(self, name, corpus, batch_size):
        """The oracle: one sentence at a time, summed."""
        model = MODELS[name].eval()
        encoded = encode(corpus, model.source_vocabulary, model.target_vocabulary)
        with torch.no_grad():
            parts = [
                (nll(model(b), b.target_out).item() * b.n_tokens, b.n_tokens)
                for b in batches(encoded, 1, None)
            ]
        expected = sum(total for total, _ in parts) / sum(n for _, n in parts)
        assert validation_loss(model, encoded, batch_size) == pytest.approx(expected, rel=1e-5)

    @pytest.mark.parametrize("name", MODELS)
    def test_a_long_line_among_short_ones_changes_no_other_sentence(self, name):
        """The long one would pad a whole batch to its length; it stands alone instead."""
        model = MODELS[name].eval()
        rows = [tuple(random.Random(i).choices(WORDS, k=1 + i % 7)) for i in range(40)]
        rows.insert(20, tuple(random.Random(1).choices(WORDS, k=5_000)))
        corpus = ParallelCorpus("n", "valid", "l", tuple(row[:9] for row in rows), tuple(rows))
        encoded = encode(corpus, model.source_vocabulary, model.target_vocabulary)
        sizes = {len(batch): batch.target_out.shape[1] for batch in limited_batches(encoded, 128)}
        assert sizes[1] == 5_001
        assert all(n * length <= 4_096 for n, length in sizes.items() if n > 1)
        log_probs, n_tokens = corpus_log_probs(model, corpus)
        assert validation_loss(model, encoded) == pytest.approx(
            -sum(log_probs) / n_tokens, rel=1e-5
        )
        alone = corpus_log_probs(model, corpus[:20])[0]
        assert log_probs[:20] == pytest.approx(alone, rel=1e-4)
