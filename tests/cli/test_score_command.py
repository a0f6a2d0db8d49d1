"""`seqkd-lab score` against sacreBLEU's own command on the same files, and what it says of files
that do not fit."""

from __future__ import annotations

import gzip
import io
import json
import subprocess
import sys
import unicodedata
from pathlib import Path

import pytest

from seqkd_lab import cli

REFERENCE = [
    f"Der alte Lehrer Nummer {i} verkauft das Sofa, weil es kaputt ist." for i in range(40)
]
OTHER_REFERENCE = [line.replace("verkauft", "veräußert") for line in REFERENCE]
GOOD = [line.replace("alte", "junge") if i % 3 else line for i, line in enumerate(REFERENCE)]
BAD = [line.replace("das Sofa, ", "", 1) if i % 5 else "" for i, line in enumerate(GOOD)]
CHINESE = ["老教师卖掉了沙发。", "学生买了一张火车票。", "因为坏了，所以扔掉。"]


def write(path: Path, lines: list[str]) -> str:
    content = "".join(f"{line}\n" for line in lines).encode()
    path.write_bytes(gzip.compress(content) if path.suffix == ".gz" else content)
    return str(path)


@pytest.fixture
def files(tmp_path) -> dict[str, str]:
    texts = {"good": GOOD, "bad": BAD, "ref": REFERENCE, "ref2": OTHER_REFERENCE}
    return {name: write(tmp_path / name, lines) for name, lines in texts.items()}


def score(capsys, *arguments: str) -> tuple[int, str, str]:
    code = cli.main(["score", *arguments])
    out, err = capsys.readouterr()
    return code, out, err


def score_as_json(capsys, *arguments: str) -> dict:
    code, out, _ = score(capsys, *arguments, "--json")
    assert code == 0
    return json.loads(out)


def sacrebleu_command(*arguments: str) -> list[dict]:
    command = [
        sys.executable,
        "-m",
        "sacrebleu",
        *arguments,
        "-m",
        "bleu",
        "chrf",
        "-w",
        "6",
        "--force",
    ]
    return json.loads(subprocess.run(command, check=True, capture_output=True).stdout)


class TestNumbers:
    @pytest.mark.parametrize(
        ("name", "references", "tokenize"),
        [
            ("good", ["ref"], "13a"),
            ("bad", ["ref", "ref2"], "13a"),
            ("bad", ["ref"], "char"),
            ("bad", ["ref2"], "intl"),
        ],
    )
    def test_they_are_those_of_sacrebleus_command(self, capsys, files, name, references, tokenize):
        paths = [files[reference] for reference in references]
        said = score_as_json(capsys, files[name], *paths, "--tokenize", tokenize)
        bleu, chrf = sacrebleu_command(*paths, "-i", files[name], "--tokenize", tokenize)
        assert said["bleu"] == pytest.approx(bleu["score"], abs=1e-6)
        assert said["chrf"] == pytest.approx(chrf["score"], abs=1e-6)
        assert (said["signature"], said["chrf_signature"]) == (bleu["signature"], chrf["signature"])

    def test_people_see_the_same_rounded(self, capsys, files):
        said = score_as_json(capsys, files["bad"], files["ref"])
        _, out, err = score(capsys, files["bad"], files["ref"])
        line = next(line for line in out.splitlines() if line.startswith(files["bad"]))
        shown = [float(number) for number in line.split()[1:]]
        expected = [
            said[name]
            for name in ("bleu", "chrf", "length_ratio", "brevity_penalty", "blank_lines")
        ]
        assert shown == [pytest.approx(value, abs=0.006) for value in expected]
        assert (
            said["blank_lines"] == 8
            and said["signature"] in out
            and said["chrf_signature"] in out
            and not err
        )

    def test_a_perfect_chinese_translation_has_100(self, capsys, tmp_path):
        path = write(tmp_path / "zh", CHINESE)
        said = score_as_json(capsys, path, path)
        assert (
            said["bleu"] == pytest.approx(100.0)
            and said["chrf"] == 100.0
            and "tok:zh" in said["signature"]
        )
        assert score_as_json(capsys, path, path, "--tokenize", "13a")["bleu"] == 0.0

    def test_gz_pipe_and_byte_order_mark_change_nothing(self, capsys, files, tmp_path, monkeypatch):
        expected = score_as_json(capsys, files["good"], files["ref"])
        packed = score_as_json(
            capsys, write(tmp_path / "good.gz", GOOD), write(tmp_path / "ref.gz", REFERENCE)
        )
        windows = tmp_path / "windows"
        windows.write_bytes(b"\xef\xbb\xbf" + "\r\n".join(GOOD).encode())
        stdin = io.TextIOWrapper(io.BufferedReader(io.BytesIO(Path(files["good"]).read_bytes())))
        monkeypatch.setattr(sys, "stdin", stdin)
        said = [
            packed,
            score_as_json(capsys, str(windows), files["ref"]),
            score_as_json(capsys, "-", files["ref"]),
        ]
        for other in said:
            assert {key: other[key] for key in ("bleu", "chrf", "signature")} == {
                key: expected[key] for key in ("bleu", "chrf", "signature")
            }
        assert said[2]["hypotheses"] == "standard input"


