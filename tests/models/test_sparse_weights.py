"""Sparse parts: a round trip loses no bit, damage is refused, and a pruned model's file is
small."""

from __future__ import annotations

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from safetensors.torch import load_file, save_file
from scipy.sparse import csr_array

from seqkd_lab.compression.pruning import n_nonzero, prune
from seqkd_lab.files import FileError
from seqkd_lab.models.checkpoint import load_model, save_model
from seqkd_lab.models.lstm import LSTMSpec
from seqkd_lab.models.sparse_weights import PARTS, dense, pack, sparse_rows, unpack

BITS = {1: torch.uint8, 2: torch.int16, 4: torch.int32, 8: torch.int64}
DTYPES = [torch.float32, torch.float16, torch.bfloat16, torch.float64, torch.int8, torch.int64]
WIDE = LSTMSpec(width=48)  # large enough for the weights to weigh more than the file's head


def same_bits(found: torch.Tensor, expected: torch.Tensor) -> bool:
    """The same shape, type and bits: nan is nan, and every nan its own."""
    if (found.shape, found.dtype) != (expected.shape, expected.dtype):
        return False
    as_bits = BITS[expected.element_size()]
    return torch.equal(found.reshape(-1).view(as_bits), expected.reshape(-1).view(as_bits))


def drawn(shape, density: float, seed: int, dtype=torch.float32) -> torch.Tensor:
    """Numbers from −100 to 100 of which a share `density` is not 0; there is no minus zero."""
    generator = torch.Generator().manual_seed(seed)
    numbers = (200 * torch.rand(shape, generator=generator) - 100).to(dtype)
    numbers[numbers == 0] = 1
    return torch.where(
        torch.rand(shape, generator=generator) < density, numbers, torch.zeros((), dtype=dtype)
    )


class TestRoundTrip:
    @given(
        shape=st.lists(st.integers(0, 7), max_size=4).map(tuple),
        density=st.floats(0.0, 1.0),
        seed=st.integers(0, 10_000),
        dtype=st.sampled_from(DTYPES),
    )
    def test_no_bit_is_lost(self, shape, density, seed, dtype):
        weight = drawn(shape, density, seed, dtype)
        parts = sparse_rows(weight)
        assert tuple(parts) == PARTS
        assert same_bits(dense(parts), weight)
        assert len(parts["values"]) == len(parts["columns"]) == int(weight.count_nonzero())

    @pytest.mark.parametrize(
        "rows",
        [[0, 1, 2], [3], [0], [5], []],
        ids=["the first", "one in the middle", "one", "the last", "none"],
    )
    def test_rows_without_values(self, rows):
        weight = torch.zeros(6, 4)
        weight[rows, 1], weight[rows, 3] = 2.0, -3.0
        parts = sparse_rows(weight)
        assert same_bits(dense(parts), weight)
        assert parts["begins"].tolist() == [2 * sum(row < end for row in rows) for end in range(7)]

    def test_numbers_that_are_none_and_the_smallest_are_kept(self):
        bits = torch.tensor(
            [0x7FC00000, 0x7FC00123, -0x400000, 0x7F800000, -0x800000, 1, 0, 0], dtype=torch.int32
        )
        weight = bits.view(torch.float32).view(
            2, 4
        )  # three kinds of nan, ±inf, the smallest of all, 0
        assert weight.isnan().sum() == 3 and weight.isinf().sum() == 2
        assert same_bits(dense(sparse_rows(weight)), weight)

    def test_minus_zero_is_a_zero(self):
        """Its sign is the one thing that is not kept: the number is the same."""
        weight = torch.tensor([[-0.0, 1.0, 0.0]])
        found = dense(sparse_rows(weight))
        assert torch.equal(found, weight) and not found.signbit().any()

    @pytest.mark.parametrize(
        ("n_columns", "dtype"), [(2**15, torch.int16), (2**15 + 1, torch.int32)]
    )
    def test_columns_take_two_bytes_as_long_as_that_is_enough(self, n_columns, dtype):
        weight = torch.zeros(3, n_columns)
        weight[0, 0] = weight[0, -1] = weight[2, -1] = weight[2, -2] = 5.0
        parts = sparse_rows(weight)
        assert parts["columns"].dtype == dtype
        assert same_bits(dense(parts), weight)

    def test_columns_of_a_tensor_of_many_dimensions(self):
        weight = drawn((2, 300, 200), 0.01, 3)  # 60,000 columns
        assert same_bits(dense(sparse_rows(weight)), weight)

    def test_a_view_that_lies_in_memory_by_columns(self):
        weight = drawn((5, 7), 0.5, 1)
        assert same_bits(dense(sparse_rows(weight.t())), weight.t().contiguous())

    def test_named_weights_and_others_stored_whole(self):
        weights = {
            "a.weight": drawn((4, 3), 0.5, 1),
            "a.bias": drawn((3,), 0.5, 2),
            "b": drawn((), 1.0, 3),
        }
        packed = pack(weights)
        assert set(packed) == {f"{name}:{part}" for name in weights for part in PARTS}
        whole = {"c": drawn((2, 2), 0.5, 4)}
        found = unpack({**packed, **whole})
        assert list(found) == [*weights, "c"]
        assert all(same_bits(found[name], weight) for name, weight in {**weights, **whole}.items())

    def test_the_parts_are_scipys_compressed_rows(self):
        weight = drawn((9, 11), 0.3, 5)
        parts, by_scipy = sparse_rows(weight), csr_array(weight.numpy())
        assert parts["values"].tolist() == by_scipy.data.tolist()
        assert parts["columns"].tolist() == by_scipy.indices.tolist()
        assert parts["begins"].tolist() == by_scipy.indptr.tolist()


