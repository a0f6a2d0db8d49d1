"""`seqkd-lab translate` on a text: line for line, whatever the bytes, the pipe and the terminal are
like."""

from __future__ import annotations

import gzip
import io
import os
import subprocess
import sys

import pytest
import torch
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from seqkd_lab import cli
from seqkd_lab.cli.commands import translate
from seqkd_lab.corpus.parallel import fold
from seqkd_lab.corpus.subwords import SubwordTokeniser
from seqkd_lab.corpus.vocabulary import EOS, UNK, Vocabulary
from seqkd_lab.models.folder import TrainedModel, save_folder
from seqkd_lab.models.lstm import LSTMSeq2Seq, LSTMSpec
from seqkd_lab.models.transformer import TransformerSeq2Seq, TransformerSpec

TEXT = ["die kleine Ente schläft", "ein alter Hund bellt laut", "日本語の文", "a b c d e f g h"] * 3
COLUMNS = ["line", "rank", "translation", "log_prob", "score"]


def make_folder(directory, architecture: str = "lstm"):
    """A small model of real text with random weights, cut into characters and a few longer
    pieces."""
    torch.manual_seed(2)
    cutter = SubwordTokeniser.train(TEXT, 60)
    words = Vocabulary.build(map(cutter.encode, TEXT))
    model = (
        LSTMSeq2Seq(LSTMSpec(8), words, words)
        if architecture == "lstm"
        else TransformerSeq2Seq(TransformerSpec(8, 1, 2, 16), words, words)
    )
    with torch.no_grad():
        for parameter in model.parameters():
            parameter.mul_(2.0)
        model.output.bias[EOS] += 1.0
        model.output.bias[UNK] = -10.0
    save_folder(directory, TrainedModel(model, cutter), {})
    return directory


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return make_folder(tmp_path_factory.mktemp("models") / "student")


@pytest.fixture
def run(capsys, monkeypatch, folder):
    """Runs the command on `content` as standard input; returns exit code, standard output and
    stderr."""

    def run(*arguments, content: bytes = b"", model=folder) -> tuple[int, str, str]:
        monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BufferedReader(io.BytesIO(content))))
        try:
            code = cli.main(["translate", "--model", str(model), *map(str, arguments)])
        except SystemExit as error:
            code = error.code
        captured = capsys.readouterr()
        return code, captured.out, captured.err

    return run


def assert_refused(outcome: tuple[int, str, str], *words: str) -> None:
    code, out, err = outcome
    assert (code, out) == (2, "")
    assert len(err.splitlines()) == 1
    assert all(word in err for word in words), err


class TestLines:
    @settings(max_examples=25, suppress_health_check=[HealthCheck.function_scoped_fixture])
    @given(
        st.lists(
            st.text(
                st.characters(exclude_categories=("Cs",), exclude_characters="\n\r\0\ufeff"),
                max_size=12,
            ),
            max_size=6,
        ),
        st.booleans(),
    )
    def test_a_line_out_for_each_line_in_and_blank_stays_blank(self, run, tmp_path, lines, ends):
        content = "\n".join(lines).encode() + (b"\n" if ends and lines else b"")
        n_lines = content.count(b"\n") + (0 if content.endswith(b"\n") or not content else 1)
        code, out, _ = run("--input", "-", "--beam", 1, content=content)
        assert code == 0
        translated = out.split("\n")
        assert len(translated) - 1 == n_lines
        for line, translation in zip(lines[:n_lines], translated, strict=False):
            if not fold(line.replace("▁", " ")):
                assert translation == ""

    @pytest.mark.parametrize(
        "content",
        [
            b"a b\n\nc\n",
            b"a b\r\n\r\nc\r\n",
            b"\xef\xbb\xbfa b\n\nc",
            b"a b\n \t \nc\n",
            b"a\tb\n\xe2\x80\xa8\nc\n",
            gzip.compress(b"a b\n\nc\n"),
        ],
        ids=["LF", "CR LF", "mark", "spaces", "separator", "gzip"],
    )
    def test_the_same_text_however_it_is_written(self, run, tmp_path, content):
        path = tmp_path / "text"
        path.write_bytes(content)
        expected = run("--input", "-", content=b"a b\n\nc\n")
        assert expected[0] == 0
        assert expected[1].count("\n") == 3
        assert run("--input", path) == expected
        assert run("--input", "-", content=content) == expected
        assert run("-", content=content) == expected

    def test_a_separator_within_a_line_does_not_end_it(self, run):
        content = "a\u2028b\x85c\x0bd\ne\n".encode()
        assert run("-", content=content) == run("-", content=b"a b c d\ne\n")

    def test_an_empty_file_gives_an_empty_file(self, run, tmp_path):
        (tmp_path / "empty").write_bytes(b"")
        assert run("--input", tmp_path / "empty", "--output", tmp_path / "out") == (0, "", "")
        assert (tmp_path / "out").read_bytes() == b""

    def test_order_is_kept_and_windows_join(self, run, monkeypatch):
        lines = [" ".join("abcdefgh"[: i * 5 % 7 + 1]) for i in range(20)]
        content = "\n".join(lines).encode()
        whole = run("-", "--batch", 64, content=content)[1]
        monkeypatch.setattr(translate, "WINDOW", 3)
        assert run("-", "--batch", 2, content=content)[1] == whole
        alone = [run("-", content=line.encode())[1] for line in lines]
        assert "".join(alone) == whole

    def test_both_architectures(self, run, tmp_path):
        code, out, _ = run(
            "-", content=b"a b c\n\nd\n", model=make_folder(tmp_path / "t", "transformer")
        )
        assert (code, out.count("\n"), out.split("\n")[1]) == (0, 3, "")


