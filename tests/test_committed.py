"""What travels with the repository is what it says: checkpoints give their recorded metrics, results fit the corpus."""

from __future__ import annotations

import pytest

from seqkd_lab.experiments import committed
from seqkd_lab.experiments.findings import judge
from seqkd_lab.experiments.presets import TOY
from seqkd_lab.experiments.recipes import TABLE_ROWS, ToyData
from seqkd_lab.experiments.store import Store, identity
from seqkd_lab.experiments.table import TableRun, read_results, rows_by_seed
from seqkd_lab.models.checkpoint import CheckpointError, read_json

RUN = TableRun(ToyData(), TOY, (1,))


@pytest.mark.parametrize("row", TABLE_ROWS)
def test_every_row_has_a_checkpoint_of_the_recipe_that_the_library_would_train(row):
    directory = committed.checkpoint_directory(row)
    recorded = read_json(directory / "metrics.json")
    assert recorded["recipe"] == identity(RUN.recipes(1)[row])
    model = committed.load_committed(directory)
    assert model.n_parameters() == recorded["metrics"]["n_parameters"]


def test_checkpoints_are_small():
    files = [path for path in (committed.DATA / "checkpoints").rglob("*") if path.is_file()]
    assert sum(path.stat().st_size for path in files) < 4 * 2**20


@pytest.mark.parametrize("row", ["baseline", "seq-kd"])
def test_a_checkpoint_gives_its_recorded_metrics_again(row, tmp_path):
    directory = committed.checkpoint_directory(row)
    recorded = read_json(directory / "metrics.json")["metrics"]
    found = committed.measure(directory, RUN, Store(tmp_path))
    for search in ("greedy", "beam"):  # other processors round otherwise, which may turn a near tie
        assert found[search]["bleu"] == pytest.approx(recorded[search]["bleu"], abs=0.3)
        assert found[search]["validity"] == pytest.approx(recorded[search]["validity"], abs=0.01)
    for name in ("perplexity", "p_mode", "kl_to_truth", "p_true_mode"):
        assert found[name] == pytest.approx(recorded[name], rel=0.01)
    assert found["signature"].split("|version")[0] == recorded["signature"].split("|version")[0]


def test_changed_weights_are_refused(tmp_path):
    source = committed.checkpoint_directory("seq-kd")
    for path in source.iterdir():
        (tmp_path / path.name).write_bytes(path.read_bytes())
    weights = bytearray((tmp_path / "model.safetensors").read_bytes())
    weights[-1] ^= 1
    (tmp_path / "model.safetensors").write_bytes(bytes(weights))
    with pytest.raises(CheckpointError, match="sha256"):
        committed.load_committed(tmp_path)


def test_committed_results_are_of_this_corpus_and_can_be_judged():
    results = read_results(committed.results_path("table1.json"))
    assert results["data"] == identity(ToyData())
    assert len(results["by_seed"]) >= 5 and tuple(results["rows"]) == TABLE_ROWS
    assert len(judge(rows_by_seed(results))) == 10
