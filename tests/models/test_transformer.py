"""The Transformer: torch's own layers as the oracle of its numbers, and the interface that every
decoder asks for."""

from __future__ import annotations

import json
from copy import deepcopy
from dataclasses import replace
from itertools import product

import pytest
import torch
from small_corpus import TINY, write_text
from torch import nn

from seqkd_lab.corpus.batching import encode, make_batch, source_batch
from seqkd_lab.corpus.parallel import ParallelCorpus
from seqkd_lab.corpus.vocabulary import BOS, EOS, PAD, Vocabulary
from seqkd_lab.decoding.scoring import sentence_log_probs
from seqkd_lab.decoding.search import search
from seqkd_lab.files import FileError
from seqkd_lab.identity import settings
from seqkd_lab.models.architectures import ARCHITECTURES
from seqkd_lab.models.checkpoint import load_model, save_model
from seqkd_lab.models.lstm import LSTMSpec
from seqkd_lab.models.transformer import TransformerSeq2Seq, TransformerSpec
from seqkd_lab.models.transformer_parts import sinusoids
from seqkd_lab.runs.recipes import ALL_THREE, SEQ_KD, TEACHER, table_recipes
from seqkd_lab.runs.store import Store, identity, key

WORDS = ("ant", "bee", "cat", "dog", "eel", "fox", "gnu", "hen")
SOURCES = [("ant", "bee", "cat"), ("dog",), ("eel", "ant"), ("bee", "bee", "dog", "cat", "ant")]
PREFIXES = torch.tensor([[BOS, 4, 5, 6], [BOS, 7, 4, 4], [BOS, 5, 5, 7], [BOS, 6, 4, 5]])
SMALL = TransformerSpec(width=12, layers=2, heads=3, hidden=20, dropout=0.0)


def make(seed: int = 0, spec: TransformerSpec = SMALL, n_target: int = 4) -> TransformerSeq2Seq:
    """A model with random weights, sharpened so that its distributions are uneven."""
    torch.manual_seed(seed)
    model = TransformerSeq2Seq(
        spec, Vocabulary.build([WORDS[:6]]), Vocabulary.build([WORDS[:n_target]])
    )
    with torch.no_grad():
        for parameter in model.parameters():
            parameter.mul_(1.5)
    return model.eval()


@pytest.fixture(params=[None, 1, 2, 3], ids=lambda memory: f"memory {memory or 'all'}")
def model(request) -> TransformerSeq2Seq:
    return make(spec=replace(SMALL, memory=request.param))


@pytest.fixture(autouse=True)
def no_gradients():
    with torch.no_grad():
        yield


def begin(model, sources=SOURCES):
    return model.start(*source_batch(sources, model.source_vocabulary))


def assert_same(a, b):
    torch.testing.assert_close(a, b, atol=1e-5, rtol=1e-5)


def fill_attention(theirs: nn.MultiheadAttention, ours) -> None:
    theirs.in_proj_weight.copy_(torch.cat([ours.query.weight, ours.key_value.weight]))
    theirs.in_proj_bias.copy_(torch.cat([ours.query.bias, ours.key_value.bias]))
    theirs.out_proj.load_state_dict(ours.out.state_dict())


def by_torch(model, sources, prefixes) -> torch.Tensor:
    """Logits (B, T, V) by torch's own pre-norm layers with our weights, the whole prefix at
    once."""
    spec, (ids, lengths) = model.spec, source_batch(sources, model.source_vocabulary)
    behind = torch.arange(ids.shape[1]) >= lengths[:, None]
    sizes = dict(dropout=0.0, batch_first=True, norm_first=True)
    x = model.source_embedding(ids) + sinusoids(0, ids.shape[1], spec.width)
    for ours in model.encoder:
        theirs = nn.TransformerEncoderLayer(spec.width, spec.heads, spec.hidden, **sizes).eval()
        fill_attention(theirs.self_attn, ours.attention)
        parts = (
            (theirs.linear1, ours.feed[0]),
            (theirs.linear2, ours.feed[2]),
            (theirs.norm1, ours.norms[0]),
            (theirs.norm2, ours.norms[1]),
        )
        for one, other in parts:
            one.load_state_dict(other.state_dict())
        x = theirs(x, src_key_padding_mask=behind)
    memory, y = (
        model.encoder_norm(x),
        model.target_embedding(prefixes) + sinusoids(0, prefixes.shape[1], spec.width),
    )
    everywhere = torch.ones(prefixes.shape[1], prefixes.shape[1])
    hidden = everywhere.triu(1) + (0 if spec.memory is None else everywhere.tril(-spec.memory)) > 0
    for ours in model.decoder:
        theirs = nn.TransformerDecoderLayer(spec.width, spec.heads, spec.hidden, **sizes).eval()
        fill_attention(theirs.self_attn, ours.own)
        fill_attention(theirs.multihead_attn, ours.source)
        parts = (
            (theirs.linear1, ours.feed[0]),
            (theirs.linear2, ours.feed[2]),
            (theirs.norm1, ours.norms[0]),
            (theirs.norm2, ours.norms[1]),
            (theirs.norm3, ours.norms[2]),
        )
        for one, other in parts:
            one.load_state_dict(other.state_dict())
        y = theirs(y, memory, tgt_mask=hidden, memory_key_padding_mask=behind)
    return model.output(model.decoder_norm(y))


