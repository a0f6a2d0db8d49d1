"""Results of a study: read, written, resumed by seed or by row, refused."""

from __future__ import annotations

import json
import math
from dataclasses import replace

import pandas
import pytest

from seqkd_lab.files import FileError
from seqkd_lab.runs.measured import Share, by_name
from seqkd_lab.runs.results import frame, rows_by_seed
from seqkd_lab.runs.store import Store, silent
from seqkd_lab.runs.study import Study, measure_seeds, read_study
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


def tens(measured: list, fail_at: int | None = None, **settings) -> Study:
    """Measures ten times the seed, and notes in `measured` that it did."""

    def measure(seed, store, report) -> dict:
        if seed == fail_at:
            raise Stop
        measured.append(seed)
        report(1, 1)
        return {"x": 10.0 * seed}

    def tables(rows) -> dict[str, pandas.DataFrame]:
        return {"x by seed": pandas.DataFrame({"x": [row["x"] for row in rows]})}

    return Study(
        "tens",
        "how large is x?",
        "tens.json",
        settings,
        lambda seed: [],
        measure,
        tables,
        (claim(least=0.0),),
    )


def run(study: Study, seeds, path) -> dict:
    return measure_seeds(study, seeds, Store(path.parent / "store"), path, lambda seed: silent)


class TestResults:
    def test_an_interrupt_costs_no_finished_seed(self, tmp_path):
        path, measured = tmp_path / "tens.json", []
        with pytest.raises(Stop):
            run(tens(measured, fail_at=3), (1, 2, 3), path)
        assert rows_by_seed(read_study(path)) == [{"x": 10.0}, {"x": 20.0}]
        again = run(tens(measured), (1, 2, 3), path)
        assert measured == [1, 2, 3]
        assert again == read_study(path)

    def test_what_an_interrupt_left_equals_a_run_without_one(self, tmp_path):
        with pytest.raises(Stop):
            run(tens([], fail_at=2), (1, 2), tmp_path / "a.json")
        assert run(tens([]), (1, 2), tmp_path / "a.json") == run(
            tens([]), (1, 2), tmp_path / "b.json"
        )

    def test_settings_compare_as_the_file_holds_them(self, tmp_path):
        one = tens([], shares=(0.1, 0.2))
        assert run(one, (1,), tmp_path / "tens.json") == run(one, (1,), tmp_path / "tens.json")

    def test_ten_comes_after_nine(self, tmp_path):
        results = run(tens([]), (10, 9, 1), tmp_path / "tens.json")
        assert [rows["x"] for rows in rows_by_seed(results)] == [10.0, 90.0, 100.0]

    def test_other_settings_are_not_continued(self, tmp_path):
        path = tmp_path / "tens.json"
        run(tens([], steps=3), (1,), path)
        with pytest.raises(
            FileError,
            match=r"tens\.json: created with different settings .steps was 3, now it is 4.*delete",
        ):
            run(tens([], steps=4), (1, 2), path)
        assert len(rows_by_seed(read_study(path))) == 1

    @pytest.mark.parametrize(
        ("text", "what"),
        [
            ("[]", "Expected `object`"),
            ("{}", "`study`"),
            ('{"by_seed": {}}', "`study`"),
            ("3", "Expected `object`"),
            ('{"study": "x", "settings": {}, "by_seed": {}, "made_with": {}}', "by_seed: no seed"),
            (
                '{"study": "x", "settings": {}, "by_seed": {"one": {}}, "made_with": {}}',
                "by_seed: 'one' is not a seed",
            ),
            (
                '{"study": "x", "settings": {}, "by_seed": {"1": []}, "made_with": {}}',
                "by_seed: seed 1: .*Expected `object`",
            ),
            (
                '{"study": "x", "settings": {}, "by_seed": {"1": {}}, "made_with": {}, "more": 1}',
                "`more`",
            ),
        ],
    )
    def test_what_is_no_results_file_is_refused_by_file_and_key(self, tmp_path, text, what):
        path = tmp_path / "x.json"
        path.write_text(text)
        with pytest.raises(FileError, match=rf"x\.json: .*{what}.*; delete the file"):
            read_study(path)

    def test_rows_are_checked_seed_by_seed(self, tmp_path):
        path, study = tmp_path / "tens.json", replace(tens([]), rows=by_name("Tens", {"x": Share}))
        run(tens([]), (1,), path)
        with pytest.raises(FileError, match=r"tens\.json: seed 1: .*float. <= 1.* at `\$\.x`"):
            read_study(path, study)
        with pytest.raises(FileError, match=r"tens\.json: seed 1: "):
            run(study, (1, 2), path)

    def test_all_seeds_have_the_same_rows(self, tmp_path):
        path, study = tmp_path / "tens.json", tens([])
        results = run(study, (1, 2), tmp_path / "tens.json")
        results["by_seed"]["2"]["y"] = 3.0
        path.write_text(json.dumps(results))
        with pytest.raises(FileError, match=r"tens\.json: seed 1 has no row 'y', as other seeds"):
            read_study(path, study)

    def test_every_claim_is_judged(self):
        assert [one.outcome for one in tens([]).judge([{"x": 1.0}, {"x": 3.0}])] == [UNDECIDED]
        assert [one.outcome for one in tens([]).judge([{"x": 1.0}, {"x": 1.0}])] == [HELD]

    def test_results_are_plain_json(self, tmp_path):
        run(tens([], steps=3), (1,), tmp_path / "tens.json")
        assert json.loads((tmp_path / "tens.json").read_text())["settings"] == {"steps": 3}


def by_row(measured: list, fail_at: str | None = None) -> Study:
    """Measures two rows of each seed, one after the other."""

    def measure(seed, store, report, finished):
        for name in ("a", "b"):
            if name in finished:
                continue
            if (seed, name) == fail_at:
                raise Stop
            measured.append((seed, name))
            yield name, {"x": seed, "shares": {"half": 0.5}}

    return replace(tens([]), measure=measure, by_row=True)


class TestByRow:
    def test_an_interrupt_costs_no_finished_row(self, tmp_path):
        path, measured = tmp_path / "tens.json", []
        with pytest.raises(Stop):
            run(by_row(measured, fail_at=(2, "b")), (1, 2), path)
        assert list(read_study(path)["by_seed"]) == ["1"]
        results = run(by_row(measured), (1, 2), path)
        assert measured == [(1, "a"), (1, "b"), (2, "a"), (2, "b")]
        assert set(results) == {"study", "settings", "made_with", "by_seed"}

    def test_a_first_seed_that_is_not_whole_is_no_result_yet(self, tmp_path):
        path = tmp_path / "tens.json"
        with pytest.raises(Stop):
            run(by_row([], fail_at=(1, "b")), (1,), path)
        with pytest.raises(FileError, match="by_seed: no seed is finished"):
            read_study(path)
        assert run(by_row([]), (1,), path)["by_seed"]["1"].keys() == {"a", "b"}

    def test_the_tidy_frame(self, tmp_path):
        lines = frame(run(by_row([]), (10, 9), tmp_path / "tens.json"))
        assert list(lines.itertuples(index=False, name=None)) == [
            ("tens", seed, arm, measure, value)
            for seed in (9, 10)
            for arm in ("a", "b")
            for measure, value in (("x", seed), ("shares.half", 0.5))
        ]
