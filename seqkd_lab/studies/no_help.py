"""When distillation does not help: a language without ambiguity, and a student as large as its
teacher.

The control, in which it should help, is Table 1 itself: data, sizes and recipes are the table's,
and one thing is changed at a time. Models that Table 1 has are not trained again.
"""

from __future__ import annotations

import random
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from pathlib import Path

import pandas

from seqkd_lab.corpus.parallel import ParallelCorpus
from seqkd_lab.corpus.toy import Ambiguity, ToyLanguage
from seqkd_lab.identity import settings
from seqkd_lab.models.lstm import LSTMSpec
from seqkd_lab.models.seq2seq import Seq2Seq
from seqkd_lab.optimisation import Optimisation
from seqkd_lab.runs.committed import (
    committed_seed,
    existing_checkpoint,
    load_committed,
    results_path,
)
from seqkd_lab.runs.data import Dataset, load_toy
from seqkd_lab.runs.measured import Percent, Positive, Row, Share, by_name
from seqkd_lab.runs.presets import TOY
from seqkd_lab.runs.recipes import (
    BASELINE,
    SEQ_KD,
    TEACHER,
    Distillation,
    Preset,
    Recipe,
    ToyData,
    table_recipes,
)
from seqkd_lab.runs.results import with_interval
from seqkd_lab.runs.store import Report, Store, identity, silent
from seqkd_lab.runs.study import Study, read_study
from seqkd_lab.runs.texts import Data
from seqkd_lab.runs.verdicts import Rows

CONTROL = "control"
DETERMINISTIC = "deterministic"
AS_LARGE = "as large"
CONDITIONS = {
    CONTROL: "a small student, the ambiguous language",
    DETERMINISTIC: "a small student, every ambiguity off",
    AS_LARGE: "a student as large as its teacher, the ambiguous language",
}
THE_TEACHER = "teacher"
FROM_GOLD = "gold"
FROM_TEACHER = "seq-kd"
ARMS = (THE_TEACHER, FROM_GOLD, FROM_TEACHER)
IN_TABLE = {
    (CONTROL, FROM_GOLD): BASELINE,
    (CONTROL, FROM_TEACHER): SEQ_KD,
    (CONTROL, THE_TEACHER): TEACHER,
    (AS_LARGE, FROM_GOLD): TEACHER,
    (AS_LARGE, THE_TEACHER): TEACHER,
}
"""The row of Table 1 that is the model of a condition and an arm: a student as large as the
teacher, from gold, is another seed's teacher."""
MEASURES = {
    "greedy": ("BLEU K=1", 1.0),
    "beam": ("BLEU K=5", 1.0),
    "valid": ("valid K=1, %", 100.0),
    "p_mode": ("p(ŷ) in %", 100.0),
    "perplexity": ("PPL of gold", 1.0),
}


class Measured(Row):
    """A model on the test set: BLEU greedy and by beam, share of valid greedy translations, p(ŷ),
    perplexity of gold."""

    greedy: Percent
    beam: Percent
    valid: Share
    p_mode: Share
    perplexity: Positive


@dataclass(frozen=True)
class Point:
    """What was measured of a model of one seed."""

    condition: str
    arm: str
    seed: int
    greedy: float
    beam: float
    valid: float
    p_mode: float
    perplexity: float


