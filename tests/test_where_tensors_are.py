"""Every tensor is made where its inputs are: what computes on the CPU computes on another device,
to the same result."""

from __future__ import annotations

import math
import sys
from dataclasses import astuple, is_dataclass
from pathlib import Path

import pytest
import torch
from another_device import PACKAGE, TwoDevicesError, another_device
from device_work import ENCODED, SOURCES, WORK, make_batch, model, searches
from torch.overrides import TorchFunctionMode

from seqkd_lab.decoding.sampling import sample
from seqkd_lab.decoding.search import search
from seqkd_lab.models.architectures import ARCHITECTURES
from seqkd_lab.models.ensemble import Ensemble

FACTORIES = {
    getattr(torch, name)
    for name in (
        "arange as_tensor asarray empty eye full linspace logspace ones rand randint randn "
        "randperm tensor tril_indices triu_indices zeros"
    ).split()
}


class NamedDevices(TorchFunctionMode):
    """Raises where code below `folder` makes a tensor of nothing without saying where."""

    def __init__(self, folder: str = PACKAGE) -> None:
        super().__init__()
        self.folder = folder

    def __torch_function__(self, func, types, args=(), kwargs=None):
        kwargs = kwargs or {}
        caller = sys._getframe(1)
        if func in FACTORIES and "device" not in kwargs:
            if caller.f_code.co_filename.startswith(self.folder):
                raise AssertionError(
                    f"{caller.f_code.co_filename}:{caller.f_lineno}: torch.{func.__name__} without "
                    "device=: name that of an input, or CPU where corpora lie"
                )
        return func(*args, **kwargs)


def numbers(result) -> list:
    """Flatten a result into numbers and words."""
    if is_dataclass(result):
        result = astuple(result)
    if isinstance(result, torch.Tensor):
        result = result.tolist()
    if isinstance(result, dict):
        result = list(result.values())
    if isinstance(result, (list, tuple)):
        return [number for part in result for number in numbers(part)]
    return [result]


def same(one, other) -> bool:
    """Tell whether two results are the same up to rounding."""
    return len(one) == len(other) and all(
        math.isclose(a, b, rel_tol=1e-3, abs_tol=1e-4) if isinstance(a, float) else a == b
        for a, b in zip(one, other, strict=True)
    )


QUICK = ("loss", "searches", "gradients")


@pytest.mark.filterwarnings("ignore:for .* copying from a non-meta parameter")
@pytest.mark.parametrize(
    "work",
    [
        pytest.param(work, id=name, marks=() if name.startswith(QUICK) else pytest.mark.slow)
        for name, work in WORK.items()
    ],
)
@pytest.mark.parametrize("architecture", ARCHITECTURES)
def test_another_device_computes_what_the_cpu_does(monkeypatch, architecture, work):
    here = numbers(work(model(architecture), model("lstm", 2)))
    student, teacher = model(architecture), model("lstm", 2)
    with another_device(monkeypatch) as device:
        there = numbers(work(student.place(device), teacher.place(device)))
        assert student.device == device
    assert same(here, there), (here, there)


def test_an_ensemble_computes_on_another_device(monkeypatch):
    def found(ensemble: Ensemble) -> list:
        return numbers([search(ensemble, SOURCES, 2, 2), sample(ensemble, SOURCES, 1)])

    here, there = (Ensemble([model(name, 3) for name in ARCHITECTURES]) for _ in range(2))
    expected = found(here)
    with another_device(monkeypatch) as device:
        assert same(expected, found(there.place(device)))


@pytest.mark.parametrize("work", WORK.values(), ids=WORK)
@pytest.mark.parametrize("architecture", ARCHITECTURES)
def test_no_tensor_is_made_without_its_device(architecture, work):
    student, teacher = model(architecture, dropout=0.4), model("lstm", 2, dropout=0.4)
    with torch.device("meta"), NamedDevices():
        work(student.train(), teacher)


class TestTheTestsThemselves:
    """Wrong code is caught, with the line that is wrong."""

    def test_a_factory_without_a_device(self):
        with NamedDevices(str(Path(__file__).parent)):
            torch.zeros(3, device="cpu")
            with pytest.raises(AssertionError, match=rf"{Path(__file__).name}:\d+: torch.zeros"):
                torch.zeros(3)

    def test_a_mask_on_the_cpu(self, monkeypatch):
        with another_device(monkeypatch) as device:
            x = torch.ones(3, device=device)
            with pytest.raises(TwoDevicesError, match="two devices"):
                x + torch.ones(3)
            assert (x + torch.ones(())).tolist() == [2.0, 2.0, 2.0]

    def test_a_corpus_asked_by_a_gpus_rows(self, monkeypatch):
        with another_device(monkeypatch) as device:
            batch = make_batch(ENCODED, [0, 1]).to(device)
            with pytest.raises(TwoDevicesError):
                ENCODED.source_lengths[batch.rows]
            assert ENCODED.target_places(batch).device.type == "cpu"

    def test_a_search_that_forgets_the_device(self, monkeypatch):
        student, arange = model("transformer").eval(), torch.arange
        with another_device(monkeypatch) as device:
            student.place(device)
            monkeypatch.setattr(torch, "arange", lambda *a, device=None, **k: arange(*a, **k))
            with pytest.raises(TwoDevicesError, match=rf"{PACKAGE}.*py:\d+"):
                searches(student, student)