class TestOutput:
    def test_a_file_holds_what_standard_output_shows(self, run, tmp_path):
        out = tmp_path / "sp ace ü" / "out.de"
        out.parent.mkdir()
        shown = run("-", content=b"a b\nc\n")
        assert run("-", "--output", out, content=b"a b\nc\n") == (0, "", shown[2])
        assert out.read_text(encoding="utf-8") == shown[1]
        assert run("-", "--output", tmp_path / "out.gz", content=b"a b\nc\n")[0] == 0
        assert gzip.decompress((tmp_path / "out.gz").read_bytes()).decode() == shown[1]
        assert sorted(path.name for path in tmp_path.rglob("*")) == ["out.de", "out.gz", "sp ace ü"]

    def test_a_link_stays_a_link_and_a_device_a_device(self, run, tmp_path):
        (tmp_path / "real").write_text("before")
        (tmp_path / "link").symlink_to(tmp_path / "real")
        assert run("-", "--output", tmp_path / "link", content=b"a\n")[0] == 0
        assert (tmp_path / "link").is_symlink()
        assert (tmp_path / "real").read_text() != "before"
        assert run("-", "--output", os.devnull, content=b"a\n")[0] == 0
        assert not os.path.isfile(os.devnull)

    def test_an_interrupted_run_leaves_no_half_file_and_says_where_its_lines_are(
        self, run, tmp_path, monkeypatch
    ):
        out, translate_some = tmp_path / "out", translate.Translator.translate
        out.write_text("before")

        def interrupted(self, *arguments):
            if self.notices.n_lines == 4:
                raise KeyboardInterrupt
            return translate_some(self, *arguments)

        monkeypatch.setattr(translate, "WINDOW", 2)
        monkeypatch.setattr(translate.Translator, "translate", interrupted)
        code, _, err = run("-", "--output", out, content=b"a\nb\nc\nd\ne\n")
        assert code == 130
        assert "out.part: contains the first 4 lines" in err
        assert "Interrupted" in err and "continues" not in err  # as other commands do
        assert out.read_text() == "before"
        assert len((tmp_path / "out.part").read_text().split("\n")) == 5

    def test_damaged_data_in_a_pipe_leave_nothing_where_nothing_was_written(self, run, tmp_path):
        assert_refused(
            run("-", "--output", tmp_path / "out", content=b"a\n\xff\n"),
            "standard input:2",
            "not UTF-8",
        )
        assert list(tmp_path.iterdir()) == []


