"""The toy corpus and small random models that can read it, for the tests of figures and views."""

from __future__ import annotations

import pytest
from synthetic_table3 import table3_of
from view_samples import uneven_models

from seqkd_lab.models.lstm import LSTMSeq2Seq
from seqkd_lab.runs.data import Dataset, load_toy
from seqkd_lab.runs.recipes import ToyData


@pytest.fixture(scope="session")
def toy() -> Dataset:
    """The toy corpus with 300 pairs to train on, and its language."""
    return load_toy(ToyData(300))


@pytest.fixture(scope="session")
def toy_models(toy: Dataset) -> dict[str, LSTMSeq2Seq]:
    """A teacher and two students with random weights, their distributions uneven."""
    return uneven_models(toy)


@pytest.fixture(scope="session")
def table3() -> list[dict[str, dict]]:
    """Results like Table 3's, made by formula."""
    return table3_of()
