"""The search for the learning rates of the on-policy study, by validity on the validation set.

python -m seqkd_lab.studies.on_policy.rates [FOLDER OF THE STORE]

It trains the arms at each rate of RATES_TRIED: 36 short trainings.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from statistics import fmean

import pandas

from seqkd_lab.decoding.sampling import sample
from seqkd_lab.decoding.search import search
from seqkd_lab.machine import use_threads
from seqkd_lab.runs.recipes import Recipe
from seqkd_lab.runs.store import Store
from seqkd_lab.runs.study import PILOT_SEED
from seqkd_lab.studies.on_policy.recipes import (
    GOLD,
    LOSSES,
    NLL_GOLD,
    NLL_MODE,
    OWN,
    RATES_TRIED,
    WHOLE,
    WORD,
    WORD_BASELINE,
    arm,
    arms,
)

N_VALID = 500
"""Validation sentences."""


GROUPS: dict[str, tuple[str, ...]] = {
    **{loss: (arm(GOLD, loss), arm(OWN, loss)) for loss in LOSSES},
    NLL_GOLD: (NLL_GOLD,),
    NLL_MODE: (NLL_MODE,),
    WORD: (WORD, WORD_BASELINE),
    WHOLE: (WHOLE,),
}
"""The arms that share a rate, by the loss that names it in RATES."""


def try_rates(store: Store) -> pandas.DataFrame:
    """Return the validity of greedy and of drawn translations of validation sentences, a column
    each, at each of RATES_TRIED: the mean over the arms of a group.

    The column `both` is the mean of the two, `error` its standard error; `chosen` marks the lowest
    rate that is within a standard error of the group's best.
    """
    recipes = arms(PILOT_SEED)
    rows: dict[tuple[str, float], dict[str, float]] = {}
    for group, names in GROUPS.items():
        tried = {}
        for rate in RATES_TRIED:
            shares = [validity(store, at_rate(recipes[name], rate)) for name in names]
            tried[rate] = averaged(shares)
        best = max(tried.values(), key=lambda row: row["both"])
        chosen = min(r for r, row in tried.items() if row["both"] >= best["both"] - best["error"])
        rows |= {(group, rate): row | {"chosen": rate == chosen} for rate, row in tried.items()}
    frame = pandas.DataFrame.from_dict(rows, orient="index")
    return frame.rename_axis(["loss", "rate"])


def averaged(shares: Sequence[tuple[float, float]]) -> dict[str, float]:
    """Return the mean over arms of (greedy, drawn) shares of N_VALID sentences, their common mean,
    and its standard error."""
    greedy, drawn = map(fmean, zip(*shares, strict=True))
    variance = (greedy * (1.0 - greedy) + drawn * (1.0 - drawn)) / (4.0 * N_VALID * len(shares))
    return {"greedy": greedy, "drawn": drawn, "both": (greedy + drawn) / 2, "error": variance**0.5}


def at_rate(recipe: Recipe, rate: float) -> Recipe:
    """Return the same arm with another peak learning rate."""
    assert recipe.optimisation is not None, "every arm is trained"
    return replace(recipe, optimisation=replace(recipe.optimisation, learning_rate=rate))


def validity(store: Store, recipe: Recipe) -> tuple[float, float]:
    """Return the shares of the validation sources that the recipe's model translates validly,
    greedily and by drawing."""
    data, model = store.dataset(recipe.data), store.model(recipe)
    sources, is_valid = data.valid.source[:N_VALID], data.toy_language.is_valid
    greedy = [hypotheses[0].tokens for hypotheses in search(model, sources)]
    drawn = [hypothesis.tokens for hypothesis in sample(model, sources, PILOT_SEED)]
    return fmean(map(is_valid, sources, greedy)), fmean(map(is_valid, sources, drawn))


if __name__ == "__main__":
    use_threads(1)
    print(try_rates(Store(Path(sys.argv[1] if len(sys.argv) > 1 else "runs"))).to_string())