@dataclass(frozen=True)
class NoHelpRun:
    """Sizes of the study, by default Table 1's, whose models then serve: then `beside_table`.

    Seeds are the students'. They have one teacher in each language, of the committed models' seed;
    only in Table 1, the control, has each seed a teacher of its own. A large student of the
    teacher's own seed would be its copy, so there is none; nor is there one of the seeds
    `small_only`, since large students take most of the time.
    """

    n_pairs: int | None = None
    n_valid: int | None = None
    n_test: int | None = None
    preset: Preset = TOY
    beside_table: bool = True
    small_only: tuple[int, ...] = (25,)

    def arms(self, seed: int) -> list[tuple[str, str]]:
        """Return each condition and arm that is measured for a seed: those that Table 1 lacks."""
        no_large = (*self.small_only, committed_seed())
        conditions = [name for name in CONDITIONS if name != AS_LARGE or seed not in no_large]
        every = [(condition, arm) for condition in conditions for arm in ARMS]
        return [pair for pair in every if not (self.beside_table and pair in IN_TABLE)]

    def rows(self) -> type:
        """Return the type of a seed's rows: the large students are not of every seed."""
        pairs = [(condition, arm) for condition in CONDITIONS for arm in ARMS]
        measured = [pair for pair in pairs if not (self.beside_table and pair in IN_TABLE)]
        small, large = (
            {
                f"{condition}, {arm}": Measured
                for condition, arm in measured
                if (condition == AS_LARGE) == is_large
            }
            for is_large in (False, True)
        )
        return by_name("NoHelp", small, large)

    @property
    def teacher(self) -> Recipe:
        """Return the recipe of the teacher, in either language."""
        return table_recipes(ToyData(self.n_pairs), self.preset, committed_seed())[TEACHER]

    def recipe(self, condition: str, arm: str, seed: int) -> Recipe:
        """Return the recipe of a model in its condition's language."""
        if arm == THE_TEACHER:
            return self.teacher
        preset, is_large = self.preset, condition == AS_LARGE
        modes = Distillation(
            self.teacher, beam_size=preset.beam_size, length_penalty=preset.length_penalty
        )
        return replace(
            self.teacher,
            name=f"{condition}, {arm}",
            model=preset.teacher if is_large else preset.student,
            optimisation=preset.teacher_training if is_large else preset.student_training,
            seed=seed,
            distilled=modes if arm == FROM_TEACHER else None,
        )

    def measure(
        self, seed: int, store: Store, report: Report, finished: Rows
    ) -> Iterator[tuple[str, dict]]:
        """Yield the measurements of each condition and arm; the same teacher's in every seed."""
        folder = store.root / f"no-help-{self.n_valid}-{self.n_test}"  # nothing of it is shared
        ambiguous = LanguageStore(folder / "ambiguous", run=self, ambiguous=True)
        fixed = LanguageStore(folder / "deterministic", run=self, ambiguous=False)
        arms = self.arms(seed)
        for n_done, (condition, arm) in enumerate(arms, start=1):
            name = f"{condition}, {arm}"
            if name not in finished:
                recipe = self.recipe(condition, arm, seed)
                language = fixed if condition == DETERMINISTIC else ambiguous
                evaluation = language.evaluation(
                    recipe, self.preset.beam_size, self.preset.length_penalty
                )
                yield name, measures_of(evaluation)
            report(n_done, len(arms))

    def settings(self) -> dict:
        """Return everything that decides the numbers of the study, as plain JSON."""
        sizes = {name: value for name, value in settings(self).items() if name != "small_only"}
        return {"data": identity(ToyData()), **sizes}


def measures_of(evaluation: Mapping) -> dict[str, float]:
    """Return what is kept of an evaluation by the store, or of a row of Table 1."""
    return {
        "greedy": evaluation["greedy"]["bleu"],
        "beam": evaluation["beam"]["bleu"],
        "valid": evaluation["greedy"]["validity"],
        "p_mode": evaluation["p_mode"],
        "perplexity": evaluation["perplexity"],
    }


