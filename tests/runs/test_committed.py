"""What travels with the repository is what it says: checkpoints give their recorded metrics,
results fit the corpus."""

from __future__ import annotations

import pytest

from seqkd_lab.compression.pruning import n_nonzero
from seqkd_lab.decoding.search import search
from seqkd_lab.files import FileError, read_json
from seqkd_lab.runs import committed
from seqkd_lab.runs.data import load_toy
from seqkd_lab.runs.presets import EARLIER, TOY
from seqkd_lab.runs.recipes import SEQ_KD, TABLE_ROWS, ToyData
from seqkd_lab.runs.results import rows_by_seed
from seqkd_lab.runs.store import Store, identity
from seqkd_lab.runs.study import committed_rows, read_study
from seqkd_lab.studies import architectures, speed
from seqkd_lab.studies.pruning import study as pruning
from seqkd_lab.studies.pruning.measures import CHECKPOINTS, pruning_checkpoint
from seqkd_lab.studies.pruning.recipes import INT8, PRUNING, Place, pruning_recipes
from seqkd_lab.studies.speculative import study as speculative
from seqkd_lab.studies.speculative.recipes import DRAFTS
from seqkd_lab.studies.speculative.results import of_seeds, with_clock
from seqkd_lab.studies.table1 import checkpoints
from seqkd_lab.studies.table1.findings import CLAIMS, judge
from seqkd_lab.studies.table1.table import TableRun, read_results

SEED = committed.committed_seed()
RUN = TableRun(ToyData(), TOY, (SEED,))


@pytest.mark.parametrize("row", TABLE_ROWS)
def test_every_row_has_a_checkpoint_of_the_recipe_that_the_library_would_train(row):
    directory = committed.checkpoint_directory(row)
    recorded = read_json(directory / "metrics.json")
    assert recorded["recipe"] == identity(RUN.recipes(SEED)[row])
    model = committed.load_committed(directory)
    assert model.n_parameters() == recorded["metrics"]["n_parameters"]


def test_checkpoints_are_small():
    files = [path for path in (committed.DATA / "checkpoints").rglob("*") if path.is_file()]
    assert sum(path.stat().st_size for path in files) < 4 * 2**20


@pytest.mark.slow
@pytest.mark.parametrize("row", ["baseline", "seq-kd"])
def test_a_checkpoint_gives_its_recorded_metrics_again(row, tmp_path):
    directory = committed.checkpoint_directory(row)
    recorded = read_json(directory / "metrics.json")["metrics"]
    found = checkpoints.measure(directory, RUN, Store(tmp_path), SEED)
    for how in ("greedy", "beam"):  # other processors round otherwise, which may turn a near tie
        assert found[how]["bleu"] == pytest.approx(recorded[how]["bleu"], abs=0.3)
        assert found[how]["validity"] == pytest.approx(recorded[how]["validity"], abs=0.01)
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
    with pytest.raises(FileError, match="sha256"):
        committed.load_committed(tmp_path)


def test_committed_results_are_of_this_corpus_and_can_be_judged():
    results = read_results(committed.results_path("table1.json"))
    assert results["settings"]["data"] == identity(ToyData())
    assert len(results["by_seed"]) >= 10
    assert tuple(results["settings"]["rows"]) == TABLE_ROWS
    assert len(judge(rows_by_seed(results))) == len(CLAIMS)


def test_the_committed_models_are_the_representative_seeds():
    results = read_results(committed.results_path("table1.json"))
    assert {
        read_json(committed.checkpoint_directory(row) / "metrics.json")["seed"]
        for row in TABLE_ROWS
    } == {SEED}
    assert SEED == committed.representative_seed(results["by_seed"])


def test_the_committed_models_show_the_headline():
    """What lesson 00 says of them: Seq-KD is better, surer, and needs the beam less."""
    baseline, seq_kd = (
        read_json(committed.checkpoint_directory(row) / "metrics.json")["metrics"]
        for row in ("baseline", "seq-kd")
    )
    for search_by in ("greedy", "beam"):
        assert seq_kd[search_by]["bleu"] > baseline[search_by]["bleu"]
        assert seq_kd[search_by]["validity"] > baseline[search_by]["validity"]
    added = {
        name: row["beam"]["bleu"] - row["greedy"]["bleu"]
        for name, row in (("baseline", baseline), ("seq-kd", seq_kd))
    }
    assert added["seq-kd"] < added["baseline"]
    assert (
        seq_kd["same_translation"] > baseline["same_translation"]
        and seq_kd["p_mode"] > 4 * baseline["p_mode"]
    )


