"""The command line: help that helps, and wrong input that ends in one line and exit code 2, never
in a traceback."""

from __future__ import annotations

import argparse
import copy
import json
import pkgutil

import pytest
import torch

from seqkd_lab import cli, studies
from seqkd_lab.cli import aliases
from seqkd_lab.corpus.vocabulary import Vocabulary
from seqkd_lab.lab.paper_table.report import report_html, write_report
from seqkd_lab.lab.paper_table.table import curves_figure, table_figure
from seqkd_lab.models.checkpoint import save_model
from seqkd_lab.models.lstm import LSTMSeq2Seq, LSTMSpec
from seqkd_lab.runs.recipes import BASELINE, SEQ_KD, TABLE_ROWS, TEACHER, TEACHER_INTER, WORD_KD
from seqkd_lab.studies.table1.table import table_frame
from seqkd_lab.studies.table1.tour import Example, Output


def commands(parser: argparse.ArgumentParser, words: tuple[str, ...] = ()) -> list[tuple[str, ...]]:
    """Every command of a parser and the kinds below it, itself first."""
    below = [action for action in parser._actions if isinstance(action, argparse._SubParsersAction)]
    return [
        words,
        *(
            command
            for action in below
            for name, verb in action.choices.items()
            for command in commands(verb, (*words, name))
        ),
    ]


COMMANDS = commands(cli.parser())
SPLITS = ["source", "target", "valid-source", "valid-target", "test-source", "test-target"]
SCRIPT = "<script>alert('x')</script>"


def run(capsys, *arguments) -> tuple[int, str, str]:
    """Exit code, stdout and stderr of a command line."""
    try:
        code = cli.main([str(argument) for argument in arguments])
    except SystemExit as error:  # argparse
        code = error.code
    captured = capsys.readouterr()
    return code, captured.out, captured.err


def assert_refused(outcome: tuple[int, str, str], *words: str) -> None:
    """Exit code 2, and the last line on stderr says what is wrong."""
    code, _, err = outcome
    assert code == 2
    assert "Traceback" not in err
    lines = [line for line in err.splitlines() if not line.startswith(("usage:", " "))]
    assert len(lines) == 1
    assert lines[0].startswith("seqkd-lab")
    assert all(word in lines[0] for word in words)


@pytest.fixture
def folder(tmp_path):
    """The folder of a tiny model that knows a few words and the full stop."""
    torch.manual_seed(1)
    words = Vocabulary.build([("ant", "bee", "cat", ".")])
    save_model(tmp_path / "model", LSTMSeq2Seq(LSTMSpec(width=8), words, words))
    return tmp_path / "model"


@pytest.fixture
def six_files(tmp_path) -> dict[str, str]:
    files = {}
    for split in SPLITS:
        path = tmp_path / f"{split}.txt"
        path.write_text("a b c\n" * 5, encoding="utf-8")
        files[f"--{split}"] = str(path)
    return files


def metrics(
    greedy: float, beam: float, p_mode: float = 0.01, perplexity: float = 2.0, valid: float = 0.8
) -> dict:
    """What the store keeps of an evaluation."""
    score = {
        "bleu_one_reference": 30.0,
        "length_ratio": 1.0,
        "brevity_penalty": 1.0,
        "validity": valid,
        "words_per_second": 100.0,
    }
    return {
        "name": "row",
        "key": "0" * 16,
        "n_parameters": 35_000,
        "beam_size": 5,
        "perplexity": perplexity,
        "greedy": {"bleu": greedy, **score},
        "beam": {"bleu": beam, **score},
        "p_mode": p_mode,
        "kl_to_truth": 0.1,
        "p_true_mode": 0.02,
        "signature": "nrefs:25|case:mixed",
    }


HELD = {
    TEACHER: metrics(90.0, 91.0),
    TEACHER_INTER: metrics(94.0, 94.1),
    BASELINE: metrics(80.0, 83.0),
    WORD_KD: metrics(82.0, 84.0),
    SEQ_KD: metrics(86.0, 86.2, 0.1, 20.0, 0.9),
}


