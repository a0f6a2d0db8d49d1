"""`seqkd-lab distil` as a person types it: the teacher's own cutter and pairs, parts that are kept,
text without targets, and several teachers."""

from __future__ import annotations

import gzip
import io
import os
import shutil
from pathlib import Path
from types import SimpleNamespace

import pytest
from typed import SMALL, assert_refused, contents, own_text, typed

from seqkd_lab.cli import labelling, main
from seqkd_lab.decoding.search import search
from seqkd_lab.distillation import parts
from seqkd_lab.distillation.forward_translation import read_translated
from seqkd_lab.models.folder import load_folder

LEARNED = (
    "--preset",
    "toy",
    "--width",
    12,
    "--epochs",
    20,
    "--learning-rate",
    0.05,
    "--batch-size",
    25,
)
pytestmark = pytest.mark.filterwarnings(
    "ignore:the teacher wrote"
)  # a tiny teacher writes a wrong length


@pytest.fixture(scope="module")
def folder(tmp_path_factory) -> Path:
    return tmp_path_factory.mktemp("distil")


@pytest.fixture(scope="module")
def files(folder) -> tuple[str, ...]:
    return own_text(folder / "six")


@pytest.fixture
def run(capsys, folder):
    def run(*arguments):
        return typed(capsys, "--store", folder / "store", *arguments)

    return run


@pytest.fixture
def teachers(run, folder, files) -> dict[str, Path]:
    """A folder with four teachers, trained once: a and b of two seeds, t a Transformer, few of
    another cutter and of fewer pairs."""
    made = {name: folder / name for name in ("a", "b", "t", "few")}
    how = {
        "a": (),
        "b": ("--seed", 2),
        "t": ("--preset", "transformer", "--width", 8),
        "few": ("--pairs", 50),
    }
    for name, out in made.items():
        if not (out / "model.json").exists():
            size = 50 if name == "few" else 60
            assert (
                run("train", *LEARNED, "--vocabulary", size, *files, *how[name], "--out", out)[0]
                == 0
            )
    return made


@pytest.fixture
def distil(run, tmp_path, files):
    def run_it(*arguments, out="d.tsv", text=files):
        return run("distil", "--out", tmp_path / out, *text, *arguments)

    return run_it


def text_folder(folder: Path, files: tuple[str, ...]) -> Path:
    """The six files in a folder, under the names that --text expects."""
    folder.mkdir()
    for split in ("train", "valid", "test"):
        for side in ("source", "target"):
            option = f"--{side}" if split == "train" else f"--{split}-{side}"
            shutil.copy(files[files.index(option) + 1], folder / f"{split}.{side}")
    return folder


def rows_of(path: Path) -> list[list[str]]:
    return [line.split("\t") for line in path.read_text(encoding="utf-8").splitlines()[1:]]


