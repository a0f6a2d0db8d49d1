"""Words to ids and back, and batches that hold every sentence once, with little padding."""

from __future__ import annotations

import random
from collections import Counter

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from seqkd_lab.corpus import batching
from seqkd_lab.corpus.batching import batch_rows, batches, encode, make_batch, source_batch
from seqkd_lab.corpus.parallel import CorpusError, ParallelCorpus
from seqkd_lab.corpus.vocabulary import BOS, EOS, PAD, SPECIALS, UNK, Vocabulary

words = st.sampled_from(["der", "die", "das", "Haus", "ß", "𝔘", *SPECIALS])
sentences = st.lists(words, max_size=6).map(tuple)
corpora = st.lists(st.tuples(sentences, sentences), min_size=1, max_size=30).map(
    lambda pairs: ParallelCorpus(
        "n", "s", "l", tuple(x for x, _ in pairs), tuple(y for _, y in pairs)
    )
)


def encoded_with_vocabularies(corpus):
    source, target = Vocabulary.build(corpus.source), Vocabulary.build(corpus.target)
    return encode(corpus, source, target), source, target


class TestVocabulary:
    @given(st.lists(sentences, max_size=10), st.integers(1, 3), st.none() | st.integers(0, 5))
    def test_build_keeps_the_most_frequent_words_and_breaks_ties_by_alphabet(
        self, text, min_count, max_size
    ):
        vocabulary = Vocabulary.build(text, min_count, max_size)
        counts = Counter(word for sentence in text for word in sentence if word not in SPECIALS)
        kept = vocabulary.tokens[4:]
        allowed = [word for word in counts if counts[word] >= min_count]
        assert vocabulary.tokens[:4] == SPECIALS
        assert len(kept) == (len(allowed) if max_size is None else min(max_size, len(allowed)))
        for earlier, later in zip(kept, kept[1:], strict=False):
            assert (-counts[earlier], earlier) < (-counts[later], later)
        left_out = set(allowed) - set(kept)
        assert all(counts[word] >= counts[other] for word in kept for other in left_out)

    @given(st.lists(sentences, max_size=10), sentences)
    def test_known_words_come_back_and_unknown_ones_become_unk(self, text, sentence):
        vocabulary = Vocabulary.build(text)
        known = {word for line in text for word in line} - set(SPECIALS)
        ids = vocabulary.ids(sentence)
        assert vocabulary.words(ids) == [word if word in known else "<unk>" for word in sentence]
        assert not {PAD, BOS, EOS} & set(ids), "text must not be able to write a special"

    def test_words_stop_at_eos_and_skip_padding(self):
        vocabulary = Vocabulary((*SPECIALS, "a", "b"))
        assert vocabulary.words([BOS, 4, PAD, UNK, 5, EOS, 4, PAD]) == ["a", "<unk>", "b"]

    @pytest.mark.parametrize("number", [-1, 6])
    def test_an_id_outside_the_vocabulary_is_refused(self, number):
        with pytest.raises(ValueError, match=f"id {number} is outside"):
            Vocabulary((*SPECIALS, "a", "b")).words([4, number])

    def test_tokens_must_start_with_the_specials_and_be_distinct(self):
        with pytest.raises(ValueError, match="starts with"):
            Vocabulary(("a", "b", "c", "d", "e"))
        with pytest.raises(ValueError, match="'a' stands 2 times"):
            Vocabulary((*SPECIALS, "a", "b", "a"))
        with pytest.raises(ValueError, match="got -1"):
            Vocabulary.build([("a", "b")], max_size=-1)

    @given(st.lists(sentences, max_size=10))
    def test_saved_is_loaded(self, tmp_path_factory, text):
        path = tmp_path_factory.mktemp("vocabulary") / "v.json"
        Vocabulary.build(text).save(path)
        assert Vocabulary.load(path) == Vocabulary.build(text)
        assert [file.name for file in path.parent.iterdir()] == ["v.json"]

    @pytest.mark.parametrize(
        "content", ["", "{", "[]", "{}", '{"tokens": 3}', '{"tokens": [1, 2]}', '{"tokens": ["a"]}']
    )
    def test_a_damaged_file_is_named(self, tmp_path, content):
        path = tmp_path / "v.json"
        path.write_text(content)
        with pytest.raises(CorpusError, match=r"v\.json: .*not a vocabulary"):
            Vocabulary.load(path)

    def test_a_missing_file_is_named(self, tmp_path):
        with pytest.raises(CorpusError, match=r"v\.json: cannot be read"):
            Vocabulary.load(tmp_path / "v.json")


