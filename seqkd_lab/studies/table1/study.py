"""Table 1 of Kim & Rush (2016) as a study: which of the paper's findings hold here?"""

from __future__ import annotations

from seqkd_lab.runs.presets import TOY
from seqkd_lab.runs.recipes import ToyData
from seqkd_lab.runs.store import Store
from seqkd_lab.runs.study import Study
from seqkd_lab.studies.table1.findings import CLAIMS
from seqkd_lab.studies.table1.findings_in_words import beam_share_in_words
from seqkd_lab.studies.table1.rows import ROWS
from seqkd_lab.studies.table1.table import TableRun, frame_of

TOY_SEEDS = tuple(range(21, 31))
"""Seeds 11 to 13 of the toy are for choosing sizes: none judges what it chose."""


def study_of(run: TableRun) -> Study:
    """Return the study that makes the table of `run`."""
    return Study(
        "table1",
        "Which findings of the paper's Table 1 hold here?",
        "table1.json",
        run.settings,
        run.tasks_of,
        run.measure,
        lambda by_seed: {
            "Table 1 [in brackets: Kim & Rush 2016, where confirmed]": frame_of(by_seed)
        },
        CLAIMS,
        first_seed=run.seeds[0],
        n_seeds=len(run.seeds),
        in_words=beam_share_in_words,
        data=run.data,
        rows=ROWS,
    )


def collect(run: TableRun, store: Store) -> dict:
    """Return the results of a table whose models are in the store."""
    by_seed = {str(seed): run.measure(seed, store) for seed in run.seeds}
    return {**study_of(run).heading(), "by_seed": by_seed}


STUDY = study_of(TableRun(ToyData(), TOY, TOY_SEEDS))
