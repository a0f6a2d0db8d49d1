"""Nothing that a person types, a file holds or a model writes reaches a terminal as a control
character."""

from __future__ import annotations

import ast
import itertools
import json
import re
import sys
import unicodedata
from pathlib import Path

import pytest
import soak
import torch
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from payloads import ALL, CONTROLS, SHORT, mixtures, words
from soak import attempts, tally
from terminals import OBEYED, on_terminal, terminal

import seqkd_lab
from seqkd_lab.cli.terminal import Bar, visible_streams
from seqkd_lab.corpus.visible import visible, visible_lines, without_controls
from seqkd_lab.corpus.vocabulary import EOS, UNK, Vocabulary
from seqkd_lab.models.folder import TrainedModel, save_folder
from seqkd_lab.models.lstm import LSTMSeq2Seq, LSTMSpec

PACKAGE = Path(seqkd_lab.__file__).parent
HALF = "\ud800"  # half a character, which no file can hold
any_text = st.text(st.characters() | st.sampled_from("".join(CONTROLS)), max_size=60)
hostile_text = any_text | st.sampled_from(ALL) | st.builds(str.__add__, any_text, any_text)


@pytest.fixture(scope="module")
def model(tmp_path_factory) -> Path:
    """A model whose vocabulary holds nothing but payloads."""
    torch.manual_seed(3)
    vocabulary = Vocabulary.build([[word for word in words() if HALF not in word]])
    student = LSTMSeq2Seq(LSTMSpec(8), vocabulary, vocabulary)
    with torch.no_grad():
        for parameter in student.parameters():
            parameter.mul_(2.0)
        student.output.bias[[EOS, UNK]] = torch.tensor([0.5, -10.0])
    folder = tmp_path_factory.mktemp("models") / "hostile"
    save_folder(folder, TrainedModel(student, None), {})
    return folder


def test_whatever_is_shown_holds_no_control_character():
    with tally("terminal: text made visible") as count:

        @settings(
            max_examples=attempts(150, 10_000),
            derandomize=not soak.LONG,
            database=None,
            suppress_health_check=list(HealthCheck),
        )
        @given(hostile_text)
        def attack(text):
            count.tried(problem_of(text))

        attack()


def problem_of(text: str) -> str | None:
    """Return what is wrong with how `text` is shown; None where nothing is."""
    line, lines, data = visible(text), visible_lines(text), without_controls(text)
    if OBEYED.search(line + lines) or "\n" in line or "\t" in line:
        return f"obeyed by a terminal: {text[:80]!r}"
    if visible(line) != line or visible_lines(lines) != lines or without_controls(data) != data:
        return f"shown twice it changes: {text[:80]!r}"
    if [lines.count(c) for c in "\n\t"] != [text.count(c) for c in "\n\t"]:
        return f"the layout is lost: {text[:80]!r}"
    if any(unicodedata.category(c) == "Cc" and c not in "\n\t" for c in data):
        return f"a control character in a file: {text[:80]!r}"
    return None


ARGUMENTS = {
    "a model's name": ("translate", "ant", "--model", "{}"),
    "a file to translate": ("translate", "--input", "{}", "--model", "nothing"),
    "a command": ("{}",),
    "an option": ("tour", "--{}"),
    "a number": ("train", "--epochs", "{}"),
    "a store": ("--store", "{}", "translate", "ant", "--model", "seq-kd"),
    "results": ("table", "--check", "--results", "{}"),
    "a study": ("study", "check", "{}"),
    "aligned files": ("corpus", "check", "{}", "{}"),
    "scores": ("score", "{}", "{}"),
    "a distilled corpus": ("train", "--distilled", "{}", "--objective", "nll"),
    "exported": ("export", "{}", "{}"),
}


