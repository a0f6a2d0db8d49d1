"""What holds for every command alike: input that cannot be used ends it before the work, with exit
code 2 and one line that names the option; an interrupt ends it with 130."""

import argparse
from pathlib import Path

import pytest
from typed import assert_refused, typed

from seqkd_lab import cli
from seqkd_lab.cli import aliases, options


def parsers(parser: argparse.ArgumentParser, words: tuple[str, ...] = ()) -> dict:
    """Each command (its words) that has no commands below it, with its parser."""
    below = [action for action in parser._actions if isinstance(action, argparse._SubParsersAction)]
    found = {
        command: each
        for action in below
        for name, verb in action.choices.items()
        for command, each in parsers(verb, (*words, name)).items()
    }
    return found if below else {words: parser}


COMMANDS = parsers(cli.parser())
REQUIRED = {
    ("corpus", "check"): ("a", "b"),
    ("corpus", "split"): ("a", "b", "--out", "s"),
    ("corpus", "get"): ("tatoeba-en-es",),
    ("corpus", "encode"): ("--out", "e"),
    ("distil",): ("--teacher", "teacher", "--out", "d.tsv"),
    ("export",): ("seq-kd", "e"),
    ("plan",): ("--pairs", "9"),
    ("prune",): ("--share", "0.5", "--out", "p"),
    ("score",): ("a", "b"),
    ("train",): ("--out", "m"),
    ("translate",): ("a sentence .",),
    ("study",): ("budget",),
}
"""What a command needs beside the option that is looked at."""


def options_of_type(kind) -> list:
    """Each command and each option of this type."""
    return [
        pytest.param(words, action.option_strings[0], id=" ".join([*words, action.dest]))
        for words, parser in COMMANDS.items()
        for action in parser._actions
        if action.type is kind and action.option_strings
    ]


@pytest.fixture
def refused(capsys, tmp_path, monkeypatch):
    """Run a command in an empty folder, and see that it is refused and writes nothing."""
    monkeypatch.chdir(tmp_path)
    before = sorted(tmp_path.rglob("*"))

    def run(command: tuple[str, ...], *arguments, words=()) -> None:
        line = [*command, *REQUIRED.get(command, ()), *arguments]
        assert_refused(typed(capsys, *line), *words)
        assert sorted(tmp_path.rglob("*")) == before

    return run


@pytest.mark.parametrize("command", COMMANDS, ids=" ".join)
def test_an_unknown_option(refused, command):
    refused(command, "--dance", words=["--dance"])


@pytest.mark.parametrize(("command", "option"), options_of_type(options.typed_path))
@pytest.mark.parametrize("path", ["", " "])
def test_an_empty_path(refused, command, option, path):
    refused(command, f"{option}={path}", words=[option, "the path is empty"])


@pytest.mark.parametrize(("command", "option"), [*options_of_type(int), *options_of_type(float)])
def test_what_is_no_number(refused, command, option):
    refused(command, f"{option}=many", words=[option, "many"])


@pytest.mark.parametrize(("command", "option"), options_of_type(options.seed_number))
@pytest.mark.parametrize("seed", ["-1", str(2**31), "9" * 30, "1.5", "one", ""])
def test_what_is_no_seed(refused, command, option, seed):
    refused(command, f"{option}={seed}", words=[option, seed])


TRAIN, DISTIL, PRUNE, TRANSLATE = ("train",), ("distil",), ("prune",), ("translate",)
WORD_KD = ("--objective", "word-kd", "--teacher", "teacher")


