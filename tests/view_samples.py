"""Small data and models from which every view can be built, and how a view is built from them."""

from __future__ import annotations

from collections.abc import Callable, Collection
from dataclasses import dataclass, replace
from functools import cached_property
from itertools import islice
from types import ModuleType
from typing import Any

import torch
from synthetic_table3 import table3_of

from seqkd_lab.corpus.parallel import ParallelCorpus
from seqkd_lab.lab.shared.view import View
from seqkd_lab.models.lstm import LSTMSeq2Seq, LSTMSpec
from seqkd_lab.runs.data import Dataset, load_toy
from seqkd_lab.runs.recipes import ToyData


@dataclass(frozen=True)
class Small:
    """Small data and models: each view is built from them within a few tenths of a second."""

    toy: Dataset
    models: dict[str, LSTMSeq2Seq]
    table3: list[dict[str, dict]]

    @property
    def teacher(self) -> LSTMSeq2Seq:
        return self.models["teacher"]

    @cached_property
    def students(self) -> dict[str, LSTMSeq2Seq]:
        return {name: model for name, model in self.models.items() if name != "teacher"}

    @cached_property
    def short(self) -> list[tuple[str, ...]]:
        """Three short sentences with few translations."""
        count = self.toy.language.count_targets
        by_length = sorted(self.toy.test.source, key=len)
        return list(islice((source for source in by_length if 3 < count(source) < 60), 3))

    @cached_property
    def pairs(self) -> ParallelCorpus:
        """The short sentences with their modes, so that a search ends soon."""
        targets = tuple(self.toy.language.mode(source)[0] for source in self.short)
        return replace(self.toy.test, source=tuple(self.short), target=targets, references=None)


def uneven_models(toy: Dataset) -> dict[str, LSTMSeq2Seq]:
    """Return a teacher and two students with random weights, their distributions uneven."""
    models = {}
    for seed, name in enumerate(("teacher", "baseline", "seq-kd")):
        torch.manual_seed(seed)
        model = LSTMSeq2Seq(LSTMSpec(width=8), toy.source_vocabulary, toy.target_vocabulary)
        with torch.no_grad():
            for parameter in model.parameters():
                parameter.mul_(2.5)
        models[name] = model.eval()
    return models


def small_samples() -> Small:
    """Return the toy corpus with 300 pairs to train on, small models, and a table of results."""
    toy = load_toy(ToyData(300))
    return Small(toy, uneven_models(toy), table3_of())


def nothing(*_: Any) -> None:
    """Do nothing."""


@dataclass(frozen=True)
class Sample:
    """How the tests of all views build one of them, and what is special about it.

    `carry` brings what buttons have brought about, which stands in no control, from one view into
    the other that is compared with it; `also` asserts what else is true after any events;
    `not_pressed` names buttons that begin something long, `passing` widgets with words about the
    latest event rather than about what is shown, `silent` controls that the words leave to the
    picture. `searches` are functions, each as a module and a
    name, whose results are kept for the views that are compared, which saves time.
    """

    build: Callable[[Small], View]
    carry: Callable[[Any, Any], None] = nothing
    also: Callable[[Any], None] = nothing
    not_pressed: Collection[str] = ()
    passing: Collection[str] = ()
    silent: Collection[str] = ()
    searches: Collection[tuple[ModuleType, str]] = ()
