"""`seqkd-lab translate --draft`: what greedy search writes, whatever the lines are; what a draft
cannot serve is refused by name."""

from __future__ import annotations

import io
import sys

import pytest
import torch
from typed import assert_refused, typed

from seqkd_lab.corpus.subwords import SubwordTokeniser
from seqkd_lab.corpus.vocabulary import EOS, UNK, Vocabulary
from seqkd_lab.models.folder import TrainedModel, save_folder
from seqkd_lab.models.lstm import LSTMSeq2Seq, LSTMSpec
from seqkd_lab.models.transformer import TransformerSeq2Seq, TransformerSpec

LINES = b"""the old teacher sold the sofa because it was broken .

I watched the doctor .
the old teacher sold the sofa because it was broken .
 \t
the zebra saw the quagga .
a student sold my wonderful flat .
"""
ROWS = ("--model", "teacher", "--draft", "seq-kd")
GREEDY = ("--model", "teacher", "--beam", 1)


@pytest.fixture
def lines(capsys, monkeypatch):
    """Runs the command on `content` as standard input; returns exit code, standard output and
    stderr."""

    def run(*arguments, content: bytes = LINES) -> tuple[int, str, str]:
        monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BufferedReader(io.BytesIO(content))))
        return typed(capsys, "translate", "-", *arguments)

    return run


def save(directory, model, cutter: SubwordTokeniser | None = None):
    """Write a model to a folder, and return that."""
    save_folder(directory, TrainedModel(model, cutter), {})
    return directory


def toy_pair(folder, words=("ant", "bee", "."), unknown_bias: float = 0.0):
    """A Transformer and a smaller LSTM over the same `words`, with random weights."""
    vocabulary = Vocabulary.build([words])
    torch.manual_seed(3)
    large = TransformerSeq2Seq(TransformerSpec(16, 2, 2, 32), vocabulary, vocabulary)
    small = LSTMSeq2Seq(LSTMSpec(4), vocabulary, vocabulary)
    with torch.no_grad():
        for model in (large, small):
            model.output.bias[UNK] += unknown_bias
            model.output.bias[EOS] -= 1.0
    return save(folder / "large", large), save(folder / "small", small)


class TestTranslations:
    def test_are_those_of_greedy_search(self, lines):
        expected = lines(*GREEDY)
        assert expected[0] == 0 and expected[1].count("\n") == 7
        assert expected[1] != lines("--model", "seq-kd", "--beam", 1)[1]
        for more in ((), ("--beam", 1, "--draft-length", 1, "--batch", 3)):
            assert lines(*ROWS, *more) == expected

    def test_their_log_probabilities(self, lines):
        drafted, greedy = (
            [row.split("\t") for row in lines(*which, *more)[1].splitlines()]
            for which, more in ((ROWS, ("--n-best", 1)), (GREEDY, ("--scores",)))
        )
        assert [row[:3] for row in drafted] == [row[:3] for row in greedy]
        for ours, theirs in zip(drafted[1:], greedy[1:], strict=True):
            assert ours[3] == ours[4] and bool(ours[3]) == bool(ours[2])
            if theirs[3]:
                assert float(ours[3]) == pytest.approx(float(theirs[3]), abs=2e-4)  # 4 places

    def test_of_one_sentence(self, capsys):
        sentence = "the old teacher sold the sofa ."
        drafted, greedy = (typed(capsys, "translate", sentence, *which) for which in (ROWS, GREEDY))
        assert drafted == greedy and drafted[0] == 0 and "model" in drafted[1]

    @pytest.mark.parametrize("content", [b"", b"\n", b"\n \n\t\n"])
    def test_of_nothing_and_of_blank_lines(self, lines, content):
        assert lines(*ROWS, content=content) == (0, "\n" * content.count(b"\n"), "")

    def test_in_16_bits(self, lines):
        assert lines(*ROWS, "--precision", "bf16")[1].count("\n") == 7

    def test_unknown_words_are_copied_from_where_the_model_looks(self, lines, tmp_path):
        large, small = toy_pair(tmp_path, unknown_bias=5.0)
        models, content = ("--model", large, "--draft", small), b"gnu hen\n\nant\n"
        plain = lines(*models, content=content)[1]
        copied = lines(*models, "--copy-unknown", content=content)
        assert "<unk>" in plain.lower() and "<unk>" not in copied[1].lower()
        assert copied == lines(
            "--model", large, "--beam", 1, "--copy-unknown", content=content
        )  # what the model looks at, not the draft

    def test_a_long_line_is_read_up_to_its_limit(self, lines, monkeypatch, tmp_path):
        monkeypatch.setattr("seqkd_lab.decoding.translator.LONGEST_SOURCE", 5)
        large, small = toy_pair(tmp_path)
        content = b"ant bee . ant bee . . .\nant\nant bee . ant bee\n"
        code, out, err = lines("--model", large, "--draft", small, content=content)
        assert (code, out, err) == lines("--model", large, "--beam", 1, content=content)
        assert "line 1 has 8 tokens" in err and code == 0
        assert out.splitlines()[0] == out.splitlines()[2]

    def test_a_draft_that_is_not_smaller_is_pointed_out(self, lines):
        expected = lines("--model", "seq-kd", "--beam", 1)
        for draft in ("seq-kd", "teacher"):
            code, out, err = lines("--model", "seq-kd", "--draft", draft)
            assert (code, out) == expected[:2]
            assert f"the draft {draft} is not smaller than the model seq-kd" in err


class TestRefusals:
    @pytest.mark.parametrize(
        ("options", "words"),
        [
            (("--beam", 2), ("--beam 2", "--draft", "greedily")),
            (("--n-best", 2), ("--n-best 2", "--draft")),
            (("--length-penalty", 1), ("--length-penalty 1.0", "--draft")),
            (("--length-penalty", "nan"), ("--length-penalty nan",)),
            (("--draft-length", 0), ("--draft-length must be at least 1", "0")),
            (("--draft-length", "9" * 25), ("--draft-length must be at most 100", "999")),
            (("--batch", 0), ("--batch", "0")),
        ],
    )
    def test_what_greedy_search_cannot_serve(self, lines, options, words):
        assert_refused(lines(*ROWS, *options), *words)

    def test_a_length_without_a_draft(self, lines):
        assert_refused(lines("--draft-length", 4), "--draft-length 4", "needs --draft")

    def test_a_draft_that_does_not_exist(self, lines):
        for name in ("parrot", "", " "):
            assert_refused(lines("--model", "teacher", "--draft", name), repr(name), "neither")

    def test_other_vocabularies(self, lines, tmp_path):
        large, _ = toy_pair(tmp_path / "a")
        _, small = toy_pair(tmp_path / "b", words=("ant", "cat", "dog", "."))
        assert_refused(
            lines("--model", large, "--draft", small),
            large, small, "different source vocabularies", "(7 and 8 words)",
        )  # fmt: skip

    def test_other_subwords(self, lines, tmp_path):
        folders = []
        for name, text in (("a", ["die kleine Ente"] * 3), ("b", ["ein alter Hund"] * 3)):
            cutter = SubwordTokeniser.train(text, 40)
            words = Vocabulary.build(map(cutter.encode, text))
            folders.append(save(tmp_path / name, LSTMSeq2Seq(LSTMSpec(4), words, words), cutter))
        first, other = folders
        assert_refused(
            lines("--model", first, "--draft", other), first, other, "different subword models"
        )
        assert_refused(
            lines("--model", first, "--draft", "seq-kd"), "seq-kd reads the toy language", first
        )
