"""Models and arms of the near-policy study.

The student is the small Transformer, since only a model with masks reads packed rows. Its teacher
is the LSTM of Table 1, which scores a translation somewhat faster on a core than the Transformer of
its size, and exists already. Both have a tenth of their sources emptied in training, the teacher
for one more epoch, so that Δ-IFD has a meaning.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

from seqkd_lab.corpus.batching import EncodedCorpus
from seqkd_lab.distillation.delta_ifd import SourceDropout
from seqkd_lab.distillation.generation import DELTA_IFD, RANDOM, RolloutConfig
from seqkd_lab.distillation.losses import NLL
from seqkd_lab.distillation.near_policy import Learning
from seqkd_lab.distillation.rollout_sources import (
    FixedPolicySource,
    LocalSource,
    RolloutWorker,
    Schedule,
)
from seqkd_lab.models.architectures import build
from seqkd_lab.models.seq2seq import Seq2Seq
from seqkd_lab.optimisation import Optimisation
from seqkd_lab.runs.presets import EARLIER, SHORT, TRANSFORMER
from seqkd_lab.runs.recipes import TEACHER, Recipe, ToyData, table_recipes

WARM_START = "warm start"
PER_UPDATE = 32
"""Sentences of an update."""
N_TOKENS = 200_000
"""Tokens that every arm learns from."""
TOP_K = 8
"""Words that the teacher sends for each token."""
WARMUP = 0.1
"""Share of the tokens during which the learning rate rises."""
ALPHA = 1.0
"""The teacher's share of the loss: on validation text the student did best without the
cross-entropy of its own words."""
WITH_CROSS_ENTROPY = 0.5
"""The teacher's share in the one arm that has that cross-entropy, since the paper has both."""
NEAR = "near-policy"
SAMPLES = "samples"
MODE = "mode"
ON_POLICY = "on-policy"
RATES = {NEAR: 0.01, SAMPLES: 0.01, MODE: 0.03, ON_POLICY: 0.01}
"""Learning rates. They and α were chosen by validity on the validation set, with seed 11 (`python
-m seqkd_lab.studies.near_policy.rates` prints all trials)."""


def teacher(seed: int, data: ToyData = EARLIER) -> Recipe:  # noqa: B008
    """Return Table 1's teacher after an epoch in which a tenth of the sources is empty."""
    table = table_recipes(data, SHORT, seed)[TEACHER]
    return replace(
        table,
        name="teacher, sources dropped",
        start=table,
        batch_transform=SourceDropout(0.1),
        optimisation=replace(SHORT.teacher_tuning, epochs=1),
    )


def warm_start(seed: int, data: ToyData = EARLIER) -> Recipe:  # noqa: B008
    """Return the student before: three epochs on gold, so that there is something left to learn."""
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
    """One way to go on from the warm start.

    family: whose learning rate it takes. config: how its rollouts are drawn. by_teacher: the
    teacher draws them, not the student. alpha: the teacher's share of the loss.
    """

    name: str
    family: str
    schedule: Schedule
    config: RolloutConfig = RolloutConfig(top_k=TOP_K)
    alpha: float = ALPHA
    by_teacher: bool = False


EVERY = {1: "every 1 (on-policy)", 4: "every 4", 16: "every 16", 64: "every 64", None: "never"}
"""Arms by the updates between two synchronisations."""
KEPT = "every 16, Δ-IFD"
DROPPED = "every 16, random drop"
OWN_WORDS = "every 16, with cross-entropy"
TEACHER_SAMPLES = "teacher's samples"
TEACHER_SCORED = "teacher's samples, scored"
TEACHER_MODE = "teacher's mode"
SYNCHRONOUS = "synchronous (GKD)"
"""As the on-policy lesson trains: one loop, forward KL over all words, no cross-entropy, no
packing."""
ONCE = Schedule(None)
ARMS = (
    *(
        Arm(name, NEAR, Schedule(interval, ahead=0 if interval == 1 else 1))
        for interval, name in EVERY.items()
    ),
    Arm(KEPT, NEAR, Schedule(16), RolloutConfig(top_k=TOP_K, filter=DELTA_IFD)),
    Arm(DROPPED, NEAR, Schedule(16), RolloutConfig(top_k=TOP_K, filter=RANDOM)),
    Arm(OWN_WORDS, NEAR, Schedule(16), alpha=WITH_CROSS_ENTROPY),
    Arm(TEACHER_SAMPLES, SAMPLES, ONCE, alpha=0.0, by_teacher=True),
    Arm(TEACHER_SCORED, SAMPLES, ONCE, by_teacher=True),
    Arm(TEACHER_MODE, MODE, ONCE, RolloutConfig(0.0, TOP_K), alpha=0.0, by_teacher=True),
)
"""Fine-tuning on the teacher's data: its samples or its greedy translations by cross-entropy alone;
and its samples with the loss of near-policy training, so that nothing but whose prefixes they are
differs."""


def empty_copy(model: Seq2Seq) -> Seq2Seq:
    """Return a model of the same size and vocabularies, whose weights are to be loaded."""
    return build(model.spec, model.source_vocabulary, model.target_vocabulary).eval()


def source_of(
    arm: Arm, student: Seq2Seq, teacher: Seq2Seq, sources: EncodedCorpus, seed: int
) -> LocalSource:
    """Return the source of an arm's rollouts, in one process."""
    model = teacher if arm.by_teacher else empty_copy(student)
    worker = RolloutWorker(model, teacher, sources, arm.config, PER_UPDATE, seed)
    return FixedPolicySource(worker) if arm.by_teacher else LocalSource(worker)


def optimisation_at(rate: float, batch_size: int = PER_UPDATE) -> Optimisation:
    """Return the lab's one-cycle schedule up to `rate`; it goes by tokens, not by epochs."""
    return Optimisation(epochs=1, learning_rate=rate, batch_size=batch_size, warmup=WARMUP)


def learning_of(arm: Arm, rate: float | None = None, n_tokens: int = N_TOKENS) -> Learning:
    """Return how an arm learns; `rate` differs from its family's only in the search for rates."""
    return Learning(n_tokens, optimisation_at(rate or RATES[arm.family]), arm.alpha)
