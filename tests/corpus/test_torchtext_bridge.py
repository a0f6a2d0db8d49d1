"""torchtext 0.6.0 and our data path give the same vocabularies and batches."""

from __future__ import annotations

import random
import subprocess
import sys
import types

import pytest
import torch

from seqkd_lab.corpus import torchtext_bridge as bridge
from seqkd_lab.corpus.batching import batches, encode, make_batch
from seqkd_lab.corpus.parallel import ParallelCorpus
from seqkd_lab.corpus.vocabulary import SPECIALS, Vocabulary

TENSORS = ("source", "source_lengths", "target_in", "target_out", "rows")
SRC_WORDS, TRG_WORDS = (
    "the cat lamp teacher sleeps".split(),
    "der die Katze Lampe schläft ß".split(),
)


def random_corpus(n: int, seed: int) -> ParallelCorpus:
    chance = random.Random(seed)
    source = tuple(tuple(chance.choices(SRC_WORDS, k=chance.randint(1, 12))) for _ in range(n))
    target = tuple(tuple(chance.choices(TRG_WORDS, k=chance.randint(1, 12))) for _ in range(n))
    return ParallelCorpus("random", "train", "CC0", source, target)


@pytest.fixture(scope="module")
def corpus() -> ParallelCorpus:
    return random_corpus(200, seed=1)


@pytest.fixture(scope="module")
def vocabularies(corpus) -> tuple[Vocabulary, Vocabulary]:
    return Vocabulary.build(corpus.source, min_count=2), Vocabulary.build(corpus.target, max_size=4)


def assert_equal_batches(ours, theirs):
    for name in TENSORS:
        assert torch.equal(getattr(ours, name), getattr(theirs, name)), name
        assert getattr(theirs, name).dtype == torch.int64, name


@pytest.fixture
def torchtext():
    return bridge.load_torchtext()


class TestVocabularies:
    def test_ids_are_equal_for_known_and_unknown_words(self, vocabularies):
        for vocabulary in vocabularies:
            vocab = bridge.to_vocab(vocabulary)
            assert tuple(vocab.itos) == vocabulary.tokens
            words = [*SRC_WORDS, *TRG_WORDS, "never seen"]
            assert [vocab.stoi[word] for word in words] == vocabulary.ids(words)

    def test_there_and_back(self, vocabularies):
        for vocabulary in vocabularies:
            assert bridge.from_vocab(bridge.to_vocab(vocabulary)) == vocabulary

    @pytest.mark.parametrize("min_count, max_size", [(1, None), (15, None), (1, 3), (3, 0)])
    def test_torchtext_builds_the_same_vocabulary_from_the_same_text(
        self, torchtext, min_count, max_size
    ):
        # few words and many ties, so that the order among equals is seen
        text = [["b", "a", "c"] * 10, ["d", "e"] * 20, ["f"], [], ["g"] * 3, ["<s>"]]
        field = torchtext.data.Field(init_token="<s>", eos_token="</s>")
        field.build_vocab(text, min_freq=min_count, max_size=max_size)
        assert bridge.from_vocab(field.vocab) == Vocabulary.build(text, min_count, max_size)


class TestBatches:
    @pytest.mark.parametrize("batch_size", [1, 7, 200, 1_000])
    def test_unshuffled_batches_are_ours_in_the_same_order(self, corpus, vocabularies, batch_size):
        dataset = bridge.to_dataset(corpus, *vocabularies)
        theirs = list(bridge.bucket_iterator(dataset, batch_size, shuffle_seed=None))
        ours = list(batches(encode(corpus, *vocabularies), batch_size, shuffle_seed=None))
        for our_batch, their_batch in zip(ours, theirs, strict=True):
            assert_equal_batches(our_batch, bridge.from_torchtext_batch(their_batch))

    def test_shuffled_batches_hold_the_same_tensors_for_the_same_rows(self, corpus, vocabularies):
        encoded, dataset = encode(corpus, *vocabularies), bridge.to_dataset(corpus, *vocabularies)
        rows = []
        for their_batch in bridge.bucket_iterator(dataset, 16, shuffle_seed=3):
            batch = bridge.from_torchtext_batch(their_batch)
            assert_equal_batches(make_batch(encoded, batch.rows), batch)
            rows.extend(batch.rows.tolist())
        assert sorted(rows) == list(range(len(corpus)))
        assert rows != sorted(rows, key=lambda row: len(corpus.source[row])), "it was not shuffled"

    def test_the_seed_decides_and_the_passes_differ(self, corpus, vocabularies):
        dataset = bridge.to_dataset(corpus, *vocabularies)

        def two_passes(seed):
            iterator = bridge.bucket_iterator(dataset, 16, seed)
            return [[batch.row.tolist() for batch in iterator] for _ in range(2)]

        first, second = two_passes(3)
        assert first != second
        random.seed(99)
        assert two_passes(3) == [first, second]
        assert two_passes(4) != [first, second]


