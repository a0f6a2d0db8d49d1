"""One thread for every test, and tiny random models for tests that ask how a model is used, not how
good it is."""

from __future__ import annotations

from collections.abc import Callable

import pytest
import torch
from hypothesis import settings

from seqkd_lab.corpus.vocabulary import Vocabulary
from seqkd_lab.models.lstm import LSTMSeq2Seq, LSTMSpec

WORDS = ("ant", "bee", "cat", "dog", "eel", "fox", "gnu", "hen")
SMALL = LSTMSpec(width=8)
ModelMaker = Callable[..., LSTMSeq2Seq]

# Without a deadline an example may take as long as a busy machine needs: a timed threshold is no
# test.
settings.register_profile("no deadline", deadline=None)
settings.load_profile("no deadline")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """The quick tests first: who broke something learns it within seconds. The order is kept among
    equals."""
    items.sort(key=lambda item: item.get_closest_marker("slow") is not None)


@pytest.fixture(autouse=True)
def one_thread() -> None:
    """Tiny models are fastest with one thread, and equal results need equal numbers of threads. A
    command sets more."""
    torch.set_num_threads(1)


@pytest.fixture
def make_model() -> ModelMaker:
    """A model with weights drawn from `seed` and multiplied by `sharpness`: above 1, its
    distributions are uneven.

    Its vocabularies hold the first n_source and n_target words of WORDS.
    """

    def make(
        seed: int = 0,
        n_target: int = 4,
        spec: LSTMSpec = SMALL,
        n_source: int = 6,
        sharpness: float = 3.0,
    ) -> LSTMSeq2Seq:
        torch.manual_seed(seed)
        source, target = Vocabulary.build([WORDS[:n_source]]), Vocabulary.build([WORDS[:n_target]])
        model = LSTMSeq2Seq(spec, source, target)
        with torch.no_grad():
            for parameter in model.parameters():
                parameter.mul_(sharpness)
        return model.eval()

    return make
