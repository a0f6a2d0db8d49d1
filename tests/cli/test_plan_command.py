"""`seqkd-lab plan` as a person types it."""

from __future__ import annotations

import pytest
from synthetic_rates import rates
from typed import assert_refused, typed

from seqkd_lab.planning.rates import write_rates


@pytest.fixture
def file(tmp_path):
    path = tmp_path / "rates.json"
    write_rates(path, rates())
    return path


def test_a_plan_at_the_rates_of_a_file(capsys, file) -> None:
    line = ("plan", "--pairs", "4_000_000", "--gpus", 8, "--price", 2, "--rates", file)
    code, out, err = typed(capsys, *line)
    assert (code, err) == (0, "")
    assert "4,000,000 pairs" in out and "Made-up 1000" in out and str(file) in out
    for named in ("teacher 4x1000", "student 2x500", "K = 35", "hours on 8", "cost", "Kim & Rush"):
        assert named in out


def test_options_change_the_plan(capsys, file) -> None:
    line = ("plan", "--pairs", 1000, "--rates", file, "--tokens", 9, 8, "--vocabulary", 700)
    sizes = ("--teacher", "3x64", "--student", "1x32", "1×16", "--beam", 4, "--inter-beam", 12)
    epochs = ("--epochs", 7, "--student-epochs", 5, "--tuning-epochs", 3)
    code, out, _ = typed(capsys, *line, *sizes, *epochs)
    assert code == 0
    for named in (
        "10.0 and 9.0 tokens", "700 words", "teacher 3x64, 7 epochs", "K = 4", "K = 12",
        "student 1x32 on ŷ, 5 epochs", "student 1x16 on ỹ, 3 epochs",
    ):  # fmt: skip
        assert named in out


@pytest.mark.slow
def test_a_plan_at_rates_that_are_measured_now(capsys) -> None:
    line = ("plan", "--pairs", 1000, "--teacher", "1x8", "--student", "1x4", "--vocabulary", 60)
    code, out, err = typed(capsys, *line, "--tokens", 5, 5)
    assert code == 0 and "measured now" in out and "not a GPU" in out
    assert "measuring 1x8: search, K = 35" in err


@pytest.mark.parametrize(
    ("option", "value"),
    [
        *(("--pairs", value) for value in ("0", "-4", "nan", "1e30", "9" * 30, "1.5", "")),
        *(("--gpus", value) for value in ("0", "-1", "many", "9" * 9)),
        *(("--teacher", value) for value in ("4x", "x1000", "4x999", "0x10", "4x0", "4", "4x1e3")),
        *(("--student", value) for value in ("2x", "-2x500", "2x500x3", "2x7", "9999x2")),
        *(("--vocabulary", value) for value in ("0", "3", "-1", "1e30")),
        *(("--epochs", value) for value in ("0", "-1", "inf")),
        *(("--beam", value) for value in ("0", "-5", "1e30", "1001")),
        *(("--inter-beam", value) for value in ("0", "x")),
        *(("--efficiency", value) for value in ("0", "-1", "1.1", "nan", "inf", "1e30")),
        *(("--price", value) for value in ("0", "-1", "nan", "inf", "1e30", "free")),
        ("--device", "tpu"),
        ("--precision", "fp8"),
    ],
)
def test_a_value_that_cannot_be_is_refused_by_the_name_of_its_option(capsys, option, value) -> None:
    pairs = () if option == "--pairs" else ("--pairs", "9")
    assert_refused(typed(capsys, "plan", *pairs, f"{option}={value}"), option)


@pytest.mark.parametrize("tokens", [("0", "5"), ("5", "nan"), ("5", "1e30"), ("-1", "5"), ("5",)])
def test_lengths_that_cannot_be_are_refused(capsys, tokens) -> None:
    assert_refused(typed(capsys, "plan", "--pairs", "9", "--tokens", *tokens), "--tokens")


def test_rates_that_cannot_be_read_are_refused(capsys, tmp_path, file) -> None:
    plan = ("plan", "--pairs", "9", "--rates")
    assert_refused(typed(capsys, *plan, tmp_path / "none.json"), "none.json", "no such file")
    assert_refused(typed(capsys, *plan, tmp_path), "folder")
    file.write_text('{"date": NaN}')
    assert_refused(typed(capsys, *plan, file), "rates.json", "benchmarks.device")
    file.write_bytes(b"\xff\xfe")
    assert_refused(typed(capsys, *plan, file), "rates.json")


@pytest.mark.parametrize("option", [("--device", "cpu"), ("--precision", "fp32")])
def test_how_to_measure_is_refused_where_nothing_is_measured(capsys, file, option) -> None:
    line = ("plan", "--pairs", "9", "--rates", file, *option)
    assert_refused(typed(capsys, *line), option[0], "--rates")


def test_without_pairs_there_is_nothing_to_plan(capsys) -> None:
    assert_refused(typed(capsys, "plan"), "--pairs")
