"""`seqkd-lab train` as a person types it: one cutter, one run in a folder, no model of a training
that diverged."""

from __future__ import annotations

import json
import re
import shutil
from pathlib import Path

import pytest
import torch
from typed import SMALL, assert_refused, contents, own_text, typed

from seqkd_lab.cli import main, paths
from seqkd_lab.cli.commands import train as command
from seqkd_lab.corpus.subwords import SubwordTokeniser
from seqkd_lab.finite import DivergenceError
from seqkd_lab.models.checkpoint import load_model, load_tensors, save_tensors
from seqkd_lab.models.folder import load_folder
from seqkd_lab.runs.presets import PRESETS
from seqkd_lab.runs.recipes import BASELINE, ToyData, table_recipes
from seqkd_lab.runs.schedule import _raise_as
from seqkd_lab.runs.tasks import Train
from seqkd_lab.trainer import Trainer

pytestmark = pytest.mark.filterwarnings(
    "ignore:the teacher wrote"
)  # a tiny teacher writes a wrong length
TOY = ("--pairs", "30", "--width", "8", "--epochs", "1")
WORD_KD = ("--objective", "word-kd", "--teacher")


@pytest.fixture(scope="module")
def folder(tmp_path_factory) -> Path:
    return tmp_path_factory.mktemp("train")


@pytest.fixture(scope="module")
def text(folder) -> tuple[str, ...]:
    return (*SMALL, "--vocabulary", "60", *own_text(folder / "six"))


@pytest.fixture
def train(capsys, folder, tmp_path):
    """Trains into tmp_path / `out`."""

    def run(*arguments, out="m"):
        return typed(
            capsys, "--store", folder / "store", "train", "--out", tmp_path / out, *arguments
        )

    return run


@pytest.fixture
def distil(capsys, folder, tmp_path):
    def run(*arguments, out="d.tsv"):
        return typed(
            capsys, "--store", folder / "store", "distil", "--out", tmp_path / out, *arguments
        )

    return run


def files_of(text: tuple[str, ...]) -> tuple[str, ...]:
    """The six files alone."""
    return text[text.index("--source") :]


def same_weights(a: Path, b: Path) -> bool:
    own, other = load_model(a).state_dict(), load_model(b).state_dict()
    return own.keys() == other.keys() and all(torch.equal(own[name], other[name]) for name in own)