class TestAgainst:
    def test_both_metrics_have_difference_interval_and_p(self, capsys, files):
        said = score_as_json(capsys, files["good"], files["ref"], "--against", files["bad"])
        back = score_as_json(capsys, files["bad"], files["ref"], "--against", files["good"])
        for metric in ("bleu", "chrf"):
            there, turned = said["difference"][metric], back["difference"][metric]
            assert (
                there["difference"]
                == said[metric] - said["against"][metric]
                == -turned["difference"]
            )
            low, high = there["interval"]
            assert (
                0 < low < there["difference"] < high
                and there["p_value"] == turned["p_value"] < 0.05
            )

    def test_people_see_difference_interval_and_p(self, capsys, files):
        found = score_as_json(capsys, files["good"], files["ref"], "--against", files["bad"])[
            "difference"
        ]["bleu"]
        _, out, _ = score(capsys, files["good"], files["ref"], "--against", files["bad"])
        low, high = found["interval"]
        assert (
            f"{found['difference']:+.2f}, 95% interval [{low:+.2f}, {high:+.2f}], p = "
            f"{found['p_value']:.3f}" in out
        )
        assert out.count("p = ") == 2 and "1,000 samples" in out

    def test_a_file_against_itself_has_a_p_of_1(self, capsys, files):
        said = score_as_json(capsys, files["bad"], files["ref"], "--against", files["bad"])[
            "difference"
        ]
        assert said["bleu"]["p_value"] == said["chrf"]["p_value"] == 1.0

    @pytest.mark.parametrize(
        ("lines", "why"),
        [
            (["Katze"] * 40, "BLEU is 0.0; below 2"),
            ([REFERENCE[0]] * 40, "the same translation for 100%"),
            ([REFERENCE[0]] * 25 + REFERENCE[25:], "the same translation for 62%"),
        ],
    )
    def test_scores_that_say_nothing_have_no_p(self, capsys, files, tmp_path, lines, why):
        path = write(tmp_path / "nothing", lines)
        for pair in ((path, files["good"]), (files["good"], path)):
            _, out, _ = score(capsys, pair[0], files["ref"], "--against", pair[1])
            assert (
                "cannot be compared: " in out
                and why in out
                and "p = " not in out
                and "interval" not in out
            )
            said = score_as_json(capsys, pair[0], files["ref"], "--against", pair[1])["difference"]
            assert list(said) == ["cannot_be_compared"] and why in said["cannot_be_compared"]

    def test_a_test_set_with_repeated_sentences_is_compared(self, capsys, tmp_path):
        names = {
            name: write(tmp_path / name, lines[:3] * 40)
            for name, lines in (("good", GOOD), ("ref", REFERENCE))
        }
        assert "p = " in score(capsys, names["good"], names["ref"], "--against", names["good"])[1]


class TestRefusals:
    def test_numbers_of_lines_that_differ_are_named_with_both_files(self, capsys, files, tmp_path):
        short = write(tmp_path / "short", REFERENCE[:39])
        for arguments in (
            [files["good"], short],
            [files["good"], files["ref"], short],
            [files["good"], files["ref"], "--against", short],
        ):
            code, out, err = score(capsys, *arguments)
            assert code == 2 and not out and err.count("\n") == 1
            assert f"{short} has 39 lines" in err and f"{files['good']} has 40" in err

    @pytest.mark.parametrize("lines", [[], [""], [" ", "\t"] * 20])
    @pytest.mark.parametrize("is_reference", [True, False])
    def test_a_file_without_text_is_named(self, capsys, files, tmp_path, lines, is_reference):
        empty = write(tmp_path / "empty", lines)
        code, _, err = score(
            capsys, *((files["good"], empty) if is_reference else (empty, files["ref"]))
        )
        assert code == 2 and f"{empty}: nothing to score: no text in" in err

    def test_a_missing_file_and_two_standard_inputs(self, capsys, files, tmp_path):
        for arguments, said in (
            ([str(tmp_path / "no"), files["ref"]], "no: cannot be read"),
            (["-", "-"], "standard input, which can be read only once"),
        ):
            code, out, err = score(capsys, *arguments)
            assert code == 2 and not out and said in err

    def test_an_unknown_tokeniser_is_refused_with_the_known_ones(self, capsys, files):
        with pytest.raises(SystemExit) as ended:
            score(capsys, files["good"], files["ref"], "--tokenize", "14b")
        assert ended.value.code == 2 and "13a" in capsys.readouterr().err


class TestNotes:
    def test_tokenised_text_is_named_in_one_line(self, capsys, files, tmp_path):
        path = write(tmp_path / "tokenised", [line.replace(".", " .") for line in REFERENCE * 3])
        code, out, err = score(capsys, path, write(tmp_path / "r", REFERENCE * 3))
        assert code == 0 and "BLEU" in out
        assert err.count("\n") == 1 and f"120 of 120 lines of {path} end in ' .'" in err

    def test_letters_written_in_two_ways_are_named(self, capsys, files, tmp_path):
        decomposed = write(
            tmp_path / "nfd", [unicodedata.normalize("NFD", line) for line in OTHER_REFERENCE]
        )
        _, _, err = score(capsys, files["ref2"], decomposed)
        assert (
            f"lines of {decomposed} that are not in Unicode's NFC, unlike the other files: 40"
            in err
        )
        assert "NFC" not in score(capsys, decomposed, decomposed)[2], "both are written alike"

    def test_blank_references_are_counted(self, capsys, files):
        assert f"blank lines in {files['bad']}: 8" in score(capsys, files["good"], files["bad"])[2]

    def test_references_for_which_any_bleu_is_0_are_named(self, capsys, tmp_path):
        short = write(tmp_path / "short", ["ja", "nein danke", "vielleicht"])
        code, out, err = score(capsys, short, short)
        assert (
            code == 0
            and "100.00" in out
            and err.count("no line of the references has four words") == 1
        )
        long = write(tmp_path / "long", ["ja", "nein danke", "das ist ein langer Satz"])
        assert "four words" not in score(capsys, short, long)[2] + score(capsys, long, long)[2]