class TestNumbers:
    @pytest.mark.parametrize(
        "spec",
        [
            SMALL,
            TransformerSpec(8, 1, 1, 5, 0.0),
            TransformerSpec(16, 3, 4, 16, 0.0),
            *(replace(SMALL, memory=memory) for memory in (1, 2, 3, 4)),
        ],
    )
    def test_logits_are_those_of_torchs_own_layers(self, spec):
        model = make(1, spec)
        assert_same(model.step(PREFIXES, begin(model))[0], by_torch(model, SOURCES, PREFIXES))

    def test_the_cache_changes_nothing(self, model):
        """Token by token, in pieces of two, and all at once."""
        together, end = model.step(PREFIXES, begin(model))
        for size in (1, 2, 3):
            state, apart = begin(model), []
            for t in range(0, PREFIXES.shape[1], size):
                logits, state = model.step(PREFIXES[:, t : t + size], state)
                apart.append(logits)
            assert_same(torch.cat(apart, dim=1), together)
            assert state.length == end.length == PREFIXES.shape[1]

    def test_forward_is_a_step_over_the_whole_prefix(self, model):
        corpus = ParallelCorpus(
            "n", "s", "l", tuple(SOURCES), (("ant", "bee"), ("cat",), (), ("dog",) * 3)
        )
        batch = make_batch(
            encode(corpus, model.source_vocabulary, model.target_vocabulary), [0, 1, 2, 3]
        )
        assert_same(model(batch), model.step(batch.target_in, begin(model))[0])

    def test_what_stands_behind_a_sentence_is_never_read(self, model):
        source, lengths = source_batch(SOURCES, model.source_vocabulary)
        expected, _ = model.step(PREFIXES, model.start(source, lengths))
        scrawled = source.where(source != PAD, torch.tensor(7))
        assert (scrawled != source).any()
        assert_same(model.step(PREFIXES, model.start(scrawled, lengths))[0], expected)
        for b, one in enumerate(SOURCES):
            assert_same(
                model.step(PREFIXES[b : b + 1], begin(model, [one]))[0], expected[b : b + 1]
            )

    def test_every_token_read_counts_and_none_looks_ahead(self):
        model = make()
        original = model.step(PREFIXES, begin(model))[0]
        for t in range(PREFIXES.shape[1]):
            changed = PREFIXES.clone()
            changed[:, t] = 3
            logits = model.step(changed, begin(model))[0]
            assert (logits[:, -1] - original[:, -1]).abs().max() > 1e-4
            assert_same(logits[:, :t], original[:, :t])

    @pytest.mark.parametrize(("memory", "layers"), list(product((1, 2, 3), (1, 2))))
    def test_words_beyond_the_memory_change_nothing_and_those_within_do(self, memory, layers):
        """A layer looks `memory` words back, itself among them, and each further layer memory − 1
        words more."""
        model = make(spec=replace(SMALL, memory=memory, layers=layers))
        original, reach = model.step(PREFIXES, begin(model))[0], layers * (memory - 1)
        for t in range(PREFIXES.shape[1]):
            changed = PREFIXES.clone()
            changed[:, t] = 3
            moved = (model.step(changed, begin(model))[0] - original).abs().amax(dim=(0, 2)) > 1e-5
            assert moved.tolist() == [t <= place <= t + reach for place in range(PREFIXES.shape[1])]

    def test_places_are_waves_whatever_the_place_begins_with(self):
        assert_same(sinusoids(0, 9, 6)[4:], sinusoids(4, 5, 6))
        assert_same(
            sinusoids(3, 1, 4)[0],
            torch.tensor([3.0, 3.0, 0.03, 0.03])
            .add(torch.tensor([0.0, torch.pi / 2, 0.0, torch.pi / 2]))
            .sin(),
        )