class TestOneCutter:
    def test_a_student_of_words_learns_and_keeps_the_teachers_cutter(self, train, text, tmp_path):
        assert train(*text, "--as-teacher", out="t")[0] == 0
        code, out, _ = train(*SMALL, *files_of(text), *WORD_KD, tmp_path / "t")
        assert code == 0 and "next: seqkd-lab translate" in out
        teacher, student = load_folder(tmp_path / "t"), load_folder(tmp_path / "m")
        assert student.subwords.model == teacher.subwords.model and len(teacher.subwords) <= 60
        assert student.model.source_vocabulary == teacher.model.source_vocabulary
        known = set(student.model.source_vocabulary.tokens)
        lines = Path(files_of(text)[1]).read_text(encoding="utf-8").splitlines()
        assert all(set(student.encode(line)) <= known for line in lines)

    def test_a_student_of_a_distilled_corpus_keeps_its_cutter(self, train, distil, text, tmp_path):
        assert train(*text, "--as-teacher", out="t")[0] == 0
        assert distil("--teacher", tmp_path / "t", *files_of(text))[0] == 0
        assert train(*SMALL, *files_of(text), "--distilled", tmp_path / "d.tsv")[0] == 0
        names = ("t/subwords.model", "d.subwords.model", "m/subwords.model")
        assert len({(tmp_path / name).read_bytes() for name in names}) == 1

    def test_cutters_that_disagree_are_refused_and_both_are_named(
        self, train, distil, text, tmp_path
    ):
        own = tmp_path / "own.model"
        own.write_bytes(SubwordTokeniser.train(["completely different words here"], 30).model)
        for name, size in (("t", "60"), ("other", "50")):
            assert train(*text, "--as-teacher", "--vocabulary", size, out=name)[0] == 0
        assert distil("--teacher", tmp_path / "t", *files_of(text))[0] == 0
        table, beside, other = (
            tmp_path / "d.tsv",
            tmp_path / "d.subwords.model",
            tmp_path / "other/subwords.model",
        )
        given = (*SMALL, *files_of(text))
        assert_refused(
            train(*given, *WORD_KD, tmp_path / "other", "--distilled", table), other, beside
        )
        assert_refused(
            train(*given, *WORD_KD, tmp_path / "t", tmp_path / "other"), tmp_path / "t", other
        )
        assert_refused(train(*given, "--distilled", table, "--subwords", own), own, beside)
        assert_refused(train(*given, "--add", table, "--subwords", own), own, beside)
        assert_refused(train(*given, *WORD_KD, tmp_path / "other", "--subwords", own), own, other)
        assert not (tmp_path / "m" / "model.json").exists()

    def test_a_toy_model_with_own_text_and_a_text_model_without_its_files(
        self, train, text, tmp_path
    ):
        assert train(*TOY, out="toy")[0] == 0 and train(*text, out="t")[0] == 0
        assert_refused(train(*text, *WORD_KD, tmp_path / "toy"), tmp_path / "toy", "toy language")
        assert_refused(train(*text, *WORD_KD, "teacher"), "teacher", "toy language")
        assert_refused(
            train(*TOY, *WORD_KD, tmp_path / "t"), tmp_path / "t" / "subwords.model", "--source"
        )
        assert_refused(train(*TOY, *WORD_KD, "teacher", tmp_path / "t"), "teacher", tmp_path / "t")
        assert_refused(train(*text, *WORD_KD, "parrot"), "parrot", "neither")

    def test_a_text_model_then_a_toy_model_in_one_folder(self, train, text, tmp_path):
        assert train(*text)[0] == 0 and (tmp_path / "m" / "subwords.model").exists()
        assert train(*TOY)[0] == 0
        assert set(contents(tmp_path / "m")) == {"model.json", "model.safetensors", "history.json"}
        assert load_folder(tmp_path / "m").subwords is None


LONG = ("--epochs", "4", "--dropout", "0.1")


@pytest.fixture(scope="module")
def left_over(folder, text) -> Path:
    """A run that was interrupted in its third epoch, and beside it a teacher t and what it
    distilled, d.tsv."""
    n, real = 0, Trainer.run_epoch

    def run_epoch(own, callbacks=()):
        nonlocal n
        n += 1
        if n == 3:
            raise KeyboardInterrupt
        return real(own, callbacks)

    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(Trainer, "run_epoch", run_epoch)
        assert (
            main(
                [
                    "--store",
                    str(folder / "store"),
                    "train",
                    "--out",
                    str(folder / "left"),
                    *text,
                    *LONG,
                ]
            )
            == 130
        )
    main(["--store", str(folder / "store"), "train", "--out", str(folder / "t"), *text])
    with pytest.warns(UserWarning, match="the teacher wrote"):
        main(
            [
                "--store",
                str(folder / "store"),
                "distil",
                "--teacher",
                str(folder / "t"),
                "--out",
                str(folder / "d.tsv"),
                *files_of(text),
            ]
        )
    return folder / "left"


