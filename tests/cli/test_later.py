"""What the experiments on later systems share: results that resume seed by seed, the command."""

from __future__ import annotations

import json
import math
from dataclasses import replace

import pandas
import pytest

from seqkd_lab import cli
from seqkd_lab.cli.commands import later
from seqkd_lab.models.checkpoint import CheckpointError
from seqkd_lab.runs.committed import results_path
from seqkd_lab.runs.progress import effort
from seqkd_lab.runs.schedule import with_needs
from seqkd_lab.runs.store import Store, silent
from seqkd_lab.runs.study import Experiment, by_seed, measure_seeds, read_later
from seqkd_lab.runs.verdicts import HELD, UNDECIDED, Claim


def claim(least: float = -math.inf, most: float = math.inf) -> Claim:
    return Claim(
        "X1",
        "x is large here",
        lambda rows: rows["x"],
        least,
        most,
        original="it is large (somebody)",
    )


class Stop(Exception):
    pass


def experiment(measured: list, fail_at: int | None = None, **settings) -> Experiment:
    """Measures ten times the seed, and notes in `measured` that it did."""

    def measure(seed, store, report) -> dict:
        if seed == fail_at:
            raise Stop
        measured.append(seed)
        report(1, 1)
        return {"x": 10.0 * seed}

    def tables(rows) -> dict[str, pandas.DataFrame]:
        return {"x by seed": pandas.DataFrame({"x": [row["x"] for row in rows]})}

    return Experiment(
        "tens",
        "how large is x?",
        "tens.json",
        settings,
        lambda seed: [],
        measure,
        tables,
        (claim(least=0.0),),
    )


def run(one: Experiment, seeds, path) -> dict:
    return measure_seeds(one, seeds, Store(path.parent / "store"), path, lambda seed: silent)


class TestResults:
    def test_an_interrupt_costs_no_finished_seed(self, tmp_path):
        path, measured = tmp_path / "tens.json", []
        with pytest.raises(Stop):
            run(experiment(measured, fail_at=3), (1, 2, 3), path)
        assert by_seed(read_later(path)) == [{"x": 10.0}, {"x": 20.0}]
        again = run(experiment(measured), (1, 2, 3), path)
        assert measured == [1, 2, 3]
        assert again == read_later(path)

    def test_what_an_interrupt_left_equals_a_run_without_one(self, tmp_path):
        with pytest.raises(Stop):
            run(experiment([], fail_at=2), (1, 2), tmp_path / "a.json")
        assert run(experiment([]), (1, 2), tmp_path / "a.json") == run(
            experiment([]), (1, 2), tmp_path / "b.json"
        )

    def test_settings_compare_as_the_file_holds_them(self, tmp_path):
        one = experiment([], shares=(0.1, 0.2))
        assert run(one, (1,), tmp_path / "tens.json") == run(one, (1,), tmp_path / "tens.json")

    def test_ten_comes_after_nine(self, tmp_path):
        results = run(experiment([]), (10, 9, 1), tmp_path / "tens.json")
        assert [rows["x"] for rows in by_seed(results)] == [10.0, 90.0, 100.0]

    def test_other_settings_are_not_continued(self, tmp_path):
        path = tmp_path / "tens.json"
        run(experiment([], steps=3), (1,), path)
        with pytest.raises(
            CheckpointError,
            match=r"tens\.json: created with different settings .steps was 3, now it is 4.*Delete",
        ):
            run(experiment([], steps=4), (1, 2), path)
        assert len(by_seed(read_later(path))) == 1

    @pytest.mark.parametrize(
        "text",
        [
            "[]",
            "{}",
            '{"by_seed": {}}',
            "3",
            '{"study": "x", "settings": {}, "by_seed": {}, "made_with": {}}',
            '{"study": "x", "settings": {}, "by_seed": {"one": {}}, "made_with": {}}',
        ],
    )
    def test_what_is_no_results_file_is_refused_by_name(self, tmp_path, text):
        path = tmp_path / "x.json"
        path.write_text(text)
        with pytest.raises(CheckpointError, match=r"x\.json: not the results of a study"):
            read_later(path)

    def test_every_claim_is_judged(self):
        assert [one.outcome for one in experiment([]).judge([{"x": 1.0}, {"x": 3.0}])] == [
            UNDECIDED
        ]
        assert [one.outcome for one in experiment([]).judge([{"x": 1.0}, {"x": 1.0}])] == [HELD]

    def test_results_are_plain_json(self, tmp_path):
        run(experiment([], steps=3), (1,), tmp_path / "tens.json")
        assert json.loads((tmp_path / "tens.json").read_text())["settings"] == {"steps": 3}


class TestCommand:
    def test_an_unknown_name_is_refused_with_those_there_are(self, capsys):
        assert cli.main(["later", "nothing", "--check"]) == 2
        said = capsys.readouterr().err
        assert "no experiment 'nothing'" in said and all(name in said for name in later.EXPERIMENTS)

    def test_what_is_not_there_cannot_be_judged(self, capsys, tmp_path):
        assert cli.main(["later", "tip", "--check", "--results", str(tmp_path)]) == 2
        assert (
            f"{tmp_path / 'tip.json'}: no results to judge; make them with `seqkd-lab later token-importance`"
            in (capsys.readouterr().err)
        )

    @pytest.mark.parametrize(
        ("least", "code", "verdict"),
        [(-100.0, 0, "HELD"), (0.0, 1, "UNDECIDED"), (100.0, 1, "NOT HELD")],
    )
    def test_it_makes_prints_and_judges(self, capsys, tmp_path, monkeypatch, least, code, verdict):
        """Without models to train: two seeds are measured, kept, and judged from the file alone."""
        measured: list[int] = []
        one = replace(experiment(measured), claims=(claim(least=least),))
        monkeypatch.setattr(later, "EXPERIMENTS", {"tens": one})
        arguments = [
            "--store",
            str(tmp_path / "store"),
            "later",
            "--results",
            str(tmp_path),
            "--seeds",
            "2",
        ]
        assert cli.main(arguments) == 0  # measured; what came out is no error
        assert cli.main([*arguments, "--check"]) == code
        assert measured == [1, 2]
        said = capsys.readouterr().out
        assert said.count("x by seed") == 2 and f"X1  {verdict}" in said and "2 seeds" in said


@pytest.mark.parametrize("one", later.EXPERIMENTS.values(), ids=lambda one: one.name)
class TestCommitted:
    def test_its_tasks_have_names_and_a_size_for_the_bar(self, one):
        tasks = with_needs(one.tasks(1))
        assert all(
            task.label and effort(task, n_train=24_000, n_test=1_000) > 0.0 for task in tasks
        )
        assert len({task for task in tasks if "seed 1" in task.label}) == len(tasks) > 1

    def test_the_results_are_of_the_library_as_it_is_with_five_seeds_or_rounds(self, one):
        results = read_later(results_path(one.file))
        assert results["study"] == one.name and results["settings"] == json.loads(
            json.dumps(dict(one.settings))
        )
        assert sorted(results["by_seed"]) == ["1", "2", "3", "4", "5"]

    def test_they_can_be_judged_and_shown_and_no_claim_is_left_out(self, one):
        rows = by_seed(read_later(results_path(one.file)))
        judged_ = one.judge(rows)
        assert len(judged_) == len({claim.name for claim in one.claims}) >= 4
        assert all(math.isfinite(value) for found in judged_ for value in found.values)
        assert all(claim.original and claim.ours for claim in one.claims)
        assert all(len(frame) for frame in one.tables(rows).values())
