"""Where data lie and results go, in a checkout and beside an installed wheel, and what a person is
told to do."""

from __future__ import annotations

from pathlib import Path

import pytest
from packaging.requirements import Requirement

from seqkd_lab import cli, doctor, installation
from seqkd_lab.cli import paths
from seqkd_lab.files import FileError
from seqkd_lab.runs import committed

ROOT = Path(__file__).resolve().parent.parent


@pytest.fixture
def package(tmp_path) -> Path:
    """The folder of a package that lies in site-packages."""
    folder = tmp_path / "site-packages" / "seqkd_lab"
    folder.mkdir(parents=True)
    return folder


@pytest.fixture
def wheel(monkeypatch, tmp_path) -> Path:
    """As if this package were an installed wheel without its data; the current folder is a fresh
    one."""
    folder = tmp_path / "here"
    folder.mkdir()
    monkeypatch.chdir(folder)
    monkeypatch.setattr(installation, "checkout", lambda package=None: None)
    monkeypatch.setattr(committed, "DATA", tmp_path / "nothing")
    return folder


def run(capsys, *arguments) -> tuple[int, str, str]:
    try:
        code = cli.main([str(argument) for argument in arguments])
    except SystemExit as error:  # argparse
        code = error.code
    captured = capsys.readouterr()
    return code, " ".join(captured.out.split()), captured.err


class TestFolders:
    def test_a_checkout_has_its_own_data(self):
        assert installation.checkout() == ROOT
        assert installation.data_directory() == ROOT / "data" == committed.DATA
        assert installation.results_directory() == ROOT / "data" / "results"

    def test_a_wheel_has_them_within(self, package):
        assert installation.checkout(package) is None
        assert installation.data_directory(package) == package / "_data"

    def test_results_of_a_wheel_go_to_the_current_folder(self, package):
        assert not installation.results_directory(package).is_absolute()

    @pytest.mark.parametrize("project", ['[project]\nname = "theirs"\n', "", "ü"])
    def test_another_project_beside_it_is_no_checkout(self, package, project):
        (package.parent / "pyproject.toml").write_text(project, encoding="latin-1")
        (package.parent / "data").mkdir()
        assert installation.data_directory(package) == package / "_data"


class TestAdvice:
    def test_git_only_where_there_is_a_repository(self, package):
        advice = installation.restore("data/toy", package)
        assert "pip install" in advice and "git" not in advice
        (package.parent / "pyproject.toml").write_text('name = "seqkd-lab"\n', encoding="utf-8")
        assert "source archive" in installation.restore("data/toy", package)
        (package.parent / ".git").write_text(
            "gitdir: elsewhere\n", encoding="utf-8"
        )  # as in a worktree
        assert installation.restore("data/toy", package) == "git checkout data/toy"

    def test_the_doctors_fits_a_wheel(self, wheel, tmp_path):
        findings = [
            doctor.examine_toy(tmp_path),
            doctor.examine_python((3, 8, 0)),
            *doctor.examine_dependencies("no"),
            doctor.examine_dependency(Requirement("torch<2,>=1")),
            doctor.examine_dependency(Requirement("nowhere-to-be-found>=1")),
        ]
        for finding in findings:
            assert finding.advice and not {"make", "git", "--editable", "repository"} & set(
                finding.advice.split()
            )

    @pytest.mark.parametrize(("variable", "name"), installation.HOSTS.items())
    def test_the_doctors_fits_a_host_of_notebooks(self, wheel, monkeypatch, variable, name):
        """Commands are typed into cells there, and torch and Jupyter are the host's choice."""
        assert installation.host({}) is None and installation.pip("install x") == (
            "python -m pip install x"
        )
        monkeypatch.setenv(variable, "1")
        assert installation.host() == name
        for requirement in ("torch<2,>=1", "nowhere-to-be-found>=1"):
            assert "%pip install" in doctor.examine_dependency(Requirement(requirement)).advice
        (finding,) = doctor.examine_notebooks()
        assert finding.status == doctor.OK and name in finding.detail
        monkeypatch.setattr("torch.version.cuda", "12.8")
        monkeypatch.setattr("torch.cuda.is_available", lambda: False)
        build = doctor.examine_torch_build()
        assert build.status == doctor.OK and build.advice == "" and name in build.detail

    @pytest.mark.parametrize(
        "ask",
        [
            committed.committed_seed,
            lambda: committed.existing_checkpoint("teacher"),
            lambda: committed.load_committed(
                committed.DATA / "checkpoints" / "pruning" / "student"
            ),
        ],
    )
    def test_a_missing_model_says_what_to_do(self, wheel, ask):
        with pytest.raises(FileError, match="no committed model.*install the package again"):
            ask()


class TestResults:
    @pytest.mark.parametrize(
        "command", ["table", "table2", "table3", "cross", "speculative", "map", "study", "later"]
    )
    def test_help_says_where_they_go(self, capsys, monkeypatch, wheel, command):
        code, wheel_help, _ = run(capsys, command, "--help")
        assert code == 0 and "runs/results" in wheel_help and "in the current folder" in wheel_help
        monkeypatch.undo()
        checkout_help = run(capsys, command, "--help")[1]
        assert "default: data/results" in checkout_help and "current folder" not in checkout_help

    def test_those_made_here_are_judged_before_those_that_came_with_it(self, capsys, wheel):
        path = wheel / "runs" / "results" / "table1.json"
        assert paths.results_to_judge(None, "table1.json") == committed.results_path("table1.json")
        path.parent.mkdir(parents=True)
        path.write_text("{}", encoding="utf-8")
        assert paths.results_to_judge(None, "table1.json").resolve() == path
        assert "Judging runs" in capsys.readouterr().err
        assert paths.results_to_judge(Path("mine.json"), "table1.json") == Path("mine.json")

    def test_nothing_is_made_before_the_work(self, wheel):
        assert (
            paths.results_to_write(None, "table1.json").resolve()
            == wheel / "runs" / "results" / "table1.json"
        )
        assert list(wheel.iterdir()) == []

    @pytest.mark.parametrize(
        "arguments",
        [
            ("table",),
            ("table2",),
            ("table3",),
            ("cross",),
            ("speculative",),
            ("map",),
            ("study", "live"),
            ("later", "tip"),
        ],
    )
    def test_a_place_that_cannot_be_written_is_refused_before_the_work(
        self, capsys, wheel, arguments
    ):
        (wheel / "file").write_text("", encoding="utf-8")
        code, _, err = run(
            capsys, "--store", wheel / "store", *arguments, "--results", wheel / "file" / "r.json"
        )
        assert (
            code == 2
            and len(err.splitlines()) == 1
            and str(wheel / "file" / "r.json") in err
            and "--results" in err
        )
        assert not (wheel / "store").exists()
