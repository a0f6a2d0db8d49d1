"""The folder of a model: it holds that model, whole, or says that it does not."""

from __future__ import annotations

import json
import re

import pytest
import torch
from small_corpus import ENGLISH, GERMAN

from seqkd_lab import files
from seqkd_lab.corpus.subwords import SubwordTokeniser
from seqkd_lab.files import FileError, temporary_prefix
from seqkd_lab.models import folder
from seqkd_lab.models.folder import TrainedModel, load_folder, save_folder
from seqkd_lab.models.lstm import LSTMSpec

ANOTHER = LSTMSpec(width=12)


@pytest.fixture(scope="module")
def subwords() -> SubwordTokeniser:
    return SubwordTokeniser.train([" ".join(ENGLISH), " ".join(GERMAN)], 60)


@pytest.fixture
def text(make_model, subwords) -> TrainedModel:
    return TrainedModel(make_model(1), subwords)


@pytest.fixture
def toy(make_model) -> TrainedModel:
    return TrainedModel(make_model(2, spec=ANOTHER))


def names(directory) -> set[str]:
    return {file.name for file in directory.iterdir()}


def assert_same(found: TrainedModel, expected: TrainedModel) -> None:
    assert found.subwords == expected.subwords and found.model.spec == expected.model.spec
    own, others = found.model.state_dict(), expected.model.state_dict()
    assert all(torch.equal(own[name], others[name]) for name in others)


@pytest.mark.parametrize("sparse", [False, True])
def test_what_is_loaded_is_what_was_saved(tmp_path, text, sparse):
    save_folder(tmp_path / "a" / "b", text, {"x": [1]}, sparse)
    assert names(tmp_path / "a" / "b") == {
        "model.json",
        "model.safetensors",
        "subwords.model",
        "history.json",
    }
    assert json.loads((tmp_path / "a" / "b" / "history.json").read_text(encoding="utf-8")) == {
        "x": [1]
    }
    assert_same(load_folder(tmp_path / "a" / "b"), text)
    assert (tmp_path / "a" / "b" / "subwords.model").read_bytes() == text.subwords.model


def test_nothing_of_an_earlier_model_stays_and_other_files_do(tmp_path, text, toy):
    save_folder(tmp_path, text, {})
    for name in ("recipe.json", "translations.tsv", "metrics-beam5-penalty0.json", "notes.txt"):
        (tmp_path / name).write_text("{}", encoding="utf-8")
    save_folder(tmp_path, toy, {})
    assert names(tmp_path) == {"model.json", "model.safetensors", "history.json", "notes.txt"}
    assert_same(load_folder(tmp_path), toy)


def test_the_same_model_again_keeps_what_was_measured_of_it(tmp_path, text):
    save_folder(tmp_path, text, {"x": 1})
    (tmp_path / "recipe.json").write_text("{}", encoding="utf-8")
    before = (tmp_path / "model.json").stat().st_mtime_ns
    save_folder(tmp_path, text, {"x": 2})
    assert (tmp_path / "recipe.json").exists() and (
        tmp_path / "model.json"
    ).stat().st_mtime_ns >= before
    assert json.loads((tmp_path / "history.json").read_text(encoding="utf-8")) == {"x": 2}
    save_folder(tmp_path, TrainedModel(text.model), {})
    assert "subwords.model" not in names(tmp_path)


class Full:
    """Calls a function until the n-th time, when the disk is full; counts how often it was
    called."""

    def __init__(self, real, fails_at: int, error: BaseException) -> None:
        self.real, self.fails_at, self.error, self.n = real, fails_at, error, 0

    def __call__(self, *arguments, **named):
        self.n += 1
        if self.n == self.fails_at:
            raise self.error
        return self.real(*arguments, **named)


@pytest.mark.parametrize("error", [OSError(28, "No space left on device"), KeyboardInterrupt()])
@pytest.mark.parametrize("fails_at", range(1, 5))
@pytest.mark.parametrize("what", ["write", "replace", "unlink"])
def test_an_interrupted_saving_leaves_a_whole_model_or_a_folder_that_says_so(
    tmp_path, monkeypatch, text, toy, what, fails_at, error
):
    """Whichever file the disk refuses: the earlier model, the new one, or an error, but never parts
    of both."""
    save_folder(tmp_path, text, {})
    (tmp_path / "recipe.json").write_text("{}", encoding="utf-8")
    module, name = {
        "write": (files.os, "fsync"),
        "replace": (folder.os, "replace"),
        "unlink": (type(tmp_path), "unlink"),
    }[what]
    real = getattr(module, name)
    failing = Full(real, fails_at, error)
    with monkeypatch.context() as patched:
        patched.setattr(module, name, lambda *arguments, **named: failing(*arguments, **named))
        try:
            save_folder(tmp_path, toy, {})
        except (OSError, KeyboardInterrupt):
            pass
    try:
        found = load_folder(tmp_path)
    except FileError as said:
        assert "model.json" in str(said) and "again" in str(said)
    else:
        assert_same(found, text if found.subwords else toy)
    assert not list(tmp_path.glob(".new*"))
    save_folder(tmp_path, toy, {})  # the same command again makes it good
    assert_same(load_folder(tmp_path), toy)
    assert names(tmp_path) == {"model.json", "model.safetensors", "history.json"}


def test_a_disk_that_is_full_while_writing_leaves_the_earlier_model(
    tmp_path, monkeypatch, text, toy
):
    save_folder(tmp_path, text, {"x": 1})
    (tmp_path / "recipe.json").write_text("{}", encoding="utf-8")
    before = {name: (tmp_path / name).read_bytes() for name in names(tmp_path)}

    def full(descriptor):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(files.os, "fsync", full)
    with pytest.raises(OSError, match="could not write"):
        save_folder(tmp_path, toy, {})
    assert {name: (tmp_path / name).read_bytes() for name in names(tmp_path)} == before


def test_what_a_killed_process_left_is_swept_away_and_what_another_is_writing_is_not(tmp_path, toy):
    gone = re.sub(r"-\d+-$", "-999999999-old", temporary_prefix("new"))
    writing = temporary_prefix("new") + "now"
    for name in (gone, writing):
        (tmp_path / name).mkdir()
        (tmp_path / name / "model.safetensors").write_bytes(b"part")
    save_folder(tmp_path, toy, {})
    assert names(tmp_path) >= {writing, "model.json"} and gone not in names(tmp_path)


@pytest.mark.parametrize("lost", ["model.json", "model.safetensors"])
def test_a_folder_without_one_of_its_files_is_named(tmp_path, toy, lost):
    save_folder(tmp_path, toy, {})
    (tmp_path / lost).unlink()
    with pytest.raises(FileError, match=lost):
        load_folder(tmp_path)
