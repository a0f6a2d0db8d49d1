"""The toy corpus on disk: made again byte by byte, no test sentence in train, references from the
truth."""

from __future__ import annotations

import hashlib
import itertools
import json
import random

import pytest

from seqkd_lab.corpus.toy import Ambiguity, ToyLanguage, dataset

DIRECTORY = dataset.toy_directory()
LANGUAGE = ToyLanguage()
SMALL = {"train": 60, "valid": 20, "test": 10}


@pytest.fixture(scope="module")
def corpora():
    return {split: dataset.load(DIRECTORY, split) for split in dataset.SIZES}


def test_the_files_are_there():
    assert DIRECTORY is not None
    assert "CC0 1.0" in (DIRECTORY / "LICENCE.txt").read_text(encoding="utf-8")


@pytest.fixture(scope="module")
def made():
    return dataset.make(LANGUAGE)


@pytest.mark.slow
def test_the_files_are_made_again_byte_by_byte(made, tmp_path, monkeypatch):
    monkeypatch.setattr(
        dataset, "make", lambda *_: made
    )  # made once for this module: it takes seconds
    hashes = dataset.write(tmp_path)
    for name in (
        "train.tsv",
        "valid.tsv",
        "devtest.tsv",
        "test.tsv",
        "fingerprint.json",
        "LICENCE.txt",
    ):
        assert (tmp_path / name).read_bytes() == (DIRECTORY / name).read_bytes(), name
    fingerprint = json.loads((DIRECTORY / "fingerprint.json").read_text(encoding="utf-8"))
    assert fingerprint["sha256"] == hashes
    assert hashes["test.tsv"] == hashlib.sha256((DIRECTORY / "test.tsv").read_bytes()).hexdigest()


def test_sizes_and_disjoint_sources(corpora):
    assert {split: len(corpus) for split, corpus in corpora.items()} == dataset.SIZES
    sources = {split: set(corpus.source) for split, corpus in corpora.items()}
    assert all(
        len(sources[split]) == dataset.SIZES[split] for split in ("valid", *dataset.TEST_SETS)
    )
    assert not any(
        sources[split] & sources[other] for split, other in itertools.combinations(sources, 2)
    )
    train = sources["train"]
    assert len(train) > 0.98 * dataset.SIZES["train"]


@pytest.mark.parametrize("split", dataset.TEST_SETS)
def test_targets_and_references_are_valid(corpora, split):
    test = corpora[split]
    rng = random.Random(1)
    for place in rng.sample(range(len(test)), 40):
        source = test.source[place]
        assert LANGUAGE.is_valid(source, test.target[place])
        assert len(test.references[place]) == 25
        assert test.references[place][0] == dataset.detokenise(test.target[place])
    assert corpora["train"].references is None
    assert all(corpus.licence == "CC0-1.0" for corpus in corpora.values())


def test_statistics_are_those_of_the_design(corpora):
    train = corpora["train"]
    assert 100 <= len({word for source in train.source for word in source}) <= 300
    assert 300 <= len({word for target in train.target for word in target}) <= 550
    lengths = [len(target) for target in train.target]
    assert min(lengths) >= 4 and max(lengths) <= 25
    assert 12 <= sum(lengths) / len(lengths) <= 15


def test_without_files_the_corpus_is_made_in_memory(corpora, made, monkeypatch):
    monkeypatch.setattr(dataset, "make", lambda *_: made)
    for split in ("valid", "test"):
        made = dataset.load(None, split)
        assert (made.source, made.target, made.references) == (
            corpora[split].source,
            corpora[split].target,
            corpora[split].references,
        )


def test_the_seed_decides():
    rows = [dataset.make(LANGUAGE, SMALL, seed) for seed in (1, 1, 2)]
    assert rows[0] == rows[1] != rows[2]
    plain = dataset.make(ToyLanguage(Ambiguity.none()), SMALL, 1)
    assert all(set(row[2:]) == {row[1]} for row in plain["test"])


@pytest.mark.parametrize("line", ["only one column\n", "a b\tc  d\n", "\tc\n", "\n"])
def test_a_damaged_line_is_named(tmp_path, line):
    (tmp_path / "train.tsv").write_text("a .\tb .\n" + line, encoding="utf-8")
    with pytest.raises(ValueError, match=r"train\.tsv:2: expected source, tab, target"):
        dataset.load(tmp_path, "train")


def test_an_unknown_split_is_refused():
    with pytest.raises(ValueError, match="'dev'.*train, valid, devtest, test"):
        dataset.load(None, "dev")
