"""The search for the learning rates of the on-policy study, by validity on the validation set.

python -m seqkd_lab.studies.on_policy.rates [FOLDER OF THE STORE]

It trains the arms at each rate of RATES_TRIED: 50 short trainings.
"""

from __future__ import annotations

import sys
from dataclasses import replace
from pathlib import Path
from statistics import fmean

import pandas

from seqkd_lab.decoding.sampling import sample
from seqkd_lab.decoding.search import search
from seqkd_lab.machine import use_threads
from seqkd_lab.runs.recipes import Recipe
from seqkd_lab.runs.store import Store
from seqkd_lab.studies.on_policy.recipes import (
    GOLD,
    LOSSES,
    NLL_GOLD,
    NLL_MODE,
    OWN,
    RATES_TRIED,
    TOKEN,
    TOKEN_TO_COME,
    arm,
    arms,
)

SEED = 11
"""Of no table."""


def try_rates(store: Store) -> pandas.DataFrame:
    """Return the validity of greedy and of drawn translations of the validation set, a column each,
    at each of RATES_TRIED.

    The column `both` is their mean, by which a rate is chosen. A loss of the grid has one rate for
    all targets: its row is the mean over gold and own.
    """
    groups: dict[str, tuple[str, ...]] = {
        loss: (arm(GOLD, loss), arm(OWN, loss)) for loss in LOSSES
    }
    groups |= {name: (name,) for name in (NLL_GOLD, NLL_MODE, TOKEN, TOKEN_TO_COME)}
    recipes, rows = arms(SEED), {}
    for group, names in groups.items():
        for rate in RATES_TRIED:
            shares = [validity(store, at_rate(recipes[name], rate)) for name in names]
            greedy, drawn = map(fmean, zip(*shares, strict=True))
            rows[group, rate] = {"greedy": greedy, "drawn": drawn, "both": (greedy + drawn) / 2}
    frame = pandas.DataFrame.from_dict(rows, orient="index")
    return frame.rename_axis(["loss", "rate"])


def at_rate(recipe: Recipe, rate: float) -> Recipe:
    """Return the same arm with another peak learning rate."""
    assert recipe.optimisation is not None, "every arm is trained"
    return replace(recipe, optimisation=replace(recipe.optimisation, learning_rate=rate))


def validity(store: Store, recipe: Recipe) -> tuple[float, float]:
    """Return the shares of the validation sources that the recipe's model translates validly,
    greedily and by drawing."""
    data, model = store.dataset(recipe.data), store.model(recipe)
    sources, is_valid = data.valid.source, data.toy_language.is_valid
    greedy = [hypotheses[0].tokens for hypotheses in search(model, sources)]
    drawn = [hypothesis.tokens for hypothesis in sample(model, sources, SEED)]
    return fmean(map(is_valid, sources, greedy)), fmean(map(is_valid, sources, drawn))


if __name__ == "__main__":
    use_threads(1)
    print(try_rates(Store(Path(sys.argv[1] if len(sys.argv) > 1 else "runs"))).to_string())
