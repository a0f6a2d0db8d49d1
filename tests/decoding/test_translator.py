"""Lines of text through a model: the same line gives the same translation whatever stands around
it, and unknown words are copied from where the model looks."""

from __future__ import annotations

import random
import warnings
from functools import partial

import pytest
import torch
import torch.nn.functional as F
from hypothesis import example, given, settings
from hypothesis import strategies as st

from seqkd_lab.corpus.batching import batches, encode, make_batch
from seqkd_lab.corpus.parallel import ParallelCorpus
from seqkd_lab.corpus.vocabulary import EOS, PAD, SPECIALS, UNK, Vocabulary
from seqkd_lab.decoding.alignment import alignment, alignments, copy_unknown
from seqkd_lab.decoding.limits import LONGEST_SOURCE
from seqkd_lab.decoding.search import search
from seqkd_lab.decoding.translator import Notices, Translator
from seqkd_lab.distillation.sequence_level import INTERPOLATED, MODE, SAMPLED, distil
from seqkd_lab.models.architectures import build
from seqkd_lab.models.folder import TrainedModel
from seqkd_lab.models.lstm import LSTMSpec
from seqkd_lab.models.transformer import TransformerSpec
from seqkd_lab.models.transformer_parts import Attention

WORDS = ("ant", "bee", "cat", "dog", "eel", "fox", ".")
SPECS = {
    "LSTM": LSTMSpec(8),
    "input feeding": LSTMSpec(8, layers=2, input_feeding=True),
    "Transformer": TransformerSpec(8, layers=2, heads=2, hidden=16, dropout=0.1),
}


def uneven(name: str, seed: int = 1, words=WORDS):
    """A model with random weights whose distributions are not flat."""
    torch.manual_seed(seed)
    vocabulary = Vocabulary.build([words])
    model = build(SPECS[name], vocabulary, vocabulary)
    with torch.no_grad():
        for parameter in model.parameters():
            parameter.mul_(2.0)
        model.output.bias[UNK] = -10.0
    return model.eval()


MODELS = {name: uneven(name) for name in SPECS}
architectures = pytest.mark.parametrize("name", SPECS)


def pair(rng: random.Random, longest: int = 6) -> tuple[tuple[str, ...], tuple[str, ...]]:
    return tuple(tuple(rng.choices(WORDS, k=rng.randint(1, longest))) for _ in range(2))


class TestAlignment:
    @architectures
    def test_has_a_row_for_each_target_word_and_its_end_and_the_rows_have_sum_1(self, name):
        for seed in range(5):
            source, target = pair(random.Random(seed))
            weights = alignment(MODELS[name], source, target)
            assert weights.shape == (len(target) + 1, len(source) + 1)
            assert (weights >= 0.0).all()
            assert weights.sum(dim=1).tolist() == pytest.approx([1.0] * len(weights), abs=1e-5)
        assert weights.std() > 0.0

    @architectures
    def test_padding_gets_nothing(self, name):
        rng = random.Random(3)
        sources, targets = zip(*(pair(rng, 9) for _ in range(12)), strict=True)
        corpus = ParallelCorpus("n", "s", "l", sources, targets)
        vocabulary = MODELS[name].source_vocabulary
        for batch in batches(encode(corpus, vocabulary, vocabulary), 5, None):
            weights = MODELS[name].attention(batch)
            behind = torch.arange(weights.shape[2]) >= batch.source_lengths[:, None]
            assert (weights.masked_select(behind[:, None]) == 0.0).all()
        together = alignments(MODELS[name], sources, targets, 5)
        for weights, source, target in zip(together, sources, targets, strict=True):
            torch.testing.assert_close(weights, alignment(MODELS[name], source, target))

    def test_of_an_lstm_is_the_attention_of_its_decoder(self):
        model, (source, target) = MODELS["LSTM"], pair(random.Random(4))
        corpus = ParallelCorpus("n", "s", "l", (source,), (target,))
        batch = make_batch(encode(corpus, model.source_vocabulary, model.target_vocabulary), [0])
        _, state = model.read(batch.target_in, model.start(batch.source, batch.source_lengths))
        torch.testing.assert_close(alignment(model, source, target), state.attention[0].detach())

    def test_of_a_transformer_are_the_weights_that_it_computes_with(self):
        torch.manual_seed(2)
        attention, x, seen = Attention(8, 2), torch.randn(3, 4, 8), torch.randn(3, 5, 8)
        mask = (torch.arange(5) < torch.tensor([5, 2, 1])[:, None]).view(3, 1, 1, 5)
        keys, values = attention.keys_values(seen)
        looked = attention.weights(x, keys, mask) @ values
        expected = F.scaled_dot_product_attention(
            attention._split(attention.query(x)), keys, values, attn_mask=mask
        )
        torch.testing.assert_close(looked, expected)

    @pytest.mark.slow
    @pytest.mark.parametrize(
        "spec", [LSTMSpec(16), TransformerSpec(16, 1, 1, 32, 0.0)], ids=["LSTM", "Transformer"]
    )
    def test_finds_the_word_that_is_copied_after_a_training_in_copying(self, spec):
        torch.manual_seed(1)
        vocabulary, rng = Vocabulary.build([WORDS]), random.Random(1)
        model = build(spec, vocabulary, vocabulary).train()
        sources = [tuple(rng.sample(WORDS, k=rng.randint(2, 5))) for _ in range(300)]
        encoded = encode(
            ParallelCorpus("n", "s", "l", tuple(sources), tuple(sources)), vocabulary, vocabulary
        )
        optimiser = torch.optim.Adam(model.parameters(), lr=0.015)
        for epoch in range(16):
            for batch in batches(encoded, 50, shuffle_seed=epoch):
                optimiser.zero_grad()
                F.cross_entropy(
                    model(batch).transpose(1, 2), batch.target_out, ignore_index=PAD
                ).backward()
                optimiser.step()
        weights = alignments(model, sources[:40], sources[:40])
        hits = [int(row.argmax()) == t for matrix in weights for t, row in enumerate(matrix[:-1])]
        assert sum(hits) / len(hits) > 0.75  # by chance: 0.3
        assert model.training  # as it was before

    def test_needs_a_target_for_each_source(self):
        with pytest.raises(ValueError, match="1 sources and 0 targets"):
            alignments(MODELS["LSTM"], [("ant",)], [])


