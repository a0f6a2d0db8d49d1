"""Every number that every command takes: what cannot be is refused with the option's name before
the work; nothing is printed for nothing, hangs or raises."""

from __future__ import annotations

import argparse
import random
import shutil

import pytest
import torch
from soak import LONG, attempts, tally
from typed import own_text, typed

from seqkd_lab import cli, estimates
from seqkd_lab.cli import learning, options
from seqkd_lab.corpus.toy import ToyLanguage
from seqkd_lab.decoding.search import MOST_BEAM, search
from seqkd_lab.distillation.losses import NLL
from seqkd_lab.estimates import (
    GIB,
    MIB,
    TooLargeError,
    batch_bytes,
    check_model,
    search_bytes,
    sentences_that_fit,
    training_bytes,
    weight_numbers,
)
from seqkd_lab.models.architectures import build
from seqkd_lab.models.lstm import LSTMSpec
from seqkd_lab.optimisation import Optimisation
from seqkd_lab.runs.presets import PRESETS
from seqkd_lab.trainer import Trainer


def parsers(parser: argparse.ArgumentParser, words: tuple[str, ...] = ()) -> dict:
    """Each command (its words) that has no commands below it, with its parser."""
    below = [action for action in parser._actions if isinstance(action, argparse._SubParsersAction)]
    deeper = [
        parsers(verb, (*words, name)) for action in below for name, verb in action.choices.items()
    ]
    return {words: parser} if not below else {k: v for part in deeper for k, v in part.items()}


COMMANDS = parsers(cli.parser())
NUMBERS = [
    (command, action)
    for command, parser in COMMANDS.items()
    for action in parser._actions
    if action.type in (int, float, options.seed_number) and action.option_strings
]
OPTIONS_OF = {
    command: {name for action in parser._actions for name in action.option_strings}
    for command, parser in COMMANDS.items()
}
VALUES = ("nan", "inf", "-inf", "-1", "0", "1", "1e30", str(10**9), str(10**20), str(2**63), "many")
ODD = (
    "",
    " ",
    "-0",
    "1_000",
    "٣",
    "0x10",
    "1e-320",
    "2.0",
    "½",
    "9" * 5_000,
    "+5",
    "1e400",
    "1,000",
)
REQUIRED = {
    ("corpus", "check"): ("SOURCE", "TARGET"),
    ("corpus", "split"): ("SOURCE", "TARGET", "--out", "split"),
    ("corpus", "get"): ("tatoeba-en-es",),
    ("corpus", "encode"): ("--out", "encoded"),
    ("distil",): ("--teacher", "teacher", "--out", "d.tsv"),
    ("export",): ("seq-kd", "e"),
    ("prune",): ("--out", "p", "--share", "0.5"),
    ("score",): ("SOURCE", "TARGET"),
    ("train",): ("--out", "m"),
    ("translate",): ("the old teacher sold the sofa .",),
    ("study",): ("budget",),
}
"""What a command needs beside the option that is looked at."""
TRAINS_ON_TEXT = (("train",), ("tour",), ("table",))
READS_TEXT = (("corpus", "encode"),)
OF_TEXT = ("pairs", "vocabulary", "character_coverage")


class Reached(BaseException):
    """The work would begin now."""


def reached(*_, **__):
    raise Reached


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """A folder with a small text."""
    folder = tmp_path_factory.mktemp("options")
    return folder, own_text(folder / "text")