@pytest.mark.parametrize(
    ("gains", "seed"),
    [
        ((1.0, 9.0, 4.0), 3),
        ((5.0,), 1),
        ((3.0, 1.0, 2.0, 4.0), 3),
        ((3.0, 1.0, 2.0, 8.0), 1),
        ((3.0, -4.0, 2.0, 4.0), 3),
        ((2.0, 2.0, 2.0), 2),
    ],
)
def test_the_representative_seed_has_the_median_gain(gains, seed):
    by_seed = {
        str(number): {
            "baseline": {"greedy": {"bleu": 80.0}},
            "seq-kd": {"greedy": {"bleu": 80.0 + gain}},
        }
        for number, gain in enumerate(gains, start=1)
    }
    assert committed.representative_seed(by_seed) == seed


def test_without_both_rows_no_seed_is_representative():
    with pytest.raises(ValueError, match="baseline and seq-kd"):
        committed.representative_seed({"1": {"baseline": {"greedy": {"bleu": 80.0}}}})


@pytest.mark.parametrize("name", CHECKPOINTS)
def test_table_3s_students_are_of_the_recipes_that_the_library_would_train(name):
    share, stage = CHECKPOINTS[name]
    recorded = read_json(pruning_checkpoint(name) / "metrics.json")
    recipes = pruning_recipes(ToyData(), PRUNING, pruning.FIRST_SEED)
    assert recorded["recipe"] == identity(recipes[Place(SEQ_KD, share, stage)])
    model = committed.load_committed(pruning_checkpoint(name))
    kept = model.n_parameters() - round(share * model.n_parameters())
    assert 0.99 * kept < n_nonzero(model) <= kept  # 16 bits may round a tiny weight to 0


@pytest.mark.parametrize(
    ("study", "n_seeds", "n_claims"),
    [
        (pruning.STUDY, 5, 6),
        (speed.STUDY, 1, 6),
        (speculative.STUDY, 10, 10),
        (architectures.STUDY, 3, 5),
    ],
)
def test_results_are_of_the_models_that_the_library_would_train_and_can_be_judged(
    study, n_seeds, n_claims
):
    results = read_study(committed.results_path(study.file), study)
    assert results["settings"] == study.heading()["settings"]
    assert (
        len(results["by_seed"]) == n_seeds and len(study.judge(rows_by_seed(results))) == n_claims
    )


def test_table_3_is_whole():
    wanted = set(pruning_recipes(ToyData(), PRUNING, pruning.FIRST_SEED))
    wanted |= {Place(SEQ_KD, share, INT8) for share in PRUNING.retrained}
    for rows in committed_rows(pruning.STUDY):
        assert {Place.of_row(row) for row in rows if "|" in row} == wanted


def test_a_pruned_checkpoint_translates_about_as_well_as_the_results_say():
    """The checkpoint has 16-bit weights, and other processors round otherwise."""
    first, data = committed_rows(pruning.STUDY)[0], load_toy(ToyData())
    for name, (share, stage) in CHECKPOINTS.items():
        test = data.test[:200]
        found = search(committed.load_committed(pruning_checkpoint(name)), test.source)
        valid = sum(
            data.language.is_valid(s, best[0].tokens)
            for s, best in zip(test.source, found, strict=True)
        )
        recorded = first[Place(SEQ_KD, share, stage).row]["valid"]
        assert valid / len(test) == pytest.approx(recorded, abs=0.07)


def test_table_2_holds_both_searches_of_every_model():
    speeds = speed.speeds_in(committed_rows(speed.STUDY)[0])
    models = {setting.model for setting in speeds}
    assert len(models) >= 7 and len(speeds) == len(models) * 2 * 2


def test_speculative_sampling_was_measured_with_every_draft():
    by_seed = committed_rows(speculative.STUDY)
    targets = of_seeds(with_clock(by_seed))
    assert len(targets) == 3
    for results in targets:
        assert {drafted.draft for drafted in results.tokens} == set(DRAFTS)
        assert max(time.draft_length for time in results.clock) == 12


def test_the_table_of_both_architectures_is_whole():
    by_seed = committed_rows(architectures.STUDY)
    assert set(by_seed[0]["curves"]) == set(architectures.variants(EARLIER))
    assert {len(architectures.pairings_in(rows)) for rows in by_seed} == {16}
