"""The Seq2Seq interface, kept by the LSTM in all its forms, and models on disk."""

from __future__ import annotations

import copy
import errno
import json
import os
from contextlib import nullcontext
from dataclasses import replace
from pathlib import Path

import pytest
import torch
import torch.nn.functional as F
from safetensors.torch import load_file

from seqkd_lab.corpus.batching import encode, make_batch, source_batch
from seqkd_lab.corpus.parallel import ParallelCorpus
from seqkd_lab.corpus.vocabulary import BOS, PAD
from seqkd_lab.decoding.search import search
from seqkd_lab.files import FileError, read_json, write_atomically
from seqkd_lab.models.checkpoint import load_model, save_model
from seqkd_lab.models.dropout import Dropout
from seqkd_lab.models.lstm import REVISION, LSTMSpec
from seqkd_lab.models.seq2seq import evaluating

SPECS = [
    LSTMSpec(8),
    LSTMSpec(8, layers=2),
    LSTMSpec(8, input_feeding=True),
    LSTMSpec(8, 2, input_feeding=True),
]
SOURCES = [("ant",), ("bee", "cat", "ant"), ("dog", "eel"), ("fox", "fox", "ant", "bee", "cat")]
PREFIXES = torch.tensor([[BOS, 4, 5, 6], [BOS, 5, 5, 7], [BOS, 6, 4, 4], [BOS, 7, 6, 5]])


@pytest.fixture(
    params=SPECS, ids=lambda spec: f"layers={spec.layers},input_feeding={spec.input_feeding}"
)
def model(request, make_model):
    return make_model(spec=request.param)


@pytest.fixture(autouse=True)
def without_gradients():
    with torch.no_grad():
        yield


def begin(model, sources=SOURCES):
    return model.start(*source_batch(sources, model.source_vocabulary))


def assert_same(a, b):
    torch.testing.assert_close(a, b, atol=1e-5, rtol=1e-5)


def assert_same_state(state, other):
    for name in ("keys", "values", "padding", "h", "c", "attended"):
        assert_same(getattr(state, name), getattr(other, name))
    assert (state.length, state.n_sentences) == (other.length, other.n_sentences)


class TestStep:
    def test_one_token_at_a_time_equals_all_at_once(self, model):
        together, end = model.step(PREFIXES, begin(model))
        state, apart = begin(model), []
        for t in range(PREFIXES.shape[1]):
            logits, state = model.step(PREFIXES[:, t : t + 1], state)
            apart.append(logits)
        assert_same(torch.cat(apart, dim=1), together)
        assert_same_state(state, end)
        assert end.length == PREFIXES.shape[1]

    def test_forward_is_a_step_over_the_whole_prefix(self, model):
        corpus = ParallelCorpus(
            "n", "s", "l", tuple(SOURCES), (("ant", "bee"), ("cat",), (), ("dog",) * 3)
        )
        batch = make_batch(
            encode(corpus, model.source_vocabulary, model.target_vocabulary), [0, 1, 2, 3]
        )
        logits = model(batch)
        assert logits.shape == (*batch.target_in.shape, len(model.target_vocabulary))
        assert_same(logits, model.step(batch.target_in, begin(model))[0])

    def test_a_state_is_not_changed_by_what_is_made_from_it(self, model):
        state = begin(model)
        first, _ = model.step(PREFIXES, state)
        again, _ = model.step(PREFIXES, state)
        assert torch.equal(first, again)

    def test_every_token_read_counts(self, model):
        """The last logits depend on each earlier token: nothing of the prefix is lost."""
        state, original = begin(model), model.step(PREFIXES, begin(model))[0][:, -1]
        for t in range(PREFIXES.shape[1]):
            changed = PREFIXES.clone()
            changed[:, t] = 3
            assert (model.step(changed, state)[0][:, -1] - original).abs().max() > 1e-4

    def test_dropout_is_off_in_evaluation_only(self, make_model):
        model = make_model(spec=LSTMSpec(8, dropout=0.5))
        assert torch.equal(
            model.step(PREFIXES, begin(model))[0], model.step(PREFIXES, begin(model))[0]
        )
        model.train()
        assert not torch.equal(
            model.step(PREFIXES, begin(model))[0], model.step(PREFIXES, begin(model))[0]
        )


