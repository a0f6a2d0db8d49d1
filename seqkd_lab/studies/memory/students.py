"""The students of the memory study: alike but for their memory and their corpus."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from statistics import fmean

from seqkd_lab.corpus.toy import dataset as toy
from seqkd_lab.distillation.losses import NLL
from seqkd_lab.distillation.sequence_level import MODE as BY_BEAM
from seqkd_lab.distillation.sequence_level import SAMPLED
from seqkd_lab.identity import settings
from seqkd_lab.models.transformer import TransformerSpec
from seqkd_lab.optimisation import Optimisation
from seqkd_lab.runs.kept import read_translations
from seqkd_lab.runs.presets import TOY
from seqkd_lab.runs.recipes import TEACHER, Distillation, Preset, Recipe, ToyData, table_recipes
from seqkd_lab.runs.store import Report, Store
from seqkd_lab.runs.tasks import Evaluate, Task
from seqkd_lab.studies.live import CORPORA, GOLD, MODE, SAMPLES
from seqkd_lab.studies.memory.examples import examples, truth_with_memory

MEMORIES = (1, 2, 3, 5, 8, None)
"""Words that a student remembers; None: all."""
SHORT = 3
"""The memory of lesson 06's students."""
TRUTH = "truth"
EXAMPLES = "examples"


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
        recipes = {}
        for name, distilled in corpora.items():
            data = ToyData(self.n_pairs, self.data.test) if distilled is None else self.data
            for memory in MEMORIES:
                spec = TransformerSpec(**{**settings(self.model), "memory": memory})
                recipes[name, memory] = Recipe(
                    f"{name}, memory {memory_key(memory)}",
                    data,
                    spec,
                    NLL(),
                    self.training,
                    seed,
                    distilled,
                )
        return recipes

    def tasks(self, seed: int) -> list[Task]:
        """Return the evaluation of every student of `seed`."""
        return [self._evaluate(recipe) for recipe in self.recipes(seed).values()]

    def _evaluate(self, recipe: Recipe) -> Evaluate:
        return Evaluate(recipe, self.preset.beam_size, self.preset.length_penalty)

    def measure(self, seed: int, store: Store, report: Report) -> dict:
        """Return by corpus and memory BLEU and shares of valid translations, the truth's shares
        with each memory, and for one seed the examples of the view."""
        language, test = store.dataset(self.data).toy_language, store.dataset(self.data).test
        truth, rows = truth_with_memory(language, tuple(test.source[: self.n_truth]), MEMORIES)
        measured: dict = {name: {} for name in CORPORA}
        measured[TRUTH] = {memory_key(memory): shares for memory, shares in truth.items()}
        recipes = self.recipes(seed)
        for n_done, ((name, memory), recipe) in enumerate(recipes.items(), start=1):
            measured[name][memory_key(memory)] = self._measure(recipe, store, rows)
            report(n_done, len(recipes))
        if seed == self.example_seed:
            measured[EXAMPLES] = self._examples(store, rows)
        return measured

    def _measure(self, recipe: Recipe, store: Store, rows: Sequence[int]) -> dict:
        """Measure one student; "valid_as_truth" is the share on the sources `rows` that the truth
        was asked about."""
        task, data = self._evaluate(recipe), store.dataset(self.data)
        evaluation = store.evaluation(recipe, task.beam_size, task.length_penalty)
        translations = read_translations(store.kept(recipe, "translations.tsv"))
        is_valid = data.toy_language.is_valid
        valid = [is_valid(data.test.source[row], translations[row][3].split()) for row in rows]
        return {
            "greedy": evaluation["greedy"]["bleu"],
            "beam": evaluation["beam"]["bleu"],
            "valid": evaluation["greedy"]["validity"],
            "valid_beam": evaluation["beam"]["validity"],
            "valid_as_truth": fmean(valid),
            "p_mode": evaluation["p_mode"],
            "same_translation": evaluation["same_translation"],
        }

    def _examples(self, store: Store, rows: Sequence[int]) -> list[dict]:
        """Return the view's sentences, from the students of gold and of the mode."""
        data, recipes = store.dataset(self.data), self.recipes(self.example_seed)
        students = {
            (name, memory_key(memory)): store.model(recipes[name, memory])
            for name in (GOLD, MODE)
            for memory in MEMORIES
        }
        teacher = table_recipes(self.data, self.preset, self.example_seed)[TEACHER]
        return examples(
            data.toy_language,
            store.model(teacher),
            students,
            [data.test.source[row] for row in rows],
            self.n_examples,
            MEMORIES,
            SHORT,
        )

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
