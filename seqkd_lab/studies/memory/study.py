"""The memory dial: does Seq-KD help a student that sees its last few words only, and what do so few
words foretell?

Students are alike but for their memory (the number of their own last words that they attend to) and
the target side of their corpus: gold, the teacher's valid samples, or the teacher's mode. Beside
them stands the truth with the same memory. `seqkd-lab study memory` makes data/results/memory.json.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import fmean

import pandas

from seqkd_lab.corpus.toy import dataset as toy
from seqkd_lab.distillation.losses import NLL
from seqkd_lab.distillation.sequence_level import MODE as BY_BEAM
from seqkd_lab.distillation.sequence_level import SAMPLED
from seqkd_lab.identity import settings
from seqkd_lab.models.checkpoint import CheckpointError
from seqkd_lab.models.transformer import TransformerSpec
from seqkd_lab.runs.presets import TOY
from seqkd_lab.runs.recipes import TEACHER, Distillation, Preset, Recipe, ToyData, table_recipes
from seqkd_lab.runs.results import with_interval
from seqkd_lab.runs.schedule import Evaluate, Task
from seqkd_lab.runs.store import Report, Store
from seqkd_lab.runs.study import Study, by_seed, read_later
from seqkd_lab.runs.verdicts import Claim, Rows, mean_and_interval
from seqkd_lab.studies.live import CORPORA, GOLD, MODE, SAMPLES
from seqkd_lab.studies.memory.examples import examples, truth_with_memory
from seqkd_lab.studies.table1.tour import read_translations
from seqkd_lab.training import Optimisation

MEMORIES = (1, 2, 3, 5, 8, None)
"""Words that a student remembers; None: all."""
SHORT = 3
"""The memory of lesson 06's students."""
TRUTH, EXAMPLES = "truth", "examples"


def memory_key(memory: int | None) -> str:
    """Return a memory's name in the results: "3", or "all"."""
    return "all" if memory is None else str(memory)


@dataclass(frozen=True)
class MemoryStudents:
    """The study's students: their size but for the memory, their training, and the share of the
    corpus that they learn from; the teacher is Table 1's. The truth is asked about the first
    `n_truth` test sources; `example_seed`'s students are those of the view."""

    preset: Preset = TOY
    data: ToyData = ToyData()
    model: TransformerSpec = TransformerSpec(width=32, layers=1, heads=2, hidden=64, dropout=0.0)
    training: Optimisation = Optimisation(epochs=8, learning_rate=0.02, batch_size=128, warmup=0.2)
    n_pairs: int = 12_000
    n_truth: int = 1_000
    n_examples: int = 8
    example_seed: int = 21

    def recipes(self, seed: int) -> dict[tuple[str, int | None], Recipe]:
        """Return the student of each corpus and memory."""
        teacher = table_recipes(self.data, self.preset, seed)[TEACHER]
        share = self.n_pairs / (self.data.n_train or toy.SIZES["train"])
        corpora = {
            GOLD: None,
            SAMPLES: Distillation(teacher, SAMPLED, share=share, seed=seed, valid=True),
            MODE: Distillation(
                teacher, BY_BEAM, self.preset.beam_size, self.preset.length_penalty, share
            ),
        }
        made = {}
        for name, distilled in corpora.items():
            data = ToyData(self.n_pairs, self.data.test) if distilled is None else self.data
            for memory in MEMORIES:
                spec = TransformerSpec(**{**settings(self.model), "memory": memory})
                made[name, memory] = Recipe(
                    f"{name}, memory {memory_key(memory)}",
                    data,
                    spec,
                    NLL(),
                    self.training,
                    seed,
                    distilled,
                )
        return made

    def tasks(self, seed: int) -> list[Task]:
        """Return the evaluation of every student of `seed`."""
        return [self._evaluate(recipe) for recipe in self.recipes(seed).values()]

    def _evaluate(self, recipe: Recipe) -> Evaluate:
        return Evaluate(recipe, self.preset.beam_size, self.preset.length_penalty)

    def measure(self, seed: int, store: Store, report: Report) -> dict:
        """Return by corpus and memory BLEU and shares of valid translations, the truth's shares
        with each memory, and for one seed the examples of the view."""
        data, recipes = store.dataset(self.data), self.recipes(seed)
        truth, rows = truth_with_memory(
            data.language, tuple(data.test.source[: self.n_truth]), MEMORIES
        )
        measured: dict = {name: {} for name in CORPORA}
        measured[TRUTH] = {memory_key(memory): shares for memory, shares in truth.items()}
        for n_done, ((name, memory), recipe) in enumerate(recipes.items(), start=1):
            task = self._evaluate(recipe)
            evaluation = store.evaluation(recipe, task.beam_size, task.length_penalty)
            written = read_translations(store.directory(recipe) / "translations.tsv")
            valid = [
                data.language.is_valid(data.test.source[row], written[row][3].split())
                for row in rows
            ]
            measured[name][memory_key(memory)] = {
                "greedy": evaluation["greedy"]["bleu"],
                "beam": evaluation["beam"]["bleu"],
                "valid": evaluation["greedy"]["validity"],
                "valid_beam": evaluation["beam"]["validity"],
                "valid_as_truth": fmean(valid),
                "p_mode": evaluation["p_mode"],
                "same_translation": evaluation["same_translation"],
            }
            report(n_done, len(recipes))
        if seed == self.example_seed:
            teacher = store.model(next(iter(recipes.values())).teacher or self._teacher(seed))
            students = {
                (name, memory_key(memory)): store.model(recipes[name, memory])
                for name in (GOLD, MODE)
                for memory in MEMORIES
            }
            sources = [data.test.source[row] for row in rows]
            measured[EXAMPLES] = examples(
                data.language, teacher, students, sources, self.n_examples, MEMORIES, SHORT
            )
        return measured

    def _teacher(self, seed: int) -> Recipe:
        return table_recipes(self.data, self.preset, seed)[TEACHER]

    def settings(self) -> Mapping:
        """Return everything that decides the numbers of the study, as plain JSON."""
        parts = ("data", "model", "training", "n_pairs", "n_truth", "n_examples", "example_seed")
        return {
            "corpus version": toy.VERSION,
            "memories": [memory_key(memory) for memory in MEMORIES],
            "teacher": settings(self.preset.teacher),
            "teacher_training": settings(self.preset.teacher_training),
            **{part: settings(getattr(self, part)) for part in parts},
        }