@dataclass(frozen=True)
class LanguageStore(Store):
    """A store whose models learn one language: the toy's own, with Table 1's committed teacher
    where `run` is beside the table, or the toy's sources without ambiguity."""

    run: NoHelpRun = field(kw_only=True)
    ambiguous: bool = field(kw_only=True)

    def dataset(self, data: Data) -> Dataset:
        """Return the toy corpus in this language."""
        return self._dataset

    @cached_property
    def _dataset(self) -> Dataset:
        data = load_toy(ToyData(self.run.n_pairs))
        valid, test = data.valid[: self.run.n_valid], data.test[: self.run.n_test]
        if self.ambiguous:
            return replace(data, valid=valid, test=test)
        language = ToyLanguage(Ambiguity.none())
        return replace(
            data,
            language=language,
            train=translated(data.train, language),
            valid=translated(valid, language),
            test=translated(test, language),
        )

    def model(self, recipe: Recipe, report: Report = silent) -> Seq2Seq:
        """Return the committed teacher where Table 1's serves, else the trained model."""
        if self.ambiguous and self.run.beside_table and recipe == self.run.teacher:
            return load_committed(existing_checkpoint(TEACHER))
        return super().model(recipe, report)


def translated(corpus: ParallelCorpus, language: ToyLanguage) -> ParallelCorpus:
    """Return the same sources, each with a translation drawn from `language`, which is its only
    reference."""
    chance = random.Random(0)
    target = tuple(language.sample_target(source, chance) for source in corpus.source)
    return replace(corpus, references=None).with_target(target)


def points(results: Mapping) -> list[Point]:
    """Return what was measured, seed after seed."""
    return [
        Point(*_pair(name), int(seed), **row)
        for seed, rows in sorted(results["by_seed"].items(), key=lambda entry: int(entry[0]))
        for name, row in rows.items()
    ]


def _pair(name: str) -> tuple[str, str]:
    """Return the condition and the arm of a row."""
    condition, arm = name.split(", ")
    return condition, arm


def committed_points() -> list[Point]:
    """Return the results that travel with the repository."""
    return points(read_study(results_path(STUDY.file), STUDY))


def with_table(measured: Sequence[Point], by_seed: Mapping[str, Rows]) -> list[Point]:
    """Return `measured`, and beside them the models that Table 1 has: `by_seed` holds its rows by
    seed, as results do."""
    of_table = []
    for seed, rows in by_seed.items():
        for (condition, arm), row in IN_TABLE.items():
            is_teacher = int(seed) == committed_seed()
            if is_teacher == (arm == THE_TEACHER) or condition == CONTROL and arm != THE_TEACHER:
                of_table.append(Point(condition, arm, int(seed), **measures_of(rows[row])))
    return [*measured, *of_table]


def mini_points(n_pairs: int, report: Report) -> list[Point]:
    """Train and measure a mini version of one seed, for people who wait: nothing of it is in the
    table, and so few pairs prove nothing."""
    preset = replace(
        TOY,
        teacher=LSTMSpec(64, dropout=0.1),
        teacher_training=Optimisation(6, 0.008, 32),
        student_training=Optimisation(6, 0.016, 32),
    )
    run = NoHelpRun(n_pairs, 100, 100, preset, beside_table=False)
    with tempfile.TemporaryDirectory() as folder:
        rows = dict(run.measure(1, Store(Path(folder)), report, {}))
    return points({"by_seed": {"1": rows}})


def no_help_tables(by_seed: Sequence[Rows]) -> dict[str, pandas.DataFrame]:
    """Return what each model reaches, mean ± half of the 95% interval over the seeds that have
    it."""
    names = dict.fromkeys(name for rows in by_seed for name in rows)
    lines = {
        name: {
            heading: with_interval(
                [rows[name][measure] for rows in by_seed if name in rows], scale=scale
            )
            for measure, (heading, scale) in MEASURES.items()
        }
        for name in names
    }
    return {
        "what Table 1 does not have, by condition and arm": pandas.DataFrame.from_dict(
            lines, orient="index"
        )
    }


def study_of(run: NoHelpRun) -> Study:
    """Return the study of this size."""
    return Study(
        "no-help",
        "Does Seq-KD help without ambiguity, or a student as large as its teacher?",
        "no_help.json",
        run.settings,
        lambda seed: [],
        run.measure,
        no_help_tables,
        first_seed=21,
        by_row=True,
        rows=run.rows(),
    )


STUDY = study_of(NoHelpRun())