def results_of(rows: dict, n_seeds: int = 2) -> dict:
    """A results file as `table` writes it."""
    curve = {"train_loss": [3.0, 2.0], "valid_loss": [2.9, 1.9], "learning_rate": [0.01, 0.0]}
    seeds = [str(seed) for seed in range(1, n_seeds + 1)]
    measured = {name: {**row, "curves": curve} for name, row in rows.items()}
    return {
        "study": "table1",
        "settings": {"data": "0", "preset": {}, "rows": list(rows)},
        "made_with": {"python": "3", "torch": "2"},
        "by_seed": {seed: copy.deepcopy(measured) for seed in seeds},
    }


class TestHelp:
    @pytest.mark.parametrize("command", COMMANDS, ids=" ".join)
    def test_every_command_explains_itself(self, capsys, command):
        code, out, err = run(capsys, *command, "--help")
        assert (code, err) == (0, "")
        assert out.startswith(" ".join(["usage: seqkd-lab", *command[:1]]))
        assert len(out.splitlines()) > 3

    def test_every_module_of_commands_is_one_command_beside_the_aliases(self):
        modules = {module.name for module in pkgutil.iter_modules(cli.commands.__path__)}
        names = {command[0] for command in COMMANDS if len(command) == 1}
        assert names == modules | set(aliases.NAMES)

    def test_an_alias_stands_for_studies_with_the_file_of_the_first(self):
        for study, file, _ in aliases.ALIASES.values():
            assert studies.study(study).file == file
        assert set(aliases.LATER) <= set(studies.find_studies())

    def test_names_every_command_and_every_row(self, capsys):
        overview, of_table = run(capsys, "--help")[1], run(capsys, "table", "--help")[1]
        commands, of_aliases = overview.split("aliases of studies:\n")
        listed = [line for line in commands.splitlines() if line[:4] == "    " and line[4] != " "]
        named = [line.split()[0] for line in [*listed, *of_aliases.splitlines()]]
        assert sorted(named) == sorted({command[0] for command in COMMANDS if command})
        unwrapped = "".join(of_table.split())
        assert all(row in unwrapped for row in TABLE_ROWS)
        assert "%%" not in overview + of_table

    @pytest.mark.parametrize("arguments", [(), ("dance",), ("corpus",)])
    def test_what_is_no_command_is_refused(self, capsys, arguments):
        assert_refused(run(capsys, *arguments))

    def test_version(self, capsys):
        assert run(capsys, "--version")[:2] == (0, "seqkd-lab 0.1.0\n")


class TestOwnText:
    @pytest.mark.parametrize("missing", SPLITS)
    def test_five_of_six_files(self, capsys, six_files, tmp_path, missing):
        del six_files[f"--{missing}"]
        given = [part for pair in six_files.items() for part in pair]
        assert_refused(
            run(capsys, "--store", tmp_path / "s", "tour", *given), f"missing: --{missing}"
        )

    @pytest.mark.parametrize("missing", SPLITS)
    def test_a_file_that_is_not_there(self, capsys, six_files, tmp_path, missing):
        six_files[f"--{missing}"] = str(tmp_path / "nowhere.txt")
        given = [part for pair in six_files.items() for part in pair]
        assert_refused(run(capsys, "--store", tmp_path / "s", "tour", *given), "nowhere.txt")

    def test_files_of_unequal_length(self, capsys, six_files, tmp_path):
        with open(six_files["--valid-target"], "a", encoding="utf-8") as file:
            file.write("one more\n")
        given = [part for pair in six_files.items() for part in pair]
        assert_refused(run(capsys, "--store", tmp_path / "s", "tour", *given), "valid-target.txt:6")

    @pytest.mark.parametrize(
        ("content", "where"), [(b"", "train"), (b"a\n\xff\xfe b\n", "train:2")]
    )
    def test_files_without_text(self, capsys, six_files, tmp_path, content, where):
        path = tmp_path / "train"
        path.write_bytes(content)
        six_files["--source"] = str(path)
        given = [part for pair in six_files.items() for part in pair]
        assert_refused(run(capsys, "--store", tmp_path / "s", "tour", *given), where)


