"""Six files on the command line: which paths are taken, which cutter, and what is refused before
the work."""

from __future__ import annotations

import argparse
import gzip
import os
import threading
from pathlib import Path

import pytest
from small_corpus import write_text

from seqkd_lab.cli import main
from seqkd_lab.cli.options import TEXT, TEXT_FILES
from seqkd_lab.cli.paths import readable_file
from seqkd_lab.cli.resolve import data_of
from seqkd_lab.corpus.parallel import CorpusError
from seqkd_lab.corpus.subwords import SubwordTokeniser
from seqkd_lab.runs.data import fingerprint, load, text_files
from seqkd_lab.runs.recipes import TextData, ToyData


@pytest.fixture(scope="module")
def text(tmp_path_factory) -> TextData:
    return write_text(tmp_path_factory.mktemp("given") / "text with ü")


@pytest.fixture
def cutter(tmp_path, text) -> Path:
    """What a model's folder holds of its text."""
    SubwordTokeniser.train(Path(text.target).read_text(encoding="utf-8").splitlines(), 40).save(
        tmp_path / "m.model"
    )
    return tmp_path / "m.model"


def parsed(*options, store: Path = Path("unused")) -> argparse.Namespace:
    parser = argparse.ArgumentParser(parents=[TEXT])
    return argparse.Namespace(store=store, **vars(parser.parse_args([*map(str, options)])))


def files_of(data: TextData) -> list[str]:
    return [
        part
        for name, file in zip(TEXT_FILES, text_files(data), strict=True)
        for part in (f"--{name}", file)
    ]


class TestCutters:
    def test_without_options_the_preset_decides(self, text):
        quick, full = (
            data_of(parsed(*files_of(text)), "quick"),
            data_of(parsed(*files_of(text)), "full"),
        )
        assert quick.subwords is full.subwords is None
        assert quick.vocabulary_size < full.vocabulary_size
        assert quick.character_coverage == 1.0

    def test_options_decide(self, text, cutter):
        chosen = data_of(
            parsed(*files_of(text), "--vocabulary", 77, "--character-coverage", 0.9), "quick"
        )
        assert (chosen.vocabulary_size, chosen.character_coverage, chosen.subwords) == (
            77,
            0.9,
            None,
        )
        assert data_of(parsed(*files_of(text), "--subwords", cutter), "quick").subwords == str(
            cutter
        )

    def test_a_models_own_cutter_is_taken_whatever_the_preset(self, text, cutter):
        taken = [
            data_of(parsed(*files_of(text), "--pairs", 9), preset, cutter)
            for preset in ("quick", "full")
        ]
        assert {data.subwords for data in taken} == {str(cutter)}
        assert len({fingerprint(data) for data in taken}) == 1
        same = data_of(parsed(*files_of(text), "--subwords", cutter), "quick", cutter)
        assert same.subwords == str(cutter)

    def test_another_cutter_than_the_models_is_refused_and_both_are_named(
        self, text, cutter, tmp_path
    ):
        SubwordTokeniser.train(["other text"], 20).save(tmp_path / "other.model")
        given = parsed(*files_of(text), "--subwords", tmp_path / "other.model")
        with pytest.raises(
            ValueError, match=r"other\.model and .*m\.model are different subword models"
        ):
            data_of(given, "quick", cutter)

    @pytest.mark.parametrize(
        "options, said",
        [
            (["--vocabulary", 0], "--vocabulary must be at least 1 subword; got 0"),
            (["--vocabulary", -5], "got -5"),
            (["--vocabulary", 10**14], "at most 1,000,000 subwords; got 1"),
            (["--character-coverage", 0], r"--character-coverage must be in \(0, 1\].*got 0.0"),
            (["--character-coverage", 1.5], "got 1.5"),
            (["--character-coverage", "nan"], "got nan"),
            (["--subwords", "absent.model"], "absent.model: no such file"),
            (["--pairs", 0], "got 0"),
        ],
    )
    def test_values_that_cannot_be_are_refused_by_name(self, text, options, said):
        with pytest.raises(ValueError, match=said):
            data_of(parsed(*files_of(text), *options), "quick")

    def test_a_file_that_is_no_model_is_refused_before_the_work(self, text):
        with pytest.raises(CorpusError, match=r"train\.en: not a sentencepiece model"):
            data_of(parsed(*files_of(text), "--subwords", text.source), "quick")

    def test_a_model_and_a_size_contradict_each_other(self, text, cutter):
        with pytest.raises(ValueError, match="is used unchanged"):
            data_of(parsed(*files_of(text), "--subwords", cutter, "--vocabulary", 50), "quick")

    @pytest.mark.parametrize(
        "options", [["--vocabulary", 9], ["--subwords", "x"], ["--character-coverage", 0.9]]
    )
    def test_the_toy_is_not_cut(self, options):
        with pytest.raises(ValueError, match=f"{options[0]} .*only your own text"):
            data_of(parsed(*options), "toy")
        assert data_of(parsed(), "toy") == ToyData()

    def test_a_model_of_real_text_needs_its_text(self, cutter):
        with pytest.raises(ValueError, match=r"m\.model\); give that text"):
            data_of(parsed(), "toy", cutter)

    def test_missing_files_are_listed(self, text):
        with pytest.raises(
            ValueError, match="missing: --target, --valid-source, --valid-target, --test-source"
        ):
            data_of(parsed("--source", text.source), "quick")


