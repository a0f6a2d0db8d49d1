"""`seqkd-lab corpus encode`, and trainings from its folder, as a person types them."""

from __future__ import annotations

import gzip
from pathlib import Path

import pytest
import torch
from typed import SMALL, assert_refused, contents, own_text, typed

from seqkd_lab.corpus.mapped import text as text_parts
from seqkd_lab.models.checkpoint import load_model

SIZE = ("--vocabulary", "60")


@pytest.fixture(scope="module")
def text(tmp_path_factory) -> tuple[str, ...]:
    return own_text(tmp_path_factory.mktemp("texts") / "six files")


@pytest.fixture
def run(capsys, tmp_path):
    def command(*arguments):
        return typed(capsys, "--store", tmp_path / "store", *arguments)

    return command


@pytest.fixture
def folder(run, text, tmp_path) -> Path:
    """An encoded corpus, in a folder with an odd name."""
    out = tmp_path / "a körpus"
    code, _, err = run("corpus", "encode", *text, *SIZE, "--out", out, "--workers", 1)
    assert code == 0, err
    return out


def same_weights(a: Path, b: Path) -> bool:
    own, other = load_model(a).state_dict(), load_model(b).state_dict()
    return own.keys() == other.keys() and all(torch.equal(own[name], other[name]) for name in own)


@pytest.mark.slow
def test_a_student_of_the_folder_is_the_student_of_the_text(run, text, folder, tmp_path):
    assert run("train", *SMALL, *text, *SIZE, "--out", tmp_path / "of text")[0] == 0
    code, out, err = run("train", *SMALL, "--corpus", folder, "--out", tmp_path / "of ids")
    assert code == 0, err
    assert same_weights(tmp_path / "of text", tmp_path / "of ids")
    assert f"--input '{folder / 'test.source'}'" in out
    names = ("model.safetensors", "history.json", "subwords.model")
    own, other = contents(tmp_path / "of text"), contents(tmp_path / "of ids")
    assert all(own[name] == other[name] for name in names if name != "history.json")


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore:the teacher wrote")
def test_a_student_of_a_distilled_corpus_is_the_same_too(run, text, folder, tmp_path):
    teacher, table = tmp_path / "teacher", tmp_path / "d.tsv"
    trained = run("train", *SMALL, "--corpus", folder, "--as-teacher", "--out", teacher)
    assert trained[0] == 0 and f"--corpus '{folder}'" in trained[1]
    distil = ("distil", "--teacher", teacher, "--beam", 2)
    assert run(*distil, *text, "--out", table)[0] == 0
    code, out, err = run(*distil, "--corpus", folder, "--out", tmp_path / "of ids.tsv")
    assert code == 0 and f"--corpus '{folder}'" in out, err
    assert (tmp_path / "of ids.tsv").read_bytes() == table.read_bytes()
    learn = ("train", *SMALL, "--distilled", table)
    assert run(*learn, *text, "--out", tmp_path / "of text")[0] == 0
    for name in ("made", "there already"):
        code, _, err = run(*learn, "--corpus", folder, "--out", tmp_path / name)
        assert code == 0, err
        assert same_weights(tmp_path / "of text", tmp_path / name)
    assert (tmp_path / "d.tsv.ids" / "log_probs.npy").exists()
    lines = table.read_text().splitlines()
    table.write_text("\n".join([*lines[:3], lines[3].replace("\t", "x\t", 1), *lines[4:]]) + "\n")
    refused = run(*learn, "--corpus", folder, "--out", tmp_path / "another")
    assert_refused(refused, f"{table}:4: expected the source")


def test_word_kd_learns_from_the_folder(run, folder, tmp_path):
    teacher = tmp_path / "teacher"
    assert run("train", *SMALL, "--corpus", folder, "--as-teacher", "--out", teacher)[0] == 0
    of_teacher = ("--objective", "word-kd", "--teacher", teacher)
    outcome = run("train", *SMALL, "--corpus", folder, *of_teacher, "--out", tmp_path / "s")
    assert outcome[0] == 0, outcome[2]