@pytest.mark.slow
class TestOneCutter:
    def test_the_text_is_cut_as_the_teacher_cuts_it_and_nothing_is_unknown(
        self, distil, teachers, tmp_path
    ):
        code, out, err = distil("--teacher", teachers["few"])
        trained, rows = load_folder(teachers["few"]), rows_of(tmp_path / "d.tsv")
        known = set(trained.model.source_vocabulary.tokens)
        assert code == 0 and "unknown to the teacher" not in err
        assert all(set(cells[0].split()) <= known for cells in rows)
        assert all(
            trained.encode(trained.decode(cells[0].split())) == tuple(cells[0].split())
            for cells in rows
        )
        assert (tmp_path / "d.subwords.model").read_bytes() == trained.subwords.model
        assert str(tmp_path / "d.subwords.model") in out

    @pytest.mark.parametrize(
        ("given", "n_pairs"), [((), 50), (("--pairs", 30), 30), (("--preset", "full"), 100)]
    )
    def test_as_many_pairs_as_the_teacher_was_trained_on(
        self, distil, teachers, tmp_path, given, n_pairs
    ):
        code, _, err = distil("--teacher", teachers["few"], *given)
        assert code == 0 and len(rows_of(tmp_path / "d.tsv")) <= n_pairs
        assert ("Rewriting the first 50 pairs" in err) == (
            given == ()
        ) and f"train: {n_pairs} pairs read" in err

    def test_the_next_command_that_it_prints_trains_a_student(
        self, run, distil, teachers, tmp_path
    ):
        shown = (
            distil("--teacher", teachers["few"])[1]
            .splitlines()[-1]
            .removeprefix("next: seqkd-lab ")
            .split()
        )
        assert "--preset" in shown and shown[shown.index("--pairs") + 1] == "50"
        shown[shown.index("--out") + 1] = str(tmp_path / "student")
        assert run(*shown, "--epochs", 1, "--width", 8)[0] == 0
        student, teacher = load_folder(tmp_path / "student"), load_folder(teachers["few"])
        assert student.subwords.model == teacher.subwords.model

    def test_another_cutter_is_refused_and_both_files_are_named(self, distil, teachers, tmp_path):
        own, other = teachers["a"] / "subwords.model", teachers["few"] / "subwords.model"
        assert_refused(distil("--teacher", teachers["a"], "--subwords", other), own, other)
        assert_refused(distil("--teacher", teachers["a"], teachers["few"]), own, other)
        assert not (tmp_path / "d.tsv").exists()

    def test_a_toy_model_with_own_text_and_a_text_model_without_it(self, distil, teachers):
        assert_refused(distil("--teacher", "teacher"), "teacher", "toy language")
        assert_refused(
            distil("--teacher", teachers["a"], text=()),
            teachers["a"] / "subwords.model",
            "--source",
        )

    def test_a_corpus_of_the_toy_language_has_no_cutter_beside_it(self, distil, teachers, tmp_path):
        assert (
            distil("--teacher", teachers["a"])[0] == 0 and (tmp_path / "d.subwords.model").exists()
        )
        assert distil("--teacher", "baseline", "--pairs", 5, "--beam", 1, text=())[0] == 0
        assert set(contents(tmp_path)) == {"d.tsv"}

    def test_unknown_tokens_are_pointed_out(self, distil, teachers, tmp_path):
        (tmp_path / "mono").write_text("zebra quartz\n", encoding="utf-8")
        assert (
            "of the source tokens are unknown to the teacher"
            in distil("--teacher", teachers["a"], "--input", tmp_path / "mono", text=())[2]
        )


class TestResume:
    @pytest.fixture(autouse=True)
    def small_parts(self, monkeypatch):
        monkeypatch.setattr(parts, "PART", 16)

    def interrupted(self, distil, monkeypatch, *arguments, part=3, **named):
        real, calls = labelling.translations, []

        def breaking(*given):
            calls.append(given)
            if len(calls) == part:
                raise KeyboardInterrupt
            return real(*given)

        with monkeypatch.context() as patched:
            patched.setattr(labelling, "translations", breaking)
            code, _, err = distil(*arguments, **named)
        assert code == 130 and "continues from there" in err

    @pytest.mark.parametrize("method", ["mode", "interpolated", "sampled"])
    def test_an_interrupt_leaves_no_mark(self, distil, teachers, tmp_path, monkeypatch, method):
        given = ("--teacher", teachers["a"], "--method", method, "--beam", 3)
        assert distil(*given, out="whole.tsv")[0] == 0
        self.interrupted(distil, monkeypatch, *given)
        assert not (tmp_path / "d.tsv").exists() and (tmp_path / "d.tsv.unfinished").exists()
        code, _, err = distil(*given)
        assert code == 0 and "32 of " in err and "goes on from them" in err
        assert (tmp_path / "d.tsv").read_bytes() == (tmp_path / "whole.tsv").read_bytes()
        assert not (tmp_path / "d.tsv.unfinished").exists()

    @pytest.mark.parametrize(
        "change",
        [
            ("--beam", 2),
            ("--length-penalty", 1),
            ("--seed", 2),
            ("--method", "sampled"),
            ("--pairs", 90),
            ("--teacher",),
        ],
        ids=lambda change: change[0],
    )
    def test_other_work_starts_from_scratch_and_says_so(
        self, distil, teachers, tmp_path, monkeypatch, change
    ):
        self.interrupted(distil, monkeypatch, "--teacher", teachers["a"])
        given = (
            (*change, teachers["b"])
            if change == ("--teacher",)
            else ("--teacher", teachers["a"], *change)
        )
        code, _, err = distil(*given)
        assert (
            code == 0
            and err.count("starts from scratch") == 1
            and str(tmp_path / "d.tsv.unfinished") in err
        )
        assert distil(*given, out="fresh.tsv")[0] == 0
        assert (tmp_path / "d.tsv").read_bytes() == (tmp_path / "fresh.tsv").read_bytes()

    def test_parts_change_nothing_but_the_draws(self, distil, teachers, tmp_path, monkeypatch):
        assert distil("--teacher", teachers["a"], out="parts.tsv")[0] == 0
        monkeypatch.setattr(parts, "PART", 1000)
        assert distil("--teacher", teachers["a"])[0] == 0
        assert [cells[1] for cells in rows_of(tmp_path / "d.tsv")] == [
            cells[1] for cells in rows_of(tmp_path / "parts.tsv")
        ]