class TestState:
    @pytest.mark.parametrize(
        "rows",
        [[[0], [1], [2], [3]], [[0, 0, 0], [1, 1, 1], [2, 2, 2], [3, 3, 3]], [[3], [1]], [[2, 2]]],
    )
    def test_select_equals_reading_the_chosen_prefixes_anew(self, model, rows):
        rows = torch.tensor(rows)
        state = model.step(PREFIXES, begin(model))[1].select(rows)
        repeated = [SOURCES[row] for row in rows[:, 0].tolist() for _ in range(rows.shape[1])]
        anew = model.step(PREFIXES[rows.flatten()], begin(model, repeated))[1]
        more = torch.arange(rows.numel())[:, None] % 4 + 4
        assert_same(model.step(more, state)[0], model.step(more, anew)[0])
        assert (state.n_sentences, state.length) == (len(rows), 4)

    def test_rollback_equals_never_having_read(self, model):
        state = model.step(PREFIXES, begin(model).remember())[1]
        other = torch.tensor([[4, 6], [5, 5], [7, 4], [6, 6]])
        for length in range(PREFIXES.shape[1] + 1):
            back = state.rollback(length)
            expected = torch.cat([PREFIXES[:, :length], other], dim=1)
            assert back.length == length
            assert_same(
                model.step(other, back)[0], model.step(expected, begin(model))[0][:, length:]
            )
        assert_same(
            model.step(other, state)[0],
            model.step(torch.cat([PREFIXES, other], 1), begin(model))[0][:, 4:],
        )
        for wrong in (-1, 5):
            with pytest.raises(ValueError, match=f"length {wrong}"):
                state.rollback(wrong)

    def test_dropout_is_off_in_evaluation_only(self):
        model = make(spec=TransformerSpec(12, 1, 3, 20, dropout=0.5))
        assert torch.equal(
            model.step(PREFIXES, begin(model))[0], model.step(PREFIXES, begin(model))[0]
        )
        model.train()
        assert not torch.equal(
            model.step(PREFIXES, begin(model))[0], model.step(PREFIXES, begin(model))[0]
        )


class TestDecoding:
    @pytest.mark.parametrize("seed", range(4))
    def test_a_beam_as_wide_as_everything_is_exhaustive_enumeration(self, seed):
        model, source, most = make(seed, n_target=2), SOURCES[0], 3
        every = [t for n in range(most) for t in product(WORDS[:2], repeat=n)]
        scores = dict(
            zip(every, sentence_log_probs(model, [source] * len(every), every), strict=True)
        )
        found = search(model, [source], beam_size=200, n_best=200, max_length=most)[0]
        found = {
            hypothesis.tokens: hypothesis.log_prob
            for hypothesis in found
            if "<unk>" not in hypothesis.tokens
        }
        assert found == pytest.approx(scores, abs=1e-4)

    def test_batched_search_is_search_of_each(self, model):
        for beam_size in (1, 3):
            together = search(model, SOURCES, beam_size, beam_size)
            for source, found in zip(SOURCES, together, strict=True):
                alone = search(model, [source], beam_size, beam_size)[0]
                assert [h.tokens for h in alone] == [h.tokens for h in found]
                assert [h.log_prob for h in alone] == pytest.approx(
                    [h.log_prob for h in found], abs=1e-4
                )


def test_what_is_saved_is_loaded_the_same(model, tmp_path):
    save_model(tmp_path, model)
    loaded = load_model(tmp_path)
    assert loaded.spec == model.spec
    assert torch.equal(
        loaded.step(PREFIXES, begin(loaded))[0], model.step(PREFIXES, begin(model))[0]
    )
    described = json.loads((tmp_path / "model.json").read_text(encoding="utf-8"))
    for wrong in ({"architecture": "rnn"}, {"revision": 99}, {"architecture": "lstm"}):
        (tmp_path / "model.json").write_text(json.dumps(described | wrong), encoding="utf-8")
        with pytest.raises(FileError, match=str(tmp_path)):
            load_model(tmp_path)