class TestRefusals:
    def test_nothing_and_both(self, run, tmp_path):
        assert_refused(run(), "nothing to translate", "--input")
        assert_refused(run("a b", "--input", tmp_path), "not both")

    @pytest.mark.parametrize(
        "option", [("--output", "x"), ("--scores",), ("--batch", 3), ("--progress",)]
    )
    def test_what_belongs_to_a_text_comes_without_a_sentence(self, run, option):
        assert_refused(run("a b", *option), option[0], "--input")

    @pytest.mark.parametrize(
        ("content", "words"),
        [
            (b"a\nb \xff\n", ":2: not UTF-8 (byte 0xff"),
            (b"a\0\n", ":1: holds"),
            (gzip.compress(b"a\n" * 99, mtime=0)[:-9], "damaged gzip"),
        ],
    )
    def test_a_faulty_line_is_named_before_the_model_is_read(self, run, tmp_path, content, words):
        (tmp_path / "text").write_bytes(content)
        outcome = run("--input", tmp_path / "text", "--output", tmp_path / "out", model="nowhere")
        assert_refused(outcome, str(tmp_path / "text"), words)
        assert not (tmp_path / "out").exists()

    def test_paths_are_checked_before_the_model_is_read(self, run, tmp_path):
        text = tmp_path / "text"
        text.write_text("a\n")
        assert_refused(
            run("--input", tmp_path / "absent", model="nowhere"), "absent", "cannot be read"
        )
        assert_refused(run("--input", tmp_path, model="nowhere"), "cannot be read")
        assert_refused(
            run("--input", text, "--output", tmp_path, model="nowhere"), "this is a folder"
        )
        assert_refused(
            run("--input", text, "--output", tmp_path / "no" / "o", model="nowhere"),
            "cannot be written",
        )
        assert_refused(
            run("--input", text, "--output", tmp_path / "out", model="nowhere"), "nowhere"
        )
        assert list(tmp_path.iterdir()) == [text]

    def test_the_output_is_not_the_input(self, run, tmp_path):
        text, link = tmp_path / "text", tmp_path / "link"
        text.write_text("a\n")
        link.symlink_to(text)
        (tmp_path / "hard.part").hardlink_to(text)
        for output in (text, link, tmp_path / "hard"):
            assert_refused(run("--input", text, "--output", output), "this file is also the input")
        assert text.read_text() == "a\n"

    def test_weights_that_are_not_finite(self, run, tmp_path):
        torch.manual_seed(1)
        words = Vocabulary.build([("ant", ".")])
        model = LSTMSeq2Seq(LSTMSpec(4), words, words)
        with torch.no_grad():
            model.combine.weight[0, 0] = float("nan")
        save_folder(tmp_path, TrainedModel(model), {})
        assert_refused(
            run("ant", model=tmp_path),
            "model.safetensors",
            "1 of 32",
            "combine.weight",
            "learning rate",
        )


class TestScores:
    def rows(self, out: str) -> list[list[str]]:
        header, *rows = (line.split("\t") for line in out.splitlines())
        assert header == COLUMNS
        assert {len(row) for row in rows} <= {5}
        return rows

    def test_n_best_with_line_rank_and_scores(self, run):
        code, out, _ = run(
            "-", "--n-best", 3, "--beam", 4, "--length-penalty", 1, content=b"a b\n\nc\td\n"
        )
        rows = self.rows(out)
        assert code == 0
        assert [row[:2] for row in rows] == [
            ["1", "1"],
            ["1", "2"],
            ["1", "3"],
            ["2", "1"],
            ["3", "1"],
            ["3", "2"],
            ["3", "3"],
        ]
        assert rows[3][2:] == ["", "", ""]
        for line in "13":
            scores = [float(row[4]) for row in rows if row[0] == line]
            assert scores == sorted(scores, reverse=True)
        assert any(row[3] != row[4] for row in rows)

    def test_the_first_of_the_n_best_is_the_translation(self, run):
        plain, scored = (
            run("-", *option, content=b"a b\nc\n")[1] for option in ((), ("--scores",))
        )
        assert [row[2] for row in self.rows(scored)] == plain.splitlines()
        assert all(row[3] == row[4] and float(row[3]) <= 0.0 for row in self.rows(scored))

    def test_line_numbers_go_on_over_the_windows(self, run, monkeypatch):
        monkeypatch.setattr(translate, "WINDOW", 2)
        rows = self.rows(run("-", "--scores", content=b"a\n\nb\nc\nd\n")[1])
        assert [row[0] for row in rows] == ["1", "2", "3", "4", "5"]