def by_the_formulas(model, source: tuple[str, ...], prefix: torch.Tensor) -> torch.Tensor:
    """Logits (T, V) after each token of `prefix` (T,): torch's LSTM one step at a time, torch's
    attention, no state."""
    D, ids = model.spec.width, source_batch([source], model.source_vocabulary)[0]
    embedded = model.source_embedding(ids)
    states, ends = model.encoder(embedded)
    h, c = (end.view(-1, 2, 1, D // 2).transpose(1, 2).reshape(-1, 1, D) for end in ends)
    attended, logits = torch.zeros(1, 1, D), []
    for token in prefix:
        word = model.target_embedding(token.view(1, 1))
        step_input = torch.cat([word, attended], dim=2) if model.spec.input_feeding else word
        output, (h, c) = model.decoder(step_input, (h, c))
        context = F.scaled_dot_product_attention(output, model.attend(states), states + embedded)
        attended = torch.tanh(model.combine(torch.cat([context, output], dim=2)))
        logits.append(model.output(attended)[0, 0])
    return torch.stack(logits)


class TestFormulas:
    def test_logits_are_those_of_torchs_own_parts(self, model):
        """Step by step and a whole prefix at once; a batch of unequal sources and each source
        alone."""
        together, _ = model.step(PREFIXES, begin(model))
        for b, source in enumerate(SOURCES):
            expected = by_the_formulas(model, source, PREFIXES[b])
            assert_same(together[b], expected)
            assert_same(
                model.step(PREFIXES[b : b + 1, :1], begin(model, [source]))[0][0], expected[:1]
            )

    def test_a_changed_weight_changes_the_next_step(self, model):
        """What the model keeps of its weights for speed is made again when they change."""
        model.step(PREFIXES[:, :1], begin(model))
        for parameter in (model.target_embedding.weight, *model.decoder.parameters()):
            parameter.add_(0.1 * torch.randn_like(parameter))
            state = model.step(PREFIXES[:, :1], begin(model))[1]
            pairs = zip(SOURCES, PREFIXES[:, :2], strict=True)
            expected = torch.stack(
                [by_the_formulas(model, source, prefix) for source, prefix in pairs]
            )
            assert_same(model.step(PREFIXES[:, 1:2], state)[0], expected[:, 1:])


class TestDropout:
    @pytest.mark.parametrize("p", [0.1, 0.5])
    def test_drops_a_share_p_and_keeps_the_mean(self, p):
        torch.manual_seed(0)
        dropped = Dropout(p).train()(torch.ones(1000, 333))
        assert dropped.unique().tolist() == pytest.approx([0.0, 1 / (1 - p)], rel=0.01)
        assert (dropped == 0).float().mean() == pytest.approx(p, abs=0.004)
        assert dropped.mean() == pytest.approx(1.0, abs=0.01)
        for part in (dropped[:, :50], dropped[:, 7::8], dropped[500:]):  # no place is favoured
            assert (part == 0).float().mean() == pytest.approx(p, abs=0.01)

    def test_gradients_stop_where_numbers_were_dropped(self):
        x = torch.ones(64, 64, requires_grad=True)
        with torch.enable_grad():
            y = Dropout(0.3).train()(x)
            y.sum().backward()
        assert torch.equal(x.grad, y)

    def test_does_nothing_in_evaluation_or_at_zero(self):
        x = torch.randn(5, 7)
        assert Dropout(0.5).eval()(x) is x
        assert Dropout(0.0).train()(x) is x


class TestPadding:
    def test_logits_of_a_sentence_do_not_depend_on_longer_neighbours(self, model):
        together, _ = model.step(PREFIXES, begin(model))
        for b, source in enumerate(SOURCES):
            alone, _ = model.step(PREFIXES[b : b + 1], begin(model, [source]))
            assert_same(together[b : b + 1], alone)

    def test_what_stands_behind_the_length_is_never_read(self, model):
        source, lengths = source_batch(SOURCES, model.source_vocabulary)
        expected, _ = model.step(PREFIXES, model.start(source, lengths))
        scrawled = source.where(source != PAD, torch.tensor(7))
        assert (scrawled != source).any()
        assert torch.equal(model.step(PREFIXES, model.start(scrawled, lengths))[0], expected)

    def test_attention_is_a_distribution_over_the_real_tokens(self, model):
        state = model.step(PREFIXES[:, :1], begin(model))[1]
        weights, lengths = state.attention, source_batch(SOURCES, model.source_vocabulary)[1]
        assert weights.shape == (4, 1, int(lengths.max()))
        assert_same(weights.sum(dim=2), torch.ones(4, 1))
        for b, length in enumerate(lengths.tolist()):
            assert (weights[b, :, :length] > 0).all()
            assert (weights[b, :, length:] == 0).all()


class TestSelect:
    @pytest.mark.parametrize(
        "rows",
        [[[0], [1], [2], [3]], [[0, 0, 0], [1, 1, 1], [2, 2, 2], [3, 3, 3]], [[3], [1]], [[2, 2]]],
        ids=["the same", "grown", "two stay, in another order", "one stays"],
    )
    def test_equals_reading_the_chosen_prefixes_anew(self, model, rows):
        rows = torch.tensor(rows)
        state = model.step(PREFIXES, begin(model))[1].select(rows)
        sources = [SOURCES[row] for row in rows[:, 0].tolist()]
        repeated = [source for source in sources for _ in range(rows.shape[1])]
        anew = model.step(PREFIXES[rows.flatten()], begin(model, repeated))[1]
        more = torch.arange(rows.numel())[:, None] % 4 + 4
        assert_same(model.step(more, state)[0], model.step(more, anew)[0])
        assert (state.n_sentences, state.length) == (len(rows), 4)

    def test_reorders_repeats_and_drops_within_a_beam(self, model):
        """Beams of two prefixes for three sentences; the middle sentence leaves, the others change
        places."""
        sources, tokens = SOURCES[:3], torch.tensor([[4], [5], [6], [7], [4], [6]])
        state = model.step(torch.full((3, 1), BOS), begin(model, sources))[1]
        state = state.select(torch.tensor([[0, 0], [1, 1], [2, 2]]))
        state = model.step(tokens, state)[1].select(torch.tensor([[1, 0, 1], [5, 5, 4]]))
        more = torch.tensor([[4], [4], [7], [5], [6], [5]])
        prefixes = [((0, 5), 4), ((0, 4), 4), ((0, 5), 7), ((2, 6), 5), ((2, 6), 6), ((2, 4), 5)]
        for row, ((sentence, token), last) in enumerate(prefixes):
            alone, _ = model.step(
                torch.tensor([[BOS, token, last]]), begin(model, [sources[sentence]])
            )
            assert_same(model.step(more, state)[0][row, -1], alone[0, -1])

    def test_attention_of_several_hypotheses_stays_with_its_sentence(self, model):
        state = begin(model, SOURCES[:2]).select(torch.tensor([[0, 0], [1, 1]]))
        weights = model.step(torch.full((4, 1), BOS), state)[1].attention
        assert (weights[:2, 0] > 0).sum(dim=1).tolist() == [2, 2]
        assert (weights[2:, 0] > 0).sum(dim=1).tolist() == [4, 4]


class TestRollback:
    def test_is_the_state_as_it_was(self, model):
        state = model.step(PREFIXES[:, :1], begin(model))[1].remember()
        far = model.step(PREFIXES[:, 1:], state)[1]
        for length in (1, 2, 3, 4):
            expected = model.step(PREFIXES[:, :length], begin(model))[1]
            back = far.rollback(length)
            assert_same_state(back, expected)
            other = torch.tensor([[7, 4], [6, 5], [5, 6], [4, 7]])
            assert_same(model.step(other, back)[0], model.step(other, expected)[0])
            assert_same_state(model.step(other, back)[1].rollback(length), expected)

    def test_what_was_taken_back_cannot_be_returned_to(self, model):
        state = model.step(PREFIXES, begin(model).remember())[1].rollback(2)
        with pytest.raises(ValueError, match="3"):
            state.rollback(3)

    def test_works_after_select(self, model):
        rows = torch.tensor([[3, 3], [1, 1]])
        back = model.step(PREFIXES, begin(model).remember())[1].select(rows).rollback(2)
        assert_same_state(back, model.step(PREFIXES[:, :2], begin(model))[1].select(rows))

    def test_without_remember_there_is_no_way_back(self, model):
        state = model.step(PREFIXES, begin(model))[1]
        with pytest.raises(ValueError, match="remember"):
            state.rollback(2)

    def test_remembering_does_not_change_the_logits(self, model):
        assert_same(
            model.step(PREFIXES, begin(model).remember())[0], model.step(PREFIXES, begin(model))[0]
        )


class TestErrors:
    @pytest.mark.parametrize(
        ("source", "lengths"),
        [
            (torch.ones(3, dtype=torch.long), torch.ones(3, dtype=torch.long)),
            (torch.ones(2, 3, dtype=torch.long), torch.ones(3, dtype=torch.long)),
            (torch.ones(2, 3, dtype=torch.long), torch.tensor([3, 4])),
            (torch.ones(2, 3, dtype=torch.long), torch.tensor([0, 3])),
            (torch.ones(2, 3, dtype=torch.long), torch.tensor([[3], [3]])),
            (torch.ones(0, 3, dtype=torch.long), torch.ones(0, dtype=torch.long)),
        ],
    )
    def test_a_source_that_does_not_fit_its_lengths(self, make_model, source, lengths):
        with pytest.raises(ValueError, match="source"):
            make_model().start(source, lengths)

    @pytest.mark.parametrize(
        "tokens", [torch.full((3, 1), BOS), torch.full((4,), BOS), torch.full((4, 0), BOS)]
    )
    def test_tokens_that_do_not_fit_the_state(self, model, tokens):
        with pytest.raises(ValueError, match="tokens"):
            model.step(tokens, begin(model))

    @pytest.mark.parametrize(
        "wrong", [{"width": 7}, {"width": 0}, {"layers": 0}, {"dropout": 1.0}, {"dropout": -0.1}]
    )
    def test_a_size_that_cannot_be(self, wrong):
        with pytest.raises(ValueError, match=next(iter(wrong))):
            replace(LSTMSpec(), **wrong)


class TestCheckpoint:
    def test_round_trip_is_exact(self, model, tmp_path):
        save_model(tmp_path, model)
        loaded = load_model(tmp_path)
        assert not loaded.training
        assert loaded.spec == model.spec
        assert loaded.source_vocabulary == model.source_vocabulary
        assert loaded.target_vocabulary == model.target_vocabulary
        assert torch.equal(
            model.step(PREFIXES, begin(model))[0], loaded.step(PREFIXES, begin(loaded))[0]
        )

    def test_half_keeps_sixteen_bits_of_each_number(self, model, tmp_path):
        save_model(tmp_path / "half", model, half=True)
        save_model(tmp_path / "whole", model)
        loaded = load_model(tmp_path / "half").state_dict()
        for name, tensor in model.state_dict().items():
            assert loaded[name].dtype == torch.float32
            assert torch.equal(loaded[name], tensor.half().float())
        half, whole = (tmp_path / kind / "model.safetensors" for kind in ("half", "whole"))
        assert sum(t.nbytes for t in load_file(half).values()) * 2 == sum(
            t.nbytes for t in load_file(whole).values()
        )

    @pytest.mark.parametrize(
        "damage",
        [
            lambda b: b[:-7],
            lambda b: b[:20],
            lambda b: b"",
            lambda b: b"\xff" * 8 + b[8:],
            lambda b: b"{}" * 40,
        ],
    )
    def test_damaged_weights_are_named(self, make_model, tmp_path, damage):
        save_model(tmp_path, make_model())
        path = tmp_path / "model.safetensors"
        path.write_bytes(damage(path.read_bytes()))
        with pytest.raises(FileError, match="model.safetensors"):
            load_model(tmp_path)

    @pytest.mark.parametrize(
        "change",
        [
            lambda d: d["spec"].update(width=16),
            lambda d: d["spec"].update(layers=2),
            lambda d: d["spec"].update(width=7),
            lambda d: d["spec"].update(depth=3),
            lambda d: d["spec"].update(width="8"),
            lambda d: d["target"].pop(),
            lambda d: d["target"].append("ant"),
            lambda d: d["source"].clear(),
            lambda d: d.pop("source"),
            lambda d: d.pop("spec"),
            lambda d: d.pop("revision"),
            lambda d: d.update(revision=REVISION + 1),
        ],
    )
    def test_a_description_that_does_not_fit_the_weights(self, make_model, tmp_path, change):
        save_model(tmp_path, make_model())
        described = read_json(tmp_path / "model.json")
        change(described)
        (tmp_path / "model.json").write_text(json.dumps(described))
        with pytest.raises(FileError, match=str(tmp_path)):
            load_model(tmp_path)

    @pytest.mark.parametrize("text", ["", "{", "\udcff", "[]", "3"])
    def test_a_description_that_is_none(self, make_model, tmp_path, text):
        save_model(tmp_path, make_model())
        (tmp_path / "model.json").write_text(text, errors="surrogateescape")
        with pytest.raises(FileError, match=str(tmp_path)):
            load_model(tmp_path)

    @pytest.mark.parametrize("missing", ["model.json", "model.safetensors"])
    def test_a_missing_file_is_named(self, make_model, tmp_path, missing):
        save_model(tmp_path, make_model())
        (tmp_path / missing).unlink()
        with pytest.raises((FileError, FileNotFoundError), match=missing):
            load_model(tmp_path)


class TestAtomicWrites:
    @pytest.mark.parametrize("step", ["fsync", "replace"])
    def test_a_full_disk_leaves_the_old_file_and_nothing_else(self, tmp_path, monkeypatch, step):
        def fail(*_):
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

        path = tmp_path / "file"
        write_atomically(path, b"old")
        monkeypatch.setattr(os, step, fail)
        with pytest.raises(OSError, match="No space left"):
            write_atomically(path, b"new")
        assert path.read_bytes() == b"old"
        assert os.listdir(tmp_path) == ["file"]

    def test_the_error_names_the_path(self, tmp_path, monkeypatch):
        def fail(*_):
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

        monkeypatch.setattr(os, "fsync", fail)
        with pytest.raises(OSError, match=str(tmp_path / "file")):
            write_atomically(tmp_path / "file", b"new")

    def test_an_interrupt_leaves_the_old_file(self, tmp_path, monkeypatch):
        def interrupt(*_):
            raise KeyboardInterrupt

        path = tmp_path / "file"
        write_atomically(path, b"old")
        monkeypatch.setattr(os, "replace", interrupt)
        with pytest.raises(KeyboardInterrupt):
            write_atomically(path, b"new")
        assert (path.read_bytes(), os.listdir(tmp_path)) == (b"old", ["file"])

    def test_makes_the_folder_and_replaces_the_file(self, tmp_path):
        path = tmp_path / "a" / "b" / "file"
        write_atomically(path, b"one")
        write_atomically(path, b"two")
        assert (path.read_bytes(), os.listdir(path.parent)) == (b"two", ["file"])


def test_a_copy_whose_weights_change_reads_its_own_and_not_the_originals_table(make_model):
    """Deep copies take the table of input gates along, and their weights' versions begin anew."""
    original = make_model()
    with torch.no_grad():
        original.target_embedding.weight.mul_(
            0.9
        )  # a version that the copy below reaches with its first change
        search(original, [("ant", "bee")])
        changed = copy.deepcopy(original)
        changed.target_embedding.weight.mul_(0.1)
    afresh = make_model()
    afresh.load_state_dict(changed.state_dict())
    assert search(changed, [("ant", "bee")]) == search(afresh, [("ant", "bee")])


def test_a_device_without_end_is_refused_before_it_is_read():
    with pytest.raises(FileError, match="/dev/zero: this is a device"):
        read_json(Path("/dev/zero"))


class TestEvaluating:
    def test_there_is_no_dropout_and_no_gradient_within(self, make_model):
        models = [make_model().train(), make_model().eval()]
        with torch.enable_grad(), evaluating(*models):
            assert not any(model.training for model in models)
            assert not torch.is_grad_enabled()

    @pytest.mark.parametrize("error", [None, KeyboardInterrupt, ValueError])
    def test_each_model_gets_its_own_mode_back_even_after_an_error(self, make_model, error):
        models = [make_model().train(), make_model().eval()]
        with (
            torch.enable_grad(),
            pytest.raises(error) if error else nullcontext(),
            evaluating(*models),
        ):
            if error:
                raise error
        assert [model.training for model in models] == [True, False]
