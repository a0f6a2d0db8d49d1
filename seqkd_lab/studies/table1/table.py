"""Table 1: run its rows over seeds, keep the numbers as JSON, and print them beside the paper's."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import pandas

from seqkd_lab.identity import settings
from seqkd_lab.models.checkpoint import CheckpointError, read_json
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
    Preset,
    Recipe,
    SourceText,
    TextData,
    ToyData,
    table_recipes,
)
from seqkd_lab.runs.results import rows_by_seed, versions, with_interval
from seqkd_lab.runs.schedule import Evaluate
from seqkd_lab.runs.store import Store, identity


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
        """The names of all its rows."""
        return self.rows if self.monolingual is None else (*self.rows, FORWARD)

    def recipes(self, seed: int) -> dict[str, Recipe]:
        made = table_recipes(
            self.data,
            self.preset,
            seed,
            monolingual=self.monolingual,
            teacher_seed=self.seeds[0] if self.one_teacher else None,
        )
        return {name: made[name] for name in self.row_names}

    def tasks(self) -> list[Evaluate]:
        """The evaluation of every row of every seed; what they need is theirs to say."""
        beam, penalty = self.preset.beam_size, self.preset.length_penalty
        return [
            Evaluate(recipe, beam, penalty)
            for seed in self.seeds
            for recipe in self.recipes(seed).values()
        ]


def collect(run: TableRun, store: Store) -> dict:
    """The results of a finished run: by seed and row the metrics and the training curve; and what
    made them."""
    by_seed, curves, distilled = {}, {}, {}
    for seed in run.seeds:
        recipes = run.recipes(seed)
        by_seed[str(seed)] = {
            name: store.evaluation(recipe, run.preset.beam_size, run.preset.length_penalty)
            for name, recipe in recipes.items()
        }
        curves[str(seed)] = {
            name: read_json(store.directory(recipe) / "history.json")
            for name, recipe in recipes.items()
        }
        distilled[str(seed)] = _distilled_corpora(recipes.values(), store)
    shared = {"teacher_seed": run.seeds[0]} if run.one_teacher else {}
    return {
        "data": identity(run.data),
        "preset": settings(run.preset),
        "rows": list(run.row_names),
        **shared,
        "by_seed": by_seed,
        "curves": curves,
        "distilled": distilled,
        "made_with": versions(),
    }


def _distilled_corpora(recipes: Iterable[Recipe], store: Store) -> dict[str, dict]:
    """Of each corpus that a teacher rewrote: sentences, length ratio, likeness to gold."""
    found = {}
    for distillation in dict.fromkeys(
        recipe.distilled for recipe in recipes if recipe.distilled is not None
    ):
        made = store.distilled(distillation)
        found[distillation.method] = {
            "sentences": len(made.corpus),
            "length_ratio": made.length_ratio,
            "exact_matches": made.exact_matches,
            "similarity": sum(made.similarities) / len(made.similarities),
        }
    return found


def said_of_teacher(results: Mapping) -> list[str]:
    """Return the sentence that a table needs whose seeds share one teacher; nothing for others."""
    if "teacher_seed" not in results or len(results["by_seed"]) < 2:
        return []
    return [
        f"All students learn from one teacher (seed {results['teacher_seed']}): the intervals are "
        "over students, and say nothing about other teachers."
    ]


def read_results(path: Path) -> dict:
    """The results that `collect` gave. Raises CheckpointError naming the file when it holds
    something else."""
    results = read_json(path)
    rows, by_seed = (
        results.get(part) if isinstance(results, dict) else None for part in ("rows", "by_seed")
    )
    whole = bool(rows) and isinstance(rows, list) and bool(by_seed) and isinstance(by_seed, dict)
    if not whole or not all(
        isinstance(cells, dict) and set(rows) <= set(cells) for cells in by_seed.values()
    ):
        raise CheckpointError(
            f"{path}: not the results of a table; make them again with `seqkd-lab table`"
        )
    return results


def table_frame(results: Mapping) -> pandas.DataFrame:
    """The table for people: ours (mean ± 95% interval over the seeds) and, in brackets, the
    paper's.

    chrF stands beside BLEU on real text, where every row has it. On the toy language, validity says
    more than chrF against one sampled reference.
    """
    by_seed, lines, with_chrf = rows_by_seed(results), {}, shows_chrf(results)
    for name in results["rows"]:
        cells, paper = [rows[name] for rows in by_seed], PAPER.get(name, PaperRow())
        line = {
            "parameters": f"{cells[0]['n_parameters']:,}",
            "BLEU K=1": _beside([c["greedy"]["bleu"] for c in cells], paper.greedy),
            f"BLEU K={cells[0]['beam_size']}": _beside(
                [c["beam"]["bleu"] for c in cells], paper.beam
            ),
            **(_chrf(cells) if with_chrf else {}),
            "PPL of gold": _beside([c["perplexity"] for c in cells], paper.perplexity),
            "p(ŷ) in %": _beside([c["p_mode"] for c in cells], paper.p_mode, scale=100.0),
            "length ratio": with_interval([c["beam"]["length_ratio"] for c in cells], 3),
        }
        if cells[0]["greedy"]["validity"] is not None:
            line["valid K=1, %"] = with_interval(
                [c["greedy"]["validity"] for c in cells], scale=100.0
            )
            line["KL to truth"] = with_interval([c["kl_to_truth"] for c in cells], 2)
            line["BLEU K=1, one ref."] = with_interval(
                [c["greedy"]["bleu_one_reference"] for c in cells]
            )
        lines[name] = line
    return pandas.DataFrame.from_dict(lines, orient="index")


def shows_chrf(results: Mapping) -> bool:
    """Return whether the table shows chrF: on real text, where every row of every seed has it."""
    cells = [rows[name] for rows in rows_by_seed(results) for name in results["rows"]]
    return all(
        cell["greedy"].get("validity") is None and cell[search].get("chrf") is not None
        for cell in cells
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
    metrics = {"BLEU": "signature", **({"chrF2": "chrf_signature"} if shows_chrf(results) else {})}
    lines = []
    for metric, field in metrics.items():
        rows_of: dict[str, dict[str, None]] = {}
        for rows in rows_by_seed(results):
            for name in results["rows"]:
                rows_of.setdefault(rows[name][field], {})[name] = None
        if len(rows_of) == 1:
            lines.append(f"{metric}: {next(iter(rows_of))}")
        else:
            lines += [
                f"{metric} of {', '.join(names)}: {signature} (other rows differ: do not compare "
                "them)"
                for signature, names in rows_of.items()
            ]
    return lines


def _beside(values: Sequence[float], paper: float | None, scale: float = 1.0) -> str:
    return with_interval(values, scale=scale) + ("" if paper is None else f" [{paper:.1f}]")
