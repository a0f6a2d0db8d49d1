"""Recipes: frozen dataclasses that say everything about a run, so that equal recipes give equal
models.

A recipe names what it builds on by holding that recipe: a student's recipe holds its teacher's. The
rows of the paper's Table 1 are built here, and nowhere else.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace

from seqkd_lab.compression.pruning import Pruning
from seqkd_lab.corpus.parallel import ParallelCorpus
from seqkd_lab.distillation.losses import NLL, Objective, WordKD
from seqkd_lab.distillation.sequence_level import INTERPOLATED, MODE, SAMPLED
from seqkd_lab.identity import omitted_when_default
from seqkd_lab.models.architectures import Spec
from seqkd_lab.optimisation import Optimisation
from seqkd_lab.runs.texts import Data, SourceText, TextData, ToyData
from seqkd_lab.trainer import BatchTransform

CorpusChange = Callable[[ParallelCorpus], ParallelCorpus]
"""Makes other pairs of gold without a teacher: planted mistakes, long sources."""


@dataclass(frozen=True)
class Distillation:
    """A corpus that `teacher` rewrites: its mode, or of its beam the nearest to gold, or a sample.

    share of the training set is taken, from its start; the paper found half to be enough for
    Seq-Inter. valid: samples are drawn again until they are valid translations, so that the
    teacher's errors play no part.
    """

    teacher: Recipe
    method: str = MODE
    beam_size: int = 5
    length_penalty: float = 0.0
    share: float = 1.0
    seed: int = 0
    valid: bool = omitted_when_default(False)

    def __post_init__(self) -> None:
        if self.method not in (MODE, INTERPOLATED, SAMPLED):
            raise ValueError(
                f"method must be {MODE}, {INTERPOLATED} or {SAMPLED}; got {self.method!r}"
            )
        if self.valid and self.method != SAMPLED:
            raise ValueError(
                f"only samples can be drawn again until they are valid; got {self.method!r}"
            )
        if not 0.0 < self.share <= 1.0:
            raise ValueError(f"share must lie in (0, 1]; got {self.share}")


@dataclass(frozen=True)
class ForwardTranslation:
    """Pairs to learn from besides: the sentences of `text` with `teacher`'s translations, found by
    beam search."""

    teacher: Recipe
    text: SourceText
    beam_size: int = 5
    length_penalty: float = 0.0

    def __post_init__(self) -> None:
        if not isinstance(self.teacher.data, TextData):
            raise ValueError(
                "forward translation needs a teacher of real text; the toy corpus has no further "
                "sources"
            )


@dataclass(frozen=True)
class Recipe:
    """One training run. `name` is for people and does not count for identity.

    distilled: the corpus to learn from (None: gold). added: pairs to learn from besides it.
    teacher: whose distribution Word-KD follows. start: the model to continue from (None: random
    weights drawn from `seed`, its embeddings multiplied by `embedding_scale`). pruning: what of
    that model goes before it trains on; without optimisation it is pruned only. batch_transform:
    what becomes of each batch before it is learned from: the student draws its own targets, or
    sources are emptied. without: sentences with one of these words in the source are left out.
    weighting: what each sentence's loss is multiplied by (None: all count alike).
    """

    name: str = field(compare=False)
    data: Data
    model: Spec
    objective: Objective
    optimisation: Optimisation | None
    seed: int
    distilled: Distillation | CorpusChange | None = None
    teacher: Recipe | None = None
    start: Recipe | None = None
    pruning: Pruning | None = omitted_when_default(None)
    embedding_scale: float = omitted_when_default(1.0)
    batch_transform: BatchTransform | None = omitted_when_default(None, "rewriting")
    added: ForwardTranslation | None = omitted_when_default(None)

    def __post_init__(self) -> None:
        if self.objective.needs_teacher and self.teacher is None:
            raise ValueError(f"recipe {self.name!r}: {self.objective} needs a teacher")
        if self.start is not None and self.start.model != self.model:
            raise ValueError(
                f"recipe {self.name!r}: continues a model of another size ({self.start.model})"
            )
        if self.start is None and (self.pruning is not None or self.optimisation is None):
            raise ValueError(
                f"recipe {self.name!r}: without training, or to prune, it needs a model to start "
                "from"
            )


@dataclass(frozen=True)
class Preset:
    """The sizes of one Table 1: how teacher and student are built, trained, searched and
    fine-tuned.

    Of real text, the first `n_pairs` pairs (None: all) are taken, in at most `vocabulary_size`
    subwords.
    """

    teacher: Spec
    student: Spec
    teacher_training: Optimisation
    student_training: Optimisation
    teacher_tuning: Optimisation
    student_tuning: Optimisation
    alpha: float = 0.5
    beam_size: int = 5
    inter_beam_size: int = 35
    inter_share: float = 0.5
    length_penalty: float = 0.0
    n_pairs: int | None = omitted_when_default(None)
    vocabulary_size: int = omitted_when_default(5000)


TEACHER = "teacher"
TEACHER_INTER = "teacher+seq-inter"
BASELINE = "baseline"
WORD_KD = "word-kd"
SEQ_KD = "seq-kd"
BASELINE_INTER = "baseline+seq-inter"
WORD_KD_INTER = "word-kd+seq-inter"
SEQ_KD_INTER = "seq-kd+seq-inter"
SEQ_WORD_KD = "seq-kd+word-kd"
ALL_THREE = "seq-kd+word-kd+seq-inter"
TABLE_ROWS = (
    TEACHER,
    TEACHER_INTER,
    BASELINE,
    WORD_KD,
    SEQ_KD,
    BASELINE_INTER,
    WORD_KD_INTER,
    SEQ_KD_INTER,
    SEQ_WORD_KD,
    ALL_THREE,
)
FORWARD = "seq-kd+forward"
"""Not the paper's: Seq-KD, and besides source text without targets, translated by the same teacher.
Its student makes more updates than Seq-KD's, as it has more pairs and as many epochs."""


