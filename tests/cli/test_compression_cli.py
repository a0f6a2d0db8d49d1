"""`seqkd-lab prune`, `table2` and `table3` as a person types them: what they write, and what they
refuse."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from synthetic_speed import speeds, whole
from synthetic_table3 import table3_of, write_rows
from typed import SMALL, own_text

from seqkd_lab.cli import main
from seqkd_lab.cli.commands import prune
from seqkd_lab.compression.pruning import METHODS, n_nonzero
from seqkd_lab.corpus.subwords import SubwordTokeniser
from seqkd_lab.models.checkpoint import load_model
from seqkd_lab.runs.committed import checkpoint_directory, load_committed
from seqkd_lab.studies import speed
from seqkd_lab.studies.pruning import study as pruning
from seqkd_lab.studies.pruning.recipes import PRUNING
from seqkd_lab.training import train


def run(capsys, *arguments) -> tuple[int, str, str]:
    """Exit code, stdout and stderr of a command line."""
    try:
        code = main([str(argument) for argument in arguments])
    except SystemExit as stop:
        code = stop.code
    return code, *capsys.readouterr()


def assert_refused(found: tuple[int, str, str], *words: str) -> None:
    code, out, err = found
    assert code == 2 and out == "" and "Traceback" not in err
    assert all(word in err for word in words), err


@pytest.fixture
def pruned(tmp_path) -> Path:
    return tmp_path / "pruned"


class TestPrune:
    @pytest.mark.parametrize("method", METHODS)
    def test_writes_a_folder_that_translates_and_holds_only_what_is_left(
        self, capsys, pruned, method
    ):
        code, out, _ = run(
            capsys, "prune", "--share", 0.3, "--method", method, "--epochs", 0, "--out", pruned
        )
        model, before = load_model(pruned), load_committed(checkpoint_directory("seq-kd"))
        assert code == 0 and n_nonzero(model) == model.n_parameters() - round(
            0.3 * model.n_parameters()
        )
        assert f"{n_nonzero(model):,} of {n_nonzero(before):,}" in out and "decoder" in out
        code, out, _ = run(
            capsys, "translate", "the old teacher sold the sofa .", "--model", pruned, "--beam", 2
        )
        assert code == 0 and len(out.splitlines()) == 4

    def test_dense_and_sparse_files_hold_the_same(self, capsys, tmp_path):
        for name, how in (("sparse", []), ("dense", ["--dense"])):
            assert (
                run(capsys, "prune", "--share", 0.8, "--epochs", 0, "--out", tmp_path / name, *how)[
                    0
                ]
                == 0
            )
        sparse, dense = (load_model(tmp_path / name).state_dict() for name in ("sparse", "dense"))
        assert all(sparse[name].equal(dense[name]) for name in dense)
        sizes = {
            name: (tmp_path / name / "model.safetensors").stat().st_size
            for name in ("sparse", "dense")
        }
        assert sizes["sparse"] < sizes["dense"] / 2

    def test_prunes_a_little_retrains_and_again(self, capsys, pruned):
        given = (
            "prune",
            "--share",
            0.5,
            "--steps",
            2,
            "--epochs",
            1,
            "--pairs",
            60,
            "--out",
            pruned,
        )
        code, _, err = run(capsys, *given)
        model = load_model(pruned)
        assert code == 0 and n_nonzero(model) == model.n_parameters() - round(
            0.5 * model.n_parameters()
        )
        history = json.loads((pruned / "history.json").read_text(encoding="utf-8"))
        assert [round(step["share"], 3) for step in history] == [0.293, 0.5]
        assert all(len(step["valid_loss"]) == 1 for step in history) and "29%" in err
        assert not list(pruned.glob("unfinished*/*"))

    def test_retraining_moves_what_is_left(self, capsys, tmp_path):
        for name, epochs in (("only", 0), ("again", 1)):
            given = (
                "prune",
                "--share",
                0.5,
                "--epochs",
                epochs,
                "--pairs",
                300,
                "--out",
                tmp_path / name,
            )
            assert run(capsys, *given)[0] == 0
        only, again = (load_model(tmp_path / name) for name in ("only", "again"))
        moved = [not a.equal(b) for a, b in zip(only.parameters(), again.parameters(), strict=True)]
        assert any(moved)
        assert all(
            ((a == 0) <= (b == 0)).all()
            for a, b in zip(only.parameters(), again.parameters(), strict=True)
        )

    def test_interrupted_between_two_retrainings_the_same_command_ends_with_the_same_model(
        self, capsys, tmp_path, monkeypatch
    ):
        given = ("prune", "--share", 0.5, "--steps", 2, "--epochs", 1, "--pairs", 300)
        assert run(capsys, *given, "--out", tmp_path / "whole")[0] == 0
        real, calls = prune.train, []

        def interrupted(*arguments, **named):
            calls.append(arguments)
            if len(calls) == 2:
                raise KeyboardInterrupt
            return real(*arguments, **named)

        monkeypatch.setattr(prune, "train", interrupted)
        code, _, err = run(capsys, *given, "--out", tmp_path / "broken")
        assert (
            code == 130
            and "Interrupted" in err
            and not (tmp_path / "broken" / "model.json").exists()
        )
        seen = []
        monkeypatch.setattr(
            prune,
            "train",
            lambda *arguments, callbacks, **named: real(
                *arguments, callbacks=[*callbacks, seen.append], **named
            ),
        )
        assert run(capsys, *given, "--out", tmp_path / "broken")[0] == 0
        assert len(seen) == 3  # the second retraining's updates alone
        whole, broken = (load_model(tmp_path / name).state_dict() for name in ("whole", "broken"))
        assert all(whole[name].equal(broken[name]) for name in whole)

    @pytest.mark.slow
    @pytest.mark.parametrize(
        "change",
        [
            ("--share", 0.4),
            ("--steps", 1),
            ("--method", "class-uniform"),
            ("--seed", 2),
            ("--learning-rate", 0.02),
            ("--pairs", 200),
            ("--model", "baseline"),
        ],
    )
    def test_what_another_command_left_unfinished_is_replaced_and_this_is_said(
        self, capsys, tmp_path, monkeypatch, change
    ):
        given = ("prune", "--share", 0.5, "--steps", 2, "--epochs", 1, "--pairs", 300)

        def interrupted(*arguments, callbacks, **named):
            def stop(progress):
                if progress.valid_loss is not None and named["resume_from"].name == "unfinished-2":
                    raise KeyboardInterrupt

            return train(*arguments, callbacks=[stop], **named)

        with monkeypatch.context() as patched:
            patched.setattr(prune, "train", interrupted)
            assert run(capsys, *given, "--out", tmp_path / "m")[0] == 130
        code, _, err = run(capsys, *given, *change, "--out", tmp_path / "m")
        assert code == 0 and err.count("starts from scratch") == 1 and "unfinished-1" in err
        assert not list((tmp_path / "m").glob("unfinished*"))
        assert run(capsys, *given, *change, "--out", tmp_path / "fresh")[0] == 0
        found, fresh = (load_model(tmp_path / name).state_dict() for name in ("m", "fresh"))
        assert all(found[name].equal(fresh[name]) for name in fresh)

    @pytest.mark.parametrize(
        ("arguments", "words"), [(("--share", 0.9999999), ("leaves none",)), ((), ("--share",))]
    )
    def test_what_cannot_be_is_refused_in_words(self, capsys, pruned, arguments, words):
        assert_refused(run(capsys, "prune", *arguments, "--out", pruned), *words)
        assert not (pruned / "model.json").exists()


@pytest.fixture(scope="module")
def folder(tmp_path_factory) -> Path:
    return tmp_path_factory.mktemp("prune")


@pytest.fixture(scope="module")
def text(folder) -> tuple[str, ...]:
    return own_text(folder / "six")


class TestPruneOwnText:
    @pytest.fixture
    def trained(self, capsys, folder, text) -> Path:
        """A model of 40 pairs and of a cutter that is not the default one."""
        if not (folder / "t" / "model.json").exists():
            given = ("--vocabulary", 60, "--pairs", 40, "--out", folder / "t")
            assert run(capsys, "--store", folder / "s", "train", *SMALL, *text, *given)[0] == 0
        return folder / "t"

    def prune(self, capsys, folder, *arguments):
        return run(
            capsys, "--store", folder / "s", "prune", "--share", 0.3, "--epochs", 1, *arguments
        )

    def test_it_is_retrained_on_text_that_its_own_subwords_cut(
        self, capsys, folder, text, trained, pruned, monkeypatch
    ):
        seen, real = [], prune.train
        monkeypatch.setattr(
            prune, "train", lambda *given, **named: seen.append(given) or real(*given, **named)
        )
        assert self.prune(capsys, folder, "--model", trained, *text, "--out", pruned)[0] == 0
        model, corpus, *_ = seen[0]
        assert len(corpus) <= 40  # the pairs that the model was trained on
        assert {word for source in corpus.source for word in source} <= set(
            model.source_vocabulary.tokens
        )
        assert (pruned / "subwords.model").read_bytes() == (trained / "subwords.model").read_bytes()

    def test_into_the_folder_of_another_model_nothing_of_that_stays(
        self, capsys, folder, text, trained, pruned
    ):
        assert self.prune(capsys, folder, "--model", trained, *text, "--out", pruned)[0] == 0
        (pruned / "recipe.json").write_text("{}", encoding="utf-8")
        assert run(capsys, "prune", "--share", 0.5, "--epochs", 0, "--out", pruned)[0] == 0
        assert {file.name for file in pruned.iterdir()} == {
            "model.json",
            "model.safetensors",
            "history.json",
        }

    def test_mixtures_are_refused(self, capsys, folder, text, trained, pruned):
        other = ("--subwords", pruned.with_name("other.model"))
        other[1].write_bytes(SubwordTokeniser.train(["completely different words here"], 30).model)
        assert_refused(
            self.prune(capsys, folder, "--model", trained, *text, *other, "--out", pruned),
            str(other[1]),
            str(trained / "subwords.model"),
        )
        assert_refused(self.prune(capsys, folder, *text, "--out", pruned), "seq-kd", "toy language")
        assert_refused(
            self.prune(capsys, folder, "--model", trained, "--out", pruned),
            str(trained),
            "--source",
        )


class TestTables:
    @pytest.mark.parametrize("table", ["table2", "table3"])
    def test_without_results_check_says_how_they_are_made(self, capsys, tmp_path, table):
        name = {"table2": "speed", "table3": "pruning"}[table]
        missing = tmp_path / "none.json"
        refused = run(capsys, table, "--check", "--results", missing)
        assert_refused(refused, "none.json", f"seqkd-lab study run {name}")
        missing.write_text('{"points": []}', encoding="utf-8")
        assert_refused(run(capsys, table, "--check", "--results", missing), "none.json")

    def test_table3_is_judged_and_its_exit_code_says_whether_all_is_held(self, capsys, tmp_path):
        held, missed = (
            write_rows(
                tmp_path / f"{lost}.json",
                pruning.STUDY,
                table3_of((1, 2), lost=lost, shares=PRUNING.shares),
            )
            for lost in (0.1, 3.0)
        )
        code, out, _ = run(capsys, "table3", "--check", "--results", held)
        assert code == 0 and "NOT HELD" not in out
        assert all(
            words in out
            for words in (
                "13.3 times fewer parameters: 2.67 times",
                "seq-kd, 80% retrained",
                "small seq-kd, dense",
                "pruned or dense  HELD",
            )
        )
        assert run(capsys, "table3", "--check", "--results", missed)[0] == 1

    def test_table2_is_judged(self, capsys, tmp_path):
        for name, fast, code in (
            ("fast", [120.0, 240.0], 0),
            ("unsure", [120.0, 300.0], 1),
            ("slow", [60.0, 60.0], 1),
        ):
            path = write_rows(tmp_path / f"{name}.json", speed.STUDY, [whole(speeds(fast))])
            judged = run(capsys, "table2", "--check", "--results", path)
            assert judged[0] == code and "times by the smaller model" in judged[1]