class TestPaths:
    def test_a_file_is_itself_whatever_its_name(self, text, tmp_path):
        assert readable_file(text.source, tmp_path / "copies") == text.source
        assert not (tmp_path / "copies").exists()

    def test_a_pipe_is_copied_once_and_named_by_its_content(self, tmp_path):
        for content in (b"a line\n", gzip.compress(b"packed\n")):
            copies = {
                self.read_pipe(tmp_path / "pipe", content, tmp_path / "copies") for _ in range(2)
            }
            assert [Path(copy).read_bytes() for copy in copies] == [content]

    @staticmethod
    def read_pipe(pipe: Path, content: bytes, copies: Path) -> str:
        os.mkfifo(pipe)
        writer = threading.Thread(target=pipe.write_bytes, args=(content,))
        writer.start()
        try:
            return readable_file(pipe, copies)
        finally:
            writer.join()
            pipe.unlink()

    def test_the_text_of_a_shells_substitution_trains_as_the_file_does(self, text, tmp_path):
        """`--source <(zcat x.gz)` is /dev/fd/N, which can be read once."""
        reading, writing = os.pipe()
        with os.fdopen(writing, "wb") as pipe:
            pipe.write(Path(text.source).read_bytes())
        options = files_of(text)
        options[1] = f"/dev/fd/{reading}"
        piped = data_of(parsed(*options, store=tmp_path), "full")
        os.close(reading)
        plain = data_of(parsed(*files_of(text)), "full")
        assert fingerprint(piped) == fingerprint(plain)
        assert load(piped, tmp_path).train == load(plain, tmp_path).train

    def test_an_empty_pipe_is_refused_with_advice(self, tmp_path):
        with pytest.raises(ValueError, match="the pipe is empty.*zcat"):
            self.read_pipe(tmp_path / "pipe", b"", tmp_path)

    def test_what_is_no_file_is_named_for_what_it_is(self, tmp_path, text):
        (tmp_path / "x").symlink_to(tmp_path / "nowhere")
        refused = {
            tmp_path: "this is a folder",
            "/dev/null": "this is a device",
            tmp_path / "absent": "no such file",
            tmp_path / "x": "no such file",
            f"{text.source}/x": "cannot be reached",
            tmp_path / ("n" * 300): "cannot be reached",
        }
        for path, said in refused.items():
            with pytest.raises(ValueError, match=said) as caught:
                readable_file(path, tmp_path)
            assert str(path) in str(caught.value)

    @pytest.mark.skipif(os.geteuid() == 0, reason="root may read everything")
    def test_a_file_that_may_not_be_read(self, tmp_path):
        (tmp_path / "secret").write_text("x")
        (tmp_path / "secret").chmod(0)
        with pytest.raises(ValueError, match="may not be read"):
            readable_file(tmp_path / "secret", tmp_path)

    @pytest.mark.parametrize("place", range(6))
    def test_every_one_of_the_six_is_checked_before_the_work(self, text, tmp_path, capsys, place):
        options = files_of(text)
        options[2 * place + 1] = str(tmp_path)
        arguments = [
            "--store",
            str(tmp_path / "store"),
            "train",
            "--out",
            str(tmp_path / "m"),
            "--preset",
            "quick",
        ]
        assert main([*arguments, *options]) == 2
        assert f"{tmp_path}: this is a folder" in capsys.readouterr().err
        assert not (tmp_path / "store").exists()
