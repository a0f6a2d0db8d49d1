"""Every view with payloads in place of the words that it shows: its sentences, the vocabularies of
its models and the names of its students."""

from __future__ import annotations

import copy
import dataclasses
from typing import Any
from unittest.mock import patch

import torch
from view_samples import Sample, Small

from seqkd_lab.corpus.toy.language import ToyLanguage
from seqkd_lab.lab.shared.view import View


class Renaming:
    """Puts a payload in the place of every word that it knows, wherever that stands in an object:
    the same payload for the same word, so that what is looked up is found.

    What asks the toy language is asked with the words as they were, and hears the payloads.
    """

    def __init__(self, known: list[str], payloads: list[str]) -> None:
        self.payload_of = {
            word: f"{payloads[number % len(payloads)]}{number}" for number, word in enumerate(known)
        }
        self._memo: dict[int, tuple[Any, Any]] = {}

    def back(self) -> Renaming:
        """Return the renaming that undoes this one."""
        undo = Renaming([], [])
        undo.payload_of = {payload: word for word, payload in self.payload_of.items()}
        return undo

    def __call__(self, value: Any) -> Any:
        if isinstance(value, str):
            return self._text(value)
        if id(value) not in self._memo:
            self._memo[id(value)] = value, value  # what holds itself stays as it is in there
            self._memo[id(value)] = value, self._object(value)
        return self._memo[id(value)][1]

    def _text(self, text: str) -> str:
        parts = text.split(" ")
        if all(part in self.payload_of for part in parts):
            return " ".join(self.payload_of[part] for part in parts)
        return text

    def _object(self, value: Any) -> Any:
        if isinstance(value, ToyLanguage):
            return HostileLanguage(value, self)
        if isinstance(value, dict):
            return type(value)((self(key), self(item)) for key, item in value.items())
        if isinstance(value, tuple) and hasattr(value, "_fields"):
            return type(value)(*map(self, value))
        if isinstance(value, (list, tuple, set, frozenset)):
            return type(value)(map(self, value))
        if isinstance(value, torch.nn.Module):
            return self._with(value, ("source_vocabulary", "target_vocabulary"))
        is_ours = type(value).__module__.split(".")[0] in ("seqkd_lab", "view_samples")
        if is_ours and not isinstance(value, type) and hasattr(value, "__dict__"):
            return self._with(value, tuple(vars(value)))
        if dataclasses.is_dataclass(value) and is_ours and not isinstance(value, type):
            return self._with(value, tuple(field.name for field in dataclasses.fields(value)))
        return value

    def _with(self, value: Any, names: tuple[str, ...]) -> Any:
        other = copy.copy(value)
        for name in names:
            if hasattr(value, name):
                object.__setattr__(other, name, self(getattr(value, name)))
        return other


class HostileLanguage:
    """The toy language as one would know it whose words are the payloads."""

    def __init__(self, language: ToyLanguage, renaming: Renaming) -> None:
        self._language, self._renaming, self._back = language, renaming, renaming.back()

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__"):
            raise AttributeError(name)
        value = getattr(self._language, name)
        return self._asked(value) if callable(value) else self._renaming(value)

    def _asked(self, method: Any) -> Any:
        def ask(*arguments: Any, **named: Any) -> Any:
            named = {name: self._fresh(self._back, value) for name, value in named.items()}
            answer = method(*(self._fresh(self._back, value) for value in arguments), **named)
            return self._fresh(self._renaming, answer)

        return ask

    @staticmethod
    def _fresh(renaming: Renaming, value: Any) -> Any:
        """Rename without what is remembered: what is asked lives shorter than the language."""
        fresh = Renaming([], [])
        fresh.payload_of = renaming.payload_of
        return fresh(value)


CONSTANTS = frozenset(("teacher", "student"))
"""Words of the toy language that are names in the code, too."""
NAMES = (
    "baseline",
    "seq-kd",
    *("early", "late", "end"),
    *(f"w{row}.{place}" for row in range(4) for place in range(40)),
)
"""What the samples of the views call their students, moments and words."""


def hostile_view(
    kind: type[View], sample: Sample, small: Small, payloads: list[str]
) -> tuple[View, Renaming]:
    """Build a view from its sample with payloads in the place of all words and names; return what
    the payloads stand for, too."""
    vocabularies = small.toy.source_vocabulary, small.toy.target_vocabulary
    known = {word for vocabulary in vocabularies for word in vocabulary.tokens[4:]} - CONSTANTS
    of_words = Renaming(sorted(known), payloads)
    of_all = Renaming([*sorted(known), *NAMES], payloads)
    build = kind.__init__

    def renamed(view: View, *arguments: Any, **named: Any) -> None:
        named = {name: of_all(value) for name, value in named.items()}
        build(view, *map(of_all, arguments), **named)

    with patch.object(kind, "__init__", renamed):
        return sample.build(of_words(small)), of_all