class TestTied:
    SPEC = TransformerSpec(12, 1, 3, 20, 0.0, tied=True)

    def test_the_last_layer_is_the_words_own_vectors_and_one_gradient_reaches_both(self):
        model = make(spec=self.SPEC)
        assert (
            len(list(model.parameters()))
            == len(list(make(spec=replace(self.SPEC, tied=False)).parameters())) - 1
        )
        vectors, _ = model.read(PREFIXES, begin(model))
        by_hand = vectors @ model.target_embedding.weight.T + model.output.bias
        assert_same(model.step(PREFIXES, begin(model))[0], by_hand)
        with torch.enable_grad():
            model.output(torch.ones(1, 12)).sum().backward()
        assert_same(
            model.target_embedding.weight.grad, torch.ones_like(model.target_embedding.weight)
        )

    def test_words_are_read_as_large_as_places(self):
        """√D times the vectors, as in section 3.4 of the paper: layers see what they see of
        embeddings of N(0, 1)."""
        torch.manual_seed(3)
        model = TransformerSeq2Seq(
            TransformerSpec(64, 1, 2, 8, 0.0, True), *[Vocabulary.build([WORDS])] * 2
        )
        assert 0.8 < float(model.target_scale * model.target_embedding.weight.std()) < 1.2
        untied = make(spec=replace(self.SPEC, tied=False))
        tied = make(spec=self.SPEC)
        state = {
            name: value.clone()
            for name, value in untied.state_dict().items()
            if name != "output.weight"
        }
        state["target_embedding.weight"] /= tied.target_scale
        tied.load_state_dict(state)
        assert_same(tied.read(PREFIXES, begin(tied))[0], untied.read(PREFIXES, begin(untied))[0])

    def test_it_is_saved_once_and_copied_whole(self, tmp_path):
        model = make(spec=self.SPEC)
        save_model(tmp_path, model)
        loaded, copied = load_model(tmp_path), deepcopy(model)
        assert "output.weight" not in model.state_dict()
        for other in (loaded, copied):
            assert_same(
                other.step(PREFIXES, begin(other))[0], model.step(PREFIXES, begin(model))[0]
            )
            assert other.output.weight is other.target_embedding.weight
        copied.target_embedding.weight.zero_()
        assert model.output.weight.abs().sum() > 0 and (copied.output.weight == 0).all()

    def test_an_interrupted_training_goes_on_the_same(self, tmp_path):
        text = write_text(tmp_path / "text")
        recipe = table_recipes(text, replace(TINY, teacher=self.SPEC), seed=1)[TEACHER]
        with torch.enable_grad():
            whole = Store(tmp_path / "whole").model(recipe)
            store, stop = Store(tmp_path / "stopped"), RuntimeError("stopped")

            def report(done: int, total: int) -> None:
                if done == total - 1:
                    raise stop

            with pytest.raises(RuntimeError):
                store.model(recipe, report)
            again = store.model(recipe)
        assert all(
            again.state_dict()[name].equal(value) for name, value in whole.state_dict().items()
        )


def test_a_transformers_revision_is_part_of_its_key_and_of_no_other(monkeypatch, tmp_path):
    rows = table_recipes(write_text(tmp_path / "text"), replace(TINY, teacher=SMALL), seed=1)
    of_lstm = replace(rows[TEACHER], model=LSTMSpec(8))
    before = key(rows[TEACHER]), key(of_lstm), key(rows[SEQ_KD].distilled)
    newer = ARCHITECTURES["transformer"]._replace(revision=99)
    monkeypatch.setitem(ARCHITECTURES, "transformer", newer)
    key.cache_clear()
    after = key(rows[TEACHER]), key(of_lstm), key(rows[SEQ_KD].distilled)
    key.cache_clear()
    assert before[1] == after[1]
    assert before[0] != after[0] and before[2] != after[2]


def test_without_a_limit_memory_does_not_count_in_keys():
    """Models that were kept before memory could be limited are found again."""
    assert "memory" not in identity(SMALL)
    assert identity(replace(SMALL, memory=3)) == identity(SMALL) | {"memory": 3}
    assert settings(SMALL) == {
        name: value for name, value in vars(SMALL).items() if name != "memory"
    }


@pytest.mark.filterwarnings("ignore:the teacher wrote")
@pytest.mark.parametrize("teacher", [TransformerSpec(8, 1, 2, 8), LSTMSpec(8)])
@pytest.mark.parametrize("student", [TransformerSpec(4, 1, 2, 8), LSTMSpec(4)])
def test_every_row_of_the_table_can_be_made_across_architectures(tmp_path, teacher, student):
    """Word-KD, Seq-KD and Seq-Inter ask for the interface only."""
    text = write_text(tmp_path / "text")
    rows = table_recipes(text, replace(TINY, teacher=teacher, student=student), seed=1)
    with torch.enable_grad():
        made = Store(tmp_path / "store").model(rows[ALL_THREE])
    assert made.spec == student and Store(tmp_path / "store").model(rows[TEACHER]).spec == teacher


@pytest.mark.parametrize(
    "wrong",
    [
        {"width": 7},
        {"width": 10, "heads": 4},
        {"layers": 0},
        {"heads": 0},
        {"dropout": 1.0},
        {"hidden": 0},
        {"memory": 0},
        {"memory": -1},
    ],
)
def test_sizes_that_cannot_be(wrong):
    with pytest.raises(ValueError):
        TransformerSpec(**wrong)


def test_a_step_refuses_what_does_not_fit(model):
    with pytest.raises(ValueError, match="4 prefixes"):
        model.step(torch.full((3, 1), EOS), begin(model))


@torch.no_grad()
def test_the_tied_layer_adds_its_bias():
    made, bias = make(spec=TestTied.SPEC), torch.arange(8.0)
    made.output.bias.copy_(bias)
    x = torch.randn(2, 12)
    torch.testing.assert_close(made.output(x), x @ made.target_embedding.weight.T + bias)