@pytest.mark.parametrize("name", ARGUMENTS)
def test_a_typed_argument_is_quoted_without_its_controls(name, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    texts = itertools.islice(mixtures(1), attempts(6, 90))
    with tally("terminal: typed arguments quoted in messages") as count:
        for text in (*CONTROLS, *texts):
            typed = text.replace("\0", "") or "-"
            _, screen = on_terminal(*(part.replace("{}", typed) for part in ARGUMENTS[name]))
            count.tried(problem_on(screen, typed))


def problem_on(screen, what: str) -> str | None:
    obeyed = screen.obeyed()
    if obeyed is not None:
        return f"{what[:80]!r}: obeyed {obeyed}"
    return f"{what[:80]!r}: {screen.text[-300:]}" if "Traceback" in screen.text else None


def lines_with(text: str) -> bytes:
    """Return some lines of a file of text, a few of them with `text`."""
    line = text.replace("\n", " ")
    rows = [f"the cat number {n}" for n in range(20)] + [line, f"a {line} b", f"{line} 1 2 3"]
    return "\n".join(rows).encode("utf-8", "surrogatepass") + b"\n"


FILES = {
    "corpus check": ("corpus", "check", "a", "b"),
    "score": ("score", "a", "b", "--tokenize", "none"),
    "scores compared": ("score", "a", "b", "--against", "c", "--samples", "20"),
    "score as JSON": ("score", "a", "b", "--json"),
    "a text folder": ("train", "--text", ".", "--out", "m"),
    "a table of results": ("table", "--check", "--results", "j"),
    "a model folder": ("translate", "ant", "--model", "."),
}


@pytest.mark.parametrize("name", FILES)
def test_a_line_of_a_file_is_quoted_without_its_controls(name, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    texts = itertools.islice(mixtures(2), attempts(4, 60))
    with tally("terminal: lines of files quoted") as count:
        for number, text in enumerate((*CONTROLS, *texts)):
            for file in ("a", "b", "c", "train.en", "train.de", "valid.en", "valid.de"):
                content = lines_with(text if len(file) > 1 or number % 2 else f"{file}{text}")
                (tmp_path / file).write_bytes(content)
            for file in ("j", "model.json"):
                held = {text: [text], "settings": {text: text}, "architecture": text}
                (tmp_path / file).write_text(json.dumps(held))
            _, screen = on_terminal(*FILES[name])
            count.tried(problem_on(screen, text))


def test_a_models_translations_reach_a_terminal_visible_and_a_pipe_without_controls(
    model, tmp_path, capsysbinary
):
    texts = itertools.islice(mixtures(3), attempts(10, 400))
    with tally("terminal: translations of a model of payloads") as count:
        for number, text in enumerate((*CONTROLS, *texts)):
            source = (text.replace("\n", " ").replace("\0", "") or "x")[:900]
            beam = str(1 + number % 3)
            _, screen = on_terminal("translate", "--model", model, "--beam", beam, "--", source)
            count.tried(problem_on(screen, f"sentence {source}"))
            (tmp_path / "in").write_bytes(lines_with(source.encode(errors="ignore").decode()))
            given = ("translate", "--model", model, "--beam", beam, "--input", tmp_path / "in")
            _, screen = on_terminal(*given, "--copy-unknown", "--progress", "--scores")
            count.tried(problem_on(screen, f"file {source}"))
            on_pipe([*map(str, given), "--copy-unknown"])
            out = capsysbinary.readouterr().out.decode()
            wrong = re.search("[\x00-\x08\x0b-\x1f\x7f-\x9f]", out)
            count.tried(f"in a pipe: {wrong[0]!r} after {source!r}" if wrong else None)


def on_pipe(arguments: list[str]) -> None:
    """Run a command whose output is read by another program."""
    from seqkd_lab.cli import main

    assert main(arguments) == 0


def test_the_terminal_would_have_been_sent_what_the_model_writes(model):
    """Or the tests above could not fail: the model's words hold what is looked for."""
    vocabulary = json.dumps(words())
    assert "\\u001b[31m" in vocabulary
    with terminal() as screen:
        print("\x1b[31mred")
    assert screen.obeyed() is not None


def test_bars_and_what_stands_above_them_hold_no_controls():
    with tally("terminal: descriptions of progress bars") as count:
        for text in itertools.islice(mixtures(4), attempts(60, 1_500)):
            with terminal() as screen, visible_streams():
                with Bar(total=2, desc=text, unit=text[:20]) as bar:
                    bar.set_postfix_str(text)
                    bar.update()
                    bar.write(text, file=sys.stderr)
            count.tried(problem_on(screen, text))


def test_every_bar_of_a_command_is_one_whose_description_is_made_visible():
    for path in (PACKAGE / "cli").rglob("*.py"):
        imported = {
            alias.name
            for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
            if isinstance(node, ast.ImportFrom) and node.module == "tqdm"
            for alias in node.names
        }
        assert not imported or path.name == "terminal.py", f"{path}: use cli.terminal.Bar"


def test_a_command_that_prints_something_strange_in_process_is_made_visible(capsys):
    with visible_streams():
        print(SHORT[0], "\x1b[31m", file=sys.stderr)
        print("a\tb\nc\x07")
    captured = capsys.readouterr()
    assert captured.out == "a\tb\nc\\x07\n" and "\x1b" not in captured.err
