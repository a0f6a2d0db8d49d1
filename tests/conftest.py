"""One thread for every test, and tiny random models for tests that ask how a model is used, not how
good it is."""

from __future__ import annotations

from collections.abc import Callable

import pytest
import soak
import torch
from hypothesis import settings

from seqkd_lab.corpus.vocabulary import Vocabulary
from seqkd_lab.models.lstm import LSTMSeq2Seq, LSTMSpec

WORDS = ("ant", "bee", "cat", "dog", "eel", "fox", "gnu", "hen")
SMALL = LSTMSpec(width=8)
ModelMaker = Callable[..., LSTMSeq2Seq]
WHOLE_NOTEBOOKS = ("test_notebooks", "test_browser")
"""Modules that run whole notebooks, each of which takes a process for a while."""

# Without a deadline an example may take as long as a busy machine needs: a timed threshold is no
# test.
settings.register_profile("no deadline", deadline=None)
settings.load_profile("no deadline")


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Leave what belongs to the soak to `make soak`, and run the quick tests first: whoever broke
    something learns it within seconds. The order is kept among equals.

    With several processes (pytest-xdist) the tests of a module stay together, since they share
    fixtures, and those of a notebook, since they share its run.
    """
    for_the_soak = [] if soak.LONG else [item for item in items if item.get_closest_marker("soak")]
    config.hook.pytest_deselected(items=for_the_soak)
    items[:] = [item for item in items if item not in for_the_soak]
    items.sort(key=is_slow)
    for item in items:
        item.add_marker(pytest.mark.xdist_group(group_of(item)))


def is_slow(item: pytest.Item) -> bool:
    """Tell whether a test is marked as slow."""
    return item.get_closest_marker("slow") is not None


def group_of(item: pytest.Item) -> str:
    """Return the name of the tests that run in the same process as this one."""
    parameters = item.callspec.params if hasattr(item, "callspec") else {}
    notebook = parameters.get("path", parameters.get("name")) if is_slow(item) else None
    whose = f" {getattr(notebook, 'stem', notebook)}" if item.path.stem in WHOLE_NOTEBOOKS else ""
    return f"{item.path.stem}{whose}"


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