class TestUnfinished:
    @pytest.fixture
    def found(self, left_over, tmp_path, monkeypatch) -> Path:
        """The interrupted run in tmp_path / "m"; relative paths are those beside it."""
        monkeypatch.chdir(left_over.parent)
        return Path(shutil.copytree(left_over, tmp_path / "m"))

    @pytest.fixture
    def begins(self, train, monkeypatch):
        """Says what a command prints until its training begins, which does not take place."""

        def begin(*arguments) -> str:
            def stop(*_, **__):
                raise KeyboardInterrupt

            with monkeypatch.context() as patched:
                patched.setattr(command, "train", stop)
                code, _, err = train(*arguments)
            assert code == 130 and "Traceback" not in err
            return err

        return begin

    def test_the_same_command_goes_on_and_ends_with_the_same_model(
        self, train, found, text, tmp_path
    ):
        code, _, err = train(*text, *LONG)
        assert code == 0 and "continuing after epoch 2" in err and "from scratch" not in err
        assert train(*text, *LONG, out="whole")[0] == 0
        assert same_weights(tmp_path / "whole", tmp_path / "m")
        assert not (tmp_path / "m" / "unfinished").exists()

    @pytest.mark.parametrize(
        "change",
        [
            ("--width", 10),
            ("--seed", 2),
            ("--learning-rate", 0.02),
            ("--pairs", 50),
            ("--epochs", 3),
            ("--dropout", 0.2),
            ("--batch-size", 20),
            ("--patience", 5),
            ("--best-by", "loss"),
            ("--preset", "transformer"),
            ("--as-teacher",),
            ("--vocabulary", 50),
            (*WORD_KD, "t"),
            ("--distilled", "d.tsv"),
            ("--add", "d.tsv"),
        ],
        ids=lambda change: change[0],
    )
    def test_any_other_run_starts_from_scratch_and_says_so(self, begins, found, text, change):
        err = begins(*text, *LONG, *change)
        assert err.count("starts from scratch") == 1 and str(found / "unfinished") in err, err
        assert list((found / "unfinished").iterdir()) == []

    @pytest.mark.parametrize("change", [("--width", 10), ("--seed", 2), ("--distilled", "d.tsv")])
    def test_and_ends_with_the_model_of_a_fresh_folder(self, train, found, text, tmp_path, change):
        assert train(*text, *LONG, *change)[0] == train(*text, *LONG, *change, out="fresh")[0] == 0
        assert same_weights(found, tmp_path / "fresh")

    def test_other_files_under_the_same_names_have_another_key(
        self, begins, found, left_over, text, tmp_path
    ):
        shutil.copytree(left_over.parent / "t", tmp_path / "t")
        for name in ("d.tsv", "d.subwords.model"):
            shutil.copy(left_over.parent / name, tmp_path / name)
        by_words, by_sentences = (*WORD_KD, tmp_path / "t"), ("--distilled", tmp_path / "d.tsv")
        keys = []
        for edit in (None, tmp_path / "t" / "model.safetensors", tmp_path / "d.tsv"):
            if edit is not None and edit.suffix == ".tsv":
                lines = edit.read_text(encoding="utf-8").split("\n")
                edit.write_text(
                    "\n".join([*lines[:-1], ""]).replace("\t▁", "\t▁die ▁", 1), encoding="utf-8"
                )
            elif edit is not None:
                weights = load_tensors(edit)
                save_tensors(edit, {name: tensor + 1e-3 for name, tensor in weights.items()})
            keys.append(
                [self.key_of(begins, *text, *LONG, *how) for how in (by_words, by_sentences)]
            )
        assert keys[0][0] != keys[1][0] and keys[0][1] == keys[1][1]  # the teacher has changed
        assert keys[1][0] == keys[2][0] and keys[1][1] != keys[2][1]  # the corpus has

    def key_of(self, begins, *arguments) -> str:
        """The key that a command asks for."""
        asked = []
        with pytest.MonkeyPatch.context() as patched:
            patched.setattr(command, "settle", lambda directory, key: asked.append(key))
            begins(*arguments)
        return asked[0]

    @pytest.mark.parametrize(
        ("name", "content"),
        [
            ("resume.json", b"{"),
            ("resume.json", b"[]"),
            ("resume.json", b"\xff"),
            ("resume.json", {"key": None}),
            ("resume.json", {"epoch": None}),
            ("resume.json", {"epoch": "x"}),
            ("resume.json", {"tensors": 3}),
            ("epoch-2.safetensors", b"damaged"),
            ("epoch-2.safetensors", b""),
        ],
    )
    def test_what_is_damaged_or_of_an_earlier_version_starts_from_scratch(
        self, begins, found, text, name, content
    ):
        path = found / "unfinished" / name
        if isinstance(content, dict):
            saved = json.loads(path.read_text(encoding="utf-8")) | content
            content = json.dumps(
                {part: value for part, value in saved.items() if value is not None}
            ).encode()
        path.write_bytes(content)
        assert "starts from scratch" in begins(*text, *LONG)
        assert list((found / "unfinished").iterdir()) == []


