"""What every study promises, whatever it asks: it is found, its committed results are its own and
can be read, judged and shown, and its runs resume."""

from __future__ import annotations

import json
import math
from dataclasses import replace

import pytest

from seqkd_lab import cli
from seqkd_lab.files import FileError, read_json
from seqkd_lab.runs.committed import results_path
from seqkd_lab.runs.progress import effort
from seqkd_lab.runs.results import COLUMNS, frame, rows_by_seed
from seqkd_lab.runs.store import Store, silent
from seqkd_lab.runs.study import ANY_ROWS, measure_seeds, read_study
from seqkd_lab.runs.tasks import with_needs
from seqkd_lab.runs.verdicts import all_held
from seqkd_lab.studies import find_studies, study

STUDIES = [study(name) for name in find_studies()]
every_study = pytest.mark.parametrize("study", STUDIES, ids=lambda study: study.name)


@pytest.fixture
def results(study):
    return read_study(results_path(study.file), study)


def run(capsys, *arguments) -> tuple[int, str, str]:
    """Exit code, stdout and stderr of a command line."""
    code = cli.main([str(argument) for argument in arguments])
    captured = capsys.readouterr()
    return code, captured.out, captured.err


@every_study
class TestStudy:
    def test_it_is_found_by_its_modules_name_and_asks_a_question_of_one_line(self, study):
        assert study.name in find_studies()
        assert study.question.endswith("?") and len(study.question) < 100

    def test_its_settings_are_plain_json(self, study):
        heading = study.heading()
        assert json.loads(json.dumps(heading)) == heading and heading["study"] == study.name

    def test_its_tasks_have_names_and_a_size_for_the_bar(self, study):
        tasks = with_needs(study.tasks(study.first_seed))
        assert len(set(tasks)) == len(tasks)
        assert all(task.label and effort(task, n_train=24_000, n_test=1_000) > 0 for task in tasks)

    def test_it_declares_what_a_results_file_holds_of_a_seed(self, study):
        assert study.rows is not ANY_ROWS

    def test_its_claims_name_their_source(self, study):
        assert all(claim.ours and claim.original for claim in study.claims)


@every_study
class TestCommitted:
    def test_they_were_made_with_todays_settings_and_as_many_seeds(self, study, results):
        assert results["settings"] == study.heading()["settings"]
        seeds = range(study.first_seed, study.first_seed + study.n_seeds)
        assert set(results["by_seed"]) >= set(map(str, seeds))
        assert set(results["made_with"]) == set(study.heading()["made_with"])

    def test_every_claim_is_judged(self, study, results):
        verdicts = study.judge(rows_by_seed(results))
        assert {verdict.claim for verdict in verdicts} >= set(study.claims)
        assert all(math.isfinite(value) for verdict in verdicts for value in verdict.values)

    def test_the_tables_draw(self, study, results):
        tables = study.tables(rows_by_seed(results))
        assert tables and all(len(table) and table.to_string() for table in tables.values())

    def test_the_tidy_frame_has_a_line_for_each_value(self, study, results):
        lines = frame(results)
        assert tuple(lines.columns) == COLUMNS and set(lines["study"]) == {study.name}
        assert set(lines["seed"]) == set(map(int, results["by_seed"]))
        assert not lines.duplicated(["seed", "arm", "measure"]).any()


@every_study
class TestCommand:
    def test_check_prints_and_exits_with_what_the_committed_results_say(
        self, study, results, capsys
    ):
        code, out, err = run(capsys, "study", "check", study.name)
        assert (code, err) == (0 if all_held(study.judge(rows_by_seed(results))) else 1, "")
        assert f"{len(results['by_seed'])} {study.repeated.rstrip('s')}" in out
        assert all(claim.ours in out for claim in study.claims)

    def test_it_is_listed(self, study, capsys, tmp_path):
        code, out, _ = run(capsys, "study", "list", "--results", tmp_path)
        line = next(line for line in out.splitlines() if line.startswith(f"{study.name} "))
        assert code == 0 and study.question in line and "no results yet" in line

    def test_what_is_not_there_cannot_be_judged(self, study, capsys, tmp_path):
        code, _, err = run(capsys, "study", "check", study.name, "--results", tmp_path)
        assert code == 2 and f"make them with `seqkd-lab study run {study.name}`" in err


class Stop(Exception):
    """Stands for an interrupt."""


def measured(study, rows, calls, stop_before=None):
    """The study with `rows` as the measurements of every seed; `calls` notes what is measured, and
    at `stop_before`, a seed or a row's name, it is interrupted."""

    def note(what) -> None:
        if what == stop_before:
            raise Stop
        calls.append(what)

    def measure(seed, store, report, *finished, n_workers=1):
        note(seed)
        return rows

    def measure_rows(seed, store, report, finished, n_workers=1):
        for name in rows.keys() - finished:
            note(name)
            yield name, rows[name]

    return replace(study, measure=measure_rows if study.by_row else measure)


@every_study
class TestRuns:
    def test_an_interrupt_costs_no_finished_seed_or_row(self, study, results, tmp_path):
        rows = results["by_seed"][str(study.first_seed)]
        names = list(rows.keys() - {})
        calls: list = []
        store, path = Store(tmp_path / "store"), tmp_path / study.file
        stop_before = names[-1] if study.by_row else 2
        with pytest.raises(Stop):
            measure_seeds(
                measured(study, rows, calls, stop_before), (1, 2), store, path, lambda seed: silent
            )
        if study.by_row and len(names) == 1:
            assert not path.exists()
        else:
            kept = read_json(path)
            assert kept["by_seed"] == ({} if study.by_row else {"1": rows})
        whole = measure_seeds(
            measured(study, rows, calls), (1, 2), store, path, lambda seed: silent
        )
        assert whole["by_seed"] == {"1": rows, "2": rows} and set(whole) == set(results)
        assert sorted(calls) == sorted([*names, *names] if study.by_row else [1, 2])

    def test_other_settings_are_refused_and_the_file_stays(self, study, results, tmp_path):
        path = tmp_path / study.file
        path.write_text(json.dumps({**results, "made_with": study.heading()["made_with"]}))
        before = path.read_bytes()
        settings = {**study.heading()["settings"], "epochs of the moon": 3}
        with pytest.raises(FileError, match=r"different settings \(epochs of the moon was"):
            measure_seeds(
                replace(study, settings=settings), (999,), Store(tmp_path), path, lambda _: silent
            )
        assert path.read_bytes() == before

    def test_results_of_another_study_are_refused_by_name(self, study, results, tmp_path):
        path = tmp_path / study.file
        path.write_text(json.dumps({**results, "study": "moon"}))
        with pytest.raises(FileError, match=rf"{study.file}: the results of 'moon', not of"):
            read_study(path, study)