@pytest.mark.slow
def test_two_workers_and_packed_text_make_the_same_folder(run, text, folder, tmp_path, monkeypatch):
    """The bytes do not depend on who works, nor on how a text is packed."""
    packed = []
    for option, path in zip(text[::2], text[1::2], strict=True):
        copy = tmp_path / f"{Path(path).name}.gz"
        copy.write_bytes(gzip.compress(Path(path).read_bytes()))
        packed += [option, copy]
    outs = {"two": (text, 2), "gz": (packed, 1)}
    for name, (files, workers) in outs.items():
        encode = ("corpus", "encode", *files, *SIZE, "--workers", workers)
        assert run(*encode, "--out", tmp_path / name)[0] == 0
    own = contents(folder)
    assert own == contents(tmp_path / "two")
    own.pop("corpus.json")  # names the text by its bytes
    packed_contents = contents(tmp_path / "gz")
    assert own == {name: packed_contents[name] for name in own}


def test_what_is_there_is_left_alone(run, text, folder):
    before = contents(folder)
    code, _, err = run("corpus", "encode", *text, *SIZE, "--out", folder)
    assert code == 0 and "is there already" in err
    assert_refused(run("corpus", "encode", *text, "--out", folder), folder, "another text")
    assert contents(folder) == before
    (folder / "corpus.json").unlink()
    assert_refused(run("corpus", "encode", *text, *SIZE, "--out", folder), folder, "delete it")


def test_where_nothing_can_be_written_is_refused_before_the_work(run, text, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert_refused(run("corpus", "encode", *text, "--out", "/proc/x"), "/proc", "cannot write")
    assert_refused(run("corpus", "encode", *text, "--out", "."), "the current folder")


def test_options_that_cannot_stand_beside_a_folder_are_refused(run, text, folder, tmp_path):
    train = ("train", *SMALL, "--corpus", folder, "--out", tmp_path / "m")
    assert_refused(run(*train, *text), "--source cannot be combined with --corpus", folder)
    assert_refused(run(*train, "--vocabulary", 60), "--vocabulary cannot be combined")
    table = tmp_path / "more.tsv"
    table.write_text("source\ttarget\tlog_prob\tsimilarity\na\tb\t-1\t\n")
    assert_refused(run(*train, "--add", table), "--add cannot be combined with --corpus")
    nowhere = tmp_path / "nowhere"
    assert_refused(
        run("train", *SMALL, "--corpus", nowhere, "--out", tmp_path / "m"), nowhere, "corpus encode"
    )
    assert_refused(run("corpus", "encode", "--out", tmp_path / "x"), "--text")


def test_a_teacher_with_other_subwords_is_refused(run, text, folder, tmp_path):
    teacher = tmp_path / "teacher"
    assert run("train", *SMALL, *text, "--vocabulary", 70, "--out", teacher)[0] == 0
    train = ("train", *SMALL, "--corpus", folder, "--objective", "word-kd", "--teacher", teacher)
    assert_refused(run(*train, "--out", tmp_path / "m"), folder, "different subword models")


def test_fewer_pairs_than_the_folder_has(run, folder, tmp_path):
    train = ("train", *SMALL, "--corpus", folder, "--pairs", 30, "--out", tmp_path / "m")
    assert run(*train)[0] == 0
    assert '"n_pairs": 30' in (tmp_path / "m" / "history.json").read_text()


@pytest.mark.parametrize("split", range(2))
def test_a_line_that_is_no_text_is_named(run, text, tmp_path, split, monkeypatch):
    monkeypatch.setattr(text_parts, "PART_LINES", 10)
    path = Path(text[1 + 2 * split])
    lines = path.read_bytes().split(b"\n")
    lines[33] = b"\xff"
    broken = tmp_path / "broken"
    broken.write_bytes(b"\n".join(lines))
    files = [str(broken) if part == str(path) else part for part in text]
    for workers in (1, 2):
        encode = ("corpus", "encode", *files, *SIZE, "--workers", workers)
        assert_refused(run(*encode, "--out", tmp_path / "x"), f"{broken}:34: not UTF-8")


def test_texts_that_do_not_fit_are_refused_before_the_work(run, text, tmp_path):
    source, target = Path(text[1]), Path(text[3])
    short, empty = tmp_path / "short", tmp_path / "empty"
    short.write_text("\n".join(target.read_text().splitlines()[:-2]) + "\n")
    empty.write_text("\n \n")
    n = len(source.read_text().splitlines())
    for path, said in ((short, f"{source}:{n - 1}: line without a partner"), (empty, f"{empty}:1")):
        files = [str(path) if part == str(target) else part for part in text]
        outcome = run("corpus", "encode", *files, *SIZE, "--out", tmp_path / "x", "--workers", 1)
        assert_refused(outcome, said)
