"""`seqkd-lab study`: which studies there are, seeds, results that resume, exit codes, and one tiny
real run."""

from __future__ import annotations

import json
import subprocess
import sys
from dataclasses import replace
from types import SimpleNamespace

import pandas
import pytest
from small_corpus import TINY, TWO_EPOCHS

from seqkd_lab import cli
from seqkd_lab import studies as all_studies
from seqkd_lab.cli import studies
from seqkd_lab.cli.resolve import seeds_of
from seqkd_lab.files import read_json
from seqkd_lab.runs import power
from seqkd_lab.runs import store as store_module
from seqkd_lab.runs.data import load_toy
from seqkd_lab.runs.recipes import BASELINE, ToyData, table_recipes
from seqkd_lab.runs.store import Store, silent
from seqkd_lab.runs.study import Study
from seqkd_lab.runs.tasks import with_needs
from seqkd_lab.runs.verdicts import Claim
from seqkd_lab.studies.budget.students import FACTORS, METHODS, BudgetStudents
from seqkd_lab.studies.budget.study import study_of


def run(capsys, *arguments) -> tuple[int, str, str]:
    """Exit code, stdout and stderr of a command line."""
    code = cli.main([str(argument) for argument in arguments])
    captured = capsys.readouterr()
    return code, captured.out, captured.err


def tens(
    measured: list[int], interrupt_at: int | None = None, least: float = 0.0, **settings
) -> Study:
    """A study that measures ten times the seed, and notes in `measured` that it did; seeds 21 and
    22 by default."""

    def measure(seed, store, report) -> dict:
        if seed == interrupt_at:
            raise KeyboardInterrupt
        measured.append(seed)
        report(1, 1)
        return {"x": 10.0 * seed}

    claim = Claim(
        name="T1", ours="x is large", value=lambda rows: rows["x"], least=least, original="an aim"
    )
    return Study(
        "tens",
        "how large is x?",
        "tens.json",
        settings,
        lambda seed: [],
        measure,
        lambda rows: {"x by seed": pandas.DataFrame({"x": [row["x"] for row in rows]})},
        (claim,),
        first_seed=21,
        n_seeds=2,
        in_words=lambda rows: f"The first x is {rows[0]['x']:g}.",
    )


@pytest.fixture
def study(capsys, tmp_path, monkeypatch):
    """Runs `study tens` with this experiment in a folder of its own: exit code, stdout, stderr. It
    has no models."""
    monkeypatch.setattr(studies, "make_models", lambda tasks, data, given, results: None)

    def call(one: Study, *arguments) -> tuple[int, str, str]:
        monkeypatch.setattr(all_studies, "study", lambda name: {"tens": one}[name])
        return run(
            capsys,
            "--store",
            tmp_path / "store",
            "study",
            "tens",
            "--results",
            tmp_path,
            *arguments,
        )

    return call


def kept(tmp_path) -> list[str]:
    """The seeds of the results file."""
    return list(read_json(tmp_path / "tens.json")["by_seed"])


class TestList:
    @pytest.mark.parametrize("words", [["study"], ["study", "list"]])
    def test_it_says_what_each_study_asks(self, capsys, tmp_path, words):
        code, out, err = run(capsys, *words, "--results", tmp_path)
        assert (code, err) == (0, "")
        for name in ("budget", "memory", "live", "paced", "token-importance"):
            line = next(line for line in out.splitlines() if line.startswith(name))
            assert all_studies.study(name).question in line and "no results yet" in line

    def test_and_whether_results_are_there(self, capsys, tmp_path):
        (tmp_path / "budget.json").write_text("{}")
        lines = run(capsys, "study", "--results", tmp_path)[1].splitlines()
        assert [line.split(" ")[0] for line in lines if "has results" in line] == ["budget"]