@pytest.fixture
def attack(capsys, monkeypatch, folder):
    """Type a command with one number, in front of work that only says that it was reached; return
    what was wrong."""
    root, text = folder
    monkeypatch.chdir(root)
    monkeypatch.setattr(torch.nn.Module, "__call__", reached)
    monkeypatch.setattr(ToyLanguage, "sample", reached)
    monkeypatch.setattr("seqkd_lab.trainer.encoded_for", reached)
    monkeypatch.setattr("seqkd_lab.cli.commands.corpus.encode_text", reached)
    for work in ("run_all", "measure_seeds"):
        monkeypatch.setattr(f"seqkd_lab.cli.studies.{work}", reached)

    def attacked(command: tuple[str, ...], action: argparse.Action, value: str) -> str | None:
        option = action.option_strings[0]
        words = [
            {"SOURCE": text[1], "TARGET": text[3]}.get(w, w) for w in REQUIRED.get(command, ())
        ]
        if action.dest in OF_TEXT and command in TRAINS_ON_TEXT:
            words += [*text, "--preset", "quick"]
        if command in READS_TEXT:
            words += text
        if "--results" in OPTIONS_OF[command]:
            words += ["--results", "results"]
        owners = learning.settings().get(action.dest, {})
        if command == ("train",) and owners:
            words += ["--objective", next(iter(owners)), "--teacher", "teacher"]
        line = [*command, *words, f"{option}={value}"]
        shown = f"{' '.join(command)} {option}={value[:40]}"
        shutil.rmtree(root / "split", ignore_errors=True)
        try:
            code, out, err = typed(capsys, *line)
        except Reached:
            capsys.readouterr()
            return None
        except BaseException as error:
            return f"{shown}: {type(error).__name__}: {error}"[:500]
        if code == 0:
            return None if out.strip() else f"{shown}: exit code 0, and nothing is printed"
        last = (err.strip().splitlines() or [""])[-1]
        # more seeds than the disk has room for are refused by the name of the store
        names_it = option in last or option == "--seeds" and "--store" in last
        refused = code == 2 and not out and last.startswith("seqkd-lab") and names_it
        return None if refused else f"{shown}: {code}, {out!r}, {last!r}"[:700]

    return attacked


def test_every_number_of_every_command(attack):
    chance, known = random.Random(21), set()
    with tally("options: a number") as count:
        for command, action in NUMBERS:
            shared = (action.dest, action.type, action.default)
            values = VALUES if LONG or shared not in known else chance.sample(VALUES, 2)
            known.add(shared)
            for value in (*values, *(ODD if LONG else chance.sample(ODD, 1))):
                count.tried(attack(command, action, value))


@pytest.mark.soak  # `make soak` tries random numbers
def test_random_numbers(attack):
    chance = random.Random(22)
    with tally("options: a random number") as count:
        for _ in range(attempts(0, 3_000)):
            command, action = chance.choice(NUMBERS)
            kinds = (
                str(chance.randrange(-(2**70), 2**70)),
                f"{chance.uniform(-2, 2):.3f}",
                f"{chance.choice('-+')}{chance.random() * 10 ** chance.randrange(-300, 300):g}",
                "".join(chance.choices("0123456789.-+einf_ ", k=chance.randrange(1, 8))),
            )
            count.tried(attack(command, action, chance.choice(kinds)))


@pytest.fixture
def free(monkeypatch):
    """Let so many MiB be free."""

    def set_to(mib: float) -> None:
        monkeypatch.setattr(estimates.machine, "available_memory_mib", lambda: mib)

    return set_to


