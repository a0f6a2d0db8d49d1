"""Models and arms of the near-policy experiment.

The student is the small Transformer, since only a model with masks reads packed rows. Its teacher
is the LSTM of Table 1, which scores a translation somewhat faster on a core than the Transformer of
its size, and is there already. Both have a tenth of their sources emptied, the teacher for one more
epoch, so that Δ-IFD has a meaning.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

from seqkd_lab.corpus.batching import EncodedCorpus
from seqkd_lab.distillation.delta_ifd import SourceDropout
from seqkd_lab.distillation.generation import DELTA_IFD, RANDOM, Writing
from seqkd_lab.distillation.losses import NLL
from seqkd_lab.distillation.near_policy import InOneProcess, Learning, OneForAll, Schedule, Writer
from seqkd_lab.models.architectures import build
from seqkd_lab.models.seq2seq import Seq2Seq
from seqkd_lab.optimisation import Optimisation, one_cycle
from seqkd_lab.runs.presets import EARLIER, SHORT, TRANSFORMER
from seqkd_lab.runs.recipes import TEACHER, Recipe, ToyData, table_recipes

WARM_START = "warm start"
PER_UPDATE, N_TOKENS, TOP_K, WARMUP = 32, 200_000, 8, 0.1
"""Sentences of an update, tokens that every arm learns from, words that the teacher says of each,
share of warm-up."""
ALPHA, WITH_CROSS_ENTROPY = 1.0, 0.5
"""The teacher's share of the loss: by validation, the cross-entropy of the student's own words is
best left out. One arm has it, as much as the KL, since the paper has both."""
NEAR, SAMPLES, MODE, ON_POLICY = "near-policy", "samples", "mode", "on-policy"
RATES = {NEAR: 0.01, SAMPLES: 0.01, MODE: 0.03, ON_POLICY: 0.01}
"""Learning rates. They and α were chosen by validity on the validation set, with seed 11
(near_policy_rates.py)."""


def teacher(seed: int, data: ToyData = EARLIER) -> Recipe:  # noqa: B008
    """Table 1's teacher after an epoch in which a tenth of the sources is empty."""
    table = table_recipes(data, SHORT, seed)[TEACHER]
    return replace(
        table,
        name="teacher, sources dropped",
        start=table,
        batch_transform=SourceDropout(0.1),
        optimisation=replace(SHORT.teacher_tuning, epochs=1),
    )


def warm_start(seed: int, data: ToyData = EARLIER) -> Recipe:  # noqa: B008
    """The student before: three epochs on gold, so that there is something left to learn."""
    optimisation: Optimisation = replace(TRANSFORMER.student_training, epochs=3)
    return Recipe(
        WARM_START,
        data,
        TRANSFORMER.student,
        NLL(),
        optimisation,
        seed,
        batch_transform=SourceDropout(0.1),
    )


@dataclass(frozen=True)
class Arm:
    """One way to go on from the warm start. family: whose learning rate it takes. by_teacher: the
    teacher writes, at `how`'s temperature, and not the student. alpha: the teacher's share of the
    loss."""

    name: str
    family: str
    schedule: Schedule
    how: Writing = Writing(top_k=TOP_K)
    alpha: float = ALPHA
    by_teacher: bool = False


EVERY = {1: "every 1 (on-policy)", 4: "every 4", 16: "every 16", 64: "every 64", None: "never"}
"""Arms by the updates between two synchronisations."""
KEPT, DROPPED, OWN_WORDS = (
    "every 16, Δ-IFD",
    "every 16, random drop",
    "every 16, with cross-entropy",
)
TEACHER_SAMPLES, TEACHER_SCORED, TEACHER_MODE = (
    "teacher's samples",
    "teacher's samples, scored",
    "teacher's mode",
)
SYNCHRONOUS = "synchronous (GKD)"
"""As the on-policy lesson trains: one loop, forward KL over all words, no cross-entropy, no
packing."""
ONCE = Schedule(None)
ARMS = (
    *(
        Arm(name, NEAR, Schedule(interval, ahead=0 if interval == 1 else 1))
        for interval, name in EVERY.items()
    ),
    Arm(KEPT, NEAR, Schedule(16), Writing(top_k=TOP_K, filter=DELTA_IFD)),
    Arm(DROPPED, NEAR, Schedule(16), Writing(top_k=TOP_K, filter=RANDOM)),
    Arm(OWN_WORDS, NEAR, Schedule(16), alpha=WITH_CROSS_ENTROPY),
    Arm(TEACHER_SAMPLES, SAMPLES, ONCE, alpha=0.0, by_teacher=True),
    Arm(TEACHER_SCORED, SAMPLES, ONCE, by_teacher=True),
    Arm(TEACHER_MODE, MODE, ONCE, Writing(0.0, TOP_K), alpha=0.0, by_teacher=True),
)
"""Fine-tuning on the teacher's data: its samples or its greedy translations by cross-entropy alone;
and its samples with the loss of near-policy training, so that nothing but whose prefixes they are
differs."""


def empty_copy(model: Seq2Seq) -> Seq2Seq:
    """A model of the same size and vocabularies, whose weights are still to come."""
    return build(model.spec, model.source_vocabulary, model.target_vocabulary).eval()


def source_of(
    arm: Arm,
    student: Seq2Seq,
    teacher: Seq2Seq,
    sources: EncodedCorpus,
    seed: int,
    per_update: int = PER_UPDATE,
) -> InOneProcess:
    """Where an arm's translations come from, in one process."""
    who = teacher if arm.by_teacher else empty_copy(student)
    writer = Writer(who, teacher, sources, arm.how, per_update, seed)
    return OneForAll(writer) if arm.by_teacher else InOneProcess(writer)


def cycle(rate: float) -> Callable[[float], float]:
    """The lab's one-cycle schedule up to `rate`."""
    return lambda done: rate * one_cycle(min(done, 1.0), WARMUP)


def learning_of(arm: Arm, rate: float | None = None, n_tokens: int = N_TOKENS) -> Learning:
    """How an arm learns; another rate than its family's for the search alone."""
    return Learning(n_tokens, cycle(RATES[arm.family] if rate is None else rate), arm.alpha)
