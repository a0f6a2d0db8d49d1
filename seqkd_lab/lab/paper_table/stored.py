"""What lesson 08 reads from the committed results, and its view where there are widgets."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from seqkd_lab.lab.paper_table.measures import Gain, gains
from seqkd_lab.runs.committed import results_path
from seqkd_lab.runs.recipes import BASELINE, SEQ_KD
from seqkd_lab.runs.study import by_seed, read_later
from seqkd_lab.runs.verdicts import Rows
from seqkd_lab.studies import no_help
from seqkd_lab.studies.table1.table import read_results


def make_explorer(results: Mapping) -> Any:
    """Build the table explorer on the results of Table 1. Raises ImportError without ipywidgets."""
    from seqkd_lab.lab.paper_table.view import TableExplorer

    return TableExplorer(results["by_seed"])


def real_results() -> dict:
    """Read the committed table of Multi30k, English to German."""
    return read_results(results_path("multi30k.json"))


def budget_seeds() -> list[Rows]:
    """Read the committed budget study, a seed after the other."""
    return by_seed(read_later(results_path("budget.json")))


def committed_gains(results: Mapping) -> dict[str, Gain]:
    """Read the gains of `seqkd-lab study run no-help`, beside them those of Table 1
    (`results`)."""
    return gains(no_help.with_table(no_help.committed_points(), results["by_seed"]))


def mini_gains(n_pairs: int, report: Callable[[int, int], None]) -> dict[str, Gain]:
    """Train a mini version of the same experiment here: one seed, few pairs, so that it proves
    nothing."""
    return gains(no_help.mini_points(n_pairs, report))


def other_gains(results: Mapping, seed: int) -> list[float]:
    """Return Seq-KD's gain in valid greedy translations (a share) in every seed of Table 1 but
    `seed`."""
    return [validity_gain(rows) for key, rows in results["by_seed"].items() if int(key) != seed]


def validity_gain(rows: Rows) -> float:
    """Return Seq-KD's gain in valid greedy translations over the baseline, as a share."""
    return rows[SEQ_KD]["greedy"]["validity"] - rows[BASELINE]["greedy"]["validity"]


def expected_gain(results: Mapping, seed: int | None, n_sentences: int) -> tuple[float, float]:
    """Return where Seq-KD's gain in valid translations, in points, should lie on `n_sentences` of
    the test set.

    For the models of `seed`: what Table 1 noted of them, ± 2 standard errors of a difference of two
    shares. For models trained here (None): from the least to the greatest seed, widened by as much.
    """
    noted = [
        100.0 * validity_gain(rows)
        for key, rows in results["by_seed"].items()
        if seed in (None, int(key))
    ]
    error = 100.0 * (0.5 / n_sentences) ** 0.5  # at most: each share has a variance of 1/4 at most
    return min(noted) - 2.0 * error, max(noted) + 2.0 * error