class TestNamesAndSeeds:
    def test_an_unknown_name_is_refused_with_those_there_are(self, capsys):
        code, _, err = run(capsys, "study", "budget", "nothing", "--check")
        assert code == 2 and "no study 'nothing': choose from architectures, budget, live" in err

    def test_an_alias_is_accepted(self, capsys, tmp_path):
        path = f"{tmp_path / 'tip.json'}"
        for words in (["study", "check", "tip"], ["later", "token-importance", "--check"]):
            code, _, err = run(capsys, *words, "--results", tmp_path)
            assert code == 2 and f"{path}: no results to judge" in err

    def test_what_is_not_there_cannot_be_judged(self, capsys, tmp_path):
        code, _, err = run(capsys, "study", "budget", "--check", "--results", tmp_path)
        assert code == 2
        assert (
            f"{tmp_path / 'budget.json'}: no results to judge; make them with `seqkd-lab study "
            "run budget`" in err
        )

    @pytest.mark.parametrize(
        ("arguments", "seeds"),
        [
            ((), ["21", "22"]),
            (("--seeds", 1), ["21"]),
            (("--first-seed", 5), ["5", "6"]),
            (("--first-seed", 0, "--seeds", 3), ["0", "1", "2"]),
        ],
    )
    def test_the_studys_own_seeds_unless_others_are_asked_for(
        self, study, tmp_path, arguments, seeds
    ):
        assert study(tens([]), *arguments)[0] == 0
        assert kept(tmp_path) == seeds

    @pytest.mark.parametrize(
        ("seeds", "first_seed", "expected"),
        [(None, None, (21, 22, 23)), (2, None, (21, 22)), (None, 4, (4, 5, 6)), (1, 0, (0,))],
    )
    def test_seeds_of(self, seeds, first_seed, expected):
        assert seeds_of(SimpleNamespace(seeds=seeds, first_seed=first_seed), 21, 3) == expected

    @pytest.mark.parametrize(
        ("arguments", "expected"),
        [
            (["map"], tuple(range(1, 6))),
            (["table3"], tuple(range(1, 6))),
            (["table3", "--seeds", "2"], (1, 2)),
            (["later", "--first-seed", "3", "--seeds", "2"], (3, 4)),
        ],
    )
    def test_other_commands_count_from_1(self, arguments, expected):
        assert seeds_of(cli.parser().parse_args(arguments)) == expected


class TestRuns:
    @pytest.mark.parametrize(
        ("least", "code", "word"),
        [(-9e9, 0, "HELD"), (214.0, 1, "UNDECIDED"), (9e9, 1, "NOT HELD")],
    )
    def test_it_makes_prints_and_judges(self, study, least, code, word):
        measured: list[int] = []
        made, out, _ = study(tens(measured, least=least))
        assert made == 0  # measured; what came out is no error
        judged, again, err = study(tens(measured, least=least), "--check")
        assert (judged, err, measured) == (code, "", [21, 22])
        assert again == out  # the same tables, sentences and verdicts, from the file alone
        assert "x by seed" in again and "The first x is 210." in again and f"T1  {word}" in again

    def test_an_interrupt_keeps_finished_seeds_and_the_same_command_continues(
        self, study, tmp_path
    ):
        measured: list[int] = []
        code, _, err = study(tens(measured, interrupt_at=23), "--seeds", 3)
        assert code == 130 and "the same command continues" in err
        assert kept(tmp_path) == ["21", "22"]
        assert study(tens(measured), "--seeds", 3)[0] == 0
        assert (measured, kept(tmp_path)) == ([21, 22, 23], ["21", "22", "23"])

    def test_further_seeds_are_added(self, study, tmp_path):
        measured: list[int] = []
        study(tens(measured), "--seeds", 1)
        study(tens(measured), "--first-seed", 30)
        assert (measured, kept(tmp_path)) == ([21, 30, 31], ["21", "30", "31"])

    def test_a_pilot_has_the_seeds_for_choosing_and_a_file_of_its_own(self, study, tmp_path):
        measured: list[int] = []
        assert study(tens(measured), "--pilot")[0] == 0
        assert measured == [11, 12, 13]
        assert list(read_json(tmp_path / "pilots" / "tens.json")["by_seed"]) == ["11", "12", "13"]
        assert not (tmp_path / "tens.json").exists()

    def test_a_design_says_what_the_seeds_see_by_the_pilot(
        self, study, tmp_path, monkeypatch, capsys
    ):
        monkeypatch.setattr(power, "results_path", lambda name: tmp_path / name)
        monkeypatch.setattr(all_studies, "study", lambda name: tens([]))
        code, _, err = run(capsys, "study", "design", "tens")
        assert code == 2 and "no pilot; make it with `seqkd-lab study run tens --pilot`" in err
        study(tens([]), "--pilot")
        monkeypatch.setattr(all_studies, "study", lambda name: tens([]))
        code, out, _ = run(capsys, "study", "design", "tens")
        assert code == 0 and "standard deviation of the pilot 10; 2 seeds see" in out
        assert "(planned " in study(tens([]))[1]

    def test_other_settings_are_refused_and_the_file_stays(self, study, tmp_path):
        study(tens([], steps=3))
        before = (tmp_path / "tens.json").read_bytes()
        code, _, err = study(tens([], steps=4))
        assert (
            code == 2
            and "tens.json: created with different settings (steps was 3, now it is 4)" in err
        )
        assert (tmp_path / "tens.json").read_bytes() == before

    def test_a_file_that_holds_something_else_is_refused_by_name(self, study, tmp_path):
        (tmp_path / "tens.json").write_text("[]")
        code, _, err = study(tens([]), "--check")
        assert code == 2 and "tens.json: not as expected (Expected `object`" in err


