"""The library's few deep interfaces, from their docstrings."""

from __future__ import annotations

from importlib import import_module
from inspect import getdoc

title = "The library, for programs"
name = "reference/api"
INTERFACES = {
    "Texts": ("corpus.parallel", "corpus.toy.language", "corpus.toy.choices"),
    "Models": ("models.seq2seq", "models.lstm", "models.transformer"),
    "Search": ("decoding.search", "decoding.trace", "decoding.translator"),
    "Distillation": ("distillation.losses", "distillation.sequence_level"),
    "Training and evaluation": ("training", "evaluation", "metrics"),
    "Runs": ("runs.recipes", "runs.store", "runs.study", "runs.verdicts"),
}
"""By subject the modules with which a program begins; the rest of the library serves them."""


def markdown() -> str:
    """Return one section a module; Sphinx reads the docstrings when it builds the page."""
    parts = [
        "A program begins with these modules of `seqkd_lab`. The rest of the library serves "
        "them. B are sentences, S source tokens, T target tokens, K the beam, V the vocabulary, "
        "D the width, H heads, L layers."
    ]
    for subject, modules in INTERFACES.items():
        parts.append(f"## {subject}")
        parts += [_module(f"seqkd_lab.{module}") for module in modules]
    return "\n\n".join(parts)


def _module(path: str) -> str:
    assert getdoc(import_module(path)), f"{path} has no docstring"
    short = path.partition(".")[2]
    return f"### `{short}`\n\n```{{eval-rst}}\n.. automodule:: {path}\n   :members:\n```"
