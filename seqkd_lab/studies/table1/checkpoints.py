"""Write the models of Table 1 that travel with the repository, each with its hash, recipe and
metrics."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from seqkd_lab.evaluation import evaluate, translate_test
from seqkd_lab.files import write_json
from seqkd_lab.models.checkpoint import load_model, save_model
from seqkd_lab.runs.committed import weights_hash
from seqkd_lab.runs.making import evaluation_record
from seqkd_lab.runs.store import Store, identity
from seqkd_lab.studies.table1.table import TableRun


def write_checkpoints(run: TableRun, store: Store, directory: Path, seed: int) -> Iterator[Path]:
    """Write each row of `seed` with 16-bit weights; metrics are those of the model as written,
    read back."""
    for name, recipe in run.recipes(seed).items():
        folder = directory / name
        save_model(folder, store.model(recipe), half=True)
        write_json(
            folder / "metrics.json",
            {
                "sha256": weights_hash(folder),
                "recipe": identity(recipe),
                "seed": recipe.seed,
                "metrics": measure(folder, run, store, seed),
            },
        )
        yield folder


def measure(folder: Path, run: TableRun, store: Store, seed: int) -> dict:
    """Return the Evaluation of the checkpoint in `folder` on the test set, without its speed, which
    is the machine's."""
    recipe = run.recipes(seed)[folder.name]
    data, model, preset = store.dataset(recipe.data), load_model(folder), run.preset
    translations = translate_test(model, data.test, preset.beam_size, preset.length_penalty)
    result = evaluate(
        model, data.test, data.detokenise, translations, preset.beam_size, data.language
    )
    measured = evaluation_record(recipe, model, result)
    for search in ("greedy", "beam"):
        del measured[search]["words_per_second"]
    return measured
