"""Models whose output layer is a sparse or an int8 product: they translate as the model does that
they are made of."""

from __future__ import annotations

import random
import warnings

import pytest
import torch
from scipy.sparse import csr_matrix
from torch import nn

from seqkd_lab.compression.kernels import SparseLinear, with_int8_output, with_sparse_output
from seqkd_lab.compression.pruning import prune
from seqkd_lab.corpus.batching import source_batch
from seqkd_lab.corpus.vocabulary import BOS, Vocabulary
from seqkd_lab.decoding.search import search
from seqkd_lab.models.architectures import build
from seqkd_lab.models.lstm import LSTMSpec
from seqkd_lab.models.transformer import TransformerSpec

SPECS = [LSTMSpec(16), LSTMSpec(16, layers=2, input_feeding=True)]
SOURCES = [
    tuple(random.Random(i).choices(["ant", "bee", "cat", "dog", "eel", "fox"], k=1 + i % 6))
    for i in range(12)
]
WITHOUT_GRADIENTS = pytest.mark.parametrize(
    "without_gradients", [torch.no_grad, torch.inference_mode]
)
by_kernel = pytest.mark.parametrize("kernel", [with_sparse_output, with_int8_output])


@pytest.fixture(
    params=SPECS, ids=lambda spec: f"layers={spec.layers},input_feeding={spec.input_feeding}"
)
def pruned(request, make_model):
    model = make_model(2, n_target=8, spec=request.param)
    prune(model, 0.6)
    return model


def begin(model):
    return model.start(*source_batch(SOURCES, model.source_vocabulary))


def prefixes(model, T: int) -> torch.Tensor:
    """BOS and T − 1 random words, for each of SOURCES."""
    chance = torch.Generator().manual_seed(T)
    words = torch.randint(4, len(model.target_vocabulary), (len(SOURCES), T), generator=chance)
    words[:, 0] = BOS
    return words


class TestSparseOutput:
    @WITHOUT_GRADIENTS
    @pytest.mark.parametrize("T", [1, 5])
    def test_logits_are_the_models(self, pruned, T, without_gradients):
        changed, tokens = with_sparse_output(pruned), prefixes(pruned, T)
        with without_gradients():
            expected, found = (
                pruned.step(tokens, begin(pruned))[0],
                changed.step(tokens, begin(changed))[0],
            )
        assert found.shape == expected.shape == (len(SOURCES), T, len(pruned.target_vocabulary))
        torch.testing.assert_close(found, expected, atol=1e-5, rtol=1e-5)

    @pytest.mark.parametrize("share", [0.0, 0.5, 0.8])
    @pytest.mark.parametrize("beam_size", [1, 3])
    def test_translations_are_the_models(self, make_model, beam_size, share):
        model = make_model(5, n_target=8, spec=SPECS[0])
        prune(model, share)
        expected, found = (
            search(one, SOURCES, beam_size, beam_size) for one in (model, with_sparse_output(model))
        )
        assert (
            len({n_best[0].tokens for n_best in expected}) > 1
        )  # or there would be little to compare
        for ours, theirs in zip(found, expected, strict=True):
            assert [h.tokens for h in ours] == [h.tokens for h in theirs]
            assert [h.log_prob for h in ours] == pytest.approx(
                [h.log_prob for h in theirs], abs=1e-4
            )

    @pytest.mark.parametrize("share", [0.0, 0.6, 0.95])
    def test_bytes_are_those_of_scipys_compressed_rows(self, make_model, share):
        model = make_model(spec=SPECS[0])
        prune(model, share)
        rows = csr_matrix(model.output.weight.detach().numpy())
        rows.eliminate_zeros()
        assert rows.indices.itemsize == rows.indptr.itemsize == 4
        expected = rows.data.nbytes + rows.indices.nbytes + rows.indptr.nbytes
        assert with_sparse_output(model).output.n_bytes == expected

    def test_a_layer_of_zeros_is_its_bias(self):
        layer = nn.Linear(3, 5)
        nn.init.zeros_(layer.weight)
        sparse = SparseLinear(layer)
        assert torch.equal(sparse(torch.randn(2, 4, 3)), layer.bias.expand(2, 4, 5))
        assert sparse.n_bytes == 4 * (5 + 1)

    @pytest.mark.parametrize("shape", [(3,), (7, 3), (2, 4, 3), (2, 1, 4, 3)])
    def test_any_number_of_places(self, shape):
        layer, x = nn.Linear(3, 5), torch.randn(shape)
        torch.testing.assert_close(SparseLinear(layer)(x), layer(x))