def valid(rows: Rows, name: str, memory: int | None) -> float:
    """Return a student's valid greedy translations in percent."""
    return 100.0 * rows[name][memory_key(memory)]["valid"]


def gain(rows: Rows, memory: int | None, better: str = MODE, other: str = GOLD) -> float:
    """Return by how many points of valid greedy translations one student is above the other."""
    return valid(rows, better, memory) - valid(rows, other, memory)


def above_truth(rows: Rows, name: str, how: str) -> float:
    """Return by how many points of valid translations a student of memory SHORT, greedy, is above
    the truth with that memory, on the same sources; `how` the truth writes: "draws" or "greedy"."""
    label = memory_key(SHORT)
    return 100.0 * (rows[name][label]["valid_as_truth"] - rows[TRUTH][label][how])


AIM = "an aim of this lab"
CLAIMS = (
    Claim(
        "M1",
        f"memory {SHORT}: the mode's student has ≥ 10 points more valid translations than gold's",
        lambda rows: gain(rows, SHORT),
        least=10.0,
        original=AIM,
    ),
    Claim(
        "M2",
        f"memory {SHORT}: the mode's student has ≥ 10 points more valid translations than the "
        "samples'",
        lambda rows: gain(rows, SHORT, MODE, SAMPLES),
        least=10.0,
        original=AIM,
    ),
    Claim(
        "M3",
        f"memory {SHORT}: the samples' student is within 10 points of gold's",
        lambda rows: gain(rows, SHORT, SAMPLES, GOLD),
        least=-10.0,
        most=10.0,
        original=AIM,
    ),
    Claim(
        "M4",
        f"the mode's gain over gold is smaller with all of the memory than with memory {SHORT}",
        lambda rows: gain(rows, SHORT) - gain(rows, None),
        least=0.0,
        original=AIM,
    ),
    Claim(
        "M5",
        "gold's student gains ≥ 10 points from a memory of 2 words to one of 8",
        lambda rows: valid(rows, GOLD, 8) - valid(rows, GOLD, 2),
        least=10.0,
        original=AIM,
    ),
    Claim(
        "M6",
        f"memory {SHORT}: the mode's student is above what the truth with that memory draws, in "
        "points",
        lambda rows: above_truth(rows, MODE, "draws"),
        least=0.0,
        original=AIM,
    ),
    Claim(
        "M7",
        f"memory {SHORT}: gold's student is at most 2 points above the truth with that memory, "
        "both greedy (it estimates that truth; that it cannot be above is no theorem)",
        lambda rows: above_truth(rows, GOLD, "greedy"),
        most=2.0,
        original=AIM,
    ),
)