class TestBatches:
    @given(corpora, st.integers(1, 7), st.none() | st.integers(0, 100))
    def test_every_pair_comes_once_with_its_own_tokens(self, corpus, batch_size, seed):
        encoded, source, target = encoded_with_vocabularies(corpus)
        seen = []
        for batch in batches(encoded, batch_size, seed):
            assert 1 <= len(batch) <= batch_size
            for b, row in enumerate(batch.rows.tolist()):
                x, y = source.ids(corpus.source[row]), target.ids(corpus.target[row])
                S, T = batch.source.shape[1], batch.target_out.shape[1]
                assert batch.source[b].tolist() == [*x, EOS] + [PAD] * (S - len(x) - 1)
                assert batch.source_lengths[b] == len(x) + 1
                assert batch.target_in[b].tolist() == [BOS, *y] + [PAD] * (T - len(y) - 1)
                assert batch.target_out[b].tolist() == [*y, EOS] + [PAD] * (T - len(y) - 1)
                seen.append(row)
            assert batch.source.shape[1] == max(batch.source_lengths), "useless padding"
        assert sorted(seen) == list(range(len(corpus)))

    @given(corpora, st.integers(1, 7))
    def test_tokens_add_up(self, corpus, batch_size):
        encoded, _, _ = encoded_with_vocabularies(corpus)
        total = sum(batch.n_tokens for batch in batches(encoded, batch_size, 3))
        assert (
            total
            == sum(len(sentence) + 1 for sentence in corpus.target)
            == encoded.target_lengths.sum()
        )

    @given(corpora, st.integers(1, 7))
    def test_only_one_batch_is_not_full_and_without_a_seed_lengths_rise(self, corpus, batch_size):
        encoded, _, _ = encoded_with_vocabularies(corpus)
        sizes = sorted(len(rows) for rows in batch_rows(encoded, batch_size, 3))
        assert all(size == batch_size for size in sizes[1:])
        lengths = torch.cat(
            [batch.source_lengths for batch in batches(encoded, batch_size, None)]
        ).tolist()
        assert lengths == sorted(lengths)

    @given(corpora, st.integers(1, 7), st.integers(0, 100))
    def test_a_corpus_of_one_window_is_shuffled_as_a_whole(self, corpus, batch_size, seed):
        """The order on which every committed result was trained: all rows by chance, pools of 50
        batches sorted by length, all batches by chance."""
        encoded, _, _ = encoded_with_vocabularies(corpus)
        source, target = encoded.source_lengths, encoded.target_lengths
        length = target * (int(max(source, default=0)) + 1) + source
        chance = torch.Generator().manual_seed(seed)
        pools = torch.randperm(len(encoded), generator=chance).split(50 * batch_size)
        rows = [
            batch
            for pool in pools
            for batch in pool[length[pool].argsort(stable=True)].split(batch_size)
        ]
        order = torch.randperm(len(rows), generator=chance).tolist()
        expected = [rows[i].tolist() for i in order if len(rows[i])]
        assert [rows.tolist() for rows in batch_rows(encoded, batch_size, seed)] == expected

    @given(corpora, st.integers(1, 7), st.integers(0, 9), st.integers(1, 4), st.integers(1, 3))
    def test_windows_hold_each_row_once_in_as_many_batches(
        self, corpus, batch_size, seed, block, n_blocks
    ):
        """Whatever the size of the windows is; the last batch alone may be smaller."""
        encoded, _, _ = encoded_with_vocabularies(corpus)
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(batching, "BLOCK", block)
            patch.setattr(batching, "WINDOW", block * n_blocks)
            rows = [rows.tolist() for rows in batch_rows(encoded, batch_size, seed)]
            again = [rows.tolist() for rows in batch_rows(encoded, batch_size, seed)]
        assert rows == again
        assert sorted(row for batch in rows for row in batch) == list(range(len(corpus)))
        assert len(rows) == -(-len(corpus) // batch_size)
        assert sum(len(batch) < batch_size for batch in rows) <= 1

    def test_a_window_draws_its_blocks_from_the_whole_corpus(self, monkeypatch):
        monkeypatch.setattr(batching, "BLOCK", 4)
        monkeypatch.setattr(batching, "WINDOW", 200)
        encoded, _, _ = encoded_with_vocabularies(self.long_corpus())
        first = torch.cat(list(batch_rows(encoded, 10, 1))[:20])
        assert len(first.div(4, rounding_mode="floor").unique()) == 50
        assert first.min() < 300 and first.max() > 2_700

    @staticmethod
    def long_corpus(n=3_000):
        chance = random.Random(1)
        lengths = [chance.randint(1, 40) for _ in range(n)]
        sentences_of_w = tuple(("w",) * length for length in lengths)
        return ParallelCorpus("n", "s", "l", sentences_of_w, sentences_of_w)

    def test_the_seed_alone_decides_the_order(self):
        encoded, _, _ = encoded_with_vocabularies(self.long_corpus())

        def order(seed):
            return [rows.tolist() for rows in batch_rows(encoded, 16, seed)]

        torch.manual_seed(1)
        first, state = order(5), torch.get_rng_state()
        torch.manual_seed(2)
        random.seed(2)
        assert order(5) == first
        torch.manual_seed(1)
        assert torch.equal(torch.get_rng_state(), state), "torch's own generator was used"
        assert order(6) != first
        assert set(map(frozenset, order(6))) != set(map(frozenset, first)), "the same batches"

    def test_batches_hold_sentences_of_similar_length_in_no_order_of_length(self):
        encoded, _, _ = encoded_with_vocabularies(self.long_corpus())
        found = list(batches(encoded, 16, 5))
        padding = sum((batch.source == PAD).sum().item() for batch in found)
        assert padding < 0.05 * encoded.source_lengths.sum(), (
            "shuffled without sorting it is about 0.9"
        )
        longest = [batch.source.shape[1] for batch in found]
        rises = sum(later >= earlier for earlier, later in zip(longest, longest[1:], strict=False))
        assert 0.3 < rises / len(longest) < 0.7, "in order of length it is nearly 1"

    def test_an_empty_corpus_has_no_batches_and_nonsense_is_refused(self):
        encoded, source, _ = encoded_with_vocabularies(ParallelCorpus("n", "s", "l", (), ()))
        assert list(batches(encoded, 4, 1)) == list(batches(encoded, 4, None)) == []
        with pytest.raises(ValueError, match="batch_size must be at least 1 sentence; got 0"):
            batches(encoded, 0, None)
        with pytest.raises(ValueError, match="rows is empty"):
            make_batch(encoded, [])
        with pytest.raises(ValueError, match="sentences is empty"):
            source_batch([], source)
        with pytest.raises(ValueError, match="tokenise the string 'a b'"):
            source_batch(["a b"], source)

    @given(corpora)
    def test_source_batch_is_the_source_of_make_batch(self, corpus):
        encoded, source, _ = encoded_with_vocabularies(corpus)
        batch = make_batch(encoded, range(len(corpus)))
        ids, lengths = source_batch(corpus.source, source)
        assert torch.equal(ids, batch.source)
        assert torch.equal(lengths, batch.source_lengths)