def without_last(part):
    return part[:-1]


DAMAGES = {
    "a value is missing": {"values": without_last},
    "a column is missing": {"columns": without_last},
    "a row is missing": {"begins": without_last},
    "a row begins before the one above": {
        "begins": lambda begins: begins[[0, 2, 1, *range(3, len(begins))]]
    },
    "values of no row": {"begins": lambda begins: begins.clamp(max=3)},
    "a column that is too large": {"columns": lambda columns: columns + 1},
    "a column below 0": {"columns": lambda columns: columns - 1},
    "another shape": {"shape": lambda shape: shape.flip(0)},
    "a narrower shape": {"shape": lambda shape: shape - torch.tensor([0, 1])},
    "a negative shape": {"shape": lambda shape: shape * torch.tensor([-1, 1])},
    "no rows": {"shape": lambda shape: shape * torch.tensor([0, 1])},
    "values that are a matrix": {"values": lambda values: values[:, None]},
    "begins that are a number": {"begins": lambda begins: begins[0]},
}


class TestDamage:
    weight = drawn((6, 5), 1.0, 1)  # full: every column is in use

    @pytest.mark.parametrize("damage", DAMAGES.values(), ids=list(DAMAGES))
    def test_parts_that_do_not_fit(self, damage):
        parts = sparse_rows(self.weight)
        damaged = {
            name: damage[name](part) if name in damage else part for name, part in parts.items()
        }
        with pytest.raises(ValueError):
            dense(damaged)

    @pytest.mark.parametrize("part", PARTS)
    def test_a_part_that_is_missing(self, part):
        packed = pack({"w": self.weight})
        del packed[f"w:{part}"]
        with pytest.raises(KeyError, match=f"w:{part}"):
            unpack(packed)


class TestOnDisk:
    @pytest.fixture
    def pruned(self, make_model):
        model = make_model(spec=WIDE)
        prune(model, 0.8)
        return model

    def test_the_same_model_in_less_room(self, pruned, tmp_path):
        sizes = {}
        for folder, sparse in (("sparse", True), ("dense", False)):
            save_model(tmp_path / folder, pruned, sparse=sparse)
            loaded = load_model(tmp_path / folder)
            assert all(
                same_bits(tensor, pruned.state_dict()[name])
                for name, tensor in loaded.state_dict().items()
            )
            sizes[folder] = (tmp_path / folder / "model.safetensors").stat().st_size
        stored = load_file(tmp_path / "sparse" / "model.safetensors")
        assert sum(
            stored[name].numel() for name in stored if name.endswith(":values")
        ) == n_nonzero(pruned)
        assert sizes["sparse"] < 0.5 * sizes["dense"]

    def test_in_16_bits(self, pruned, tmp_path):
        save_model(tmp_path, pruned, half=True, sparse=True)
        for name, tensor in load_model(tmp_path).state_dict().items():
            assert same_bits(tensor, pruned.state_dict()[name].half().float())

    def test_a_truncated_file(self, pruned, tmp_path):
        save_model(tmp_path / "broken", pruned, sparse=True)
        file = tmp_path / "broken" / "model.safetensors"
        whole = file.read_bytes()
        for length in (0, 5, 100, len(whole) // 2, len(whole) - 1):
            file.write_bytes(whole[:length])
            with pytest.raises(FileError, match="broken"):
                load_model(tmp_path / "broken")

    @pytest.mark.parametrize(
        "change",
        [
            "another model's",
            "no weights",
            "a name too many",
            "a part is missing",
            "a row too many",
            "a negative shape",
            "no safetensors",
        ],
    )
    def test_a_foreign_file(self, make_model, pruned, tmp_path, change):
        folder = tmp_path / "broken"
        save_model(folder, pruned, sparse=True)
        file, name = folder / "model.safetensors", "output.weight"
        tensors = load_file(file)
        if change == "another model's":
            save_model(tmp_path / "other", make_model(spec=LSTMSpec(width=8)), sparse=True)
            tensors = load_file(tmp_path / "other" / "model.safetensors")
        elif change == "no weights":
            tensors = {}
        elif change == "a name too many":
            tensors["stranger"] = torch.zeros(3)
        elif change == "a part is missing":
            del tensors[f"{name}:columns"]
        elif change == "a row too many":
            tensors[f"{name}:begins"] = torch.cat(
                [tensors[f"{name}:begins"], tensors[f"{name}:begins"][-1:]]
            )
        elif change == "a negative shape":
            tensors[f"{name}:shape"] = -tensors[f"{name}:shape"]
        save_file(tensors, file)
        if change == "no safetensors":
            file.write_text("these are not the weights that you are looking for")
        with pytest.raises(FileError, match="broken"):
            load_model(folder)
