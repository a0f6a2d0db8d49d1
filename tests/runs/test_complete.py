"""A model of the store is whole where its description, written last, names its weights by their
hash."""

from __future__ import annotations

import json

import pytest

from seqkd_lab.runs.complete import damage, is_complete, mark_complete


@pytest.fixture
def folder(tmp_path):
    (tmp_path / "model.safetensors").write_bytes(b"weights")
    mark_complete(tmp_path, "teacher", 7, {"type": "Recipe"})
    return tmp_path


def test_a_model_is_whole_once_it_is_marked(folder, tmp_path_factory):
    assert is_complete(folder) and damage(folder) is None
    empty = tmp_path_factory.mktemp("empty")
    assert not is_complete(empty) and damage(empty) is None, "there never was a model"


@pytest.mark.parametrize("content", [b"", b"{", b"[]", b'{"name": "teacher"}', b"\xff"])
def test_an_empty_or_half_written_description_is_not_whole(folder, content):
    (folder / "recipe.json").write_bytes(content)
    assert not is_complete(folder) and "recipe.json" in damage(folder)


@pytest.mark.parametrize("content", [b"", b"weight", b"weightS", b"weights."])
def test_other_weights_are_noticed(folder, content):
    (folder / "model.safetensors").write_bytes(content)
    assert not is_complete(folder)
    assert "sha256" in damage(folder) and "model.safetensors" in damage(folder)


def test_lost_weights_are_noticed(folder):
    (folder / "model.safetensors").unlink()
    assert not is_complete(folder) and "model.safetensors is missing" in damage(folder)


def test_a_model_of_an_earlier_version_without_a_hash_is_whole(folder):
    description = json.loads((folder / "recipe.json").read_text(encoding="utf-8"))
    del description["sha256"]
    (folder / "recipe.json").write_text(json.dumps(description), encoding="utf-8")
    assert is_complete(folder)
