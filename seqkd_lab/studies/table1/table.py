"""Table 1: measure its rows over seeds, and print them beside the paper's."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pandas

from seqkd_lab.distillation.distilled import DistilledCorpus
from seqkd_lab.files import FileError, checked
from seqkd_lab.identity import settings
from seqkd_lab.models.folder import HISTORY
from seqkd_lab.runs.kept import read_history
from seqkd_lab.runs.recipes import (
    ALL_THREE,
    BASELINE,
    BASELINE_INTER,
    FORWARD,
    SEQ_KD,
    SEQ_KD_INTER,
    SEQ_WORD_KD,
    TABLE_ROWS,
    TEACHER,
    TEACHER_INTER,
    WORD_KD,
    WORD_KD_INTER,
    Distillation,
    Preset,
    Recipe,
    SourceText,
    TextData,
    ToyData,
    table_recipes,
)
from seqkd_lab.runs.results import rows_by_seed, with_interval
from seqkd_lab.runs.store import Report, Store, identity, silent
from seqkd_lab.runs.study import REMEDY, check_rows, read_study
from seqkd_lab.runs.tasks import Evaluate
from seqkd_lab.runs.verdicts import Rows
from seqkd_lab.studies.table1.rows import ROWS, TableSettings


@dataclass(frozen=True)
class PaperRow:
    """BLEU at K = 1 and K = 5, perplexity and p(ŷ) in % of Kim & Rush 2016, Table 1
    (English→German).

    None stands where no text of the paper that could be read confirms the number.
    """

    greedy: float | None = None
    beam: float | None = None
    perplexity: float | None = None
    p_mode: float | None = None

    @property
    def bleu(self) -> tuple[float, float]:
        """Return BLEU of greedy and of beam search. Raise ValueError where a number is missing."""
        if self.greedy is None or self.beam is None:
            raise ValueError("the paper's BLEU of this row is not known")
        return self.greedy, self.beam


PAPER = {
    TEACHER: PaperRow(17.7, 19.5, 6.7, 1.3),
    TEACHER_INTER: PaperRow(19.6, 19.8, 10.4, 8.2),
    BASELINE: PaperRow(14.7, 17.6, 8.2, 0.9),
    WORD_KD: PaperRow(15.4, 17.7, 8.0, 1.0),
    SEQ_KD: PaperRow(18.9, 19.0, 22.7, 16.9),
    BASELINE_INTER: PaperRow(),
    WORD_KD_INTER: PaperRow(),
    SEQ_KD_INTER: PaperRow(18.9, 19.3, 15.8, 7.6),
    SEQ_WORD_KD: PaperRow(),
    ALL_THREE: PaperRow(18.8, 19.2, None, None),
    FORWARD: PaperRow(),
}


@dataclass(frozen=True)
class TableRun:
    """Which table to make: data, preset, seeds, and which of its rows (all ten by default); with
    source text that has no targets (`monolingual`) also the row FORWARD. one_teacher: all seeds'
    students learn from the first one's."""

    data: ToyData | TextData
    preset: Preset
    seeds: tuple[int, ...]
    rows: tuple[str, ...] = TABLE_ROWS
    monolingual: SourceText | None = None
    one_teacher: bool = False

    @property
    def row_names(self) -> tuple[str, ...]:
        """Return the names of all its rows."""
        return self.rows if self.monolingual is None else (*self.rows, FORWARD)

    def recipes(self, seed: int) -> dict[str, Recipe]:
        """Return the recipe of each row of one seed."""
        every = table_recipes(
            self.data,
            self.preset,
            seed,
            monolingual=self.monolingual,
            teacher_seed=self.seeds[0] if self.one_teacher else None,
        )
        return {name: every[name] for name in self.row_names}

    def tasks(self) -> list[Evaluate]:
        """Return the evaluation of every row of every seed."""
        return [task for seed in self.seeds for task in self.tasks_of(seed)]

    def tasks_of(self, seed: int) -> list[Evaluate]:
        """Return the evaluation of every row of one seed."""
        beam, penalty = self.preset.beam_size, self.preset.length_penalty
        return [Evaluate(recipe, beam, penalty) for recipe in self.recipes(seed).values()]

    def measure(self, seed: int, store: Store, report: Report = silent) -> dict[str, dict]:
        """Return of each row its evaluation, its training curves, and the statistics of the corpus
        that a teacher rewrote for it, if one did."""
        recipes = self.recipes(seed)
        corpora = dict.fromkeys(recipe.distilled for recipe in recipes.values())
        statistics = {
            change: _corpus_statistics(store.distilled(change))
            for change in corpora
            if isinstance(change, Distillation)
        }
        rows = {}
        for name, recipe in recipes.items():
            rows[name] = {
                **store.evaluation(recipe, self.preset.beam_size, self.preset.length_penalty),
                "curves": read_history(store.kept(recipe, HISTORY)),
                **(
                    {"distilled": statistics[recipe.distilled]}
                    if isinstance(recipe.distilled, Distillation)
                    else {}
                ),
            }
            report(len(rows), len(recipes))
        return rows

    def settings(self) -> dict[str, Any]:
        """Return everything that decides the table's numbers, as plain JSON."""
        shared = {"teacher_seed": self.seeds[0]} if self.one_teacher else {}
        return {
            "data": identity(self.data),
            "preset": settings(self.preset),
            "rows": list(self.row_names),
            **shared,
        }