def int8_bound(layer: nn.Linear, x: torch.Tensor) -> torch.Tensor:
    """By how much a logit (N, T, V) may be wrong: Σ |w||Δx| + |Δw||x| + |Δw||Δx|.

    Weights take 255 steps from −max |w| to max |w| of the matrix, inputs 127 steps from min x to
    max x of a call, 0 among them; a weight is wrong by half a step, an input by a whole one (the
    place of its 0 is rounded, too).
    """
    w = layer.weight.detach()
    w_wrong = 0.5 * w.abs().max() * 2 / 255
    x_wrong = (x.max().clamp_min(0) - x.min().clamp_max(0)) / 127
    x_sum, w_sum = x.abs().sum(dim=2, keepdim=True), w.abs().sum(dim=1)
    return w_sum * x_wrong + w_wrong * x_sum + layer.in_features * w_wrong * x_wrong + 1e-5


class TestInt8Output:
    @WITHOUT_GRADIENTS
    @pytest.mark.parametrize("T", [1, 5])
    def test_logits_are_the_models_within_the_steps_of_8_bits(self, pruned, T, without_gradients):
        changed, tokens = with_int8_output(pruned), prefixes(pruned, T)
        with without_gradients():
            vectors, _ = pruned.read(tokens, begin(pruned))
            expected, found = (
                pruned.step(tokens, begin(pruned))[0],
                changed.step(tokens, begin(changed))[0],
            )
        bound = int8_bound(pruned.output, vectors)
        assert found.shape == expected.shape
        assert ((found - expected).abs() <= bound).all()
        assert bound.max() < 0.25 * (expected.max() - expected.min())  # or anything would be close
        assert not torch.equal(found, expected)

    def test_the_likeliest_word_is_mostly_the_models(self, make_model):
        n_same = n_all = 0
        for seed in range(4):
            model = make_model(seed, n_target=8, spec=SPECS[0])
            changed, tokens = with_int8_output(model), prefixes(model, 5)
            with torch.inference_mode():
                expected, found = (
                    one.step(tokens, begin(one))[0].argmax(dim=2) for one in (model, changed)
                )
            assert len(expected.unique()) > 2
            n_same, n_all = n_same + int((found == expected).sum()), n_all + expected.numel()
        assert n_same >= 0.95 * n_all

    @pytest.mark.parametrize("beam_size", [1, 3])
    def test_translations_are_mostly_the_models(self, make_model, beam_size):
        model = make_model(5, n_target=8, spec=SPECS[0])
        expected, found = (
            search(one, SOURCES, beam_size) for one in (model, with_int8_output(model))
        )
        same = [
            ours[0].tokens == theirs[0].tokens for ours, theirs in zip(found, expected, strict=True)
        ]
        assert sum(same) >= 0.7 * len(SOURCES)


@by_kernel
class TestEither:
    def test_the_original_is_left_alone(self, make_model, kernel):
        model, untouched = make_model().train(), make_model()
        changed = kernel(model)
        assert isinstance(model.output, nn.Linear) and model.training and not changed.training
        for name, parameter in model.named_parameters():
            assert torch.equal(parameter, untouched.get_parameter(name)) and parameter.requires_grad
        places = {parameter.data_ptr() for parameter in model.parameters()}
        assert places.isdisjoint(parameter.data_ptr() for parameter in changed.parameters())

    def test_a_later_change_of_the_original_is_not_its_copys(self, make_model, kernel):
        model = make_model(3)
        changed = kernel(model)
        expected = search(changed, SOURCES)
        with torch.no_grad():
            for parameter in model.parameters():
                parameter.add_(torch.randn_like(parameter))
        assert search(changed, SOURCES) == expected
        assert search(model, SOURCES) != expected

    def test_a_model_that_has_translated_before(self, make_model, kernel):
        """What a model keeps for speed is copied with it, and was made without gradients."""
        before, model = kernel(make_model(3)), make_model(3)
        search(model, SOURCES)
        assert search(kernel(model), SOURCES, 2, 2) == search(before, SOURCES, 2, 2)

    def test_nothing_is_said_about_torchs_own_plans(self, make_model, kernel):
        """Warnings of a beta or a deprecated part of torch would stand in a learner's notebook."""
        model = make_model()
        torch.set_warn_always(True)
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("error")
                search(kernel(model), SOURCES)
        finally:
            torch.set_warn_always(False)


def test_tied_embeddings_are_not_taken_for_int8():
    words = Vocabulary.build([("ant", "bee")])
    tied = build(TransformerSpec(8, 1, 2, 8, 0.0, tied=True), words, words)
    with pytest.raises(ValueError, match="tied"):
        with_int8_output(tied)
    assert with_sparse_output(tied).output.weight.shape == (len(words), 8)