class TestDataset:
    def test_there_and_back(self, corpus, vocabularies):
        dataset = bridge.to_dataset(corpus, *vocabularies)
        back = bridge.from_dataset(dataset, "random", "train", "CC0")
        assert back == corpus
        assert back.fingerprint == corpus.fingerprint

    def test_torchtexts_own_translation_dataset(self, torchtext, tmp_path):
        (tmp_path / "text.en").write_text("a cat sleeps\nlamps\n", encoding="utf-8")
        (tmp_path / "text.de").write_text("eine Katze schläft\nLampen\n", encoding="utf-8")
        fields = (torchtext.data.Field(), torchtext.data.Field())
        theirs = torchtext.datasets.TranslationDataset(
            str(tmp_path / "text"), (".en", ".de"), fields
        )
        corpus = bridge.from_dataset(
            theirs, "files", "train", "CC0", source_field="src", target_field="trg"
        )
        assert corpus.source == (("a", "cat", "sleeps"), ("lamps",))
        assert corpus.target == (("eine", "Katze", "schläft"), ("Lampen",))

    def test_a_missing_field_is_named(self, corpus, vocabularies):
        with pytest.raises(
            ValueError, match=r"no field 'src'; it has \['row', 'source', 'target'\]"
        ):
            bridge.from_dataset(
                bridge.to_dataset(corpus, *vocabularies), "n", "s", "l", source_field="src"
            )


class TestOtherTorchtexts:
    @pytest.mark.slow
    def test_importing_the_bridge_does_not_import_torchtext(self):
        code = "import sys, seqkd_lab.corpus.torchtext_bridge; sys.exit('torchtext' in sys.modules)"
        assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0

    @pytest.fixture
    def forgotten(self):
        """Let the body import another torchtext, or none; afterwards sys.modules holds what it
        held, and nothing of the other, also where torchtext had not been imported before."""

        def take() -> dict[str, types.ModuleType]:
            names = [name for name in sys.modules if name.split(".")[0] == "torchtext"]
            return {name: sys.modules.pop(name) for name in names}

        before = take()
        yield
        take()
        sys.modules.update(before)

    @pytest.mark.parametrize(
        "start, problem",
        [
            ("raise OSError('libtorchtext.so: undefined symbol')", "undefined symbol"),
            ("raise ImportError('no torch')", "no torch"),
            ("__version__ = '0.18.0'", "0.18.0 has no Field"),
        ],
    )
    @pytest.mark.usefixtures("forgotten")
    def test_a_broken_or_newer_one_gets_one_sentence(
        self, monkeypatch, tmp_path, vocabularies, start, problem
    ):
        package = tmp_path / "torchtext"
        package.mkdir()
        (package / "__init__.py").write_text(start)
        (package / "data.py").write_text("")
        (package / "vocab.py").write_text("")
        monkeypatch.syspath_prepend(str(tmp_path))
        with pytest.raises(
            bridge.TorchtextError, match=f"{problem}.*pip install torchtext==0.6.0"
        ) as caught:
            bridge.to_vocab(vocabularies[0])
        assert "\n" not in str(caught.value)

    @pytest.mark.usefixtures("forgotten")
    def test_no_torchtext(self, monkeypatch, vocabularies):
        monkeypatch.setitem(sys.modules, "torchtext", None)
        with pytest.raises(bridge.TorchtextError, match="does not load.*torchtext==0.6.0"):
            bridge.to_vocab(vocabularies[0])

    @pytest.mark.usefixtures("forgotten")
    def test_a_module_of_that_name_that_is_something_else(self, monkeypatch, vocabularies):
        monkeypatch.setitem(sys.modules, "torchtext", types.ModuleType("torchtext"))
        with pytest.raises(bridge.TorchtextError, match="torchtext==0.6.0"):
            bridge.to_vocab(vocabularies[0])


def test_specials_agree_with_the_names_the_fields_use(corpus, vocabularies):
    target = bridge.to_dataset(corpus, *vocabularies).fields["target"]
    assert (target.pad_token, target.init_token, target.eos_token, target.unk_token) == SPECIALS