class TestInput:
    MONO = (
        "the cat sees a dog\n\nthe cat sees a dog\n"
        + "old " * 150
        + "\na bird hears the old house\n"
    )

    @pytest.fixture
    def mono(self, tmp_path) -> Path:
        path = tmp_path / "mono.en"
        path.write_text(self.MONO, encoding="utf-8")
        return path

    def test_translates_what_is_left_after_cleaning(self, distil, teachers, mono, tmp_path):
        code, out, err = distil(
            "--teacher", teachers["a"], "--input", mono, "--length-penalty", 1, text=()
        )
        assert (
            code == 0
            and "input: 5 sentences read, 2 kept; dropped: 1 empty, 1 duplicate, 1 longer" in err
        )
        trained, made = load_folder(teachers["a"]), read_translated(tmp_path / "d.tsv")
        sources = [
            trained.encode(line) for line in ("the cat sees a dog", "a bird hears the old house")
        ]
        found = search(trained.model, sources, 5, 1, 1.0)
        expected = {source: n_best[0].tokens for source, n_best in zip(sources, found, strict=True)}
        assert made.target == tuple(expected[source] for source in made.source) and len(made) >= 1
        assert (
            "tokens per source token" in out
            and "training corpus" in out
            and "next: seqkd-lab train --add" in out
        )
        assert all(
            line.endswith("\t")
            for line in (tmp_path / "d.tsv").read_text(encoding="utf-8").splitlines()[1:]
        )
        assert (tmp_path / "d.subwords.model").read_bytes() == trained.subwords.model

    def test_a_student_learns_from_it_besides_the_rest(
        self, run, distil, teachers, files, mono, tmp_path
    ):
        given = ("--teacher", teachers["a"], "--input", mono, "--length-penalty", 1)
        assert distil(*given, out="mono.tsv", text=())[0] == 0
        assert distil("--teacher", teachers["a"])[0] == 0
        code, _, _ = run(
            "train",
            *SMALL,
            *files,
            "--distilled",
            tmp_path / "d.tsv",
            "--add",
            tmp_path / "mono.tsv",
            "--out",
            tmp_path / "student",
        )
        assert code == 0

    def test_packed_files_and_standard_input_are_read_alike(
        self, distil, teachers, mono, tmp_path, monkeypatch
    ):
        (tmp_path / "mono.gz").write_bytes(gzip.compress(mono.read_bytes()))
        monkeypatch.setattr(
            "sys.stdin", SimpleNamespace(buffer=io.BufferedReader(io.BytesIO(mono.read_bytes())))
        )
        for number, name in enumerate((mono, tmp_path / "mono.gz", "-")):
            given = ("--teacher", teachers["a"], "--input", name, "--length-penalty", 1)
            assert distil(*given, text=(), out=f"{number}.tsv")[0] == 0
        assert len({(tmp_path / f"{number}.tsv").read_bytes() for number in range(3)}) == 1

    def test_draws_are_possible_and_likeness_to_gold_is_not(self, distil, teachers, mono):
        assert distil("--teacher", teachers["a"], "--input", mono, "--method", "sampled", text=())[
            0
        ] in (0, 2)
        assert_refused(
            distil(
                "--teacher", teachers["a"], "--input", mono, "--method", "interpolated", text=()
            ),
            "interpolated",
            "gold",
        )

    @pytest.mark.parametrize(
        "given",
        [
            ("--pairs", 3),
            ("--preset", "quick"),
            ("--vocabulary", 9),
            ("--subwords", "x"),
            ("--test-source", "x"),
            ("--text", "TEXT"),
        ],
    )
    def test_options_of_pairs_are_refused(self, distil, teachers, mono, files, given):
        given = (
            ("--text", text_folder(mono.with_name("text"), files))
            if given[0] == "--text"
            else given
        )
        assert_refused(
            distil("--teacher", teachers["a"], "--input", mono, *given, text=()),
            given[0],
            "--input",
        )

    @pytest.mark.parametrize(
        ("content", "words"),
        [
            (b"", ("mono.en:1", "empty")),
            (b" \n\n", ("mono.en:1",)),
            (b"ok\n\xff\n", ("mono.en:2", "UTF-8")),
            (None, ("mono.en", "no such file")),
        ],
    )
    def test_text_that_cannot_be_read_is_named(self, distil, teachers, mono, content, words):
        mono.unlink()
        if content is not None:
            mono.write_bytes(content)
        assert_refused(distil("--teacher", teachers["a"], "--input", mono, text=()), *words)


