"""How the on-policy arms' learning rates were found: by the validation set, with a seed that no
table has."""

from __future__ import annotations

import pandas

from seqkd_lab.decoding.sampling import sample
from seqkd_lab.decoding.search import search
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
    at_rate,
)

SEED = 11


def try_rates(store: Store) -> pandas.DataFrame:
    """Validity of greedy and of drawn translations of the validation set, a column each, at each of
    RATES_TRIED; `both` is their mean, by which a rate is chosen. A loss of the grid has one rate
    for all targets: mean over gold and own.
    """
    groups = {loss: (arm(GOLD, loss), arm(OWN, loss)) for loss in LOSSES}
    groups |= {name: (name,) for name in (NLL_GOLD, NLL_MODE, TOKEN, TOKEN_TO_COME)}
    recipes, rows = arms(SEED), []
    for group, names in groups.items():
        for rate in RATES_TRIED:
            found = [validity(store, at_rate(recipes[name], rate)) for name in names]
            greedy, drawn = (sum(values) / len(found) for values in zip(*found, strict=True))
            rows.append(
                {
                    "loss": group,
                    "rate": rate,
                    "greedy": greedy,
                    "drawn": drawn,
                    "both": (greedy + drawn) / 2,
                }
            )
    return pandas.DataFrame(rows).set_index(["loss", "rate"])


def validity(store: Store, recipe) -> tuple[float, float]:
    """Shares of the validation sources that the recipe's model translates validly, greedily and by
    drawing."""
    data, model = store.dataset(recipe.data), store.model(recipe)
    sources = data.valid.source
    greedy = [found[0].tokens for found in search(model, sources)]
    drawn = [found.tokens for found in sample(model, sources, SEED)]
    return tuple(
        sum(map(data.language.is_valid, sources, tokens)) / len(sources)
        for tokens in (greedy, drawn)
    )
