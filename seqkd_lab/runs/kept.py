"""Read what the store and a checkpoint keep beside a model's weights, each file with its schema.

Each reader raises FileError, which names the file, the key or line, what was expected and what to
do, where the file holds anything else; OSError where it cannot be read.
"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

from msgspec import UNSET, Meta, Struct

from seqkd_lab.files import MAKE_AGAIN, FileError, checked, read_bytes, read_json
from seqkd_lab.runs.measured import (
    Amount,
    Count,
    Maybe,
    Name,
    Number,
    Percent,
    Positive,
    Share,
    Size,
    same_length,
)

COLUMNS = ("source", "greedy", "beam", "greedy tokens", "beam tokens")
"""Of translations.tsv."""
LARGEST_TABLE = 2**30
"""Bytes of translations.tsv: a test set of a million sentences has a quarter of it."""


class Curves(Struct):
    """A training, an item an epoch (optimisation.History). Results of before have no n_tokens."""

    train_loss: list[Number]
    valid_loss: list[Number]
    learning_rate: list[Amount]
    n_tokens: Maybe[list[Count]] = UNSET
    valid_bleu: Maybe[list[Percent]] = UNSET
    trained_on: Maybe[dict[str, Any]] = UNSET

    def __post_init__(self) -> None:
        same_length(train_loss=self.train_loss, valid_loss=self.valid_loss)


class Learned(Struct):
    """The target tokens that a training learned from, an item an epoch."""

    n_tokens: list[Count]


class Searched(Struct):
    """Translations by one search, judged (evaluation.OutputScore); None is what nothing says, UNSET
    what was not measured yet."""

    bleu: Percent
    length_ratio: Amount
    validity: Share | None
    bleu_one_reference: Maybe[Percent] = UNSET
    brevity_penalty: Maybe[Share] = UNSET
    words_per_second: Maybe[Amount] = UNSET
    chrf: Maybe[Percent | None] = UNSET
    distinct: Maybe[Share | None] = UNSET
    repeated: Maybe[Share | None] = UNSET

    def __post_init__(self) -> None:
        if self.validity is not None and self.bleu_one_reference is UNSET:
            raise ValueError("where validity is a number, bleu_one_reference is needed, too")


class Evaluated(Struct):
    """A model on the test set (evaluation.Evaluation), with its size."""

    n_parameters: Size
    greedy: Searched
    beam: Searched
    beam_size: Size
    perplexity: Positive
    p_mode: Share
    signature: Name
    name: Maybe[str] = UNSET
    key: Maybe[str] = UNSET
    same_translation: Maybe[Share | None] = UNSET
    kl_to_truth: Maybe[Number | None] = UNSET
    p_true_mode: Maybe[Share | None] = UNSET
    chrf_signature: Maybe[str | None] = UNSET

    def __post_init__(self) -> None:
        if self.greedy.validity is not None and not isinstance(self.kl_to_truth, float):
            raise ValueError("where validity is a number, kl_to_truth is needed, too")
        has_chrf = any(isinstance(score.chrf, float) for score in (self.greedy, self.beam))
        if has_chrf and not isinstance(self.chrf_signature, str):
            raise ValueError("where chrf is a number, chrf_signature is needed, too")


class Described(Struct, frozen=True):
    """A trained model of the store: the recipe that made it, and the sha256 of its weights, which
    models of earlier versions lack."""

    name: str
    n_parameters: Size
    recipe: dict[str, Any]
    sha256: str | None = None


class Committed(Struct):
    """A model that travels with the repository: the sha256 of its weights, its recipe, its seed,
    what was measured of it."""

    sha256: Annotated[str, Meta(pattern="^[0-9a-f]{64}$")]
    recipe: dict[str, Any]
    seed: Maybe[Count] = UNSET
    metrics: Maybe[dict[str, Any]] = UNSET


def read_history(path: Path, remedy: str = MAKE_AGAIN) -> dict[str, Any]:
    """Return what history.json says of a training: lists by name, an item an epoch."""
    return _read(path, Curves, remedy)


def read_n_tokens(path: Path, remedy: str = MAKE_AGAIN) -> int:
    """Return the target tokens that a training learned from, by its history.json."""
    return sum(read_json(path, Learned, remedy).n_tokens)


def read_metrics(path: Path, remedy: str = MAKE_AGAIN) -> dict[str, Any]:
    """Return what metrics-*.json says of a model of the store on the test set."""
    return _read(path, Evaluated, remedy)


def read_recipe(path: Path, remedy: str = MAKE_AGAIN) -> Described:
    """Return what recipe.json says of a model of the store."""
    return read_json(path, Described, remedy)


def read_committed(path: Path, remedy: str = MAKE_AGAIN) -> Committed:
    """Return what metrics.json says of a model that travels with the repository."""
    return read_json(path, Committed, remedy)


def _read(path: Path, schema: type[Struct], remedy: str) -> dict[str, Any]:
    """Return the JSON as it stands once it is checked: what the schema does not name is kept."""
    content = read_json(path, dict[str, Any], remedy)
    checked(content, schema, str(path), remedy)
    return content


def read_translations(path: Path, remedy: str = MAKE_AGAIN) -> list[list[str]]:
    """Return the COLUMNS of each test sentence, as the store wrote them."""
    try:
        text = read_bytes(path, LARGEST_TABLE, remedy).decode("utf-8")
    except UnicodeDecodeError as error:
        raise FileError(f"{path}: not UTF-8 (byte {error.start}); {remedy}") from error
    head, *lines = text.removesuffix("\n").split("\n")
    if head != "\t".join(COLUMNS):
        raise FileError(f"{path}:1: the columns should be {', '.join(COLUMNS)}; {remedy}")
    rows = [line.split("\t") for line in lines]
    for number, row in enumerate(rows, start=2):
        if len(row) != len(COLUMNS):
            raise FileError(
                f"{path}:{number}: {len(row)} columns, not {len(COLUMNS)} as in each line; {remedy}"
            )
    if not rows:
        raise FileError(f"{path}: no translation; {remedy}")
    return rows