def table_recipes(
    data: ToyData | TextData,
    preset: Preset,
    seed: int,
    embedding_scale: float = 1.0,
    monolingual: SourceText | None = None,
    teacher_seed: int | None = None,
) -> dict[str, Recipe]:
    """Return the ten rows of Table 1 for one seed, by name, each after those that it builds on;
    with `monolingual` source text also FORWARD. The teacher has the seed `teacher_seed` (None: the
    students' own)."""
    teacher = Recipe(
        TEACHER,
        data,
        preset.teacher,
        NLL(),
        preset.teacher_training,
        seed if teacher_seed is None else teacher_seed,
        embedding_scale=embedding_scale,
    )
    modes = Distillation(teacher, MODE, preset.beam_size, preset.length_penalty)
    nearest = Distillation(
        teacher, INTERPOLATED, preset.inter_beam_size, preset.length_penalty, preset.inter_share
    )
    soft = WordKD(alpha=preset.alpha)
    baseline = replace(
        teacher,
        name=BASELINE,
        model=preset.student,
        optimisation=preset.student_training,
        seed=seed,
    )
    word = replace(baseline, name=WORD_KD, objective=soft, teacher=teacher)
    seq = replace(baseline, name=SEQ_KD, distilled=modes)
    seq_word = replace(word, name=SEQ_WORD_KD, distilled=modes)

    def tuned(start: Recipe, name: str, optimisation: Optimisation) -> Recipe:
        """Return `start`, continued on Seq-Inter's corpus with its own objective and a smaller
        learning rate."""
        return replace(start, name=name, start=start, distilled=nearest, optimisation=optimisation)

    rows = [
        teacher,
        tuned(teacher, TEACHER_INTER, preset.teacher_tuning),
        baseline,
        word,
        seq,
        tuned(baseline, BASELINE_INTER, preset.student_tuning),
        tuned(word, WORD_KD_INTER, preset.student_tuning),
        tuned(seq, SEQ_KD_INTER, preset.student_tuning),
        seq_word,
        tuned(seq_word, ALL_THREE, preset.student_tuning),
    ]
    if monolingual is not None:
        more = ForwardTranslation(teacher, monolingual, preset.beam_size, preset.length_penalty)
        rows.append(replace(seq, name=FORWARD, added=more))
    return {recipe.name: recipe for recipe in rows}
