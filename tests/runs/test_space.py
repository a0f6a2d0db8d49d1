"""The room that a study needs on the disk is said before it starts."""

from __future__ import annotations

from collections import namedtuple

import pytest
from small_corpus import TINY, write_text

from seqkd_lab.models.architectures import build
from seqkd_lab.runs import space
from seqkd_lab.runs.recipes import SEQ_KD, table_recipes
from seqkd_lab.runs.space import bytes_needed, check_space, n_parameters
from seqkd_lab.runs.store import Store
from seqkd_lab.runs.tasks import Train

pytestmark = pytest.mark.filterwarnings("ignore:the teacher wrote")
Usage = namedtuple("Usage", "total used free")


@pytest.fixture
def recipe(tmp_path):
    return table_recipes(write_text(tmp_path / "text"), TINY, seed=1)[SEQ_KD]


def test_a_disk_with_too_little_room_is_named_with_the_estimate(tmp_path, recipe, monkeypatch):
    store, task = Store(tmp_path / "not" / "there" / "yet"), Train(recipe)
    data = store.dataset(recipe.data)
    needed = bytes_needed(store, [task], data, 2)
    monkeypatch.setattr(space.shutil, "disk_usage", lambda path: Usage(0, 0, needed))
    check_space(store, [task], data, 2)
    monkeypatch.setattr(space.shutil, "disk_usage", lambda path: Usage(0, 0, needed - 1))
    with pytest.raises(ValueError, match=r"yet: this needs about .* MiB.*--store"):
        check_space(store, [task], data, 2)


def test_the_estimate_covers_what_is_written_and_counts_nothing_that_is_there(tmp_path, recipe):
    store, task = Store(tmp_path / "store"), Train(recipe)
    data = store.dataset(recipe.data)
    needed = bytes_needed(store, [task], data, 1)
    store.model(recipe)
    kept = [path for path in store.root.rglob("*") if path.suffix in (".safetensors", ".tsv")]
    assert len(kept) == 3 and sum(path.stat().st_size for path in kept) <= needed
    assert bytes_needed(store, [task], data, 1) == 0


def test_weights_are_counted_as_a_model_counts_its_own(tmp_path, recipe):
    data = Store(tmp_path).dataset(recipe.data)
    vocabularies = data.source_vocabulary, data.target_vocabulary
    model = build(TINY.teacher, *vocabularies)
    assert n_parameters(TINY.teacher, *map(len, vocabularies)) == model.n_parameters()