def _corpus_statistics(distilled: DistilledCorpus) -> dict[str, float]:
    """Of a corpus that a teacher rewrote: sentences, length ratio, likeness to gold."""
    return {
        "sentences": len(distilled.corpus),
        "length_ratio": distilled.length_ratio,
        "exact_matches": distilled.exact_matches,
        "similarity": sum(distilled.similarities) / len(distilled.similarities),
    }


def said_of_teacher(results: Mapping) -> list[str]:
    """Return the sentence that a table needs whose seeds share one teacher; nothing for others."""
    if "teacher_seed" not in results["settings"] or len(results["by_seed"]) < 2:
        return []
    return [
        f"All students learn from one teacher (seed {results['settings']['teacher_seed']}): the "
        "intervals are over students, and say nothing about other teachers."
    ]


def read_results(path: Path) -> dict:
    """Return the results of a table. Raises FileError naming the file and the key when it holds
    something else, or a seed lacks a row."""
    results = read_study(path, "table1")
    checked(results["settings"], TableSettings, f"{path}: settings", REMEDY)
    check_rows(results, ROWS, path)
    for seed, rows in results["by_seed"].items():
        missing = [name for name in results["settings"]["rows"] if name not in rows]
        if missing:
            raise FileError(f"{path}: seed {seed} has no row {missing[0]!r}; {REMEDY}")
    return results


def table_frame(results: Mapping) -> pandas.DataFrame:
    """Return the table for people: ours (mean ± 95% interval over the seeds) and, in brackets, the
    paper's."""
    return frame_of(rows_by_seed(results))


def frame_of(by_seed: Sequence[Rows]) -> pandas.DataFrame:
    """Return the table for people from the rows of each seed.

    chrF stands beside BLEU on real text, where every row has it. On the toy language, validity says
    more than chrF against one sampled reference.
    """
    lines, with_chrf = {}, shows_chrf(by_seed)
    for name in by_seed[0]:
        cells = [rows[name] for rows in by_seed]
        lines[name] = _line(cells, PAPER.get(name, PaperRow()), with_chrf)
    return pandas.DataFrame.from_dict(lines, orient="index")


def _line(cells: Sequence[Mapping], paper: PaperRow, with_chrf: bool) -> dict[str, str]:
    """Return one row of the table, from its evaluations in each seed."""
    line = {
        "parameters": f"{cells[0]['n_parameters']:,}",
        "BLEU K=1": _beside([cell["greedy"]["bleu"] for cell in cells], paper.greedy),
        f"BLEU K={cells[0]['beam_size']}": _beside(
            [cell["beam"]["bleu"] for cell in cells], paper.beam
        ),
        **(_chrf(cells) if with_chrf else {}),
        "PPL of gold": _beside([cell["perplexity"] for cell in cells], paper.perplexity),
        "p(ŷ) in %": _beside([cell["p_mode"] for cell in cells], paper.p_mode, scale=100.0),
        "length ratio": with_interval([cell["beam"]["length_ratio"] for cell in cells], 3),
    }
    if any(cell["greedy"]["validity"] is None for cell in cells):
        return line
    return {
        **line,
        "valid K=1, %": with_interval([cell["greedy"]["validity"] for cell in cells], scale=100.0),
        "KL to truth": with_interval([cell["kl_to_truth"] for cell in cells], 2),
        "BLEU K=1, one ref.": with_interval([c["greedy"]["bleu_one_reference"] for c in cells]),
    }


def shows_chrf(by_seed: Sequence[Rows]) -> bool:
    """Return whether the table shows chrF: on real text, where every row of every seed has it."""
    return all(
        cell["greedy"].get("validity") is None and cell[search].get("chrf") is not None
        for rows in by_seed
        for cell in rows.values()
        for search in ("greedy", "beam")
    )


def _chrf(cells: Sequence[Mapping]) -> dict[str, str]:
    return {
        "chrF K=1": with_interval([cell["greedy"]["chrf"] for cell in cells]),
        f"chrF K={cells[0]['beam_size']}": with_interval([cell["beam"]["chrf"] for cell in cells]),
    }


def signatures(results: Mapping) -> list[str]:
    """Return the lines that say how the table's scores were made, by sacreBLEU's signatures: one
    for each metric, or, where rows were scored in different ways, one for each way, with its
    rows."""
    by_seed = rows_by_seed(results)
    metrics = {"BLEU": "signature", **({"chrF2": "chrf_signature"} if shows_chrf(by_seed) else {})}
    lines = []
    for metric, measure in metrics.items():
        names_of: dict[str, dict[str, None]] = {}
        for rows in by_seed:
            for name, row in rows.items():
                names_of.setdefault(row[measure], {})[name] = None
        if len(names_of) == 1:
            lines.append(f"{metric}: {next(iter(names_of))}")
        else:
            lines += [
                f"{metric} of {', '.join(names)}: {signature} (other rows differ: do not compare "
                "them)"
                for signature, names in names_of.items()
            ]
    return lines


def _beside(values: Sequence[float], paper: float | None, scale: float = 1.0) -> str:
    return with_interval(values, scale=scale) + ("" if paper is None else f" [{paper:.1f}]")