class TestTranslate:
    def test_shows_the_n_best_with_their_probabilities(self, capsys, folder):
        code, out, err = run(capsys, "translate", "ant bee cat", "--model", folder, "--beam", 3)
        assert (code, err) == (0, "")
        assert [line.split(".")[0].strip() for line in out.splitlines() if "." in line[:5]] == [
            "1",
            "2",
            "3",
        ]
        assert out.count("model ") == 3
        assert out.count("not a sentence of the toy language") == 3

    @pytest.mark.parametrize("sentence", ["", "   ", "\t\n"])
    def test_an_empty_sentence(self, capsys, folder, sentence):
        assert_refused(run(capsys, "translate", sentence, "--model", folder), "empty")

    def test_an_unknown_model(self, capsys, tmp_path):
        outcome = run(capsys, "--store", tmp_path, "translate", "ant", "--model", "parrot")
        assert_refused(outcome, "parrot", *TABLE_ROWS)

    def test_a_folder_that_holds_no_model(self, capsys, tmp_path):
        assert_refused(run(capsys, "translate", "ant", "--model", tmp_path), "model.json")

    def test_a_damaged_model(self, capsys, folder):
        (folder / "model.safetensors").write_bytes(b"damaged")
        assert_refused(run(capsys, "translate", "ant", "--model", folder), "model.safetensors")

    @pytest.mark.parametrize(
        "sentence", [SCRIPT, "\x1b[31mred\x1b[0m", "日本 naïve 🙂", "-- --help", "ant\x00bee"]
    )
    def test_strange_text_is_read_as_unknown_words(self, capsys, folder, sentence):
        code, out, err = run(capsys, "translate", "--model", folder, "--beam", 1, "--", sentence)
        assert code == 0
        assert "does not know" in err
        assert len(err.splitlines()) == 1
        assert "\x1b" not in err + out
        assert "not a sentence of the toy language" in out

    @pytest.mark.parametrize("sentence", ["ant " * 2_500, "x" * 10_000])
    def test_ten_thousand_characters(self, capsys, folder, sentence):
        assert_refused(run(capsys, "translate", sentence, "--model", folder), "long")


class TestCheck:
    def check(self, capsys, tmp_path, content: str):
        path = tmp_path / "table1.json"
        path.write_text(content, encoding="utf-8")
        return run(capsys, "table", "--check", "--results", path)

    def test_0_where_all_is_held(self, capsys, tmp_path):
        code, out, err = self.check(capsys, tmp_path, json.dumps(results_of(HELD)))
        assert (code, err) == (0, "")
        assert "NOT HELD" not in out
        assert all(f"F{number}  HELD" in out for number in range(1, 7))
        assert all(name in out for name in HELD)

    def test_1_where_one_is_not(self, capsys, tmp_path):
        rows = {**HELD, SEQ_KD: metrics(83.0, 83.2, 0.1, 20.0)}
        code, out, _ = self.check(capsys, tmp_path, json.dumps(results_of(rows)))
        assert code == 1
        assert "F1  NOT HELD" in out

    def test_1_where_one_is_undecided(self, capsys, tmp_path):
        """One seed: every number as it should be, and no interval that could say so."""
        code, out, _ = self.check(capsys, tmp_path, json.dumps(results_of(HELD, 1)))
        assert code == 1 and "F1  UNDECIDED" in out and "NOT HELD" not in out

    def test_2_without_results(self, capsys, tmp_path):
        missing = tmp_path / "none.json"
        assert_refused(
            run(capsys, "table", "--check", "--results", missing), "none.json", "seqkd-lab table"
        )

    @pytest.mark.parametrize(
        "content", ["", "{", "{}", "[]", '{"rows": [], "by_seed": {}}', '{"by_seed": 3}']
    )
    def test_2_where_the_file_holds_something_else(self, capsys, tmp_path, content):
        assert_refused(self.check(capsys, tmp_path, content), "table1.json")