class TestTextFolder:
    def test_a_folder_stands_for_the_six_files_and_the_next_command_names_it(
        self, distil, teachers, files, tmp_path
    ):
        folder = text_folder(tmp_path / "text", files)
        assert distil("--teacher", teachers["a"], out="six.tsv")[0] == 0
        code, out, _ = distil("--teacher", teachers["a"], "--text", folder, text=())
        assert code == 0 and f"--text {folder}" in out.splitlines()[-1]
        assert (tmp_path / "d.tsv").read_bytes() == (tmp_path / "six.tsv").read_bytes()

    def test_some_of_the_six_files(self, distil, teachers, files):
        assert_refused(distil("--teacher", teachers["a"], text=files[2:]), "missing: --source")


class TestSeveralTeachers:
    def test_the_same_one_twice_is_that_one(self, distil, teachers, tmp_path):
        assert distil("--teacher", teachers["a"], out="one.tsv")[0] == 0
        assert distil("--teacher", teachers["a"], teachers["a"])[0] == 0
        one, twice = (rows_of(tmp_path / name) for name in ("one.tsv", "d.tsv"))
        assert [cells[:2] for cells in one] == [cells[:2] for cells in twice]
        assert [float(cells[2]) for cells in one] == pytest.approx(
            [float(cells[2]) for cells in twice], abs=1e-3
        )

    @pytest.mark.parametrize("other", ["b", "t"])
    def test_two_write_what_neither_writes_alone(self, distil, teachers, tmp_path, other):
        for name, given in (("a", "a"), ("b", other)):
            assert distil("--teacher", teachers[given], out=f"{name}.tsv")[0] == 0
        assert distil("--teacher", teachers["a"], teachers[other])[0] == 0
        texts = {(tmp_path / name).read_bytes() for name in ("a.tsv", "b.tsv", "d.tsv")}
        assert len(texts) == 3

    def test_rows_of_the_table(self, distil, tmp_path):
        assert distil("--teacher", "teacher", "seq-kd", "--pairs", 3, "--beam", 1, text=())[0] == 0
        assert len(rows_of(tmp_path / "d.tsv")) == 3

    def test_other_vocabularies_are_refused_by_name(self, run, distil, teachers, files, tmp_path):
        given = (
            "--subwords",
            teachers["a"] / "subwords.model",
            "--pairs",
            8,
            "--out",
            tmp_path / "words",
        )
        assert run("train", *SMALL, *files, *given)[0] == 0
        assert_refused(
            distil("--teacher", teachers["a"], tmp_path / "words"),
            teachers["a"],
            tmp_path / "words",
            "vocabularies",
        )


class TestRefusals:
    def test_what_is_read_is_not_written_over(self, distil, teachers, files, tmp_path):
        source = files[1]
        (tmp_path / "link").symlink_to(source)
        os.link(source, tmp_path / "another name")
        before = Path(source).read_bytes()
        assert_refused(distil("--teacher", teachers["a"], out="link"), "--out", "this is a link")
        assert_refused(
            distil("--teacher", teachers["a"], out="another name"),
            "--out",
            "this file is also an input",
        )
        assert_refused(
            distil("--teacher", teachers["a"], "--input", source, out="another name", text=()),
            "would be lost",
        )
        assert Path(source).read_bytes() == before

    def test_a_parent_that_is_missing_is_made(self, distil, teachers, tmp_path):
        assert distil("--teacher", teachers["a"], out="new/er/d.tsv")[0] == 0
        assert set(contents(tmp_path / "new" / "er")) == {"d.tsv", "d.subwords.model"}


def test_a_file_that_is_no_distilled_corpus_is_not_replaced(capsys, tmp_path):
    description = tmp_path / "model.json"
    description.write_text("{}", encoding="utf-8")
    assert main(["distil", "--teacher", "teacher", "--pairs", "2", "--out", str(description)]) == 2
    assert "not a distilled corpus" in capsys.readouterr().err
    assert description.read_text(encoding="utf-8") == "{}"
