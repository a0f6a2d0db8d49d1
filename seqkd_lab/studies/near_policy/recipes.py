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
from seqkd_lab.distillation.generation import RolloutConfig
from seqkd_lab.distillation.losses import NLL
from seqkd_lab.distillation.near_policy import Learning, NearPolicyLoss
from seqkd_lab.distillation.rollout_sources import (
    FixedPolicySource,
    LocalSource,
    RolloutWorker,
    Schedule,
)
from seqkd_lab.models.architectures import build
from seqkd_lab.models.seq2seq import Seq2Seq
from seqkd_lab.optimisation import Optimisation
from seqkd_lab.runs.presets import TOY, TRANSFORMER
from seqkd_lab.runs.recipes import TEACHER, Recipe, ToyData, table_recipes

EARLY, LATE = 3, 10
"""Epochs on gold of the two warm starts."""
PER_UPDATE = 32
"""Sentences of an update."""
N_TOKENS = 80_000
"""Tokens that every arm learns from."""
TOP_K = 8
"""Words that the teacher sends for each token."""
WARMUP = 0.1
"""Share of the tokens during which the learning rate rises."""
FORWARD = "forward"
REVERSE = "reverse"
CROSS_ENTROPY = "cross-entropy"
SCORED = "teacher's samples, forward KL"
LOSSES = {
    FORWARD: NearPolicyLoss(1.0),
    REVERSE: NearPolicyLoss(1.0, reverse=True),
    CROSS_ENTROPY: NearPolicyLoss(0.0),
}
"""Forward KL, reverse KL, and the cross-entropy of the words that were drawn. The paper adds the
cross-entropy of the student's own words to the forward KL; on validation text the student did best
without it."""
RATES = {
    EARLY: {FORWARD: 0.001, REVERSE: 0.01, SCORED: 0.01},
    LATE: {FORWARD: 0.0003, REVERSE: 0.003, SCORED: 0.0003, CROSS_ENTROPY: 0.001},
}
"""Learning rates by warm start and kind of training: forward and reverse KL along the student's own
sentences, forward KL along the teacher's samples, cross-entropy on the teacher's mode. Chosen with
seed 11, by validity on sources that are kept for choosing; along own sentences at every 16
(`python -m seqkd_lab.studies.near_policy.rates` prints all trials)."""


def teacher(seed: int, data: ToyData = ToyData()) -> Recipe:  # noqa: B008
    """Return Table 1's teacher after an epoch in which a tenth of the sources is empty."""
    table = table_recipes(data, TOY, seed)[TEACHER]
    return replace(
        table,
        name="teacher, sources dropped",
        start=table,
        batch_transform=SourceDropout(0.1),
        optimisation=replace(TOY.teacher_tuning, epochs=1),
    )


def warm_start(seed: int, epochs: int = LATE, data: ToyData = ToyData()) -> Recipe:  # noqa: B008
    """Return the student before: some epochs on gold."""
    return Recipe(
        warm_start_name(epochs),
        data,
        TRANSFORMER.student,
        NLL(),
        replace(TRANSFORMER.student_training, epochs=epochs),
        seed,
        batch_transform=SourceDropout(0.1),
    )


def warm_start_name(epochs: int) -> str:
    """Return the name of a warm start."""
    return f"warm start, {epochs} epochs"


@dataclass(frozen=True)
class Arm:
    """One way to go on from a warm start.

    start: its epochs on gold. way: which sentences are learned from, in words. loss: one of LOSSES.
    by_teacher: the teacher writes the sentences, not the student. temperature: of the drawing.
    """

    start: int
    way: str
    loss: str
    schedule: Schedule
    by_teacher: bool = False
    temperature: float = 1.0

    @property
    def name(self) -> str:
        """What the arm is called in the results."""
        return arm_name(self.start, self.way, self.loss)

    @property
    def kind(self) -> str:
        """What has a learning rate of its own, a key of RATES."""
        return SCORED if self.by_teacher and self.loss == FORWARD else self.loss


def arm_name(start: int, way: str, loss: str) -> str:
    """Return the name of an arm."""
    return f"{start} epochs, {way}, {loss}"


EVERY = {1: "every 1", 16: "every 16", None: "never"}
"""Ways by the updates between two synchronisations; at 1 without a lag: on-policy."""
SAMPLES = "teacher's samples"
TEACHER_MODE = "teacher's mode"


ONCE = Schedule(None)


def written_by_student(start: int, loss: str, *intervals: int | None) -> tuple[Arm, ...]:
    """Return the arms that learn from the student's own sentences, by interval."""
    return tuple(
        Arm(start, EVERY[interval], loss, Schedule(interval, ahead=0 if interval == 1 else 1))
        for interval in intervals
    )


ARMS = (
    *written_by_student(LATE, FORWARD, 1, 16, None),
    *written_by_student(LATE, REVERSE, 1, 16),
    Arm(LATE, SAMPLES, FORWARD, ONCE, by_teacher=True),
    Arm(LATE, TEACHER_MODE, CROSS_ENTROPY, ONCE, by_teacher=True, temperature=0.0),
    *written_by_student(EARLY, FORWARD, 1, 16),
    *written_by_student(EARLY, REVERSE, 16),
    Arm(EARLY, SAMPLES, FORWARD, ONCE, by_teacher=True),
)
"""The teacher's samples have the loss of near-policy training, so that nothing but whose prefixes
they are differs; the teacher's mode is learned from as in Seq-KD."""


def empty_copy(model: Seq2Seq) -> Seq2Seq:
    """Return a model of the same size and vocabularies, whose weights are to be loaded."""
    return build(model.spec, model.source_vocabulary, model.target_vocabulary).eval()


def source_of(
    arm: Arm, student: Seq2Seq, teacher: Seq2Seq, sources: EncodedCorpus, seed: int
) -> LocalSource:
    """Return the source of an arm's rollouts, in one process."""
    model = teacher if arm.by_teacher else empty_copy(student)
    config = RolloutConfig(arm.temperature, TOP_K)
    worker = RolloutWorker(model, teacher, sources, config, PER_UPDATE, seed)
    return FixedPolicySource(worker) if arm.by_teacher else LocalSource(worker)


def optimisation_at(rate: float, batch_size: int = PER_UPDATE) -> Optimisation:
    """Return the lab's one-cycle schedule up to `rate`; it goes by tokens, not by epochs."""
    return Optimisation(epochs=1, learning_rate=rate, batch_size=batch_size, warmup=WARMUP)


def learning_of(arm: Arm, rate: float | None = None, n_tokens: int = N_TOKENS) -> Learning:
    """Return how an arm learns; `rate` differs from RATES only in the search for rates."""
    rate = RATES[arm.start][arm.kind] if rate is None else rate
    return Learning(n_tokens, optimisation_at(rate), LOSSES[arm.loss])