class TestDivergence:
    @pytest.mark.parametrize(
        "given", [("--learning-rate", 1e30), ("--preset", "transformer", "--learning-rate", 1e25)]
    )
    def test_it_ends_with_advice_and_no_model(self, train, text, tmp_path, given):
        code, out, err = train(*text, *given)
        assert (
            (code, out) == (2, "")
            and "diverged" in err
            and "--learning-rate" in err
            and "Traceback" not in err
        )
        assert not [file for file in (tmp_path / "m").rglob("*") if file.is_file()]

    def test_an_earlier_model_stays_whole(self, train, text, tmp_path):
        assert train(*text)[0] == 0
        before = contents(tmp_path / "m")
        assert train(*text, "--learning-rate", 1e30)[0] == 2
        assert contents(tmp_path / "m") == before

    def test_a_worker_names_its_task_and_it_stays_a_divergence(self):
        task = Train(table_recipes(ToyData(), PRESETS["toy"], 3)[BASELINE])
        with pytest.raises(DivergenceError, match=r"train baseline \(seed 3\): too fast"):
            _raise_as(task, DivergenceError("too fast"))

    def test_worse_than_guessing_is_pointed_out(self, train, text):
        code, _, err = train(*text, "--learning-rate", 3, "--epochs", 2)
        assert code == 0 and "worse than that of guessing" in err


class TestBestEpoch:
    def history(self, tmp_path) -> dict:
        return json.loads((tmp_path / "m" / "history.json").read_text(encoding="utf-8"))

    @pytest.mark.parametrize("by", ["loss", "bleu"])
    def test_the_kept_epoch_is_the_best_and_is_said(self, train, text, tmp_path, by):
        code, out, _ = train(*text, "--epochs", 6, "--learning-rate", 0.1, "--best-by", by)
        history = self.history(tmp_path)
        scores = (
            history["valid_bleu"] if by == "bleu" else [-loss for loss in history["valid_loss"]]
        )
        kept = scores.index(max(scores)) + 1
        assert code == 0 and history["kept_epoch"] == kept and f"epoch {kept} of 6 kept" in out
        assert f"validation NLL {history['valid_loss'][kept - 1]:.3f}" in out
        assert ("BLEU" in out) == (by == "bleu") == ("valid_bleu" in history)

    def test_patience_stops_early(self, train, text, tmp_path):
        out = train(*text, "--epochs", 30, "--learning-rate", 0.3, "--patience", 1)[1]
        n_epochs = len(self.history(tmp_path)["valid_loss"])
        assert n_epochs < 30 and f"epoch {n_epochs - 1} of {n_epochs} kept" in out

    def test_a_distilled_students_loss_on_gold_is_no_judge_and_this_is_said(
        self, train, distil, text, tmp_path
    ):
        assert train(*text, out="t")[0] == 0
        assert distil("--teacher", tmp_path / "t", *files_of(text))[0] == 0
        given = (*text, "--distilled", tmp_path / "d.tsv", "--learning-rate", 0.5)
        for how, said in (
            ((), False),
            (("--patience", 2), True),
            (("--best-by", "loss"), True),
            (("--patience", 2, "--best-by", "bleu"), False),
        ):
            code, _, err = train(*given, *how)
            assert (
                code == 0
                and ("--best-by bleu judges it better" in err) == said
                and "guessing" not in err
            )

    def test_what_a_teacher_was_trained_on_is_kept_with_it(self, train, text, tmp_path):
        assert train(*text, "--pairs", 40)[0] == 0
        known = self.history(tmp_path)["trained_on"]
        assert (
            known["n_pairs"] == 40
            and known["preset"] == "quick"
            and known["tokens_per_source_token"] > 0
        )