class TestWhatIsSaid:
    def test_unknown_words_once(self, run):
        code, out, err = run("-", content="a Ω b\nc\nΩ\nΨ\n".encode())
        assert (code, out.count("\n"), err.count("does not know")) == (0, 4, 1)
        assert err.startswith(
            "seqkd-lab: 3 lines with tokens that the model does not know, such as 'Ω', "
        )

    def test_progress_only_where_it_is_asked_for(self, run):
        assert run("-", content=b"a\nb\n")[2] == ""
        assert "2 lines" in run("-", "--progress", content=b"a\nb\n")[2]

    def test_a_long_line_once(self, run, monkeypatch):
        monkeypatch.setattr("seqkd_lab.decoding.translator.LONGEST_SOURCE", 5)
        err = run("-", "--beam", 1, content=b"a\n" + b"a b c d e f g h\n" * 3)[2]
        assert len(err.splitlines()) == 1
        assert "line 2 has " in err and "3 lines are too long" in err

    def test_an_empty_translation(self, run, tmp_path):
        torch.manual_seed(1)
        words = Vocabulary.build([("ant", ".")])
        model = LSTMSeq2Seq(LSTMSpec(4), words, words)
        with torch.no_grad():
            model.output.bias[EOS] = 50.0
        save_folder(tmp_path, TrainedModel(model), {})
        code, out, err = run("-", content=b"ant\n\nant .\n", model=tmp_path)
        assert (code, out) == (0, "\n\n\n")
        assert "2 lines with an empty translation" in err
        assert "(empty: it ends" in run("ant", "--beam", 1, model=tmp_path)[1]

    def test_unknown_words_are_copied(self, run, tmp_path):
        torch.manual_seed(1)
        words = Vocabulary.build([("ant", ".")])
        model = LSTMSeq2Seq(LSTMSpec(4), words, words)
        with torch.no_grad():
            model.output.bias[UNK] = 5.0
        save_folder(tmp_path, TrainedModel(model), {})
        for arguments in (("-", "--beam", 1), ("gnu hen", "--beam", 1)):
            plain, copied = (
                run(*arguments, *option, content=b"gnu hen\n", model=tmp_path)[1].lower()
                for option in ((), ("--copy-unknown",))
            )
            assert "<unk>" in plain
            assert "<unk>" not in copied and ("gnu" in copied or "hen" in copied or "." in copied)


class TestProcesses:
    """What only a process of its own shows: pipes that close, a terminal without letters, a full
    disk."""

    def start(self, folder, *arguments, **given) -> subprocess.Popen:
        environment = {
            **os.environ,
            "LC_ALL": "C",
            "PYTHONIOENCODING": "ascii",
            "PYTHONUTF8": "0",
            "PYTHONCOERCECLOCALE": "0",
        }
        command = [
            sys.executable,
            "-m",
            "seqkd_lab",
            "translate",
            "--model",
            str(folder),
            *map(str, arguments),
        ]
        return subprocess.Popen(command, env=environment, stderr=subprocess.PIPE, **given)

    @pytest.mark.slow
    def test_utf8_through_a_pipe_that_nobody_reads_to_its_end(self, folder, tmp_path):
        text = tmp_path / "text"
        text.write_text("die Ente schläft\n日本語\n" * 6_000, encoding="utf-8")
        process = self.start(folder, "--input", text, "--beam", 1, stdout=subprocess.PIPE)
        first = process.stdout.readline().decode("utf-8")
        process.stdout.close()
        assert process.wait() == 0
        assert process.stderr.read() == b""
        process.stderr.close()
        assert first.endswith("\n")

    @pytest.mark.slow
    def test_letters_on_a_terminal_without_them(self, folder):
        process = self.start(
            folder, "-", "--n-best", 5, stdin=subprocess.PIPE, stdout=subprocess.PIPE
        )
        out, err = process.communicate("Ω 日本語\nschläft\n".encode())
        assert process.returncode == 0
        assert len(out.decode("utf-8").splitlines()) == 11
        assert any(ord(letter) > 127 for letter in out.decode("utf-8"))
        assert err.decode("ascii").startswith("seqkd-lab: 1 line with tokens")

    @pytest.mark.slow
    @pytest.mark.skipif(not os.path.exists("/dev/full"), reason="needs Linux's /dev/full")
    def test_a_full_disk(self, folder):
        with open("/dev/full", "wb") as full:
            process = self.start(folder, "-", stdin=subprocess.PIPE, stdout=full)
            _, err = process.communicate(b"a\n")
        assert process.returncode == 2
        assert err.decode().splitlines()[-1].startswith("seqkd-lab: [Errno 28]")
        assert "Traceback" not in err.decode()
