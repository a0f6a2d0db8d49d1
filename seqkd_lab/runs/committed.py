"""The models that travel with the repository: one seed of the toy's Table 1, small, with hash,
recipe and metrics.

Which seed, a rule says: the one whose greedy gain of Seq-KD over the baseline is the median of all
seeds, so that what a screen shows is what a reader may expect.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from statistics import fmean

from seqkd_lab import installation
from seqkd_lab.files import FileError, write_json
from seqkd_lab.models.checkpoint import load_model, save_model
from seqkd_lab.models.seq2seq import Seq2Seq
from seqkd_lab.runs.complete import weights_hash
from seqkd_lab.runs.kept import read_committed
from seqkd_lab.runs.recipes import BASELINE, SEQ_KD, TEACHER, Recipe
from seqkd_lab.runs.store import Store, identity

DATA = installation.data_directory()
"""The folder of what travels with the project: results, checkpoints, the toy corpus."""


def results_path(name: str) -> Path:
    """Return the path of a committed results file, where it is or would be. Nothing is written
    there but in a checkout."""
    return DATA / "results" / name


def own_results_path(name: str) -> Path:
    """Return the path of a results file that is made here: in a checkout that of the committed one,
    which it replaces, else in runs/results/ in the current folder."""
    return installation.results_directory() / name


def checkpoint_directory(row: str) -> Path | None:
    """Return the folder of the committed model of a row of Table 1 (toy, the representative seed);
    None where there is none."""
    directory = DATA / "checkpoints" / row
    return directory if (directory / "metrics.json").exists() else None


def existing_checkpoint(row: str) -> Path:
    """Return the same folder. Raises FileError, which says what to do, where there is no such
    model."""
    directory = checkpoint_directory(row)
    if directory is None:
        raise FileError(no_model(row))
    return directory


def no_model(names: str) -> str:
    """Return the message that these committed models are missing, and what brings them back."""
    return (
        f"no committed model of {names} in {DATA / 'checkpoints'}: "
        f"{installation.restore('data/checkpoints')}"
    )


def representative_seed(by_seed: Mapping[str, Mapping]) -> int:
    """Return the seed of a table's results whose greedy gain of Seq-KD over the baseline (BLEU) is
    the median; of the two in the middle of an even number of seeds, the one whose gain is nearer to
    the mean (of equals, the lower).

    Raises ValueError where these two rows are missing.
    """
    try:
        gains = {
            int(seed): rows[SEQ_KD]["greedy"]["bleu"] - rows[BASELINE]["greedy"]["bleu"]
            for seed, rows in by_seed.items()
        }
    except KeyError as error:
        raise ValueError(
            f"the representative seed is chosen by the rows {BASELINE} and {SEQ_KD}; make both"
        ) from error
    ranked, mean = sorted(gains, key=lambda seed: (gains[seed], seed)), fmean(gains.values())
    middle = ranked[(len(ranked) - 1) // 2 : len(ranked) // 2 + 1]
    return min(middle, key=lambda seed: abs(gains[seed] - mean))


def committed_seed() -> int:
    """Return the seed of the committed models of Table 1. Raises FileError where there are none,
    and where their record is damaged."""
    path = DATA / "checkpoints" / TEACHER / "metrics.json"
    if not path.exists():
        raise FileError(f"{path}: no committed models; {installation.restore('data/checkpoints')}")
    seed = read_committed(path, installation.restore("data/checkpoints")).seed
    if not isinstance(seed, int):
        raise FileError(f"{path}: no seed; {installation.restore('data/checkpoints')}")
    return seed


def load_committed(directory: Path) -> Seq2Seq:
    """Return the model of a checkpoint's folder.

    Raises FileError when it is not there, and when its weights are not those that were
    measured.
    """
    record = directory / "metrics.json"
    if not record.exists():
        raise FileError(no_model(directory.name))
    recorded = read_committed(record, installation.restore("data/checkpoints")).sha256
    actual = weights_hash(directory)
    if actual != recorded:
        raise FileError(
            f"{directory}: weights have sha256 {actual}, recorded is {recorded}; "
            f"{installation.restore('data/checkpoints')}"
        )
    return load_model(directory)


def write_committed(
    folder: Path, store: Store, recipe: Recipe, measure: Callable[[Seq2Seq], Mapping]
) -> Path:
    """Write the store's model of `recipe` to `folder` with 16-bit weights, and beside it its hash,
    recipe and seed, and what `measure` returns of the model as read back; return `folder`."""
    save_model(folder, store.model(recipe), half=True)
    record = {
        "sha256": weights_hash(folder),
        "recipe": identity(recipe),
        "seed": recipe.seed,
        "metrics": measure(load_model(folder)),
    }
    write_json(folder / "metrics.json", record)
    return folder