class TestCopyUnknown:
    @architectures
    def test_takes_the_source_word_with_the_largest_weight_and_never_the_end(self, name):
        source, target = ("ant", "Xylophon", "cat"), ("bee", "<unk>", "<unk>", "dog")
        weights = alignment(MODELS[name], source, target)[:, :3]
        expected = (
            "bee",
            source[int(weights[1].argmax())],
            source[int(weights[2].argmax())],
            "dog",
        )
        assert copy_unknown(MODELS[name], [source], [target]) == [expected]

    def test_leaves_other_translations_and_empty_sources_as_they_are(self):
        model = MODELS["LSTM"]
        assert copy_unknown(model, [("ant",), ()], [("bee", "cat"), ("<unk>",)]) == [
            ("bee", "cat"),
            ("<unk>",),
        ]
        assert copy_unknown(model, [], []) == []

    @architectures
    def test_a_translator_writes_no_unk(self, name):
        model = uneven(name)
        with torch.no_grad():
            model.output.bias[UNK] = 5.0
        plain, copied = (
            Translator(
                TrainedModel(model), partial(search, beam_size=3, n_best=2), copies
            ).translate(["ant Xylophon bee", ""])
            for copies in (False, True)
        )
        assert "<unk>" in plain[0][0].text.lower()
        assert not any("<unk>" in translation.text.lower() for translation in copied[0])
        assert [t.log_prob for t in plain[0]] == [t.log_prob for t in copied[0]]
        assert copied[1] == []


TEXTS = st.lists(
    st.lists(st.sampled_from(["ant", "bee", "Cat", "zebra", ",", "\t"]), max_size=9).map(" ".join),
    max_size=12,
)


@pytest.mark.slow
@architectures
@settings(max_examples=12)
@given(TEXTS, st.sampled_from([1, 2, 64]), st.integers(1, 5), st.randoms(use_true_random=False))
@example([" ".join(["ant"] * n) for n in (1, 30, 2, 29, 3)], 64, 5, random.Random(1))
def test_a_translation_does_not_depend_on_the_lines_around_it(name, texts, batch_size, window, rng):
    """By greedy search: what a beam keeps second may hang on two prefixes that are equal but for
    rounding, and rounding differs with the batch."""
    trained = TrainedModel(MODELS[name])
    alone = {
        text: Translator(trained, partial(search, batch_size=1)).translate([text])[0]
        for text in texts
    }
    shuffled = rng.sample(texts, k=len(texts))
    translator = Translator(trained, partial(search, batch_size=batch_size))
    together = [n_best for lines in translator.windows(shuffled, window) for n_best in lines]
    assert len(together) == len(texts)
    for text, n_best in zip(shuffled, together, strict=True):
        expected = alone[text]
        assert [t.text for t in n_best] == [t.text for t in expected]
        assert [t.log_prob for t in n_best] == pytest.approx(
            [t.log_prob for t in expected], abs=1e-4
        )