@pytest.mark.parametrize(
    ("command", "arguments", "words"),
    [
        (TRAIN, ("--width", 7), ("--width 7", "even")),
        (TRAIN, ("--width", 0), ("--width 0",)),
        (TRAIN, ("--dropout", 1), ("--dropout 1",)),
        (TRAIN, ("--dropout", "nan"), ("--dropout nan",)),
        (TRAIN, ("--epochs", 0), ("--epochs 0",)),
        (TRAIN, ("--batch-size", 0), ("--batch-size 0",)),
        (TRAIN, ("--batch-size", "9" * 25), ("batch_size",)),
        (TRAIN, ("--learning-rate", 0), ("--learning-rate 0",)),
        (TRAIN, ("--learning-rate", -1), ("learning_rate must be positive",)),
        (TRAIN, ("--learning-rate", "nan"), ("--learning-rate nan",)),
        (TRAIN, ("--learning-rate", "inf"), ("--learning-rate inf",)),
        (TRAIN, ("--patience", 0), ("--patience 0",)),
        (TRAIN, ("--pairs", 0), ("--pairs", "0")),
        (TRAIN, ("--pairs", -1), ("--pairs", "-1")),
        (TRAIN, (*WORD_KD, "--alpha", 1.5), ("--alpha 1.5", "[0, 1]")),
        (TRAIN, (*WORD_KD, "--alpha", "nan"), ("--alpha nan",)),
        (TRAIN, (*WORD_KD, "--temperature", 0), ("--temperature 0", "positive")),
        (TRAIN, (*WORD_KD, "--temperature", "inf"), ("--temperature inf",)),
        (TRAIN, ("--teacher", "teacher"), ("--teacher", "--objective word-kd", "--distilled")),
        (TRAIN, ("--alpha", 0.3), ("--alpha", "word-kd")),
        (TRAIN, ("--temperature", 2), ("--temperature", "word-kd")),
        (TRAIN, ("--objective", "word-kd"), ("--teacher",)),
        (TRAIN, ("--objective", "word-kd", "--teacher", "parrot"), ("parrot", "neither")),
        (TRAIN, ("--distilled", "no.tsv"), ("no.tsv", "no such file")),
        (TRAIN, ("--add", "no.tsv"), ("no.tsv", "no such file")),
        (DISTIL, ("--beam", 0), ("beam",)),
        (DISTIL, ("--length-penalty", "nan"), ("nan",)),
        (DISTIL, ("--length-penalty", -1), ("-1",)),
        (DISTIL, ("--length-penalty", "inf"), ("inf",)),
        (DISTIL, ("--teacher", "parrot"), ("parrot", "neither")),
        (DISTIL, ("--pairs", 0), ("--pairs", "0")),
        (PRUNE, ("--share", 1.0), ("[0, 1)", "1.0")),
        (PRUNE, ("--share", -0.1), ("-0.1",)),
        (PRUNE, ("--share", "nan"), ("nan",)),
        (PRUNE, ("--steps", 0), ("step", "0")),
        (PRUNE, ("--epochs", -1), ("epochs", "-1")),
        (PRUNE, ("--model", "nobody"), ("nobody",)),
        (PRUNE, ("--learning-rate", 0), ("learning_rate",)),
        (PRUNE, ("--method", "best"), ("best",)),
        (PRUNE, ("--distilled", "no.tsv"), ("no.tsv",)),
        (TRANSLATE, ("--beam", 0), ("beam",)),
        (TRANSLATE, ("--beam", -3), ("beam",)),
        (TRANSLATE, ("--n-best", 6), ("--n-best", "6")),
        (TRANSLATE, ("--n-best", 0), ("--n-best", "0")),
        (TRANSLATE, ("--batch", 0), ("--batch", "0")),
        (TRANSLATE, ("--length-penalty", "nan"), ("nan",)),
        (TRANSLATE, ("--length-penalty", "inf"), ("inf",)),
        (TRANSLATE, ("--length-penalty=-1",), ("-1",)),
        (("table",), ("--rows", "none"), ("none",)),
        (("table2",), ("--repetitions", 0), ("--repetitions", "0")),
    ],
    ids=lambda value: " ".join(map(str, value)),
)
def test_a_wrong_value(refused, command, arguments, words):
    refused(command, *arguments, words=words)


STUDIES = [("table",), ("study",), *((alias,) for alias in aliases.NAMES)]


@pytest.mark.parametrize("command", STUDIES, ids=" ".join)
@pytest.mark.parametrize(
    ("option", "value", "least"),
    [("--seeds", 0, 1), ("--seeds", -1, 1), ("--first-seed", -1, 0), ("--workers", 0, 1)],
)
def test_a_wrong_number_of_seeds_or_workers(refused, command, option, value, least):
    more = (option, value, "--results", "results")
    refused(command, *more, words=[f"{option} must be at least {least}; got {value}"])


FOLDERS = [("train", "--out"), ("prune", "--out"), ("tour", "--report")]
FILES = [("distil", "--out"), ("table", "--results"), ("table3", "--results")]


@pytest.fixture
def file(tmp_path) -> Path:
    """A file of the user's that must stay as it is."""
    path = tmp_path / "file"
    path.write_text("kept", encoding="utf-8")
    yield path
    assert path.read_text(encoding="utf-8") == "kept"


@pytest.mark.parametrize(("command", "option"), FOLDERS)
def test_a_file_where_a_folder_is_to_be(file, refused, command, option):
    refused((command,), option, file, words=[f"{option} {file}", "is a file"])


@pytest.mark.parametrize(("command", "option"), FILES)
@pytest.mark.parametrize(("path", "reason"), [(".", "is a folder"), ("/dev/null", "is a device")])
def test_a_folder_or_a_device_where_a_file_is_to_be(refused, command, option, path, reason):
    refused((command,), option, path, words=[f"{option} {path}", reason])


@pytest.mark.parametrize(("command", "option"), [*FOLDERS, *FILES])
def test_a_path_below_a_file(file, refused, command, option):
    refused((command,), option, file / "x", words=[f"{option} {file / 'x'}", "another path"])


@pytest.mark.parametrize("command", COMMANDS, ids=" ".join)
def test_an_interrupt(capsys, monkeypatch, command):
    def interrupted(arguments):
        raise KeyboardInterrupt

    parse = argparse.ArgumentParser.parse_args

    def parsed(parser, line):
        arguments = parse(parser, line)
        arguments.run = interrupted
        return arguments

    monkeypatch.setattr(argparse.ArgumentParser, "parse_args", parsed)
    code, out, err = typed(capsys, *command, *REQUIRED.get(command, ()))
    assert (code, out) == (130, "") and "Interrupted" in err and "Traceback" not in err
