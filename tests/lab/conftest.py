"""The toy corpus and small random models that can read it, for the tests of figures and views."""

from __future__ import annotations

import pytest
import torch
from synthetic_table3 import table3_of

from seqkd_lab.models.lstm import LSTMSeq2Seq, LSTMSpec
from seqkd_lab.runs.data import Dataset, load_toy
from seqkd_lab.runs.recipes import ToyData


@pytest.fixture(scope="session")
def toy() -> Dataset:
    """The toy corpus with 300 pairs to train on, and its language."""
    return load_toy(ToyData(300))


@pytest.fixture(scope="session")
def toy_models(toy: Dataset) -> dict[str, LSTMSeq2Seq]:
    """A teacher and two students with random weights, their distributions uneven."""
    models = {}
    for seed, name in enumerate(("teacher", "baseline", "seq-kd")):
        torch.manual_seed(seed)
        model = LSTMSeq2Seq(LSTMSpec(width=8), toy.source_vocabulary, toy.target_vocabulary)
        with torch.no_grad():
            for parameter in model.parameters():
                parameter.mul_(2.5)
        models[name] = model.eval()
    return models


@pytest.fixture(scope="session")
def table3() -> list[dict[str, dict]]:
    """Results like Table 3's, made by formula."""
    return table3_of()