def memory_tables(seeds: Sequence[Rows]) -> dict[str, pandas.DataFrame]:
    """Return valid translations by corpus and memory, the mode's gain, BLEU, and the truth with
    each memory."""
    names = {memory: memory_key(memory) for memory in MEMORIES}

    def frame(measure: str, scale: float) -> pandas.DataFrame:
        return pandas.DataFrame(
            {
                name: {
                    label: with_interval(
                        [rows[name][label][measure] for rows in seeds], scale=scale
                    )
                    for label in names.values()
                }
                for name in CORPORA
            }
        ).rename_axis("memory")

    truth = seeds[0][TRUTH]
    return {
        "valid translations, greedy, in %": frame("valid", 100.0),
        "BLEU, greedy": frame("greedy", 1.0),
        "the mode's gain over gold, points of valid translations": pandas.DataFrame(
            {
                "gain": {
                    label: with_interval([gain(rows, memory) for rows in seeds])
                    for memory, label in names.items()
                }
            }
        ).rename_axis("memory"),
        f"the truth with that memory, {truth['all']['n']} sources, valid in %": pandas.DataFrame(
            {
                how: {label: f"{100.0 * truth[label][how]:.1f}" for label in names.values()}
                for how in ("draws", "greedy")
            }
        ).rename_axis("memory"),
    }


def change_of_gain(seeds: Sequence[Rows], answers: Sequence[str]) -> str:
    """Return which of four `answers` (grows, stays within 5 points, shrinks, cannot be told) the
    interval gives for the mode's gain when the memory grows from SHORT to all."""
    low, high = mean_and_interval([gain(rows, None) - gain(rows, SHORT) for rows in seeds])[1]
    grows, stays, shrinks, unknown = answers
    if -5.0 <= low and high <= 5.0:
        return stays
    return grows if low > 0.0 else shrinks if high < 0.0 else unknown


def _beyond_memory(gold: float, truth: float) -> str:
    """What a short memory alone does not explain of gold's student, both in % of valid greedy
    translations."""
    if gold >= truth:
        return "Gold's student is not below that."
    return (
        f"So forgetting alone costs {100 - truth:.0f} points, and gold's student loses "
        f"{truth - gold:.0f} more: where two words are almost equally probable, a small error "
        "turns its choice. The teacher's mode leaves few such choices open."
    )


def in_words(seeds: Sequence[Rows]) -> str:
    """Say what the study shows, by its means over the seeds."""

    def mean(name: str, memory: int | None) -> float:
        return fmean(valid(rows, name, memory) for rows in seeds)

    truth = seeds[0][TRUTH][memory_key(SHORT)]
    short, full = (fmean(gain(rows, memory) for rows in seeds) for memory in (SHORT, None))
    return (
        f"With a memory of {SHORT} words, gold's student writes {mean(GOLD, SHORT):.0f}% valid "
        f"translations, the student of samples {mean(SAMPLES, SHORT):.0f}% and the student of the "
        f"mode {mean(MODE, SHORT):.0f}% (means of {len(seeds)} seeds).\n\nThe truth itself, if it "
        f"remembers {SHORT} words only, draws {100 * truth['draws']:.0f}% valid translations; if "
        f"it takes its most probable word each time, {100 * truth['greedy']:.0f}% are valid. "
        f"{_beyond_memory(mean(GOLD, SHORT), 100 * truth['greedy'])}\n\nWith all of the memory, "
        f"gold's student reaches {mean(GOLD, None):.0f}% and the mode's {mean(MODE, None):.0f}%: "
        f"the distance between them goes from {short:.0f} to {full:.0f} points."
    )


def read(path: Path) -> dict:
    """Read the study's results, which the view needs whole.

    Raises CheckpointError, naming the file, where it holds something else or lacks the view's
    examples.
    """
    results = read_later(path)
    keys, rows = {memory_key(memory) for memory in MEMORIES}, by_seed(results)
    try:
        whole = all(set(seed[name]) == keys for seed in rows for name in (*CORPORA, TRUTH))
        whole = whole and results["study"] == "memory" and any(seed.get(EXAMPLES) for seed in rows)
    except (AttributeError, KeyError, TypeError):
        whole = False
    if not whole:
        raise CheckpointError(
            f"{path}: not the results of the memory study; make them with `seqkd-lab study memory`"
        )
    return results


def examples_in(results: Mapping) -> list[dict]:
    """Return the sentences of the view, from the seed that has them. Raises ValueError where none
    has."""
    for seed in by_seed(results):
        if seed.get(EXAMPLES):
            return seed[EXAMPLES]
    raise ValueError(
        "the results hold no sentences to show: measure the seed that the settings name for them"
    )


def study_of(students: MemoryStudents) -> Study:
    """Return the study of these students."""
    return Study(
        "memory",
        "does Seq-KD help a student that remembers only its last words, however long it learns?",
        "memory.json",
        students.settings(),
        students.tasks,
        students.measure,
        memory_tables,
        CLAIMS,
        first_seed=21,
        n_seeds=5,
        in_words=in_words,
    )


STUDY = study_of(MemoryStudents())