class TestTranslator:
    def test_gives_what_the_search_gives(self):
        trained = TrainedModel(MODELS["LSTM"])
        three_best = partial(search, beam_size=4, n_best=3, length_penalty=1.0)
        n_best = Translator(trained, three_best).translate(["the ant bee cat"])[0]
        found = search(trained.model, [trained.encode("the ant bee cat")], 4, 3, 1.0)[0]
        assert [(t.log_prob, t.score) for t in n_best] == [(h.log_prob, h.score) for h in found]
        assert [t.text for t in n_best] == [
            " ".join(trained.decode(h.tokens).split()) for h in found
        ]

    def test_reads_no_more_lines_than_a_window_ahead(self):
        taken = []

        def lines():
            for number in range(100):
                taken.append(number)
                yield "ant"

        windows = Translator(TrainedModel(MODELS["LSTM"]), search).windows(lines(), 7)
        assert len(next(windows)) == 7
        assert len(taken) == 7

    def test_progress_counts_every_line_once(self):
        heard, texts = [], ["ant", "ant", "", "bee cat", " "]
        list(
            Translator(TrainedModel(MODELS["LSTM"]), partial(search, batch_size=1)).windows(
                texts, 3, heard.append
            )
        )
        assert sum(heard) == len(texts)

    def test_a_vocabulary_with_tabs_and_line_ends_writes_neither(self):
        model = uneven("LSTM", words=("a\tb", "c\nd", "e\u2028f", "g\rh"))
        eight_best = partial(search, beam_size=8, n_best=8)
        texts = [t.text for t in Translator(TrainedModel(model), eight_best).translate(["ant"])[0]]
        assert any(texts)
        assert not any(mark in text for text in texts for mark in "\t\n\r\u2028")


class TestNotices:
    vocabulary = Vocabulary.build([("ant",)])

    def heard(self, *lines: tuple[str, ...]) -> list[str]:
        notices = Notices()
        for line in lines:
            notices.read(line, self.vocabulary)
        return notices.said()

    def test_nothing_where_all_is_known(self):
        assert self.heard(("ant",), (), ("ant", "ant")) == []

    def test_unknown_words_are_named_once_with_the_number_of_lines(self):
        said = self.heard(("ant", "gnu"), ("gnu", "hen", "gnu"), ("ant",))
        assert len(said) == 1
        assert said[0].startswith(
            "2 lines with tokens that the model does not know, such as 'gnu', 'hen';"
        )
        many = self.heard(*((f"w{i}",) for i in range(100)))
        assert many[0].count("'w") == 10
        assert many[0].startswith("100 lines")

    def test_the_first_long_line_is_named_with_the_number_of_long_ones(self):
        long, short = ("ant",) * (LONGEST_SOURCE + 1), ("ant",) * LONGEST_SOURCE
        assert self.heard(short) == []
        assert self.heard(short, long)[0].startswith(
            "line 2 has 1,001 tokens, and only the first 1,000 are read."
        )
        assert "2 lines are too long" in self.heard(long, short, long)[0]

    def test_a_long_line_is_read_up_to_its_limit_without_a_second_notice(self):
        model = uneven("LSTM")
        with torch.no_grad():
            model.output.bias[EOS] = 50.0
        translator = Translator(TrainedModel(model), search)
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            assert [t.text for t in translator.translate(["ant " * 1_500])[0]] == [""]
        said = translator.notices.said()
        assert [sentence.split()[:2] for sentence in said] == [["line", "1"], ["1", "line"]]
        assert "empty" in said[1]


def test_specials_in_the_text_are_unknown_words():
    notices = Notices()
    notices.read(SPECIALS, Vocabulary.build([("ant",)]))
    assert notices.n_unknown_lines == 1


def test_a_distilled_corpus_names_a_long_source_by_its_number_in_the_corpus():
    model = uneven("LSTM")
    with torch.no_grad():
        model.output.bias[EOS] = 50.0
    sources = [("ant",)] * 59 + [("ant",) * (LONGEST_SOURCE + 1)]
    corpus = ParallelCorpus("n", "train", "l", tuple(sources), (("bee",),) * 60)
    for method in (MODE, INTERPOLATED, SAMPLED):
        with pytest.warns(UserWarning, match="sentence 60 has 1,001 tokens"):
            made = distil(model, corpus, method, 2)
        assert made.corpus.source == corpus.source
