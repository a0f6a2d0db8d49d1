"""`python -m benchmarks.device` with tiny models: the file that it writes, and what it refuses."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest
import torch

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT))  # benchmarks/ is run from the checkout, never installed

from benchmarks import device  # noqa: E402
from seqkd_lab.planning.rates import read_rates  # noqa: E402


@pytest.mark.slow
def test_all_sizes_once(tmp_path: Path, capsys) -> None:
    path = tmp_path / "of a GPU.json"
    assert device.main(["--device", "cpu", "--quick", "--results", str(path)]) == 0
    rates, printed = read_rates(path), capsys.readouterr().out
    jobs = [(rate.job, rate.beam, rate.kept) for rate in rates.rates]
    n_models = sum(len(size.specs) for size in device.SIZES.values())
    assert jobs == [("train", 0, 0), ("search", 1, 1), ("search", 5, 1), ("search", 35, 35)] * (
        n_models
    )
    assert {rate.size for rate in rates.rates} == set(device.SIZES)
    assert (rates.device, rates.precision, rates.threads) == ("cpu", "fp32", 1)
    for named in ("label K = 35, the nearest", "label K = 5, the best", "greedy", rates.lab):
        assert named in printed


def test_a_device_that_is_not_there_is_refused(tmp_path: Path, capsys) -> None:
    if torch.cuda.is_available():
        pytest.skip("this machine has one")
    path = tmp_path / "rates.json"
    assert device.main(["--device", "cuda", "--results", str(path)]) == 2
    assert "--device cuda" in capsys.readouterr().err and not path.exists()


def test_choosing_among_35_takes_time_from_labelling(capsys) -> None:
    """A search of 100 sentences a second and 360 sentence BLEUs a second, 36 a sentence: a tenth of
    a second for each sentence beside a hundredth."""
    from synthetic_rates import measured, rate

    from seqkd_lab.planning.rates import Similarities

    searched = rate(measured(1, 8), 35, 1_000, kept=35)
    searched.seconds, searched.sentences = [1.0], 100
    _, labelled = device.lines(searched, Similarities(360, [1.0]))
    assert "9.09" in labelled


def test_the_committed_rates_are_read_and_named_as_those_of_a_cpu() -> None:
    rates = read_rates(device.DEFAULT)
    assert rates.device == "cpu" and {rate.size for rate in rates.rates} == set(device.SIZES)