PRESET = replace(TINY, student_training=replace(TWO_EPOCHS, epochs=4))
DATA = ToyData(n_train=60)


@pytest.fixture
def small(monkeypatch, tmp_path):
    """A toy corpus of 60 pairs judged on 12 sentences, in this process; returns the store's
    folder."""
    loaded = load_toy(DATA)
    loaded = replace(loaded, valid=loaded.valid[:12], test=loaded.test[:12])
    monkeypatch.setattr(store_module, "_dataset", lambda data, cache: loaded)

    def make_models(tasks, data, given, results) -> None:
        for task in with_needs(tasks):
            task.run(Store(given.store), silent)

    monkeypatch.setattr(studies, "make_models", make_models)
    return tmp_path / "store"


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore:the teacher wrote")
def test_a_tiny_budget_study_by_the_command(capsys, tmp_path, monkeypatch, small):
    """Fifteen students of one seed: numbers of updates, the table's own models, and the same
    results again."""
    tiny = study_of(BudgetStudents(DATA, PRESET))
    monkeypatch.setattr(all_studies, "study", lambda name: tiny)
    arguments = ("--store", small, "study", "budget", "--results", tmp_path, "--seeds", 1)
    code, out, _ = run(capsys, *arguments)
    assert code == 0 and "One seed has no interval" in out and out.count("UNDECIDED") == 7
    rows = read_json(tmp_path / "budget.json")["by_seed"]["21"]
    assert list(rows) == list(METHODS)
    epochs = [rows[BASELINE][f"{factor:g}"]["epochs"] for factor in FACTORS]
    assert epochs == [1, 2, 4, 8]
    assert [rows[BASELINE][f"{factor:g}"]["updates"] for factor in FACTORS] == [
        3 * n for n in epochs
    ]  # 60 pairs by 25
    row = table_recipes(DATA, PRESET, 21)[BASELINE]
    own = Store(small).evaluation(row, PRESET.beam_size, PRESET.length_penalty)
    assert rows[BASELINE]["1"]["greedy_bleu"] == own["greedy"]["bleu"] and own["name"] == BASELINE
    assert rows[BASELINE]["1"]["beam_validity"] == own["beam"]["validity"]
    before = json.dumps(rows)
    (tmp_path / "budget.json").unlink()
    assert run(capsys, *arguments)[:2] == (0, out)  # from the store
    assert json.dumps(read_json(tmp_path / "budget.json")["by_seed"]["21"]) == before


@pytest.mark.slow
def test_check_draws_no_picture_and_imports_nothing_that_does(tmp_path):
    script = (
        "import sys; from seqkd_lab import cli; code = cli.main(['study', 'budget', '--check', "
        f"'--results', {str(tmp_path)!r}]); sys.exit(0 if code == 2 and 'matplotlib' not in "
        "sys.modules else 1)"
    )
    assert subprocess.run([sys.executable, "-c", script], capture_output=True).returncode == 0