class TestEstimates:
    @pytest.mark.parametrize("preset", sorted(PRESETS))
    @pytest.mark.parametrize("n_words", [(300, 300), (4_000, 4_000), (50, 9_000)])
    def test_the_weights_are_a_lower_bound_that_is_near(self, preset, n_words):
        from seqkd_lab.runs.space import n_parameters

        for spec in (PRESETS[preset].teacher, PRESETS[preset].student):
            least, real = weight_numbers(spec.width, spec.layers, sum(n_words)), 0
            real = n_parameters(spec, *n_words)
            assert 0.3 * real <= least <= real

    def test_a_model_that_does_not_fit_names_the_width_that_would(self, free):
        free(1024)
        with pytest.raises(
            TooLargeError, match=r"width 1,000,000 \(--width\).*1.0 GiB.*about 2,300"
        ):
            check_model(10**6, 1)
        assert training_bytes(2_300, 1, 0) < GIB < training_bytes(2_400, 1, 0)
        check_model(2_300, 1)
        with pytest.raises(TooLargeError):
            check_model(2_300, 1, 500_000)

    def test_a_beam_that_does_not_fit_names_the_one_that_would(self, free):
        free(1024)
        with pytest.raises(
            TooLargeError, match=r"90,000 \(--beam\).*for each sentence.*about 8,900"
        ):
            sentences_that_fit(64, 90_000, 5_000)
        assert search_bytes(1, 8_900, 5_000) < GIB < search_bytes(1, 9_000, 5_000)

    def test_where_memory_is_short_fewer_sentences_share_a_batch(self, free):
        free(1024)
        n = sentences_that_fit(64, 2_000, 5_000)
        assert 1 < n < 64 and search_bytes(n, 2_000, 5_000) <= GIB
        assert search_bytes(n + 1, 2_000, 5_000) > GIB
        free(float("nan"))
        assert sentences_that_fit(64, 2_000, 5_000) == 64

    def test_a_search_in_smaller_batches_gives_the_same(self, make_model, monkeypatch):
        model, sources = make_model(3), [("ant",), ("bee", "cat"), ("dog",), ("ant", "ant")]
        whole = search(model, sources, 3, 3)
        monkeypatch.setattr("seqkd_lab.decoding.search.sentences_that_fit", lambda *_: 1)
        assert [[h.tokens for h in n] for n in search(model, sources, 3, 3)] == [
            [h.tokens for h in n] for n in whole
        ]

    def test_a_batch_that_does_not_fit_is_refused_before_the_training(self, free):
        from test_divergence import PAIRS, VALID, new_model

        model = new_model()
        needed = batch_bytes(
            sum(len(target) + 1 for target in PAIRS.target), len(model.target_vocabulary)
        )
        free(0.5 * needed / MIB)
        with pytest.raises(
            TooLargeError, match=r"batch of 20 sentences \(--batch-size\).*about 10"
        ):
            Trainer(model, PAIRS, VALID, NLL(), Optimisation(1, batch_size=20), 1)
        Trainer(model, PAIRS, VALID, NLL(), Optimisation(1, batch_size=9), 1)

    def test_more_than_the_largest_beam(self):
        with pytest.raises(ValueError, match="beam_size .--beam. must be at most 100,000"):
            search(build(LSTMSpec(4), *_words()), [("a",)], MOST_BEAM + 1)


def _words():
    from seqkd_lab.corpus.vocabulary import Vocabulary

    return [Vocabulary.build([["a", "b"]])] * 2


MEMORY = (
    MemoryError(),
    RuntimeError(
        "[enforce fail at alloc_cpu.cpp] DefaultCPUAllocator: can't allocate memory: 9 bytes"
    ),
    RuntimeError("std::bad_alloc"),
    OSError(12, "Cannot allocate memory"),
)


@pytest.mark.parametrize("error", MEMORY, ids=repr)
def test_what_still_runs_out_of_memory_says_what_to_make_smaller(
    capsys, monkeypatch, folder, error
):
    monkeypatch.chdir(folder[0])

    def out_of_memory(*_, **__):
        raise error

    monkeypatch.setattr("seqkd_lab.cli.commands.translate.search", out_of_memory)
    code, out, err = typed(capsys, "translate", "the cat sleeps .")
    last = err.strip().splitlines()[-1]
    assert (code, out) == (2, "") and last.startswith("seqkd-lab: no memory is left: ")
    assert "make --beam or --batch smaller" in last and "Traceback" not in err


def test_an_error_of_another_kind_is_not_hidden(capsys, monkeypatch, folder):
    monkeypatch.chdir(folder[0])

    def broken(*_, **__):
        raise RuntimeError("a mistake of ours")

    monkeypatch.setattr("seqkd_lab.cli.commands.translate.search", broken)
    with pytest.raises(RuntimeError, match="ours"):
        typed(capsys, "translate", "the cat sleeps .")
