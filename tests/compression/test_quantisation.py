"""8-bit weights against torch's own quantisation, and how much they may be wrong."""

from __future__ import annotations

import warnings

import numpy as np
import pytest
import torch
from hypothesis import example, given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from seqkd_lab.compression.pruning import prune
from seqkd_lab.compression.quantisation import dequantise, quantise, quantised, quantised_weights
from seqkd_lab.decoding.search import search

SHAPES = [(1, 1), (1, 50), (40, 1), (30, 70)]


def drawn(shape, seed: int = 0) -> torch.Tensor:
    """Rows of very different sizes."""
    generator = torch.Generator().manual_seed(seed)
    sizes = 10.0 ** (8 * torch.rand(shape[0], 1, generator=generator) - 4)
    return sizes * torch.randn(shape, generator=generator)


def by_torch(weight: torch.Tensor, scale: torch.Tensor) -> torch.Tensor:
    """torch's own quantised tensor, symmetric and by row, with the same scales."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # torch calls its quantised types deprecated
        zero_points = torch.zeros(len(scale), dtype=torch.long)
        return torch.quantize_per_channel(weight, scale, zero_points, axis=0, dtype=torch.qint8)


class TestQuantise:
    @pytest.mark.parametrize("shape", SHAPES)
    @pytest.mark.parametrize("seed", range(5))
    def test_is_torchs_quantisation(self, shape, seed):
        weight = drawn(shape, seed)
        q, scale = quantise(weight)
        with_torch = by_torch(weight, scale)
        assert q.dtype == torch.int8 and scale.shape == weight.shape[:1]
        assert torch.equal(q, with_torch.int_repr())
        torch.testing.assert_close(dequantise(q, scale), with_torch.dequantize())

    @pytest.mark.parametrize("shape", SHAPES)
    def test_the_largest_of_each_row_is_127(self, shape):
        weight = drawn(shape)
        q, scale = quantise(weight)
        assert (q.abs().amax(dim=1) == 127).all()
        torch.testing.assert_close(scale * 127, weight.abs().amax(dim=1))

    @example(
        np.array(
            [[2.7e-43, -1e-45], [1e-44, 3e-44], [3e-36, 1e-39], [3.4e38, 1.0]], dtype=np.float32
        )
    )
    @given(
        arrays.arrays(
            "float32",
            st.tuples(st.integers(1, 4), st.integers(1, 6)),
            elements=st.floats(width=32, allow_nan=False, allow_infinity=False),
        )
    )
    def test_no_number_is_wrong_by_more_than_half_a_step(self, numbers):
        """Whatever finite numbers a row has, the smallest that there are among them; and 0 stays
        0."""
        weight = torch.from_numpy(numbers)
        q, scale = quantise(weight)
        assert (scale > 0).all() and int(q.min()) >= -127
        wrong = (weight.double() - q.double() * scale.double()[:, None]).abs()
        assert (
            wrong <= 0.5 * scale.double()[:, None] * (1 + 1e-4)
        ).all()  # q is found by a division in 32 bits
        assert not q[weight == 0].any()

    @pytest.mark.parametrize("shape", SHAPES)
    @pytest.mark.parametrize("seed", range(5))
    def test_numbers_that_8_bits_hold_come_back(self, shape, seed):
        """Quantised again, nothing changes any more, apart from the rounding of 32 bits."""
        q, scale = quantise(drawn(shape, seed))
        again, scale_again = quantise(dequantise(q, scale))
        assert torch.equal(again, q)
        torch.testing.assert_close(scale_again, scale)

    def test_a_row_of_zeros(self):
        weight = drawn((4, 5))
        weight[2] = 0.0
        q, scale = quantise(weight)
        assert scale[2] == 1.0 and not q[2].any() and q[[0, 1, 3]].any(dim=1).all()
        assert torch.equal(dequantise(q, scale)[2], torch.zeros(5))

    def test_a_row_does_not_depend_on_the_others(self):
        weight = drawn((4, 6))
        q, scale = quantise(weight)
        for row in range(4):
            assert torch.equal(quantise(weight[row : row + 1])[0][0], q[row])
            assert torch.equal(quantise(weight[row : row + 1])[1][0], scale[row])

    def test_the_sign_is_the_only_difference_of_a_mirrored_matrix(self):
        weight = drawn((5, 9))
        (q, scale), (mirrored, same) = quantise(weight), quantise(-weight)
        assert torch.equal(mirrored, -q) and torch.equal(same, scale)


class TestModel:
    def test_matrices_are_what_8_bits_leave_and_vectors_as_they_were(self, make_model):
        model = make_model()
        rounded = dict(quantised(model).named_parameters())
        for name, parameter in model.named_parameters():
            if parameter.dim() == 2:
                _, scale = quantise(parameter.detach())
                torch.testing.assert_close(
                    rounded[name],
                    by_torch(parameter.detach(), scale).dequantize(),
                    check_stride=False,
                )
                assert not torch.equal(rounded[name], parameter)
            else:
                assert torch.equal(rounded[name], parameter)

    def test_the_copy_shares_nothing_and_the_original_is_left_alone(self, make_model):
        model, untouched = make_model(), make_model()
        rounded = quantised(model)
        places = {parameter.data_ptr() for parameter in model.parameters()}
        assert places.isdisjoint(parameter.data_ptr() for parameter in rounded.parameters())
        with torch.no_grad():
            for parameter in rounded.parameters():
                parameter.fill_(7.0)
        for name, parameter in model.named_parameters():
            assert torch.equal(parameter, untouched.get_parameter(name))
        assert not rounded.training and all(
            parameter.requires_grad for parameter in rounded.parameters()
        )

    def test_a_pruned_model_stays_pruned(self, make_model):
        model = make_model()
        masks = prune(model, 0.8)
        for name, parameter in quantised(model).named_parameters():
            assert not parameter[~masks[name]].any()

    def test_translates_as_the_stored_weights_do(self, make_model):
        """Whether or not the original has translated before: what it keeps for speed is not the
        copy's."""
        model, stored, sources = (
            make_model(4),
            make_model(4),
            [("ant", "bee", "cat"), ("dog",), ("eel", "fox")],
        )
        search(model, sources, 2)
        weights = quantised_weights(model.state_dict())
        whole = {
            name: dequantise(weight, weights[f"{name}/scale"])
            if weight.dtype == torch.int8
            else weight
            for name, weight in weights.items()
            if not name.endswith("/scale")
        }
        stored.load_state_dict(whole)
        assert search(quantised(model), sources, 2, 2) == search(stored, sources, 2, 2)

    def test_stored_weights_take_a_byte_for_a_number_of_a_matrix(self, make_model):
        weights = make_model().state_dict()
        stored = quantised_weights(weights)
        matrices = [name for name, weight in weights.items() if weight.dim() == 2]
        assert set(stored) == set(weights) | {f"{name}/scale" for name in matrices}
        expected = sum(
            weight.numel() + 4 * len(weight) if name in matrices else 4 * weight.numel()
            for name, weight in weights.items()
        )
        assert sum(tensor.nbytes for tensor in stored.values()) == expected
        assert all(stored[name] is weights[name] for name in weights if name not in matrices)