class TestWhatItLearnsFrom:
    def test_added_pairs_are_learned_from_besides(self, train, distil, text, tmp_path):
        assert train(*text, out="t")[0] == 0
        (tmp_path / "mono.en").write_text(
            "the cat sees a dog\n" * 3 + "a bird hears the cat\n", encoding="utf-8"
        )
        assert distil("--teacher", tmp_path / "t", "--input", tmp_path / "mono.en", out="mono.tsv")[
            0
        ] in (0, 2)
        rows = ["source\ttarget\tlog_prob\tsimilarity", "▁the\t▁die\t-1.0\t", "▁a\t▁eine\t-1.0\t"]
        (tmp_path / "mono.tsv").write_text("\n".join(rows) + "\n", encoding="utf-8")
        assert train(*text, "--add", tmp_path / "mono.tsv")[0] == 0
        assert train(*text, out="gold")[0] == 0
        n_tokens = [
            json.loads((tmp_path / name / "history.json").read_text(encoding="utf-8"))["n_tokens"][
                0
            ]
            for name in ("m", "gold")
        ]
        assert n_tokens[0] == n_tokens[1] + 4  # each of the two targets has a token and EOS

    def test_a_corpus_of_the_first_pairs_will_do_and_another_will_not(
        self, train, distil, text, tmp_path
    ):
        assert train(*text, out="t")[0] == 0
        assert distil("--teacher", tmp_path / "t", "--pairs", 40, *files_of(text))[0] == 0
        code, _, err = train(*text, "--distilled", tmp_path / "d.tsv")
        assert code == 0 and re.search(r"d\.tsv: contains the first 40 of \d+ pairs", err)
        lines = (tmp_path / "d.tsv").read_text(encoding="utf-8").splitlines()
        (tmp_path / "d.tsv").write_text("\n".join([lines[0], *lines[2:]]) + "\n", encoding="utf-8")
        assert_refused(train(*text, "--distilled", tmp_path / "d.tsv"), "d.tsv:2", "other pairs")

    def test_two_teachers_of_two_architectures(self, train, text, tmp_path):
        assert train(*text, out="a")[0] == 0
        assert train(*text, "--preset", "transformer", "--width", 8, out="b")[0] == 0
        assert train(*text, *WORD_KD, tmp_path / "a", tmp_path / "b")[0] == 0
        for teacher in ("a", "b"):
            assert train(*text, *WORD_KD, tmp_path / teacher, out=f"of-{teacher}")[0] == 0
            assert not same_weights(tmp_path / "m", tmp_path / f"of-{teacher}")
        assert train(*text, *WORD_KD, tmp_path / "a", tmp_path / "a", out="twice")[0] == 0
        own, other = (load_model(tmp_path / name) for name in ("of-a", "twice"))
        assert all(
            torch.allclose(a, b, atol=1e-3)
            for a, b in zip(own.parameters(), other.parameters(), strict=True)
        )


class TestRefusals:
    def test_a_folder_that_may_not_be_written_to(self, train, tmp_path, monkeypatch):
        def refused(*arguments, **named):
            raise PermissionError(13, "Permission denied", str(tmp_path / "m" / ".writable-x"))

        monkeypatch.setattr(paths.tempfile, "NamedTemporaryFile", refused)
        assert_refused(train(*TOY), f"--out {tmp_path / 'm'}", "Permission denied")