class TestOtherVerbs:
    def test_distil_writes_the_file(self, capsys, folder, tmp_path):
        given = ("--teacher", folder, "--pairs", "5", "--out", tmp_path / "d.tsv")
        with pytest.warns(UserWarning, match="the teacher wrote"):
            code, out, _ = run(capsys, "--store", tmp_path / "s", "distil", *given)
        assert (code, out.count("5 sentences")) == (0, 1)
        assert len((tmp_path / "d.tsv").read_text(encoding="utf-8").splitlines()) == 6

    def test_corpus_toy_shows_samples(self, capsys):
        code, out, _ = run(capsys, "corpus", "toy", "--show", "3", "--seed", "4")
        assert (code, out.count("translations")) == (0, 3)
        assert run(capsys, "corpus", "toy", "--show", "3", "--seed", "4")[1] == out
        assert run(capsys, "corpus", "toy", "--show", "3", "--seed", "5")[1] != out


class TestReport:
    @pytest.fixture
    def html(self) -> str:
        output = Output(SCRIPT, SCRIPT, SCRIPT, SCRIPT, None)
        return report_html(results_of(HELD), [Example(SCRIPT, SCRIPT, (output,))], SCRIPT)

    def test_every_text_is_escaped(self, html):
        assert "<script" not in html
        assert (
            html.count("&lt;script&gt;") == 2 + 2 + 4
        )  # title and heading, source and reference, the output's texts

    def test_holds_table_findings_and_pictures_and_nothing_from_elsewhere(self, html):
        assert all(f"<th>{name}</th>" in html for name in HELD)
        assert all(f"<td>F{number}</td>" in html for number in range(1, 7))
        assert "<td>held</td>" in html and "<b>" not in html and "0 undecided, 0 not held." in html
        undecided = report_html(results_of(HELD, 1), [], "title")
        assert "<td><b>undecided</b></td>" in undecided and "<td>held</td>" not in undecided
        assert (
            html.count("data:image/png;base64,") == html.count("<img ") == html.count("alt=") == 2
        )
        assert "http://" not in html and "https://" not in html

    def test_is_written_with_its_picture(self, tmp_path):
        path = write_report(tmp_path / "new", results_of(HELD, 1), [], "title")
        assert path.read_text(encoding="utf-8").startswith("<!DOCTYPE html>")
        assert (tmp_path / "new" / "table1.png").read_bytes().startswith(b"\x89PNG")


class TestFigures:
    @pytest.mark.parametrize("n_seeds", [1, 3])
    def test_the_table_has_a_line_for_each_row(self, n_seeds):
        ours, paper = table_figure(results_of(HELD, n_seeds)).axes
        assert [label.get_text() for label in ours.get_yticklabels()] == list(HELD)
        assert all("BLEU" in axes.get_xlabel() for axes in (ours, paper))
        shown = {text.get_text() for text in ours.texts}
        assert shown == {
            f"{HELD[name][how]['bleu']:.1f}" for name in HELD for how in ("greedy", "beam")
        }
        assert {"17.7", "19.5", "18.9"} <= {text.get_text() for text in paper.texts}

    def test_the_curves_have_a_panel_for_each_model_and_a_line_for_each_seed(self):
        panels = curves_figure(results_of(HELD, 3)).axes
        assert [axes.get_title() for axes in panels] == [TEACHER, BASELINE, WORD_KD, SEQ_KD]
        assert all(len(axes.lines) == 3 and axes.get_xlabel() == "epoch" for axes in panels)
        assert all(list(line.get_ydata()) == [2.9, 1.9] for axes in panels for line in axes.lines)
        assert "NLL" in panels[0].get_ylabel()

    def test_the_frame_shows_ours_beside_the_papers(self):
        frame = table_frame(results_of(HELD, 2))
        assert list(frame.index) == list(HELD)
        assert frame.loc[BASELINE, "BLEU K=1"] == "80.0 ± 0.0 [14.7]"
        assert frame.loc[SEQ_KD, "p(ŷ) in %"] == "10.0 ± 0.0 [16.9]"
